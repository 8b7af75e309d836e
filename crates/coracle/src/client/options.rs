//! What a verb may narrow: which objects, which part of a log. Each writes its query parameters.

use apiserver::query_pair;
use kinds::Uid;

/// Which objects of a kind: every field narrows, empty fields do not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection<'a> {
    /// The namespace; empty for all.
    pub(crate) namespace: &'a str,
    /// A label selector such as `app=x,tier!=db`.
    pub(crate) labels: &'a str,
    /// A field selector such as `status.phase=Running`.
    pub(crate) fields: &'a str,
}

impl Selection<'_> {
    /// Its query parameters.
    pub(crate) fn query(&self) -> Vec<String> {
        let given = |(_, value): &(&str, &str)| !value.is_empty();
        [("labelSelector", self.labels), ("fieldSelector", self.fields)]
            .into_iter()
            .filter(given)
            .map(|(name, value)| query_pair(name, value))
            .collect()
    }
}

/// Which part of a container's log: kubectl's own flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogOptions {
    /// The container; may be empty when the pod has only one.
    pub(crate) container: String,
    /// Go on until the container has ended.
    pub(crate) follow: bool,
    /// The attempt before the present one.
    pub(crate) previous: bool,
    /// This attempt, counted from 0, instead of the present one.
    pub(crate) attempt: Option<u32>,
    /// The pod's uid, with which the log of a pod that is gone is found; takes `attempt` and
    /// `container`.
    pub(crate) uid: Option<Uid>,
    /// Each line begins with its time.
    pub(crate) timestamps: bool,
    /// Only what is at most this old, seconds.
    pub(crate) since_seconds: Option<i64>,
    /// Only what was written since this time, RFC 3339.
    pub(crate) since_time: Option<String>,
    /// Only the last lines.
    pub(crate) tail_lines: Option<i64>,
    /// No more than this many bytes.
    pub(crate) limit_bytes: Option<i64>,
}

impl LogOptions {
    pub(super) fn query(&self) -> Vec<String> {
        let text = |name, value: &Option<String>| value.as_ref().map(|v| query_pair(name, v));
        let number = |name, value: Option<i64>| value.map(|v| format!("{name}={v}"));
        let flag = |name: &str, set: bool| set.then(|| format!("{name}=true"));
        let container = (!self.container.is_empty()).then(|| self.container.clone());
        [
            text("container", &container),
            flag("follow", self.follow),
            flag("previous", self.previous),
            number("attempt", self.attempt.map(i64::from)),
            self.uid.map(|uid| query_pair("uid", &uid.to_string())),
            flag("timestamps", self.timestamps),
            number("sinceSeconds", self.since_seconds),
            text("sinceTime", &self.since_time),
            number("tailLines", self.tail_lines),
            number("limitBytes", self.limit_bytes),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
