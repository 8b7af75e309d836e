//! Strategic merge patches against a model, and the laws of patches and of what `apply` sends.

mod model;
mod random;

use kinds::{
    Kind,
    patch::{self, PatchType},
    schema::{self, Shape},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use random::Dice;

/// Kinds whose fields merge in every way there is.
const TESTED: [Kind; 4] = [Kind::Pod, Kind::Job, Kind::Service, Kind::Node];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn object(kind: Kind, bytes: &[u8]) -> Value {
    random::object(&mut Dice::new(bytes), schema::of(kind)).into()
}

fn applied(kind: Kind, current: &Value, patch: &Value) -> Value {
    let (current, patch) = (current.to_string(), patch.to_string());
    let format = PatchType::StrategicMerge;
    let result = patch::apply(kind, format, patch.as_bytes(), current.as_bytes());
    let result = result.unwrap_or_else(|error| panic!("{error}: {patch}\nof {current}"));
    serde_json::from_slice(&result).unwrap()
}

fn three_way(kind: Kind, last: Option<&Value>, wanted: &Value, live: &Value) -> Value {
    let last = last.map(Value::to_string);
    let (wanted, live) = (wanted.to_string(), live.to_string());
    let last = last.as_deref().map(str::as_bytes);
    let patch = patch::three_way(kind, last, wanted.as_bytes(), live.as_bytes());
    serde_json::from_slice(&patch).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_patch_does_what_the_model_does(
        kind in select(&TESTED[..]), current in bytes(), patch in bytes(),
    ) {
        let shape = Some(Shape::Object(schema::of(kind)));
        let current = object(kind, &current);
        let patch = random::patch(&mut Dice::new(&patch), schema::of(kind));
        let mut wanted = model::branches(current.as_object().unwrap(), shape);
        model::change(&mut wanted, &patch, shape);
        let result = applied(kind, &current, &patch.into());
        let result = model::branches(result.as_object().unwrap(), shape);
        prop_assert_eq!(result, wanted);
    }

    #[test]
    fn an_empty_patch_changes_nothing(
        kind in select(&TESTED[..]), current in bytes(), format in select(&FORMATS[..]),
    ) {
        let current = object(kind, &current);
        let empty = if format == PatchType::Json { "[]" } else { "{}" };
        let json = current.to_string();
        let result = patch::apply(kind, format, empty.as_bytes(), json.as_bytes()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(&result).unwrap(), current);
    }

    #[test]
    fn the_difference_of_two_objects_makes_the_one_the_other(
        kind in select(&TESTED[..]), live in bytes(), wanted in bytes(),
    ) {
        let (live, wanted) = (object(kind, &live), object(kind, &wanted));
        let patch = three_way(kind, Some(&live), &wanted, &live);
        prop_assert_eq!(applied(kind, &live, &patch), wanted);
    }

    #[test]
    fn what_is_applied_is_there_and_what_was_applied_before_is_gone(
        kind in select(&TESTED[..]), last in bytes(), live in bytes(), wanted in bytes(),
    ) {
        let shape = Some(Shape::Object(schema::of(kind)));
        let last = object(kind, &last);
        let (live, wanted) = (object(kind, &live), object(kind, &wanted));
        let result = applied(kind, &live, &three_way(kind, Some(&last), &wanted, &live));
        let tree = |value: &Value| model::tree(value, shape, model::PLAIN);
        prop_assert_eq!(model::missing(&tree(&wanted), &tree(&result)), None);
        prop_assert_eq!(model::left(&tree(&last), &tree(&wanted), &tree(&result)), None);
        let again = three_way(kind, Some(&wanted), &wanted, &result);
        prop_assert_eq!(again, json!({}), "after {}", result);
    }

    #[test]
    fn lists_keep_the_orders_of_patch_and_object(
        old in subset(), new in subset(), order in prop::option::of(subset()),
    ) {
        let mut patch = Map::new();
        let mut order_of_named = new.clone();
        if let Some(order) = order {
            order_of_named.retain(|item| !order.contains(item));
            order_of_named.extend(order);
            patch.insert("$setElementOrder/finalizers".to_owned(), json!(order_of_named));
        }
        let named: Vec<&str> = order_of_named.clone();
        let new: Vec<&str> = named.iter().copied().filter(|item| new.contains(item)).collect();
        patch.insert("finalizers".to_owned(), json!(new));
        let current = json!({"metadata": {"finalizers": old}});
        let result = applied(Kind::Pod, &current, &json!({"metadata": patch}));
        let result: Vec<&str> =
            result["metadata"]["finalizers"].as_array().unwrap().iter().map(|i| i.as_str().unwrap()).collect();
        let all = |item: &&&str| old.contains(item) || new.contains(item);
        let wanted: Vec<&str> = named.iter().filter(all).copied().collect();
        let among = |list: &[&'static str], yes: bool| -> Vec<&str> {
            result.iter().copied().filter(|item| list.contains(item) == yes).collect()
        };
        prop_assert_eq!(among(&named, true), wanted);
        let others: Vec<&str> = old.iter().copied().filter(|item| !named.contains(item)).collect();
        prop_assert_eq!(among(&named, false), others);
    }

    #[test]
    fn no_patch_panics(
        kind in select(&TESTED[..]), current in bytes(), patch in bytes(), cut in any::<u8>(),
    ) {
        let current = object(kind, &current).to_string();
        let mut patch = Value::from(random::patch(&mut Dice::new(&patch), schema::of(kind)));
        spoil(&mut patch, &mut Dice::new(&[cut, cut / 2, cut / 3, cut / 5]));
        for format in FORMATS {
            if let Err(error) = patch::apply(kind, format, patch.to_string().as_bytes(), current.as_bytes()) {
                prop_assert!((400..500).contains(&error.reason.code()), "{}", error);
            }
        }
    }
}

const FORMATS: [PatchType; 3] = [PatchType::Json, PatchType::Merge, PatchType::StrategicMerge];

fn subset() -> impl Strategy<Value = Vec<&'static str>> {
    Just(vec!["a", "b", "c", "d", "e", "f"])
        .prop_shuffle()
        .prop_flat_map(|all| (0..=all.len()).prop_map(move |count| all[..count].to_vec()))
}

/// Puts something of another type somewhere.
fn spoil(value: &mut Value, dice: &mut Dice<'_>) {
    let inner: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    };
    let count = inner.len();
    match inner.into_iter().nth(dice.below(count.max(1))) {
        Some(inner) if dice.below(4) != 3 => spoil(inner, dice),
        _ => {
            *value = [json!(1), json!("x"), json!([[]]), json!({"a": null})][dice.below(4)].clone()
        }
    }
}
