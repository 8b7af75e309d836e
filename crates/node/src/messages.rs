//! The words between the node and the server that drives it.

use std::{path::PathBuf, sync::Arc};

use images::{Image, Reference};
use kinds::{Key, Object, Revision, Uid, types::core::v1::PodStatus};
use spawner::protocol::{ContainerId, Record, Reply, Request};

use crate::volumes::{PrepareError, TerminationRead, VolumePlan};

/// Objects that a pod refers to, as they are now.
pub trait Lookup {
    /// The object with this key: a ConfigMap, a Secret, a RuntimeClass, a ServiceAccount or a Node.
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
    /// A ConfigMap, Secret, RuntimeClass or ServiceAccount was made or changed: pods that wait for one look again.
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
    /// Answer to [`Output::FindImage`]: any number of [`ImageNews::Pulling`], then another one.
    Image {
        /// Which attempt asked.
        id: ContainerId,
        /// What became of it.
        news: ImageNews,
    },
    /// The time of [`Node::wake_at`](crate::Node::wake_at) has come.
    Tick,
}

/// An image that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRequest {
    /// For which attempt.
    pub id: ContainerId,
    /// Which.
    pub reference: Reference,
    /// Whether it may or must be pulled.
    pub policy: PullPolicy,
    /// Docker configuration files with credentials: the contents of the pod's `imagePullSecrets`.
    pub credentials: Vec<String>,
}

/// `imagePullPolicy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// Ask the registry at every start.
    Always,
    /// Pull what is not here.
    IfNotPresent,
    /// Do without.
    Never,
}

/// What became of a wanted image.
#[derive(Clone, Debug)]
pub enum ImageNews {
    /// It is being pulled.
    Pulling,
    /// It was here.
    Present(Arc<ReadyImage>),
    /// It was pulled.
    Pulled {
        /// The image.
        image: Arc<ReadyImage>,
        /// How long that took, milliseconds.
        took_ms: u64,
        /// The same with the wait for other pulls, milliseconds.
        waited_ms: u64,
    },
    /// It could not be pulled, or what is here cannot be read.
    Failed(String),
    /// It is not here and may not be pulled.
    Absent,
}

/// An image that containers can be started from.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadyImage {
    /// What was asked for.
    pub reference: Reference,
    /// What it is.
    pub image: Image,
    /// The directory that its root is put over.
    pub root: PathBuf,
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
    /// Find an image, and pull it if need be; answered by [`Input::Image`]. From then on the image is
    /// in use.
    FindImage(Box<ImageRequest>),
    /// Nothing of the pod runs any more: its images are not in use by it.
    ReleaseImages {
        /// The pod.
        uid: Uid,
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
