//! The kubeconfig: what a client needs to reach the server, as an entry among others in a file that
//! may belong to somebody else.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::certificates::Certificates;
use crate::{exit::Failure, files};

/// Cluster, user and context are called so.
const NAME: &str = "coracle";

/// Brings the entry up to date. A file that says so already is not touched.
///
/// # Errors
/// The file cannot be read or written, or is no kubeconfig.
pub(super) fn write(path: &Path, url: &str, certificates: &Certificates) -> Result<(), Failure> {
    let trouble = |why: &dyn std::fmt::Display| {
        Failure::engine(format!("the kubeconfig {}: {why}", path.display()))
    };
    let found = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(trouble(&error)),
    };
    let old = read(&found).map_err(|why| trouble(&why))?;
    let new = merge(old.clone(), url, certificates).map_err(|why| trouble(&why))?;
    if new == old && is_private(path) {
        return Ok(());
    }
    let text = text(&new).map_err(|error| trouble(&error))?;
    // Other people's entries are in it: what is written must mean what was read.
    if read(&text).as_ref() != Ok(&new) {
        return Err(trouble(&"it has values that cannot be written again; choose another file"));
    }
    if let Some(directory) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| trouble(&error))?;
    }
    files::replace(path, text.as_bytes()).map_err(|error| trouble(&error))
}

fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 == 0)
}

fn read(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_saphyr::from_str(text) {
        Ok(Value::Object(config)) => Ok(config),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("it is not a mapping".to_owned()),
        Err(error) => Err(error.without_snippet().to_string()),
    }
}

/// As YAML, with each value on one line where that is possible.
fn text(config: &Map<String, Value>) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(config, options)
}

/// The configuration with our entries in it. Others stay as they are; the current context is ours
/// only in a file that has no other.
fn merge(
    mut config: Map<String, Value>,
    url: &str,
    certificates: &Certificates,
) -> Result<Map<String, Value>, String> {
    let pem = |text: &str| BASE64_STANDARD.encode(text);
    for (field, value) in [("apiVersion", "v1"), ("kind", "Config")] {
        if *config.entry(field).or_insert_with(|| value.into()) != *value {
            return Err(format!("{field} is not {value}"));
        }
    }
    let cluster = json!({
        "server": url,
        "certificate-authority-data": pem(&certificates.authority.certificate),
    });
    let user = json!({
        "client-certificate-data": pem(&certificates.client.certificate),
        "client-key-data": pem(&certificates.client.key),
    });
    *entry(&mut config, "clusters", "cluster")? = cluster;
    *entry(&mut config, "users", "user")? = user;
    let context = entry(&mut config, "contexts", "context")?;
    // A namespace that somebody chose stays chosen.
    if !context.is_object() {
        *context = json!({});
    }
    context["cluster"] = NAME.into();
    context["user"] = NAME.into();
    let contexts = config["contexts"].as_array().into_iter().flatten();
    if contexts.filter(|context| context["name"] != NAME).count() == 0 {
        config.insert("current-context".to_owned(), NAME.into());
    }
    Ok(config)
}

/// Our entry in one of the lists, made if it is not there: `{"name": "coracle", <part>: {…}}`.
fn entry<'a>(
    config: &'a mut Map<String, Value>,
    list: &str,
    part: &str,
) -> Result<&'a mut Value, String> {
    let entries = config.entry(list).or_insert(Value::Null);
    if entries.is_null() {
        *entries = json!([]);
    }
    let entries = entries.as_array_mut().ok_or_else(|| format!("{list} is not a list"))?;
    let at = entries.iter().position(|entry| entry["name"] == NAME).unwrap_or_else(|| {
        entries.push(json!({"name": NAME}));
        entries.len() - 1
    });
    Ok(&mut entries[at][part])
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use jiff::Timestamp;

    use super::{super::certificates::renew, *};

    fn certificates() -> Certificates {
        renew(None, "127.0.0.1", Timestamp::from_second(1_800_000_000).unwrap()).unwrap()
    }

    /// What becomes of a file, without what is secret or random.
    fn check(found: &str, wanted: Expect) {
        let merged =
            read(found).and_then(|config| merge(config, "https://127.0.0.1:6443", &certificates()));
        let text = match merged {
            Ok(mut config) => {
                for list in ["clusters", "users"] {
                    for entry in config[list].as_array_mut().unwrap() {
                        for (_, value) in entry.as_object_mut().into_iter().flatten() {
                            hide(value);
                        }
                    }
                }
                super::text(&config).unwrap()
            }
            Err(error) => format!("error: {error}\n"),
        };
        wanted.assert_eq(&text);
    }

    fn hide(part: &mut Value) {
        for (name, value) in part.as_object_mut().into_iter().flatten() {
            if name.ends_with("-data") {
                let pem = BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
                let first = String::from_utf8(pem).unwrap().lines().next().unwrap().to_owned();
                *value = first.into();
            }
        }
    }

    #[test]
    fn a_file_of_its_own_points_to_the_server() {
        check(
            "",
            expect![[r#"
            apiVersion: v1
            clusters:
            - cluster:
                certificate-authority-data: -----BEGIN CERTIFICATE-----
                server: https://127.0.0.1:6443
              name: coracle
            contexts:
            - context:
                cluster: coracle
                user: coracle
              name: coracle
            current-context: coracle
            kind: Config
            users:
            - name: coracle
              user:
                client-certificate-data: -----BEGIN CERTIFICATE-----
                client-key-data: -----BEGIN PRIVATE KEY-----
        "#]],
        );
        check(
            "contexts:\n- {name: coracle, context: {namespace: etl}}\ncurrent-context: ''",
            expect![[r#"
                apiVersion: v1
                clusters:
                - cluster:
                    certificate-authority-data: -----BEGIN CERTIFICATE-----
                    server: https://127.0.0.1:6443
                  name: coracle
                contexts:
                - context:
                    cluster: coracle
                    namespace: etl
                    user: coracle
                  name: coracle
                current-context: coracle
                kind: Config
                users:
                - name: coracle
                  user:
                    client-certificate-data: -----BEGIN CERTIFICATE-----
                    client-key-data: -----BEGIN PRIVATE KEY-----
            "#]],
        );
    }

    #[test]
    fn what_others_wrote_stays_and_so_does_their_context() {
        check(
            r#"
apiVersion: v1
kind: Config
preferences: {}
current-context: prod
clusters:
- {name: prod, cluster: {server: "https://prod:443", insecure-skip-tls-verify: true}}
- {name: coracle, cluster: {server: "https://127.0.0.1:1", proxy-url: "http://old"}}
contexts:
- {name: prod, context: {cluster: prod, user: me, namespace: "123"}}
users:
- name: me
  user:
    username: "true"
    password: "0x10"
    exec: {apiVersion: client.authentication.k8s.io/v1, command: "a: b", args: ["-", "~", ""], env: null}
extensions: [{name: x, extension: {number: 1.5, big: 12345678901, text: "line\nline: # no comment\n"}}]
"#,
            expect![[r#"
                apiVersion: v1
                clusters:
                - cluster:
                    insecure-skip-tls-verify: true
                    server: https://prod:443
                  name: prod
                - cluster:
                    certificate-authority-data: -----BEGIN CERTIFICATE-----
                    server: https://127.0.0.1:6443
                  name: coracle
                contexts:
                - context:
                    cluster: prod
                    namespace: "123"
                    user: me
                  name: prod
                - context:
                    cluster: coracle
                    user: coracle
                  name: coracle
                current-context: prod
                extensions:
                - extension:
                    big: 12345678901
                    number: 1.5
                    text: "line\nline: # no comment\n"
                  name: x
                kind: Config
                preferences: {}
                users:
                - name: me
                  user:
                    exec:
                      apiVersion: client.authentication.k8s.io/v1
                      args:
                      - '-'
                      - "~"
                      - ""
                      command: "a: b"
                      env: null
                    password: "0x10"
                    username: "true"
                - name: coracle
                  user:
                    client-certificate-data: -----BEGIN CERTIFICATE-----
                    client-key-data: -----BEGIN PRIVATE KEY-----
            "#]],
        );
    }

    #[test]
    fn what_is_no_kubeconfig_is_left_alone() {
        check(
            "[1, 2]",
            expect![[r#"
            error: it is not a mapping
        "#]],
        );
        check(
            "kind: Pod",
            expect![[r#"
            error: kind is not Config
        "#]],
        );
        check(
            "clusters: {}",
            expect![[r#"
            error: clusters is not a list
        "#]],
        );
        check(
            "a: [",
            expect![[r#"
            error: unclosed bracket '[' at line 1, column 4
        "#]],
        );
    }

    #[test]
    fn a_file_that_says_so_already_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, certificates) = (dir.path().join("new/config"), certificates());
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write(&path, "https://a:1", &certificates).unwrap();
        let first = inode();
        write(&path, "https://a:1", &certificates).unwrap();
        assert_eq!((inode(), mode()), (first, 0o600));
        // Its key may have been read by others; what is written now is private again.
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        write(&path, "https://a:1", &certificates).unwrap();
        assert_eq!(mode(), 0o600);
        write(&path, "https://a:2", &certificates).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("https://a:2"));
    }
}
