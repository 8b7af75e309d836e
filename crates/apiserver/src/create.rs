//! POST: decode, place in the namespace of the path, stamp the run, hand to the engine.

use hyper::StatusCode;
use kinds::{Draft, RUN_ANNOTATION, StatusError, decode};

use crate::{
    RequestInfo,
    answer::{self, Answer, bad_request},
    handle::Context,
    options::WriteOptions,
};

pub(crate) async fn create(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "CreateOptions")?;
    let body = context.body().await?;
    let (mut draft, mut warnings) = decode::body(info.kind, &body, options.validation)?;
    place(&mut draft, &info.namespace)?;
    let server = context.server;
    if let Some(run) = &context.run {
        let annotations = draft.metadata.annotations.get_or_insert_default();
        annotations.insert(RUN_ANNOTATION.to_owned(), run.clone());
        server.run_seen(run);
    }
    let written = server.engine().create(draft, options.dry_run, server.now());
    server.kick();
    let written = written?;
    server.durable(written.object.meta.revision).await?;
    warnings.extend(written.warnings);
    let mut response = answer::object(StatusCode::CREATED, &written.object);
    answer::warn(&mut response, &warnings);
    Ok(response)
}

/// Puts an object into the namespace of the path; objects of cluster-scoped kinds lose theirs.
pub(crate) fn place(draft: &mut Draft, namespace: &str) -> Result<(), StatusError> {
    let own = draft.metadata.namespace.as_deref().unwrap_or_default();
    if !own.is_empty() && !namespace.is_empty() && own != namespace {
        return Err(bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    draft.metadata.namespace = Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty());
    Ok(())
}
