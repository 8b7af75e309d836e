//! DELETE of one object: options from the body or, only if there is none, from the query.

use engine::{DeleteOptions, Deleted, Propagation};
use hyper::{Response, StatusCode};
use kinds::{FieldError, Key, Kind, Object, StatusError, metav1};
use serde_json::json;

use crate::{
    Query, RequestInfo,
    answer::{self, Answer, bad_request, invalid_options},
    body::Body,
    handle::Context,
    options::dry_run,
};

pub(crate) async fn delete(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let body = context.body().await?;
    let wire = if body.is_empty() { from_query(&info.query)? } else { from_body(&body)? };
    let options = check(&wire)?;
    let key = Key::new(info.kind, &info.namespace, &info.name);
    let server = context.server;
    let (deleted, head) = {
        let mut engine = server.engine();
        let deleted = engine.delete(&key, &options, server.now());
        (deleted, engine.store().head())
    };
    server.kick();
    server.durable(head).await?;
    let mut response = respond(&deleted?, wire.orphan_dependents);
    if info.kind == Kind::Job && options.propagation.is_none() {
        answer::warn(&mut response, &[ORPHANS.to_owned()]);
    }
    Ok(response)
}

const ORPHANS: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

fn from_body(body: &[u8]) -> Result<metav1::DeleteOptions, StatusError> {
    let refuse = |why: &dyn std::fmt::Display| {
        let shown = String::from_utf8_lossy(&body[..body.len().min(256)]);
        let must = "the object provided is unrecognized (must be of type DeleteOptions)";
        bad_request(format!("{must}: {why} ({shown})"))
    };
    let options: metav1::DeleteOptions =
        serde_json::from_slice(body).map_err(|error| refuse(&error))?;
    match options.kind.as_deref() {
        None | Some("" | "DeleteOptions") => Ok(options),
        Some(other) => Err(refuse(&format!("kind {other:?}"))),
    }
}

fn from_query(query: &Query) -> Result<metav1::DeleteOptions, StatusError> {
    let given: Vec<String> = query.all("dryRun").map(str::to_owned).collect();
    Ok(metav1::DeleteOptions {
        grace_period_seconds: query.integer("gracePeriodSeconds")?,
        propagation_policy: query.get("propagationPolicy").map(str::to_owned),
        orphan_dependents: query.maybe_flag("orphanDependents"),
        dry_run: Some(given),
        ..Default::default()
    })
}

/// Turns the options into the engine's, all errors at once.
fn check(wire: &metav1::DeleteOptions) -> Result<DeleteOptions, StatusError> {
    const POLICY: &str = "propagationPolicy";
    let mut errors = Vec::new();
    let given: Vec<&str> = wire.dry_run.iter().flatten().map(String::as_str).collect();
    let dry_run = dry_run(&given, &mut errors);
    let policy = wire.propagation_policy.as_deref();
    let propagation = match (policy, wire.orphan_dependents) {
        (Some(policy), Some(_)) => {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid(POLICY, policy, why));
            None
        }
        (Some("Background"), None) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), None) => Some(Propagation::Foreground),
        (Some("Orphan"), None) | (None, Some(true)) => Some(Propagation::Orphan),
        (Some(other), None) => {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            errors.push(FieldError::not_supported(POLICY, other, &supported));
            None
        }
        (None, None) => None,
    };
    if !errors.is_empty() {
        return Err(invalid_options("DeleteOptions.meta.k8s.io \"\"", &errors));
    }
    let preconditions = wire.preconditions.clone().unwrap_or_default();
    Ok(DeleteOptions {
        grace_period_seconds: wire.grace_period_seconds,
        propagation,
        uid: preconditions.uid,
        resource_version: preconditions.resource_version,
        dry_run,
    })
}

/// What upstream answers differs by kind: some give the object, the others a Status once it is gone.
fn respond(deleted: &Deleted, orphan_dependents: Option<bool>) -> Response<Body> {
    match deleted {
        Deleted::Begun(object) => {
            let accepted = orphan_dependents == Some(false);
            answer::object(if accepted { StatusCode::ACCEPTED } else { StatusCode::OK }, object)
        }
        Deleted::Gone(object) if matches!(object.key.kind, Kind::Pod | Kind::Namespace) => {
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
