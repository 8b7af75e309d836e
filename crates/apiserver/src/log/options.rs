//! The query of a log request, with upstream's checks. `stream` works as where its feature gate,
//! alpha in 1.36, is on; `insecureSkipTLSVerifyBackend` means nothing, as no other machine is asked.

use jiff::{SignedDuration, Timestamp};
use kinds::{FieldError, FieldErrors, StatusError, Uid};
use node::logs::{LogOptions, Stream};

use crate::{
    Query,
    answer::{bad_request, invalid_options},
};

/// What a client asks of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Empty when the client names none.
    pub(super) container: String,
    pub(super) follow: bool,
    /// The attempt before the present one.
    pub(super) previous: bool,
    /// An attempt by its number, from 0: coracle's own parameter, for a client that reads every
    /// attempt once.
    pub(super) attempt: Option<u32>,
    /// The pod by its uid, with `attempt` and `container`: coracle's own parameter, for the log of a
    /// pod that is gone, which lasts as long as the history tells of it.
    pub(super) uid: Option<Uid>,
    pub(super) part: LogOptions,
}

impl Options {
    /// Reads the query of a request for the log of `pod`.
    ///
    /// # Errors
    /// 400 for what is no number or time, 422 for one that makes no sense.
    pub(super) fn read(query: &Query, pod: &str, now: Timestamp) -> Result<Self, StatusError> {
        let since_time = time(query.text("sinceTime"))?;
        let numbers = Numbers {
            tail_lines: query.integer("tailLines")?,
            limit_bytes: query.integer("limitBytes")?,
            since_seconds: query.integer("sinceSeconds")?,
            attempt: query.integer("attempt")?,
        };
        let mut errors = numbers.check(since_time.is_some());
        let stream = stream(query, numbers.tail_lines.is_some(), &mut errors);
        if !errors.is_empty() {
            return Err(invalid_options(&format!("PodLogOptions \"{pod}\""), &errors));
        }
        let ago =
            |seconds| now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN);
        let part = LogOptions {
            tail_lines: numbers.tail_lines.and_then(|lines| lines.try_into().ok()),
            since: since_time.or(numbers.since_seconds.map(ago)),
            timestamps: query.flag("timestamps"),
            limit_bytes: numbers.limit_bytes.and_then(|bytes| bytes.try_into().ok()),
            stream,
        };
        Ok(Self {
            container: query.text("container").to_owned(),
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            attempt: numbers.attempt.and_then(|attempt| attempt.try_into().ok()),
            uid: uid(query.text("uid"))?,
            part,
        })
    }
}

struct Numbers {
    tail_lines: Option<i64>,
    limit_bytes: Option<i64>,
    since_seconds: Option<i64>,
    attempt: Option<i64>,
}

impl Numbers {
    fn check(&self, since_time: bool) -> FieldErrors {
        let mut errors = Vec::new();
        let mut at_least = |path: &str, value: Option<i64>, least: i64, why: &str| {
            if let Some(value) = value.filter(|value| *value < least) {
                errors.push(FieldError::invalid(path, value, why));
            }
        };
        at_least("tailLines", self.tail_lines, 0, "must be greater than or equal to 0");
        at_least("limitBytes", self.limit_bytes, 1, "must be greater than 0");
        at_least("attempt", self.attempt, 0, "must be greater than or equal to 0");
        if !since_time {
            at_least("sinceSeconds", self.since_seconds, 1, "must be greater than 0");
        } else if self.since_seconds.is_some() {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            errors.push(FieldError::forbidden("[]", why));
        }
        errors
    }
}

/// Which stream is asked for; `None` for both.
fn stream(query: &Query, tail: bool, errors: &mut FieldErrors) -> Option<Stream> {
    let stream = match query.get("stream").unwrap_or("All") {
        "All" => return None,
        "Stdout" => Some(Stream::Stdout),
        "Stderr" => Some(Stream::Stderr),
        other => {
            let supported = ["All", "Stderr", "Stdout"];
            errors.push(FieldError::not_supported("stream", other, &supported));
            None
        }
    };
    if tail {
        let why = "`tailLines` and specific `stream` are mutually exclusive for now";
        errors.push(FieldError::forbidden("[]", why));
    }
    stream
}

fn uid(text: &str) -> Result<Option<Uid>, StatusError> {
    if text.is_empty() {
        return Ok(None);
    }
    Uid::parse(text).map(Some).ok_or_else(|| bad_request(format!("uid {text:?} is no uid")))
}

fn time(text: &str) -> Result<Option<Timestamp>, StatusError> {
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = |_| {
        bad_request(format!(
            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?}"
        ))
    };
    text.parse().map(Some).map_err(refuse)
}
