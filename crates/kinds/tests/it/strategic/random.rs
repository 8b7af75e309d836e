//! Random objects and random patches of them, by the schema: few fields, few keys and few values,
//! so that objects and patches meet everywhere.

use kinds::schema::{Field, Patch, Shape, Type};
use serde_json::{Map, Value, json};

use super::model::PLAIN;

/// The fields that random objects are made of.
const FIELDS: [&str; 34] = [
    "annotations",
    "command",
    "conditions",
    "containerPort",
    "containers",
    "emptyDir",
    "env",
    "finalizers",
    "hostAliases",
    "hostPath",
    "hostnames",
    "image",
    "ip",
    "items",
    "key",
    "labels",
    "limits",
    "medium",
    "metadata",
    "name",
    "path",
    "podCIDRs",
    "port",
    "ports",
    "protocol",
    "resources",
    "spec",
    "status",
    "template",
    "tolerations",
    "type",
    "uid",
    "value",
    "volumes",
];

/// Random choices out of bytes, so that a counterexample shrinks with them; without bytes left all
/// choices are the first.
pub(crate) struct Dice<'a> {
    bytes: &'a [u8],
}

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        usize::from(*first) % n
    }

    /// Once in `n` times.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// Some of the items, in any order.
    fn some_of(&mut self, mut items: Vec<Value>) -> Vec<Value> {
        let count = self.below(items.len() + 1);
        (0..count).map(|_| items.swap_remove(self.below(items.len()))).collect()
    }
}

/// A random object of that type. Items of merged lists have keys of their own, as in valid objects.
pub(crate) fn object(dice: &mut Dice<'_>, ty: &'static Type) -> Map<String, Value> {
    let mut object = Map::new();
    for field in fields(ty) {
        if !dice.once_in(3) {
            object.insert(field.name.to_owned(), value(dice, field.shape, field.patch));
        }
    }
    if dice.once_in(8) {
        let text = dice.below(3).to_string();
        object.insert("later".to_owned(), json!({ text: [1, { "name": "a" }] }));
    }
    object
}

fn fields(ty: &'static Type) -> impl Iterator<Item = &'static Field> {
    ty.fields.iter().filter(|field| FIELDS.contains(&field.name))
}

fn value(dice: &mut Dice<'_>, shape: Shape, patch: Patch) -> Value {
    match shape {
        Shape::Object(ty) => object(dice, ty).into(),
        Shape::Map(item) => {
            let keys = dice.some_of(vec![json!("a"), json!("b"), json!("c")]);
            let entry = |key: Value| {
                let key = key.as_str().expect("keys are text").to_owned();
                (key, value(dice, *item, PLAIN))
            };
            Value::Object(keys.into_iter().map(entry).collect())
        }
        Shape::List(item) if patch.merge => {
            let names = scalars(*item, patch.key);
            let names = dice.some_of(names);
            names.into_iter().map(|name| item_of(dice, *item, patch.key, name)).collect()
        }
        Shape::List(item) => (0..dice.below(3)).map(|_| value(dice, *item, PLAIN)).collect(),
        Shape::Int32 | Shape::Int64 => dice.below(3).into(),
        Shape::Bool => (dice.below(2) == 1).into(),
        _ => format!("v{}", dice.below(3)).into(),
    }
}

/// An item of a merged list that has that name: the name itself, or an object with that key.
fn item_of(dice: &mut Dice<'_>, item: Shape, key: &str, name: Value) -> Value {
    let Shape::Object(ty) = item else { return name };
    let mut item = object(dice, ty);
    item.insert(key.to_owned(), name);
    item.into()
}

/// The values of merge keys, or the items of lists of scalars.
fn scalars(item: Shape, key: &str) -> Vec<Value> {
    let shape = match item {
        Shape::Object(ty) => ty.field(key).expect("a merge key is a field").shape,
        shape => shape,
    };
    match shape {
        Shape::Int32 | Shape::Int64 => vec![json!(80), json!(81), json!(82)],
        _ => vec![json!("a"), json!("b"), json!("c"), json!("d")],
    }
}

/// A random patch for objects of that type, with directives. It is well formed: the order and the
/// retained keys that it sets agree with what it says otherwise.
pub(crate) fn patch(dice: &mut Dice<'_>, ty: &'static Type) -> Map<String, Value> {
    let mut patch = Map::new();
    for field in fields(ty) {
        match dice.below(6) {
            0 | 1 => {}
            2 => {
                patch.insert(field.name.to_owned(), Value::Null);
            }
            _ => change(dice, field, &mut patch),
        }
    }
    match dice.below(24) {
        22 => {
            patch.insert("$patch".to_owned(), "replace".into());
        }
        23 => {
            patch.insert("$patch".to_owned(), "delete".into());
        }
        _ => {}
    }
    patch
}

fn change(dice: &mut Dice<'_>, field: &'static Field, patch: &mut Map<String, Value>) {
    let name = field.name.to_owned();
    match field.shape {
        Shape::Object(ty) => {
            patch.insert(name, self::patch(dice, ty).into());
        }
        Shape::List(item) if field.patch.merge => list_change(dice, field, *item, patch),
        Shape::Map(item) => {
            let mut change = value(dice, field.shape, field.patch);
            change["b"] = if dice.once_in(2) { Value::Null } else { value(dice, *item, PLAIN) };
            patch.insert(name, change);
        }
        shape => {
            patch.insert(name, value(dice, shape, field.patch));
        }
    }
}

/// What a patch says of a merged list: items, directives among them, and parallel lists.
fn list_change(
    dice: &mut Dice<'_>,
    field: &'static Field,
    item: Shape,
    patch: &mut Map<String, Value>,
) {
    let key = field.patch.key;
    let mut order = dice.some_of(scalars(item, key));
    let mut items = Vec::new();
    for name in order.clone() {
        if dice.once_in(3) {
            continue;
        }
        items.push(match item {
            Shape::Object(_) if dice.once_in(4) => {
                order.retain(|other| *other != name);
                json!({ key: name, "$patch": "delete" })
            }
            Shape::Object(ty) => item_patch(dice, ty, field.patch, name),
            _ => name,
        });
    }
    if !key.is_empty() && dice.once_in(10) {
        items.insert(dice.below(items.len() + 1), json!({ "$patch": "replace" }));
    }
    if key.is_empty() && dice.once_in(3) {
        let gone = dice.some_of(scalars(item, key));
        let gone: Vec<Value> = gone.into_iter().filter(|name| !order.contains(name)).collect();
        patch.insert(format!("$deleteFromPrimitiveList/{}", field.name), gone.into());
    }
    if dice.once_in(2) {
        let named = order.into_iter();
        let order = named.map(|name| if key.is_empty() { name } else { json!({ key: name }) });
        patch.insert(format!("$setElementOrder/{}", field.name), order.collect());
    }
    patch.insert(field.name.to_owned(), items.into());
}

fn item_patch(dice: &mut Dice<'_>, ty: &'static Type, how: Patch, name: Value) -> Value {
    let mut item = patch(dice, ty);
    item.remove("$patch");
    item.insert(how.key.to_owned(), name);
    if how.retain_keys && dice.once_in(2) {
        let set = item.iter().filter(|(key, v)| !v.is_null() && !key.starts_with('$'));
        let keys: Vec<String> = set.map(|(key, _)| key.clone()).collect();
        item.insert("$retainKeys".to_owned(), keys.into());
    }
    item.into()
}
