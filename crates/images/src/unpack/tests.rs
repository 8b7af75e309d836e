//! Layers, good and hostile, as small lists of entries.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::apply;
use crate::{Digest, Error};

/// A kind, a path, and the content or the target of the link.
type Entry<'e> = (EntryType, &'e str, &'e str);

const FILE: EntryType = EntryType::Regular;
const DIR: EntryType = EntryType::Directory;
const SYM: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;

fn layer(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (kind, path, text) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(if kind.is_dir() { 0o750 } else { 0o640 });
        header.set_uid(7);
        header.set_gid(8);
        header.set_mtime(1_000_000);
        // The library refuses what a hostile layer would hold.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        let content = if *kind == FILE { text.as_bytes() } else { &[] };
        if matches!(*kind, SYM | HARD) {
            header.as_old_mut().linkname[..text.len()].copy_from_slice(text.as_bytes());
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn put(root: &Path, entries: &[Entry]) -> Result<u64, Error> {
    let bytes = layer(entries);
    apply(&bytes[..], bytes.len() as u64, &Digest::of(&bytes), root)
}

/// A root in a directory whose other contents must stay as they are.
fn root() -> (TempDir, std::path::PathBuf) {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::create_dir(outside.path().join("secrets")).unwrap();
    fs::write(outside.path().join("secrets/key"), "secret").unwrap();
    (outside, root)
}

fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut ways = vec![root.to_owned()];
    while let Some(way) = ways.pop() {
        for entry in fs::read_dir(&way).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                found.push(format!("{name}/"));
                ways.push(path);
            } else if kind.is_symlink() {
                found.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else {
                found.push(format!("{name}={}", fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn layers_lie_over_one_another() {
    for (lower, upper, expected) in [
        // Deleted, with what is below it.
        (&[(FILE, "a/b", "1"), (FILE, "c", "1")][..], &[(FILE, ".wh.a", "")][..], &["c=1"][..]),
        // A whiteout hides nothing of its own layer, wherever it stands.
        (&[(FILE, "a", "1")], &[(FILE, "a", "2"), (FILE, ".wh.a", "")], &["a=2"]),
        (&[(FILE, "a", "1")], &[(FILE, ".wh.a", ""), (FILE, "a", "2")], &["a=2"]),
        (&[(FILE, "d/old", "1")], &[(FILE, "d/new", "2"), (FILE, ".wh.d", "")], &["d/", "d/new=2"]),
        // An opaque directory, before and after what its layer has in it.
        (
            &[(FILE, "d/old", "1"), (FILE, "d/e/old", "1")],
            &[(FILE, "d/.wh..wh..opq", ""), (FILE, "d/e/new", "2")],
            &["d/", "d/e/", "d/e/new=2"],
        ),
        (
            &[(FILE, "d/old", "1"), (FILE, "d/e/old", "1")],
            &[(FILE, "d/e/new", "2"), (FILE, "d/.wh..wh..opq", "")],
            &["d/", "d/e/", "d/e/new=2"],
        ),
        // One kind in place of another.
        (&[(FILE, "a/b", "1")], &[(FILE, "a", "2")], &["a=2"]),
        (&[(FILE, "a", "1")], &[(DIR, "a/", ""), (FILE, "a/b", "2")], &["a/", "a/b=2"]),
        (&[(DIR, "x/", ""), (SYM, "a", "x")], &[(DIR, "a/", "")], &["a/", "x/"]),
        // Links lead where they would in the container.
        (
            &[(DIR, "usr/lib/", ""), (SYM, "lib", "/usr/lib")],
            &[(FILE, "lib/so", "2")],
            &["lib -> /usr/lib", "usr/", "usr/lib/", "usr/lib/so=2"],
        ),
        // A file of an earlier layer gets a second name.
        (&[(FILE, "a", "1")], &[(HARD, "b", "/a")], &["a=1", "b=1"]),
        // Names are read as below the root; old bookkeeping is nothing; devices come from the node.
        (
            &[(FILE, "/a", "1"), (FILE, "./b", "1")],
            &[(FILE, ".wh..wh.plnk", ""), (EntryType::Char, "dev/null", "")],
            &["a=1", "b=1"],
        ),
    ] {
        let (_outside, root) = root();
        put(&root, lower).unwrap();
        put(&root, upper).unwrap();
        assert_eq!(tree(&root), expected, "{upper:?}");
    }
}

#[test]
fn owner_mode_and_time_are_the_layers() {
    let (_outside, root) = root();
    put(&root, &[(DIR, "./", ""), (DIR, "d/", ""), (FILE, "d/f", "1"), (SYM, "l", "d")]).unwrap();
    for (path, mode) in [("", 0o750), ("d", 0o750), ("d/f", 0o640)] {
        let found = fs::metadata(root.join(path)).unwrap();
        assert_eq!(found.permissions().mode() & 0o7777, mode, "{path}");
        assert_eq!(found.mtime(), 1_000_000, "{path}");
        if rustix::process::geteuid().is_root() {
            assert_eq!((found.uid(), found.gid()), (7, 8), "{path}");
        }
    }
}

#[test]
fn nothing_leads_out_of_the_root() {
    for entries in [
        &[(FILE, "../secrets/key", "x")][..],
        &[(FILE, "a/../../secrets/key", "x")],
        &[(SYM, "l", "../secrets"), (FILE, "l/key", "x")],
        &[(SYM, "l", "../../../../../../../tmp"), (FILE, "l/coracle-escape", "x")],
        &[(SYM, "l", "../secrets/key"), (FILE, "l", "x")],
        &[(HARD, "l", "../secrets/key"), (FILE, "l", "x")],
        &[(SYM, "s", "../secrets"), (HARD, "l", "s/key"), (FILE, "l", "x")],
        &[(SYM, "s", "../secrets"), (FILE, "s/.wh.key", "")],
        &[(SYM, "s", "../secrets"), (FILE, "s/.wh..wh..opq", "")],
        &[(FILE, ".wh...", ""), (FILE, "a/.wh...", "")],
        &[(FILE, "../secrets/.wh.key", "")],
        &[(SYM, "s", "../secrets"), (DIR, "s/", "")],
        &[(SYM, "a", "b"), (SYM, "b", "a"), (FILE, "a/x", "1")],
        &[(HARD, "d", "/"), (FILE, "d", "")],
    ] {
        let (outside, root) = root();
        // Whether it is refused or done inside the root: what is outside stays.
        let _ = put(&root, entries);
        assert_eq!(tree(&outside.path().join("secrets")), ["key=secret"], "{entries:?}");
        assert!(!Path::new("/tmp/coracle-escape").exists());
        let mut names: Vec<_> =
            fs::read_dir(outside.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["root", "secrets"], "{entries:?}");
    }
}

#[test]
fn the_file_of_another_root_is_never_written_to() {
    let (outside, root) = root();
    put(&root, &[(FILE, "a", "1"), (FILE, "b", "1")]).unwrap();
    let other = outside.path().join("other");
    fs::create_dir(&other).unwrap();
    for name in ["a", "b"] {
        fs::hard_link(root.join(name), other.join(name)).unwrap();
    }
    put(&other, &[(FILE, "a", "2"), (HARD, "c", "b"), (FILE, "c", "3")]).unwrap();
    assert_eq!(tree(&root), ["a=1", "b=1"]);
    assert_eq!(tree(&other), ["a=2", "b=1", "c=3"]);
}

#[test]
fn what_is_broken_says_so() {
    let good = layer(&[(FILE, "a", "1")]);
    let size = good.len() as u64;
    let (_outside, root) = root();
    let error = apply(&good[..], size, &Digest::of(b"other"), &root).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    let mut large = Header::new_gnu();
    large.set_path("a").unwrap();
    large.set_size(1 << 40);
    large.set_mode(0o644);
    large.set_cksum();
    for (bytes, why) in [
        (large.as_bytes().to_vec(), "cut off"),
        (vec![7; 4096], "layer"),
        (layer(&[(HARD, "a", "nowhere")]), "not in the image"),
        (layer(&[(EntryType::new(b'Z'), "a", "")]), "unknown type 'Z'"),
        (layer(&[(FILE, "a", ""), (FILE, "a/b", "")]), "its parent is no directory"),
    ] {
        let digest = Digest::of(&bytes);
        let error = apply(&bytes[..], bytes.len() as u64, &digest, &root).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_layer_unpacks_to_so_much_and_no_more() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut header = Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(1 << 40);
    header.set_mode(0o644);
    header.set_cksum();
    packed.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..80 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    let (_outside, root) = root();
    let error = apply(&packed[..], packed.len() as u64, &Digest::of(b""), &root).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}

#[test]
fn names_of_any_length_do_not_fill_the_memory() {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(32 << 20);
    header.set_cksum();
    let bytes = [header.as_bytes().to_vec(), vec![b'a'; 32 << 20]].concat();
    let (_outside, root) = root();
    let error = apply(&bytes[..], bytes.len() as u64, &Digest::of(&bytes), &root).unwrap_err();
    assert_eq!(error.to_string(), "the headers of a layer entry exceeds the limit of 1048576");
}

#[test]
fn layers_are_unpacked_whatever_packs_them() {
    let plain = layer(&[(FILE, "a", "1")]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let (first, rest) = plain.split_at(700);
    let frame = |part: &[u8]| {
        ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest)
    };
    // Several frames, one of them to be skipped.
    let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
    let zstd = [frame(first), skipped, frame(rest)].concat();
    for packed in [plain.clone(), gzip, zstd] {
        let (_outside, root) = root();
        apply(&packed[..], packed.len() as u64, &Digest::of(&plain), &root).unwrap();
        assert_eq!(tree(&root), ["a=1"]);
        let mut text = String::new();
        fs::File::open(root.join("a")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "1");
    }
}
