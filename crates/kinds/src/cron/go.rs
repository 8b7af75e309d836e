//! Numbers and durations as Go reads and prints them.

use jiff::SignedDuration;

use crate::quote::{quote, quote_bytes};

/// Units of a duration in nanoseconds. Both letters that look like the Greek one are read.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// One above the longest duration, in nanoseconds: the longest negative one.
const LIMIT: u64 = 1 << 63;

/// A whole number in the decimal system.
pub(super) fn atoi(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let wrong = match digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        false => "invalid syntax",
        true => match text.parse() {
            Ok(number) => return Ok(number),
            Err(_) => "value out of range",
        },
    };
    Err(format!("strconv.Atoi: parsing {}: {wrong}", quote(text)))
}

/// A duration such as `1h15m30.918s`.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = |what: &str| format!("time: {what} {}", quote_bytes(text));
    let invalid = || wrong("invalid duration");
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (amount, after) = amount(rest).ok_or_else(invalid)?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(wrong("missing unit in duration"));
        }
        let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(wrong(&format!("unknown unit {} in duration", quote_bytes(unit))));
        };
        let part = amount.of(*nanoseconds).ok_or_else(invalid)?;
        total = total.checked_add(part).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
        rest = after;
    }
    match i64::try_from(total) {
        Ok(total) => Ok(SignedDuration::from_nanos(if negative { -total } else { total })),
        Err(_) if negative => Ok(SignedDuration::from_nanos(i64::MIN)),
        Err(_) => Err(invalid()),
    }
}

/// A decimal number without sign or exponent.
struct Amount {
    whole: u64,
    /// The digits after the point as a number.
    fraction: u64,
    /// A one with as many zeros as the fraction has digits.
    scale: f64,
}

impl Amount {
    /// So many of a unit, in nanoseconds.
    fn of(&self, unit: u64) -> Option<u64> {
        if self.whole > LIMIT / unit {
            return None;
        }
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        Some(self.whole * unit + fraction).filter(|sum| *sum <= LIMIT)
    }
}

/// The number at the beginning of a text, and the rest. Digits of the fraction that no longer matter
/// are passed over.
fn amount(text: &str) -> Option<(Amount, &str)> {
    let (digits, mut rest) = digits(text);
    let mut whole: u64 = 0;
    for digit in digits.bytes() {
        whole = whole.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        if whole > LIMIT {
            return None;
        }
    }
    let mut amount = Amount { whole, fraction: 0, scale: 1.0 };
    let mut any = !digits.is_empty();
    if let Some(after) = rest.strip_prefix('.') {
        let (digits, after) = self::digits(after);
        for digit in digits.bytes() {
            let longer = amount.fraction.checked_mul(10);
            let longer = longer.and_then(|n| n.checked_add(u64::from(digit - b'0')));
            let Some(longer) = longer.filter(|n| *n <= LIMIT) else { break };
            (amount.fraction, amount.scale) = (longer, amount.scale * 10.0);
        }
        any |= !digits.is_empty();
        rest = after;
    }
    any.then_some((amount, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}
