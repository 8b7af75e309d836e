//! `coracle run`: always a client. What it is given is checked whole before anything starts; then it
//! finds or starts a server, submits, follows to the end, tells what became of it, and ends with the
//! code that the table in [`outcome`] decides.

mod afterwards;
mod attempts;
mod attendance;
mod events;
mod failures;
mod follow;
mod lines;
mod manifests;
mod outcome;
mod output;
mod pods;
mod progress;
mod pulls;
mod readers;
mod recall;
mod resume;
mod screen;
mod submit;
mod text;
mod watching;
mod work;

use std::{collections::HashMap, io::IsTerminal};

use engine::NOTIFY_ANNOTATION;
use jiff::{SignedDuration, Timestamp};
use kinds::{Kind, Object, Uid, types::batch::v1::Job};

pub(crate) use self::{
    afterwards::{Ended, LookBack, wait_for_jobs},
    lines::TAIL_LINES_MAX,
    manifests::{Plan, suffix},
    output::{Form, Formatter},
    pods::LogRead,
    resume::Done,
    screen::{Screen, Show},
    text::Hints,
    work::DONE_ANNOTATION,
};
use self::{
    attendance::Attendance,
    follow::{Follow, Settings},
    outcome::Interruption,
    progress::Progress,
    readers::{Readers, Surroundings},
    submit::Submitted,
    work::Id,
};
use crate::{
    cli,
    client::LogOptions,
    clock,
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Link},
    server,
};

/// Runs Jobs and Pods to completion.
pub(crate) async fn run(args: &cli::Run) -> Result<Code, Failure> {
    let started = clock::now();
    let plan = manifests::plan(args, started, fastrand::u64(..))?;
    let home = Home::open(&args.data_dir)?;
    let link = Link::connect(&home).await?;
    let hints = Hints { data_dir: args.data_dir.on_command_line() };
    carry_out(&link, &plan, &args.following, &hints, started).await
}

/// Submits what is planned and follows it to its end, unless it is left behind.
pub(crate) async fn carry_out(
    link: &Link,
    plan: &Plan,
    how: &cli::Following,
    hints: &Hints,
    started: Timestamp,
) -> Result<Code, Failure> {
    let id = Uid::from_random(fastrand::u128(..)).to_string();
    // From now on the run lives: what is submitted is acted on.
    let mut attendance = Attendance::new();
    attendance.attend(link, &id).await.map_err(|error| link::failure(&error))?;
    let named = link.for_run(&id);
    let submitted = submit::submit(&named, plan, &id, started, &mut attendance).await;
    let submitted = match submitted {
        Ok(submitted) => submitted,
        Err(failure) => {
            attendance.leave(false).await;
            return Err(failure);
        }
    };
    let live = is_live(how);
    let (screen, thread) = Screen::start(live && !how.quiet && !how.detach);
    announce(how, plan, &submitted, &screen).await;
    let code = match how.detach {
        true => {
            attendance.leave(true).await;
            Ok(Code::OK)
        }
        false => {
            let settings = Settings {
                live,
                quiet: how.quiet,
                json: how.output == cli::Output::Json,
                start_timeout: signed(how.start_timeout),
                deadline: how.timeout.and_then(|limit| started.checked_add(signed(limit)).ok()),
            };
            let run = Run { how, hints, link, id: &id, screen: &screen };
            attend(&run, settings, submitted, attendance).await
        }
    };
    thread.finish(screen).await;
    code
}

/// What stays the same while a run is attended.
struct Run<'a> {
    how: &'a cli::Following,
    hints: &'a Hints,
    link: &'a Link,
    id: &'a str,
    screen: &'a Screen,
}

/// Follows what was submitted, to the end and the clean-up after it.
async fn attend(
    run: &Run<'_>,
    settings: Settings,
    submitted: Submitted,
    attendance: Attendance,
) -> Result<Code, Failure> {
    let Run { how, link, screen, .. } = *run;
    let mut progress = Progress::default();
    let mut first = progress::Changes::default();
    let mut works = Vec::new();
    let mut runs = HashMap::new();
    for submission in &submitted.works {
        let (object, now) = (&submission.object, clock::now());
        let uid = object.meta.uid;
        let changes = match object.key.kind {
            Kind::Job => progress.submitted_job(uid, &object.job(), now),
            _ => progress.submitted_pod(uid, &object.pod(), now),
        };
        first.events.extend(changes.events);
        runs.extend(object.meta.run.clone().map(|run| (uid, run)));
        let is_job = object.key.kind == Kind::Job;
        let (namespace, name) = (object.key.namespace.to_string(), object.key.name.to_string());
        works.push((uid, Id { is_job, namespace, name }));
    }
    let terminal = std::io::stdout().is_terminal();
    let form = Form::choose(how.output, how.prefix, progress.one_pod(), terminal);
    let several_works = works.len() > 1;
    let surroundings = Surroundings { form, several_works, part: LogOptions::default() };
    let readers = Readers::new(link.clone(), screen.clone(), surroundings);
    let seen = watching::start(link, &works);
    let mut follow = Follow::new(link, run.id, screen, settings, readers, seen, attendance);
    follow.runs = runs;
    follow.progress = progress;
    follow.show(first).await;
    let interruption = follow.until_the_end().await?;
    let code = report(run, &follow, interruption).await;
    clean_up(link, &submitted, screen).await;
    if !link.is_up() {
        tell_notices(link, &submitted, screen).await;
    }
    follow.attendance.leave(false).await;
    Ok(code)
}

/// Reads the logs of a Job that is there, to its end; `wanted` chooses among them.
pub(crate) async fn attend_logs(
    link: &Link,
    screen: &Screen,
    object: &Object,
    form: Form,
    part: LogOptions,
    wanted: impl Fn(&LogRead) -> bool,
) -> Result<(), Failure> {
    let (uid, job, now) = (object.meta.uid, object.job(), clock::now());
    let mut progress = Progress::default();
    progress.submitted_job(uid, &job, now);
    let several = progress.works()[0].containers.len() > 1;
    let works = [(uid, progress.works()[0].id.clone())];
    let surroundings = Surroundings { form, several_works: false, part };
    let mut readers = Readers::new(link.clone(), screen.clone(), surroundings);
    let mut seen = watching::start(link, &works);
    while !(progress.finished() && progress.all_pods_seen() && readers.idle()) {
        let changes = tokio::select! {
            seen = seen.recv() => match seen {
                Some(seen) => progress.take(seen, clock::now())?,
                None => return Err(Failure::engine("every watch of the job ended")),
            },
            () = readers.one_done() => continue,
        };
        for read in changes.logs.into_iter().filter(&wanted) {
            readers.add(read, several);
        }
    }
    Ok(())
}

/// Whether a Job has one pod at a time.
pub(crate) fn is_single_pod(job: &Job) -> bool {
    let work = work::Work::of_job(job, clock::now());
    work.single_pod && work.containers.len() == 1
}

/// What is told right after submitting.
async fn announce(how: &cli::Following, plan: &Plan, submitted: &Submitted, screen: &Screen) {
    if !how.quiet {
        for note in plan
            .warnings
            .iter()
            .map(|w| format!("warning: {w}"))
            .chain(submitted.notes.iter().cloned())
        {
            screen.show(Show::Line(note)).await;
        }
    }
    if how.output == cli::Output::Name || how.detach && how.output == cli::Output::Text {
        for submission in &submitted.works {
            let key = &submission.object.key;
            let line = format!("{}/{}\n", key.kind.info().singular, key.name);
            screen.show(Show::Output(line.into_bytes())).await;
        }
    }
}

/// What became of each Job and Pod, and the exit code.
async fn report(run: &Run<'_>, follow: &Follow<'_>, interruption: Option<Interruption>) -> Code {
    let code = outcome::code(&follow.progress.results(), interruption);
    let Run { how, hints, screen, .. } = *run;
    for work in follow.progress.works() {
        let done = matches!(work.end, Some(outcome::End::Complete));
        if follow.settings.json
            && let Some(event) = work.finished_event()
        {
            screen.show(Show::Output(event.to_json_line())).await;
        }
        if interruption.is_some() && !done || how.quiet && done {
            continue;
        }
        let failure = work.last_failure.as_ref();
        let tail = failure.and_then(|f| follow.readers.tail(f.uid, &f.container));
        for line in text::ending(work, tail, hints) {
            screen.show(Show::Line(line)).await;
        }
    }
    code
}

/// Deletes what this run created beside Jobs.
async fn clean_up(link: &Link, submitted: &Submitted, screen: &Screen) {
    let pods = submitted.works.iter().map(|submission| &submission.object.key);
    let pods = pods.filter(|key| key.kind == Kind::Pod);
    for key in pods.chain(submitted.created.iter().rev()) {
        if let Err(error) = submit::delete(link, key).await {
            screen.show(Show::Line(format!("warning: {key} could not be deleted: {error}"))).await;
        }
    }
}

/// Says that the private server outlives its clients to tell others of the ends of Jobs.
async fn tell_notices(link: &Link, submitted: &Submitted, screen: &Screen) {
    let annotated = submitted.works.iter().any(|submission| {
        let annotations = submission.object.draft().metadata.annotations;
        annotations.is_some_and(|annotations| annotations.contains_key(NOTIFY_ANNOTATION))
    });
    if !annotated {
        return;
    }
    let status = link.client().status().await;
    let waiting = status.map_or(0, |status| status.notices);
    if waiting > 0 {
        let limit_s = server::NOTIFY_LINGER_MS / 1000;
        let receivers = if waiting == 1 { "receiver" } else { "receivers" };
        screen
            .show(Show::Line(format!(
                "the server goes on for at most {limit_s} s to tell {waiting} {receivers} of the end; \
                 what is left then, the next one tells"
            )))
            .await;
    }
}

/// Whether progress is a block that is redrawn in place.
fn is_live(how: &cli::Following) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    std::io::stderr().is_terminal() && !how.plain && !ci && !set("NO_COLOR")
}

fn signed(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod cases;
