//! What plugins give to new objects and what they refuse.

use engine::{Scope, Subresource};
use kinds::{Draft, Key, Kind, StatusError, types::core::v1::PodSpec};
use serde_json::{Value, json};

use crate::world::{World, pod};

/// A pod with these fields in its spec, and these in its container.
fn with(spec: &Value, container: &Value) -> String {
    let mut pod: Value = serde_json::from_str(&pod("p", "1")).unwrap();
    pod["spec"]["containers"][0]["resources"] = json!({});
    pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let into = pod["spec"]["containers"][0].as_object_mut().unwrap();
    into.extend(container.as_object().unwrap().clone());
    pod.to_string()
}

fn admitted(world: &mut World, pod: &str) -> Result<(Draft, PodSpec), StatusError> {
    let draft = Draft::from_json(Kind::Pod, pod.as_bytes()).unwrap();
    let written = world.engine.create(draft, true, world.now)?;
    Ok((written.object.draft(), written.object.pod().spec.unwrap()))
}

fn refusal(world: &mut World, pod: &str) -> String {
    admitted(world, pod).unwrap_err().message
}

fn class(name: &str, value: i32, default: bool) -> String {
    json!({"metadata": {"name": name}, "value": value, "globalDefault": default}).to_string()
}

#[test]
fn priority_comes_from_the_class() {
    let mut world = World::new(Scope::All);
    let none = json!({});
    let seen = |world: &mut World, spec: Value| {
        let spec = admitted(world, &with(&spec, &none)).unwrap().1;
        (
            spec.priority_class_name.unwrap_or_default(),
            spec.priority,
            spec.preemption_policy.unwrap(),
        )
    };
    let lower = "PreemptLowerPriority".to_owned();
    assert_eq!(seen(&mut world, json!({})), (String::new(), Some(0), lower.clone()));
    let system = json!({"priorityClassName": "system-node-critical"});
    let expected = ("system-node-critical".to_owned(), Some(2_000_001_000), lower.clone());
    assert_eq!(seen(&mut world, system), expected);
    world.create(Kind::PriorityClass, &class("usual", 7, true));
    assert_eq!(seen(&mut world, json!({})), ("usual".to_owned(), Some(7), lower));
    for (spec, why) in [
        (json!({"priorityClassName": "high"}), "no PriorityClass with name high was found"),
        (
            json!({"priority": 5}),
            "the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 7 from the given PriorityClass name",
        ),
        (
            json!({"preemptionPolicy": "Never"}),
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ] {
        let refused = refusal(&mut world, &with(&spec, &none));
        assert_eq!(refused, format!("pods \"p\" is forbidden: {why}"));
    }
    let second = Draft::from_json(Kind::PriorityClass, class("second", 1, true).as_bytes());
    let refused = world.engine.create(second.unwrap(), false, world.now).unwrap_err();
    assert_eq!(
        refused.message,
        "priorityclasses.scheduling.k8s.io \"second\" is forbidden: PriorityClass usual is already marked as default. Only one default can exist"
    );
}

#[test]
fn a_pod_tolerates_an_absent_node_for_a_while_unless_it_says_otherwise() {
    let mut world = World::new(Scope::All);
    let none = json!({});
    let keys = |world: &mut World, spec: Value| -> Vec<(String, Option<i64>)> {
        let spec = admitted(world, &with(&spec, &none)).unwrap().1;
        let all = spec.tolerations.unwrap().into_iter();
        all.map(|t| (t.key.unwrap_or_default(), t.toleration_seconds)).collect()
    };
    let [not_ready, unreachable] =
        ["not-ready", "unreachable"].map(|taint| format!("node.kubernetes.io/{taint}"));
    assert_eq!(
        keys(&mut world, json!({})),
        [(not_ready.clone(), Some(300)), (unreachable.clone(), Some(300))]
    );
    let own = json!({"tolerations": [{"key": not_ready, "operator": "Exists"}]});
    assert_eq!(keys(&mut world, own), [(not_ready, None), (unreachable, Some(300))]);
    let all = json!({"tolerations": [{"operator": "Exists"}]});
    assert_eq!(keys(&mut world, all), [(String::new(), None)]);
}

#[test]
fn a_pod_needs_its_account_and_its_class_of_runtime() {
    let mut world = World::new(Scope::All);
    let none = json!({});
    let spec = admitted(&mut world, &with(&none, &none)).unwrap().1;
    assert_eq!(spec.service_account_name.as_deref(), Some("default"));
    assert_eq!(spec.volumes, None, "there is no API that a pod could reach");
    let refused = refusal(&mut world, &with(&json!({"serviceAccountName": "robot"}), &none));
    assert_eq!(
        refused,
        "pods \"p\" is forbidden: error looking up service account default/robot: serviceaccount \"robot\" not found"
    );
    let refused = refusal(&mut world, &with(&json!({"runtimeClassName": "gone"}), &none));
    assert_eq!(refused, "pods \"p\" is forbidden: pod rejected: RuntimeClass \"gone\" not found");
    admitted(&mut world, &with(&json!({"runtimeClassName": "process"}), &none)).unwrap();
}

fn limit_range(item: Value) -> String {
    json!({"metadata": {"name": "l", "namespace": "default"}, "spec": {"limits": [item]}})
        .to_string()
}

#[test]
fn a_limit_range_fills_in_what_is_not_said() {
    let mut world = World::new(Scope::All);
    let item = json!({"type": "Container", "default": {"cpu": "2", "memory": "1Gi"},
        "defaultRequest": {"cpu": "100m"}});
    world.create(Kind::LimitRange, &limit_range(item));
    let (draft, spec) = admitted(&mut world, &with(&json!({}), &json!({}))).unwrap();
    let resources = spec.containers[0].resources.clone().unwrap();
    let expected = json!({"limits": {"cpu": "2", "memory": "1Gi"},
        "requests": {"cpu": "100m", "memory": "1Gi"}});
    assert_eq!(serde_json::to_value(&resources).unwrap(), expected);
    assert_eq!(
        draft.metadata.annotations.unwrap()["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main"
    );
    // A limit of its own is its request too, before any default.
    let own = json!({"resources": {"limits": {"cpu": "1"}}});
    let (draft, spec) = admitted(&mut world, &with(&json!({}), &own)).unwrap();
    let requests = spec.containers[0].resources.clone().unwrap().requests.unwrap();
    assert_eq!(requests["cpu"].0, "1");
    assert_eq!(
        draft.metadata.annotations.unwrap()["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: memory request for container main; memory limit for container main"
    );
}

#[test]
fn a_limit_range_refuses_what_is_outside() {
    for (item, resources, why) in [
        (
            json!({"type": "Pod", "min": {"cpu": "100m"}}),
            json!({"requests": {"cpu": "50m"}}),
            "minimum cpu usage per Pod is 100m, but request is 50m",
        ),
        (
            json!({"type": "Pod", "min": {"cpu": "100m"}}),
            json!({}),
            "minimum cpu usage per Pod is 100m.  No request is specified",
        ),
        (
            json!({"type": "Container", "max": {"memory": "1Gi"}}),
            json!({"limits": {"memory": "2Gi"}}),
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            json!({"type": "Pod", "max": {"memory": "1Gi", "cpu": "1"}}),
            json!({"requests": {"cpu": "1"}}),
            "[maximum cpu usage per Pod is 1.  No limit is specified, maximum memory usage per Pod is 1Gi.  No limit is specified]",
        ),
        (
            json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}),
            json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "2"}}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        ),
    ] {
        let mut world = World::new(Scope::All);
        world.create(Kind::LimitRange, &limit_range(item));
        let refused = refusal(&mut world, &with(&json!({}), &json!({"resources": resources})));
        assert_eq!(refused, format!("pods \"p\" is forbidden: {why}"));
    }
}

#[test]
fn an_update_keeps_what_the_plugins_gave() {
    let mut world = World::new(Scope::All);
    let key = world.create(Kind::Pod, &pod("p", "1")).key.clone();
    let pod = world.engine.get(&key).unwrap();
    let mut json: Value = serde_json::from_slice(&pod.json()).unwrap();
    let spec = json["spec"].as_object_mut().unwrap();
    for field in ["priority", "preemptionPolicy", "tolerations"] {
        assert!(spec.remove(field).is_some(), "{field}");
    }
    json["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let draft = Draft::from_json(Kind::Pod, json.to_string().as_bytes()).unwrap();
    world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
    assert_eq!(world.engine.get(&key).unwrap().pod().spec, pod.pod().spec);
}

/// An account that was deleted is made again, as is the certificate when somebody changed it.
#[test]
fn every_namespace_has_an_account_and_the_certificate() {
    let mut world = World::with_certificate("PEM");
    let account = |namespace: &str| Key::new(Kind::ServiceAccount, namespace, "default");
    let map = |namespace: &str| Key::new(Kind::ConfigMap, namespace, "kube-root-ca.crt");
    world.create(Kind::Namespace, r#"{"metadata":{"name":"lab"}}"#);
    for namespace in ["default", "kube-system", "kube-public", "kube-node-lease", "lab"] {
        world.engine.get(&account(namespace)).unwrap();
        let data = world.engine.get(&map(namespace)).unwrap().config_map().data.unwrap();
        assert_eq!(data["ca.crt"], "PEM", "{namespace}");
    }
    world.engine.delete(&account("lab"), &Default::default(), world.now).unwrap();
    world.sync();
    world.engine.get(&account("lab")).unwrap();
    let mut draft = world.engine.get(&map("lab")).unwrap().draft();
    draft.rest.clear();
    world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
    world.sync();
    assert!(world.engine.get(&map("lab")).unwrap().config_map().data.is_some());
    // A pod that comes right behind its namespace finds the account.
    let draft = Draft::from_json(Kind::Namespace, br#"{"metadata":{"name":"new"}}"#).unwrap();
    world.engine.create(draft, false, world.now).unwrap();
    let pod = Draft::from_json(Kind::Pod, pod("p", "1").replace("default", "new").as_bytes());
    world.engine.create(pod.unwrap(), false, world.now).unwrap();
}

#[test]
fn a_pod_takes_overhead_and_constraints_from_its_class() {
    let mut world = World::new(Scope::All);
    let class = json!({
        "metadata": {"name": "heavy"}, "handler": "process",
        "overhead": {"podFixed": {"cpu": "250m", "memory": "120Mi"}},
        "scheduling": {
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"key": "slow", "operator": "Exists"}],
        },
    });
    world.create(Kind::RuntimeClass, &class.to_string());
    let pod = with(&json!({"runtimeClassName": "heavy"}), &json!({}));
    let spec = serde_json::to_value(admitted(&mut world, &pod).unwrap().1).unwrap();
    assert_eq!(spec["overhead"], json!({"cpu": "250m", "memory": "120Mi"}));
    assert_eq!(spec["nodeSelector"], json!({"disk": "fast"}));
    let tolerations = spec["tolerations"].as_array().unwrap();
    assert!(tolerations.contains(&json!({"key": "slow", "operator": "Exists"})), "{spec}");
    for (spec, why) in [
        (
            json!({"overhead": {"cpu": "1"}}),
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            json!({"runtimeClassName": "heavy", "overhead": {"cpu": "1"}}),
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            json!({"runtimeClassName": "heavy", "nodeSelector": {"disk": "slow"}}),
            "conflict: runtimeClass.scheduling.nodeSelector[disk] = fast; \
             pod.spec.nodeSelector[disk] = slow",
        ),
    ] {
        let refused = refusal(&mut world, &with(&spec, &json!({})));
        assert_eq!(refused, format!("pods \"p\" is forbidden: {why}"));
    }
}
