//! The last lines of a log, found from its end.

use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::{
    Stream,
    files::{Files, LogFile},
    record::Record,
};

/// Bytes read in one step backwards.
const BLOCK_BYTES: u64 = 64 * 1024;

/// Moves the files to where their last `lines` lines begin, of one stream or of both.
pub(super) fn seek(files: &mut Files, lines: u64, stream: Option<Stream>) -> io::Result<()> {
    let mut count = Count { left: lines, any: false, stream };
    for index in (0..files.open.len()).rev() {
        if let Some(offset) = search(&files.open[index], &mut count)? {
            files.open.drain(..index);
            if let Some(first) = files.open.front_mut() {
                first.file.seek(SeekFrom::Start(offset))?;
            }
            return Ok(());
        }
    }
    Ok(())
}

/// How many lines are still to be found.
struct Count {
    left: u64,
    /// Whether a record was seen.
    any: bool,
    stream: Option<Stream>,
}

impl Count {
    /// Takes the record before those seen so far; `true` if the wanted lines begin after it.
    fn before(&mut self, record: &Record) -> bool {
        if self.stream.is_some_and(|stream| stream != record.stream) {
            return false;
        }
        let ends_line = record.full || !std::mem::replace(&mut self.any, true);
        self.any = true;
        if ends_line {
            if self.left == 0 {
                return true;
            }
            self.left -= 1;
        }
        false
    }
}

/// The offset in this file after which the wanted lines begin, if they begin in it.
fn search(file: &LogFile, count: &mut Count) -> io::Result<Option<u64>> {
    let mut start = file.file.metadata()?.len();
    // Bytes from `start` on that belong to a line whose beginning was not read yet.
    let mut rest: Vec<u8> = Vec::new();
    while start > 0 {
        let size = start.min(BLOCK_BYTES);
        start -= size;
        let mut bytes = vec![0; usize::try_from(size).expect("a block fits into memory")];
        file.file.read_exact_at(&mut bytes, start)?;
        bytes.append(&mut rest);
        let mut end = bytes.len();
        while end > 0 {
            // A line ends before `end`; it begins after the newline before that.
            let newline = bytes[..end - 1].iter().rposition(|b| *b == b'\n');
            let begin = match newline {
                Some(newline) => newline + 1,
                None if start == 0 => 0,
                None => break,
            };
            // What does not end with a newline is still being written.
            let line = bytes[begin..end].strip_suffix(b"\n");
            if line.and_then(Record::parse).is_some_and(|record| count.before(&record)) {
                return Ok(Some(start + end as u64));
            }
            end = begin;
        }
        bytes.truncate(end);
        rest = bytes;
    }
    Ok(None)
}
