//! The default seccomp profile.

/// The compiled program: `sock_filter` instructions in native order.
pub(super) fn default_profile() -> &'static [u8] {
    &[]
}
