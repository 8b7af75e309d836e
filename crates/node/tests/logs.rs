//! Reading logs: what each option gives, rotation, and following.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use kinds::Uid;
use node::logs::{Found, LogOptions, LogReader, Stream, directory, remove, remove_others};
use proptest::prelude::*;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

struct Log {
    _root: TempDir,
    directory: PathBuf,
}

impl Log {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = directory(root.path(), "ns", "p", "uid", "c");
        Self { _root: root, directory }
    }

    /// Appends records `SECOND STREAM TAG TEXT` to a file.
    fn write(&self, file: &str, records: &[&str]) {
        fs::create_dir_all(&self.directory).unwrap();
        append(&self.directory.join(file), &lines(records));
    }

    /// What the spawner does when a file is full.
    fn rotate(&self) {
        let name = |n: u32| match n {
            0 => self.directory.join("0.log"),
            n => self.directory.join(format!("0.log.{n}")),
        };
        for n in (0..9).rev().filter(|n| name(*n).exists()) {
            fs::rename(name(n), name(n + 1)).unwrap();
        }
    }

    fn read(&self, options: LogOptions) -> String {
        let mut reader = LogReader::open(&self.directory, 0, options).unwrap();
        drain(&mut reader)
    }
}

fn lines(records: &[&str]) -> Vec<u8> {
    let line = |record: &&str| {
        let (second, rest) = record.split_once(' ').unwrap();
        format!("2026-01-01T00:00:{second:0>2}.000000001Z {rest}\n")
    };
    records.iter().map(line).collect::<String>().into_bytes()
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn drain(reader: &mut LogReader) -> String {
    let mut all = Vec::new();
    while let Some(bytes) = reader.read().unwrap() {
        all.extend_from_slice(&bytes);
    }
    String::from_utf8(all).unwrap()
}

fn plain() -> LogOptions {
    LogOptions::default()
}

#[test]
fn no_file_is_an_empty_log() {
    assert_eq!(Log::new().read(plain()), "");
}

#[test]
fn pieces_are_joined_and_streams_are_told_apart() {
    let log = Log::new();
    log.write("0.log", &["1 stdout P one, ", "2 stdout F and more", "3 stderr F oops"]);
    log.write("1.log", &["9 stdout F another attempt"]);
    assert_eq!(log.read(plain()), "one, and more\noops\n");
    assert_eq!(log.read(LogOptions { stream: Some(Stream::Stderr), ..plain() }), "oops\n");
    let stamped = log.read(LogOptions { timestamps: true, ..plain() });
    assert_eq!(
        stamped,
        "2026-01-01T00:00:01.000000001Z one, and more\n2026-01-01T00:00:03.000000001Z oops\n"
    );
}

#[test]
fn rotated_files_come_first_the_oldest_before_the_others() {
    let log = Log::new();
    log.write("0.log", &["1 stdout F a"]);
    log.rotate();
    log.write("0.log", &["2 stdout F b"]);
    log.rotate();
    log.write("0.log", &["3 stdout F c"]);
    assert_eq!(log.read(plain()), "a\nb\nc\n");
    // Between two steps of a rotation there is no current file.
    log.rotate();
    assert_eq!(log.read(plain()), "a\nb\nc\n");
}

#[test]
fn the_tail_counts_lines_across_files_and_pieces() {
    let log = Log::new();
    log.write("0.log", &["1 stdout F a", "2 stdout F b"]);
    log.rotate();
    log.write("0.log", &["3 stdout P c", "4 stdout F c", "5 stderr F d"]);
    let tail = |n| log.read(LogOptions { tail_lines: Some(n), ..plain() });
    assert_eq!(tail(0), "");
    assert_eq!(tail(1), "d\n");
    assert_eq!(tail(2), "cc\nd\n");
    assert_eq!(tail(3), "b\ncc\nd\n");
    assert_eq!(tail(4), "a\nb\ncc\nd\n");
    assert_eq!(tail(99), "a\nb\ncc\nd\n");
    let stdout = LogOptions { tail_lines: Some(2), stream: Some(Stream::Stdout), ..plain() };
    assert_eq!(log.read(stdout), "b\ncc\n");
    // An unfinished line counts as one.
    log.write("0.log", &["6 stdout P e"]);
    assert_eq!(tail(1), "e");
    assert_eq!(tail(2), "d\ne");
}

#[test]
fn since_and_limit_cut_the_log() {
    let log = Log::new();
    log.write("0.log", &["1 stdout F a", "2 stdout F b", "3 stdout F c"]);
    let since = Some("2026-01-01T00:00:02Z".parse().unwrap());
    assert_eq!(log.read(LogOptions { since, ..plain() }), "b\nc\n");
    assert_eq!(log.read(LogOptions { limit_bytes: Some(3), ..plain() }), "a\nb");
    let mut reader =
        LogReader::open(&log.directory, 0, LogOptions { limit_bytes: Some(2), ..plain() }).unwrap();
    assert!(!reader.full());
    assert_eq!(drain(&mut reader), "a\n");
    assert!(reader.full());
}

#[test]
fn what_is_no_record_is_left_out() {
    let log = Log::new();
    fs::create_dir_all(&log.directory).unwrap();
    let path = log.directory.join("0.log");
    append(&path, b"\nnoise\n2026-01-01T00:00:01Z stdout X text\n\xff\xfe stdout F text\n");
    append(&path, &vec![b'x'; 600_000]);
    append(&path, b"\n");
    append(&path, &lines(&["1 stdout F good"]));
    append(&path, b"2026-01-01T00:00:02Z stdout F torn");
    log.rotate();
    log.write("0.log", &["3 stdout F next"]);
    assert_eq!(log.read(plain()), "good\nnext\n");
}

proptest! {
    /// Whatever stands in the files, reading ends, and the tail of so many lines as there are is all.
    #[test]
    fn any_bytes_are_read(
        files in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..3),
        tail_lines in prop::option::of(0_u64..5),
    ) {
        let log = Log::new();
        fs::create_dir_all(&log.directory).unwrap();
        for bytes in files {
            log.rotate();
            append(&log.directory.join("0.log"), &bytes);
        }
        let options = LogOptions { tail_lines, timestamps: true, ..LogOptions::default() };
        let mut reader = LogReader::open(&log.directory, 0, options).unwrap();
        while reader.read().unwrap().is_some() {}
    }

    /// The tail is what the end of the whole log is.
    #[test]
    fn the_tail_is_the_end_of_the_log(sizes in prop::collection::vec(0_usize..40_000, 0..12), keep in 0_usize..15) {
        let log = Log::new();
        for (number, size) in sizes.iter().enumerate() {
            if number % 4 == 3 {
                log.rotate();
            }
            log.write("0.log", &[&format!("{number} stdout F {number}{}", "x".repeat(*size))]);
        }
        let whole = log.read(plain());
        let all: Vec<&str> = whole.split_inclusive('\n').collect();
        let expected = all[all.len().saturating_sub(keep)..].concat();
        let tail = log.read(LogOptions { tail_lines: Some(keep as u64), ..plain() });
        prop_assert_eq!(tail, expected);
    }
}

/// Reads until so much text has come.
async fn follow(reader: &mut LogReader, until: &str) -> String {
    let mut text = String::new();
    let work = async {
        loop {
            text += &drain(reader);
            if text.ends_with(until) {
                return;
            }
            reader.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap();
    text
}

/// The follower begins before there is a directory, and the log is rotated under it, twice between
/// two reads.
#[tokio::test]
async fn following_begins_before_the_first_byte_and_goes_on_across_rotations() {
    let log = Log::new();
    let mut reader = LogReader::open(&log.directory, 0, plain()).unwrap();
    let late = LogReader::open(&log.directory, 0, plain()).unwrap();
    assert_eq!(drain(&mut reader), "");
    let (go, going) = tokio::sync::oneshot::channel::<()>();
    let writer = async {
        going.await.unwrap();
        log.write("0.log", &["1 stdout F a"]);
    };
    let first = async {
        reader.changed().await.unwrap();
        go.send(()).unwrap();
        follow(&mut reader, "a\n").await
    };
    assert_eq!(tokio::join!(first, writer).0, "a\n");
    log.write("0.log", &["2 stdout F b"]);
    log.rotate();
    log.write("0.log", &["3 stdout F c"]);
    log.rotate();
    assert_eq!(follow(&mut reader, "c\n").await, "b\nc\n");
    log.write("0.log", &["4 stdout F d"]);
    assert_eq!(follow(&mut reader, "d\n").await, "d\n");
    let mut late = late;
    assert_eq!(drain(&mut late), "a\nb\nc\nd\n");
}

/// A writer that writes and rotates as fast as it can, and a reader that misses nothing and sees
/// nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_is_lost_or_doubled_while_a_log_is_rotated() {
    let log = Log::new();
    let mut reader = LogReader::open(&log.directory, 0, plain()).unwrap();
    let writer = tokio::task::spawn_blocking(move || {
        for number in 0..2000 {
            if number % 250 == 249 {
                log.rotate();
            }
            log.write("0.log", &[&format!("1 stdout F {number}")]);
        }
        log
    });
    let text = follow(&mut reader, "\n1999\n").await;
    let expected: String = (0..2000).map(|number| format!("{number}\n")).collect();
    assert_eq!(text, expected);
    drop(writer.await.unwrap());
}

#[test]
fn logs_go_by_pod_and_what_is_kept_stays() {
    let root = tempfile::tempdir().unwrap();
    let uids = [1, 2, 3].map(Uid::from_random);
    let of = |uid: &Uid| directory(root.path(), "ns", "p", &uid.to_string(), "c");
    remove_others(root.path(), &[].into()).unwrap();
    uids.iter().for_each(|uid| fs::create_dir_all(of(uid)).unwrap());
    let left = || uids.iter().map(|uid| of(uid).exists()).collect::<Vec<_>>();
    remove(root.path(), "ns", "p", &uids[0].to_string()).unwrap();
    remove(root.path(), "ns", "p", &uids[0].to_string()).unwrap();
    assert_eq!(left(), [false, true, true]);
    fs::write(of(&uids[2]).join("0.log"), "four").unwrap();
    fs::write(of(&uids[2]).join("0.log.1"), "seven..").unwrap();
    let found = remove_others(root.path(), &[uids[2]].into()).unwrap();
    assert_eq!(left(), [false, false, true]);
    let (namespace, pod) = ("ns".to_owned(), "p".to_owned());
    assert_eq!(found, [Found { namespace, pod, uid: uids[2], bytes: 11 }]);
}
