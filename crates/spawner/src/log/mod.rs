//! What containers print, in the format the kubelet's readers expect.

pub(crate) mod cri;
pub(crate) mod file;
