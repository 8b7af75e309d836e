//! `coracle history`: finished Jobs, also those whose objects are gone.

use apiserver::HistoryLine;
use bytes::Bytes;

use crate::{
    cli::{self, Report},
    data_dir::Home,
    exit::{Code, Failure},
    link::{self, Visit},
    target::Target,
};

/// Shows the history of the data directory.
pub(crate) async fn history(args: &cli::History) -> Result<Code, Failure> {
    let job = match &args.job {
        None => String::new(),
        Some(text) => match Target::parse(text, true)? {
            Target::Job(name) => name,
            Target::Pod(_) => {
                return Err(Failure::usage("history is kept per job; say job/NAME"));
            }
        },
    };
    let namespace = args.namespace.as_deref().unwrap_or_default();
    let bytes = match Home::existing(&args.data_dir)? {
        Some(home) => read(&home, namespace, &job).await?,
        None => Bytes::new(),
    };
    if args.output == Report::Json {
        for line in String::from_utf8_lossy(&bytes).lines() {
            tell!("{line}");
        }
        return Ok(Code::OK);
    }
    let lines: Result<Vec<HistoryLine>, _> =
        serde_json::Deserializer::from_slice(&bytes).into_iter().collect();
    let lines = lines.map_err(|error| Failure::engine(format!("the history: {error}")))?;
    if lines.is_empty() {
        let what = if job.is_empty() { "no job".to_owned() } else { format!("no job {job:?}") };
        complain!("{what} has finished yet in {}", Home::locate(&args.data_dir)?.display());
    }
    for row in table(&lines) {
        tell!("{row}");
    }
    Ok(Code::OK)
}

async fn read(home: &Home, namespace: &str, job: &str) -> Result<Bytes, Failure> {
    let visit = Visit::begin(home).await?;
    let bytes = visit.link().client().history(namespace, job).await;
    visit.end().await;
    bytes.map_err(|error| link::failure(&error))
}

/// One row per Job, and one per pod where the pods are there.
fn table(records: &[HistoryLine]) -> Vec<String> {
    let mut rows = Vec::new();
    if !records.is_empty() {
        rows.push(
            ["FINISHED", "NAMESPACE", "JOB", "OUTCOME", "REASON", "SUCCEEDED", "FAILED", "TOOK"]
                .map(str::to_owned),
        );
    }
    for HistoryLine { job, pods, .. } in records {
        let succeeded = match job.completions {
            Some(completions) => format!("{}/{completions}", job.succeeded),
            None => job.succeeded.to_string(),
        };
        let took = job.started.map(|started| job.finished.duration_since(started));
        rows.push([
            job.finished.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            job.namespace.clone(),
            job.job.clone(),
            format!("{:?}", job.outcome),
            if job.reason.is_empty() { "-".to_owned() } else { job.reason.clone() },
            succeeded,
            job.failed.to_string(),
            // Both times are whole seconds.
            took.map_or_else(|| "-".to_owned(), |took| format!("{} s", took.as_secs())),
        ]);
        for pod in pods {
            let index = pod.index.map(|index| format!(" index {index}")).unwrap_or_default();
            let restarts = if pod.restarts > 0 {
                format!(", {} restarts", pod.restarts)
            } else {
                String::new()
            };
            let note =
                format!("  {}{index}: exit {} {}{restarts}", pod.pod, pod.exit_code, pod.reason);
            rows.push([
                note,
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
    }
    align(&rows)
}

/// Columns as wide as their widest cell; a row with one cell only may be wider.
fn align<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let alone = |row: &[String; N]| row[1..].iter().all(String::is_empty);
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| !alone(row)).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let line = |row: &[String; N]| {
        let cells = row.iter().enumerate().map(|(at, cell)| format!("{cell:<0$}", width(at)));
        let line: Vec<String> = cells.collect();
        line.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_per_job_and_a_line_per_pod() {
        let record = json!({
            "namespace": "default", "job": "etl", "uid": "00000000-0000-4000-8000-000000000001",
            "outcome": "Failed", "reason": "BackoffLimitExceeded", "message": "",
            "started": "2026-11-24T09:50:40Z", "finished": "2026-11-24T09:50:42Z",
            "completions": 9, "succeeded": 4, "failed": 1,
            "pods": [{
                "pod": "etl-3-abcde", "uid": "00000000-0000-4000-8000-000000000002", "index": 3,
                "succeeded": false, "container": "main", "exitCode": 42, "reason": "Error",
                "restarts": 2, "started": null, "finished": null,
            }],
        });
        let line: HistoryLine = serde_json::from_value(record).unwrap();
        expect![[r#"
            FINISHED              NAMESPACE  JOB  OUTCOME  REASON                SUCCEEDED  FAILED  TOOK
            2026-11-24 09:50:42Z  default    etl  Failed   BackoffLimitExceeded  4/9        1       2 s
              etl-3-abcde index 3: exit 42 Error, 2 restarts"#]]
        .assert_eq(&table(&[line]).join("\n"));
    }
}
