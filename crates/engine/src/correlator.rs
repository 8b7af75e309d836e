//! Which Events are worth an object, as client-go's recorder judges (`tools/record/events_cache.go`):
//! many that differ in their words alone are combined into one, and who goes on and on about one
//! object is heard only now and then.

use std::collections::{HashMap, VecDeque};

/// So many Events that differ in their words alone stay apart; the next ones are combined.
const SIMILAR_APART: usize = 9;
/// After this silence they are told apart again, seconds.
const SIMILAR_AGE_S: i64 = 600;
/// So many Events of one source about one object may come at once.
const BURST: i64 = 25;
/// The time after which one more may come, seconds.
const REFILL_S: i64 = 300;
/// How many sources and objects are remembered; then the least recent are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// What was said lately.
#[derive(Default)]
pub(crate) struct Correlator {
    similar: Recent<Similar>,
    sources: Recent<Source>,
}

/// Events of one source about one object, with one reason.
#[derive(Default)]
struct Similar {
    /// Hashes of the words told apart.
    messages: VecDeque<u64>,
    last_s: i64,
}

/// All Events of one source about one object.
#[derive(Default)]
struct Source {
    /// When [`BURST`] of them may come again.
    full_at_s: i64,
}

impl Correlator {
    /// Whether an Event is to be combined with others like it. `like` stands for everything but its
    /// words, `message` for those.
    pub(crate) fn combines(&mut self, like: u64, message: u64, now_s: i64) -> bool {
        let similar = self.similar.of(like, now_s);
        if now_s - std::mem::replace(&mut similar.last_s, now_s) > SIMILAR_AGE_S {
            similar.messages.clear();
        }
        if similar.messages.contains(&message) {
            return false;
        }
        similar.messages.push_back(message);
        let combines = similar.messages.len() > SIMILAR_APART;
        if combines {
            similar.messages.pop_front();
        }
        combines
    }

    /// Whether one more Event is heard; `source` stands for who says it about which object.
    pub(crate) fn hears(&mut self, source: u64, now_s: i64) -> bool {
        let source = self.sources.of(source, now_s);
        let empty_s = now_s + BURST * REFILL_S;
        // A clock that was put back does not make the silence longer.
        source.full_at_s = source.full_at_s.min(empty_s);
        let full_at_s = source.full_at_s.max(now_s) + REFILL_S;
        let hears = full_at_s <= empty_s;
        if hears {
            source.full_at_s = full_at_s;
        }
        hears
    }
}

/// The most recently used values, by the hash of what they are of.
#[derive(Default)]
struct Recent<V> {
    values: HashMap<u64, (i64, V)>,
    /// Every value once, by the time at which it was put here: it may have been used since.
    queue: VecDeque<(i64, u64)>,
}

impl<V: Default> Recent<V> {
    fn of(&mut self, hash: u64, now_s: i64) -> &mut V {
        if !self.values.contains_key(&hash) {
            while self.values.len() >= REMEMBERED_MAX {
                self.forget_one();
            }
            self.queue.push_back((now_s, hash));
        }
        let (used_s, value) = self.values.entry(hash).or_default();
        *used_s = now_s;
        value
    }

    fn forget_one(&mut self) {
        while let Some((queued_s, hash)) = self.queue.pop_front() {
            match self.values.get(&hash) {
                Some((used_s, _)) if *used_s > queued_s => self.queue.push_back((*used_s, hash)),
                _ => {
                    self.values.remove(&hash);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_are_told_apart_until_there_was_silence() {
        let mut correlator = Correlator::default();
        let mut tell = |messages: std::ops::Range<u64>, now_s| -> Vec<bool> {
            messages.map(|message| correlator.combines(1, message, now_s)).collect()
        };
        assert_eq!(tell(0..9, 0), [false; 9]);
        assert_eq!(tell(3..6, 10), [false; 3], "what was said before is counted up");
        assert_eq!(tell(9..20, 600), [true; 11]);
        assert_eq!(tell(20..21, 1200), [true]);
        assert_eq!(tell(30..39, 1801), [false; 9]);
    }

    #[test]
    fn twenty_five_are_heard_at_once_and_one_more_every_five_minutes() {
        let mut correlator = Correlator::default();
        let mut heard =
            |source, now_s| (0..100).filter(|_| correlator.hears(source, now_s)).count();
        assert_eq!(heard(1, 1000), 25);
        assert_eq!(heard(2, 1000), 25);
        assert_eq!((heard(1, 1299), heard(1, 1300), heard(1, 1900)), (0, 1, 2));
        assert_eq!(heard(1, 1_000_000), 25);
        assert_eq!((heard(1, 0), heard(1, 300)), (0, 1), "the clock was put back");
    }

    #[test]
    fn the_least_recent_are_forgotten() {
        let mut correlator = Correlator::default();
        assert_eq!((0..100).filter(|_| correlator.hears(0, 1)).count(), 25);
        for source in 1..10_000 {
            let now_s = 2 + source as i64 / 100;
            correlator.hears(source, now_s);
            assert!(!correlator.hears(0, now_s), "it was used all the time");
        }
        assert_eq!(correlator.sources.values.len(), REMEMBERED_MAX);
        assert_eq!(correlator.sources.queue.len(), REMEMBERED_MAX);
    }
}
