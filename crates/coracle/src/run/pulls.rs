//! Images that pods of the run wait for. Only Events tell of them, on a watch of their own, which may
//! be ahead of the pods' or behind it.

use std::collections::HashMap;

use jiff::Timestamp;
use kinds::{Uid, types::core::v1::Event as Told};

use super::{
    events::{Event, Happening},
    work::Work,
};

/// How many Events may wait for the pod they are about. A namespace may have pods of others.
const EARLY_MAX: usize = 1_024;

/// What asks the server for these Events and no others.
pub(crate) const FIELDS: &str = "reason=Pulling,involvedObject.kind=Pod";

/// What Events told that has not been shown.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    early: HashMap<Uid, String>,
}

impl Pulls {
    /// An Event says that an image is being pulled for a pod, which is given.
    pub(super) fn told(&mut self, told: &Told) -> Option<Uid> {
        let image = told.message.as_deref().and_then(image)?;
        let pod = Uid::parse(told.involved_object.uid.as_deref()?)?;
        if self.early.len() < EARLY_MAX {
            self.early.insert(pod, image.to_owned());
        }
        Some(pod)
    }

    /// What is to be said of this pod, once it is known.
    pub(super) fn of(&mut self, pod: Uid) -> Option<String> {
        self.early.remove(&pod)
    }
}

impl Work {
    /// One of its pods waits for this image; each image is told once, and none of a pod that runs.
    pub(super) fn pulling(&mut self, pod: Uid, image: &str, now: Timestamp) -> Option<Event> {
        let waits = self.pods.get(&pod).is_some_and(|pod| !pod.running);
        if !waits || !self.pulled.insert(image.to_owned()) {
            return None;
        }
        self.pulling = Some(image.to_owned());
        let mut event = self.event(Happening::Pulling, now);
        event.pod = Some(self.pods[&pod].name.clone());
        event.message = Some(format!("Pulling image \"{image}\""));
        Some(event)
    }
}

/// The image in the message of a Pulling Event.
fn image(message: &str) -> Option<&str> {
    message.strip_prefix("Pulling image \"")?.strip_suffix('"')
}
