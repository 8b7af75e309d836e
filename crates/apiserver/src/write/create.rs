//! POST on a collection: decode, place in the namespace of the path, stamp the run, hand to the
//! engine.

use kinds::{RUN_ANNOTATION, decode};

use super::{WriteOptions, place, written};
use crate::{RequestInfo, answer::Answer, content, handle::Context};

pub(crate) async fn create(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "CreateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (mut draft, warnings) = decode::body(info.kind, form, &body, options.validation)?;
    place(&mut draft, &info.namespace)?;
    let server = context.server;
    if let Some(run) = &context.run {
        let annotations = draft.metadata.annotations.get_or_insert_default();
        annotations.insert(RUN_ANNOTATION.to_owned(), run.clone());
        server.run_seen(run);
    }
    let outcome = server.engine().create(draft, options.dry_run, server.now());
    written(server, outcome, warnings).await
}
