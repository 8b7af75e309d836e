//! GET of a pod's log: which attempt of which container, refusals in the kubelet's words, and the
//! bytes, to the present end of the file or until the container has ended.

pub(crate) mod attempt;
mod options;
mod stream;

use std::path::Path;

use hyper::{Response, StatusCode};
use kinds::{Key, StatusError, Uid};
use node::logs::{LogReader, directory};

use crate::{
    RequestInfo,
    answer::{self, Answer},
    body::Body,
    handle::Context,
};
use attempt::{Attempt, Which, select};
use options::Options;
use stream::Follow;

pub(crate) async fn log(info: &RequestInfo, context: Context<'_>) -> Answer {
    let server = context.server;
    let options = Options::read(&info.query, &info.name, server.now())?;
    let key = Key::new(info.kind, &info.namespace, &info.name);
    let (found, head) = {
        let engine = server.engine();
        (engine.get(&key), engine.store().head())
    };
    server.durable(found.as_ref().map_or(head, |object| object.meta.revision)).await?;
    let object = match (found, options.uid) {
        (Ok(object), Some(uid)) if object.meta.uid != uid => {
            return gone(&options, &key, uid, &server.about.data_dir);
        }
        (Err(_), Some(uid)) => return gone(&options, &key, uid, &server.about.data_dir),
        (found, _) => found?,
    };
    let which = match (options.attempt, options.previous) {
        (Some(number), _) => Which::Number(number),
        (None, true) => Which::Previous,
        (None, false) => Which::Present,
    };
    let Some(attempt) = select(&object.pod(), &options.container, which)? else {
        return Ok(no_content());
    };
    let uid = object.meta.uid.to_string();
    let Attempt { container, number } = &attempt;
    let folder = directory(&server.about.data_dir, &key.namespace, &key.name, &uid, container);
    let reader = LogReader::open(&folder, *number, options.part).map_err(answer::internal)?;
    let body = if options.follow {
        let follow = Follow::new(server, &object, attempt, reader, context.stopping);
        Body::stream_or_cut(follow.pieces())
    } else {
        Body::stream_or_cut(stream::present(reader))
    };
    Ok(answer::with_type(StatusCode::OK, "text/plain", body))
}

/// The log of a pod that is gone: what is kept of the attempt.
fn gone(options: &Options, key: &Key, uid: Uid, data_dir: &Path) -> Answer {
    let (Some(attempt), true) = (options.attempt, is_one_name(&options.container)) else {
        return Err(refuse(
            "the log of a pod that is gone takes uid, attempt and container".into(),
        ));
    };
    let folder =
        directory(data_dir, &key.namespace, &key.name, &uid.to_string(), &options.container);
    if !folder.is_dir() {
        return Err(StatusError::not_found(key.kind, &key.name));
    }
    let reader = LogReader::open(&folder, attempt, options.part).map_err(answer::internal)?;
    Ok(answer::with_type(
        StatusCode::OK,
        "text/plain",
        Body::stream_or_cut(stream::present(reader)),
    ))
}

/// Whether a name can be one step of a path and no more.
fn is_one_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(plain)
}

/// What upstream answers for a pod without a node.
fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A refusal of the node's.
fn refuse(text: String) -> StatusError {
    answer::bad_request(text)
}
