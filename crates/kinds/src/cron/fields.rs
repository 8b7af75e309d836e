//! The five fields of a schedule, each a set of numbers.

use super::go;

/// The numbers that fit, bit by bit; a day field that stands for every day has [`EVERY`], too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fields {
    pub(super) minute: u64,
    pub(super) hour: u64,
    pub(super) day: u64,
    pub(super) month: u64,
    pub(super) weekday: u64,
}

/// Set by `*` and `?`, unless a step follows that leaves numbers out.
const EVERY: u64 = 1 << 63;

/// What a field may hold.
struct Bounds {
    min: u64,
    max: u64,
    /// Names of the numbers from `min` on.
    names: &'static [&'static str],
}

const MINUTE: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOUR: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAY: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTH: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Bounds =
    Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            let (found, fields) = (fields.len(), fields.join(" "));
            return Err(format!("expected exactly 5 fields, found {found}: [{fields}]"));
        };
        Ok(Self {
            minute: field(minute, &MINUTE)?,
            hour: field(hour, &HOUR)?,
            day: field(day, &DAY)?,
            month: field(month, &MONTH)?,
            weekday: field(weekday, &WEEKDAY)?,
        })
    }

    /// Whether no time can fit: a field of commas alone holds no number.
    pub(super) fn is_never(&self) -> bool {
        self.minute == 0 || self.hour == 0 || self.month == 0 || (self.day | self.weekday) == 0
    }

    /// If one of the day fields stands for every day the other decides, otherwise either does.
    pub(super) fn fits_day(&self, day: i8, weekday: i8) -> bool {
        let (day, weekday) = (has(self.day, day), has(self.weekday, weekday));
        match (self.day | self.weekday) & EVERY {
            0 => day || weekday,
            _ => day && weekday,
        }
    }
}

/// Whether a set has a number.
pub(super) fn has(set: u64, number: i8) -> bool {
    set >> number & 1 == 1
}

fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let items = text.split(',').filter(|item| !item.is_empty());
    items.map(|item| range(item, bounds)).try_fold(0, |set, item| Ok(set | item?))
}

/// `*`, `?`, `N` or `N-N`, perhaps with `/N`.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let all = matches!(ends[0], "*" | "?");
    let (start, mut end) = match ends[..] {
        _ if all => (bounds.min, bounds.max),
        [only] => {
            let number = number_or_name(only, bounds)?;
            (number, number)
        }
        [start, end] => (number_or_name(start, bounds)?, number_or_name(end, bounds)?),
        // What stands first is read first, even if there is too much.
        _ => {
            number_or_name(ends[0], bounds)?;
            return Err(format!("too many hyphens: {text}"));
        }
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = bounds.max;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    let Bounds { min, max, .. } = bounds;
    if start < *min {
        return Err(format!("beginning of range ({start}) below minimum ({min}): {text}"));
    }
    if end > *max {
        return Err(format!("end of range ({end}) above maximum ({max}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let numbers = (start..=end).filter(|number| (number - start) % step == 0);
    let every = if all && step == 1 { EVERY } else { 0 };
    Ok(numbers.fold(every, |set, number| set | 1 << number))
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match (bounds.min..).zip(bounds.names).find(|(_, name)| **name == lower) {
        Some((number, _)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let number =
        go::atoi(text).map_err(|error| format!("failed to parse int from {text}: {error}"))?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}
