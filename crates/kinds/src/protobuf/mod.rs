//! Protobuf bodies of requests as JSON. kubectl and other typed clients send them and take no refusal;
//! they accept JSON in return, so nothing is ever encoded.
//!
//! The messages are those of the [schema](crate::schema): a walk over its fields by their numbers. Go
//! writes empty texts, zeroes and structs of values that nobody set; unless Go itself would tell them
//! from absent ones (a pointer), they are left out. Fields with unknown numbers are skipped, as
//! upstream does. How deep a message can be is given by the schema, which has no cycles.

mod wire;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use serde_json::{Map, Value};

use crate::schema::{self, Field, Shape, Type};
use wire::{Reader, Wire};

/// What every body starts with.
const PREFIX: &[u8] = b"k8s\0";

/// Largest body, in bytes; the API takes no larger request.
pub const BYTES_MAX: usize = 3 << 20;

/// A decoded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Such as `batch/v1`.
    pub api_version: String,
    /// Such as `Job`.
    pub kind: String,
    /// The whole object as JSON, `apiVersion` and `kind` included; its values are not checked yet.
    pub json: Vec<u8>,
}

/// Why a body cannot be read; the first three are upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// There are no bytes.
    #[error("empty data")]
    NoData,
    /// Nothing follows the prefix.
    #[error("empty body")]
    NoBody,
    /// The prefix is not there.
    #[error(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )]
    Prefix,
    /// The body is larger than [`BYTES_MAX`].
    #[error("the protobuf message is larger than {BYTES_MAX} bytes")]
    TooLarge,
    /// The object is encoded once more, by this name.
    #[error("content encoding {0:?} is not supported")]
    Encoding(String),
    /// A kind that has no table here.
    #[error("no kind {kind:?} is registered for version {api_version:?}")]
    Kind {
        /// As the body says.
        api_version: String,
        /// As the body says.
        kind: String,
    },
    /// The bytes are no message, or hold something else than the field that they are said to be.
    #[error("proto: {0}")]
    Wire(String),
}

type Result<T> = std::result::Result<T, ProtobufError>;

/// Reads a body. Where it does not say what it is, it is what is `expected`: API version and kind.
///
/// # Errors
/// [`ProtobufError`]
pub fn decode(bytes: &[u8], expected: Option<(&str, &str)>) -> Result<Message> {
    if bytes.is_empty() {
        return Err(ProtobufError::NoData);
    }
    if bytes.len() > BYTES_MAX {
        return Err(ProtobufError::TooLarge);
    }
    let body = bytes.strip_prefix(PREFIX).ok_or(ProtobufError::Prefix)?;
    if body.is_empty() {
        return Err(ProtobufError::NoBody);
    }
    let Envelope { api_version, kind, raw } = envelope(body)?;
    let or = |said: String, expected: Option<&str>| match said.is_empty() {
        true => expected.unwrap_or_default().to_owned(),
        false => said,
    };
    let api_version = or(api_version, expected.map(|(version, _)| version));
    let kind = or(kind, expected.map(|(_, kind)| kind));
    let Some(ty) = schema::sent(&api_version, &kind) else {
        return Err(ProtobufError::Kind { api_version, kind });
    };
    let mut object = Map::new();
    fields(ty, None, raw, &mut object)?;
    object.insert("apiVersion".to_owned(), api_version.as_str().into());
    object.insert("kind".to_owned(), kind.as_str().into());
    let json = Value::Object(object).to_string().into_bytes();
    Ok(Message { api_version, kind, json })
}

/// The message around the object, which says what it is.
#[derive(Default)]
struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>> {
    let mut found = Envelope::default();
    let mut reader = Reader::new(body);
    while let Some((number, wire)) = reader.field()? {
        match number {
            1 => {
                let mut reader = Reader::new(wire.bytes("typeMeta")?);
                while let Some((number, wire)) = reader.field()? {
                    match number {
                        1 => found.api_version = wire.text("apiVersion")?,
                        2 => found.kind = wire.text("kind")?,
                        _ => {}
                    }
                }
            }
            2 => found.raw = wire.bytes("raw")?,
            3 => match wire.text("contentEncoding")? {
                encoding if encoding.is_empty() => {}
                encoding => return Err(ProtobufError::Encoding(encoding)),
            },
            _ => {}
        }
    }
    Ok(found)
}

/// Puts the fields of a message into the object of its struct; `inside` is the number of the message
/// if it holds what the struct embeds.
fn fields(
    ty: &'static Type,
    inside: Option<u8>,
    message: &[u8],
    object: &mut Map<String, Value>,
) -> Result<()> {
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        let has = |f: &&Field| u64::from(f.tag) == number && f.inside == inside && f.tag != 0;
        if let Some(field) = ty.fields.iter().find(has) {
            self::field(field, wire, object)?;
            continue;
        }
        let embedded = ty.fields.iter().find_map(|f| f.inside.filter(|n| u64::from(*n) == number));
        if let (None, Some(embedded)) = (inside, embedded) {
            fields(ty, Some(embedded), wire.bytes(ty.name)?, object)?;
        }
    }
    Ok(())
}

/// One field. What stands there already is added to, if it is a list, a map or a struct.
fn field(field: &'static Field, wire: Wire<'_>, object: &mut Map<String, Value>) -> Result<()> {
    let before = object.remove(field.name);
    let value = match (field.shape, before) {
        (Shape::List(item), before) => {
            let mut items = match before {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            self::items(*item, wire, field.name, &mut items)?;
            Value::Array(items)
        }
        (Shape::Map(item), before) => {
            let (key, value) = entry(*item, wire.bytes(field.name)?, field.name)?;
            let mut entries = object_of(before);
            entries.insert(key, value);
            Value::Object(entries)
        }
        (Shape::Object(ty), before) => {
            let mut inner = object_of(before);
            fields(ty, None, wire.bytes(field.name)?, &mut inner)?;
            Value::Object(inner)
        }
        (shape, _) => single(shape, wire, field.name)?,
    };
    if value != Value::Null && (field.pointer || !is_zero(field.shape, &value)) {
        object.insert(field.name.to_owned(), value);
    }
    Ok(())
}

fn object_of(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// Whether Go would have written this for a value that nobody set.
fn is_zero(shape: Shape, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty() || matches!(shape, Shape::Quantity) && text == "0",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty() && !matches!(shape, Shape::Any),
    }
}

/// The items that one occurrence of a list field brings: one, or several numbers that are packed.
fn items(item: Shape, wire: Wire<'_>, name: &str, items: &mut Vec<Value>) -> Result<()> {
    match (item, wire) {
        (Shape::Int32 | Shape::Int64 | Shape::Bool, Wire::Bytes(packed)) => {
            let mut reader = Reader::new(packed);
            while !reader.is_empty() {
                items.push(single(item, Wire::Varint(reader.varint()?), name)?);
            }
        }
        _ => items.push(whole(item, wire, name)?),
    }
    Ok(())
}

/// An item of a list or the value of a map.
fn whole(shape: Shape, wire: Wire<'_>, name: &str) -> Result<Value> {
    match shape {
        Shape::Object(ty) => {
            let mut inner = Map::new();
            fields(ty, None, wire.bytes(name)?, &mut inner)?;
            Ok(Value::Object(inner))
        }
        // A list that is no field needs a message of its own.
        Shape::List(item) => {
            let mut list = Vec::new();
            let mut reader = Reader::new(wire.bytes(name)?);
            while let Some((number, wire)) = reader.field()? {
                if number == 1 {
                    items(*item, wire, name, &mut list)?;
                }
            }
            Ok(Value::Array(list))
        }
        shape => single(shape, wire, name),
    }
}

/// An entry of a map. What is left out of it is empty.
fn entry(item: Shape, message: &[u8], name: &str) -> Result<(String, Value)> {
    let (mut key, mut value) = (String::new(), None);
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        match number {
            1 => key = wire.text(name)?,
            2 => value = Some(whole(item, wire, name)?),
            _ => {}
        }
    }
    let value = match value {
        Some(value) => value,
        None => match item {
            Shape::String | Shape::Bytes => "".into(),
            Shape::Int32 | Shape::Int64 | Shape::Bool => single(item, Wire::Varint(0), name)?,
            _ => whole(item, Wire::Bytes(&[]), name)?,
        },
    };
    Ok((key, value))
}

/// A value that is neither list, map nor struct.
fn single(shape: Shape, wire: Wire<'_>, name: &str) -> Result<Value> {
    Ok(match shape {
        Shape::String => wire.text(name)?.into(),
        #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
        Shape::Int32 => (wire.varint(name)? as i32).into(),
        Shape::Int64 => wire.varint(name)?.cast_signed().into(),
        Shape::Bool => (wire.varint(name)? != 0).into(),
        Shape::Bytes => base64(wire.bytes(name)?),
        Shape::Time => time(wire.bytes(name)?, name)?
            .map_or(Value::Null, |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
        Shape::MicroTime => time(wire.bytes(name)?, name)?
            .map_or(Value::Null, |t| t.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into()),
        Shape::Quantity => match one_text(wire.bytes(name)?, name)? {
            text if text.is_empty() => "0".into(),
            text => text.into(),
        },
        Shape::IntOrString => int_or_string(wire.bytes(name)?, name)?,
        Shape::Any => raw_json(wire.bytes(name)?, name)?,
        Shape::Object(_) | Shape::List(_) | Shape::Map(_) => whole(shape, wire, name)?,
    })
}

fn base64(bytes: &[u8]) -> Value {
    serde_json::to_value(ByteString(bytes.to_vec())).unwrap_or_default()
}

/// `{1: seconds, 2: nanos}`; a time that nobody set is an empty message.
fn time(message: &[u8], name: &str) -> Result<Option<Timestamp>> {
    if message.is_empty() {
        return Ok(None);
    }
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        match number {
            1 => seconds = wire.varint(name)?.cast_signed(),
            #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
            2 => nanos = wire.varint(name)? as i32,
            _ => {}
        }
    }
    let time = Timestamp::new(seconds, nanos);
    time.map(Some).map_err(|error| ProtobufError::Wire(format!("field {name}: {error}")))
}

/// `{1: text}`
fn one_text(message: &[u8], name: &str) -> Result<String> {
    let mut text = String::new();
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        if number == 1 {
            text = wire.text(name)?;
        }
    }
    Ok(text)
}

/// `{1: type, 2: number, 3: text}`; type 1 is text.
fn int_or_string(message: &[u8], name: &str) -> Result<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    let mut reader = Reader::new(message);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => is_text = wire.varint(name)? == 1,
            #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
            2 => number = wire.varint(name)? as i32,
            3 => text = wire.text(name)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

/// `{1: JSON}`
fn raw_json(message: &[u8], name: &str) -> Result<Value> {
    let mut raw: &[u8] = &[];
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        if number == 1 {
            raw = wire.bytes(name)?;
        }
    }
    if raw.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(raw)
        .map_err(|error| ProtobufError::Wire(format!("field {name}: {error}")))
}
