//! From objects and Tables to text. Pure.

pub(crate) mod custom;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod yaml;
