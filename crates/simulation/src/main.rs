//! `simulation [--seeds N] [--seed S] [--minutes M]`: lives through worlds and reports.

use std::{
    cell::Cell,
    collections::BTreeMap,
    panic,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use simulation::{Outcome, Stats, run};

thread_local! {
    /// The seed whose world this thread lives through, for the message of a panic.
    static LIVING: Cell<u64> = const { Cell::new(0) };
}

/// What to do.
struct Args {
    seeds: u64,
    from: u64,
    one: Option<u64>,
    minutes: Option<u64>,
}

fn main() -> ExitCode {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        println!("seed {}: panicked", LIVING.get());
        default(info);
    }));
    match args().and_then(|args| simulate(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn args() -> anyhow::Result<Args> {
    let mut args = Args { seeds: 200, from: 0, one: None, minutes: None };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let number: u64 = given.next().context("a flag lacks its number")?.parse()?;
        match flag.as_str() {
            "--seeds" => args.seeds = number,
            "--from" => args.from = number,
            "--seed" => args.one = Some(number),
            "--minutes" => args.minutes = Some(number),
            other => bail!("{other} is not a flag: --seeds N, --from N, --seed S, --minutes M"),
        }
    }
    Ok(args)
}

/// True if every world was clean.
fn simulate(args: &Args) -> anyhow::Result<bool> {
    if let Some(seed) = args.one {
        LIVING.set(seed);
        let outcome = run(seed, Some(|line| println!("{line}")));
        report(1, &outcome.stats, Duration::ZERO);
        return Ok(verdict(seed, &outcome));
    }
    let began = Instant::now();
    let until = args.minutes.map(|minutes| began + Duration::from_secs(60 * minutes));
    let next = AtomicU64::new(args.from);
    let end = if until.is_some() { u64::MAX } else { args.from + args.seeds };
    let workers = thread::available_parallelism()?.get();
    let (mut all, mut worlds, mut clean) = (Stats::default(), 0, true);
    thread::scope(|scope| {
        let work = || {
            let mut stats = Stats::default();
            let mut worlds = 0;
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end || until.is_some_and(|until| Instant::now() > until) {
                    return (stats, worlds, true);
                }
                LIVING.set(seed);
                let outcome = run(seed, None);
                add(&mut stats, &outcome.stats);
                worlds += 1;
                if !verdict(seed, &outcome) {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    return (stats, worlds, false);
                }
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (stats, lived, fine) = thread.join().expect("a world panicked; its seed is above");
            add(&mut all, &stats);
            worlds += lived;
            clean &= fine;
        }
    });
    report(worlds, &all, began.elapsed());
    Ok(clean)
}

fn verdict(seed: u64, outcome: &Outcome) -> bool {
    if let Some(failure) = &outcome.failure {
        println!("seed {seed}: {failure}");
        println!("again, with its log: cargo xtask sim --seed {seed}");
    }
    outcome.failure.is_none()
}

fn add(all: &mut Stats, one: &Stats) {
    all.steps += one.steps;
    all.jobs += one.jobs;
    all.containers += one.containers;
    for (fault, count) in &one.faults {
        *all.faults.entry(fault.clone()).or_default() += count;
    }
}

fn report(worlds: u64, stats: &Stats, took: Duration) {
    let faults: u64 = stats.faults.values().sum();
    let by_kind: BTreeMap<_, _> = stats.faults.iter().collect();
    let each = |total: u64| total as f64 / worlds.max(1) as f64;
    println!(
        "{worlds} seeds in {:.1} s ({:.0}/s): {:.0} steps, {:.1} faults, {:.1} jobs, {:.1} containers a seed",
        took.as_secs_f64(),
        worlds as f64 / took.as_secs_f64().max(0.001),
        each(stats.steps),
        each(faults),
        each(stats.jobs),
        each(stats.containers),
    );
    println!("faults by kind: {by_kind:?}");
}
