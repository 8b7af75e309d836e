//! Types of the API, those of `core`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Bytes, Shape::Int32, Shape::Int64, Shape::IntOrString, Shape::List,
    Shape::Map, Shape::MicroTime, Shape::Object, Shape::Quantity, Shape::String, Shape::Time, Type,
    atomic, batch::POD_TEMPLATE_SPEC, f, meta::CONDITION, meta::OBJECT_META, p, t,
    volume::ATTACHED_VOLUME, volume::LOCAL_OBJECT_REFERENCE,
};

pub(super) static NAMESPACE: Type = t("Namespace", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&NAMESPACE_SPEC)), f("status", 3, Object(&NAMESPACE_STATUS)),
]);

pub(super) static NAMESPACE_SPEC: Type = t("NamespaceSpec", &[
    f("finalizers", 1, List(&String)),
]);

pub(super) static NAMESPACE_STATUS: Type = t("NamespaceStatus", &[
    f("conditions", 2, List(&Object(&NAMESPACE_CONDITION))).by(&["type"]), f("phase", 1, String),
]);

pub(super) static NAMESPACE_CONDITION: Type = t("NamespaceCondition", &[
    f("lastTransitionTime", 4, Time), f("message", 6, String), f("reason", 5, String),
    f("status", 2, String), f("type", 1, String),
]);

pub(super) static NODE: Type = t("Node", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&NODE_SPEC)), f("status", 3, Object(&NODE_STATUS)),
]);

pub(super) static NODE_SPEC: Type = t("NodeSpec", &[
    p("configSource", 6, Object(&NODE_CONFIG_SOURCE)), f("externalID", 2, String),
    f("podCIDR", 1, String), f("podCIDRs", 7, List(&String)).merge("").set(),
    f("providerID", 3, String), f("taints", 5, List(&Object(&TAINT))), f("unschedulable", 4, Bool),
]);

pub(super) static TAINT: Type = t("Taint", &[
    f("effect", 3, String), f("key", 1, String), p("timeAdded", 4, Time), f("value", 2, String),
]);

pub(super) static NODE_CONFIG_SOURCE: Type = t("NodeConfigSource", &[
    p("configMap", 2, Object(&CONFIG_MAP_NODE_CONFIG_SOURCE)),
]);

pub(super) static CONFIG_MAP_NODE_CONFIG_SOURCE: Type = t("ConfigMapNodeConfigSource", &[
    f("kubeletConfigKey", 5, String), f("name", 2, String), f("namespace", 1, String),
    f("resourceVersion", 4, String), f("uid", 3, String),
]);

pub(super) static NODE_STATUS: Type = t("NodeStatus", &[
    f("addresses", 5, List(&Object(&NODE_ADDRESS))).by(&["type"]),
    f("allocatable", 2, Map(&Quantity)), f("capacity", 1, Map(&Quantity)),
    f("conditions", 4, List(&Object(&NODE_CONDITION))).by(&["type"]),
    p("config", 11, Object(&NODE_CONFIG_STATUS)),
    f("daemonEndpoints", 6, Object(&NODE_DAEMON_ENDPOINTS)),
    f("declaredFeatures", 14, List(&String)), p("features", 13, Object(&NODE_FEATURES)),
    f("images", 8, List(&Object(&CONTAINER_IMAGE))), f("nodeInfo", 7, Object(&NODE_SYSTEM_INFO)),
    f("phase", 3, String), f("runtimeHandlers", 12, List(&Object(&NODE_RUNTIME_HANDLER))),
    f("volumesAttached", 10, List(&Object(&ATTACHED_VOLUME))), f("volumesInUse", 9, List(&String)),
]);

pub(super) static NODE_CONDITION: Type = t("NodeCondition", &[
    f("lastHeartbeatTime", 3, Time), f("lastTransitionTime", 4, Time), f("message", 6, String),
    f("reason", 5, String), f("status", 2, String), f("type", 1, String),
]);

pub(super) static NODE_ADDRESS: Type = t("NodeAddress", &[
    f("address", 2, String), f("type", 1, String),
]);

pub(super) static NODE_DAEMON_ENDPOINTS: Type = t("NodeDaemonEndpoints", &[
    f("kubeletEndpoint", 1, Object(&DAEMON_ENDPOINT)),
]);

pub(super) static DAEMON_ENDPOINT: Type = t("DaemonEndpoint", &[
    f("Port", 1, Int32),
]);

pub(super) static NODE_SYSTEM_INFO: Type = t("NodeSystemInfo", &[
    f("architecture", 10, String), f("bootID", 3, String), f("containerRuntimeVersion", 6, String),
    f("kernelVersion", 4, String), f("kubeProxyVersion", 8, String), f("kubeletVersion", 7, String),
    f("machineID", 1, String), f("operatingSystem", 9, String), f("osImage", 5, String),
    p("swap", 11, Object(&NODE_SWAP_STATUS)), f("systemUUID", 2, String),
]);

pub(super) static NODE_SWAP_STATUS: Type = t("NodeSwapStatus", &[
    p("capacity", 1, Int64),
]);

pub(super) static CONTAINER_IMAGE: Type = t("ContainerImage", &[
    f("names", 1, List(&String)), f("sizeBytes", 2, Int64),
]);

pub(super) static NODE_CONFIG_STATUS: Type = t("NodeConfigStatus", &[
    p("active", 2, Object(&NODE_CONFIG_SOURCE)), p("assigned", 1, Object(&NODE_CONFIG_SOURCE)),
    f("error", 4, String), p("lastKnownGood", 3, Object(&NODE_CONFIG_SOURCE)),
]);

pub(super) static NODE_RUNTIME_HANDLER: Type = t("NodeRuntimeHandler", &[
    p("features", 2, Object(&NODE_RUNTIME_HANDLER_FEATURES)), f("name", 1, String),
]);

pub(super) static NODE_RUNTIME_HANDLER_FEATURES: Type = t("NodeRuntimeHandlerFeatures", &[
    p("recursiveReadOnlyMounts", 1, Bool), p("userNamespaces", 2, Bool),
]);

pub(super) static NODE_FEATURES: Type = t("NodeFeatures", &[
    p("supplementalGroupsPolicy", 1, Bool),
]);

pub(super) static CONFIG_MAP: Type = t("ConfigMap", &[
    f("apiVersion", 0, String), f("binaryData", 3, Map(&Bytes)), f("data", 2, Map(&String)),
    p("immutable", 4, Bool), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
]);

pub(super) static SECRET: Type = t("Secret", &[
    f("apiVersion", 0, String), f("data", 2, Map(&Bytes)), p("immutable", 5, Bool),
    f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)), f("stringData", 4, Map(&String)),
    f("type", 3, String),
]);

pub(super) static EVENT: Type = t("Event", &[
    f("action", 12, String), f("apiVersion", 0, String), f("count", 8, Int32),
    f("eventTime", 10, MicroTime), f("firstTimestamp", 6, Time),
    f("involvedObject", 2, Object(&OBJECT_REFERENCE)), f("kind", 0, String),
    f("lastTimestamp", 7, Time), f("message", 4, String), f("metadata", 1, Object(&OBJECT_META)),
    f("reason", 3, String), p("related", 13, Object(&OBJECT_REFERENCE)),
    f("reportingComponent", 14, String), f("reportingInstance", 15, String),
    p("series", 11, Object(&EVENT_SERIES)), f("source", 5, Object(&EVENT_SOURCE)),
    f("type", 9, String),
]);

pub(super) static OBJECT_REFERENCE: Type = atomic("ObjectReference", &[
    f("apiVersion", 5, String), f("fieldPath", 7, String), f("kind", 1, String),
    f("name", 3, String), f("namespace", 2, String), f("resourceVersion", 6, String),
    f("uid", 4, String),
]);

pub(super) static EVENT_SOURCE: Type = t("EventSource", &[
    f("component", 1, String), f("host", 2, String),
]);

pub(super) static EVENT_SERIES: Type = t("EventSeries", &[
    f("count", 1, Int32), f("lastObservedTime", 2, MicroTime),
]);

pub(super) static SERVICE_ACCOUNT: Type = t("ServiceAccount", &[
    f("apiVersion", 0, String), p("automountServiceAccountToken", 4, Bool),
    f("imagePullSecrets", 3, List(&Object(&LOCAL_OBJECT_REFERENCE))), f("kind", 0, String),
    f("metadata", 1, Object(&OBJECT_META)),
    f("secrets", 2, List(&Object(&OBJECT_REFERENCE))).by(&["name"]),
]);

pub(super) static SERVICE: Type = t("Service", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&SERVICE_SPEC)), f("status", 3, Object(&SERVICE_STATUS)),
]);

pub(super) static SERVICE_SPEC: Type = t("ServiceSpec", &[
    p("allocateLoadBalancerNodePorts", 20, Bool), f("clusterIP", 3, String),
    f("clusterIPs", 18, List(&String)), f("externalIPs", 5, List(&String)),
    f("externalName", 10, String), f("externalTrafficPolicy", 11, String),
    f("healthCheckNodePort", 12, Int32), p("internalTrafficPolicy", 22, String),
    f("ipFamilies", 19, List(&String)), p("ipFamilyPolicy", 17, String),
    p("loadBalancerClass", 21, String), f("loadBalancerIP", 8, String),
    f("loadBalancerSourceRanges", 9, List(&String)),
    f("ports", 1, List(&Object(&SERVICE_PORT))).merge("port").keys(&["port", "protocol"]),
    f("publishNotReadyAddresses", 13, Bool), f("selector", 2, Map(&String)).atomic(),
    f("sessionAffinity", 7, String),
    p("sessionAffinityConfig", 14, Object(&SESSION_AFFINITY_CONFIG)),
    p("trafficDistribution", 23, String), f("type", 4, String),
]);

pub(super) static SERVICE_PORT: Type = t("ServicePort", &[
    p("appProtocol", 6, String), f("name", 1, String), f("nodePort", 5, Int32), f("port", 3, Int32),
    f("protocol", 2, String), f("targetPort", 4, IntOrString),
]);

pub(super) static SESSION_AFFINITY_CONFIG: Type = t("SessionAffinityConfig", &[
    p("clientIP", 1, Object(&CLIENT_IP_CONFIG)),
]);

pub(super) static CLIENT_IP_CONFIG: Type = t("ClientIPConfig", &[
    p("timeoutSeconds", 1, Int32),
]);

pub(super) static SERVICE_STATUS: Type = t("ServiceStatus", &[
    f("conditions", 2, List(&Object(&CONDITION))).by(&["type"]),
    f("loadBalancer", 1, Object(&LOAD_BALANCER_STATUS)),
]);

pub(super) static LOAD_BALANCER_STATUS: Type = t("LoadBalancerStatus", &[
    f("ingress", 1, List(&Object(&LOAD_BALANCER_INGRESS))),
]);

pub(super) static LOAD_BALANCER_INGRESS: Type = t("LoadBalancerIngress", &[
    f("hostname", 2, String), f("ip", 1, String), p("ipMode", 3, String),
    f("ports", 4, List(&Object(&PORT_STATUS))),
]);

pub(super) static PORT_STATUS: Type = t("PortStatus", &[
    p("error", 3, String), f("port", 1, Int32), f("protocol", 2, String),
]);

pub(super) static LIMIT_RANGE: Type = t("LimitRange", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&LIMIT_RANGE_SPEC)),
]);

pub(super) static LIMIT_RANGE_SPEC: Type = t("LimitRangeSpec", &[
    f("limits", 1, List(&Object(&LIMIT_RANGE_ITEM))),
]);

pub(super) static LIMIT_RANGE_ITEM: Type = t("LimitRangeItem", &[
    f("default", 4, Map(&Quantity)), f("defaultRequest", 5, Map(&Quantity)),
    f("max", 2, Map(&Quantity)), f("maxLimitRequestRatio", 6, Map(&Quantity)),
    f("min", 3, Map(&Quantity)), f("type", 1, String),
]);

pub(super) static RESOURCE_QUOTA: Type = t("ResourceQuota", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&RESOURCE_QUOTA_SPEC)), f("status", 3, Object(&RESOURCE_QUOTA_STATUS)),
]);

pub(super) static RESOURCE_QUOTA_SPEC: Type = t("ResourceQuotaSpec", &[
    f("hard", 1, Map(&Quantity)), p("scopeSelector", 3, Object(&SCOPE_SELECTOR)),
    f("scopes", 2, List(&String)),
]);

pub(super) static SCOPE_SELECTOR: Type = atomic("ScopeSelector", &[
    f("matchExpressions", 1, List(&Object(&SCOPED_RESOURCE_SELECTOR_REQUIREMENT))),
]);

pub(super) static SCOPED_RESOURCE_SELECTOR_REQUIREMENT: Type = t("ScopedResourceSelectorRequirement", &[
    f("operator", 2, String), f("scopeName", 1, String), f("values", 3, List(&String)),
]);

pub(super) static RESOURCE_QUOTA_STATUS: Type = t("ResourceQuotaStatus", &[
    f("hard", 1, Map(&Quantity)), f("used", 2, Map(&Quantity)),
]);

pub(super) static POD_TEMPLATE: Type = t("PodTemplate", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("template", 2, Object(&POD_TEMPLATE_SPEC)),
]);

pub(super) static BINDING: Type = t("Binding", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("target", 2, Object(&OBJECT_REFERENCE)),
]);
