//! What a spawner of each version of the protocol knows. One may run that is older than its server: it
//! stays as long as it has containers, and hangs up on what it does not know.

use crate::protocol::{
    Container, ContainerId, Executed, Failure, Isolation, Mount, MountSource, Reply, Request,
    Stage, Start, Stdio,
};

impl Request {
    /// Whether a spawner that speaks this version does all of it.
    pub fn is_known_to(&self, version: u32) -> bool {
        let since = match self {
            Request::Exec(_)
            | Request::KillExec { .. }
            | Request::Attach { .. }
            | Request::CloseInput { .. }
            | Request::Sockets { .. } => 2,
            Request::Start(start) => start.since(),
            Request::Hello { .. }
            | Request::Signal { .. }
            | Request::Kill { .. }
            | Request::Forget { .. }
            | Request::EndPod { .. }
            | Request::Stop => 1,
        };
        since <= version
    }

    /// What is answered in place of a spawner that does not know it; none where nothing is awaited.
    /// `at_ns` is now, nanoseconds since the epoch.
    pub fn refusal(&self, at_ns: i64) -> Option<Reply> {
        let failure = |what: &str| Failure {
            stage: Stage::Clone,
            errno: libc::ENOSYS,
            message: format!(
                "{what}: the spawner that runs is older than its server; it is replaced once no \
                 container runs and the server starts again"
            ),
            at_ns,
        };
        let executed = |id: &ContainerId, exec: u64, what| Reply::Executed {
            id: id.clone(),
            exec,
            how: Executed::Failed(failure(what)),
        };
        match self {
            Request::Exec(exec) => {
                Some(executed(&exec.id, exec.exec, "run a program in a container"))
            }
            Request::Attach { id, number, .. } => {
                Some(executed(id, *number, "attach to a container"))
            }
            Request::Sockets { id, number } => {
                Some(executed(id, *number, "reach ports of a container"))
            }
            Request::Start(start) => {
                let failure = failure("start a container with what this pod asks for");
                Some(Reply::Failed { id: start.id.clone(), failure })
            }
            _ => None,
        }
    }
}

impl Start {
    /// The version of the protocol that has all it asks for.
    fn since(&self) -> u32 {
        let newer = |container: &Container| {
            let within = |mount: &Mount| matches!(mount.source, MountSource::Within { .. });
            container.privileged || container.joins.is_some() || container.mounts.iter().any(within)
        };
        match &self.isolation {
            Isolation::Container(container) if newer(container) => 2,
            _ if self.stdio != Stdio::default() => 2,
            _ => 1,
        }
    }
}
