//! PUT, of an object or a part of it. Some kinds come into being by it.

use kinds::decode;

use super::{WriteOptions, check_name, place, written};
use crate::{RequestInfo, Subresource, answer::Answer, content, handle::Context};

pub(crate) async fn update(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "UpdateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (mut draft, warnings) = decode::body(info.kind, form, &body, options.validation)?;
    place(&mut draft, &info.namespace)?;
    check_name(&draft, &info.name)?;
    let server = context.server;
    let part = part(info.subresource);
    let outcome = server.engine().update(draft, part, options.dry_run, server.now());
    written(server, outcome, warnings).await
}

/// What of an object a write to this path may change.
pub(super) fn part(subresource: Subresource) -> engine::Subresource {
    match subresource {
        Subresource::Status => engine::Subresource::Status,
        Subresource::EphemeralContainers => engine::Subresource::EphemeralContainers,
        Subresource::Finalize => engine::Subresource::Finalize,
        _ => engine::Subresource::Main,
    }
}
