//! What is said of a Job that failed: every failed index with its attempts, exit codes and rule.

use crate::{exit_codes::job, space::Space};

#[test]
fn run_wait_and_describe_tell_each_failed_index_and_its_rule() {
    let space = Space::new();
    let up = space.up();
    let spec = "  completions: 4\n  parallelism: 4\n  completionMode: Indexed\n  \
                backoffLimitPerIndex: 0\n  podFailurePolicy: {rules: [{action: FailIndex, \
                onExitCodes: {operator: In, values: [42]}}]}";
    let script = "case $JOB_COMPLETION_INDEX in 1) exit 7;; 3) exit 42;; esac";
    space.file("job.yaml", &job("etl", spec, script));
    let lines = [
        "job/etl  Failed  FailedIndexes",
        "index 1  1 attempt: exit 7  by backoffLimitPerIndex 0\n",
        "index 3  1 attempt: exit 42  by podFailurePolicy rule 0 (FailIndex)\n",
    ];
    let run = space.run(&["run", "-f", "job.yaml"]).expect(1);
    let wait = space.run(&["wait", "job/etl"]).expect(1);
    let described = space.run(&["describe", "job/etl"]).expect(0).out;
    for (told, by) in [(&run.err, "run"), (&wait.err, "wait"), (&described, "describe")] {
        for line in lines {
            assert!(told.contains(line), "{by}: {line:?} is not in\n{told}");
        }
    }
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}
