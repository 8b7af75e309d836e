//! The watches of a run: each a task that hands on what it is told, and begins anew when the server
//! ends it or goes away. What is told again then is told again here: the state of the run does not
//! mind.

use std::collections::{BTreeSet, HashSet};

use kinds::{Kind, Object, Reason, Uid};
use tokio::sync::mpsc;

use super::{pulls, work::Id};
use crate::{
    client::{self, Event, Selection},
    exit::Failure,
    link::{self, Link},
};

/// How many changes may wait for the run's loop.
const QUEUE_CHANGES_MAX: usize = 256;

/// How many Jobs one watch of pods asks for: their uids stand in its address.
const UIDS_PER_WATCH_MAX: usize = 200;

/// One thing a watch tells.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An object as it is now.
    Now(Object),
    /// An object's last state; it is gone.
    Gone(Object),
    /// Everything of this kind and selection that there is; what is missing is gone.
    All {
        /// The kind.
        kind: Kind,
        /// What was asked for: Jobs of these uids, or their pods.
        asked: HashSet<Uid>,
        /// What there is.
        there: HashSet<Uid>,
    },
    /// The watch cannot go on.
    Lost(Failure),
}

/// What one watch asks for.
#[derive(Clone, Debug)]
struct Subject {
    kind: Kind,
    namespace: String,
    labels: String,
    fields: String,
    uids: HashSet<Uid>,
}

/// Starts the watches that following these Jobs and Pods takes.
pub(crate) fn start(link: &Link, works: &[(Uid, Id)]) -> mpsc::Receiver<Seen> {
    let (sender, receiver) = mpsc::channel(QUEUE_CHANGES_MAX);
    for subject in subjects(works) {
        let (link, sender) = (link.clone(), sender.clone());
        tokio::spawn(async move {
            if let Err(failure) = watch(&link, &subject, &sender).await {
                // Nobody listens any more: the run is over.
                let _ = sender.send(Seen::Lost(failure)).await;
            }
        });
    }
    receiver
}

fn subjects(works: &[(Uid, Id)]) -> Vec<Subject> {
    let namespaces: BTreeSet<&String> = works.iter().map(|(_, id)| &id.namespace).collect();
    let pulls = namespaces.into_iter().map(|namespace| Subject {
        kind: Kind::Event,
        namespace: namespace.clone(),
        labels: String::new(),
        fields: pulls::FIELDS.to_owned(),
        uids: HashSet::new(),
    });
    let mut subjects: Vec<Subject> = pulls.collect();
    for (uid, pod) in works.iter().filter(|(_, id)| !id.is_job) {
        subjects.push(Subject {
            kind: Kind::Pod,
            namespace: pod.namespace.clone(),
            labels: String::new(),
            fields: format!("metadata.name={}", pod.name),
            uids: [*uid].into(),
        });
    }
    let mut jobs: Vec<&(Uid, Id)> = works.iter().filter(|(_, id)| id.is_job).collect();
    jobs.sort_by(|a, b| a.1.cmp(&b.1));
    for same in jobs.chunk_by(|a, b| a.1.namespace == b.1.namespace) {
        for some in same.chunks(UIDS_PER_WATCH_MAX) {
            let uids: HashSet<Uid> = some.iter().map(|(uid, _)| *uid).collect();
            let namespace = some[0].1.namespace.clone();
            let texts: Vec<String> = some.iter().map(|(uid, _)| uid.to_string()).collect();
            let fields = match some {
                [(_, only)] => format!("metadata.name={}", only.name),
                _ => String::new(),
            };
            let job = Subject {
                kind: Kind::Job,
                namespace: namespace.clone(),
                labels: String::new(),
                fields,
                uids: uids.clone(),
            };
            subjects.push(job);
            subjects.push(Subject {
                kind: Kind::Pod,
                namespace,
                labels: format!("batch.kubernetes.io/controller-uid in ({})", texts.join(",")),
                fields: String::new(),
                uids,
            });
        }
    }
    subjects
}

async fn watch(link: &Link, subject: &Subject, sender: &mpsc::Sender<Seen>) -> Result<(), Failure> {
    loop {
        let mark = link.mark();
        match once(link, subject, sender).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if error.lost() => link.recover(mark).await?,
            Err(error) if error.status().is_some_and(|s| s.reason == Reason::Expired) => {}
            Err(error) => return Err(link::failure(&error)),
        }
    }
}

/// One watch from the present state to its end; false once nobody listens.
async fn once(
    link: &Link,
    subject: &Subject,
    sender: &mpsc::Sender<Seen>,
) -> Result<bool, client::Error> {
    let which = Selection {
        namespace: &subject.namespace,
        labels: &subject.labels,
        fields: &subject.fields,
    };
    let mut watch = link.client().watch(subject.kind, which, None).await?;
    let mut there = Some(HashSet::new());
    while let Some(event) = watch.next().await? {
        let seen = match event {
            Event::Added(object) | Event::Modified(object) => {
                if let Some(there) = &mut there {
                    there.insert(object.meta.uid);
                }
                Seen::Now(object)
            }
            Event::Deleted(object) => Seen::Gone(object),
            Event::Bookmark { initial_events_end: true, .. } => Seen::All {
                kind: subject.kind,
                asked: subject.uids.clone(),
                there: there.take().unwrap_or_default(),
            },
            Event::Bookmark { .. } => continue,
        };
        if sender.send(seen).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}
