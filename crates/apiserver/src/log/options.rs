//! The query of a log request, with upstream's checks.

use jiff::{SignedDuration, Timestamp};
use kinds::{FieldError, StatusError};
use node::logs::LogOptions;

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
    pub(super) part: LogOptions,
}

impl Options {
    /// Reads the query of a request for the log of `pod`.
    ///
    /// # Errors
    /// 400 for what is no number or time, 422 for one that makes no sense.
    pub(super) fn read(query: &Query, pod: &str, now: Timestamp) -> Result<Self, StatusError> {
        let tail_lines = query.integer("tailLines")?;
        let limit_bytes = query.integer("limitBytes")?;
        let since_seconds = query.integer("sinceSeconds")?;
        let since_time = time(query.text("sinceTime"))?;
        let mut errors = Vec::new();
        let mut at_least = |path: &str, value: Option<i64>, least: i64, why: &str| {
            if let Some(value) = value.filter(|value| *value < least) {
                errors.push(FieldError::invalid(path, value, why));
            }
        };
        at_least("tailLines", tail_lines, 0, "must be greater than or equal to 0");
        at_least("limitBytes", limit_bytes, 1, "must be greater than 0");
        if since_time.is_none() {
            at_least("sinceSeconds", since_seconds, 1, "must be greater than 0");
        } else if since_seconds.is_some() {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            errors.push(FieldError::forbidden("[]", why));
        }
        if !errors.is_empty() {
            return Err(invalid_options(&format!("PodLogOptions \"{pod}\""), &errors));
        }
        let ago =
            |seconds| now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN);
        let part = LogOptions {
            tail_lines: tail_lines.and_then(|lines| lines.try_into().ok()),
            since: since_time.or(since_seconds.map(ago)),
            timestamps: query.flag("timestamps"),
            limit_bytes: limit_bytes.and_then(|bytes| bytes.try_into().ok()),
            stream: None,
        };
        Ok(Self {
            container: query.text("container").to_owned(),
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            attempt: query.integer("attempt")?.and_then(|attempt| attempt.try_into().ok()),
            part,
        })
    }
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
