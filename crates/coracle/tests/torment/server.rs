//! `coracle up` as a child process that the test may kill.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub(crate) struct Server {
    child: Child,
    data_dir: PathBuf,
    /// `127.0.0.1:PORT`
    address: String,
}

impl Server {
    /// Starts it on a port that is free, and waits for its ready line.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::listen(data_dir, "127.0.0.1:0")
    }

    /// Starts it again after a kill, with the same data and at the same address.
    pub(crate) fn restart(&mut self) {
        *self = Self::listen(&self.data_dir, &self.address);
    }

    fn listen(data_dir: &Path, address: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["up", "--listen", address, "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("ready https://").and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, data_dir: data_dir.to_owned(), address }
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
