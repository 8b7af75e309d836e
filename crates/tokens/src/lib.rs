//! Tokens of ServiceAccounts: JSON Web Tokens with upstream's claims (`pkg/serviceaccount`), signed
//! with ES256. A signature takes 20 µs, an RS256 one with keys of the usual length forty times that.
//!
//! Whether the objects that a token is bound to are still there is for its reader to find out.

mod claims;
mod signer;

pub use claims::{Bound, Claims, Reference, WARN_ONLY_S, lifetime};
pub use signer::{BadKey, Invalid, Signer};

/// Who issues the tokens, and for whom they are good unless they say otherwise: this server.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
