//! Clients that others wrote, against a server that is killed while they work: they create, watch,
//! patch and delete, and nothing may be missed. What they do stands in the folder `clients`;
//! `cargo xtask ci` installs and builds what they need.
//!
//! A client is called with a kubeconfig and a seed. It says `watching` for each of its watches that
//! delivers after it broke; standard input is closed when it shall finish and look whether all is
//! well. It ends with 0 if so.

use std::{
    io::{BufRead, BufReader},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use crate::{is_root, machine, number, server::Server};

/// How long a client may say nothing, in seconds.
const PATIENCE_S: u64 = 90;

/// How long a round of a client lasts at least and at most before the kill, in milliseconds.
const ROUND_MS: Range<u64> = 20..400;

/// How long there is no server, in milliseconds.
const AWAY_MS: Range<u64> = 0..150;

/// Both clients have a watch for ConfigMaps and one for Jobs.
const WATCHES: usize = 2;

#[test]
fn the_python_client_misses_nothing() {
    let python = target().join("python-kubernetes/37.0.2/bin/python3");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torment/clients/objects.py");
    torment(&python, &[script]);
}

#[test]
fn a_controller_and_watchers_of_kube_rs_miss_nothing() {
    // As coracle's own, `target/TRIPLE/PROFILE`; what `cargo xtask ci` builds has profile `debug`.
    let triple = Path::new(env!("CARGO_BIN_EXE_coracle")).ancestors().nth(2).unwrap();
    let built = target().join("clients").join(triple.file_name().unwrap());
    torment(&built.join("debug/kube-client"), &[]);
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Kills the server under a client, once in each round, when all its watches deliver.
fn torment(program: &Path, arguments: &[&str]) {
    if !is_root() {
        return;
    }
    assert!(program.exists(), "{} is missing: `cargo xtask ci` makes it", program.display());
    let rounds = number("CORACLE_TORMENT_ROUNDS", 4);
    let seed = number("CORACLE_TORMENT_SEED", fastrand::u64(..));
    println!("seed {seed}, {rounds} rounds");
    let mut random = fastrand::Rng::with_seed(seed);
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let mut command = Command::new(program);
    command.args(arguments).arg(data.path().join("kubeconfig")).arg(seed.to_string());
    let client = Client::start(&mut command);
    for _ in 0..rounds {
        client.wait_until_watching();
        machine::pause(Duration::from_millis(random.u64(ROUND_MS)));
        server.kill();
        machine::pause(Duration::from_millis(random.u64(AWAY_MS)));
        server.restart();
    }
    client.wait_until_watching();
    client.finish();
    server.down();
    machine::wait_for_spawner_to_leave(data.path());
}

struct Client {
    process: Child,
    lines: Receiver<String>,
}

impl Client {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        // The thread ends with the client.
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, lines }
    }

    /// The next line; `None` when there will be no more.
    fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(Duration::from_secs(PATIENCE_S)) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the client hangs"),
        }
    }

    fn wait_until_watching(&self) {
        for _ in 0..WATCHES {
            let line = self.line();
            assert_eq!(line.as_deref(), Some("watching"), "the client failed");
        }
    }

    fn finish(mut self) {
        drop(self.process.stdin.take());
        while let Some(line) = self.line() {
            println!("{line}");
        }
        assert!(self.process.wait().unwrap().success(), "the client failed");
    }
}

/// After a failed assertion nothing may stay behind.
impl Drop for Client {
    fn drop(&mut self) {
        // It has ended if all is well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
