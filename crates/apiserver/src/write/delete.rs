//! DELETE of one object.

use engine::Deleted;
use hyper::{Response, StatusCode};
use kinds::{Key, Object};
use serde_json::json;

use super::delete_options::Asked;
use crate::{
    RequestInfo,
    answer::{self, Answer},
    body::Body,
    handle::Context,
};

pub(crate) async fn delete(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let asked = Asked::read(info, &mut context).await?;
    let key = Key::new(info.kind, &info.namespace, &info.name);
    let server = context.server;
    let (deleted, head) = {
        let mut engine = server.engine();
        let deleted = engine.delete(&key, &asked.options, server.now());
        (deleted, engine.store().head())
    };
    server.kick();
    server.durable(head).await?;
    let mut response = respond(&deleted?, asked.orphan_dependents);
    answer::warn(&mut response, &asked.warnings(info.kind));
    Ok(response)
}

/// What upstream answers differs by kind: some give the object, the others a Status once it is gone.
fn respond(deleted: &Deleted, orphan_dependents: Option<bool>) -> Response<Body> {
    match deleted {
        Deleted::Begun(object) => {
            let accepted = orphan_dependents == Some(false);
            answer::object(if accepted { StatusCode::ACCEPTED } else { StatusCode::OK }, object)
        }
        Deleted::Gone(object) if object.key.kind.info().returns_deleted => {
            answer::object(StatusCode::OK, object)
        }
        Deleted::Gone(object) => success(object),
    }
}

fn success(object: &Object) -> Response<Body> {
    let info = object.key.kind.info();
    let mut details = json!({
        "name": &*object.key.name, "kind": info.plural, "uid": object.meta.uid.to_string(),
    });
    if !info.group.is_empty() {
        details["group"] = info.group.into();
    }
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    });
    answer::json(StatusCode::OK, Body::whole(status.to_string()))
}
