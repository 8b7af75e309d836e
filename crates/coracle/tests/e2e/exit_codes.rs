//! One test per row of the table of exit codes.

use rustix::process::Signal;

use crate::space::{Ran, Space};

const IMAGE: &str = "coracle.local/host";

/// Runs one command in a container.
fn container(space: &Space, options: &[&str], command: &[&str]) -> Ran {
    let mut args = vec!["run"];
    args.extend(options);
    args.extend([IMAGE, "--"]);
    args.extend(command);
    space.run(&args)
}

/// A Job with `spec` (two more levels of indentation are added) around one container that runs
/// `script`.
pub(crate) fn job(name: &str, spec: &str, script: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n{spec}\n  template:\n    \
         spec:\n      restartPolicy: Never\n      terminationGracePeriodSeconds: 1\n      containers:\n      \
         - name: main\n        image: {IMAGE}\n        command: [sh, -c, {script:?}]\n"
    )
}

fn file(space: &Space, options: &[&str], text: &str) -> Ran {
    let path = space.file("job.yaml", text);
    let mut args = vec!["run", "-f", path.to_str().unwrap()];
    args.extend(options);
    space.run(&args)
}

#[test]
fn every_job_complete_is_0() {
    let space = Space::new();
    let ran = container(&space, &[], &["echo", "hello"]).expect(0);
    assert_eq!(ran.out, "hello\n");
    space.nothing_left();
}

#[test]
fn a_single_pod_job_has_its_containers_own_code() {
    let space = Space::new();
    container(&space, &[], &["sh", "-c", "echo before; exit 3"])
        .expect(3)
        .says("BackoffLimitExceeded")
        .says("exit 3")
        .says("| before")
        .says("see: coracle logs job/host-");
    space.nothing_left();
}

/// A Job whose pods have an init container that runs this script, and a sidecar.
fn initialized(name: &str, script: &str) -> String {
    let early = format!(
        "      initContainers:\n      - name: prepare\n        image: {IMAGE}\n        command: [sh, -c, {script:?}]\n      \
         - name: side\n        image: {IMAGE}\n        restartPolicy: Always\n        \
         command: [sh, -c, \"trap 'exit 3' TERM; sleep 1000 & wait\"]\n      containers:\n"
    );
    job(name, "  backoffLimit: 0", "echo main").replace("      containers:\n", &early)
}

#[test]
fn an_init_container_that_fails_has_its_own_code_and_a_sidecar_has_none() {
    let space = Space::new();
    let ran = file(&space, &[], &initialized("fine", "echo first")).expect(0);
    assert_eq!(ran.out, "first\nmain\n");
    file(&space, &[], &initialized("bad", "exit 7")).expect(7).says("container prepare  exit 7");
    let history = space.run(&["history", "job/bad"]).expect(0).out;
    assert!(history.contains(" 7     Error "), "{history}");
    space.nothing_left();
}

#[test]
fn a_signal_is_128_and_its_number() {
    let space = Space::new();
    let kill = ["sh", "-c", "kill -9 $$"];
    container(&space, &["--runtime", "process"], &kill).expect(137).says("killed by signal 9");
    space.nothing_left();
}

#[test]
fn the_memory_limit_is_137_and_named() {
    let space = Space::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/limits.yaml");
    space.run(&["run", "-f", example]).expect(137).says("killed by the memory limit of 32Mi");
    space.nothing_left();
}

#[test]
fn any_other_failed_job_is_1() {
    let space = Space::new();
    let spec = "  completions: 2\n  backoffLimit: 0\n  completionMode: Indexed";
    file(&space, &[], &job("two", spec, "exit $((JOB_COMPLETION_INDEX * 5))"))
        .expect(1)
        .says("index 1")
        .says("exit 5");
    space.nothing_left();
}

#[test]
fn wrong_usage_and_invalid_manifests_are_2_and_start_nothing() {
    let space = Space::new();
    space.run(&["run"]).expect(2);
    space.run(&["run", "--listen", "x", IMAGE]).expect(2);
    space.run(&["frobnicate"]).expect(2);
    file(&space, &[], &job("x", "  parallelism: many", "true")).expect(2);
    assert!(!space.data().exists(), "nothing was made");
}

#[test]
fn a_deadline_of_the_job_or_of_the_run_is_124() {
    let space = Space::new();
    let text = job("slow", "  activeDeadlineSeconds: 1\n  backoffLimit: 0", "exec sleep 100");
    file(&space, &[], &text).expect(124).says("DeadlineExceeded");
    let text = job("slow", "  backoffLimit: 0", "exec sleep 100");
    file(&space, &["--timeout", "1s"], &text).expect(124).says("the timeout has passed");
    space.nothing_left();
}

#[test]
fn what_cannot_start_in_time_is_125_with_reason_and_mend() {
    let space = Space::new();
    space
        .run(&["run", "--start-timeout", "1s", "127.0.0.1:9/none:1", "--", "true"])
        .expect(125)
        .says("ErrImagePull")
        .says("coracle.local/host");
    let text = job("big", "  backoffLimit: 0", "true")
        .replace("        image:", "        resources: {requests: {cpu: 10k}}\n        image:");
    file(&space, &["--start-timeout", "1s"], &text)
        .expect(125)
        .says("Unschedulable")
        .says("Insufficient cpu")
        .says("--start-timeout");
    space.nothing_left();
}

#[test]
fn a_command_that_is_not_executable_or_not_there_is_126_or_127() {
    let space = Space::new();
    container(&space, &[], &["/etc/passwd"]).expect(126).says("not executable");
    container(&space, &[], &["no-such-command"]).expect(127).says("not found");
    space.nothing_left();
}

#[test]
fn cancelled_is_130_or_143_and_the_pods_end() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let space = Space::new();
        let path = space.file("job.yaml", &job("slow", "", "exec sleep 1000"));
        let mut run = space.start(&["run", "-o", "json", "-f", path.to_str().unwrap()]);
        run.until("\"started\"");
        run.signal(signal);
        run.finish().expect(code).says("cancelling");
        space.nothing_left();
    }
}

#[test]
fn a_second_ctrl_c_ends_the_run_at_once() {
    let space = Space::new();
    let text = job("stubborn", "", "trap '' TERM; echo ready; while :; do sleep 1; done")
        .replace("PeriodSeconds: 1", "PeriodSeconds: 3");
    let path = space.file("job.yaml", &text);
    let mut run = space.start(&["run", "-f", path.to_str().unwrap()]);
    run.until("ready");
    run.signal(Signal::INT);
    run.until_said("cancelling");
    run.signal(Signal::INT);
    run.finish().expect(130);
    space.nothing_left();
}
