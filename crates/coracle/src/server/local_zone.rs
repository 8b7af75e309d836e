//! The time zone of this machine, in which schedules are read that name none.

use kinds::cron::Zone;

/// Where a machine says its zone.
const LOCALTIME: &str = "/etc/localtime";

/// As other programs see it: `TZ` if it is set, otherwise the file; universal time where neither says
/// anything.
pub(crate) fn read() -> Zone {
    of(std::env::var("TZ").ok().as_deref()).unwrap_or(Zone::UTC)
}

fn of(variable: Option<&str>) -> Option<Zone> {
    let named = variable.map(|text| text.strip_prefix(':').unwrap_or(text));
    match named {
        Some(name) if !name.starts_with('/') => Zone::load(name).ok(),
        path => Zone::of_file(&std::fs::read(path.unwrap_or(LOCALTIME)).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_name_or_a_file_says_the_zone() {
        let there = |zone: kinds::cron::Zone| zone.rfc3339("2026-01-01T00:00:00Z".parse().unwrap());
        for (variable, expected) in [
            ("Asia/Kolkata", Some("2026-01-01T05:30:00+05:30")),
            (":Asia/Kolkata", Some("2026-01-01T05:30:00+05:30")),
            ("", Some("2026-01-01T00:00:00Z")),
            ("Nowhere", None),
            ("/nowhere", None),
        ] {
            assert_eq!(of(Some(variable)).map(there).as_deref(), expected, "{variable}");
        }
    }
}
