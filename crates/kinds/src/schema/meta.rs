//! Types of the API, those of `meta`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Any, Shape::Bool, Shape::Int64, Shape::List, Shape::Map, Shape::Object, Shape::String,
    Shape::Time, Type, atomic, f, p, t,
};

pub(super) static OBJECT_META: Type = t("ObjectMeta", &[
    f("annotations", 12, Map(&String)), f("creationTimestamp", 8, Time),
    p("deletionGracePeriodSeconds", 10, Int64), p("deletionTimestamp", 9, Time),
    f("finalizers", 14, List(&String)).merge("").set(), f("generateName", 2, String),
    f("generation", 7, Int64), f("labels", 11, Map(&String)),
    f("managedFields", 17, List(&Object(&MANAGED_FIELDS_ENTRY))), f("name", 1, String),
    f("namespace", 3, String),
    f("ownerReferences", 13, List(&Object(&OWNER_REFERENCE))).by(&["uid"]),
    f("resourceVersion", 6, String), f("selfLink", 4, String), f("uid", 5, String),
]);

pub(super) static OWNER_REFERENCE: Type = atomic("OwnerReference", &[
    f("apiVersion", 5, String), p("blockOwnerDeletion", 7, Bool), p("controller", 6, Bool),
    f("kind", 1, String), f("name", 3, String), f("uid", 4, String),
]);

pub(super) static MANAGED_FIELDS_ENTRY: Type = t("ManagedFieldsEntry", &[
    f("apiVersion", 3, String), f("fieldsType", 6, String), p("fieldsV1", 7, Any),
    f("manager", 1, String), f("operation", 2, String), f("subresource", 8, String),
    p("time", 4, Time),
]);

pub(super) static LABEL_SELECTOR: Type = atomic("LabelSelector", &[
    f("matchExpressions", 2, List(&Object(&LABEL_SELECTOR_REQUIREMENT))),
    f("matchLabels", 1, Map(&String)),
]);

pub(super) static LABEL_SELECTOR_REQUIREMENT: Type = t("LabelSelectorRequirement", &[
    f("key", 1, String), f("operator", 2, String), f("values", 3, List(&String)),
]);

pub(super) static CONDITION: Type = t("Condition", &[
    f("lastTransitionTime", 4, Time), f("message", 6, String), f("observedGeneration", 3, Int64),
    f("reason", 5, String), f("status", 2, String), f("type", 1, String),
]);

pub(super) static DELETE_OPTIONS: Type = t("DeleteOptions", &[
    f("apiVersion", 0, String), f("dryRun", 5, List(&String)), p("gracePeriodSeconds", 1, Int64),
    p("ignoreStoreReadErrorWithClusterBreakingPotential", 6, Bool), f("kind", 0, String),
    p("orphanDependents", 3, Bool), p("preconditions", 2, Object(&PRECONDITIONS)),
    p("propagationPolicy", 4, String),
]);

pub(super) static PRECONDITIONS: Type = t("Preconditions", &[
    p("resourceVersion", 2, String), p("uid", 1, String),
]);

pub(super) static FIELD_SELECTOR_REQUIREMENT: Type = t("FieldSelectorRequirement", &[
    f("key", 1, String), f("operator", 2, String), f("values", 3, List(&String)),
]);
