//! From a request to its answer: reads the line, takes a place, calls the verb.

use std::{cell::Cell, rc::Rc, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, Request, Response, StatusCode, body::Incoming};
use kinds::{Reason, StatusError};
use tokio::{sync::watch, time::Instant};

use crate::{
    Own, Query, RUN_HEADER, RequestInfo, Server, Subresource, Unroutable, Verb,
    answer::{self, Answer, bad_request},
    body::Body,
    caller::{self, Asker, Caller},
    connection::Upgrade,
    discovery,
    envelope::Envelope,
    form::Form,
    gates::Sort,
    get, health,
    limits::{
        REQUEST_BODY_BYTES_MAX, REQUEST_BODY_DRAINED_BYTES_MAX, REQUEST_BODY_MS, RUN_ID_BYTES_MAX,
    },
    list, log,
    metrics::{self, Line},
    negotiate, openapi, own, parse, review, streams, version, watch as watch_verb, write,
};

/// A request beside its line: what verbs may look at.
pub(crate) struct Context<'a> {
    pub(crate) server: &'a Rc<Server>,
    pub(crate) headers: HeaderMap,
    /// In whose name it comes.
    pub(crate) asker: Asker,
    /// The run in whose name the request comes.
    pub(crate) run: Option<String>,
    /// Turns true when the server stops: streams end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// What the connection becomes, if it is not to stay one of HTTP.
    pub(crate) upgrade: Upgrade,
    body: Incoming,
}

/// Who is at the other end of a connection, and how it goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) caller: Caller,
    /// Turns true when the server stops: streams end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Whether the latest request is a watch.
    pub(crate) watching: Rc<Cell<bool>>,
    /// What the connection becomes.
    pub(crate) upgrade: Upgrade,
}

/// Answers one request. Always gives a response.
pub(crate) async fn handle(
    server: &Rc<Server>,
    peer: &Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let envelope = Envelope::of(request.headers(), fastrand::u128(..));
    envelope.seal(answer_to(server, peer, request).await)
}

async fn answer_to(server: &Rc<Server>, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let asker = match caller::identify(
        |token| server.account(token),
        peer.caller,
        &head.method,
        path,
        &head.headers,
    ) {
        Ok(asker) => asker,
        Err(error) => return answer::refusal(&error),
    };
    let parsed = parse(&head.method, path, head.uri.query());
    if let Err(error) = caller::authorize(&asker, &head.method, path, parsed.as_ref().ok()) {
        return answer::refusal(&error);
    }
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(Unroutable::NotFound) => return answer::not_found(),
        Err(Unroutable::Refused(error)) => return answer::refusal(&error),
    };
    if !matches!(parsed, crate::Request::Health(..)) {
        server.visit();
    }
    let (line, sort, began) = (Line::of(&parsed), sort(&parsed), Instant::now());
    peer.watching.set(sort == Sort::Watch);
    let answered = async {
        let run = read_run(&head.headers)?;
        let permit = server.gates.enter(sort)?;
        let open = (sort != Sort::Short).then(|| server.metrics.open(line));
        let stopping = peer.stopping.clone();
        let upgrade = peer.upgrade.clone();
        let headers = head.headers;
        let context = Context { server, headers, asker, run, stopping, upgrade, body };
        let answer = dispatch(parsed, context).await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            peer.upgrade.hold((permit, open));
            return Ok(answer);
        }
        Ok(answer.map(|body| body.holding(permit, open)))
    };
    let answer = answered.await.unwrap_or_else(|error: StatusError| answer::refusal(&error));
    let took = (sort == Sort::Short).then(|| began.elapsed());
    server.metrics.answered(line, answer.status().as_u16(), took);
    answer
}

fn sort(request: &crate::Request) -> Sort {
    match request {
        crate::Request::Resource(info) if info.verb == Verb::Watch => Sort::Watch,
        crate::Request::Resource(info)
            if info.subresource == Subresource::Log && info.query.flag("follow") =>
        {
            Sort::LogFollow
        }
        crate::Request::Resource(info) if info.subresource.is_stream() => Sort::Stream,
        _ => Sort::Short,
    }
}

async fn dispatch(request: crate::Request, context: Context<'_>) -> Answer {
    match request {
        crate::Request::Resource(info) => resource(info, context).await,
        crate::Request::Version => Ok(version::answer()),
        crate::Request::Health(health, query) => {
            Ok(health::health(&health, &query, &context).await)
        }
        crate::Request::Review(review, namespace, query) => {
            negotiate::accepts_json(&context.headers)?;
            review::review(review, &namespace, &query, context).await
        }
        crate::Request::Discovery(document) => discovery::discovery(&document, &context.headers),
        crate::Request::OpenApi(asked) => {
            openapi::openapi(&asked, &context.headers, context.server)
        }
        crate::Request::Metrics => Ok(metrics::metrics(context.server)),
        crate::Request::Own(what, query) => dispatch_own(what, &query, &context),
    }
}

async fn resource(info: RequestInfo, context: Context<'_>) -> Answer {
    if info.subresource == Subresource::Log {
        return log::log(&info, context).await;
    }
    if info.subresource.is_stream() {
        return streams::streams(&info, context).await;
    }
    if !matches!(info.verb, Verb::Get | Verb::List | Verb::Watch) {
        negotiate::accepts_json(&context.headers)?;
    }
    match info.verb {
        Verb::Create => match info.subresource {
            Subresource::Eviction => write::evict(&info, context).await,
            Subresource::Binding => write::bind(&info, context).await,
            Subresource::Token => write::request_token(&info, context).await,
            _ => write::create(&info, context).await,
        },
        Verb::Update => write::update(&info, context).await,
        Verb::Delete => write::delete(&info, context).await,
        Verb::Patch => write::patch(&info, context).await,
        Verb::DeleteCollection => write::delete_collection(&info, context).await,
        Verb::Get | Verb::List | Verb::Watch => read(info, context).await,
    }
}

async fn read(info: RequestInfo, context: Context<'_>) -> Answer {
    let form = Form::read(&info, &context.headers)?;
    match info.verb {
        Verb::Watch => watch_verb::watch(&info, form, context).await,
        Verb::List => list::list(&info, form, context.server).await,
        _ => get::get(&info, form, context.server).await,
    }
}

fn dispatch_own(what: Own, query: &Query, context: &Context<'_>) -> Answer {
    match what {
        Own::Status => own::status(context.server),
        Own::History => Ok(own::history(query, context.server)),
        Own::Stop => Ok(own::stop(query, context.server)),
        Own::EndRun(id) => Ok(own::end_run(&id, query, context.server)),
    }
}

/// The id of the run in whose name a request comes.
fn read_run(headers: &HeaderMap) -> Result<Option<String>, StatusError> {
    let Some(value) = headers.get(RUN_HEADER) else { return Ok(None) };
    let id = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let fits = (1..=RUN_ID_BYTES_MAX).contains(&id.len()) && id.chars().all(letter);
    if fits {
        return Ok(Some(id.to_owned()));
    }
    Err(bad_request(format!(
        "the header {RUN_HEADER} must hold 1 to {RUN_ID_BYTES_MAX} letters, digits or '-'"
    )))
}

impl Context<'_> {
    /// Reads the body.
    ///
    /// # Errors
    /// 413 when it is too large, 504 when it does not come.
    pub(crate) async fn body(&mut self) -> Result<Bytes, StatusError> {
        let limit = Duration::from_millis(REQUEST_BODY_MS);
        let read = tokio::time::timeout(limit, collect(&mut self.body)).await;
        read.unwrap_or_else(|_| {
            let text = format!("Timeout: the body did not arrive within {REQUEST_BODY_MS} ms");
            Err(StatusError::new(Reason::Timeout, text))
        })
    }
}

/// A body that is too large is read on for a while and thrown away: a client that is still sending
/// would otherwise find its connection closed instead of the answer.
async fn collect(body: &mut Incoming) -> Result<Bytes, StatusError> {
    let mut whole = Vec::new();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| bad_request(format!("the body broke off: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        bytes += data.len();
        if bytes > REQUEST_BODY_DRAINED_BYTES_MAX {
            break;
        }
        if bytes <= REQUEST_BODY_BYTES_MAX {
            whole.extend_from_slice(&data);
        }
    }
    if bytes > REQUEST_BODY_BYTES_MAX {
        let text = format!("Request entity too large: limit is {REQUEST_BODY_BYTES_MAX}");
        return Err(StatusError::new(Reason::RequestEntityTooLarge, text));
    }
    Ok(whole.into())
}
