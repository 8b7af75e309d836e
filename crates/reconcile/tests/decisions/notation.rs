//! The notation of the cases: one line per object in, one line per decision out.
//!
//! Times are seconds after [`START`]. Of a Job: spec fields under short names, its status on a line of
//! its own that reads like the one that comes out. A pod is tracked, bound, controlled by the Job
//! and matched by its selector unless the line says otherwise.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use kinds::{
    metav1::{LabelSelector, ObjectMeta, OwnerReference, Time},
    types::{
        batch::v1::{Job, JobCondition, JobSpec, JobStatus, UncountedTerminatedPods},
        core::v1::{
            Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod,
            PodCondition, PodSpec, PodStatus, PodTemplateSpec,
        },
    },
};
use reconcile::{
    BackOff, FAILURE_COUNT_KEY, IGNORED_FAILURE_COUNT_KEY, INDEX_KEY, Plan, TRACKING_FINALIZER,
    Write, owner_reference,
};

use crate::{policies, template};

/// Second 0 of every case.
pub(crate) const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// The name of the Job of every case.
pub(crate) const JOB: &str = "j";
const JOB_UID: &str = "00000000-0000-4000-8000-000000000001";
/// The longest run of like lines that is written out.
const LINES_MAX: usize = 12;
const LABEL: &str = "batch.kubernetes.io/controller-uid";

/// What goes in.
pub(crate) struct Input {
    pub(crate) job: Job,
    pub(crate) pods: Vec<Pod>,
    pub(crate) back_off: BackOff,
    pub(crate) now: Timestamp,
    /// New pods are written out.
    pub(crate) show_pods: bool,
    /// The Job does not exist any more.
    pub(crate) gone: bool,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

fn time(seconds: &str) -> Time {
    Time(at(number(seconds)))
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

impl Input {
    /// A Job at second 0 that has no pods yet.
    pub(crate) fn of(job: Job) -> Self {
        let (pods, back_off) = (Vec::new(), BackOff::default());
        Self { job, pods, back_off, now: at(0), show_pods: false, gone: false }
    }
}

/// Reads the part of a case above the line.
pub(crate) fn parse(text: &str) -> Input {
    let mut input = Input::of(job());
    for line in text.trim().lines().filter(|line| !line.starts_with('#')) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = rest.split_whitespace().map(|w| w.split_once('=').unwrap_or((w, "")));
        match what {
            "job" => words.for_each(|(key, value)| set_job(&mut input.job, key, value)),
            "status" => {
                let status = input.job.status.get_or_insert_default();
                status.uncounted_terminated_pods = Some(UncountedTerminatedPods::default());
                words.for_each(|(key, value)| set_status(status, key, value));
            }
            "condition" => {
                let condition = condition(rest);
                let status = input.job.status.get_or_insert_default();
                status.conditions.get_or_insert_default().push(condition);
            }
            "pod" => {
                let pod = pod(&input.job, rest);
                input.pods.push(pod);
            }
            "pods" => {
                let (number_of, rest) = rest.split_once(' ').expect("pods NUMBER PHASE word…");
                for n in 1..=number(number_of) {
                    input.pods.push(pod(&input.job, &format!("p{n} {rest}")));
                }
            }
            "rule" => {
                let policy = &mut input.job.spec.as_mut().unwrap().pod_failure_policy;
                policy.get_or_insert_default().rules.push(policies::failure_rule(rest));
            }
            "success" => {
                let policy = &mut input.job.spec.as_mut().unwrap().success_policy;
                policy.get_or_insert_default().rules.push(policies::success_rule(rest));
            }
            "template" => words.for_each(|(key, value)| template::set(&mut input.job, key, value)),
            "show" => input.show_pods = true,
            "gone" => input.gone = true,
            "backoff" => words.for_each(|(key, value)| match key {
                "failures" => input.back_off.failures = number(value),
                "last" => input.back_off.last = Some(at(number(value))),
                other => panic!("unknown word {other:?} in backoff"),
            }),
            "now" => input.now = at(number(rest)),
            other => panic!("unknown line {other:?}"),
        }
    }
    input
}

/// A Job as it is stored: defaulted, with generated labels and selector.
pub(crate) fn job() -> Job {
    let labels = [(LABEL.to_owned(), JOB_UID.to_owned())];
    let spec = JobSpec {
        parallelism: Some(1),
        backoff_limit: Some(6),
        selector: Some(LabelSelector {
            match_labels: Some(labels.clone().into()),
            ..LabelSelector::default()
        }),
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta { labels: Some(labels.into()), ..ObjectMeta::default() }),
            spec: Some(PodSpec {
                containers: vec![Container { name: "main".to_owned(), ..Container::default() }],
                restart_policy: Some("Never".to_owned()),
                ..PodSpec::default()
            }),
        },
        ..JobSpec::default()
    };
    let metadata = ObjectMeta {
        name: Some(JOB.to_owned()),
        namespace: Some("ns".to_owned()),
        uid: Some(JOB_UID.to_owned()),
        ..ObjectMeta::default()
    };
    Job { metadata, spec: Some(spec), status: None }
}

fn set_job(job: &mut Job, key: &str, value: &str) {
    let spec = job.spec.as_mut().unwrap();
    let template = spec.template.spec.as_mut().unwrap();
    match key {
        "name" => job.metadata.name = Some(value.to_owned()),
        "deleted" => job.metadata.deletion_timestamp = Some(time(value)),
        "completions" => spec.completions = Some(number(value)),
        "parallelism" => spec.parallelism = Some(number(value)),
        "backoffLimit" => spec.backoff_limit = Some(number(value)),
        "deadline" => spec.active_deadline_seconds = Some(number(value)),
        "mode" => spec.completion_mode = Some(value.to_owned()),
        "suspend" => spec.suspend = Some(true),
        "replace" => spec.pod_replacement_policy = Some(value.to_owned()),
        "failurePolicy" => spec.pod_failure_policy = Some(Default::default()),
        "perIndex" => spec.backoff_limit_per_index = Some(number(value)),
        "maxFailed" => spec.max_failed_indexes = Some(number(value)),
        "managedBy" => spec.managed_by = Some(value.to_owned()),
        "restart" => template.restart_policy = Some(value.to_owned()),
        other => panic!("unknown word {other:?} of a job"),
    }
}

fn set_status(status: &mut JobStatus, key: &str, value: &str) {
    let uncounted = || value.split(',').map(uid).collect();
    let lists = &mut status.uncounted_terminated_pods;
    match key {
        "started" => status.start_time = Some(time(value)),
        "completed" => status.completion_time = Some(time(value)),
        "active" => status.active = Some(number(value)),
        "ready" => status.ready = Some(number(value)),
        "terminating" => status.terminating = Some(number(value)),
        "succeeded" => status.succeeded = Some(number(value)),
        "failed" => status.failed = Some(number(value)),
        "indexes" => status.completed_indexes = Some(value.to_owned()),
        "failedIndexes" => status.failed_indexes = Some(value.to_owned()),
        "untracked" => *lists = None,
        "uncounted.succeeded" => lists.get_or_insert_default().succeeded = Some(uncounted()),
        "uncounted.failed" => lists.get_or_insert_default().failed = Some(uncounted()),
        other => panic!("unknown word {other:?} of a status"),
    }
}

/// As it comes out: `Type=Status since=SECOND Reason: message`; `since` may be left out.
fn condition(text: &str) -> JobCondition {
    let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (type_, status) = head.split_once('=').expect("Type=Status");
    let (since, rest) = match rest.strip_prefix("since=") {
        Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
        None => ("0", rest),
    };
    let (reason, message) = rest.split_once(": ").unwrap_or((rest, ""));
    JobCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
        last_probe_time: Some(time(since)),
        last_transition_time: Some(time(since)),
    }
}

/// The uid of the pod of this name.
pub(crate) fn uid(name: &str) -> String {
    let digits = name.bytes().fold(0_u64, |n, byte| n.wrapping_mul(257) + u64::from(byte));
    format!("00000000-0000-4000-9000-{:012x}", digits & 0xffff_ffff_ffff)
}

/// `NAME PHASE word…`
fn pod(job: &Job, text: &str) -> Pod {
    let mut words = text.split_whitespace();
    let name = words.next().expect("a pod has a name");
    let phase = words.next().expect("a pod has a phase");
    let mut pod = new_pod(job, name, phase);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        set_pod(&mut pod, key, value);
    }
    pod
}

/// A pod of the Job as most are: tracked, bound, created at second 0.
pub(crate) fn new_pod(job: &Job, name: &str, phase: &str) -> Pod {
    let template = &job.spec.as_ref().unwrap().template;
    Pod {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("ns".to_owned()),
            uid: Some(uid(name)),
            labels: template.metadata.as_ref().unwrap().labels.clone(),
            finalizers: Some(vec![TRACKING_FINALIZER.to_owned()]),
            owner_references: Some(vec![owner_reference(job)]),
            creation_timestamp: Some(Time(START)),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec { node_name: Some("node".to_owned()), ..PodSpec::default() }),
        status: Some(PodStatus {
            phase: (phase != "-").then(|| phase.to_owned()),
            ..PodStatus::default()
        }),
    }
}

fn set_pod(pod: &mut Pod, key: &str, value: &str) {
    let meta = &mut pod.metadata;
    let status = pod.status.as_mut().unwrap();
    match key {
        "index" => annotate(meta, INDEX_KEY, value),
        "failures" => annotate(meta, FAILURE_COUNT_KEY, value),
        "ignored" => annotate(meta, IGNORED_FAILURE_COUNT_KEY, value),
        "untracked" => meta.finalizers = None,
        "unbound" => pod.spec.as_mut().unwrap().node_name = None,
        "deleted" => meta.deletion_timestamp = Some(time(value)),
        "grace" => meta.deletion_grace_period_seconds = Some(number(value)),
        "created" => meta.creation_timestamp = (value != "never").then(|| time(value)),
        "relabelled" => meta.labels = None,
        "orphan" => meta.owner_references = None,
        "owner" => meta.owner_references = Some(vec![owner(value, true)]),
        "owned" => meta.owner_references = Some(vec![owner(value, false)]),
        "ready" => status.conditions.get_or_insert_default().push(ready("True", value)),
        "unready" => status.conditions.get_or_insert_default().push(ready("False", value)),
        "condition" => status.conditions.get_or_insert_default().push(pod_condition(value)),
        "exit" => set_exits(status.container_statuses.get_or_insert_default(), value),
        "init-exit" => set_exits(status.init_container_statuses.get_or_insert_default(), value),
        "restarts" => add_containers(status, value, |c, n| c.restart_count = n),
        "ended" => add_containers(status, value, |c, seconds| match seconds {
            0.. => terminated(c).finished_at = Some(Time(at(seconds.into()))),
            _ => c.state = Some(ContainerState::default()),
        }),
        "init-restarts" => {
            let init = ContainerStatus { restart_count: number(value), ..Default::default() };
            status.init_container_statuses.get_or_insert_default().push(init);
        }
        "sidecar-restarts" | "sidecar-ended" => {
            let mut sidecar = ContainerStatus { name: "sidecar".to_owned(), ..Default::default() };
            match key {
                "sidecar-ended" => sidecar.state = Some(ended(number(value))),
                _ => sidecar.restart_count = number(value),
            }
            status.init_container_statuses.get_or_insert_default().push(sidecar);
            pod.spec.as_mut().unwrap().init_containers = Some(vec![Container {
                name: "sidecar".to_owned(),
                restart_policy: Some("Always".to_owned()),
                ..Container::default()
            }]);
        }
        other => panic!("unknown word {other:?} of a pod"),
    }
}

/// The state of a container that ended then; of one that has not if the time is negative.
pub(crate) fn ended(seconds: i32) -> ContainerState {
    let finished_at = Some(Time(at(seconds.into())));
    let terminated = ContainerStateTerminated { finished_at, ..Default::default() };
    ContainerState { terminated: (seconds >= 0).then_some(terminated), ..Default::default() }
}

/// One number per container; `-` (read as -1) is one that has not ended.
fn add_containers(status: &mut PodStatus, list: &str, set: impl Fn(&mut ContainerStatus, i32)) {
    let containers = status.container_statuses.get_or_insert_default();
    for (at, value) in list.split(',').enumerate() {
        if containers.len() <= at {
            containers.push(ContainerStatus::default());
        }
        set(&mut containers[at], if value == "-" { -1 } else { number(value) });
    }
}

fn terminated(container: &mut ContainerStatus) -> &mut ContainerStateTerminated {
    container.state.get_or_insert_default().terminated.get_or_insert_default()
}

/// `NAME:CODE,…`; without a code the container has not ended.
fn set_exits(containers: &mut Vec<ContainerStatus>, list: &str) {
    for (at, exit) in list.split(',').enumerate() {
        if containers.len() <= at {
            containers.push(ContainerStatus::default());
        }
        let (name, code) = exit.split_once(':').unwrap_or((exit, ""));
        containers[at].name = name.to_owned();
        if !code.is_empty() {
            terminated(&mut containers[at]).exit_code = number(code);
        }
    }
}

fn annotate(meta: &mut ObjectMeta, key: &str, value: &str) {
    meta.annotations.get_or_insert_default().insert(key.to_owned(), value.to_owned());
}

/// `Type=Status`
fn pod_condition(text: &str) -> PodCondition {
    let (type_, status) = text.split_once('=').expect("Type=Status");
    PodCondition { type_: type_.to_owned(), status: status.to_owned(), ..Default::default() }
}

fn ready(status: &str, since: &str) -> PodCondition {
    PodCondition {
        type_: "Ready".to_owned(),
        status: status.to_owned(),
        last_transition_time: (since != "unknown").then(|| time(since)),
        ..PodCondition::default()
    }
}

/// `Kind.group/version`
fn owner(text: &str, controller: bool) -> OwnerReference {
    let (kind, api_version) = text.split_once('.').unwrap_or((text, "v1"));
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: "other".to_owned(),
        uid: uid("other"),
        controller: controller.then_some(true),
        block_owner_deletion: None,
    }
}

/// Writes a plan, one decision per line.
pub(crate) fn render(plan: &Plan, show_pods: bool) -> String {
    let mut out = String::new();
    let mut writes = plan.writes.iter().peekable();
    while let Some(write) = writes.next() {
        let _ = match write {
            Write::AdoptPod { name } => writeln!(out, "adopt {name}"),
            Write::ReleasePod { name } => writeln!(out, "release {name}"),
            Write::RemoveFinalizer { name } => {
                let delete = Write::DeletePod { name: name.clone() };
                match writes.next_if_eq(&&delete) {
                    Some(_) => writeln!(out, "untrack+delete {name}"),
                    None => writeln!(out, "untrack {name}"),
                }
            }
            Write::DeletePod { name } => writeln!(out, "delete {name}"),
            Write::CreatePod(pod) => write!(out, "{}", render_new(pod, show_pods)),
            Write::SetStatus(status) => write!(out, "{}", render_status(status)),
        };
    }
    for note in &plan.notes {
        let kind = if note.warning { "warning" } else { "event" };
        let _ = writeln!(out, "{kind} {}: {}", note.reason, note.message);
    }
    if plan.back_off != BackOff::default() {
        let last = plan.back_off.last.map_or("never".to_owned(), seconds);
        let _ = writeln!(out, "backoff failures={} last={last}", plan.back_off.failures);
    }
    if let Some(wake) = plan.wake_at {
        let _ = writeln!(out, "wake {}", seconds(wake));
    }
    if out.is_empty() { "nothing\n".to_owned() } else { shortened(&out) }
}

/// `create NAME`, with the failures of its index if they are told.
fn render_new(pod: &Pod, whole: bool) -> String {
    let mut out = format!("create {}", pod.metadata.name.as_deref().unwrap_or("?"));
    let annotations = pod.metadata.annotations.iter().flatten();
    for (key, value) in annotations {
        match key.as_str() {
            FAILURE_COUNT_KEY => out += &format!(" failures={value}"),
            IGNORED_FAILURE_COUNT_KEY => out += &format!(" ignored={value}"),
            _ => {}
        }
    }
    out.push('\n');
    if whole {
        out += &template::render(pod);
    }
    out
}

/// Leaves out the middle of long runs of lines that begin with the same word.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let word = |line: &&str| line.split([' ', ':']).next().unwrap_or_default().to_owned();
    let mut out = String::new();
    for run in lines.chunk_by(|a, b| word(a) == word(b)) {
        match run {
            [first, middle @ .., last] if middle.len() > LINES_MAX => {
                let _ = writeln!(out, "{first}\n… {} more\n{last}", middle.len());
            }
            _ => run.iter().for_each(|line| out.push_str(&format!("{line}\n"))),
        }
    }
    out
}

fn seconds(time: Timestamp) -> String {
    time.duration_since(START).as_secs().to_string()
}

fn render_status(status: &JobStatus) -> String {
    let mut out = "status".to_owned();
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(out, " {name}={value}");
        }
    };
    let text = |n: Option<i32>| n.map(|n| n.to_string());
    field("started", status.start_time.as_ref().map(|t| seconds(t.0)));
    field("completed", status.completion_time.as_ref().map(|t| seconds(t.0)));
    field("active", text(status.active));
    field("ready", text(status.ready));
    field("terminating", text(status.terminating));
    field("succeeded", text(status.succeeded));
    field("failed", text(status.failed));
    field("indexes", status.completed_indexes.clone());
    field("failedIndexes", status.failed_indexes.clone());
    match &status.uncounted_terminated_pods {
        None => out.push_str(" untracked"),
        Some(lists) => {
            field("uncounted.succeeded", lists.succeeded.as_ref().map(|l| l.join(",")));
            field("uncounted.failed", lists.failed.as_ref().map(|l| l.join(",")));
        }
    }
    out.push('\n');
    for condition in status.conditions.iter().flatten() {
        let since = condition.last_transition_time.as_ref().map_or("?".into(), |t| seconds(t.0));
        let reason = condition.reason.as_deref().unwrap_or("-");
        let message = condition.message.as_deref().unwrap_or("-");
        let (of, is) = (&condition.type_, &condition.status);
        let _ = writeln!(out, "condition {of}={is} since={since} {reason}: {message}");
    }
    out
}
