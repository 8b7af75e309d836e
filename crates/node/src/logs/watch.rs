//! Waits for a log to grow, by inotify on its directory, or on the nearest one above that exists.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

/// Room for events of one read, bytes; what they say is not needed, only that they came.
const EVENTS_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Watch {
    inotify: AsyncFd<OwnedFd>,
    /// The directories from the log's own to the top.
    chain: Vec<PathBuf>,
    /// Which of them is watched, and by what number.
    watched: Option<(usize, i32)>,
}

impl Watch {
    /// Watches for the log at `path` from now on.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let chain = path.ancestors().skip(1).map(Path::to_owned).collect();
        let mut watch = Self { inotify: register(inotify)?, chain, watched: None };
        watch.follow()?;
        Ok(watch)
    }

    /// Watches the nearest directory that exists, and not one above it that existed a moment ago.
    fn follow(&mut self) -> io::Result<()> {
        while let Some(nearest) = self.chain.iter().position(|directory| directory.is_dir()) {
            if self.watched.is_some_and(|(watched, _)| watched == nearest) {
                break;
            }
            let flags = WatchFlags::CREATE
                | WatchFlags::MOVED_TO
                | WatchFlags::MODIFY
                | WatchFlags::ONLYDIR;
            match inotify::add_watch(self.inotify.get_ref(), &self.chain[nearest], flags) {
                Ok(number) => {
                    if let Some((_, before)) = self.watched.replace((nearest, number)) {
                        // It may be gone with its directory.
                        let _ = inotify::remove_watch(self.inotify.get_ref(), before);
                    }
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for the next event.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.inotify.readable().await?;
            let drained = ready.try_io(|inotify| {
                let mut space = [MaybeUninit::uninit(); EVENTS_BYTES];
                let mut events = inotify::Reader::new(inotify.get_ref(), &mut space);
                events.next()?;
                while !events.is_buffer_empty() {
                    events.next()?;
                }
                Ok(())
            });
            if let Ok(result) = drained {
                result?;
                break;
            }
        }
        // Directories may have come or gone. What appeared in one before it was watched is found by
        // the read that follows every change.
        self.follow()
    }
}

#[expect(deprecated, reason = "what the deprecation warns of cannot be done with an OwnedFd")]
fn register(inotify: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(inotify, Interest::READABLE)
}
