//! Giving back what a pod held, in order: what still runs and its namespaces, then its files. Each
//! step is repeated until it is answered, and repeating it is harmless.

use std::collections::BTreeSet;

use kinds::{Key, Uid};
use spawner::protocol::{ContainerId, Request};

use super::Context;
use crate::Output;

/// What a pod that is over still holds.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    uid: Uid,
    /// Records to be forgotten when nothing of the pod runs any more.
    forget: BTreeSet<ContainerId>,
    /// Its volumes are being made at this moment.
    preparing: bool,
    /// It has, or will have, a directory.
    files: bool,
    held: Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// Namespaces, control groups, perhaps processes.
    Namespaces,
    /// Files and volumes.
    Files,
    Nothing,
}

impl Release {
    /// Begins: asks the spawner at once if there is one.
    pub(crate) fn begin(uid: Uid, files: bool, preparing: bool, context: &mut Context) -> Self {
        let release = Self {
            uid,
            forget: BTreeSet::new(),
            preparing,
            files: files || preparing,
            held: Held::Namespaces,
        };
        release.end_pod(context);
        release
    }

    /// Nothing to give back.
    pub(crate) fn nothing(uid: Uid) -> Self {
        Self { uid, forget: BTreeSet::new(), preparing: false, files: false, held: Held::Nothing }
    }

    /// These records may go once nothing runs: at once, if nothing does any more.
    pub(crate) fn forget(
        &mut self,
        ids: impl IntoIterator<Item = ContainerId>,
        context: &mut Context,
    ) {
        self.forget.extend(ids);
        if self.held != Held::Namespaces {
            self.forget_now(context);
        }
    }

    fn forget_now(&mut self, context: &mut Context) {
        for id in std::mem::take(&mut self.forget) {
            context.out.push(Output::Spawner(Request::Forget { id }));
        }
    }

    /// Whether everything is given back.
    pub(crate) fn done(&self) -> bool {
        self.held == Held::Nothing
    }

    fn end_pod(&self, context: &mut Context) {
        if context.connected && self.held == Held::Namespaces {
            let pod = self.uid.to_string();
            context.out.push(Output::Spawner(Request::EndPod { pod }));
        }
    }

    /// A spawner answered: asks again, and for whatever it says it still knows of the pod.
    pub(crate) fn connected(&mut self, ids: Vec<ContainerId>, context: &mut Context) {
        if !ids.is_empty() {
            self.held = Held::Namespaces;
            self.forget.extend(ids);
        }
        self.end_pod(context);
    }

    /// The spawner holds nothing of the pod any more.
    pub(crate) fn pod_ended(&mut self, context: &mut Context) {
        if self.held != Held::Namespaces {
            return;
        }
        self.forget_now(context);
        self.held = Held::Files;
        self.clean_up(context);
    }

    /// The volumes are made, or could not be: they can be removed now.
    pub(crate) fn prepared(&mut self, context: &mut Context) {
        self.preparing = false;
        self.clean_up(context);
    }

    fn clean_up(&mut self, context: &mut Context) {
        if self.held != Held::Files || self.preparing {
            return;
        }
        match self.files {
            true => context.out.push(Output::CleanUp { uid: self.uid }),
            false => self.held = Held::Nothing,
        }
    }

    /// The directory is gone.
    pub(crate) fn cleaned_up(&mut self) {
        if self.held == Held::Files && !self.preparing {
            self.files = false;
            self.held = Held::Nothing;
        }
    }
}

/// A pod that is over: its last status is durable, or its object is gone.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    uid: Uid,
    /// `None` once the object is gone.
    key: Option<Key>,
    deleting: bool,
    removed: bool,
    pub(crate) release: Release,
}

impl Over {
    /// A pod whose object still exists.
    pub(crate) fn new(uid: Uid, key: Key, deleting: bool, release: Release) -> Self {
        Self { uid, key: Some(key), deleting, removed: false, release }
    }

    /// A pod whose object is gone.
    pub(crate) fn gone(uid: Uid, release: Release) -> Self {
        Self { uid, key: None, deleting: false, removed: false, release }
    }

    /// Notes that the object is gone.
    pub(crate) fn forget_object(&mut self) {
        self.key = None;
    }

    /// Notes that deletion began.
    pub(crate) fn deletion(&mut self, deleting: bool) {
        self.deleting |= deleting;
    }

    /// Whether nothing is left to remember.
    pub(crate) fn vanished(&self) -> bool {
        self.key.is_none() && self.release.done()
    }

    /// Lets the object go when it may.
    pub(crate) fn advance(&mut self, context: &mut Context) {
        let Some(key) = &self.key else { return };
        if self.deleting && !self.removed && self.release.done() {
            self.removed = true;
            context.out.push(Output::Remove { key: key.clone(), uid: self.uid });
        }
    }
}
