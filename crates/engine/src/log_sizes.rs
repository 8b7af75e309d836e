//! How much the logs of pods take, so that those of pods that ended stay within a budget of bytes.

use std::collections::{BTreeMap, HashMap};

use kinds::Uid;

use crate::PodLog;

/// What a pod's log takes on the disk besides its bytes: directories, and the rest of a block.
const OVERHEAD_BYTES: u64 = 16 << 10;

/// The sizes of all logs. A pod that printed nothing has none.
#[derive(Default)]
pub(crate) struct LogSizes {
    /// Of pods that have not ended: bytes by container and attempt.
    open: HashMap<Uid, BTreeMap<(String, u32), u64>>,
    /// Of pods that ended, in the order in which they did.
    closed: BTreeMap<i64, (PodLog, u64)>,
    /// The places of these in that order.
    places: HashMap<Uid, i64>,
    bytes: u64,
}

impl LogSizes {
    /// A container ended and left so much. Being told twice changes nothing.
    pub(crate) fn written(&mut self, pod: Uid, container: &str, attempt: u32, bytes: u64) {
        self.open.entry(pod).or_default().insert((container.to_owned(), attempt), bytes);
    }

    /// A log was found when the server started.
    pub(crate) fn found(&mut self, log: PodLog, bytes: u64, ended: bool) {
        match ended {
            false => drop(self.open.entry(log.uid).or_default().insert((String::new(), 0), bytes)),
            true if self.places.contains_key(&log.uid) => {}
            // It ended before whatever has ended since the start.
            true => self.put(log, bytes, self.closed.keys().next().map_or(0, |first| first - 1)),
        }
    }

    /// A pod ended: nothing is added to its log any more.
    pub(crate) fn close(&mut self, pod: Uid, log: impl FnOnce() -> PodLog) {
        if let Some(attempts) = self.open.remove(&pod) {
            let place = self.closed.keys().next_back().map_or(0, |last| last + 1);
            self.put(log(), attempts.values().sum(), place);
        }
    }

    fn put(&mut self, log: PodLog, bytes: u64, place: i64) {
        let bytes = bytes + OVERHEAD_BYTES;
        self.bytes += bytes;
        self.places.insert(log.uid, place);
        self.closed.insert(place, (log, bytes));
    }

    /// A log is gone.
    pub(crate) fn forget(&mut self, pod: Uid) {
        self.open.remove(&pod);
        if let Some((_, bytes)) =
            self.places.remove(&pod).and_then(|place| self.closed.remove(&place))
        {
            self.bytes -= bytes;
        }
    }

    /// The log that goes next, if all together take more than `max` bytes.
    pub(crate) fn over(&self, max: u64) -> Option<PodLog> {
        let oldest = self.closed.values().next().filter(|_| self.bytes > max);
        oldest.map(|(log, _)| log.clone())
    }
}
