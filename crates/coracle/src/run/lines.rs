//! From the chunks in which a log arrives to what is written: raw bytes, or whole lines with or
//! without a prefix, and the last lines kept for the report of a failure.

use std::collections::VecDeque;

/// The longest line that is held back to be written whole, in bytes; a longer one is cut.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// How many lines a failure's report repeats.
pub(crate) const TAIL_LINES_MAX: usize = 10;

/// How much of each of them, in bytes.
const TAIL_LINE_BYTES_MAX: usize = 400;

/// Cuts a stream of bytes into whole lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and hands each line that is now complete, without its line end, to
    /// `each`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            if self.held.is_empty() {
                each(line);
            } else {
                self.held.extend_from_slice(line);
                each(&self.held);
                self.held.clear();
            }
            bytes = &rest[1..];
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > LINE_BYTES_MAX {
            each(&self.held);
            self.held.clear();
        }
    }

    /// The stream is over: hands out a last line that has no line end.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.held.is_empty() {
            each(&self.held);
            self.held.clear();
        }
    }
}

/// The last lines of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    /// Remembers a line and forgets the oldest beyond the limit.
    pub(crate) fn push(&mut self, line: &[u8]) {
        if self.lines.len() == TAIL_LINES_MAX {
            self.lines.pop_front();
        }
        let kept = &line[..line.len().min(TAIL_LINE_BYTES_MAX)];
        self.lines.push_back(String::from_utf8_lossy(kept).trim_end().to_owned());
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        let mut each = |line: &[u8]| out.push(String::from_utf8_lossy(line).into_owned());
        for chunk in chunks {
            lines.push(chunk.as_bytes(), &mut each);
        }
        lines.finish(&mut each);
        out
    }

    #[test]
    fn lines_are_whole_however_the_bytes_arrive() {
        let text = "one\n\ntwo\nlast without end";
        let wanted = ["one", "", "two", "last without end"];
        for cut in 0..text.len() {
            assert_eq!(lines(&[&text[..cut], &text[cut..]]), wanted, "cut at {cut}");
        }
        assert_eq!(lines(&[text, "\n"]), wanted);
        assert_eq!(lines(&[]), [""; 0]);
    }

    #[test]
    fn a_line_without_end_does_not_grow_without_bound() {
        let piece = "x".repeat(LINE_BYTES_MAX / 2 + 1);
        assert_eq!(lines(&[&piece, &piece, "y\n"]), [piece.repeat(2), "y".into()]);
    }

    #[test]
    fn the_tail_keeps_the_last_lines_cut_to_size() {
        let mut tail = Tail::default();
        (0..20).for_each(|n| tail.push(format!("line {n}").as_bytes()));
        tail.push("z".repeat(1000).as_bytes());
        let kept: Vec<&str> = tail.iter().collect();
        assert_eq!((kept.len(), kept[0]), (TAIL_LINES_MAX, "line 11"));
        assert_eq!(kept[9].len(), TAIL_LINE_BYTES_MAX);
    }
}
