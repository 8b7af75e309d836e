//! The files that a container finds from the start, and the one it leaves its last words in.

use crate::harness::Harness;
use spawner::protocol::{
    Container, ContainerFile, Mount, MountSource, Propagation, Root, Start, State, User,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const WORDS: &str = "/dev/termination-log";

fn file(target: &str, text: &str) -> ContainerFile {
    ContainerFile { target: target.into(), mode: 0o644, text: text.into(), ..Default::default() }
}

/// A container with the files that pods have.
fn with_files(container: &mut Container) {
    container.files =
        vec![file("/etc/hosts", "127.0.0.1\tlocalhost\n"), file("/etc/hostname", "box\n")];
    container.termination_path = Some(WORDS.to_owned());
}

/// Where the spawner keeps the files of last words, in its own mount namespace.
fn left(spawner: &Harness) -> usize {
    let directory = spawner.data_dir.path().join("root/termination");
    let below = directory.strip_prefix("/").unwrap();
    let seen = PathBuf::from(format!("/proc/{}/root", spawner.spawner_pid())).join(below);
    fs::read_dir(seen).unwrap().count()
}

fn output(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("stdout F ")).collect()
}

#[test]
fn files_stand_in_place_of_the_machines_own_among_the_others() {
    let Some(mut spawner) = Harness::new() else { return };
    let middle = spawner.data_dir.path().join("middle");
    fs::write(&middle, "m".repeat(5000) + "\n").unwrap();
    let script = "cat /etc/hosts /etc/hostname; wc -c < /etc/both; head -c 2 /etc/both; echo; \
                  tail -n 1 /etc/both; cat /etc/alone; stat -c '%a %u %n' /etc/hosts /etc/both /etc /new/deep; \
                  test -e /etc/passwd && echo passwd; echo more >> /etc/hosts && wc -l < /etc/hosts";
    let start = spawner.isolated("a", script, |c| {
        with_files(c);
        let then = |path: PathBuf| Some(path.display().to_string());
        c.files.push(ContainerFile {
            mode: 0o606,
            then: then(middle.clone()),
            end: "z\n".into(),
            ..file("/etc/both", "a")
        });
        c.files.push(ContainerFile {
            then: then(middle.with_file_name("missing")),
            ..file("/etc/alone", "alone\n")
        });
        c.files.push(file("/new/deep/file", ""));
    });
    let (end, lines) = spawner.run(start);
    assert_eq!(end.code, Some(0), "{lines:?}");
    let expected = [
        "127.0.0.1\tlocalhost",
        "box",
        "5004",
        "am",
        "z",
        "alone",
        "644 0 /etc/hosts",
        "606 0 /etc/both",
        "755 0 /etc",
        "755 0 /new/deep",
        "passwd",
        "2",
    ];
    assert_eq!(output(&lines), expected);
}

#[test]
fn a_read_only_root_and_a_full_one_have_them_too() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "cat /etc/hostname; (echo x >> /etc/hostname) 2>/dev/null || echo no; echo bye > /dev/termination-log";
    let mut start = spawner.isolated("a", script, |c| {
        with_files(c);
        c.read_only_root = true;
        c.writable_bytes = 1;
    });
    start.user = User { uid: 1000, gid: 1000, groups: vec![] };
    let (end, lines) = spawner.run(start);
    assert_eq!(output(&lines), ["box", "no"]);
    assert_eq!(end.message, "bye\n");
}

/// A start in an image of the test's own whose programs are the machine's.
fn in_image(spawner: &Harness, image: &str, script: &str) -> Start {
    let mut start = spawner.isolated("image", script, |c| {
        with_files(c);
        c.root = Root::Directory(image.to_owned());
        let bind = |path: &str| Mount {
            source: MountSource::Bind(path.to_owned()),
            target: path.to_owned(),
            read_only: true,
            propagation: Propagation::Private,
        };
        c.mounts = ["/usr", "/bin", "/lib", "/lib64"].map(bind).to_vec();
    });
    start.argv[0] = "/usr/bin/sh".to_owned();
    start
}

#[test]
fn no_link_of_an_image_is_followed() {
    let Some(mut spawner) = Harness::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let (image, outside) = (place.path().join("image"), place.path().join("outside"));
    fs::create_dir(&image).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, image.join("etc")).unwrap();
    let script = "cat /etc/hosts; test -L /etc || echo directory";
    let start = in_image(&spawner, image.to_str().unwrap(), script);
    let (end, lines) = spawner.run(start.clone());
    assert_eq!(end.code, Some(0), "{lines:?}");
    assert_eq!(output(&lines), ["127.0.0.1\tlocalhost", "directory"]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(image.join("etc").is_symlink());
    // The file itself is a link: usual for resolv.conf.
    let (image, inner) = (place.path().join("second"), outside.join("hosts"));
    fs::create_dir_all(image.join("etc")).unwrap();
    fs::write(&inner, "precious").unwrap();
    fs::write(image.join("etc/other"), "from the image\n").unwrap();
    symlink(&inner, image.join("etc/hosts")).unwrap();
    let mut start = in_image(&spawner, image.to_str().unwrap(), "cat /etc/hosts /etc/other");
    start.id.attempt = 1;
    start.log.name = "1.log".to_owned();
    let (end, lines) = spawner.run(start);
    assert_eq!(end.code, Some(0), "{lines:?}");
    assert_eq!(output(&lines), ["127.0.0.1\tlocalhost", "from the image"]);
    assert_eq!(fs::read_to_string(inner).unwrap(), "precious");
}

/// A path that leads out of the layer is refused before anything is made.
#[test]
fn a_file_outside_the_root_is_refused() {
    let Some(mut spawner) = Harness::new() else { return };
    for (attempt, target) in (0..).zip(["/../../x", "/etc/../../x", "/"]) {
        let mut start = spawner.isolated("a", "true", |c| c.files = vec![file(target, "x")]);
        start.id.attempt = attempt;
        let id = spawner.start(start);
        assert_eq!(spawner.failed(&id).errno, libc::EINVAL, "{target}");
    }
}

/// As in a machine that is a container itself: engines mount these files one by one. Or all of /etc
/// is on a file system of its own.
#[test]
fn mounts_of_the_machine_give_way() {
    let file =
        "mount -t tmpfs none /mnt && echo machine > /mnt/h && mount --bind /mnt/h /etc/hostname";
    for mount in [file, "mount --bind /etc /etc"] {
        let line = format!(
            "[ \"$APART\" ] || exec env APART=1 unshare -m --propagation private \"$0\" \"$@\"\n{mount}"
        );
        let Some(mut spawner) = Harness::after(&line) else { return };
        let script = "cut -d' ' -f5 /proc/self/mountinfo | grep -c ^/etc";
        let plain = spawner.plain("machine", script);
        assert_eq!(output(&spawner.run(plain).1), ["1"], "the test's own mount");
        let script = "cat /etc/hostname; test -e /etc/passwd && echo passwd";
        let start = spawner.isolated("a", script, with_files);
        assert_eq!(output(&spawner.run(start).1), ["box", "passwd"]);
    }
}

#[test]
fn last_words_are_heard_however_soon_it_ends() {
    let Some(mut spawner) = Harness::new() else { return };
    let run = |spawner: &mut Harness, script: &str, path: &str| {
        let mut start = spawner.isolated("a", script, |c| {
            with_files(c);
            c.termination_path = Some(path.to_owned());
        });
        start.id.attempt = spawner.next_attempt();
        let end = spawner.run(start).0;
        (end.code, end.message)
    };
    for _ in 0..20 {
        let said = run(&mut spawner, "echo disk full > /dev/termination-log; exit 3", WORDS);
        assert_eq!(said, (Some(3), "disk full\n".to_owned()));
    }
    let said = run(&mut spawner, "echo elsewhere > /tmp/deep/words; kill -9 $$", "/tmp/deep/words");
    assert_eq!(said.1, "elsewhere\n");
    let long = "(head -c 5000 /dev/zero | tr '\\0' a; head -c 4096 /dev/zero | tr '\\0' b) > /dev/termination-log";
    assert_eq!(run(&mut spawner, long, WORDS), (Some(0), "b".repeat(4096)));
    let noise = "printf '\\377x' > /dev/termination-log";
    assert_eq!(run(&mut spawner, noise, WORDS).1, "\u{fffd}x");
    assert_eq!(left(&spawner), 0, "the files are removed");
    assert_eq!(run(&mut spawner, "true", WORDS).1, "");
    assert_eq!(left(&spawner), 1, "one without words goes to the next");
    assert_eq!(run(&mut spawner, "true", WORDS).1, "");
    assert_eq!(left(&spawner), 1);
}

#[test]
fn last_words_are_kept_until_they_are_on_record() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "echo bye > /dev/termination-log; exit 1";
    let start = spawner.isolated("a", script, with_files);
    let id = spawner.start(start);
    let end = spawner.ended(&id);
    assert_eq!(end.message, "bye\n");
    spawner.reconnect();
    assert_eq!(spawner.listed[0].state, State::Ended(end));
}

/// A start that fails leaves no file either, and a plain process has none.
#[test]
fn what_has_no_last_words_has_no_file() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.isolated("a", "", with_files);
    start.argv = vec!["/no/such/program".to_owned()];
    let id = spawner.start(start);
    spawner.failed(&id);
    let plain = spawner.plain("plain", "exit 1");
    assert_eq!(spawner.run(plain).0.message, "");
    assert_eq!(left(&spawner), 0);
}
