//! OCI images: from an archive, and from a real registry on loopback, which Debian's `docker-registry`
//! is. The image is made here, of a static busybox.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use images::Digest;
use serde_json::{Value, json};

use crate::space::{Ran, Space};

/// A program of a Debian package, as `cargo xtask ci` unpacks it.
fn debian(package: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debian");
    let path = root.join(package).join(program);
    assert!(path.is_file(), "there is no {}: `cargo xtask ci` unpacks it", path.display());
    path
}

/// Two layers and a configuration.
struct Made {
    layers: [Vec<u8>; 2],
    config: Vec<u8>,
}

fn layer(files: &[(&str, u32, &[u8])], links: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    for (path, mode, content) in files {
        let mut header = header.clone();
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    for (path, to) in links {
        let mut header = header.clone();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, path, to).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An image that tells about itself; what its first layer has in `etc/gone` its second deletes.
fn made() -> Made {
    let busybox = fs::read(debian("busybox-static", "bin/busybox")).unwrap();
    let passwd = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
    let files: &[(&str, u32, &[u8])] = &[
        ("bin/busybox", 0o755, &busybox),
        ("etc/passwd", 0o644, passwd),
        ("etc/gone", 0o644, b""),
    ];
    let names = ["sh", "cat", "id", "ls", "sleep"];
    let links: Vec<_> = names.map(|name| (format!("bin/{name}"), "busybox")).into();
    let links: Vec<(&str, &str)> = links.iter().map(|(path, to)| (path.as_str(), *to)).collect();
    let layers = [
        layer(files, &links),
        layer(&[("srv/greeting", 0o644, b"hello\n"), ("etc/.wh.gone", 0o644, b"")], &[]),
    ];
    let config = json!({
        "os": "linux", "architecture": images::architecture(),
        "config": {
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": ["cat greeting; id; echo $KIND; ! ls /etc/gone 2>/dev/null"],
            "Env": ["KIND=image", "PATH=/bin"], "User": "app", "WorkingDir": "/srv",
        },
        "rootfs": {"type": "layers", "diff_ids": layers.each_ref().map(|l| Digest::of(l))},
    });
    Made { layers, config: config.to_string().into_bytes() }
}

/// What `docker save` would write.
fn saved(space: &Space, name: &str) -> PathBuf {
    let Made { layers, config } = made();
    let item = json!([{"Config": "c", "RepoTags": [name], "Layers": ["0", "1"]}]).to_string();
    let archive = layer(
        &[
            ("c", 0o644, &config),
            ("0", 0o644, &layers[0]),
            ("1", 0o644, &layers[1]),
            ("manifest.json", 0o644, item.as_bytes()),
        ],
        &[],
    );
    let path = space.path("saved.tar");
    fs::write(&path, archive).unwrap();
    path
}

fn job(container: &Value) -> String {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"},
        "spec": {"backoffLimit": 0, "template": template},
    })
    .to_string()
}

/// Runs a Job of one container to its end.
fn run(space: &Space, flags: &[&str], container: &Value) -> Ran {
    let path = space.file("job.yaml", &job(container));
    space.run(&[&["run"], flags, &["-q", "-f", path.to_str().unwrap()]].concat())
}

#[test]
fn an_image_from_a_file_runs_as_it_says() {
    let space = Space::new();
    let file = saved(&space, "tool:1");
    let ran = space.run(&["image", "load", file.to_str().unwrap()]).expect(0);
    assert_eq!(ran.out, "loaded docker.io/library/tool:1\n");
    let container = json!({"name": "main", "image": "tool:1"});
    let ran = run(&space, &["--prefix", "never"], &container).expect(0);
    assert_eq!(ran.out, "hello\nuid=1000(app) gid=1001\nimage\n");
    // What the pod says is stronger.
    let own = json!({
        "name": "main", "image": "tool:1", "args": ["echo $KIND $(KIND); id -u; pwd"],
        "env": [{"name": "KIND", "value": "pod"}], "workingDir": "/bin",
        "securityContext": {"runAsUser": 7}, "imagePullPolicy": "Never",
    });
    let ran = run(&space, &["--prefix", "never"], &own).expect(0);
    assert_eq!(ran.out, "pod pod\n7\n/bin\n");
    let listed = space.run(&["image", "ls", "-o", "json"]).expect(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["names"], json!(["docker.io/library/tool:1"]));
    space.run(&["image", "rm", "tool:1"]).expect(0);
    space.run(&["image", "rm", "tool:1"]).expect(1).says("tool:1: not found");
    run(&space, &["--start-timeout", "1s"], &own).expect(125).says("ErrImageNeverPull");
    space.nothing_left();
}

#[test]
fn an_image_that_pods_use_stays() {
    let space = Space::new();
    let file = saved(&space, "tool:1");
    space.run(&["image", "load", file.to_str().unwrap()]).expect(0);
    let container = json!({
        "name": "main", "image": "tool:1", "args": ["echo up; trap 'exit 3' TERM; sleep 100 & wait"],
    });
    let path = space.file("job.yaml", &job(&container));
    let mut running = space.start(&["run", "--prefix", "never", "-f", path.to_str().unwrap()]);
    running.until("up");
    space.run(&["image", "rm", "tool:1"]).expect(1).says("is used by pod ");
    running.signal(rustix::process::Signal::INT);
    running.finish();
    space.nothing_left();
    space.run(&["image", "rm", "tool:1"]).expect(0);
}

/// A registry on a free port, which ends with the value.
struct Registry {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Registry {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.yml");
        let data = directory.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            data.display()
        );
        fs::write(&config, text).unwrap();
        let mut child = Command::new(debian("docker-registry", "usr/bin/docker-registry"))
            .arg("serve")
            .arg(config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let says = |line: &String| line.contains("listening on ");
        let line = lines.by_ref().map(|line| line.unwrap()).find(says).expect("it listens");
        let address = line.split("listening on ").nth(1).unwrap();
        let address = address.split(['"', ' ']).next().unwrap().to_owned();
        // Nobody else reads it, and a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, _directory: directory }
    }

    /// One request; the status and the `Location`.
    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let location = answer.lines().find_map(|line| line.strip_prefix("Location: "));
        (status, location.unwrap_or_default().trim().to_owned())
    }

    fn blob(&self, bytes: &[u8]) -> Value {
        let kind = "application/octet-stream";
        let (status, location) = self.send("POST", "/v2/tool/blobs/uploads/", kind, b"");
        assert_eq!(status, 202);
        let path = location.split_once(&self.address).map_or(&*location, |(_, path)| path);
        let digest = Digest::of(bytes);
        let (status, _) = self.send("PUT", &format!("{path}&digest={digest}"), kind, bytes);
        assert_eq!(status, 201);
        json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
    }

    /// Pushes the image as `tool:1`, under an index for several machines; the digest of that.
    fn push(&self) -> Digest {
        let Made { layers, config } = made();
        let manifest_kind = "application/vnd.oci.image.manifest.v1+json";
        let index_kind = "application/vnd.oci.image.index.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest_kind, "config": self.blob(&config),
            "layers": layers.each_ref().map(|layer| self.blob(layer)),
        })
        .to_string();
        let digest = Digest::of(manifest.as_bytes());
        let path = format!("/v2/tool/manifests/{digest}");
        assert_eq!(self.send("PUT", &path, manifest_kind, manifest.as_bytes()).0, 201);
        let index = json!({
            "schemaVersion": 2, "mediaType": index_kind,
            "manifests": [{
                "mediaType": manifest_kind, "digest": digest, "size": manifest.len(),
                "platform": {"os": "linux", "architecture": images::architecture()},
            }],
        })
        .to_string();
        assert_eq!(self.send("PUT", "/v2/tool/manifests/1", index_kind, index.as_bytes()).0, 201);
        Digest::of(index.as_bytes())
    }

    fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn an_image_from_a_registry_is_pulled_once_and_stays() {
    let mut registry = Registry::start();
    let digest = registry.push();
    let space = Space::new();
    let up = space.up();
    let image = format!("{}/tool:1", registry.address);
    let container = json!({"name": "main", "image": image});
    let ran = run(&space, &["--prefix", "never"], &container).expect(0);
    assert_eq!(ran.out, "hello\nuid=1000(app) gid=1001\nimage\n");
    let (_, events) = space.get("/api/v1/namespaces/default/events");
    for text in ["Pulling image ", "Successfully pulled image ", "Image size: "] {
        assert!(events.contains(text), "{text} is not in {events}");
    }
    let (_, pods) = space.get("/api/v1/namespaces/default/pods");
    let pods: Value = serde_json::from_str(&pods).unwrap();
    let status = &pods["items"][0]["status"]["containerStatuses"][0];
    assert_eq!(status["image"], image);
    assert_eq!(status["imageID"], format!("{}/tool@{digest}", registry.address));

    // Without the registry it is still here, by name and by digest.
    registry.stop();
    let other = registry.address.clone();
    for name in [image.clone(), format!("{other}/tool@{digest}")] {
        let container = json!({"name": "main", "image": name, "args": ["true"]});
        space.run(&["delete", "job", "job"]).expect(0);
        run(&space, &[], &container).expect(0);
    }
    space.run(&["delete", "job", "job"]).expect(0);
    let always = json!({"name": "main", "image": image, "imagePullPolicy": "Always"});
    let path = space.file("job.yaml", &job(&always));
    let ran = space.run(&["run", "--start-timeout", "1s", "-f", path.to_str().unwrap()]);
    ran.expect(125).says("Connection refused").says(&format!("job/job  pulling {image}\n"));
    space.run(&["down", "--stop-pods"]).expect(0);
    up.finish();
    space.nothing_left();
}

#[test]
fn a_mirror_stands_in_for_its_registry() {
    let registry = Registry::start();
    registry.push();
    let space = Space::new();
    fs::create_dir_all(space.data()).unwrap();
    let settings =
        format!("registries: {{host.invalid: {{mirrors: [\"http://{}\"]}}}}\n", registry.address);
    fs::write(space.data().join("registries.yaml"), settings).unwrap();
    let ran = space.run(&["image", "pull", "host.invalid/tool:1"]).expect(0);
    assert!(ran.out.starts_with("host.invalid/tool@sha256:"), "{}", ran.out);
    space.run(&["image", "pull", "host.invalid/none"]).expect(1).says("host.invalid");
    space.run(&["image", "pull", "Not A Name"]).expect(2).says("invalid reference format");
}
