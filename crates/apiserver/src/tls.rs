//! TLS 1.3 in front of the API: the server's certificate, and what a client's certificate says of
//! it. Whoever shows none may connect, for the few public paths. Whoever shows a wrong one may too,
//! and is told 401 by HTTP, which every client explains better than a broken handshake.

use std::{io, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
        SignatureScheme,
        client::danger::HandshakeSignatureValid,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer, UnixTime,
            pem::{self, PemObject as _},
        },
        server::{
            VerifierBuilderError, WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
        version::TLS13,
    },
    server::TlsStream,
};

use crate::caller::Caller;

/// Where TLS clients come in.
#[derive(Debug)]
pub struct TlsListener {
    /// Bound and listening.
    pub listener: TcpListener,
    /// What the server shows of itself; a new value counts for every connection from then on.
    pub identity: watch::Receiver<Identity>,
}

/// The server's certificate with its key, and the authority whose clients it knows. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    acceptor: TlsAcceptor,
    clients: Arc<dyn ClientCertVerifier>,
}

/// Why certificate and keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum BadIdentity {
    #[error("not PEM: {0}")]
    Pem(#[from] pem::Error),
    #[error("{0}")]
    Tls(#[from] Error),
    #[error("the certificate authority: {0}")]
    Authority(#[from] VerifierBuilderError),
}

impl Identity {
    /// From PEM: the server's certificate, its key, and the authority that signed the clients'.
    ///
    /// # Errors
    /// When one of them cannot be read, or key and certificate do not belong together.
    pub fn from_pem(certificate: &str, key: &str, authority: &str) -> Result<Self, BadIdentity> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(Unjudged(Arc::clone(&clients))))
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes())?],
                PrivateKeyDer::from_pem_slice(key.as_bytes())?,
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(config).into(), clients })
    }

    /// Shakes hands and finds out who is there.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        now: Timestamp,
    ) -> io::Result<(TlsStream<TcpStream>, Caller)> {
        // Answers and watch events are written whole: waiting for more only delays them.
        stream.set_nodelay(true)?;
        let stream = self.acceptor.accept(stream).await?;
        let caller = self.caller(stream.get_ref().1.peer_certificates().unwrap_or_default(), now);
        Ok((stream, caller))
    }

    /// Judged anew for each connection: a session that is resumed shows the certificate of its
    /// beginning, which may have expired since.
    fn caller(&self, certificates: &[CertificateDer<'static>], now: Timestamp) -> Caller {
        let Some((first, others)) = certificates.split_first() else { return Caller::Anonymous };
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match self.clients.verify_client_cert(first, others, now) {
            Ok(_) => Caller::Admin,
            Err(error) => {
                tracing::info!(%error, "a client shows a wrong certificate");
                Caller::Stranger
            }
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Lets every certificate through the handshake whose key the client has; [`Identity::caller`]
/// judges it afterwards.
#[derive(Debug)]
struct Unjudged(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Unjudged {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
