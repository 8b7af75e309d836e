//! Types of group `core`, written by `xtask/codegen` from the published definitions of
//! Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Bytes, Shape::Int32, Shape::Int64, Shape::IntOrString, Shape::List,
    Shape::Map, Shape::MicroTime, Shape::Object, Shape::Quantity, Shape::String, Shape::Time, Type,
    f, meta::LABEL_SELECTOR, meta::OBJECT_META, volume::ATTACHED_VOLUME,
    volume::DOWNWARD_API_VOLUME_FILE, volume::VOLUME, volume::VOLUME_DEVICE, volume::VOLUME_MOUNT,
    volume::VOLUME_MOUNT_STATUS,
};

pub(super) static NAMESPACE: Type = Type { name: "Namespace", fields: &[
    f("apiVersion", String), f("kind", String), f("metadata", Object(&OBJECT_META)),
    f("spec", Object(&NAMESPACE_SPEC)), f("status", Object(&NAMESPACE_STATUS)),
] };

pub(super) static NAMESPACE_SPEC: Type = Type { name: "NamespaceSpec", fields: &[
    f("finalizers", List(&String)),
] };

pub(super) static NAMESPACE_STATUS: Type = Type { name: "NamespaceStatus", fields: &[
    f("conditions", List(&Object(&NAMESPACE_CONDITION))), f("phase", String),
] };

pub(super) static NAMESPACE_CONDITION: Type = Type { name: "NamespaceCondition", fields: &[
    f("lastTransitionTime", Time), f("message", String), f("reason", String), f("status", String),
    f("type", String),
] };

pub(super) static NODE: Type = Type { name: "Node", fields: &[
    f("apiVersion", String), f("kind", String), f("metadata", Object(&OBJECT_META)),
    f("spec", Object(&NODE_SPEC)), f("status", Object(&NODE_STATUS)),
] };

pub(super) static NODE_SPEC: Type = Type { name: "NodeSpec", fields: &[
    f("configSource", Object(&NODE_CONFIG_SOURCE)), f("externalID", String), f("podCIDR", String),
    f("podCIDRs", List(&String)), f("providerID", String), f("taints", List(&Object(&TAINT))),
    f("unschedulable", Bool),
] };

pub(super) static NODE_CONFIG_SOURCE: Type = Type { name: "NodeConfigSource", fields: &[
    f("configMap", Object(&CONFIG_MAP_NODE_CONFIG_SOURCE)),
] };

pub(super) static CONFIG_MAP_NODE_CONFIG_SOURCE: Type = Type { name: "ConfigMapNodeConfigSource", fields: &[
    f("kubeletConfigKey", String), f("name", String), f("namespace", String),
    f("resourceVersion", String), f("uid", String),
] };

pub(super) static TAINT: Type = Type { name: "Taint", fields: &[
    f("effect", String), f("key", String), f("timeAdded", Time), f("value", String),
] };

pub(super) static NODE_STATUS: Type = Type { name: "NodeStatus", fields: &[
    f("addresses", List(&Object(&NODE_ADDRESS))), f("allocatable", Map(&Quantity)),
    f("capacity", Map(&Quantity)), f("conditions", List(&Object(&NODE_CONDITION))),
    f("config", Object(&NODE_CONFIG_STATUS)), f("daemonEndpoints", Object(&NODE_DAEMON_ENDPOINTS)),
    f("declaredFeatures", List(&String)), f("features", Object(&NODE_FEATURES)),
    f("images", List(&Object(&CONTAINER_IMAGE))), f("nodeInfo", Object(&NODE_SYSTEM_INFO)),
    f("phase", String), f("runtimeHandlers", List(&Object(&NODE_RUNTIME_HANDLER))),
    f("volumesAttached", List(&Object(&ATTACHED_VOLUME))), f("volumesInUse", List(&String)),
] };

pub(super) static NODE_ADDRESS: Type = Type { name: "NodeAddress", fields: &[
    f("address", String), f("type", String),
] };

pub(super) static NODE_CONDITION: Type = Type { name: "NodeCondition", fields: &[
    f("lastHeartbeatTime", Time), f("lastTransitionTime", Time), f("message", String),
    f("reason", String), f("status", String), f("type", String),
] };

pub(super) static NODE_CONFIG_STATUS: Type = Type { name: "NodeConfigStatus", fields: &[
    f("active", Object(&NODE_CONFIG_SOURCE)), f("assigned", Object(&NODE_CONFIG_SOURCE)),
    f("error", String), f("lastKnownGood", Object(&NODE_CONFIG_SOURCE)),
] };

pub(super) static NODE_DAEMON_ENDPOINTS: Type = Type { name: "NodeDaemonEndpoints", fields: &[
    f("kubeletEndpoint", Object(&DAEMON_ENDPOINT)),
] };

pub(super) static DAEMON_ENDPOINT: Type = Type { name: "DaemonEndpoint", fields: &[
    f("Port", Int32),
] };

pub(super) static NODE_FEATURES: Type = Type { name: "NodeFeatures", fields: &[
    f("supplementalGroupsPolicy", Bool),
] };

pub(super) static CONTAINER_IMAGE: Type = Type { name: "ContainerImage", fields: &[
    f("names", List(&String)), f("sizeBytes", Int64),
] };

pub(super) static NODE_SYSTEM_INFO: Type = Type { name: "NodeSystemInfo", fields: &[
    f("architecture", String), f("bootID", String), f("containerRuntimeVersion", String),
    f("kernelVersion", String), f("kubeProxyVersion", String), f("kubeletVersion", String),
    f("machineID", String), f("operatingSystem", String), f("osImage", String),
    f("swap", Object(&NODE_SWAP_STATUS)), f("systemUUID", String),
] };

pub(super) static NODE_SWAP_STATUS: Type = Type { name: "NodeSwapStatus", fields: &[
    f("capacity", Int64),
] };

pub(super) static NODE_RUNTIME_HANDLER: Type = Type { name: "NodeRuntimeHandler", fields: &[
    f("features", Object(&NODE_RUNTIME_HANDLER_FEATURES)), f("name", String),
] };

pub(super) static NODE_RUNTIME_HANDLER_FEATURES: Type = Type { name: "NodeRuntimeHandlerFeatures", fields: &[
    f("recursiveReadOnlyMounts", Bool), f("userNamespaces", Bool),
] };

pub(super) static CONFIG_MAP: Type = Type { name: "ConfigMap", fields: &[
    f("apiVersion", String), f("binaryData", Map(&Bytes)), f("data", Map(&String)),
    f("immutable", Bool), f("kind", String), f("metadata", Object(&OBJECT_META)),
] };

pub(super) static SECRET: Type = Type { name: "Secret", fields: &[
    f("apiVersion", String), f("data", Map(&Bytes)), f("immutable", Bool), f("kind", String),
    f("metadata", Object(&OBJECT_META)), f("stringData", Map(&String)), f("type", String),
] };

pub(super) static POD: Type = Type { name: "Pod", fields: &[
    f("apiVersion", String), f("kind", String), f("metadata", Object(&OBJECT_META)),
    f("spec", Object(&POD_SPEC)), f("status", Object(&POD_STATUS)),
] };

pub(super) static POD_SPEC: Type = Type { name: "PodSpec", fields: &[
    f("activeDeadlineSeconds", Int64), f("affinity", Object(&AFFINITY)),
    f("automountServiceAccountToken", Bool), f("containers", List(&Object(&CONTAINER))),
    f("dnsConfig", Object(&POD_DNS_CONFIG)), f("dnsPolicy", String), f("enableServiceLinks", Bool),
    f("ephemeralContainers", List(&Object(&EPHEMERAL_CONTAINER))),
    f("hostAliases", List(&Object(&HOST_ALIAS))), f("hostIPC", Bool), f("hostNetwork", Bool),
    f("hostPID", Bool), f("hostUsers", Bool), f("hostname", String), f("hostnameOverride", String),
    f("imagePullSecrets", List(&Object(&LOCAL_OBJECT_REFERENCE))),
    f("initContainers", List(&Object(&CONTAINER))), f("nodeName", String),
    f("nodeSelector", Map(&String)), f("os", Object(&POD_OS)), f("overhead", Map(&Quantity)),
    f("preemptionPolicy", String), f("priority", Int32), f("priorityClassName", String),
    f("readinessGates", List(&Object(&POD_READINESS_GATE))),
    f("resourceClaims", List(&Object(&POD_RESOURCE_CLAIM))),
    f("resources", Object(&RESOURCE_REQUIREMENTS)), f("restartPolicy", String),
    f("runtimeClassName", String), f("schedulerName", String),
    f("schedulingGates", List(&Object(&POD_SCHEDULING_GATE))),
    f("schedulingGroup", Object(&POD_SCHEDULING_GROUP)),
    f("securityContext", Object(&POD_SECURITY_CONTEXT)), f("serviceAccount", String),
    f("serviceAccountName", String), f("setHostnameAsFQDN", Bool), f("shareProcessNamespace", Bool),
    f("subdomain", String), f("terminationGracePeriodSeconds", Int64),
    f("tolerations", List(&Object(&TOLERATION))),
    f("topologySpreadConstraints", List(&Object(&TOPOLOGY_SPREAD_CONSTRAINT))),
    f("volumes", List(&Object(&VOLUME))),
] };

pub(super) static AFFINITY: Type = Type { name: "Affinity", fields: &[
    f("nodeAffinity", Object(&NODE_AFFINITY)), f("podAffinity", Object(&POD_AFFINITY)),
    f("podAntiAffinity", Object(&POD_ANTI_AFFINITY)),
] };

pub(super) static NODE_AFFINITY: Type = Type { name: "NodeAffinity", fields: &[
    f("preferredDuringSchedulingIgnoredDuringExecution", List(&Object(&PREFERRED_SCHEDULING_TERM))),
    f("requiredDuringSchedulingIgnoredDuringExecution", Object(&NODE_SELECTOR)),
] };

pub(super) static PREFERRED_SCHEDULING_TERM: Type = Type { name: "PreferredSchedulingTerm", fields: &[
    f("preference", Object(&NODE_SELECTOR_TERM)), f("weight", Int32),
] };

pub(super) static NODE_SELECTOR_TERM: Type = Type { name: "NodeSelectorTerm", fields: &[
    f("matchExpressions", List(&Object(&NODE_SELECTOR_REQUIREMENT))),
    f("matchFields", List(&Object(&NODE_SELECTOR_REQUIREMENT))),
] };

pub(super) static NODE_SELECTOR_REQUIREMENT: Type = Type { name: "NodeSelectorRequirement", fields: &[
    f("key", String), f("operator", String), f("values", List(&String)),
] };

pub(super) static NODE_SELECTOR: Type = Type { name: "NodeSelector", fields: &[
    f("nodeSelectorTerms", List(&Object(&NODE_SELECTOR_TERM))),
] };

pub(super) static POD_AFFINITY: Type = Type { name: "PodAffinity", fields: &[
    
    f("preferredDuringSchedulingIgnoredDuringExecution", List(&Object(&WEIGHTED_POD_AFFINITY_TERM))),
    f("requiredDuringSchedulingIgnoredDuringExecution", List(&Object(&POD_AFFINITY_TERM))),
] };

pub(super) static WEIGHTED_POD_AFFINITY_TERM: Type = Type { name: "WeightedPodAffinityTerm", fields: &[
    f("podAffinityTerm", Object(&POD_AFFINITY_TERM)), f("weight", Int32),
] };

pub(super) static POD_AFFINITY_TERM: Type = Type { name: "PodAffinityTerm", fields: &[
    f("labelSelector", Object(&LABEL_SELECTOR)), f("matchLabelKeys", List(&String)),
    f("mismatchLabelKeys", List(&String)), f("namespaceSelector", Object(&LABEL_SELECTOR)),
    f("namespaces", List(&String)), f("topologyKey", String),
] };

pub(super) static POD_ANTI_AFFINITY: Type = Type { name: "PodAntiAffinity", fields: &[
    
    f("preferredDuringSchedulingIgnoredDuringExecution", List(&Object(&WEIGHTED_POD_AFFINITY_TERM))),
    f("requiredDuringSchedulingIgnoredDuringExecution", List(&Object(&POD_AFFINITY_TERM))),
] };

pub(super) static CONTAINER: Type = Type { name: "Container", fields: &[
    f("args", List(&String)), f("command", List(&String)), f("env", List(&Object(&ENV_VAR))),
    f("envFrom", List(&Object(&ENV_FROM_SOURCE))), f("image", String), f("imagePullPolicy", String),
    f("lifecycle", Object(&LIFECYCLE)), f("livenessProbe", Object(&PROBE)), f("name", String),
    f("ports", List(&Object(&CONTAINER_PORT))), f("readinessProbe", Object(&PROBE)),
    f("resizePolicy", List(&Object(&CONTAINER_RESIZE_POLICY))),
    f("resources", Object(&RESOURCE_REQUIREMENTS)), f("restartPolicy", String),
    f("restartPolicyRules", List(&Object(&CONTAINER_RESTART_RULE))),
    f("securityContext", Object(&SECURITY_CONTEXT)), f("startupProbe", Object(&PROBE)),
    f("stdin", Bool), f("stdinOnce", Bool), f("terminationMessagePath", String),
    f("terminationMessagePolicy", String), f("tty", Bool),
    f("volumeDevices", List(&Object(&VOLUME_DEVICE))),
    f("volumeMounts", List(&Object(&VOLUME_MOUNT))), f("workingDir", String),
] };

pub(super) static ENV_VAR: Type = Type { name: "EnvVar", fields: &[
    f("name", String), f("value", String), f("valueFrom", Object(&ENV_VAR_SOURCE)),
] };

pub(super) static ENV_VAR_SOURCE: Type = Type { name: "EnvVarSource", fields: &[
    f("configMapKeyRef", Object(&CONFIG_MAP_KEY_SELECTOR)),
    f("fieldRef", Object(&OBJECT_FIELD_SELECTOR)), f("fileKeyRef", Object(&FILE_KEY_SELECTOR)),
    f("resourceFieldRef", Object(&RESOURCE_FIELD_SELECTOR)),
    f("secretKeyRef", Object(&SECRET_KEY_SELECTOR)),
] };

pub(super) static CONFIG_MAP_KEY_SELECTOR: Type = Type { name: "ConfigMapKeySelector", fields: &[
    f("key", String), f("name", String), f("optional", Bool),
] };

pub(super) static OBJECT_FIELD_SELECTOR: Type = Type { name: "ObjectFieldSelector", fields: &[
    f("apiVersion", String), f("fieldPath", String),
] };

pub(super) static FILE_KEY_SELECTOR: Type = Type { name: "FileKeySelector", fields: &[
    f("key", String), f("optional", Bool), f("path", String), f("volumeName", String),
] };

pub(super) static RESOURCE_FIELD_SELECTOR: Type = Type { name: "ResourceFieldSelector", fields: &[
    f("containerName", String), f("divisor", Quantity), f("resource", String),
] };

pub(super) static SECRET_KEY_SELECTOR: Type = Type { name: "SecretKeySelector", fields: &[
    f("key", String), f("name", String), f("optional", Bool),
] };

pub(super) static ENV_FROM_SOURCE: Type = Type { name: "EnvFromSource", fields: &[
    f("configMapRef", Object(&CONFIG_MAP_ENV_SOURCE)), f("prefix", String),
    f("secretRef", Object(&SECRET_ENV_SOURCE)),
] };

pub(super) static CONFIG_MAP_ENV_SOURCE: Type = Type { name: "ConfigMapEnvSource", fields: &[
    f("name", String), f("optional", Bool),
] };

pub(super) static SECRET_ENV_SOURCE: Type = Type { name: "SecretEnvSource", fields: &[
    f("name", String), f("optional", Bool),
] };

pub(super) static LIFECYCLE: Type = Type { name: "Lifecycle", fields: &[
    f("postStart", Object(&LIFECYCLE_HANDLER)), f("preStop", Object(&LIFECYCLE_HANDLER)),
    f("stopSignal", String),
] };

pub(super) static LIFECYCLE_HANDLER: Type = Type { name: "LifecycleHandler", fields: &[
    f("exec", Object(&EXEC_ACTION)), f("httpGet", Object(&HTTP_GET_ACTION)),
    f("sleep", Object(&SLEEP_ACTION)), f("tcpSocket", Object(&TCP_SOCKET_ACTION)),
] };

pub(super) static EXEC_ACTION: Type = Type { name: "ExecAction", fields: &[
    f("command", List(&String)),
] };

pub(super) static HTTP_GET_ACTION: Type = Type { name: "HTTPGetAction", fields: &[
    f("host", String), f("httpHeaders", List(&Object(&HTTP_HEADER))), f("path", String),
    f("port", IntOrString), f("scheme", String),
] };

pub(super) static HTTP_HEADER: Type = Type { name: "HTTPHeader", fields: &[
    f("name", String), f("value", String),
] };

pub(super) static SLEEP_ACTION: Type = Type { name: "SleepAction", fields: &[
    f("seconds", Int64),
] };

pub(super) static TCP_SOCKET_ACTION: Type = Type { name: "TCPSocketAction", fields: &[
    f("host", String), f("port", IntOrString),
] };

pub(super) static PROBE: Type = Type { name: "Probe", fields: &[
    f("exec", Object(&EXEC_ACTION)), f("failureThreshold", Int32), f("grpc", Object(&GRPC_ACTION)),
    f("httpGet", Object(&HTTP_GET_ACTION)), f("initialDelaySeconds", Int32),
    f("periodSeconds", Int32), f("successThreshold", Int32),
    f("tcpSocket", Object(&TCP_SOCKET_ACTION)), f("terminationGracePeriodSeconds", Int64),
    f("timeoutSeconds", Int32),
] };

pub(super) static GRPC_ACTION: Type = Type { name: "GRPCAction", fields: &[
    f("port", Int32), f("service", String),
] };

pub(super) static CONTAINER_PORT: Type = Type { name: "ContainerPort", fields: &[
    f("containerPort", Int32), f("hostIP", String), f("hostPort", Int32), f("name", String),
    f("protocol", String),
] };

pub(super) static CONTAINER_RESIZE_POLICY: Type = Type { name: "ContainerResizePolicy", fields: &[
    f("resourceName", String), f("restartPolicy", String),
] };

pub(super) static RESOURCE_REQUIREMENTS: Type = Type { name: "ResourceRequirements", fields: &[
    f("claims", List(&Object(&RESOURCE_CLAIM))), f("limits", Map(&Quantity)),
    f("requests", Map(&Quantity)),
] };

pub(super) static RESOURCE_CLAIM: Type = Type { name: "ResourceClaim", fields: &[
    f("name", String), f("request", String),
] };

pub(super) static CONTAINER_RESTART_RULE: Type = Type { name: "ContainerRestartRule", fields: &[
    f("action", String), f("exitCodes", Object(&CONTAINER_RESTART_RULE_ON_EXIT_CODES)),
] };

pub(super) static CONTAINER_RESTART_RULE_ON_EXIT_CODES: Type = Type { name: "ContainerRestartRuleOnExitCodes", fields: &[
    f("operator", String), f("values", List(&Int32)),
] };

pub(super) static SECURITY_CONTEXT: Type = Type { name: "SecurityContext", fields: &[
    f("allowPrivilegeEscalation", Bool), f("appArmorProfile", Object(&APP_ARMOR_PROFILE)),
    f("capabilities", Object(&CAPABILITIES)), f("privileged", Bool), f("procMount", String),
    f("readOnlyRootFilesystem", Bool), f("runAsGroup", Int64), f("runAsNonRoot", Bool),
    f("runAsUser", Int64), f("seLinuxOptions", Object(&SE_LINUX_OPTIONS)),
    f("seccompProfile", Object(&SECCOMP_PROFILE)),
    f("windowsOptions", Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
] };

pub(super) static APP_ARMOR_PROFILE: Type = Type { name: "AppArmorProfile", fields: &[
    f("localhostProfile", String), f("type", String),
] };

pub(super) static CAPABILITIES: Type = Type { name: "Capabilities", fields: &[
    f("add", List(&String)), f("drop", List(&String)),
] };

pub(super) static SE_LINUX_OPTIONS: Type = Type { name: "SELinuxOptions", fields: &[
    f("level", String), f("role", String), f("type", String), f("user", String),
] };

pub(super) static SECCOMP_PROFILE: Type = Type { name: "SeccompProfile", fields: &[
    f("localhostProfile", String), f("type", String),
] };

pub(super) static WINDOWS_SECURITY_CONTEXT_OPTIONS: Type = Type { name: "WindowsSecurityContextOptions", fields: &[
    f("gmsaCredentialSpec", String), f("gmsaCredentialSpecName", String), f("hostProcess", Bool),
    f("runAsUserName", String),
] };

pub(super) static POD_DNS_CONFIG: Type = Type { name: "PodDNSConfig", fields: &[
    f("nameservers", List(&String)), f("options", List(&Object(&POD_DNS_CONFIG_OPTION))),
    f("searches", List(&String)),
] };

pub(super) static POD_DNS_CONFIG_OPTION: Type = Type { name: "PodDNSConfigOption", fields: &[
    f("name", String), f("value", String),
] };

pub(super) static EPHEMERAL_CONTAINER: Type = Type { name: "EphemeralContainer", fields: &[
    f("args", List(&String)), f("command", List(&String)), f("env", List(&Object(&ENV_VAR))),
    f("envFrom", List(&Object(&ENV_FROM_SOURCE))), f("image", String), f("imagePullPolicy", String),
    f("lifecycle", Object(&LIFECYCLE)), f("livenessProbe", Object(&PROBE)), f("name", String),
    f("ports", List(&Object(&CONTAINER_PORT))), f("readinessProbe", Object(&PROBE)),
    f("resizePolicy", List(&Object(&CONTAINER_RESIZE_POLICY))),
    f("resources", Object(&RESOURCE_REQUIREMENTS)), f("restartPolicy", String),
    f("restartPolicyRules", List(&Object(&CONTAINER_RESTART_RULE))),
    f("securityContext", Object(&SECURITY_CONTEXT)), f("startupProbe", Object(&PROBE)),
    f("stdin", Bool), f("stdinOnce", Bool), f("targetContainerName", String),
    f("terminationMessagePath", String), f("terminationMessagePolicy", String), f("tty", Bool),
    f("volumeDevices", List(&Object(&VOLUME_DEVICE))),
    f("volumeMounts", List(&Object(&VOLUME_MOUNT))), f("workingDir", String),
] };

pub(super) static HOST_ALIAS: Type = Type { name: "HostAlias", fields: &[
    f("hostnames", List(&String)), f("ip", String),
] };

pub(super) static LOCAL_OBJECT_REFERENCE: Type = Type { name: "LocalObjectReference", fields: &[
    f("name", String),
] };

pub(super) static POD_OS: Type = Type { name: "PodOS", fields: &[
    f("name", String),
] };

pub(super) static POD_READINESS_GATE: Type = Type { name: "PodReadinessGate", fields: &[
    f("conditionType", String),
] };

pub(super) static POD_RESOURCE_CLAIM: Type = Type { name: "PodResourceClaim", fields: &[
    f("name", String), f("resourceClaimName", String), f("resourceClaimTemplateName", String),
] };

pub(super) static POD_SCHEDULING_GATE: Type = Type { name: "PodSchedulingGate", fields: &[
    f("name", String),
] };

pub(super) static POD_SCHEDULING_GROUP: Type = Type { name: "PodSchedulingGroup", fields: &[
    f("podGroupName", String),
] };

pub(super) static POD_SECURITY_CONTEXT: Type = Type { name: "PodSecurityContext", fields: &[
    f("appArmorProfile", Object(&APP_ARMOR_PROFILE)), f("fsGroup", Int64),
    f("fsGroupChangePolicy", String), f("runAsGroup", Int64), f("runAsNonRoot", Bool),
    f("runAsUser", Int64), f("seLinuxChangePolicy", String),
    f("seLinuxOptions", Object(&SE_LINUX_OPTIONS)), f("seccompProfile", Object(&SECCOMP_PROFILE)),
    f("supplementalGroups", List(&Int64)), f("supplementalGroupsPolicy", String),
    f("sysctls", List(&Object(&SYSCTL))),
    f("windowsOptions", Object(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
] };

pub(super) static SYSCTL: Type = Type { name: "Sysctl", fields: &[
    f("name", String), f("value", String),
] };

pub(super) static TOLERATION: Type = Type { name: "Toleration", fields: &[
    f("effect", String), f("key", String), f("operator", String), f("tolerationSeconds", Int64),
    f("value", String),
] };

pub(super) static TOPOLOGY_SPREAD_CONSTRAINT: Type = Type { name: "TopologySpreadConstraint", fields: &[
    f("labelSelector", Object(&LABEL_SELECTOR)), f("matchLabelKeys", List(&String)),
    f("maxSkew", Int32), f("minDomains", Int32), f("nodeAffinityPolicy", String),
    f("nodeTaintsPolicy", String), f("topologyKey", String), f("whenUnsatisfiable", String),
] };

pub(super) static KEY_TO_PATH: Type = Type { name: "KeyToPath", fields: &[
    f("key", String), f("mode", Int32), f("path", String),
] };

pub(super) static TYPED_LOCAL_OBJECT_REFERENCE: Type = Type { name: "TypedLocalObjectReference", fields: &[
    f("apiGroup", String), f("kind", String), f("name", String),
] };

pub(super) static TYPED_OBJECT_REFERENCE: Type = Type { name: "TypedObjectReference", fields: &[
    f("apiGroup", String), f("kind", String), f("name", String), f("namespace", String),
] };

pub(super) static CLUSTER_TRUST_BUNDLE_PROJECTION: Type = Type { name: "ClusterTrustBundleProjection", fields: &[
    f("labelSelector", Object(&LABEL_SELECTOR)), f("name", String), f("optional", Bool),
    f("path", String), f("signerName", String),
] };

pub(super) static CONFIG_MAP_PROJECTION: Type = Type { name: "ConfigMapProjection", fields: &[
    f("items", List(&Object(&KEY_TO_PATH))), f("name", String), f("optional", Bool),
] };

pub(super) static DOWNWARD_API_PROJECTION: Type = Type { name: "DownwardAPIProjection", fields: &[
    f("items", List(&Object(&DOWNWARD_API_VOLUME_FILE))),
] };

pub(super) static POD_CERTIFICATE_PROJECTION: Type = Type { name: "PodCertificateProjection", fields: &[
    f("certificateChainPath", String), f("credentialBundlePath", String), f("keyPath", String),
    f("keyType", String), f("maxExpirationSeconds", Int32), f("signerName", String),
    f("userAnnotations", Map(&String)),
] };

pub(super) static SECRET_PROJECTION: Type = Type { name: "SecretProjection", fields: &[
    f("items", List(&Object(&KEY_TO_PATH))), f("name", String), f("optional", Bool),
] };

pub(super) static SERVICE_ACCOUNT_TOKEN_PROJECTION: Type = Type { name: "ServiceAccountTokenProjection", fields: &[
    f("audience", String), f("expirationSeconds", Int64), f("path", String),
] };

pub(super) static POD_STATUS: Type = Type { name: "PodStatus", fields: &[
    f("allocatedResources", Map(&Quantity)), f("conditions", List(&Object(&POD_CONDITION))),
    f("containerStatuses", List(&Object(&CONTAINER_STATUS))),
    f("ephemeralContainerStatuses", List(&Object(&CONTAINER_STATUS))),
    f("extendedResourceClaimStatus", Object(&POD_EXTENDED_RESOURCE_CLAIM_STATUS)),
    f("hostIP", String), f("hostIPs", List(&Object(&HOST_IP))),
    f("initContainerStatuses", List(&Object(&CONTAINER_STATUS))), f("message", String),
    f("nodeAllocatableResourceClaimStatuses", List(&Object(&NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS))),
    f("nominatedNodeName", String), f("observedGeneration", Int64), f("phase", String),
    f("podIP", String), f("podIPs", List(&Object(&POD_IP))), f("qosClass", String),
    f("reason", String), f("resize", String),
    f("resourceClaimStatuses", List(&Object(&POD_RESOURCE_CLAIM_STATUS))),
    f("resources", Object(&RESOURCE_REQUIREMENTS)), f("startTime", Time),
] };

pub(super) static POD_CONDITION: Type = Type { name: "PodCondition", fields: &[
    f("lastProbeTime", Time), f("lastTransitionTime", Time), f("message", String),
    f("observedGeneration", Int64), f("reason", String), f("status", String), f("type", String),
] };

pub(super) static CONTAINER_STATUS: Type = Type { name: "ContainerStatus", fields: &[
    f("allocatedResources", Map(&Quantity)),
    f("allocatedResourcesStatus", List(&Object(&RESOURCE_STATUS))), f("containerID", String),
    f("image", String), f("imageID", String), f("lastState", Object(&CONTAINER_STATE)),
    f("name", String), f("ready", Bool), f("resources", Object(&RESOURCE_REQUIREMENTS)),
    f("restartCount", Int32), f("started", Bool), f("state", Object(&CONTAINER_STATE)),
    f("stopSignal", String), f("user", Object(&CONTAINER_USER)),
    f("volumeMounts", List(&Object(&VOLUME_MOUNT_STATUS))),
] };

pub(super) static RESOURCE_STATUS: Type = Type { name: "ResourceStatus", fields: &[
    f("name", String), f("resources", List(&Object(&RESOURCE_HEALTH))),
] };

pub(super) static RESOURCE_HEALTH: Type = Type { name: "ResourceHealth", fields: &[
    f("health", String), f("message", String), f("resourceID", String),
] };

pub(super) static CONTAINER_STATE: Type = Type { name: "ContainerState", fields: &[
    f("running", Object(&CONTAINER_STATE_RUNNING)),
    f("terminated", Object(&CONTAINER_STATE_TERMINATED)),
    f("waiting", Object(&CONTAINER_STATE_WAITING)),
] };

pub(super) static CONTAINER_STATE_RUNNING: Type = Type { name: "ContainerStateRunning", fields: &[
    f("startedAt", Time),
] };

pub(super) static CONTAINER_STATE_TERMINATED: Type = Type { name: "ContainerStateTerminated", fields: &[
    f("containerID", String), f("exitCode", Int32), f("finishedAt", Time), f("message", String),
    f("reason", String), f("signal", Int32), f("startedAt", Time),
] };

pub(super) static CONTAINER_STATE_WAITING: Type = Type { name: "ContainerStateWaiting", fields: &[
    f("message", String), f("reason", String),
] };

pub(super) static CONTAINER_USER: Type = Type { name: "ContainerUser", fields: &[
    f("linux", Object(&LINUX_CONTAINER_USER)),
] };

pub(super) static LINUX_CONTAINER_USER: Type = Type { name: "LinuxContainerUser", fields: &[
    f("gid", Int64), f("supplementalGroups", List(&Int64)), f("uid", Int64),
] };

pub(super) static POD_EXTENDED_RESOURCE_CLAIM_STATUS: Type = Type { name: "PodExtendedResourceClaimStatus", fields: &[
    f("requestMappings", List(&Object(&CONTAINER_EXTENDED_RESOURCE_REQUEST))),
    f("resourceClaimName", String),
] };

pub(super) static CONTAINER_EXTENDED_RESOURCE_REQUEST: Type = Type { name: "ContainerExtendedResourceRequest", fields: &[
    f("containerName", String), f("requestName", String), f("resourceName", String),
] };

pub(super) static HOST_IP: Type = Type { name: "HostIP", fields: &[
    f("ip", String),
] };

pub(super) static NODE_ALLOCATABLE_RESOURCE_CLAIM_STATUS: Type = Type { name: "NodeAllocatableResourceClaimStatus", fields: &[
    f("containers", List(&String)), f("resourceClaimName", String), f("resources", Map(&Quantity)),
] };

pub(super) static POD_IP: Type = Type { name: "PodIP", fields: &[
    f("ip", String),
] };

pub(super) static POD_RESOURCE_CLAIM_STATUS: Type = Type { name: "PodResourceClaimStatus", fields: &[
    f("name", String), f("resourceClaimName", String),
] };

pub(super) static EVENT: Type = Type { name: "Event", fields: &[
    f("action", String), f("apiVersion", String), f("count", Int32), f("eventTime", MicroTime),
    f("firstTimestamp", Time), f("involvedObject", Object(&OBJECT_REFERENCE)), f("kind", String),
    f("lastTimestamp", Time), f("message", String), f("metadata", Object(&OBJECT_META)),
    f("reason", String), f("related", Object(&OBJECT_REFERENCE)), f("reportingComponent", String),
    f("reportingInstance", String), f("series", Object(&EVENT_SERIES)),
    f("source", Object(&EVENT_SOURCE)), f("type", String),
] };

pub(super) static OBJECT_REFERENCE: Type = Type { name: "ObjectReference", fields: &[
    f("apiVersion", String), f("fieldPath", String), f("kind", String), f("name", String),
    f("namespace", String), f("resourceVersion", String), f("uid", String),
] };

pub(super) static EVENT_SERIES: Type = Type { name: "EventSeries", fields: &[
    f("count", Int32), f("lastObservedTime", MicroTime),
] };

pub(super) static EVENT_SOURCE: Type = Type { name: "EventSource", fields: &[
    f("component", String), f("host", String),
] };

pub(super) static POD_TEMPLATE_SPEC: Type = Type { name: "PodTemplateSpec", fields: &[
    f("metadata", Object(&OBJECT_META)), f("spec", Object(&POD_SPEC)),
] };
