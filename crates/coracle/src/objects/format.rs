//! What `-o` may say.

use super::jsonpath::{self, Path, Template};

/// A form of output, of `get`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    /// A table with all columns.
    Wide,
    /// No table.
    Form(Form),
}

/// A form of output that is no table of the server's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// One YAML document.
    Yaml,
    /// One JSON document.
    Json,
    /// `job.batch/x`, one a line.
    Name,
    /// A template.
    JsonPath(Template),
    /// Chosen columns.
    Columns(Vec<Column>),
}

/// A column of `custom-columns`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// Its title, as written.
    pub(crate) title: String,
    /// Where its cells come from.
    pub(crate) path: Path,
}

/// The forms, as a refusal lists them.
const ALLOWED: &str = "yaml, json, name, jsonpath=TEMPLATE, custom-columns=NAME:PATH,…";

impl Format {
    /// Reads what stands after `-o`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "wide" => Ok(Self::Wide),
            _ => Form::parse(text).map(Self::Form),
        }
    }
}

impl Form {
    /// Reads what stands after `-o`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = match text.split_once('=') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        match (name, rest) {
            ("yaml", None) => Ok(Self::Yaml),
            ("json", None) => Ok(Self::Json),
            ("name", None) => Ok(Self::Name),
            ("jsonpath", Some(rest)) => jsonpath::template(rest).map(Self::JsonPath),
            ("jsonpath", None) => Err("template format specified but no template given".into()),
            ("custom-columns", Some(rest)) => columns(rest).map(Self::Columns),
            ("custom-columns", None) => {
                Err("custom-columns format specified but no custom columns given".into())
            }
            _ => Err(format!(
                "unable to match a printer suitable for the output format {text:?}, allowed \
                 formats are: {ALLOWED}"
            )),
        }
    }
}

fn columns(text: &str) -> Result<Vec<Column>, String> {
    let column = |part: &str| match part.split_once(':') {
        Some((title, path)) => Ok(Column { title: title.to_owned(), path: jsonpath::path(path)? }),
        None => Err(format!(
            "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
        )),
    };
    text.split(',').map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_read_and_others_are_refused_by_name() {
        assert_eq!(Format::parse("wide"), Ok(Format::Wide));
        assert!(matches!(Form::parse("jsonpath={.a}"), Ok(Form::JsonPath(_))));
        assert!(Form::parse("wide").is_err(), "only `get` has tables");
        let Ok(Form::Columns(columns)) = Form::parse("custom-columns=A:.a,B:b.c") else {
            panic!("columns must be read");
        };
        assert_eq!(columns.len(), 2);
        for (text, part) in [
            ("go-template={{.a}}", "allowed formats are: yaml, json"),
            ("jsonpath", "no template given"),
            ("jsonpath={.a", "unclosed action"),
            ("custom-columns=A", "expected <header>:<json-path-expr>"),
            ("yaml=x", "unable to match a printer"),
        ] {
            let wrong = Format::parse(text).unwrap_err();
            assert!(wrong.contains(part), "{text}: {wrong}");
        }
    }
}
