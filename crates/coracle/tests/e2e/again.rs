//! `history`, `rerun`: what ran can be looked back at, and run again, also without the objects.

use std::fs;

use serde_json::Value;

use crate::{
    exit_codes::job,
    space::{Ran, Space},
};

/// An Indexed Job of four, one at a time, whose index 1 fails until there is a file `go`.
fn halting(space: &Space) {
    let script =
        "echo index $JOB_COMPLETION_INDEX; [ $JOB_COMPLETION_INDEX != 1 ] || [ -e /shared/go ]";
    let spec = "  completions: 4\n  completionMode: Indexed\n  backoffLimit: 0";
    let text = job("etl", spec, script)
        + &format!(
            "        volumeMounts: [{{name: s, mountPath: /shared}}]\n      volumes: [{{name: s, \
             hostPath: {{path: {:?}}}}}]\n",
            space.path("")
        );
    space.file("job.yaml", &text);
}

fn run(space: &Space, line: &str) -> Ran {
    space.run(&line.split_whitespace().collect::<Vec<_>>())
}

/// The lines of output, in no particular order.
fn lines(ran: &Ran) -> Vec<&str> {
    let mut lines: Vec<&str> = ran.out.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn rerun_on_a_private_server_runs_all_or_what_is_left() {
    let space = Space::new();
    halting(&space);
    assert_eq!(lines(&run(&space, "run -f job.yaml").expect(1)), ["index 0", "index 1"]);
    let again = run(&space, "rerun job/etl").expect(1);
    assert_eq!(lines(&again), ["index 0", "index 1"]);
    fs::write(space.path("go"), "").unwrap();
    let rest = run(&space, "rerun etl --failed --prefix always").expect(0);
    assert_eq!(lines(&rest), ["[1] index 1", "[2] index 2", "[3] index 3"]);
    rest.says("Complete  4/4 succeeded");
    let jobs = run(&space, "get jobs -o json").expect(0).out;
    let jobs: Value = serde_json::from_str(&jobs).unwrap();
    let origins = jobs["items"].as_array().unwrap().iter();
    let origins = origins.map(|job| &job["metadata"]["annotations"]["coracle.local/rerun-of"]);
    assert_eq!(origins.filter(|origin| *origin == "etl").count(), 2);
    space.nothing_left();
}

#[test]
fn rerun_and_history_need_no_object() {
    let space = Space::new();
    halting(&space);
    let up = space.up();
    run(&space, "run -f job.yaml").expect(1);
    run(&space, "delete job/etl").expect(0);
    fs::write(space.path("go"), "").unwrap();
    let rest = run(&space, "rerun job/etl --failed").expect(0);
    assert_eq!(lines(&rest), ["index 1", "index 2", "index 3"]);
    let shown = run(&space, "history job/etl").expect(0).out;
    for part in [
        "  default    etl  Failed   BackoffLimitExceeded  1/4        1",
        "\n  POD          INDEX  ATTEMPT  EXIT  REASON     STARTED",
        "  0      1        0     Completed  ",
        "  1      1        1     Error      ",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    let json: Value =
        serde_json::from_str(&run(&space, "history job/etl -o json").expect(0).out).unwrap();
    let exits = json["pods"].as_array().unwrap().iter();
    let mut exits: Vec<_> =
        exits.map(|pod| (&pod["index"], &pod["attempt"], &pod["exitCode"])).collect();
    exits.sort_by_key(|(index, ..)| index.as_u64());
    assert_eq!(exits, [(&0.into(), &1.into(), &0.into()), (&1.into(), &1.into(), &1.into())]);
    assert_eq!(json["manifest"]["spec"]["completions"], 4);
    run(&space, "down").expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn what_cannot_be_run_again_is_said() {
    let space = Space::new();
    run(&space, "rerun job/etl").expect(2).says("no job \"etl\" in namespace \"default\"");
    assert!(!space.data().exists(), "nothing was made");
    run(&space, "rerun pod/x").expect(2).says("only jobs can be run again; say job/NAME");
    run(&space, "run coracle.local/host -- true").expect(0);
    let name = run(&space, "get jobs -o name").expect(0).out;
    let name = name.trim().trim_start_matches("job.batch/");
    let all = format!("rerun {name} --failed");
    run(&space, &all).expect(2).says("all 1 completions of job/");
    run(&space, "rerun job/nope").expect(2).says("neither as an object nor in the history");
    space.nothing_left();
}

/// Its pod is deleted at once with the Job; what it printed is on its way.
#[test]
fn output_of_a_job_that_is_gone_at_its_end_is_shown() {
    let space = Space::new();
    space.file("job.yaml", &job("brief", "  ttlSecondsAfterFinished: 0", "echo hello"));
    for _ in 0..5 {
        assert_eq!(run(&space, "run -f job.yaml").expect(0).out, "hello\n");
    }
    run(&space, "history job/nope").expect(2).says("no job \"nope\" has finished yet");
    space.nothing_left();
}
