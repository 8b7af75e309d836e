//! What a review is answered. Pure.

use jiff::Timestamp;
use kinds::{FieldError, FieldErrors, StatusError, api_time};
use serde_json::{Value, json};
use tokens::ISSUER;

use super::Review;
use crate::{
    ADMIN_GROUP, ADMIN_USER,
    account::Account,
    answer::{bad_request, invalid_options},
    caller::Asker,
    write::other_namespace,
};

/// The groups of the one user there is, who may do everything.
const GROUPS: [&str; 2] = [ADMIN_GROUP, "system:authenticated"];

/// What everybody may read who is somebody; a star is any end.
const EVERYBODYS_PATHS: [&str; 11] = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
    "/openapi",
];

/// What everybody may ask who is somebody: group and plural.
const EVERYBODYS_REVIEWS: [(&str, &str); 3] = [
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
];

/// Who asks what.
pub(super) struct Asking<'a> {
    pub(super) review: Review,
    /// Of the path.
    pub(super) namespace: &'a str,
    pub(super) asker: &'a Asker,
    /// Whose token something is, if it is good for an audience.
    pub(super) token: &'a dyn Fn(&str, &str) -> Option<Account>,
}

/// The review with its status.
///
/// # Errors
/// 422 for a question that is none, 400 for one about another namespace than its own.
pub(super) fn answer(
    asking: &Asking,
    mut asked: Value,
    now: Timestamp,
) -> Result<Value, StatusError> {
    let Asking { review, namespace, asker, token } = *asking;
    let spec = &asked["spec"];
    let status = match review {
        Review::SelfSubject => {
            asked["metadata"]["creationTimestamp"] = json!(api_time(now));
            json!({"userInfo": user_info(asker)})
        }
        Review::Token => whose(spec, token)?,
        Review::SelfSubjectRules => rules(spec, asker)?,
        Review::SelfSubjectAccess => {
            refuse_if(review, check_subject_of_question(spec))?;
            json!({"allowed": *asker == Asker::Admin || may_find_out(spec)})
        }
        Review::SubjectAccess => {
            refuse_if(review, check_access(spec))?;
            json!({"allowed": may(spec)})
        }
        Review::LocalSubjectAccess => {
            let own = asked["metadata"]["namespace"].as_str().unwrap_or_default();
            if !own.is_empty() && own != namespace {
                return Err(other_namespace());
            }
            refuse_if(review, check_local(namespace, spec))?;
            asked["metadata"]["namespace"] = namespace.into();
            json!({"allowed": may(&asked["spec"])})
        }
    };
    if asked["metadata"].is_null() {
        asked["metadata"] = json!({});
    }
    asked["status"] = status;
    Ok(asked)
}

fn user_info(asker: &Asker) -> Value {
    match asker {
        Asker::Account(account) => json!({
            "username": account.user, "uid": account.uid, "groups": account.groups,
            "extra": account.extra,
        }),
        Asker::Admin | Asker::Anonymous => json!({"username": ADMIN_USER, "groups": GROUPS}),
    }
}

/// Whose token it is, for the audiences that are asked about, or for this server.
fn whose(
    spec: &Value,
    token: &dyn Fn(&str, &str) -> Option<Account>,
) -> Result<Value, StatusError> {
    let shown = spec["token"].as_str().unwrap_or_default();
    if shown.is_empty() {
        return Err(bad_request("token is required for TokenReview in authentication"));
    }
    let audiences = spec["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let audiences: Vec<&str> = audiences.collect();
    let audiences = if audiences.is_empty() { vec![ISSUER] } else { audiences };
    let mut found: Vec<(&str, Account)> = Vec::new();
    for audience in audiences {
        found.extend(token(shown, audience).map(|account| (audience, account)));
    }
    let Some((_, account)) = found.first() else {
        return Ok(json!({"user": {}, "error": "invalid bearer token"}));
    };
    let user = user_info(&Asker::Account(Box::new(account.clone())));
    let audiences: Vec<&str> = found.iter().map(|(audience, _)| *audience).collect();
    Ok(json!({"authenticated": true, "user": user, "audiences": audiences}))
}

/// Whether the question is about something that everybody may do who is somebody: see
/// [`authorize`](crate::caller::authorize).
fn may_find_out(spec: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    if path.is_object() {
        return text(&path["verb"]) == "get"
            && EVERYBODYS_PATHS.iter().any(|pattern| {
                let path = text(&path["path"]);
                match pattern.strip_suffix('*') {
                    Some(start) => path.starts_with(start),
                    None => path == *pattern,
                }
            });
    }
    let (verb, group, plural) =
        (text(&resource["verb"]), text(&resource["group"]), text(&resource["resource"]));
    verb == "create" && EVERYBODYS_REVIEWS.contains(&(&*group, &*plural))
}

/// To one who may do everything two rules say it all.
fn rules(spec: &Value, asker: &Asker) -> Result<Value, StatusError> {
    if spec["namespace"].as_str().unwrap_or_default().is_empty() {
        return Err(bad_request("no namespace on request"));
    }
    if let Asker::Account(_) = asker {
        let rule = |(group, plural): &(&str, &str)| json!({"verbs": ["create"], "apiGroups": [group], "resources": [plural]});
        let reviews: Vec<Value> = EVERYBODYS_REVIEWS.iter().map(rule).collect();
        return Ok(json!({
            "resourceRules": reviews,
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": EVERYBODYS_PATHS}],
            "incomplete": false,
        }));
    }
    Ok(json!({
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": false,
    }))
}

fn may(spec: &Value) -> bool {
    let groups = spec["groups"].as_array().into_iter().flatten();
    let groups: Vec<&str> = groups.filter_map(Value::as_str).collect();
    allowed(spec["user"].as_str().unwrap_or_default(), &groups)
}

/// Whether somebody may do something; it does not matter what.
fn allowed(user: &str, groups: &[&str]) -> bool {
    user == ADMIN_USER || groups.contains(&ADMIN_GROUP)
}

/// A question is about a resource or about a path.
fn check_subject_of_question(spec: &Value) -> FieldErrors {
    const PATH: &str = "spec.nonResourceAttributes";
    match (spec["resourceAttributes"].is_object(), spec["nonResourceAttributes"].is_object()) {
        (true, true) => {
            let why = "cannot be specified in combination with resourceAttributes";
            vec![FieldError::invalid(PATH, spec["nonResourceAttributes"].clone(), why)]
        }
        (false, false) => {
            let why =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            vec![FieldError::invalid("spec.resourceAttributes", Value::Null, why)]
        }
        _ => Vec::new(),
    }
}

fn check_access(spec: &Value) -> FieldErrors {
    let mut errors = check_subject_of_question(spec);
    let user = spec["user"].as_str().unwrap_or_default();
    if user.is_empty() && spec["groups"].as_array().is_none_or(Vec::is_empty) {
        let why = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", user, why));
    }
    errors
}

fn check_local(namespace: &str, spec: &Value) -> FieldErrors {
    let mut errors = check_access(spec);
    let resource = &spec["resourceAttributes"];
    let asked = resource["namespace"].as_str().unwrap_or_default();
    if resource.is_object() && asked != namespace {
        let path = "spec.resourceAttributes.namespace";
        errors.push(FieldError::invalid(path, asked, "must match metadata.namespace"));
    }
    let path = &spec["nonResourceAttributes"];
    if path.is_object() {
        let why = "disallowed on this kind of request";
        errors.push(FieldError::invalid("spec.nonResourceAttributes", path.clone(), why));
    }
    errors
}

fn refuse_if(review: Review, errors: FieldErrors) -> Result<(), StatusError> {
    if errors.is_empty() {
        return Ok(());
    }
    let info = review.info();
    Err(invalid_options(&format!("{}.{} \"\"", info.name, info.group), &errors))
}
