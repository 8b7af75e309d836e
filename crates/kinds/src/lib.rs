//! What Kubernetes objects are: their bytes, their table of kinds, strict decoding, defaults and
//! validation. Pure: no clock, no file system, no threads, no async runtime. Whoever calls hands in
//! the time and the ids.

pub mod admit;
mod check;
pub mod columns;
pub mod cron;
pub mod decode;
mod draft;
mod event_draft;
mod field_error;
mod key;
mod labels;
pub mod manifest;
pub mod names;
mod object;
mod packed;
pub mod patch;
mod path;
pub mod protobuf;
pub mod quantity;
mod quote;
mod scan;
pub mod schema;
pub mod selector;
mod status;
pub mod suggest;
pub mod support;
mod table;
mod tree;
mod validate;

pub use draft::{Draft, api_time};
pub use event_draft::EventDraft;
pub use field_error::{FieldError, FieldErrorKind, FieldErrors};
pub use key::{Key, Uid};
pub use labels::Labels;
pub use object::{DecodeError, Facts, Meta, Object, Owner, RUN_ANNOTATION};
pub use packed::Model;
pub use quote::quote;
pub use status::{Cause, Reason, StatusError};
pub use table::{KINDS, Kind, KindInfo};

/// The typed API objects of Kubernetes 1.36, for objects that are being worked on.
pub use k8s_openapi::api as types;
/// Metadata types shared by every kind.
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1 as metav1;
/// A port by number or by name.
pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// A place in the history of the store: rises by one with every object written. Never 0 for an
/// object that exists; 0 means "before everything".
pub type Revision = u64;
