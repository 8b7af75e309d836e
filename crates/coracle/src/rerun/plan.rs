//! From a finished Job to the new one. Pure.
//!
//! What succeeded is not run again by a Job that begins with it as done: it is created suspended,
//! its status is told the completions of the origin, and it is resumed. Every Job controller goes on
//! from the counters of the status, so that also a real cluster runs just the rest, and every index
//! stays what it was.

use kinds::manifest;
use serde_json::{Map, Value, json};

use super::origin::Origin;
use crate::run::{DONE_ANNOTATION, Done, Plan, suffix};

/// The annotation that names the Job that was run again.
const OF_ANNOTATION: &str = "coracle.local/rerun-of";

/// The annotation with the uid of that Job.
const OF_UID_ANNOTATION: &str = "coracle.local/rerun-of-uid";

/// Annotations of the origin that say nothing of the new Job.
const OWN_ANNOTATIONS: &[&str] = &[
    kinds::RUN_ANNOTATION,
    "kubectl.kubernetes.io/last-applied-configuration",
    OF_ANNOTATION,
    OF_UID_ANNOTATION,
    DONE_ANNOTATION,
];

/// Labels that a Job gives itself and its pods unless `manualSelector` says otherwise.
const GENERATED_LABELS: &[&str] = &[
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
];

/// The longest name of a Job whose pods are to have names that are DNS labels, in characters.
const NAME_MAX: usize = 63;

/// What stands between the name of the origin and the random end of the new one.
const BETWEEN: &str = "-rerun-";

/// The length of that end, in characters.
const SUFFIX: usize = 5;

/// The Job that is to be created. `seed` makes its name.
///
/// # Errors
/// There is nothing to run again, for people.
pub(super) fn plan(origin: &Origin, failed: bool, seed: u64) -> Result<Plan, String> {
    let done = if failed { Some(done(origin)?) } else { None };
    let mut spec = origin.manifest["spec"].clone();
    let mut metadata = origin.manifest["metadata"].clone();
    if spec["manualSelector"] != true {
        remove(&mut spec, &["selector"]);
        remove(&mut spec["template"]["metadata"]["labels"], GENERATED_LABELS);
        remove(&mut metadata["labels"], GENERATED_LABELS);
    }
    spec["suspend"] = done.is_some().into();
    metadata["name"] = name(&origin.name, &spec, seed).into();
    metadata["namespace"] = origin.namespace.as_str().into();
    let mut annotations = metadata["annotations"].take();
    remove(&mut annotations, OWN_ANNOTATIONS);
    let mut annotations = match annotations {
        Value::Object(annotations) => annotations,
        _ => Map::new(),
    };
    annotations.insert(OF_ANNOTATION.to_owned(), origin.name.as_str().into());
    annotations.insert(OF_UID_ANNOTATION.to_owned(), origin.uid.as_str().into());
    if let Some(done) = &done {
        annotations.insert(DONE_ANNOTATION.to_owned(), done.succeeded.to_string().into());
    }
    metadata["annotations"] = annotations.into();
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec});
    let source = format!("job/{}", origin.name);
    let run = manifest::parse(&source, job.to_string().as_bytes());
    Ok(Plan { run: run.map_err(|wrong| wrong.to_string())?, done, ..Plan::default() })
}

/// What of the origin is not to be run again.
fn done(origin: &Origin) -> Result<Done, String> {
    let (spec, name) = (&origin.manifest["spec"], &origin.name);
    let Some(completions) = spec["completions"].as_i64() else {
        return Err(format!(
            "job/{name} is a work queue, in which no completion can be told from another; run it \
             again as a whole, without --failed"
        ));
    };
    if i64::from(origin.succeeded) >= completions {
        return Err(format!(
            "all {completions} completions of job/{name} succeeded; without --failed they are run \
             again"
        ));
    }
    let indexed = spec["completionMode"] == "Indexed";
    let completed_indexes = origin.completed_indexes.clone().filter(|_| indexed);
    Ok(Done { succeeded: origin.succeeded, completed_indexes })
}

/// Takes members out of an object, if it is one.
fn remove(object: &mut Value, members: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        members.iter().for_each(|member| drop(object.remove(*member)));
    }
}

/// `etl-rerun-x7k2p`, also when the origin is called so itself; short enough for the names of its
/// pods.
fn name(origin: &str, spec: &Value, seed: u64) -> String {
    let tail = BETWEEN.len() + SUFFIX;
    let base = match origin.len().checked_sub(tail).and_then(|at| origin.split_at_checked(at)) {
        Some((base, rest)) if rest.starts_with(BETWEEN) => base,
        _ => origin,
    };
    let last_index = spec["completions"].as_i64().unwrap_or(1).saturating_sub(1);
    let room = NAME_MAX - tail - "-".len() - last_index.to_string().len();
    let base = base.get(..room.min(base.len())).unwrap_or(base).trim_end_matches(['-', '.']);
    format!("{base}{BETWEEN}{}", suffix(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(spec: Value) -> Origin {
        Origin {
            namespace: "default".to_owned(),
            name: "etl".to_owned(),
            uid: "00000000-0000-4000-8000-000000000001".to_owned(),
            manifest: json!({
                "metadata": {
                    "labels": {"team": "a", "job-name": "etl"},
                    "annotations": {"note": "kept", "coracle.local/run": "r"},
                },
                "spec": spec,
            }),
            succeeded: 3,
            completed_indexes: Some("0-2".to_owned()),
        }
    }

    fn spec() -> Value {
        json!({
            "completions": 5, "completionMode": "Indexed",
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
            "template": {"metadata": {"labels": {"app": "x", "controller-uid": "u"}}, "spec": {}},
        })
    }

    fn planned(origin: &Origin, failed: bool) -> (Value, Option<Done>) {
        let plan = plan(origin, failed, 1).unwrap();
        let [job] = plan.run.as_slice() else { panic!("one Job") };
        (serde_json::from_slice(&job.draft.to_json()).unwrap(), plan.done)
    }

    #[test]
    fn a_rerun_is_the_spec_without_what_was_generated() {
        let (job, done) = planned(&origin(spec()), false);
        let name = job["metadata"]["name"].as_str().unwrap();
        assert!(name.starts_with("etl-rerun-") && name.len() == 15, "{name}");
        assert_eq!(job["metadata"]["labels"], json!({"team": "a"}));
        let annotations = json!({
            "note": "kept", "coracle.local/rerun-of": "etl",
            "coracle.local/rerun-of-uid": "00000000-0000-4000-8000-000000000001",
        });
        assert_eq!(job["metadata"]["annotations"], annotations);
        let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": {}});
        let wanted = json!({
            "completions": 5, "completionMode": "Indexed", "suspend": false, "template": template,
        });
        assert_eq!((&job["spec"], done), (&wanted, None));
    }

    #[test]
    fn a_selector_of_the_users_own_stays() {
        let mut spec = spec();
        spec["manualSelector"] = true.into();
        let (job, _) = planned(&origin(spec.clone()), false);
        assert_eq!(job["spec"]["selector"], spec["selector"]);
        assert_eq!(job["spec"]["template"], spec["template"]);
    }

    #[test]
    fn with_failed_it_begins_with_what_is_done() {
        let (job, done) = planned(&origin(spec()), true);
        assert_eq!(job["spec"]["suspend"], true);
        assert_eq!(job["metadata"]["annotations"][DONE_ANNOTATION], "3");
        let completed_indexes = Some("0-2".to_owned());
        assert_eq!(done, Some(Done { succeeded: 3, completed_indexes }));
    }

    #[test]
    fn with_failed_there_has_to_be_something_to_run() {
        let mut all = origin(spec());
        all.succeeded = 5;
        assert!(plan(&all, true, 1).unwrap_err().starts_with("all 5 completions of job/etl"));
        let queue = origin(json!({"template": {}}));
        assert!(plan(&queue, true, 1).unwrap_err().contains("is a work queue"));
    }

    #[test]
    fn names_stay_short_and_do_not_grow() {
        let spec = json!({"completions": 1000});
        for (origin, wanted) in [
            ("etl", "etl-rerun-".to_owned()),
            ("etl-rerun-abcde", "etl-rerun-".to_owned()),
            (&"x".repeat(63), format!("{}-rerun-", "x".repeat(47))),
        ] {
            let name = name(origin, &spec, 1);
            assert!(name.starts_with(&wanted) && name.len() == wanted.len() + SUFFIX, "{name}");
        }
    }
}
