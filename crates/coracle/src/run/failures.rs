//! What failed at each index of a Job: how often, with which exit codes, and by which of the Job's
//! rules it stayed failed. From the pods, the status and the spec alone. Pure.

use std::collections::BTreeMap;

use kinds::types::batch::v1::{JobSpec, PodFailurePolicy};
use reconcile::{Action, IndexSet};

/// How many exit codes of one index are kept: the last ones.
const EXITS_KEPT_MAX: usize = 8;

/// How many failed indexes are told one by one.
const INDEXES_TOLD_MAX: usize = 20;

/// The rules of a Job that end attempts, with their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) policy: Option<PodFailurePolicy>,
    backoff_limit: i32,
    backoff_limit_per_index: Option<i32>,
    max_failed_indexes: Option<i32>,
    deadline_s: Option<i64>,
}

/// A rule of the failure policy that matched, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(super) rule: usize,
    pub(super) action: Action,
}

/// A failed attempt, as far as it decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// Which at its index, from 1.
    pub(super) number: u32,
    pub(super) exit_code: i32,
    pub(super) matched: Option<Matched>,
    /// Its pod was being deleted, as all are whose Job has failed.
    pub(super) put_down: bool,
}

/// The failed attempts at one index, or of a Job that has none.
#[derive(Clone, Debug, Default)]
struct Failed {
    count: u32,
    exits: Vec<i32>,
    last: Option<Matched>,
    put_down: bool,
}

/// The failed attempts of a Job by index; under `None` those of a Job without.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(BTreeMap<Option<u32>, Failed>);

/// How an Indexed Job ended.
#[derive(Clone, Debug, Default)]
pub(super) struct IndexEnds {
    pub(super) completed: IndexSet,
    pub(super) failed: IndexSet,
    pub(super) completions: u32,
}

impl Rules {
    pub(super) fn of(spec: &JobSpec) -> Self {
        Self {
            policy: spec.pod_failure_policy.clone(),
            backoff_limit: spec.backoff_limit.unwrap_or(0),
            backoff_limit_per_index: spec.backoff_limit_per_index,
            max_failed_indexes: spec.max_failed_indexes,
            deadline_s: spec.active_deadline_seconds,
        }
    }

    /// What decided: of an index that counts as failed by itself, its own rule, else that of the Job,
    /// which ended for this reason.
    fn decided(&self, reason: &str, own: bool, failed: &Failed) -> String {
        let matched = |wanted: Action| failed.last.filter(|matched| matched.action == wanted);
        let by_policy = |matched: Matched| {
            format!("podFailurePolicy rule {} ({})", matched.rule, matched.action.name())
        };
        if own {
            let limit = self.backoff_limit_per_index.unwrap_or(0);
            let rule = matched(Action::FailIndex).map(by_policy);
            return format!("by {}", rule.unwrap_or(format!("backoffLimitPerIndex {limit}")));
        }
        let number = |n: Option<i64>| n.map(|n| format!(" {n}")).unwrap_or_default();
        let (with_the_job, rule) = match reason {
            "BackoffLimitExceeded" => {
                (failed.put_down, format!("backoffLimit {}", self.backoff_limit))
            }
            "DeadlineExceeded" => {
                (false, format!("activeDeadlineSeconds{}", number(self.deadline_s)))
            }
            "PodFailurePolicy" => match matched(Action::FailJob) {
                Some(matched) => (false, by_policy(matched)),
                None => (true, "podFailurePolicy".to_owned()),
            },
            "MaxFailedIndexesExceeded" => {
                let max = self.max_failed_indexes.map(i64::from);
                (true, format!("maxFailedIndexes{}", number(max)))
            }
            other => (failed.put_down, other.to_owned()),
        };
        if with_the_job { format!("ended with the job, by {rule}") } else { format!("by {rule}") }
    }
}

impl Failures {
    /// Takes a failed attempt. `same_work` is whether all attempts under this index are attempts at
    /// the same work, which is then what their numbers count.
    pub(super) fn add(&mut self, index: Option<u32>, attempt: Attempt, same_work: bool) {
        let failed = self.0.entry(index).or_default();
        if same_work && attempt.number <= failed.count {
            // Another container of the same pod.
            return;
        }
        failed.count = if same_work { attempt.number } else { failed.count + 1 };
        if failed.exits.len() == EXITS_KEPT_MAX {
            failed.exits.remove(0);
        }
        failed.exits.push(attempt.exit_code);
        (failed.last, failed.put_down) = (attempt.matched, attempt.put_down);
    }

    /// An index has succeeded after all.
    pub(super) fn forget(&mut self, index: Option<u32>) {
        self.0.remove(&index);
    }

    /// The rule that decided on a Job without indexes of which one attempt failed.
    pub(super) fn only_rule(&self, rules: &Rules, reason: &str) -> Option<String> {
        let failed = self.0.get(&None).filter(|failed| failed.count == 1)?;
        Some(rules.decided(reason, false, failed))
    }

    /// A line for every failed index, those first that failed by themselves, and one for how many
    /// more there are.
    pub(super) fn lines(&self, rules: &Rules, reason: &str, ends: &IndexEnds) -> Vec<String> {
        let none_left = Failed::default();
        let of_status = (0..ends.completions).filter(|index| ends.failed.contains(*index));
        let unseen = of_status.map(Some).filter(|index| !self.0.contains_key(index));
        let seen = self.0.iter().map(|(index, failed)| (*index, failed));
        let undone = |(index, _): &(Option<u32>, &Failed)| {
            !index.is_some_and(|i| ends.completed.contains(i))
        };
        let mut all: Vec<(Option<u32>, &Failed)> =
            seen.filter(undone).chain(unseen.map(|index| (index, &none_left))).collect();
        all.sort_by_key(|(index, failed)| (failed.put_down, *index));
        let line = |(index, failed): &(Option<u32>, &Failed)| {
            let own = index.is_some_and(|index| ends.failed.contains(index));
            let index = index.map(|index| format!("index {index}  ")).unwrap_or_default();
            format!("{index}{}  {}", failed.told(), rules.decided(reason, own, failed))
        };
        let mut lines: Vec<String> = all.iter().take(INDEXES_TOLD_MAX).map(line).collect();
        let more = all.len().saturating_sub(INDEXES_TOLD_MAX);
        if more > 0 {
            lines.push(format!("and {more} more failed indexes"));
        }
        lines
    }
}

impl Failed {
    /// `3 attempts: exit 1, 1, 42`
    fn told(&self) -> String {
        let known: Vec<String> = self.exits.iter().map(i32::to_string).collect();
        let earlier = if (known.len() as u32) < self.count { "…, " } else { "" };
        match self.count {
            0 => "no pod of it is left".to_owned(),
            1 => format!("1 attempt: exit {}", known.join("")),
            count => format!("{count} attempts: exit {earlier}{}", known.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(spec: Value) -> Rules {
        let mut spec = spec;
        spec["template"] = json!({});
        Rules::of(&serde_json::from_value(spec).unwrap())
    }

    fn attempt(number: u32, exit_code: i32) -> Attempt {
        Attempt { number, exit_code, matched: None, put_down: false }
    }

    fn matched(rule: usize, action: Action) -> Option<Matched> {
        Some(Matched { rule, action })
    }

    fn ends(completed: &str, failed: &str) -> IndexEnds {
        let set = |text| IndexSet::parse(text, 100);
        IndexEnds { completed: set(completed), failed: set(failed), completions: 100 }
    }

    #[test]
    fn each_index_has_its_attempts_codes_and_rule() {
        let rules = rules(json!({"backoffLimitPerIndex": 2, "backoffLimit": 9}));
        let mut failures = Failures::default();
        for (index, number, code) in [(3, 1, 1), (3, 2, 1), (3, 3, 42), (7, 1, 5), (4, 1, 9)] {
            failures.add(Some(index), attempt(number, code), true);
        }
        let by_rule = Attempt { matched: matched(1, Action::FailIndex), ..attempt(1, 5) };
        failures.add(Some(6), by_rule, true);
        failures.forget(Some(7));
        assert_eq!(
            failures.lines(&rules, "FailedIndexes", &ends("4", "3,6,50")),
            [
                "index 3  3 attempts: exit 1, 1, 42  by backoffLimitPerIndex 2",
                "index 6  1 attempt: exit 5  by podFailurePolicy rule 1 (FailIndex)",
                "index 50  no pod of it is left  by backoffLimitPerIndex 2",
            ]
        );
    }

    #[test]
    fn what_ended_with_the_job_comes_last_and_says_so() {
        let spec = json!({
            "backoffLimit": 1, "activeDeadlineSeconds": 5, "maxFailedIndexes": 0,
        });
        let mut failures = Failures::default();
        let put_down = Attempt { put_down: true, ..attempt(1, 143) };
        failures.add(Some(0), put_down, true);
        failures.add(
            Some(2),
            Attempt { matched: matched(0, Action::FailJob), ..attempt(2, 1) },
            true,
        );
        for (reason, wanted) in [
            (
                "BackoffLimitExceeded",
                ["by backoffLimit 1", "ended with the job, by backoffLimit 1"],
            ),
            ("DeadlineExceeded", ["by activeDeadlineSeconds 5"; 2]),
            (
                "PodFailurePolicy",
                ["by podFailurePolicy rule 0 (FailJob)", "ended with the job, by podFailurePolicy"],
            ),
            ("MaxFailedIndexesExceeded", ["ended with the job, by maxFailedIndexes 0"; 2]),
            ("Other", ["by Other", "ended with the job, by Other"]),
        ] {
            let [first, second] = wanted;
            assert_eq!(
                failures.lines(&rules(spec.clone()), reason, &ends("", "")),
                [
                    format!("index 2  2 attempts: exit …, 1  {first}"),
                    format!("index 0  1 attempt: exit 143  {second}"),
                ]
            );
        }
    }

    #[test]
    fn a_hundred_thousand_failures_are_few_lines() {
        let mut failures = Failures::default();
        for index in 0..100_000 {
            failures.add(Some(index), attempt(1, 1), true);
        }
        (0..50).for_each(|_| failures.add(None, attempt(1, 1), false));
        let lines = failures.lines(&rules(json!({})), "DeadlineExceeded", &IndexEnds::default());
        assert_eq!(lines.len(), INDEXES_TOLD_MAX + 1);
        assert_eq!(
            lines[0],
            "50 attempts: exit …, 1, 1, 1, 1, 1, 1, 1, 1  by activeDeadlineSeconds"
        );
        assert_eq!(lines[INDEXES_TOLD_MAX], "and 99981 more failed indexes");
    }
}
