//! Durations as Kubernetes prints them for people: at most two units, the finer one only while it
//! says something.

use jiff::Timestamp;

use super::cells::UNKNOWN;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The time from one moment to another: `45s`, `2m5s`, `3h`, `5d12h`, `2y30d`. A clock that went
/// back by up to a second is forgiven (`0s`); more than that is `<invalid>`.
pub fn human_duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs();
    let two = |unit: i64, letter: char, finer: i64, finer_letter: char| match seconds % unit / finer
    {
        0 => format!("{}{letter}", seconds / unit),
        rest => format!("{}{letter}{rest}{finer_letter}", seconds / unit),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(MINUTE, 'm', 1, 's'),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(HOUR, 'h', MINUTE, 'm'),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(DAY, 'd', HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, 'y', DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// How long ago that was; `<unknown>` if it is not said when.
pub(super) fn since(moment: Option<Timestamp>, now: Timestamp) -> String {
    moment.map_or_else(|| UNKNOWN.to_owned(), |moment| human_duration(moment, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_while_the_finer_one_says_something() {
        for (milliseconds, text) in [
            (-2_000, "<invalid>"),
            (-1_999, "0s"),
            (-1, "0s"),
            (0, "0s"),
            (999, "0s"),
            (119_999, "119s"),
            (120_000, "2m"),
            (121_000, "2m1s"),
            (599_000, "9m59s"),
            (600_000, "10m"),
            (10_799_000, "179m"),
            (10_800_000, "3h"),
            (10_859_000, "3h"),
            (10_860_000, "3h1m"),
            (28_799_000, "7h59m"),
            (28_800_000, "8h"),
            (172_799_000, "47h"),
            (172_800_000, "2d"),
            (176_400_000, "2d1h"),
            (691_199_000, "7d23h"),
            (691_200_000, "8d"),
            (63_071_999_000, "729d"),
            (63_072_000_000, "2y"),
            (63_158_400_000, "2y1d"),
            (252_287_999_000, "7y364d"),
            (252_288_000_000, "8y"),
            (315_360_000_000, "10y"),
        ] {
            let to = Timestamp::from_millisecond(milliseconds).unwrap();
            assert_eq!(human_duration(Timestamp::UNIX_EPOCH, to), text, "{milliseconds} ms");
        }
    }
}
