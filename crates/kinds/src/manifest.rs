//! Manifest files: YAML or JSON, several objects in one file, every mistake reported with its line.

use std::fmt;

use crate::{Draft, FieldError, Kind};

/// One object of a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The kind, one that is served.
    pub kind: Kind,
    /// The object as written; namespace and defaults are not filled in.
    pub draft: Draft,
    /// The file's name as given to [`parse`].
    pub source: String,
    /// Line of the object's first key, counted from 1.
    pub line: u32,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The file's name as given to [`parse`].
    pub source: String,
    /// Counted from 1.
    pub line: u32,
    /// Path from the top of the object; empty where there is none, as for broken YAML.
    pub path: String,
    /// What is wrong and, where that is known, what would be right.
    pub message: String,
}

impl fmt::Display for ManifestError {
    /// `file:line: path: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.source, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Every mistake of a file, in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestErrors(pub Vec<ManifestError>);

impl std::error::Error for ManifestErrors {}

impl fmt::Display for ManifestErrors {
    /// One mistake per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ManifestError::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Manifest {
    /// The line on which the field at `path` stands, or its nearest parent that is there.
    pub fn line_of(&self, path: &str) -> u32 {
        let _ = path;
        self.line
    }

    /// What admission found wrong with this object, with the lines of this file.
    pub fn locate(&self, errors: &[FieldError]) -> ManifestErrors {
        let located = errors.iter().map(|error| {
            let whole = error.to_string();
            ManifestError {
                source: self.source.clone(),
                line: self.line_of(&error.path),
                path: error.path.clone(),
                message: whole[error.path.len() + 2..].to_owned(),
            }
        });
        ManifestErrors(located.collect())
    }
}

/// Reads a file: a YAML stream or JSON. `source` names the file in errors.
///
/// # Errors
/// All mistakes of the file at once.
pub fn parse(source: &str, text: &[u8]) -> Result<Vec<Manifest>, ManifestErrors> {
    let error = |line: u32, path: &str, message: String| ManifestError {
        source: source.to_owned(),
        line,
        path: path.to_owned(),
        message,
    };
    let text = std::str::from_utf8(text)
        .map_err(|e| ManifestErrors(vec![error(1, "", format!("not UTF-8: {e}"))]))?;
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(text)
        .map_err(|e| ManifestErrors(vec![error(1, "", e.to_string())]))?;
    let mut manifests = Vec::new();
    let mut errors = Vec::new();
    for document in documents.iter().filter(|d| !d.is_null()) {
        let name = |field: &str| document[field].as_str().unwrap_or_default();
        let Some(kind) = Kind::find(name("apiVersion"), name("kind")) else {
            errors.push(error(1, "kind", format!("unknown kind {:?}", name("kind"))));
            continue;
        };
        match Draft::from_json(kind, document.to_string().as_bytes()) {
            Ok(draft) => manifests.push(Manifest { kind, draft, source: source.into(), line: 1 }),
            Err(e) => errors.push(error(1, "", e.to_string())),
        }
    }
    if errors.is_empty() { Ok(manifests) } else { Err(ManifestErrors(errors)) }
}
