//! Types of the API, those of `batch`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::Int64, Shape::List, Shape::Object, Shape::String,
    Shape::Time, Type, core::OBJECT_REFERENCE, f, meta::LABEL_SELECTOR, meta::OBJECT_META, p,
    pod::POD_SPEC, t,
};

pub(super) static JOB: Type = t("Job", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&JOB_SPEC)), f("status", 3, Object(&JOB_STATUS)),
]);

pub(super) static JOB_SPEC: Type = t("JobSpec", &[
    p("activeDeadlineSeconds", 3, Int64), p("backoffLimit", 7, Int32),
    p("backoffLimitPerIndex", 12, Int32), p("completionMode", 9, String),
    p("completions", 2, Int32), p("managedBy", 15, String), p("manualSelector", 5, Bool),
    p("maxFailedIndexes", 13, Int32), p("parallelism", 1, Int32),
    p("podFailurePolicy", 11, Object(&POD_FAILURE_POLICY)), p("podReplacementPolicy", 14, String),
    p("selector", 4, Object(&LABEL_SELECTOR)), p("successPolicy", 16, Object(&SUCCESS_POLICY)),
    p("suspend", 10, Bool), f("template", 6, Object(&POD_TEMPLATE_SPEC)),
    p("ttlSecondsAfterFinished", 8, Int32),
]);

pub(super) static POD_FAILURE_POLICY: Type = t("PodFailurePolicy", &[
    f("rules", 1, List(&Object(&POD_FAILURE_POLICY_RULE))),
]);

pub(super) static POD_FAILURE_POLICY_RULE: Type = t("PodFailurePolicyRule", &[
    f("action", 1, String),
    p("onExitCodes", 2, Object(&POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT)),
    f("onPodConditions", 3, List(&Object(&POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN))),
]);

pub(super) static POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT: Type = t("PodFailurePolicyOnExitCodesRequirement", &[
    p("containerName", 1, String), f("operator", 2, String), f("values", 3, List(&Int32)).set(),
]);

pub(super) static POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN: Type = t("PodFailurePolicyOnPodConditionsPattern", &[
    f("status", 2, String), f("type", 1, String),
]);

pub(super) static SUCCESS_POLICY: Type = t("SuccessPolicy", &[
    f("rules", 1, List(&Object(&SUCCESS_POLICY_RULE))),
]);

pub(super) static SUCCESS_POLICY_RULE: Type = t("SuccessPolicyRule", &[
    p("succeededCount", 2, Int32), p("succeededIndexes", 1, String),
]);

pub(super) static POD_TEMPLATE_SPEC: Type = t("PodTemplateSpec", &[
    f("metadata", 1, Object(&OBJECT_META)), f("spec", 2, Object(&POD_SPEC)),
]);

pub(super) static JOB_STATUS: Type = t("JobStatus", &[
    f("active", 4, Int32), f("completedIndexes", 7, String), p("completionTime", 3, Time),
    f("conditions", 1, List(&Object(&JOB_CONDITION))).merge("type"), f("failed", 6, Int32),
    p("failedIndexes", 10, String), p("ready", 9, Int32), p("startTime", 2, Time),
    f("succeeded", 5, Int32), p("terminating", 11, Int32),
    p("uncountedTerminatedPods", 8, Object(&UNCOUNTED_TERMINATED_PODS)),
]);

pub(super) static JOB_CONDITION: Type = t("JobCondition", &[
    f("lastProbeTime", 3, Time), f("lastTransitionTime", 4, Time), f("message", 6, String),
    f("reason", 5, String), f("status", 2, String), f("type", 1, String),
]);

pub(super) static UNCOUNTED_TERMINATED_PODS: Type = t("UncountedTerminatedPods", &[
    f("failed", 2, List(&String)).set(), f("succeeded", 1, List(&String)).set(),
]);

pub(super) static CRON_JOB: Type = t("CronJob", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&CRON_JOB_SPEC)), f("status", 3, Object(&CRON_JOB_STATUS)),
]);

pub(super) static CRON_JOB_SPEC: Type = t("CronJobSpec", &[
    f("concurrencyPolicy", 3, String), p("failedJobsHistoryLimit", 7, Int32),
    f("jobTemplate", 5, Object(&JOB_TEMPLATE_SPEC)), f("schedule", 1, String),
    p("startingDeadlineSeconds", 2, Int64), p("successfulJobsHistoryLimit", 6, Int32),
    p("suspend", 4, Bool), p("timeZone", 8, String),
]);

pub(super) static JOB_TEMPLATE_SPEC: Type = t("JobTemplateSpec", &[
    f("metadata", 1, Object(&OBJECT_META)), f("spec", 2, Object(&JOB_SPEC)),
]);

pub(super) static CRON_JOB_STATUS: Type = t("CronJobStatus", &[
    f("active", 1, List(&Object(&OBJECT_REFERENCE))), p("lastScheduleTime", 4, Time),
    p("lastSuccessfulTime", 5, Time),
]);
