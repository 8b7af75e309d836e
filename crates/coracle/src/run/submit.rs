//! Submitting: what is already there is looked at first, so that nothing is created where something
//! would be refused; then other kinds are applied, then Jobs and Pods are created or joined.

use jiff::Timestamp;
use kinds::{
    Draft, Facts, Key, Kind, Object, RUN_ANNOTATION, Reason,
    admit::{self, Context},
    manifest::Manifest,
    metav1::DeleteOptions,
};
use serde_json::value::RawValue;

use super::{attendance::Attendance, manifests::Plan, resume};
use crate::{
    client::{self, Client, Event, Selection},
    exit::Failure,
    link::{self, Link},
};

/// How often an object that changes between the look and the act is looked at again.
const ROUNDS_MAX: u32 = 5;

/// How many leftovers are named.
const LEFTOVERS_NAMED_MAX: usize = 5;

/// What the run has submitted.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    /// Jobs and Pods that are followed.
    pub(crate) works: Vec<Submission>,
    /// Objects of other kinds that this run created, in the order of their creation.
    pub(crate) created: Vec<Key>,
    /// What the server warned about, or what is worth telling.
    pub(crate) notes: Vec<String>,
}

/// A Job or Pod that the server has.
#[derive(Debug)]
pub(crate) struct Submission {
    /// As the server has it.
    pub(crate) object: Object,
}

/// What is to be done about a Job or Pod.
enum Step {
    Create,
    /// A finished one of the same name goes first.
    Replace(Object),
    /// It is there, unfinished and identical.
    Join(Object),
}

/// Submits everything in the name of `run`.
///
/// # Errors
/// Usage, with everything that was created removed again, when the server refuses something; engine
/// when it cannot be reached.
pub(crate) async fn submit(
    link: &Link,
    plan: &Plan,
    run: &str,
    now: Timestamp,
    attendance: &mut Attendance,
) -> Result<Submitted, Failure> {
    look(link, plan, now).await?;
    let mut submitted = Submitted::default();
    match act(link, plan, run, now, attendance, &mut submitted).await {
        Ok(()) => {
            submitted.notes.extend(leftovers(link).await);
            Ok(submitted)
        }
        Err(failure) => {
            undo(link, &submitted, run).await;
            Err(failure)
        }
    }
}

/// What lies in the directory and is left alone: a private server acts on nothing that no live run
/// submitted.
async fn leftovers(link: &Link) -> Option<String> {
    let status = link.repeat(async |client| client.status().await).await.ok()?;
    let first: Vec<&str> =
        status.leftovers.iter().map(String::as_str).take(LEFTOVERS_NAMED_MAX).collect();
    let more = status.leftovers.len() - first.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = first.join(", ");
    (!first.is_empty())
        .then(|| format!("left alone, unfinished: {names}{more}; coracle up would go on with them"))
}

/// Everything that would be refused, before anything is created.
async fn look(link: &Link, plan: &Plan, now: Timestamp) -> Result<(), Failure> {
    let mut errors = Vec::new();
    for manifest in &plan.run {
        if let Err(failure) = step(link, manifest, now).await {
            errors.push(failure);
        }
    }
    // What a Namespace or RuntimeClass of the same files would make possible cannot be tried yet.
    let self_contained =
        plan.first.iter().all(|m| !matches!(m.kind, Kind::Namespace | Kind::RuntimeClass));
    if self_contained {
        for manifest in plan.first.iter().chain(&plan.run) {
            let tried =
                link.repeat(async |client| client.create(&manifest.draft, true).await).await;
            match tried {
                Ok(_) => {}
                Err(error) if reason(&error) == Some(Reason::AlreadyExists) => {}
                Err(error) => errors.push(refused(manifest, &error)),
            }
        }
    }
    match errors.as_slice() {
        [] => Ok(()),
        all => {
            let lines: Vec<&str> = all.iter().map(|failure| failure.message.as_str()).collect();
            let code = all.iter().map(|failure| failure.code).max();
            Err(Failure {
                code: code.unwrap_or(crate::exit::Code::USAGE),
                message: lines.join("\n"),
            })
        }
    }
}

async fn act(
    link: &Link,
    plan: &Plan,
    run: &str,
    now: Timestamp,
    attendance: &mut Attendance,
    submitted: &mut Submitted,
) -> Result<(), Failure> {
    for manifest in &plan.first {
        apply(link, manifest, submitted).await?;
    }
    for manifest in &plan.run {
        let object = start(link, manifest, run, now, attendance, &mut submitted.notes).await?;
        submitted.works.push(Submission { object });
    }
    if let (Some(done), Some(submission)) = (&plan.done, submitted.works.first_mut()) {
        let resumed = resume::with(link, &submission.object.key, done).await;
        submission.object = resumed.map_err(|error| link::failure(&error))?;
    }
    Ok(())
}

/// Creates an object of another kind, or brings one that is there to what the file says.
async fn apply(link: &Link, manifest: &Manifest, submitted: &mut Submitted) -> Result<(), Failure> {
    let key = manifest.draft.key();
    for _ in 0..ROUNDS_MAX {
        match link.repeat(async |client| client.create(&manifest.draft, false).await).await {
            Ok(created) => {
                submitted.notes.extend(created.warnings);
                submitted.created.push(key);
                return Ok(());
            }
            Err(error) if reason(&error) == Some(Reason::AlreadyExists) => {}
            Err(error) => return Err(refused(manifest, &error)),
        }
        let replaced = link.repeat(async |client| {
            let present = client.get(&key).await?.draft();
            let mut draft = manifest.draft.clone();
            if manifest.kind == Kind::Namespace || same_content(&draft, &present) {
                return Ok(());
            }
            draft.metadata.resource_version = present.metadata.resource_version;
            client.replace(&draft).await.map(drop)
        });
        match replaced.await {
            Ok(()) => return Ok(()),
            Err(error) if passing(&error) => {}
            Err(error) => return Err(refused(manifest, &error)),
        }
    }
    Err(restless(manifest))
}

/// Whether everything that `wanted` says beside its metadata is already so, labels included.
fn same_content(wanted: &Draft, present: &Draft) -> bool {
    let text = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
    let labels = |draft: &Draft| draft.metadata.labels.clone().unwrap_or_default();
    wanted
        .rest
        .iter()
        .all(|(field, raw)| present.rest.get(field).is_some_and(|there| text(there) == text(raw)))
        && labels(wanted) == labels(present)
}

/// Creates a Job or Pod, or joins the one that is there.
async fn start(
    link: &Link,
    manifest: &Manifest,
    run: &str,
    now: Timestamp,
    attendance: &mut Attendance,
    notes: &mut Vec<String>,
) -> Result<Object, Failure> {
    for _ in 0..ROUNDS_MAX {
        let done = match step(link, manifest, now).await? {
            // The answer to its creation was lost.
            Step::Join(object) if object.meta.run.as_deref() == Some(run) => Ok(object),
            Step::Join(object) => {
                notes
                    .push(format!("{} is there already, unfinished: joined it", name(&object.key)));
                join(link, object, run, attendance).await
            }
            Step::Replace(object) => match remove(link, &object).await {
                Ok(()) => create(link, manifest, notes).await,
                Err(error) => Err(error),
            },
            Step::Create => create(link, manifest, notes).await,
        };
        match done {
            Ok(object) => return Ok(object),
            Err(error) if passing(&error) => {}
            Err(error) => return Err(refused(manifest, &error)),
        }
    }
    Err(restless(manifest))
}

async fn create(
    link: &Link,
    manifest: &Manifest,
    notes: &mut Vec<String>,
) -> Result<Object, client::Error> {
    let created = link.repeat(async |client| client.create(&manifest.draft, false).await).await?;
    notes.extend(created.warnings);
    Ok(created.object)
}

/// What is to be done about a Job or Pod, from what is there under its name.
async fn step(link: &Link, manifest: &Manifest, now: Timestamp) -> Result<Step, Failure> {
    let key = manifest.draft.key();
    let present = match link.repeat(async |client| client.get(&key).await).await {
        Ok(object) => object,
        Err(error) if reason(&error) == Some(Reason::NotFound) => return Ok(Step::Create),
        Err(error) => return Err(refused(manifest, &error)),
    };
    if finished(&present) || present.deleting() {
        return Ok(Step::Replace(present));
    }
    if identical(&manifest.draft, &present, now) {
        return Ok(Step::Join(present));
    }
    let line = manifest.line_of("metadata.name");
    Err(Failure::usage(format!(
        "{}:{line}: {} is there already, not finished and different; wait for it, delete it, or \
         give this one another name",
        manifest.source,
        name(&key)
    )))
}

fn finished(object: &Object) -> bool {
    match &object.meta.facts {
        Facts::Job { finished, .. } => *finished,
        Facts::Pod { phase, .. } => matches!(phase.as_str(), "Succeeded" | "Failed"),
        _ => false,
    }
}

/// Whether submitting `wanted` would make what is there: the same labels and the same spec, once
/// defaults are filled in and the uid is the same.
fn identical(wanted: &Draft, present: &Object, now: Timestamp) -> bool {
    let context = Context { uid: present.meta.uid, now };
    let Ok((wanted, _)) = admit::create(wanted.clone(), &context) else { return false };
    let spec = |draft: &Draft| {
        let raw = draft.rest.get("spec")?;
        let mut spec: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
        // Where a pod was put is not part of what was asked for.
        spec.as_object_mut()?.remove("nodeName");
        Some(spec)
    };
    let labels = |draft: &Draft| draft.metadata.labels.clone().unwrap_or_default();
    let there = present.draft();
    spec(&wanted) == spec(&there) && labels(&wanted) == labels(&there)
}

/// Makes a Job or Pod that is there one that this client attends: in the name of the run that
/// submitted it, or, where nobody's run did, in the name of this one.
async fn join(
    link: &Link,
    object: Object,
    run: &str,
    attendance: &mut Attendance,
) -> Result<Object, client::Error> {
    if let Some(other) = &object.meta.run {
        attendance.attend(link, other).await?;
        return Ok(object);
    }
    if link.is_up() {
        // It acts on everything, whoever submitted it.
        return Ok(object);
    }
    let labels = format!("batch.kubernetes.io/controller-uid={}", object.meta.uid);
    let which = Selection { namespace: &object.key.namespace, labels: &labels, fields: "" };
    let pods = link.repeat(async |client| client.list(Kind::Pod, which).await).await?;
    for pod in pods {
        let draft = stamped(&pod, run);
        link.repeat(async |client| client.replace(&draft).await).await?;
    }
    let draft = stamped(&object, run);
    link.repeat(async |client| client.replace(&draft).await).await
}

fn stamped(object: &Object, run: &str) -> Draft {
    let mut draft = object.draft();
    let annotations = draft.metadata.annotations.get_or_insert_default();
    annotations.insert(RUN_ANNOTATION.to_owned(), run.to_owned());
    draft
}

/// Removes a finished object and waits until it is gone.
async fn remove(link: &Link, object: &Object) -> Result<(), client::Error> {
    delete(link, &object.key).await?;
    link.repeat(async |client| gone(client, object).await).await
}

fn background() -> DeleteOptions {
    let policy = Some("Background".to_owned());
    DeleteOptions { propagation_policy: policy, ..DeleteOptions::default() }
}

async fn gone(client: &Client, object: &Object) -> Result<(), client::Error> {
    let fields = format!("metadata.name={}", object.key.name);
    let which = Selection { namespace: &object.key.namespace, fields: &fields, labels: "" };
    let mut watch = client.watch(object.key.kind, which, None).await?;
    let mut there = false;
    while let Some(event) = watch.next().await? {
        match event {
            Event::Added(seen) | Event::Modified(seen) => there = seen.meta.uid == object.meta.uid,
            Event::Deleted(seen) if seen.meta.uid == object.meta.uid => return Ok(()),
            Event::Bookmark { initial_events_end: true, .. } if !there => return Ok(()),
            Event::Deleted(_) | Event::Bookmark { .. } => {}
        }
    }
    Ok(())
}

/// Removes what was created before something was refused.
async fn undo(link: &Link, submitted: &Submitted, run: &str) {
    let own = |object: &&Submission| object.object.meta.run.as_deref() == Some(run);
    let works = submitted.works.iter().filter(own).map(|submission| &submission.object.key);
    for key in works.chain(&submitted.created) {
        // What cannot be removed is the server's: this run ends, and with it what it submitted.
        let _ = delete(link, key).await;
    }
}

/// Deletes an object in the background; one that is gone already is fine.
pub(crate) async fn delete(link: &Link, key: &Key) -> Result<(), client::Error> {
    let options = background();
    match link.repeat(async |client| client.delete(key, &options).await).await {
        Err(error) if reason(&error) == Some(Reason::NotFound) => Ok(()),
        result => result,
    }
}

fn reason(error: &client::Error) -> Option<Reason> {
    error.status().map(|status| status.reason)
}

/// Whether the object changed between the look and the act, so that looking again helps.
fn passing(error: &client::Error) -> bool {
    let passing = [Reason::AlreadyExists, Reason::Conflict, Reason::NotFound];
    reason(error).is_some_and(|reason| passing.contains(&reason))
}

fn restless(manifest: &Manifest) -> Failure {
    let key = manifest.draft.key();
    Failure::engine(format!("{} keeps changing while it is submitted", name(&key)))
}

/// A refusal, with the line where the field stands that it is about.
fn refused(manifest: &Manifest, error: &client::Error) -> Failure {
    let Some(status) = error.status() else { return link::failure(error) };
    let at = |line: u32| format!("{}:{line}: ", manifest.source);
    let located = status.causes.iter().filter(|cause| !cause.field.is_empty()).map(|cause| {
        let line = manifest.line_of(&cause.field);
        format!("{}{}: {}", at(line), cause.field, cause.message)
    });
    let lines: Vec<String> = located.collect();
    let message = match lines.is_empty() {
        true => format!("{}{}", at(manifest.line), status.message),
        false => lines.join("\n"),
    };
    match status.reason {
        Reason::InternalError | Reason::ServiceUnavailable | Reason::Timeout => {
            Failure::engine(message)
        }
        _ => Failure::usage(message),
    }
}

fn name(key: &Key) -> String {
    format!("{}/{}", key.kind.info().singular, key.name)
}
