//! Resource quantities such as `500m`, `1.5Gi` or `1e3`: read, compared, rounded up to whole units
//! and printed in the canonical form that the API gives back.

use std::{cmp::Ordering, fmt};

/// A quantity as objects have it: its text.
pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

const NANO: i128 = 1_000_000_000;
/// No quantity is larger in magnitude; larger ones are capped.
const VALUE_MAX: i128 = i64::MAX as i128 * NANO;
/// Powers of ten from here on are beyond the cap or below a nano; they need no arithmetic.
const EXPONENT_MAX: i32 = 28;

/// An amount of a resource, exact to 10⁻⁹ and at most 2⁶³-1 in magnitude.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

/// How the amount was written, and so how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Powers of 1024: `Ki`, `Mi`, …
    Binary,
    /// Powers of 1000: `m`, `k`, `M`, …
    Decimal,
    /// `1e3`
    Exponent,
}

/// Why a text is not a quantity; the words are upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not of the form number and suffix.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Form,
    /// A suffix that names no power.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The number has no digits or two dots.
    #[error("unable to parse numeric part of quantity")]
    Number,
}

impl Quantity {
    /// Reads the text form; surrounding spaces are allowed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let number_end =
            text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(number_end);
        let (negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        if digits.is_empty() || digits.contains(['+', '-']) || !suffix_form(suffix) {
            return Err(Error::Form);
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.contains('.') || whole.len() + fraction.len() == 0 {
            return Err(Error::Number);
        }
        let (format, power) = power_of(suffix).ok_or(Error::Suffix)?;
        let nano = scale(whole, fraction, power);
        Ok(Self { nano: if negative { -nano } else { nano }, format })
    }

    /// An amount in thousandths, printed with decimal suffixes.
    pub fn from_milli(milli: i64) -> Self {
        Self { nano: i128::from(milli) * (NANO / 1000), format: Format::Decimal }
    }

    /// An amount in whole units (bytes), printed with binary suffixes.
    pub fn from_bytes(bytes: i64) -> Self {
        Self { nano: i128::from(bytes) * NANO, format: Format::Binary }
    }

    /// In thousandths, rounded up (away from zero); capped at `i64::MAX`.
    pub fn milli(self) -> i64 {
        self.in_units_of(NANO / 1000)
    }

    /// In whole units, such as bytes, rounded up (away from zero).
    pub fn value(self) -> i64 {
        self.in_units_of(NANO)
    }

    /// In whole units, as near as a floating-point number comes.
    pub(crate) fn approximate(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "nearly is what is asked for")]
        let (nano, unit) = (self.nano as f64, NANO as f64);
        nano / unit
    }

    /// Whether the amount is below zero.
    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// Whether the amount is a whole number of units.
    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    /// The same amount rounded up to thousandths: no object stores a finer one.
    pub fn rounded_to_milli(self) -> Self {
        Self { nano: divide_up(self.nano, NANO / 1000) * (NANO / 1000), ..self }
    }

    /// Whether there is nothing of it.
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// The amount itself, or zero if it is negative.
    pub fn at_least_zero(self) -> Self {
        Self { nano: self.nano.max(0), ..self }
    }

    fn in_units_of(self, unit: i128) -> i64 {
        let units = divide_up(self.nano, unit);
        i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX })
    }
}

/// Printed as the left one, unless that is zero; capped.
impl std::ops::Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        Self { nano: (self.nano + other.nano).clamp(-VALUE_MAX, VALUE_MAX), format }
    }
}

impl std::ops::Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { nano: -other.nano, ..other }
    }
}

fn divide_up(value: i128, unit: i128) -> i128 {
    value / unit + (value % unit).signum()
}

/// Whether the suffix has the form letters, sign, digits; whether it means something is decided by
/// [`power_of`].
fn suffix_form(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    rest.bytes().all(|b| b.is_ascii_digit())
}

/// What the digits are multiplied with.
enum Power {
    Ten(i32),
    Two(u32),
}

fn power_of(suffix: &str) -> Option<(Format, Power)> {
    let decimal = |power| Some((Format::Decimal, Power::Ten(power)));
    let binary = |power| Some((Format::Binary, Power::Two(power)));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            let power = digits.parse::<i64>().ok()?.clamp(-1000, 1000);
            Some((Format::Exponent, Power::Ten(i32::try_from(power).ok()?)))
        }
    }
}

/// `whole.fraction` times the power, in nano, rounded up and capped.
fn scale(whole: &str, fraction: &str, power: Power) -> i128 {
    let digits: String = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return 0;
    }
    let (power, factor) = match power {
        Power::Ten(power) => (power, 1),
        Power::Two(power) => (0, 1_i128 << power),
    };
    // 40 digits in front of the point are beyond the cap whatever follows.
    let fraction_length = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let point = i32::try_from(digits.len()).unwrap_or(i32::MAX) - fraction_length.min(1 << 20);
    if point.saturating_add(power) > EXPONENT_MAX {
        return VALUE_MAX;
    }
    let mut value: i128 = 0;
    let mut exponent = power - fraction_length.min(1 << 20) + 9;
    let mut inexact = false;
    for digit in digits.bytes() {
        match value < i128::MAX / 100 / factor {
            true => value = value * 10 + i128::from(digit - b'0'),
            false => {
                exponent += 1;
                inexact |= digit != b'0';
            }
        }
    }
    value *= factor;
    while exponent > 0 && value <= VALUE_MAX {
        value *= 10;
        exponent -= 1;
    }
    while exponent < 0 && value > 0 {
        inexact |= value % 10 != 0;
        value /= 10;
        exponent += 1;
    }
    (value + i128::from(inexact)).min(VALUE_MAX)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: the largest suffix that leaves a whole number in front of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        if self.nano == 0 {
            return f.write_str("0");
        }
        if self.format == Format::Binary && self.is_whole() && self.nano.abs() >= 1024 * NANO {
            let mut value = self.nano / NANO;
            let mut power = 0;
            while value % 1024 == 0 && power + 1 < BINARY.len() {
                value /= 1024;
                power += 1;
            }
            return write!(f, "{value}{}", BINARY[power]);
        }
        let mut value = self.nano;
        let mut power = 0;
        while value % 1000 == 0 && power + 1 < DECIMAL.len() {
            value /= 1000;
            power += 1;
        }
        match (self.format, i32::try_from(power).expect("below 10") * 3 - 9) {
            (Format::Exponent, 0) => write!(f, "{value}"),
            (Format::Exponent, exponent) => write!(f, "{value}e{exponent}"),
            _ => write!(f, "{value}{}", DECIMAL[power]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical, milli, value) in [
            ("0", "0", 0, 0),
            ("0Gi", "0", 0, 0),
            ("1", "1", 1000, 1),
            ("1000m", "1", 1000, 1),
            ("1500m", "1500m", 1500, 2),
            ("0.5", "500m", 500, 1),
            (".5", "500m", 500, 1),
            ("5.", "5", 5000, 5),
            ("0.1m", "100u", 1, 1),
            ("0.0000000001", "1n", 1, 1),
            ("-0.5", "-500m", -500, -1),
            ("+3", "3", 3000, 3),
            (" 64Mi ", "64Mi", 67_108_864_000, 67_108_864),
            ("1.5Gi", "1536Mi", 1_610_612_736_000, 1_610_612_736),
            ("1023Ki", "1023Ki", 1_047_552_000, 1_047_552),
            ("1024Ki", "1Mi", 1_048_576_000, 1_048_576),
            ("0.5Ki", "512", 512_000, 512),
            ("0.3Ki", "307200m", 307_200, 308),
            ("1e3", "1e3", 1_000_000, 1000),
            ("12e2", "1200", 1_200_000, 1200),
            ("1E3", "1e3", 1_000_000, 1000),
            ("1e-3", "1e-3", 1, 1),
            ("2E", "2E", i64::MAX, 2_000_000_000_000_000_000),
            ("1e100", "9223372036854775807", i64::MAX, i64::MAX),
            ("100E", "9223372036854775807", i64::MAX, i64::MAX),
            ("16Ei", "9223372036854775807", i64::MAX, i64::MAX),
            ("0.00000000000000000000001", "1n", 1, 1),
            ("100000000000000000000000000e-26", "1", 1000, 1),
        ] {
            let quantity = Quantity::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let got = (quantity.to_string(), quantity.milli(), quantity.value());
            assert_eq!(got, (canonical.to_owned(), milli, value), "{text}");
        }
    }

    #[test]
    fn sums_are_printed_as_their_first_part() {
        let read = |text: &str| Quantity::parse(text).unwrap();
        for (a, b, sum, difference) in [
            ("1", "500m", "1500m", "500m"),
            ("1Gi", "512Mi", "1536Mi", "512Mi"),
            ("0", "1Ki", "1Ki", "-1Ki"),
            ("16Ei", "16Ei", "9223372036854775807", "0"),
        ] {
            let got = ((read(a) + read(b)).to_string(), (read(a) - read(b)).to_string());
            assert_eq!(got, (sum.to_owned(), difference.to_owned()), "{a} {b}");
        }
        assert_eq!((read("1") - read("2")).at_least_zero(), read("0"));
    }

    #[test]
    fn refused_forms() {
        for (text, error) in [
            ("", Error::Form),
            ("Mi", Error::Form),
            ("--1", Error::Form),
            ("1+", Error::Form),
            ("1 Mi", Error::Form),
            ("64MB", Error::Form),
            ("64mi", Error::Suffix),
            ("1e", Error::Suffix),
            ("1KI", Error::Form),
            ("1kk", Error::Suffix),
            (".", Error::Number),
            ("1.2.3", Error::Number),
        ] {
            assert_eq!(Quantity::parse(text).map(|q| q.to_string()), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_canonical_text_stays(text in "[-+]?[0-9.]{0,30}[eEinumkKMGTP]{0,2}[-+]?[0-9]{0,4}") {
            if let Ok(quantity) = Quantity::parse(&text) {
                let printed = quantity.to_string();
                let again = Quantity::parse(&printed).expect("canonical text is a quantity");
                prop_assert_eq!(again, quantity);
                prop_assert_eq!(again.to_string(), printed);
            }
        }

        #[test]
        fn order_is_that_of_the_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let read = |n: i64| Quantity::parse(&format!("{n}m")).unwrap();
            prop_assert_eq!(read(a).cmp(&read(b)), a.cmp(&b));
            prop_assert_eq!(read(a).milli(), a);
        }
    }
}
