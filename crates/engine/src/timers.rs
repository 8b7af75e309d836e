//! When to look at which object again: one time per key, the earliest first.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use kinds::Key;

#[derive(Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Timestamp, Key)>,
    by_key: HashMap<Key, Timestamp>,
}

impl Timers {
    /// Sets, moves or (with `None`) clears the time of a key.
    pub(crate) fn set(&mut self, key: &Key, at: Option<Timestamp>) {
        let old = match at {
            Some(at) => self.by_key.insert(key.clone(), at),
            None => self.by_key.remove(key),
        };
        if let Some(old) = old {
            self.by_time.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.by_time.insert((at, key.clone()));
        }
    }

    /// Takes one key whose time has come.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Key> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// The earliest time set.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use kinds::Kind;

    use super::*;

    #[test]
    fn a_key_has_one_time_and_the_earliest_comes_first() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let key = |name| Key::new(Kind::Job, "default", name);
        let mut timers = Timers::default();
        timers.set(&key("a"), Some(at(5)));
        timers.set(&key("b"), Some(at(3)));
        timers.set(&key("a"), Some(at(1)));
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.due(at(4)), Some(key("a")));
        assert_eq!(timers.due(at(2)), None);
        timers.set(&key("b"), None);
        assert_eq!((timers.due(at(9)), timers.next()), (None, None));
    }
}
