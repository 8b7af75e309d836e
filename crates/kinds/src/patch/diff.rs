//! What a client that applies a manifest has to send: the strategic merge patch that makes an
//! object what the manifest wants, leaves alone what the manifest never spoke of, and takes away
//! what an earlier manifest said and this one does not.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Map,
    strategic::{DELETE_FROM, DIRECTIVE, Place, RETAIN_KEYS, SET_ORDER},
};
use crate::{
    Kind,
    schema::{self, Shape},
};

/// The strategic merge patch that brings a live object to what a manifest wants, as `kubectl
/// apply` computes it: sets what differs, and takes away what was in the manifest applied last and
/// is not in this one. `{}` if there is nothing to do. All are the JSON of objects of that kind;
/// a manifest applied last that cannot be read takes nothing away.
///
/// # Panics
/// If `wanted` or `live` is not a JSON object.
pub fn three_way(kind: Kind, last_applied: Option<&[u8]>, wanted: &[u8], live: &[u8]) -> Vec<u8> {
    let read = |json: &[u8]| -> Map {
        serde_json::from_slice(json).expect("a manifest and an object are JSON objects")
    };
    let last: Option<Map> = last_applied.and_then(|json| serde_json::from_slice(json).ok());
    let shape = Shape::Object(schema::of(kind));
    let patch = maps(last.as_ref(), &read(wanted), &read(live), Some(shape), false);
    serde_json::to_vec(&patch).expect("values serialise")
}

/// The patch of one map. Where keys are to be retained, whatever is not wanted goes.
fn maps(last: Option<&Map>, wanted: &Map, live: &Map, shape: Option<Shape>, retain: bool) -> Map {
    let before = |key: &str| last.and_then(|last| last.get(key));
    let mut patch = Map::new();
    for (key, want) in wanted {
        let place = Place::under(shape, key);
        match (want, live.get(key)) {
            (Value::Object(want), Some(Value::Object(have))) => {
                let last = before(key).and_then(Value::as_object);
                let change = maps(last, want, have, place.shape, place.patch.retain_keys);
                if !change.is_empty() {
                    patch.insert(key.clone(), Value::Object(change));
                }
            }
            (Value::Array(want), Some(Value::Array(have))) if place.patch.merge => {
                let last = before(key).and_then(Value::as_array);
                let lists = Lists { last: last.map_or(&[], |last| last), want, have };
                patch.extend(lists.patch(key, &place));
            }
            (Value::Null, None) => {}
            (want, have) if have == Some(want) => {}
            (want, _) => {
                patch.insert(key.clone(), want.clone());
            }
        }
    }
    let gone = last.into_iter().flat_map(Map::keys);
    let gone = gone.filter(|key| !wanted.contains_key(*key) && live.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    if retain && (!patch.is_empty() || live.keys().any(|key| !wanted.contains_key(key))) {
        let kept = wanted.iter().filter(|(_, value)| !value.is_null());
        let kept: Vec<&String> = kept.map(|(key, _)| key).collect();
        patch.insert(RETAIN_KEYS.to_owned(), json!(kept));
    }
    patch
}

/// A merged list in its three states.
struct Lists<'a> {
    last: &'a [Value],
    want: &'a [Value],
    have: &'a [Value],
}

impl Lists<'_> {
    /// The entries of the patch that are for this field.
    fn patch(&self, field: &str, place: &Place) -> Map {
        if self.want == self.have {
            return Map::new();
        }
        if self.have.is_empty() {
            return Map::from_iter([(field.to_owned(), json!(self.want))]);
        }
        match place.patch.key {
            "" => self.scalars(field),
            key => self.objects(field, key, place).unwrap_or_else(|| self.replaced(field)),
        }
    }

    /// The whole list instead of the other: a merge cannot tell items apart that share a key, such
    /// as one port of two protocols.
    fn replaced(&self, field: &str) -> Map {
        let replace = json!({ DIRECTIVE: "replace" });
        let items = self.want.iter().cloned().chain([replace]);
        Map::from_iter([(field.to_owned(), items.collect())])
    }

    /// `None` if the items do not have each a key of its own.
    fn objects(&self, field: &str, key: &str, place: &Place) -> Option<Map> {
        let (want, have) = (by_key(self.want, key)?, by_key(self.have, key)?);
        let last = by_key(self.last, key).unwrap_or_default();
        let mut items = Vec::new();
        for (name, want) in named(self.want, key) {
            let Some(&have) = have.get(name) else {
                items.push(Value::Object(want.clone()));
                continue;
            };
            let last = last.get(name).copied();
            let mut change = maps(last, want, have, place.items(), place.patch.retain_keys);
            if !change.is_empty() {
                change.insert(key.to_owned(), name.clone());
                items.push(Value::Object(change));
            }
        }
        let gone = named(self.last, key).map(|(name, _)| name);
        let gone = gone.filter(|name| !want.contains_key(name) && have.contains_key(name));
        items.extend(gone.map(|name| json!({ key: name, DIRECTIVE: "delete" })));
        let names: Vec<&Value> = named(self.want, key).map(|(name, _)| name).collect();
        let kept = named(self.have, key).map(|(name, _)| name).filter(|n| want.contains_key(n));
        let mut patch = Map::new();
        if !items.is_empty() || !kept.eq(names.iter().copied()) {
            let order = names.iter().map(|name| json!({ key: name })).collect();
            patch.insert(format!("{SET_ORDER}/{field}"), order);
        }
        if !items.is_empty() {
            patch.insert(field.to_owned(), items.into());
        }
        Some(patch)
    }

    fn scalars(&self, field: &str) -> Map {
        let set = |list: &'_ [Value]| -> HashSet<Value> { list.iter().cloned().collect() };
        let (want, have) = (set(self.want), set(self.have));
        let unique = |list: &[Value]| -> Vec<Value> {
            let mut seen = HashSet::new();
            list.iter().filter(|item| seen.insert(*item)).cloned().collect()
        };
        let order = unique(self.want);
        let new: Vec<&Value> = order.iter().filter(|item| !have.contains(*item)).collect();
        let mut gone = unique(self.last);
        gone.retain(|item| !want.contains(item) && have.contains(item));
        let kept = self.have.iter().filter(|item| want.contains(*item));
        let mut patch = Map::new();
        if !new.is_empty() || !gone.is_empty() || !kept.eq(&order) {
            patch.insert(format!("{SET_ORDER}/{field}"), json!(order));
        }
        if !new.is_empty() {
            patch.insert(field.to_owned(), json!(new));
        }
        if !gone.is_empty() {
            patch.insert(format!("{DELETE_FROM}/{field}"), json!(gone));
        }
        patch
    }
}

/// The items that are maps with a key, and the value of the key.
fn named<'a>(list: &'a [Value], key: &str) -> impl Iterator<Item = (&'a Value, &'a Map)> {
    list.iter().filter_map(move |item| Some((item.get(key)?, item.as_object()?)))
}

/// The items by their keys; `None` if an item has none, or not for itself.
fn by_key<'a>(list: &'a [Value], key: &str) -> Option<HashMap<&'a Value, &'a Map>> {
    let items: HashMap<&Value, &Map> = named(list, key).collect();
    (items.len() == list.len()).then_some(items)
}
