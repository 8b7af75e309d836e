//! The contract of `up`: its one line, its kubeconfig, and who gets in with it.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::space::{Space, UP};

/// What a kubeconfig says of `coracle`.
struct Access {
    address: SocketAddr,
    authority: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

fn kubeconfig(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn named<'a>(config: &'a Value, list: &str, name: &str) -> &'a Value {
    let mut entries = config[list].as_array().unwrap().iter();
    entries.find(|entry| entry["name"] == name).unwrap()
}

impl Access {
    fn read(path: &Path) -> Self {
        let config = kubeconfig(path);
        let cluster = &named(&config, "clusters", "coracle")["cluster"];
        let user = &named(&config, "users", "coracle")["user"];
        let pem = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
        let url = cluster["server"].as_str().unwrap();
        Self {
            address: url.strip_prefix("https://").unwrap().parse().unwrap(),
            authority: pem(&cluster["certificate-authority-data"]),
            certificate: pem(&user["client-certificate-data"]),
            key: pem(&user["client-key-data"]),
        }
    }

    /// The code of the answer to a GET.
    fn get(&self, path: &str, with_certificate: bool) -> u16 {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.authority).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = if with_certificate {
            let chain = vec![CertificateDer::from_pem_slice(&self.certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(&self.key).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        } else {
            config.with_no_client_auth()
        };
        let tls = ClientConnection::new(Arc::new(config), self.address.ip().into()).unwrap();
        let mut stream = StreamOwned::new(tls, TcpStream::connect(self.address).unwrap());
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// The file that a ready line names, and the address.
fn ready(line: &str) -> (SocketAddr, PathBuf) {
    let rest = line.trim_end().strip_prefix("ready https://").unwrap();
    let (address, file) = rest.split_once(" kubeconfig=").unwrap();
    (address.parse().unwrap(), file.into())
}

#[test]
fn one_line_says_where_it_is_and_the_kubeconfig_opens_it() {
    let space = Space::new();
    let mut up = space.start(&UP);
    let line = up.line();
    let (address, file) = ready(&line);
    assert_eq!(file, space.data().join("kubeconfig"));
    let (config, access) = (kubeconfig(&file), Access::read(&file));
    assert_eq!(config["current-context"], "coracle");
    assert_eq!(access.address, address);
    let answers = [("/api/v1/pods", true), ("/api/v1/pods", false), ("/livez", false)]
        .map(|(path, with_certificate)| access.get(path, with_certificate));
    assert_eq!(answers, [200, 401, 200]);
    for file in [&file, &space.data().join("tls.json"), &space.data().join("server.sock")] {
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    let (_, map) = space.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
    let map: Value = serde_json::from_str(&map).unwrap();
    let shown = CertificateDer::from_pem_slice(map["data"]["ca.crt"].as_str().unwrap().as_bytes());
    let trusted = CertificateDer::from_pem_slice(&access.authority).unwrap();
    assert_eq!(shown.unwrap(), trusted, "every namespace holds what verifies the server");
    let text = space.run(&["status"]).expect(0).out;
    assert!(text.contains(&format!("https://{address}, kubeconfig {}", file.display())), "{text}");
    space.run(&["down"]).expect(0);
    assert_eq!(up.finish().expect(0).out, format!("{line}\n"));
    space.nothing_left();
}

#[test]
fn a_restart_keeps_certificates_and_clients() {
    let space = Space::new();
    let started = space.run(&[&UP[..], &["-d"]].concat()).expect(0);
    let (address, file) = ready(&started.out);
    let (before, access) = (fs::read(&file).unwrap(), Access::read(&file));
    space.run(&["down"]).expect(0);
    space.run(&["up", "-d", "--listen", &address.to_string()]).expect(0);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(access.get("/api/v1/pods", true), 200);
    space.run(&["down"]).expect(0);
    assert!(space.run(&["status"]).expect(0).out.contains("no server holds"));
    space.nothing_left();
}

#[test]
fn a_port_that_is_taken_and_certificates_that_are_damaged_are_said_with_the_mend() {
    let space = Space::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = space.run(&["up", "--listen", &address]).expect(125);
    refused.says(&format!("cannot listen on {address}")).says("choose another with --listen");
    fs::write(space.data().join("tls.json"), "{").unwrap();
    space.run(&UP).expect(125).says("tls.json is damaged").says("remove it");
    space.nothing_left();
}

#[test]
fn what_others_have_in_the_kubeconfig_stays() {
    let space = Space::new();
    let others = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "t"}}]}"#;
    let file = space.file("config", others);
    // A relative path means the directory of whoever types it, also with -d.
    let started = space.run(&[&UP[..], &["-d", "--kubeconfig", "config"]].concat()).expect(0);
    assert_eq!(ready(&started.out).1, file.canonicalize().unwrap());
    let (config, others) = (kubeconfig(&file), serde_json::from_str::<Value>(others).unwrap());
    assert_eq!(config["current-context"], "prod");
    for (list, name) in [("clusters", "prod"), ("contexts", "prod"), ("users", "me")] {
        assert_eq!(named(&config, list, name), &others[list][0]);
    }
    assert_eq!(Access::read(&file).get("/api/v1/pods", true), 200);
    space.run(&["down"]).expect(0);
    space.nothing_left();
}

#[test]
fn an_address_that_others_can_reach_is_warned_about() {
    let space = Space::new();
    let started = space.run(&["up", "-d", "--listen", "0.0.0.0:0"]).expect(0);
    assert!(started.err.starts_with("warning: other machines can reach 0.0.0.0:0"));
    assert_eq!(Access::read(&ready(&started.out).1).get("/api/v1/pods", true), 200);
    space.run(&["down"]).expect(0);
    space.nothing_left();
}
