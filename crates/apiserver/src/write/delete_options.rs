//! How to delete: from the body or, only if there is none, from the query.

use engine::{DeleteOptions, Propagation};
use kinds::{
    FieldError, Kind, StatusError,
    decode::{self, FieldValidation, Form, Sent},
    metav1,
};

use super::options::dry_run;
use crate::{
    Query, RequestInfo,
    answer::{internal, invalid_options},
    content,
    handle::Context,
};

/// What a client asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) options: DeleteOptions,
    /// The old way to say a propagation policy; one answer differs by it.
    pub(super) orphan_dependents: Option<bool>,
}

/// What upstream says when Jobs are deleted without a word on their pods.
const ORPHANS: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

impl Asked {
    /// Reads the options of a request.
    ///
    /// # Errors
    /// 400 and 415 for what cannot be read, 422 for what makes no sense.
    pub(super) async fn read(
        info: &RequestInfo,
        context: &mut Context<'_>,
    ) -> Result<Self, StatusError> {
        let body = context.body().await?;
        let wire = match body.is_empty() {
            true => from_query(&info.query)?,
            false => from_body(content::form(&context.headers)?, &body)?,
        };
        Ok(Self { options: check(&wire)?, orphan_dependents: wire.orphan_dependents })
    }

    /// What the client is told beside the answer.
    pub(super) fn warnings(&self, kind: Kind) -> Vec<String> {
        let silent = kind.info().orphans_by_default && self.options.propagation.is_none();
        silent.then(|| ORPHANS.to_owned()).into_iter().collect()
    }
}

fn from_body(form: Form, body: &[u8]) -> Result<metav1::DeleteOptions, StatusError> {
    let sent = Sent { api_versions: &[], kind: "DeleteOptions" };
    let (json, _) = decode::sent(&sent, form, body, FieldValidation::Ignore)?;
    serde_json::from_value(json).map_err(internal)
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
pub(super) fn check(wire: &metav1::DeleteOptions) -> Result<DeleteOptions, StatusError> {
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
