//! The table: one row for a field and, unless they have rows of their own, all fields below it. Items
//! of a list are `[]`; entries of a map are named like fields.

use super::{Row, State};
use crate::Kind;

/// The field works as Kubernetes defines it.
const fn works(path: &'static str) -> Row {
    Row { path, state: State::Works, values: &[], note: "" }
}

/// These values work, others are refused.
const fn only(path: &'static str, values: &'static [&'static str]) -> Row {
    Row { path, state: State::Works, values, note: "" }
}

/// The field is kept, means nothing here and is warned about.
const fn kept(path: &'static str, note: &'static str) -> Row {
    Row { path, state: State::Kept, values: &[], note }
}

/// As [`kept`], but these values are what holds anyway and need no warning.
const fn kept_unless(
    path: &'static str,
    values: &'static [&'static str],
    note: &'static str,
) -> Row {
    Row { path, state: State::Kept, values, note }
}

/// The field does not work yet.
const fn refused(path: &'static str) -> Row {
    Row { path, state: State::Refused, values: &[], note: "" }
}

/// As [`refused`], but these values are what holds anyway.
const fn refused_unless(path: &'static str, values: &'static [&'static str]) -> Row {
    Row { path, state: State::Refused, values, note: "" }
}

impl Row {
    const fn note(self, note: &'static str) -> Row {
        Row { note, ..self }
    }
}

/// The rows of a kind.
pub(super) fn of(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::Pod => POD,
        Kind::Job => JOB,
        Kind::Namespace => NAMESPACE,
        Kind::Node => NODE,
        Kind::ConfigMap => CONFIG_MAP,
        Kind::Secret => SECRET,
        Kind::Event => EVENT,
        Kind::RuntimeClass => RUNTIME_CLASS,
        Kind::ServiceAccount => SERVICE_ACCOUNT,
        Kind::Service => SERVICE,
        Kind::PriorityClass => PRIORITY_CLASS,
        Kind::Lease => LEASE,
        Kind::LimitRange => LIMIT_RANGE,
        Kind::ResourceQuota => RESOURCE_QUOTA,
        Kind::PodTemplate => POD_TEMPLATE,
        Kind::CronJob => CRON_JOB,
    }
}

/// All kinds have the same metadata.
pub(super) const METADATA: Row = works("metadata");

const JOB: &[Row] = &[
    METADATA,
    works("spec.activeDeadlineSeconds"),
    works("spec.backoffLimit"),
    works("spec.backoffLimitPerIndex"),
    works("spec.completionMode"),
    works("spec.completions"),
    works("spec.managedBy").note("a Job managed by someone else is left alone"),
    works("spec.manualSelector"),
    works("spec.maxFailedIndexes"),
    works("spec.parallelism"),
    works("spec.podFailurePolicy"),
    works("spec.podReplacementPolicy"),
    works("spec.selector"),
    works("spec.successPolicy"),
    works("spec.suspend"),
    works("spec.template").note("see Pod"),
    works("spec.ttlSecondsAfterFinished"),
    works("status"),
];

const POD: &[Row] = &[
    METADATA,
    works("spec.activeDeadlineSeconds"),
    kept("spec.affinity", "there is one node"),
    refused("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution")
        .note("nodeSelector works"),
    refused("spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"),
    works("spec.automountServiceAccountToken").note(
        "unset is no for pods of Jobs under the account default, for plain processes, and in `coracle run` \
         without a server",
    ),
    works("spec.containers"),
    refused("spec.containers[].env[].valueFrom.fileKeyRef"),
    works("spec.containers[].image").note("coracle.local/host and root file system directories"),
    works("spec.containers[].lifecycle"),
    refused("spec.containers[].lifecycle.postStart.httpGet.host")
        .note("the container's own loopback is asked"),
    only("spec.containers[].lifecycle.postStart.httpGet.scheme", &["HTTP"]),
    works("spec.containers[].lifecycle.postStart.tcpSocket")
        .note("fails when it is run, as upstream"),
    refused("spec.containers[].lifecycle.preStop.httpGet.host")
        .note("the container's own loopback is asked"),
    only("spec.containers[].lifecycle.preStop.httpGet.scheme", &["HTTP"]),
    works("spec.containers[].lifecycle.preStop.tcpSocket")
        .note("fails when it is run, as upstream"),
    refused("spec.containers[].lifecycle.stopSignal").note("off by default upstream"),
    works("spec.containers[].livenessProbe"),
    refused("spec.containers[].livenessProbe.grpc").note("exec, httpGet and tcpSocket work"),
    works("spec.containers[].livenessProbe.httpGet")
        .note("redirects count as success and are not followed"),
    refused("spec.containers[].livenessProbe.httpGet.host")
        .note("the container's own loopback is asked"),
    only("spec.containers[].livenessProbe.httpGet.scheme", &["HTTP"]),
    refused("spec.containers[].livenessProbe.tcpSocket.host")
        .note("the container's own loopback is asked"),
    works("spec.containers[].ports").note("for information"),
    refused("spec.containers[].ports[].hostIP"),
    refused("spec.containers[].ports[].hostPort").note("works with hostNetwork"),
    works("spec.containers[].readinessProbe"),
    refused("spec.containers[].readinessProbe.grpc").note("exec, httpGet and tcpSocket work"),
    works("spec.containers[].readinessProbe.httpGet")
        .note("redirects count as success and are not followed"),
    refused("spec.containers[].readinessProbe.httpGet.host")
        .note("the container's own loopback is asked"),
    only("spec.containers[].readinessProbe.httpGet.scheme", &["HTTP"]),
    refused("spec.containers[].readinessProbe.tcpSocket.host")
        .note("the container's own loopback is asked"),
    kept("spec.containers[].resizePolicy", "resources of a running pod cannot be changed yet"),
    refused("spec.containers[].resources.claims"),
    refused("spec.containers[].resources.limits").note("cpu and memory work"),
    works("spec.containers[].resources.limits.cpu"),
    works("spec.containers[].resources.limits.memory"),
    refused("spec.containers[].resources.requests").note("cpu and memory work"),
    works("spec.containers[].resources.requests.cpu"),
    works("spec.containers[].resources.requests.memory"),
    kept(
        "spec.containers[].resources.requests.ephemeral-storage",
        "the room on disk is not counted yet",
    ),
    works("spec.containers[].restartPolicy"),
    works("spec.containers[].restartPolicyRules"),
    only("spec.containers[].restartPolicyRules[].action", &["Restart"]),
    works("spec.containers[].securityContext.allowPrivilegeEscalation"),
    refused("spec.containers[].securityContext.appArmorProfile"),
    works("spec.containers[].securityContext.capabilities"),
    works("spec.containers[].securityContext.privileged").note("the devices, not their links"),
    refused_unless("spec.containers[].securityContext.procMount", &["Default"]),
    works("spec.containers[].securityContext.readOnlyRootFilesystem"),
    works("spec.containers[].securityContext.runAsGroup"),
    works("spec.containers[].securityContext.runAsNonRoot"),
    works("spec.containers[].securityContext.runAsUser"),
    kept("spec.containers[].securityContext.seLinuxOptions", "SELinux is not used"),
    only(
        "spec.containers[].securityContext.seccompProfile.type",
        &["RuntimeDefault", "Unconfined"],
    ),
    refused("spec.containers[].securityContext.seccompProfile.localhostProfile"),
    refused("spec.containers[].securityContext.windowsOptions"),
    works("spec.containers[].startupProbe"),
    refused("spec.containers[].startupProbe.grpc").note("exec, httpGet and tcpSocket work"),
    works("spec.containers[].startupProbe.httpGet")
        .note("redirects count as success and are not followed"),
    refused("spec.containers[].startupProbe.httpGet.host")
        .note("the container's own loopback is asked"),
    only("spec.containers[].startupProbe.httpGet.scheme", &["HTTP"]),
    refused("spec.containers[].startupProbe.tcpSocket.host")
        .note("the container's own loopback is asked"),
    works("spec.containers[].stdin"),
    works("spec.containers[].stdinOnce"),
    works("spec.containers[].tty"),
    refused("spec.containers[].volumeDevices"),
    works("spec.containers[].volumeMounts[].recursiveReadOnly")
        .note("read-only mounts are, with everything below, also when it says Disabled"),
    refused("spec.dnsConfig"),
    kept_unless(
        "spec.dnsPolicy",
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default"],
        "there is no cluster DNS yet",
    ),
    kept_unless("spec.enableServiceLinks", &["true", "false"], "Services have no addresses yet"),
    works("spec.ephemeralContainers").note("as spec.containers"),
    refused("spec.ephemeralContainers[].targetContainerName")
        .note("they see their own processes only"),
    works("spec.hostAliases"),
    refused("spec.hostIPC"),
    works("spec.hostNetwork").note("without it a pod reaches other pods only"),
    refused("spec.hostPID"),
    refused_unless("spec.hostUsers", &["true"]),
    works("spec.hostname"),
    refused("spec.hostnameOverride"),
    works("spec.imagePullSecrets"),
    works("spec.initContainers").note("as spec.containers, `restartPolicy: Always` included"),
    works("spec.nodeName"),
    works("spec.nodeSelector"),
    only("spec.os.name", &["linux"]),
    works("spec.overhead"),
    kept_unless("spec.preemptionPolicy", &["Never", "PreemptLowerPriority"], "no pod is preempted"),
    works("spec.priority").note("decides which waiting pod starts first"),
    works("spec.priorityClassName"),
    works("spec.readinessGates"),
    refused("spec.resourceClaims"),
    refused("spec.resources"),
    works("spec.restartPolicy"),
    works("spec.runtimeClassName"),
    kept_unless("spec.schedulerName", &["default-scheduler"], "there is one scheduler"),
    refused("spec.schedulingGates"),
    refused("spec.schedulingGroup"),
    refused("spec.securityContext"),
    works("spec.securityContext.fsGroup"),
    works("spec.securityContext.fsGroupChangePolicy").note("every volume is new to its pod"),
    works("spec.securityContext.runAsGroup"),
    works("spec.securityContext.runAsNonRoot"),
    works("spec.securityContext.runAsUser"),
    kept("spec.securityContext.seLinuxChangePolicy", "SELinux is not used"),
    kept("spec.securityContext.seLinuxOptions", "SELinux is not used"),
    only("spec.securityContext.seccompProfile.type", &["RuntimeDefault", "Unconfined"]),
    works("spec.securityContext.supplementalGroups"),
    works("spec.securityContext.supplementalGroupsPolicy"),
    works("spec.serviceAccount"),
    works("spec.serviceAccountName"),
    refused("spec.setHostnameAsFQDN"),
    refused("spec.shareProcessNamespace"),
    refused("spec.subdomain"),
    works("spec.terminationGracePeriodSeconds"),
    works("spec.tolerations").note("the one node has no taints, but it may be cordoned"),
    kept("spec.topologySpreadConstraints", "there is one node"),
    refused("spec.volumes[]")
        .note("configMap, downwardAPI, emptyDir, hostPath, projected and secret work"),
    works("spec.volumes[].name"),
    works("spec.volumes[].configMap"),
    only("spec.volumes[].emptyDir.medium", &["Memory"]).note("the disk and Memory work"),
    refused("spec.volumes[].emptyDir.sizeLimit").note("works with medium Memory"),
    works("spec.volumes[].downwardAPI"),
    works("spec.volumes[].hostPath"),
    works("spec.volumes[].projected"),
    refused("spec.volumes[].projected.sources[].clusterTrustBundle"),
    refused("spec.volumes[].projected.sources[].podCertificate"),
    works("spec.volumes[].secret"),
    works("status"),
    kept("status.allocatedResources", "not reported"),
    kept("status.extendedResourceClaimStatus", "not reported"),
    kept("status.nodeAllocatableResourceClaimStatuses", "not reported"),
    kept("status.nominatedNodeName", "not reported"),
    kept("status.resize", "not reported"),
    kept("status.resourceClaimStatuses", "not reported"),
    kept("status.resources", "not reported"),
];

const NAMESPACE: &[Row] =
    &[METADATA, works("spec.finalizers"), works("status.conditions"), works("status.phase")];

const NODE: &[Row] = &[
    METADATA,
    refused("spec"),
    kept("spec.podCIDR", "pods have no addresses yet"),
    kept("spec.podCIDRs", "pods have no addresses yet"),
    kept("spec.providerID", "there is one node"),
    works("spec.unschedulable"),
    works("status.addresses"),
    works("status.allocatable"),
    works("status.capacity"),
    works("status.conditions"),
    works("status.nodeInfo"),
    kept("status", "not reported"),
];

const CONFIG_MAP: &[Row] = &[METADATA, works("binaryData"), works("data"), works("immutable")];

const SECRET: &[Row] =
    &[METADATA, works("data"), works("immutable"), works("stringData"), works("type")];

const RUNTIME_CLASS: &[Row] = &[METADATA, works("handler"), works("overhead"), works("scheduling")];

const EVENT: &[Row] = &[
    METADATA,
    works("action"),
    works("count"),
    works("eventTime"),
    works("firstTimestamp"),
    works("involvedObject"),
    works("lastTimestamp"),
    works("message"),
    works("reason"),
    works("related"),
    works("reportingComponent"),
    works("reportingInstance"),
    works("series"),
    works("source"),
    works("type"),
];

const SERVICE_ACCOUNT: &[Row] = &[
    METADATA,
    works("automountServiceAccountToken"),
    works("imagePullSecrets"),
    kept("secrets", "every Secret may be mounted"),
];

const SERVICE: &[Row] = &[
    METADATA,
    kept("spec", "pods have no addresses yet, so nothing is reached through a Service"),
    refused_unless("spec.clusterIP", &["None"]),
    refused_unless("spec.clusterIPs", &["None"]),
    refused("spec.externalIPs"),
    only("spec.type", &["ClusterIP"]).note("pods have no addresses yet"),
    kept("status", "not reported"),
];

const PRIORITY_CLASS: &[Row] = &[
    METADATA,
    works("description"),
    works("globalDefault"),
    kept_unless("preemptionPolicy", &["Never", "PreemptLowerPriority"], "no pod is preempted"),
    works("value"),
];

const LEASE: &[Row] =
    &[METADATA, works("spec"), refused("spec.preferredHolder"), refused("spec.strategy")];

const LIMIT_RANGE: &[Row] =
    &[METADATA, works("spec.limits").note("there are no PersistentVolumeClaims to limit")];

const RESOURCE_QUOTA: &[Row] = &[METADATA, works("spec"), works("status")];

const POD_TEMPLATE: &[Row] = &[METADATA, works("template").note("see Pod")];

const CRON_JOB: &[Row] = &[
    METADATA,
    works("spec.concurrencyPolicy"),
    works("spec.failedJobsHistoryLimit"),
    works("spec.jobTemplate").note("see Job"),
    works("spec.schedule"),
    works("spec.startingDeadlineSeconds"),
    works("spec.successfulJobsHistoryLimit"),
    works("spec.suspend"),
    works("spec.timeZone").note("without it, the machine's"),
    works("status"),
];
