//! Types of group `meta`, written by `xtask/codegen` from the published definitions of
//! Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Any, Shape::Bool, Shape::Int64, Shape::List, Shape::Map, Shape::Object, Shape::String,
    Shape::Time, Type, f,
};

pub(super) static OBJECT_META: Type = Type { name: "ObjectMeta", fields: &[
    f("annotations", Map(&String)), f("creationTimestamp", Time),
    f("deletionGracePeriodSeconds", Int64), f("deletionTimestamp", Time),
    f("finalizers", List(&String)), f("generateName", String), f("generation", Int64),
    f("labels", Map(&String)), f("managedFields", List(&Object(&MANAGED_FIELDS_ENTRY))),
    f("name", String), f("namespace", String),
    f("ownerReferences", List(&Object(&OWNER_REFERENCE))), f("resourceVersion", String),
    f("selfLink", String), f("uid", String),
] };

pub(super) static MANAGED_FIELDS_ENTRY: Type = Type { name: "ManagedFieldsEntry", fields: &[
    f("apiVersion", String), f("fieldsType", String), f("fieldsV1", Any), f("manager", String),
    f("operation", String), f("subresource", String), f("time", Time),
] };

pub(super) static OWNER_REFERENCE: Type = Type { name: "OwnerReference", fields: &[
    f("apiVersion", String), f("blockOwnerDeletion", Bool), f("controller", Bool),
    f("kind", String), f("name", String), f("uid", String),
] };

pub(super) static LABEL_SELECTOR: Type = Type { name: "LabelSelector", fields: &[
    f("matchExpressions", List(&Object(&LABEL_SELECTOR_REQUIREMENT))),
    f("matchLabels", Map(&String)),
] };

pub(super) static LABEL_SELECTOR_REQUIREMENT: Type = Type { name: "LabelSelectorRequirement", fields: &[
    f("key", String), f("operator", String), f("values", List(&String)),
] };
