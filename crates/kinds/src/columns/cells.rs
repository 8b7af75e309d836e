//! What the tables of several kinds have in common: columns that recur, and the words for what is
//! not there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Column, Row, time};
use crate::{Object, metav1::LabelSelector, selector::Selector};

pub(super) const NONE: &str = "<none>";
pub(super) const UNKNOWN: &str = "<unknown>";

pub(super) const NAME: Column =
    Column { format: "name", ..text("Name", "Name of the object, unique among its kind") };
pub(super) const AGE: Column = text("Age", "Time since the object was created");
pub(super) const CONTAINERS: Column = wide("Containers", "Names of the containers");
pub(super) const IMAGES: Column = wide("Images", "Images of the containers");

/// A column of text that is always shown.
pub(super) const fn text(name: &'static str, description: &'static str) -> Column {
    Column { name, kind: "string", format: "", description, priority: 0 }
}

/// A column of text that is shown with `-o wide`.
pub(super) const fn wide(name: &'static str, description: &'static str) -> Column {
    Column { priority: 1, ..text(name, description) }
}

/// A row that has no conditions, as most.
pub(super) fn plain<const N: usize>(cells: [Value; N]) -> Row {
    Row { cells: cells.into(), conditions: &[] }
}

/// The part of an object that its row needs.
pub(super) fn view<T: DeserializeOwned>(object: &Object) -> T {
    serde_json::from_slice(&object.json()).expect("the store holds only objects it validated")
}

pub(super) fn name(object: &Object) -> Value {
    Value::from(&*object.key.name)
}

/// The cell of [`AGE`].
pub(super) fn age(object: &Object, now: Timestamp) -> Value {
    let created = match object.meta.created_s {
        0 => None,
        seconds => Timestamp::from_second(seconds).ok(),
    };
    time::since(created, now).into()
}

/// A text, or the word for its absence.
pub(super) fn or(text: String, absent: &str) -> Value {
    if text.is_empty() { absent.into() } else { text.into() }
}

/// Labels as `k=v,k=v`.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> Value {
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    or(pairs.join(","), NONE)
}

/// A label selector in its query form.
pub(super) fn selector(selector: Option<&LabelSelector>) -> Value {
    or(Selector::from_label_selector(selector).to_string(), NONE)
}

/// What is shown of a pod template.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    pub(super) metadata: TemplateMeta,
    spec: TemplateSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateMeta {
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateSpec {
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    name: String,
    image: String,
}

impl Template {
    /// The cell of [`CONTAINERS`].
    pub(super) fn names(&self) -> Value {
        let names: Vec<&str> = self.spec.containers.iter().map(|c| &*c.name).collect();
        names.join(",").into()
    }

    /// The cell of [`IMAGES`].
    pub(super) fn images(&self) -> Value {
        let images: Vec<&str> = self.spec.containers.iter().map(|c| &*c.image).collect();
        images.join(",").into()
    }
}
