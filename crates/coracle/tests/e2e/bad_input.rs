//! Bad input and bad places: a clear message, the right code, nothing started and nothing lost.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    exit_codes::job,
    space::{CORACLE, Ran, Running, Space},
};

/// Runs a file of this text.
fn run(space: &Space, text: &str) -> Ran {
    let path = space.file("job.yaml", text);
    space.run(&["run", "-f", path.to_str().unwrap()])
}

/// Refused with 2 and these words, before anything was made.
#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let space = Space::new();
    let mut ran = run(&space, text).expect(2);
    for word in words {
        ran = ran.says(word);
    }
    assert!(!space.data().exists(), "something was started");
}

#[test]
fn a_misspelt_field() {
    let text = job("x", "  backofLimit: 3", "true");
    refused(&text, &["job.yaml:5: ", "spec.backofLimit", "backoffLimit"]);
}

#[test]
fn a_wrong_type() {
    refused(&job("x", "  parallelism: many", "true"), &["job.yaml:5: ", "spec.parallelism"]);
}

#[test]
fn an_unknown_kind() {
    let text = "apiVersion: batch/v1\nkind: Jab\nmetadata: {name: x}\n";
    refused(text, &["job.yaml:2: ", "Jab"]);
}

#[test]
fn a_field_that_does_not_work_yet() {
    let text = job("x", "  suspend: false", "true") + "      hostIPC: true\n";
    refused(&text, &["job.yaml:14: ", "spec.template.spec.hostIPC"]);
}

#[test]
fn a_cron_job_is_for_a_server() {
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\n";
    refused(text, &["job.yaml:1: ", "CronJob", "coracle up"]);
}

#[test]
fn invalid_yaml_names_its_line() {
    refused("apiVersion: batch/v1\nkind: Job\nmetadata: {name: [\n", &["job.yaml:"]);
    refused("kind: Job\nmetadata: {name: x}\nspec:\n  a: b: c\n", &["job.yaml:4: "]);
}

#[test]
fn every_mistake_of_every_file_at_once() {
    let space = Space::new();
    space.file("a.yaml", &job("a", "  backofLimit: 3\n  parallelism: many", "true"));
    space.file("b.yml", "kind: Jab\napiVersion: batch/v1\n");
    fs::write(space.path("ignored.txt"), "not: [yaml").unwrap();
    let ran = space.run(&["run", "-f", "."]).expect(2);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.err);
    assert!(lines.iter().all(|line| line.starts_with("error: ")), "{}", ran.err);
    assert!(!space.data().exists());
}

#[test]
fn a_missing_file() {
    let space = Space::new();
    space.run(&["run", "-f", "gone.yaml"]).expect(2).says("gone.yaml: no such file or directory");
    fs::create_dir(space.path("empty")).unwrap();
    space.run(&["run", "-f", "empty"]).expect(2).says("empty: no .yaml, .yml or .json file in it");
}

#[test]
fn two_objects_of_one_name_and_a_namespace_that_differs() {
    let twice = format!("{}---\n{}", job("x", "  backoffLimit: 1", "true"), job("x", "", "true"));
    refused(&twice, &["Job \"x\" is there twice"]);
    let space = Space::new();
    let text = job("x", "", "true").replace("{name: x}", "{name: x, namespace: here}");
    let path = space.file("job.yaml", &text);
    space
        .run(&["run", "-n", "there", "-f", path.to_str().unwrap()])
        .expect(2)
        .says("job.yaml:3: metadata.namespace: is \"here\", and --namespace says \"there\"");
}

#[test]
fn a_namespace_that_does_not_exist_is_told_before_anything_is_created() {
    let space = Space::new();
    let path = space.file("job.yaml", &job("x", "", "true"));
    let up = space.up();
    space.run(&["run", "-n", "nowhere", "-f", path.to_str().unwrap()]).expect(2).says("nowhere");
    assert_eq!(space.status()["objects"]["jobs"], 0);
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

/// A file system of its own for the data directory, gone with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(space: &Space, size: &str) -> Self {
        let path = space.data();
        fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        assert!(mount.status().unwrap().success());
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server of a failed test may still be in it.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(std::thread::panicking() || unmounted.unwrap().success());
    }
}

#[test]
fn a_full_disk_is_125_and_named() {
    let space = Space::new();
    let disk = SmallDisk::mount(&space, "64k");
    space
        .run(&["run", "coracle.local/host", "--", "true"])
        .expect(125)
        .says(&space.data().display().to_string())
        .says("space");
    drop(disk);
}

/// The files of the store, by name.
fn store(space: &Space) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(space.data().join("store")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

/// Runs something, damages the store, and expects that it is refused and left as it is.
#[track_caller]
fn damaged(damage: impl FnOnce(&mut Vec<u8>)) {
    let space = Space::new();
    for _ in 0..2 {
        space.run(&["run", "coracle.local/host", "--", "true"]).expect(0);
    }
    space.nothing_left();
    let mut files = store(&space);
    let (path, bytes) = files.last_mut().unwrap();
    damage(bytes);
    fs::write(path, bytes).unwrap();
    let damaged = store(&space);
    let ran = space.run(&["run", "coracle.local/host", "--", "true"]).expect(125);
    assert!(ran.err.contains(" at byte "), "{}", ran.err);
    assert!(ran.err.contains(".log"), "the file is named: {}", ran.err);
    assert!(store(&space) == damaged, "the store was changed");
    space.nothing_left();
}

#[test]
fn a_flipped_bit_in_the_store_is_named_and_left() {
    damaged(|bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[used / 2] ^= 0x10;
    });
}

#[test]
fn a_truncated_store_is_named_and_left() {
    damaged(|bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes.truncate(used / 2);
    });
}

#[test]
fn a_machine_without_namespaces_is_125_with_the_mend() {
    let space = Space::new();
    let unable = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", CORACLE]).args(args);
        let plain = space.command(&[""; 0]);
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        Running::of(command).finish()
    };
    unable(&["run", "--start-timeout", "1s", "coracle.local/host", "--", "true"])
        .expect(125)
        .says("coracle doctor")
        .says("--runtime process");
    let doctor = unable(&["doctor"]).expect(125);
    assert!(doctor.out.contains("SYS_ADMIN"), "{}", doctor.out);
    space.nothing_left();
}

/// What cannot be printed is lost; it was a panic.
#[test]
fn a_report_that_nobody_can_read_is_no_crash() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("the device");
    for (verb, code) in [("status", 0), ("down", 0)] {
        let mut command = std::process::Command::new(crate::space::CORACLE);
        command.args([verb, "--data-dir", "/nowhere/at/all"]).stdout(full()).stderr(full());
        assert_eq!(command.status().expect("it runs").code(), Some(code), "{verb}");
    }
}
