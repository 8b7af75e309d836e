//! How an attempt ended, in the words of the API: exit codes, reasons, and the last words of a
//! container within their limits.

use jiff::Timestamp;
use kinds::{metav1::Time, types::core::v1::ContainerStateTerminated};
use spawner::protocol::{ContainerId, End, Failure, Stage};

use super::container::Ended;

/// What all containers of a pod may say together, bytes.
const MESSAGES_BYTES_MAX: usize = 12 * 1024;
/// The exit code of a container that could not be started.
const START_ERROR_CODE: i32 = 128;
/// The exit code of a container whose end nobody saw: that of a kill.
const LOST_CODE: i32 = 137;

/// `containerID` of an attempt. The attempt comes last, so that it can be read back.
pub(crate) fn container_id(id: &ContainerId) -> String {
    format!("coracle://{}_{}_{}", id.pod, id.container, id.attempt)
}

/// An attempt that ran to its end.
pub(crate) fn of_end(id: &ContainerId, end: &End) -> Ended {
    let code = match (end.code, end.signal) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        // Neither is an end that nobody saw.
        (None, None) => return lost(id, timestamp(end.started_ns), timestamp(end.finished_ns)),
    };
    let reason = match code {
        _ if end.oom_killed && code != 0 => "OOMKilled",
        0 => "Completed",
        _ => "Error",
    };
    ended(Some(id), code, reason, None, timestamp(end.started_ns), timestamp(end.finished_ns))
}

/// An attempt whose program could not be started.
pub(crate) fn of_failure(id: &ContainerId, argv0: &str, failure: &Failure) -> Ended {
    let message = start_error(argv0, failure);
    let at = timestamp(failure.at_ns);
    ended(Some(id), START_ERROR_CODE, "StartError", Some(message), Timestamp::UNIX_EPOCH, at)
}

/// An attempt that may have run, and whose end was not seen: never a success.
pub(crate) fn lost(id: &ContainerId, started: Timestamp, at: Timestamp) -> Ended {
    let message = "The container could not be located when the pod was terminated".to_owned();
    let code = if cfg!(feature = "planted-lost-success") { 0 } else { LOST_CODE };
    ended(Some(id), code, "ContainerStatusUnknown", Some(message), started, at)
}

/// A container that had no attempt when its pod ended.
pub(crate) fn never_located(at: Timestamp) -> Ended {
    let message = "The container could not be located when the pod was terminated".to_owned();
    let unseen = Timestamp::UNIX_EPOCH;
    let mut ended = ended(None, LOST_CODE, "ContainerStatusUnknown", Some(message), unseen, at);
    ended.status.started_at = None;
    ended.status.finished_at = None;
    ended
}

/// Why a program could not be started. The two everyday causes are told apart by their text:
/// `executable file not found in $PATH` and `permission denied`.
fn start_error(argv0: &str, failure: &Failure) -> String {
    const ENOENT: i32 = 2;
    const EACCES: i32 = 13;
    const ENOEXEC: i32 = 8;
    match (failure.stage, failure.errno) {
        (Stage::Exec, ENOENT) if !argv0.contains('/') => {
            format!("exec: \"{argv0}\": executable file not found in $PATH")
        }
        (Stage::Exec, ENOENT) => format!("exec: \"{argv0}\": no such file or directory"),
        (Stage::Exec, EACCES) => format!("exec: \"{argv0}\": permission denied"),
        (Stage::Exec, ENOEXEC) => format!("exec: \"{argv0}\": exec format error"),
        (stage, 0) => format!("{}: {}", stage_name(stage), failure.message),
        (stage, errno) => {
            format!("{}: {}: {}", stage_name(stage), failure.message, errno_text(errno))
        }
    }
}

/// `no such file or directory`
fn errno_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Cgroup => "control group",
        Stage::Clone => "new process",
        Stage::Mount => "mount",
        Stage::Within => "volume",
        Stage::Privileges => "privileges",
        Stage::WorkingDirectory => "working directory",
        Stage::Dial => "dial",
        Stage::Exec => "exec",
    }
}

fn ended(
    id: Option<&ContainerId>,
    exit_code: i32,
    reason: &str,
    message: Option<String>,
    started: Timestamp,
    finished: Timestamp,
) -> Ended {
    let status = ContainerStateTerminated {
        container_id: id.map(container_id),
        exit_code,
        finished_at: Some(whole_seconds(finished)),
        message,
        reason: Some(reason.to_owned()),
        signal: None,
        started_at: Some(whole_seconds(started)),
    };
    Ended { status, started, finished }
}

/// Adds a container's last words to what is already said of its end, within the share of the
/// pod's limit that each of `containers` has.
pub(crate) fn add_message(ended: &mut Ended, words: &str, containers: usize) {
    let message = match (&ended.status.message, words) {
        (None, "") => return,
        (None, words) => words.to_owned(),
        (Some(own), "") => own.clone(),
        (Some(own), words) => format!("{own}: {words}"),
    };
    let mut end = message.len().min(MESSAGES_BYTES_MAX / containers.max(1));
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    ended.status.message = Some(message[..end].to_owned());
}

/// Nanoseconds since the epoch, as the spawner counts.
pub(crate) fn timestamp(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(ns.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn whole_seconds(time: Timestamp) -> Time {
    kinds::api_time(time)
}
