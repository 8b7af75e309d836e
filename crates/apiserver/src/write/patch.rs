//! PATCH, of an object or its status: read, patch and write are one turn of the one writer, so
//! nothing comes between them and nothing has to be tried again.

use engine::Written;
use kinds::{
    Key, StatusError, decode,
    patch::{self, PatchType},
};

use super::{WriteOptions, check_name, place, update::part, written};
use crate::{
    RequestInfo, Server,
    answer::{Answer, invalid_options},
    content,
    handle::Context,
};

pub(crate) async fn patch(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let patch_type = content::patch_type(&context.headers)?;
    let options = WriteOptions::read_patch(&info.query)?;
    let patch = context.body().await?;
    let mut warnings = Vec::new();
    let outcome = apply(context.server, info, patch_type, &patch, options, &mut warnings);
    written(context.server, outcome, warnings).await
}

fn apply(
    server: &Server,
    info: &RequestInfo,
    patch_type: PatchType,
    patch: &[u8],
    options: WriteOptions,
    warnings: &mut Vec<String>,
) -> Result<Written, StatusError> {
    let mut engine = server.engine();
    let current = engine.get(&Key::new(info.kind, &info.namespace, &info.name))?;
    let patched = patch::apply(info.kind, patch_type, patch, &current.json())?;
    let (mut draft, found) =
        decode::patched(info.kind, patch_type, patch, &patched, options.validation)
            .map_err(|error| invalid_options(" \"\"", &[error]))?;
    place(&mut draft, &info.namespace)?;
    check_name(&draft, &info.name)?;
    warnings.extend(found);
    engine.update(draft, part(info.subresource), options.dry_run, server.now())
}
