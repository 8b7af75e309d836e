//! Which control groups a container gets and what is written where. Pure: v1, v2 and hybrid machines
//! are data here.

use crate::protocol::Limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Period of the CPU quota, microseconds.
const CPU_PERIOD_US: u64 = 100_000;

/// A controller that a limit can need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Controller {
    /// CPU weight and quota.
    Cpu,
    /// v1 only: stops all processes of a group at once, so that none escapes a kill.
    Freezer,
    /// Memory.
    Memory,
    /// Number of processes.
    Pids,
}

impl Controller {
    const ALL: [Controller; 4] =
        [Controller::Cpu, Controller::Freezer, Controller::Memory, Controller::Pids];

    /// Its name in the kernel.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Controller::Cpu => "cpu",
            Controller::Freezer => "freezer",
            Controller::Memory => "memory",
            Controller::Pids => "pids",
        }
    }
}

/// The control groups this machine has, as far as the spawner may use them: the directories below
/// which containers get theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// v1 hierarchies.
    pub(crate) v1: BTreeMap<Controller, PathBuf>,
    /// The v1 hierarchy without controllers by which an init system tracks its units.
    pub(crate) v1_tracking: Option<PathBuf>,
    /// The v2 tree and the controllers it has.
    pub(crate) v2: Option<(PathBuf, Vec<Controller>)>,
}

/// Read from the text of /proc/self/mountinfo; `v2_controllers` gives the text of the file
/// `cgroup.controllers` of a v2 mount.
pub(crate) fn discover(mountinfo: &str, v2_controllers: impl Fn(&Path) -> String) -> Machine {
    let mut machine = Machine::default();
    for line in mountinfo.lines() {
        let Some((mount, file_system)) = line.split_once(" - ") else { continue };
        let Some(point) = mount.split(' ').nth(4) else { continue };
        let mut fields = file_system.split(' ');
        let (kind, options) = (fields.next(), fields.nth(1).unwrap_or(""));
        let point = PathBuf::from(point);
        match kind {
            Some("cgroup") => {
                for option in options.split(',') {
                    let named = |controller: &Controller| controller.name() == option;
                    if let Some(controller) = Controller::ALL.into_iter().find(named) {
                        machine.v1.insert(controller, point.clone());
                    } else if option == "name=systemd" {
                        machine.v1_tracking = Some(point.clone());
                    }
                }
            }
            Some("cgroup2") => {
                let text = v2_controllers(&point);
                let there = |c: &Controller| text.split_whitespace().any(|word| word == c.name());
                machine.v2 = Some((point, Controller::ALL.into_iter().filter(there).collect()));
            }
            _ => {}
        }
    }
    machine
}

/// What one container gets. Nothing at all if it has no limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Directories to make, and to remove at the end.
    pub(crate) directories: Vec<PathBuf>,
    /// Files to write, in order.
    pub(crate) writes: Vec<Write>,
    /// v1: the directories whose `cgroup.procs` the child joins.
    pub(crate) join: Vec<PathBuf>,
    /// v2: the directory the child is cloned into.
    pub(crate) into: Option<PathBuf>,
    /// Where memory is counted, and how.
    pub(crate) memory: Option<Memory>,
    /// v1: the freezer's directory.
    pub(crate) freezer: Option<PathBuf>,
}

/// One value for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// Which file.
    pub(crate) path: PathBuf,
    /// What goes in.
    pub(crate) value: String,
    /// Whether the machine may lack the file: it does if it was built without swap accounting.
    pub(crate) optional: bool,
}

/// Where a container's memory is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// A v1 directory: `memory.oom_control`, `memory.max_usage_in_bytes`.
    V1(PathBuf),
    /// A v2 directory: `memory.events`, `memory.peak`.
    V2(PathBuf),
}

/// Plan the groups called `name` for these limits. A plain process on v1 gets a freezer if it gets
/// any group, because it has no PID namespace that would end with it.
///
/// # Errors
/// The controller that a limit needs and the machine lacks; never for weights, which promise
/// nothing, nor for a plain process, whose limits are kept where the machine can.
pub(crate) fn plan(
    machine: &Machine,
    limits: &Limits,
    name: &str,
    plain: bool,
) -> Result<Plan, &'static str> {
    let mut plan = Plan::default();
    let cpu = limits.cpu_quota_us.is_some() || limits.cpu_shares.is_some();
    let wanted = [
        (Controller::Memory, limits.memory_bytes.is_some(), true),
        (Controller::Cpu, cpu, limits.cpu_quota_us.is_some()),
        (Controller::Pids, limits.pids.is_some(), true),
    ];
    for (controller, wanted, promised) in wanted {
        if !wanted {
            continue;
        }
        match home(machine, controller, name) {
            Some(Home::V1(path)) => plan.add_v1(controller, path, limits),
            Some(Home::V2(path)) => plan.add_v2(controller, path, limits),
            None if promised && !plain => return Err(controller.name()),
            None => {}
        }
    }
    if plain
        && !plan.join.is_empty()
        && let Some(Home::V1(path)) = home(machine, Controller::Freezer, name)
    {
        plan.add_v1(Controller::Freezer, path.clone(), limits);
        plan.freezer = Some(path);
    }
    Ok(plan)
}

/// The directory in which a controller's files are.
enum Home {
    V1(PathBuf),
    V2(PathBuf),
}

fn home(machine: &Machine, controller: Controller, name: &str) -> Option<Home> {
    if let Some(point) = machine.v1.get(&controller) {
        return Some(Home::V1(point.join(name)));
    }
    let (point, controllers) = machine.v2.as_ref()?;
    controllers.contains(&controller).then(|| Home::V2(point.join(name)))
}

impl Plan {
    fn add_v1(&mut self, controller: Controller, path: PathBuf, limits: &Limits) {
        match controller {
            Controller::Memory => {
                self.memory = Some(Memory::V1(path.clone()));
                let limit = limits.memory_bytes;
                self.write(&path, "memory.limit_in_bytes", limit, false);
                self.write(&path, "memory.memsw.limit_in_bytes", limit, true);
            }
            Controller::Cpu => {
                self.write(&path, "cpu.shares", limits.cpu_shares, false);
                let period = limits.cpu_quota_us.map(|_| CPU_PERIOD_US);
                self.write(&path, "cpu.cfs_period_us", period, false);
                self.write(&path, "cpu.cfs_quota_us", limits.cpu_quota_us, false);
            }
            Controller::Pids => self.write(&path, "pids.max", limits.pids, false),
            Controller::Freezer => {}
        }
        if !self.directories.contains(&path) {
            self.directories.push(path.clone());
            self.join.push(path);
        }
    }

    fn add_v2(&mut self, controller: Controller, path: PathBuf, limits: &Limits) {
        match controller {
            Controller::Memory => {
                self.memory = Some(Memory::V2(path.clone()));
                self.write(&path, "memory.max", limits.memory_bytes, false);
                self.write(&path, "memory.swap.max", Some(0), true);
                self.write(&path, "memory.oom.group", Some(1), true);
            }
            Controller::Cpu => {
                self.write(&path, "cpu.weight", limits.cpu_shares.map(weight), false);
                let quota = limits.cpu_quota_us.map(|quota| format!("{quota} {CPU_PERIOD_US}"));
                self.write(&path, "cpu.max", quota, false);
            }
            Controller::Pids => self.write(&path, "pids.max", limits.pids, false),
            Controller::Freezer => {}
        }
        if self.into.is_none() {
            self.directories.push(path.clone());
            self.into = Some(path);
        }
    }

    fn write(&mut self, at: &Path, file: &str, value: Option<impl ToString>, optional: bool) {
        if let Some(value) = value {
            let (path, value) = (at.join(file), value.to_string());
            self.writes.push(Write { path, value, optional });
        }
    }
}

/// The v2 weight of v1 shares, on a curve on which 2, 1024 and 262144 shares are 1, 100 and 10000.
fn weight(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        262_144.. => 10_000,
        _ => {
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            10_f64.powf(exponent).ceil() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "\
30 20 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 20 0:26 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory
32 20 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 20 0:28 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
34 20 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
35 20 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
36 20 0:31 / /tmp rw - tmpfs tmpfs rw
";
    const V2: &str = "30 20 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

    fn shown(mountinfo: &str, v2: &str, limits: &Limits, plain: bool) -> String {
        let machine = discover(mountinfo, |_| v2.to_owned());
        let plan = match plan(&machine, limits, "x", plain) {
            Ok(plan) => plan,
            Err(controller) => return format!("no {controller}"),
        };
        let mut lines: Vec<String> = Vec::new();
        let at = |path: &Path| path.strip_prefix("/sys/fs/cgroup").unwrap().display().to_string();
        lines.extend(plan.writes.iter().map(|w| {
            format!("{}{} = {}", at(&w.path), if w.optional { "?" } else { "" }, w.value)
        }));
        lines.extend(plan.join.iter().map(|path| format!("join {}", at(path))));
        lines.extend(plan.into.iter().map(|path| format!("into {}", at(path))));
        assert_eq!(plan.directories.len(), plan.join.len() + usize::from(plan.into.is_some()));
        lines.join("\n")
    }

    fn all() -> Limits {
        Limits {
            memory_bytes: Some(1 << 20),
            cpu_shares: Some(1024),
            cpu_quota_us: Some(50_000),
            pids: Some(10),
            oom_score_adj: None,
        }
    }

    #[test]
    fn hybrid_machines_keep_limits_on_v1() {
        let expected = "\
memory/x/memory.limit_in_bytes = 1048576
memory/x/memory.memsw.limit_in_bytes? = 1048576
cpu,cpuacct/x/cpu.shares = 1024
cpu,cpuacct/x/cpu.cfs_period_us = 100000
cpu,cpuacct/x/cpu.cfs_quota_us = 50000
pids/x/pids.max = 10
join memory/x
join cpu,cpuacct/x
join pids/x";
        assert_eq!(shown(V1, "hugetlb", &all(), false), expected);
        assert_eq!(shown(V1, "hugetlb", &all(), true), format!("{expected}\njoin freezer/x"));
    }

    #[test]
    fn v2_machines_use_one_directory() {
        let expected = "\
x/memory.max = 1048576
x/memory.swap.max? = 0
x/memory.oom.group? = 1
x/cpu.weight = 100
x/cpu.max = 50000 100000
x/pids.max = 10
into x";
        assert_eq!(shown(V2, "cpuset cpu io memory pids", &all(), false), expected);
        assert_eq!(shown(V2, "cpuset cpu io memory pids", &all(), true), expected);
    }

    #[test]
    fn only_what_a_limit_needs_is_joined() {
        let limits = Limits { pids: Some(3), ..Limits::default() };
        assert_eq!(shown(V1, "", &limits, false), "pids/x/pids.max = 3\njoin pids/x");
        assert_eq!(shown(V1, "", &Limits::default(), true), "");
        let hybrid = "32 20 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n".to_owned()
            + "35 20 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let limits = Limits { memory_bytes: Some(5), pids: Some(3), ..Limits::default() };
        let expected = "\
unified/x/memory.max = 5
unified/x/memory.swap.max? = 0
unified/x/memory.oom.group? = 1
pids/x/pids.max = 3
join pids/x
into unified/x";
        assert_eq!(shown(&hybrid, "memory", &limits, false), expected);
    }

    #[test]
    fn a_limit_that_cannot_be_kept_is_an_error_for_containers_only() {
        assert_eq!(shown("", "", &all(), false), "no memory");
        assert_eq!(shown("", "", &all(), true), "");
        let weight_only = Limits { cpu_shares: Some(2), ..Limits::default() };
        assert_eq!(shown("", "", &weight_only, false), "");
    }

    #[test]
    fn weights_follow_shares() {
        let shares = [0, 2, 3, 512, 1024, 2048, 262_143, 262_144, u64::MAX];
        let weights = [1, 1, 2, 59, 100, 174, 10_000, 10_000, 10_000];
        assert_eq!(shares.map(weight), weights);
    }
}
