//! A Table of `meta.k8s.io` on its way into bytes, row by row.

use jiff::Timestamp;
use kinds::{
    Kind, Object,
    columns::{self, Column, RowCondition},
};
use serde::Serialize;
use serde_json::Value;

use super::{Include, Version, head, metadata_only};

/// A Table that is being written.
pub(super) struct Table {
    json: Vec<u8>,
    version: Version,
    rows: usize,
}

/// A column as the API has it.
#[derive(Serialize)]
struct Definition {
    name: &'static str,
    r#type: &'static str,
    format: &'static str,
    description: &'static str,
    priority: i32,
}

/// A condition as the API has it.
#[derive(Serialize)]
struct Condition {
    r#type: &'static str,
    status: &'static str,
    reason: &'static str,
    message: &'static str,
}

impl Table {
    /// A table of a kind without rows yet; `metadata` is its own, as JSON.
    pub(super) fn begin(kind: Kind, version: Version, metadata: &str, with_columns: bool) -> Self {
        let columns = columns::columns(kind).iter().map(definition);
        let columns = with_columns.then(|| columns.collect::<Vec<Definition>>());
        let columns = serde_json::to_string(&columns).expect("columns serialise");
        let head = head("Table", version);
        let head =
            format!(r#"{head},"metadata":{metadata},"columnDefinitions":{columns},"rows":["#);
        Self { json: head.into(), version, rows: 0 }
    }

    /// Adds the row of an object.
    pub(super) fn row(&mut self, object: &Object, now: Timestamp, include: Include) {
        let row = columns::row(object, now);
        if self.rows > 0 {
            self.json.push(b',');
        }
        self.rows += 1;
        self.json.extend_from_slice(br#"{"cells":"#);
        write(&mut self.json, &row.cells);
        if !row.conditions.is_empty() {
            self.json.extend_from_slice(br#","conditions":"#);
            write(&mut self.json, &row.conditions.iter().map(condition).collect::<Vec<_>>());
        }
        self.json.extend_from_slice(br#","object":"#);
        match include {
            Include::None => write(&mut self.json, &Value::Null),
            Include::Metadata => {
                self.json.extend_from_slice(metadata_only(object, self.version).as_bytes())
            }
            Include::Object => self.json.extend_from_slice(&object.json()),
        }
        self.json.push(b'}');
    }

    /// The whole document.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.json.extend_from_slice(b"]}");
        self.json
    }
}

fn write(json: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(json, value).expect("cells and conditions serialise");
}

fn definition(column: &Column) -> Definition {
    Definition {
        name: column.name,
        r#type: column.kind,
        format: column.format,
        description: column.description,
        priority: column.priority,
    }
}

fn condition(condition: &RowCondition) -> Condition {
    Condition {
        r#type: condition.kind,
        status: condition.status,
        reason: condition.reason,
        message: condition.message,
    }
}
