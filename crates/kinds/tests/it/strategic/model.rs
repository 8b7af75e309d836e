//! Strategic merge as it is meant, without order and without cleverness: an object is a tree in
//! which a merged list is a map from key to item or a set, and a patch changes the tree.

use std::collections::{BTreeMap, BTreeSet};

use kinds::schema::{Patch, Shape};
use serde_json::{Map, Value};

/// An object in which lists that merge have no order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Leaf(Value),
    Map(BTreeMap<String, Tree>),
    Keyed(BTreeMap<String, Tree>),
    Set(BTreeSet<String>),
}

/// How what the schema does not know merges.
pub(crate) const PLAIN: Patch = Patch { merge: false, retain_keys: false, key: "" };

fn under(shape: Option<Shape>, key: &str) -> (Option<Shape>, Patch) {
    match shape {
        Some(Shape::Object(ty)) => {
            ty.field(key).map_or((None, PLAIN), |field| (Some(field.shape), field.patch))
        }
        Some(Shape::Map(item)) => (Some(*item), PLAIN),
        _ => (None, PLAIN),
    }
}

fn item_shape(shape: Option<Shape>) -> Option<Shape> {
    if let Some(Shape::List(item)) = shape { Some(*item) } else { None }
}

/// The tree of a value.
pub(crate) fn tree(value: &Value, shape: Option<Shape>, how: Patch) -> Tree {
    match value {
        Value::Object(map) => Tree::Map(branches(map, shape)),
        Value::Array(items) if how.merge && how.key.is_empty() => {
            Tree::Set(items.iter().map(Value::to_string).collect())
        }
        Value::Array(items) if how.merge => {
            let entry =
                |item: &Value| (item[how.key].to_string(), tree(item, item_shape(shape), PLAIN));
            Tree::Keyed(items.iter().map(entry).collect())
        }
        other => Tree::Leaf(other.clone()),
    }
}

/// The tree of an object.
pub(crate) fn branches(map: &Map<String, Value>, shape: Option<Shape>) -> BTreeMap<String, Tree> {
    let branch = |(key, value): (&String, &Value)| {
        let (shape, how) = under(shape, key);
        (key.clone(), tree(value, shape, how))
    };
    map.iter().map(branch).collect()
}

/// Changes a tree as a patch says.
pub(crate) fn change(
    at: &mut BTreeMap<String, Tree>,
    patch: &Map<String, Value>,
    shape: Option<Shape>,
) {
    if let Some(directive) = patch.get("$patch") {
        at.clear();
        if directive == "replace" {
            let mut rest = patch.clone();
            rest.remove("$patch");
            *at = branches(&rest, shape);
        }
        return;
    }
    if let Some(Value::Array(kept)) = patch.get("$retainKeys") {
        at.retain(|key, _| kept.iter().any(|k| k == key));
    }
    for (key, new) in patch {
        if key == "$retainKeys" || key.starts_with("$setElementOrder/") {
            continue;
        }
        if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Tree::Set(set)), Value::Array(gone)) = (at.get_mut(field), new) {
                let gone: BTreeSet<String> = gone.iter().map(Value::to_string).collect();
                set.retain(|item| !gone.contains(item));
            }
            continue;
        }
        let (shape, how) = under(shape, key);
        match (at.get_mut(key), new) {
            (_, Value::Null) => drop(at.remove(key)),
            (Some(Tree::Map(map)), Value::Object(new)) => change(map, new, shape),
            (Some(Tree::Keyed(items)), Value::Array(new)) => {
                change_items(items, new, item_shape(shape), how.key);
            }
            (Some(Tree::Set(set)), Value::Array(new)) => {
                set.extend(new.iter().map(Value::to_string));
            }
            (Some(Tree::Leaf(old)), Value::Array(new)) if old.is_array() => {
                *old = new.clone().into();
            }
            (_, new) => match fresh(new) {
                Some(new) => drop(at.insert(key.clone(), tree(&new, shape, how))),
                None => drop(at.remove(key)),
            },
        }
    }
}

fn change_items(
    items: &mut BTreeMap<String, Tree>,
    patch: &[Value],
    shape: Option<Shape>,
    key: &str,
) {
    if patch.iter().any(|item| item["$patch"] == "replace") {
        items.clear();
    }
    for item in patch.iter().filter(|item| item["$patch"] == "delete") {
        items.remove(&item[key].to_string());
    }
    for item in patch.iter().filter(|item| item.get("$patch").is_none()) {
        match (items.get_mut(&item[key].to_string()), item) {
            (Some(Tree::Map(old)), Value::Object(item)) => change(old, item, shape),
            _ => {
                let new = fresh(item).expect("an item without $patch");
                items.insert(item[key].to_string(), tree(&new, shape, PLAIN));
            }
        }
    }
}

/// What is put where nothing stands: without directives, and without what they direct.
fn fresh(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key("$patch") => None,
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, v)| !key.starts_with('$') && !v.is_null());
            Some(Value::Object(kept.filter_map(|(k, v)| Some((k.clone(), fresh(v)?))).collect()))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(fresh).collect())),
        scalar => Some(scalar.clone()),
    }
}

/// Where the result lacks something that is wanted.
pub(crate) fn missing(wanted: &Tree, result: &Tree) -> Option<String> {
    match (wanted, result) {
        (Tree::Map(wanted), Tree::Map(result)) | (Tree::Keyed(wanted), Tree::Keyed(result)) => {
            wanted.iter().find_map(|(key, wanted)| match result.get(key) {
                None => Some(key.clone()),
                Some(result) => missing(wanted, result).map(|path| format!("{key}.{path}")),
            })
        }
        (Tree::Set(wanted), Tree::Set(result)) => wanted.difference(result).next().cloned(),
        (wanted, result) => (wanted != result).then(|| format!("{result:?}")),
    }
}

/// Where the result still has what was applied last and is not wanted any more.
pub(crate) fn left(last: &Tree, wanted: &Tree, result: &Tree) -> Option<String> {
    match (last, wanted, result) {
        (Tree::Map(last), Tree::Map(wanted), Tree::Map(result))
        | (Tree::Keyed(last), Tree::Keyed(wanted), Tree::Keyed(result)) => {
            last.iter().find_map(|(key, last)| match (wanted.get(key), result.get(key)) {
                (None, Some(_)) => Some(key.clone()),
                (Some(wanted), Some(result)) => {
                    left(last, wanted, result).map(|path| format!("{key}.{path}"))
                }
                (_, None) => None,
            })
        }
        (Tree::Set(last), Tree::Set(wanted), Tree::Set(result)) => {
            last.difference(wanted).find(|item| result.contains(*item)).cloned()
        }
        _ => None,
    }
}
