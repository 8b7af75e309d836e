//! What the kernel says of this process, under the names that all Prometheus clients use.

use std::fs;

use super::text::{Text, Type};

/// Ticks a second in which the kernel tells times to programs; the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// Adds the process's samples; what the kernel does not say is left out.
pub(super) fn write(text: &mut Text) {
    if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(stat) {
        let start = boot_time().map(|boot| boot + stat.start_s);
        text.single(
            "process_cpu_seconds_total",
            Type::Counter,
            "User and system CPU time, in seconds.",
            stat.cpu_s,
        );
        text.single(
            "process_virtual_memory_bytes",
            Type::Gauge,
            "Size of the address space.",
            stat.virtual_bytes,
        );
        if let Some(start) = start {
            let help = "Start of the process, in seconds since the epoch.";
            text.single("process_start_time_seconds", Type::Gauge, help, start);
        }
    }
    let resident = crate::own::resident_bytes();
    text.single("process_resident_memory_bytes", Type::Gauge, "Resident memory.", resident);
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        text.single("process_open_fds", Type::Gauge, "Open descriptors.", open.count());
    }
    if let Some(most) = descriptors_max() {
        text.single("process_max_fds", Type::Gauge, "Descriptors that may be open.", most);
    }
}

struct Stat {
    cpu_s: f64,
    /// Since the machine started.
    start_s: f64,
    virtual_bytes: u64,
}

/// The fields after the name, which may hold anything, are counted from the third on.
fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some(Stat {
        cpu_s: (number(14)? + number(15)?) / TICKS_PER_S,
        start_s: number(22)? / TICKS_PER_S,
        virtual_bytes: fields.get(23 - 3)?.parse().ok()?,
    })
}

/// When the machine started, in seconds since the epoch.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn descriptors_max() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_moves_no_field() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 3 0 1234 4096 5 18446744073709551615";
        let stat = stat(line).unwrap();
        assert_eq!((stat.cpu_s, stat.start_s, stat.virtual_bytes), (2.0, 12.34, 4096));
        assert!(super::stat("7 (a").is_none());
    }
}
