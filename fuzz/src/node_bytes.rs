//! What the node reads: log files of containers, and frames of the spawner's socket. Both read the
//! same input.

use node::logs::{LogOptions, LogReader, Stream};
use serde::de::DeserializeOwned;
use spawner::{
    frame::Decoder,
    protocol::{Reply, Request},
};
use std::{fs, path::Path, sync::OnceLock};
use tempfile::TempDir;

pub(crate) fn fuzz(data: &[u8]) {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    // In memory, where the machine has that.
    let made = || tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let directory = DIRECTORY.get_or_init(|| made().expect("a directory"));
    logs(directory.path(), data);
    frames::<Reply>(data);
    frames::<Request>(data);
}

fn logs(directory: &Path, data: &[u8]) {
    fs::write(directory.join("0.log"), data).expect("the log is written");
    let whole = read(directory, LogOptions::default());
    for limit in [1, 10] {
        let part = read(directory, LogOptions { limit_bytes: Some(limit), ..Default::default() });
        assert!(part.len() as u64 <= limit && whole.starts_with(&part));
        let tail = read(directory, LogOptions { tail_lines: Some(limit), ..Default::default() });
        assert!(whole.ends_with(&tail), "the tail is no end of the log");
        assert!(lines(&tail) <= limit, "{} lines instead of {limit}", lines(&tail));
    }
    let odd = LogOptions {
        timestamps: true,
        since: Some(jiff::Timestamp::UNIX_EPOCH),
        stream: Some(Stream::Stderr),
        tail_lines: Some(3),
        limit_bytes: None,
    };
    drop(read(directory, odd));
}

fn lines(text: &[u8]) -> u64 {
    text.split_inclusive(|byte| *byte == b'\n').count() as u64
}

fn read(directory: &Path, options: LogOptions) -> Vec<u8> {
    let mut reader = LogReader::open(directory, 0, options).expect("the log is there");
    let mut text = Vec::new();
    while let Some(bytes) = reader.read().expect("the log is read") {
        text.extend_from_slice(&bytes);
    }
    text
}

/// However the bytes are cut on their way, the same messages come out.
fn frames<T: DeserializeOwned>(data: &[u8]) {
    let cut = data.len() / 2;
    let (first, second) = (count::<T>(&[data]), count::<T>(&[&data[..cut], &data[cut..]]));
    assert_eq!(first, second, "cut at {cut}");
}

/// How many messages come out before the end or an error.
fn count<T: DeserializeOwned>(parts: &[&[u8]]) -> usize {
    let mut decoder = Decoder::default();
    let mut count = 0;
    for part in parts {
        decoder.push(part);
        loop {
            match decoder.next::<T>() {
                Ok(Some(_)) => count += 1,
                Ok(None) => break,
                Err(_) => return count,
            }
        }
    }
    count
}
