//! What the status of a Job may say.

use std::{collections::BTreeSet, sync::Arc};

use kinds::{Key, Object, Uid, types::batch::v1::Job};

/// Every end is declared before it is there, and times and counters go with it.
pub(super) fn well_formed(key: &Key, job: &Job) -> Result<(), String> {
    let Some(status) = &job.status else { return Ok(()) };
    let is = |type_: &str| {
        status.conditions.iter().flatten().any(|c| c.type_ == type_ && c.status == "True")
    };
    let (complete, failed) = (is("Complete"), is("Failed"));
    let at_work = |count: Option<i32>| count.unwrap_or(0) > 0;
    let wrong = if complete && failed {
        "is Complete and Failed"
    } else if complete && !is("SuccessCriteriaMet") {
        "is Complete without SuccessCriteriaMet"
    } else if failed && !is("FailureTarget") {
        "is Failed without FailureTarget"
    } else if complete != status.completion_time.is_some() {
        "has a completionTime exactly if it is Complete"
    } else if (complete || failed) && (at_work(status.active) || at_work(status.terminating)) {
        "finished with pods at work"
    } else if (complete || failed) && status.start_time.is_none() && wants_pods(job) {
        "finished and never started"
    } else {
        return Ok(());
    };
    Err(format!("{key} {wrong}: {status:?}"))
}

/// Unless somebody sets the clock, what ends began before.
pub(super) fn in_order(key: &Key, job: &Job) -> Result<(), String> {
    let Some(status) = &job.status else { return Ok(()) };
    match (&status.start_time, &status.completion_time) {
        (Some(start), Some(end)) if start.0 > end.0 => {
            Err(format!("{key} was complete before it started: {status:?}"))
        }
        _ => Ok(()),
    }
}

fn wants_pods(job: &Job) -> bool {
    job.spec.as_ref().and_then(|spec| spec.completions) != Some(0)
}

/// The counters of an unfinished Job are those of its pods: `open`, the ones that have not ended.
pub(super) fn counts(
    object: &Object,
    job: &Job,
    open: &[&Arc<Object>],
    ready: &BTreeSet<Uid>,
) -> Result<(), String> {
    let status = job.status.clone().unwrap_or_default();
    let (terminating, active): (Vec<&Arc<Object>>, Vec<&Arc<Object>>) =
        open.iter().partition(|pod| pod.deleting());
    let ready = active.iter().filter(|pod| ready.contains(&pod.meta.uid)).count();
    let says = [status.active, status.ready, status.terminating].map(Option::unwrap_or_default);
    let has = [active.len(), ready, terminating.len()];
    if says.map(|count| count as usize) == has {
        return Ok(());
    }
    Err(format!("{} says {says:?} of its {has:?} active, ready and terminating pods", object.key))
}
