//! Manifests and indexes: OCI's, and Docker's schema 2, which differ in media types alone.

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, limits::LAYERS_MAX};

/// What a registry is told we read, indexes first.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Layers that only a machine of some vendor may distribute.
const FOREIGN: &str = "foreign";

/// Content by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    #[serde(default)]
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) platform: Option<Platform>,
    #[serde(default)]
    pub(crate) annotations: std::collections::BTreeMap<String, String>,
}

/// What machine an image is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) variant: String,
}

/// One image: its configuration and its layers, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// What a manifest document turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Vec<Descriptor>),
}

impl Document {
    /// Reads a document by its content: what stands in it says what it is, whatever its media type.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Raw {
            schema_version: u32,
            config: Option<Descriptor>,
            layers: Option<Vec<Descriptor>>,
            manifests: Option<Vec<Descriptor>>,
        }
        let raw: Raw = serde_json::from_slice(bytes)
            .map_err(|error| Error::Broken(format!("manifest: {error}")))?;
        match (raw.schema_version, raw.config, raw.layers, raw.manifests) {
            (2, Some(config), Some(layers), None) => {
                if layers.len() > LAYERS_MAX {
                    return Err(Error::Limit {
                        what: "the number of layers",
                        limit: LAYERS_MAX as u64,
                    });
                }
                if let Some(layer) = layers.iter().find(|l| l.media_type.contains(FOREIGN)) {
                    let kind = &layer.media_type;
                    return Err(Error::Broken(format!("layers of type {kind} are not supported")));
                }
                Ok(Self::Manifest(Manifest { config, layers }))
            }
            (2, None, None, Some(manifests)) => Ok(Self::Index(manifests)),
            (1, ..) => Err(Error::Broken("manifests of schema 1 are not supported".to_owned())),
            _ => Err(Error::Broken("manifest: neither an image nor an index".to_owned())),
        }
    }
}

/// The architecture of this machine, as OCI names it.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// Which image of an index is for a Linux machine of this architecture: of several variants the one
/// without, then the first.
pub(crate) fn choose<'d>(
    manifests: &'d [Descriptor],
    architecture: &str,
) -> Result<&'d Descriptor, Error> {
    let fits = |d: &&Descriptor| match &d.platform {
        Some(platform) => platform.os == "linux" && platform.architecture == architecture,
        None => false,
    };
    let plain = |d: &&Descriptor| d.platform.as_ref().is_some_and(|p| p.variant.is_empty());
    let fitting = || manifests.iter().filter(fits);
    // A layout of a single image need not say for which machine.
    let only = || match manifests {
        [one] if one.platform.is_none() => Some(one),
        _ => None,
    };
    let chosen = fitting().find(plain).or_else(|| fitting().next()).or_else(only);
    chosen.ok_or_else(|| Error::Platform(architecture.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn index(platforms: &[(&str, &str, &str)]) -> Vec<Descriptor> {
        let descriptor = |(i, (os, architecture, variant)): (usize, &(&str, &str, &str))| {
            json!({
                "digest": Digest::of(&[u8::try_from(i).unwrap()]), "size": 1,
                "platform": {"os": os, "architecture": architecture, "variant": variant},
            })
        };
        let manifests: Vec<_> = platforms.iter().enumerate().map(descriptor).collect();
        let document = json!({"schemaVersion": 2, "manifests": manifests});
        match Document::read(document.to_string().as_bytes()).unwrap() {
            Document::Index(manifests) => manifests,
            Document::Manifest(_) => panic!("it is an index"),
        }
    }

    #[test]
    fn the_platform_of_the_machine_is_chosen() {
        let all = index(&[
            ("windows", "amd64", ""),
            ("linux", "arm64", "v8"),
            ("linux", "amd64", "v3"),
            ("linux", "amd64", ""),
            ("unknown", "unknown", ""),
        ]);
        assert_eq!(choose(&all, "amd64").unwrap(), &all[3]);
        assert_eq!(choose(&all, "arm64").unwrap(), &all[1]);
        let error = choose(&all, "riscv64").unwrap_err().to_string();
        assert_eq!(error, "no match for platform linux/riscv64 in manifest");
    }

    #[test]
    fn documents_that_are_no_image_are_refused() {
        let many = vec![json!({"digest": Digest::of(b""), "size": 1}); LAYERS_MAX + 1];
        for (document, why) in [
            (json!({"schemaVersion": 1, "fsLayers": []}), "schema 1"),
            (json!({"schemaVersion": 2}), "neither"),
            (json!({"schemaVersion": 2, "manifests": [{"digest": "md5:1"}]}), "digest"),
            (json!({"schemaVersion": 2, "config": many[0], "layers": many}), "limit of 127"),
        ] {
            let error = Document::read(document.to_string().as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
