//! What a request for streams is about: which container, which streams of it. Pure.

use kinds::{StatusError, Uid, types::core::v1::Pod};
use node::streams::{ContainerId, Wanted};

use super::handshake::Speech;
use crate::{
    Query, Subresource,
    answer::bad_request,
    log::attempt::{attempt_in, container_of, status_of},
};

/// A session at one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The container, or why there is none.
    pub(super) id: Result<ContainerId, String>,
    /// Which streams the client wants; whether it has a terminal.
    pub(super) wanted: Wanted,
    pub(super) what: Doing,
}

/// What it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// To run this.
    Exec(Vec<String>),
    /// To come to what runs.
    Attach(Own),
}

/// The streams that a container has by its spec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) stdin: bool,
    /// Whether that ends with the first who comes.
    pub(super) once: bool,
    pub(super) tty: bool,
}

/// A pod whose ports are forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) pod: String,
    pub(super) uid: Uid,
    /// A container in its network.
    pub(super) id: Option<ContainerId>,
}

/// Reads a request for exec or attach.
///
/// # Errors
/// 400 in upstream's words.
pub(super) fn call(
    what: Subresource,
    pod: &Pod,
    uid: Uid,
    query: &Query,
) -> Result<Call, StatusError> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let container = container_of(pod, name, query.text("container"))?;
    has_host(pod, name)?;
    let terminal = query.flag("tty");
    let wanted = Wanted {
        stdin: query.flag("stdin"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr") && !terminal,
        terminal,
    };
    if !(wanted.stdin || wanted.stdout || wanted.stderr) {
        return Err(bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let what = match what {
        Subresource::Attach => Doing::Attach(own(pod, &container)),
        _ => {
            let command: Vec<String> = query.all("command").map(str::to_owned).collect();
            if command.is_empty() {
                return Err(bad_request("you must specify at least one command for the container"));
            }
            Doing::Exec(command)
        }
    };
    let not_found = || format!("unable to upgrade connection: container not found ({container:?})");
    Ok(Call { id: running(pod, uid, &container).ok_or_else(not_found), wanted, what })
}

/// Reads a request for port-forward.
///
/// # Errors
/// 400 in upstream's words.
pub(super) fn port_forward(pod: &Pod, uid: Uid) -> Result<Target, StatusError> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    has_host(pod, name)?;
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let id = containers.chain(init).find_map(|container| running(pod, uid, &container.name));
    Ok(Target { pod: name.to_owned(), uid, id })
}

/// The ports that a session names from the start: over channels of a WebSocket, it has to.
///
/// # Errors
/// 400 in upstream's words.
pub(super) fn ports(speech: &Speech, query: &Query) -> Result<Vec<u16>, StatusError> {
    match speech {
        Speech::WebSocket { protocol, .. } if !protocol.starts_with("SPDY/") => {}
        _ => return Ok(Vec::new()),
    }
    let mut ports = Vec::new();
    for text in query.all("ports").flat_map(|list| list.split(',')) {
        if text.is_empty() {
            return Err(bad_request("query parameter \"port\" cannot be empty"));
        }
        ports.push(port(text).map_err(bad_request)?);
    }
    match ports.is_empty() {
        true => Err(bad_request("query parameter \"port\" is required")),
        false if ports.len() > PORTS_MAX => Err(bad_request(format!(
            "at most {PORTS_MAX} ports can be forwarded over one WebSocket"
        ))),
        false => Ok(ports),
    }
}

/// Two channels for each, and a channel is one byte.
const PORTS_MAX: usize = 64;

/// A port by its number.
pub(super) fn port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(0) => Err(format!("port {text:?} must be > 0")),
        Ok(port) => Ok(port),
        Err(error) => {
            let why = crate::query::parse_error("ParseUint", text, &error);
            Err(format!("unable to parse {text:?} as a port: {why}"))
        }
    }
}

fn has_host(pod: &Pod, name: &str) -> Result<(), StatusError> {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    match node.is_empty() {
        true => Err(bad_request(format!("pod {name} does not have a host assigned"))),
        false => Ok(()),
    }
}

/// The attempt of a container that runs.
fn running(pod: &Pod, uid: Uid, container: &str) -> Option<ContainerId> {
    let status = status_of(pod, container)?;
    status.state.as_ref()?.running.as_ref()?;
    let attempt = attempt_in(status.container_id.as_deref()?)?;
    Some(ContainerId { pod: uid.to_string(), container: container.to_owned(), attempt })
}

fn own(pod: &Pod, name: &str) -> Own {
    let Some(spec) = &pod.spec else { return Own::default() };
    let is = |field: Option<bool>| field.unwrap_or(false);
    let ordinary = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let ordinary = ordinary.map(|c| (&c.name, c.stdin, c.stdin_once, c.tty));
    let debugging = spec.ephemeral_containers.iter().flatten();
    let debugging = debugging.map(|c| (&c.name, c.stdin, c.stdin_once, c.tty));
    let found = ordinary.chain(debugging).find(|(of, ..)| *of == name);
    found.map_or_else(Own::default, |(_, stdin, once, tty)| Own {
        stdin: is(stdin),
        once: is(once),
        tty: is(tty),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(state: serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "p" },
            "spec": {
                "nodeName": "here",
                "containers": [
                    { "name": "c", "stdin": true, "tty": true },
                    { "name": "d", "stdinOnce": true },
                ],
            },
            "status": { "containerStatuses": [{
                "name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 2,
                "containerID": "coracle://u_c_2", "state": state,
            }] },
        }))
        .unwrap()
    }

    const UID: &str = "00000000-0000-0000-0000-000000000007";

    fn called(what: Subresource, query: &str) -> Result<Call, String> {
        let pod = pod(json!({ "running": {} }));
        let uid = Uid::parse(UID).unwrap();
        call(what, &pod, uid, &Query::parse(query)).map_err(|error| error.message)
    }

    #[test]
    fn a_call_names_a_container_and_streams() {
        let call = called(Subresource::Exec, "container=c&command=a&command=b&stdout=1").unwrap();
        let id = ContainerId { pod: UID.into(), container: "c".into(), attempt: 2 };
        assert_eq!(call.id, Ok(id.clone()));
        assert_eq!(call.what, Doing::Exec(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(call.wanted, Wanted { stdout: true, ..Wanted::default() });
        let tty = "container=c&command=a&stdin=true&stdout=true&stderr=true&tty=true";
        let wanted = called(Subresource::Exec, tty).unwrap().wanted;
        assert_eq!(wanted, Wanted { stdin: true, stdout: true, stderr: false, terminal: true });
        let attach = called(Subresource::Attach, "container=c&stdin=1").unwrap();
        assert_eq!(attach.what, Doing::Attach(Own { stdin: true, once: false, tty: true }));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_upstreams_words() {
        for (what, query, text) in [
            (
                Subresource::Exec,
                "command=a&stdout=1",
                "a container name must be specified for pod p, choose one of: [c d]",
            ),
            (
                Subresource::Exec,
                "container=x&command=a&stdout=1",
                "container x is not valid for pod p",
            ),
            (
                Subresource::Exec,
                "container=c&command=a&stderr=1&tty=1",
                "you must specify at least 1 of stdin, stdout, stderr",
            ),
            (
                Subresource::Attach,
                "container=c&stdout=0",
                "you must specify at least 1 of stdin, stdout, stderr",
            ),
            (
                Subresource::Exec,
                "container=c&stdout=1",
                "you must specify at least one command for the container",
            ),
        ] {
            assert_eq!(called(what, query).unwrap_err(), text);
        }
        let none = called(Subresource::Exec, "container=d&command=a&stdout=1").unwrap();
        let text = "unable to upgrade connection: container not found (\"d\")";
        assert_eq!(none.id.unwrap_err(), text);
        let mut waiting = pod(json!({}));
        waiting.spec.as_mut().unwrap().node_name = None;
        let error = port_forward(&waiting, Uid::parse(UID).unwrap()).unwrap_err();
        assert_eq!(error.message, "pod p does not have a host assigned");
    }

    #[test]
    fn ports_are_numbers() {
        let accept = String::new();
        let channels = Speech::WebSocket { protocol: "v4.channel.k8s.io", accept: accept.clone() };
        let read = |speech: &Speech, query: &str| {
            ports(speech, &Query::parse(query)).map_err(|error| error.message)
        };
        assert_eq!(read(&channels, "ports=80&ports=81,82"), Ok(vec![80, 81, 82]));
        let tunnel = Speech::WebSocket { protocol: "SPDY/3.1+portforward.k8s.io", accept };
        assert_eq!(read(&tunnel, ""), Ok(Vec::new()));
        for (query, text) in [
            ("", "query parameter \"port\" is required"),
            ("ports=", "query parameter \"port\" cannot be empty"),
            ("ports=0", "port \"0\" must be > 0"),
            (
                "ports=x",
                "unable to parse \"x\" as a port: strconv.ParseUint: parsing \"x\": invalid syntax",
            ),
            (
                "ports=70000",
                "unable to parse \"70000\" as a port: strconv.ParseUint: parsing \"70000\": value out \
                 of range",
            ),
        ] {
            assert_eq!(read(&channels, query).unwrap_err(), text);
        }
    }
}
