//! Pods with the tracking finalizer that no Job's plan speaks of.

use kinds::{selector::Selector, types::batch::v1::Job};
use reconcile::{PodFacts, Write, orphan};

use crate::notation::parse;

/// What becomes of the only pod of a case, given the Job that controls it unless that is `gone`.
pub(crate) fn let_go(_name: &str, given: &str) -> String {
    let input = parse(given);
    let facts = PodFacts::of(&input.pods[0], &Selector::nothing(), None);
    let job: Option<&Job> = (!input.gone).then_some(&input.job);
    match orphan(&facts, job) {
        None => "nothing\n".to_owned(),
        Some(Write::RemoveFinalizer { name }) => format!("untrack {name}\n"),
        Some(other) => panic!("no answer to a stray pod: {other:?}"),
    }
}
