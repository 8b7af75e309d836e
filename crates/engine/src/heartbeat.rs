//! Signs of life of the node: its Lease and the heartbeats of its conditions
//! (`pkg/kubelet/nodestatus`, `component-helpers/apimachinery/lease`).
//!
//! They ride along with the first write after their time has come, and cost neither a wake-up nor a
//! sync of the disk: while nothing happens, nothing is renewed, and nobody waits for it.

use jiff::Timestamp;
use kinds::{
    Draft, Key, Kind, Uid, api_time,
    metav1::{MicroTime, ObjectMeta, OwnerReference, Time},
    types::{coordination::v1::LeaseSpec, core::v1::NodeStatus},
};
use serde_json::value::to_raw_value;

use crate::Engine;

const LEASE_NAMESPACE: &str = "kube-node-lease";

/// `spec.leaseDurationSeconds`, as a kubelet has it.
const LEASE_S: i32 = 40;

/// The least time between two renewals, seconds: a quarter of the duration.
const RENEW_S: i64 = 10;

/// The least time between two heartbeats in the Node's status, seconds.
const HEARTBEAT_S: i64 = 300;

/// When the last signs of life were written, seconds since the epoch.
#[derive(Default)]
pub(crate) struct Heartbeat {
    renewed_s: i64,
    beaten_s: i64,
}

impl Engine {
    /// Adds what is due to the pending transaction.
    pub(crate) fn beat(&mut self, now: Timestamp) {
        let now_s = now.as_second();
        if now_s - self.heartbeat.renewed_s >= RENEW_S {
            self.renew(now);
        }
        if now_s - self.heartbeat.beaten_s >= HEARTBEAT_S {
            self.heartbeat.beaten_s = now_s;
            self.touch_conditions(api_time(now));
        }
    }

    fn renew(&mut self, now: Timestamp) {
        let node = Key::new(Kind::Node, "", &self.node_name);
        let key = Key::new(Kind::Lease, LEASE_NAMESPACE, &self.node_name);
        let (Some(node_uid), true) = (self.uid_of(&node), self.is_open(LEASE_NAMESPACE)) else {
            return;
        };
        self.heartbeat.renewed_s = now.as_second();
        let spec = LeaseSpec {
            holder_identity: Some(self.node_name.clone()),
            lease_duration_seconds: Some(LEASE_S),
            renew_time: Some(MicroTime(now)),
            ..Default::default()
        };
        let mut draft = self.current(&key).unwrap_or_else(|| Draft {
            kind: Kind::Lease,
            metadata: ObjectMeta {
                name: Some(self.node_name.clone()),
                namespace: Some(LEASE_NAMESPACE.to_owned()),
                uid: Some(Uid::from_random(self.random.u128(..)).to_string()),
                creation_timestamp: Some(api_time(now)),
                owner_references: Some(vec![OwnerReference {
                    api_version: "v1".to_owned(),
                    kind: "Node".to_owned(),
                    name: self.node_name.clone(),
                    uid: node_uid.to_string(),
                    controller: None,
                    block_owner_deletion: None,
                }]),
                ..Default::default()
            },
            rest: Default::default(),
        });
        draft.rest.insert("spec".to_owned(), to_raw_value(&spec).expect("plain data serialises"));
        self.put(draft);
    }

    fn touch_conditions(&mut self, now: Time) {
        let Some(mut draft) = self.current(&Key::new(Kind::Node, "", &self.node_name)) else {
            return;
        };
        let status = draft.rest.get("status").map(|raw| serde_json::from_str(raw.get()));
        let Some(Ok(mut status)) = status else { return };
        let status: &mut NodeStatus = &mut status;
        for condition in status.conditions.iter_mut().flatten() {
            condition.last_heartbeat_time = Some(now.clone());
        }
        draft.set_node_status(status);
        self.put(draft);
    }
}
