//! The shapes of the API's types: which fields there are, what each may hold, its number in protobuf
//! and how it merges. The tables are generated; everything that reads objects by their structure
//! (strict decoding, protobuf, patches, the support table) walks them.

#[rustfmt::skip]
mod batch;
#[rustfmt::skip]
mod core;
#[rustfmt::skip]
mod groups;
#[rustfmt::skip]
mod meta;
#[rustfmt::skip]
mod pod;
#[rustfmt::skip]
mod volume;

#[cfg(test)]
mod tests;

use crate::Kind;

/// A struct of the API.
#[derive(Debug)]
pub struct Type {
    /// The name without group, such as `JobSpec`.
    pub name: &'static str,
    /// In alphabetical order.
    pub fields: &'static [Field],
    /// Whether server-side apply takes it as one value.
    pub atomic: bool,
}

/// One field of a struct.
#[derive(Debug)]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Its number in the protobuf message; 0 for `apiVersion` and `kind`, which stand outside of it.
    pub tag: u8,
    /// The number of the message inside the struct's message that carries the field, if it is not the
    /// struct's own: what Go embeds is flat in JSON and a message of its own in protobuf.
    pub inside: Option<u8>,
    /// Whether Go tells an absent value from an empty one.
    pub pointer: bool,
    /// How a strategic merge patch changes it.
    pub patch: Patch,
    /// How server-side apply takes it apart.
    pub parts: Parts,
}

/// How a strategic merge patch changes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// A list is merged item by item (`patchStrategy: merge`) and not replaced.
    pub merge: bool,
    /// `patchStrategy: retainKeys`: a patch may name the only keys that stay.
    pub retain_keys: bool,
    /// `patchMergeKey`: what tells the items of a merged list apart; empty where they are no objects.
    pub key: &'static str,
}

/// How server-side apply takes a value apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Not at all.
    Atomic,
    /// A struct or map, by its fields.
    Granular,
    /// A list whose items are their own names.
    Set,
    /// A list of objects that these fields tell apart.
    Keys(&'static [&'static str]),
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    String,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// `true` or `false`.
    Bool,
    /// RFC 3339, to the second.
    Time,
    /// RFC 3339, to the microsecond.
    MicroTime,
    /// Base64 text.
    Bytes,
    /// A resource quantity: text or a number.
    Quantity,
    /// A whole number of 32 bits or text.
    IntOrString,
    /// Any JSON.
    Any,
    /// A struct.
    Object(&'static Type),
    /// A list.
    List(&'static Shape),
    /// A map from text.
    Map(&'static Shape),
}

const fn t(name: &'static str, fields: &'static [Field]) -> Type {
    Type { name, fields, atomic: false }
}

const fn atomic(name: &'static str, fields: &'static [Field]) -> Type {
    Type { name, fields, atomic: true }
}

const fn f(name: &'static str, tag: u8, shape: Shape) -> Field {
    let patch = Patch { merge: false, retain_keys: false, key: "" };
    let parts = match shape {
        Shape::Object(_) | Shape::Map(_) => Parts::Granular,
        _ => Parts::Atomic,
    };
    Field { name, shape, tag, inside: None, pointer: false, patch, parts }
}

const fn p(name: &'static str, tag: u8, shape: Shape) -> Field {
    Field { pointer: true, ..f(name, tag, shape) }
}

impl Field {
    const fn inside(self, tag: u8) -> Self {
        Self { inside: Some(tag), ..self }
    }

    const fn merge(self, key: &'static str) -> Self {
        Self { patch: Patch { merge: true, key, ..self.patch }, ..self }
    }

    const fn retain_keys(self) -> Self {
        Self { patch: Patch { retain_keys: true, ..self.patch }, ..self }
    }

    const fn keys(self, keys: &'static [&'static str]) -> Self {
        Self { parts: Parts::Keys(keys), ..self }
    }

    /// Patches and server-side apply tell the items apart by the same key.
    const fn by(self, key: &'static [&'static str; 1]) -> Self {
        self.merge(key[0]).keys(key)
    }

    const fn set(self) -> Self {
        Self { parts: Parts::Set, ..self }
    }

    const fn atomic(self) -> Self {
        Self { parts: Parts::Atomic, ..self }
    }
}

impl Type {
    /// The field with this JSON name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        let at = self.fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        Some(&self.fields[at])
    }
}

/// The struct of a served kind.
pub fn of(kind: Kind) -> &'static Type {
    match kind {
        Kind::Namespace => &core::NAMESPACE,
        Kind::Node => &core::NODE,
        Kind::ConfigMap => &core::CONFIG_MAP,
        Kind::Secret => &core::SECRET,
        Kind::Pod => &pod::POD,
        Kind::Event => &core::EVENT,
        Kind::Job => &batch::JOB,
        Kind::RuntimeClass => &groups::RUNTIME_CLASS,
        Kind::ServiceAccount => &core::SERVICE_ACCOUNT,
        Kind::Service => &core::SERVICE,
        Kind::PriorityClass => &groups::PRIORITY_CLASS,
        Kind::Lease => &groups::LEASE,
        Kind::LimitRange => &core::LIMIT_RANGE,
        Kind::ResourceQuota => &core::RESOURCE_QUOTA,
        Kind::PodTemplate => &core::POD_TEMPLATE,
        Kind::CronJob => &batch::CRON_JOB,
    }
}

/// What clients send and the server does not store as it is: options, reviews and what acts on an
/// object; and kinds that are not served. With the API version that is said beside it.
pub(crate) const SENT: &[(&str, &Type)] = &[
    ("v1", &core::BINDING),
    ("v1", &volume::PERSISTENT_VOLUME_CLAIM),
    ("apps/v1", &groups::DEPLOYMENT),
    ("authentication.k8s.io/v1", &groups::SELF_SUBJECT_REVIEW),
    ("authentication.k8s.io/v1", &groups::TOKEN_REQUEST),
    ("authentication.k8s.io/v1", &groups::TOKEN_REVIEW),
    ("authorization.k8s.io/v1", &groups::LOCAL_SUBJECT_ACCESS_REVIEW),
    ("authorization.k8s.io/v1", &groups::SELF_SUBJECT_ACCESS_REVIEW),
    ("authorization.k8s.io/v1", &groups::SELF_SUBJECT_RULES_REVIEW),
    ("authorization.k8s.io/v1", &groups::SUBJECT_ACCESS_REVIEW),
    ("autoscaling/v1", &groups::SCALE),
    ("policy/v1", &groups::EVICTION),
    ("policy/v1beta1", &groups::EVICTION),
];

/// The struct of whatever clients may send under this `apiVersion` and `kind`, served or not.
/// `DeleteOptions` is the same under every version.
pub fn sent(api_version: &str, kind: &str) -> Option<&'static Type> {
    if kind == meta::DELETE_OPTIONS.name {
        return Some(&meta::DELETE_OPTIONS);
    }
    let sent = SENT.iter().find(|(version, ty)| *version == api_version && ty.name == kind);
    Kind::find(api_version, kind).map(of).or_else(|| sent.map(|(_, ty)| *ty))
}
