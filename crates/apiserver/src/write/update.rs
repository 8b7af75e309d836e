//! PUT, of an object or its status.

use engine::Written;
use hyper::StatusCode;
use kinds::{Draft, Kind, StatusError, decode};

use super::{WriteOptions, check_name, place, written};
use crate::{RequestInfo, Server, Subresource, answer::Answer, content, handle::Context};

pub(crate) async fn update(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "UpdateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (mut draft, warnings) = decode::body(info.kind, form, &body, options.validation)?;
    place(&mut draft, &info.namespace)?;
    check_name(&draft, &info.name)?;
    let outcome = write(context.server, info, draft, options.dry_run);
    written(context.server, outcome, warnings).await
}

/// Some kinds come into being by a PUT.
fn write(
    server: &Server,
    info: &RequestInfo,
    draft: Draft,
    dry_run: bool,
) -> Result<(StatusCode, Written), StatusError> {
    let now = server.now();
    let mut engine = server.engine();
    let creates = matches!(info.kind, Kind::Event | Kind::RuntimeClass)
        && info.subresource == Subresource::Main;
    if creates && engine.store().get(&draft.key()).is_none() {
        return Ok((StatusCode::CREATED, engine.create(draft, dry_run, now)?));
    }
    Ok((StatusCode::OK, engine.update(draft, part(info.subresource), dry_run, now)?))
}

/// What of an object a write to this path may change.
pub(super) fn part(subresource: Subresource) -> engine::Subresource {
    match subresource {
        Subresource::Status => engine::Subresource::Status,
        _ => engine::Subresource::Main,
    }
}
