//! Types of group `batch`, written by `xtask/codegen` from the published definitions of
//! Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::Int64, Shape::List, Shape::Object, Shape::String,
    Shape::Time, Type, core::POD_TEMPLATE_SPEC, f, meta::LABEL_SELECTOR, meta::OBJECT_META,
};

pub(super) static JOB: Type = Type { name: "Job", fields: &[
    f("apiVersion", String), f("kind", String), f("metadata", Object(&OBJECT_META)),
    f("spec", Object(&JOB_SPEC)), f("status", Object(&JOB_STATUS)),
] };

pub(super) static JOB_SPEC: Type = Type { name: "JobSpec", fields: &[
    f("activeDeadlineSeconds", Int64), f("backoffLimit", Int32), f("backoffLimitPerIndex", Int32),
    f("completionMode", String), f("completions", Int32), f("managedBy", String),
    f("manualSelector", Bool), f("maxFailedIndexes", Int32), f("parallelism", Int32),
    f("podFailurePolicy", Object(&POD_FAILURE_POLICY)), f("podReplacementPolicy", String),
    f("selector", Object(&LABEL_SELECTOR)), f("successPolicy", Object(&SUCCESS_POLICY)),
    f("suspend", Bool), f("template", Object(&POD_TEMPLATE_SPEC)),
    f("ttlSecondsAfterFinished", Int32),
] };

pub(super) static POD_FAILURE_POLICY: Type = Type { name: "PodFailurePolicy", fields: &[
    f("rules", List(&Object(&POD_FAILURE_POLICY_RULE))),
] };

pub(super) static POD_FAILURE_POLICY_RULE: Type = Type { name: "PodFailurePolicyRule", fields: &[
    f("action", String), f("onExitCodes", Object(&POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT)),
    f("onPodConditions", List(&Object(&POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN))),
] };

pub(super) static POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT: Type = Type { name: "PodFailurePolicyOnExitCodesRequirement", fields: &[
    f("containerName", String), f("operator", String), f("values", List(&Int32)),
] };

pub(super) static POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN: Type = Type { name: "PodFailurePolicyOnPodConditionsPattern", fields: &[
    f("status", String), f("type", String),
] };

pub(super) static SUCCESS_POLICY: Type = Type { name: "SuccessPolicy", fields: &[
    f("rules", List(&Object(&SUCCESS_POLICY_RULE))),
] };

pub(super) static SUCCESS_POLICY_RULE: Type = Type { name: "SuccessPolicyRule", fields: &[
    f("succeededCount", Int32), f("succeededIndexes", String),
] };

pub(super) static JOB_STATUS: Type = Type { name: "JobStatus", fields: &[
    f("active", Int32), f("completedIndexes", String), f("completionTime", Time),
    f("conditions", List(&Object(&JOB_CONDITION))), f("failed", Int32), f("failedIndexes", String),
    f("ready", Int32), f("startTime", Time), f("succeeded", Int32), f("terminating", Int32),
    f("uncountedTerminatedPods", Object(&UNCOUNTED_TERMINATED_PODS)),
] };

pub(super) static JOB_CONDITION: Type = Type { name: "JobCondition", fields: &[
    f("lastProbeTime", Time), f("lastTransitionTime", Time), f("message", String),
    f("reason", String), f("status", String), f("type", String),
] };

pub(super) static UNCOUNTED_TERMINATED_PODS: Type = Type { name: "UncountedTerminatedPods", fields: &[
    f("failed", List(&String)), f("succeeded", List(&String)),
] };
