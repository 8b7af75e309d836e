//! The containers of a pod or a template, with their states where there are any.

use kinds::quantity::Quantity;
use serde_json::Value;

use super::writer::{Writer, amount, capital, list, long_time, moment, or, text};

/// Writes containers under a title. `inner` is whether they stand within a template; `pod` is what
/// references to fields are looked up in.
pub(super) fn containers(
    writer: &mut Writer,
    title: &str,
    containers: &Value,
    statuses: &Value,
    inner: bool,
    pod: Option<&Value>,
) {
    let space = if inner { "  " } else { "" };
    let none = if list(containers).is_empty() { " <none>" } else { "" };
    writer.line(0, &format!("{space}{title}:{none}"));
    for container in list(containers) {
        let status = list(statuses).iter().find(|status| status["name"] == container["name"]);
        let indent = if inner { " " } else { "" };
        writer.line(1, &format!("{indent}{}:", text(&container["name"])));
        basics(writer, container, status);
        words(writer, "Command", &container["command"]);
        words(writer, "Args", &container["args"]);
        if let Some(status) = status {
            states(writer, status);
        }
        resources(writer, &container["resources"], 2);
        probes(writer, container);
        sources(writer, container);
        variables(writer, container, pod);
        mounts(writer, container);
    }
}

fn basics(writer: &mut Writer, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        writer.field(2, "Container ID", &text(&status["containerID"]));
    }
    writer.field(2, "Image", &text(&container["image"]));
    if let Some(status) = status {
        writer.field(2, "Image ID", &text(&status["imageID"]));
    }
    for (label, number) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> =
            list(&container["ports"]).iter().map(|port| self::port(port, number)).collect();
        match ports.as_slice() {
            [] => writer.field(2, label, "<none>"),
            [one] => writer.field(2, label, one),
            several => writer.field(2, &format!("{label}s"), &several.join(", ")),
        }
    }
    let profile = &container["securityContext"]["seccompProfile"];
    writer.given(2, "SeccompProfile", &profile["type"]);
    writer.given(3, "LocalhostProfile", &profile["localhostProfile"]);
}

fn port(port: &Value, number: &str) -> String {
    let place = format!("{}/{}", or(&port[number], "0"), text(&port["protocol"]));
    match text(&port["name"]) {
        name if name.is_empty() => place,
        name => format!("{place} ({name})"),
    }
}

fn words(writer: &mut Writer, label: &str, words: &Value) {
    if list(words).is_empty() {
        return;
    }
    writer.line(2, &format!("{label}:"));
    for word in list(words) {
        text(word).split('\n').for_each(|line| writer.line(3, line));
    }
}

fn states(writer: &mut Writer, status: &Value) {
    state(writer, "State", &status["state"]);
    if status["lastState"]["terminated"].is_object() {
        state(writer, "Last State", &status["lastState"]);
    }
    writer.field(2, "Ready", capital(&status["ready"]));
    writer.field(2, "Restart Count", &or(&status["restartCount"], "0"));
}

fn state(writer: &mut Writer, label: &str, state: &Value) {
    let when = |value: &Value| {
        // What was never known is the beginning of time.
        moment(value).map_or("Mon, 01 Jan 0001 00:00:00 +0000".to_owned(), long_time)
    };
    let (running, ended) = (&state["running"], &state["terminated"]);
    if running.is_object() {
        writer.field(2, label, "Running");
        writer.field(3, "Started", &when(&running["startedAt"]));
    } else if ended.is_object() {
        writer.field(2, label, "Terminated");
        writer.given(3, "Reason", &ended["reason"]);
        writer.given(3, "Message", &ended["message"]);
        writer.field(3, "Exit Code", &or(&ended["exitCode"], "0"));
        if ended["signal"].as_i64().unwrap_or(0) > 0 {
            writer.given(3, "Signal", &ended["signal"]);
        }
        writer.field(3, "Started", &when(&ended["startedAt"]));
        writer.field(3, "Finished", &when(&ended["finishedAt"]));
    } else {
        writer.field(2, label, "Waiting");
        writer.given(3, "Reason", &state["waiting"]["reason"]);
    }
}

/// Limits and requests of a container or a whole pod.
pub(super) fn resources(writer: &mut Writer, resources: &Value, level: usize) {
    for (label, amounts) in [("Limits", "limits"), ("Requests", "requests")] {
        let mut entries = super::writer::entries(&resources[amounts]).peekable();
        if entries.peek().is_some() {
            writer.line(level, &format!("{label}:"));
        }
        entries.for_each(|(name, given)| writer.field(level + 1, name, &amount(given)));
    }
}

fn probes(writer: &mut Writer, container: &Value) {
    for (label, field) in [
        ("Liveness", "livenessProbe"),
        ("Readiness", "readinessProbe"),
        ("Startup", "startupProbe"),
    ] {
        if container[field].is_object() {
            writer.field(2, label, &probe(&container[field]));
        }
    }
}

fn probe(probe: &Value) -> String {
    let number = |field: &str| or(&probe[field], "0");
    let how = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let (http, tcp, grpc) = (&probe["httpGet"], &probe["tcpSocket"], &probe["grpc"]);
    if probe["exec"].is_object() {
        let words: Vec<String> = list(&probe["exec"]["command"]).iter().map(text).collect();
        format!("exec [{}] {how}", words.join(" "))
    } else if http.is_object() {
        let scheme = text(&http["scheme"]).to_lowercase();
        let (host, port) = (text(&http["host"]), text(&http["port"]));
        format!("http-get {scheme}://{host}:{port}{} {how}", text(&http["path"]))
    } else if tcp.is_object() {
        format!("tcp-socket {}:{} {how}", text(&tcp["host"]), text(&tcp["port"]))
    } else if grpc.is_object() {
        format!("grpc <pod>:{} {} {how}", text(&grpc["port"]), text(&grpc["service"]))
    } else {
        format!("unknown {how}")
    }
}

fn sources(writer: &mut Writer, container: &Value) {
    if list(&container["envFrom"]).is_empty() {
        return;
    }
    writer.line(2, "Environment Variables from:");
    for source in list(&container["envFrom"]) {
        let (from, reference) = match source["configMapRef"].is_object() {
            true => ("ConfigMap", &source["configMapRef"]),
            false => ("Secret", &source["secretRef"]),
        };
        let prefix = match text(&source["prefix"]) {
            prefix if prefix.is_empty() => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        let (name, optional) = (text(&reference["name"]), optional(reference));
        writer.line(3, &format!("{name}\t{from}{prefix}\tOptional: {optional}"));
    }
}

/// Whether a reference may lead nowhere.
pub(super) fn optional(reference: &Value) -> bool {
    reference["optional"] == true
}

fn variables(writer: &mut Writer, container: &Value, pod: Option<&Value>) {
    let variables = list(&container["env"]);
    writer.line(2, if variables.is_empty() { "Environment:\t<none>" } else { "Environment:" });
    for variable in variables {
        let name = text(&variable["name"]);
        let from = &variable["valueFrom"];
        let (field, resource) = (&from["fieldRef"], &from["resourceFieldRef"]);
        let (secret, config) = (&from["secretKeyRef"], &from["configMapKeyRef"]);
        if field.is_object() {
            let path = text(&field["fieldPath"]);
            let value = pod.map(|pod| of_field(pod, &path)).unwrap_or_default();
            let version = text(&field["apiVersion"]);
            writer.field(3, &name, &format!("{value} ({version}:{path})"));
        } else if resource.is_object() {
            let wanted = text(&resource["resource"]);
            writer.field(3, &name, &format!("{} ({wanted})", of_resource(container, resource)));
        } else if secret.is_object() {
            let set = format!(
                "<set to the key '{}' in secret '{}'>\tOptional: {}",
                text(&secret["key"]),
                text(&secret["name"]),
                optional(secret)
            );
            writer.field(3, &name, &set);
        } else if config.is_object() {
            let set = format!(
                "<set to the key '{}' of config map '{}'>\tOptional: {}",
                text(&config["key"]),
                text(&config["name"]),
                optional(config)
            );
            writer.field(3, &name, &set);
        } else if from.is_null() {
            let value = text(&variable["value"]);
            let mut lines = value.split('\n');
            writer.field(3, &name, lines.next().unwrap_or_default());
            lines.for_each(|line| writer.line(3, &format!("\t{line}")));
        }
    }
}

/// What a reference to a field of the pod gives.
fn of_field(pod: &Value, path: &str) -> String {
    let keyed = path.strip_suffix("']").and_then(|path| path.split_once("['"));
    let (path, key) = keyed.map_or((path, None), |(path, key)| (path, Some(key)));
    let found = path.split('.').fold(pod, |value, field| &value[field]);
    text(key.map_or(found, |key| &found[key]))
}

/// What a reference to a resource gives, in the unit that it asks for; without a limit that of the
/// node holds.
fn of_resource(container: &Value, reference: &Value) -> String {
    let wanted = text(&reference["resource"]);
    let found = wanted.split_once('.').map(|(kind, name)| &container["resources"][kind][name]);
    let milli = |value: &Value| Some(Quantity::parse(value.as_str()?).ok()?.milli());
    let unit = milli(&reference["divisor"]).filter(|unit| *unit > 0).unwrap_or(1000);
    match found.and_then(milli) {
        // Part of a unit counts as a whole one.
        Some(milli) => (milli / unit + i64::from(milli % unit > 0)).to_string(),
        None if matches!(wanted.as_str(), "limits.cpu" | "limits.memory") => {
            "node allocatable".to_owned()
        }
        None => "0".to_owned(),
    }
}

fn mounts(writer: &mut Writer, container: &Value) {
    let mut mounts: Vec<&Value> = list(&container["volumeMounts"]).iter().collect();
    writer.line(2, if mounts.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    mounts.sort_by_key(|mount| text(&mount["mountPath"]));
    for mount in mounts {
        let mode = if mount["readOnly"] == true { "ro" } else { "rw" };
        let below = match text(&mount["subPath"]) {
            below if below.is_empty() => String::new(),
            below => format!(",path={below:?}"),
        };
        let (path, name) = (text(&mount["mountPath"]), text(&mount["name"]));
        writer.line(3, &format!("{path} from {name} ({mode}{below})"));
    }
}
