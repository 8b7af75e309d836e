//! The table against the types themselves: every type is asked, through a decoder that only takes
//! notes, which fields it reads and what it expects in them.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor, value::Error},
};

use super::{Parts, Patch, SENT, Shape, Type, of, sent};
use crate::{
    KINDS, Kind,
    types::{
        apps::v1::Deployment,
        authentication::v1::{SelfSubjectReview, TokenRequest, TokenReview},
        authorization::v1::{
            LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview,
            SubjectAccessReview,
        },
        autoscaling::v1::Scale,
        batch::v1::{CronJob, Job},
        coordination::v1::Lease,
        core::v1::{
            Binding, ConfigMap, Event, LimitRange, Namespace, Node, PersistentVolumeClaim, Pod,
            PodTemplate, ResourceQuota, Secret, Service, ServiceAccount,
        },
        node::v1::RuntimeClass,
        policy::v1::Eviction,
        scheduling::v1::PriorityClass,
    },
};

type Notes = BTreeMap<String, &'static str>;

/// Pretends to hold one value of whatever is asked for, and notes what that was.
struct Probe<'a> {
    path: String,
    notes: &'a mut Notes,
}

impl Probe<'_> {
    fn note(&mut self, what: &'static str) {
        self.notes.insert(std::mem::take(&mut self.path), what);
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("integer or text");
        visitor.visit_i32(1)
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("bool");
        visitor.visit_bool(true)
    }

    fn deserialize_i32<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("i32");
        visitor.visit_i32(1)
    }

    fn deserialize_i64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("i64");
        visitor.visit_i64(1)
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("base64");
        visitor.visit_str("AA==")
    }

    fn deserialize_string<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note("text");
        visitor.visit_str("AA==")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(name);
        match name {
            "FieldsV1" => visitor.visit_newtype_struct(().into_deserializer()),
            _ => visitor.visit_newtype_struct("2026-01-02T03:04:05Z".into_deserializer()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(One { probe: Some(Probe { path: self.path + "[]", notes: self.notes }) })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { path: self.path, left: &["*"], notes: self.notes })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let skip = if self.path.is_empty() { 2 } else { 0 };
        visitor.visit_map(Fields { path: self.path, left: &fields[skip..], notes: self.notes })
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct enum identifier ignored_any
    }
}

struct One<'a> {
    probe: Option<Probe<'a>>,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.probe.take().map(|probe| seed.deserialize(probe)).transpose()
    }
}

struct Fields<'a> {
    path: String,
    left: &'static [&'static str],
    notes: &'a mut Notes,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.left.first().map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let path = format!("{}.{}", self.path, self.left[0]);
        self.left = &self.left[1..];
        seed.deserialize(Probe { path, notes: self.notes })
    }
}

fn probed<'de, T: Deserialize<'de>>() -> Notes {
    let mut notes = Notes::new();
    T::deserialize(Probe { path: String::new(), notes: &mut notes })
        .expect("a probe holds anything");
    notes
}

fn table(ty: &'static Type, path: &str, notes: &mut Notes) {
    for field in ty.fields {
        shape(field.shape, format!("{path}.{}", field.name), notes);
    }
}

fn shape(shape: Shape, path: String, notes: &mut Notes) {
    let name = match shape {
        Shape::Object(ty) => return table(ty, &path, notes),
        Shape::List(item) => return self::shape(*item, path + "[]", notes),
        Shape::Map(item) => return self::shape(*item, path + ".*", notes),
        Shape::String => "text",
        Shape::Int32 => "i32",
        Shape::Int64 => "i64",
        Shape::Bool => "bool",
        Shape::Time => "Time",
        Shape::MicroTime => "MicroTime",
        Shape::Bytes => "base64",
        Shape::Quantity => "Quantity",
        Shape::IntOrString => "integer or text",
        Shape::Any => "FieldsV1",
    };
    notes.insert(path, name);
}

/// What the type of a stored kind reads.
fn stored(kind: Kind) -> Notes {
    match kind {
        Kind::Namespace => probed::<Namespace>(),
        Kind::Node => probed::<Node>(),
        Kind::ConfigMap => probed::<ConfigMap>(),
        Kind::Secret => probed::<Secret>(),
        Kind::Pod => probed::<Pod>(),
        Kind::Event => probed::<Event>(),
        Kind::Job => probed::<Job>(),
        Kind::RuntimeClass => probed::<RuntimeClass>(),
        Kind::ServiceAccount => probed::<ServiceAccount>(),
        Kind::Service => probed::<Service>(),
        Kind::PriorityClass => probed::<PriorityClass>(),
        Kind::Lease => probed::<Lease>(),
        Kind::LimitRange => probed::<LimitRange>(),
        Kind::ResourceQuota => probed::<ResourceQuota>(),
        Kind::PodTemplate => probed::<PodTemplate>(),
        Kind::CronJob => probed::<CronJob>(),
    }
}

/// What the type of something that is only sent reads.
fn only_sent(kind: &str) -> Notes {
    match kind {
        "Binding" => probed::<Binding>(),
        "Deployment" => probed::<Deployment>(),
        "Eviction" => probed::<Eviction>(),
        "LocalSubjectAccessReview" => probed::<LocalSubjectAccessReview>(),
        "PersistentVolumeClaim" => probed::<PersistentVolumeClaim>(),
        "Scale" => probed::<Scale>(),
        "SelfSubjectAccessReview" => probed::<SelfSubjectAccessReview>(),
        "SelfSubjectReview" => probed::<SelfSubjectReview>(),
        "SelfSubjectRulesReview" => probed::<SelfSubjectRulesReview>(),
        "SubjectAccessReview" => probed::<SubjectAccessReview>(),
        "TokenRequest" => probed::<TokenRequest>(),
        "TokenReview" => probed::<TokenReview>(),
        other => panic!("no type for {other}"),
    }
}

#[test]
fn the_table_has_every_field_of_every_kind_and_no_other() {
    let all = KINDS.iter().map(|info| (of(info.kind), stored(info.kind)));
    for (ty, types) in all.chain(SENT.iter().map(|(_, ty)| (*ty, only_sent(ty.name)))) {
        let mut notes = Notes::new();
        table(ty, "", &mut notes);
        notes.retain(|path, _| path != ".apiVersion" && path != ".kind");
        assert!(notes.len() > 10, "{}: {}", ty.name, notes.len());
        for (path, what) in &types {
            assert_eq!(notes.get(path), Some(what), "{}{path}", ty.name);
        }
        assert_eq!(notes.len(), types.len(), "{}", ty.name);
    }
}

#[test]
fn fields_stand_in_order_so_that_they_are_found() {
    fn check(ty: &'static Type) {
        for pair in ty.fields.windows(2) {
            assert!(
                pair[0].name < pair[1].name,
                "{}: {} before {}",
                ty.name,
                pair[0].name,
                pair[1].name
            );
        }
        for field in ty.fields {
            assert_eq!(ty.field(field.name).map(|f| f.name), Some(field.name), "{}", ty.name);
            let mut shape = field.shape;
            while let Shape::List(item) | Shape::Map(item) = shape {
                shape = *item;
            }
            if let Shape::Object(inner) = shape {
                check(inner);
            }
        }
    }
    KINDS.iter().for_each(|info| check(of(info.kind)));
    SENT.iter().for_each(|(_, ty)| check(ty));
}

/// A field by the path to it, lists and maps passed through.
fn field_at(kind: Kind, path: &str) -> &'static super::Field {
    let mut ty = of(kind);
    let mut found = None;
    for name in path.split('.') {
        let field = ty.field(name).unwrap_or_else(|| panic!("{path}: no {name}"));
        found = Some(field);
        let mut shape = field.shape;
        while let Shape::List(item) | Shape::Map(item) = shape {
            shape = *item;
        }
        if let Shape::Object(inner) = shape {
            ty = inner;
        }
    }
    found.expect("a path has a step")
}

#[test]
fn fields_have_their_numbers_and_keys() {
    for (path, tag, inside, pointer) in [
        ("spec.containers", 2, None, false),
        ("spec.activeDeadlineSeconds", 5, None, true),
        ("spec.volumes.name", 1, None, false),
        ("spec.volumes.emptyDir", 2, Some(2), true),
        ("spec.containers.livenessProbe.httpGet", 2, Some(1), true),
        ("spec.containers.livenessProbe.failureThreshold", 6, None, false),
        ("spec.ephemeralContainers.image", 2, Some(1), false),
        ("spec.containers.env.valueFrom.secretKeyRef.name", 1, Some(1), false),
    ] {
        let field = field_at(Kind::Pod, path);
        assert_eq!((field.tag, field.inside, field.pointer), (tag, inside, pointer), "{path}");
    }
    let patch = |merge, retain_keys, key| Patch { merge, retain_keys, key };
    for (path, patch, parts) in [
        ("spec.containers", patch(true, false, "name"), Parts::Keys(&["name"])),
        (
            "spec.containers.ports",
            patch(true, false, "containerPort"),
            Parts::Keys(&["containerPort", "protocol"]),
        ),
        ("spec.volumes", patch(true, true, "name"), Parts::Keys(&["name"])),
        ("metadata.finalizers", patch(true, false, ""), Parts::Set),
        ("metadata.ownerReferences", patch(true, false, "uid"), Parts::Keys(&["uid"])),
        ("metadata.labels", patch(false, false, ""), Parts::Granular),
        ("spec.nodeSelector", patch(false, false, ""), Parts::Atomic),
        ("spec.containers.command", patch(false, false, ""), Parts::Atomic),
        ("spec.tolerations", patch(false, false, ""), Parts::Atomic),
    ] {
        let field = field_at(Kind::Pod, path);
        assert_eq!((field.patch, field.parts), (patch, parts), "{path}");
    }
    assert!(matches!(field_at(Kind::Job, "spec.selector").shape, Shape::Object(ty) if ty.atomic));
}

#[test]
fn what_is_sent_is_found() {
    for (version, kind) in [
        ("batch/v1", "Job"),
        ("v1", "Service"),
        ("policy/v1", "Eviction"),
        ("batch/v1", "DeleteOptions"),
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
    ] {
        assert_eq!(sent(version, kind).map(|ty| ty.name), Some(kind));
    }
    assert!(sent("v1", "Job").is_none() && sent("apps/v1", "Nothing").is_none());
}
