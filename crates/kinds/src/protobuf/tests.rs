//! Objects of every type that can be sent, encoded as Go does, come back; and whatever bytes come,
//! nothing panics.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::json;

use super::*;
use crate::{
    KINDS, Kind,
    decode::{FieldValidation, Form, body as body_of},
    metav1::Time,
    schema::SENT,
};

/// Every type that can be sent, with its version.
fn sent() -> Vec<(String, &'static Type)> {
    let stored = KINDS.iter().map(|info| (info.api_version(), schema::of(info.kind)));
    let others = SENT.iter().map(|(version, ty)| ((*version).to_owned(), *ty));
    let options = schema::sent("v1", "DeleteOptions").map(|ty| ("v1".to_owned(), ty));
    stored.chain(others).chain(options).collect()
}

/// Decides what an object looks like; once it has run out, there is nothing more in it.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().map_or(0, |byte| byte % sides)
    }

    fn object(&mut self, ty: &'static Type) -> Map<String, Value> {
        let mut object = Map::new();
        for field in ty.fields.iter().filter(|field| field.tag != 0) {
            if self.roll(4) == 0 {
                continue;
            }
            let value = self.value(field.shape);
            if field.pointer || !is_zero(field.shape, &value) {
                object.insert(field.name.to_owned(), value);
            }
        }
        object
    }

    fn value(&mut self, shape: Shape) -> Value {
        let turn = usize::from(self.roll(3));
        let count = self.roll(3);
        match shape {
            Shape::String => ["", "a", "ü\n"][turn].into(),
            Shape::Int32 => [0, -1, i32::MAX][turn].into(),
            Shape::Int64 => [0, i64::MIN, 300][turn].into(),
            Shape::Bool => (turn == 1).into(),
            Shape::Time => ["2026-01-02T03:04:05Z", "1969-12-31T23:59:59Z", "2026-01-02T00:00:00Z"]
                [turn]
                .into(),
            Shape::MicroTime => {
                ["2026-01-02T03:04:05.123456Z", "1969-12-31T23:59:59.500000Z"][turn % 2].into()
            }
            Shape::Bytes => ["", "AA==", "/w8="][turn].into(),
            Shape::Quantity => ["0", "500m", "1Gi"][turn].into(),
            Shape::IntOrString => [json!(0), json!("http"), json!(-5)][turn].clone(),
            Shape::Any => json!({"f:a": {".": {}}}),
            Shape::Object(ty) => Value::Object(self.object(ty)),
            Shape::List(item) => (0..count).map(|_| self.value(*item)).collect(),
            Shape::Map(item) => {
                let entries = (0..count).map(|n| (format!("k{n}"), self.value(*item)));
                Value::Object(entries.collect())
            }
        }
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

fn number(tag: u8, value: i64, out: &mut Vec<u8>) {
    varint(u64::from(tag) << 3, out);
    varint(value.cast_unsigned(), out);
}

fn bytes(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    varint(u64::from(tag) << 3 | 2, out);
    varint(u64::try_from(value.len()).unwrap(), out);
    out.extend(value);
}

fn message(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// A struct as Go writes it: what is no pointer is always there, and so is what it embeds.
fn encode(ty: &'static Type, object: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut embedded = Vec::new();
    let mut number = None;
    for field in ty.fields.iter().filter(|field| field.tag != 0) {
        let out = match field.inside {
            None => &mut *out,
            Some(tag) => {
                number = Some(tag);
                &mut embedded
            }
        };
        let zero = match field.shape {
            Shape::Object(_) => json!({}),
            Shape::Quantity => "0".into(),
            Shape::Time | Shape::MicroTime => Value::Null,
            Shape::IntOrString => json!(0),
            Shape::List(_) => json!([]),
            Shape::Map(_) | Shape::Any => json!({}),
            Shape::String | Shape::Bytes => "".into(),
            Shape::Int32 | Shape::Int64 | Shape::Bool => json!(0),
        };
        match object.get(field.name) {
            Some(value) => encode_value(field.shape, field.tag, value, out),
            None if field.pointer || matches!(field.shape, Shape::Any | Shape::Bytes) => {}
            None => encode_value(field.shape, field.tag, &zero, out),
        }
    }
    if let Some(tag) = number {
        bytes(tag, &embedded, out);
    }
}

fn encode_value(shape: Shape, tag: u8, value: &Value, out: &mut Vec<u8>) {
    let text = value.as_str().unwrap_or_default();
    let nested = match shape {
        Shape::Int32 | Shape::Int64 | Shape::Bool => {
            let as_number = value.as_i64().unwrap_or_else(|| value.as_bool().unwrap().into());
            return number(tag, as_number, out);
        }
        Shape::String => text.as_bytes().to_vec(),
        Shape::Bytes => serde_json::from_value::<ByteString>(value.clone()).unwrap().0,
        Shape::Time | Shape::MicroTime if value.is_null() => Vec::new(),
        Shape::Time | Shape::MicroTime => {
            let time = serde_json::from_value::<Time>(value.clone()).unwrap().0;
            message(|out| {
                number(1, time.as_second(), out);
                number(2, time.subsec_nanosecond().into(), out);
            })
        }
        Shape::Quantity => message(|out| bytes(1, text.as_bytes(), out)),
        Shape::IntOrString => message(|out| {
            number(1, value.is_string().into(), out);
            number(2, value.as_i64().unwrap_or(0), out);
            bytes(3, text.as_bytes(), out);
        }),
        Shape::Any => message(|out| bytes(1, value.to_string().as_bytes(), out)),
        Shape::Object(ty) => message(|out| encode(ty, value.as_object().unwrap(), out)),
        Shape::List(item) => {
            for value in value.as_array().unwrap() {
                encode_value(*item, tag, value, out);
            }
            return;
        }
        Shape::Map(item) => {
            for (key, value) in value.as_object().unwrap() {
                let entry = message(|out| {
                    bytes(1, key.as_bytes(), out);
                    match item {
                        Shape::List(_) => {
                            bytes(2, &message(|out| encode_value(*item, 1, value, out)), out);
                        }
                        _ => encode_value(*item, 2, value, out),
                    }
                });
                bytes(tag, &entry, out);
            }
            return;
        }
    };
    bytes(tag, &nested, out);
}

fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let is = message(|out| {
        bytes(1, api_version.as_bytes(), out);
        bytes(2, kind.as_bytes(), out);
    });
    let mut out = PREFIX.to_vec();
    bytes(1, &is, &mut out);
    bytes(2, raw, &mut out);
    bytes(3, b"", &mut out);
    bytes(4, b"", &mut out);
    out
}

#[test]
fn a_body_has_a_size_limit() {
    let error = decode(&vec![b'k'; BYTES_MAX + 1], None).unwrap_err();
    assert_eq!(error.to_string(), "the protobuf message is larger than 3145728 bytes");
}

proptest! {
    #[test]
    fn what_go_writes_is_what_was_meant(which: Index, rolls in vec(any::<u8>(), 0..800)) {
        let all = sent();
        let (api_version, ty) = &all[which.index(all.len())];
        let mut object = Dice(rolls.iter()).object(ty);
        let raw = message(|out| encode(ty, &object, out));
        let decoded = decode(&body(api_version, ty.name, &raw), None).unwrap();
        object.insert("apiVersion".to_owned(), api_version.as_str().into());
        object.insert("kind".to_owned(), ty.name.into());
        let json: Value = serde_json::from_slice(&decoded.json).unwrap();
        prop_assert_eq!(json, Value::Object(object));
    }

    #[test]
    fn any_bytes_are_an_object_or_an_error(which: Index, raw in vec(any::<u8>(), 0..120)) {
        let all = sent();
        let (api_version, ty) = &all[which.index(all.len())];
        let _ = decode(&raw, Some((api_version, ty.name)));
        let _ = decode(&[PREFIX, &raw].concat(), Some((api_version, ty.name)));
        let _ = decode(&body(api_version, ty.name, &raw), None);
    }

    #[test]
    fn a_changed_byte_is_an_object_or_an_error(
        which: Index,
        rolls in vec(any::<u8>(), 0..200),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let all = sent();
        let (api_version, ty) = &all[which.index(all.len())];
        let object = Dice(rolls.iter()).object(ty);
        let mut whole = body(api_version, ty.name, &message(|out| encode(ty, &object, out)));
        for (place, byte) in changes {
            let place = place.index(whole.len());
            whole[place] = byte;
        }
        if let Ok(message) = decode(&whole, None)
            && let Some(kind) = Kind::find(&message.api_version, &message.kind)
        {
            let _ = body_of(kind, Form::Json, &message.json, FieldValidation::Strict);
        }
    }
}
