//! What a verb is about, as people type it: `job/etl`, `pod/probe`, or a bare name.

use kinds::Kind;

use crate::{exit::Failure, objects};

/// A Job or a Pod by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `job/NAME`
    Job(String),
    /// `pod/NAME`
    Pod(String),
}

impl Target {
    /// Reads `KIND/NAME` with every name of a kind that kubectl takes, or a bare name, which is a
    /// pod's unless `bare_is_job`.
    pub(crate) fn parse(text: &str, bare_is_job: bool) -> Result<Self, Failure> {
        let Some((kind, name)) = text.split_once('/') else {
            let name = text.to_owned();
            return Ok(if bare_is_job { Self::Job(name) } else { Self::Pod(name) });
        };
        match objects::kind(kind).ok() {
            Some(Kind::Job) => Ok(Self::Job(name.to_owned())),
            Some(Kind::Pod) => Ok(Self::Pod(name.to_owned())),
            _ => Err(Failure::usage(format!(
                "{text:?} is neither a job nor a pod: say job/NAME or pod/NAME"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_kubectl_takes() {
        for text in ["job/x", "jobs/x", "job.batch/x", "jobs.batch/x"] {
            assert_eq!(Target::parse(text, false), Ok(Target::Job("x".into())), "{text}");
        }
        for text in ["x", "pod/x", "pods/x", "po/x"] {
            assert_eq!(Target::parse(text, false), Ok(Target::Pod("x".into())), "{text}");
        }
        assert_eq!(Target::parse("x", true), Ok(Target::Job("x".into())));
        assert!(Target::parse("secret/x", false).is_err());
    }
}
