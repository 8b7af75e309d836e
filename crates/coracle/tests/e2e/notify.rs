//! The annotation `coracle.local/notify`: who it names is told of the end of the Job, whatever
//! happens meanwhile.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use rustix::process::Signal;
use serde_json::Value;
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::{
    exit_codes::job,
    space::{Running, Space, UP},
};

/// Whoever is told.
struct Receiver(TcpListener);

/// What was posted.
#[derive(Debug)]
struct Post {
    head: String,
    document: Value,
}

impl Receiver {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/hook?token=secret", self.0.local_addr().unwrap())
    }

    fn accept(&self) -> TcpStream {
        self.0.accept().unwrap().0
    }

    /// Takes one post and answers it.
    fn answer(&self, status: &str) -> Post {
        answer(self.accept(), status)
    }
}

fn answer(stream: impl Read + Write, status: &str) -> Post {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "a request ends with a blank line");
    }
    let lower = head.to_lowercase();
    let length = lower.split_once("content-length: ").unwrap().1.lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    // Who answers too much is not read to the end.
    let _ = write!(stream.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    Post { head, document: serde_json::from_slice(&body).unwrap() }
}

fn told(name: &str, url: &str, script: &str) -> String {
    let annotated =
        format!("metadata: {{name: {name}, annotations: {{coracle.local/notify: '{url}'}}}}");
    job(name, "  backoffLimit: 0", script)
        .replace(&format!("metadata: {{name: {name}}}"), &annotated)
}

fn down(space: &Space, up: Running) {
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn a_private_server_goes_on_until_the_receiver_has_taken_it() {
    let space = Space::new();
    let receiver = Receiver::new();
    let file = space.file("job.yaml", &told("etl", &receiver.url("http"), "exit 3"));
    let run = space.start(&["run", "-f", file.to_str().unwrap()]);
    let first = receiver.accept();
    // Its client has left and been told, and the server is still there.
    run.finish().expect(3).says("the server goes on for at most 30 s to tell 1 receiver");
    let first = answer(first, "503 Busy");
    let second = receiver.answer("204 No Content");
    assert_eq!(first.document, second.document);
    let document = &second.document;
    let is = |field: &str| document[field].as_str().unwrap().to_owned();
    assert_eq!((is("job"), is("outcome"), is("id")), ("etl".into(), "Failed".into(), is("uid")));
    assert!(second.head.starts_with("POST /hook?token=secret HTTP/1.1\r\n"), "{}", second.head);
    assert!(second.head.contains(&format!("idempotency-key: {}\r\n", is("id"))), "{}", second.head);
    space.nothing_left();
    let described = space.run(&["describe", "job/etl"]).expect(0).out;
    assert!(described.contains("failed: it answered 503"), "{described}");
    assert!(described.contains("Notified"), "{described}");
    space.nothing_left();
}

#[test]
fn a_server_that_was_killed_and_a_job_that_is_gone_lose_nothing() {
    let space = Space::new();
    let receiver = Receiver::new();
    space.file("job.yaml", &told("etl", &receiver.url("http"), "true"));
    let up = space.up();
    space.run(&["apply", "-f", "job.yaml"]).expect(0);
    space.run(&["wait", "job/etl"]).expect(0);
    space.run(&["delete", "job/etl"]).expect(0);
    // It hangs: nobody answers here.
    let hanging = receiver.accept();
    up.signal(Signal::KILL);
    up.finish().expect(-9);
    drop(hanging);
    let up = space.up();
    let post = receiver.answer("200 OK");
    assert_eq!(
        (&post.document["job"], &post.document["outcome"]),
        (&"etl".into(), &"Complete".into())
    );
    down(&space, up);
}

#[test]
fn a_receiver_that_hangs_or_says_too_much_is_tried_again() {
    let space = Space::new();
    let receiver = Receiver::new();
    space.file("job.yaml", &told("etl", &receiver.url("http"), "true"));
    let up = space.up();
    space.run(&["apply", "-f", "job.yaml"]).expect(0);
    let hanging = receiver.accept();
    let status = format!("200 OK\r\nx-long: {}", "x".repeat(64 * 1024));
    receiver.answer(&status);
    receiver.answer("200 OK");
    drop(hanging);
    down(&space, up);
    let described = space.run(&["describe", "job/etl"]).expect(0).out;
    for why in ["failed: no answer within 10 s", "failed: message head is too large"] {
        assert!(described.contains(why), "{why:?} is not in\n{described}");
    }
    space.nothing_left();
}

#[test]
fn over_tls_the_authorities_of_the_machine_are_trusted_and_no_redirect_is_followed() {
    let space = Space::new();
    let receiver = Receiver::new();
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(space.path("roots.pem"), own.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let secured = |status| {
        let tls = ServerConnection::new(config.clone()).unwrap();
        answer(StreamOwned::new(tls, receiver.accept()), status)
    };
    let mut command = space.command(&UP);
    command.env("SSL_CERT_FILE", space.path("roots.pem"));
    let mut up = Running::of(command);
    up.until("ready");
    space.file("job.yaml", &told("etl", &receiver.url("https"), "true"));
    space.run(&["apply", "-f", "job.yaml"]).expect(0);
    let first = secured("302 Found\r\nlocation: /elsewhere");
    assert_eq!(first.document, secured("200 OK").document);
    let events = space.run(&["get", "events", "-o", "json"]).expect(0).out;
    assert!(events.contains("302 Found: redirects are not followed"), "{events}");
    down(&space, up);
}

#[test]
fn a_url_that_cannot_be_used_is_refused_before_anything_starts() {
    let space = Space::new();
    for (url, why) in [
        ("ftp://example.com/", "the URL has to begin with http:// or https://"),
        ("https://me:secret@example.com/", "a URL with a user name is not supported"),
    ] {
        space.file("job.yaml", &told("etl", url, "true"));
        space
            .run(&["run", "-f", "job.yaml"])
            .expect(2)
            .says(&format!("job.yaml:3: metadata.annotations[coracle.local/notify]: {why}"));
    }
    assert!(!space.data().exists(), "nothing was made");
}
