//! Who sends a request, and what may be asked without saying so.

use hyper::{HeaderMap, Method, header::AUTHORIZATION};
use kinds::{Reason, StatusError};

use crate::answer::bad_request;

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

/// Whether a caller may ask this. A credential that is wrong is refused everywhere: it never makes
/// somebody anonymous.
///
/// # Errors
/// 401 in upstream's words; 400 where somebody asks in another's name, which would change the answer.
pub(crate) fn may_ask(
    caller: Caller,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<(), StatusError> {
    let allowed = match caller {
        Caller::Admin => true,
        // There are no tokens and no passwords: whichever it is, it is wrong.
        Caller::Anonymous if headers.contains_key(AUTHORIZATION) => false,
        Caller::Anonymous => method == Method::GET && PUBLIC_PATHS.contains(&path),
        Caller::Stranger => false,
    };
    if !allowed {
        return Err(StatusError::new(Reason::Unauthorized, "Unauthorized"));
    }
    match headers.keys().find(|name| name.as_str().starts_with(IMPERSONATION)) {
        Some(name) => Err(bad_request(format!("coracle does not support the header {name} yet"))),
        None => Ok(()),
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
        let answer = may_ask(caller, &method.parse().unwrap(), path, &headers);
        answer.err().map(|error| error.reason.code())
    }
}
