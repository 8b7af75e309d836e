//! How a probe or a hook asks, and what an answer means: a program of the container, a connection, or an HTTP
//! request to a port. Ports are asked for at the container's own loopback, from within.

use kinds::{
    IntOrString,
    types::core::v1::{Container as ContainerSpec, HTTPGetAction, LifecycleHandler, Probe},
};
use spawner::protocol::{Executed, Stage, Task};

use super::{probe::Answer, restart::duration_text};
use crate::env;

/// How much of what a probe says is kept, bytes: upstream's limit.
pub(super) const OUTPUT_BYTES_MAX: u32 = 10 * 1024;

/// `User-Agent` of probes and of hooks.
const PROBE_AGENT: &str = "kube-probe/1.36";
const HOOK_AGENT: &str = "kube-lifecycle/1.36";

/// How a probe asks.
#[derive(Clone, Debug)]
pub(crate) enum Handler {
    Program(Vec<String>),
    Tcp { port: u16 },
    Http { port: u16, path: String, host: Option<String>, headers: String },
}

impl Handler {
    /// That of a probe of this container; none if it has none that works.
    pub(crate) fn of_probe(probe: &Probe, container: &ContainerSpec) -> Option<Handler> {
        if let Some(exec) = &probe.exec {
            // Only what the spec itself says a variable is.
            let value = |name: &str| {
                let named = container.env.iter().flatten().rev().find(|var| var.name == name)?;
                named.value_from.is_none().then(|| named.value.as_deref().unwrap_or_default())
            };
            let words = exec.command.iter().flatten();
            return Some(Handler::Program(words.map(|word| env::expand(word, value)).collect()));
        }
        if let Some(get) = &probe.http_get {
            return Some(http(get, PROBE_AGENT, container));
        }
        let tcp = probe.tcp_socket.as_ref()?;
        Some(Handler::Tcp { port: port(&tcp.port, container) })
    }

    /// That of a hook of this container; none if it asks in a way that does not work.
    pub(crate) fn of_hook(hook: &LifecycleHandler, container: &ContainerSpec) -> Option<Handler> {
        if let Some(exec) = &hook.exec {
            return Some(Handler::Program(exec.command.clone().unwrap_or_default()));
        }
        hook.http_get.as_ref().map(|get| http(get, HOOK_AGENT, container))
    }

    /// What the spawner is asked for.
    pub(crate) fn task(&self) -> Task {
        match self {
            Handler::Program(argv) => Task::Program(argv.clone()),
            Handler::Tcp { port } => {
                Task::Dial { port: *port, send: String::new(), until: String::new() }
            }
            Handler::Http { port, path, host, headers } => {
                let own = format!("127.0.0.1:{port}");
                let host = host.as_deref().unwrap_or(&own);
                let send = format!(
                    "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
                );
                Task::Dial { port: *port, send, until: "\r\n\r\n".to_owned() }
            }
        }
    }

    /// What it means that no answer came in time.
    pub(crate) fn late(&self, timeout_s: u32) -> String {
        match self {
            Handler::Program(argv) => format!(
                "command timed out: \"{}\" timed out after {}",
                argv.join(" "),
                duration_text(timeout_s)
            ),
            Handler::Tcp { port } => format!("dial tcp 127.0.0.1:{port}: i/o timeout"),
            Handler::Http { .. } => self.failed(
                "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            ),
        }
    }

    /// What an answer means.
    pub(crate) fn answer(&self, how: Executed) -> Answer {
        match (self, how) {
            (_, Executed::Failed(failure)) if failure.stage != Stage::Dial => {
                Answer::Error(failure.message)
            }
            (_, Executed::Failed(failure)) => Answer::Failure(self.failed(&failure.message)),
            (Handler::Http { .. }, Executed::Ended { code: Some(0), stdout, .. }) => {
                match status(&stdout) {
                    Some(200..400) => Answer::Success,
                    Some(code) => {
                        Answer::Failure(format!("HTTP probe failed with statuscode: {code}"))
                    }
                    None if stdout.is_empty() => Answer::Failure(self.failed("EOF")),
                    None => {
                        let line = stdout.lines().next().unwrap_or_default();
                        let text = format!(
                            "net/http: HTTP/1.x transport connection broken: malformed HTTP \
                             response {line:?}"
                        );
                        Answer::Failure(self.failed(&text))
                    }
                }
            }
            (_, Executed::Ended { code: Some(0), .. }) => Answer::Success,
            (_, Executed::Ended { stdout, stderr, .. }) => Answer::Failure(cut(stdout + &stderr)),
        }
    }

    fn failed(&self, why: &str) -> String {
        match self {
            Handler::Http { port, path, .. } => {
                format!("Get \"http://127.0.0.1:{port}{path}\": {why}")
            }
            _ => why.to_owned(),
        }
    }
}

fn http(get: &HTTPGetAction, agent: &str, container: &ContainerSpec) -> Handler {
    let port = port(&get.port, container);
    let path = get.path.as_deref().unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut host = None;
    let mut headers = String::new();
    let has = |name: &str| {
        get.http_headers.iter().flatten().any(|header| header.name.eq_ignore_ascii_case(name))
    };
    for (name, value) in [("User-Agent", agent), ("Accept", "*/*")] {
        if !has(name) {
            headers += &format!("{name}: {value}\r\n");
        }
    }
    for header in get.http_headers.iter().flatten().filter(|header| !header.value.is_empty()) {
        // A line break would begin another header.
        let value = header.value.replace(['\r', '\n'], " ");
        match header.name.eq_ignore_ascii_case("Host") {
            true => host = Some(value),
            false => headers += &format!("{}: {value}\r\n", header.name),
        }
    }
    Handler::Http { port, path: path.replace(['\r', '\n', ' '], "%20"), host, headers }
}

/// The number of a port, by itself or by the name that the container gives it.
fn port(port: &IntOrString, container: &ContainerSpec) -> u16 {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let ports = container.ports.iter().flatten();
            let named = ports.into_iter().find(|port| port.name.as_ref() == Some(name));
            named.map(|port| port.container_port).or_else(|| name.parse().ok())
        }
    };
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}

/// The code in the first line of an HTTP answer.
fn status(answer: &str) -> Option<u16> {
    let (version, rest) = answer.lines().next()?.split_once(' ')?;
    let code = rest.get(..3)?;
    version.starts_with("HTTP/").then(|| code.parse().ok()).flatten()
}

fn cut(mut output: String) -> String {
    let mut end = output.len().min(OUTPUT_BYTES_MAX as usize);
    while !output.is_char_boundary(end) {
        end -= 1;
    }
    output.truncate(end);
    output
}
