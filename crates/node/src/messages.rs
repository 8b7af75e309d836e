//! The words between the node and the server that drives it.

use std::sync::Arc;

use kinds::{Key, Object, Revision, Uid, types::core::v1::PodStatus};
use spawner::protocol::{ContainerId, Record, Reply, Request};

use crate::volumes::{PrepareError, TerminationRead, VolumePlan};

/// Objects that a pod refers to, as they are now.
pub trait Lookup {
    /// The object with this key: a ConfigMap, a Secret or a RuntimeClass.
    fn object(&self, key: &Key) -> Option<Arc<Object>>;
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The newest durable revision of a pod that is bound to this node: at first sight, whenever it
    /// changed (own statuses included), and when its deletion began.
    Pod(Arc<Object>),
    /// The pod's object is gone from the store: whatever is left of it is ended and cleaned up.
    PodGone(Uid),
    /// The status given out last for this pod is in the object of this revision. Every
    /// [`Output::Status`] is answered by this or by [`Input::PodGone`], before the next input. When
    /// an [`Input::Pod`] of this revision or a later one follows, the status is durable.
    Wrote {
        /// Whose status it was.
        uid: Uid,
        /// The pod's revision, also when the status changed nothing.
        revision: Revision,
    },
    /// A ConfigMap, Secret or RuntimeClass was made or changed: pods that wait for one look again.
    ObjectChanged(Key),
    /// A spawner answered.
    Connected {
        /// Whether it is the one that earlier starts went to: a container that it does not know
        /// then never started.
        same_instance: bool,
        /// All it knows.
        containers: Vec<Record>,
    },
    /// The spawner died or its socket broke: nothing can start until [`Input::Connected`].
    Disconnected,
    /// The spawner reports.
    Spawner(Reply),
    /// Answer to [`Output::Prepare`].
    Prepared {
        /// Whose volumes.
        uid: Uid,
        /// Whether they are there.
        result: Result<(), PrepareError>,
    },
    /// Answer to [`Output::CleanUp`].
    CleanedUp {
        /// Whose directory is gone.
        uid: Uid,
    },
    /// Answer to [`Output::ReadTermination`].
    TerminationRead {
        /// Which attempt.
        id: ContainerId,
        /// Its message; empty for none.
        message: String,
    },
    /// The time of [`Node::wake_at`](crate::Node::wake_at) has come.
    Tick,
}

/// What to do. Outputs are performed in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this whole status to the pod.
    Status {
        /// The pod.
        key: Key,
        /// Which incarnation of it; if it is another by now, nothing is written.
        uid: Uid,
        /// The status as the pod should have it.
        status: Box<PodStatus>,
    },
    /// Record an Event about the pod, from component `kubelet`.
    Event {
        /// The pod.
        key: Key,
        /// Which incarnation of it.
        uid: Uid,
        /// `involvedObject.fieldPath`: the container concerned.
        field_path: Option<String>,
        /// `Warning` rather than `Normal`.
        warning: bool,
        /// `reason`
        reason: &'static str,
        /// `message`
        message: String,
    },
    /// Send this to the spawner.
    Spawner(Request),
    /// Make the pod's volumes; answered by [`Input::Prepared`].
    Prepare {
        /// The pod.
        uid: Uid,
        /// What to make.
        plan: Box<VolumePlan>,
    },
    /// Remove the pod's volumes; answered by [`Input::CleanedUp`].
    CleanUp {
        /// The pod.
        uid: Uid,
    },
    /// Read the log of a container that failed without last words and wants its log to speak for it;
    /// answered by [`Input::TerminationRead`].
    ReadTermination {
        /// Which attempt.
        id: ContainerId,
        /// Where they are.
        read: Box<TerminationRead>,
    },
    /// Nothing of the pod is left and its last status is durable: delete the object with grace
    /// period 0 and this uid as precondition.
    Remove {
        /// The pod.
        key: Key,
        /// Which incarnation of it.
        uid: Uid,
    },
}
