//! What went wrong, in kubectl's words. A verb goes on with the next object and tells all problems
//! at the end.

use kinds::{Reason, StatusError};

use crate::{client, exit::Code};

/// One problem.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A request brought a refusal or nothing.
    Request(client::Error),
    /// The same, while this was done with a file: `creating "job.yaml"`.
    Doing(client::Error, String),
    /// Told by this program.
    Said(String),
}

impl From<client::Error> for Problem {
    fn from(error: client::Error) -> Self {
        Self::Request(error)
    }
}

impl Problem {
    /// Whether the object is not there.
    pub(crate) fn not_found(&self) -> bool {
        let Self::Request(error) = self else { return false };
        error.status().is_some_and(|status| status.reason == Reason::NotFound)
    }

    /// What people read.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Said(text) => format!("error: {text}"),
            Self::Request(error) => told(error, None),
            Self::Doing(error, doing) => told(error, Some(doing)),
        }
    }
}

fn told(error: &client::Error, doing: Option<&str>) -> String {
    match (error.status(), std::error::Error::source(error)) {
        (Some(status), _) => refusal(status, doing),
        (None, Some(source)) => format!("error: {error}: {source}"),
        (None, None) => format!("error: {error}"),
    }
}

/// A refusal; `doing` is what was tried with which file: `creating "job.yaml"`.
fn refusal(status: &StatusError, doing: Option<&str>) -> String {
    let causes: Vec<String> =
        status.causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    if let (Reason::Invalid, Some(kind)) = (status.reason, status.kind) {
        let what = format!("The {} {:?} is invalid", kind.info().name, status.name);
        return match causes.as_slice() {
            [] => what,
            [one] => format!("{what}: {one}"),
            several => format!("{what}: \n* {}", several.join("\n* ")),
        };
    }
    let doing = doing.map(|doing| format!("error when {doing}: ")).unwrap_or_default();
    format!("Error from server ({:?}): {doing}{}", status.reason, status.message)
}

/// Tells all problems and gives the code that follows from them.
pub(crate) fn tell(problems: &[Problem]) -> Code {
    for problem in problems {
        complain!("{}", problem.text());
    }
    if problems.is_empty() { Code::OK } else { Code::FAILED }
}

#[cfg(test)]
mod tests {
    use kinds::{FieldError, Kind};

    use super::*;

    #[test]
    fn refusals_read_as_kubectl_prints_them() {
        let missing = Problem::from(client::Error::from(StatusError::not_found(Kind::Job, "x")));
        assert!(missing.not_found());
        assert_eq!(missing.text(), "Error from server (NotFound): jobs.batch \"x\" not found");
        let there = StatusError::already_exists(Kind::Pod, "x");
        assert_eq!(
            refusal(&there, Some("creating \"p.yaml\"")),
            "Error from server (AlreadyExists): error when creating \"p.yaml\": pods \"x\" already \
             exists"
        );
        let error = |path: &str| FieldError::required(path, "");
        let invalid = |paths: &[&str]| {
            let errors: Vec<FieldError> = paths.iter().map(|path| error(path)).collect();
            refusal(&StatusError::invalid(Kind::Job, "x", &errors), Some("creating \"p.yaml\""))
        };
        assert_eq!(invalid(&["spec.a"]), "The Job \"x\" is invalid: spec.a: Required value");
        assert_eq!(
            invalid(&["spec.a", "spec.b"]),
            "The Job \"x\" is invalid: \n* spec.a: Required value\n* spec.b: Required value"
        );
    }
}
