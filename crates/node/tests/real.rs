//! Real pods: the node, the real spawner and real files, with a store in memory. This program is its
//! own spawner, so it has its own `main`. Needs root; says so and passes without.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Object, types::core::v1::PodStatus};
use node::{
    Config, Found, ImageNews, Input, Lookup, Node, Output, host,
    logs::{LogOptions, LogReader, directory},
    spawner_client::{Event, SpawnerClient},
    volumes,
};
use serde_json::{Value, json};
use spawner::protocol::Request;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Objects(BTreeMap<Key, Arc<Object>>);

impl Lookup for Objects {
    fn object(&self, key: &Key) -> Option<Arc<Object>> {
        self.0.get(key).cloned()
    }
}

#[expect(clippy::disallowed_methods, reason = "the test's own clock")]
fn clock() -> Timestamp {
    std::time::SystemTime::now().try_into().unwrap()
}

struct Machine {
    dir: tempfile::TempDir,
    node: Node,
    client: SpawnerClient,
    objects: Objects,
    pods: BTreeMap<String, Arc<Object>>,
    revision: u64,
    removed: usize,
    /// The pods that had files made, read or removed.
    aside: BTreeSet<String>,
}

/// After a failed test no spawner stays.
impl Drop for Machine {
    fn drop(&mut self) {
        let lock = std::fs::read_to_string(self.dir.path().join(spawner::LOCK_NAME));
        let pid =
            lock.ok().and_then(|pid| rustix::process::Pid::from_raw(pid.trim().parse().ok()?));
        if std::thread::panicking()
            && let Some(pid) = pid
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

fn signer() -> tokens::Signer {
    tokens::Signer::new(&tokens::Signer::generate().unwrap()).unwrap()
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let facts = host::Machine::observe(dir.path());
        let config = Config {
            node_name: facts.host_name.clone(),
            host_name: facts.host_name,
            host_ips: vec![],
            pod_range: Some(Config::POD_RANGE),
            data_dir: dir.path().to_owned(),
            host: host::root(Path::new("/"), &[dir.path().to_owned()]).unwrap(),
            images: BTreeMap::new(),
            cpu_milli: 2000,
            memory_bytes: 1 << 30,
            pids_max: None,
            writable_bytes: 64 << 20,
            log_file_bytes_max: Config::LOG_FILE_BYTES_MAX,
            log_files_max: Config::LOG_FILES_MAX,
            status_hold_ms: Config::STATUS_HOLD_MS,
        };
        let program = std::env::current_exe().unwrap();
        let client = SpawnerClient::new(dir.path(), &program, clock);
        let node = Node::new(config, Found::default());
        let (objects, pods) = (Objects::default(), BTreeMap::new());
        Self { dir, node, client, objects, pods, revision: 0, removed: 0, aside: BTreeSet::new() }
    }

    fn object(&mut self, kind: Kind, mut object: Value) -> Arc<Object> {
        self.revision += 1;
        let uid = format!("01234567-89ab-4def-8123-{:012x}", self.revision);
        object["metadata"]["uid"] = json!(uid);
        let draft = Draft::from_json(kind, object.to_string().as_bytes()).unwrap();
        let object = Arc::new(draft.seal(self.revision));
        self.objects.0.insert(object.key.clone(), object.clone());
        object
    }

    fn pod(&mut self, name: &str, spec: &Value) {
        let mut pod = json!({"metadata": {"name": name, "namespace": "ns"}, "spec": spec});
        pod["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"});
        let object = self.object(Kind::Pod, pod);
        self.pods.insert(name.to_owned(), object.clone());
        self.input(Input::Pod(object));
    }

    /// Answers come after all outputs of one input: a status that is given out first is written first.
    fn input(&mut self, input: Input) {
        let mut answers = Vec::new();
        for output in self.node.handle(input, clock(), &self.objects) {
            self.aside.extend(match &output {
                Output::Prepare { uid, .. } | Output::CleanUp { uid } => Some(uid.to_string()),
                Output::ReadTermination { id, .. } => Some(id.pod.clone()),
                _ => None,
            });
            let answer = match output {
                Output::Status { key, uid, status } => {
                    self.revision += 1;
                    let mut draft = self.pods[&*key.name].draft();
                    draft.set_pod_status(&status);
                    let object = Arc::new(draft.seal(self.revision));
                    self.pods.insert(key.name.to_string(), object.clone());
                    self.input(Input::Wrote { uid, revision: self.revision });
                    Some(Input::Pod(object))
                }
                Output::Spawner(request) => {
                    self.client.send(&request);
                    None
                }
                Output::Prepare { uid, plan } => {
                    Some(Input::Prepared { uid, result: volumes::perform(&plan, &signer()) })
                }
                Output::CleanUp { uid } => {
                    volumes::clean_up(self.dir.path(), uid).unwrap();
                    Some(Input::CleanedUp { uid })
                }
                Output::ReadTermination { id, read } => {
                    let message = volumes::read_termination(&read);
                    Some(Input::TerminationRead { id, message })
                }
                Output::Remove { .. } => {
                    self.removed += 1;
                    None
                }
                Output::FindImage(request) => {
                    Some(Input::Image { id: request.id, news: ImageNews::Absent })
                }
                Output::Event { .. } | Output::ReleaseImages { .. } => None,
            };
            answers.extend(answer);
        }
        answers.into_iter().for_each(|answer| self.input(answer));
    }

    fn status(&self, pod: &str) -> PodStatus {
        self.pods[pod].pod().status.unwrap()
    }

    fn phase(&self, pod: &str) -> String {
        self.status(pod).phase.unwrap_or_default()
    }

    /// Lets things happen until `done`.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !done(self) {
            let wake = self.node.wake_at().map_or(PATIENCE, |at| {
                at.duration_since(clock()).try_into().unwrap_or(Duration::ZERO)
            });
            let event = tokio::select! {
                event = self.client.next() => Some(event),
                () = tokio::time::sleep(wake) => None,
                () = tokio::time::sleep_until(deadline) => {
                    let states = self.pods.keys().map(|pod| format!("{:?}", self.status(pod)));
                    panic!("out of patience: {}", states.collect::<Vec<_>>().join("\n"));
                }
            };
            match event {
                None => self.input(Input::Tick),
                Some(Event::Connected { containers, .. }) => {
                    self.input(Input::Connected { same_instance: true, containers });
                }
                Some(Event::Reply(reply)) => self.input(Input::Spawner(reply)),
                Some(other) => panic!("{other:?}"),
            }
        }
    }

    fn log(&self, pod: &str, container: &str) -> String {
        let uid = self.pods[pod].meta.uid.to_string();
        let directory: PathBuf = directory(self.dir.path(), "ns", pod, &uid, container);
        let mut reader = LogReader::open(&directory, 0, LogOptions::default()).unwrap();
        let mut text = Vec::new();
        while let Some(bytes) = reader.read().unwrap() {
            text.extend_from_slice(&bytes);
        }
        String::from_utf8(text).unwrap()
    }

    fn ended(&self, pod: &str, container: &str) -> (i32, String, String) {
        let statuses = self.status(pod).container_statuses.unwrap();
        let status = statuses.into_iter().find(|status| status.name == container).unwrap();
        let ended = status.state.unwrap().terminated.unwrap();
        (ended.exit_code, ended.reason.unwrap_or_default(), ended.message.unwrap_or_default())
    }
}

fn shell(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "coracle.local/host", "command": ["sh", "-c", script]})
}

fn once(container: Value) -> Value {
    json!({"restartPolicy": "Never", "containers": [container]})
}

async fn a_container_sees_its_pod(machine: &mut Machine) {
    let map = json!({"metadata": {"name": "c", "namespace": "ns"}, "data": {"K": "from the map"}});
    machine.object(Kind::ConfigMap, map);
    let script = "cat /config/K; echo; echo $X; hostname; head -1 /etc/hosts; cat /etc/hostname; \
                  cat /etc/shadow 2>&1 | grep -c root; unshare -n true 2>/dev/null || echo kept; \
                  mknod /loop b 7 0 2>/dev/null || echo no node; \
                  echo words >/dev/termination-log; id -u; exit 3";
    let mut container = shell("main", script);
    container["env"] =
        json!([{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "K"}}}]);
    container["volumeMounts"] = json!([{"name": "v", "mountPath": "/config"}]);
    let mut spec = once(container);
    spec["volumes"] = json!([{"name": "v", "configMap": {"name": "c"}}]);
    machine.pod("sees", &spec);
    machine.until(|m| m.phase("sees") == "Failed").await;
    assert_eq!(machine.ended("sees", "main"), (3, "Error".into(), "words\n".into()));
    let expected = "from the map\nfrom the map\nsees\n# Kubernetes-managed hosts file.\nsees\n0\nkept\nno node\n0\n";
    assert_eq!(machine.log("sees", "main"), expected);
}

async fn a_pod_without_volumes_has_its_files(machine: &mut Machine) {
    let script = "cat /etc/hosts; stat -c '%a %n' /etc/hosts /etc/hostname /etc/resolv.conf; \
                  (echo x >>/etc/hosts) 2>/dev/null || echo read-only; \
                  echo words >/dev/termination-log; exit 3";
    let mut container = shell("main", script);
    container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    container["securityContext"] = json!({"readOnlyRootFilesystem": true});
    machine.pod("bare", &once(container));
    machine.until(|m| m.phase("bare") == "Failed").await;
    assert_eq!(machine.ended("bare", "main"), (3, "Error".into(), "words\n".into()));
    let hosts = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n\
                 ::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n\
                 fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
    let files = "644 /etc/hosts\n644 /etc/hostname\n644 /etc/resolv.conf\nread-only\n";
    // Which are the pod's is for the spawner to say; where they stand is for the node.
    let log = machine.log("bare", "main");
    let (own, rest): (Vec<&str>, Vec<&str>) =
        log.split_inclusive('\n').partition(|line| line.ends_with("\tbare\n"));
    assert!(
        own[0].starts_with("10.186.") && log.starts_with(&(hosts.to_owned() + own[0])),
        "{log}"
    );
    assert_eq!(rest.concat(), format!("{hosts}{files}"));
}

async fn a_failure_without_words_is_explained_by_its_log(machine: &mut Machine) {
    let mut container = shell("main", "echo first; echo last; exit 4");
    container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    machine.pod("log", &once(container));
    machine.until(|m| m.phase("log") == "Failed").await;
    assert_eq!(machine.ended("log", "main"), (4, "Error".into(), "first\nlast\n".into()));
}

async fn the_network_of_the_machine_comes_with_its_names(machine: &mut Machine) {
    let mut spec = once(shell("main", "cat /etc/hosts /etc/resolv.conf"));
    spec["hostNetwork"] = json!(true);
    machine.pod("host", &spec);
    machine.until(|m| m.phase("host") == "Succeeded").await;
    let own = |path| std::fs::read_to_string(path).unwrap_or_default();
    let expected = format!(
        "# Kubernetes-managed hosts file (host network).\n{}{}",
        own("/etc/hosts"),
        own("/etc/resolv.conf")
    );
    // A log has whole lines.
    assert_eq!(machine.log("host", "main").trim_end(), expected.trim_end());
}

async fn two_containers_share_memory(machine: &mut Machine) {
    let mount = json!([{"name": "m", "mountPath": "/m"}]);
    let mut one = shell("one", "echo shared >/m/x; echo y >/dev/shm/done");
    let mut two = shell("two", "until [ -e /dev/shm/done ]; do :; done; cat /m/x");
    one["volumeMounts"] = mount.clone();
    two["volumeMounts"] = mount;
    let spec = json!({
        "restartPolicy": "Never",
        "containers": [one, two],
        "volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}],
    });
    machine.pod("share", &spec);
    machine.until(|m| m.phase("share") == "Succeeded").await;
    assert_eq!(machine.log("share", "two"), "shared\n");
}

async fn a_failure_is_restarted_and_its_volume_stays(machine: &mut Machine) {
    let script = "[ -e /e/seen ] && exit 0; touch /e/seen; exit 9";
    let mut container = shell("main", script);
    container["volumeMounts"] = json!([{"name": "e", "mountPath": "/e"}]);
    let spec = json!({
        "restartPolicy": "OnFailure",
        "containers": [container],
        "volumes": [{"name": "e", "emptyDir": {}}],
    });
    machine.pod("again", &spec);
    machine.until(|m| m.phase("again") == "Succeeded").await;
    assert_eq!(machine.status("again").container_statuses.unwrap()[0].restart_count, 1);
}

async fn a_probe_that_fails_starts_a_container_again(machine: &mut Machine) {
    let script = "[ -e /v/again ] && exit 0; touch /v/again; trap 'exit 3' TERM; \
                  echo y > /tmp/ill; while :; do sleep 0.1; done";
    let mut container = shell("main", script);
    container["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    let check = ["sh", "-c", "! grep -q y /tmp/ill"];
    container["livenessProbe"] =
        json!({"exec": {"command": check}, "periodSeconds": 1, "failureThreshold": 1});
    container["readinessProbe"] =
        json!({"exec": {"command": ["test", "-e", "/none"]}, "periodSeconds": 1});
    let mut spec = once(container);
    spec["restartPolicy"] = json!("OnFailure");
    spec["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    machine.pod("probed", &spec);
    machine.until(|m| m.phase("probed") == "Succeeded").await;
    let status = machine.status("probed").container_statuses.unwrap().remove(0);
    assert_eq!(status.restart_count, 1);
    let before = status.last_state.unwrap().terminated.unwrap();
    assert_eq!(before.exit_code, 3);
}

async fn what_cannot_run_says_why(machine: &mut Machine) {
    let mut container = shell("main", "");
    container["command"] = json!(["no-such-program"]);
    machine.pod("none", &once(container));
    machine.until(|m| m.phase("none") == "Failed").await;
    let message = "exec: \"no-such-program\": executable file not found in $PATH";
    assert_eq!(machine.ended("none", "main"), (128, "StartError".into(), message.into()));
}

async fn a_process_runs_in_the_machine_itself(machine: &mut Machine) {
    let class = json!({"metadata": {"name": "process"}, "handler": "process"});
    machine.object(Kind::RuntimeClass, class);
    let mut spec = once(shell("main", "readlink /proc/self/ns/mnt"));
    spec["runtimeClassName"] = json!("process");
    machine.pod("plain", &spec);
    machine.until(|m| m.phase("plain") == "Succeeded").await;
    let own = std::fs::read_link("/proc/self/ns/mnt").unwrap();
    assert_eq!(machine.log("plain", "main").trim(), own.to_str().unwrap());
}

async fn a_deleted_pod_is_asked_to_stop(machine: &mut Machine) {
    let script = "trap 'echo stopping; exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    machine.pod("stop", &once(shell("main", script)));
    machine.until(|m| m.phase("stop") == "Running").await;
    let mut reader_ready = machine.log("stop", "main");
    while reader_ready.is_empty() {
        tokio::task::yield_now().await;
        reader_ready = machine.log("stop", "main");
    }
    machine.revision += 1;
    let mut draft = machine.pods["stop"].draft();
    draft.metadata.deletion_timestamp = Some(kinds::api_time(clock()));
    draft.metadata.deletion_grace_period_seconds = Some(30);
    let object = Arc::new(draft.seal(machine.revision));
    machine.pods.insert("stop".into(), object.clone());
    machine.input(Input::Pod(object));
    machine.until(|m| m.removed == 1).await;
    assert_eq!(machine.ended("stop", "main").0, 5);
    assert_eq!(machine.log("stop", "main"), "ready\nstopping\n");
}

async fn all() {
    let mut machine = Machine::new();
    a_container_sees_its_pod(&mut machine).await;
    a_pod_without_volumes_has_its_files(&mut machine).await;
    a_failure_without_words_is_explained_by_its_log(&mut machine).await;
    the_network_of_the_machine_comes_with_its_names(&mut machine).await;
    two_containers_share_memory(&mut machine).await;
    a_failure_is_restarted_and_its_volume_stays(&mut machine).await;
    a_probe_that_fails_starts_a_container_again(&mut machine).await;
    what_cannot_run_says_why(&mut machine).await;
    a_process_runs_in_the_machine_itself(&mut machine).await;
    a_deleted_pod_is_asked_to_stop(&mut machine).await;
    let pods = machine.dir.path().join("pods");
    machine.until(|_| std::fs::read_dir(&pods).unwrap().next().is_none()).await;
    let had_files = |pod: &str| machine.aside.contains(&machine.pods[pod].meta.uid.to_string());
    assert!(had_files("sees") && had_files("log"));
    assert!(!had_files("bare"), "a pod without volumes costs the server more than it must");
    machine.client.send(&Request::Stop);
    let end = tokio::time::timeout(PATIENCE, machine.client.next()).await.unwrap();
    assert!(matches!(end, Event::Disconnected { .. }), "{end:?}");
}

fn main() {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let [_, word, data_dir] = arguments.as_slice()
        && word == "spawner"
    {
        std::process::exit(spawner::main(Path::new(data_dir)));
    }
    if !rustix::process::geteuid().is_root() {
        println!("real pods: skipped, needs root");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(all());
    println!("real pods: ok");
}
