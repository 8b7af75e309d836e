//! Network and IPC namespaces, used again when clean.
//!
//! Making a network namespace and taking it apart costs more than everything else of a small
//! container together, so an ended container gives its own to a pool. What makes that safe is that
//! such a namespace holds nothing but `lo` and one end of a pair to the [switch](crate::network), and
//! that a container without the capabilities to configure networks can leave only a few kinds of
//! things in it, all of which are looked for. One is
//! used again only if
//!
//! - no container that was in it could change it ([`cannot_change`]): its capabilities were among the
//!   default ones (no NET_ADMIN, no SYS_ADMIN), it was not privileged, its /proc/sys was read-only, and
//!   no mount showed it the machine's /proc or /sys;
//! - every process that was in it is gone: the PID namespaces of its containers have ended, and of a
//!   pod that keeps its namespaces the pod has;
//! - the network namespace has no socket of any family, TIME_WAIT included, and no leased IPv6 flow
//!   label; the IPC namespace has no System V object and no POSIX queue.
//!
//! NET_RAW does not forbid it: raw sockets are sockets, end with their processes and configure
//! nothing. Nor do they configure others: the link to the switch has no neighbours to be told lies,
//! and the switch drops what has another's address. Counters (packets, SNMP) go on; TCP metrics are
//! not kept in these namespaces at all. Link and address stay with a namespace, so that one that is
//! used again costs nothing anew; the address rests as long as the namespace does.
//!
//! The look at a network happens right before it is given to the next container, the one that has
//! rested longest first: some sockets are freed a moment after the process that had them. One that is
//! not clean then gets a second chance after the others, and is dropped the second time. What is in an
//! IPC namespace neither comes nor goes without a process, so that is looked at when it comes back.

use crate::network::{Port, Switch};
use crate::protocol::{Container, Mount, MountSource, PodRange};
use crate::sys::{files, mounts, process};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

/// Clean namespaces of one kind that are kept for containers to come. They cost the kernel about
/// 100 KiB each and the spawner [`FILES_PER_NAMESPACE`] descriptors; idle, they need no time at all.
pub(crate) const IDLE_MAX: usize = 64;

/// Descriptors of one namespace at most: itself and what its state is read from.
pub(crate) const FILES_PER_NAMESPACE: u64 = 6;

/// The pool of each kind may take one in so many of the spawner's descriptors.
const FILES_PART: u64 = 16;

/// Idle namespaces that are looked at for one container before a new one is made.
const LOOKS_MAX: usize = 2;

/// Bytes read of a file that tells the state of a namespace; the first lines decide.
const STATE_BYTES_MAX: usize = 1024;

/// The capabilities container engines give by default, NET_RAW among them: none of them allows to
/// change a namespace.
const HARMLESS_CAPABILITIES: u64 = 0xa804_25fb;

/// Written once in each network namespace, where the machine has it: everybody may listen on low
/// ports, as container engines have it, and nothing is remembered of connections that are over.
const NETWORK_SETTINGS: [(&str, &str); 2] = [
    ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
    ("/proc/sys/net/ipv4/tcp_no_metrics_save", "1"),
];

/// What a namespace is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Interfaces, sockets.
    Network,
    /// System V objects, POSIX queues.
    Ipc,
}

impl Kind {
    /// The `CLONE_NEW*` flag.
    pub(crate) fn flag(self) -> libc::c_int {
        match self {
            Kind::Network => libc::CLONE_NEWNET,
            Kind::Ipc => libc::CLONE_NEWIPC,
        }
    }

    fn path(self) -> &'static Path {
        Path::new(match self {
            Kind::Network => "/proc/thread-self/ns/net",
            Kind::Ipc => "/proc/thread-self/ns/ipc",
        })
    }
}

/// A namespace and the files that tell what is in it. These were opened inside and go on showing it.
#[derive(Debug)]
pub(crate) struct Namespace {
    fd: OwnedFd,
    state: Inside,
    /// Whether it was found unclean once.
    doubted: bool,
}

#[derive(Debug)]
enum Inside {
    Network {
        sockets: File,
        /// Absent on a machine without IPv6.
        flow_labels: Option<File>,
        /// Its place at the switch, unless it has loopback only.
        port: Option<Port>,
    },
    Ipc {
        /// Messages, semaphores, shared memory: a header, then a line for each object.
        objects: [File; 3],
        /// The directory of the POSIX queues and its size when empty; absent where the kernel has
        /// none.
        queues: Option<(OwnedFd, u64)>,
    },
}

/// Whether a container leaves the configuration of its namespaces as it was, whatever it does.
pub(crate) fn cannot_change(container: &Container) -> bool {
    let fixed = |path: &String| matches!(path.as_str(), "/proc" | "/proc/sys");
    let shows_kernel = |mount: &Mount| match &mount.source {
        MountSource::Bind(path) | MountSource::Within { directory: path, .. } => {
            let path = Path::new(path);
            path == Path::new("/") || path.starts_with("/proc") || path.starts_with("/sys")
        }
        MountSource::Tmpfs(_) => false,
    };
    !container.privileged
        && container.capabilities & !HARMLESS_CAPABILITIES == 0
        && container.read_only_paths.iter().any(fixed)
        && !container.mounts.iter().any(shows_kernel)
}

impl Namespace {
    pub(crate) fn kind(&self) -> Kind {
        match self.state {
            Inside::Network { .. } => Kind::Network,
            Inside::Ipc { .. } => Kind::Ipc,
        }
    }

    /// For a child to enter.
    pub(crate) fn held(&self) -> (RawFd, libc::c_int) {
        (self.fd.as_raw_fd(), self.kind().flag())
    }

    /// The addresses of whoever is in it.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        match &self.state {
            Inside::Network { port: Some(port), .. } => port.addresses().all(),
            _ => Vec::new(),
        }
    }

    /// Open the one this process is in and has just made, and plug it in.
    fn here(kind: Kind, switch: Option<&Rc<Switch>>) -> io::Result<Namespace> {
        let fd = OwnedFd::from(File::open(kind.path())?);
        let state = match kind {
            Kind::Network => {
                process::loopback_up()?;
                for (path, value) in NETWORK_SETTINGS {
                    match fs::write(path, value) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        result => result?,
                    }
                }
                let open = |name: &str| File::open(Path::new("/proc/thread-self/net").join(name));
                Inside::Network {
                    sockets: open("sockstat")?,
                    flow_labels: open("ip6_flowlabel").ok(),
                    port: switch.map(|switch| Switch::plug(switch, &fd)).transpose()?,
                }
            }
            Kind::Ipc => {
                let open = |name: &str| File::open(Path::new("/proc/sysvipc").join(name));
                let queues = mounts::queues().ok();
                let sized = |fd: OwnedFd| Some((files::size(fd.as_fd()).ok()?, fd));
                let queues = queues.and_then(sized).map(|(size, fd)| (fd, size));
                Inside::Ipc { objects: [open("msg")?, open("sem")?, open("shm")?], queues }
            }
        };
        Ok(Namespace { fd, state, doubted: false })
    }

    /// Remember that it was found unclean; whether it was before.
    pub(crate) fn doubt(&mut self) -> bool {
        std::mem::replace(&mut self.doubted, true)
    }

    /// Whether nothing is left in it by those who were there.
    pub(crate) fn is_clean(&self) -> bool {
        match &self.state {
            Inside::Network { sockets, flow_labels, port } => {
                let own = port.as_ref().map_or(0, |_| Port::SOCKETS);
                read(sockets).is_ok_and(|text| no_sockets_but(own, &text))
                    && flow_labels.as_ref().is_none_or(is_header_only)
            }
            Inside::Ipc { objects, queues } => {
                let empty = |(fd, size): &(OwnedFd, u64)| {
                    files::size(fd.as_fd()).is_ok_and(|now| now == *size)
                };
                objects.iter().all(is_header_only) && queues.as_ref().is_none_or(empty)
            }
        }
    }
}

/// Only the namespaces, for nobody will have them after whoever enters them; and what keeps the
/// addresses that those go on having.
pub(crate) fn give_up(namespaces: &mut Vec<Namespace>) -> (Vec<OwnedFd>, Option<Port>) {
    let mut kept = None;
    let only = |Namespace { fd, state, .. }: Namespace| {
        if let Inside::Network { port: Some(port), .. } = state {
            kept = Some(port);
        }
        fd
    };
    (namespaces.drain(..).map(only).collect(), kept)
}

/// What the kernel counts in `sockstat`: sockets of all families that are not freed, and apart from
/// them the small ones that wait out TIME_WAIT. So many are the spawner's own.
fn no_sockets_but(own: u64, text: &str) -> bool {
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let used = lines.find(|words| words.first() == Some(&"sockets:"));
    let tcp = lines.find(|words| words.first() == Some(&"TCP:"));
    let value = |words: Option<Vec<&str>>, name: &str| {
        let words = words?;
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    value(used, "used") == Some(own) && value(tcp, "tw") == Some(0)
}

fn is_header_only(file: &File) -> bool {
    read(file).is_ok_and(|text| text.lines().count() == 1)
}

fn read(file: &File) -> io::Result<String> {
    let mut bytes = [0; STATE_BYTES_MAX];
    let count = file.read_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes[..count]).into_owned())
}

/// The namespaces the spawner itself lives in, and those it keeps for containers.
#[derive(Debug)]
pub(crate) struct Pool {
    home: [(OwnedFd, libc::c_int); 3],
    network: VecDeque<Namespace>,
    ipc: VecDeque<Namespace>,
    idle_max: usize,
    switch: Plugged,
}

/// What new networks are plugged into.
#[derive(Debug)]
enum Plugged {
    /// Nobody has asked for addresses so far.
    Unasked,
    /// This.
    Into(Rc<Switch>),
    /// Nothing: the machine does not give what it takes to make addresses of this range work.
    Nothing(PodRange),
}

impl Pool {
    /// An empty one. `files_max` is how many descriptors the spawner may have; the pool takes a small
    /// part of them.
    pub(crate) fn new(files_max: u64) -> io::Result<Pool> {
        let open = |path: &str| File::open(path).map(OwnedFd::from);
        let home = [
            (open("/proc/self/ns/net")?, libc::CLONE_NEWNET),
            (open("/proc/self/ns/ipc")?, libc::CLONE_NEWIPC),
            (open("/proc/self/ns/uts")?, libc::CLONE_NEWUTS),
        ];
        let part = files_max / (FILES_PER_NAMESPACE * FILES_PART);
        let idle_max = IDLE_MAX.min(usize::try_from(part).unwrap_or(IDLE_MAX));
        let (network, ipc) = (VecDeque::new(), VecDeque::new());
        Ok(Pool { home, network, ipc, idle_max, switch: Plugged::Unasked })
    }

    /// Descriptors in use here.
    pub(crate) fn files(&self) -> u64 {
        FILES_PER_NAMESPACE * (self.network.len() + self.ipc.len()) as u64
    }

    /// A clean IPC namespace: the one that has rested longest, else a new one.
    pub(crate) fn ipc(&mut self) -> io::Result<Namespace> {
        match self.rested(Kind::Ipc) {
            Some(rested) => Ok(rested),
            None => self.within(Kind::Ipc.flag(), || Namespace::here(Kind::Ipc, None)),
        }
    }

    /// A clean network namespace with addresses of this range, likewise.
    pub(crate) fn network(&mut self, range: Option<PodRange>) -> io::Result<Namespace> {
        let switch = range.and_then(|range| self.switch(range));
        let of = |namespace: &Namespace| match &namespace.state {
            Inside::Network { port, .. } => port.as_ref().map(Port::range),
            Inside::Ipc { .. } => None,
        };
        let wanted = switch.as_ref().map(|switch| switch.range);
        self.network.retain(|namespace| of(namespace) == wanted);
        if let Some(rested) = self.rested(Kind::Network) {
            return Ok(rested);
        }
        let new =
            |switch| self.within(Kind::Network.flag(), || Namespace::here(Kind::Network, switch));
        match (new(switch.as_ref()), &switch) {
            (Err(error), Some(unused)) if unused.is_unused() => {
                complain!("pods have loopback only: {error}");
                let made = new(None);
                self.switch = Plugged::Nothing(unused.range);
                made
            }
            (made, _) => made,
        }
    }

    /// The switch for a range of addresses, made when it is asked for first.
    fn switch(&mut self, range: PodRange) -> Option<Rc<Switch>> {
        match &self.switch {
            Plugged::Into(switch) if switch.range == range => return Some(Rc::clone(switch)),
            Plugged::Nothing(tried) if *tried == range => return None,
            _ => {}
        }
        match self.within(Kind::Network.flag(), || Switch::here(range)) {
            Ok(switch) => {
                let switch = Rc::new(switch);
                self.switch = Plugged::Into(Rc::clone(&switch));
                Some(switch)
            }
            Err(error) => {
                complain!("pods have loopback only: {error}");
                self.switch = Plugged::Nothing(range);
                None
            }
        }
    }

    /// A clean one that was used before.
    fn rested(&mut self, kind: Kind) -> Option<Namespace> {
        for _ in 0..LOOKS_MAX {
            let Some(mut rested) = self.idle(kind).pop_front() else { break };
            if kind == Kind::Ipc || rested.is_clean() {
                rested.doubted = false;
                return Some(rested);
            }
            if !rested.doubt() {
                self.idle(kind).push_back(rested);
            }
        }
        None
    }

    /// Take back one that nobody could change and whose processes are gone. Where objects were left
    /// that do not go by themselves, it goes at once, with them.
    pub(crate) fn give(&mut self, namespace: Namespace) {
        let kind = namespace.kind();
        if kind == Kind::Ipc && !namespace.is_clean() {
            return;
        }
        let idle_max = self.idle_max;
        let idle = self.idle(kind);
        idle.push_back(namespace);
        if idle.len() > idle_max {
            idle.pop_front();
        }
    }

    /// Do something in new namespaces and come back. The spawner has one thread that does anything, and
    /// starters stay where they are, so no process is needed to hold them.
    pub(crate) fn within<T>(
        &self,
        flags: libc::c_int,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        process::unshare(flags)?;
        let made = work();
        for (namespace, kind) in self.home.iter().filter(|(_, kind)| flags & kind != 0) {
            process::enter_namespace(namespace.as_raw_fd(), *kind)?;
        }
        made
    }

    fn idle(&mut self, kind: Kind) -> &mut VecDeque<Namespace> {
        match kind {
            Kind::Network => &mut self.network,
            Kind::Ipc => &mut self.ipc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_counted_with_those_in_time_wait() {
        let text = |used: u32, tw: u32| {
            format!(
                "sockets: used {used}\nTCP: inuse 0 orphan 0 tw {tw} alloc 3 mem 7\nUDP: inuse 0 mem 0\n"
            )
        };
        assert!(no_sockets_but(0, &text(0, 0)));
        assert!(!no_sockets_but(0, &text(1, 0)));
        assert!(!no_sockets_but(0, &text(0, 1)));
        assert!(no_sockets_but(1, &text(1, 0)), "the spawner's own");
        assert!(!no_sockets_but(1, &text(2, 0)));
        assert!(!no_sockets_but(0, ""), "what cannot be read is not clean");
        assert!(!no_sockets_but(0, "sockets: used 0\n"));
    }
}
