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
            container.privileged
                || container.joins.is_some()
                || container.addresses.is_some()
                || container.mounts.iter().any(within)
        };
        match &self.isolation {
            Isolation::Container(container) if newer(container) => 2,
            _ if self.stdio != Stdio::default() || self.address_words.is_some() => 2,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn start(changes: Value) -> Request {
        let mut start = json!({
            "id": { "pod": "p", "container": "c", "attempt": 0 },
            "argv": [], "env": [], "cwd": "/",
            "user": { "uid": 0, "gid": 0, "groups": [] },
            "limits": {},
            "log": { "directory": "/l", "name": "0.log", "file_bytes_max": 1, "files_max": 1 },
            "isolation": "Process",
        });
        let Value::Object(changes) = changes else { unreachable!("an object") };
        start.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(json!({ "Start": start })).unwrap()
    }

    fn container(changes: Value) -> Value {
        let mut container = json!({
            "root": { "Directory": "/r" }, "read_only_root": false, "writable_bytes": 1,
            "mounts": [], "hostname": "h", "host_network": true, "keep_namespaces": false,
            "capabilities": 0, "no_new_privileges": true, "seccomp": "", "masked_paths": [],
            "read_only_paths": [],
        });
        let Value::Object(changes) = changes else { unreachable!("an object") };
        container.as_object_mut().unwrap().extend(changes);
        json!({ "isolation": { "Container": container } })
    }

    #[test]
    fn what_came_later_is_refused_in_place_of_an_older_spawner() {
        let within = json!({ "directory": "/d", "path": "p", "make": false, "blame": "b" });
        let mount = json!({ "source": { "Within": within }, "target": "/t", "read_only": true });
        let cases = [
            (start(json!({})), true),
            (start(container(json!({}))), true),
            (
                start(json!({ "stdio": { "stdin": true, "stdin_once": false, "tty": false } })),
                false,
            ),
            (start(json!({ "address_words": { "first": "a", "all": "b" } })), false),
            (start(container(json!({ "privileged": true }))), false),
            (
                start(container(json!({ "addresses": { "v4": ["10.0.0.0", 16], "v6": null } }))),
                false,
            ),
            (start(container(json!({ "mounts": [mount] }))), false),
        ];
        for (request, known) in cases {
            assert_eq!(request.is_known_to(1), known, "{request:?}");
            assert!(request.is_known_to(crate::protocol::VERSION));
            let refusal = request.refusal(7);
            assert!(matches!(refusal, Some(Reply::Failed { failure, .. }) if failure.at_ns == 7));
        }
    }
}
