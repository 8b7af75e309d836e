//! Values as upstream's error texts print them, which is as Go does.

use serde_json::Value;

/// What `%v` prints.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => self::list(list),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(k, v)| format!("{k}:{}", text(v))).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What `%v` prints of a list.
pub(super) fn list(list: &[Value]) -> String {
    let items: Vec<String> = list.iter().map(text).collect();
    format!("[{}]", items.join(" "))
}

/// The name of the type that Go decodes the value into.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
