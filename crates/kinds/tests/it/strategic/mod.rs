//! Strategic merge patches against a model, and the laws of patches and of what `apply` sends.

mod model;
mod random;

use kinds::{
    Kind,
    patch::{self, PatchType},
    schema::{self, Shape},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

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
        old in subset(), named in subset(), sent in vec(any::<bool>(), 6), ordered in any::<bool>(),
    ) {
        let sent = |at: usize| !ordered || sent[at];
        let new: Vec<&str> = (0..named.len()).filter(|&at| sent(at)).map(|at| named[at]).collect();
        let mut patch = json!({"finalizers": new});
        if ordered {
            patch["$setElementOrder/finalizers"] = json!(named);
        }
        let result = finalizers(&old, &patch);
        let kept = |item: &&str| old.contains(item) || new.contains(item);
        let wanted: Vec<&str> = named.iter().copied().filter(kept).collect();
        let (front, others): (Vec<&str>, Vec<&str>) =
            result.iter().map(|item| &**item).partition(|item| named.contains(item));
        prop_assert_eq!(front, wanted);
        let mut rest = old;
        rest.retain(|item| !named.contains(item));
        prop_assert_eq!(others, rest);
    }

    #[test]
    fn naming_items_in_their_order_moves_none(old in subset(), named in vec(any::<bool>(), 6)) {
        let named: Vec<&str> = (0..old.len()).filter(|&at| named[at]).map(|at| old[at]).collect();
        prop_assert_eq!(&finalizers(&old, &json!({"finalizers": named})), &old);
        prop_assert_eq!(&finalizers(&old, &json!({"$setElementOrder/finalizers": named})), &old);
    }

    #[test]
    fn no_patch_panics(
        kind in select(&TESTED[..]), current in bytes(), patch in bytes(), cut in any::<u8>(),
    ) {
        let current = object(kind, &current).to_string();
        let mut patch = Value::from(random::patch(&mut Dice::new(&patch), schema::of(kind)));
        spoil(&mut patch, &mut Dice::new(&[cut, cut / 2, cut / 3, cut / 5]));
        let patch = patch.to_string();
        for format in FORMATS {
            let result = patch::apply(kind, format, patch.as_bytes(), current.as_bytes());
            if let Err(error) = result {
                prop_assert!((400..500).contains(&error.reason.code()), "{}", error);
            }
        }
    }
}

const FORMATS: [PatchType; 3] = [PatchType::Json, PatchType::Merge, PatchType::StrategicMerge];

/// What a patch of its metadata makes of the finalizers of an object.
fn finalizers(old: &[&str], patch: &Value) -> Vec<String> {
    let current = json!({"metadata": {"finalizers": old}});
    let result = applied(Kind::Pod, &current, &json!({"metadata": patch}));
    serde_json::from_value(result["metadata"]["finalizers"].clone()).unwrap()
}

/// Some of six names, in any order.
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
            let others = [json!(1), json!("x"), json!([[]]), json!({"a": null})];
            *value = others[dice.below(others.len())].clone();
        }
    }
}
