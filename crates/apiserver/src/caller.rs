//! Who sends a request, and what may be asked without saying so.

use hyper::{HeaderMap, Method, header::AUTHORIZATION};
use kinds::{Reason, StatusError};

use crate::{
    Discovery, Request, RequestInfo, account::Account, answer::bad_request, review::Review,
};

/// Whoever is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The owner of the data directory: the unix socket is theirs, or they hold the key to a
    /// certificate of ours. User [`ADMIN_USER`] of the group [`ADMIN_GROUP`].
    Admin,
    /// Showed no certificate.
    Anonymous,
    /// Showed a certificate that is not ours, or no longer valid.
    Stranger,
}

/// The user that the one client certificate names; its CommonName.
pub const ADMIN_USER: &str = "kubernetes-admin";

/// The group of that user, which may do everything; the certificate's Organization.
pub const ADMIN_GROUP: &str = "system:masters";

/// What upstream's role `system:public-info-viewer` lets everybody read.
const PUBLIC_PATHS: &[&str] = &["/healthz", "/livez", "/readyz", "/version", "/version/"];

/// What the headers begin with by which somebody asks in another's name.
const IMPERSONATION: &str = "impersonate-";

/// In whose name a request comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// See [`Caller::Admin`].
    Admin,
    /// Nobody in particular.
    Anonymous,
    /// Whoever has a token of a ServiceAccount.
    Account(Box<Account>),
}

/// Finds out in whose name a request comes; `account` reads tokens. A credential that is wrong is refused everywhere: it
/// never makes somebody anonymous.
///
/// # Errors
/// 401 in upstream's words; 400 where somebody asks in another's name, which would change the answer.
pub(crate) fn identify(
    account: impl Fn(&str) -> Option<Account>,
    caller: Caller,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Asker, StatusError> {
    let unauthorized = || StatusError::new(Reason::Unauthorized, "Unauthorized");
    let asker = match (caller, headers.get(AUTHORIZATION)) {
        (Caller::Admin, _) => Asker::Admin,
        (Caller::Stranger, _) => return Err(unauthorized()),
        (Caller::Anonymous, Some(header)) => {
            let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            let account = token.and_then(|token| account(token.trim()));
            Asker::Account(Box::new(account.ok_or_else(unauthorized)?))
        }
        (Caller::Anonymous, None) if method == Method::GET && PUBLIC_PATHS.contains(&path) => {
            Asker::Anonymous
        }
        (Caller::Anonymous, None) => return Err(unauthorized()),
    };
    match headers.keys().find(|name| name.as_str().starts_with(IMPERSONATION)) {
        Some(name) => Err(bad_request(format!("coracle does not support the header {name} yet"))),
        None => Ok(asker),
    }
}

/// Whether somebody may ask this. An account may do what upstream's roles `system:discovery`,
/// `system:basic-user` and `system:public-info-viewer` let every one do: find out what there is, who
/// it is and what it may.
///
/// # Errors
/// 403 in upstream's words.
pub(crate) fn authorize(
    asker: &Asker,
    method: &Method,
    path: &str,
    request: Option<&Request>,
) -> Result<(), StatusError> {
    let Asker::Account(account) = asker else { return Ok(()) };
    let user = &account.user;
    let text = match request {
        Some(Request::Resource(info)) => forbidden_resource(user, info),
        Some(Request::Review(
            Review::SelfSubject | Review::SelfSubjectAccess | Review::SelfSubjectRules,
            ..,
        )) => return Ok(()),
        Some(Request::Review(review, namespace, _)) => forbidden_review(user, *review, namespace),
        Some(Request::Discovery(document)) if *document != Discovery::Index => return Ok(()),
        Some(Request::OpenApi(_)) => return Ok(()),
        _ if method == Method::GET && PUBLIC_PATHS.contains(&path) => return Ok(()),
        _ => {
            let verb = method.as_str().to_lowercase();
            format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"")
        }
    };
    Err(StatusError::new(Reason::Forbidden, text))
}

fn forbidden_resource(user: &str, info: &RequestInfo) -> String {
    let kind = info.kind.info();
    let part = info.subresource.name();
    let resource = match part {
        "" => kind.plural.to_owned(),
        part => format!("{}/{part}", kind.plural),
    };
    let named = if info.name.is_empty() { String::new() } else { format!(" \"{}\"", info.name) };
    let qualified = kind.qualified();
    let question = Question { verb: info.verb.name(), resource: &resource, group: kind.group };
    format!("{qualified}{named} is forbidden: {}", question.refused(user, &info.namespace))
}

fn forbidden_review(user: &str, review: Review, namespace: &str) -> String {
    let info = review.info();
    let question = Question { verb: "create", resource: info.plural, group: info.group };
    format!("{}.{} is forbidden: {}", info.plural, info.group, question.refused(user, namespace))
}

struct Question<'a> {
    verb: &'a str,
    resource: &'a str,
    group: &'a str,
}

impl Question<'_> {
    fn refused(&self, user: &str, namespace: &str) -> String {
        let Self { verb, resource, group } = self;
        let place = match namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        format!(
            "User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_certificate_only_health_and_version_can_be_read() {
        use Caller::{Admin, Anonymous, Stranger};
        for (method, path, header, allowed) in [
            ("GET", "/livez", "", &[Admin, Anonymous][..]),
            ("GET", "/version", "", &[Admin, Anonymous]),
            ("GET", "/version", "authorization", &[Admin]),
            ("POST", "/version", "", &[Admin]),
            ("GET", "/livez/ping", "", &[Admin]),
            ("GET", "/metrics", "", &[Admin]),
            ("GET", "/api/v1/pods", "", &[Admin]),
            ("POST", "/coracle/stop", "", &[Admin]),
            ("GET", "/no/such/path", "", &[Admin]),
        ] {
            for caller in [Admin, Anonymous, Stranger] {
                let answer = ask(caller, method, path, header);
                let wanted = if allowed.contains(&caller) { None } else { Some(401) };
                assert_eq!(answer, wanted, "{caller:?} {method} {path} {header}");
            }
        }
    }

    #[test]
    fn who_asks_in_anothers_name_is_told_that_this_does_not_work() {
        assert_eq!(ask(Caller::Admin, "GET", "/version", "impersonate-user"), Some(400));
        assert_eq!(ask(Caller::Admin, "GET", "/version", "impersonate-extra-x"), Some(400));
        assert_eq!(ask(Caller::Stranger, "GET", "/version", "impersonate-user"), Some(401));
    }

    /// The code of the refusal.
    fn ask(caller: Caller, method: &str, path: &str, header: &'static str) -> Option<u16> {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert(header, "x".parse().unwrap());
        }
        let answer = identify(|_| None, caller, &method.parse().unwrap(), path, &headers);
        answer.err().map(|error| error.reason.code())
    }
}
