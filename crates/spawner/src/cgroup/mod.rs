//! Control groups: which files get which values is decided in [`layout`], done in [`group`].

pub(crate) mod group;
pub(crate) mod layout;
