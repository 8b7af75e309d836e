//! The steps of a plain process: RuntimeClass `process`.

use super::{Surroundings, oom_score, run_program};
use crate::protocol::{Start, User};
use crate::step::{Step, Steps};
use crate::sys::c_string;
use std::ffi::CString;
use std::io;

/// What a plain process does before its program: a session of its own, the machine's mounts, user,
/// working directory. `cgroups` are the `cgroup.procs` files to join.
pub(crate) fn process(
    start: &Start,
    around: &Surroundings,
    cgroups: Vec<CString>,
) -> io::Result<Steps> {
    let (user, score) = (&start.user, start.limits.oom_score_adj);
    let first = as_machine(user, &start.cwd, score, around, cgroups)?;
    let last = run_program(&start.argv, &start.env)?.into();
    Ok(Steps { first, shared: None, last })
}

/// Up to its program: in the machine itself.
pub(super) fn as_machine(
    user: &User,
    cwd: &str,
    oom_score_adj: Option<i32>,
    around: &Surroundings,
    cgroups: Vec<CString>,
) -> io::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::with_capacity(12);
    steps.extend(cgroups.into_iter().map(|procs| Step::JoinCgroup { procs }));
    steps.extend(oom_score(oom_score_adj)?);
    let kind = libc::CLONE_NEWNS;
    steps.extend(around.machine_mounts.map(|namespace| Step::Enter { namespace, kind }));
    steps.push(Step::Session);
    let other_user = !is_same(user, around.identity);
    let owner = (user.uid != around.identity.0).then_some((user.uid, user.gid));
    steps.push(around.output(around.keep(None), owner));
    steps.extend(around.terminal(owner));
    let (soft, hard) = around.file_limit;
    steps.push(Step::FileLimit { soft, hard });
    if other_user {
        let User { uid, gid, groups } = user.clone();
        steps.push(Step::User { uid, gid, groups });
    }
    steps.push(Step::WorkingDirectory { path: c_string(cwd)?, make: false });
    Ok(steps)
}

/// Whether an ordinary user's spawner may keep what it has, which is all it could ever set.
fn is_same(user: &User, identity: (u32, u32)) -> bool {
    identity.0 != 0 && (user.uid, user.gid) == identity && user.groups.is_empty()
}
