//! Types of the API, those of `pod`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::Int64, Shape::IntOrString, Shape::List, Shape::Map,
    Shape::Object, Shape::Quantity, Shape::String, Shape::Time, Type, atomic, f,
    meta::LABEL_SELECTOR, meta::OBJECT_META, p, t, volume::LOCAL_OBJECT_REFERENCE,
    volume::OBJECT_FIELD_SELECTOR, volume::RESOURCE_FIELD_SELECTOR, volume::VOLUME,
    volume::VOLUME_DEVICE, volume::VOLUME_MOUNT, volume::VOLUME_MOUNT_STATUS,
};

pub(super) static POD: Type = t("Pod", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&POD_SPEC)), f("status", 3, Object(&POD_STATUS)),
]);

pub(super) static POD_SPEC: Type = t("PodSpec", &[
    p("activeDeadlineSeconds", 5, Int64), p("affinity", 18, Object(&AFFINITY)),
    p("automountServiceAccountToken", 21, Bool),
    f("containers", 2, List(&Object(&CONTAINER))).by(&["name"]),
    p("dnsConfig", 26, Object(&POD_DNS_CONFIG)), f("dnsPolicy", 6, String),
    p("enableServiceLinks", 30, Bool),
    f("ephemeralContainers", 34, List(&Object(&EPHEMERAL_CONTAINER))).by(&["name"]),
    f("hostAliases", 23, List(&Object(&HOST_ALIAS))).by(&["ip"]), f("hostIPC", 13, Bool),
    f("hostNetwork", 11, Bool), f("hostPID", 12, Bool), p("hostUsers", 37, Bool),
    f("hostname", 16, String), p("hostnameOverride", 41, String),
    f("imagePullSecrets", 15, List(&Object(&LOCAL_OBJECT_REFERENCE))).by(&["name"]),
    f("initContainers", 20, List(&Object(&CONTAINER))).by(&["name"]), f("nodeName", 10, String),
    f("nodeSelector", 7, Map(&String)).atomic(), p("os", 36, Object(&POD_OS)),
    f("overhead", 32, Map(&Quantity)), p("preemptionPolicy", 31, String), p("priority", 25, Int32),
    f("priorityClassName", 24, String), f("readinessGates", 28, List(&Object(&POD_READINESS_GATE))),
    f("resourceClaims", 39, List(&Object(&POD_RESOURCE_CLAIM))).by(&["name"]).retain_keys(),
    p("resources", 40, Object(&RESOURCE_REQUIREMENTS)), f("restartPolicy", 3, String),
    p("runtimeClassName", 29, String), f("schedulerName", 19, String),
    f("schedulingGates", 38, List(&Object(&POD_SCHEDULING_GATE))).by(&["name"]),
    p("schedulingGroup", 43, Object(&POD_SCHEDULING_GROUP)),
    p("securityContext", 14, Object(&POD_SECURITY_CONTEXT)), f("serviceAccount", 9, String),
    f("serviceAccountName", 8, String), p("setHostnameAsFQDN", 35, Bool),
    p("shareProcessNamespace", 27, Bool), f("subdomain", 17, String),
    p("terminationGracePeriodSeconds", 4, Int64), f("tolerations", 22, List(&Object(&TOLERATION))),
    f("topologySpreadConstraints", 33, List(&Object(&TOPOLOGY_SPREAD_CONSTRAINT))).merge("topologyKey").keys(&["topologyKey", "whenUnsatisfiable"]),
    f("volumes", 1, List(&Object(&VOLUME))).by(&["name"]).retain_keys(),
]);

pub(super) static CONTAINER: Type = t("Container", &[
    f("args", 4, List(&String)), f("command", 3, List(&String)),
    f("env", 7, List(&Object(&ENV_VAR))).by(&["name"]),
    f("envFrom", 19, List(&Object(&ENV_FROM_SOURCE))), f("image", 2, String),
    f("imagePullPolicy", 14, String), p("lifecycle", 12, Object(&LIFECYCLE)),
    p("livenessProbe", 10, Object(&PROBE)), f("name", 1, String),
    f("ports", 6, List(&Object(&CONTAINER_PORT))).merge("containerPort").keys(&["containerPort", "protocol"]),
    p("readinessProbe", 11, Object(&PROBE)),
    f("resizePolicy", 23, List(&Object(&CONTAINER_RESIZE_POLICY))),
    f("resources", 8, Object(&RESOURCE_REQUIREMENTS)), p("restartPolicy", 24, String),
    f("restartPolicyRules", 25, List(&Object(&CONTAINER_RESTART_RULE))),
    p("securityContext", 15, Object(&SECURITY_CONTEXT)), p("startupProbe", 22, Object(&PROBE)),
    f("stdin", 16, Bool), f("stdinOnce", 17, Bool), f("terminationMessagePath", 13, String),
    f("terminationMessagePolicy", 20, String), f("tty", 18, Bool),
    f("volumeDevices", 21, List(&Object(&VOLUME_DEVICE))).by(&["devicePath"]),
    f("volumeMounts", 9, List(&Object(&VOLUME_MOUNT))).by(&["mountPath"]),
    f("workingDir", 5, String),
]);

pub(super) static CONTAINER_PORT: Type = t("ContainerPort", &[
    f("containerPort", 3, Int32), f("hostIP", 5, String), f("hostPort", 2, Int32),
    f("name", 1, String), f("protocol", 4, String),
]);

pub(super) static ENV_FROM_SOURCE: Type = t("EnvFromSource", &[
    p("configMapRef", 2, Object(&CONFIG_MAP_ENV_SOURCE)), f("prefix", 1, String),
    p("secretRef", 3, Object(&SECRET_ENV_SOURCE)),
]);

pub(super) static CONFIG_MAP_ENV_SOURCE: Type = t("ConfigMapEnvSource", &[
    f("name", 1, String).inside(1), p("optional", 2, Bool),
]);

pub(super) static SECRET_ENV_SOURCE: Type = t("SecretEnvSource", &[
    f("name", 1, String).inside(1), p("optional", 2, Bool),
]);

pub(super) static ENV_VAR: Type = t("EnvVar", &[
    f("name", 1, String), f("value", 2, String), p("valueFrom", 3, Object(&ENV_VAR_SOURCE)),
]);

pub(super) static ENV_VAR_SOURCE: Type = t("EnvVarSource", &[
    p("configMapKeyRef", 3, Object(&CONFIG_MAP_KEY_SELECTOR)),
    p("fieldRef", 1, Object(&OBJECT_FIELD_SELECTOR)),
    p("fileKeyRef", 5, Object(&FILE_KEY_SELECTOR)),
    p("resourceFieldRef", 2, Object(&RESOURCE_FIELD_SELECTOR)),
    p("secretKeyRef", 4, Object(&SECRET_KEY_SELECTOR)),
]);

pub(super) static CONFIG_MAP_KEY_SELECTOR: Type = atomic("ConfigMapKeySelector", &[
    f("key", 2, String), f("name", 1, String).inside(1), p("optional", 3, Bool),
]);

pub(super) static SECRET_KEY_SELECTOR: Type = atomic("SecretKeySelector", &[
    f("key", 2, String), f("name", 1, String).inside(1), p("optional", 3, Bool),
]);

pub(super) static FILE_KEY_SELECTOR: Type = atomic("FileKeySelector", &[
    f("key", 3, String), p("optional", 4, Bool), f("path", 2, String), f("volumeName", 1, String),
]);

pub(super) static RESOURCE_REQUIREMENTS: Type = t("ResourceRequirements", &[
    f("claims", 3, List(&Object(&RESOURCE_CLAIM))).keys(&["name"]), f("limits", 1, Map(&Quantity)),
    f("requests", 2, Map(&Quantity)),
]);

pub(super) static RESOURCE_CLAIM: Type = t("ResourceClaim", &[
    f("name", 1, String), f("request", 2, String),
]);

pub(super) static CONTAINER_RESIZE_POLICY: Type = t("ContainerResizePolicy", &[
    f("resourceName", 1, String), f("restartPolicy", 2, String),
]);

pub(super) static CONTAINER_RESTART_RULE: Type = t("ContainerRestartRule", &[
    f("action", 1, String), p("exitCodes", 2, Object(&CONTAINER_RESTART_RULE_ON_EXIT_CODES)),
]);

pub(super) static CONTAINER_RESTART_RULE_ON_EXIT_CODES: Type = t("ContainerRestartRuleOnExitCodes", &[
    f("operator", 1, String), f("values", 2, List(&Int32)).set(),
]);

pub(super) static PROBE: Type = t("Probe", &[
    p("exec", 1, Object(&EXEC_ACTION)).inside(1), f("failureThreshold", 6, Int32),
    p("grpc", 4, Object(&GRPC_ACTION)).inside(1),
    p("httpGet", 2, Object(&HTTP_GET_ACTION)).inside(1), f("initialDelaySeconds", 2, Int32),
    f("periodSeconds", 4, Int32), f("successThreshold", 5, Int32),
    p("tcpSocket", 3, Object(&TCP_SOCKET_ACTION)).inside(1),
    p("terminationGracePeriodSeconds", 7, Int64), f("timeoutSeconds", 3, Int32),
]);

pub(super) static EXEC_ACTION: Type = t("ExecAction", &[
    f("command", 1, List(&String)),
]);

pub(super) static HTTP_GET_ACTION: Type = t("HTTPGetAction", &[
    f("host", 3, String), f("httpHeaders", 5, List(&Object(&HTTP_HEADER))), f("path", 1, String),
    f("port", 2, IntOrString), f("scheme", 4, String),
]);

pub(super) static HTTP_HEADER: Type = t("HTTPHeader", &[
    f("name", 1, String), f("value", 2, String),
]);

pub(super) static TCP_SOCKET_ACTION: Type = t("TCPSocketAction", &[
    f("host", 2, String), f("port", 1, IntOrString),
]);

pub(super) static GRPC_ACTION: Type = t("GRPCAction", &[
    f("port", 1, Int32), p("service", 2, String),
]);

pub(super) static LIFECYCLE: Type = t("Lifecycle", &[
    p("postStart", 1, Object(&LIFECYCLE_HANDLER)), p("preStop", 2, Object(&LIFECYCLE_HANDLER)),
    p("stopSignal", 3, String),
]);

pub(super) static LIFECYCLE_HANDLER: Type = t("LifecycleHandler", &[
    p("exec", 1, Object(&EXEC_ACTION)), p("httpGet", 2, Object(&HTTP_GET_ACTION)),
    p("sleep", 4, Object(&SLEEP_ACTION)), p("tcpSocket", 3, Object(&TCP_SOCKET_ACTION)),
]);

pub(super) static SLEEP_ACTION: Type = t("SleepAction", &[
    f("seconds", 1, Int64),
]);

pub(super) static SECURITY_CONTEXT: Type = t("SecurityContext", &[
    p("allowPrivilegeEscalation", 7, Bool), p("appArmorProfile", 12, Object(&APP_ARMOR_PROFILE)),
    p("capabilities", 1, Object(&CAPABILITIES)), p("privileged", 2, Bool),
    p("procMount", 9, String), p("readOnlyRootFilesystem", 6, Bool), p("runAsGroup", 8, Int64),
    p("runAsNonRoot", 5, Bool), p("runAsUser", 4, Int64),
    p("seLinuxOptions", 3, Object(&SE_LINUX_OPTIONS)),
    p("seccompProfile", 11, Object(&SECCOMP_PROFILE)),
    p("windowsOptions", 10, Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
]);

pub(super) static CAPABILITIES: Type = t("Capabilities", &[
    f("add", 1, List(&String)), f("drop", 2, List(&String)),
]);

pub(super) static SE_LINUX_OPTIONS: Type = t("SELinuxOptions", &[
    f("level", 4, String), f("role", 2, String), f("type", 3, String), f("user", 1, String),
]);

pub(super) static WINDOWS_SECURITY_CONTEXT_OPTIONS: Type = t("WindowsSecurityContextOptions", &[
    p("gmsaCredentialSpec", 2, String), p("gmsaCredentialSpecName", 1, String),
    p("hostProcess", 4, Bool), p("runAsUserName", 3, String),
]);

pub(super) static SECCOMP_PROFILE: Type = t("SeccompProfile", &[
    p("localhostProfile", 2, String), f("type", 1, String),
]);

pub(super) static APP_ARMOR_PROFILE: Type = t("AppArmorProfile", &[
    p("localhostProfile", 2, String), f("type", 1, String),
]);

pub(super) static EPHEMERAL_CONTAINER: Type = t("EphemeralContainer", &[
    f("args", 4, List(&String)).inside(1), f("command", 3, List(&String)).inside(1),
    f("env", 7, List(&Object(&ENV_VAR))).inside(1).by(&["name"]),
    f("envFrom", 19, List(&Object(&ENV_FROM_SOURCE))).inside(1), f("image", 2, String).inside(1),
    f("imagePullPolicy", 14, String).inside(1), p("lifecycle", 12, Object(&LIFECYCLE)).inside(1),
    p("livenessProbe", 10, Object(&PROBE)).inside(1), f("name", 1, String).inside(1),
    f("ports", 6, List(&Object(&CONTAINER_PORT))).inside(1).merge("containerPort").keys(&["containerPort", "protocol"]),
    p("readinessProbe", 11, Object(&PROBE)).inside(1),
    f("resizePolicy", 23, List(&Object(&CONTAINER_RESIZE_POLICY))).inside(1),
    f("resources", 8, Object(&RESOURCE_REQUIREMENTS)).inside(1),
    p("restartPolicy", 24, String).inside(1),
    f("restartPolicyRules", 25, List(&Object(&CONTAINER_RESTART_RULE))).inside(1),
    p("securityContext", 15, Object(&SECURITY_CONTEXT)).inside(1),
    p("startupProbe", 22, Object(&PROBE)).inside(1), f("stdin", 16, Bool).inside(1),
    f("stdinOnce", 17, Bool).inside(1), f("targetContainerName", 2, String),
    f("terminationMessagePath", 13, String).inside(1),
    f("terminationMessagePolicy", 20, String).inside(1), f("tty", 18, Bool).inside(1),
    f("volumeDevices", 21, List(&Object(&VOLUME_DEVICE))).inside(1).by(&["devicePath"]),
    f("volumeMounts", 9, List(&Object(&VOLUME_MOUNT))).inside(1).by(&["mountPath"]),
    f("workingDir", 5, String).inside(1),
]);

pub(super) static POD_SECURITY_CONTEXT: Type = t("PodSecurityContext", &[
    p("appArmorProfile", 11, Object(&APP_ARMOR_PROFILE)), p("fsGroup", 5, Int64),
    p("fsGroupChangePolicy", 9, String), p("runAsGroup", 6, Int64), p("runAsNonRoot", 3, Bool),
    p("runAsUser", 2, Int64), p("seLinuxChangePolicy", 13, String),
    p("seLinuxOptions", 1, Object(&SE_LINUX_OPTIONS)),
    p("seccompProfile", 10, Object(&SECCOMP_PROFILE)), f("supplementalGroups", 4, List(&Int64)),
    p("supplementalGroupsPolicy", 12, String), f("sysctls", 7, List(&Object(&SYSCTL))),
    p("windowsOptions", 8, Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
]);

pub(super) static SYSCTL: Type = t("Sysctl", &[
    f("name", 1, String), f("value", 2, String),
]);

pub(super) static AFFINITY: Type = t("Affinity", &[
    p("nodeAffinity", 1, Object(&NODE_AFFINITY)), p("podAffinity", 2, Object(&POD_AFFINITY)),
    p("podAntiAffinity", 3, Object(&POD_ANTI_AFFINITY)),
]);

pub(super) static NODE_AFFINITY: Type = t("NodeAffinity", &[
    
    f("preferredDuringSchedulingIgnoredDuringExecution", 2, List(&Object(&PREFERRED_SCHEDULING_TERM))),
    p("requiredDuringSchedulingIgnoredDuringExecution", 1, Object(&NODE_SELECTOR)),
]);

pub(super) static NODE_SELECTOR: Type = atomic("NodeSelector", &[
    f("nodeSelectorTerms", 1, List(&Object(&NODE_SELECTOR_TERM))),
]);

pub(super) static NODE_SELECTOR_TERM: Type = atomic("NodeSelectorTerm", &[
    f("matchExpressions", 1, List(&Object(&NODE_SELECTOR_REQUIREMENT))),
    f("matchFields", 2, List(&Object(&NODE_SELECTOR_REQUIREMENT))),
]);

pub(super) static NODE_SELECTOR_REQUIREMENT: Type = t("NodeSelectorRequirement", &[
    f("key", 1, String), f("operator", 2, String), f("values", 3, List(&String)),
]);

pub(super) static PREFERRED_SCHEDULING_TERM: Type = t("PreferredSchedulingTerm", &[
    f("preference", 2, Object(&NODE_SELECTOR_TERM)), f("weight", 1, Int32),
]);

pub(super) static POD_AFFINITY: Type = t("PodAffinity", &[
    
    f("preferredDuringSchedulingIgnoredDuringExecution", 2, List(&Object(&WEIGHTED_POD_AFFINITY_TERM))),
    f("requiredDuringSchedulingIgnoredDuringExecution", 1, List(&Object(&POD_AFFINITY_TERM))),
]);

pub(super) static POD_AFFINITY_TERM: Type = t("PodAffinityTerm", &[
    p("labelSelector", 1, Object(&LABEL_SELECTOR)), f("matchLabelKeys", 5, List(&String)),
    f("mismatchLabelKeys", 6, List(&String)), p("namespaceSelector", 4, Object(&LABEL_SELECTOR)),
    f("namespaces", 2, List(&String)), f("topologyKey", 3, String),
]);

pub(super) static WEIGHTED_POD_AFFINITY_TERM: Type = t("WeightedPodAffinityTerm", &[
    f("podAffinityTerm", 2, Object(&POD_AFFINITY_TERM)), f("weight", 1, Int32),
]);

pub(super) static POD_ANTI_AFFINITY: Type = t("PodAntiAffinity", &[
    
    f("preferredDuringSchedulingIgnoredDuringExecution", 2, List(&Object(&WEIGHTED_POD_AFFINITY_TERM))),
    f("requiredDuringSchedulingIgnoredDuringExecution", 1, List(&Object(&POD_AFFINITY_TERM))),
]);

pub(super) static TOLERATION: Type = t("Toleration", &[
    f("effect", 4, String), f("key", 1, String), f("operator", 2, String),
    p("tolerationSeconds", 5, Int64), f("value", 3, String),
]);

pub(super) static HOST_ALIAS: Type = t("HostAlias", &[
    f("hostnames", 2, List(&String)), f("ip", 1, String),
]);

pub(super) static POD_DNS_CONFIG: Type = t("PodDNSConfig", &[
    f("nameservers", 1, List(&String)), f("options", 3, List(&Object(&POD_DNS_CONFIG_OPTION))),
    f("searches", 2, List(&String)),
]);

pub(super) static POD_DNS_CONFIG_OPTION: Type = t("PodDNSConfigOption", &[
    f("name", 1, String), p("value", 2, String),
]);

pub(super) static POD_READINESS_GATE: Type = t("PodReadinessGate", &[
    f("conditionType", 1, String),
]);

pub(super) static TOPOLOGY_SPREAD_CONSTRAINT: Type = t("TopologySpreadConstraint", &[
    p("labelSelector", 4, Object(&LABEL_SELECTOR)), f("matchLabelKeys", 8, List(&String)),
    f("maxSkew", 1, Int32), p("minDomains", 5, Int32), p("nodeAffinityPolicy", 6, String),
    p("nodeTaintsPolicy", 7, String), f("topologyKey", 2, String),
    f("whenUnsatisfiable", 3, String),
]);

pub(super) static POD_OS: Type = t("PodOS", &[
    f("name", 1, String),
]);

pub(super) static POD_SCHEDULING_GATE: Type = t("PodSchedulingGate", &[
    f("name", 1, String),
]);

pub(super) static POD_RESOURCE_CLAIM: Type = t("PodResourceClaim", &[
    f("name", 1, String), p("resourceClaimName", 3, String),
    p("resourceClaimTemplateName", 4, String),
]);

pub(super) static POD_SCHEDULING_GROUP: Type = t("PodSchedulingGroup", &[
    p("podGroupName", 1, String),
]);

pub(super) static POD_STATUS: Type = t("PodStatus", &[
    f("allocatedResources", 19, Map(&Quantity)),
    f("conditions", 2, List(&Object(&POD_CONDITION))).by(&["type"]),
    f("containerStatuses", 8, List(&Object(&CONTAINER_STATUS))),
    f("ephemeralContainerStatuses", 13, List(&Object(&CONTAINER_STATUS))),
    p("extendedResourceClaimStatus", 18, Object(&POD_EXTENDED_RESOURCE_CLAIM_STATUS)),
    f("hostIP", 5, String), f("hostIPs", 16, List(&Object(&HOST_IP))).merge("ip"),
    f("initContainerStatuses", 10, List(&Object(&CONTAINER_STATUS))), f("message", 3, String),
    f("nodeAllocatableResourceClaimStatuses", 21, List(&Object(&NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS))),
    f("nominatedNodeName", 11, String), f("observedGeneration", 17, Int64), f("phase", 1, String),
    f("podIP", 6, String), f("podIPs", 12, List(&Object(&POD_IP))).by(&["ip"]),
    f("qosClass", 9, String), f("reason", 4, String), f("resize", 14, String),
    f("resourceClaimStatuses", 15, List(&Object(&POD_RESOURCE_CLAIM_STATUS))).by(&["name"]).retain_keys(),
    p("resources", 20, Object(&RESOURCE_REQUIREMENTS)), p("startTime", 7, Time),
]);

pub(super) static POD_CONDITION: Type = t("PodCondition", &[
    f("lastProbeTime", 3, Time), f("lastTransitionTime", 4, Time), f("message", 6, String),
    f("observedGeneration", 7, Int64), f("reason", 5, String), f("status", 2, String),
    f("type", 1, String),
]);

pub(super) static HOST_IP: Type = t("HostIP", &[
    f("ip", 1, String),
]);

pub(super) static POD_IP: Type = t("PodIP", &[
    f("ip", 1, String),
]);

pub(super) static CONTAINER_STATUS: Type = t("ContainerStatus", &[
    f("allocatedResources", 10, Map(&Quantity)),
    f("allocatedResourcesStatus", 14, List(&Object(&RESOURCE_STATUS))).by(&["name"]),
    f("containerID", 8, String), f("image", 6, String), f("imageID", 7, String),
    f("lastState", 3, Object(&CONTAINER_STATE)), f("name", 1, String), f("ready", 4, Bool),
    p("resources", 11, Object(&RESOURCE_REQUIREMENTS)), f("restartCount", 5, Int32),
    p("started", 9, Bool), f("state", 2, Object(&CONTAINER_STATE)), p("stopSignal", 15, String),
    p("user", 13, Object(&CONTAINER_USER)),
    f("volumeMounts", 12, List(&Object(&VOLUME_MOUNT_STATUS))).by(&["mountPath"]),
]);

pub(super) static CONTAINER_STATE: Type = t("ContainerState", &[
    p("running", 2, Object(&CONTAINER_STATE_RUNNING)),
    p("terminated", 3, Object(&CONTAINER_STATE_TERMINATED)),
    p("waiting", 1, Object(&CONTAINER_STATE_WAITING)),
]);

pub(super) static CONTAINER_STATE_WAITING: Type = t("ContainerStateWaiting", &[
    f("message", 2, String), f("reason", 1, String),
]);

pub(super) static CONTAINER_STATE_RUNNING: Type = t("ContainerStateRunning", &[
    f("startedAt", 1, Time),
]);

pub(super) static CONTAINER_STATE_TERMINATED: Type = t("ContainerStateTerminated", &[
    f("containerID", 7, String), f("exitCode", 1, Int32), f("finishedAt", 6, Time),
    f("message", 4, String), f("reason", 3, String), f("signal", 2, Int32), f("startedAt", 5, Time),
]);

pub(super) static CONTAINER_USER: Type = t("ContainerUser", &[
    p("linux", 1, Object(&LINUX_CONTAINER_USER)),
]);

pub(super) static LINUX_CONTAINER_USER: Type = t("LinuxContainerUser", &[
    f("gid", 2, Int64), f("supplementalGroups", 3, List(&Int64)), f("uid", 1, Int64),
]);

pub(super) static RESOURCE_STATUS: Type = t("ResourceStatus", &[
    f("name", 1, String), f("resources", 2, List(&Object(&RESOURCE_HEALTH))).keys(&["resourceID"]),
]);

pub(super) static RESOURCE_HEALTH: Type = t("ResourceHealth", &[
    f("health", 2, String), p("message", 6, String), f("resourceID", 1, String),
]);

pub(super) static POD_RESOURCE_CLAIM_STATUS: Type = t("PodResourceClaimStatus", &[
    f("name", 1, String), p("resourceClaimName", 2, String),
]);

pub(super) static POD_EXTENDED_RESOURCE_CLAIM_STATUS: Type = t("PodExtendedResourceClaimStatus", &[
    f("requestMappings", 1, List(&Object(&CONTAINER_EXTENDED_RESOURCE_REQUEST))),
    f("resourceClaimName", 2, String),
]);

pub(super) static CONTAINER_EXTENDED_RESOURCE_REQUEST: Type = t("ContainerExtendedResourceRequest", &[
    f("containerName", 1, String), f("requestName", 3, String), f("resourceName", 2, String),
]);

pub(super) static NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS: Type = t("NodeAllocatableResourceClaimStatus", &[
    f("containers", 2, List(&String)).set(), f("resourceClaimName", 1, String),
    f("resources", 3, Map(&Quantity)),
]);
