//! JSON patch, RFC 6902, as upstream's library reads it: an index below zero counts from the end, a
//! map has null under every key that it does not have (a `test` for null holds there, a `copy`
//! copies null, a `replace` adds the key), and an operation without a value means null.
//!
//! Written by hand because a patch comes from outside: copies could double an object with every
//! operation, moves nest it deeper than any reader goes, and ten thousand insertions in front of a
//! long list keep the server busy for minutes. All of that ends here.

use serde_json::Value;

use super::{Error, Map};

/// The most operations of one patch.
pub(super) const OPERATIONS_MAX: usize = 10_000;
/// The most that all `copy` operations of one patch may copy.
const COPIED_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The most values that one patch may shift in lists or inspect on their way to another place.
const WORK_VALUES_MAX: usize = 10_000_000;
/// The most levels of lists and maps in a result: what `serde_json` reads.
const DEPTH_MAX: usize = 127;

/// Applies all operations in their order, or none.
pub(super) fn apply(mut document: Value, operations: Vec<Map>) -> Result<Value, Error> {
    if operations.len() > OPERATIONS_MAX {
        return Err(Error::TooManyOperations(operations.len()));
    }
    let mut budget = Budget { copied_bytes: COPIED_BYTES_MAX, work_values: WORK_VALUES_MAX };
    for operation in operations {
        step(&mut document, operation, &mut budget).ok_or(Error::Rejected)?;
    }
    Ok(document)
}

/// What a patch may still spend.
struct Budget {
    copied_bytes: usize,
    work_values: usize,
}

impl Budget {
    fn copy(&mut self, bytes: usize) -> Option<()> {
        self.copied_bytes = self.copied_bytes.checked_sub(bytes)?;
        Some(())
    }

    fn work(&mut self, values: usize) -> Option<()> {
        self.work_values = self.work_values.checked_sub(values)?;
        Some(())
    }
}

/// One operation; `None` if it fails, whatever the cause: clients are told no more.
fn step(document: &mut Value, mut operation: Map, budget: &mut Budget) -> Option<()> {
    let value = operation.remove("value").unwrap_or_default();
    let pointer = |name: &str| Pointer::parse(operation.get(name)?.as_str()?);
    let path = pointer("path")?;
    match operation.get("op")?.as_str()? {
        "add" => add(document, &path, value, budget),
        "remove" => remove(document, &path, budget).map(drop),
        "replace" => set(document, &path, value, budget),
        "move" => {
            let moved = remove(document, &pointer("from")?, budget)?;
            add(document, &path, moved, budget)
        }
        "copy" => {
            let copied = value_at(document, &pointer("from")?)?.clone();
            budget.copy(copied.to_string().len())?;
            add(document, &path, copied, budget)
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
fn remove(document: &mut Value, path: &Pointer, budget: &mut Budget) -> Option<Value> {
    let (parent, key) = path.split()?;
    match get_mut(document, parent)? {
        Value::Object(map) => map.remove(key),
        Value::Array(list) => {
            let place = index(key, list.len())?;
            budget.work(list.len() - place)?;
            Some(list.remove(place))
        }
        _ => None,
    }
}

/// Puts a value under a key, or into a list before the item at an index (`-`: behind the last). The
/// whole document can only be replaced.
fn add(document: &mut Value, path: &Pointer, value: Value, budget: &mut Budget) -> Option<()> {
    let (parent, key) = path.split()?;
    if let Value::Array(list) = get_mut(document, parent)? {
        shallow(path, &value, budget)?;
        let place = if key == "-" { list.len() } else { index(key, list.len() + 1)? };
        budget.work(list.len() - place)?;
        list.insert(place, value);
        return Some(());
    }
    set(document, path, value, budget)
}

/// Puts a value in the place of another, or under a new key.
fn set(document: &mut Value, path: &Pointer, value: Value, budget: &mut Budget) -> Option<()> {
    shallow(path, &value, budget)?;
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
fn shallow(path: &Pointer, value: &Value, budget: &mut Budget) -> Option<()> {
    (path.0.len() + depth(value, budget)? <= DEPTH_MAX).then_some(())
}

fn depth(value: &Value, budget: &mut Budget) -> Option<usize> {
    budget.work(1)?;
    let mut deepest = 0;
    let look = |inner| {
        deepest = depth(inner, budget)?.max(deepest);
        Some(())
    };
    match value {
        Value::Object(map) => map.values().try_for_each(look)?,
        Value::Array(list) => list.iter().try_for_each(look)?,
        _ => return Some(0),
    }
    Some(1 + deepest)
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
            json!([
                {"op": "add", "path": "/b", "value": {}},
                {"op": "move", "from": "/a", "path": "/b/a"},
            ]),
        ] {
            assert!(matches!(patched(nested.clone(), operations), Err(Error::Rejected)));
        }
    }

    #[test]
    fn work_ends() {
        let times = |operations: &[Value], n: usize| {
            let document = json!({"l": vec![0; 10_000], "m": {}});
            patched(document, json!(vec![operations; n].concat()))
        };
        for operations in [
            vec![json!({"op": "add", "path": "/l/0", "value": 0})],
            vec![json!({"op": "remove", "path": "/l/0"}), json!({"op": "add", "path": "/l/-"})],
            vec![json!({"op": "move", "from": "/l", "path": "/l"})],
        ] {
            assert!(times(&operations, 100).is_ok());
            assert!(matches!(times(&operations, 1100), Err(Error::Rejected)));
        }
    }

    #[test]
    fn operations_are_counted() {
        let test = json!({"op": "test", "path": "", "value": {}});
        let times = |n| patched(json!({}), json!(vec![test.clone(); n]));
        assert!(times(OPERATIONS_MAX).is_ok());
        let error = times(OPERATIONS_MAX + 1).unwrap_err();
        let text = "The allowed maximum operations in a JSON patch is 10000, got 10001";
        assert_eq!(error.to_string(), format!("Request entity too large: {text}"));
    }
}
