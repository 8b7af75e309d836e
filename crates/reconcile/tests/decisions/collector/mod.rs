//! Cases of what goes: Jobs whose time is over, objects whose owners go, namespaces, pods that ended.
//! How the first half of each is read say the files beside this one.

mod objects;
mod render;
mod terminated;
mod ttl;

pub(crate) use objects::live;
pub(crate) use terminated::decide as terminated;
pub(crate) use ttl::decide as ttl;
