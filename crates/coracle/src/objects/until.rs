//! What `--for` says, and whether it holds for an object. Pure.

use serde_json::Value;

use super::jsonpath::{self, Path};

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Until {
    /// `condition=NAME[=VALUE]`; both regardless of case.
    Condition { name: String, value: String },
    /// `jsonpath='{PATH}'[=VALUE]`: any value where none is given.
    Field { path: Path, value: Option<String> },
    /// `delete`
    Gone,
    /// `create`
    There,
}

impl Until {
    /// Reads what stands after `--for`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "delete" => return Ok(Self::Gone),
            "create" => return Ok(Self::There),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("condition=") {
            let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
            return Ok(Self::Condition { name: name.to_lowercase(), value: value.to_lowercase() });
        }
        if let Some(rest) = text.strip_prefix("jsonpath=") {
            // A filter has equal signs of its own.
            let (path, value) = match rest.rfind('}') {
                Some(end) => (&rest[..=end], rest[end + 1..].strip_prefix('=')),
                None => match rest.split_once('=') {
                    Some((path, value)) => (path, Some(value)),
                    None => (rest, None),
                },
            };
            let value = value.map(str::to_owned);
            return Ok(Self::Field { path: jsonpath::path(path)?, value });
        }
        Err(format!("unrecognized condition: {text:?}"))
    }

    /// Whether it holds for an object that is there.
    ///
    /// # Errors
    /// The path leads to what cannot be compared.
    pub(super) fn holds(&self, object: &Value) -> Result<bool, String> {
        match self {
            Self::There => Ok(true),
            Self::Gone => Ok(false),
            Self::Condition { name, value } => Ok(condition_holds(object, name, value)),
            Self::Field { path, value } => {
                let found = path.find(object)?;
                match (found.as_slice(), value) {
                    ([], _) => Ok(false),
                    ([_, _, ..], _) => Err("given jsonpath expression matches more than one \
                                            value"
                        .to_owned()),
                    ([Value::Array(_) | Value::Object(_)], Some(_)) => {
                        Err("jsonpath leads to a nested object or list and cannot be compared"
                            .to_owned())
                    }
                    ([_], None) => Ok(true),
                    ([found], Some(value)) => Ok(jsonpath::scalar(found) == *value),
                }
            }
        }
    }
}

/// Whether the object's own controller says so of its present generation.
fn condition_holds(object: &Value, name: &str, value: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let is =
        |field: &Value, wanted: &str| field.as_str().is_some_and(|f| f.to_lowercase() == wanted);
    let Some(condition) = conditions.into_iter().flatten().find(|c| is(&c["type"], name)) else {
        return false;
    };
    let observed = condition["observedGeneration"]
        .as_i64()
        .or_else(|| object["status"]["observedGeneration"].as_i64());
    let generation = object["metadata"]["generation"].as_i64();
    let outdated = matches!((observed, generation), (Some(o), Some(g)) if o < g);
    !outdated && is(&condition["status"], value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_waited_for_is_read_and_recognised() {
        let object = json!({
            "metadata": {"generation": 2},
            "status": {"phase": "Running", "n": 3, "list": [1, 2], "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "Old", "status": "True", "observedGeneration": 1},
            ]},
        });
        for (text, wanted) in [
            ("condition=ready", Ok(true)),
            ("condition=Ready=TRUE", Ok(true)),
            ("condition=Ready=false", Ok(false)),
            ("condition=Old", Ok(false)),
            ("condition=Other", Ok(false)),
            ("jsonpath={.status.phase}=Running", Ok(true)),
            ("jsonpath=.status.phase=Pending", Ok(false)),
            ("jsonpath={.status.n}=3", Ok(true)),
            ("jsonpath={.status.n}", Ok(true)),
            ("jsonpath={.status.none}", Ok(false)),
            ("jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True", Ok(true)),
            ("jsonpath={.status.list[*]}=1", Err(())),
            ("jsonpath={.status.list}=1", Err(())),
            ("create", Ok(true)),
            ("delete", Ok(false)),
        ] {
            let until = Until::parse(text).unwrap();
            assert_eq!(until.holds(&object).map_err(drop), wanted, "{text}");
        }
        assert_eq!(Until::parse("ready").unwrap_err(), "unrecognized condition: \"ready\"");
        assert!(Until::parse("jsonpath={.a").is_err());
    }
}
