//! What is remembered of one Job over the whole world, and what has to be true of it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use kinds::{Key, Object, Uid, types::batch::v1::Job};

use super::indexes;

const INDEX_LABEL: &str = "batch.kubernetes.io/job-completion-index";

#[derive(Default)]
pub(super) struct Known {
    /// Its newest revision.
    pub(super) job: Job,
    pub(super) finished: bool,
    /// The highest parallelism it ever had.
    parallelism_max: usize,
    /// Pods ever seen.
    pods: BTreeSet<Uid>,
    /// How many pods each index ever had.
    tries: HashMap<u32, usize>,
    /// Pods (of Indexed Jobs: indexes) that succeeded.
    succeeded: BTreeSet<String>,
    /// Those of them that nobody was ending when they succeeded: each must be counted.
    countable: BTreeSet<String>,
    /// Pods that failed while nobody was ending them, in a way that counts whatever the policy.
    pub(super) failed: usize,
    /// Pods that failed while nobody was ending them, in a way that does not count.
    pub(super) ignored: usize,
    /// Its completions were changed: failures of indexes beyond them do not count.
    stretched: bool,
    /// The interim condition, once there is one.
    declared: Option<&'static str>,
    /// The completions that were enough when the end was declared; asking for more comes too late.
    wanted: usize,
}

impl Known {
    /// A revision of one of its pods.
    pub(super) fn saw(&mut self, pod: &Object) {
        if self.pods.insert(pod.meta.uid)
            && let Some(index) = index(pod)
        {
            *self.tries.entry(index).or_default() += 1;
        }
    }

    /// One of its pods succeeded. That counts no more for an index that failed or is not asked for.
    pub(super) fn success(&mut self, pod: &Object) {
        let what = match index(pod) {
            None => pod.meta.uid.to_string(),
            Some(index) if !indexes::open(&self.job, index) => return,
            Some(index) => index.to_string(),
        };
        self.succeeded.insert(what.clone());
        if !pod.deleting() {
            self.countable.insert(what);
        }
    }

    /// A newer revision of the Job.
    pub(super) fn update(&mut self, key: &Key, job: Job) -> Result<(), String> {
        let completions = |job: &Job| job.spec.as_ref().and_then(|spec| spec.completions);
        if completions(&self.job) != completions(&job) && self.job.spec.is_some() {
            self.stretched = true;
            let end = completions(&job).unwrap_or(0) as u32;
            let within = |index: &String| index.parse::<u32>().is_ok_and(|index| index < end);
            self.succeeded.retain(within);
            self.countable.retain(within);
        }
        let ends = ["SuccessCriteriaMet", "FailureTarget"];
        let now = ends.into_iter().find(|end| holds(&job, end));
        if self.declared.is_some() && self.declared != now {
            return Err(format!("{key} declared {:?} and now {now:?}", self.declared));
        }
        self.declared = now;
        let wanted = completions(&job).unwrap_or(1) as usize;
        self.wanted = if now.is_some() { self.wanted.min(wanted) } else { wanted };
        indexes::check(key, &job, &self.tries)?;
        self.parallelism_max = self.parallelism_max.max(parallelism(&job));
        self.job = job;
        Ok(())
    }

    /// What a finished Job says it counted is what happened.
    pub(super) fn count(&self, object: &Object) -> Result<(), String> {
        let status = self.job.status.clone().unwrap_or_default();
        let pods = self.pods.len();
        let count = |field: Option<i32>| field.unwrap_or(0) as usize;
        let (succeeded, failed) = (count(status.succeeded), count(status.failed));
        let (least, most) = (self.countable.len(), self.succeeded.len());
        if succeeded < least || succeeded > most {
            return Err(format!(
                "{} counts {succeeded} successes of {most}, {least} of which nobody was ending",
                object.key
            ));
        }
        let (ignored, sure) = (self.ignored, if self.stretched { 0 } else { self.failed });
        if failed + ignored + least > pods || failed < sure {
            return Err(format!(
                "{} counts {failed} failures of {pods} pods, {ignored} of which are ignored and \
                 {sure} are sure",
                object.key
            ));
        }
        let complete = status.conditions.iter().flatten().any(|c| c.type_ == "Complete");
        if complete && succeeded < self.wanted && !indexes::enough(&self.job) {
            let wanted = self.wanted;
            return Err(format!("{} is Complete with {succeeded} of {wanted}", object.key));
        }
        Ok(())
    }

    /// Never more pods at work than the Job allows, and one per index.
    pub(super) fn within_parallelism(
        &self,
        job: &Object,
        open: &[&Arc<Object>],
    ) -> Result<(), String> {
        let spec = self.job.spec.clone().unwrap_or_default();
        let status = self.job.status.clone().unwrap_or_default();
        // When the first pod of a work queue has succeeded the others finish what they have, whatever
        // the parallelism is by then.
        let queue_is_empty = spec.completions.is_none() && status.succeeded.unwrap_or(0) > 0;
        let limit = if queue_is_empty { self.parallelism_max } else { parallelism(&self.job) };
        let active: Vec<_> = open.iter().filter(|pod| !pod.deleting()).collect();
        if active.len() > limit {
            return Err(format!("{} has {} active pods of {limit}", job.key, active.len()));
        }
        // A Job scaled down may still have more pods that are being ended.
        let replaces_ended = spec.pod_replacement_policy.as_deref() == Some("Failed");
        if replaces_ended && open.len() > self.parallelism_max {
            return Err(format!("{} replaced pods that were ending: {}", job.key, open.len()));
        }
        let mut seen = BTreeSet::new();
        for index in active.iter().filter_map(|pod| index(pod)) {
            if !seen.insert(index) {
                return Err(format!("{} has two active pods of index {index}", job.key));
            }
            if !indexes::open(&self.job, index) {
                return Err(format!("{} tries index {index} again", job.key));
            }
        }
        Ok(())
    }
}

fn parallelism(job: &Job) -> usize {
    let parallelism = job.spec.as_ref().and_then(|spec| spec.parallelism).unwrap_or(1);
    parallelism.max(0) as usize
}

fn index(pod: &Object) -> Option<u32> {
    pod.meta.labels.get(INDEX_LABEL)?.parse().ok()
}

/// Whether a condition of this type is True.
pub(super) fn holds(job: &Job, of_type: &str) -> bool {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.clone().any(|condition| condition.type_ == of_type && condition.status == "True")
}
