//! `simulation [--seeds N] [--from N] [--seed S] [--minutes M] [--bug NAME]`: lives through worlds and
//! reports.

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
use simulation::{BUGS, Bug, Outcome, Stats, run};

/// Seeds lived through when no number is given.
const SEEDS: u64 = 200;

/// Seeds within which a planted bug has to be found.
const BUG_SEEDS_MAX: u64 = 2000;

/// What to do.
struct Args {
    seeds: Option<u64>,
    from: u64,
    one: Option<u64>,
    minutes: Option<u64>,
    bug: Option<Bug>,
}

/// What came of some worlds.
#[derive(Default)]
struct Tally {
    stats: Stats,
    worlds: u64,
    /// The seed of one that was not clean.
    failed: Option<u64>,
}

thread_local! {
    /// The seed whose world this thread lives through, for the message of a panic.
    static LIVING: Cell<u64> = const { Cell::new(0) };
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
    let mut args = Args { seeds: None, from: 0, one: None, minutes: None, bug: None };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let value = given.next().with_context(|| format!("{flag} lacks its value"))?;
        let number = || value.parse::<u64>().with_context(|| format!("{flag} takes a number"));
        match flag.as_str() {
            "--seeds" => args.seeds = Some(number()?),
            "--from" => args.from = number()?,
            "--seed" => args.one = Some(number()?),
            "--minutes" => args.minutes = Some(number()?),
            "--bug" => args.bug = Some(bug(&value)?),
            other => bail!(
                "{other} is not a flag: --seeds N, --from N, --seed S, --minutes M, --bug NAME"
            ),
        }
    }
    Ok(args)
}

fn bug(name: &str) -> anyhow::Result<Bug> {
    let Some(bug) = BUGS.iter().find(|bug| bug.name == name) else {
        let names = BUGS.map(|bug| format!("{} ({})", bug.name, bug.what)).join(", ");
        bail!("{name} is not a planted bug: {names}");
    };
    if !bug.planted {
        bail!("{name} is not built in: use `cargo xtask sim --bug {name}`");
    }
    Ok(*bug)
}

/// True if every world was clean; with a planted bug, if it was found.
fn simulate(args: &Args) -> anyhow::Result<bool> {
    if let Some(seed) = args.one {
        LIVING.set(seed);
        let outcome = run(seed, Some(|line| println!("{line}")));
        report(1, &outcome.stats, Duration::ZERO);
        return Ok(verdict(seed, &outcome));
    }
    let began = Instant::now();
    let until = args.minutes.map(|minutes| began + Duration::from_secs(60 * minutes));
    let seeds = args.seeds.unwrap_or(if args.bug.is_some() { BUG_SEEDS_MAX } else { SEEDS });
    let end = if until.is_some() { u64::MAX } else { args.from + seeds };
    let next = AtomicU64::new(args.from);
    let mut all = Tally::default();
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers).map(|_| scope.spawn(|| work(&next, end, until))).collect();
        for thread in threads {
            let tally = thread.join().expect("worlds that panic are caught");
            add(&mut all.stats, &tally.stats);
            all.worlds += tally.worlds;
            all.failed = all.failed.into_iter().chain(tally.failed).min();
        }
    });
    report(all.worlds, &all.stats, began.elapsed());
    Ok(match (args.bug, all.failed) {
        (None, failed) => failed.is_none(),
        (Some(bug), Some(seed)) => {
            println!("found the planted bug {} at seed {seed}", bug.name);
            true
        }
        (Some(bug), None) => {
            println!("did not find the planted bug {}: {}", bug.name, bug.what);
            false
        }
    })
}

/// Lives through worlds until there are no more, or one is not clean.
fn work(next: &AtomicU64, end: u64, until: Option<Instant>) -> Tally {
    let mut tally = Tally::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || until.is_some_and(|until| Instant::now() > until) {
            return tally;
        }
        LIVING.set(seed);
        let outcome = panic::catch_unwind(|| run(seed, None)).unwrap_or_else(|_| Outcome {
            stats: Stats::default(),
            failure: Some("panicked, as told above".to_owned()),
        });
        add(&mut tally.stats, &outcome.stats);
        tally.worlds += 1;
        if !verdict(seed, &outcome) {
            next.store(u64::MAX / 2, Ordering::Relaxed);
            tally.failed = Some(seed);
            return tally;
        }
    }
}

fn verdict(seed: u64, outcome: &Outcome) -> bool {
    if let Some(failure) = &outcome.failure {
        println!("seed {seed}: {failure}");
        println!("again, with its story: cargo xtask sim --seed {seed}");
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
