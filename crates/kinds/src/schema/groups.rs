//! Types of the API, those of `groups`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::Int64, Shape::IntOrString, Shape::List, Shape::Map,
    Shape::MicroTime, Shape::Object, Shape::Quantity, Shape::String, Shape::Time, Type,
    batch::POD_TEMPLATE_SPEC, f, meta::DELETE_OPTIONS, meta::FIELD_SELECTOR_REQUIREMENT,
    meta::LABEL_SELECTOR, meta::LABEL_SELECTOR_REQUIREMENT, meta::OBJECT_META, p, pod::TOLERATION,
    t,
};

pub(super) static RUNTIME_CLASS: Type = t("RuntimeClass", &[
    f("apiVersion", 0, String), f("handler", 2, String), f("kind", 0, String),
    f("metadata", 1, Object(&OBJECT_META)), p("overhead", 3, Object(&OVERHEAD)),
    p("scheduling", 4, Object(&SCHEDULING)),
]);

pub(super) static OVERHEAD: Type = t("Overhead", &[
    f("podFixed", 1, Map(&Quantity)),
]);

pub(super) static SCHEDULING: Type = t("Scheduling", &[
    f("nodeSelector", 1, Map(&String)).atomic(), f("tolerations", 2, List(&Object(&TOLERATION))),
]);

pub(super) static PRIORITY_CLASS: Type = t("PriorityClass", &[
    f("apiVersion", 0, String), f("description", 4, String), f("globalDefault", 3, Bool),
    f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)), p("preemptionPolicy", 5, String),
    f("value", 2, Int32),
]);

pub(super) static LEASE: Type = t("Lease", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&LEASE_SPEC)),
]);

pub(super) static LEASE_SPEC: Type = t("LeaseSpec", &[
    p("acquireTime", 3, MicroTime), p("holderIdentity", 1, String),
    p("leaseDurationSeconds", 2, Int32), p("leaseTransitions", 5, Int32),
    p("preferredHolder", 7, String), p("renewTime", 4, MicroTime), p("strategy", 6, String),
]);

pub(super) static DEPLOYMENT: Type = t("Deployment", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&DEPLOYMENT_SPEC)), f("status", 3, Object(&DEPLOYMENT_STATUS)),
]);

pub(super) static DEPLOYMENT_SPEC: Type = t("DeploymentSpec", &[
    f("minReadySeconds", 5, Int32), f("paused", 7, Bool), p("progressDeadlineSeconds", 9, Int32),
    p("replicas", 1, Int32), p("revisionHistoryLimit", 6, Int32),
    p("selector", 2, Object(&LABEL_SELECTOR)),
    f("strategy", 4, Object(&DEPLOYMENT_STRATEGY)).retain_keys(),
    f("template", 3, Object(&POD_TEMPLATE_SPEC)),
]);

pub(super) static DEPLOYMENT_STRATEGY: Type = t("DeploymentStrategy", &[
    p("rollingUpdate", 2, Object(&ROLLING_UPDATE_DEPLOYMENT)), f("type", 1, String),
]);

pub(super) static ROLLING_UPDATE_DEPLOYMENT: Type = t("RollingUpdateDeployment", &[
    p("maxSurge", 2, IntOrString), p("maxUnavailable", 1, IntOrString),
]);

pub(super) static DEPLOYMENT_STATUS: Type = t("DeploymentStatus", &[
    f("availableReplicas", 4, Int32), p("collisionCount", 8, Int32),
    f("conditions", 6, List(&Object(&DEPLOYMENT_CONDITION))).by(&["type"]),
    f("observedGeneration", 1, Int64), f("readyReplicas", 7, Int32), f("replicas", 2, Int32),
    p("terminatingReplicas", 9, Int32), f("unavailableReplicas", 5, Int32),
    f("updatedReplicas", 3, Int32),
]);

pub(super) static DEPLOYMENT_CONDITION: Type = t("DeploymentCondition", &[
    f("lastTransitionTime", 7, Time), f("lastUpdateTime", 6, Time), f("message", 5, String),
    f("reason", 4, String), f("status", 2, String), f("type", 1, String),
]);

pub(super) static SCALE: Type = t("Scale", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SCALE_SPEC)), f("status", 3, Object(&SCALE_STATUS)),
]);

pub(super) static SCALE_SPEC: Type = t("ScaleSpec", &[
    f("replicas", 1, Int32),
]);

pub(super) static SCALE_STATUS: Type = t("ScaleStatus", &[
    f("replicas", 1, Int32), f("selector", 2, String),
]);

pub(super) static EVICTION: Type = t("Eviction", &[
    f("apiVersion", 0, String), p("deleteOptions", 2, Object(&DELETE_OPTIONS)),
    f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
]);

pub(super) static SELF_SUBJECT_REVIEW: Type = t("SelfSubjectReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("status", 2, Object(&SELF_SUBJECT_REVIEW_STATUS)),
]);

pub(super) static SELF_SUBJECT_REVIEW_STATUS: Type = t("SelfSubjectReviewStatus", &[
    f("userInfo", 1, Object(&USER_INFO)),
]);

pub(super) static USER_INFO: Type = t("UserInfo", &[
    f("extra", 4, Map(&List(&String))), f("groups", 3, List(&String)), f("uid", 2, String),
    f("username", 1, String),
]);

pub(super) static TOKEN_REQUEST: Type = t("TokenRequest", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&TOKEN_REQUEST_SPEC)), f("status", 3, Object(&TOKEN_REQUEST_STATUS)),
]);

pub(super) static TOKEN_REQUEST_SPEC: Type = t("TokenRequestSpec", &[
    f("audiences", 1, List(&String)), p("boundObjectRef", 3, Object(&BOUND_OBJECT_REFERENCE)),
    p("expirationSeconds", 4, Int64),
]);

pub(super) static BOUND_OBJECT_REFERENCE: Type = t("BoundObjectReference", &[
    f("apiVersion", 2, String), f("kind", 1, String), f("name", 3, String), f("uid", 4, String),
]);

pub(super) static TOKEN_REQUEST_STATUS: Type = t("TokenRequestStatus", &[
    f("expirationTimestamp", 2, Time), f("token", 1, String),
]);

pub(super) static TOKEN_REVIEW: Type = t("TokenReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&TOKEN_REVIEW_SPEC)), f("status", 3, Object(&TOKEN_REVIEW_STATUS)),
]);

pub(super) static TOKEN_REVIEW_SPEC: Type = t("TokenReviewSpec", &[
    f("audiences", 2, List(&String)), f("token", 1, String),
]);

pub(super) static TOKEN_REVIEW_STATUS: Type = t("TokenReviewStatus", &[
    f("audiences", 4, List(&String)), f("authenticated", 1, Bool), f("error", 3, String),
    f("user", 2, Object(&USER_INFO)),
]);

pub(super) static LOCAL_SUBJECT_ACCESS_REVIEW: Type = t("LocalSubjectAccessReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SUBJECT_ACCESS_REVIEW_SPEC)),
    f("status", 3, Object(&SUBJECT_ACCESS_REVIEW_STATUS)),
]);

pub(super) static SUBJECT_ACCESS_REVIEW_SPEC: Type = t("SubjectAccessReviewSpec", &[
    f("extra", 5, Map(&List(&String))), f("groups", 4, List(&String)),
    p("nonResourceAttributes", 2, Object(&NON_RESOURCE_ATTRIBUTES)),
    p("resourceAttributes", 1, Object(&RESOURCE_ATTRIBUTES)), f("uid", 6, String),
    f("user", 3, String),
]);

pub(super) static RESOURCE_ATTRIBUTES: Type = t("ResourceAttributes", &[
    p("fieldSelector", 8, Object(&FIELD_SELECTOR_ATTRIBUTES)), f("group", 3, String),
    p("labelSelector", 9, Object(&LABEL_SELECTOR_ATTRIBUTES)), f("name", 7, String),
    f("namespace", 1, String), f("resource", 5, String), f("subresource", 6, String),
    f("verb", 2, String), f("version", 4, String),
]);

pub(super) static FIELD_SELECTOR_ATTRIBUTES: Type = t("FieldSelectorAttributes", &[
    f("rawSelector", 1, String), f("requirements", 2, List(&Object(&FIELD_SELECTOR_REQUIREMENT))),
]);

pub(super) static LABEL_SELECTOR_ATTRIBUTES: Type = t("LabelSelectorAttributes", &[
    f("rawSelector", 1, String), f("requirements", 2, List(&Object(&LABEL_SELECTOR_REQUIREMENT))),
]);

pub(super) static NON_RESOURCE_ATTRIBUTES: Type = t("NonResourceAttributes", &[
    f("path", 1, String), f("verb", 2, String),
]);

pub(super) static SUBJECT_ACCESS_REVIEW_STATUS: Type = t("SubjectAccessReviewStatus", &[
    f("allowed", 1, Bool), f("denied", 4, Bool), f("evaluationError", 3, String),
    f("reason", 2, String),
]);

pub(super) static SELF_SUBJECT_ACCESS_REVIEW: Type = t("SelfSubjectAccessReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SELF_SUBJECT_ACCESS_REVIEW_SPEC)),
    f("status", 3, Object(&SUBJECT_ACCESS_REVIEW_STATUS)),
]);

pub(super) static SELF_SUBJECT_ACCESS_REVIEW_SPEC: Type = t("SelfSubjectAccessReviewSpec", &[
    p("nonResourceAttributes", 2, Object(&NON_RESOURCE_ATTRIBUTES)),
    p("resourceAttributes", 1, Object(&RESOURCE_ATTRIBUTES)),
]);

pub(super) static SELF_SUBJECT_RULES_REVIEW: Type = t("SelfSubjectRulesReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SELF_SUBJECT_RULES_REVIEW_SPEC)),
    f("status", 3, Object(&SUBJECT_RULES_REVIEW_STATUS)),
]);

pub(super) static SELF_SUBJECT_RULES_REVIEW_SPEC: Type = t("SelfSubjectRulesReviewSpec", &[
    f("namespace", 1, String),
]);

pub(super) static SUBJECT_RULES_REVIEW_STATUS: Type = t("SubjectRulesReviewStatus", &[
    f("evaluationError", 4, String), f("incomplete", 3, Bool),
    f("nonResourceRules", 2, List(&Object(&NON_RESOURCE_RULE))),
    f("resourceRules", 1, List(&Object(&RESOURCE_RULE))),
]);

pub(super) static RESOURCE_RULE: Type = t("ResourceRule", &[
    f("apiGroups", 2, List(&String)), f("resourceNames", 4, List(&String)),
    f("resources", 3, List(&String)), f("verbs", 1, List(&String)),
]);

pub(super) static NON_RESOURCE_RULE: Type = t("NonResourceRule", &[
    f("nonResourceURLs", 2, List(&String)), f("verbs", 1, List(&String)),
]);

pub(super) static SUBJECT_ACCESS_REVIEW: Type = t("SubjectAccessReview", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SUBJECT_ACCESS_REVIEW_SPEC)),
    f("status", 3, Object(&SUBJECT_ACCESS_REVIEW_STATUS)),
]);
