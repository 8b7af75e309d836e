//! When CronJobs are due: the notation, the times it stands for and the time zones it is read in.
//!
//! Kubernetes leaves all of this to a library (robfig/cron v3.0.1, its standard parser), so what that
//! library accepts, what it says of the rest and what it makes of clocks that are put forward and
//! back is the behaviour users know. A test compares with the library itself.

mod fields;
mod go;
mod search;
mod zone;

use jiff::{SignedDuration, Timestamp};

use fields::Fields;
pub use zone::Zone;

/// `@every` is no finer than this.
const EVERY_MIN: SignedDuration = SignedDuration::from_secs(1);

/// A schedule that was read.
#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    /// From a prefix `TZ=` or `CRON_TZ=`, and then stronger than what the reader says.
    zone: Option<Zone>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    /// At the full minutes whose parts fit.
    Fit(Fields),
    /// Always that long after the last time.
    Every(SignedDuration),
}

impl Schedule {
    /// Reads five fields, `@descriptor` or `@every DURATION`, each perhaps after `TZ=ZONE ` or
    /// `CRON_TZ=ZONE `.
    ///
    /// # Errors
    /// The library's texts. What makes it panic is the `invalid schedule format` that Kubernetes
    /// makes of the panic.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        let (zone, rest) = match ["TZ=", "CRON_TZ="].iter().find_map(|p| text.strip_prefix(p)) {
            Some(prefixed) => zoned(prefixed)?,
            None => (None, text),
        };
        let when = match rest.strip_prefix('@') {
            Some(_) => descriptor(rest)?,
            None => When::Fit(Fields::parse(rest)?),
        };
        Ok(Self { when, zone })
    }

    /// The first time after `after`, on a full second. `zone` is where the schedule is at home unless
    /// it names a zone itself. `None` if there is none within five years.
    pub fn next(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match &self.when {
            When::Fit(fields) => search::next(fields, after, self.zone.as_ref().unwrap_or(zone)),
            When::Every(delay) => {
                let next = after.checked_add(*delay).ok()?;
                Timestamp::from_second(next.as_nanosecond().div_euclid(1_000_000_000) as i64).ok()
            }
        }
    }
}

/// The zone that ends at the first space, and what comes after it. `Local` says nothing.
fn zoned(text: &str) -> Result<(Option<Zone>, &str), String> {
    let Some((name, rest)) = text.split_once(' ') else {
        let panic = "runtime error: slice bounds out of range [:-1]";
        return Err(format!("invalid schedule format: {panic}"));
    };
    let zone = match name {
        "Local" => None,
        _ => Some(Zone::load(name).map_err(|e| format!("provided bad location {name}: {e}"))?),
    };
    Ok((zone, rest.trim()))
}

fn descriptor(text: &str) -> Result<When, String> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(duration) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let duration = go::duration(duration)
                .map_err(|error| format!("failed to parse duration {text}: {error}"))?;
            let whole = SignedDuration::from_secs(duration.as_secs());
            return Ok(When::Every(whole.max(EVERY_MIN)));
        }
    };
    Fields::parse(fields).map(When::Fit)
}
