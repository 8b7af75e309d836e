//! Archives and layouts, made here.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::{Digest, Store, architecture, load};

/// An archive of files by name.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    json!({
        "os": "linux", "architecture": architecture(),
        "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string()
    .into_bytes()
}

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::of(directory.path());
    (directory, store)
}

fn names(images: &[crate::Image]) -> Vec<String> {
    images.iter().flat_map(|image| image.names.clone()).collect()
}

#[test]
fn what_docker_saves_is_loaded() {
    let (layer, upper) = (tar(&[("etc/a", b"1")]), tar(&[("etc/b", b"2"), ("etc/.wh.a", b"")]));
    let config = config(&[&layer, &upper]);
    let manifest = json!([{
        "Config": "c.json", "RepoTags": ["tool:1", "host.io/x/tool:2"],
        "Layers": ["l/layer.tar", "u/layer.tar"],
    }])
    .to_string();
    let files: [(&str, &[u8]); 4] = [
        ("c.json", &config),
        ("l/layer.tar", &layer),
        ("u/layer.tar", &upper),
        ("manifest.json", manifest.as_bytes()),
    ];
    let (directory, store) = store();
    let file = directory.path().join("saved.tar");
    fs::write(&file, tar(&files)).unwrap();
    let images = load(&store, &file, 7).unwrap();
    assert_eq!(names(&images), ["docker.io/library/tool:1", "host.io/x/tool:2"]);
    assert_eq!(images[0].id, Digest::of(&config));
    assert_eq!(images[0].config.cmd, ["/bin/true"]);
    let root = store.root(&images[0]);
    assert_eq!(fs::read_to_string(root.join("etc/b")).unwrap(), "2");
    assert!(!root.join("etc/a").exists());
    assert_eq!(store.list().unwrap(), images);

    // Again, compressed: it is the same image.
    let packed = directory.path().join("saved.tar.gz");
    let mut gzip = flate2::write::GzEncoder::new(
        fs::File::create(&packed).unwrap(),
        flate2::Compression::fast(),
    );
    std::io::Write::write_all(&mut gzip, &tar(&files)).unwrap();
    gzip.finish().unwrap();
    assert_eq!(load(&store, &packed, 7).unwrap(), images);
}

fn layout(directory: &Path, layer: &[u8], annotations: &Value) {
    let config = config(&[layer]);
    let descriptor = |bytes: &[u8]| json!({"digest": Digest::of(bytes), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2, "config": descriptor(&config), "layers": [descriptor(layer)],
    })
    .to_string();
    let mut entry = descriptor(manifest.as_bytes());
    entry["annotations"] = annotations.clone();
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for blob in [layer, &config, manifest.as_bytes()] {
        fs::write(blobs.join(Digest::of(blob).hex()), blob).unwrap();
    }
    let index = json!({"schemaVersion": 2, "manifests": [entry]});
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
}

#[test]
fn layouts_are_loaded_by_the_names_they_have() {
    let layer = tar(&[("a", b"1")]);
    for (annotations, name) in [
        (json!({"io.containerd.image.name": "host.io/x:3"}), "host.io/x:3"),
        (json!({"org.opencontainers.image.ref.name": "x:3"}), "docker.io/library/x:3"),
        (json!({"org.opencontainers.image.ref.name": "v3"}), "localhost/mine:v3"),
        (json!({}), "localhost/mine:latest"),
    ] {
        let (directory, store) = store();
        let place = directory.path().join("mine");
        layout(&place, &layer, &annotations);
        let images = load(&store, &place, 7).unwrap();
        assert_eq!(names(&images), [name]);
        assert_eq!(fs::read_to_string(store.root(&images[0]).join("a")).unwrap(), "1");
        let repository = name.rsplit_once(':').unwrap().0;
        assert!(images[0].image_id().starts_with(&format!("{repository}@sha256:")));
    }
}

#[test]
fn what_is_broken_leaves_nothing() {
    let layer = tar(&[("a", b"1")]);
    let (directory, store) = store();
    let place = directory.path().join("mine");
    layout(&place, &layer, &json!({}));
    // Another layer under the name of the right one.
    let blob = place.join("blobs/sha256").join(Digest::of(&layer).hex());
    fs::write(blob, tar(&[("a", b"2")])).unwrap();
    let error = load(&store, &place, 7).unwrap_err().to_string();
    assert!(error.starts_with("layer: digest is sha256:"), "{error}");
    assert_eq!(store.list().unwrap(), []);
    let left: BTreeMap<_, _> = ["roots", "tmp"]
        .map(|name| {
            let path = directory.path().join("images/.oci").join(name);
            (name, fs::read_dir(path).map_or(0, Iterator::count))
        })
        .into();
    assert_eq!(left, BTreeMap::from([("roots", 0), ("tmp", 0)]));
    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let error = load(&store, &empty, 7).unwrap_err().to_string();
    assert!(error.contains("neither manifest.json"), "{error}");
}
