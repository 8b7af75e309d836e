//! The search for the next time that fits: month, day, hour and minute in turn, each counted up until
//! it fits; when one begins anew, everything above it is looked at again.
//!
//! Where clocks are put forward or back, the result depends on how the search walks, so it walks as
//! the library does: days by the calendar, hours and minutes by real time. Times that do not exist
//! are passed over that day, times that come twice are met twice.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use super::{
    Zone,
    fields::{Fields, has},
};

/// How many years beyond the present one are searched.
const YEARS_MAX: i16 = 5;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;

pub(super) fn next(fields: &Fields, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
    if fields.is_never() {
        return None;
    }
    let second = after.as_nanosecond().div_euclid(1_000_000_000) as i64 + 1;
    let mut cursor = Cursor { second, zone, moved: false };
    let last_year = cursor.local()?.year() + YEARS_MAX;
    while cursor.local()?.year() <= last_year {
        if cursor.find_month(fields)?
            && cursor.find_day(fields)?
            && cursor.find_hour(fields)?
            && cursor.find_minute(fields)?
            && cursor.find_full_minute()?
        {
            return Timestamp::from_second(cursor.second).ok();
        }
    }
    None
}

/// Where the search stands. Its steps give `None` beyond the end of the calendar, and `false` where
/// they met a new year, month, day, hour or minute.
struct Cursor<'a> {
    /// Seconds since the epoch.
    second: i64,
    zone: &'a Zone,
    /// Whether it left the time it began at; from then on what is below a part begins at its lowest.
    moved: bool,
}

impl Cursor<'_> {
    fn local(&self) -> Option<DateTime> {
        let at = Timestamp::from_second(self.second).ok()?;
        Some(Offset::from_seconds(self.zone.offset_s(at)).ok()?.to_datetime(at))
    }

    /// Goes to a time on the calendar. One that does not exist or comes twice is taken by the offset
    /// that holds when clocks without an offset show it.
    fn go(&mut self, local: DateTime) -> Option<()> {
        let as_utc = Offset::UTC.to_timestamp(local).ok()?;
        let mut offset = i64::from(self.zone.offset_s(as_utc));
        if offset != 0 {
            let shifted = as_utc.checked_sub(SignedDuration::from_secs(offset)).ok()?;
            offset = i64::from(self.zone.offset_s(shifted));
        }
        self.second = as_utc.as_second() - offset;
        Some(())
    }

    /// The first move also sets everything below to its lowest.
    fn first(&mut self, lowest: impl Fn(DateTime) -> DateTime) -> Option<()> {
        if !std::mem::replace(&mut self.moved, true) {
            self.go(lowest(self.local()?))?;
        }
        Some(())
    }

    fn find_month(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.month, self.local()?.month()) {
            self.first(|t| t.date().first_of_month().into())?;
            let t = self.local()?;
            let (year, month) =
                if t.month() == 12 { (t.year() + 1, 1) } else { (t.year(), t.month() + 1) };
            let first = Date::new(year, month, 1).ok()?;
            let days = SignedDuration::from_hours(24 * i64::from(t.day() - 1));
            self.go(first.checked_add(days).ok()?.to_datetime(t.time()))?;
            if self.local()?.month() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_day(&mut self, fields: &Fields) -> Option<bool> {
        let fits = |t: DateTime| fields.fits_day(t.day(), t.weekday().to_sunday_zero_offset());
        while !fits(self.local()?) {
            self.first(|t| t.date().into())?;
            let t = self.local()?;
            self.go(t.date().tomorrow().ok()?.to_datetime(t.time()))?;
            // Some clocks are put forward or back at midnight.
            let hour = i64::from(self.local()?.hour());
            self.second += HOUR_S * if hour > 12 { 24 - hour } else { -hour };
            if self.local()?.day() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_hour(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.hour, self.local()?.hour()) {
            self.first(|t| t.date().at(t.hour(), 0, 0, 0))?;
            self.second += HOUR_S;
            if self.local()?.hour() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_minute(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.minute, self.local()?.minute()) {
            if !std::mem::replace(&mut self.moved, true) {
                self.second -= self.second.rem_euclid(MINUTE_S);
            }
            self.second += MINUTE_S;
            if self.local()?.minute() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_full_minute(&mut self) -> Option<bool> {
        let second = i64::from(self.local()?.second());
        self.moved |= second != 0;
        self.second += (MINUTE_S - second) % MINUTE_S;
        Some(second == 0)
    }
}
