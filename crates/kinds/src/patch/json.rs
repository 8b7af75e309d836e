//! JSON patch, RFC 6902, as the library reads it that upstream uses: an index below zero counts from
//! the end, a map has null under every key that it does not have (a `test` for null holds there, a
//! `copy` copies null, a `replace` adds the key), and an operation without a value means null.
//!
//! Written by hand because a patch comes from outside: copies could double an object with every
//! operation and moves nest it deeper than any reader goes. Both end here.

use serde_json::Value;

use super::{Error, Map};

/// The most operations of one patch.
pub(super) const OPERATIONS_MAX: usize = 10_000;
/// The most that all `copy` operations of one patch may copy.
const COPIED_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The most levels of lists and maps in a result: what `serde_json` reads.
const DEPTH_MAX: usize = 127;

/// Applies all operations in their order, or none.
pub(super) fn apply(mut document: Value, operations: Vec<Map>) -> Result<Value, Error> {
    if operations.len() > OPERATIONS_MAX {
        return Err(Error::TooManyOperations(operations.len()));
    }
    let mut copied_bytes = 0;
    for operation in operations {
        step(&mut document, operation, &mut copied_bytes).ok_or(Error::Rejected)?;
    }
    Ok(document)
}

/// One operation; `None` if it fails, whatever the cause: clients are told no more.
fn step(document: &mut Value, mut operation: Map, copied_bytes: &mut usize) -> Option<()> {
    let value = operation.remove("value").unwrap_or_default();
    let pointer = |name: &str| Pointer::parse(operation.get(name)?.as_str()?);
    let path = pointer("path")?;
    match operation.get("op")?.as_str()? {
        "add" => add(document, &path, value),
        "remove" => remove(document, &path).map(drop),
        "replace" => set(document, &path, value),
        "move" => {
            let moved = remove(document, &pointer("from")?)?;
            add(document, &path, moved)
        }
        "copy" => {
            let copied = value_at(document, &pointer("from")?)?.clone();
            *copied_bytes += copied.to_string().len();
            (*copied_bytes <= COPIED_BYTES_MAX).then_some(())?;
            add(document, &path, copied)
        }
        "test" => (value_at(document, &path)? == &value).then_some(()),
        _ => None,
    }
}

/// A JSON pointer, RFC 6901: the keys and indices on the way; none means the whole document.
struct Pointer(Vec<String>);

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let steps = text.strip_prefix('/')?.split('/');
        Some(Self(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The way to the container, and the key in it.
    fn split(&self) -> Option<(&[String], &str)> {
        self.0.split_last().map(|(key, parent)| (parent, &**key))
    }
}

/// The index of an item that is there.
fn index(key: &str, length: usize) -> Option<usize> {
    let index: i64 = key.parse().ok()?;
    let from_end = if index < 0 { i64::try_from(length).ok()? } else { 0 };
    usize::try_from(index + from_end).ok().filter(|&index| index < length)
}

/// What stands there; null under a key that a map does not have.
fn value_at<'a>(document: &'a Value, path: &Pointer) -> Option<&'a Value> {
    let Some((parent, key)) = path.split() else { return Some(document) };
    let parent = parent.iter().try_fold(document, |at, key| match at {
        Value::Object(map) => map.get(key),
        Value::Array(list) => list.get(index(key, list.len())?),
        _ => None,
    });
    match parent? {
        Value::Object(map) => Some(map.get(key).unwrap_or(&Value::Null)),
        Value::Array(list) => list.get(index(key, list.len())?),
        _ => None,
    }
}

fn get_mut<'a>(document: &'a mut Value, steps: &[String]) -> Option<&'a mut Value> {
    steps.iter().try_fold(document, |at, key| match at {
        Value::Object(map) => map.get_mut(key),
        Value::Array(list) => {
            let at = index(key, list.len())?;
            list.get_mut(at)
        }
        _ => None,
    })
}

/// Takes out what is there.
fn remove(document: &mut Value, path: &Pointer) -> Option<Value> {
    let (parent, key) = path.split()?;
    match get_mut(document, parent)? {
        Value::Object(map) => map.remove(key),
        Value::Array(list) => Some(list.remove(index(key, list.len())?)),
        _ => None,
    }
}

/// Puts a value under a key, or into a list before the item at an index (`-`: behind the last). The
/// whole document can only be replaced.
fn add(document: &mut Value, path: &Pointer, value: Value) -> Option<()> {
    let (parent, key) = path.split()?;
    if let Value::Array(list) = get_mut(document, parent)? {
        shallow(path, &value)?;
        let place = if key == "-" { list.len() } else { index(key, list.len() + 1)? };
        list.insert(place, value);
        return Some(());
    }
    set(document, path, value)
}

/// Puts a value in the place of another, or under a new key.
fn set(document: &mut Value, path: &Pointer, value: Value) -> Option<()> {
    shallow(path, &value)?;
    let place = match path.split() {
        None => document,
        Some((parent, key)) => match get_mut(document, parent)? {
            Value::Object(map) => map.entry(key).or_insert(Value::Null),
            Value::Array(list) => {
                let at = index(key, list.len())?;
                list.get_mut(at)?
            }
            _ => return None,
        },
    };
    *place = value;
    Some(())
}

/// Whether the value may stand there without making the document too deep.
fn shallow(path: &Pointer, value: &Value) -> Option<()> {
    (path.0.len() + depth(value) <= DEPTH_MAX).then_some(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(document: Value, operations: Value) -> Result<Value, Error> {
        apply(document, serde_json::from_value(operations).unwrap())
    }

    #[test]
    fn copies_that_double_an_object_end() {
        let document = json!({"a": ["x".repeat(1024)]});
        let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
        let times = |n| patched(document.clone(), json!(vec![double.clone(); n]));
        assert!(times(10).is_ok());
        assert!(matches!(times(13), Err(Error::Rejected)));
    }

    #[test]
    fn a_result_is_never_deeper_than_what_can_be_read() {
        let deep = |n: usize| (0..n).fold(json!(1), |value, _| json!([value]));
        let add = json!([{"op": "add", "path": "/a", "value": deep(126)}]);
        let nested = patched(json!({}), add).unwrap();
        assert!(serde_json::from_str::<Value>(&nested.to_string()).is_ok());
        for operations in [
            json!([{"op": "add", "path": "/b", "value": deep(127)}]),
            json!([{"op": "add", "path": "/a/-", "value": deep(126)}]),
            json!([{"op": "replace", "path": "/a/0", "value": deep(126)}]),
            json!([{"op": "copy", "from": "/a", "path": "/a/0"}]),
            json!([{"op": "add", "path": "/b", "value": {}}, {"op": "move", "from": "/a", "path": "/b/a"}]),
        ] {
            assert!(matches!(patched(nested.clone(), operations), Err(Error::Rejected)));
        }
    }

    #[test]
    fn operations_are_counted() {
        let test = json!({"op": "test", "path": "", "value": {}});
        let times = |n| patched(json!({}), json!(vec![test.clone(); n]));
        assert!(times(OPERATIONS_MAX).is_ok());
        let error = times(OPERATIONS_MAX + 1).unwrap_err();
        let text = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
        assert_eq!(error.to_string(), text);
    }
}
