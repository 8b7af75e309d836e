//! The Job of a CronJob that somebody asks for. Pure.

use jiff::Timestamp;
use kinds::types::{
    batch::v1::{CronJob, Job},
    core::v1::{Container, EnvVar},
};

use crate::run::suffix;

/// What `kubectl create job --from` puts on such a Job.
const MANUAL: (&str, &str) = ("cronjob.kubernetes.io/instantiate", "manual");

/// The Job for now, with variables set in all of its containers, and other arguments for its only one
/// if there are any. `seed` makes its name.
///
/// # Errors
/// There are arguments, and not one container to give them to.
pub(super) fn now(
    cron_job: &CronJob,
    now: Timestamp,
    seed: u64,
    variables: &[(String, String)],
    arguments: &[String],
) -> Result<Job, String> {
    let mut job = reconcile::cron_job::job_for(cron_job, now);
    let name = cron_job.metadata.name.as_deref().unwrap_or_default();
    job.metadata.name = Some(format!("{name}-{}", suffix(seed)));
    let (key, value) = MANUAL;
    job.metadata.annotations.get_or_insert_default().insert(key.to_owned(), value.to_owned());
    let pod = job.spec.as_mut().and_then(|spec| spec.template.spec.as_mut());
    let Some(pod) = pod else { return Ok(job) };
    if !arguments.is_empty() {
        let names: Vec<&str> = pod.containers.iter().map(|c| c.name.as_str()).collect();
        let names = names.join(", ");
        let [container] = pod.containers.as_mut_slice() else {
            return Err(format!(
                "arguments go to the only container of a job, and cronjob/{name} has {names}"
            ));
        };
        container.args = Some(arguments.iter().map(|word| literal(word)).collect());
    }
    for container in pod.containers.iter_mut().chain(pod.init_containers.iter_mut().flatten()) {
        variables.iter().for_each(|(name, value)| set(container, name, value));
    }
    Ok(job)
}

fn set(container: &mut Container, name: &str, value: &str) {
    let env = container.env.get_or_insert_default();
    let new = EnvVar { name: name.to_owned(), value: Some(literal(value)), value_from: None };
    match env.iter_mut().find(|variable| variable.name == name) {
        Some(variable) => *variable = new,
        None => env.push(new),
    }
}

/// The shell has expanded what was to be expanded: a dollar is no reference to a variable.
fn literal(word: &str) -> String {
    word.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cron_job(containers: Value) -> CronJob {
        serde_json::from_value(json!({
            "metadata": {"name": "nightly", "namespace": "default", "uid": "u"},
            "spec": {"schedule": "0 2 * * *", "timeZone": "Europe/Berlin", "jobTemplate": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"template": {"spec": {"containers": containers}}},
            }},
        }))
        .unwrap()
    }

    fn at() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_job_for_now_has_its_time_and_what_was_set() {
        let containers = json!([{"name": "main", "args": ["old"], "env": [
            {"name": "DAY", "value": "old"}, {"name": "KEPT", "value": "1"},
        ]}]);
        let words = ["--full".to_owned(), "$HOME".to_owned()];
        let set = [("DAY".to_owned(), "a=$b".to_owned()), ("NEW".to_owned(), String::new())];
        let job = now(&cron_job(containers), at(), 1, &set, &words).unwrap();
        let job = serde_json::to_value(job).unwrap();
        let name = job["metadata"]["name"].as_str().unwrap();
        assert!(name.starts_with("nightly-") && name.len() == 13, "{name}");
        assert_eq!(
            job["metadata"]["annotations"],
            json!({
                "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-24T11:00:00+01:00",
                "cronjob.kubernetes.io/instantiate": "manual",
            })
        );
        assert_eq!(job["metadata"]["ownerReferences"][0]["name"], "nightly");
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"], json!(["--full", "$$HOME"]));
        let env = json!([
            {"name": "DAY", "value": "a=$$b"}, {"name": "KEPT", "value": "1"},
            {"name": "NEW", "value": ""},
        ]);
        assert_eq!(container["env"], env);
    }

    #[test]
    fn arguments_want_one_container() {
        let two = cron_job(json!([{"name": "a"}, {"name": "b"}]));
        let wrong = now(&two, at(), 1, &[], &["x".to_owned()]).unwrap_err();
        assert!(wrong.ends_with("cronjob/nightly has a, b"), "{wrong}");
        assert!(now(&two, at(), 1, &[], &[]).is_ok());
    }
}
