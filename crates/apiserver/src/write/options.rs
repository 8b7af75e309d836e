//! Options that every write takes: `dryRun`, `fieldValidation` and `fieldManager`.
//!
//! Who manages a field is not recorded yet; the name of the manager is only checked.

use kinds::{FieldError, FieldErrorKind, FieldErrors, StatusError, decode::FieldValidation};

use crate::{Query, answer::invalid_options, limits::FIELD_MANAGER_BYTES_MAX};

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
        Self::check(query, options, Vec::new())
    }

    /// Reads the query of a patch that is no server-side apply (`PatchOptions`).
    ///
    /// # Errors
    /// 422 for values that do not exist, and for `force`.
    pub(crate) fn read_patch(query: &Query) -> Result<Self, StatusError> {
        let why = "may not be specified for non-apply patch";
        let force = query.get("force").map(|_| FieldError::forbidden("force", why));
        Self::check(query, "PatchOptions", force.into_iter().collect())
    }

    fn check(query: &Query, options: &str, mut errors: FieldErrors) -> Result<Self, StatusError> {
        field_manager(query.text("fieldManager"), &mut errors);
        let given: Vec<&str> = query.all("dryRun").collect();
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

fn field_manager(name: &str, errors: &mut FieldErrors) {
    if name.len() > FIELD_MANAGER_BYTES_MAX {
        errors.push(FieldError::too_long("fieldManager", FIELD_MANAGER_BYTES_MAX));
    }
    for (at, letter) in name.char_indices().filter(|(_, letter)| !is_printable(*letter)) {
        let code = u32::from(letter);
        let why = format!("invalid character U+{code:04X} (at position {at})");
        errors.push(FieldError::invalid("fieldManager", name, why));
    }
}

/// Letters, marks, numbers, signs and the plain space.
fn is_printable(letter: char) -> bool {
    letter == ' ' || !(letter.is_control() || letter.is_whitespace() || is_invisible(letter))
}

/// Format characters, separators, surrogates and private use: what has no shape of its own.
fn is_invisible(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb
            | 0xe0000..=0x10_ffff
    )
}

/// Whether a dry run is asked for; `All` is the only value there is.
pub(crate) fn dry_run(given: &[&str], errors: &mut FieldErrors) -> bool {
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
