//! What `resourceVersion` and its companions ask for, as data. Upstream's rules, one function per
//! verb; everything is checked before a stream starts.

use kinds::{FieldError, Revision, StatusError};

use crate::{
    Query,
    answer::{bad_request, invalid_options},
    query::parse_error,
};

const SUBJECT: &str = "ListOptions.meta.k8s.io \"\"";
const MATCH: &str = "resourceVersionMatch";
const EXACT: &str = "Exact";
const NOT_OLDER: &str = "NotOlderThan";

/// The state that a list is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListAt {
    /// The newest, which must be at least this old; 0 for any.
    NotOlderThan(Revision),
    /// Exactly this one.
    Exactly(Revision),
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchFrom {
    /// With what comes after this revision.
    After(Revision),
    /// With what comes after now.
    Now,
    /// With the present state, at least this new, as ADDED events.
    State(Revision),
}

/// Reads a `resourceVersion`; absent is `None`.
///
/// # Errors
/// 400 for what is not an unsigned 64-bit number.
pub(crate) fn read(query: &Query) -> Result<Option<Revision>, StatusError> {
    let text = query.text("resourceVersion");
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = |error| {
        let why = parse_error("ParseUint", text, &error);
        bad_request(format!("resourceVersion: Invalid value: {text:?}: {why}"))
    };
    text.parse().map(Some).map_err(refuse)
}

/// The rules of a list without a continue token.
///
/// # Errors
/// 422 for combinations that mean nothing, 400 for a broken number.
pub(crate) fn list(query: &Query) -> Result<ListAt, StatusError> {
    let (wanted, given) = (query.text(MATCH), query.text("resourceVersion"));
    let mut errors = Vec::new();
    if !wanted.is_empty() {
        let mut forbid = |why: &str| errors.push(FieldError::forbidden(MATCH, why));
        if given.is_empty() {
            forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !query.text("continue").is_empty() {
            forbid("resourceVersionMatch is forbidden when continue is provided");
        }
        if wanted == EXACT && given == "0" {
            forbid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        if wanted != EXACT && wanted != NOT_OLDER {
            errors.push(FieldError::not_supported(MATCH, wanted, &[EXACT, NOT_OLDER, ""]));
        }
    }
    if query.get("sendInitialEvents").is_some() {
        let why = "sendInitialEvents is forbidden for list";
        errors.push(FieldError::forbidden("sendInitialEvents", why));
    }
    refuse(&errors)?;
    let revision = read(query)?.unwrap_or(0);
    let limited = query.integer("limit")?.is_some_and(|limit| limit > 0);
    // Upstream reads a page at exactly the revision named, unless asked otherwise.
    let exact = wanted == EXACT || (wanted.is_empty() && limited && revision > 0);
    Ok(if exact { ListAt::Exactly(revision) } else { ListAt::NotOlderThan(revision) })
}

/// The rules of a watch.
///
/// # Errors
/// 422 for combinations that mean nothing, 400 for a broken number.
pub(crate) fn watch(query: &Query) -> Result<WatchFrom, StatusError> {
    let wanted = query.text(MATCH);
    let initial = query.maybe_flag("sendInitialEvents");
    let mut errors = Vec::new();
    if initial.is_some() && wanted != NOT_OLDER {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(FieldError::forbidden(MATCH, why));
    }
    if !wanted.is_empty() {
        if initial.is_none() {
            let why =
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            errors.push(FieldError::forbidden(MATCH, why));
        }
        if wanted != NOT_OLDER {
            errors.push(FieldError::not_supported(MATCH, wanted, &[NOT_OLDER]));
        }
    }
    refuse(&errors)?;
    let revision = read(query)?.unwrap_or(0);
    Ok(match (initial, revision) {
        (Some(true), revision) => WatchFrom::State(revision),
        (None, 0) => WatchFrom::State(0),
        (Some(false), 0) => WatchFrom::Now,
        (_, revision) => WatchFrom::After(revision),
    })
}

fn refuse(errors: &[FieldError]) -> Result<(), StatusError> {
    if errors.is_empty() { Ok(()) } else { Err(invalid_options(SUBJECT, errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_the_state_that_upstream_reads() {
        use ListAt::{Exactly, NotOlderThan};
        for (query, at) in [
            ("", NotOlderThan(0)),
            ("limit=500", NotOlderThan(0)),
            ("resourceVersion=0", NotOlderThan(0)),
            ("resourceVersion=0&limit=500", NotOlderThan(0)),
            ("resourceVersion=7", NotOlderThan(7)),
            ("resourceVersion=7&limit=5", Exactly(7)),
            ("resourceVersion=7&limit=5&resourceVersionMatch=NotOlderThan", NotOlderThan(7)),
            ("resourceVersion=7&resourceVersionMatch=Exact", Exactly(7)),
        ] {
            assert_eq!(list(&Query::parse(query)), Ok(at), "{query}");
        }
    }

    #[test]
    fn watches_begin_where_upstreams_begin() {
        use WatchFrom::{After, Now, State};
        for (query, from) in [
            ("", State(0)),
            ("resourceVersion=0", State(0)),
            ("resourceVersion=7", After(7)),
            ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", State(0)),
            (
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=7",
                State(7),
            ),
            ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan", Now),
            (
                "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=7",
                After(7),
            ),
        ] {
            assert_eq!(watch(&Query::parse(query)), Ok(from), "{query}");
        }
    }
}
