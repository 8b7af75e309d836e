//! How long to wait before something that failed is tried again: twice as long with each failure.

use jiff::SignedDuration;

/// Waits that double.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// After the first failure, seconds.
    pub(crate) first_s: i64,
    /// At most, seconds.
    pub(crate) max_s: i64,
}

impl Retry {
    /// The wait after a failure that so many came before.
    pub(crate) fn wait(self, before: u32) -> SignedDuration {
        SignedDuration::from_secs((self.first_s << before.min(30)).min(self.max_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let retry = Retry { first_s: 1, max_s: 600 };
        let waits = [0, 1, 2, 9, 10, 98, u32::MAX].map(|n| retry.wait(n).as_secs());
        assert_eq!(waits, [1, 2, 4, 512, 600, 600, 600]);
    }
}
