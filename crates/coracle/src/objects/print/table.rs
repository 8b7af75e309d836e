//! The server's Tables as text: the columns and cells are the server's, the layout is kubectl's.

use serde_json::Value;

use super::tabs;

/// What is shown beside the server's columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Also columns of lower priority.
    pub(crate) wide: bool,
    /// Without the titles.
    pub(crate) no_headers: bool,
    /// A first column with the namespace.
    pub(crate) namespace: bool,
    /// What stands before each name: `job.batch/`.
    pub(crate) kind: Option<String>,
    /// A last column with all labels.
    pub(crate) labels: bool,
}

/// Writes Tables of one kind one after the other: titles once, and columns that stay where they were.
#[derive(Debug)]
pub(crate) struct Printer {
    options: Options,
    /// The definitions of the columns: a watch sends them once.
    columns: Vec<Value>,
    titled: bool,
    widths: Vec<usize>,
}

impl Printer {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, columns: Vec::new(), titled: false, widths: Vec::new() }
    }

    /// The rows of these Tables; nothing, not even titles, where there are none.
    pub(crate) fn text(&mut self, tables: &[Value]) -> String {
        let mut text = String::new();
        for table in tables {
            if let Some(columns) = table["columnDefinitions"].as_array().filter(|c| !c.is_empty()) {
                self.columns.clone_from(columns);
            }
            for row in table["rows"].as_array().into_iter().flatten() {
                if !self.titled && !self.options.no_headers {
                    text += &(self.titles().join("\t") + "\n");
                }
                self.titled = true;
                text += &(self.cells(row).join("\t") + "\n");
            }
        }
        tabs::align_as_before(&text, tabs::TABLE, &mut self.widths)
    }

    fn shown(&self) -> impl Iterator<Item = (usize, &Value)> {
        let wide = self.options.wide;
        let shown = move |column: &Value| wide || column["priority"].as_i64().unwrap_or(0) == 0;
        self.columns.iter().enumerate().filter(move |(_, column)| shown(column))
    }

    fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        if self.options.namespace {
            titles.push("NAMESPACE".to_owned());
        }
        let title = |column: &Value| column["name"].as_str().unwrap_or_default().to_uppercase();
        titles.extend(self.shown().map(|(_, column)| title(column)));
        if self.options.labels {
            titles.push("LABELS".to_owned());
        }
        titles
    }

    fn cells(&self, row: &Value) -> Vec<String> {
        let metadata = &row["object"]["metadata"];
        let mut cells = Vec::new();
        if self.options.namespace {
            cells.push(metadata["namespace"].as_str().unwrap_or_default().to_owned());
        }
        for (at, column) in self.shown() {
            let cell = cell(&row["cells"][at]);
            let named = column["format"] == "name" && column["type"] == "string";
            let prefix = self.options.kind.as_deref().filter(|_| named).unwrap_or_default();
            cells.push(format!("{prefix}{cell}"));
        }
        if self.options.labels {
            cells.push(labels(&metadata["labels"]));
        }
        cells
    }
}

/// The first line of a cell, safe for a terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.as_str(),
        other => return other.to_string(),
    };
    let line = text.split(['\n', '\r', '\u{c}']).next().unwrap_or_default();
    let cut = if line.len() < text.len() { "..." } else { "" };
    format!("{}{cut}", line.replace('\u{1b}', "^["))
}

/// `a=b,c=d`, or `<none>`.
pub(crate) fn labels(map: &Value) -> String {
    let pairs: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn jobs(rows: &[(&str, &str)], columns: bool) -> Value {
        let definitions = json!([
            {"name": "Name", "type": "string", "format": "name", "priority": 0},
            {"name": "Status", "type": "string", "format": "", "priority": 0},
            {"name": "Containers", "type": "string", "format": "", "priority": 1},
            {"name": "Age", "type": "string", "format": "", "priority": 0},
        ]);
        let row = |(name, status): &(&str, &str)| {
            json!({
                "cells": [name, status, "main", "5s"],
                "object": {"metadata": {"name": name, "namespace": "default", "labels": {"b": "2", "a": "1"}}},
            })
        };
        json!({
            "columnDefinitions": if columns { definitions } else { json!([]) },
            "rows": rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    #[test]
    fn columns_of_lower_priority_are_for_wide() {
        let tables = [jobs(&[("etl", "Running"), ("a-longer-name", "Complete")], true)];
        let text = |options| Printer::new(options).text(&tables);
        expect![[r#"
            NAME            STATUS     AGE
            etl             Running    5s
            a-longer-name   Complete   5s
        "#]]
        .assert_eq(&text(Options::default()));
        expect![[r#"
            NAMESPACE   NAME                      STATUS     CONTAINERS   AGE   LABELS
            default     job.batch/etl             Running    main         5s    a=1,b=2
            default     job.batch/a-longer-name   Complete   main         5s    a=1,b=2
        "#]]
        .assert_eq(&text(Options {
            wide: true,
            namespace: true,
            kind: Some("job.batch/".into()),
            labels: true,
            no_headers: false,
        }));
        expect![[r#"
            etl             Running    5s
            a-longer-name   Complete   5s
        "#]]
        .assert_eq(&text(Options { no_headers: true, ..Options::default() }));
    }

    #[test]
    fn rows_of_a_watch_stay_in_the_columns_of_the_first() {
        let mut printer = Printer::new(Options::default());
        assert_eq!(printer.text(&[jobs(&[], true)]), "");
        expect![[r#"
            NAME            STATUS    AGE
            a-longer-name   Running   5s
        "#]]
        .assert_eq(&printer.text(&[jobs(&[("a-longer-name", "Running")], true)]));
        assert_eq!(
            printer.text(&[jobs(&[("etl", "Failed")], false)]),
            "etl             Failed    5s\n"
        );
    }

    #[test]
    fn a_cell_is_one_line_without_surprises() {
        assert_eq!(cell(&json!("one\ntwo")), "one...");
        assert_eq!(cell(&json!("\u{1b}[31mred")), "^[[31mred");
        assert_eq!((cell(&json!(3)), cell(&json!(null))), ("3".to_owned(), String::new()));
        assert_eq!(labels(&json!({})), "<none>");
    }
}
