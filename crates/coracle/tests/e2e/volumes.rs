//! What pods find in their volumes, and who gets what out of them.

use std::fs;

use serde_json::{Value, json};

use crate::space::{Running, Space};

struct Server {
    space: Space,
    up: Running,
}

impl Server {
    fn start() -> Self {
        let space = Space::new();
        let up = space.up();
        Self { space, up }
    }

    fn apply(&self, object: &Value) {
        let file = self.space.file("object.json", &object.to_string());
        self.space.run(&["apply", "-f", &file.display().to_string()]).expect(0);
    }

    fn config_map(&self, text: &str) {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"A": text},
        }));
    }

    /// A pod whose only container runs a script, with more fields in its spec and container.
    fn pod(&self, script: &str, spec: &Value, container: &Value) {
        let mut main = json!({
            "name": "main", "image": "coracle.local/host", "command": ["sh", "-c", script],
        });
        main.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "x"}},
            "spec": {"restartPolicy": "Never", "containers": [main]},
        });
        pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        self.apply(&pod);
    }

    fn logs(&self) -> Vec<String> {
        let ended = "--for=jsonpath={.status.phase}=Succeeded";
        self.space.run(&["wait", "pod/p", ended, "--timeout=60s"]).expect(0);
        self.space.run(&["logs", "p"]).expect(0).out.lines().map(str::to_owned).collect()
    }

    fn end(self) {
        self.space.run(&["down", "--stop-pods"]).expect(0);
        self.up.finish().expect(0);
        self.space.nothing_left();
    }
}

#[test]
fn what_a_pod_shows_changes_while_it_runs_but_not_a_part_that_was_mounted() {
    let server = Server::start();
    server.config_map("one");
    let script = "cat /v/A /part; echo; cat /v/labels; echo; touch /told/ready; \
                  until [ \"$(cat /v/A)\" = two ]; do sleep 0.05; done; cat /v/A /part; echo; ls -A /v";
    let told = server.space.path("told");
    fs::create_dir(&told).unwrap();
    let label = json!({"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}});
    let spec = json!({"volumes": [
        {"name": "v", "projected": {"sources": [
            {"configMap": {"name": "c"}}, {"downwardAPI": {"items": [label]}},
        ]}},
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "told", "hostPath": {"path": told}},
    ]});
    let container = json!({"volumeMounts": [
        {"name": "v", "mountPath": "/v"},
        {"name": "c", "mountPath": "/part", "subPath": "A"},
        {"name": "told", "mountPath": "/told"},
    ]});
    server.pod(script, &spec, &container);
    server.space.run(&["wait", "pod/p", "--for=condition=Ready", "--timeout=60s"]).expect(0);
    server.config_map("two");
    let lines = server.logs();
    assert_eq!(lines[..3], ["oneone", "app=\"x\"", "twoone"]);
    let stamp = lines[3].clone();
    assert!(stamp.starts_with("..20"), "{stamp}");
    assert_eq!(lines[4..], ["..data", "A", "labels"]);
    server.end();
}

#[test]
fn volumes_are_the_groups() {
    let server = Server::start();
    server.config_map("text");
    let script = "id -G; stat -c '%a %g' /e /v/..data/A; echo > /e/new; stat -c '%g' /e/new; \
                  (echo > /v/A) 2>/dev/null || echo no; stat -c '%a %g' /part";
    let spec = json!({
        "securityContext": {"runAsUser": 1000, "fsGroup": 123, "supplementalGroups": [7]},
        "volumes": [
            {"name": "e", "emptyDir": {}},
            {"name": "v", "configMap": {"name": "c", "defaultMode": 0o400}},
        ],
    });
    let container = json!({"volumeMounts": [
        {"name": "e", "mountPath": "/e"},
        {"name": "v", "mountPath": "/v"},
        {"name": "e", "mountPath": "/part", "subPathExpr": "parts/$(WHICH)"},
    ], "env": [{"name": "WHICH", "value": "one"}]});
    server.pod(script, &spec, &container);
    let expected = ["0 7 123", "2777 123", "440 123", "123", "no", "2777 123"];
    assert_eq!(server.logs(), expected);
    server.end();
}

#[test]
fn a_link_in_a_volume_shows_nothing_of_the_machine() {
    let server = Server::start();
    let mount = json!([{"name": "e", "mountPath": "/e"}]);
    let spec = json!({
        "volumes": [{"name": "e", "emptyDir": {}}],
        "initContainers": [{
            "name": "plant", "image": "coracle.local/host", "volumeMounts": mount,
            "command": ["sh", "-c", "ln -s / /e/root; ln -s ../../../.. /e/up"],
        }],
    });
    for path in ["root/etc", "up"] {
        let container = json!({"volumeMounts": [
            {"name": "e", "mountPath": "/x", "subPath": path},
        ]});
        server.pod("ls /x", &spec, &container);
        let why = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=\
                   CreateContainerConfigError";
        server.space.run(&["wait", "pod/p", why, "--timeout=60s"]).expect(0);
        let (_, pod) = server.space.get("/api/v1/namespaces/default/pods/p");
        let pod: Value = serde_json::from_str(&pod).unwrap();
        let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
        let text = "failed to prepare subPath for volumeMount \"e\" of container \"main\"";
        assert_eq!(waiting["message"], text);
        server.space.run(&["delete", "pod", "p", "--grace-period=0", "--force"]).expect(0);
    }
    server.end();
}

#[test]
fn a_pod_finds_the_token_of_its_account() {
    let server = Server::start();
    let script = "cd /var/run/secrets/kubernetes.io/serviceaccount; ls; cat namespace; echo; \
                  head -n 1 ca.crt; cut -d. -f2 token | tr -d '\\n' | tr _- /+ | base64 -d 2>/dev/null | \
                  grep -o '\"sub\":\"[^\"]*\"'; stat -Lc %a token";
    server.pod(script, &json!({}), &json!({}));
    let expected = [
        "ca.crt",
        "namespace",
        "token",
        "default",
        "-----BEGIN CERTIFICATE-----",
        "\"sub\":\"system:serviceaccount:default:default\"",
        "644",
    ];
    assert_eq!(server.logs(), expected);
    server.end();
}
