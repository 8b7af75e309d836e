//! Exit codes, all of them: what they are called, and how an error that ends a command carries one.
//! Which code a run ends with is decided in `run::outcome`; nothing else chooses numbers.

use std::process::ExitCode;

/// The exit code of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(u8);

impl Code {
    /// Every Job Complete; whatever was asked for was done.
    pub(crate) const OK: Self = Self(0);
    /// A Job failed; a verb over objects could not do what was asked.
    pub(crate) const FAILED: Self = Self(1);
    /// Wrong usage or an invalid manifest: nothing was started.
    pub(crate) const USAGE: Self = Self(2);
    /// `activeDeadlineSeconds` or `--timeout`.
    pub(crate) const TIMEOUT: Self = Self(124);
    /// The engine failed, or the machine cannot run it, or nothing could start in time.
    pub(crate) const ENGINE: Self = Self(125);
    /// The container's command is not executable.
    pub(crate) const NOT_EXECUTABLE: Self = Self(126);
    /// The container's command was not found.
    pub(crate) const NOT_FOUND: Self = Self(127);

    /// The code of a container that exited by itself.
    pub(crate) const fn container(code: u8) -> Self {
        Self(code)
    }

    /// Ended by a signal: 130 for SIGINT (2), 143 for SIGTERM (15), 137 for SIGKILL (9).
    pub(crate) const fn signal(number: u8) -> Self {
        Self(128 + (number & 0x7f))
    }

    /// The number itself.
    #[cfg(test)]
    pub(crate) const fn number(self) -> u8 {
        self.0
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.0)
    }
}

/// Why a command ends before it did what was asked: the code and what to tell the user. The message
/// may have several lines; each is one error that can be mended on its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What the process exits with.
    pub(crate) code: Code,
    /// What the user reads after `error: `.
    pub(crate) message: String,
}

impl Failure {
    /// The user has to change the command or the file; nothing was started.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: Code::USAGE, message: message.into() }
    }

    /// It was tried, or could not be understood, by a verb that ends as kubectl does.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { code: Code::FAILED, message: message.into() }
    }

    /// The engine or the machine is at fault.
    pub(crate) fn engine(message: impl Into<String>) -> Self {
        Self { code: Code::ENGINE, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_count_from_128_as_in_every_shell() {
        assert_eq!([2, 9, 15].map(|n| Code::signal(n).number()), [130, 137, 143]);
    }
}
