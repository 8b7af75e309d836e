//! `trigger` and `backfill`: Jobs of a CronJob that its schedule did not make.

use serde_json::Value;

use crate::space::{Ran, Running, Space};

/// A CronJob that makes nothing by itself; its Jobs say `$DAY` and their arguments.
fn cron_job(space: &Space, policy: &str) {
    let text = format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: nightly}}\nspec:\n  schedule: '0 2 * * *'\n  \
         timeZone: UTC\n  suspend: true\n  concurrencyPolicy: {policy}\n  jobTemplate:\n    spec:\n      \
         backoffLimit: 0\n      template:\n        spec:\n          restartPolicy: Never\n          \
         containers:\n          - name: main\n            image: coracle.local/host\n            \
         command: [sh, -c, 'echo day $DAY $*; exit ${{CODE:-0}}', sh]\n            args: [old]\n"
    );
    space.file("cron.yaml", &text);
}

fn run(space: &Space, line: &str) -> Ran {
    space.run(&line.split_whitespace().collect::<Vec<_>>())
}

fn up(policy: &str) -> (Space, Running) {
    let space = Space::new();
    let up = space.up();
    cron_job(&space, policy);
    run(&space, "apply -f cron.yaml").expect(0);
    (space, up)
}

fn down(space: &Space, up: Running) {
    run(space, "down").expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

const DAYS: &str = "--since 2020-01-01T00:00:00Z --until 2020-01-03T12:00:00Z";

#[test]
fn trigger_runs_a_job_now_also_on_a_private_server() {
    let (space, server) = up("Allow");
    let ran = run(&space, "trigger cronjob/nightly --set-env DAY=one -- a $HOME").expect(0);
    assert_eq!(ran.out, "day one a $HOME\n");
    let jobs = run(&space, "get jobs -o json").expect(0).out;
    let jobs: Value = serde_json::from_str(&jobs).unwrap();
    let metadata = &jobs["items"][0]["metadata"];
    assert!(metadata["name"].as_str().unwrap().starts_with("nightly-"), "{metadata}");
    let annotations = &metadata["annotations"];
    assert_eq!(annotations["cronjob.kubernetes.io/instantiate"], "manual");
    let time = annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z'), "{time}");
    assert_eq!(metadata["ownerReferences"][0]["kind"], "CronJob");
    down(&space, server);
    assert_eq!(run(&space, "trigger nightly").expect(0).out, "day old\n");
    run(&space, "trigger cronjob/nightly --set-env CODE=7").expect(7);
    space.nothing_left();
}

/// They are gone before anybody could look: the history says how they ended, and has their output.
#[test]
fn backfill_tells_of_jobs_that_the_history_limits_took_away() {
    let (space, server) = up("Allow");
    let cron = std::fs::read_to_string(space.path("cron.yaml")).unwrap();
    let limited =
        cron.replace("  suspend: true", "  suspend: true\n  successfulJobsHistoryLimit: 0");
    assert_ne!(cron, limited);
    space.file("cron.yaml", &limited);
    run(&space, "apply -f cron.yaml").expect(0);
    let ran = run(&space, &format!("backfill cronjob/nightly {DAYS}")).expect(0);
    assert_eq!(ran.out, "day old\n".repeat(3));
    down(&space, server);
}

#[test]
fn backfill_runs_each_time_once() {
    let (space, server) = up("Allow");
    let names = ["nightly-26297400", "nightly-26298840", "nightly-26300280"];
    let dry = run(&space, &format!("backfill cronjob/nightly {DAYS} --dry-run")).expect(0);
    let wanted = format!("job/{}  for 2020-01-01T02:00:00Z (dry run)\n", names[0]);
    assert!(dry.out.starts_with(&wanted) && dry.out.lines().count() == 3, "{}", dry.out);
    run(&space, "get jobs").expect(0).says("No resources found");

    let ran = run(&space, &format!("backfill cronjob/nightly {DAYS}")).expect(0);
    assert_eq!(ran.out, "day old\n".repeat(3));
    for name in names {
        run(&space, &format!("get job {name}")).expect(0);
    }
    run(&space, &format!("delete job {}", names[1])).expect(0);
    let again = run(&space, &format!("backfill cronjob/nightly {DAYS}")).expect(0);
    assert_eq!(again.out, "");
    again
        .says("job/nightly-26297400  for 2020-01-01T02:00:00Z  skipped: it is there and has finished")
        .says("job/nightly-26298840  for 2020-01-02T02:00:00Z  skipped: it was Complete, as the history")
        .says("nothing to fill in for cronjob/nightly");
    down(&space, server);
}

#[test]
fn jobs_that_may_not_run_at_once_are_filled_in_one_after_the_other() {
    let (space, server) = up("Forbid");
    let detached = run(&space, &format!("backfill nightly {DAYS} -d")).expect(2);
    detached.says("does not allow its jobs to run at once");
    let ran = run(&space, &format!("backfill nightly {DAYS} -o json")).expect(0);
    let events = ran.events().into_iter().map(|event| event["event"].as_str().unwrap().to_owned());
    let events: Vec<String> =
        events.filter(|event| event == "submitted" || event == "finished").collect();
    assert_eq!(events, ["submitted", "finished"].repeat(3));
    down(&space, server);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_made() {
    let space = Space::new();
    run(&space, "trigger cronjob/nightly").expect(2).says("there is no cronjob \"nightly\"");
    assert!(!space.data().exists(), "nothing was made");
    let (space, server) = up("Allow");
    for (line, part) in [
        ("trigger cronjob/nope", "there is no cronjob \"nope\" in namespace \"default\""),
        ("trigger job/nightly", "\"job/nightly\" is no cronjob: say cronjob/NAME"),
        ("trigger cronjob/nightly --set-env DAY", "write it as NAME=VALUE"),
        ("backfill cronjob/nightly", "--since <TIME>"),
        (
            "backfill cronjob/nightly --since yesterday",
            "--since \"yesterday\": write it as 2026-11-20",
        ),
        ("backfill cronjob/nightly --since 2020-01-01", "more than 100 times"),
        ("backfill cronjob/nightly --since 1h --until 2999-01-01", "--until lies ahead"),
    ] {
        run(&space, line).expect(2).says(part);
    }
    run(&space, "get jobs").expect(0).says("No resources found");
    down(&space, server);
}
