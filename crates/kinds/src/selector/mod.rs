//! Which objects are meant: label selectors, as a query string or as `LabelSelector`, and field
//! selectors.

mod field;
mod parse;

use std::{collections::BTreeMap, fmt};

pub use field::FieldSelector;

use crate::{Labels, metav1::LabelSelector, validate};

/// Requirements on labels; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
    nothing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Equals(String),
    NotEquals(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    GreaterThan(i64),
    LessThan(i64),
}

/// Why a text is not a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The text does not follow the grammar, or names a key or value that no label can have.
    #[error("unable to parse requirement: {0}")]
    Labels(String),
    /// The text is not a list of `field=value`.
    #[error("invalid selector: '{selector}'; can't understand '{part}'")]
    Fields {
        /// The whole text.
        selector: String,
        /// The part without an operator.
        part: String,
    },
    /// The kind cannot be selected by that field; the text is upstream's.
    #[error("{0}")]
    Unsupported(String),
}

impl Selector {
    /// Selects every object.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Selects no object.
    pub fn nothing() -> Self {
        Self { requirements: Vec::new(), nothing: true }
    }

    /// Reads the query form: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Empty selects everything.
    ///
    /// # Errors
    /// [`SelectorError::Labels`]
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let requirements = parse::requirements(text)?;
        for requirement in &requirements {
            requirement.check()?;
        }
        Ok(Self::of(requirements))
    }

    /// The selector that an object's `LabelSelector` means: absent selects nothing, empty
    /// everything. What validation refuses (an unknown operator) selects nothing.
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Self {
        let Some(selector) = selector else { return Self::nothing() };
        let mut requirements: Vec<Requirement> = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            let operator = Operator::Equals(value.clone());
            requirements.push(Requirement { key: key.clone(), operator });
        }
        for expression in selector.match_expressions.iter().flatten() {
            let values = expression.values.clone().unwrap_or_default();
            let operator = match expression.operator.as_str() {
                "In" => Operator::In(values),
                "NotIn" => Operator::NotIn(values),
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return Self::nothing(),
            };
            requirements.push(Requirement { key: expression.key.clone(), operator });
        }
        Self::of(requirements)
    }

    fn of(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Self { requirements, nothing: false }
    }

    /// Whether every object matches.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty() && !self.nothing
    }

    /// Whether an object with these labels is meant.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.holds(|key| labels.get(key).map(String::as_str))
    }

    /// As [`matches`](Self::matches), of labels as they are kept beside an object.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.holds(|key| labels.get(key))
    }

    fn holds<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(label(&r.key)))
    }
}

impl Requirement {
    fn matches(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|l| l.parse::<i64>().ok());
        match &self.operator {
            Operator::Equals(value) => label == Some(value),
            Operator::NotEquals(value) => label != Some(value),
            Operator::In(values) => label.is_some_and(|l| values.iter().any(|value| value == l)),
            Operator::NotIn(values) => label.is_none_or(|l| values.iter().all(|value| value != l)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan(bound) => number().is_some_and(|n| n > *bound),
            Operator::LessThan(bound) => number().is_some_and(|n| n < *bound),
        }
    }

    fn values(&self) -> &[String] {
        match &self.operator {
            Operator::Equals(value) | Operator::NotEquals(value) => std::slice::from_ref(value),
            Operator::In(values) | Operator::NotIn(values) => values,
            _ => &[],
        }
    }

    fn check(&self) -> Result<(), SelectorError> {
        let bad_key = validate::qualified_name(&self.key).into_iter().next();
        let bad_value = self.values().iter().find_map(|value| {
            let why = validate::label_value(value).into_iter().next()?;
            Some(format!("values[0][{}]: Invalid value: {value:?}: {why}", self.key))
        });
        let bad_key = bad_key.map(|why| format!("key: Invalid value: {:?}: {why}", self.key));
        bad_key.or(bad_value).map_or(Ok(()), |text| Err(SelectorError::Labels(text)))
    }
}

impl fmt::Display for Selector {
    /// The query form, ordered by key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, requirement) in self.requirements.iter().enumerate() {
            let (comma, key) = (if at > 0 { "," } else { "" }, &requirement.key);
            let list = |values: &[String]| {
                let mut values = values.to_vec();
                values.sort();
                values.join(",")
            };
            match &requirement.operator {
                Operator::Equals(value) => write!(f, "{comma}{key}={value}")?,
                Operator::NotEquals(value) => write!(f, "{comma}{key}!={value}")?,
                Operator::In(values) => write!(f, "{comma}{key} in ({})", list(values))?,
                Operator::NotIn(values) => write!(f, "{comma}{key} notin ({})", list(values))?,
                Operator::Exists => write!(f, "{comma}{key}")?,
                Operator::DoesNotExist => write!(f, "{comma}!{key}")?,
                Operator::GreaterThan(bound) => write!(f, "{comma}{key}>{bound}")?,
                Operator::LessThan(bound) => write!(f, "{comma}{key}<{bound}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_query_form_selects_and_prints() {
        let set = labels(&[("app", "web"), ("tier", ""), ("replica", "3")]);
        for (text, printed, matches) in [
            ("", "", true),
            ("app=web", "app=web", true),
            ("app==web", "app=web", true),
            ("app = web , tier", "app=web,tier", true),
            ("app!=web", "app!=web", false),
            ("other!=x", "other!=x", true),
            ("app in (db, web)", "app in (db,web)", true),
            ("app notin (db,web)", "app notin (db,web)", false),
            ("other notin (db)", "other notin (db)", true),
            ("tier=", "tier=", true),
            ("tier in ()", "tier in ()", true),
            ("!app", "!app", false),
            ("!other", "!other", true),
            ("replica>2", "replica>2", true),
            ("replica<3", "replica<3", false),
            ("in=1", "in=1", false),
            ("notin in (in)", "notin in (in)", false),
            ("z,a=b", "a=b,z", false),
        ] {
            let selector = Selector::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(selector.to_string(), printed, "{text}");
            assert_eq!(selector.matches(&set), matches, "{text}");
            assert_eq!(selector.selects(&Labels::from(&set)), matches, "{text}");
        }
    }

    #[test]
    fn broken_query_forms_are_refused() {
        for text in [
            ",",
            "a,",
            "=b",
            "a=b=c",
            "a in",
            "a in b",
            "a in (b",
            "a in (b c)",
            "!",
            "!a=b",
            "a>x",
            "-a=b",
            "a=-b",
            "a b",
            "(a)",
            "a/b/c",
            "a==b,,c",
        ] {
            assert!(Selector::parse(text).is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn an_absent_label_selector_selects_nothing_and_an_empty_one_everything() {
        let set = labels(&[("a", "b")]);
        assert!(!Selector::from_label_selector(None).matches(&set));
        assert!(Selector::from_label_selector(Some(&LabelSelector::default())).matches(&set));
        assert!(Selector::everything().is_everything() && !Selector::nothing().is_everything());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_printed_text_means_the_same(text in "[a-c!=<>(), in]{0,16}") {
            if let Ok(selector) = Selector::parse(&text) {
                let again = Selector::parse(&selector.to_string()).expect("printed text is a selector");
                prop_assert_eq!(again.to_string(), selector.to_string());
                for set in [labels(&[]), labels(&[("a", "b")]), labels(&[("a", ""), ("b", "c")])] {
                    prop_assert_eq!(again.matches(&set), selector.matches(&set));
                }
            }
        }
    }
}
