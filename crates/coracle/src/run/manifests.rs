//! From what the command line names to the objects of a run: everything is read, decoded and checked
//! before anything is asked of a server, and every mistake of every file is told at once.

use std::collections::BTreeSet;

use engine::{NOTIFY_ANNOTATION, notify_origin};
use jiff::Timestamp;
use kinds::{
    Draft, Kind, Uid,
    admit::{self, Context},
    manifest::{self, Manifest},
};
use serde_json::json;

use super::resume::Done;
use crate::{cli, exit::Failure, sources};

/// What errors about `run IMAGE` name as their source.
const COMMAND_LINE: &str = "command line";

/// The RuntimeClass of `--runtime process`.
const PROCESS: &str = "process";

/// Where objects go that name no namespace.
const NAMESPACE: &str = "default";

/// What is to be submitted, checked.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Kinds that are applied first, in an order in which they find what they need.
    pub(crate) first: Vec<Manifest>,
    /// Jobs and Pods, in the order of the files.
    pub(crate) run: Vec<Manifest>,
    /// What admission warns about, with file and line.
    pub(crate) warnings: Vec<String>,
    /// What the only Job begins with as done.
    pub(crate) done: Option<Done>,
}

/// Reads and checks everything that `args` names. `seed` makes the name of a Job that has none.
pub(crate) fn plan(args: &cli::Run, now: Timestamp, seed: u64) -> Result<Plan, Failure> {
    let mut errors = Vec::new();
    let mut manifests = Vec::new();
    let texts = match &args.image {
        Some(image) => {
            vec![(COMMAND_LINE.to_owned(), of_image(image, &args.command, seed))]
        }
        None => sources::read_all(&args.files, &mut errors),
    };
    for (source, text) in texts {
        match manifest::parse(&source, &text) {
            Ok(parsed) => manifests.extend(parsed),
            Err(wrong) => errors.push(wrong.to_string()),
        }
    }
    let mut plan = Plan::default();
    for mut manifest in manifests {
        let before = errors.len();
        set_name(&mut manifest, seed);
        set_namespace(&mut manifest, args.namespace.as_deref(), &mut errors);
        set_runtime(&mut manifest, args.runtime, &mut errors);
        if errors.len() == before {
            check(&manifest, now, &mut plan.warnings, &mut errors);
        }
        let first = !matches!(manifest.kind, Kind::Job | Kind::Pod);
        if first { plan.first.push(manifest) } else { plan.run.push(manifest) }
    }
    find_doubles(plan.first.iter().chain(&plan.run), &mut errors);
    if !errors.is_empty() {
        let message = errors.join("\n");
        // A command line has no lines.
        return Err(Failure::usage(message.replace(&format!("{COMMAND_LINE}:1: "), "")));
    }
    if plan.run.is_empty() {
        return Err(Failure::usage("nothing to run: there is no Job and no Pod in what was given"));
    }
    // Stable: within a kind the order of the files stays.
    plan.first.sort_by_key(|manifest| match manifest.kind {
        Kind::Namespace => 0,
        Kind::RuntimeClass => 1,
        _ => 2,
    });
    Ok(plan)
}

/// The Job that `coracle run IMAGE -- CMD…` stands for: one pod, one attempt.
fn of_image(image: &str, command: &[String], seed: u64) -> Vec<u8> {
    let mut container = json!({"name": "main", "image": image});
    if !command.is_empty() {
        // What the image starts stays, unless it has nothing to start. The shell has expanded what
        // was to be expanded: a dollar here is no reference to a variable of the manifest.
        let literal: Vec<String> = command.iter().map(|word| word.replace('$', "$$")).collect();
        container["args"] = json!(literal);
    }
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name_of_image(image, seed)},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "containers": [container],
        }}},
    });
    job.to_string().into_bytes()
}

/// Makes a name of `metadata.generateName` here, so that a create that is repeated after a lost
/// connection does not make a second object.
fn set_name(manifest: &mut Manifest, seed: u64) {
    let metadata = &mut manifest.draft.metadata;
    if metadata.name.is_none()
        && let Some(prefix) = metadata.generate_name.take()
    {
        let seed = seed.wrapping_add(u64::from(manifest.line));
        metadata.name = Some(format!("{prefix}{}", suffix(seed)));
    }
}

/// `host-x7k2p` for `coracle.local/host`: the image's last part and a suffix as pods have.
fn name_of_image(image: &str, seed: u64) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let base = last.split([':', '@']).next().unwrap_or(last).to_lowercase();
    let base: String =
        base.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let base = base.trim_matches('-');
    format!("{}-{}", if base.is_empty() { "run" } else { base }, suffix(seed))
}

/// Five letters and digits that cannot be mistaken for each other or read as a word.
pub(crate) fn suffix(seed: u64) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = fastrand::Rng::with_seed(seed);
    (0..5).map(|_| char::from(LETTERS[random.usize(..LETTERS.len())])).collect()
}

fn set_namespace(manifest: &mut Manifest, asked: Option<&str>, errors: &mut Vec<String>) {
    if !manifest.kind.info().namespaced {
        return;
    }
    let line = manifest.line_of("metadata.namespace");
    let namespace = &mut manifest.draft.metadata.namespace;
    match (namespace.as_deref(), asked) {
        (Some(own), Some(asked)) if own != asked => errors.push(format!(
            "{}:{line}: metadata.namespace: is {own:?}, and --namespace says {asked:?}",
            manifest.source
        )),
        (Some(_), _) => {}
        (None, asked) => *namespace = Some(asked.unwrap_or(NAMESPACE).to_owned()),
    }
}

/// Puts `--runtime` into the pod's spec.
fn set_runtime(manifest: &mut Manifest, runtime: Option<cli::Runtime>, errors: &mut Vec<String>) {
    let Some(runtime) = runtime else { return };
    let changed = match manifest.kind {
        Kind::Job => manifest.draft.job().map(|mut job| {
            if let Some(pod) = job.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()) {
                choose_runtime(&mut pod.runtime_class_name, runtime);
            }
            Draft::of_job(&job)
        }),
        Kind::Pod => manifest.draft.pod().map(|mut pod| {
            if let Some(spec) = pod.spec.as_mut() {
                choose_runtime(&mut spec.runtime_class_name, runtime);
            }
            Draft::of_pod(&pod)
        }),
        _ => return,
    };
    match changed {
        Ok(draft) => manifest.draft = draft,
        Err(error) => errors.push(format!("{}:{}: {error}", manifest.source, manifest.line)),
    }
}

fn choose_runtime(class: &mut Option<String>, runtime: cli::Runtime) {
    match runtime {
        cli::Runtime::Process => *class = Some(PROCESS.to_owned()),
        cli::Runtime::Container => {
            class.take_if(|name| name == PROCESS);
        }
    }
}

/// What the server would find wrong, found here; nothing is started for a manifest with a mistake.
fn check(
    manifest: &Manifest,
    now: Timestamp,
    warnings: &mut Vec<String>,
    errors: &mut Vec<String>,
) {
    if manifest.kind == Kind::CronJob {
        errors.push(format!(
            "{}:{}: a CronJob has no end to wait for; start a server with `coracle up -d`, then \
             `coracle apply -f {}`",
            manifest.source, manifest.line, manifest.source
        ));
        return;
    }
    let context = Context { uid: Uid::from_random(0), now };
    match admit::create(manifest.draft.clone(), &context) {
        Ok((draft, said)) => {
            let place = format!("{}:{}", manifest.source, manifest.line);
            warnings.extend(said.into_iter().map(|warning| format!("{place}: {warning}")));
            if manifest.kind == Kind::Job
                && draft.job().is_ok_and(|job| job.spec.is_some_and(|s| s.suspend == Some(true)))
            {
                let line = manifest.line_of("spec.suspend");
                errors.push(format!(
                    "{}:{line}: spec.suspend: the Job is suspended and would never finish; remove \
                     it, or submit the Job to a server of coracle up",
                    manifest.source
                ));
            }
            check_notify(manifest, errors);
        }
        Err(wrong) => errors.push(manifest.locate(&wrong).to_string()),
    }
}

/// A URL that cannot be told of the end is found here, not at the end.
fn check_notify(manifest: &Manifest, errors: &mut Vec<String>) {
    let annotations = manifest.draft.metadata.annotations.as_ref();
    let url = annotations.and_then(|annotations| annotations.get(NOTIFY_ANNOTATION));
    if let Some(Err(wrong)) = url.map(|url| notify_origin(url)) {
        let path = format!("metadata.annotations[{NOTIFY_ANNOTATION}]");
        let line = manifest.line_of(&path);
        errors.push(format!("{}:{line}: {path}: {wrong}", manifest.source));
    }
}

fn find_doubles<'a>(manifests: impl Iterator<Item = &'a Manifest>, errors: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for manifest in manifests.filter(|manifest| manifest.draft.metadata.name.is_some()) {
        let key = manifest.draft.key();
        let text = format!("{} {:?}", manifest.kind.info().name, key.name);
        if !seen.insert(key) {
            errors.push(format!(
                "{}:{}: {text} is there twice; each needs a name of its own",
                manifest.source, manifest.line
            ));
        }
    }
}
