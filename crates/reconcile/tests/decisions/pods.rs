//! The pods that Jobs make, whole.

use expect_test::expect_file;
use kinds::types::{batch::v1::Job, core::v1::Pod};
use reconcile::{Indexes, Plan, View, Write};

use crate::notation::at;

const JOB: &str = "
metadata: {name: sums, uid: 00000000-0000-4000-8000-000000000001}
spec:
  parallelism: 1
  completions: 3
  backoffLimit: 6
  selector: {matchLabels: {batch.kubernetes.io/controller-uid: 00000000-0000-4000-8000-000000000001}}
  template:
    metadata:
      labels:
        app: sums
        batch.kubernetes.io/controller-uid: 00000000-0000-4000-8000-000000000001
        batch.kubernetes.io/job-name: sums
        controller-uid: 00000000-0000-4000-8000-000000000001
        job-name: sums
      annotations: {note: hello}
      finalizers: [example.com/keep]
    spec:
      restartPolicy: Never
      hostname: mine
      initContainers: [{name: init}]
      containers: [{name: main, env: [{name: A, value: b}]}, {name: own, env: [{name: JOB_COMPLETION_INDEX, value: mine}]}]
";

/// The first pod of the Job.
fn first_pod(job: &str) -> Pod {
    let job: Job = serde_saphyr::from_str(job).unwrap();
    let view =
        View { job: &job, pods: &[], indexes: &Indexes::of(&job), back_off: Default::default() };
    let plan: Plan = reconcile::job(&view, at(0), &mut |prefix| format!("{prefix}x7k2p"));
    match plan.writes.into_iter().next() {
        Some(Write::CreatePod(pod)) => *pod,
        other => panic!("no pod but {other:?}"),
    }
}

#[test]
fn a_pod_of_a_job() {
    let pod = serde_json::to_string_pretty(&first_pod(JOB)).unwrap() + "\n";
    expect_file!["../../cases/pod/plain.json"].assert_eq(&pod);
}

#[test]
fn a_pod_of_an_indexed_job() {
    let job = JOB.replace("  completions: 3", "  completions: 3\n  completionMode: Indexed");
    let pod = serde_json::to_string_pretty(&first_pod(&job)).unwrap() + "\n";
    expect_file!["../../cases/pod/indexed.json"].assert_eq(&pod);
}

#[test]
fn names_are_cut_so_that_the_index_and_the_suffix_stay_whole() {
    let name = |length: usize, indexed: bool| {
        let mode = if indexed { "\n  completionMode: Indexed" } else { "" };
        let job = JOB
            .replace("name: sums,", &format!("name: {},", "a".repeat(length)))
            .replace("  completions: 3", &format!("  completions: 3{mode}"));
        first_pod(&job).metadata.generate_name.unwrap()
    };
    assert_eq!(name(55, true), format!("{}-0-", "a".repeat(55)));
    assert_eq!(name(56, true), format!("{}-0-", "a".repeat(55)));
    assert_eq!(name(63, true), format!("{}-0-", "a".repeat(55)));
    // Without an index whoever makes the name cuts it, as for every generated name.
    assert_eq!(name(63, false), format!("{}-", "a".repeat(63)));
}
