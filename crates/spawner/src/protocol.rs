//! What the server and the spawner say to each other over the unix socket in the data directory.
//!
//! A frame is a 4-byte little-endian length and that many bytes of JSON. Descriptors ride beside the
//! first byte of the frame that names them (`SCM_RIGHTS`); where they are more than one message takes
//! (253), the others ride beside the bytes that follow in the same frame, so a reader keeps them in
//! the order they come. JSON, so that a newer server and an older spawner understand each other:
//! unknown fields are ignored, new fields have defaults. A spawner hangs up on a request that it does
//! not know, so a server sends it none ([`Request::is_known_to`]). A request
//! may be repeated at will: starts, signals and ends are idempotent by [`ContainerId`].

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The version of this protocol. Both sides say theirs first; the lower one is spoken. What came with
/// 2: programs beside a container's own ([`Request::Exec`]), streams ([`Request::Attach`],
/// [`Request::Sockets`], [`Start::stdio`]), privileged containers, [`MountSource::Within`],
/// [`Container::joins`], [`Container::addresses`].
pub const VERSION: u32 = 2;

/// The longest frame that is accepted, in bytes: a start with the largest environment Linux takes.
pub const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One attempt at one container of one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId {
    /// The pod's uid.
    pub pod: String,
    /// The container's name within the pod.
    pub container: String,
    /// 0 for the first start, then the restart count.
    pub attempt: u32,
}

/// What the server asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Always first. Answered by [`Reply::Hello`] and a [`Reply::Listed`].
    Hello {
        /// The server's [`VERSION`].
        version: u32,
    },
    /// Start a container. Answered by `Started` or `Failed`, also when it was started before.
    Start(Box<Start>),
    /// Send a signal to the container's first process (to the process group for plain processes).
    Signal {
        /// Which container.
        id: ContainerId,
        /// The signal's number.
        signal: i32,
    },
    /// End everything in the container at once.
    Kill {
        /// Which container.
        id: ContainerId,
    },
    /// Run one more program in a running container: in its namespaces, control group, environment and
    /// working directory, as its user and with its rights. It ends with the container, and with this
    /// connection. Answered by [`Reply::Executed`].
    Exec(Box<Exec>),
    /// Come to the standard streams of a running container: its input, and a copy of what it writes
    /// from now on. Answered by [`Reply::Given`], or by `Executed` with a failure.
    Attach {
        /// Which container.
        id: ContainerId,
        /// As [`Exec::exec`].
        number: u64,
        /// Which streams; of a container with a terminal, errors are part of the output.
        streams: Streams,
    },
    /// The first who attached to the input of a container with [`Stdio::stdin_once`] has left: the
    /// input ends.
    CloseInput {
        /// Which container.
        id: ContainerId,
    },
    /// Sockets in a container's network, not yet connected: TCP over IPv4, and over IPv6 where there
    /// is such. Answered by [`Reply::Given`], or by `Executed` with a failure.
    Sockets {
        /// Which container.
        id: ContainerId,
        /// As [`Exec::exec`].
        number: u64,
    },
    /// End that program at once.
    KillExec {
        /// Which container.
        id: ContainerId,
        /// [`Exec::exec`]
        exec: u64,
    },
    /// The end of this container is stored durably: its record may go.
    Forget {
        /// Which container.
        id: ContainerId,
    },
    /// Nothing more will start in this pod: give back its namespaces and control groups. Containers
    /// that still run are killed first. Answered by [`Reply::PodEnded`].
    EndPod {
        /// The pod's uid.
        pod: String,
    },
    /// Leave as soon as no container runs and none is unforgotten, unless a server says hello before.
    Stop,
}

/// What the spawner answers or reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Answer to `Hello`.
    Hello {
        /// The spawner's [`VERSION`].
        version: u32,
        /// Random per spawner process: tells a server whether this is the spawner it knew.
        instance: String,
    },
    /// Every container that runs, or whose end was not yet forgotten. The pidfds of the running ones
    /// ride along, in order.
    Listed {
        /// In the order of their ids.
        containers: Vec<Record>,
    },
    /// The container's own program runs now (its `execve` succeeded). Its pidfd rides along.
    Started {
        /// Which container.
        id: ContainerId,
        /// What runs.
        running: Running,
    },
    /// Nothing of the container runs, and nothing will under this id.
    Failed {
        /// Which container.
        id: ContainerId,
        /// Why.
        failure: Failure,
    },
    /// The container is over; every process of it is gone and its output is in the log file. Of a
    /// plain process without limits only the process group is known: one that left it is not waited
    /// for longer than a second, nor is one in it that SIGKILL does not end.
    Ended {
        /// Which container.
        id: ContainerId,
        /// How.
        end: End,
    },
    /// Answer to `Exec`: the program has ended, or never began.
    Executed {
        /// Which container.
        id: ContainerId,
        /// [`Exec::exec`]
        exec: u64,
        /// What came of it.
        how: Executed,
    },
    /// The near ends of streams, whose descriptors ride along in this order.
    Given {
        /// Which container.
        id: ContainerId,
        /// The number of the request: [`Exec::exec`].
        number: u64,
        /// What they are.
        given: Vec<Given>,
    },
    /// Answer to `EndPod`: nothing of the pod is left.
    PodEnded {
        /// The pod's uid.
        pod: String,
    },
}

/// One container as the spawner knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which container.
    pub id: ContainerId,
    /// What became of it so far.
    pub state: State,
}

/// What became of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Its start is under way.
    Starting,
    /// It runs.
    Running(Running),
    /// It could not be started.
    Failed(Failure),
    /// It ended.
    Ended(End),
}

/// A running container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// The process id of its first process, in the spawner's PID namespace.
    pub pid: i32,
    /// When it started, nanoseconds since the epoch.
    pub started_ns: i64,
    /// The addresses of its pod's own network, the chief one first; none on the machine's, or where
    /// pods have loopback only.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
}

/// Why a container could not be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which step failed.
    pub stage: Stage,
    /// The `errno` of that step; 0 if it was not a system call.
    pub errno: i32,
    /// What was being done, with the path or name concerned.
    pub message: String,
    /// When, nanoseconds since the epoch.
    pub at_ns: i64,
}

/// The step of a start that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Control groups.
    Cgroup,
    /// The new process or its namespaces.
    Clone,
    /// The root file system or a mount.
    Mount,
    /// What lies inside a volume could not be found or leads out of it; the failure's message is
    /// [`MountSource::Within::blame`].
    Within,
    /// User, capabilities, seccomp, limits.
    Privileges,
    /// The working directory.
    WorkingDirectory,
    /// Connecting to a port.
    Dial,
    /// Running the program: `ENOENT` not found, `EACCES` not executable.
    Exec,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Exit code of its first process, when it exited.
    pub code: Option<i32>,
    /// The signal that killed it, when one did.
    pub signal: Option<i32>,
    /// Whether its memory control group saw an OOM kill.
    pub oom_killed: bool,
    /// When it started, nanoseconds since the epoch.
    pub started_ns: i64,
    /// When it ended, nanoseconds since the epoch.
    pub finished_ns: i64,
    /// User and system time of its first process and reaped descendants, microseconds.
    pub cpu_us: u64,
    /// The most memory it used, bytes: of the control group, else of its largest process.
    pub memory_peak_bytes: u64,
    /// The end of the file at [`Container::termination_path`], at most 4096 bytes of it, what is not
    /// UTF-8 replaced; empty if there is none.
    #[serde(default)]
    pub message: String,
    /// How much its log files take, bytes.
    #[serde(default)]
    pub log_bytes: u64,
}

/// Something to be run in a running container. Its input is empty, unless it has streams.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exec {
    /// Which container.
    pub id: ContainerId,
    /// A number of the server's choice that it does not use again for this container.
    pub exec: u64,
    /// What is to be run.
    pub task: Task,
    /// How much is kept of its output and of its errors, bytes each, up to 64 KiB: what comes first.
    /// What comes later is read and dropped.
    pub output_bytes_max: u32,
    /// Streams of a program, given to whoever asks as soon as there is a child ([`Reply::Given`]):
    /// nothing is kept of them then. Such a program is not ended when the connection is: its streams
    /// break, as those of a program whose terminal is gone.
    #[serde(default)]
    pub streams: Option<Streams>,
}

/// Standard streams that somebody wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    /// Input.
    pub stdin: bool,
    /// Output.
    pub stdout: bool,
    /// Errors; none of their own on a terminal.
    pub stderr: bool,
    /// Whether the program gets a terminal for all three. An attached container has one or has not.
    pub terminal: bool,
}

/// One descriptor that is given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// The writing end of its input.
    Stdin,
    /// The reading end of its output.
    Stdout,
    /// The reading end of its errors.
    Stderr,
    /// The controlling side of its terminal.
    Terminal,
    /// A unix socket by which that arrives, beside one byte, once the program has opened it.
    TerminalArrives,
    /// A TCP socket over IPv4.
    Socket4,
    /// A TCP socket over IPv6.
    Socket6,
}

/// What is run in a container beside its own program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Program and arguments; the program is looked up in the container's `PATH`.
    Program(Vec<String>),
    /// No program: somebody on the container's own loopback who connects to a port, sends something,
    /// and whose output is what comes back. Of the container it has the network alone.
    Dial {
        /// The port, TCP at 127.0.0.1.
        port: u16,
        /// What is sent; if nothing, nothing is awaited.
        send: String,
        /// With what the answer ends, unless the other side ends it before.
        until: String,
    },
}

/// What came of a program that was run in a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Executed {
    /// It ran to its end. Processes that it left behind go on, but are not heard any more.
    Ended {
        /// Its exit code, when it exited.
        code: Option<i32>,
        /// The signal that killed it, when one did.
        signal: Option<i32>,
        /// What it wrote, as far as it is kept; what is not UTF-8 is replaced.
        stdout: String,
        /// What it wrote to its errors, likewise.
        stderr: String,
        /// Whether it was killed because the container ended, which is told after this.
        #[serde(default)]
        with_container: bool,
    },
    /// It was not started.
    Failed(Failure),
}

/// Everything needed to start one container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// Which attempt this is.
    pub id: ContainerId,
    /// Program and arguments; the program is looked up in the `PATH` of `env`, inside the root.
    pub argv: Vec<String>,
    /// `NAME=value`, complete.
    pub env: Vec<String>,
    /// Working directory inside the root; made if missing in a container.
    pub cwd: String,
    /// Who it runs as.
    pub user: User,
    /// Resource limits.
    pub limits: Limits,
    /// Where the output goes.
    pub log: Log,
    /// How it is set apart.
    pub isolation: Isolation,
    /// What its standard streams are.
    #[serde(default)]
    pub stdio: Stdio,
    /// What stands in `argv` and `env` in place of its pod's addresses, which are not known before
    /// there is a network.
    #[serde(default)]
    pub address_words: Option<AddressWords>,
}

/// Words that nobody can have written by chance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressWords {
    /// For the chief address.
    pub first: String,
    /// For all addresses, with commas between.
    pub all: String,
}

/// The standard streams of a container's own program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stdio {
    /// Whether it has an input, empty until somebody attaches to it.
    pub stdin: bool,
    /// Whether that ends when the first who attached to it leaves.
    pub stdin_once: bool,
    /// Whether all three are a terminal.
    pub tty: bool,
}

/// Who a container runs as.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Resource limits; `None` is unlimited, and a controller that nothing needs is not joined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Most memory, bytes; no swap beyond it.
    pub memory_bytes: Option<u64>,
    /// Weight as v1 `cpu.shares`, 2 to 262144.
    pub cpu_shares: Option<u64>,
    /// CPU time per period of 100,000 microseconds.
    pub cpu_quota_us: Option<u64>,
    /// Most processes and threads.
    pub pids: Option<u64>,
    /// `oom_score_adj`; lowering it needs CAP_SYS_RESOURCE and is skipped without.
    pub oom_score_adj: Option<i32>,
}

/// Where output goes: `<directory>/<name>`, in the CRI log format, made at the first byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// An absolute directory; made, with its parent, when the first byte arrives.
    pub directory: String,
    /// File name, such as `0.log`; older files are `0.log.1`, `0.log.2`, …
    pub name: String,
    /// Size at which a new file is begun, bytes.
    pub file_bytes_max: u64,
    /// How many files are kept, the current one included.
    pub files_max: u32,
}

/// How a container is set apart from the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Isolation {
    /// A plain process in a session of its own: RuntimeClass `process`.
    Process,
    /// Namespaces, a root of its own, capabilities, seccomp.
    Container(Box<Container>),
}

impl Isolation {
    /// That of a container.
    ///
    /// # Panics
    /// It is a plain process.
    pub(crate) fn container(&self) -> &Container {
        match self {
            Isolation::Container(container) => container,
            Isolation::Process => panic!("a plain process is not isolated"),
        }
    }
}

/// The isolation of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Container {
    /// What `/` is.
    pub root: Root,
    /// Whether `/` is read-only.
    pub read_only_root: bool,
    /// Size of the tmpfs that holds what the container writes to `/`, bytes.
    pub writable_bytes: u64,
    /// Further mounts, in order.
    pub mounts: Vec<Mount>,
    /// Small files that the private layer holds from the start.
    #[serde(default)]
    pub files: Vec<ContainerFile>,
    /// Where an empty file that everyone may write to is mounted, after all other mounts; what stands
    /// in it when the container has ended is [`End::message`].
    #[serde(default)]
    pub termination_path: Option<String>,
    /// Host name.
    pub hostname: String,
    /// Whether it shares the machine's network instead of having its pod's.
    pub host_network: bool,
    /// Where the addresses of its pod come from; nowhere: it has loopback only. So it is too where
    /// the machine gives no more.
    #[serde(default)]
    pub addresses: Option<PodRange>,
    /// Whether network, IPC and UTS namespaces are kept for further containers or attempts of the
    /// pod. False lets a pod of one single start do without.
    pub keep_namespaces: bool,
    /// The running container whose namespaces it shares, for a pod that did without kept ones.
    #[serde(default)]
    pub joins: Option<ContainerId>,
    /// Whether it has the devices of the machine, may write to /sys and sees the machine's control
    /// groups there. Its capabilities, paths and seccomp program are what the other fields say.
    #[serde(default)]
    pub privileged: bool,
    /// Capability set as a bit mask (bit n = capability n); empty for a user other than 0 except in
    /// the bounding set.
    pub capabilities: u64,
    /// Whether `no_new_privs` is set.
    pub no_new_privileges: bool,
    /// A seccomp program: `sock_filter` instructions, 8 bytes each in native order; empty for none. In
    /// JSON as base64.
    #[serde(with = "base64_text")]
    pub seccomp: Vec<u8>,
    /// Paths that are hidden if they exist.
    pub masked_paths: Vec<String>,
    /// Paths that are made read-only if they exist.
    pub read_only_paths: Vec<String>,
}

/// Addresses that are the pods' own: networks, with the bits of their prefixes. All pods of a spawner
/// should have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRange {
    /// Of IPv4.
    pub v4: (Ipv4Addr, u8),
    /// Of IPv6, if pods are to have such addresses.
    pub v6: Option<(Ipv6Addr, u8)>,
}

/// What a container's `/` is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Root {
    /// `coracle.local/host`: the machine's own trees, each under a private overlay.
    Host {
        /// Top-level trees that are overlaid, such as `/usr`.
        trees: Vec<String>,
        /// Top-level symbolic links that are copied, as (name, target): `/bin` to `usr/bin`.
        links: Vec<(String, String)>,
        /// Paths inside the trees that must not be seen (`/etc/shadow`): removed in the private layer.
        hidden: Vec<String>,
    },
    /// A directory on the machine, under a private overlay.
    Directory(String),
}

/// A small file in the private layer of a container's root: in place of whatever the root has there,
/// below all mounts. Links of an image are not followed but replaced: directories on the way that
/// are none in the image are made, and all of them are root's with mode 0755.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFile {
    /// Absolute path inside the root, without `.` and `..`.
    pub target: String,
    /// Permission bits.
    pub mode: u32,
    /// What stands in it first.
    pub text: String,
    /// A file of the machine whose contents follow, if there is one.
    #[serde(default)]
    pub then: Option<String>,
    /// Names of the pod: a line for each of its addresses, with these after a tab, follows.
    #[serde(default)]
    pub own_names: Option<String>,
    /// What stands in it last.
    #[serde(default)]
    pub end: String,
}

/// One mount inside a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Absolute path inside the root; made if missing.
    pub target: String,
    /// Whether it is read-only, with all mounts below it.
    pub read_only: bool,
    /// What it has to do with mounts that come later.
    #[serde(default)]
    pub propagation: Propagation,
}

/// How mounts that are made later travel between machine and container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Propagation {
    /// Not at all.
    #[default]
    Private,
    /// From the machine to the container, if the machine shares the mount.
    Slave,
    /// Both ways, if the machine shares the mount.
    Shared,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MountSource {
    /// A file or directory of the machine.
    Bind(String),
    /// What lies at a path inside a directory of the machine that others may change at any time: no
    /// link and no race leads out of it, and what was looked at is what is mounted.
    Within {
        /// The directory, absolute.
        directory: String,
        /// The path from there, without `..`. Links in it may point anywhere inside.
        path: String,
        /// Whether missing directories are made, with the mode of the first.
        make: bool,
        /// What is said if it cannot be found.
        blame: String,
    },
    /// An empty tmpfs of at most so many bytes.
    Tmpfs(u64),
}

/// Bytes as text: a list of numbers takes ten times as long to read.
mod base64_text {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}
