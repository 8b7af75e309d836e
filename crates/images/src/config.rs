//! The configuration of an image: how its containers run unless the pod says otherwise.

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, limits::LAYERS_MAX};

/// What containers of an image run as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunConfig {
    /// `ENTRYPOINT`
    pub entrypoint: Vec<String>,
    /// `CMD`
    pub cmd: Vec<String>,
    /// `ENV`: `NAME=value` each.
    pub env: Vec<String>,
    /// `USER`: `user[:group]`, names or numbers; empty for root.
    pub user: String,
    /// `WORKDIR`
    pub working_dir: String,
    /// `STOPSIGNAL`: a name or a number; empty for SIGTERM.
    pub stop_signal: String,
    /// `VOLUME`: paths.
    pub volumes: Vec<String>,
}

/// A configuration document, as far as it is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) run: RunConfig,
    /// Digests of the layers as they are unpacked, the lowest first.
    pub(crate) diff_ids: Vec<Digest>,
}

impl Config {
    /// Reads a document; `architecture` is this machine's.
    pub(crate) fn read(bytes: &[u8], architecture: &str) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_slice(bytes)
            .map_err(|error| Error::Broken(format!("image configuration: {error}")))?;
        let other = |found: &str, own: &str| !found.is_empty() && found != own;
        if other(&raw.os, "linux") || other(&raw.architecture, architecture) {
            return Err(Error::Broken(format!(
                "the image is for {}/{}, this machine is linux/{architecture}",
                raw.os, raw.architecture
            )));
        }
        if raw.rootfs.diff_ids.len() > LAYERS_MAX {
            return Err(Error::Limit { what: "the number of layers", limit: LAYERS_MAX as u64 });
        }
        let config = raw.config.unwrap_or_default();
        let run = RunConfig {
            entrypoint: config.entrypoint.unwrap_or_default(),
            cmd: config.cmd.unwrap_or_default(),
            env: config.env.unwrap_or_default(),
            user: config.user,
            working_dir: config.working_dir,
            stop_signal: config.stop_signal,
            volumes: config.volumes.unwrap_or_default().into_keys().collect(),
        };
        Ok(Self { run, diff_ids: raw.rootfs.diff_ids })
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    config: Option<RawRun>,
    rootfs: RawRoot,
}

#[derive(Deserialize)]
struct RawRoot {
    diff_ids: Vec<Digest>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawRun {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    user: String,
    working_dir: String,
    stop_signal: String,
    volumes: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_matters_is_read() {
        let text = r#"{"os":"linux","architecture":"amd64","created":"x","config":{
            "Entrypoint":["/e"],"Cmd":null,"Env":["A=1"],"User":"app:staff","WorkingDir":"/w",
            "StopSignal":"SIGINT","Volumes":{"/data":{}},"Labels":null},
            "rootfs":{"type":"layers","diff_ids":[]}}"#;
        let config = Config::read(text.as_bytes(), "amd64").unwrap();
        let expected = RunConfig {
            entrypoint: vec!["/e".to_owned()],
            env: vec!["A=1".to_owned()],
            user: "app:staff".to_owned(),
            working_dir: "/w".to_owned(),
            stop_signal: "SIGINT".to_owned(),
            volumes: vec!["/data".to_owned()],
            ..RunConfig::default()
        };
        assert_eq!(config.run, expected);
        let error = Config::read(text.as_bytes(), "arm64").unwrap_err().to_string();
        assert_eq!(error, "the image is for linux/amd64, this machine is linux/arm64");
    }
}
