//! Rows of tables: a base and changes as for admission, but nothing is admitted, because most of
//! what a row shows is status. Instead of a base a kind may be named, for an object of it that has
//! nothing but the name `x`. `? Name` asks for a cell; without any, the whole row is the answer.

use kinds::{Draft, KINDS, Kind, columns};
use serde_json::{Value, json};

use crate::support::{change, changed_base, context, kind_of};

/// Answers one case.
pub(crate) fn row(input: &str) -> String {
    let (first, changes) = input.split_once('\n').unwrap_or((input, ""));
    let (mut json, kind, asked) = if first.starts_with(char::is_uppercase) {
        let mut json = json!({"metadata": {"name": "x"}});
        let asked = change(&mut json, changes);
        (json, kind_of(first), asked)
    } else {
        changed_base(input)
    };
    json["metadata"]["uid"] = context().uid.to_string().into();
    let object = Draft::from_json(kind, json.to_string().as_bytes()).unwrap().seal(7);
    let row = columns::row(&object, context().now);
    let mut lines: Vec<String> = columns::columns(kind)
        .iter()
        .zip(&row.cells)
        .filter(|(column, _)| asked.is_empty() || asked.iter().any(|name| name == column.name))
        .map(|(column, cell)| format!("{} = {cell}", column.name))
        .collect();
    assert!(asked.is_empty() || lines.len() == asked.len(), "no such columns: {asked:?}");
    let conditions = row.conditions.iter();
    lines.extend(
        conditions.map(|c| format!("{}={}: {}: {}", c.kind, c.status, c.reason, c.message)),
    );
    lines.join("\n")
}

#[test]
fn every_kind_has_a_row_that_fits_its_columns() {
    for info in KINDS {
        let columns = columns::columns(info.kind);
        let names: Vec<usize> =
            (0..columns.len()).filter(|&at| columns[at].format == "name").collect();
        assert_eq!(names.len(), 1, "{}: one column has the name", info.name);
        let empty = empty(info.kind);
        let row = columns::row(&empty, context().now);
        assert_eq!(row.cells.len(), columns.len(), "{}", info.name);
        assert_eq!(row.cells[names[0]], "x", "{}", info.name);
        for (column, cell) in columns.iter().zip(&row.cells) {
            let fits = match column.kind {
                "string" => cell.is_string() || cell.is_i64(),
                "integer" => cell.is_i64(),
                // Upstream writes some switches as text.
                "boolean" => cell.is_boolean() || cell.is_string(),
                "date" => cell.is_string() || cell.is_null(),
                other => panic!("{}: type {other}", info.name),
            };
            assert!(fits, "{}: {} = {cell}", info.name, column.name);
            assert!(!column.description.is_empty() && (0..=1).contains(&column.priority));
        }
        let mut headings: Vec<&str> = columns.iter().map(|c| c.name).collect();
        headings.sort_unstable();
        headings.dedup();
        assert_eq!(headings.len(), columns.len(), "{}: a heading twice", info.name);
    }
}

/// An object that has nothing but a name: what a row must be able to show.
fn empty(kind: Kind) -> kinds::Object {
    let uid: Value = context().uid.to_string().into();
    let json = json!({"metadata": {"name": "x", "uid": uid}});
    Draft::from_json(kind, json.to_string().as_bytes()).unwrap().seal(7)
}

#[test]
fn the_columns_of_every_kind() {
    let line = |column: &columns::Column| {
        let priority = if column.priority == 0 { "" } else { " wide" };
        let format = if column.format.is_empty() { "" } else { "/name" };
        format!("  {}: {}{format}{priority}\n", column.name, column.kind)
    };
    let texts = KINDS.iter().map(|info| {
        let lines: String = columns::columns(info.kind).iter().map(line).collect();
        format!("{}\n{lines}", info.name)
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/columns.txt");
    expect_test::expect_file![path].assert_eq(&texts.collect::<String>());
}
