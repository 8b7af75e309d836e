//! `--sort-by`: numbers as numbers, quantities as quantities, text so that `x9` stands before `x10`,
//! and what has no value first.

use std::cmp::Ordering;

use kinds::quantity::Quantity;
use serde_json::Value;

use super::jsonpath::Path;

/// Sorts by what the path finds in the object of each item.
///
/// # Errors
/// No object has the field, or an index does not exist.
pub(crate) fn sort<T>(
    items: &mut Vec<T>,
    path: &Path,
    written: &str,
    object: impl Fn(&T) -> &Value,
) -> Result<(), String> {
    let mut keyed = Vec::new();
    for item in items.drain(..) {
        let key = path.find(object(&item))?.first().map(|found| (*found).clone());
        keyed.push((key, item));
    }
    if !keyed.is_empty() && keyed.iter().all(|(key, _)| key.is_none()) {
        return Err(format!(
            "couldn't find any field with path {written:?} in the list of objects"
        ));
    }
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    items.extend(keyed.into_iter().map(|(_, item)| item));
    Ok(())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => natural(a, b),
        },
        _ => Ordering::Equal,
    }
}

/// Runs of digits compare as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (digits(&mut a), digits(&mut b));
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits off the front, without zeros before them.
fn digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    *text = rest;
    number.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::jsonpath;

    fn sorted(values: Value) -> Result<Vec<Value>, String> {
        let Value::Array(mut values) = values else { panic!("a list") };
        let path = jsonpath::path(".k").unwrap();
        sort(&mut values, &path, ".k", |value| value)?;
        Ok(values.iter().map(|value| value["k"].clone()).collect())
    }

    #[test]
    fn each_type_has_its_order() {
        let k = |value: Value| json!({"k": value});
        for (given, wanted) in [
            (json!([k(json!(10)), k(json!(9.5)), {}]), json!([null, 9.5, 10])),
            (
                json!([k(json!("x10")), k(json!("x9")), k(json!("x09a"))]),
                json!(["x9", "x09a", "x10"]),
            ),
            (json!([k(json!("1Gi")), k(json!("512Mi"))]), json!(["512Mi", "1Gi"])),
            (
                json!([k(json!("2026-01-02T00:00:00Z")), k(json!("2026-01-01T10:00:00Z"))]),
                json!(["2026-01-01T10:00:00Z", "2026-01-02T00:00:00Z"]),
            ),
        ] {
            assert_eq!(json!(sorted(given).unwrap()), wanted);
        }
        let wrong = sorted(json!([{}])).unwrap_err();
        assert_eq!(wrong, "couldn't find any field with path \".k\" in the list of objects");
        assert_eq!(sorted(json!([])), Ok(vec![]));
    }
}
