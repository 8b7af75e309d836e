//! Probes of a container: defaults and validation.

use super::{
    container::{fill, one_of, port_number},
    meta::push_all,
};
use crate::{
    FieldError, FieldErrors, IntOrString,
    path::Path,
    types::core::v1::{Container, ExecAction, HTTPGetAction, Probe, TCPSocketAction},
    validate,
};

const TIMEOUT_S: i32 = 1;
const PERIOD_S: i32 = 10;
const SUCCESSES: i32 = 1;
const FAILURES: i32 = 3;

/// Fills in what the probes of a container leave out: 0 counts as left out.
pub(super) fn defaults(container: &mut Container) {
    let probes = [
        &mut container.liveness_probe,
        &mut container.readiness_probe,
        &mut container.startup_probe,
    ];
    for probe in probes.into_iter().flatten() {
        if let Some(get) = &mut probe.http_get {
            http_defaults(get);
        }
        for (field, value) in [
            (&mut probe.timeout_seconds, TIMEOUT_S),
            (&mut probe.period_seconds, PERIOD_S),
            (&mut probe.success_threshold, SUCCESSES),
            (&mut probe.failure_threshold, FAILURES),
        ] {
            if field.unwrap_or(0) == 0 {
                *field = Some(value);
            }
        }
    }
}

/// Fills in what a request leaves out.
pub(super) fn http_defaults(get: &mut HTTPGetAction) {
    fill(&mut get.path, "/");
    fill(&mut get.scheme, "HTTP");
}

/// Everything wrong with the probes of a container.
pub(super) fn check(container: &Container, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(probe) = &container.liveness_probe {
        let at = at.field("livenessProbe");
        one(probe, at, errors);
        succeeds_once(probe, at, errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let at = at.field("readinessProbe");
        one(probe, at, errors);
        if let Some(grace) = probe.termination_grace_period_seconds {
            let text = "must not be set for readinessProbes";
            let at = at.field("terminationGracePeriodSeconds");
            errors.push(FieldError::invalid(at, grace, text));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let at = at.field("startupProbe");
        one(probe, at, errors);
        succeeds_once(probe, at, errors);
    }
}

fn succeeds_once(probe: &Probe, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(count) = probe.success_threshold.filter(|count| *count != 1) {
        errors.push(FieldError::invalid(at.field("successThreshold"), count, "must be 1"));
    }
}

fn one(probe: &Probe, at: Path<'_>, errors: &mut FieldErrors) {
    let handlers = Handlers {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.is_some(),
        sleep: false,
    };
    handlers.check(at, errors);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        if let Some(value) = value.filter(|value| *value < 0) {
            let text = "must be greater than or equal to 0";
            errors.push(FieldError::invalid(at.field(field), value, text));
        }
    }
    if let Some(grace) = probe.termination_grace_period_seconds.filter(|grace| *grace <= 0) {
        let at = at.field("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(at, grace, "must be greater than 0"));
    }
}

/// The ways in which a probe or a hook asks, of which it must have one.
pub(super) struct Handlers<'a> {
    pub(super) exec: Option<&'a ExecAction>,
    pub(super) http_get: Option<&'a HTTPGetAction>,
    pub(super) tcp_socket: Option<&'a TCPSocketAction>,
    pub(super) grpc: bool,
    pub(super) sleep: bool,
}

impl Handlers<'_> {
    pub(super) fn check(&self, at: Path<'_>, errors: &mut FieldErrors) {
        let handlers = [
            ("exec", self.exec.is_some()),
            ("httpGet", self.http_get.is_some()),
            ("tcpSocket", self.tcp_socket.is_some()),
            ("grpc", self.grpc),
            ("sleep", self.sleep),
        ];
        let mut present = handlers.iter().filter(|(_, present)| *present);
        if present.next().is_none() {
            errors.push(FieldError::required(at, "must specify a handler type"));
        }
        for (field, _) in present {
            let text = "may not specify more than 1 handler type";
            errors.push(FieldError::forbidden(at.field(field), text));
        }
        if self.exec.is_some_and(|exec| exec.command.as_ref().is_none_or(Vec::is_empty)) {
            let at = at.field("exec");
            errors.push(FieldError::required(at.field("command"), ""));
        }
        if let Some(get) = self.http_get {
            http(get, at.field("httpGet"), errors);
        }
        if let Some(tcp) = self.tcp_socket {
            let at = at.field("tcpSocket");
            port(&tcp.port, at.field("port"), errors);
        }
    }
}

fn http(get: &HTTPGetAction, at: Path<'_>, errors: &mut FieldErrors) {
    if get.path.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(at.field("path"), ""));
    }
    port(&get.port, at.field("port"), errors);
    one_of(get.scheme.as_deref(), &["HTTP", "HTTPS"], at.field("scheme"), errors);
    for header in get.http_headers.iter().flatten() {
        let plain = header.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain || header.name.is_empty() {
            let text = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. \
                        'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
            errors.push(FieldError::invalid(at.field("httpHeaders"), header.name.as_str(), text));
        }
    }
}

fn port(port: &IntOrString, at: Path<'_>, errors: &mut FieldErrors) {
    match port {
        IntOrString::Int(number) => port_number(*number, at, errors),
        IntOrString::String(name) => push_all(errors, at, name, validate::port_name(name)),
    }
}
