//! What happens in a run, one value per happening: what `-o json` prints, one object per line, and
//! what the plain display makes its lines of.

use jiff::Timestamp;
use serde::Serialize;

/// The kind of happening. The names are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Happening {
    /// The server has the Job or Pod, durably.
    Submitted,
    /// A pod was given its place.
    Scheduled,
    /// An image that a pod needs is being pulled; once for each image of a Job.
    Pulling,
    /// A pod's first attempt runs.
    Started,
    /// A later attempt runs, in the same pod or in a new one for the same work.
    Retried,
    /// A pod succeeded.
    Succeeded,
    /// An attempt failed.
    Failed,
    /// A line of output.
    Log,
    /// A Job, or a Pod that was submitted as such, is over.
    Finished,
}

/// One happening, with what applies to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// What happened.
    pub(crate) event: Happening,
    /// When this client learned of it.
    pub(crate) time: Timestamp,
    /// Where.
    pub(crate) namespace: String,
    /// The Job's name; absent for a Pod that was submitted as such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    /// The pod's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pod: Option<String>,
    /// The completion index of an Indexed Job's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
    /// Which attempt at the same work this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u32>,
    /// The container's exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    /// The signal that killed the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<i32>,
    /// One word: the container's, the pod's or the Job's reason; `Complete` for a Job's success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The reason in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The line of output, without its line end. Bytes that are not UTF-8 are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<String>,
}

impl Event {
    /// A happening with nothing but its place and time.
    pub(crate) fn new(event: Happening, time: Timestamp, namespace: &str) -> Self {
        Self {
            event,
            time,
            namespace: namespace.to_owned(),
            job: None,
            pod: None,
            index: None,
            attempt: None,
            exit_code: None,
            signal: None,
            reason: None,
            message: None,
            line: None,
        }
    }

    /// The object as one line of JSON, line end included.
    pub(crate) fn to_json_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("an event is plain data");
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_only_what_applies() {
        let mut event = Event::new(Happening::Failed, Timestamp::UNIX_EPOCH, "default");
        event.job = Some("etl".into());
        event.exit_code = Some(42);
        event.line = Some("a\nb".into());
        let text = String::from_utf8(event.to_json_line()).unwrap();
        assert_eq!(
            text,
            "{\"event\":\"failed\",\"time\":\"1970-01-01T00:00:00Z\",\"namespace\":\"default\",\
             \"job\":\"etl\",\"exitCode\":42,\"line\":\"a\\nb\"}\n"
        );
    }
}
