//! A pod's volumes, and what its log has to say when its containers leave no last words. The plans
//! decide; [`perform`], [`clean_up`] and [`read_termination`] do.
//!
//! Volumes that are neither paths of the machine nor memory of one container lie in `volumes/<name>`
//! under `pods/<uid>` in the data directory. A pod without volumes has no directory.

mod content;
mod group;
mod paths;
mod perform;
mod plan;
mod propagation;
mod termination;
mod token;
mod write;

use std::{collections::BTreeMap, path::PathBuf};

use tokens::Claims;

pub(crate) use self::{
    content::{Sources, contents},
    paths::{PodPaths, hostname},
    plan::{Around, SubPath, VolumePlace, fs_group, place, plan, sub_path},
    propagation::of as propagation,
    termination::plan as termination,
};
pub use self::{
    perform::{clean_up, left_over, perform},
    propagation::Travelling,
    termination::{TerminationRead, read as read_termination},
};

/// Everything to be made for one pod before its first container starts. Making it twice is
/// harmless and loses nothing that the pod wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumePlan {
    /// The pod's directory.
    pub directory: PathBuf,
    /// Volumes, in the order of the spec.
    pub volumes: Vec<PlannedVolume>,
    /// The group that the volumes are given to, except paths of the machine: `fsGroup`.
    pub group: Option<u32>,
    /// Volumes whose mounts are to travel between machine and container.
    pub travelling: Vec<Travelling>,
    /// The name of the directory in which files lie that are written now: begins with `..` and was
    /// not used before.
    pub stamp: String,
}

/// One volume to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedVolume {
    /// Its name in the pod, for errors.
    pub name: String,
    /// How it is made.
    pub kind: VolumeKind,
}

/// How a volume is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeKind {
    /// A directory that everyone may write to.
    Empty {
        /// Where.
        path: PathBuf,
    },
    /// A tmpfs that several containers or attempts share.
    Tmpfs {
        /// Where.
        path: PathBuf,
        /// Its size, bytes.
        bytes: u64,
    },
    /// Files with the contents of objects, all changed at once by way of the link `..data`.
    Data {
        /// Where.
        path: PathBuf,
        /// By path within the volume.
        files: BTreeMap<String, DataFile>,
        /// Directories within it that other volumes are mounted on.
        mountpoints: Vec<String>,
    },
    /// A path of the machine, checked and perhaps made.
    HostPath {
        /// Where.
        path: PathBuf,
        /// What it must be.
        check: HostPathType,
    },
}

/// One file of a volume that is made of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Permission bits.
    pub mode: u32,
    /// The user it is given to; root if `None`.
    pub owner: Option<u32>,
    /// What it holds.
    pub content: Content,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A token that says this, signed when the file is written.
    Token(Box<Claims>),
}

/// `hostPath.type`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum HostPathType {
    Unset,
    DirectoryOrCreate,
    Directory,
    FileOrCreate,
    File,
    Socket,
    CharDevice,
    BlockDevice,
}

/// A volume that could not be made; the message is that of upstream's `FailedMount` event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("volume \"{volume}\": {message}")]
pub struct PrepareError {
    /// Its name in the pod.
    pub volume: String,
    /// Why.
    pub message: String,
}
