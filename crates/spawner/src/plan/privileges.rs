//! The steps that take privileges away from a container, in the one order that works.

use super::Surroundings;
use crate::protocol::User;
use crate::step::Step;
use std::io;

/// What a container may do: see [`Container`](crate::protocol::Container).
pub(super) struct Rights<'a> {
    pub(super) capabilities: u64,
    pub(super) no_new_privileges: bool,
    pub(super) seccomp: &'a [u8],
}

/// Bounding set first, while it may be changed; seccomp as the last thing before the program if
/// `no_new_privs` allows that, else while CAP_SYS_ADMIN is still there; capabilities after the user,
/// because leaving user 0 clears them.
pub(super) fn privileges(
    rights: &Rights,
    user: &User,
    around: &Surroundings,
) -> io::Result<Vec<Step>> {
    let mask = rights.capabilities & around.capabilities;
    let dropped = around.bounding & !mask;
    let User { uid, gid, groups } = user.clone();
    let mut steps = vec![Step::DropCapabilities { dropped }];
    let seccomp = seccomp(rights.seccomp)?;
    if rights.no_new_privileges {
        steps.push(Step::User { uid, gid, groups });
        steps.push(Step::Capabilities { mask: if uid == 0 { mask } else { 0 } });
        steps.push(Step::NoNewPrivileges);
        steps.extend(seccomp);
    } else {
        steps.extend(seccomp);
        steps.push(Step::User { uid, gid, groups });
        steps.push(Step::Capabilities { mask: if uid == 0 { mask } else { 0 } });
    }
    Ok(steps)
}

fn seccomp(bytes: &[u8]) -> io::Result<Option<Step>> {
    let (instructions, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let program = instructions.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect();
    Ok((!instructions.is_empty()).then_some(Step::Seccomp { program }))
}
