//! The steps of a program that is run in a container which runs already.

use super::privileges::{Rights, privileges};
use super::process::as_machine;
use super::{Surroundings, oom_score, run_program};
use crate::protocol::{Isolation, Start, Task, User};
use crate::step::{Step, Steps};
use crate::sys::c_string;
use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;

/// What all programs of a container have in common: kept while it runs.
#[derive(Debug)]
pub(crate) struct Inside {
    env: Vec<String>,
    cwd: String,
    user: User,
    oom_score_adj: Option<i32>,
    /// None in a plain process.
    rights: Option<OwnRights>,
}

#[derive(Debug)]
struct OwnRights {
    capabilities: u64,
    no_new_privileges: bool,
    seccomp: Rc<[u8]>,
}

/// The namespaces of a container beside that of its processes, which its child is born in.
const NAMESPACES: libc::c_int =
    libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

impl Inside {
    /// Takes over what is needed of a start. Most containers have one seccomp program: `seccomp` is
    /// that of the last one, and kept once for all that are the same.
    pub(crate) fn take(start: &mut Start, seccomp: &mut Rc<[u8]>) -> Inside {
        let rights = match &start.isolation {
            Isolation::Process => None,
            Isolation::Container(container) => {
                if **seccomp != *container.seccomp {
                    *seccomp = container.seccomp.as_slice().into();
                }
                Some(OwnRights {
                    capabilities: container.capabilities,
                    no_new_privileges: container.no_new_privileges,
                    seccomp: Rc::clone(seccomp),
                })
            }
        };
        Inside {
            env: std::mem::take(&mut start.env),
            cwd: std::mem::take(&mut start.cwd),
            user: std::mem::take(&mut start.user),
            oom_score_adj: start.limits.oom_score_adj,
            rights,
        }
    }

    /// Whether it is set apart from the machine.
    pub(crate) fn is_isolated(&self) -> bool {
        self.rights.is_some()
    }
}

/// What such a program does before it begins. `first` is the pidfd of the container's first process,
/// whose PID namespace the child is in already; `cgroups` are the `cgroup.procs` files to join.
pub(crate) fn exec(
    inside: &Inside,
    task: &Task,
    around: &Surroundings,
    first: RawFd,
    cgroups: Vec<CString>,
) -> io::Result<Steps> {
    let argv = match task {
        Task::Program(argv) => argv,
        Task::Dial { port, send, until } => {
            let (send, until) = (send.clone().into_bytes(), until.clone().into_bytes());
            let last = vec![Step::Dial { port: *port }, Step::Talk { send, until }];
            return Ok(Steps { first: on_its_network(inside, around, first), shared: None, last });
        }
    };
    let last = if around.terminal {
        run_program(argv, &on_terminal(&inside.env))?.into()
    } else {
        run_program(argv, &inside.env)?.into()
    };
    let user = &inside.user;
    let Some(rights) = &inside.rights else {
        let steps = as_machine(user, &inside.cwd, inside.oom_score_adj, around, cgroups)?;
        return Ok(Steps { first: steps, shared: None, last });
    };
    let mut steps: Vec<Step> = Vec::with_capacity(16);
    steps.extend(cgroups.into_iter().map(|procs| Step::JoinCgroup { procs }));
    steps.extend(oom_score(inside.oom_score_adj)?);
    steps.push(Step::Enter { namespace: first, kind: NAMESPACES });
    steps.push(Step::Session);
    let owner = (user.uid != 0).then_some((user.uid, user.gid));
    steps.push(around.output(around.keep(None), owner));
    steps.extend(around.terminal(owner));
    let (soft, hard) = around.file_limit;
    steps.push(Step::FileLimit { soft, hard });
    steps.push(Step::WorkingDirectory { path: c_string(&inside.cwd)?, make: false });
    let rights = Rights {
        capabilities: rights.capabilities,
        no_new_privileges: rights.no_new_privileges,
        seccomp: &rights.seccomp,
    };
    steps.extend(privileges(&rights, user, around)?);
    Ok(Steps { first: steps, shared: None, last })
}

/// The environment of a program on a terminal: of a kind that every library knows.
fn on_terminal(env: &[String]) -> Vec<String> {
    let others = env.iter().filter(|entry| !entry.starts_with("TERM=")).cloned();
    others.chain(["TERM=xterm".to_owned()]).collect()
}

/// Somebody who has nothing of a container but its network.
fn on_its_network(inside: &Inside, around: &Surroundings, first: RawFd) -> Vec<Step> {
    let kind = libc::CLONE_NEWNET;
    let enter = inside.is_isolated().then_some(Step::Enter { namespace: first, kind });
    let output = around.output(around.keep(None), None);
    enter.into_iter().chain([Step::Session, output, Step::AcceptSignals]).collect()
}
