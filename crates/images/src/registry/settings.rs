//! `registries.yaml` in the data directory: mirrors, authorities, and registries without TLS.
//!
//! ```yaml
//! registries:
//!   docker.io:
//!     mirrors: [https://mirror.example.com, http://127.0.0.1:5000]
//!   registry.internal:5000:
//!     ca: /etc/ssl/internal.pem
//!   old.internal:
//!     plainHttp: true
//! ```
//! Mirrors are asked in order, then the registry itself. A registry on loopback has no TLS unless
//! `plainHttp: false` says so.

use std::{
    collections::BTreeMap,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

use super::url::Url;
use crate::{Error, error::io_error, reference::DEFAULT_REGISTRY};

/// The file in the data directory.
const FILE: &str = "registries.yaml";
/// Where Docker Hub really is.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// How registries are reached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Registries {
    #[serde(default)]
    registries: BTreeMap<String, Settings>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    mirrors: Vec<String>,
    #[serde(default)]
    plain_http: Option<bool>,
    #[serde(default)]
    ca: Option<PathBuf>,
}

/// Where an image can be had.
pub(crate) struct Endpoint {
    pub(crate) base: Url,
    /// Whom to trust beside the machine's own authorities.
    pub(crate) ca: Option<PathBuf>,
    /// Whether it stands in for another: it gets no credentials of that one.
    pub(crate) mirror: bool,
}

impl Registries {
    /// Reads the file of a data directory; there need not be one.
    ///
    /// # Errors
    /// The file cannot be read or is not as described.
    pub fn read(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(io_error(path.display())(error)),
        };
        let broken = |why: String| Error::Broken(format!("{}: {why}", path.display()));
        let all: Self = serde_saphyr::from_str(&text).map_err(|error| broken(error.to_string()))?;
        for mirror in all.registries.values().flat_map(|settings| &settings.mirrors) {
            Url::parse(mirror).map_err(|error| broken(error.to_string()))?;
        }
        Ok(all)
    }

    /// Where images of a registry can be had, in the order to try.
    pub(crate) fn endpoints(&self, registry: &str) -> Result<Vec<Endpoint>, Error> {
        let none = Settings::default();
        let settings = self.registries.get(registry).unwrap_or(&none);
        let mut endpoints = Vec::new();
        for mirror in &settings.mirrors {
            let base = Url::parse(mirror)?;
            let own = self.registries.get(&base.authority);
            endpoints.push(Endpoint { ca: own.and_then(|s| s.ca.clone()), base, mirror: true });
        }
        let plain = settings.plain_http.unwrap_or_else(|| is_loopback(registry));
        let host = if registry == DEFAULT_REGISTRY { DOCKER_HUB } else { registry };
        let base = Url::parse(&format!("{}://{host}", if plain { "http" } else { "https" }))?;
        endpoints.push(Endpoint { base, ca: settings.ca.clone(), mirror: false });
        Ok(endpoints)
    }
}

fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// TLS with the machine's own authorities and perhaps another.
pub(super) fn connector(ca: Option<&Path>) -> Result<TlsConnector, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let broken = |why: String| Error::Broken(format!("{}: {why}", path.display()));
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|e| broken(e.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            roots.add(certificate).map_err(|error| broken(error.to_string()))?;
        }
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(file: &str, registry: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), file).unwrap();
        let all = Registries::read(directory.path()).unwrap();
        all.endpoints(registry).unwrap().iter().map(|e| e.base.to_string()).collect()
    }

    #[test]
    fn mirrors_come_first_and_loopback_has_no_tls() {
        let file = "registries:\n  docker.io:\n    mirrors: [https://m.io/prefix]\n  \
                    a.io:\n    plainHttp: true\n  localhost:5000:\n    plainHttp: false\n";
        assert_eq!(
            endpoints(file, "docker.io"),
            ["https://m.io/prefix", "https://registry-1.docker.io"]
        );
        assert_eq!(endpoints(file, "a.io"), ["http://a.io"]);
        assert_eq!(endpoints(file, "b.io:5000"), ["https://b.io:5000"]);
        assert_eq!(endpoints(file, "127.0.0.1:5000"), ["http://127.0.0.1:5000"]);
        assert_eq!(endpoints(file, "[::1]:5000"), ["http://[::1]:5000"]);
        assert_eq!(endpoints(file, "localhost:5000"), ["https://localhost:5000"]);
    }

    #[test]
    fn what_is_unknown_in_the_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        for (file, why) in [
            ("registries: {a.io: {mirror: x}}", "mirror"),
            ("registries: {a.io: {mirrors: [ftp://x]}}", "ftp://x"),
        ] {
            fs::write(directory.path().join(FILE), file).unwrap();
            let error = Registries::read(directory.path()).unwrap_err().to_string();
            assert!(error.contains(FILE) && error.contains(why), "{error}");
        }
    }
}
