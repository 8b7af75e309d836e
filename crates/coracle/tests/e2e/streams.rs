//! Streams when something gives way: the server is killed, the client vanishes, much goes through.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
};

use crate::space::{Running, Space};

/// The real one.
const KUBECTL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/kubectl/1.36.3/bin/kubectl");

/// How much goes through a stream.
const MUCH_BYTES: usize = 96 << 20;

/// By how much the server may be larger afterwards: buffers of a few sessions.
const GROWTH_BYTES_MAX: u64 = 12 << 20;

fn command(space: &Space, line: &str) -> Command {
    let mut command = Command::new(KUBECTL);
    command.args(line.split_whitespace()).env("KUBECONFIG", space.data().join("kubeconfig"));
    command.current_dir(space.path("")).env("HOME", space.path(""));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn kubectl(space: &Space, line: &str) -> Running {
    let mut command = command(space, line);
    command.stdin(Stdio::null());
    Running::of(command)
}

/// kubectl that runs a script in the pod, without an input.
fn script(space: &Space, text: &str) -> Running {
    let mut command = command(space, "exec p -- sh -c");
    command.arg(text).stdin(Stdio::null());
    Running::of(command)
}

/// A pod that runs a script and has the test's directory at /shared.
fn pod(space: &Space, script: &str, more: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  restartPolicy: Never\n  \
         containers: [{{name: c, image: coracle.local/host, command: [sh, -c, {script:?}], \
         volumeMounts: [{{name: s, mountPath: /shared}}]{more}}}]\n  volumes: [{{name: s, hostPath: \
         {{path: {:?}}}}}]\n",
        space.path("")
    );
    space.file("pod.yaml", &text);
    space.run(&["apply", "-f", "pod.yaml"]).expect(0);
    space.run(&["wait", "pod/p", "--for=condition=Ready"]).expect(0);
}

/// A pipe with a name, in the test's directory.
fn fifo(space: &Space, name: &str) -> PathBuf {
    let path = space.path(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    path
}

fn clear(space: &Space, up: Running) {
    space.run(&["down", "--stop-pods"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

/// Says a line to a pod whose input is attached, and waits for its answer.
fn say(space: &Space, line: &str) -> Running {
    let mut attach = command(space, "attach -i p");
    // A file in place of a pipe, so that the input goes on while this one is held.
    let lines = space.path("lines");
    let keep = File::options().read(true).write(true).open(&lines).unwrap();
    attach.stdin(keep.try_clone().unwrap());
    let mut attached = Running::of(attach);
    writeln!(&keep, "{line}").unwrap();
    attached.until(&format!("got {line}"));
    attached
}

#[test]
fn an_input_outlives_the_server_and_its_clients() {
    let space = Space::new();
    let up = space.up();
    fifo(&space, "lines");
    pod(&space, "while read line; do echo got $line; done", ", stdin: true");
    let first = say(&space, "one");
    up.signal(Signal::KILL);
    up.finish().expect(-9);
    assert_ne!(first.finish().code, 0, "its session ended with the server");
    let up = space.up();
    let second = say(&space, "two");
    second.signal(Signal::KILL);
    second.finish();
    let third = say(&space, "three");
    third.signal(Signal::KILL);
    third.finish();
    assert_eq!(kubectl(&space, "logs p").finish().expect(0).out, "got one\ngot two\ngot three\n");
    clear(&space, up);
}

/// As on Kubernetes it goes on, with its streams broken.
#[test]
fn a_program_goes_on_when_its_client_or_the_server_vanishes() {
    let space = Space::new();
    let mut up = space.up();
    pod(&space, "exec sleep 1000", "");
    for (number, by_server) in [false, true].into_iter().enumerate() {
        let ended = fifo(&space, &format!("ended{number}"));
        let mut exec = command(&space, "exec -i p -- sh -c");
        exec.arg(format!("echo begins; cat; echo input ends >/shared/ended{number}"));
        let mut exec = Running::of(exec);
        exec.until("begins");
        match by_server {
            true => {
                up.signal(Signal::KILL);
                up.finish().expect(-9);
                up = space.up();
                exec.finish();
            }
            false => {
                exec.signal(Signal::KILL);
                exec.finish();
            }
        }
        assert_eq!(fs::read_to_string(&ended).unwrap(), "input ends\n");
    }
    let left = script(&space, "ps ax | grep -c '[c]at; echo'").finish();
    assert_eq!(left.out, "0\n");
    clear(&space, up);
}

#[test]
fn much_goes_through_in_little_memory() {
    let space = Space::new();
    let up = space.up();
    pod(&space, "exec sleep 1000", "");
    script(&space, "true").finish().expect(0);
    fs::write(space.path("much"), vec![b'x'; MUCH_BYTES]).unwrap();
    let before = space.status()["memoryBytes"].as_u64().unwrap();
    kubectl(&space, "cp much p:/shared/there").finish().expect(0);
    kubectl(&space, "cp p:/shared/there back").finish().expect(0);
    // Nobody reads what this one says, so it stops, and others go on.
    let stuck = script(&space, "echo begins >&2; head -c 100000000 /dev/zero");
    assert_eq!(script(&space, "echo others go on").finish().expect(0).out, "others go on\n");
    let after = space.status()["memoryBytes"].as_u64().unwrap();
    assert!(after < before + GROWTH_BYTES_MAX, "{before} bytes before, {after} after");
    for copy in ["there", "back"] {
        let copied = fs::read(space.path(copy)).unwrap();
        assert!(copied.len() == MUCH_BYTES && copied.iter().all(|byte| *byte == b'x'), "{copy}");
    }
    stuck.signal(Signal::KILL);
    stuck.finish();
    clear(&space, up);
}
