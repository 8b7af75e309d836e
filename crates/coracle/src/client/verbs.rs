//! One method per verb of the API.

use apiserver::{ServerStatus, Subresource, path, query_pair};
use bytes::Bytes;
use hyper::Method;
use kinds::{Draft, Key, Kind, Object, Revision, metav1::DeleteOptions};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Client, Error, LogOptions, LogStream, Selection, Watch,
    connection::{Answer, Call},
    stream::{read_object, unreadable},
};

/// What a create brought.
#[derive(Debug)]
pub(crate) struct Created {
    /// The object as it was stored; revision 0 for a dry run.
    pub(crate) object: Object,
    /// What the server warned about.
    pub(crate) warnings: Vec<String>,
}

impl Client {
    /// Creates an object in the namespace of its metadata. Unknown fields are refused.
    pub(crate) async fn create(&self, draft: &Draft, dry_run: bool) -> Result<Created, Error> {
        let namespace = draft.metadata.namespace.as_deref().unwrap_or_default();
        self.create_bytes(draft.kind, namespace, draft.to_json(), dry_run).await
    }

    /// As [`Client::create`], from the JSON a user wrote: the server decodes it.
    pub(crate) async fn create_bytes(
        &self,
        kind: Kind,
        namespace: &str,
        json: Vec<u8>,
        dry_run: bool,
    ) -> Result<Created, Error> {
        let mut query = vec!["fieldValidation=Strict".to_owned()];
        query.extend(dry_run.then(|| "dryRun=All".to_owned()));
        let target = target(kind, namespace, "", Subresource::Main, &query);
        let answer = self.send(Method::POST, target, json).await?;
        Ok(Created { object: read_object(kind, &answer.body)?, warnings: warnings(&answer) })
    }

    /// Replaces an object; the draft's `resourceVersion`, where it has one, must be the present one.
    pub(crate) async fn replace(&self, draft: &Draft) -> Result<Object, Error> {
        let key = draft.key();
        let target = target(key.kind, &key.namespace, &key.name, Subresource::Main, &[]);
        read_object(key.kind, &self.send(Method::PUT, target, draft.to_json()).await?.body)
    }

    /// Reads one object.
    pub(crate) async fn get(&self, key: &Key) -> Result<Object, Error> {
        let target = target(key.kind, &key.namespace, &key.name, Subresource::Main, &[]);
        read_object(key.kind, &self.send(Method::GET, target, Vec::new()).await?.body)
    }

    /// Reads all objects of a selection, at one revision, by namespace and name.
    pub(crate) async fn list(
        &self,
        kind: Kind,
        which: Selection<'_>,
    ) -> Result<Vec<Object>, Error> {
        let target = target(kind, which.namespace, "", Subresource::Main, &which.query());
        let answer = self.send(Method::GET, target, Vec::new()).await?;
        let list: WireList<'_> = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        list.items.iter().map(|raw| read_object(kind, raw.get().as_bytes())).collect()
    }

    /// Watches a selection: changes after `from`, or, with `None`, first the present state as
    /// `Added` events up to a bookmark with `initial_events_end`.
    pub(crate) async fn watch(
        &self,
        kind: Kind,
        which: Selection<'_>,
        from: Option<Revision>,
    ) -> Result<Watch, Error> {
        let mut query = which.query();
        query.push(format!("watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_S}"));
        query.push(match from {
            Some(revision) => format!("resourceVersion={revision}"),
            None => "sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(),
        });
        let target = target(kind, which.namespace, "", Subresource::Main, &query);
        let call = self.call(Method::GET, target, Vec::new());
        Ok(Watch::new(kind, self.pool.stream(&call).await?))
    }

    /// Deletes an object, or begins to: a pod may take its grace period.
    pub(crate) async fn delete(&self, key: &Key, options: &DeleteOptions) -> Result<(), Error> {
        let target = target(key.kind, &key.namespace, &key.name, Subresource::Main, &[]);
        let body = serde_json::to_vec(options).expect("options serialise");
        self.send(Method::DELETE, target, body).await?;
        Ok(())
    }

    /// Reads the log of a container.
    pub(crate) async fn pod_log(
        &self,
        namespace: &str,
        pod: &str,
        options: &LogOptions,
    ) -> Result<LogStream, Error> {
        let target = target(Kind::Pod, namespace, pod, Subresource::Log, &options.query());
        let call = self.call(Method::GET, target, Vec::new());
        Ok(LogStream::new(self.pool.stream(&call).await?))
    }

    /// Who the server is and what it holds.
    pub(crate) async fn status(&self) -> Result<ServerStatus, Error> {
        let answer = self.send(Method::GET, "/coracle/status".to_owned(), Vec::new()).await?;
        serde_json::from_slice(&answer.body).map_err(unreadable)
    }

    /// The records of finished jobs as JSON lines; an empty `job` or `namespace` means all.
    pub(crate) async fn history(&self, namespace: &str, job: &str) -> Result<Bytes, Error> {
        let query = [query_pair("namespace", namespace), query_pair("job", job)].join("&");
        let target = format!("/coracle/history?{query}");
        Ok(self.send(Method::GET, target, Vec::new()).await?.body)
    }

    /// Asks the server to stop; with `pods`, after ending every pod.
    pub(crate) async fn stop(&self, pods: bool) -> Result<(), Error> {
        self.send(Method::POST, format!("/coracle/stop?pods={pods}"), Vec::new()).await?;
        Ok(())
    }

    pub(super) async fn send(
        &self,
        method: Method,
        target: String,
        body: Vec<u8>,
    ) -> Result<Answer, Error> {
        self.pool.call(&self.call(method, target, body)).await
    }

    fn call(&self, method: Method, target: String, body: Vec<u8>) -> Call {
        Call {
            method,
            target,
            accept: JSON,
            content_type: JSON,
            run: self.run.clone(),
            body: body.into(),
        }
    }
}

/// What is sent and asked for unless something else is said.
pub(super) const JSON: &str = "application/json";

/// Seconds a watch may last: longer than any client of ours.
pub(crate) const WATCH_S: u32 = i32::MAX as u32;

#[derive(Deserialize)]
struct WireList<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

fn target(kind: Kind, ns: &str, name: &str, part: Subresource, query: &[String]) -> String {
    let path = path(kind, ns, name, part);
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The texts of `Warning: 299 - "<text>"` headers.
pub(super) fn warnings(answer: &Answer) -> Vec<String> {
    let text = |value: &hyper::header::HeaderValue| {
        let text = std::str::from_utf8(value.as_bytes()).ok()?;
        let quoted = text.strip_prefix("299 - \"")?.strip_suffix('"')?;
        Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    answer.headers.get_all("warning").iter().filter_map(text).collect()
}
