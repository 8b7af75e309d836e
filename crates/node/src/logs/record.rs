//! Lines of a log file: `2016-10-06T00:17:09.669794202Z stdout F text`. Tag `P` says that the text
//! goes on in the stream's next record.

use jiff::Timestamp;

use super::LogOptions;

/// A line longer than this is none that a runtime wrote, bytes.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// Where a container wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One record of a log file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record<'a> {
    time: &'a str,
    pub(super) stream: Stream,
    /// Whether its line ends with it.
    pub(super) full: bool,
    text: &'a [u8],
    /// Whether its line begins with it.
    begins: bool,
}

impl<'a> Record<'a> {
    /// Reads one line without its newline; `None` for one that is no record.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let mut parts = line.splitn(4, |b| *b == b' ');
        let time = std::str::from_utf8(parts.next()?).ok()?;
        let stream = match parts.next()? {
            b"stdout" => Stream::Stdout,
            b"stderr" => Stream::Stderr,
            _ => return None,
        };
        let full = match parts.next()?.split(|b| *b == b':').next()? {
            b"F" => true,
            b"P" => false,
            _ => return None,
        };
        Some(Self { time, stream, full, text: parts.next().unwrap_or_default(), begins: true })
    }

    /// Appends it as it is wanted, or nothing.
    pub(super) fn print(&self, options: &LogOptions, out: &mut Vec<u8>) {
        let wanted = options.stream.is_none_or(|stream| stream == self.stream);
        let late = |since| self.time.parse::<Timestamp>().is_ok_and(|time| time >= since);
        if !wanted || !options.since.is_none_or(late) {
            return;
        }
        if options.timestamps && self.begins {
            out.extend_from_slice(self.time.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(self.text);
        if self.full {
            out.push(b'\n');
        }
    }
}

/// Cuts bytes into records, whatever the blocks they come in.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// What is left of a line that is too long is skipped.
    skipping: bool,
    /// Whether stdout and stderr are within a line.
    within: [bool; 2],
}

impl Lines {
    /// Gives every whole record to `take`; lines that are none are left out.
    pub(super) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(Record)) {
        for part in bytes.split_inclusive(|b| *b == b'\n') {
            let Some(end) = part.strip_suffix(b"\n") else {
                self.rest.extend_from_slice(part);
                if self.rest.len() > LINE_BYTES_MAX {
                    self.rest.clear();
                    self.skipping = true;
                }
                return;
            };
            let rest = std::mem::take(&mut self.rest);
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            match rest.is_empty() {
                true => self.line(end, &mut take),
                false => self.line(&[&rest, end].concat(), &mut take),
            }
        }
    }

    fn line(&mut self, line: &[u8], take: &mut impl FnMut(Record)) {
        if let Some(record) = Record::parse(line) {
            let within = &mut self.within[usize::from(record.stream == Stream::Stderr)];
            let begins = !std::mem::replace(within, !record.full);
            take(Record { begins, ..record });
        }
    }

    /// Another file begins: half a line at the end of the one before stays half.
    pub(super) fn cut(&mut self) {
        self.rest.clear();
        self.skipping = false;
    }
}
