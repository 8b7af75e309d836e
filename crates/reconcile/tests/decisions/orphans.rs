//! Pods with the tracking finalizer that no Job's plan speaks of.

use kinds::{selector::Selector, types::batch::v1::Job};
use reconcile::{PodFacts, Write, orphan};

use crate::notation::parse;

const FINISHED: &str = "status\ncondition Complete=True CompletionsReached: done\n";

/// Whether the pod of a case is let go, given the Job that controls it, if there is one.
fn let_go(text: &str, job_exists: bool) -> bool {
    let input = parse(text);
    let facts = PodFacts::of(&input.pods[0], &Selector::everything());
    let job: Option<&Job> = job_exists.then_some(&input.job);
    let write = orphan(&facts, job);
    assert!(write.is_none() || write == Some(Write::RemoveFinalizer { name: "a".to_owned() }));
    write.is_some()
}

#[test]
fn only_what_nobody_will_count_is_let_go() {
    let finished = |line: &str| format!("{FINISHED}{line}");
    let managed = finished("job managedBy=example.com/controller\npod a Running");
    let rows = [
        ("controlled_by_existing_running_job", "pod a Running".to_owned(), true, false),
        ("controlled_by_existing_finished_job", finished("pod a Running"), true, true),
        ("controlled_by_non_existing_job", "pod a Running".to_owned(), false, true),
        ("controlled_by_cronjob", "pod a Running owner=CronJob.batch/v1".to_owned(), false, false),
        ("not_controlled", "pod a Running orphan".to_owned(), false, true),
        ("controlled_by_custom_crd", "pod a Running owner=Job.x.io/v1".to_owned(), false, false),
        (
            "owned_by_existing_running_job",
            "pod a Running owned=Job.batch/v1".to_owned(),
            true,
            true,
        ),
        ("owned_by_custom_crd", "pod a Running owned=Widget.x.io/v1".to_owned(), false, true),
        ("externally managed", managed, true, false),
        ("without the finalizer", "pod a Running orphan untracked".to_owned(), false, false),
    ];
    for (name, text, job_exists, expected) in rows {
        assert_eq!(let_go(&text, job_exists), expected, "{name}");
    }
}
