//! The life of runs in the server's hands, in virtual time.

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use engine::{Config, Engine, Scope};
use jiff::Timestamp;
use kinds::{Draft, Key, Kind};
use store::{MemoryDisk, Store};
use tokens::Signer;
use tokio::task::LocalSet;

use super::{About, Server};
use crate::Mode;

fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

fn server() -> Rc<Server> {
    let store = Store::open(&mut MemoryDisk::new(), store::Limits::default(), clock()).unwrap();
    let scope = Scope::Runs(BTreeSet::new());
    let (node, limits) = (Default::default(), engine::Limits::default());
    let engine = Engine::open(
        store,
        Config { node, scope, seed: 1, limits, root_ca: None, zone: kinds::cron::Zone::UTC },
        clock(),
    );
    let signer = Signer::new(&Signer::generate().unwrap()).unwrap();
    let about = About {
        mode: Mode::Private,
        data_dir: "/nowhere".into(),
        signer: signer.into(),
        endpoint: None,
    };
    Server::new(engine, about, clock)
}

fn create_job(server: &Server) -> Key {
    let json = br#"{"metadata":{"name":"j","namespace":"default",
        "annotations":{"coracle.local/run":"r"}},"spec":{"template":{"spec":{"restartPolicy":"Never",
        "containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}}}"#;
    let draft = Draft::from_json(Kind::Job, json).unwrap();
    let written = server.engine().create(draft, false, clock()).unwrap();
    server.engine().settle(clock());
    written.object.key.clone()
}

/// The client is killed: its watch is gone without a goodbye.
#[tokio::test(start_paused = true)]
async fn a_run_is_ended_five_seconds_after_its_client_vanished() {
    LocalSet::new()
        .run_until(async {
            let server = server();
            let watching = Rc::clone(&server);
            let over = tokio::task::spawn_local(async move { watching.watch_over_runs().await });
            let watch = server.run_watched("r".to_owned());
            let job = create_job(&server);
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(server.has_runs() && server.engine().get(&job).is_ok());
            drop(watch);
            tokio::time::sleep(Duration::from_millis(4_900)).await;
            assert!(server.engine().get(&job).is_ok(), "the client may come back");
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.engine().settle(clock());
            assert!(server.engine().get(&job).is_err());
            over.abort();
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_in_time_loses_nothing() {
    LocalSet::new()
        .run_until(async {
            let server = server();
            let watching = Rc::clone(&server);
            let over = tokio::task::spawn_local(async move { watching.watch_over_runs().await });
            drop(server.run_watched("r".to_owned()));
            let job = create_job(&server);
            tokio::time::sleep(Duration::from_secs(4)).await;
            let _again = server.run_watched("r".to_owned());
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(server.has_runs() && server.engine().get(&job).is_ok());
            over.abort();
        })
        .await;
}
