//! Volumes of a pod: defaults and validation of the sources that work; the others are refused by the
//! support table.

use std::collections::BTreeMap;

use super::{downward, meta::push_all, projected};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    quantity::Quantity,
    types::core::v1::{EmptyDirVolumeSource, HostPathVolumeSource, KeyToPath, Volume},
    validate,
};

/// Mode of the files that volumes are made of: 0644.
pub(super) const FILE_MODE: i32 = 0o644;

const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// The names of all sources that are set.
fn sources(volume: &Volume) -> Vec<&'static str> {
    macro_rules! set {
        ($($field:ident $name:literal),* $(,)?) => {
            [$((volume.$field.is_some(), $name)),*].into_iter().filter(|s| s.0).map(|s| s.1).collect()
        };
    }
    set!(
        empty_dir "emptyDir", host_path "hostPath", config_map "configMap", secret "secret",
        projected "projected", downward_api "downwardAPI", ephemeral "ephemeral", image "image",
        persistent_volume_claim "persistentVolumeClaim", nfs "nfs", csi "csi", iscsi "iscsi",
        git_repo "gitRepo", aws_elastic_block_store "awsElasticBlockStore", fc "fc",
        azure_disk "azureDisk", azure_file "azureFile", cephfs "cephfs", cinder "cinder",
        flex_volume "flexVolume", flocker "flocker", glusterfs "glusterfs", quobyte "quobyte",
        gce_persistent_disk "gcePersistentDisk", photon_persistent_disk "photonPersistentDisk",
        portworx_volume "portworxVolume", rbd "rbd", scale_io "scaleIO", storageos "storageos",
        vsphere_volume "vsphereVolume",
    )
}

/// Fills in the source and its defaults.
pub(super) fn defaults(volume: &mut Volume) {
    if sources(volume).is_empty() {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(FILE_MODE);
        downward::defaults(source.items.as_mut());
    }
    if let Some(source) = &mut volume.projected {
        projected::defaults(source);
    }
}

/// Everything wrong with the volumes. Gives them by name for the mounts.
pub(super) fn check<'a>(
    volumes: &'a [Volume],
    at: Path<'_>,
    errors: &mut FieldErrors,
) -> BTreeMap<&'a str, &'a Volume> {
    let mut named = BTreeMap::new();
    for (i, volume) in volumes.iter().enumerate() {
        let at = at.index(i);
        match volume.name.as_str() {
            "" => errors.push(FieldError::required(at.field("name"), "")),
            name => {
                push_all(errors, at.field("name"), name, validate::dns_label(name));
                if named.insert(name, volume).is_some() {
                    errors.push(FieldError::duplicate(at.field("name"), name));
                }
            }
        }
        for source in sources(volume).into_iter().skip(1) {
            let text = "may not specify more than 1 volume type";
            errors.push(FieldError::forbidden(at.field(source), text));
        }
        source(volume, at, errors);
    }
    named
}

fn source(volume: &Volume, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(source) = &volume.empty_dir {
        empty_dir(source, at.field("emptyDir"), errors);
    }
    if let Some(source) = &volume.host_path {
        host_path(source, at.field("hostPath"), errors);
    }
    if let Some(source) = &volume.config_map {
        let at = at.field("configMap");
        if source.name.is_empty() {
            errors.push(FieldError::required(at.field("name"), ""));
        }
        files(source.default_mode, source.items.as_deref(), at, errors);
    }
    if let Some(source) = &volume.secret {
        let at = at.field("secret");
        if source.secret_name.as_deref().unwrap_or_default().is_empty() {
            errors.push(FieldError::required(at.field("secretName"), ""));
        }
        files(source.default_mode, source.items.as_deref(), at, errors);
    }
    if let Some(source) = &volume.downward_api {
        let at = at.field("downwardAPI");
        file_mode(source.default_mode, at.field("defaultMode"), errors);
        for file in source.items.iter().flatten() {
            downward::file(file, at, errors);
        }
    }
    if let Some(source) = &volume.projected {
        projected::check(source, at.field("projected"), errors);
    }
}

fn empty_dir(source: &EmptyDirVolumeSource, at: Path<'_>, errors: &mut FieldErrors) {
    let limit = source.size_limit.as_ref().and_then(|q| Quantity::parse(&q.0).ok());
    if limit.is_some_and(Quantity::is_negative) {
        let text = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(at.field("sizeLimit"), text));
    }
}

fn host_path(source: &HostPathVolumeSource, at: Path<'_>, errors: &mut FieldErrors) {
    if source.path.is_empty() {
        errors.push(FieldError::required(at.field("path"), ""));
    }
    no_backsteps(&source.path, at.field("path"), errors);
    let kind = source.type_.as_deref().unwrap_or_default();
    if !HOST_PATH_TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(at.field("type"), kind, &HOST_PATH_TYPES));
    }
}

fn no_backsteps(path: &str, at: Path<'_>, errors: &mut FieldErrors) {
    if path.split('/').any(|part| part == "..") {
        errors.push(FieldError::invalid(at, path, "must not contain '..'"));
    }
}

fn files(mode: Option<i32>, items: Option<&[KeyToPath]>, at: Path<'_>, errors: &mut FieldErrors) {
    file_mode(mode, at.field("defaultMode"), errors);
    for (i, item) in items.into_iter().flatten().enumerate() {
        key_to_path(item, at.field("items").index(i), errors);
    }
}

/// Everything wrong with a key that becomes a file.
pub(super) fn key_to_path(item: &KeyToPath, at: Path<'_>, errors: &mut FieldErrors) {
    if item.key.is_empty() {
        errors.push(FieldError::required(at.field("key"), ""));
    }
    if item.path.is_empty() {
        errors.push(FieldError::required(at.field("path"), ""));
    }
    local_path(&item.path, at.field("path"), errors);
    file_mode(item.mode, at.field("mode"), errors);
}

/// A path within a volume that is not one of the volume's own names, which begin with `..`.
pub(super) fn local_path(path: &str, at: Path<'_>, errors: &mut FieldErrors) {
    descending_path(path, at, errors);
    if path.starts_with("..") && !path.starts_with("../") {
        errors.push(FieldError::invalid(at, path, "must not start with '..'"));
    }
}

/// A path within a volume.
pub(super) fn descending_path(path: &str, at: Path<'_>, errors: &mut FieldErrors) {
    if path.starts_with('/') {
        errors.push(FieldError::invalid(at, path, "must be a relative path"));
    }
    no_backsteps(path, at, errors);
}

/// Permission bits of a file.
pub(super) fn file_mode(mode: Option<i32>, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        let text = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(FieldError::invalid(at, mode, text));
    }
}
