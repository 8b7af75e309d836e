//! The one place that reads the wall clock. Everything else is handed the time.

use jiff::Timestamp;

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "this is the clock the rule speaks of")]
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now())
        .expect("the clock stands between -9999 and 9999")
}
