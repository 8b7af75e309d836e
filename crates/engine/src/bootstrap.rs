//! What exists in every cluster: the namespaces, the one node, the Service of the API itself, the
//! RuntimeClass of plain processes.

use jiff::Timestamp;
use kinds::{
    Draft, Key, Kind, Uid, admit, api_time,
    metav1::ObjectMeta,
    types::{
        core::v1::{Namespace, Node},
        node::v1::RuntimeClass,
        scheduling::v1::PriorityClass,
    },
};

use crate::{Engine, engine::node_facts};

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// The PriorityClasses that are always there.
const PRIORITY_CLASSES: [(&str, i32, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// The RuntimeClass whose pods are plain processes, and its handler.
pub const PROCESS_CLASS: &str = "process";

/// The API itself (`pkg/controlplane/controller/kubernetesservice`): the first address of
/// `10.96.0.0/12`, as kubeadm sets clusters up, and the port of `coracle up` unless told otherwise.
/// Nothing listens on that address yet, but clients ask what it is.
const API_SERVICE: &str = r#"{
    "metadata": {
        "name": "kubernetes", "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"}
    },
    "spec": {
        "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"],
        "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None", "type": "ClusterIP"
    },
    "status": {"loadBalancer": {}}
}"#;

/// On the Node: the spawner that was last known to hold its containers.
const SPAWNER_ANNOTATION: &str = "coracle.local/spawner";

impl Engine {
    pub(crate) fn bootstrap(&mut self, node: Node, now: Timestamp) {
        for name in NAMESPACES {
            self.ensure(
                Draft::of_namespace(&Namespace { metadata: named(name), ..Default::default() }),
                now,
            );
        }
        let class = RuntimeClass {
            metadata: named(PROCESS_CLASS),
            handler: PROCESS_CLASS.to_owned(),
            ..Default::default()
        };
        self.ensure(Draft::of_runtime_class(&class), now);
        for (name, value, description) in PRIORITY_CLASSES {
            let class = PriorityClass {
                metadata: named(name),
                value: Some(value),
                description: Some(description.to_owned()),
                ..Default::default()
            };
            self.ensure(Draft::of_priority_class(&class), now);
        }
        self.put_api_service(now);
        self.put_node(node, now);
        self.commit(now);
    }

    pub(crate) fn ensure(&mut self, draft: Draft, now: Timestamp) {
        if self.exists(&draft.key()) {
            return;
        }
        let context = admit::Context { uid: Uid::from_random(self.random.u128(..)), now };
        let (draft, _) = admit::create(draft, &context).expect("built-in objects are valid");
        self.put(draft);
    }

    /// Put as it is: clients cannot ask for an address yet, so admission would refuse it.
    fn put_api_service(&mut self, now: Timestamp) {
        let draft = Draft::from_json(Kind::Service, API_SERVICE.as_bytes());
        let mut draft = draft.expect("the literal is a Service");
        if !self.exists(&draft.key()) {
            draft.metadata.uid = Some(Uid::from_random(self.random.u128(..)).to_string());
            draft.metadata.creation_timestamp = Some(api_time(now));
            self.put(draft);
        }
    }

    /// The node as the machine is now; what was noted on it before stays.
    fn put_node(&mut self, node: Node, now: Timestamp) {
        let key = Key::new(Kind::Node, "", &self.node_name);
        let mut draft = Draft::of_node(&node);
        match self.current(&key) {
            Some(old) => {
                draft.metadata.uid = old.metadata.uid;
                draft.metadata.creation_timestamp = old.metadata.creation_timestamp;
                draft.metadata.annotations = old.metadata.annotations;
                let mut labels = old.metadata.labels.unwrap_or_default();
                labels.extend(draft.metadata.labels.take().unwrap_or_default());
                draft.metadata.labels = Some(labels);
                draft.rest.extend(old.rest.into_iter().filter(|(field, _)| field == "spec"));
            }
            None => {
                draft.metadata.uid = Some(Uid::from_random(self.random.u128(..)).to_string());
                draft.metadata.creation_timestamp = Some(api_time(now));
            }
        }
        self.put(draft);
    }

    /// Takes out of the own node what placement asks of it.
    pub(crate) fn index_node(&mut self, key: &Key, draft: &Draft) {
        if *key.name == *self.node_name {
            self.node = node_facts(&draft.node().expect("a Node in the store was validated"));
            self.placement.look_again();
        }
    }

    /// The spawner that is durably known to hold this node's containers.
    pub fn spawner(&self) -> Option<String> {
        let node = self.current(&Key::new(Kind::Node, "", &self.node_name))?;
        node.metadata.annotations?.remove(SPAWNER_ANNOTATION)
    }

    /// Notes which spawner holds this node's containers from now on. Must be durable before the
    /// first container is started in it.
    pub fn set_spawner(&mut self, instance: &str) {
        let key = Key::new(Kind::Node, "", &self.node_name);
        self.edit(&key, |meta| {
            let annotations = meta.annotations.get_or_insert_default();
            annotations.insert(SPAWNER_ANNOTATION.to_owned(), instance.to_owned());
        });
    }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..Default::default() }
}
