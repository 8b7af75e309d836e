//! How clients on this machine reach a server of `coracle up` by Kubernetes' own way: a TLS
//! listener, the certificates behind it, which are made anew in time also while the server runs,
//! and the kubeconfig that hands them out.

mod certificates;
mod kubeconfig;

use std::{
    convert::Infallible,
    fs, io,
    net::{IpAddr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use apiserver::{Identity, TlsEndpoint, TlsListener};
use jiff::Timestamp;
use tokio::sync::watch;

use self::certificates::{Certificates, renew};
use crate::{clock, exit::Failure, files};

/// Between two looks whether a certificate has to be made anew, in seconds. Not one timer for the
/// day when it is due: a machine that sleeps, or gets its clock set, would miss it.
const LOOK_S: u64 = 12 * 3600;

/// Where a server is to be reached.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The address to listen on; port 0 is any that is free.
    pub(crate) listen: SocketAddr,
    /// The file that tells clients.
    pub(crate) kubeconfig: PathBuf,
}

/// What a server shows to be believed, and where that is kept.
pub(super) struct Papers {
    /// What the server is called beside its usual names.
    name: String,
    file: PathBuf,
    certificates: Certificates,
}

impl Papers {
    /// Certificates that are there and good are used again.
    pub(super) fn prepare(reach: &Reach, data_dir: &Path, now: Timestamp) -> Result<Self, Failure> {
        let file = data_dir.join("tls.json");
        let name = name(reach.listen.ip());
        let found = read(&file)?;
        let certificates = made(renew(found.clone(), &name, now))?;
        if found.as_ref() != Some(&certificates) {
            write(&file, &certificates)?;
        }
        Ok(Self { name, file, certificates })
    }

    /// The certificate of the authority that signed all others, as PEM.
    pub(super) fn authority(&self) -> &str {
        &self.certificates.authority.certificate
    }
}

/// The TLS side of a server.
pub(super) struct Tls {
    kubeconfig: PathBuf,
    url: String,
    papers: Papers,
    identity: watch::Sender<Identity>,
}

impl Tls {
    /// Listens, and writes the kubeconfig.
    pub(super) fn open(reach: &Reach, papers: Papers) -> Result<(Self, TlsListener), Failure> {
        let listener = bind(reach.listen)?;
        let trouble = |error: io::Error| Failure::engine(format!("{}: {error}", reach.listen));
        let url = url(listener.local_addr().map_err(trouble)?);
        let kubeconfig = reach.kubeconfig.clone();
        kubeconfig::write(&kubeconfig, &url, &papers.certificates)?;
        let (identity, shown) = watch::channel(identity(&papers.file, &papers.certificates)?);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(trouble)?;
        let tls = Self { kubeconfig, url, papers, identity };
        Ok((tls, TlsListener { listener, identity: shown }))
    }

    /// Where clients find the server.
    pub(super) fn endpoint(&self) -> TlsEndpoint {
        TlsEndpoint { url: self.url.clone(), kubeconfig: self.kubeconfig.clone() }
    }

    /// Makes certificates anew in time, for as long as the server lives.
    pub(super) async fn keep_valid(&mut self) -> Infallible {
        loop {
            tokio::time::sleep(Duration::from_secs(LOOK_S)).await;
            if let Err(failure) = self.renew(clock::now()) {
                // The old ones are good for a month yet, and so many tries.
                tracing::error!(error = failure.message, "certificates cannot be renewed");
            }
        }
    }

    fn renew(&mut self, now: Timestamp) -> Result<(), Failure> {
        let Papers { name, file, certificates } = &mut self.papers;
        let renewed = made(renew(Some(certificates.clone()), name, now))?;
        if renewed == *certificates {
            return Ok(());
        }
        write(file, &renewed)?;
        self.identity.send_replace(identity(file, &renewed)?);
        *certificates = renewed;
        tracing::info!(kubeconfig = %self.kubeconfig.display(), "certificates renewed");
        kubeconfig::write(&self.kubeconfig, &self.url, certificates)
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        let mend = match error.kind() {
            io::ErrorKind::AddrInUse => "; choose another with --listen, port 0 is any free one",
            io::ErrorKind::AddrNotAvailable => "; choose one of this machine's with --listen",
            _ => "",
        };
        Failure::engine(format!("cannot listen on {address}: {error}{mend}"))
    })
}

/// What the certificate has to call a server that listens on this address. One that listens on all
/// of them is called by the machine's name.
fn name(address: IpAddr) -> String {
    if address.is_unspecified() {
        return rustix::system::uname().nodename().to_string_lossy().into_owned();
    }
    address.to_string()
}

/// What a client on this machine connects to.
fn url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip([127, 0, 0, 1].into()),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            address.set_ip(std::net::Ipv6Addr::LOCALHOST.into());
        }
        _ => {}
    }
    format!("https://{address}")
}

fn read(file: &Path) -> Result<Option<Certificates>, Failure> {
    match fs::read(file) {
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| broken(file, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::engine(format!("{}: {error}", file.display()))),
    }
}

fn write(file: &Path, certificates: &Certificates) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(certificates).expect("certificates are plain data");
    let written = files::replace(file, &json);
    written.map_err(|error| Failure::engine(format!("{}: {error}", file.display())))
}

fn made(renewed: Result<Certificates, rcgen::Error>) -> Result<Certificates, Failure> {
    renewed.map_err(|error| Failure::engine(format!("cannot make certificates: {error}")))
}

fn identity(file: &Path, certificates: &Certificates) -> Result<Identity, Failure> {
    let Certificates { authority, server, .. } = certificates;
    Identity::from_pem(&server.certificate, &server.key, &authority.certificate)
        .map_err(|error| broken(file, &error))
}

fn broken(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::engine(format!(
        "{} is damaged: {why}; remove it, and new certificates are made at the next start",
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[tokio::test]
    async fn a_running_server_renews_its_certificates_and_tells_its_clients() {
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("kubeconfig");
        let listen = "127.0.0.1:0".parse().unwrap();
        let reach = Reach { listen, kubeconfig: kubeconfig.clone() };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let (mut tls, listener) =
            Tls::open(&reach, Papers::prepare(&reach, dir.path(), now).unwrap()).unwrap();
        let told = fs::read(&kubeconfig).unwrap();
        tls.renew(now + SignedDuration::from_hours(300 * 24)).unwrap();
        assert!(!listener.identity.has_changed().unwrap(), "they are good for a while");
        tls.renew(now + SignedDuration::from_hours(340 * 24)).unwrap();
        assert!(listener.identity.has_changed().unwrap());
        assert_ne!(fs::read(&kubeconfig).unwrap(), told);
        assert_eq!(
            read(&tls.papers.file).unwrap(),
            Some(tls.papers.certificates),
            "the next server has them too"
        );
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_this_machine() {
        for (address, wanted) in [
            ("127.0.0.1:6443", "https://127.0.0.1:6443"),
            ("[::1]:1", "https://[::1]:1"),
            ("10.0.0.7:1", "https://10.0.0.7:1"),
            ("0.0.0.0:1", "https://127.0.0.1:1"),
            ("[::]:1", "https://[::1]:1"),
        ] {
            assert_eq!(url(address.parse().unwrap()), wanted);
        }
    }
}
