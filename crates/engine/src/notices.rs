//! Who is to be told that a Job is over: its annotation [`NOTIFY_ANNOTATION`] names a URL, and the
//! end of the Job puts a record into the same transaction that says so. The record stays until the
//! document was taken, so that neither a crash nor the deletion of the Job loses it; the receiver
//! may get a document twice, and knows it by its `id`. Here it is decided what is sent when; the
//! server sends it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use kinds::{Key, Kind, Revision, Uid};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{
    Engine,
    history::JobRecord,
    recorder::{About, Happening},
    retry::Retry,
};

/// The annotation of a Job whose value is the URL that is told of its end.
pub const NOTIFY_ANNOTATION: &str = "coracle.local/notify";

/// The longest URL, in bytes.
pub const NOTIFY_URL_BYTES_MAX: usize = 2048;

/// The waits after failures.
const RETRY: Retry = Retry { first_s: 1, max_s: 600 };

/// How long after the end of a Job its document is given up, in seconds: a day.
const GIVE_UP_S: i64 = 86_400;

/// How many documents are on their way at once.
const AT_ONCE_MAX: usize = 2;

/// How many documents wait; the oldest is given up for a newer one.
const WAITING_MAX: usize = 10_000;

/// How many bytes of documents wait: one with many indexes takes hundreds of kilobytes.
const WAITING_BYTES_MAX: usize = 16 << 20;

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
    /// When it is to be sent, unless it is on its way or not yet committed.
    due: Option<Timestamp>,
}

/// All documents that were not taken yet.
#[derive(Default)]
pub(crate) struct Notices {
    all: BTreeMap<Uid, Waiting>,
    /// The same, oldest end first.
    by_age: BTreeSet<(Timestamp, Uid)>,
    /// Bytes of all documents together.
    bytes: usize,
    /// Those whose records are in the pending transaction.
    fresh: Vec<Uid>,
    /// When to send those that are not on their way.
    due: BTreeSet<(Timestamp, Uid)>,
    on_their_way: usize,
}

impl Notices {
    /// Reads what an earlier server left; all of it is due.
    pub(crate) fn found(store: &Store, now: Timestamp) -> Self {
        let found = store.records(PREFIX).filter_map(|(name, bytes)| {
            let (finished_ms, uid) = name.strip_prefix(PREFIX)?.split_once('/')?;
            let finished = Timestamp::from_millisecond(finished_ms.parse().ok()?).ok()?;
            let kept = serde_json::from_slice(bytes).ok()?;
            Some((Uid::parse(uid)?, Waiting { kept, finished, revision: 0, due: None }))
        });
        let mut notices = Self::default();
        for (id, waiting) in found {
            notices.insert(id, waiting);
            notices.due_by(id, now);
        }
        notices
    }

    /// The pending transaction became this revision.
    pub(crate) fn committed(&mut self, revision: Revision, now: Timestamp) {
        for id in std::mem::take(&mut self.fresh) {
            if let Some(waiting) = self.all.get_mut(&id) {
                waiting.revision = revision;
                self.due_by(id, now);
            }
        }
    }

    /// To be sent at once, in the order in which Jobs ended. An end may lie in the future, by a
    /// clock that was put back; nobody waits for that.
    fn due_by(&mut self, id: Uid, now: Timestamp) {
        if let Some(waiting) = self.all.get(&id) {
            self.due_at(id, waiting.finished.min(now));
        }
    }

    fn due_at(&mut self, id: Uid, at: Timestamp) {
        if let Some(waiting) = self.all.get_mut(&id) {
            waiting.due = Some(at);
            self.due.insert((at, id));
        }
    }

    fn insert(&mut self, id: Uid, waiting: Waiting) {
        self.remove(id);
        self.bytes += waiting.kept.document.len();
        self.by_age.insert((waiting.finished, id));
        self.all.insert(id, waiting);
    }

    fn remove(&mut self, id: Uid) -> Option<Waiting> {
        let waiting = self.all.remove(&id)?;
        self.bytes -= waiting.kept.document.len();
        self.by_age.remove(&(waiting.finished, id));
        if let Some(at) = waiting.due {
            self.due.remove(&(at, id));
        }
        Some(waiting)
    }

    /// The one that goes for a new one of so many bytes, if there is no room for both.
    fn in_the_way(&self, bytes: usize) -> Option<Uid> {
        let room = self.all.len() < WAITING_MAX && self.bytes + bytes <= WAITING_BYTES_MAX;
        self.by_age.first().filter(|_| !room).map(|(_, id)| *id)
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
        let waiting = Waiting { kept, finished: record.finished, revision: 0, due: None };
        if let Err(wrong) = notify_origin(url) {
            let message = format!("Nobody is told of the end of the job: {wrong}");
            self.tell_of(&waiting.about(record.uid), true, "NotifyInvalid", message, now);
            return;
        }
        while let Some(id) = self.notices.in_the_way(waiting.kept.document.len()) {
            self.give_up(id, "too many others wait", now);
        }
        self.notices.fresh.push(record.uid);
        self.keep(record.uid, waiting);
    }

    fn keep(&mut self, id: Uid, waiting: Waiting) {
        let bytes = serde_json::to_vec(&waiting.kept).expect("plain data serialises");
        self.pending.record(waiting.record_name(id), Some(bytes.into()));
        self.notices.insert(id, waiting);
    }

    /// The documents to be sent now, which are then on their way until
    /// [`notice_answered`](Self::notice_answered) is called for each.
    pub fn notices_due(&mut self, now: Timestamp) -> Vec<Notice> {
        let durable = self.store.durable();
        let mut due = Vec::new();
        while let Some((at, id)) = self.notices.first(durable).filter(|(at, _)| *at <= now) {
            self.notices.due.remove(&(at, id));
            let Some(waiting) = self.notices.all.get_mut(&id) else { continue };
            waiting.due = None;
            self.notices.on_their_way += 1;
            let (url, document) = (waiting.kept.url.clone(), waiting.kept.document.clone());
            due.push(Notice { id, url, document: document.into() });
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
        let Some(mut waiting) = self.notices.remove(id) else { return };
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
        let at = now + RETRY.wait(waiting.kept.failures - 1);
        let too_late = at.duration_since(waiting.finished).as_secs() > GIVE_UP_S;
        self.keep(id, waiting);
        match too_late {
            true => self.give_up(id, "a day has passed", now),
            false => self.notices.due_at(id, at),
        }
    }

    fn give_up(&mut self, id: Uid, why: &str, now: Timestamp) {
        let Some(waiting) = self.notices.remove(id) else { return };
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

    /// The documents that wait are bounded in number and in bytes, and the oldest end goes first.
    #[test]
    fn the_oldest_is_in_the_way_of_one_too_many() {
        let mut notices = Notices::default();
        let mut wait = |n: u128, bytes: usize| {
            let document = "x".repeat(bytes);
            let (url, namespace, job) = Default::default();
            let kept = Kept { url, namespace, job, document, failures: 0 };
            let finished = Timestamp::from_second(100 - n as i64).unwrap();
            notices.insert(Uid::from_random(n), Waiting { kept, finished, revision: 0, due: None });
            (notices.in_the_way(1), notices.in_the_way(WAITING_BYTES_MAX))
        };
        let id = |n| Some(Uid::from_random(n));
        assert_eq!(wait(1, 8 << 20), (None, id(1)));
        assert_eq!(wait(2, 8 << 20), (id(2), id(2)), "no byte is left");
        assert_eq!(notices.remove(Uid::from_random(2)).unwrap().kept.document.len(), 8 << 20);
        assert_eq!((notices.bytes, notices.in_the_way(8 << 20)), (8 << 20, None));
        notices.remove(Uid::from_random(1));
        assert_eq!((notices.bytes, notices.in_the_way(WAITING_BYTES_MAX + 1)), (0, None));
    }
}
