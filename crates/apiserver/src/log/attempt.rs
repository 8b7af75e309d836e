//! Which attempt's log is meant, from what the pod's status says. Pure.

use kinds::{
    StatusError,
    types::core::v1::{ContainerStatus, Pod},
};

use super::refuse;

/// One attempt at running one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) container: String,
    /// 0 for the first.
    pub(super) number: u32,
}

/// Which attempt a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// What runs, else what ran last.
    Present,
    /// The one before.
    Previous,
    /// By its number; one that has not written anything has an empty log.
    Number(u32),
}

/// The attempt whose log a client gets; `None` for a pod that has no node yet.
///
/// # Errors
/// 400 for a container that is not there, not named, or has not written anything.
pub(super) fn select(
    pod: &Pod,
    container: &str,
    which: Which,
) -> Result<Option<Attempt>, StatusError> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let container = container_of(pod, name, container)?;
    let spec = pod.spec.as_ref();
    if spec.and_then(|spec| spec.node_name.as_deref()).unwrap_or_default().is_empty() {
        return Ok(None);
    }
    let status = status_of(pod, &container);
    let number = match which {
        Which::Number(number) => number,
        _ => number(status, name, &container, which == Which::Previous)?,
    };
    Ok(Some(Attempt { container, number }))
}

/// Whether this attempt has ended, as far as the status tells.
pub(super) fn is_over(pod: &Pod, attempt: &Attempt) -> bool {
    let status = status_of(pod, &attempt.container);
    let running = status.is_some_and(|s| s.state.as_ref().is_some_and(|s| s.running.is_some()));
    let present = status.and_then(|status| status.container_id.as_deref()).and_then(attempt_in);
    !running || present != Some(attempt.number)
}

/// The container that is asked for, or the only one.
///
/// # Errors
/// 400 for one that is not there, or not named among several.
pub(crate) fn container_of(pod: &Pod, pod_name: &str, asked: &str) -> Result<String, StatusError> {
    let spec = pod.spec.clone().unwrap_or_default();
    let init = spec.init_containers.iter().flatten().map(|container| &container.name);
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|container| &container.name);
    let names = init.chain(spec.containers.iter().map(|c| &c.name)).chain(ephemeral);
    let names: Vec<&String> = names.collect();
    if !asked.is_empty() {
        if names.iter().any(|name| *name == asked) {
            return Ok(asked.to_owned());
        }
        return Err(refuse(format!("container {asked} is not valid for pod {pod_name}")));
    }
    if let [only] = spec.containers.as_slice() {
        return Ok(only.name.clone());
    }
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    Err(refuse(format!(
        "a container name must be specified for pod {pod_name}, choose one of: [{}]",
        names.join(" ")
    )))
}

/// What the pod's status says of a container.
pub(crate) fn status_of<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    let mut all = all.chain(status.ephemeral_container_statuses.iter().flatten());
    all.find(|status| status.name == container)
}

/// The kubelet's order: what runs, else what ran last.
fn number(
    status: Option<&ContainerStatus>,
    pod: &str,
    container: &str,
    previous: bool,
) -> Result<u32, StatusError> {
    let subject = format!("container {container:?} in pod {pod:?}");
    let Some(status) = status else {
        return Err(refuse(format!("{subject} is not available")));
    };
    let state = status.state.clone().unwrap_or_default();
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let last_id = last.and_then(|last| last.container_id.as_deref()).and_then(attempt_in);
    if previous {
        return last_id.ok_or_else(|| refuse(format!("previous terminated {subject} not found")));
    }
    if state.running.is_some() {
        let id = status.container_id.as_deref().and_then(attempt_in);
        return Ok(id.unwrap_or_else(|| status.restart_count.try_into().unwrap_or(0)));
    }
    if state.terminated.is_some() || last.is_some() {
        let ended = state.terminated.and_then(|ended| ended.container_id);
        let id = ended.as_deref().and_then(attempt_in).or(last_id);
        return id.ok_or_else(|| refuse(format!("{subject} is terminated")));
    }
    let waiting = state.waiting.and_then(|waiting| waiting.reason).unwrap_or_default();
    Err(refuse(match waiting.as_str() {
        "" => format!("{subject} is waiting to start - no logs yet"),
        "ErrImagePull" => format!("{subject} is waiting to start: image can't be pulled"),
        "ImagePullBackOff" => {
            format!("{subject} is waiting to start: trying and failing to pull image")
        }
        reason => format!("{subject} is waiting to start: {reason}"),
    }))
}

/// The attempt that a container id names in its last part.
pub(crate) fn attempt_in(container_id: &str) -> Option<u32> {
    container_id.rsplit_once('_')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(state: serde_json::Value, last: serde_json::Value) -> Pod {
        let status = json!({
            "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 2,
            "containerID": "coracle://u_c_2", "state": state, "lastState": last,
        });
        serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"nodeName": "here", "containers": [{"name": "c"}]},
            "status": {"containerStatuses": [status]},
        }))
        .unwrap()
    }

    fn ended(id: &str) -> serde_json::Value {
        json!({"terminated": {"exitCode": 1, "containerID": id}})
    }

    fn waiting(reason: &str) -> serde_json::Value {
        json!({"waiting": {"reason": reason}})
    }

    #[test]
    fn an_attempt_asked_for_by_number_needs_no_state() {
        let found = select(&pod(json!({}), json!({})), "", Which::Number(3)).unwrap();
        assert_eq!(found.map(|attempt| attempt.number), Some(3));
    }

    #[test]
    fn the_attempt_is_the_one_that_runs_or_ran_last() {
        let running = json!({"running": {}});
        let before = ended("coracle://u_c_1");
        for (state, last, previous, expected) in [
            (running.clone(), json!({}), false, "2"),
            (running.clone(), before.clone(), true, "1"),
            (ended("coracle://u_c_2"), before.clone(), false, "2"),
            (waiting("CrashLoopBackOff"), before.clone(), false, "1"),
            (ended(""), before.clone(), false, "1"),
            (
                running,
                json!({}),
                true,
                "previous terminated container \"c\" in pod \"p\" not found",
            ),
            (ended(""), json!({}), false, "container \"c\" in pod \"p\" is terminated"),
            (
                waiting("ContainerCreating"),
                json!({}),
                false,
                "container \"c\" in pod \"p\" is waiting to start: ContainerCreating",
            ),
            (
                waiting("ErrImagePull"),
                json!({}),
                false,
                "container \"c\" in pod \"p\" is waiting to start: image can't be pulled",
            ),
            (
                waiting("ImagePullBackOff"),
                json!({}),
                false,
                "container \"c\" in pod \"p\" is waiting to start: trying and failing to pull image",
            ),
            (
                json!({}),
                json!({}),
                false,
                "container \"c\" in pod \"p\" is waiting to start - no logs yet",
            ),
        ] {
            let found = select(
                &pod(state, last),
                "",
                if previous { Which::Previous } else { Which::Present },
            );
            let found = match found {
                Ok(attempt) => attempt.unwrap().number.to_string(),
                Err(error) => error.message,
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_attempt_is_over_when_another_runs_or_none() {
        let attempt = |number| Attempt { container: "c".to_owned(), number };
        let running = pod(json!({"running": {}}), json!({}));
        assert!(!is_over(&running, &attempt(2)));
        assert!(is_over(&running, &attempt(1)));
        assert!(is_over(&pod(ended("coracle://u_c_2"), json!({})), &attempt(2)));
    }
}
