//! Which exit code a run ends with. One pure function over what became of each Job and Pod; the
//! table in its test is the contract.

use crate::exit::Code;

/// How a container ended, as its pod's status tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The exit code; 128+n after signal n; 128 for a container that could not be started.
    pub(crate) code: i32,
    /// The signal that killed it, where the status names one.
    pub(crate) signal: Option<i32>,
    /// `Error`, `OOMKilled`, `StartError`, …
    pub(crate) reason: String,
    /// The reason in a sentence; may be empty.
    pub(crate) message: String,
}

/// Why the command of a container did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unstartable {
    NotFound,
    NotExecutable,
    Other,
}

/// How a Job or Pod of the run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Condition Complete, or phase Succeeded.
    Complete,
    /// Condition Failed, or phase Failed.
    Failed {
        /// The condition's or the pod's reason.
        reason: String,
        /// The condition's or the pod's message.
        message: String,
    },
    /// It could not start in time and was given up.
    NotStarted {
        /// One word.
        reason: String,
        /// What stood in the way.
        message: String,
    },
    /// Somebody deleted it before it finished.
    Deleted,
    /// This client was cancelled and left it to others who run it too.
    Left,
}

/// What the exit code depends on, per Job or Pod of the run.
#[derive(Clone, Debug)]
pub(crate) struct Result<'a> {
    /// Completions 1 or unset, parallelism 1; or a Pod.
    pub(crate) single_pod: bool,
    /// How it ended; `None` while it has not.
    pub(crate) end: Option<&'a End>,
    /// How its last failed attempt ended.
    pub(crate) last_failure: Option<&'a Exit>,
}

/// Why a run ends before its Jobs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// `--timeout` passed.
    Timeout,
    /// SIGINT (2) or SIGTERM (15) came.
    Signal(u8),
}

/// The exit code of a run.
pub(crate) fn code(results: &[Result<'_>], interruption: Option<Interruption>) -> Code {
    match interruption {
        Some(Interruption::Signal(number)) => return Code::signal(number),
        Some(Interruption::Timeout) => return Code::TIMEOUT,
        None => {}
    }
    let alone = results.len() == 1;
    let mut failed: Vec<Code> =
        results.iter().map(|result| single(result, alone)).filter(|c| *c != Code::OK).collect();
    failed.sort();
    failed.dedup();
    match failed.as_slice() {
        [] => Code::OK,
        [one] => *one,
        several if several.contains(&Code::ENGINE) => Code::ENGINE,
        _ => Code::FAILED,
    }
}

/// The code one Job or Pod asks for; `alone` is whether it is the only one of its run.
fn single(result: &Result<'_>, alone: bool) -> Code {
    match result.end {
        Some(End::Complete) => Code::OK,
        Some(End::NotStarted { .. }) | None => Code::ENGINE,
        Some(End::Deleted | End::Left) => Code::FAILED,
        Some(End::Failed { reason, .. }) if reason == "DeadlineExceeded" => Code::TIMEOUT,
        Some(End::Failed { .. }) => match result.last_failure {
            Some(exit) => container(exit, alone && result.single_pod),
            None => Code::FAILED,
        },
    }
}

fn container(exit: &Exit, own_code: bool) -> Code {
    match exit.unstartable() {
        Some(Unstartable::NotFound) => return Code::NOT_FOUND,
        Some(Unstartable::NotExecutable) => return Code::NOT_EXECUTABLE,
        Some(Unstartable::Other) => return Code::ENGINE,
        None => {}
    }
    match u8::try_from(exit.code) {
        Ok(code) if own_code && code != 0 => Code::container(code),
        _ => Code::FAILED,
    }
}

impl Exit {
    /// `None` if the command did start. The words are those of the runtime, which a pod's status
    /// passes on.
    fn unstartable(&self) -> Option<Unstartable> {
        if self.reason != "StartError" {
            return None;
        }
        // The same words after another step, a mount for one, speak of the machine.
        let of_exec = self.message.starts_with("exec: ");
        let says = |words: &[&str]| of_exec && words.iter().any(|word| self.message.contains(word));
        Some(if says(&["permission denied", "exec format error", "is a directory"]) {
            Unstartable::NotExecutable
        } else if says(&["executable file not found", "no such file or directory"]) {
            Unstartable::NotFound
        } else {
            Unstartable::Other
        })
    }

    /// Whether it could not be started for a reason that lies in the machine, not in the command.
    pub(crate) fn machine_refused(&self) -> bool {
        self.unstartable() == Some(Unstartable::Other)
    }

    /// The signal that killed the container, as the status names it or the code implies it.
    pub(crate) fn killed_by(&self) -> Option<i32> {
        let implied = self.code > 128 && self.code <= 128 + 64;
        self.signal.or_else(|| (implied && self.reason != "StartError").then(|| self.code - 128))
    }

    /// The exit in a few words: `exit 3`, `killed by signal 9`, `killed by the memory limit of 32Mi`.
    /// `memory_limit` is the container's limit as its manifest writes it.
    pub(crate) fn describe(&self, memory_limit: Option<&str>) -> String {
        match (self.reason.as_str(), self.unstartable(), self.killed_by()) {
            ("OOMKilled", ..) => {
                let limit = memory_limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
                format!("exit {}, killed by the memory limit{limit}", self.code)
            }
            (_, Some(Unstartable::NotFound), _) => format!("command not found: {}", self.message),
            (_, Some(Unstartable::NotExecutable), _) => {
                format!("command not executable: {}", self.message)
            }
            (_, Some(Unstartable::Other), _) => format!("could not start: {}", self.message),
            ("ContainerStatusUnknown", ..) => format!("exit {}, how it ended is lost", self.code),
            (_, None, Some(signal)) => format!("exit {}, killed by signal {signal}", self.code),
            _ => format!("exit {}", self.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str) -> End {
        End::Failed { reason: reason.into(), message: String::new() }
    }

    fn exit(code: i32, reason: &str, message: &str) -> Exit {
        Exit { code, signal: None, reason: reason.into(), message: message.into() }
    }

    /// One Job or Pod: single pod?, end, last failure.
    type Row = (bool, Option<End>, Option<Exit>);

    fn check(rows: &[Row], interruption: Option<Interruption>, wanted: u8) {
        let results: Vec<Result<'_>> = rows
            .iter()
            .map(|(single_pod, end, last)| Result {
                single_pod: *single_pod,
                end: end.as_ref(),
                last_failure: last.as_ref(),
            })
            .collect();
        assert_eq!(code(&results, interruption).number(), wanted, "{rows:?} {interruption:?}");
    }

    #[test]
    fn each_row_of_the_table_of_exit_codes() {
        let limit = || Some(failed("BackoffLimitExceeded"));
        let complete = || (false, Some(End::Complete), None);
        let not_started =
            || Some(End::NotStarted { reason: "Unschedulable".into(), message: String::new() });
        let not_found =
            || Some(exit(128, "StartError", "exec: \"nope\": executable file not found in $PATH"));
        let not_executable =
            || Some(exit(128, "StartError", "exec: \"/etc/passwd\": permission denied"));
        // 0: every Job Complete, also after failures on the way
        check(&[complete(), (true, Some(End::Complete), Some(exit(1, "Error", "")))], None, 0);
        // the container's own code
        check(&[(true, limit(), Some(exit(3, "Error", "")))], None, 3);
        check(&[(true, limit(), Some(exit(137, "OOMKilled", "")))], None, 137);
        check(&[(true, limit(), Some(exit(139, "Error", "")))], None, 139);
        // 1: any other failed Job
        check(&[(false, limit(), Some(exit(3, "Error", "")))], None, 1);
        check(&[complete(), (true, limit(), Some(exit(3, "Error", "")))], None, 1);
        check(&[(true, limit(), None)], None, 1);
        check(&[(true, Some(End::Deleted), None)], None, 1);
        // 124
        check(&[(true, Some(failed("DeadlineExceeded")), Some(exit(143, "Error", "")))], None, 124);
        check(&[(true, None, None)], Some(Interruption::Timeout), 124);
        check(&[(true, Some(failed("DeadlineExceeded")), None), (true, limit(), None)], None, 1);
        // 125: could not start; the engine went away before the end; the worse of several
        check(&[(true, not_started(), None)], None, 125);
        check(&[complete(), (false, None, None)], None, 125);
        check(&[(false, limit(), None), (false, not_started(), None)], None, 125);
        check(&[(true, limit(), Some(exit(128, "StartError", "mount /x: no space")))], None, 125);
        // 126 and 127, from upstream's 128
        check(&[(true, limit(), not_executable())], None, 126);
        check(&[(true, limit(), not_found())], None, 127);
        check(&[(false, limit(), not_found())], None, 127);
        check(&[(true, limit(), not_found()), (true, limit(), not_executable())], None, 1);
        // 130 and 143, whatever else happened
        check(&[(true, limit(), Some(exit(3, "Error", "")))], Some(Interruption::Signal(2)), 130);
        check(&[complete()], Some(Interruption::Signal(15)), 143);
    }

    #[test]
    fn an_exit_is_told_in_few_words_and_names_the_memory_limit() {
        let cases = [
            (exit(42, "Error", ""), "exit 42"),
            (exit(143, "Error", ""), "exit 143, killed by signal 15"),
            (exit(137, "OOMKilled", ""), "exit 137, killed by the memory limit of 32Mi"),
            (exit(137, "ContainerStatusUnknown", ""), "exit 137, how it ended is lost"),
            (exit(128, "StartError", "mount /x"), "could not start: mount /x"),
        ];
        for (exit, wanted) in cases {
            assert_eq!(exit.describe(Some("32Mi")), wanted);
        }
    }
}
