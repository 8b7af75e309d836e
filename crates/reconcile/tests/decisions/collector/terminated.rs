//! Pods that ended: `pod NAME created=SECOND [evicted] [namespace=NAME]`, then `keep NUMBER`; those that
//! go come out, in their order. And a pod of a node that is not there: `pod NAME PHASE [condition of the
//! type DisruptionTarget: STATUS since=SECOND]`, `missing SECOND`, `now SECOND`.

use std::fmt::Write as _;

use kinds::{
    Key, Kind, Uid,
    metav1::Time,
    types::core::v1::{PodCondition, PodStatus},
};
use reconcile::terminated::{Stray, Terminated, evicted, stray};

use crate::notation::{START, at, uid};

pub(crate) fn decide(_: &str, given: &str) -> String {
    let lines: Vec<(&str, &str)> =
        given.trim().lines().map(|line| line.split_once(' ').unwrap()).collect();
    let word = |name: &str| lines.iter().find(|(what, _)| *what == name).map(|(_, rest)| *rest);
    let mut pods = lines.iter().filter(|(what, _)| *what == "pod").map(|(_, rest)| *rest);
    match (word("keep"), word("missing")) {
        (Some(keep), None) => too_many(pods, word("gone"), keep.parse().unwrap()),
        (None, Some(missing)) => {
            let second = |text: &str| at(text.parse().unwrap());
            let pod = status(pods.next().unwrap());
            judged(stray(pod, Some(1), second(missing), second(word("now").unwrap())))
        }
        _ => panic!("either keep or missing"),
    }
}

fn too_many<'a>(pods: impl Iterator<Item = &'a str>, gone: Option<&str>, keep: usize) -> String {
    let mut all = Terminated::default();
    for pod in pods {
        let (name, words) = pod.split_once(' ').unwrap();
        let value = |key: &str| words.split(' ').find_map(|word| word.strip_prefix(key));
        let key = Key::new(Kind::Pod, value("namespace=").unwrap_or("default"), name);
        let of = Uid::parse(&uid(&key.to_string())).unwrap();
        let phase = words.split(' ').find(|word| matches!(*word, "Succeeded" | "Failed"));
        let status = PodStatus {
            phase: phase.map(str::to_owned),
            reason: value("reason=").map(str::to_owned),
            ..PodStatus::default()
        };
        let created = at(value("created=").unwrap().parse().unwrap()).as_second();
        assert!(all.insert(key.clone(), of, evicted(&status), created), "{key} twice");
        assert!(!all.insert(key.clone(), of, evicted(&status), created) && all.contains(of));
        if gone == Some(name) {
            all.remove(&key, of);
            assert!(!all.contains(of));
        }
    }
    let going: Vec<&Key> = all.beyond(keep).collect();
    let lines = going.iter().map(|key| format!("{}/{}\n", key.namespace, key.name));
    if going.is_empty() { "none\n".to_owned() } else { lines.collect() }
}

/// `NAME PHASE [DisruptionTarget=STATUS since=SECOND REASON]`
fn status(line: &str) -> PodStatus {
    let words: Vec<&str> = line.split(' ').collect();
    let condition = words.get(2).map(|word| PodCondition {
        type_: word.split_once('=').unwrap().0.to_owned(),
        status: word.split_once('=').unwrap().1.to_owned(),
        last_transition_time: Some(Time(at(words[3]["since=".len()..].parse().unwrap()))),
        reason: words.get(4).map(|reason| (*reason).to_owned()),
        ..PodCondition::default()
    });
    let conditions = condition.map(|condition| vec![condition]);
    PodStatus { phase: Some(words[1].to_owned()), conditions, ..PodStatus::default() }
}

fn judged(stray: Stray) -> String {
    let since = |time: Time| time.0.duration_since(START).as_secs();
    match stray {
        Stray::Wait(until) => format!("wait until {}\n", since(Time(until))),
        Stray::Fail(status) => {
            let mut text = format!("delete, phase {}\n", status.phase.unwrap_or_default());
            for c in status.conditions.into_iter().flatten() {
                let (reason, message) =
                    (c.reason.unwrap_or_default(), c.message.unwrap_or_default());
                let since = c.last_transition_time.map(since).unwrap_or_default();
                let _ =
                    writeln!(text, "{}={} since={since} {reason}: {message}", c.type_, c.status);
            }
            text
        }
    }
}
