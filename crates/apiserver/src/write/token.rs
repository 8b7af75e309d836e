//! POST on `serviceaccounts/…/token`: a token, made and given away, and stored nowhere.

use hyper::StatusCode;
use jiff::SignedDuration;
use kinds::{
    FieldError, FieldErrors, Key, Kind, Object, Reason, StatusError, api_time,
    decode::{self, Sent},
    types::authentication::v1::{BoundObjectReference, TokenRequest},
};
use serde_json::{Value, json};
use tokens::{Bound, Claims, ISSUER, Reference};

use super::WriteOptions;
use crate::{
    RequestInfo, Server,
    answer::{self, Answer, bad_request, internal, invalid_options},
    body::Body,
    content,
    handle::Context,
};

const TOKEN_REQUEST: Sent<'_> =
    Sent { api_versions: &["authentication.k8s.io/v1"], kind: "TokenRequest" };

/// How long a token is good if nobody says, seconds.
const EXPIRATION_S: i64 = 3600;
/// The shortest life of a token, seconds.
const EXPIRATION_MIN_S: i64 = 600;
/// The longest, seconds.
const EXPIRATION_MAX_S: i64 = 1 << 32;

/// Answers a TokenRequest; one that is a dry run gets a token too, as upstream's does.
pub(crate) async fn request_token(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let options = WriteOptions::read(&info.query, "CreateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (json, warnings) = decode::sent(&TOKEN_REQUEST, form, &body, options.validation)?;
    let asked: TokenRequest = serde_json::from_value(json).map_err(internal)?;
    let answered = answer_to(context.server, info, &asked)?;
    let mut response = answer::json(StatusCode::CREATED, Body::whole(answered.to_string()));
    answer::warn(&mut response, &warnings);
    Ok(response)
}

fn answer_to(
    server: &Server,
    info: &RequestInfo,
    asked: &TokenRequest,
) -> Result<Value, StatusError> {
    check_target(info, asked)?;
    let key = Key::new(Kind::ServiceAccount, &info.namespace, &info.name);
    let account = reference(&*server.engine().get(&key)?);
    if let Some(uid) = asked.metadata.uid.as_deref().filter(|uid| *uid != account.uid) {
        let own = &account.uid;
        return Err(conflict(
            &info.name,
            &format!(
                "the UID in the token request ({uid}) does not match the UID of the service account \
                 ({own})"
            ),
        ));
    }
    let spec = asked.spec.clone().unwrap_or_default();
    let expiration_s = spec.expiration_seconds.unwrap_or(EXPIRATION_S);
    check_expiration(expiration_s)?;
    let mut bound = Bound {
        namespace: info.namespace.clone(),
        node: None,
        pod: None,
        secret: None,
        serviceaccount: account.clone(),
        warn_after_s: None,
    };
    if let Some(to) = &spec.bound_object_ref {
        bind(server, info, to, &mut bound)?;
    }
    let audiences = spec.audiences.filter(|audiences| !audiences.is_empty());
    let audiences = audiences.unwrap_or_else(|| vec![ISSUER.to_owned()]);
    let now = server.now();
    let issued_s = now.as_second();
    let (life_s, warn_after_s) = tokens::lifetime(expiration_s, &audiences, bound.pod.is_some());
    bound.warn_after_s = warn_after_s.map(|after_s| issued_s + after_s);
    let claims =
        Claims { audiences: audiences.clone(), issued_s, expires_s: issued_s + life_s, bound };
    let token = server.about.signer.sign(&claims).map_err(internal)?;
    let expires = now.checked_add(SignedDuration::from_secs(expiration_s)).map_err(internal)?;
    Ok(json!({
        "kind": TOKEN_REQUEST.kind,
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": info.name, "namespace": info.namespace, "uid": account.uid,
            "creationTimestamp": api_time(now),
        },
        "spec": {
            "audiences": audiences,
            "expirationSeconds": expiration_s,
            "boundObjectRef": spec.bound_object_ref,
        },
        "status": {"token": token, "expirationTimestamp": api_time(expires)},
    }))
}

/// What is posted is about the account of the path.
fn check_target(info: &RequestInfo, asked: &TokenRequest) -> Result<(), StatusError> {
    let wrong = |field: &str, given: Option<&str>, own: &str| {
        let given = given.filter(|given| !given.is_empty() && *given != own)?;
        let text = format!("must match the service account {field} if specified");
        Some(FieldError::invalid(format!("metadata.{field}"), given, text))
    };
    let name = wrong("name", asked.metadata.name.as_deref(), &info.name);
    let namespace = || wrong("namespace", asked.metadata.namespace.as_deref(), &info.namespace);
    match name.or_else(namespace) {
        Some(error) => Err(invalid(&info.name, vec![error])),
        None => Ok(()),
    }
}

fn check_expiration(asked_s: i64) -> Result<(), StatusError> {
    let text = if asked_s < EXPIRATION_MIN_S {
        "may not specify a duration less than 10 minutes"
    } else if asked_s > EXPIRATION_MAX_S {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    Err(invalid("", vec![FieldError::invalid("spec.expirationSeconds", asked_s, text)]))
}

/// Binds the token to an object, with which it ends.
fn bind(
    server: &Server,
    info: &RequestInfo,
    to: &BoundObjectReference,
    bound: &mut Bound,
) -> Result<(), StatusError> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (version, kind, name) = (text(&to.api_version), text(&to.kind), text(&to.name));
    let kind = match (version.as_str(), kind.as_str()) {
        ("v1", "Pod") => Kind::Pod,
        ("v1", "Secret") => Kind::Secret,
        ("v1", "Node") => Kind::Node,
        _ => {
            let (group, version) = version.split_once('/').unwrap_or(("", &version));
            let text =
                format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
            return Err(bad_request(text));
        }
    };
    let namespace = if kind == Kind::Node { "" } else { &info.namespace };
    let engine = server.engine();
    let object = engine.get(&Key::new(kind, namespace, &name))?;
    let own = reference(&object);
    if let Some(uid) = to.uid.as_deref().filter(|uid| !uid.is_empty() && *uid != own.uid) {
        let text = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The \
             object might have been deleted and then recreated"
        );
        return Err(conflict(&name, &text));
    }
    match kind {
        Kind::Pod => {
            let spec = object.pod().spec.unwrap_or_default();
            if spec.service_account_name.as_deref() != Some(&*info.name) {
                let account = &info.name;
                return Err(bad_request(format!(
                    "cannot bind token for serviceaccount \"{account}\" to pod running with \
                     different serviceaccount name."
                )));
            }
            bound.node = spec.node_name.filter(|name| !name.is_empty()).map(|name| {
                let node = engine.get(&Key::new(Kind::Node, "", &name)).ok();
                node.map_or(Reference { name, uid: String::new() }, |node| reference(&node))
            });
            bound.pod = Some(own);
        }
        Kind::Secret => bound.secret = Some(own),
        _ => bound.node = Some(own),
    }
    Ok(())
}

fn reference(object: &Object) -> Reference {
    Reference { name: object.key.name.to_string(), uid: object.meta.uid.to_string() }
}

fn invalid(name: &str, errors: FieldErrors) -> StatusError {
    invalid_options(&format!("TokenRequest.authentication.k8s.io \"{name}\""), &errors)
}

fn conflict(name: &str, why: &str) -> StatusError {
    let text = format!(
        "Operation cannot be fulfilled on TokenRequest.authentication.k8s.io \"{name}\": {why}"
    );
    StatusError::new(Reason::Conflict, text)
}
