//! `/metrics`: what was asked is counted as it was asked, in a text that Prometheus reads.

use std::collections::BTreeSet;

use crate::harness::{Harness, request, with_server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn metrics(harness: &Harness) -> String {
    let answer = harness.call(request("GET", "/metrics", "")).await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The sample of this name and labels.
fn value(text: &str, sample: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

fn configmaps(scope: &str, verb: &str, more: &str) -> String {
    let of = r#"component="apiserver",dry_run="",group="",MOREresource="configmaps","#;
    let of = of.replace("MORE", more);
    format!(r#"{{{of}scope="{scope}",subresource="",verb="{verb}",version="v1"}}"#)
}

#[test]
fn requests_objects_and_watches_are_counted() {
    with_server(async |harness| {
        harness.create(MAPS, r#"{"metadata":{"name":"a"}}"#).await;
        harness.get(&format!("{MAPS}/a")).await;
        harness.get(&format!("{MAPS}/a")).await;
        harness.call(request("GET", &format!("{MAPS}/z"), "")).await;
        let mut watch = harness.lines(&format!("{MAPS}?watch=true")).await;
        watch.event().await.unwrap();
        let text = metrics(harness).await;
        for (scope, verb, code, count) in [
            ("namespace", "POST", "201", 1.0),
            ("resource", "GET", "200", 2.0),
            ("resource", "GET", "404", 1.0),
            ("namespace", "WATCH", "200", 1.0),
        ] {
            let labels = configmaps(scope, verb, "").replace("{", &format!("{{code=\"{code}\","));
            let sample = format!("apiserver_request_total{labels}");
            assert_eq!(value(&text, &sample), Some(count), "{sample}\n{text}");
        }
        let open =
            format!("apiserver_longrunning_requests{}", configmaps("namespace", "WATCH", ""));
        assert_eq!(value(&text, &open), Some(1.0));
        let took = "apiserver_request_duration_seconds";
        let whole = configmaps("resource", "GET", "le=\"+Inf\",");
        assert_eq!(value(&text, &format!("{took}_bucket{whole}")), Some(3.0));
        assert_eq!(
            value(&text, &format!("{took}_count{}", configmaps("resource", "GET", ""))),
            Some(3.0)
        );
        assert_eq!(
            value(&text, &format!("{took}_count{}", configmaps("namespace", "WATCH", ""))),
            None
        );
        let sent = r#"apiserver_watch_events_total{group="",resource="configmaps",version="v1"}"#;
        assert_eq!(value(&text, sent), Some(1.0));
        assert_eq!(value(&text, r#"apiserver_storage_objects{resource="jobs.batch"}"#), Some(0.0));
        assert!(value(&text, "coracle_store_syncs_total") > Some(0.0));
        assert!(value(&text, r#"workqueue_adds_total{name="namespace"}"#) > Some(0.0));
        assert!(value(&text, "process_resident_memory_bytes") > Some(1e6));
        drop(watch);
        // The server notices once it writes.
        harness.create(MAPS, r#"{"metadata":{"name":"b"}}"#).await;
        while value(&metrics(harness).await, &open) != Some(0.0) {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn the_text_is_one_that_prometheus_reads() {
    with_server(async |harness| {
        harness.get("/apis").await;
        let text = metrics(harness).await;
        let (mut families, mut samples, mut current) = (BTreeSet::new(), BTreeSet::new(), "");
        for line in text.lines() {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                current = typed.split(' ').next().unwrap();
                assert!(families.insert(current), "{current} comes twice");
            } else if !line.starts_with("# HELP ") {
                assert!(line.starts_with(current), "{line} stands under {current}");
                let (sample, value) = line.rsplit_once(' ').unwrap();
                assert!(samples.insert(sample), "{sample} comes twice");
                value.parse::<f64>().unwrap();
            }
        }
        assert!(families.len() > 15);
    });
}
