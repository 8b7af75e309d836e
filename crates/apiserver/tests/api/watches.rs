//! What watches promise: from any kept revision, the list then and the events since give the list
//! now; whatever the selector and the form, however the changes fall.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{Harness, Lines, request, with_server};

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

/// What objects are asked for as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Whole,
    Metadata,
    Table,
}

impl Form {
    fn request(self, query: &str) -> Request<Full<Bytes>> {
        let watch = query.contains("watch=");
        let accept = match self {
            Form::Whole => "application/json",
            Form::Metadata if watch => {
                "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
            }
            Form::Metadata => "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            Form::Table => "application/json;as=Table;v=v1;g=meta.k8s.io",
        };
        let mut request = request("GET", &format!("{MAPS}?{SELECTED}{query}"), "");
        request.headers_mut().insert("accept", accept.parse().unwrap());
        request
    }

    fn items(self, list: &Value) -> Vec<Value> {
        let items = if self == Form::Table { &list["rows"] } else { &list["items"] };
        items.as_array().unwrap().clone()
    }

    /// The item of a list that an event's object would be.
    fn item(self, mut object: Value) -> Value {
        match self {
            Form::Table => object["rows"][0].take(),
            Form::Metadata => object,
            Form::Whole => {
                let members = object.as_object_mut().unwrap();
                members.remove("kind");
                members.remove("apiVersion");
                object
            }
        }
    }

    fn metadata(self, item: &Value, name: &str) -> String {
        let metadata = match self {
            Form::Table => &item["object"]["metadata"],
            _ => &item["metadata"],
        };
        metadata[name].as_str().unwrap().to_owned()
    }

    fn revision(self, item: &Value) -> u64 {
        self.metadata(item, "resourceVersion").parse().unwrap()
    }
}

async fn list(harness: &Harness, form: Form) -> (String, Cache) {
    let list = harness.call(form.request("")).await;
    let list: Value = serde_json::from_slice(&list.body).unwrap();
    let items = form.items(&list).into_iter();
    let cache = items.map(|item| (form.metadata(&item, "name"), item)).collect();
    (list["metadata"]["resourceVersion"].as_str().unwrap().to_owned(), cache)
}

/// Applies events until the one that marks the end; checks what each type promises.
async fn catch_up(harness: &Harness, form: Form, from: &str, mut cache: Cache) -> Cache {
    let watch = form.request(&format!("&watch=true&resourceVersion={from}"));
    let mut watch = Lines::of(harness.send(watch).await);
    let mut last: u64 = from.parse().unwrap();
    loop {
        let (kind, object) = watch.event().await.expect("the watch goes on");
        let item = form.item(object);
        let name = form.metadata(&item, "name");
        if name == "end" {
            return cache;
        }
        let revision = form.revision(&item);
        assert!(revision > last, "revisions rise: {item} after {last}");
        last = revision;
        let known = cache.contains_key(&name);
        match &*kind {
            "ADDED" => assert!(!known),
            "MODIFIED" => assert!(known),
            "DELETED" => {
                assert!(known);
                cache.remove(&name);
                continue;
            }
            other => panic!("{other}"),
        }
        cache.insert(name, item);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn list_and_events_since_give_the_list_now(
        steps in prop::collection::vec((0..3usize, 0..4u8), 1..24)
    ) {
        with_server(async |harness| {
            let forms = [Form::Whole, Form::Metadata, Form::Table];
            let mut lists = Vec::new();
            for step in std::iter::once(None).chain(steps.into_iter().map(Some)) {
                if let Some((name, action)) = step {
                    play(harness, &Step { name, action }).await;
                }
                for form in forms {
                    lists.push((form, list(harness, form).await));
                }
            }
            let now = lists[lists.len() - forms.len()..].to_vec();
            harness.create(MAPS, r#"{"metadata":{"name":"end","labels":{"on":"yes"}}}"#).await;
            for (form, (from, then)) in lists {
                let (_, (_, now)) = now.iter().find(|(of, _)| *of == form).unwrap();
                let caught_up = catch_up(harness, form, &from, then).await;
                assert_eq!(caught_up, *now, "{form:?} from {from}");
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
