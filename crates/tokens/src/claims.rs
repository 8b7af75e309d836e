//! What a token says.

use serde::{Deserialize, Serialize};

use crate::ISSUER;

/// The life of the tokens that pods get by themselves, seconds: whoever asks for exactly this gets a
/// token that is good for longer, for programs that read theirs only once.
pub const WARN_ONLY_S: i64 = 3607;

/// The life that such a token really has, seconds: a year.
const EXTENDED_S: i64 = 365 * 24 * 60 * 60;

/// How long a token is good that was asked to be so for some seconds, and after how many seconds its
/// use is frowned upon.
pub fn lifetime(asked_s: i64, audiences: &[String], bound_to_pod: bool) -> (i64, Option<i64>) {
    let own = audiences.iter().all(|audience| audience == ISSUER);
    match asked_s {
        WARN_ONLY_S if bound_to_pod && own => (EXTENDED_S, Some(asked_s)),
        _ => (asked_s, None),
    }
}

/// Everything a token says, times in seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// For whom it is good; empty for this server.
    #[serde(rename = "aud")]
    pub audiences: Vec<String>,
    /// When it ends.
    #[serde(rename = "exp")]
    pub expires_s: i64,
    /// When it was made.
    #[serde(rename = "iat")]
    pub issued_s: i64,
    /// The objects it is about.
    #[serde(rename = "kubernetes.io")]
    pub bound: Bound,
}

/// The objects that a token is about; it ends with the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The account's namespace.
    pub namespace: String,
    /// The node of the pod, or the one that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Reference>,
    /// The pod that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Reference>,
    /// The Secret that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Reference>,
    /// The account.
    pub serviceaccount: Reference,
    /// From when on its use is frowned upon.
    #[serde(rename = "warnafter", default, skip_serializing_if = "Option::is_none")]
    pub warn_after_s: Option<i64>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl Claims {
    /// `system:serviceaccount:NAMESPACE:NAME`
    pub fn user(&self) -> String {
        let Bound { namespace, serviceaccount, .. } = &self.bound;
        format!("system:serviceaccount:{namespace}:{}", serviceaccount.name)
    }
}
