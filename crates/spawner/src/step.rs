//! What a child does between `clone3` and its program, as data: prepared before, so that the child
//! only makes system calls, and so that a failed step can be named by its position.

use crate::child::Report;
use crate::plan::Strings;
use crate::protocol::{Failure, Stage};
use crate::sys::mounts::Attributes;
use crate::sys::shared::Word;
use crate::sys::{errno_text, lossy};
use std::ffi::CString;
use std::os::fd::RawFd;
use std::rc::Rc;

/// One thing a child does. They are done in order; the first that fails ends the start.
#[derive(Debug)]
pub(crate) enum Step {
    /// Move to a control group by writing to its `cgroup.procs` (v1).
    JoinCgroup { procs: CString },
    /// Set `oom_score_adj`; skipped where only more privilege could lower it.
    OomScore { value: CString },
    /// Enter a namespace the spawner holds; `kind` is a `CLONE_NEW*` flag.
    Enter { namespace: RawFd, kind: libc::c_int },
    /// Begin a session and process group.
    Session,
    /// Put output and errors on these pipes, owned by the container's user so that it can reopen
    /// them through /dev/stdout, and its input too if it has one; close every other descriptor except
    /// those to keep.
    Output(Output),
    /// Have a terminal for input, output and errors instead, and send its other side through the
    /// socket that was the output.
    Terminal { owner: Option<u32> },
    /// Set the host name.
    HostName { name: CString },
    /// Mount a file system; `target` is a path or relative to the working directory.
    Mount {
        source: CString,
        target: CString,
        kind: Option<CString>,
        flags: libc::c_ulong,
        data: Option<CString>,
    },
    /// Make a directory that must not be there yet.
    Directory { path: CString, mode: u32 },
    /// Make a device node that must not be there yet.
    Node { path: CString, mode: u32, number: (u32, u32), owner: (u32, u32) },
    /// Make a file that must not be there yet: a text, the contents of another file if there is one,
    /// another text.
    File { path: CString, mode: u32, text: Vec<u8>, then: Option<CString>, end: Vec<u8> },
    /// Go to the machine's mount namespace, where mounts made after the spawner's start are seen
    /// even if they do not propagate.
    MachineMounts { namespace: RawFd },
    /// Come back from there.
    OwnMounts,
    /// Open a file of the machine, if it is there, into the next slot.
    Source { path: CString },
    /// Put other contents into a file that is there; in the middle those of the file in a slot.
    Rewrite { path: CString, text: Vec<u8>, then: Option<usize>, end: Vec<u8> },
    /// Copy a tree of the machine into the next slot, for [`Step::Attach`].
    CopyTree { source: CString, attributes: Attributes },
    /// The same with what lies at a path inside a directory and nowhere else, made if missing.
    CopyWithin {
        directory: CString,
        path: CString,
        make: bool,
        attributes: Attributes,
        blame: String,
    },
    /// Set the working directory.
    Enterdir { path: CString },
    /// Make the working directory `/` and let go of the machine's file system.
    Pivot,
    /// Attach the tree in a slot at a path, which is made if missing.
    Attach { slot: usize, target: CString },
    /// Mount a new tmpfs at a path, which is made if missing.
    Tmpfs { target: CString, data: CString },
    /// Mount /proc over an empty directory, which then hides others.
    Proc,
    /// Hide a file or directory, if it exists.
    Mask { path: CString },
    /// Make what is at a path read-only, if it exists.
    ReadOnly { path: CString, recursive: bool },
    /// Leave behind what the writable places look like before the program can change them.
    Look { places: Rc<[CString]>, word: Rc<Word> },
    /// Set the working directory, made if missing in a container.
    WorkingDirectory { path: CString, make: bool },
    /// Restore the limit of open descriptors that the spawner was started with.
    FileLimit { soft: u64, hard: u64 },
    /// Give up capabilities for ever.
    DropCapabilities { dropped: u64 },
    /// Set groups, group and user.
    User { uid: u32, gid: u32, groups: Vec<u32> },
    /// Set the capabilities.
    Capabilities { mask: u64 },
    /// Never gain privileges by running a program.
    NoNewPrivileges,
    /// Install a seccomp program.
    Seccomp { program: Vec<u64> },
    /// Accept signals, which were blocked so far.
    AcceptSignals,
    /// Connect to a port of the loopback.
    Dial { port: u16 },
    /// Send something to whoever is connected, print what comes back up to a mark, and end well.
    Talk { send: Vec<u8>, until: Vec<u8> },
    /// Run the first of these programs that exists.
    Execute { programs: Vec<CString>, argv: Strings, envp: Strings },
}

/// The standard streams of a child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) input: Option<RawFd>,
    pub(crate) out: RawFd,
    pub(crate) err: RawFd,
    /// In order.
    pub(crate) keep: [Option<RawFd>; 2],
    pub(crate) owner: Option<(u32, u32)>,
}

/// All steps of a child, in their order.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// Its own.
    pub(crate) first: Vec<Step>,
    /// What it has in common with the one before it in its room.
    pub(crate) shared: Option<Rc<[Step]>>,
    /// Its own again.
    pub(crate) last: Vec<Step>,
}

impl Steps {
    fn at(&self, index: u32) -> Option<&Step> {
        self.iter().nth(usize::try_from(index).ok()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Step> {
        self.first
            .iter()
            .chain(self.shared.iter().flat_map(|shared| shared.iter()))
            .chain(&self.last)
    }
}

impl Steps {
    /// What a report means.
    pub(crate) fn failure(&self, report: Report, at_ns: i64) -> Failure {
        let step = self.at(report.index);
        let unknown = || "the start failed without a report".to_owned();
        Failure {
            stage: step.map_or(Stage::Clone, Step::stage),
            errno: report.errno,
            message: step.map_or_else(unknown, |step| step.failure(report.errno)),
            at_ns,
        }
    }
}

impl Step {
    /// The part of the protocol's table this step belongs to.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Step::JoinCgroup { .. } => Stage::Cgroup,
            Step::Enter { .. }
            | Step::Session
            | Step::Output(_)
            | Step::Terminal { .. }
            | Step::HostName { .. } => Stage::Clone,
            Step::Mount { .. }
            | Step::Directory { .. }
            | Step::Node { .. }
            | Step::File { .. }
            | Step::Source { .. }
            | Step::Rewrite { .. }
            | Step::Proc
            | Step::Look { .. }
            | Step::CopyTree { .. }
            | Step::MachineMounts { .. }
            | Step::OwnMounts
            | Step::Enterdir { .. }
            | Step::Pivot
            | Step::Attach { .. }
            | Step::Tmpfs { .. }
            | Step::Mask { .. }
            | Step::ReadOnly { .. } => Stage::Mount,
            Step::OomScore { .. }
            | Step::FileLimit { .. }
            | Step::DropCapabilities { .. }
            | Step::User { .. }
            | Step::Capabilities { .. }
            | Step::NoNewPrivileges
            | Step::Seccomp { .. }
            | Step::AcceptSignals => Stage::Privileges,
            Step::CopyWithin { .. } => Stage::Within,
            Step::WorkingDirectory { .. } => Stage::WorkingDirectory,
            Step::Dial { .. } | Step::Talk { .. } => Stage::Dial,
            Step::Execute { .. } => Stage::Exec,
        }
    }

    /// What went wrong when this step failed with `errno`, for people.
    pub(crate) fn failure(&self, errno: i32) -> String {
        if let Step::Execute { programs, argv, .. } = self {
            let program = argv.first();
            let looked_up = !program.contains('/') && programs.len() != 1;
            return match errno {
                libc::ENOENT if looked_up || !program.contains('/') => {
                    format!("exec: \"{program}\": executable file not found in $PATH")
                }
                _ => format!("exec: \"{program}\": {}", errno_text(errno)),
            };
        }
        if let Step::CopyWithin { blame, .. } = self {
            return blame.clone();
        }
        format!("{}: {}", self.describe(), errno_text(errno))
    }

    fn describe(&self) -> String {
        match self {
            Step::JoinCgroup { procs } => format!("join control group {}", lossy(procs)),
            Step::OomScore { value } => format!("set oom_score_adj to {}", lossy(value)),
            Step::Enter { .. } => "enter a namespace of the pod".to_owned(),
            Step::Session => "begin a session".to_owned(),
            Step::Output(_) => "set up the standard streams".to_owned(),
            Step::Terminal { .. } => "open a terminal".to_owned(),
            Step::HostName { name } => format!("set the host name to \"{}\"", lossy(name)),
            Step::Mount { kind, target, .. } => match kind {
                Some(kind) => format!("mount {} at {}", lossy(kind), lossy(target)),
                None => format!("bind {}", lossy(target)),
            },
            Step::Directory { path, .. } => format!("make directory {}", lossy(path)),
            Step::Node { path, .. } => format!("make device {}", lossy(path)),
            Step::File { path, .. } => format!("make file {}", lossy(path)),
            Step::Source { path } => format!("open {}", lossy(path)),
            Step::Rewrite { path, .. } => format!("write file {}", lossy(path)),
            Step::Proc => "mount proc at /proc".to_owned(),
            Step::Look { .. } => "look at the writable places".to_owned(),
            Step::CopyTree { source, .. } => format!("mount {}", lossy(source)),
            Step::CopyWithin { path, .. } => format!("mount {}", lossy(path)),
            Step::Enterdir { path } => format!("enter {}", lossy(path)),
            Step::MachineMounts { .. } => "look at the machine's mounts".to_owned(),
            Step::OwnMounts => "come back from the machine's mounts".to_owned(),
            Step::Pivot => "change the root".to_owned(),
            Step::Attach { target, .. } => format!("mount at {}", lossy(target)),
            Step::Tmpfs { target, .. } => format!("mount tmpfs at {}", lossy(target)),
            Step::Mask { path } => format!("mask {}", lossy(path)),
            Step::ReadOnly { path, .. } => format!("make {} read-only", lossy(path)),
            Step::WorkingDirectory { path, .. } => {
                format!("change to working directory {}", lossy(path))
            }
            Step::FileLimit { soft, .. } => format!("set the limit of open files to {soft}"),
            Step::DropCapabilities { .. } => "bound the capabilities".to_owned(),
            Step::User { uid, gid, .. } => format!("become user {uid} and group {gid}"),
            Step::Capabilities { mask } => format!("set the capabilities to {mask:#x}"),
            Step::NoNewPrivileges => "set no_new_privs".to_owned(),
            Step::Seccomp { program } => {
                format!("install a seccomp program of {} instructions", program.len())
            }
            Step::Dial { port } => format!("dial tcp 127.0.0.1:{port}: connect"),
            Step::Talk { .. } => "read tcp 127.0.0.1".to_owned(),
            Step::AcceptSignals => "accept signals".to_owned(),
            Step::Execute { .. } => "run the program".to_owned(),
        }
    }
}
