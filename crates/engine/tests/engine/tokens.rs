//! Which pods get the token of their account, and how.

use kinds::{Draft, Kind, types::core::v1::PodSpec};
use serde_json::{Value, json};

use crate::world::{World, pod};

const PLACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn world() -> World {
    let mut world = World::with_certificate("PEM");
    for (name, automount) in [("robot", json!(null)), ("shy", json!(false)), ("bold", json!(true))]
    {
        let account = json!({
            "metadata": {"name": name, "namespace": "default"},
            "automountServiceAccountToken": automount,
            "imagePullSecrets": [{"name": format!("{name}-registry")}],
        });
        world.create(Kind::ServiceAccount, &account.to_string());
    }
    world
}

/// What becomes of a pod with these fields in its spec.
fn admitted(world: &mut World, of_job: bool, spec: &Value) -> PodSpec {
    let mut pod: Value = serde_json::from_str(&pod("p", "1")).unwrap();
    pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    if of_job {
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": true,
        }]);
    }
    let draft = Draft::from_json(Kind::Pod, pod.to_string().as_bytes()).unwrap();
    world.engine.create(draft, true, world.now).unwrap().object.pod().spec.unwrap()
}

#[test]
fn a_pod_gets_a_token_unless_someone_says_no() {
    let mut world = world();
    for (of_job, spec, wanted) in [
        (false, json!({}), true),
        (false, json!({"automountServiceAccountToken": false}), false),
        (false, json!({"serviceAccountName": "shy"}), false),
        (false, json!({"serviceAccountName": "shy", "automountServiceAccountToken": true}), true),
        (
            false,
            json!({"serviceAccountName": "bold", "automountServiceAccountToken": false}),
            false,
        ),
        (false, json!({"runtimeClassName": "process"}), false),
        (true, json!({}), false),
        (true, json!({"automountServiceAccountToken": true}), true),
        (true, json!({"serviceAccountName": "robot"}), true),
        (true, json!({"serviceAccountName": "shy"}), false),
    ] {
        let spec_of = admitted(&mut world, of_job, &spec);
        let volumes = spec_of.volumes.iter().flatten();
        let has = volumes.into_iter().any(|volume| volume.name.starts_with("kube-api-access-"));
        assert_eq!(has, wanted, "{of_job} {spec}");
    }
}

#[test]
fn every_container_has_the_token_in_its_place_and_what_is_there_stays() {
    let mut world = world();
    let container =
        |name: &str, mounts: Value| json!({"name": name, "image": "i", "volumeMounts": mounts});
    let own = json!([{"name": "own", "mountPath": PLACE}]);
    let spec = admitted(
        &mut world,
        false,
        &json!({
            "volumes": [{"name": "own", "emptyDir": {}}],
            "initContainers": [container("first", json!([]))],
            "containers": [container("a", json!([])), container("b", own)],
        }),
    );
    let volume = spec.volumes.iter().flatten().next_back().unwrap();
    let name = volume.name.clone();
    assert_eq!(name.len(), "kube-api-access-".len() + 5, "{name}");
    let expected = json!({"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {
            "name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}],
        }},
        {"downwardAPI": {"items": [{
            "path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
        }]}},
    ]});
    assert_eq!(serde_json::to_value(&volume.projected).unwrap(), expected);
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mounts: Vec<Value> =
        containers.map(|c| serde_json::to_value(&c.volume_mounts).unwrap()).collect();
    let ours = json!([{"name": name, "mountPath": PLACE, "readOnly": true}]);
    assert_eq!(mounts, [ours.clone(), ours, json!([{"name": "own", "mountPath": PLACE}])]);
}

#[test]
fn a_pod_has_the_registry_secrets_of_its_account_unless_it_has_its_own() {
    let mut world = world();
    let secrets = |world: &mut World, spec: Value| {
        let spec = admitted(world, false, &spec);
        spec.image_pull_secrets.into_iter().flatten().map(|s| s.name).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&mut world, json!({"serviceAccountName": "robot"})), ["robot-registry"]);
    let own = json!({"serviceAccountName": "robot", "imagePullSecrets": [{"name": "mine"}]});
    assert_eq!(secrets(&mut world, own), ["mine"]);
    assert!(secrets(&mut world, json!({})).is_empty());
}
