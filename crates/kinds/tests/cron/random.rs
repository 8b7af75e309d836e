//! Schedules at random: most can be read, some nearly.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::library::Question;

/// From 2012, for the library's sake (see there), into years that only the rules of zones reach.
const FROM_MS: i64 = 1_325_376_000_000;
const TO_MS: i64 = 3_000_000_000_000;

/// What stands where it should not, and what only just may.
const ODD: &[&str] = &[
    "",
    "@",
    "@every",
    "@every 1h30m",
    "@every 90s",
    "@every 1.5h",
    "@every 0.1s",
    "@every -5m",
    "@every 1",
    "@every 3x",
    "@every .s",
    "@every 1us",
    "@every 1\u{b5}s2",
    "@every 9223372036s",
    "@every 9999999999999999999h",
    "@every  1h",
    "@every \"",
    "@hourly",
    "@daily",
    "@midnight",
    "@weekly",
    "@monthly",
    "@yearly",
    "@annually",
    "@reboot",
    "@Daily",
    "* * * *",
    "* * * * * *",
    "TZ=",
    "TZ=0",
    "TZ=Local * * * * *",
    "CRON_TZ=UTC * * * * *",
    "CRON_TZ=Nowhere * * * * *",
    "TZ= 5 5 5 5 5",
    "TZ=../etc * * * * *",
    "TZ=/etc * * * * *",
    "TZ=utc 0 0 * * *",
    "TZ=UTC  @daily ",
    "\u{3000}* * *\t* *\n",
    "* * 31 2 *",
    "0 0 30 2 1",
    "*\u{301} * * * *",
    "\u{1f600} * * * *",
    "' * * * *",
];

/// What an item of a field may be made of, of which a few are wrong.
const WORDS: &[&str] = &[
    "*",
    "?",
    "0",
    "1",
    "00",
    "+5",
    "-1",
    "7",
    "12",
    "31",
    "59",
    "60",
    "jan",
    "FEB",
    "DeC",
    "sun",
    "Mon",
    "SAT",
    "L",
    "x",
    "18446744073709551616",
    "9223372036854775807",
    "a\"b",
    "1e3",
    "\u{7f}",
];

pub(crate) fn question(random: &mut Rng, zones: &[&str]) -> Question {
    let schedule = match random.u32(0..20) {
        0 => ODD[random.usize(..ODD.len())].to_owned(),
        number => {
            let fields = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
                .map(|(min, max)| field(random, min, max));
            let text = fields.join(if random.u32(0..30) == 0 { "  " } else { " " });
            match number {
                1..=12 => format!("TZ={} {text}", zones[random.usize(..zones.len())]),
                13 => format!("CRON_TZ={} {text}", zones[random.usize(..zones.len())]),
                _ => text,
            }
        }
    };
    let after = Timestamp::from_millisecond(random.i64(FROM_MS..TO_MS)).unwrap();
    let end = after + SignedDuration::from_hours(24 * 365 * 30);
    Question { schedule, after, count: 12, end }
}

fn field(random: &mut Rng, min: i32, max: i32) -> String {
    match random.u32(0..100) {
        0..35 => "*".to_owned(),
        35..38 => "?".to_owned(),
        // A list of nothing at all: there are few, because there is no end to the search for them.
        38 if random.u32(0..20) == 0 => ",".to_owned(),
        _ => {
            let items: Vec<String> =
                (0..=random.u32(0..3).saturating_sub(1)).map(|_| item(random, min, max)).collect();
            items.join(if random.u32(0..100) == 0 { ",," } else { "," })
        }
    }
}

fn item(random: &mut Rng, min: i32, max: i32) -> String {
    let number = |random: &mut Rng| match random.u32(0..60) {
        0 => WORDS[random.usize(..WORDS.len())].to_owned(),
        1 => (min + random.i32(-1..=max - min + 1)).to_string(),
        _ => random.i32(min..=max).to_string(),
    };
    let mut text = match random.u32(0..10) {
        0..2 => "*".to_owned(),
        2..7 => number(random),
        _ => {
            let from = random.i32(min..=max);
            let to = if random.u32(0..40) == 0 { min } else { random.i32(from..=max) };
            format!("{from}-{to}")
        }
    };
    match random.u32(0..100) {
        0..25 => text += &format!("/{}", random.i32(1..=max)),
        25 => text += &format!("/{}", number(random)),
        26 => text += "/0",
        27 => text += "/",
        28 => text += "-",
        29 => text += "/2/3",
        30 => text += &format!("-{}", number(random)),
        _ => {}
    }
    text
}
