//! Starting a spawner and setting it apart from whoever did.

use crate::child;
use crate::spawner::{Place, Spawner};
use crate::sys::{files, process};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

/// The socket's name in the data directory.
pub const SOCKET_NAME: &str = "spawner.sock";

/// The lock file's name in the data directory; it holds the spawner's process id.
pub const LOCK_NAME: &str = "spawner.lock";

/// The name of the file in the data directory that gets the spawner's own messages.
pub const MESSAGES_NAME: &str = "spawner.log";

/// How long a child may take to reach its program; a mount that hangs longer ends the start.
pub const START_DEADLINE_MS: i64 = 60_000;

/// Start the spawner of a data directory as a process of its own: `exe spawner DATA_DIR`. When this
/// returns, it (or one that was there before) accepts connections.
///
/// # Errors
/// The program could not be run, or what it said when it gave up.
pub fn launch(exe: &Path, data_dir: &Path) -> io::Result<()> {
    let mut command = Command::new(exe);
    command.arg("spawner").arg(data_dir).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("the spawner did not start: {}", said.trim())))
}

/// The whole of `coracle spawner DATA_DIR`: listen, split off, and serve until told to stop. The
/// process that was started returns 0 as soon as connections are accepted, also if another spawner
/// does that already; 1 with a message on stderr if that cannot be. Call it first thing in a
/// program that has no threads.
pub fn main(data_dir: &Path) -> i32 {
    main_with(data_dir, START_DEADLINE_MS)
}

/// The same with another limit on how long a child may take to reach its program, in milliseconds:
/// for tests.
pub fn main_with(data_dir: &Path, start_deadline_ms: i64) -> i32 {
    match begin(data_dir, start_deadline_ms) {
        Ok(Begun::Elsewhere) => 0,
        Ok(Begun::Here(code)) => process::exit_now(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {error}", data_dir.display());
            1
        }
    }
}

enum Begun {
    /// Another process serves.
    Elsewhere,
    /// This process served and is done.
    Here(i32),
}

fn begin(data_dir: &Path, start_deadline_ms: i64) -> io::Result<Begun> {
    // Nothing that the starter had open is any business of containers.
    files::close_range(3, u32::MAX)?;
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let data_dir = data_dir.canonicalize()?;
    let mut options = OpenOptions::new();
    // A symbolic link would lead the writing elsewhere.
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let mut lock = options.open(data_dir.join(LOCK_NAME))?;
    match files::lock(lock.as_fd(), false) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            if connect(&data_dir).is_ok() {
                return Ok(Begun::Elsewhere);
            }
            // That one is about to leave, or to listen: it holds the lock for a moment only.
            files::lock(lock.as_fd(), true)?;
        }
        result => result?,
    }
    let listener = listen(&data_dir)?;
    let messages = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(data_dir.join(MESSAGES_NAME))?;
    if !process::fork()? {
        return Ok(Begun::Elsewhere);
    }
    process::new_session()?;
    std::env::set_current_dir("/")?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for (file, number) in [(&null, 0), (&null, 1), (&messages, 2)] {
        files::duplicate(file.as_raw_fd(), number)?;
    }
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    Ok(Begun::Here(serve(&data_dir, start_deadline_ms, listener, &lock)))
}

/// Connect to the spawner of a data directory. The address of a unix socket holds 107 bytes, so the
/// directory is named by descriptor, here and in [`listen`].
pub(crate) fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    let directory = File::open(data_dir)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET_NAME}", directory.as_raw_fd()))
}

fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = data_dir.join(SOCKET_NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => result?,
    }
    let directory = File::open(data_dir)?;
    process::umask(0o177);
    let name = format!("/proc/self/fd/{}/{SOCKET_NAME}", directory.as_raw_fd());
    let listener = UnixListener::bind(name);
    process::umask(0o022);
    listener
}

/// Serve until told to stop, holding the lock.
fn serve(data_dir: &Path, start_deadline_ms: i64, listener: UnixListener, _lock: &File) -> i32 {
    process::default_signals();
    let (usual, spawner) = (std::panic::take_hook(), std::process::id());
    // A child has no heap of its own, so one that panicked, which `child` is made never to, must end
    // without another word. It never has the spawner's number: in a namespace of its own it is 1, which
    // a process made by `fork` is not.
    std::panic::set_hook(Box::new(move |panic| match std::process::id() == spawner {
        true => usual(panic),
        false => process::exit_now(child::NOT_RUN),
    }));
    let result = process::block_signals(true)
        .and_then(|()| Place::take(data_dir))
        .and_then(|place| Spawner::new(place, listener, start_deadline_ms))
        .and_then(Spawner::run);
    let _ = fs::remove_file(data_dir.join(SOCKET_NAME));
    match result {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the spawner ends: {error}");
            1
        }
    }
}
