//! User names and passwords, from what Docker and Kubernetes keep them in: `config.json`, Secrets of
//! type `kubernetes.io/dockerconfigjson`, and the older `.dockercfg`.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Reference, error::io_error, reference::DEFAULT_REGISTRY};

/// Who somebody is to registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// By registry, perhaps with a path below it.
    entries: BTreeMap<String, Login>,
}

/// A way to say who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Password {
        user: String,
        password: String,
    },
    /// A token that is exchanged for tokens.
    Refresh(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Credentials {
    /// Adds what a file or a Secret holds.
    ///
    /// # Errors
    /// It is no such file.
    pub fn add(&mut self, text: &str) -> Result<(), Error> {
        let broken = |why: String| Error::Broken(format!("docker configuration: {why}"));
        let all: Value = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
        let entries = if all.get("auths").is_some() { all["auths"].clone() } else { all };
        let Value::Object(entries) = entries else { return Err(broken("no object".to_owned())) };
        for (registry, entry) in entries {
            // Beside the registries of the older form there may be anything.
            let Ok(entry) = serde_json::from_value::<Entry>(entry) else { continue };
            if let Some(login) = login(entry).map_err(broken)? {
                self.entries.insert(normal(&registry), login);
            }
        }
        Ok(())
    }

    /// What `docker login` of this user left.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn of_user() -> Result<Self, Error> {
        let directory = std::env::var_os("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
        let mut credentials = Self::default();
        let Some(path) = directory.map(|directory| directory.join("config.json")) else {
            return Ok(credentials);
        };
        match fs::read_to_string(&path) {
            Ok(text) => credentials.add(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(path.display())(error)),
        }
        Ok(credentials)
    }

    /// Those for an image: of entries with paths the longest that fits.
    pub(crate) fn of(&self, reference: &Reference) -> Option<&Login> {
        let name = reference.name();
        let fits = |key: &str| {
            name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let fitting = self.entries.iter().filter(|(key, _)| fits(key));
        fitting.max_by_key(|(key, _)| key.len()).map(|(_, login)| login)
    }
}

fn login(entry: Entry) -> Result<Option<Login>, String> {
    if let Some(token) = entry.identitytoken.filter(|token| !token.is_empty()) {
        return Ok(Some(Login::Refresh(token)));
    }
    if let (Some(user), Some(password)) = (entry.username, entry.password) {
        return Ok(Some(Login::Password { user, password }));
    }
    let Some(auth) = entry.auth.filter(|auth| !auth.is_empty()) else { return Ok(None) };
    let plain = STANDARD.decode(auth.trim()).map_err(|error| format!("auth: {error}"))?;
    let plain = String::from_utf8(plain).map_err(|_| "auth: no text".to_owned())?;
    let (user, password) = plain.split_once(':').ok_or("auth: no colon in it")?;
    let password = password.trim_end_matches('\0').to_owned();
    Ok(Some(Login::Password { user: user.to_owned(), password }))
}

/// A registry as references name it.
fn normal(key: &str) -> String {
    let key = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or(key.strip_suffix("/v2")).unwrap_or(key);
    match key {
        "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY.to_owned(),
        key => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let mut credentials = Credentials::default();
        let auth = STANDARD.encode("me:pa:ss");
        credentials
            .add(&format!(
                r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{auth}"}}}}}}"#
            ))
            .unwrap();
        credentials
            .add(r#"{"a.io": {"username": "u", "password": "p", "email": "x"}, "a.io/deep": {"identitytoken": "t"}}"#)
            .unwrap();
        let of = |name: &str| credentials.of(&Reference::parse(name).unwrap()).cloned();
        let login = |user: &str, password: &str| {
            Some(Login::Password { user: user.to_owned(), password: password.to_owned() })
        };
        assert_eq!(of("busybox"), login("me", "pa:ss"));
        assert_eq!(of("a.io/tool"), login("u", "p"));
        assert_eq!(of("a.io/deep/tool"), Some(Login::Refresh("t".to_owned())));
        assert_eq!(of("a.io/deeper"), login("u", "p"));
        assert_eq!(of("b.io/tool"), None);
        assert!(credentials.add("[]").is_err());
        assert!(credentials.add(r#"{"auths": {"a.io": {"auth": "?"}}}"#).is_err());
    }
}
