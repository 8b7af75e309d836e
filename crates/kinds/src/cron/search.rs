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
const DAY_S: i64 = 24 * HOUR_S;

pub(super) fn next(fields: &Fields, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
    if fields.is_never() {
        return None;
    }
    let second = after.as_nanosecond().div_euclid(1_000_000_000) as i64 + 1;
    let mut cursor = Cursor { second, local: local(second, zone)?, zone, moved: false };
    let last_year = cursor.local.year() + YEARS_MAX;
    while cursor.local.year() <= last_year {
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

/// What clocks show at a second since the epoch. `None` beyond the end of the calendar.
fn local(second: i64, zone: &Zone) -> Option<DateTime> {
    let at = Timestamp::from_second(second).ok()?;
    Some(Offset::from_seconds(zone.offset_s(at)).ok()?.to_datetime(at))
}

/// Where the search stands. Its steps give `None` beyond the end of the calendar, and `false` where
/// they met a new year, month, day, hour or minute.
struct Cursor<'a> {
    /// Seconds since the epoch.
    second: i64,
    /// What clocks show then.
    local: DateTime,
    zone: &'a Zone,
    /// Whether it left the time it began at; from then on what is below a part begins at its lowest.
    moved: bool,
}

impl Cursor<'_> {
    fn go(&mut self, second: i64) -> Option<()> {
        self.second = second;
        self.local = local(second, self.zone)?;
        Some(())
    }

    fn advance(&mut self, seconds: i64) -> Option<()> {
        self.go(self.second + seconds)
    }

    /// Goes to a time on the calendar. One that does not exist or comes twice is taken by the offset
    /// that holds when clocks without an offset show it.
    fn go_to(&mut self, local: DateTime) -> Option<()> {
        let as_utc = Offset::UTC.to_timestamp(local).ok()?;
        let mut offset = i64::from(self.zone.offset_s(as_utc));
        if offset != 0 {
            let shifted = as_utc.checked_sub(SignedDuration::from_secs(offset)).ok()?;
            offset = i64::from(self.zone.offset_s(shifted));
        }
        self.go(as_utc.as_second() - offset)
    }

    /// The first move also sets everything below to its lowest.
    fn first(&mut self, lowest: impl Fn(DateTime) -> DateTime) -> Option<()> {
        if !std::mem::replace(&mut self.moved, true) {
            self.go_to(lowest(self.local))?;
        }
        Some(())
    }

    fn find_month(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.month, self.local.month()) {
            self.first(|t| t.date().first_of_month().into())?;
            let t = self.local;
            let (year, month) = match t.month() {
                12 => (t.year() + 1, 1),
                month => (t.year(), month + 1),
            };
            let first = Date::new(year, month, 1).ok()?;
            let days = SignedDuration::from_hours(24 * i64::from(t.day() - 1));
            self.go_to(first.checked_add(days).ok()?.to_datetime(t.time()))?;
            if self.local.month() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_day(&mut self, fields: &Fields) -> Option<bool> {
        let fits = |t: DateTime| fields.fits_day(t.day(), t.weekday().to_sunday_zero_offset());
        while !fits(self.local) {
            self.first(|t| t.date().into())?;
            let (t, before) = (self.local, self.second);
            self.go_to(t.date().tomorrow().ok()?.to_datetime(t.time()))?;
            if self.second <= before {
                // A zone that changed sides of the date line left the next day out. The library
                // walks on the spot there for ever.
                self.go(before + DAY_S)?;
            }
            // Some clocks are put forward or back at midnight.
            let hour = i64::from(self.local.hour());
            if hour != 0 {
                self.advance(HOUR_S * if hour > 12 { 24 - hour } else { -hour })?;
            }
            if self.local.day() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_hour(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.hour, self.local.hour()) {
            self.first(|t| t.date().at(t.hour(), 0, 0, 0))?;
            self.advance(HOUR_S)?;
            if self.local.hour() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_minute(&mut self, fields: &Fields) -> Option<bool> {
        while !has(fields.minute, self.local.minute()) {
            if !std::mem::replace(&mut self.moved, true) {
                self.second -= self.second.rem_euclid(MINUTE_S);
            }
            let (second, minute) = (self.second, self.local.minute());
            let ahead = (fields.minute >> minute).trailing_zeros().min(60 - minute as u32);
            self.advance(MINUTE_S * i64::from(ahead))?;
            if i64::from(self.local.minute()) != (i64::from(minute) + i64::from(ahead)) % 60 {
                // Clocks were set by less than an hour on the way.
                self.go(second + MINUTE_S)?;
            }
            if self.local.minute() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_full_minute(&mut self) -> Option<bool> {
        let second = i64::from(self.local.second());
        if second == 0 {
            return Some(true);
        }
        self.moved = true;
        self.advance(MINUTE_S - second)?;
        Some(false)
    }
}
