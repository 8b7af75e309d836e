//! Projected volumes: several sources in one directory.

use std::collections::BTreeSet;

use super::{
    downward,
    volume::{FILE_MODE, file_mode, key_to_path, local_path},
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{
        KeyToPath, ProjectedVolumeSource, ServiceAccountTokenProjection, VolumeProjection,
    },
};

/// How long a token is good that does not say how long, seconds.
const TOKEN_EXPIRATION_S: i64 = 3600;
/// The shortest life of a token, seconds.
const TOKEN_EXPIRATION_MIN_S: i64 = 600;
/// The longest, seconds.
const TOKEN_EXPIRATION_MAX_S: i64 = 1 << 32;

/// Fills in what the volume leaves out.
pub(super) fn defaults(source: &mut ProjectedVolumeSource) {
    source.default_mode.get_or_insert(FILE_MODE);
    for source in source.sources.iter_mut().flatten() {
        if let Some(source) = &mut source.downward_api {
            downward::defaults(source.items.as_mut());
        }
        if let Some(source) = &mut source.service_account_token {
            source.expiration_seconds.get_or_insert(TOKEN_EXPIRATION_S);
        }
    }
}

/// Everything wrong with the volume.
pub(super) fn check(source: &ProjectedVolumeSource, at: Path<'_>, errors: &mut FieldErrors) {
    file_mode(source.default_mode, at.field("defaultMode"), errors);
    let mut paths = Paths { at, taken: BTreeSet::new() };
    for (i, source) in source.sources.iter().flatten().enumerate() {
        let one = at.field("sources");
        let one = one.index(i);
        if let Some(source) = &source.secret {
            let items = source.items.as_deref();
            keys(&source.name, items, one.field("secret"), &mut paths, errors);
        }
        if let Some(source) = &source.config_map {
            let items = source.items.as_deref();
            keys(&source.name, items, one.field("configMap"), &mut paths, errors);
        }
        if let Some(source) = &source.downward_api {
            for file in source.items.iter().flatten() {
                downward::file(file, one.field("downwardAPI"), errors);
                paths.take(&file.path, &file.path, errors);
            }
        }
        if let Some(source) = &source.service_account_token {
            token(source, at, one.field("serviceAccountToken"), errors);
        }
        if count(source) > 1 {
            let text = "may not specify more than 1 volume type per source";
            errors.push(FieldError::forbidden(one, text));
        }
    }
}

/// The paths of the files of all sources so far.
struct Paths<'a> {
    /// Where the volume is: what upstream blames for a path that is there twice.
    at: Path<'a>,
    taken: BTreeSet<String>,
}

impl Paths<'_> {
    fn take(&mut self, path: &str, shown: &str, errors: &mut FieldErrors) {
        if !path.is_empty() && !self.taken.insert(path.to_owned()) {
            errors.push(FieldError::invalid(self.at, shown, "conflicting duplicate paths"));
        }
    }
}

fn keys(
    name: &str,
    items: Option<&[KeyToPath]>,
    at: Path<'_>,
    paths: &mut Paths<'_>,
    errors: &mut FieldErrors,
) {
    if name.is_empty() {
        errors.push(FieldError::required(at.field("name"), ""));
    }
    for (i, item) in items.into_iter().flatten().enumerate() {
        key_to_path(item, at.field("items").index(i), errors);
        paths.take(&item.path, name, errors);
    }
}

/// Upstream blames the volume, not the source, for a wrong path.
fn token(
    source: &ServiceAccountTokenProjection,
    volume: Path<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let expiration_s = source.expiration_seconds.unwrap_or(TOKEN_EXPIRATION_S);
    let wrong = if expiration_s < TOKEN_EXPIRATION_MIN_S {
        Some("may not specify a duration less than 10 minutes")
    } else if expiration_s > TOKEN_EXPIRATION_MAX_S {
        Some("may not specify a duration larger than 2^32 seconds")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        errors.push(FieldError::invalid(at.field("expirationSeconds"), expiration_s, wrong));
    }
    match source.path.as_str() {
        "" => errors.push(FieldError::required(volume.field("path"), "")),
        path => local_path(path, volume.field("path"), errors),
    }
}

fn count(source: &VolumeProjection) -> usize {
    let set = [
        source.secret.is_some(),
        source.config_map.is_some(),
        source.downward_api.is_some(),
        source.service_account_token.is_some(),
        source.cluster_trust_bundle.is_some(),
        source.pod_certificate.is_some(),
    ];
    set.into_iter().filter(|set| *set).count()
}
