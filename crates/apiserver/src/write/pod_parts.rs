//! POST on a part of a pod: evict it, bind it to a node. What is posted names the pod, as the path
//! does, and the answer is a Status.

use engine::DeleteOptions;
use hyper::{Response, StatusCode};
use kinds::{
    Key, Kind, StatusError,
    decode::{self, FieldValidation, Form, Sent},
    metav1,
    types::core::v1::Binding,
};
use serde::Deserialize;
use serde_json::json;

use super::{WriteOptions, delete_options};
use crate::{
    RequestInfo,
    answer::{self, Answer, bad_request, internal},
    body::Body,
    content,
    handle::Context,
};

const EVICTION: Sent<'_> =
    Sent { api_versions: &["policy/v1", "policy/v1beta1"], kind: "Eviction" };
const BINDING: Sent<'_> = Sent { api_versions: &["v1"], kind: "Binding" };

/// `pods/…/eviction`
pub(crate) async fn evict(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let write = WriteOptions::read(&info.query, "CreateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (eviction, warnings) = Eviction::read(form, &body, write.validation)?;
    check_target(info, &eviction.metadata, EVICTION.kind)?;
    let options = eviction.options(write.dry_run)?;
    let server = context.server;
    let outcome = server.engine().evict(&pod(info), &options, server.now());
    acted(&context, outcome, &warnings).await
}

/// `pods/…/binding`
pub(crate) async fn bind(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let write = WriteOptions::read(&info.query, "CreateOptions")?;
    let form = content::form(&context.headers)?;
    let body = context.body().await?;
    let (json, warnings) = decode::sent(&BINDING, form, &body, write.validation)?;
    let binding: Binding = serde_json::from_value(json).map_err(internal)?;
    check_target(info, &binding.metadata, BINDING.kind)?;
    let server = context.server;
    let outcome = server.engine().bind(&pod(info), &binding, write.dry_run, server.now());
    acted(&context, outcome, &warnings).await
}

fn pod(info: &RequestInfo) -> Key {
    Key::new(Kind::Pod, &info.namespace, &info.name)
}

/// Answers once what was done is durable.
async fn acted(
    context: &Context<'_>,
    outcome: Result<(), StatusError>,
    warnings: &[String],
) -> Answer {
    let server = context.server;
    server.kick();
    let head = server.engine().store().head();
    server.durable(head).await?;
    outcome?;
    let mut response = success();
    answer::warn(&mut response, warnings);
    Ok(response)
}

fn success() -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    answer::json(StatusCode::CREATED, Body::whole(status.to_string()))
}

/// What is posted is about the pod of the path.
fn check_target(
    info: &RequestInfo,
    metadata: &metav1::ObjectMeta,
    kind: &str,
) -> Result<(), StatusError> {
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    if !namespace.is_empty() && namespace != info.namespace {
        return Err(super::other_namespace());
    }
    if metadata.name.as_deref() != Some(&*info.name) {
        let text = format!("name in URL does not match name in {kind} object");
        return Err(bad_request(text));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Eviction {
    #[serde(default)]
    metadata: metav1::ObjectMeta,
    delete_options: Option<metav1::DeleteOptions>,
}

impl Eviction {
    fn read(
        form: Form,
        body: &[u8],
        validation: FieldValidation,
    ) -> Result<(Self, Vec<String>), StatusError> {
        let (json, warnings) = decode::sent(&EVICTION, form, body, validation)?;
        Ok((serde_json::from_value(json).map_err(internal)?, warnings))
    }

    /// How the pod is deleted. A dry run may be asked for in the query and in the eviction.
    fn options(self, dry_run: bool) -> Result<DeleteOptions, StatusError> {
        let own = delete_options::check(&self.delete_options.unwrap_or_default())?;
        Ok(DeleteOptions { dry_run: own.dry_run || dry_run, ..own })
    }
}
