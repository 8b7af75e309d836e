//! `spec.successPolicy`: when enough indexes have succeeded.

use kinds::types::batch::v1::{JobSpec, SuccessPolicyRule};

use crate::IndexSet;

/// A rule, its list of indexes parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    indexes: Option<IndexSet>,
    count: Option<u32>,
}

/// The rules of a Job, in order.
pub(super) fn rules(spec: &JobSpec, completions: u32) -> Vec<Rule> {
    let parsed = |rule: &SuccessPolicyRule| Rule {
        indexes: rule.succeeded_indexes.as_deref().map(|text| IndexSet::parse(text, completions)),
        count: rule.succeeded_count.map(|count| u32::try_from(count).unwrap_or(0)),
    };
    spec.success_policy.iter().flat_map(|policy| &policy.rules).map(parsed).collect()
}

/// The first rule that is met by the indexes that succeeded, from 0. None is by nothing.
pub(super) fn met(rules: &[Rule], done: &IndexSet) -> Option<usize> {
    let met = |rule: &Rule| match (&rule.indexes, rule.count) {
        (Some(indexes), _) if indexes.is_empty() => false,
        (Some(indexes), None) => done.contains_all(indexes),
        (Some(indexes), Some(count)) => done.len_with(indexes) >= count,
        (None, Some(count)) => done.len() >= count,
        (None, None) => false,
    };
    if done.is_empty() { None } else { rules.iter().position(met) }
}
