//! The history as people read it: a row per Job; where one Job is asked for, below each of its rows a
//! table of its pods.

use apiserver::HistoryLine;
use engine::history::PodRecord;
use jiff::{SignedDuration, Timestamp};

use super::attempts::attempts;

/// How many pods of one run are shown; `-o json` has all of them.
const PODS_SHOWN_MAX: usize = 1000;

const JOBS: [&str; 8] =
    ["FINISHED", "NAMESPACE", "JOB", "OUTCOME", "REASON", "SUCCEEDED", "FAILED", "TOOK"];

const PODS: [&str; 7] = ["POD", "INDEX", "ATTEMPT", "EXIT", "REASON", "STARTED", "TOOK"];

/// The lines to print; none where there is nothing.
pub(super) fn table(records: &[HistoryLine]) -> Vec<String> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![JOBS.map(str::to_owned)];
    rows.extend(records.iter().map(job));
    let mut lines = Vec::new();
    for (at, line) in align(&rows).into_iter().enumerate() {
        lines.push(line);
        if let Some(record) = at.checked_sub(1).and_then(|at| records.get(at)) {
            lines.extend(pods(record).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

fn job(HistoryLine { job, .. }: &HistoryLine) -> [String; 8] {
    let succeeded = match job.completions {
        Some(completions) => format!("{}/{completions}", job.succeeded),
        None => job.succeeded.to_string(),
    };
    let took = job.started.map(|started| job.finished.duration_since(started));
    [
        moment(Some(job.finished)),
        job.namespace.clone(),
        job.job.clone(),
        format!("{:?}", job.outcome),
        or_dash(&job.reason),
        succeeded,
        job.failed.to_string(),
        // Both times are whole seconds.
        took.map_or_else(|| "-".to_owned(), |took| format!("{} s", took.as_secs())),
    ]
}

fn pods(line: &HistoryLine) -> Vec<String> {
    let pods = attempts(line);
    if pods.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![PODS.map(str::to_owned)];
    rows.extend(pods.iter().take(PODS_SHOWN_MAX).map(|(pod, attempt)| row(pod, *attempt)));
    let mut lines = align(&rows);
    let hidden = pods.len().saturating_sub(PODS_SHOWN_MAX);
    if hidden > 0 {
        lines.push(format!("and {hidden} more: -o json shows all"));
    }
    lines
}

fn row(pod: &PodRecord, attempt: u32) -> [String; 7] {
    let took = pod.started.zip(pod.finished).map(|(from, to)| to.duration_since(from));
    [
        pod.pod.clone(),
        pod.index.map_or_else(|| "-".to_owned(), |index| index.to_string()),
        attempt.to_string(),
        pod.exit_code.to_string(),
        or_dash(&pod.reason),
        moment(pod.started),
        took.map_or_else(|| "-".to_owned(), |took: SignedDuration| format!("{} s", took.as_secs())),
    ]
}

fn moment(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// Columns as wide as their widest cell.
fn align<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str, index: Option<u32>, code: i32, restarts: i32, start: u32) -> Value {
        json!({
            "pod": name, "uid": "00000000-0000-4000-8000-000000000002", "index": index,
            "succeeded": code == 0, "container": "main", "exitCode": code,
            "reason": if code == 0 { "Completed" } else { "Error" }, "restarts": restarts,
            "started": format!("2026-11-24T09:50:{start:02}Z"), "finished": "2026-11-24T09:50:42Z",
        })
    }

    fn line(pods: &[Value]) -> HistoryLine {
        let record = json!({
            "namespace": "default", "job": "etl", "uid": "00000000-0000-4000-8000-000000000001",
            "outcome": "Failed", "reason": "BackoffLimitExceeded", "message": "",
            "started": "2026-11-24T09:50:40Z", "finished": "2026-11-24T09:50:42Z",
            "completions": 9, "succeeded": 4, "failed": 1, "pods": pods,
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn a_row_per_job_and_below_it_its_pods_by_index_and_attempt() {
        let pods = [
            pod("etl-3-fghij", Some(3), 42, 2, 41),
            pod("etl-0-klmno", Some(0), 0, 0, 40),
            pod("etl-3-abcde", Some(3), 1, 0, 40),
        ];
        expect![[r#"
            FINISHED              NAMESPACE  JOB  OUTCOME  REASON                SUCCEEDED  FAILED  TOOK
            2026-11-24 09:50:42Z  default    etl  Failed   BackoffLimitExceeded  4/9        1       2 s
              POD          INDEX  ATTEMPT  EXIT  REASON     STARTED               TOOK
              etl-0-klmno  0      1        0     Completed  2026-11-24 09:50:40Z  2 s
              etl-3-abcde  3      1        1     Error      2026-11-24 09:50:40Z  2 s
              etl-3-fghij  3      4        42    Error      2026-11-24 09:50:41Z  1 s"#]]
        .assert_eq(&table(&[line(&pods)]).join("\n"));
    }

    #[test]
    fn without_indexes_each_pod_is_work_of_its_own() {
        let pods = [pod("etl-a", None, 1, 0, 40), pod("etl-b", None, 1, 1, 41)];
        let line = line(&pods);
        let numbers: Vec<u32> = attempts(&line).into_iter().map(|(_, attempt)| attempt).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(table(&[]), Vec::<String>::new());
    }

    #[test]
    fn only_so_many_pods_are_shown() {
        let pods: Vec<Value> = (0..1002).map(|n| pod("p", Some(n), 0, 0, 40)).collect();
        let lines = table(&[line(&pods)]);
        assert_eq!(lines.len(), 1 + 1 + 1 + PODS_SHOWN_MAX + 1);
        assert_eq!(lines.last().unwrap(), "  and 2 more: -o json shows all");
    }
}
