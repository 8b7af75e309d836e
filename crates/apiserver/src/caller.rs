//! Who sends a request, and what may be asked without saying so.

use hyper::Method;
use kinds::{Reason, StatusError};

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

/// Whether a caller may ask this. A credential that is wrong is refused everywhere: it never makes
/// somebody anonymous.
///
/// # Errors
/// 401 in upstream's words.
pub(crate) fn may_ask(caller: Caller, method: &Method, path: &str) -> Result<(), StatusError> {
    let allowed = match caller {
        Caller::Admin => true,
        Caller::Anonymous => method == Method::GET && PUBLIC_PATHS.contains(&path),
        Caller::Stranger => false,
    };
    if allowed { Ok(()) } else { Err(StatusError::new(Reason::Unauthorized, "Unauthorized")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_certificate_only_health_and_version_can_be_read() {
        use Caller::{Admin, Anonymous, Stranger};
        for (method, path, allowed) in [
            ("GET", "/livez", &[Admin, Anonymous][..]),
            ("GET", "/version", &[Admin, Anonymous]),
            ("POST", "/version", &[Admin]),
            ("GET", "/livez/ping", &[Admin]),
            ("GET", "/metrics", &[Admin]),
            ("GET", "/api/v1/pods", &[Admin]),
            ("POST", "/coracle/stop", &[Admin]),
            ("GET", "/no/such/path", &[Admin]),
        ] {
            for caller in [Admin, Anonymous, Stranger] {
                let answer = may_ask(caller, &method.parse().unwrap(), path);
                assert_eq!(answer.is_ok(), allowed.contains(&caller), "{caller:?} {method} {path}");
                let code = answer.err().map(|error| error.reason.code());
                assert!(matches!(code, None | Some(401)), "{code:?}");
            }
        }
    }
}
