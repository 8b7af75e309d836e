//! What a session is told at its end, on its channel of errors.

use bytes::Bytes;
use node::streams::Ended;
use serde_json::{Value, json};

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Well.
    Success,
    /// The program exited with another code than 0.
    Code {
        /// Program and arguments.
        command: Vec<String>,
        code: i32,
    },
    /// It came to nothing; why.
    Failed(String),
}

impl Outcome {
    /// Of a program that was run.
    pub(super) fn of(command: Vec<String>, ended: Ended) -> Self {
        match ended {
            Ended::Code(0) => Self::Success,
            Ended::Code(code) => Self::Code { command, code },
            Ended::NotStarted(why) => {
                Self::Failed(format!("error executing command in container: {why}"))
            }
        }
    }

    /// As clients read it since version 4 of the protocol: a Status.
    pub(super) fn status(&self) -> Bytes {
        let mut status = match self {
            Self::Success => json!({ "status": "Success" }),
            Self::Code { code, .. } => json!({
                "status": "Failure",
                "message": self.message(),
                "reason": "NonZeroExitCode",
                "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
            }),
            Self::Failed(why) => json!({
                "status": "Failure",
                "message": self.message(),
                "reason": "InternalError",
                "details": { "causes": [{ "message": why }] },
                "code": 500,
            }),
        };
        status["metadata"] = Value::Object(serde_json::Map::new());
        status.to_string().into()
    }

    /// As older ones do: a text, and nothing for success.
    pub(super) fn text(&self) -> Bytes {
        self.message().into()
    }

    fn message(&self) -> String {
        match self {
            Self::Success => String::new(),
            Self::Code { command, code } => format!(
                "command terminated with non-zero exit code: error executing command [{}], exit \
                 code {code}",
                command.join(" ")
            ),
            Self::Failed(why) => format!("Internal error occurred: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_find_the_code_where_they_look_for_it() {
        let status =
            |outcome: &Outcome| -> Value { serde_json::from_slice(&outcome.status()).unwrap() };
        let command = vec!["sh".to_owned(), "-c".to_owned(), "exit 42".to_owned()];
        let code = Outcome::of(command, Ended::Code(42));
        assert_eq!(status(&code)["reason"], "NonZeroExitCode");
        let causes = &status(&code)["details"]["causes"];
        assert_eq!(causes, &json!([{ "reason": "ExitCode", "message": "42" }]));
        let text = "command terminated with non-zero exit code: error executing command [sh -c exit \
                    42], exit code 42";
        assert_eq!(code.text(), text);
        let well = Outcome::of(Vec::new(), Ended::Code(0));
        assert_eq!(status(&well), json!({ "metadata": {}, "status": "Success" }));
        assert_eq!(well.text(), "");
        let none = Outcome::of(Vec::new(), Ended::NotStarted("no such file".to_owned()));
        let text = "Internal error occurred: error executing command in container: no such file";
        assert_eq!(status(&none)["message"], text);
    }
}
