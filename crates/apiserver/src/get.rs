//! GET of one object: the bytes the store holds, once they are durable.

use std::rc::Rc;

use hyper::StatusCode;
use kinds::{Cause, Key, Reason, Revision, StatusError};

use crate::{
    RequestInfo, Server,
    answer::{self, Answer},
    body::Body,
    form::Form,
    limits::RETRY_AFTER_S,
    revision,
};

pub(crate) async fn get(info: &RequestInfo, form: Form, server: &Rc<Server>) -> Answer {
    let at_least = revision::read(&info.query)?.unwrap_or(0);
    let key = Key::new(info.kind, &info.namespace, &info.name);
    let (found, head) = {
        let engine = server.engine();
        (engine.get(&key), engine.store().head())
    };
    not_ahead(at_least, head)?;
    // That something is not there may be news as well: its deletion has to be durable.
    server.durable(found.as_ref().map_or(head, |object| object.meta.revision)).await?;
    Ok(answer::json(StatusCode::OK, Body::whole(form.object(&*found?, server.now()))))
}

/// Refuses a revision that does not exist yet.
pub(crate) fn not_ahead(asked: Revision, head: Revision) -> Result<(), StatusError> {
    if asked <= head {
        return Ok(());
    }
    let text = format!("Timeout: Too large resource version: {asked}, current: {head}");
    let cause = Cause {
        reason: "ResourceVersionTooLarge".to_owned(),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    };
    let error = StatusError::new(Reason::Timeout, text);
    Err(StatusError { causes: vec![cause], retry_after_seconds: RETRY_AFTER_S, ..error })
}
