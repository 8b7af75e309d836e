//! Strategic merge patch: a merge patch that knows the kind. Which lists merge, and by what, the
//! schema says; directives in the patch say what values cannot:
//!
//! - `$patch: replace` and `$patch: delete` in a map: use the rest of the map as it is; empty it
//! - `$patch` in an item of a merged list: `delete` takes the item out, `replace` replaces the list
//! - `$retainKeys: […]`: keys that are not named go
//! - `$deleteFromPrimitiveList/<field>: […]`: these items go from a list of scalars
//! - `$setElementOrder/<field>: […]`: the order of a list ([`lists`](super::lists))
//!
//! Directives end with the merge: where nothing stands yet, what carries a `$patch` is dropped
//! whole, and the other directives are dropped from what is put there.

use std::collections::HashSet;

use serde_json::Value;

use super::{Error, Map, go, lists};
use crate::schema::{Patch, Shape};

pub(super) const DIRECTIVE: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(super) const SET_ORDER: &str = "$setElementOrder";

/// What the schema says of a value. Of fields that it does not know and of what is in them it says
/// nothing: maps merge then, and lists are replaced.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) shape: Option<Shape>,
    pub(super) patch: Patch,
}

impl Place {
    const UNKNOWN: Self =
        Self { shape: None, patch: Patch { merge: false, retain_keys: false, key: "" } };

    /// What stands under a key of a struct or map.
    pub(super) fn under(shape: Option<Shape>, key: &str) -> Self {
        match shape {
            Some(Shape::Object(ty)) => ty.field(key).map_or(Self::UNKNOWN, |field| Self {
                shape: Some(field.shape),
                patch: field.patch,
            }),
            Some(Shape::Map(item)) => Self { shape: Some(*item), ..Self::UNKNOWN },
            _ => Self::UNKNOWN,
        }
    }

    /// What the items of the list are.
    pub(super) fn items(&self) -> Option<Shape> {
        match self.shape {
            Some(Shape::List(item)) => Some(*item),
            _ => None,
        }
    }
}

/// Merges a patch into a map of that shape.
pub(super) fn merge(mut current: Map, mut patch: Map, shape: Option<Shape>) -> Result<Map, Error> {
    match patch.get(DIRECTIVE).map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            patch.remove(DIRECTIVE);
            return Ok(patch);
        }
        Some(Some("delete")) => return Ok(Map::new()),
        Some(_) => return Err(unknown_directive(&patch)),
    }
    retain_keys(&mut current, &mut patch)?;
    set_orders(&mut current, &mut patch, shape)?;
    for (key, new) in patch {
        if key.starts_with(DELETE_FROM) {
            delete_from(&mut current, target(&key, DELETE_FROM, "primitive list")?, new)?;
            continue;
        }
        let place = Place::under(shape, &key);
        let merged = match (current.remove(&key), new) {
            (_, Value::Null) => None,
            (Some(Value::Object(old)), Value::Object(new)) => {
                Some(Value::Object(merge(old, new, place.shape)?))
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                Some(Value::Array(lists::merge(old, new, &place)?))
            }
            (_, new) => clean(new),
        };
        if let Some(merged) = merged {
            current.insert(key, merged);
        }
    }
    Ok(current)
}

/// Takes the keys that are not to be retained; a patch may set only keys that are.
fn retain_keys(current: &mut Map, patch: &mut Map) -> Result<(), Error> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || Error::Malformed("invalid patch format of retainKeys".to_owned());
    let keys: HashSet<&str> =
        keys.as_array().ok_or_else(bad)?.iter().filter_map(Value::as_str).collect();
    let sets = |(key, value): &(&String, &Value)| {
        !value.is_null() && !key.starts_with(DELETE_FROM) && !key.starts_with(SET_ORDER)
    };
    if patch.iter().filter(sets).any(|(key, _)| !keys.contains(&**key)) {
        return Err(bad());
    }
    current.retain(|key, _| keys.contains(&**key));
    Ok(())
}

/// Merges and orders the lists whose order the patch sets; they are done then.
fn set_orders(current: &mut Map, patch: &mut Map, shape: Option<Shape>) -> Result<(), Error> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(SET_ORDER)).cloned().collect();
    for directive in directives {
        let field = target(&directive, SET_ORDER, "setElementOrder list")?;
        if let Some(Shape::Object(ty)) = shape
            && ty.field(field).is_none()
        {
            let name = ty.name;
            return Err(Error::Malformed(format!(
                "unable to find api field in struct {name} for the json field {field:?}"
            )));
        }
        let list = |value: Option<Value>| value.map(lists::list).transpose();
        let order = list(patch.remove(&directive))?.unwrap_or_default();
        let (old, new) = (list(current.remove(field))?, list(patch.remove(field))?);
        let place = Place::under(shape, field);
        if let Some(ordered) = lists::ordered(old, new, &order, &place)? {
            current.insert(field.to_owned(), Value::Array(ordered));
        }
    }
    Ok(())
}

/// Takes scalars out of a list, or with null the whole list; where none is there is nothing to do.
fn delete_from(current: &mut Map, field: &str, gone: Value) -> Result<(), Error> {
    let bad = || Error::Malformed("invalid patch format of primitive list".to_owned());
    let gone = match gone {
        Value::Null => {
            current.remove(field);
            return Ok(());
        }
        Value::Array(gone) if !gone.iter().any(|v| v.is_object() || v.is_array()) => gone,
        _ => return Err(bad()),
    };
    if let Some(Value::Array(list)) = current.get_mut(field) {
        let gone: HashSet<Value> = gone.into_iter().collect();
        list.retain(|item| !gone.contains(item));
    }
    Ok(())
}

/// The field that a parallel list such as `$setElementOrder/ports` is for.
fn target<'a>(key: &'a str, directive: &str, what: &str) -> Result<&'a str, Error> {
    key.strip_prefix(directive)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| Error::Malformed(format!("invalid patch format of {what}")))
}

/// The `$patch` of an item of a list.
pub(super) fn directive(item: &Value) -> Option<&Value> {
    item.get(DIRECTIVE)
}

pub(super) fn unknown_directive(map: &Map) -> Error {
    let directive = map.get(DIRECTIVE).map(go::text).unwrap_or_default();
    let map = go::text(&Value::Object(map.clone()));
    Error::Malformed(format!("unknown patch type: {directive} in map: {map}"))
}

/// What is left of a part of the patch that is put where nothing stands: no directive, no null.
pub(super) fn clean(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let is_directive = |key: &str| {
                key == RETAIN_KEYS || key.starts_with(DELETE_FROM) || key.starts_with(SET_ORDER)
            };
            let kept = map.into_iter().filter(|(key, v)| !v.is_null() && !is_directive(key));
            let cleaned = kept.filter_map(|(key, v)| Some((key, clean(v)?)));
            Some(Value::Object(cleaned.collect()))
        }
        Value::Array(list) => Some(Value::Array(list.into_iter().filter_map(clean).collect())),
        scalar => Some(scalar),
    }
}
