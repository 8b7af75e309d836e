//! `ttl 10`, and a Job as in the other cases; `timeless` takes the times of its conditions away. What
//! comes out is `stays`, `until SECOND` or `over`.

use reconcile::ttl::{Expiry, ttl};

use crate::notation::{START, parse};

pub(crate) fn decide(_: &str, given: &str) -> String {
    let is_ours = |line: &&str| line.starts_with("ttl ") || *line == "timeless";
    let (ours, job): (Vec<&str>, Vec<&str>) = given.trim().lines().partition(is_ours);
    let mut input = parse(&job.join("\n"));
    let seconds = ours.iter().find_map(|line| line.strip_prefix("ttl "));
    let spec = input.job.spec.get_or_insert_default();
    spec.ttl_seconds_after_finished = seconds.map(|seconds| seconds.parse().unwrap());
    if ours.contains(&"timeless") {
        let status = input.job.status.get_or_insert_default();
        for condition in status.conditions.iter_mut().flatten() {
            condition.last_transition_time = None;
        }
    }
    match ttl(&input.job, input.now) {
        Expiry::Stays => "stays\n".to_owned(),
        Expiry::Over => "over\n".to_owned(),
        Expiry::At(at) => format!("until {}\n", at.duration_since(START).as_secs()),
    }
}
