//! The shapes of the API's types: which fields there are and what each may hold. The tables are
//! generated; everything that reads objects by their structure (strict decoding, the support table)
//! walks them.

#[rustfmt::skip]
mod batch;
#[rustfmt::skip]
mod core;
#[rustfmt::skip]
mod meta;
#[rustfmt::skip]
mod node;
#[rustfmt::skip]
mod volume;

#[cfg(test)]
mod tests;

use crate::Kind;

/// A struct of the API.
#[derive(Debug)]
pub(crate) struct Type {
    /// The name without group, such as `JobSpec`.
    pub(crate) name: &'static str,
    /// In alphabetical order.
    pub(crate) fields: &'static [Field],
}

/// One field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name in JSON.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) shape: Shape,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
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

const fn f(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

impl Type {
    /// The field with this JSON name.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        let at = self.fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        Some(&self.fields[at])
    }
}

/// The struct of a served kind.
pub(crate) fn of(kind: Kind) -> &'static Type {
    match kind {
        Kind::Namespace => &core::NAMESPACE,
        Kind::Node => &core::NODE,
        Kind::ConfigMap => &core::CONFIG_MAP,
        Kind::Secret => &core::SECRET,
        Kind::Pod => &core::POD,
        Kind::Event => &core::EVENT,
        Kind::Job => &batch::JOB,
        Kind::RuntimeClass => &node::RUNTIME_CLASS,
    }
}
