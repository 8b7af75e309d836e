//! Equality as Kubernetes has it: a list or a map that is empty is as good as none. Clients with typed
//! objects drop what is empty when they write back what they read, and must not be told that they
//! changed it.

use serde::Serialize;
use serde_json::Value;

use crate::{
    Kind,
    schema::{self, Shape},
};

/// Whether two values of the field of a kind, which may lie deep, are the same.
pub(super) fn same<T: PartialEq + Serialize>(
    kind: Kind,
    path: &[&str],
    one: &T,
    other: &T,
) -> bool {
    if one == other {
        return true;
    }
    let shape = path.iter().fold(Shape::Object(schema::of(kind)), |shape, name| field(shape, name));
    let compact = |value: &T| {
        let mut json = serde_json::to_value(value).unwrap_or_default();
        compact(&mut json, shape);
        json
    };
    compact(one) == compact(other)
}

fn field(shape: Shape, name: &str) -> Shape {
    match shape {
        Shape::Object(ty) => ty.field(name).map_or(Shape::Any, |field| field.shape),
        Shape::Map(item) => *item,
        _ => Shape::Any,
    }
}

/// Takes out the fields of structs that hold empty lists and maps.
fn compact(value: &mut Value, shape: Shape) {
    match (value, shape) {
        (Value::Array(items), Shape::List(item)) => {
            items.iter_mut().for_each(|value| compact(value, *item));
        }
        (Value::Object(fields), Shape::Object(_)) => {
            fields.retain(|name, value| {
                let shape = field(shape, name);
                compact(value, shape);
                !is_empty(value, shape)
            });
        }
        (Value::Object(entries), Shape::Map(item)) => {
            entries.values_mut().for_each(|value| compact(value, *item));
        }
        _ => {}
    }
}

fn is_empty(value: &Value, shape: Shape) -> bool {
    match (value, shape) {
        (Value::Null, _) => true,
        (Value::Array(items), Shape::List(_)) => items.is_empty(),
        (Value::Object(entries), Shape::Map(_)) => entries.is_empty(),
        _ => false,
    }
}
