//! What watches promise: from any kept revision, the list then and the events since give the list
//! now; whatever the selector, however the changes fall.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{Harness, request, with_server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SELECTED: &str = "labelSelector=on%3Dyes";

/// Name to object: what a client's cache holds.
type Cache = BTreeMap<String, Value>;

#[derive(Clone, Debug)]
struct Step {
    name: usize,
    action: u8,
}

async fn play(harness: &Harness, step: &Step) {
    let name = ["a", "b", "c"][step.name];
    let on = if step.action == 0 { "yes" } else { "no" };
    let json = format!(
        r#"{{"metadata":{{"name":"{name}","labels":{{"on":"{on}"}}}},"data":{{"n":"{}"}}}}"#,
        step.action
    );
    let target = format!("{MAPS}/{name}");
    let answer = match step.action {
        3 => harness.call(request("DELETE", &target, "")).await,
        _ => harness.call(request("PUT", &target, &json)).await,
    };
    if answer.code == 404 && step.action != 3 {
        harness.create(MAPS, &json).await;
    }
}

async fn list(harness: &Harness) -> (String, Cache) {
    let list = harness.get(&format!("{MAPS}?{SELECTED}")).await;
    let items = list["items"].as_array().unwrap().clone();
    let cache = items.into_iter().map(|item| (name(&item), item)).collect();
    (list["metadata"]["resourceVersion"].as_str().unwrap().to_owned(), cache)
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

/// Applies events until the one that marks the end; checks what each type promises.
async fn catch_up(harness: &Harness, from: &str, mut cache: Cache) -> Cache {
    let target = format!("{MAPS}?watch=true&{SELECTED}&resourceVersion={from}");
    let mut watch = harness.lines(&target).await;
    let mut last: u64 = from.parse().unwrap();
    loop {
        let (kind, mut object) = watch.event().await.expect("the watch goes on");
        if name(&object) == "end" {
            return cache;
        }
        assert!(revision(&object) > last, "revisions rise: {object} after {last}");
        last = revision(&object);
        let members = object.as_object_mut().unwrap();
        members.remove("kind");
        members.remove("apiVersion");
        let known = cache.contains_key(&name(&object));
        match &*kind {
            "ADDED" => assert!(!known),
            "MODIFIED" => assert!(known),
            "DELETED" => {
                assert!(known);
                cache.remove(&name(&object));
                continue;
            }
            other => panic!("{other}"),
        }
        cache.insert(name(&object), object);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn list_and_events_since_give_the_list_now(
        steps in prop::collection::vec((0..3usize, 0..4u8), 1..24)
    ) {
        with_server(async |harness| {
            let mut lists = vec![list(harness).await];
            for (name, action) in steps {
                play(harness, &Step { name, action }).await;
                lists.push(list(harness).await);
            }
            let (_, now) = lists.last().unwrap().clone();
            harness.create(MAPS, r#"{"metadata":{"name":"end","labels":{"on":"yes"}}}"#).await;
            for (from, then) in lists {
                let caught_up = catch_up(harness, &from, then).await;
                assert_eq!(caught_up, now, "from {from}");
            }
        });
    }
}

#[test]
fn a_watch_follows_what_becomes_durable_and_ends_with_the_server() {
    with_server(async |harness| {
        let mut watch = harness.lines(&format!("{MAPS}?watch=true&{SELECTED}")).await;
        for action in [0, 0, 1, 2, 0, 3] {
            play(harness, &Step { name: 0, action }).await;
        }
        let mut seen = Vec::new();
        for _ in 0..4 {
            let (kind, object) = watch.event().await.unwrap();
            seen.push((kind, object["data"]["n"].as_str().unwrap().to_owned()));
        }
        // Setting the same again changes nothing; what is not selected any more is as it was.
        let event = |kind: &str, n: &str| (kind.to_owned(), n.to_owned());
        let expected = [
            event("ADDED", "0"),
            event("DELETED", "0"),
            event("ADDED", "0"),
            event("DELETED", "0"),
        ];
        assert_eq!(seen, expected);
        harness.stop();
        assert!(watch.event().await.is_none());
    });
}
