//! The CRI log format: `<RFC 3339 time> stdout|stderr F|P <text>`, one record per line.

/// Text longer than this is cut into partial records, bytes.
pub(crate) const PIECE_BYTES_MAX: usize = 16 * 1024;

/// Which output a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    fn name(self) -> &'static [u8] {
        match self {
            Stream::Stdout => b" stdout ",
            Stream::Stderr => b" stderr ",
        }
    }
}

/// Cuts one stream into records; keeps the beginning of a line whose end has not come yet.
#[derive(Debug)]
pub(crate) struct Lines {
    stream: Stream,
    begun: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(stream: Stream) -> Lines {
        Lines { stream, begun: Vec::new() }
    }

    /// Append the records that `bytes` completes to `out`, all with one time stamp.
    pub(crate) fn push(&mut self, mut bytes: &[u8], stamp: &[u8], out: &mut Vec<u8>) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end], stamp, out);
            self.record(b"F ", stamp, out);
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes, stamp, out);
        if self.begun.is_empty() {
            self.begun = Vec::new();
        }
    }

    /// The stream has ended: what has no line end is a partial record.
    pub(crate) fn finish(&mut self, stamp: &[u8], out: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            self.record(b"P ", stamp, out);
        }
    }

    fn extend(&mut self, mut text: &[u8], stamp: &[u8], out: &mut Vec<u8>) {
        while self.begun.len() + text.len() > PIECE_BYTES_MAX {
            let (piece, rest) = text.split_at(PIECE_BYTES_MAX - self.begun.len());
            self.begun.extend_from_slice(piece);
            self.record(b"P ", stamp, out);
            text = rest;
        }
        self.begun.extend_from_slice(text);
    }

    fn record(&mut self, tag: &[u8], stamp: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(stamp);
        out.extend_from_slice(self.stream.name());
        out.extend_from_slice(tag);
        out.extend_from_slice(&self.begun);
        out.push(b'\n');
        self.begun.clear();
    }
}

/// A time as RFC 3339 in UTC with nine digits of a second, from nanoseconds since the epoch.
pub(crate) fn stamp(time_ns: i64) -> String {
    let (seconds, ns) = (time_ns.div_euclid(1_000_000_000), time_ns.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z")
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar: counted from a 1 March,
/// so that the leap day is the last of its year, in cycles of 400 years.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_TO_EPOCH: i64 = 719_468;
    const CYCLE_DAYS: i64 = 146_097;
    let days = days + DAYS_TO_EPOCH;
    let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(parts: &[&[u8]]) -> String {
        let (mut lines, mut out) = (Lines::new(Stream::Stdout), Vec::new());
        for part in parts {
            lines.push(part, b"T", &mut out);
        }
        lines.finish(b"T", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_records_however_they_arrive() {
        assert_eq!(records(&[b"a\n\nb"]), "T stdout F a\nT stdout F \nT stdout P b\n");
        assert_eq!(records(&[b"a", b"", b"b\nc\n"]), "T stdout F ab\nT stdout F c\n");
        assert_eq!(records(&[]), "");
    }

    #[test]
    fn only_lines_longer_than_a_piece_are_cut() {
        let exact = vec![b'x'; PIECE_BYTES_MAX];
        let text = "x".repeat(PIECE_BYTES_MAX);
        assert_eq!(records(&[&exact, b"\n"]), format!("T stdout F {text}\n"));
        assert_eq!(records(&[&exact, b"y\n"]), format!("T stdout P {text}\nT stdout F y\n"));
    }

    #[test]
    fn no_cut_of_the_input_changes_the_records() {
        let text: Vec<u8> =
            (0..40_000_u32).map(|n| if n % 9973 == 7 { b'\n' } else { b'a' }).collect();
        let whole = records(&[&text]);
        for cut in (0..text.len()).step_by(1231) {
            assert_eq!(records(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(stamp(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(stamp(1_475_712_009_669_794_202), "2016-10-06T00:00:09.669794202Z");
        assert_eq!(stamp(951_782_400_000_000_001), "2000-02-29T00:00:00.000000001Z");
        assert_eq!(stamp(4_107_542_399_999_999_999), "2100-02-28T23:59:59.999999999Z");
        assert_eq!(stamp(-1), "1969-12-31T23:59:59.999999999Z");
    }
}
