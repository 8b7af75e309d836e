//! Mounts of what lies inside a directory that somebody else may change at any time.

use crate::harness::{Harness, lines};
use spawner::protocol::{Mount, MountSource, Propagation, Reply, Stage};
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many mounts are made while links change.
const RACES: u32 = 40;

fn mount(source: MountSource, target: &str, read_only: bool) -> Mount {
    Mount { source, target: target.to_owned(), read_only, propagation: Propagation::Private }
}

/// Lets two files change places.
fn exchange(one: &Path, other: &Path) {
    let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (one, other) = (path(one), path(other));
    let (here, flags) = (libc::AT_FDCWD, libc::RENAME_EXCHANGE);
    // SAFETY: both paths end with a zero.
    let done = unsafe { libc::renameat2(here, one.as_ptr(), here, other.as_ptr(), flags) };
    assert_eq!(done, 0);
}

fn within(directory: &Path, path: &str, make: bool) -> MountSource {
    let directory = directory.display().to_string();
    MountSource::Within { directory, path: path.to_owned(), make, blame: "it was you".to_owned() }
}

#[test]
fn what_lies_inside_a_volume_is_mounted_and_made_if_missing() {
    let Some(mut spawner) = Harness::new() else { return };
    let volume = spawner.data_dir.path().join("volume");
    fs::create_dir_all(volume.join("..1/a")).unwrap();
    fs::write(volume.join("..1/a/file"), "text\n").unwrap();
    symlink("..1", volume.join("..data")).unwrap();
    symlink("..data/a", volume.join("a")).unwrap();
    fs::set_permissions(&volume, Permissions::from_mode(0o3777)).unwrap();
    std::os::unix::fs::chown(&volume, None, Some(123)).unwrap();
    let mounts = vec![
        mount(within(&volume, "a/file", false), "/file", true),
        mount(within(&volume, "a", false), "/links", false),
        mount(within(&volume, "new/deep", true), "/made", false),
    ];
    let script = "cat /file /links/file; (echo > /file) 2>/dev/null || echo no; \
                  stat -c '%a %g' /made; echo w > /made/written";
    let lines = spawner.printed(script, |c| c.mounts.clone_from(&mounts));
    assert_eq!(lines, ["text", "text", "no", "3777 123"]);
    assert_eq!(fs::read_to_string(volume.join("new/deep/written")).unwrap(), "w\n");
}

/// Who may write to a volume may leave links in it in the hope that the next mount of a path in it
/// shows the machine.
#[test]
fn links_in_a_volume_lead_no_mount_outside() {
    let Some(mut spawner) = Harness::new() else { return };
    let base = spawner.data_dir.path().to_owned();
    let (volume, outside) = (base.join("volume"), base.join("outside"));
    fs::create_dir(&volume).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink("/", volume.join("root")).unwrap();
    symlink(&outside, volume.join("absolute")).unwrap();
    symlink("../outside", volume.join("relative")).unwrap();
    symlink("/proc/self/root", volume.join("magic")).unwrap();
    symlink(&volume, volume.join("itself")).unwrap();
    symlink("around", volume.join("around")).unwrap();
    symlink("../volume/../outside/new", volume.join("dangling")).unwrap();
    let paths = [
        ("root/etc", libc::EXDEV),
        ("absolute", libc::EXDEV),
        ("relative", libc::EXDEV),
        ("relative/new", libc::EXDEV),
        ("dangling", libc::EXDEV),
        ("magic/etc", libc::EXDEV),
        ("itself", libc::EXDEV),
        ("around", libc::ELOOP),
        ("../outside", libc::EXDEV),
        ("/etc", libc::EXDEV),
    ];
    for (number, (path, errno)) in paths.into_iter().enumerate() {
        let start = spawner.isolated(&format!("c{number}"), "true", |c| {
            c.mounts = vec![mount(within(&volume, path, true), "/x", false)];
        });
        let id = spawner.start(start);
        let failure = spawner.failed(&id);
        assert_eq!((failure.stage, failure.errno), (Stage::Within, errno), "{path}: {failure:?}");
        assert_eq!(failure.message, "it was you");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

/// The links change while the mounts are made.
#[test]
fn links_that_change_all_the_time_lead_no_mount_outside() {
    let Some(mut spawner) = Harness::new() else { return };
    let base = spawner.data_dir.path().to_owned();
    let (volume, outside) = (base.join("volume"), base.join("outside"));
    fs::create_dir_all(volume.join("inside/sub")).unwrap();
    fs::create_dir_all(outside.join("sub")).unwrap();
    fs::write(outside.join("sub/secret"), "").unwrap();
    symlink(&outside, volume.join("bad")).unwrap();
    symlink("inside", volume.join("good")).unwrap();
    let over = AtomicBool::new(false);
    let (good, bad) = (volume.join("good"), volume.join("bad"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                exchange(&good, &bad);
            }
        });
        for attempt in 0..RACES {
            let mut start = spawner.isolated("race", "ls /x", |c| {
                c.mounts = vec![mount(within(&volume, "good/sub", false), "/x", false)];
            });
            start.id.attempt = attempt;
            start.log.name = format!("{attempt}.log");
            let log = start.log.clone();
            let id = spawner.start(start);
            let seen = spawner.wait(|reply| match reply {
                Reply::Ended { id: of, .. } if of == &id => Some(true),
                Reply::Failed { id: of, .. } if of == &id => Some(false),
                _ => None,
            });
            assert!(!seen || lines(&log).is_empty(), "the machine was seen");
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn later_mounts_travel_as_far_as_they_may() {
    let line = "[ \"$APART\" ] || exec env APART=1 unshare -m --propagation private \"$0\" \"$@\"\n\
                mount -t tmpfs none /opt && mount --make-shared /opt && mkdir /opt/a /opt/b";
    let Some(mut spawner) = Harness::after(line) else { return };
    let start = |spawner: &mut Harness, propagation: Propagation, script: &str| {
        let mut start = spawner.isolated("c", script, |c| {
            c.mounts =
                vec![Mount { propagation, ..mount(MountSource::Bind("/opt".into()), "/x", false) }];
            c.capabilities = u64::MAX;
            c.seccomp.clear();
        });
        start.id.attempt = spawner.next_attempt();
        start.log.name = format!("{}.log", start.id.attempt);
        (spawner.start(start.clone()), start.log)
    };
    let script = "until [ -e /x/go ]; do :; done; [ -e /x/a/file ] && echo seen || echo hidden";
    let waiting = [Propagation::Private, Propagation::Slave, Propagation::Shared]
        .map(|propagation| start(&mut spawner, propagation, script));
    for (id, _) in &waiting {
        spawner.started(id);
    }
    let mut plain = spawner.plain("m", "mount -t tmpfs none /opt/a && touch /opt/a/file /opt/go");
    plain.id.attempt = spawner.next_attempt();
    assert_eq!(spawner.run(plain).0.code, Some(0));
    let seen = waiting.map(|(id, log)| {
        spawner.ended(&id);
        lines(&log).concat()
    });
    assert_eq!(seen, ["stdout F hidden", "stdout F seen", "stdout F seen"]);
    for (propagation, wanted) in [(Propagation::Slave, "hidden"), (Propagation::Shared, "seen")] {
        let (id, _) =
            start(&mut spawner, propagation, "mount -t tmpfs none /x/b && touch /x/b/file");
        assert_eq!(spawner.ended(&id).code, Some(0));
        let mut plain = spawner.plain("m", "[ -e /opt/b/file ] && echo seen || echo hidden");
        plain.id.attempt = spawner.next_attempt();
        plain.log.name = format!("{}.log", plain.id.attempt);
        assert_eq!(spawner.run(plain).1, [format!("stdout F {wanted}")]);
    }
}
