//! Types of group `node`, written by `xtask/codegen` from the published definitions of
//! Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::List, Shape::Map, Shape::Object, Shape::Quantity, Shape::String, Type, core::TOLERATION,
    f, meta::OBJECT_META,
};

pub(super) static RUNTIME_CLASS: Type = Type { name: "RuntimeClass", fields: &[
    f("apiVersion", String), f("handler", String), f("kind", String),
    f("metadata", Object(&OBJECT_META)), f("overhead", Object(&OVERHEAD)),
    f("scheduling", Object(&SCHEDULING)),
] };

pub(super) static OVERHEAD: Type = Type { name: "Overhead", fields: &[
    f("podFixed", Map(&Quantity)),
] };

pub(super) static SCHEDULING: Type = Type { name: "Scheduling", fields: &[
    f("nodeSelector", Map(&String)), f("tolerations", List(&Object(&TOLERATION))),
] };
