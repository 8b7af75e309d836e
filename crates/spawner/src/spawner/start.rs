//! Starting one container: groups, pipes, plan, child. What fails before there is a child is
//! answered at once and leaves nothing.

use super::maker::no_child;
use super::{Spawner, Token};
use crate::base::Base;
use crate::cgroup::group::Group;
use crate::cgroup::layout;
use crate::container::{Container, Phase, Process, Source, Starting};
use crate::devices::devices;
use crate::log::file::LogFile;
use crate::namespaces::{FILES_PER_NAMESPACE, Namespace, cannot_change, give_up};
use crate::plan::{self, InRoom, Inside, Places, PodNamespaces, Surroundings, refused};
use crate::pod::{self, Shared};
use crate::protocol::{
    Container as Isolation, ContainerId, Failure, Isolation as Kind, Root, Stage, Start,
};
use crate::room::{Blueprint, Room};
use crate::spawner::place::Isolated;
use crate::stdio::{Input, Pipes};
use crate::step::Steps;
use crate::sys::{monotonic_ms, now_ns};
use crate::termination::TerminationFile;
use std::ffi::CString;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// Descriptors one container needs at most: pidfd, three pipes, report, log file, group, room, and one
/// end of each pipe for a moment.
const FILES_PER_CONTAINER: u64 = 12;

/// Descriptors of a program that is run beside a container's own: pidfd, two pipes, report.
const FILES_PER_EXEC: u64 = 4;

/// Descriptors kept free for everything else.
const FILES_RESERVED: u64 = 64;

/// Descriptors of a pod's namespaces.
const FILES_PER_POD: u64 = 2 * FILES_PER_NAMESPACE + 1;

/// Prepared layers that are kept although no container uses them.
const BASES_KEPT_MAX: usize = 16;

/// What a child is to do, and what it needs meanwhile.
#[derive(Default)]
struct Planned {
    /// The namespaces it is made with.
    flags: libc::c_int,
    steps: Steps,
    /// Namespaces of its own that are entered.
    namespaces: Vec<Namespace>,
    /// Of its pod's own network.
    addresses: Vec<IpAddr>,
    base: Option<Rc<Base>>,
    termination: Option<TerminationFile>,
    room: Option<Kept>,
}

/// Mounts that others may have after a container.
enum Kept {
    /// It has them from another.
    Taken(Box<Room>),
    /// It makes them.
    New(Box<Blueprint>),
}

impl Spawner {
    /// Start it, or say why not.
    pub(super) fn start(&mut self, start: Start) -> Result<(), Failure> {
        let now = now_ns();
        self.check_room(now)?;
        let mut group = self.make_group(&start, now)?;
        match self.start_in(start, &mut group, now) {
            Ok(number) => {
                let container = self.containers.get_mut(&number).expect("just added");
                container.group = group;
                Ok(())
            }
            Err(failure) => {
                group.remove();
                Err(failure)
            }
        }
    }

    fn check_room(&self, now: i64) -> Result<(), Failure> {
        let live = self.containers.values().filter(|container| !container.is_over()).count();
        let own: usize = self.containers.values().map(|container| container.namespaces.len()).sum();
        let idle = |isolated: &Isolated| isolated.pool.files() + isolated.rooms.files();
        let idle = self.place.isolation.as_ref().map_or(0, idle);
        let needed = FILES_PER_CONTAINER * (live as u64 + 1)
            + FILES_PER_NAMESPACE * own as u64
            + FILES_PER_POD * (self.pods.len() as u64 + 1)
            + FILES_PER_EXEC * self.execs.len() as u64
            + self.attached.len() as u64
            + FILES_RESERVED
            + idle;
        if needed <= self.place.files_max {
            return Ok(());
        }
        let error = io::Error::from_raw_os_error(libc::EMFILE);
        let what = format!(
            "{live} containers run and the limit of open files is {} (raise it with ulimit -Hn or LimitNOFILE=)",
            self.place.files_max
        );
        Err(refused(Stage::Clone, &error, &what, now))
    }

    fn make_group(&self, start: &Start, now: i64) -> Result<Group, Failure> {
        let plain = matches!(start.isolation, Kind::Process);
        let id = &start.id;
        let name = format!("{}.{}.{}", id.pod, id.container, id.attempt).replace(['/', '\0'], "_");
        let plan = layout::plan(&self.place.cgroups, &start.limits, &name, plain);
        let plan = plan.map_err(|controller| {
            let error = io::Error::from_raw_os_error(libc::ENODEV);
            let what = format!("this machine offers no control group for {controller} limits");
            refused(Stage::Cgroup, &error, &what, now)
        })?;
        Group::make(plan).map_err(|(path, error)| {
            refused(Stage::Cgroup, &error, &format!("control group {}", path.display()), now)
        })
    }

    /// What every child has from the spawner.
    pub(super) fn surroundings(&self, pipes: &Pipes, report: Option<&OwnedFd>) -> Surroundings {
        let isolated = self.place.isolation.as_ref().ok();
        Surroundings {
            input: pipes.input.as_ref().map(|input| input.1.as_raw_fd()),
            terminal: pipes.err.is_none(),
            out: pipes.out.1.as_raw_fd(),
            err: pipes.err.as_ref().unwrap_or(&pipes.out).1.as_raw_fd(),
            report: report.map(AsRawFd::as_raw_fd),
            machine_mounts: isolated.map(|isolated| isolated.machine_mounts.as_raw_fd()),
            file_limit: self.place.file_limit,
            identity: self.place.identity,
            capabilities: self.place.capabilities,
            bounding: self.place.bounding,
        }
    }

    fn start_in(&mut self, mut start: Start, group: &mut Group, now: i64) -> Result<u32, Failure> {
        let fail =
            |stage, what: &'static str| move |error: io::Error| refused(stage, &error, what, now);
        let (stdio, tty) = (start.stdio, start.stdio.tty);
        let pipes = Pipes::make(stdio.stdin, tty).map_err(fail(Stage::Clone, "pipes"))?;
        let maker = self.maker().map_err(fail(Stage::Clone, "pipes"))?;
        let around = self.surroundings(&pipes, maker.report());
        let joins = group.joins().map_err(fail(Stage::Cgroup, "control groups"))?;
        let planned = match &start.isolation {
            Kind::Process => {
                let steps = plan::process(&start, &around, joins)
                    .map_err(fail(Stage::Exec, "what is to be run"))?;
                Planned { steps, ..Planned::default() }
            }
            Kind::Container(_) => self.isolate(&mut start, &around, joins, now)?,
        };
        let Planned { flags, steps, mut namespaces, addresses, base, termination, room } = planned;
        let (plain, reusable, joins_another) = match &start.isolation {
            Kind::Process => (true, false, false),
            Kind::Container(isolation) => {
                (false, cannot_change(isolation), isolation.joins.is_some())
            }
        };
        let inside = Inside::take(&mut start, &mut self.seccomp);
        let Start { id, log, .. } = start;
        let steps = Rc::new(steps);
        let Pipes { input, out, err } = pipes;
        let (input, its_input) = input.unzip();
        let input = input.map(|pipe| Input::new(pipe, stdio)).transpose();
        let input = input.map_err(fail(Stage::Clone, "pipes"))?;
        let (err, its_err) = err.unzip();
        let mut needed: Vec<OwnedFd> =
            its_input.into_iter().chain([out.1]).chain(its_err).collect();
        // If it is their last, the child has them and nobody else will.
        let (held, port) = if reusable { Default::default() } else { give_up(&mut namespaces) };
        needed.extend(held);
        let number = self.next_number();
        // What it takes from another container is there now; so are the mounts that it makes.
        let wait = joins_another || matches!(room, Some(Kept::New(_)));
        let made = maker.make(number, flags, group.target(), &steps, needed, wait);
        let (how, child) = made.map_err(|error| no_child(&error, now))?;
        let room = match (room, &child) {
            (Some(Kept::Taken(room)), _) => Some(*room),
            // A child that is over already leaves nothing.
            (Some(Kept::New(blueprint)), Some(child)) => blueprint.of_child(child.pid).ok(),
            _ => None,
        };
        let timer_ms = monotonic_ms() + self.start_deadline_ms;
        let container = Container {
            id,
            plain,
            phase: Phase::Starting(how),
            steps: Some(steps),
            process: child.map(Process::of),
            gone: None,
            sources: [Some(Source::new(out.0, 0)), err.map(|err| Source::new(err, 1))],
            input,
            terminal: tty,
            terminal_awaited: tty,
            log: LogFile::new(log),
            group: Group::default(),
            straggler: None,
            looks: 0,
            timer_ms: Some(timer_ms),
            namespaces,
            addresses,
            port,
            room,
            base,
            inside: Some(inside),
            termination,
        };
        self.add(number, container);
        Ok(number)
    }

    /// Plan an isolated container, and see to what it needs.
    fn isolate(
        &mut self,
        start: &mut Start,
        around: &Surroundings,
        joins: Vec<CString>,
        now: i64,
    ) -> Result<Planned, Failure> {
        let fail =
            |stage, what: &'static str| move |error: io::Error| refused(stage, &error, what, now);
        let isolation = start.isolation.container();
        let base = self.base(&isolation.root).map_err(fail(Stage::Mount, "root"))?;
        // What is opened in its devpts would be seen by the next one.
        let leaves_room = !start.stdio.tty;
        if let Some(room) = leaves_room.then(|| self.room(&base, isolation)).flatten() {
            return self.in_room(start, around, joins, room, now);
        }
        let root = self.root().map_err(fail(Stage::Mount, "root"))?.to_owned();
        let what = "namespaces of the pod";
        let (pod, namespaces, addresses) =
            self.namespaces(start).map_err(fail(Stage::Clone, what))?;
        plan::tell_addresses(start, &addresses);
        let isolation = start.isolation.container();
        let blueprint = match leaves_room {
            true => self.blueprint(&base, isolation),
            false => Ok(None),
        };
        let blueprint = blueprint.map_err(fail(Stage::Mount, "root"))?;
        let termination =
            self.termination(isolation).map_err(fail(Stage::Mount, "termination file"))?;
        let devices =
            if isolation.privileged { devices(Path::new("/dev")) } else { Ok(Vec::new()) };
        let devices = devices.map_err(fail(Stage::Mount, "devices of the machine"))?;
        let places = Places {
            base: &base,
            root: &root,
            termination: termination.as_ref().map(TerminationFile::path),
            devices: &devices,
        };
        let look = blueprint.as_ref().map(Blueprint::look);
        let steps = plan::container(start, isolation, around, places, &pod, joins, look)
            .map_err(fail(Stage::Exec, "what is to be run"))?;
        let flags = libc::CLONE_NEWNS | plan::new_namespaces(isolation);
        let room = blueprint.map(|blueprint| Kept::New(Box::new(blueprint)));
        let base = Some(base);
        Ok(Planned { flags, steps, namespaces, addresses, base, termination, room })
    }

    /// Plan a container in the room of another.
    fn in_room(
        &mut self,
        start: &mut Start,
        around: &Surroundings,
        joins: Vec<CString>,
        mut room: Room,
        now: i64,
    ) -> Result<Planned, Failure> {
        let fail =
            |stage, what: &'static str| move |error: io::Error| refused(stage, &error, what, now);
        let (network, termination) = room.take_rest();
        let ipc = match &mut self.place.isolation {
            Ok(isolated) => isolated.pool.ipc(),
            Err(_) => Err(io::Error::from_raw_os_error(libc::EPERM)),
        };
        let ipc = ipc.map_err(fail(Stage::Clone, "namespaces of the pod"))?;
        let namespaces: Vec<Namespace> = network.into_iter().chain([ipc]).collect();
        let held: Vec<_> = namespaces.iter().map(Namespace::held).collect();
        let addresses: Vec<_> = namespaces.iter().flat_map(Namespace::addresses).collect();
        plan::tell_addresses(start, &addresses);
        let isolation = start.isolation.container();
        let files = room.rewrite(&isolation.files);
        let shared = room.furnish(start, isolation, around);
        let shared = shared.map_err(fail(Stage::Exec, "what is to be run"))?;
        let again = InRoom { room: room.mounts(), files, shared };
        let steps = plan::in_room(start, isolation, around, &held, again, joins)
            .map_err(fail(Stage::Exec, "what is to be run"))?;
        let (flags, room) = (plan::new_namespaces(isolation), Some(Kept::Taken(Box::new(room))));
        Ok(Planned { flags, steps, namespaces, addresses, base: None, termination, room })
    }

    /// A room that another container has left.
    fn room(&mut self, base: &Rc<Base>, isolation: &Isolation) -> Option<Room> {
        self.place.isolation.as_mut().ok()?.rooms.take(base, isolation)
    }

    fn blueprint(&self, base: &Rc<Base>, isolation: &Isolation) -> io::Result<Option<Blueprint>> {
        match &self.place.isolation {
            Ok(isolated) => isolated.rooms.blueprint(base, isolation),
            Err(_) => Ok(None),
        }
    }

    /// The file for a container's last words, if it is to have one.
    fn termination(&mut self, isolation: &Isolation) -> io::Result<Option<TerminationFile>> {
        match &mut self.place.isolation {
            Ok(isolated) if isolation.termination_path.is_some() => {
                isolated.terminations.make().map(Some)
            }
            _ => Ok(None),
        }
    }

    fn root(&self) -> io::Result<&Path> {
        match &self.place.isolation {
            Ok(isolated) => Ok(&isolated.root),
            Err(error) => Err(io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(0))),
        }
    }

    /// The prepared lower layer for a root: the one made before, unless the machine's mounts or the
    /// request have changed since.
    fn base(&mut self, root: &Root) -> io::Result<Rc<Base>> {
        self.root()?;
        let mounts = match (root, &mut self.place.isolation) {
            (Root::Host { .. }, Ok(isolated)) => isolated.mounts.current()?,
            _ => Rc::default(),
        };
        let same = |kept: &&super::Kept| kept.root == *root && kept.mounts == mounts;
        if let Some(kept) = self.bases.iter().find(same) {
            return Ok(Rc::clone(&kept.base));
        }
        if self.bases.len() >= BASES_KEPT_MAX {
            self.bases.retain(|kept| Rc::strong_count(&kept.base) > 1);
        }
        self.bases_made += 1;
        let Ok(isolated) = &mut self.place.isolation else {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        };
        isolated.rooms.clear();
        let directory = isolated.layers.join(format!("b{}", self.bases_made));
        let base = Base::prepare(&directory, root, &mounts, &self.place.data_dir);
        if base.is_err() {
            let _ = std::fs::remove_dir_all(&directory);
        }
        let base = Rc::new(base?);
        let kept = super::Kept { root: root.clone(), mounts, base: Rc::clone(&base) };
        self.bases.push(kept);
        Ok(base)
    }

    /// The namespaces a container enters: the pod's, if they are kept, else its own, which come
    /// along; and the addresses in them.
    fn namespaces(
        &mut self,
        start: &Start,
    ) -> io::Result<(PodNamespaces, Vec<Namespace>, Vec<IpAddr>)> {
        let isolation = start.isolation.container();
        if let Some(other) = &isolation.joins {
            return self.joined(other, isolation.host_network);
        }
        let Ok(isolated) = &mut self.place.isolation else {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        };
        if !isolation.keep_namespaces {
            let own = pod::take(isolation, &mut isolated.pool)?;
            let addresses = own.iter().flat_map(Namespace::addresses).collect();
            let held = own.iter().map(Namespace::held).collect();
            return Ok((PodNamespaces { held, shm: None }, own, addresses));
        }
        let pod = self.pods.entry(start.id.pod.clone()).or_default();
        let shared = match &mut pod.shared {
            Some(shared) => shared,
            none => {
                self.shms_made += 1;
                let shm = isolated.layers.join(format!("s{}", self.shms_made));
                none.insert(Shared::make(isolation, shm, &mut isolated.pool)?)
            }
        };
        shared.reusable &= cannot_change(isolation);
        Ok((shared.for_plan(), Vec::new(), shared.addresses()))
    }

    /// The namespaces of a container that runs, for another one of its pod.
    fn joined(
        &mut self,
        other: &ContainerId,
        host_network: bool,
    ) -> io::Result<(PodNamespaces, Vec<Namespace>, Vec<IpAddr>)> {
        let number = self.numbers.get(other);
        let container = number.and_then(|number| self.containers.get_mut(number));
        let running = container.filter(|c| matches!(c.phase, Phase::Running(_)));
        let Some(container) = running else {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        };
        // Whoever gives them to others looks for the processes of that container only.
        let (_, port) = give_up(&mut container.namespaces);
        container.port = container.port.take().or(port);
        container.room = None;
        let Some(process) = &container.process else {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        };
        let network = if host_network { 0 } else { libc::CLONE_NEWNET };
        let kinds = network | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
        let held = vec![(process.pidfd.as_raw_fd(), kinds)];
        let addresses = container.addresses.clone();
        Ok((PodNamespaces { held, shm: None }, Vec::new(), addresses))
    }

    /// Follow a new container.
    fn add(&mut self, number: u32, container: Container) {
        let watch = |fd: std::os::fd::BorrowedFd, kind: Token| {
            if let Err(error) = self.epoll.add(fd, kind.pack(number)) {
                complain!("watch {:?}: {error}", container.id);
            }
        };
        if let Phase::Starting(Starting::Copying { report }) = &container.phase {
            watch(report.as_fd(), Token::Report);
            if let Some(process) = &container.process {
                watch(process.pidfd.as_fd(), Token::Exit);
            }
        }
        for (source, token) in container.sources.iter().zip([Token::Stdout, Token::Stderr]) {
            if let Some(source) = source {
                watch(source.pipe.as_fd(), token);
            }
        }
        self.timers.extend(container.timer_ms.map(|at| (at, number)));
        self.numbers.insert(container.id.clone(), number);
        self.containers.insert(number, container);
    }
}
