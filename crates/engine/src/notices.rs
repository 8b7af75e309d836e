//! Who is to be told that a Job is over: its annotation [`NOTIFY_ANNOTATION`] names a URL, and the
//! end of the Job puts a record into the same transaction that says so. The record stays until the
//! document was taken, so that neither a crash nor the deletion of the Job loses it; the receiver
//! may get a document twice, and knows it by its `id`. Here it is decided what is sent when; the
//! server sends it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kinds::{Key, Kind, Revision, Uid};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{
    Engine,
    history::JobRecord,
    recorder::{About, Happening},
};

/// The annotation of a Job whose value is the URL that is told of its end.
pub const NOTIFY_ANNOTATION: &str = "coracle.local/notify";

/// The longest URL, in bytes.
pub const NOTIFY_URL_BYTES_MAX: usize = 2048;

/// The wait after the first failure, in seconds; it doubles with each.
const RETRY_FIRST_S: i64 = 1;

/// The longest such wait, in seconds.
const RETRY_MAX_S: i64 = 600;

/// How long after the end of a Job its document is given up, in seconds: a day.
const GIVE_UP_S: i64 = 86_400;

/// How many documents are on their way at once.
const AT_ONCE_MAX: usize = 2;

/// How many documents wait; the oldest is given up for a newer one.
const WAITING_MAX: usize = 10_000;

const PREFIX: &str = "notify/";

/// Who tells of it in Events.
const COMPONENT: &str = "notifier";

/// A document to be sent now. What became of it is told to [`Engine::notice_answered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The Job's uid, which is also the document's `id`.
    pub id: Uid,
    /// Where it goes.
    pub url: String,
    /// JSON.
    pub document: Bytes,
}

/// What is posted: the record of the history, and what it is recognised by.
#[derive(Serialize)]
struct Document<'a> {
    id: Uid,
    #[serde(flatten)]
    job: &'a JobRecord,
}

/// A record of the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    namespace: String,
    job: String,
    document: String,
    failures: u32,
}

/// A document that was not taken yet.
struct Waiting {
    kept: Kept,
    finished: Timestamp,
    /// The document may be sent once this is durable.
    revision: Revision,
}

/// All documents that were not taken yet.
#[derive(Default)]
pub(crate) struct Notices {
    all: BTreeMap<Uid, Waiting>,
    /// Those whose records are in the pending transaction.
    fresh: Vec<Uid>,
    /// When to send those that are not on their way.
    due: BTreeSet<(Timestamp, Uid)>,
    on_their_way: usize,
}

impl Notices {
    /// Reads what an earlier server left; all of it is due.
    pub(crate) fn found(store: &Store) -> Self {
        let waiting = store.records(PREFIX).filter_map(|(name, bytes)| {
            let (finished_ms, uid) = name.strip_prefix(PREFIX)?.split_once('/')?;
            let finished = Timestamp::from_millisecond(finished_ms.parse().ok()?).ok()?;
            let kept = serde_json::from_slice(bytes).ok()?;
            Some((Uid::parse(uid)?, Waiting { kept, finished, revision: 0 }))
        });
        let all: BTreeMap<Uid, Waiting> = waiting.collect();
        let due = all.iter().map(|(id, waiting)| (waiting.finished, *id)).collect();
        Self { all, due, ..Self::default() }
    }

    /// The pending transaction became this revision.
    pub(crate) fn committed(&mut self, revision: Revision) {
        for id in std::mem::take(&mut self.fresh) {
            if let Some(waiting) = self.all.get_mut(&id) {
                waiting.revision = revision;
                self.due.insert((waiting.finished, id));
            }
        }
    }

    /// When the next is to be sent, as far as it is durable and not too many are on their way.
    pub(crate) fn next(&self, durable: Revision) -> Option<Timestamp> {
        self.first(durable).map(|(at, _)| at)
    }

    fn first(&self, durable: Revision) -> Option<(Timestamp, Uid)> {
        let is_durable = |id| self.all.get(id).is_some_and(|w: &Waiting| w.revision <= durable);
        let room = self.on_their_way < AT_ONCE_MAX;
        self.due.iter().find(|(_, id)| room && is_durable(id)).copied()
    }
}

impl Waiting {
    fn record_name(&self, id: Uid) -> String {
        format!("{PREFIX}{:020}/{id}", self.finished.as_millisecond())
    }

    fn about(&self, id: Uid) -> About {
        let key = Key::new(Kind::Job, &self.kept.namespace, &self.kept.job);
        About { key, uid: id, field_path: None }
    }
}

/// The scheme and the place of a URL that documents can be sent to, which is all that is told of it:
/// the rest may be a secret.
///
/// # Errors
/// What is wrong with it, for people.
pub fn notify_origin(url: &str) -> Result<&str, &'static str> {
    if url.len() > NOTIFY_URL_BYTES_MAX {
        return Err("the URL may not be longer than 2048 bytes");
    }
    if url.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err("the URL has characters that have to be written as %XX");
    }
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("the URL has to begin with http:// or https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a URL with a user name is not supported; put a token into its path or query");
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err("the URL names no host");
    }
    Ok(&url[..url.len() - rest.len() + authority.len()])
}

/// The wait after so many failures.
fn wait(failures: u32) -> SignedDuration {
    let doubled = RETRY_FIRST_S << failures.saturating_sub(1).min(30);
    SignedDuration::from_secs(doubled.min(RETRY_MAX_S))
}

impl Engine {
    /// Puts the documents about the Jobs that this transaction ends into it.
    pub(crate) fn announce(&mut self, now: Timestamp) {
        for (url, record) in std::mem::take(&mut self.announced) {
            self.announce_one(&url, &record, now);
        }
    }

    fn announce_one(&mut self, url: &str, record: &JobRecord, now: Timestamp) {
        let document = Document { id: record.uid, job: record };
        let document = serde_json::to_string(&document).expect("records are plain data");
        let (namespace, job) = (record.namespace.clone(), record.job.clone());
        let kept = Kept { url: url.to_owned(), namespace, job, document, failures: 0 };
        let waiting = Waiting { kept, finished: record.finished, revision: 0 };
        if let Err(wrong) = notify_origin(url) {
            let message = format!("Nobody is told of the end of the job: {wrong}");
            self.tell_of(&waiting.about(record.uid), true, "NotifyInvalid", message, now);
            return;
        }
        if self.notices.all.len() >= WAITING_MAX {
            let oldest = self.notices.all.iter().min_by_key(|(_, waiting)| waiting.finished);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                self.give_up(id, "too many others wait", now);
            }
        }
        self.notices.fresh.push(record.uid);
        self.keep(record.uid, waiting);
    }

    fn keep(&mut self, id: Uid, waiting: Waiting) {
        let bytes = serde_json::to_vec(&waiting.kept).expect("plain data serialises");
        self.pending.record(waiting.record_name(id), Some(bytes.into()));
        self.notices.all.insert(id, waiting);
    }

    /// The documents to be sent now, which are then on their way until
    /// [`notice_answered`](Self::notice_answered) is called for each.
    pub fn notices_due(&mut self, now: Timestamp) -> Vec<Notice> {
        let durable = self.store.durable();
        let mut due = Vec::new();
        while let Some((at, id)) = self.notices.first(durable).filter(|(at, _)| *at <= now) {
            self.notices.due.remove(&(at, id));
            self.notices.on_their_way += 1;
            let kept = self.notices.all.get(&id).map(|waiting| &waiting.kept);
            due.extend(kept.map(|kept| Notice {
                id,
                url: kept.url.clone(),
                document: kept.document.clone().into(),
            }));
        }
        due
    }

    /// How many documents were not taken yet.
    pub fn notices_waiting(&self) -> usize {
        self.notices.all.len()
    }

    /// What became of a document that was sent: taken, or why not.
    pub fn notice_answered(&mut self, id: Uid, result: Result<(), String>, now: Timestamp) {
        self.notices.on_their_way = self.notices.on_their_way.saturating_sub(1);
        let Some(mut waiting) = self.notices.all.remove(&id) else { return };
        self.urgent = true;
        let about = waiting.about(id);
        let place = notify_origin(&waiting.kept.url).unwrap_or_default().to_owned();
        let Err(why) = result else {
            self.pending.record(waiting.record_name(id), None);
            let message = format!("Told {place} of the end of the job");
            return self.tell_of(&about, false, "Notified", message, now);
        };
        let message = format!("Telling {place} of the end of the job failed: {why}");
        self.tell_of(&about, true, "NotifyFailed", message, now);
        waiting.kept.failures = waiting.kept.failures.saturating_add(1);
        let at = now + wait(waiting.kept.failures);
        let too_late = at.duration_since(waiting.finished).as_secs() > GIVE_UP_S;
        self.keep(id, waiting);
        match too_late {
            true => self.give_up(id, "a day has passed", now),
            false => drop(self.notices.due.insert((at, id))),
        }
    }

    fn give_up(&mut self, id: Uid, why: &str, now: Timestamp) {
        let Some(waiting) = self.notices.all.remove(&id) else { return };
        self.notices.due.retain(|(_, due)| *due != id);
        self.pending.record(waiting.record_name(id), None);
        let message = format!("Nobody is told of the end of the job any more: {why}");
        self.tell_of(&waiting.about(id), true, "NotifyGivenUp", message, now);
    }

    fn tell_of(
        &mut self,
        about: &About,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        let reason = reason.to_owned();
        self.note(about, &Happening { component: COMPONENT, warning, reason, message }, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_its_origin_is_told() {
        for (url, wanted) in [
            ("http://127.0.0.1:80/a?b", Ok("http://127.0.0.1:80")),
            ("https://hooks.example/secret", Ok("https://hooks.example")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("https://u:p@host/", Err("user name")),
            ("ftp://host/", Err("http://")),
            ("https:///path", Err("no host")),
            ("http://a b/", Err("%XX")),
        ] {
            let found = notify_origin(url);
            match wanted {
                Ok(origin) => assert_eq!(found, Ok(origin)),
                Err(part) => assert!(found.unwrap_err().contains(part), "{url}: {found:?}"),
            }
        }
        assert!(notify_origin(&format!("http://h/{}", "a".repeat(3000))).is_err());
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let waits: Vec<i64> = [1, 2, 3, 10, 11, 99].map(|n| wait(n).as_secs()).to_vec();
        assert_eq!(waits, [1, 2, 4, 512, 600, 600]);
    }
}
