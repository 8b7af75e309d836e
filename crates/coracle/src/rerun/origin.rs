//! The Job that is run again: what it was asked to do and how far it came.

use apiserver::HistoryLine;
use kinds::{Key, Kind, Object, Reason, types::batch::v1::JobStatus};
use serde_json::{Value, json};

use crate::{
    client,
    exit::Failure,
    link::{self, Link},
};

/// A finished Job.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// Its labels, annotations and spec, as a manifest has them.
    pub(super) manifest: Value,
    /// `status.succeeded`
    pub(super) succeeded: i32,
    /// `status.completedIndexes`
    pub(super) completed_indexes: Option<String>,
}

impl Origin {
    /// The Job of this name: the object, or else the one that finished last under it.
    ///
    /// # Errors
    /// There is none, or it has not finished.
    pub(super) async fn find(link: &Link, namespace: &str, name: &str) -> Result<Self, Failure> {
        let key = Key::new(Kind::Job, namespace, name);
        let missing = |error: &client::Error| {
            error.status().is_some_and(|status| status.reason == Reason::NotFound)
        };
        match link.repeat(async |client| client.get(&key).await).await {
            Ok(object) => return Self::of_object(&object),
            Err(error) if missing(&error) => {}
            Err(error) => return Err(link::failure(&error)),
        }
        let lines = link.repeat(async |client| client.history(namespace, name).await).await;
        let lines = lines.map_err(|error| link::failure(&error))?;
        let lines: Result<Vec<HistoryLine>, _> =
            serde_json::Deserializer::from_slice(&lines).into_iter().collect();
        let lines = lines.map_err(|error| Failure::engine(format!("the history: {error}")))?;
        lines.into_iter().rev().find_map(Self::of_line).ok_or_else(|| nowhere(namespace, name))
    }

    fn of_object(object: &Object) -> Result<Self, Failure> {
        let draft = object.draft();
        let status: JobStatus = object.job().status.unwrap_or_default();
        let over = |condition: &&str| matches!(*condition, "Complete" | "Failed");
        let conditions = status.conditions.iter().flatten().filter(|c| c.status == "True");
        if !conditions.map(|c| c.type_.as_str()).any(|name| over(&name)) {
            let name = &object.key.name;
            return Err(Failure::usage(format!(
                "job/{name} has not finished; wait for it, or delete it first"
            )));
        }
        let spec = draft.rest.get("spec").and_then(|spec| serde_json::from_str(spec.get()).ok());
        Ok(Self {
            namespace: object.key.namespace.to_string(),
            name: object.key.name.to_string(),
            uid: object.meta.uid.to_string(),
            manifest: json!({
                "metadata": {
                    "labels": draft.metadata.labels,
                    "annotations": draft.metadata.annotations,
                },
                "spec": spec.unwrap_or(Value::Null),
            }),
            succeeded: status.succeeded.unwrap_or(0),
            completed_indexes: status.completed_indexes,
        })
    }

    /// `None` for a record that an earlier version wrote, without the manifest.
    fn of_line(line: HistoryLine) -> Option<Self> {
        Some(Self {
            namespace: line.job.namespace,
            name: line.job.job,
            uid: line.job.uid.to_string(),
            manifest: line.manifest?,
            succeeded: line.job.succeeded,
            completed_indexes: line.job.completed_indexes,
        })
    }
}

/// Neither an object nor a record.
pub(super) fn nowhere(namespace: &str, name: &str) -> Failure {
    Failure::usage(format!(
        "no job {name:?} in namespace {namespace:?}, neither as an object nor in the history"
    ))
}
