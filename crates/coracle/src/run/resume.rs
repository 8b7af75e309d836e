//! A Job that goes on where an earlier one ended: created suspended, told what is done, resumed.

use apiserver::{Subresource, path};
use hyper::Method;
use kinds::{Key, Object};
use serde_json::json;

use crate::{
    client::{self, As, Body},
    link::Link,
};

/// What a Job that is created suspended begins with, because an earlier one did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// `status.succeeded`
    pub(crate) succeeded: i32,
    /// `status.completedIndexes`, of an Indexed Job.
    pub(crate) completed_indexes: Option<String>,
}

/// Tells a suspended Job what is done already, and lets it go on with the rest. The counters of a
/// status are where every Job controller goes on from.
pub(super) async fn with(link: &Link, key: &Key, done: &Done) -> Result<Object, client::Error> {
    let mut status = json!({"succeeded": done.succeeded});
    if let Some(indexes) = &done.completed_indexes {
        status["completedIndexes"] = indexes.as_str().into();
    }
    for (part, patch) in [
        (Subresource::Status, json!({"status": status})),
        (Subresource::Main, json!({"spec": {"suspend": false}})),
    ] {
        let target = path(key.kind, &key.namespace, &key.name, part);
        let body = Body::StrategicMerge(patch);
        link.repeat(async |client| {
            client.request(Method::PATCH, target.clone(), As::Object, &body).await
        })
        .await?;
    }
    link.repeat(async |client| client.get(key).await).await
}
