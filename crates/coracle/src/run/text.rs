//! What people read on standard error: the lines of the plain display, the live block, the summary
//! of a success and the report of a failure. Pure: state and time in, text out.

use jiff::{SignedDuration, Timestamp};

use super::{
    events::{Event, Happening},
    lines::Tail,
    outcome::End,
    pods::Stuck,
    work::{Failure, Work},
};

/// Width of the bar, in characters.
const BAR_WIDTH: usize = 22;

/// How many Jobs the live block shows; the rest is one line.
const BLOCK_JOBS_MAX: usize = 10;

/// What is said of a Job that only waits for pods that it ended.
pub(crate) const ENDING_ITS_PODS: &str = "ending its pods";

/// How the commands that are suggested name this data directory and namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// `--data-dir DIR`, where it was given on the command line.
    pub(crate) data_dir: Option<String>,
}

impl Hints {
    /// How a server is started that acts on everything.
    pub(crate) fn up(&self) -> String {
        let directory = self.data_dir.as_ref();
        let directory = directory.map(|given| format!(" --data-dir {given}")).unwrap_or_default();
        format!("coracle up -d{directory}")
    }

    /// A command to type: `coracle logs job/etl`, with the options that lead it to the same place.
    pub(crate) fn command(&self, verb: &str, work: &Work) -> String {
        let mut command = format!("coracle {verb} {}", work.id);
        if work.id.namespace != "default" {
            command.push_str(&format!(" -n {}", work.id.namespace));
        }
        if let Some(directory) = &self.data_dir {
            command.push_str(&format!(" --data-dir {directory}"));
        }
        command
    }
}

/// A line of the plain display for what happened, where it deserves one by itself; the rest shows in
/// [`progress`].
pub(crate) fn line(event: &Event, work: &Work) -> Option<String> {
    let what = match event.event {
        Happening::Submitted => submitted(work),
        Happening::Started if work.single_pod => "started".to_owned(),
        Happening::Retried if work.single_pod => {
            format!("attempt {} started", event.attempt.unwrap_or(1))
        }
        Happening::Pulling => format!("pulling {}", work.pulling.as_ref()?),
        Happening::Failed => {
            let failure = work.last_failure.as_ref()?;
            let limit = work.memory_limit(&failure.container);
            let how = match event.exit_code {
                Some(_) if !failure.exit.reason.is_empty() || failure.exit.code != 0 => {
                    failure.exit.describe(limit)
                }
                _ => "failed".to_owned(),
            };
            // Its Job or somebody else has ended it: that it did not succeed is no news.
            let verb = if failure.put_down { "ended" } else { "failed" };
            format!("{} {verb}: {how}", who(failure, work))
        }
        _ => return None,
    };
    Some(format!("{}  {what}", work.id))
}

fn submitted(work: &Work) -> String {
    if work.single_pod {
        return "submitted".to_owned();
    }
    let pods = if work.indexed { "indexes" } else { "completions" };
    match work.completions {
        Some(completions) => {
            format!("submitted: {completions} {pods}, {} at a time", work.parallelism)
        }
        None => format!("submitted: a work queue, {} pods", work.parallelism),
    }
}

fn who(failure: &Failure, work: &Work) -> String {
    let attempt = format!("attempt {}", failure.attempt);
    match failure.index {
        Some(index) if !work.single_pod => format!("index {index} {attempt}"),
        _ if work.single_pod => attempt,
        _ => format!("pod {} {attempt}", failure.pod),
    }
}

/// The counts of a Job with several pods.
pub(crate) fn progress(work: &Work) -> String {
    let done = match work.completions {
        Some(completions) => format!("{}/{completions}", work.succeeded),
        None => work.succeeded.to_string(),
    };
    let failed = work.failures.saturating_sub(work.retried);
    format!(
        "{}  {done} succeeded  {} running  {} retried  {failed} failed",
        work.id, work.running, work.retried
    ) + &ends(work)
}

/// Why a Job only waits for the pods that it has told to end.
fn ends(work: &Work) -> String {
    match &work.ending {
        Some(why) if work.running > 0 => format!("  {ENDING_ITS_PODS}: {why}"),
        _ => String::new(),
    }
}

/// The lines of the live block.
pub(crate) fn block(works: &[Work], now: Timestamp) -> Vec<String> {
    let running: Vec<&Work> = works.iter().filter(|work| work.end.is_none()).collect();
    let mut lines: Vec<String> =
        running.iter().take(BLOCK_JOBS_MAX).map(|work| bar_line(work, now)).collect();
    let hidden = running.len().saturating_sub(BLOCK_JOBS_MAX);
    if hidden > 0 {
        lines.push(format!("… and {hidden} more"));
    }
    lines
}

fn bar_line(work: &Work, now: Timestamp) -> String {
    let elapsed = now.duration_since(work.submitted);
    let Some(completions) = work.completions.filter(|_| !work.single_pod) else {
        let state = match &work.pulling {
            Some(image) => format!("pulling {image}"),
            None if work.running > 0 => "running".to_owned(),
            None => "waiting".to_owned(),
        };
        let retried =
            if work.retried > 0 { format!("  {} retried", work.retried) } else { String::new() };
        return format!("{}  {state}{retried}  {}", work.id, duration(elapsed));
    };
    let failed = work.failures.saturating_sub(work.retried);
    format!(
        "{}  [{}]  {}/{completions}  {} running  {} retried  {failed} failed  {}",
        work.id,
        bar(work.succeeded, completions),
        work.succeeded,
        work.running,
        work.retried,
        eta(work.succeeded, completions, elapsed)
    ) + &ends(work)
        + &work.pulling.as_ref().map(|image| format!("  pulling {image}")).unwrap_or_default()
}

fn bar(done: i32, of: i32) -> String {
    let share = f64::from(done.clamp(0, of.max(0))) / f64::from(of.max(1));
    // Truncation is what a bar wants: it is full only when everything is done.
    let full = (share * BAR_WIDTH as f64) as usize;
    format!("{}{}", "#".repeat(full), "-".repeat(BAR_WIDTH - full))
}

fn eta(done: i32, of: i32, elapsed: SignedDuration) -> String {
    if done <= 0 {
        return duration(elapsed);
    }
    let left = elapsed.as_secs_f64() / f64::from(done) * f64::from((of - done).max(0));
    format!("eta {}", duration(SignedDuration::from_millis((left * 1000.0) as i64)))
}

/// `0.9 s`, `42 s`, `3 min 20 s`, `2 h 5 min`
fn duration(time: SignedDuration) -> String {
    let millis = time.as_millis().max(0);
    let (tenths, seconds) = (millis / 100, millis / 1000);
    match seconds {
        0..10 => format!("{}.{} s", tenths / 10, tenths % 10),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// What is said about a Job or Pod at the end of the run.
pub(crate) fn ending(work: &Work, tail: Option<&Tail>, hints: &Hints) -> Vec<String> {
    match &work.end {
        Some(End::Complete) => vec![complete(work)],
        Some(End::Failed { reason, message }) => failed(work, reason, message, tail, hints),
        Some(End::NotStarted { reason, message }) => {
            vec![
                format!("{}  could not start  {reason}: {message}", work.id),
                format!("  {}", mend(reason, message)),
            ]
        }
        Some(End::Left) => vec![format!("{}  goes on: others run it too", work.id)],
        Some(End::Deleted) => vec![format!("{}  was deleted before it finished", work.id)],
        None => vec![format!("{}  did not finish", work.id)],
    }
}

fn complete(work: &Work) -> String {
    let mut parts = vec![work.id.to_string(), "Complete".to_owned()];
    if !work.single_pod {
        parts.push(match work.completions {
            Some(completions) => format!("{}/{completions} succeeded", work.succeeded),
            None => format!("{} succeeded", work.succeeded),
        });
    }
    match work.retried {
        0 => {}
        1 => parts.push("1 retry".to_owned()),
        n => parts.push(format!("{n} retries")),
    }
    parts.extend(took(work));
    parts.join("  ")
}

fn took(work: &Work) -> Option<String> {
    Some(format!("in {}", duration(work.ended?.duration_since(work.submitted))))
}

fn failed(
    work: &Work,
    reason: &str,
    message: &str,
    tail: Option<&Tail>,
    hints: &Hints,
) -> Vec<String> {
    let mut first = format!("{}  Failed  {reason}", work.id);
    if !message.is_empty() {
        first.push_str(&format!(": {message}"));
    }
    if let Some(completions) = work.completions.filter(|_| !work.single_pod) {
        first.push_str(&format!("  {}/{completions} succeeded", work.succeeded));
    }
    first.extend(took(work).map(|took| format!("  {took}")));
    let mut lines = vec![first];
    let rule = work.failed.only_rule(&work.rules, reason).filter(|_| work.id.is_job);
    if work.id.is_job && rule.is_none() {
        let failed = work.failed.lines(&work.rules, reason, &work.index_ends);
        lines.extend(failed.into_iter().map(|line| format!("  {line}")));
    }
    let Some(failure) = &work.last_failure else { return lines };
    let how = failure.exit.describe(work.memory_limit(&failure.container));
    let container = match work.containers.len() {
        0 | 1 => String::new(),
        _ if failure.container.is_empty() => String::new(),
        _ => format!("  container {}", failure.container),
    };
    let rule = rule.map(|rule| format!("  {rule}")).unwrap_or_default();
    lines.push(format!("  {}{container}  {how}{rule}", who(failure, work)));
    lines.extend(tail.iter().flat_map(|tail| tail.iter()).map(|line| format!("    | {line}")));
    if failure.exit.machine_refused() {
        lines.push(
            "  coracle doctor tells what this machine lacks; --runtime process does without isolation"
                .to_owned(),
        );
    } else if work.id.is_job {
        let index = failure.index.filter(|_| !work.single_pod);
        let index = index.map(|index| format!(" --index {index}")).unwrap_or_default();
        lines.push(format!("  see: {}{index}", hints.command("logs", work)));
        if work.completions.is_some() && !work.single_pod {
            lines.push(format!("  again: {} --failed", hints.command("rerun", work)));
        }
    }
    lines
}

/// What to do about something that does not start.
fn mend(reason: &str, message: &str) -> &'static str {
    match reason {
        "CreateContainerError" if message.starts_with("no command") => {
            "say what to run: coracle run IMAGE -- CMD…, or command: in the manifest"
        }
        "Unschedulable" => {
            "lower its requests, free the machine (coracle status), or wait longer with \
             --start-timeout"
        }
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName"
        | "ImageInspectError" => {
            "check the image's name; coracle.local/host, this machine's own tools, always works"
        }
        "CreateContainerConfigError" => {
            "create what it refers to, or put it into the files of the same run"
        }
        _ => "coracle doctor tells what this machine can and cannot do",
    }
}

/// What is said the moment something is seen to wait for more than its turn.
pub(crate) fn waits(stuck: &Stuck) -> String {
    format!("{}  pod {} waits: {}: {}", stuck.work, stuck.pod, stuck.reason, stuck.message)
}

/// What is said the moment something is given up.
pub(crate) fn gave_up(stuck: &Stuck, limit: SignedDuration) -> String {
    let pod = if stuck.pod.is_empty() { String::new() } else { format!("pod {} ", stuck.pod) };
    format!("{}  {pod}did not start within {}: giving up", stuck.work, duration(limit))
}
