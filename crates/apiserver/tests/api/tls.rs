//! The API over TLS: who gets in with which certificate.

use std::{io, net::SocketAddr, rc::Rc, sync::Arc, time::SystemTime};

use apiserver::{Identity, TlsListener, serve};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream, UnixListener},
    sync::watch,
    task::spawn_local,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::harness::{Harness, clock, request, with_server};

/// An authority that signs whatever a test needs.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
struct Pair {
    certificate: String,
    key: String,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, usage: ExtendedKeyUsagePurpose, until: Timestamp) -> Pair {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_before = SystemTime::from(clock() - 100 * DAY).into();
        params.not_after = SystemTime::from(until).into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    fn client(&self) -> Pair {
        self.sign(ExtendedKeyUsagePurpose::ClientAuth, clock() + DAY)
    }

    fn identity(&self) -> Identity {
        // The test's client looks at the real clock, the server at the harness's.
        let until = "2100-01-01T00:00:00Z".parse().unwrap();
        let Pair { certificate, key } = self.sign(ExtendedKeyUsagePurpose::ServerAuth, until);
        Identity::from_pem(&certificate, &key, &self.pem).unwrap()
    }
}

/// The harness's server, also over TLS.
pub(crate) struct Door {
    address: SocketAddr,
    authority: Authority,
    identity: watch::Sender<Identity>,
}

impl Door {
    pub(crate) async fn open(harness: &Harness) -> Self {
        let authority = Authority::new();
        let (identity, shown) = watch::channel(authority.identity());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let unix = UnixListener::bind(harness.data_dir().join("other.sock")).unwrap();
        let server = Rc::clone(&harness.server);
        let tls = TlsListener { listener, identity: shown };
        spawn_local(serve(unix, Some(tls), server, std::future::pending()));
        Self { address, authority, identity }
    }

    async fn connect(&self, client: Option<&Pair>) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client {
            None => config.with_no_client_auth(),
            Some(Pair { certificate, key }) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(self.address.ip().into(), stream).await
    }

    /// The code of the answer, and its body.
    async fn get(&self, path: &str, client: Option<&Pair>) -> (u16, Bytes) {
        self.ask(request("GET", path, ""), client).await
    }

    /// The same without a certificate, for any request.
    pub(crate) async fn ask_bare(&self, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        self.ask(request, None).await
    }

    async fn ask(&self, request: Request<Full<Bytes>>, client: Option<&Pair>) -> (u16, Bytes) {
        let stream = self.connect(client).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let (mut sender, connection) =
            http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.unwrap();
        spawn_local(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        (head.status.as_u16(), body.collect().await.unwrap().to_bytes())
    }
}

const PODS: &str = "/api/v1/pods";

#[test]
fn a_certificate_of_its_own_opens_everything_and_none_opens_health_and_version() {
    with_server(async |harness| {
        let door = Door::open(harness).await;
        let own = door.authority.client();
        for (path, client, code) in [
            (PODS, Some(&own), 200),
            ("/livez", Some(&own), 200),
            (PODS, None, 401),
            ("/no/such/path", None, 401),
            ("/coracle/status", None, 401),
            ("/livez", None, 200),
            ("/readyz?verbose", None, 200),
            ("/version", None, 200),
        ] {
            assert_eq!(door.get(path, client).await.0, code, "{path} {}", client.is_some());
        }
        let status: serde_json::Value =
            serde_json::from_slice(&door.get(PODS, None).await.1).unwrap();
        assert_eq!(
            (&status["kind"], &status["reason"], &status["message"]),
            (&"Status".into(), &"Unauthorized".into(), &"Unauthorized".into())
        );
    });
}

#[test]
fn a_wrong_certificate_opens_nothing() {
    with_server(async |harness| {
        let door = Door::open(harness).await;
        let (client, server) =
            (ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth);
        for (what, wrong) in [
            ("of another authority", Authority::new().client()),
            ("expired", door.authority.sign(client, clock() - DAY)),
            ("a server's", door.authority.sign(server, clock() + DAY)),
        ] {
            for path in [PODS, "/livez", "/version"] {
                assert_eq!(door.get(path, Some(&wrong)).await.0, 401, "{what}: {path}");
            }
        }
    });
}

#[test]
fn a_new_identity_counts_from_the_next_connection_on() {
    with_server(async |harness| {
        let door = Door::open(harness).await;
        let own = door.authority.client();
        let shown = async || {
            let stream = door.connect(Some(&own)).await.unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].clone()
        };
        let first = shown().await;
        assert_eq!(shown().await, first);
        door.identity.send_replace(door.authority.identity());
        assert_ne!(shown().await, first);
        assert_eq!(door.get(PODS, Some(&own)).await.0, 200);
        // Those of another authority are known from now on, and no others.
        door.identity.send_replace(Authority::new().identity());
        assert!(door.connect(Some(&own)).await.is_err());
    });
}

/// In virtual time, which runs on as soon as everybody waits.
#[test]
fn who_says_nothing_is_let_go() {
    with_server(async |harness| {
        let door = Door::open(harness).await;
        let mut silent = TcpStream::connect(door.address).await.unwrap();
        let mut idle = door.connect(None).await.unwrap();
        tokio::time::pause();
        assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "no handshake");
        // TLS says goodbye or not; what counts is that nothing more comes.
        assert!(matches!(idle.read(&mut [0]).await, Ok(0) | Err(_)), "no request");
    });
}
