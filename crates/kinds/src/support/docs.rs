//! `docs/support.md`: the table for people, with every field named.

use std::fmt::Write as _;

use super::{Row, State, alike, index, rows, template};
use crate::{
    KINDS, Kind,
    schema::{self, Shape, Type},
};

const HEAD: &str = "\
# Which fields work

Every field of every kind that coracle serves. This page is written by a test of crate `kinds` from
the table that admission uses; `UPDATE_EXPECT=1 cargo test -p kinds` writes it anew.

- **works**: as Kubernetes defines it.
- **kept**: accepted, stored and given back, but without effect; the client gets a warning.
- **refused**: not supported yet; an object that uses it is not accepted, and the error names the field.

A row covers the fields below it, unless they have rows of their own. For rows that work the fields
they cover are listed. Absent and empty values are never refused.
";

const TABLE: &str = "| field | | remarks |\n| --- | --- | --- |\n";

/// The page.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let every = line(Kind::Pod, &rows::METADATA, &leaves(Kind::Pod));
    page += &format!("\n## Metadata of every kind\n\n{TABLE}{every}");
    for info in KINDS {
        page += &format!("\n## {} ({})\n\n{TABLE}", info.name, info.api_version());
        let leaves = leaves(info.kind);
        for row in rows::of(info.kind).iter().filter(|row| row.path != rows::METADATA.path) {
            page += &line(info.kind, row, &leaves);
        }
    }
    page
}

fn line(kind: Kind, row: &Row, leaves: &[String]) -> String {
    let values = || row.values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
    let (state, mut remarks) = match (row.state, row.values) {
        (State::Works, []) => ("works", covered(kind, row, leaves)),
        (State::Works, _) => ("works", format!("{} only", values())),
        (State::Kept, []) => ("kept", String::new()),
        (State::Kept, _) => ("kept", format!("no warning for {}", values())),
        (State::Refused, []) => ("refused", String::new()),
        (State::Refused, _) => ("refused", format!("except {}", values())),
    };
    if !row.note.is_empty() {
        remarks =
            if remarks.is_empty() { row.note.into() } else { format!("{remarks}; {}", row.note) };
    }
    format!("| `{}` | {state} | {remarks} |\n", row.path)
}

/// The fields that the row speaks for, as seen from it.
fn covered(kind: Kind, row: &Row, leaves: &[String]) -> String {
    let mut text = String::new();
    for leaf in leaves.iter().filter(|leaf| nearest(kind, leaf).is_some_and(|r| r.path == row.path))
    {
        let rest = leaf[row.path.len()..].trim_start_matches('.');
        if !rest.is_empty() {
            let comma = if text.is_empty() { "" } else { ", " };
            write!(text, "{comma}{rest}").expect("text takes text");
        }
    }
    text
}

/// The row that decides about a path.
fn nearest(kind: Kind, path: &str) -> Option<&'static Row> {
    let mut path = path;
    loop {
        if let Some(row) = index(kind).get(path) {
            return Some(row);
        }
        path = match path.strip_suffix("[]") {
            Some(list) => list,
            None => &path[..path.rfind('.')?],
        };
    }
}

/// The paths of all fields of a kind that hold no further fields; a template is the matter of its own kind.
fn leaves(kind: Kind) -> Vec<String> {
    let mut leaves = Vec::new();
    for field in schema::of(kind).fields {
        if !matches!(field.name, "apiVersion" | "kind") {
            shape(field.shape, field.name, kind, &mut leaves);
        }
    }
    leaves
}

fn object(ty: &'static Type, path: &str, kind: Kind, leaves: &mut Vec<String>) {
    for field in ty.fields {
        shape(field.shape, &format!("{path}.{}", field.name), kind, leaves);
    }
}

fn shape(shape: Shape, path: &str, kind: Kind, leaves: &mut Vec<String>) {
    match shape {
        Shape::Object(ty) if template(kind).is_none_or(|(at, _)| at != path) => {
            object(ty, path, kind, leaves);
        }
        Shape::List(Shape::Object(ty)) if alike(path).is_some() => {
            leaves.push(path.to_owned());
            let own = ty.fields.iter().map(|field| format!("{path}[].{}", field.name));
            leaves.extend(own.filter(|own| index(kind).contains_key(own.as_str())));
        }
        Shape::List(Shape::Object(ty)) => object(ty, &format!("{path}[]"), kind, leaves),
        _ => leaves.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_row_and_every_row_a_field() {
        for info in KINDS {
            let leaves = leaves(info.kind);
            for leaf in &leaves {
                assert!(nearest(info.kind, leaf).is_some(), "{}: no row for {leaf}", info.name);
            }
            for row in rows::of(info.kind) {
                // The entries of a map have rows, the schema does not name them.
                let path = match row.path.split_once(".resources.") {
                    Some((_, rest)) if rest.contains('.') => {
                        &row.path[..row.path.rfind('.').unwrap()]
                    }
                    _ => row.path,
                };
                let there = leaves.iter().any(|leaf| leaf.starts_with(path));
                assert!(there, "{}: no field for the row {}", info.name, row.path);
            }
        }
    }
}
