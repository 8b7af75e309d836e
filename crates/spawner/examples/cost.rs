//! What a container costs: CPU of the spawner and everything below it per start and end, beside a
//! `posix_spawn` loop of the same program, in turns. Needs root and a v1 `cpuacct` hierarchy.
//!
//! `cargo run --release -p spawner --example cost -- SPAWNER_EXE [COUNT]`

use spawner::client::Client;
use spawner::protocol::{
    Container, ContainerId, Isolation, Limits, Log, Reply, Request, Root, Start, User,
};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Turns of each kind; the cheapest is shown with the middle one, because others use the machine too.
const ROUNDS: usize = 5;

static TURN: AtomicU32 = AtomicU32::new(0);

const PROGRAM: &str = "/bin/true";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, count] = arguments.as_slice()
        && word == "posix"
    {
        return posix_loop(count.parse()?);
    }
    let exe = arguments.get(1).ok_or("usage: cost SPAWNER_EXE [COUNT]")?;
    let count: u32 = arguments.get(2).map_or(Ok(400), |text| text.parse())?;
    let only = std::env::var("ONLY").ok();
    for parallel in [1, 2, 8] {
        let mut rows: Vec<(&str, Vec<Cost>)> = Vec::new();
        let names = ["posix_spawn", "process", "host network", "own network", "as usual"];
        let wanted = |name: &&str| only.as_deref().is_none_or(|only| only == *name);
        rows.extend(names.into_iter().filter(wanted).map(|name| (name, Vec::new())));
        for _ in 0..ROUNDS {
            for (name, costs) in &mut rows {
                costs.push(match *name {
                    "posix_spawn" => posix(count, parallel)?,
                    name => spawned(Path::new(exe), name, count, parallel)?,
                });
            }
        }
        report(parallel, &rows);
    }
    Ok(())
}

/// One turn, per start: microseconds.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    kernel: f64,
    wall: f64,
}

fn report(parallel: u32, rows: &[(&str, Vec<Cost>)]) {
    println!("{parallel} at a time; microseconds per start and end (cheapest turn, middle turn)");
    let sorted = |costs: &[Cost], of: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2])
    };
    let bare = sorted(&rows[0].1, |cost| cost.cpu);
    for (name, costs) in rows {
        let (cpu, kernel) = (sorted(costs, |c| c.cpu), sorted(costs, |c| c.kernel));
        let wall = sorted(costs, |c| c.wall);
        println!(
            "  {name:14} cpu {:6.0} {:6.0} = {:4.2}x {:4.2}x   kernel threads {:5.0} {:5.0}   wall {:6.0} {:6.0}",
            cpu.0,
            cpu.1,
            cpu.0 / bare.0,
            cpu.1 / bare.1,
            kernel.0,
            kernel.1,
            wall.0,
            wall.1
        );
    }
}

/// A cpuacct group that counts a process and its descendants.
struct Counter(PathBuf);

impl Counter {
    fn new(name: &str) -> Result<Counter, Box<dyn Error>> {
        let path = Path::new("/sys/fs/cgroup/cpuacct").join(name);
        fs::create_dir_all(&path)?;
        Ok(Counter(path))
    }

    fn ns(&self) -> Result<f64, Box<dyn Error>> {
        Ok(fs::read_to_string(self.0.join("cpuacct.usage"))?.trim().parse()?)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// CPU time of all kernel threads so far, nanoseconds: they take mounts and networks apart.
fn kernel_threads_ns() -> f64 {
    let Ok(entries) = fs::read_dir("/proc") else { return 0.0 };
    let mut total = 0.0;
    for entry in entries.flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        if read("stat").rsplit(") ").next().is_some_and(|rest| rest.split(' ').nth(1) == Some("2"))
        {
            let text = read("schedstat");
            total += text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
        }
    }
    total
}

fn measure(
    counter: &Counter,
    count: u32,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<Cost, Box<dyn Error>> {
    let (cpu, kernel, begin) = (counter.ns()?, kernel_threads_ns(), Instant::now());
    work()?;
    let wall = begin.elapsed().as_nanos() as f64;
    let per = |ns: f64| ns / 1000.0 / f64::from(count);
    let (cpu, kernel) = (counter.ns()? - cpu, kernel_threads_ns() - kernel);
    Ok(Cost { cpu: per(cpu), kernel: per(kernel), wall: per(wall) })
}

/// The plainest way to run a program: `posix_spawn` and wait, in processes of their own.
fn posix(count: u32, parallel: u32) -> Result<Cost, Box<dyn Error>> {
    let counter = Counter::new("coracle-cost-posix")?;
    let own = std::env::current_exe()?;
    let join =
        "echo $$ > /sys/fs/cgroup/cpuacct/coracle-cost-posix/cgroup.procs; exec \"$0\" posix $1";
    measure(&counter, count, || {
        let start = |_| {
            let each = (count / parallel).to_string();
            Command::new("/bin/sh").args(["-c", join]).arg(&own).arg(each).spawn()
        };
        let children: Vec<_> = (0..parallel).map(start).collect::<Result<_, _>>()?;
        for mut child in children {
            child.wait()?;
        }
        Ok(())
    })
}

fn posix_loop(count: u32) -> Result<(), Box<dyn Error>> {
    for _ in 0..count {
        Command::new(PROGRAM).stdin(Stdio::null()).status()?;
    }
    Ok(())
}

fn spawned(exe: &Path, name: &str, count: u32, parallel: u32) -> Result<Cost, Box<dyn Error>> {
    // A directory of its own for each turn: the spawner of the last one may still be tidying up.
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let data_dir = std::env::temp_dir().join(format!("coracle-cost-{}-{turn}", std::process::id()));
    fs::create_dir_all(&data_dir)?;
    spawner::launch(exe, &data_dir)?;
    let mut client = Client::connect(&data_dir)?;
    let (_hello, _listed) = (client.receive()?, client.receive()?);
    let counter = Counter::new("coracle-cost-spawner")?;
    let pid = fs::read_to_string(data_dir.join(spawner::LOCK_NAME))?;
    fs::write(counter.0.join("cgroup.procs"), &pid)?;
    drive(&mut client, &data_dir, name, 20, parallel, 1_000_000)?;
    let cost =
        measure(&counter, count, || drive(&mut client, &data_dir, name, count, parallel, 0))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("Rss") || line.starts_with("VmRSS"))
        .collect();
    if std::env::var_os("SHOW_RESIDENT").is_some() {
        println!("{}", resident.join(" "));
    }
    client.send(&Request::Stop)?;
    while client.receive().is_ok() {}
    let _ = fs::remove_dir_all(&data_dir);
    Ok(cost)
}

fn drive(
    client: &mut Client,
    data_dir: &Path,
    name: &str,
    count: u32,
    parallel: u32,
    first: u32,
) -> Result<(), Box<dyn Error>> {
    let mut next = first;
    let mut ended = 0;
    for _ in 0..parallel.min(count) {
        client.send(&Request::Start(Box::new(start(data_dir, name, next))))?;
        next += 1;
    }
    while ended < count {
        match client.receive()?.0 {
            Reply::Ended { id, end } => {
                if end.code != Some(0) {
                    return Err(format!("{end:?}").into());
                }
                ended += 1;
                client.send(&Request::Forget { id })?;
                if next < first + count {
                    client.send(&Request::Start(Box::new(start(data_dir, name, next))))?;
                    next += 1;
                }
            }
            Reply::Failed { failure, .. } => return Err(failure.message.into()),
            _ => {}
        }
    }
    Ok(())
}

fn start(data_dir: &Path, name: &str, number: u32) -> Start {
    let directory = data_dir.join("logs").join(number.to_string());
    Start {
        id: ContainerId { pod: number.to_string(), container: "c".to_owned(), attempt: 0 },
        argv: vec![PROGRAM.to_owned()],
        env: vec!["PATH=/usr/bin:/bin".to_owned(), "HOME=/root".to_owned()],
        cwd: "/".to_owned(),
        user: User::default(),
        limits: Limits::default(),
        log: Log {
            directory: directory.display().to_string(),
            name: "0.log".to_owned(),
            file_bytes_max: 10 << 20,
            files_max: 5,
        },
        isolation: match name {
            "process" => Isolation::Process,
            name => Isolation::Container(Box::new(container(name))),
        },
        stdio: spawner::protocol::Stdio::default(),
        address_words: None,
    }
}

/// A filter of usual length: refused numbers in runs that are skipped as a whole, then yes.
fn filter() -> Vec<u8> {
    let mut program: Vec<(u16, u8, u8, u32)> = vec![(0x20, 0, 0, 0)];
    for run in 0..7_u32 {
        let numbers = (0..8).map(|n| 1000 + 8 * run + n);
        program.push((0x25, 17, 0, 1007 + 8 * run));
        program.extend(numbers.flat_map(|k| [(0x15, 0, 1, k), (0x06, 0, 0, 0x0005_0001)]));
        program.push((0x06, 0, 0, 0x7fff_0000));
    }
    program.push((0x06, 0, 0, 0x7fff_0000));
    let bytes = |(code, yes, no, k): (u16, u8, u8, u32)| {
        let ([a, b], [c, d, e, f]) = (code.to_ne_bytes(), k.to_ne_bytes());
        [a, b, yes, no, c, d, e, f]
    };
    program.into_iter().flat_map(bytes).collect()
}

fn container(name: &str) -> Container {
    let link = |name: &str| {
        let target = fs::read_link(format!("/{name}")).ok()?;
        Some((format!("/{name}"), target.display().to_string()))
    };
    let is_tree = |path: &String| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let trees = ["/usr", "/etc", "/opt", "/bin", "/sbin", "/lib", "/lib64"].map(str::to_owned);
    let mask = [
        "/proc/acpi",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/proc/asound",
    ];
    let fixed = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
    let all = name == "as usual";
    let listed =
        |paths: &[&str]| paths.iter().filter(|_| all).map(|path| (*path).to_owned()).collect();
    Container {
        root: Root::Host {
            trees: trees.into_iter().filter(is_tree).collect(),
            links: ["bin", "sbin", "lib", "lib64"].into_iter().filter_map(link).collect(),
            hidden: vec!["/etc/shadow".to_owned(), "/etc/gshadow".to_owned()],
        },
        read_only_root: false,
        writable_bytes: 64 << 20,
        mounts: Vec::new(),
        files: Vec::new(),
        termination_path: None,
        hostname: "cost".to_owned(),
        host_network: name == "host network",
        addresses: None,
        keep_namespaces: false,
        joins: None,
        privileged: false,
        capabilities: 0xa804_25fb,
        no_new_privileges: true,
        seccomp: if all { filter() } else { Vec::new() },
        masked_paths: listed(&mask),
        // What nobody could change may be used again: without this each would have a new network.
        read_only_paths: if all { listed(&fixed) } else { vec!["/proc/sys".to_owned()] },
    }
}
