//! PUT, of an object or its status.

use engine::Written;
use hyper::StatusCode;
use kinds::{Draft, Kind, Reason, StatusError, decode};

use crate::{
    RequestInfo, Server, Subresource,
    answer::{self, Answer, bad_request},
    create::place,
    handle::Context,
    options::WriteOptions,
};

pub(crate) async fn update(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "UpdateOptions")?;
    let body = context.body().await?;
    let (mut draft, mut warnings) = decode::body(info.kind, &body, options.validation)?;
    place(&mut draft, &info.namespace)?;
    check_name(&draft, &info.name)?;
    let server = context.server;
    let written = write(server, info, draft, options.dry_run);
    server.kick();
    let (code, written) = written?;
    server.durable(written.object.meta.revision).await?;
    warnings.extend(written.warnings);
    let mut response = answer::object(code, &written.object);
    answer::warn(&mut response, &warnings);
    Ok(response)
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
    let part = match info.subresource {
        Subresource::Status => engine::Subresource::Status,
        Subresource::Main | Subresource::Log | Subresource::Eviction | Subresource::Binding => {
            engine::Subresource::Main
        }
    };
    let creates = matches!(info.kind, Kind::Event | Kind::RuntimeClass);
    if creates && engine.store().get(&draft.key()).is_none() {
        return Ok((StatusCode::CREATED, engine.create(draft, dry_run, now)?));
    }
    Ok((StatusCode::OK, engine.update(draft, part, dry_run, now)?))
}

fn check_name(draft: &Draft, asked: &str) -> Result<(), StatusError> {
    let name = draft.metadata.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(bad_request(format!(
            "the name of the object ({asked} based on URL) was undeterminable: name must be provided"
        )));
    }
    if name != asked {
        return Err(StatusError::new(
            Reason::BadRequest,
            format!("the name of the object ({name}) does not match the name on the URL ({asked})"),
        ));
    }
    Ok(())
}
