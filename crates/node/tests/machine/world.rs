//! A world for one pod: a store, files and a clock that answer by themselves, a spawner that answers
//! on command, and a record of everything the node did.
//!
//! Commands, one a line; `#` begins a comment:
//! ```text
//! spec JSON                   fields to be merged into the pod's spec
//! container NAME [JSON]       a container; the default is coracle.local/host running `true`
//! init NAME [JSON]            the same for an init container
//! annotate KEY VALUE          metadata.annotations of the pod
//! bind                        the pod is bound to this node and durable
//! started C [N]               replies of the spawner about container C (attempt N, else the newest)
//! ended C CODE|sigN|oom [N]
//! failed C STAGE ERRNO [N]
//! wait SECONDS                time passes; ticks come when they are asked for
//! delete GRACE                deletion begins, or its grace is shortened
//! gone                        the object is gone
//! disconnect                  the spawner's socket breaks
//! addresses IP …              what containers that run from now on have; at first none
//! connect same|other [C=running|starting|failed|CODE …]
//! restart                     the server dies and another opens the same store
//! writes off|on               statuses become durable at once, or only when turned on again
//! files off|on                the same for answers about volumes
//! broken VOLUME TEXT          the next preparation fails like this
//! exec C CODE|sigN|error|dial [TEXT]   the newest program that was run in C ended and said this
//! words C TEXT                what C leaves as its last words
//! log C TEXT                  what C wrote last to its log
//! configmap|secret NAME [immutable] [K=V …]   made or changed
//! lost KIND NAME              such an object is deleted
//! account NAME                a ServiceAccount
//! class NAME HANDLER          a RuntimeClass
//! foreign JSON                someone else merges this into the status
//! respec JSON                 someone else merges this into the spec
//! debug NAME [JSON]           someone adds an ephemeral container
//! remeta JSON                 someone else merges this into the metadata
//! image C NEWS [TEXT|JSON]    what became of the image that C asked for: pulling, present, pulled,
//!                             failed, absent; JSON is the image's configuration
//! again                       the last spawner reply comes once more
//! contents V                  prints what the files of volume V were last made to hold
//! start [C] POINTER           prints one part of the last start of C, without what was said before
//! show PATH                   prints one part of the durable status, such as conditions
//! ```

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
};

use images::Reference;
use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Key, Kind, Object, Revision, Uid, types::core::v1::PodStatus};
use node::{
    Config, Found, HostRoot, ImageNews, ImageRequest, Input, Lookup, Node, Output, ReadyImage,
    volumes::{Content, DataFile, PrepareError, VolumeKind, VolumePlan},
};
use serde_json::{Value, json};
use spawner::protocol::{
    ContainerId, End, Executed, Failure, Record, Reply, Request, Running, Stage, State, Task,
};

pub(crate) const START_S: i64 = 1_700_000_000;
pub(crate) const UID: &str = "01234567-89ab-4def-8123-456789abcdef";

/// Objects that a pod refers to.
#[derive(Default)]
pub(crate) struct Objects(RefCell<BTreeMap<Key, Arc<Object>>>);

impl Lookup for Objects {
    fn object(&self, key: &Key) -> Option<Arc<Object>> {
        self.0.borrow().get(key).cloned()
    }
}

pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) now: Timestamp,
    pub(crate) said: Vec<String>,
    pub(crate) objects: Objects,
    spec: Value,
    annotations: BTreeMap<String, String>,
    /// The pod as the store has it, and as it is on disk.
    pub(crate) head: Option<Arc<Object>>,
    pub(crate) disk: Option<Arc<Object>>,
    revision: Revision,
    /// Whether statuses become durable at once.
    pub(crate) writes: bool,
    files: bool,
    held: Vec<Input>,
    /// The image that each container asked for last.
    wanted: BTreeMap<String, (ContainerId, Reference)>,
    broken: Option<PrepareError>,
    words: BTreeMap<String, String>,
    logged: BTreeMap<String, String>,
    last: Option<Reply>,
    /// Whether the pod has a directory.
    pub(crate) directory: bool,
    /// The addresses of the pod's network.
    addresses: Vec<IpAddr>,
    /// When each container started, as the spawner would know.
    started_ns: BTreeMap<String, i64>,
    /// Every request that went to the spawner.
    pub(crate) sent: Vec<Request>,
    /// The last plan of volumes.
    planned: Option<Box<VolumePlan>>,
}

pub(crate) fn config() -> Config {
    Config {
        node_name: "machine".into(),
        host_name: "machine".into(),
        host_ips: vec![],
        pod_range: Some(Config::POD_RANGE),
        data_dir: PathBuf::from("/data"),
        host: HostRoot::default(),
        images: BTreeMap::from([("local/tools".to_owned(), PathBuf::from("/srv/tools"))]),
        cpu_milli: 2000,
        memory_bytes: 4 << 30,
        pids_max: None,
        writable_bytes: Config::WRITABLE_BYTES,
        log_file_bytes_max: Config::LOG_FILE_BYTES_MAX,
        log_files_max: Config::LOG_FILES_MAX,
        status_hold_ms: Config::STATUS_HOLD_MS,
    }
}

/// An image with this configuration and a few users.
fn ready_image(reference: &Reference, config: &str) -> ReadyImage {
    let config = if config.is_empty() { "{}" } else { config };
    let digest = format!("sha256:{}", "ab".repeat(32));
    let image = json!({
        "id": digest, "names": [], "digests": [format!("{}@{digest}", reference.name())],
        "config": serde_json::from_str::<Value>(config).unwrap(),
        "accounts": [
            {"User": {"name": "app", "uid": 1000, "gid": 1001, "home": "/home/app"}},
            {"Group": {"name": "staff", "gid": 50, "members": ["app", "other"]}},
        ],
        "layers": [{"diffId": digest, "chain": digest, "bytes": 4096}],
        "createdS": 0,
    });
    ReadyImage {
        reference: reference.clone(),
        image: serde_json::from_value(image).unwrap(),
        root: PathBuf::from("/images/it"),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            node: Node::new(config(), Found::default()),
            now: Timestamp::from_second(START_S).unwrap(),
            said: vec![],
            objects: Objects::default(),
            spec: json!({"restartPolicy": "Never", "containers": []}),
            annotations: BTreeMap::new(),
            head: None,
            disk: None,
            revision: 0,
            writes: true,
            files: true,
            held: vec![],
            wanted: BTreeMap::new(),
            broken: None,
            words: BTreeMap::new(),
            logged: BTreeMap::new(),
            last: None,
            directory: false,
            addresses: vec![],
            started_ns: BTreeMap::new(),
            sent: vec![],
            planned: None,
        };
        world.input(Input::Connected { same_instance: true, containers: vec![] });
        world
    }

    pub(crate) fn command(&mut self, line: &str) {
        let line = line.split(" #").next().unwrap().trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        match word {
            "" | "#" => {}
            "spec" => merge(&mut self.spec, &serde_json::from_str(rest).unwrap()),
            "container" => self.container("containers", rest),
            "init" => self.container("initContainers", rest),
            "annotate" => {
                self.annotations.insert(words[0].into(), words[1].into());
            }
            "bind" => self.bind(),
            "addresses" => self.addresses = words.iter().map(|ip| ip.parse().unwrap()).collect(),
            "started" | "ended" | "failed" => self.reply(word, &words),
            "exec" => self.executed(&words),
            "wait" => self.wait(words[0].parse().unwrap()),
            "delete" => self.delete(words[0].parse().unwrap()),
            "gone" => {
                self.head = None;
                self.disk = None;
                self.input(Input::PodGone(uid()));
            }
            "disconnect" => self.input(Input::Disconnected),
            "connect" => self.connect(&words),
            "restart" => self.restart(),
            "writes" => {
                self.writes = words[0] == "on";
                self.settle();
            }
            "files" => {
                self.files = words[0] == "on";
                self.settle();
            }
            "broken" => {
                let (volume, message) = rest.split_once(' ').unwrap();
                self.broken = Some(PrepareError { volume: volume.into(), message: message.into() });
            }
            "words" | "log" => {
                let (container, text) = rest.split_once(' ').unwrap();
                let said = if word == "log" { &mut self.logged } else { &mut self.words };
                said.insert(container.into(), text.into());
            }
            "configmap" | "secret" => {
                let immutable = words.get(1) == Some(&"immutable");
                let pairs_of = &words[1 + usize::from(immutable)..];
                let (kind, data) = match word {
                    "secret" => (Kind::Secret, json!(encoded(pairs_of))),
                    _ => (Kind::ConfigMap, json!(pairs(pairs_of))),
                };
                self.object(kind, words[0], json!({"data": data, "immutable": immutable}));
            }
            "lost" => {
                let kind = if words[0] == "secret" { Kind::Secret } else { Kind::ConfigMap };
                let key = Key::new(kind, "ns", words[1]);
                self.objects.0.borrow_mut().remove(&key);
                self.input(Input::ObjectChanged(key));
            }
            "account" => self.object(Kind::ServiceAccount, words[0], json!({})),
            "contents" => self.print_contents(words[0]),
            "class" => self.object(Kind::RuntimeClass, words[0], json!({"handler": words[1]})),
            "foreign" => self.foreign(&serde_json::from_str(rest).unwrap()),
            "debug" => self.debug(rest),
            "respec" => self.remake("spec", &serde_json::from_str(rest).unwrap(), 1),
            "remeta" => self.remake("metadata", &serde_json::from_str(rest).unwrap(), 0),
            "image" => self.image(rest),
            "again" => self.again(),
            "show" => self.show(words[0]),
            "start" => self.print_start(&words),
            other => panic!("unknown command {other}"),
        }
    }

    fn container(&mut self, list: &str, rest: &str) {
        let (name, more) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let mut container = json!({
            "name": name, "image": "coracle.local/host", "command": ["true"],
            "imagePullPolicy": "IfNotPresent",
        });
        merge(&mut container, &serde_json::from_str(more).unwrap());
        let fields = self.spec.as_object_mut().unwrap();
        let list = fields.entry(list).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(container);
    }

    fn debug(&mut self, rest: &str) {
        self.container("ephemeralContainers", rest);
        let all = self.spec["ephemeralContainers"].clone();
        self.remake("spec", &json!({"ephemeralContainers": all}), 1);
    }

    pub(crate) fn bind(&mut self) {
        self.spec["nodeName"] = json!("machine");
        let pod = json!({
            "metadata": {
                "name": "p", "namespace": "ns", "uid": UID, "generation": 1,
                "labels": {"app": "x"}, "annotations": self.annotations,
                "creationTimestamp": "2023-11-14T22:13:20Z",
            },
            "spec": self.spec,
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        });
        self.put(Draft::from_json(Kind::Pod, pod.to_string().as_bytes()).unwrap());
        self.sync();
    }

    fn put(&mut self, draft: Draft) -> Revision {
        self.revision += 1;
        self.head = Some(Arc::new(draft.seal(self.revision)));
        self.revision
    }

    /// What is written becomes durable.
    fn sync(&mut self) {
        if self.disk.as_ref().map(|o| o.meta.revision)
            != self.head.as_ref().map(|o| o.meta.revision)
        {
            self.disk = self.head.clone();
            if let Some(object) = self.disk.clone() {
                self.input(Input::Pod(object));
            }
        }
    }

    pub(crate) fn settle(&mut self) {
        if self.files {
            for input in std::mem::take(&mut self.held) {
                self.input(input);
            }
        }
        if self.writes {
            self.sync();
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        for output in self.node.handle(input, self.now, &self.objects) {
            self.perform(output);
        }
        self.settle();
    }

    fn say(&mut self, text: String) {
        let ms = self.now.as_millisecond() - START_S * 1000;
        self.said.push(format!("{}.{:03} {text}", ms / 1000, ms % 1000));
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Status { status, uid: of, .. } => {
                assert_eq!(of, uid());
                self.say(format!("status {}", summary(&status)));
                let Some(head) = &self.head else { return };
                let mut draft = head.draft();
                draft.set_pod_status(&status);
                let revision = self.put(draft);
                self.input_after_write(revision);
            }
            Output::Event { field_path, warning, reason, message, .. } => {
                let sort = if warning { "Warning" } else { "Normal" };
                let about = field_path.map(|path| format!(" {path}")).unwrap_or_default();
                self.say(format!("event {sort} {reason}{about}: {message}"));
            }
            Output::Spawner(request) => {
                self.say(format!("send {}", request_text(&request)));
                self.sent.push(request.clone());
                if let Request::EndPod { pod } = request {
                    self.held.push(Input::Spawner(Reply::PodEnded { pod }));
                }
            }
            Output::Prepare { uid, plan } => {
                let volumes: Vec<&str> = plan.volumes.iter().map(|v| v.name.as_str()).collect();
                self.say(format!("prepare [{}]", volumes.join(" ")));
                self.planned = Some(plan.clone());
                self.directory = true;
                let result = self.broken.take().map_or(Ok(()), Err);
                self.held.push(Input::Prepared { uid, result });
            }
            Output::FindImage(request) => {
                let ImageRequest { id, reference, policy, credentials } = *request;
                let secrets = credentials.concat();
                self.say(format!("find image {reference} {policy:?} {} {secrets}", id.attempt));
                self.wanted.insert(id.container.clone(), (id, reference));
            }
            Output::ReleaseImages { .. } => self.say("release images".into()),
            Output::CleanUp { uid } => {
                self.say("clean up".into());
                self.directory = false;
                self.held.push(Input::CleanedUp { uid });
            }
            Output::ReadTermination { id, .. } => {
                self.say(format!("read log {} {}", id.container, id.attempt));
                let message = self.logged.get(&id.container).cloned().unwrap_or_default();
                self.held.push(Input::TerminationRead { id, message });
            }
            Output::Remove { .. } => self.say("remove".into()),
        }
    }

    fn input_after_write(&mut self, revision: Revision) {
        let wrote = Input::Wrote { uid: uid(), revision };
        for output in self.node.handle(wrote, self.now, &self.objects) {
            self.perform(output);
        }
    }

    /// `image CONTAINER NEWS [TEXT|CONFIGURATION]`: what became of the image that was asked for last.
    fn image(&mut self, rest: &str) {
        let mut words = rest.splitn(3, ' ');
        let (container, news) = (words.next().unwrap(), words.next().unwrap());
        let rest = words.next().unwrap_or_default();
        let (id, name) = self.wanted[container].clone();
        let ready = || Arc::new(ready_image(&name, rest));
        let news = match news {
            "pulling" => ImageNews::Pulling,
            "present" => ImageNews::Present(ready()),
            "pulled" => ImageNews::Pulled { image: ready(), took_ms: 1200, waited_ms: 61_500 },
            "failed" => ImageNews::Failed(rest.to_owned()),
            "absent" => ImageNews::Absent,
            other => panic!("unknown news {other}"),
        };
        self.input(Input::Image { id, news });
    }

    fn reply(&mut self, word: &str, words: &[&str]) {
        let arguments = if word == "ended" {
            2
        } else if word == "failed" {
            3
        } else {
            1
        };
        let attempt = words.get(arguments).map(|n| n.parse().unwrap());
        let id = self.id(words[0], attempt);
        let ns = nanoseconds(self.now);
        if word == "started" {
            self.started_ns.insert(words[0].into(), ns);
        }
        let started_ns = self.started_ns.get(words[0]).copied().unwrap_or(ns);
        let state = match word {
            "started" => State::Running(self.running(started_ns)),
            "ended" => State::Ended(self.end(words[0], words[1], started_ns)),
            _ => State::Failed(failure(words[1], words[2].parse().unwrap(), ns)),
        };
        self.report(id, state);
    }

    fn running(&self, started_ns: i64) -> Running {
        Running { pid: 7, started_ns, addresses: self.addresses.clone() }
    }

    /// The end of a container now, with its last words.
    fn end(&self, container: &str, how: &str, started_ns: i64) -> End {
        let message = self.words.get(container).cloned().unwrap_or_default();
        End { message, ..end(how, started_ns, nanoseconds(self.now)) }
    }

    /// The spawner reports this.
    pub(crate) fn report(&mut self, id: ContainerId, state: State) {
        let reply = match state {
            State::Running(running) => Reply::Started { id, running },
            State::Ended(end) => Reply::Ended { id, end },
            State::Failed(failure) => Reply::Failed { id, failure },
            State::Starting => return,
        };
        self.last = Some(reply.clone());
        self.input(Input::Spawner(reply));
    }

    /// The last report comes once more.
    pub(crate) fn again(&mut self) {
        if let Some(reply) = self.last.clone() {
            self.input(Input::Spawner(reply));
        }
    }

    /// Attempt `attempt` at a container, else the newest that was started.
    fn id(&self, container: &str, attempt: Option<u32>) -> ContainerId {
        let newest = self.sent.iter().rev().find_map(|request| match request {
            Request::Start(start) if start.id.container == container => Some(start.id.attempt),
            _ => None,
        });
        ContainerId {
            pod: UID.into(),
            container: container.into(),
            attempt: attempt.or(newest).unwrap_or(0),
        }
    }

    pub(crate) fn wait(&mut self, seconds: f64) {
        let until = self.now + SignedDuration::from_millis((seconds * 1000.0) as i64);
        for _ in 0..1000 {
            match self.node.wake_at().filter(|at| *at <= until) {
                Some(at) => {
                    self.now = self.now.max(at);
                    self.input(Input::Tick);
                }
                None => break,
            }
        }
        assert!(self.node.wake_at().is_none_or(|at| at > until), "the node never comes to rest");
        self.now = until;
    }

    pub(crate) fn delete(&mut self, grace_s: i64) {
        let Some(head) = &self.head else { return };
        let mut draft = head.draft();
        let at = Timestamp::from_second(self.now.as_second() + grace_s).unwrap();
        draft.metadata.deletion_timestamp = Some(kinds::api_time(at));
        draft.metadata.deletion_grace_period_seconds = Some(grace_s);
        self.put(draft);
        self.settle();
    }

    fn foreign(&mut self, change: &Value) {
        let mut draft = self.head.as_ref().unwrap().draft();
        let mut status: Value = serde_json::from_str(draft.rest["status"].get()).unwrap();
        merge(&mut status, change);
        draft.set_pod_status(&serde_json::from_value::<PodStatus>(status).unwrap());
        self.put(draft);
        self.settle();
    }

    fn remake(&mut self, part: &str, change: &Value, generations: i64) {
        let object = self.head.as_ref().unwrap();
        let mut pod: Value = serde_json::from_slice(&object.json()).unwrap();
        merge(&mut pod[part], change);
        pod["metadata"]["generation"] = json!(object.meta.generation + generations);
        self.put(Draft::from_json(Kind::Pod, pod.to_string().as_bytes()).unwrap());
        self.settle();
    }

    fn connect(&mut self, words: &[&str]) {
        let ns = nanoseconds(self.now);
        let record = |word: &&str| {
            let (name, state) = word.split_once('=').unwrap();
            let (state, attempt) = state.split_once('@').unwrap_or((state, ""));
            let started_ns = self.started_ns.get(name).copied().unwrap_or(ns);
            let state = match state {
                "running" => State::Running(self.running(started_ns)),
                "starting" => State::Starting,
                "failed" => State::Failed(failure("exec", 2, ns)),
                how => State::Ended(self.end(name, how, started_ns)),
            };
            Record { id: self.id(name, attempt.parse().ok()), state }
        };
        let containers = words[1..].iter().map(record).collect();
        self.input(Input::Connected { same_instance: words[0] == "same", containers });
    }

    pub(crate) fn restart(&mut self) {
        self.head = self.disk.clone();
        self.held.clear();
        let live = |object: &&Arc<Object>| {
            let phase = object.pod().status.and_then(|s| s.phase).unwrap_or_default();
            !matches!(phase.as_str(), "Succeeded" | "Failed")
        };
        let found = Found {
            pods: self.disk.iter().filter(live).map(|object| object.meta.uid).collect(),
            directories: BTreeSet::from_iter(self.directory.then(uid)),
        };
        self.node = Node::new(config(), found);
        if let Some(object) = self.disk.clone() {
            self.input(Input::Pod(object));
        }
    }

    fn object(&mut self, kind: Kind, name: &str, body: Value) {
        let mut object = json!({"metadata": {
            "name": name, "namespace": "ns", "uid": "11111111-89ab-4def-8123-456789abcdef",
        }});
        if kind == Kind::RuntimeClass {
            object["metadata"].as_object_mut().unwrap().remove("namespace");
        }
        merge(&mut object, &body);
        self.revision += 1;
        let draft = Draft::from_json(kind, object.to_string().as_bytes()).unwrap();
        let object = Arc::new(draft.seal(self.revision));
        let key = object.key.clone();
        self.objects.0.borrow_mut().insert(key.clone(), object);
        self.input(Input::ObjectChanged(key));
    }

    /// The end of the newest program in a container.
    fn executed(&mut self, words: &[&str]) {
        let newest = self.sent.iter().rev().find_map(|request| match request {
            Request::Exec(exec) if exec.id.container == words[0] => {
                Some((exec.id.clone(), exec.exec))
            }
            _ => None,
        });
        let (id, exec) = newest.expect("nothing was run");
        let text = words[2..].join(" ").replace("\\r\\n", "\r\n");
        let how = match words[1] {
            "dial" => Executed::Failed(Failure { message: text, ..failure("dial", 111, 0) }),
            "error" => Executed::Failed(Failure { message: text, ..failure("exec", 2, 0) }),
            how => {
                let End { code, signal, .. } = end(how, 0, 0);
                let with_container = text == "with its container";
                let stderr = String::new();
                Executed::Ended { code, signal, stdout: text, stderr, with_container }
            }
        };
        self.input(Input::Spawner(Reply::Executed { id, exec, how }));
    }

    fn print_contents(&mut self, volume: &str) {
        let plan = self.planned.as_ref().expect("nothing was planned");
        let volume = plan.volumes.iter().find(|v| v.name == volume).expect("it is in the plan");
        let VolumeKind::Data { files, .. } = &volume.kind else { panic!("it has no files") };
        for (path, DataFile { mode, owner, content }) in files {
            let text = match content {
                Content::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Content::Token(claims) => serde_json::to_string(claims).unwrap(),
            };
            let owner = owner.map(|owner| format!(" of {owner}")).unwrap_or_default();
            self.said.push(format!("  {mode:04o}{owner} {path} = {text}"));
        }
    }

    fn print_start(&mut self, words: &[&str]) {
        self.said.retain(|line| line.starts_with("  "));
        let (container, pointer) = match words {
            [container, pointer] => (Some(*container), *pointer),
            _ => (None, words[0]),
        };
        let start = self.sent.iter().rev().find_map(|request| match request {
            Request::Start(start) if container.is_none_or(|c| c == start.id.container) => {
                Some(serde_json::to_value(start).unwrap())
            }
            _ => None,
        });
        let start = start.expect("nothing was started");
        let part = start.pointer(pointer).cloned().unwrap_or(Value::Null);
        for item in part.as_array().cloned().unwrap_or_else(|| vec![part.clone()]) {
            self.said.push(format!("  {item}"));
        }
    }

    fn show(&mut self, path: &str) {
        let status = self.disk.as_ref().unwrap().pod().status.unwrap();
        let status = serde_json::to_value(status).unwrap();
        for item in status[path].as_array().cloned().unwrap_or_else(|| vec![status[path].clone()]) {
            self.said.push(format!("  {item}"));
        }
    }
}

pub(crate) fn uid() -> Uid {
    Uid::parse(UID).unwrap()
}

fn nanoseconds(now: Timestamp) -> i64 {
    i64::try_from(now.as_nanosecond()).unwrap()
}

pub(crate) fn end(how: &str, started_ns: i64, ns: i64) -> End {
    let signal = how.strip_prefix("sig").map(|n| n.parse().unwrap());
    let (code, signal, oom_killed) = match (how, signal) {
        ("oom", _) => (None, Some(9), true),
        ("unseen", _) => (None, None, false),
        (_, Some(signal)) => (None, Some(signal), false),
        (code, None) => (Some(code.parse().unwrap()), None, false),
    };
    End {
        code,
        signal,
        oom_killed,
        started_ns,
        finished_ns: ns,
        cpu_us: 0,
        memory_peak_bytes: 0,
        message: String::new(),
        log_bytes: 0,
    }
}

fn failure(stage: &str, errno: i32, ns: i64) -> Failure {
    let stage = match stage {
        "exec" => Stage::Exec,
        "mount" => Stage::Mount,
        "clone" => Stage::Clone,
        "cgroup" => Stage::Cgroup,
        "dial" => Stage::Dial,
        "within" => Stage::Within,
        "cwd" => Stage::WorkingDirectory,
        _ => Stage::Privileges,
    };
    Failure { stage, errno, message: "/some/path".into(), at_ns: ns }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn pairs(words: &[&str]) -> BTreeMap<String, String> {
    let pair = |word: &&str| word.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
    words.iter().filter_map(pair).collect()
}

/// Values of a Secret must come in base64 already.
fn encoded(words: &[&str]) -> BTreeMap<String, String> {
    pairs(words)
}

fn request_text(request: &Request) -> String {
    let at = |id: &ContainerId| format!("{} {}", id.container, id.attempt);
    match request {
        Request::Start(start) => format!("Start {}", at(&start.id)),
        Request::Signal { id, signal } => format!("Signal {} {signal}", at(id)),
        Request::Kill { id } => format!("Kill {}", at(id)),
        Request::Forget { id } => format!("Forget {}", at(id)),
        Request::EndPod { .. } => "EndPod".into(),
        Request::Exec(exec) => {
            let task = match &exec.task {
                Task::Program(argv) => argv.join(" "),
                Task::Dial { port, send, .. } => format!("dial {port} {send:?}"),
            };
            format!("Exec {} {}: {task}", at(&exec.id), exec.exec)
        }
        Request::KillExec { id, exec } => format!("KillExec {} {exec}", at(id)),
        Request::Hello { .. }
        | Request::Stop
        | Request::Attach { .. }
        | Request::CloseInput { .. }
        | Request::Sockets { .. } => unreachable!("the machine never says this"),
    }
}

/// A status in one line.
fn summary(status: &PodStatus) -> String {
    let mut text = status.phase.clone().unwrap_or_default();
    if let Some(reason) = &status.reason {
        text += &format!(" {reason}: {}", status.message.as_deref().unwrap_or_default());
    }
    let early =
        status.init_container_statuses.iter().flatten().map(|container| ("init ", container));
    let regular = status.container_statuses.iter().flatten().map(|container| ("", container));
    let ephemeral = status.ephemeral_container_statuses.iter().flatten();
    let ephemeral = ephemeral.map(|container| ("debug ", container));
    for (role, container) in early.chain(regular).chain(ephemeral) {
        text += &format!(" | {role}{}", container.name);
        if container.restart_count > 0 {
            text += &format!(" restarts={}", container.restart_count);
        }
        if container.ready {
            text += " ready";
        }
        text += &state(container.state.as_ref());
        let last = state(container.last_state.as_ref());
        if !last.is_empty() {
            text += &format!(" last:{last}");
        }
    }
    text
}

fn state(state: Option<&kinds::types::core::v1::ContainerState>) -> String {
    let Some(state) = state else { return String::new() };
    let with = |message: &Option<String>| {
        message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
    };
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        return format!(" waiting {reason}{}", with(&waiting.message));
    }
    if state.running.is_some() {
        return " running".into();
    }
    let Some(ended) = &state.terminated else { return String::new() };
    let reason = ended.reason.as_deref().unwrap_or_default();
    format!(" terminated {} {reason}{}", ended.exit_code, with(&ended.message))
}
