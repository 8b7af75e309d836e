//! The client against a real server in the same process, with a store in memory.

use std::{path::PathBuf, rc::Rc};

use apiserver::{About, Mode, Server};
use engine::{Config, Engine, Scope};
use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Reason};
use store::{MemoryDisk, Store};
use tokio::{
    net::UnixListener,
    sync::oneshot,
    task::{LocalSet, spawn_local},
};

use super::{Client, Error, Event, Selection};

fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

/// Plays the driver: everything is durable at once.
async fn drive(server: Rc<Server>, mut disk: MemoryDisk) {
    loop {
        server.engine().settle(clock());
        loop {
            let Some(batch) = server.engine().store_mut().take_batch() else { break };
            let (done, result) = batch.perform(&mut disk);
            result.expect("a disk without faults");
            server.engine().store_mut().batch_done(done);
        }
        server.durable_moved();
        server.kicked().await;
    }
}

/// Runs a test with a socket that a server answers on, and the means to stop that server.
fn with_server(test: impl AsyncFnOnce(PathBuf, oneshot::Sender<()>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = MemoryDisk::new();
        let store = Store::open(&mut disk, store::Limits::default(), clock()).unwrap();
        let limits = engine::Limits::default();
        let config = Config {
            node: Default::default(),
            scope: Scope::All,
            seed: 1,
            limits,
            root_ca: None,
            zone: kinds::cron::Zone::UTC,
        };
        let engine = Engine::open(store, config, clock());
        let key = tokens::Signer::generate().unwrap();
        let about = About {
            mode: Mode::Up,
            data_dir: dir.path().to_owned(),
            signer: std::sync::Arc::new(tokens::Signer::new(&key).unwrap()),
            endpoint: None,
        };
        let server = Server::new(engine, about, clock);
        let socket = dir.path().join("server.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        spawn_local(drive(Rc::clone(&server), disk));
        let ended = async { drop(stopped.await) };
        spawn_local(async move { apiserver::serve(listener, None, server, ended).await });
        test(socket, stop).await;
    });
}

fn config_map(name: &str) -> Draft {
    let json = format!(r#"{{"metadata":{{"name":"{name}","namespace":"default"}}}}"#);
    Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap()
}

fn key(name: &str) -> Key {
    Key::new(Kind::ConfigMap, "default", name)
}

#[test]
fn objects_come_back_typed_and_refusals_as_what_they_are() {
    with_server(async |socket, _stop| {
        let client = Client::connect(&socket).await.unwrap();
        let created = client.create(&config_map("a"), false).await.unwrap();
        assert_eq!(created.object.key, key("a"));
        let read = client.get(&key("a")).await.unwrap();
        assert_eq!(read.json(), created.object.json());
        let again = client.create(&config_map("a"), false).await.unwrap_err();
        assert_eq!(again.status().unwrap().reason, Reason::AlreadyExists);
        assert_eq!(again.status().unwrap().kind, Some(Kind::ConfigMap));
        assert!(!again.lost());
        let dry = client.create(&config_map("dry"), true).await.unwrap();
        assert_eq!(dry.object.meta.revision, 0);
        let status = client.status().await.unwrap();
        assert_eq!(status.objects["configmaps"], 1);
    });
}

#[test]
fn a_watch_from_a_revision_misses_nothing() {
    with_server(async |socket, _stop| {
        let client = Client::connect(&socket).await.unwrap();
        let created = client.create(&config_map("a"), false).await.unwrap();
        let all = Selection { namespace: "default", ..Selection::default() };
        let list = client.list(Kind::ConfigMap, all).await.unwrap();
        let names: Vec<&str> = list.iter().map(|item| &*item.key.name).collect();
        assert_eq!(names, ["a"]);
        client.create(&config_map("b"), false).await.unwrap();
        client.delete(&key("a"), &Default::default()).await.unwrap();
        let mut watch =
            client.watch(Kind::ConfigMap, all, Some(created.object.meta.revision)).await.unwrap();
        let event = watch.next().await.unwrap();
        assert!(matches!(event, Some(Event::Added(b)) if b.key == key("b")));
        let event = watch.next().await.unwrap();
        assert!(matches!(event, Some(Event::Deleted(a)) if a.key == key("a")));
        let mut whole = client.watch(Kind::ConfigMap, all, None).await.unwrap();
        assert!(matches!(whole.next().await.unwrap(), Some(Event::Added(_))));
        let event = whole.next().await.unwrap();
        assert!(matches!(event, Some(Event::Bookmark { initial_events_end: true, .. })));
    });
}

#[test]
fn a_run_lives_by_its_guard_and_ends_with_a_goodbye() {
    with_server(async |socket, _stop| {
        let client = Client::connect(&socket).await.unwrap();
        let guard = client.run_guard("r1").await.unwrap();
        let created = client.for_run("r1").create(&config_map("a"), false).await.unwrap();
        assert_eq!(created.object.meta.run.as_deref(), Some("r1"));
        assert_eq!(client.status().await.unwrap().runs[0].id, "r1");
        guard.goodbye(false).await.unwrap();
        assert!(client.status().await.unwrap().runs.is_empty());
    });
}

/// The command line starts a server when there is none, and reconnects when one went away.
#[test]
fn a_server_that_is_not_there_is_told_from_one_that_went_away() {
    with_server(async |socket, stop| {
        let client = Client::connect(&socket).await.unwrap();
        let mut guard = client.run_guard("r1").await.unwrap();
        stop.send(()).unwrap();
        guard.lost().await;
        // Until the socket is closed an answer may still come.
        let error = loop {
            if let Err(error) = client.get(&key("a")).await
                && error.lost()
            {
                break error;
            }
        };
        assert!(matches!(error, Error::NoServer { .. } | Error::Broken(_)));
        std::fs::remove_file(&socket).unwrap();
        let error = Client::connect(&socket).await.unwrap_err();
        assert!(matches!(error, Error::NoServer { .. }), "{error}");
    });
}
