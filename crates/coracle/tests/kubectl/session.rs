//! A shell with one kubectl, in a directory of its own, in front of a server of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::mask;

const CORACLE: &str = env!("CARGO_BIN_EXE_coracle");

/// The longest that a command may take, in seconds.
const PATIENCE_S: u64 = 60;

pub(crate) struct Session {
    temp: TempDir,
    server: Child,
    /// First the directory with the kubectl.
    path: String,
}

impl Session {
    /// Starts the server.
    pub(crate) fn begin(version: &str) -> Self {
        let bin = format!("{}/../../target/kubectl/{version}/bin", env!("CARGO_MANIFEST_DIR"));
        assert!(
            Path::new(&bin).join("kubectl").exists(),
            "there is no kubectl in {bin}: `cargo xtask ci` installs it"
        );
        let temp = tempfile::tempdir().unwrap();
        for directory in ["home", "work"] {
            fs::create_dir(temp.path().join(directory)).unwrap();
        }
        let mut server = Command::new(CORACLE)
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(temp.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        let session = Self { temp, server, path };
        assert!(ready.starts_with("ready "), "{ready:?}");
        session
    }

    fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// Runs a command; gives what it prints, masked, and how it failed.
    pub(crate) fn run(&mut self, command: &str) -> String {
        let mut shell = Command::new("sh");
        // One channel for both keeps their order.
        shell.args(["-c", &format!("exec 2>&1\n{command}")]);
        shell.env_clear().env("PATH", &self.path).env("HOME", self.temp.path().join("home"));
        shell.env("KUBECONFIG", self.data().join("kubeconfig"));
        shell.current_dir(self.temp.path().join("work"));
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        let mut child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (done, waiting) = mpsc::channel::<()>();
        let group = Pid::from_child(&child);
        let watch = thread::spawn(move || {
            let late = waiting.recv_timeout(Duration::from_secs(PATIENCE_S)).is_err();
            // It may have ended by itself just now.
            late.then(|| kill_process_group(group, Signal::KILL))
        });
        let mut output = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
        let status = child.wait().unwrap();
        let _ = done.send(());
        let output = String::from_utf8(output).unwrap();
        assert!(watch.join().unwrap().is_none(), "{command:?} took too long; so far:\n{output}");
        let mut text = mask::mask(&output, &self.temp.path().display().to_string());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        match status.code() {
            Some(0) => {}
            code => text += &format!("[exit {}]\n", code.unwrap()),
        }
        text
    }

    /// Ends the server and what it runs.
    pub(crate) fn end(self) {}
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut down = Command::new(CORACLE);
        down.args(["down", "--stop-pods", "--data-dir"]).arg(self.data());
        let ended = down.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        if !ended {
            // What counts after a failed test is that it is gone.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        assert!(ended || thread::panicking(), "the server could not be stopped");
    }
}
