//! Everything that changes objects: create, update, patch, delete, and the parts of a pod that are
//! acted on by a POST.
//!
//! A write reads its options, then its body; hands one decision to the engine, without an await in
//! between; and answers when what the engine committed is on disk.

mod create;
mod delete;
mod delete_collection;
mod delete_options;
mod options;
mod patch;
mod pod_parts;
mod token;
mod update;

use std::rc::Rc;

use engine::Written;
use hyper::StatusCode;
use kinds::{Draft, StatusError};

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use delete_collection::delete_collection;
pub(crate) use options::WriteOptions;
pub(crate) use patch::patch;
pub(crate) use pod_parts::{bind, evict};
pub(crate) use token::request_token;
pub(crate) use update::update;

use crate::{
    Server,
    answer::{self, Answer, bad_request},
};

/// Answers with what was written, or why not, once everything is durable that it was decided by.
async fn written(
    server: &Rc<Server>,
    outcome: Result<Written, StatusError>,
    mut warnings: Vec<String>,
) -> Answer {
    server.kick();
    let head = server.engine().store().head();
    server.durable(head).await?;
    let mut response = match outcome {
        Ok(written) => {
            warnings.extend(written.warnings);
            let code = if written.created { StatusCode::CREATED } else { StatusCode::OK };
            answer::object(code, &written.object)
        }
        // What was odd about the body is said beside what was wrong with the object.
        Err(error) => answer::refusal(&error),
    };
    answer::warn(&mut response, &warnings);
    Ok(response)
}

/// What is sent names another namespace than the path.
pub(crate) fn other_namespace() -> StatusError {
    bad_request(
        "the namespace of the provided object does not match the namespace sent on the request",
    )
}

/// Puts an object into the namespace of the path; objects of cluster-scoped kinds lose theirs.
fn place(draft: &mut Draft, namespace: &str) -> Result<(), StatusError> {
    let own = draft.metadata.namespace.as_deref().unwrap_or_default();
    if !own.is_empty() && !namespace.is_empty() && own != namespace {
        return Err(other_namespace());
    }
    draft.metadata.namespace = Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty());
    Ok(())
}

/// An object that replaces another has the name of the path.
fn check_name(draft: &Draft, asked: &str) -> Result<(), StatusError> {
    match draft.metadata.name.as_deref().unwrap_or_default() {
        "" => Err(bad_request(format!(
            "the name of the object ({asked} based on URL) was undeterminable: name must be provided"
        ))),
        name if name == asked => Ok(()),
        name => Err(bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({asked})"
        ))),
    }
}
