//! Descriptions of whole objects: in `cases` each file of JSON is an object with what is read beside
//! it, and the text of the same name its description. kubectl 1.36 prints the same for the same
//! objects, but for what is said of a failed Job.

use std::{fs, path::Path};

use expect_test::expect_file;
use kinds::{KINDS, Kind};
use serde_json::Value;

use super::{
    cron_job, job, node, others, pod,
    writer::{Writer, list, text},
};

fn describe(case: &Value) -> String {
    let mut writer = Writer::new("2026-11-24T10:01:00Z".parse().unwrap());
    let object = &case["object"];
    let kind = KINDS.iter().find(|info| info.name == case["kind"]).expect("a kind").kind;
    match kind {
        Kind::Pod => pod::pod(&mut writer, object),
        Kind::Job => {
            let failure: Vec<String> = list(&case["failure"]).iter().map(text).collect();
            job::job(&mut writer, object, &failure);
        }
        Kind::CronJob => cron_job::cron_job(&mut writer, object),
        Kind::Node => {
            let lease = Err("leases.coordination.k8s.io \"here\" not found".to_owned());
            node::node(&mut writer, object, list(&case["pods"]), &lease);
        }
        kind => {
            let within = |kind, field: &str| (kind, list(&case["within"][field]).to_vec());
            let within =
                [within(Kind::ResourceQuota, "quotas"), within(Kind::LimitRange, "limits")];
            others::other(&mut writer, kind, object, &within);
        }
    }
    writer.finish()
}

#[test]
fn every_case_reads_as_kubectl_prints_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/objects/describe/cases");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            expect_file![path.with_extension("txt")].assert_eq(&describe(&case));
            cases += 1;
        }
    }
    assert!(cases > 0, "the cases are gone");
}
