//! `coracle up` as a child process that the test may kill.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub(crate) struct Server {
    child: Child,
    data_dir: PathBuf,
}

impl Server {
    /// Starts it and waits for its ready line.
    pub(crate) fn start(data_dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("ready https:"), "{line:?}");
        Self { child, data_dir: data_dir.to_owned() }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.data_dir.join("server.sock")
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `coracle down`, and waits until it is gone.
    pub(crate) fn down(&mut self) {
        let down = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["down", "--data-dir"])
            .arg(&self.data_dir)
            .status()
            .unwrap();
        assert!(down.success());
        assert!(self.child.wait().unwrap().success());
    }
}

/// After a failed assertion nothing may stay behind.
impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It may be gone already.
            let _ = self.child.kill();
            let _ = self.child.wait();
            crate::machine::end_everything(&self.data_dir);
        }
    }
}
