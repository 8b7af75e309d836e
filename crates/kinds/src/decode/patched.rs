//! The result of a patch: decoded as a body is, but what is wrong is said of the patch.

use super::{FieldValidation, Form, StrictErrors, type_error};
use crate::{
    Draft, FieldError, Kind,
    check::{self, Found, Problem, What},
    patch::{PatchType, go_text},
    schema::{self, Shape},
    tree::{self, Node, Value},
};

/// Reads what a patch made of an object. Gives the object and the warnings for the client.
///
/// # Errors
/// The patch, when its result has a value of the wrong type or (with [`FieldValidation::Strict`])
/// fields that are unknown or stand twice.
pub fn patched(
    kind: Kind,
    patch_type: PatchType,
    patch: &[u8],
    result: &[u8],
    validation: FieldValidation,
) -> Result<(Draft, Vec<String>), FieldError> {
    let refuse = |why: String| {
        let shown = match patch_type {
            PatchType::StrategicMerge => serde_json::from_slice(patch).map_or_else(
                |_| String::from_utf8_lossy(patch).into_owned(),
                |patch| go_text(&patch),
            ),
            _ => String::from_utf8_lossy(result).into_owned(),
        };
        FieldError::invalid("patch", shown, why)
    };
    let node = tree::json::parse(result).map_err(|error| refuse(error.to_string()))?;
    is_still(kind, &node).map_err(refuse)?;
    let checked = check::check(&node, schema::of(kind), false);
    let error = match patch_type {
        PatchType::StrategicMerge => conversion_error,
        _ => type_error,
    };
    if let Some(why) = checked.problems.iter().find_map(error) {
        return Err(refuse(why));
    }
    let found = StrictErrors::of(Form::Json, &checked.problems);
    let strict = StrictErrors { fields: own_problems(patch_type, patch), ..Default::default() };
    let strict = strict.and(found);
    if validation == FieldValidation::Strict && !strict.is_empty() {
        return Err(refuse(strict.error()));
    }
    let draft = Draft::from_json(kind, checked.json.as_bytes())
        .map_err(|error| refuse(error.to_string()))?;
    let warnings = if validation == FieldValidation::Warn { strict.warnings() } else { Vec::new() };
    Ok((draft, warnings))
}

/// A patch makes nothing else of an object.
fn is_still(kind: Kind, node: &Node) -> Result<(), String> {
    let info = kind.info();
    if !matches!(node.value, Value::Map(_)) {
        return Err(format!("the result is no {}", info.name));
    }
    for (field, expected) in [("apiVersion", info.api_version()), ("kind", info.name.to_owned())] {
        let found = node.text(field).unwrap_or_default();
        if !found.is_empty() && found != expected {
            return Err(format!("{field} {found:?} does not match {expected:?}"));
        }
    }
    Ok(())
}

/// Keys that stand twice in the patch itself, and unknown members of a JSON patch's operations.
fn own_problems(patch_type: PatchType, patch: &[u8]) -> Vec<String> {
    let Ok(node) = tree::json::parse(patch) else { return Vec::new() };
    let mut found = Vec::new();
    doubled("", &node, &mut found);
    if patch_type != PatchType::Json {
        return found;
    }
    let Value::List(operations) = &node.value else { return found };
    for (at, operation) in operations.iter().enumerate() {
        let Value::Map(members) = &operation.value else { continue };
        let known = |key: &str| ["op", "path", "from", "value"].contains(&key);
        for member in members.iter().filter(|member| !known(&member.key)) {
            found.push(format!("unknown field {:?}", format!("[{at}].{}", member.key)));
        }
    }
    found.iter().map(|text| format!("json patch {text}")).collect()
}

fn doubled(path: &str, node: &Node, found: &mut Vec<String>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{}", entry.key);
                if entry.doubled.is_some() {
                    found.push(format!("duplicate field {path:?}"));
                }
                doubled(&path, &entry.node, found);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                doubled(&format!("{path}[{at}]"), item, found);
            }
        }
        _ => {}
    }
}

/// A wrong type in the words of upstream's converter, which strategic merge patches go through.
fn conversion_error(problem: &Problem) -> Option<String> {
    let What::Type { expected, found, .. } = &problem.what else { return type_error(problem) };
    let (ty, sort) = match found {
        Found::Bool(_) => ("bool", "bool"),
        Found::Number(text) if text.contains(['.', 'e', 'E']) => ("float64", "float64"),
        Found::Number(_) => ("int64", "int64"),
        Found::String(_) => ("string", "string"),
        Found::List => ("[]interface {}", "slice"),
        Found::Map => ("map[string]interface {}", "map"),
    };
    Some(match expected {
        Shape::List(_) | Shape::Bytes => format!("cannot restore slice from {sort}"),
        Shape::Map(_) => format!("cannot restore map from {sort}"),
        Shape::Object(_) => format!("cannot restore struct from: {sort}"),
        Shape::String | Shape::Int32 | Shape::Int64 | Shape::Bool => {
            format!("cannot convert {ty} to {}", super::go_type(*expected))
        }
        _ => return type_error(problem),
    })
}
