//! What becomes of images in the store.

use std::{fs, path::Path};

use super::{Image, New, Packed, Store};
use crate::{Digest, Error, Reference, RunConfig, config::Config};

fn layer(name: &str, text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    builder.into_inner().unwrap()
}

/// Adds an image of these layers; says which of them were opened.
fn add(store: &Store, name: &str, layers: &[&[u8]]) -> (Image, Vec<usize>) {
    let diff_ids = layers.iter().map(|l| Digest::of(l)).collect();
    let new = New {
        id: Digest::of(name.as_bytes()),
        config: Config { run: RunConfig::default(), diff_ids },
        names: vec![Reference::parse(name).unwrap().to_string()],
        digests: Vec::new(),
        now_s: i64::try_from(name.len()).unwrap(),
    };
    let mut opened = Vec::new();
    let image = store.add(new, &mut |index| {
        opened.push(index);
        let bytes = layers[index].to_vec();
        Ok(Packed { bytes: bytes.len() as u64, reader: Box::new(std::io::Cursor::new(bytes)) })
    });
    (image.unwrap(), opened)
}

fn roots(data_dir: &Path) -> usize {
    fs::read_dir(data_dir.join("images/.oci/roots")).map_or(0, Iterator::count)
}

#[test]
fn images_share_the_layers_they_begin_with() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    let (base, a, b) = (layer("base", "x"), layer("a", "y"), layer("b", "z"));
    let (first, opened) = add(&store, "first", &[&base, &a]);
    assert_eq!(opened, [0, 1]);
    let (second, opened) = add(&store, "second", &[&base, &b]);
    assert_eq!(opened, [1]);
    assert_eq!(roots(directory.path()), 3);
    let inode = |image: &Image| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(store.root(image).join("base")).unwrap().ino()
    };
    assert_eq!(inode(&first), inode(&second));
    // What only the one had goes with it.
    store.remove("first").unwrap();
    assert_eq!(roots(directory.path()), 2);
    assert_eq!(fs::read_to_string(store.root(&second).join("base")).unwrap(), "x");
    assert!(!store.root(&second).join("a").exists());
}

#[test]
fn what_a_crash_left_is_removed_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    let (image, _) = add(&store, "kept", &[&layer("a", "1")]);
    let own = directory.path().join("images/.oci");
    fs::create_dir_all(own.join("tmp/half/etc")).unwrap();
    fs::create_dir_all(own.join("roots").join(Digest::of(b"unnamed").hex())).unwrap();
    assert!(store.clean().unwrap());
    assert_eq!(roots(directory.path()), 1);
    assert_eq!(fs::read_dir(own.join("tmp")).unwrap().count(), 0);
    assert!(store.root(&image).join("a").is_file());
    // While somebody makes an image nothing goes.
    let scratch = store.scratch().unwrap();
    assert!(!store.clean().unwrap());
    drop(scratch);
    assert!(store.clean().unwrap());
}

#[test]
fn an_image_in_use_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    let (image, _) = add(&store, "tool", &[&layer("a", "1")]);
    store.use_by(&image, "pod-1", "main").unwrap();
    store.use_by(&image, "pod-1", "main").unwrap();
    let error = store.remove("tool").unwrap_err().to_string();
    assert_eq!(error, "image tool is used by pod pod-1, container main");
    assert_eq!(store.collect(u64::MAX, i64::MAX).unwrap(), [""; 0]);
    store.unuse(|pod| pod == "pod-1").unwrap();
    let id = image.id.to_string();
    assert_eq!(
        store.remove("tool").unwrap(),
        ["untagged docker.io/library/tool:latest".to_owned(), format!("deleted {id}")]
    );
    assert!(matches!(store.use_by(&image, "pod-2", "main"), Err(Error::NotFound(_))));
}

#[test]
fn a_name_belongs_to_one_image() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    let (one, two) = (layer("a", "1"), layer("a", "2"));
    let reference = Reference::parse("tool").unwrap();
    let (first, _) = add(&store, "tool", &[&one]);
    let (second, _) = add(&store, "other", &[&two]);
    // The same image comes once more, under the name of the first.
    super::index::update(&store.directory, |images| {
        let names = vec![reference.to_string()];
        Ok(super::index::put(images, Image { names, ..second.clone() }))
    })
    .unwrap();
    assert_eq!(store.find(&reference).unwrap().unwrap().id, second.id);
    // One of two names goes, the image stays; so does the one without a name, by its id.
    assert_eq!(store.remove("other").unwrap(), ["untagged docker.io/library/other:latest"]);
    let nameless = first.id;
    assert_eq!(store.remove(&nameless.hex()[..12]).unwrap(), [format!("deleted {nameless}")]);
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn the_oldest_that_nobody_uses_go_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    for name in ["a", "bb", "ccc", "dddd"] {
        add(&store, name, &[&layer(name, "12345")]);
    }
    // Two of five bytes make room for six; the newest is not old enough.
    let name = |name: &str| Reference::parse(name).unwrap().to_string();
    assert_eq!(store.collect(6, 4).unwrap(), [name("a"), name("bb")]);
    assert_eq!(store.collect(100, 4).unwrap(), [name("ccc")]);
    assert_eq!(store.list().unwrap().len(), 1);
}
