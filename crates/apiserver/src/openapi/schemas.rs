//! The schemas of a document: the tables of fields say what there is and how it merges, the
//! descriptions what it means.

use std::collections::{BTreeMap, HashMap};

use kinds::schema::{Field, Parts, Shape, Type};
use serde_json::{Map, Value, json};

use super::descriptions::{self, About};

/// The schemas that a document refers to, growing with what is referred to.
pub(super) struct Schemas {
    about: HashMap<&'static str, About>,
    made: BTreeMap<String, Value>,
    /// Referred to, and not made yet.
    wanted: Vec<&'static Type>,
}

impl Schemas {
    pub(super) fn new() -> Self {
        Self { about: descriptions::read(), made: BTreeMap::new(), wanted: Vec::new() }
    }

    /// Refers to the struct of a kind, which says of itself that it is one.
    pub(super) fn kind(&mut self, ty: &'static Type, gvk: &Value) -> Value {
        let reference = self.object(ty);
        self.make_wanted();
        if let Some(schema) = self.made.get_mut(&self.name(ty.name)) {
            schema["x-kubernetes-group-version-kind"] = json!([gvk]);
        }
        reference
    }

    /// Every schema that was referred to, by its full name.
    pub(super) fn finish(mut self) -> BTreeMap<String, Value> {
        self.make_wanted();
        self.made
    }

    fn make_wanted(&mut self) {
        while let Some(ty) = self.wanted.pop() {
            let name = self.name(ty.name);
            if !self.made.contains_key(&name) {
                // Its own name is taken first: a type may contain itself.
                self.made.insert(name.clone(), Value::Null);
                let schema = self.of_type(ty);
                self.made.insert(name, schema);
            }
        }
    }

    fn name(&self, short: &str) -> String {
        self.about.get(short).map_or(short, |about| about.name).to_owned()
    }

    fn object(&mut self, ty: &'static Type) -> Value {
        self.wanted.push(ty);
        json!({ "$ref": format!("#/components/schemas/{}", self.name(ty.name)) })
    }

    fn of_type(&mut self, ty: &'static Type) -> Value {
        let properties: Map<String, Value> = ty
            .fields
            .iter()
            .map(|field| (field.name.to_owned(), self.of_field(ty.name, field)))
            .collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if let Some(about) = self.about.get(ty.name) {
            schema["description"] = about.text().into();
            let required = ty.fields.iter().map(|field| field.name);
            let required: Vec<&str> = required.filter(|name| about.requires(name)).collect();
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
        }
        if ty.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        schema
    }

    fn of_field(&mut self, ty: &str, field: &Field) -> Value {
        let mut schema = self.of_shape(&field.shape);
        // Beside a reference nothing else counts.
        if schema.get("$ref").is_some() {
            schema = json!({ "allOf": [schema] });
        }
        let text = self.about.get(ty).map(|about| about.field(field.name)).unwrap_or_default();
        if !text.is_empty() {
            schema["description"] = text.into();
        }
        merges(field, &mut schema);
        schema
    }

    fn of_shape(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::String => json!({ "type": "string" }),
            Shape::Int32 => json!({ "type": "integer", "format": "int32" }),
            Shape::Int64 => json!({ "type": "integer", "format": "int64" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Bytes => json!({ "type": "string", "format": "byte" }),
            Shape::Time => self.leaf("Time", json!({ "type": "string", "format": "date-time" })),
            Shape::MicroTime => {
                self.leaf("MicroTime", json!({ "type": "string", "format": "date-time" }))
            }
            Shape::Quantity => self
                .leaf("Quantity", json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] })),
            Shape::IntOrString => {
                let either = json!([{ "type": "integer" }, { "type": "string" }]);
                self.leaf("IntOrString", json!({ "format": "int-or-string", "oneOf": either }))
            }
            Shape::Any => self.leaf("FieldsV1", json!({ "type": "object" })),
            Shape::Object(ty) => self.object(ty),
            Shape::List(of) => json!({ "type": "array", "items": self.of_shape(of) }),
            Shape::Map(of) => {
                json!({ "type": "object", "additionalProperties": self.of_shape(of) })
            }
        }
    }

    /// Refers to a type without fields.
    fn leaf(&mut self, short: &str, mut schema: Value) -> Value {
        let name = self.name(short);
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Some(about) = self.about.get(short) {
            schema["description"] = about.text().into();
        }
        self.made.entry(name).or_insert(schema);
        reference
    }
}

/// Says how patches and server-side apply take a field.
fn merges(field: &Field, schema: &mut Value) {
    let list = matches!(field.shape, Shape::List(_));
    match field.parts {
        Parts::Atomic if list => schema["x-kubernetes-list-type"] = "atomic".into(),
        Parts::Atomic if matches!(field.shape, Shape::Object(_) | Shape::Map(_)) => {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        Parts::Set => schema["x-kubernetes-list-type"] = "set".into(),
        Parts::Keys(keys) => {
            schema["x-kubernetes-list-type"] = "map".into();
            schema["x-kubernetes-list-map-keys"] = json!(keys);
        }
        Parts::Atomic | Parts::Granular => {}
    }
    let merge = field.patch.merge.then_some("merge");
    let retain = field.patch.retain_keys.then_some("retainKeys");
    let strategy: Vec<&str> = merge.into_iter().chain(retain).collect();
    if !strategy.is_empty() {
        schema["x-kubernetes-patch-strategy"] = strategy.join(",").into();
    }
    if !field.patch.key.is_empty() {
        schema["x-kubernetes-patch-merge-key"] = field.patch.key.into();
    }
}
