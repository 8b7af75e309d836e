//! The examples do what their comments say.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::space::{Ran, Space};

fn run(name: &str) -> Ran {
    let space = Space::new();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let ran = space.run(&["run", "-f", path.to_str().unwrap()]);
    space.nothing_left();
    ran
}

#[test]
fn every_checksum_is_right_and_no_file_is_left_out() {
    let ran = run("checksums.yaml").expect(0).says("Complete  8/8 succeeded");
    let mut check = Command::new("sha256sum")
        .args(["-c", "--strict", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(ran.out.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success());
    let find = "find /usr/share -type f -size -1024k -printf x | wc -c";
    let files = Command::new("sh").args(["-c", find]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&files).trim(), ran.out.lines().count().to_string());
}

#[test]
fn flaky_fails_twice_and_succeeds() {
    let ran = run("flaky.yaml").expect(0).says("2 retries");
    let attempts: Vec<&str> = ran.out.lines().filter(|line| line.contains("attempt")).collect();
    assert_eq!(attempts, ["this is attempt 1", "this is attempt 2", "this is attempt 3"]);
}

#[test]
fn parallel_runs_both_jobs_to_the_end() {
    let ran = run("parallel.yaml").expect(0);
    for name in ["serial", "parallel"] {
        let lines = ran.out.lines().filter(|line| line.starts_with(&format!("{name} task")));
        assert_eq!(lines.count(), 8, "{}", ran.out);
        assert!(ran.err.contains(&format!("job/{name}  Complete  8/8 succeeded")), "{}", ran.err);
    }
}
