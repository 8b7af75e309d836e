//! Requests that are right, by verb: what is mutated.

use kinds::Kind;

/// One request.
pub(super) struct Sample {
    pub(super) verb: &'static str,
    pub(super) method: &'static str,
    pub(super) target: &'static str,
    pub(super) content: &'static str,
    /// Text, or hexadecimal where the content is protobuf.
    body: &'static str,
}

impl Sample {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.content {
            PROTOBUF => {
                let digits = |at| u8::from_str_radix(&self.body[at..at + 2], 16).unwrap();
                (0..self.body.len()).step_by(2).map(digits).collect()
            }
            _ => self.body.as_bytes().to_vec(),
        }
    }
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const JSON_PATCH: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// Types of content, right and wrong.
pub(super) const CONTENT: &[&str] = &[
    JSON,
    YAML,
    PROTOBUF,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    "application/apply-patch+yaml",
    "text/html",
    ";",
    "",
];

/// What the samples are about. Nothing of it changes by itself.
pub(super) const OBJECTS: &[(Kind, &str)] = &[
    (Kind::ConfigMap, r#"{"metadata":{"name":"a","labels":{"app":"x"}},"data":{"k":"v"}}"#),
    (Kind::Secret, r#"{"metadata":{"name":"a"},"data":{"k":"dg=="}}"#),
    (
        Kind::Pod,
        r#"{"metadata":{"name":"p"},"spec":{"nodeSelector":{"no":"such"},"containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}"#,
    ),
    (
        Kind::Job,
        r#"{"metadata":{"name":"j"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}}}"#,
    ),
];

const fn read(verb: &'static str, target: &'static str) -> Sample {
    Sample { verb, method: "GET", target, content: JSON, body: "" }
}

const fn post(verb: &'static str, target: &'static str, body: &'static str) -> Sample {
    Sample { verb, method: "POST", target, content: JSON, body }
}

const fn put(target: &'static str, body: &'static str) -> Sample {
    Sample { verb: "update", method: "PUT", target, content: JSON, body }
}

const fn patch(content: &'static str, target: &'static str, body: &'static str) -> Sample {
    Sample { verb: "patch", method: "PATCH", target, content, body }
}

const fn delete(verb: &'static str, target: &'static str, body: &'static str) -> Sample {
    Sample { verb, method: "DELETE", target, content: JSON, body }
}

impl Sample {
    const fn of(self, content: &'static str) -> Self {
        Self { content, ..self }
    }
}

pub(super) const SAMPLES: &[Sample] = &[
    read("get", "/api/v1/namespaces/default/pods/p"),
    read("get", "/apis/batch/v1/namespaces/default/jobs/j/status?resourceVersion=0"),
    read("get", "/coracle/history?job=j&namespace=default"),
    read("beside", "/apis/batch/v1"),
    read("beside", "/openapi/v3/apis/batch/v1?hash="),
    read("beside", "/livez?verbose=true&exclude=store"),
    read("beside", "/readyz/ping"),
    read("beside", "/metrics"),
    read("list", "/api/v1/namespaces/default/pods?labelSelector=a%3Db,c+in+(d)&limit=5"),
    read("list", "/apis/batch/v1/jobs?fieldSelector=metadata.name%3Dx&resourceVersion=1"),
    read(
        "watch",
        "/api/v1/pods?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=1",
    ),
    read(
        "watch",
        "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
    ),
    read("log", "/api/v1/namespaces/default/pods/p/log?tailLines=5&sinceSeconds=1&container=c"),
    read(
        "log",
        "/api/v1/namespaces/default/pods/p/log?stream=Stdout&sinceTime=2026-01-01T00:00:00Z&limitBytes=9&timestamps=true",
    ),
    post(
        "create",
        "/api/v1/namespaces/default/secrets?fieldValidation=Strict",
        r#"{"metadata":{"generateName":"s-"},"data":{"k":"dg=="},"stringData":{"a":"b"}}"#,
    ),
    post(
        "create",
        "/apis/batch/v1/namespaces/default/jobs",
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"j-"},"spec":{"completions":3,"completionMode":"Indexed","backoffLimit":2,"activeDeadlineSeconds":60,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"coracle.local/host","command":["true"],"env":[{"name":"A","value":"b"}],"resources":{"limits":{"cpu":"100m","memory":"64Mi"}}}]}}}}"#,
    ),
    post(
        "create",
        "/api/v1/namespaces/default/pods",
        r#"{"metadata":{"generateName":"p-","labels":{"a":"b"}},"spec":{"nodeSelector":{"no":"such"},"containers":[{"name":"c","image":"coracle.local/host","command":["true"]}],"volumes":[{"name":"v","emptyDir":{}}]}}"#,
    ),
    post(
        "create",
        "/apis/batch/v1/namespaces/default/jobs?fieldManager=m",
        "metadata:\n  generateName: y-\nspec:\n  suspend: on\n  template:\n    spec: &spec\n      restartPolicy: Never\n      containers:\n      - {name: c, image: coracle.local/host, command: [\"true\"]}\n",
    )
    .of(YAML),
    // kubectl create configmap pb --from-literal=a=b
    post(
        "create",
        "/api/v1/namespaces/default/configmaps",
        "6b3873000a0f0a0276311209436f6e6669674d6170121c0a120a02706212001a0022002a0032003800420012060a01611201621a002200",
    )
    .of(PROTOBUF),
    post(
        "evict",
        "/api/v1/namespaces/default/pods/p/eviction?dryRun=All",
        r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":5,"preconditions":{}}}"#,
    ),
    post(
        "bind",
        "/api/v1/namespaces/default/pods/p/binding?dryRun=All",
        r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p","annotations":{"a":"b"}},"target":{"kind":"Node","name":"here"}}"#,
    ),
    post(
        "review",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        r#"{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{"resourceAttributes":{"namespace":"default","verb":"create","group":"batch","resource":"jobs"}}}"#,
    ),
    post(
        "review",
        "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews",
        r#"{"spec":{"user":"u","groups":["g"],"resourceAttributes":{"namespace":"default","verb":"get"}}}"#,
    ),
    post(
        "review",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200",
    )
    .of(PROTOBUF),
    put(
        "/api/v1/namespaces/default/configmaps/a",
        r#"{"metadata":{"name":"a","finalizers":[],"ownerReferences":[]},"data":{"k":"w"},"binaryData":{"b":"dg=="}}"#,
    ),
    put(
        "/apis/batch/v1/namespaces/default/jobs/j/status",
        r#"{"metadata":{"name":"j"},"status":{"conditions":[{"type":"Suspended","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],"active":0}}"#,
    ),
    put("/api/v1/namespaces/default/events/e", "metadata: {name: e}\ninvolvedObject: {namespace: default}\ntype: Normal\n")
        .of(YAML),
    patch(
        JSON_PATCH,
        "/api/v1/namespaces/default/configmaps/a",
        r#"[{"op":"test","path":"/metadata/name","value":"a"},{"op":"add","path":"/data/m","value":"2"},{"op":"copy","from":"/data/m","path":"/data/n"},{"op":"remove","path":"/data/n"}]"#,
    ),
    patch(
        MERGE,
        "/apis/batch/v1/namespaces/default/jobs/j?fieldManager=kubectl-patch",
        r#"{"metadata":{"labels":{"a":"b"},"annotations":null},"spec":{"parallelism":2,"backoffLimit":3}}"#,
    ),
    patch(
        STRATEGIC,
        "/apis/batch/v1/namespaces/default/jobs/j?fieldValidation=Strict",
        r#"{"metadata":{"annotations":{"a":"b"}},"spec":{"parallelism":3,"template":{"spec":{"$setElementOrder/containers":[{"name":"c"}],"containers":[{"name":"c","$retainKeys":["command","image","name"]}]}}}}"#,
    ),
    patch(
        STRATEGIC,
        "/api/v1/namespaces/default/pods/p/status",
        r#"{"status":{"conditions":[{"type":"Ready","status":"False"},{"$patch":"delete","type":"Initialized"}]}}"#,
    ),
    delete(
        "delete",
        "/api/v1/namespaces/default/configmaps/a?gracePeriodSeconds=1",
        r#"{"preconditions":{},"propagationPolicy":"Orphan"}"#,
    ),
    delete("delete", "/apis/batch/v1/namespaces/default/jobs/j?propagationPolicy=Foreground", ""),
    delete(
        "delete",
        "/api/v1/namespaces/default/pods/p",
        "6b3873000a190a0862617463682f7631120d44656c6574654f7074696f6e73120e0800220a4261636b67726f756e64",
    )
    .of(PROTOBUF),
    delete(
        "deletecollection",
        "/api/v1/namespaces/default/configmaps?labelSelector=app%3Dx&limit=3",
        r#"{"kind":"DeleteOptions","apiVersion":"v1","orphanDependents":false}"#,
    ),
    delete(
        "deletecollection",
        "/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dp&gracePeriodSeconds=0",
        "",
    ),
];
