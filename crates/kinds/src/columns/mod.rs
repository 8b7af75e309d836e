//! What `kubectl get` shows of each kind: the columns of the server's Tables and the cells of an
//! object's row. Names, order, priorities and the rules of the cells are upstream's, because
//! scripts cut them apart; the descriptions are ours.
//!
//! A row reads the object's bytes once, and of these only the fields that a cell needs: a list of
//! many pods is not the place for whole typed values.

mod cells;
mod core;
mod cron_job;
mod event;
mod job;
mod node;
mod pod;
mod policy;
mod service;
mod time;

use jiff::Timestamp;
use serde_json::Value;

use crate::{Kind, Object};

pub use time::human_duration;

/// One column of a Table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading as the API has it; kubectl prints it in capitals.
    pub name: &'static str,
    /// The OpenAPI type of the cells: `string`, `integer`, `boolean` or `date`. Upstream's own
    /// tables are loose: a count may be a number in a column of strings.
    pub kind: &'static str,
    /// `name` for the column that holds the object's name, otherwise empty.
    pub format: &'static str,
    /// What the column tells.
    pub description: &'static str,
    /// 0: always shown. 1: shown with `-o wide`. Cells of every priority are always sent.
    pub priority: i32,
}

/// One object's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One cell per column, in their order.
    pub cells: Vec<Value>,
    /// Why the row may be greyed out; empty for most.
    pub conditions: &'static [RowCondition],
}

/// Something that holds for the whole row: that the object ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowCondition {
    /// `Completed`
    pub kind: &'static str,
    /// `True`
    pub status: &'static str,
    /// Machine-readable.
    pub reason: &'static str,
    /// For people.
    pub message: &'static str,
}

/// How a kind is shown: its columns, and the function that fills a row of them.
struct Table {
    columns: &'static [Column],
    row: fn(&Object, Timestamp) -> Row,
}

/// The columns of a kind's Table.
pub fn columns(kind: Kind) -> &'static [Column] {
    table(kind).columns
}

/// The row of an object; ages are counted up to `now`.
pub fn row(object: &Object, now: Timestamp) -> Row {
    (table(object.key.kind).row)(object, now)
}

fn table(kind: Kind) -> &'static Table {
    match kind {
        Kind::Namespace => &core::NAMESPACE,
        Kind::Node => &node::NODE,
        Kind::ConfigMap => &core::CONFIG_MAP,
        Kind::Secret => &core::SECRET,
        Kind::Pod => &pod::POD,
        Kind::Event => &event::EVENT,
        Kind::Job => &job::JOB,
        Kind::RuntimeClass => &core::RUNTIME_CLASS,
        Kind::ServiceAccount => &core::SERVICE_ACCOUNT,
        Kind::Service => &service::SERVICE,
        Kind::PriorityClass => &policy::PRIORITY_CLASS,
        Kind::Lease => &core::LEASE,
        Kind::LimitRange => &core::ANY,
        Kind::ResourceQuota => &policy::RESOURCE_QUOTA,
        Kind::PodTemplate => &core::POD_TEMPLATE,
        Kind::CronJob => &cron_job::CRON_JOB,
    }
}
