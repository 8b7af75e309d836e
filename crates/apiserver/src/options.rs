//! Options that every write takes: `dryRun` and `fieldValidation`.

use kinds::{FieldError, FieldErrorKind, StatusError, decode::FieldValidation};

use crate::{Query, answer::invalid_options};

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
}

impl WriteOptions {
    /// Reads the query of a create (`CreateOptions`) or an update (`UpdateOptions`).
    ///
    /// # Errors
    /// 422 for values that do not exist.
    pub(crate) fn read(query: &Query, options: &str) -> Result<Self, StatusError> {
        let given: Vec<&str> = query.all("dryRun").collect();
        let mut errors = Vec::new();
        let dry_run = dry_run(&given, &mut errors);
        let text = query.text("fieldValidation");
        let validation = FieldValidation::parse(text);
        if validation.is_none() {
            let supported = ["", "Ignore", "Strict", "Warn"];
            errors.push(FieldError::not_supported("fieldValidation", text, &supported));
        }
        if !errors.is_empty() {
            return Err(invalid_options(&format!("{options}.meta.k8s.io \"\""), &errors));
        }
        Ok(Self { dry_run, validation: validation.unwrap_or_default() })
    }
}

/// Whether a dry run is asked for; `All` is the only value there is.
pub(crate) fn dry_run(given: &[&str], errors: &mut Vec<FieldError>) -> bool {
    let given: Vec<&str> = given.iter().copied().filter(|value| !value.is_empty()).collect();
    if given.iter().any(|value| *value != "All") {
        errors.push(FieldError {
            kind: FieldErrorKind::NotSupported,
            path: "dryRun".to_owned(),
            value: Some(serde_json::json!(given).to_string()),
            detail: "supported values: \"All\"".to_owned(),
        });
    }
    !given.is_empty()
}
