//! Making, keeping and removing the files of a pod, on a directory of the test's own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use kinds::Uid;
use node::volumes::{
    Content, DataFile, HostPathType, PlannedVolume, TerminationRead, Travelling, VolumeKind,
    VolumePlan, clean_up, left_over, perform, read_termination,
};
use tempfile::TempDir;
use tokens::Signer;

const UID: &str = "01234567-89ab-4def-8123-456789abcdef";

struct Pod {
    data_dir: TempDir,
    plan: VolumePlan,
}

impl Pod {
    fn new() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let directory = data_dir.path().join("pods").join(UID);
        Self {
            data_dir,
            plan: VolumePlan {
                directory,
                volumes: vec![],
                group: None,
                travelling: vec![],
                stamp: "..1".into(),
            },
        }
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.plan.directory.join(inner)
    }

    fn volume(&mut self, name: &str, kind: impl FnOnce(PathBuf) -> VolumeKind) -> PathBuf {
        let path = self.path("volumes").join(name);
        let kind = kind(path.clone());
        self.plan.volumes.push(PlannedVolume { name: name.into(), kind });
        path
    }

    fn clean_up(&self) {
        clean_up(self.data_dir.path(), Uid::parse(UID).unwrap()).unwrap();
        assert!(!self.plan.directory.exists());
    }
}

/// Also after a failed test no mount stays.
impl Drop for Pod {
    fn drop(&mut self) {
        let _ = clean_up(self.data_dir.path(), Uid::parse(UID).unwrap());
    }
}

fn signer() -> Signer {
    Signer::new(&Signer::generate().unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn an_empty_dir_is_everyones_and_keeps_what_was_written() {
    let mut pod = Pod::new();
    let path = pod.volume("e", |path| VolumeKind::Empty { path });
    perform(&pod.plan, &signer()).unwrap();
    assert_eq!(mode(&path), 0o777);
    assert_eq!(mode(&pod.plan.directory), 0o700);
    fs::write(path.join("kept"), "x").unwrap();
    perform(&pod.plan, &signer()).unwrap();
    assert_eq!(fs::read(path.join("kept")).unwrap(), b"x");
    let uid = Uid::parse(UID).unwrap();
    assert_eq!(left_over(pod.data_dir.path()).unwrap().into_iter().collect::<Vec<_>>(), [uid]);
    pod.clean_up();
    pod.clean_up();
    assert!(left_over(pod.data_dir.path()).unwrap().is_empty());
}

fn data(files: &[(&str, u32, &str)]) -> BTreeMap<String, DataFile> {
    let file = |(name, mode, text): &(&str, u32, &str)| {
        (
            (*name).to_owned(),
            DataFile { mode: *mode, owner: None, content: Content::Bytes((*text).into()) },
        )
    };
    files.iter().map(file).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn data_is_reached_by_links_with_its_modes() {
    let mut pod = Pod::new();
    let files = data(&[("a", 0o400, "1"), ("deep/er/b", 0o644, "2")]);
    let mountpoints = vec!["nested/place".to_owned()];
    let path = pod.volume("c", |path| VolumeKind::Data { path, files, mountpoints });
    perform(&pod.plan, &signer()).unwrap();
    assert_eq!(fs::read_link(path.join("a")).unwrap(), Path::new("..data/a"));
    assert_eq!(fs::read_link(path.join("deep")).unwrap(), Path::new("..data/deep"));
    assert_eq!(fs::read_link(path.join("..data")).unwrap(), Path::new("..1"));
    assert_eq!(fs::read(path.join("deep/er/b")).unwrap(), b"2");
    assert_eq!(mode(&path.join("..data/a")), 0o400);
    assert_eq!(mode(&path), 0o777);
    assert_eq!(names(&path), ["..1", "..data", "a", "deep", "nested"]);
    assert!(path.join("nested/place").is_dir());
}

#[test]
fn data_changes_all_at_once_and_what_is_no_more_goes() {
    let mut pod = Pod::new();
    let path = pod.path("volumes/c");
    let mut write = |stamp: &str, files: &[(&str, u32, &str)]| {
        pod.plan.stamp = stamp.to_owned();
        pod.plan.volumes.clear();
        let (files, mountpoints) = (data(files), vec![]);
        pod.volume("c", |path| VolumeKind::Data { path, files, mountpoints });
        perform(&pod.plan, &signer()).unwrap();
        names(&path)
    };
    let open = |name: &str| fs::File::open(path.join("..data").join(name)).unwrap();
    let before = ["..1", "..data", "a", "b"];
    assert_eq!(write("..1", &[("a", 0o644, "1"), ("b/c", 0o644, "2")]), before);
    // What does not change is not written again.
    assert_eq!(write("..2", &[("a", 0o644, "1"), ("b/c", 0o644, "2")]), before);
    let held = open("b/c");
    assert_eq!(write("..3", &[("a", 0o644, "new"), ("d", 0o644, "")]), ["..3", "..data", "a", "d"]);
    assert_eq!(fs::read_link(path.join("..data")).unwrap(), Path::new("..3"));
    assert_eq!(std::io::read_to_string(held).unwrap(), "2");
    assert_eq!(std::io::read_to_string(open("a")).unwrap(), "new");
    // What a server that died left: a half-written directory, a link too many, links not yet made.
    fs::create_dir(path.join("..4")).unwrap();
    fs::write(path.join("..4/half"), "").unwrap();
    symlink("..4", path.join("..data_tmp")).unwrap();
    fs::remove_file(path.join("a")).unwrap();
    assert_eq!(write("..4", &[("a", 0o644, "4"), ("d", 0o644, "")]), ["..4", "..data", "a", "d"]);
    assert_eq!(names(&path.join("..4")), ["a", "d"]);
    fs::remove_file(path.join("a")).unwrap();
    fs::remove_file(path.join("..data")).unwrap();
    assert_eq!(write("..5", &[("a", 0o644, "5")]), ["..5", "..data", "a"]);
}

#[test]
fn volumes_are_given_to_the_group_of_the_pod() {
    if !rustix::process::getuid().is_root() {
        return eprintln!("skipped: needs root");
    }
    let mut pod = Pod::new();
    pod.plan.group = Some(123);
    let (files, mountpoints) = (data(&[("a", 0o400, "1"), ("x/b", 0o644, "2")]), vec![]);
    let of_files = pod.volume("c", |path| VolumeKind::Data { path, files, mountpoints });
    let empty = pod.volume("e", |path| VolumeKind::Empty { path });
    let memory = pod.volume("m", |path| VolumeKind::Tmpfs { path, bytes: 1 << 20 });
    let host = pod.path("host");
    fs::create_dir_all(&host).unwrap();
    let path = host.clone();
    pod.volume("h", |_| VolumeKind::HostPath { path, check: HostPathType::Directory });
    perform(&pod.plan, &signer()).unwrap();
    let seen = |path: &Path| (mode(path), fs::symlink_metadata(path).unwrap().gid());
    assert_eq!(seen(&empty), (0o2777, 123));
    assert_eq!(seen(&memory), (0o3777, 123));
    assert_eq!(seen(&host), (0o755, 0));
    assert_eq!(seen(&of_files), (0o2777, 123));
    assert_eq!(seen(&of_files.join("..1/a")), (0o440, 123));
    assert_eq!(seen(&of_files.join("..1/x")), (0o2755, 123));
    assert_eq!(seen(&of_files.join("..1/x/b")), (0o644, 123));
    // Once it is there an emptyDir is the containers' own.
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o700)).unwrap();
    perform(&pod.plan, &signer()).unwrap();
    assert_eq!(mode(&empty), 0o700);
    pod.clean_up();
}

#[test]
fn mounts_cannot_travel_where_the_machine_shares_none() {
    let mut pod = Pod::new();
    let path = pod.volume("e", |path| VolumeKind::Empty { path });
    let both_ways = true;
    pod.plan.travelling = vec![Travelling { volume: "e".into(), path: path.clone(), both_ways }];
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let shared = mounts.lines().any(|line| line.contains(" shared:"));
    let error = perform(&pod.plan, &signer()).err();
    assert!(shared || error.is_some());
    if let Some(error) = error {
        let text = format!("path \"{}\" is mounted on ", path.display());
        assert!(error.message.starts_with(&text), "{error}");
        assert!(error.message.ends_with(" but it is not a shared mount"), "{error}");
    }
}

#[test]
fn a_tmpfs_is_mounted_once_and_unmounted() {
    let mut pod = Pod::new();
    let path = pod.volume("m", |path| VolumeKind::Tmpfs { path, bytes: 1 << 20 });
    perform(&pod.plan, &signer()).unwrap();
    perform(&pod.plan, &signer()).unwrap();
    let mounted = || {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        table.lines().filter(|line| line.contains(path.to_str().unwrap())).count()
    };
    assert_eq!(mounted(), 1);
    assert!(fs::write(path.join("big"), vec![0; 2 << 20]).is_err(), "the size is not limited");
    pod.clean_up();
    assert_eq!(mounted(), 0);
}

/// A container may put links where files were: nothing outside is touched.
#[test]
fn cleaning_up_follows_no_link() {
    let mut pod = Pod::new();
    let path = pod.volume("e", |path| VolumeKind::Empty { path });
    perform(&pod.plan, &signer()).unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    symlink(outside.path(), path.join("link")).unwrap();
    symlink(outside.path(), pod.path("volumes/link")).unwrap();
    pod.clean_up();
    assert!(outside.path().join("precious").exists());
}

#[test]
fn host_paths_are_checked_and_made_by_type() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("file"), "").unwrap();
    let check = |name: &str, check| {
        let mut pod = Pod::new();
        let path = if name.starts_with('/') { PathBuf::from(name) } else { at(name) };
        pod.volume("h", |_| VolumeKind::HostPath { path, check });
        perform(&pod.plan, &signer()).map_err(|error| (error.volume, error.message))
    };
    let failure = |name: &str, what: &str| {
        let text = format!("hostPath type check failed: {} is not {what}", at(name).display());
        Err(("h".to_owned(), text))
    };
    use HostPathType as T;
    assert_eq!(check("directory", T::Directory), Ok(()));
    assert_eq!(check("file", T::Directory), failure("file", "a directory"));
    assert_eq!(check("none", T::Directory), failure("none", "a directory"));
    assert_eq!(check("file", T::File), Ok(()));
    assert_eq!(check("directory", T::File), failure("directory", "a file"));
    assert_eq!(check("directory", T::FileOrCreate), failure("directory", "a file"));
    assert_eq!(check("file", T::DirectoryOrCreate), failure("file", "a directory"));
    assert_eq!(check("file", T::Socket), failure("file", "a socket file"));
    assert_eq!(check("file", T::BlockDevice), failure("file", "a block device"));
    assert_eq!(check("file", T::CharDevice), failure("file", "a character device"));
    assert_eq!(check("/dev/null", T::CharDevice), Ok(()));
    assert_eq!(check("made/deep", T::DirectoryOrCreate), Ok(()));
    assert!(at("made/deep").is_dir());
    assert_eq!(check("made/file", T::FileOrCreate), Ok(()));
    assert!(at("made/file").is_file());
    assert!(check("no/parent", T::FileOrCreate).is_err());
    assert_eq!(check("unset", T::Unset), Ok(()));
    assert!(at("unset").is_dir());
    assert_eq!(check("file", T::Unset), Ok(()));
}

#[test]
fn a_container_without_words_is_spoken_for_by_the_end_of_its_log() {
    let root = tempfile::tempdir().unwrap();
    let logs = root.path().join("logs");
    let words = || read_termination(&TerminationRead { directory: logs.clone(), attempt: 2 });
    assert_eq!(words(), "");
    // At most 80 lines and 2048 bytes.
    fs::create_dir(&logs).unwrap();
    let line = |n: u32| format!("2026-01-01T00:00:00.000000000Z stdout F {n}\n");
    fs::write(logs.join("2.log"), (0..100).map(line).collect::<String>()).unwrap();
    let expected: String = (20..100).map(|n| format!("{n}\n")).collect();
    assert_eq!(words(), expected);
    fs::write(logs.join("2.log"), line(7).replace('7', &"7".repeat(3000))).unwrap();
    assert_eq!(words().len(), 2048);
}
