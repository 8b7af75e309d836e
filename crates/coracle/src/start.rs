//! How a server comes to be: in the foreground, detached, or privately behind a client that found
//! none. Starts in one directory take turns, so that clients that start together end up with one
//! server and nobody waits by asking again and again.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::net::UnixStream,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{data_dir::Home, exit::Failure, files};

/// How long a server may take until it answers, in milliseconds: it reads the whole store first.
const READY_WAIT_MS: u64 = 30_000;

/// How much of the server's log is shown when it could not start, in bytes.
const LOG_TAIL_BYTES_MAX: u64 = 4096;

/// What every server prints before the place where it answers.
const READY: &str = "ready ";

/// Makes sure that a server answers on the directory's socket: the one that holds the directory, or
/// a private one started here. Blocks; safe to call from many processes at once.
pub(crate) fn ensure(home: &Home) -> Result<(), Failure> {
    if answers(home) {
        return Ok(());
    }
    let _turn = home.start_turn()?;
    if answers(home) {
        return Ok(());
    }
    detached(home, &["serve-private"]).map(drop)
}

/// Whether a server answers. That it can be connected to says little: the socket of one that was
/// just killed takes connections until the kernel has closed it.
pub(crate) fn answers(home: &Home) -> bool {
    let ask = || -> io::Result<usize> {
        let mut stream = UnixStream::connect(home.socket())?;
        let wait = Some(Duration::from_millis(READY_WAIT_MS));
        stream.set_read_timeout(wait)?;
        stream.set_write_timeout(wait)?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0; 1])
    };
    matches!(ask(), Ok(1))
}

/// Starts this same program as a server that outlives this process, and returns its ready line.
/// `arguments` is the verb with its flags; the data directory is added.
pub(crate) fn detached<A: AsRef<OsStr>>(home: &Home, arguments: &[A]) -> Result<String, Failure> {
    let path = home.server_log();
    let mut options = OpenOptions::new();
    let mut log = files::open_private(&path, options.create(true).append(true).read(true))
        .map_err(|error| could_not(&format!("{}: {error}", path.display())))?;
    let log_start = log.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut child = spawn(home, arguments, &log).map_err(|error| could_not(&error.to_string()))?;
    let stdout = child.stdout.take().expect("the child's standard output is a pipe");
    match first_line(stdout) {
        Some(line) if line.starts_with(READY) => Ok(line.trim_end().to_owned()),
        Some(_) => {
            let status = child.wait().map_or_else(|error| error.to_string(), |s| s.to_string());
            let said = tail(&mut log, log_start);
            Err(could_not(&if said.is_empty() { status } else { said }))
        }
        None => Err(could_not(&format!(
            "it does not answer after {} s; see {}",
            READY_WAIT_MS / 1000,
            path.display()
        ))),
    }
}

fn could_not(why: &str) -> Failure {
    Failure::engine(format!("the server could not start: {why}"))
}

fn spawn<A: AsRef<OsStr>>(home: &Home, arguments: &[A], log: &File) -> io::Result<Child> {
    let program = std::env::current_exe()?;
    Command::new(program)
        .args(arguments)
        .arg("--data-dir")
        .arg(home.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.try_clone()?)
        .spawn()
}

/// The first line the child prints; empty if it ends without one, `None` if it takes too long.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        // An unreadable pipe and an ended child are the same to the one who waits: no line.
        let _ = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(line);
    });
    receiver.recv_timeout(Duration::from_millis(READY_WAIT_MS)).ok()
}

fn tail(log: &mut File, start: u64) -> String {
    let end = log.seek(SeekFrom::End(0)).unwrap_or(start);
    let from = start.max(end.saturating_sub(LOG_TAIL_BYTES_MAX));
    let mut bytes = Vec::new();
    let read = log.seek(SeekFrom::Start(from)).and_then(|_| log.read_to_end(&mut bytes));
    let text =
        if read.is_ok() { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() };
    let text = text.trim();
    text.strip_prefix("error: ").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::cli;

    /// A client whose server was killed took the dying one for a live one, forty times in a few
    /// milliseconds, and gave up: its run hung, or lost the rest of a log.
    #[test]
    fn a_server_that_takes_connections_and_hangs_up_does_not_answer() {
        let directory = tempfile::tempdir().unwrap();
        let given = cli::DataDir { given: Some(directory.path().to_owned()) };
        let home = Home::open(&given).unwrap();
        assert!(!answers(&home), "there is none");
        let dying = UnixListener::bind(home.socket()).unwrap();
        let last = thread::spawn(move || dying.accept().map(drop).is_ok());
        assert!(!answers(&home));
        assert!(last.join().unwrap());
        assert!(!answers(&home), "what is left of a socket");
    }
}
