//! Who makes the child of a start, and how it is heard of.

use super::Spawner;
use crate::child;
use crate::container::Starting;
use crate::plan::refused;
use crate::protocol::{Failure, Stage};
use crate::step::Steps;
use crate::sys::files;
use crate::sys::process::{self, Child};
use crate::sys::starters::Starter;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Who makes a child.
pub(super) enum Maker {
    /// A thread of its own; the child shares memory.
    Starter(Starter),
    /// The spawner; the child gets a copy and reports through a pipe.
    Spawner { heard: OwnedFd, told: OwnedFd },
}

impl Maker {
    /// The end of the pipe that the child reports to.
    pub(super) fn report(&self) -> Option<&OwnedFd> {
        match self {
            Maker::Starter(_) => None,
            Maker::Spawner { told, .. } => Some(told),
        }
    }

    /// Have it made. Where that takes until later, what is `needed` is kept as long, unless there is a
    /// `wait` until there is a child.
    pub(super) fn make(
        self,
        number: u32,
        flags: libc::c_int,
        group: Option<BorrowedFd>,
        steps: &Rc<Steps>,
        needed: Vec<OwnedFd>,
        wait: bool,
    ) -> io::Result<(Starting, Option<Child>)> {
        match self {
            Maker::Starter(starter) => {
                starter.order(number, flags, group, steps);
                let child = if wait { starter.child().transpose()? } else { None };
                Ok((Starting::Sharing { starter, needed }, child))
            }
            Maker::Spawner { heard, told } => {
                let work = || child::run_and_report(steps, told.as_raw_fd());
                let child = process::clone_child(flags, group, work)?;
                Ok((Starting::Copying { report: heard }, Some(child)))
            }
        }
    }
}

/// Why there is no child.
pub(super) fn no_child(error: &io::Error, now: i64) -> Failure {
    refused(Stage::Clone, error, "new process", now)
}

impl Spawner {
    /// Whoever makes the next child.
    pub(super) fn maker(&mut self) -> io::Result<Maker> {
        if self.starters.wait_if_crowded() {
            self.on_bell();
        }
        match self.starters.idle() {
            Some(starter) => Ok(Maker::Starter(starter)),
            None => files::pipe().map(|(heard, told)| Maker::Spawner { heard, told }),
        }
    }
}
