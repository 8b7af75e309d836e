//! How lists merge under a strategic merge patch, and in which order the items then stand.
//!
//! Items that the patch names keep the order of the patch (or of `$setElementOrder`), items that
//! only the object has keep theirs. The two are woven together by the order of the object: one of
//! its items stands before an item of the patch only if the object has both and has them so. Hence
//! what the patch adds stands as far in front as its own order lets it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    Error, Map, go,
    strategic::{self, Place},
};

/// Merges a list into another of the same field: by the merge key, as a set of scalars, or not at
/// all, as the schema says.
pub(super) fn merge(old: Vec<Value>, new: Vec<Value>, place: &Place) -> Result<Vec<Value>, Error> {
    if !place.patch.merge {
        return Ok(new);
    }
    match of_one_type(&old, &new)? {
        Some(Value::Object(_)) => objects(old, new, place),
        _ => scalars(old, new, place.patch.key),
    }
}

/// Merges what there is of a list and its patch, and puts it into the order that the patch sets;
/// `None` if there is neither.
pub(super) fn ordered(
    old: Option<Vec<Value>>,
    new: Option<Vec<Value>>,
    order: &[Value],
    place: &Place,
) -> Result<Option<Vec<Value>>, Error> {
    let key = place.patch.key;
    let (was, is) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
    of_one_type(was, is)?;
    follows(is, order, key)?;
    let server = if place.patch.merge { server_order(was, is, key)? } else { keys(was, key)? };
    let merged = match (old, new) {
        (None, None) => return Ok(None),
        (Some(old), None) => old,
        (None, Some(new)) => new.into_iter().filter_map(strategic::clean).collect(),
        (Some(old), Some(new)) => merge(old, new, place)?,
    };
    arranged(merged, &keys(order, key)?, &server, key).map(Some)
}

/// The order that the server is taken to have had: where the patch deletes items and adds others,
/// upstream counts those that are added as its last, up to the number of those that are gone.
fn server_order(old: &[Value], new: &[Value], key: &str) -> Result<Vec<Value>, Error> {
    let deletes =
        |item: &Value| strategic::directive(item).and_then(Value::as_str) == Some("delete");
    let gone: HashSet<&Value> =
        new.iter().filter(|item| deletes(item)).filter_map(|item| item.get(key)).collect();
    let mut order = keys(old, key)?;
    order.retain(|name| !gone.contains(name));
    let free = old.len() - order.len();
    let mut known: HashSet<Value> = order.iter().cloned().collect();
    let added = new.iter().filter(|item| strategic::directive(item).is_none());
    let added = added.filter_map(|item| key_of(item, key).ok().cloned());
    order.extend(added.filter(|name| known.insert(name.clone())).take(free));
    Ok(order)
}

/// The list that a value must be.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(wrong_type(&Value::Array(Vec::new()), &other)),
    }
}

fn wrong_type(wanted: &Value, found: &Value) -> Error {
    let (wanted, found) = (go::type_name(wanted), go::type_name(found));
    Error::Malformed(format!("expected a {wanted}, but received a {found}"))
}

/// What tells an item from the others: the value of its merge key, or without one the item itself.
fn key_of<'a>(item: &'a Value, key: &str) -> Result<&'a Value, Error> {
    if key.is_empty() {
        return Ok(item);
    }
    let map = item.as_object().ok_or_else(|| wrong_type(&Value::Object(Map::new()), item))?;
    map.get(key).ok_or_else(|| {
        let map = go::text(item);
        Error::Malformed(format!("map: {map} does not contain declared merge key: {key}"))
    })
}

fn keys(items: &[Value], key: &str) -> Result<Vec<Value>, Error> {
    items.iter().map(|item| key_of(item, key).cloned()).collect()
}

/// The place of each key in a list; the first place if it stands there more than once.
fn places(keys: &[Value]) -> HashMap<&Value, usize> {
    keys.iter().enumerate().rev().map(|(at, key)| (key, at)).collect()
}

/// An item of the lists, all of which are of one type and no lists; `None` if there is no item.
fn of_one_type<'a>(old: &'a [Value], new: &'a [Value]) -> Result<Option<&'a Value>, Error> {
    let Some(first) = old.iter().chain(new).next() else { return Ok(None) };
    if first.is_array() {
        return Err(Error::Rejected);
    }
    if old.iter().chain(new).any(|item| go::type_name(item) != go::type_name(first)) {
        let (old, new) = (go::list(old), go::list(new));
        let text = format!("list element types are not identical: [{old} {new}]");
        return Err(Error::Malformed(text));
    }
    Ok(Some(first))
}

/// The map that an item is, once [`of_one_type`] saw one among them.
fn map(item: Value) -> Map {
    match item {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn scalars(old: Vec<Value>, new: Vec<Value>, key: &str) -> Result<Vec<Value>, Error> {
    let mut seen = HashSet::new();
    let merged = old.iter().chain(&new).filter(|item| seen.insert(*item)).cloned().collect();
    arranged(merged, &keys(&new, key)?, &keys(&old, key)?, key)
}

fn objects(old: Vec<Value>, new: Vec<Value>, place: &Place) -> Result<Vec<Value>, Error> {
    let key = place.patch.key;
    if key.is_empty() {
        let text = "cannot merge lists without merge key for a list of objects";
        return Err(Error::Malformed(text.to_owned()));
    }
    let (mut merged, new) = directives(old, new, key)?;
    let (named, server) = (keys(&new, key)?, keys(&merged, key)?);
    let mut at: HashMap<Value, usize> =
        places(&server).into_iter().map(|(key, at)| (key.clone(), at)).collect();
    for (item, name) in new.into_iter().zip(&named) {
        if let Some(&at) = at.get(name) {
            let old = map(merged[at].take());
            merged[at] = Value::Object(strategic::merge(old, map(item), place.items())?);
        } else {
            at.insert(name.clone(), merged.len());
            merged.extend(strategic::clean(item));
        }
    }
    arranged(merged, &named, &server, key)
}

/// Follows the `$patch` of items: gives what stays of the old list, and the items that merge.
fn directives(
    mut old: Vec<Value>,
    new: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let mut rest = Vec::new();
    let mut gone = HashSet::new();
    let mut replaced = false;
    for item in new {
        match strategic::directive(&item).map(Value::as_str) {
            None => rest.push(item),
            Some(Some("delete")) => {
                gone.insert(key_of(&item, key)?.clone());
            }
            Some(Some("replace")) => replaced = true,
            Some(Some("merge")) => {
                let text = "merging lists cannot yet be specified in the patch";
                return Err(Error::Malformed(text.to_owned()));
            }
            Some(_) => return Err(strategic::unknown_directive(&map(item))),
        }
    }
    if replaced {
        return Ok((rest.into_iter().filter_map(strategic::clean).collect(), Vec::new()));
    }
    old.retain(|item| item.get(key).is_none_or(|name| !gone.contains(name)));
    Ok((old, rest))
}

/// Checks that the items of a patch stand in the order that it sets, and are all in it.
fn follows(new: &[Value], order: &[Value], key: &str) -> Result<(), Error> {
    if new.is_empty() || order.is_empty() {
        return Ok(());
    }
    let named = keys(order, key)?;
    let mut named = named.iter();
    for item in new.iter().filter(|item| strategic::directive(item).is_none()) {
        let name = key_of(item, key)?;
        if !named.any(|other| other == name) {
            let (new, order) = (go::list(new), go::list(order));
            return Err(Error::Malformed(format!(
                "The order in patch list:\n{new}\n doesn't match $setElementOrder list:\n{order}\n"
            )));
        }
    }
    Ok(())
}

/// Puts a merged list into order: items that are named in the order of the names, the others in
/// that of the server, and the one before the other only if the server has both so.
fn arranged(
    merged: Vec<Value>,
    named: &[Value],
    server: &[Value],
    key: &str,
) -> Result<Vec<Value>, Error> {
    let (named_at, server_at) = (places(named), places(server));
    let mut front = Vec::new();
    let mut others = Vec::new();
    for item in merged {
        let name = key_of(&item, key)?;
        let at = server_at.get(name).copied();
        match named_at.get(name) {
            Some(&place) => front.push((place, at, item)),
            None => others.push((at.unwrap_or(usize::MAX), at, item)),
        }
    }
    front.sort_by_key(|(place, ..)| *place);
    others.sort_by_key(|(place, ..)| *place);
    let mut arranged = Vec::with_capacity(front.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (_, at, item) in front {
        while let Some((.., other)) =
            others.next_if(|(_, other, _)| at.is_some_and(|at| other.is_some_and(|o| o < at)))
        {
            arranged.push(other);
        }
        arranged.push(item);
    }
    arranged.extend(others.map(|(.., other)| other));
    Ok(arranged)
}
