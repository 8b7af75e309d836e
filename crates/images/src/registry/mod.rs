//! Talking to registries: the distribution API over HTTP, as far as pulling needs it.

mod auth;
mod credentials;
mod http;
mod session;
mod settings;
mod url;

pub(crate) use self::session::Session;
pub use self::{credentials::Credentials, settings::Registries};
