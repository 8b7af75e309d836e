//! `coracle status`: who holds the data directory, what runs and what it has asked for. Starts
//! nothing.

use std::collections::BTreeMap;

use apiserver::{Mode, ServerStatus, TlsEndpoint};
use kinds::{Facts, Kind, Object, quantity::Quantity};
use reconcile::placement::{self, Room};
use serde_json::json;

use crate::{
    cli::{self, Report},
    client::Selection,
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Link},
};

/// How many unfinished Jobs are listed.
const JOBS_LISTED_MAX: usize = 20;

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// Shows the state of the data directory.
pub(crate) async fn status(args: &cli::Status) -> Result<Code, Failure> {
    let Some((_, link)) = Link::existing(&args.data_dir).await? else {
        let directory = Home::locate(&args.data_dir)?;
        match args.output {
            Report::Json => tell!("{}", json!({"dataDir": directory, "mode": null})),
            Report::Text => tell!("no server holds {}", directory.display()),
        }
        return Ok(Code::OK);
    };
    let everything = Selection::default();
    let failure = |error| link::failure(&error);
    let status = link.client().status().await.map_err(failure)?;
    if args.output == Report::Json {
        tell!("{}", json!(status));
        return Ok(Code::OK);
    }
    let jobs = link.client().list(Kind::Job, everything).await.map_err(failure)?;
    let pods = link.client().list(Kind::Pod, everything).await.map_err(failure)?;
    let nodes = link.client().list(Kind::Node, everything).await.map_err(failure)?;
    for line in lines(&status, &jobs, &pods, nodes.first()) {
        tell!("{line}");
    }
    Ok(Code::OK)
}

/// What people read.
fn lines(
    status: &ServerStatus,
    jobs: &[Object],
    pods: &[Object],
    node: Option<&Object>,
) -> Vec<String> {
    let mode = match status.mode {
        Mode::Up => "coracle up",
        Mode::Private => "private, of coracle run",
    };
    let memory_mib = status.memory_bytes as f64 / MIB as f64;
    let unfinished: Vec<&Object> = jobs.iter().filter(|job| !over(job)).collect();
    let mut lines = vec![
        format!(
            "server     {mode}, version {}, process {}, {memory_mib:.1} MiB",
            status.version, status.pid
        ),
        format!("directory  {}", status.data_dir.display()),
        format!("api        {}", api(status)),
        format!("runs       {}", runs(status)),
        format!(
            "jobs       {} unfinished, {} finished",
            unfinished.len(),
            jobs.len() - unfinished.len()
        ),
        format!("pods       {}", phases(pods)),
    ];
    lines.extend(node.map(|node| format!("requested  {}", requested(pods, node))));
    for object in unfinished.iter().take(JOBS_LISTED_MAX) {
        let job = object.job();
        let status = job.status.unwrap_or_default();
        let completions = job.spec.and_then(|spec| spec.completions);
        let of = completions.map(|n| format!("/{n}")).unwrap_or_default();
        lines.push(format!(
            "  job/{}  namespace {}  {}{of} succeeded  {} active",
            object.key.name,
            object.key.namespace,
            status.succeeded.unwrap_or(0),
            status.active.unwrap_or(0)
        ));
    }
    let hidden = unfinished.len().saturating_sub(JOBS_LISTED_MAX);
    if hidden > 0 {
        lines.push(format!("  … and {hidden} more"));
    }
    lines
}

/// Where kubectl finds the server.
fn api(status: &ServerStatus) -> String {
    match &status.endpoint {
        Some(TlsEndpoint { url, kubeconfig }) => {
            format!("{url}, kubeconfig {}", kubeconfig.display())
        }
        None => "on the directory's socket only".to_owned(),
    }
}

fn runs(status: &ServerStatus) -> String {
    let detached = status.runs.iter().filter(|run| run.detached).count();
    format!("{} attended, {detached} detached", status.runs.len() - detached)
}

fn phases(pods: &[Object]) -> String {
    let mut counts = BTreeMap::from([("Pending", 0), ("Running", 0)]);
    for pod in pods {
        if let Facts::Pod { phase, .. } = &pod.meta.facts {
            let phase = if phase.is_empty() { "Pending" } else { phase.as_str() };
            *counts.entry(phase).or_insert(0) += 1;
        }
    }
    let texts: Vec<String> =
        counts.iter().map(|(phase, count)| format!("{count} {}", phase.to_lowercase())).collect();
    texts.join(", ")
}

/// What the pods that are not over have asked for, beside what there is.
fn requested(pods: &[Object], node: &Object) -> String {
    let mut sum = Room { cpu_milli: 0, memory_bytes: 0, pods: 0 };
    for pod in pods.iter().filter(|pod| !over(pod)) {
        let pod = pod.pod();
        let spec = pod.spec.unwrap_or_default();
        if spec.node_name.is_some() {
            let room = placement::requests(&spec);
            sum.cpu_milli += room.cpu_milli;
            sum.memory_bytes += room.memory_bytes;
        }
    }
    let allocatable = node.node().status.and_then(|status| status.allocatable).unwrap_or_default();
    let there = |name: &str| {
        let quantity = allocatable.get(name).and_then(|text| Quantity::parse(&text.0).ok());
        quantity.map_or(0, Quantity::milli)
    };
    let mib = |bytes: i64| bytes / MIB as i64;
    format!(
        "cpu {} of {}, memory {} MiB of {} MiB",
        sum.cpu_milli as f64 / 1000.0,
        there("cpu") as f64 / 1000.0,
        mib(sum.memory_bytes),
        mib(there("memory") / 1000)
    )
}

fn over(object: &Object) -> bool {
    match &object.meta.facts {
        Facts::Job { finished, .. } => *finished,
        Facts::Pod { phase, .. } => matches!(phase.as_str(), "Succeeded" | "Failed"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use kinds::{Draft, Uid};
    use serde_json::Value;

    use super::*;

    fn object(kind: Kind, name: &str, rest: Value) -> Object {
        let mut value = rest;
        value["metadata"] =
            json!({"name": name, "namespace": "default", "uid": Uid::from_random(1).to_string()});
        Draft::from_json(kind, value.to_string().as_bytes()).unwrap().seal(1)
    }

    #[test]
    fn it_tells_who_serves_what_runs_and_what_is_taken() {
        let status: ServerStatus = serde_json::from_value(json!({
            "version": "0.1.0", "mode": "private", "pid": 7, "dataDir": "/d", "revision": 9,
            "objects": {}, "memoryBytes": 15 * 1024 * 1024,
            "runs": [{"id": "a", "detached": false}, {"id": "b", "detached": true}],
        }))
        .unwrap();
        let jobs = [
            object(
                Kind::Job,
                "etl",
                json!({
                    "spec": {"completions": 9, "template": {}}, "status": {"succeeded": 4, "active": 2},
                }),
            ),
            object(
                Kind::Job,
                "old",
                json!({
                    "spec": {"template": {}},
                    "status": {"conditions": [{"type": "Complete", "status": "True"}]},
                }),
            ),
        ];
        let container =
            json!({"name": "c", "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}}});
        let pods = [
            object(
                Kind::Pod,
                "etl-1",
                json!({
                    "spec": {"nodeName": "here", "containers": [container]}, "status": {"phase": "Running"},
                }),
            ),
            object(Kind::Pod, "etl-2", json!({"spec": {"containers": [container]}})),
        ];
        let node = object(
            Kind::Node,
            "here",
            json!({"status": {"allocatable": {"cpu": "2", "memory": "4Gi"}}}),
        );
        expect![[r#"
            server     private, of coracle run, version 0.1.0, process 7, 15.0 MiB
            directory  /d
            api        on the directory's socket only
            runs       1 attended, 1 detached
            jobs       1 unfinished, 1 finished
            pods       1 pending, 1 running
            requested  cpu 0.5 of 2, memory 64 MiB of 4096 MiB
              job/etl  namespace default  4/9 succeeded  2 active"#]]
        .assert_eq(&lines(&status, &jobs, &pods, Some(&node)).join("\n"));
    }
}
