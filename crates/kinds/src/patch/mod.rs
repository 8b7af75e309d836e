//! Patches: an object and a change in, the changed object out. JSON to JSON: fields that nobody
//! knows stay, and what the result must not be is found by whoever decodes it.
//!
//! Errors have upstream's codes and texts, with one exception: what upstream answers with 500,
//! although the patch is to blame, is 400 here.

mod diff;
mod go;
mod json;
mod lists;
mod merge;
mod strategic;

use serde_json::Value;

use crate::{
    Kind, Reason, StatusError,
    schema::{self, Shape},
};

pub use diff::three_way;
pub(crate) use go::text as go_text;

type Map = serde_json::Map<String, Value>;

/// The formats of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// A list of operations on JSON pointers (RFC 6902).
    Json,
    /// An object of what is to change, null for what goes; lists are replaced (RFC 7386).
    Merge,
    /// As [`Merge`](Self::Merge), but lists merge by what the kind's fields say, and directives
    /// (`$patch` and others) say the rest.
    StrategicMerge,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    const ALL: [Self; 4] = [Self::Json, Self::Merge, Self::StrategicMerge, Self::Apply];

    /// The media type that names the format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::StrategicMerge => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    /// The format that a `Content-Type` names; parameters behind `;` do not matter.
    pub fn of_content_type(header: &str) -> Option<Self> {
        let media = header.split(';').next()?.trim();
        Self::ALL.into_iter().find(|t| media.eq_ignore_ascii_case(t.content_type()))
    }

    /// The refusal (415) of a format that is unknown or does not work: clients read from it what
    /// does.
    pub fn unsupported() -> StatusError {
        let works = [Self::Json, Self::Merge, Self::StrategicMerge].map(Self::content_type);
        let text = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            works.join(", ")
        );
        StatusError::new(Reason::UnsupportedMediaType, text)
    }
}

/// Why a patch cannot be applied.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// It is not JSON, or not of the shape that its format has.
    #[error("error decoding patch: {0}")]
    Undecodable(serde_json::Error),
    /// A JSON patch of more operations than [`json::OPERATIONS_MAX`].
    #[error(
        "Request entity too large: \
         The allowed maximum operations in a JSON patch is {max}, got {0}",
        max = json::OPERATIONS_MAX
    )]
    TooManyOperations(usize),
    /// A strategic merge patch whose lists or directives are not what they have to be.
    #[error("{0}")]
    Malformed(String),
    /// It does not fit the object; upstream's text says no more than that.
    #[error("the server rejected our request due to an error in our request")]
    Rejected,
}

impl From<Error> for StatusError {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::Undecodable(_) | Error::Malformed(_) => Reason::BadRequest,
            Error::TooManyOperations(_) => Reason::RequestEntityTooLarge,
            Error::Rejected => Reason::Invalid,
        };
        Self::new(reason, error.to_string())
    }
}

/// Applies a patch to the JSON of an object of that kind; gives the JSON of the result, which need
/// not be a valid object.
///
/// # Errors
/// 400 for a patch that cannot be read, 413 for one of too many operations, 415 for server-side
/// apply, 422 for one that does not fit the object.
///
/// # Panics
/// If the object is not a JSON object: stored ones are.
pub fn apply(
    kind: Kind,
    patch_type: PatchType,
    patch: &[u8],
    current: &[u8],
) -> Result<Vec<u8>, StatusError> {
    let current: Map = serde_json::from_slice(current).expect("an object is a JSON object");
    let patched = match patch_type {
        PatchType::Json => json::apply(Value::Object(current), read(patch)?)?,
        PatchType::Merge => Value::Object(merge::apply(current, read(patch)?)),
        PatchType::StrategicMerge => {
            let shape = Shape::Object(schema::of(kind));
            Value::Object(strategic::merge(current, read(patch)?, Some(shape))?)
        }
        PatchType::Apply => return Err(PatchType::unsupported()),
    };
    Ok(serde_json::to_vec(&patched).expect("values serialise"))
}

fn read<T: serde::de::DeserializeOwned>(patch: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(patch).map_err(Error::Undecodable)
}
