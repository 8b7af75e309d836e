//! Clients that do not keep up, and too many of them.

use apiserver::limits::WATCHES_MAX;

use crate::harness::{Setup, request, with_server, with_setup};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A watcher that does not read blocks nobody; when it reads again, it learns that it fell behind.
#[test]
fn a_watcher_that_falls_out_of_the_window_is_told_so() {
    let store = store::Limits { window_bytes: 1 << 20, ..store::Limits::default() };
    with_setup(Setup { store, ..Setup::default() }, async |harness| {
        let start = harness.get(MAPS).await;
        let start = start["metadata"]["resourceVersion"].as_str().unwrap();
        let target = format!("{MAPS}?watch=true&resourceVersion={start}");
        let mut slow = harness.lines(&target).await;
        let mut quick = harness.lines(&target).await;
        let value = "x".repeat(100_000);
        for n in 0..100 {
            let json = format!(r#"{{"metadata":{{"name":"m{n}"}},"data":{{"k":"{value}"}}}}"#);
            harness.create(MAPS, &json).await;
            let (kind, object) = quick.event().await.unwrap();
            assert_eq!((&*kind, &object["metadata"]["name"]), ("ADDED", &format!("m{n}").into()));
        }
        let (mut events, mut last) = (0, None);
        while let Some(event) = slow.event().await {
            events += 1;
            last = Some(event);
        }
        let (kind, status) = last.unwrap();
        assert_eq!(kind, "ERROR");
        assert_eq!((&status["code"], &status["reason"]), (&410.into(), &"Expired".into()));
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("too old resource version: "), "{message}");
        assert!(events < 100, "{events} events: it was not slow");
    });
}

#[test]
fn one_watch_too_many_is_turned_away_until_another_ends() {
    with_server(async |harness| {
        let target = format!("{MAPS}?watch=true");
        let mut watches = Vec::new();
        for _ in 0..WATCHES_MAX {
            watches.push(harness.lines(&target).await);
        }
        let refused = harness.call(request("GET", &target, "")).await;
        assert_eq!(refused.code, 429);
        assert_eq!(refused.headers["retry-after"], "1");
        assert!(String::from_utf8_lossy(&refused.body).contains("TooManyRequests"));
        // Other requests are not crowded out.
        harness.get(MAPS).await;
        drop(watches.pop());
        // The server notices the end of a connection when it next looks at it.
        while harness.lines(&target).await.code != 200 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_server_whose_disk_stands_still_is_not_ready() {
    with_server(async |harness| {
        harness.disk_works.send_replace(false);
        let create = harness.send(request("POST", MAPS, r#"{"metadata":{"name":"a"}}"#));
        let asked = async {
            let all = harness.call(request("GET", "/readyz", "")).await;
            let text = String::from_utf8(all.body.to_vec()).unwrap();
            let failing = "[+]ping ok\n[-]store failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n";
            assert_eq!((all.code, &*text), (500, failing));
            let without = harness.call(request("GET", "/readyz?exclude=store", "")).await;
            assert_eq!(without.code, 200);
            harness.disk_works.send_replace(true);
        };
        let (created, ()) = tokio::join!(create, asked);
        assert_eq!(created.status(), 201);
        assert_eq!(harness.call(request("GET", "/readyz", "")).await.code, 200);
    });
}
