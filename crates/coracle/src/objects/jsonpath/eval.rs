//! What a template makes of an object.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Comparison, Filter, Part, Path, Step, Template};
use crate::objects::print::json;

impl Path {
    /// Everything found there, in order; what is not there is nothing.
    ///
    /// # Errors
    /// An index that a list does not have.
    pub(crate) fn find<'a>(&self, object: &'a Value) -> Result<Vec<&'a Value>, String> {
        let mut found = vec![object];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in found {
                step.take(value, &mut next)?;
            }
            found = next;
        }
        Ok(found)
    }
}

impl Step {
    fn take<'a>(&self, value: &'a Value, found: &mut Vec<&'a Value>) -> Result<(), String> {
        match (self, value) {
            (Self::Field(name), Value::Object(map)) => found.extend(map.get(name)),
            (Self::All, Value::Object(map)) => found.extend(map.values()),
            (Self::All, Value::Array(list)) => found.extend(list),
            (Self::Filter(filter), Value::Array(list)) => {
                for element in list {
                    if filter.holds(element)? {
                        found.push(element);
                    }
                }
            }
            (Self::Index(index), Value::Array(list)) => {
                let place = place(*index, list.len()).filter(|place| *place < list.len());
                let place = place.ok_or_else(|| {
                    format!("array index out of bounds: index {index}, length {}", list.len())
                })?;
                found.push(&list[place]);
            }
            (Self::Slice(from, to), Value::Array(list)) => {
                let end = |index: Option<i64>, default| match index {
                    None => default,
                    Some(index) => place(index, list.len()).unwrap_or(0).min(list.len()),
                };
                let (from, to) = (end(*from, 0), end(*to, list.len()));
                found.extend(list.get(from..to).unwrap_or_default());
            }
            _ => {}
        }
        Ok(())
    }
}

/// A place in a list, counted from its end where negative; `None` before its start.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

impl Filter {
    fn holds(&self, element: &Value) -> Result<bool, String> {
        let found = self.path.find(element)?;
        let Some(first) = found.first() else { return Ok(false) };
        let Some((comparison, wanted)) = &self.wanted else { return Ok(true) };
        let order = match (first, wanted) {
            (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (a, b) if *a == b => Some(Ordering::Equal),
            _ => None,
        };
        Ok(match comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::Unequal => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        })
    }
}

/// The template with an object's values in it.
///
/// # Errors
/// As [`Path::find`].
pub(crate) fn text(template: &Template, object: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(&template.0, object, &mut out)?;
    Ok(out)
}

fn write(parts: &[Part], object: &Value, out: &mut String) -> Result<(), String> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Values(path) => {
                let texts: Vec<String> = path.find(object)?.into_iter().map(scalar).collect();
                out.push_str(&texts.join(" "));
            }
            Part::Range(path, inner) => {
                for element in path.find(object)? {
                    write(inner, element, out)?;
                }
            }
        }
    }
    Ok(())
}

/// A value in the midst of text: strings as they are, objects and lists as JSON.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => json::compact(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::template;
    use super::*;

    fn pods() -> Value {
        json!({"items": [
            {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}, "n": 1, "ready": true,
             "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "No"}]},
            {"metadata": {"name": "b"}, "n": 20, "ready": false, "conditions": []},
            {"metadata": {"name": "c"}, "n": 3, "more": {"k": "<v>"}},
        ]})
    }

    #[test]
    fn templates_print_what_kubectl_prints() {
        for (written, wanted) in [
            ("{.items[*].metadata.name}", "a b c"),
            ("{$.items[0].metadata.name}", "a"),
            ("{.items[-1].metadata.name}", "c"),
            ("{.items[1:].metadata.name}", "b c"),
            ("{.items[:2].n} and {.items[-1:].n}", "1 20 and 3"),
            ("{.items[0]['metadata'][\"name\"]}", "a"),
            (r"{.items[0].metadata.labels.x\.y/z}", "1"),
            ("{.items[0].metadata.labels['x.y/z']}", "1"),
            ("{range .items[*]}{.metadata.name}{\"\\t\"}{.n}{'\\n'}{end}", "a\t1\nb\t20\nc\t3\n"),
            ("{.items[0].conditions[?(@.type==\"Ready\")].status}", "True"),
            ("{.items[?(@.n>2)].metadata.name}", "b c"),
            ("{.items[?(@.n<=3)].metadata.name}", "a c"),
            ("{.items[?(@.ready==true)].metadata.name}", "a"),
            ("{.items[?(@.metadata.name!='a')].n}", "20 3"),
            ("{.items[?(@.more)].metadata.name}", "c"),
            ("{.items[2].more} {.items[0].ready}", "{\"k\":\"\\u003cv\\u003e\"} true"),
            ("{.none.at.all}|{.items.metadata}", "|"),
            ("no braces", "no braces"),
        ] {
            let parsed = template(written).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert_eq!(text(&parsed, &pods()).as_deref(), Ok(wanted), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let parsed = template("{.items[5]}").unwrap();
        let wrong = text(&parsed, &pods()).unwrap_err();
        assert_eq!(wrong, "array index out of bounds: index 5, length 3");
        for (written, wanted) in [
            ("{.foo", "unclosed action"),
            ("{..name}", "the recursive step .. is not supported"),
            ("{.a[0,1]}", "several indexes in [0,1] are not supported"),
            ("{.a['x','y']}", "several names in ['x','y'] are not supported"),
            ("{.a[0:9:2]}", "the step of a slice, as in [0:9:2], is not supported"),
            ("{range .a}", "unclosed range"),
            ("{end}", "not in range"),
            ("{.a[?(@.b==@.c)]}", "a filter compares with a constant, which \"@.c\" is not"),
            ("{a}", "unrecognized identifier a; a path begins with a dot"),
        ] {
            let wrong = template(written).unwrap_err();
            assert_eq!(wrong, format!("error parsing jsonpath {written}, {wanted}"));
        }
    }

    #[test]
    fn a_single_path_may_be_written_without_braces() {
        for written in [".n", "n", "{.n}", "{n}"] {
            let path = super::super::path(written).unwrap();
            assert_eq!(path.find(&json!({"n": 7})), Ok(vec![&json!(7)]), "{written}");
        }
    }
}
