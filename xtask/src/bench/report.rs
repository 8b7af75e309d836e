//! The result of a bench: kept as JSON, shown as Markdown, spliced into the README.

use crate::cargo;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between these lines stands what [`splice`] puts in.
const BEGIN: &str = "<!-- bench:begin: written by `cargo xtask bench --readme` -->";
const END: &str = "<!-- bench:end -->";

#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) repetitions: usize,
    pub(super) rows: Vec<Row>,
    pub(super) syncs_per_s: Vec<f64>,
    pub(super) latencies: Vec<Latency>,
    /// Absent in results of before it was measured.
    #[serde(default)]
    pub(super) rates: Vec<Rate>,
    pub(super) long_jobs: Vec<LongJob>,
    pub(super) idle: Option<Idle>,
}

/// The conditions.
#[derive(Serialize, Deserialize)]
pub(super) struct Machine {
    commit: String,
    date: String,
    cpu: String,
    cores: usize,
    kernel: String,
    file_system: String,
}

/// One thing measured at one parallelism, once per repetition.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    name: String,
    parallel: u32,
    samples: Vec<Sample>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Sample {
    /// CPU per task of everything, microseconds.
    pub(super) cpu_us: f64,
    /// That, divided by the spawn loop's in the same repetition at the same parallelism.
    pub(super) ratio: f64,
    pub(super) tasks_per_s: f64,
    /// Cores that worked for something else meanwhile.
    pub(super) busy_elsewhere: f64,
}

/// Milliseconds.
#[derive(Serialize, Deserialize)]
pub(super) struct Latency {
    name: String,
    readings: usize,
    p50_ms: f64,
    p95_ms: f64,
}

/// Something that is counted per second, once per repetition.
#[derive(Serialize, Deserialize)]
pub(super) struct Rate {
    name: String,
    samples: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LongJob {
    pub(super) name: String,
    pub(super) tasks: u32,
    /// Tasks in each of the two stretches.
    pub(super) stretch: u32,
    /// CPU per task of the second stretch, microseconds.
    pub(super) early_cpu_us: f64,
    /// CPU per task of the last stretch, microseconds.
    pub(super) late_cpu_us: f64,
    pub(super) wall_s: f64,
    /// Resident memory of the server afterwards.
    pub(super) server_rss_kib: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Idle {
    pub(super) server_rss_kib: u64,
    pub(super) spawner_rss_kib: u64,
    /// Of both.
    pub(super) wake_ups_per_s: f64,
}

impl Latency {
    pub(super) fn new(name: &str, readings: &[Duration]) -> Latency {
        let mut ms: Vec<_> = readings.iter().map(|reading| reading.as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        let at = |percent: usize| ms.get(ms.len() * percent / 100).copied().unwrap_or_default();
        Latency { name: name.to_owned(), readings: ms.len(), p50_ms: at(50), p95_ms: at(95) }
    }
}

impl Report {
    /// An empty report of this machine, for a bench that writes to `scratch`.
    pub(super) fn new(scratch: &Path, repetitions: usize) -> Result<Report> {
        let text = |program: &str, arguments: &[&str]| -> Result<String> {
            let output = cargo::output(cargo::command(program).args(arguments))?;
            Ok(String::from_utf8_lossy(&output).trim().to_owned())
        };
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let mount = text("df", &["--output=fstype", &scratch.to_string_lossy()])?;
        let machine = Machine {
            commit: text("git", &["describe", "--always", "--dirty"])?,
            date: text("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"])?,
            cpu: cpu.map_or("unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: text("uname", &["-sr"])?,
            file_system: mount.lines().last().unwrap_or("unknown").to_owned(),
        };
        Ok(Report {
            machine,
            repetitions,
            rows: Vec::new(),
            syncs_per_s: Vec::new(),
            latencies: Vec::new(),
            rates: Vec::new(),
            long_jobs: Vec::new(),
            idle: None,
        })
    }

    /// Adds a reading to its row.
    pub(super) fn add(&mut self, name: &str, parallel: u32, sample: Sample) {
        let same = |row: &&mut Row| row.name == name && row.parallel == parallel;
        match self.rows.iter_mut().find(same) {
            Some(row) => row.samples.push(sample),
            None => {
                self.rows.push(Row { name: name.to_owned(), parallel, samples: vec![sample] });
            }
        }
    }

    /// Adds a reading to its rate.
    pub(super) fn add_rate(&mut self, name: &str, sample: f64) {
        match self.rates.iter_mut().find(|rate| rate.name == name) {
            Some(rate) => rate.samples.push(sample),
            None => self.rates.push(Rate { name: name.to_owned(), samples: vec![sample] }),
        }
    }

    /// Writes the result into `directory` under its date and commit.
    pub(super) fn save(&self, directory: &Path) -> Result<PathBuf> {
        fs::create_dir_all(directory)?;
        let date = self.machine.date.replace(':', "");
        let file = directory.join(format!("{date}-{}.json", self.machine.commit));
        fs::write(&file, serde_json::to_string_pretty(self)?)?;
        Ok(file)
    }

    /// The tables, with their conditions.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing to a string does not fail");
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let Machine { commit, date, cpu, cores, kernel, file_system } = &self.machine;
        let day = date.split('T').next().unwrap_or_default();
        let elsewhere = spread(self.samples().map(|sample| sample.busy_elsewhere), 1);
        writeln!(
            to,
            "Measured on {day} at {commit}: {cores} cores ({cpu}), {kernel}, {file_system}; \
             fdatasync {}/s; {elsewhere} cores busy with something else. A task is `{}`. CPU is user \
             and system time of server, spawner, containers and client together. Medians of {} \
             readings (smallest to largest); a ratio compares with the spawn loop of the same \
             repetition and parallelism.\n",
            spread(self.syncs_per_s.iter().copied(), 0),
            super::COMMAND,
            self.repetitions
        )?;
        writeln!(to, "| what | at once | CPU per task, µs | times the bare spawn | tasks/s |")?;
        writeln!(to, "| --- | --- | --- | --- | --- |")?;
        for Row { name, parallel, samples } in &self.rows {
            let cpu = spread(samples.iter().map(|sample| sample.cpu_us), 0);
            let ratio = spread(samples.iter().map(|sample| sample.ratio), 2);
            let rate = spread(samples.iter().map(|sample| sample.tasks_per_s), 0);
            writeln!(to, "| {name} | {parallel} | {cpu} | {ratio} | {rate} |")?;
        }
        writeln!(to, "\n| one pod | p50, ms | p95, ms |\n| --- | --- | --- |")?;
        for Latency { name, p50_ms, p95_ms, .. } in &self.latencies {
            writeln!(to, "| {name} | {p50_ms:.1} | {p95_ms:.1} |")?;
        }
        self.write_rates(to)?;
        writeln!(to)?;
        for job in &self.long_jobs {
            let LongJob { name, tasks, stretch, early_cpu_us, late_cpu_us, .. } = job;
            writeln!(
                to,
                "- {name}, an Indexed Job of {tasks}: the last {stretch} pods cost {:.2} times what \
                 pods {} to {} did ({late_cpu_us:.0} against {early_cpu_us:.0} µs); {:.0} s in all, \
                 the server then had {:.1} MiB.",
                late_cpu_us / early_cpu_us,
                stretch + 1,
                stretch * 2,
                job.wall_s,
                mib(job.server_rss_kib)
            )?;
        }
        if let Some(idle) = &self.idle {
            writeln!(
                to,
                "- Idle and empty: server {:.1} MiB and spawner {:.1} MiB resident, {:.1} wake-ups/s.",
                mib(idle.server_rss_kib),
                mib(idle.spawner_rss_kib),
                idle.wake_ups_per_s
            )?;
        }
        Ok(())
    }

    fn write_rates(&self, to: &mut String) -> std::fmt::Result {
        if self.rates.is_empty() {
            return Ok(());
        }
        writeln!(to, "\n| the API over TLS, the client on the same cores | per second |")?;
        writeln!(to, "| --- | --- |")?;
        for Rate { name, samples } in &self.rates {
            writeln!(to, "| {name} | {} |", spread(samples.iter().copied(), 0))?;
        }
        Ok(())
    }

    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.rows.iter().flat_map(|row| &row.samples)
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// `median (smallest to largest)`, or the one value there is.
fn spread(values: impl Iterator<Item = f64>, decimals: usize) -> String {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return "none".to_owned();
    };
    let median = values[values.len() / 2];
    if values.len() == 1 {
        return format!("{median:.decimals$}");
    }
    format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})")
}

/// The text with what stands between the two marks replaced.
pub(super) fn splice(text: &str, tables: &str) -> Result<String> {
    let (before, rest) =
        text.split_once(BEGIN).context("README.md has lost the mark bench:begin")?;
    let (_, after) = rest.split_once(END).context("README.md has lost the mark bench:end")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", tables.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, splice, spread};

    #[test]
    fn a_spread_is_the_median_with_its_ends() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter(), 1), "2.0 (1.0 to 3.0)");
        assert_eq!(spread([3.0].into_iter(), 0), "3");
    }

    #[test]
    fn the_tables_replace_those_before() {
        let old = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = splice(&old, "new\n").expect("both marks");
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(splice(&new, "new").expect("both marks"), new);
        assert!(splice("no marks", "new").is_err());
    }
}
