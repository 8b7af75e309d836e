//! Output to log files.

use crate::harness::{Harness, lines, log_path, wait_for_text};
use std::fs;

#[test]
fn long_lines_come_in_pieces_and_an_unfinished_one_is_partial() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "head -c 40000 /dev/zero | tr '\\0' a; echo; printf tail";
    let (_, lines) = spawner.run(spawner.plain("a", script));
    let shape: Vec<(&str, usize)> = lines.iter().map(|line| (&line[..9], line.len() - 9)).collect();
    let expected =
        [("stdout P ", 16384), ("stdout P ", 16384), ("stdout F ", 7232), ("stdout P ", 4)];
    assert_eq!(shape, expected);
}

#[test]
fn times_are_as_the_kubelets_readers_want_them() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "echo x");
    let path = log_path(&start.log);
    spawner.run(start);
    let text = fs::read_to_string(path).unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z stdout F x\n");
}

#[test]
fn a_flood_is_complete_across_files() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.plain("a", "seq 1 100000");
    (start.log.file_bytes_max, start.log.files_max) = (1 << 20, 20);
    let log = start.log.clone();
    spawner.run(start);
    let mut seen: Vec<String> = Vec::new();
    for n in (1..20).rev() {
        let mut older = log.clone();
        older.name = format!("0.log.{n}");
        seen.extend(lines(&older));
        let size = fs::metadata(log_path(&older)).map_or(0, |found| found.len());
        assert!(size <= 1 << 20);
    }
    assert!(seen.len() > 50_000, "several files were filled");
    seen.extend(lines(&log));
    assert_eq!(seen.len(), 100_000);
    assert!((1..).zip(&seen).all(|(n, line)| *line == format!("stdout F {n}")));
}

#[test]
fn a_log_that_cannot_be_written_stops_nobody() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.plain("a", "seq 1 100000; exit 4");
    start.log.directory = "/dev/null/nowhere".to_owned();
    let (end, _) = spawner.run(start);
    assert_eq!(end.code, Some(4));
    let (end, lines) = spawner.run(spawner.plain("b", "echo fine"));
    assert_eq!((end.code, lines), (Some(0), vec!["stdout F fine".to_owned()]));
}

/// The file of messages is on the disk that is full, and a message that could not be written ended the
/// spawner, and with it all that was known of its containers.
#[test]
fn messages_that_cannot_be_written_end_nothing() {
    let Some(mut spawner) = Harness::without_messages() else { return };
    let mut start = spawner.plain("a", "echo lost; exit 4");
    start.log.directory = "/dev/null/nowhere".to_owned();
    let (end, _) = spawner.run(start);
    assert_eq!(end.code, Some(4));
}

/// A disk that is full loses output and says how much once there is room; nobody is stopped.
#[test]
fn a_full_disk_loses_output_and_says_so() {
    let disk = tempfile::tempdir().unwrap();
    let place = disk.path().to_str().unwrap().to_owned();
    let mount = format!("mount -t tmpfs -o size=2m coracle-test {place}");
    let Some(mut spawner) = Harness::after(&mount) else { return };
    let _unmount = Unmount(place.clone());
    // The script's last line comes when there is room again for more than a pipe may still hold.
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let at = |name: &str| spawner.data_dir.path().join(name);
    let (fifo, written, messages) = (at("fifo"), at("written"), at(spawner::MESSAGES_NAME));
    let script = format!(
        "mkfifo {0}; seq 1 100000; echo all > {1}; read x < {0}; echo last",
        fifo.display(),
        written.display()
    );
    let mut start = spawner.plain("a", &script);
    start.log.directory = format!("{place}/logs");
    let path = log_path(&start.log);
    let id = spawner.start(start);
    wait_for_text(&messages, "output is lost");
    wait_for_text(&written, "all");
    fs::remove_file(&ballast).unwrap();
    fs::write(&fifo, "go\n").unwrap();
    assert_eq!(spawner.ended(&id).code, Some(0));
    let text = fs::read_to_string(path).unwrap();
    assert!(text.lines().all(|line| line.contains(" F ")), "only whole records");
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(last[0].ends_with("stdout F last"), "{last:?}");
    assert!(text.contains("bytes of output were lost here: no space left on device"), "{last:?}");
}

/// Takes a mount away, also after a failed test.
struct Unmount(String);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["-l", &self.0]).status();
    }
}
