//! The certificates of one data directory: an authority of its own, which signs the server's and
//! the one client's. All are a value in one file, so that they are always there together.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use serde::{Deserialize, Serialize};

/// How long the authority is valid, in days.
const AUTHORITY_DAYS: i64 = 3650;

/// How long the certificates are valid that it signs, in days.
const LEAF_DAYS: i64 = 365;

/// How long before its end a certificate is made anew, in days.
const RENEWED_DAYS_BEFORE: i64 = 30;

/// How far a certificate's beginning lies in the past, in hours: clocks differ.
const BACKDATED_HOURS: i64 = 1;

/// The names by which clients may call the server on this machine, or will inside a pod.
const NAMES: &[&str] = &[
    "127.0.0.1",
    "::1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Everything that TLS needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificates {
    pub(super) authority: Certificate,
    pub(super) server: Certificate,
    /// What the server's certificate calls it.
    server_names: Vec<String>,
    pub(super) client: Certificate,
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate {
    pub(super) certificate: String,
    pub(super) key: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// What has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// These two, or one of them.
    Signed {
        server: bool,
        client: bool,
    },
    /// The authority, and with it what it signs.
    Everything,
}

/// What has to be made anew, where the server is also called `name`.
fn due(certificates: &Certificates, name: &str, now: Timestamp) -> Due {
    let lasts = |certificate: &Certificate, days: i64| {
        certificate.not_before <= now && now + days_of(days) < certificate.not_after
    };
    // Nothing that an authority signs may outlive it.
    if !lasts(&certificates.authority, LEAF_DAYS) {
        return Due::Everything;
    }
    let server = !lasts(&certificates.server, RENEWED_DAYS_BEFORE)
        || names(name).iter().any(|name| !certificates.server_names.contains(name));
    let client = !lasts(&certificates.client, RENEWED_DAYS_BEFORE);
    if server || client { Due::Signed { server, client } } else { Due::Nothing }
}

/// The certificates for a server that is also called `name`: those there are, as long as they are
/// good, or new ones.
///
/// # Errors
/// A key that is there cannot be read, or the machine gives no randomness.
pub(super) fn renew(
    found: Option<Certificates>,
    name: &str,
    now: Timestamp,
) -> Result<Certificates, rcgen::Error> {
    let due = found.as_ref().map_or(Due::Everything, |found| due(found, name, now));
    let (authority, server, client) = match (due, found) {
        (Due::Nothing, Some(found)) => return Ok(found),
        (Due::Signed { server, client }, Some(found)) => (
            found.authority,
            (!server).then_some((found.server, found.server_names)),
            (!client).then_some(found.client),
        ),
        _ => (new_authority(now)?, None, None),
    };
    let issuer = Issuer::new(authority_params(), KeyPair::from_pem(&authority.key)?);
    let (server, server_names) = match server {
        Some(kept) => kept,
        None => (sign(&issuer, server_params(name)?, now)?, names(name)),
    };
    let client = match client {
        Some(kept) => kept,
        None => sign(&issuer, client_params(), now)?,
    };
    Ok(Certificates { authority, server, server_names, client })
}

fn names(name: &str) -> Vec<String> {
    let mut names: Vec<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
    if !NAMES.contains(&name) {
        names.push(name.to_owned());
    }
    names
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "coracle");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    params
}

fn server_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names(name))?;
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn client_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, apiserver::ADMIN_GROUP);
    params.distinguished_name.push(DnType::CommonName, apiserver::ADMIN_USER);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn new_authority(now: Timestamp) -> Result<Certificate, rcgen::Error> {
    let (not_before, not_after) = validity(AUTHORITY_DAYS, now);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = valid(authority_params(), not_before, not_after).self_signed(&key)?;
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    Ok(Certificate { certificate, key, not_before, not_after })
}

fn sign(
    issuer: &Issuer<'_, KeyPair>,
    mut params: CertificateParams,
    now: Timestamp,
) -> Result<Certificate, rcgen::Error> {
    let (not_before, not_after) = validity(LEAF_DAYS, now);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = valid(params, not_before, not_after).signed_by(&key, issuer)?;
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    Ok(Certificate { certificate, key, not_before, not_after })
}

fn validity(days: i64, now: Timestamp) -> (Timestamp, Timestamp) {
    (now - SignedDuration::from_hours(BACKDATED_HOURS), now + days_of(days))
}

fn days_of(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

fn valid(
    mut params: CertificateParams,
    not_before: Timestamp,
    not_after: Timestamp,
) -> CertificateParams {
    params.not_before = std::time::SystemTime::from(not_before).into();
    params.not_after = std::time::SystemTime::from(not_after).into();
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + days_of(days)
    }

    #[test]
    fn each_is_renewed_in_time_and_the_authority_outlives_what_it_signs() {
        let made = renew(None, "127.0.0.1", at(0)).unwrap();
        let client = renew(None, "127.0.0.1", at(100)).unwrap().client;
        let younger = Certificates { client, ..made };
        let signed = |server, client| Due::Signed { server, client };
        for (day, name, wanted) in [
            (100, "127.0.0.1", Due::Nothing),
            (100, "::1", Due::Nothing),
            (100, "10.0.0.7", signed(true, false)),
            (334, "127.0.0.1", Due::Nothing),
            (335, "127.0.0.1", signed(true, false)),
            (434, "127.0.0.1", signed(true, false)),
            (435, "127.0.0.1", signed(true, true)),
            (3284, "127.0.0.1", signed(true, true)),
            (3285, "127.0.0.1", Due::Everything),
            // The clock was wrong when they were made.
            (50, "127.0.0.1", signed(false, true)),
            (-1, "127.0.0.1", Due::Everything),
        ] {
            assert_eq!(due(&younger, name, at(day)), wanted, "day {day}, {name}");
        }
    }

    #[test]
    fn what_is_good_is_kept_and_what_is_renewed_lasts() {
        let first = renew(None, "127.0.0.1", at(0)).unwrap();
        assert_eq!(renew(Some(first.clone()), "127.0.0.1", at(300)).unwrap(), first);
        let second = renew(Some(first.clone()), "127.0.0.1", at(340)).unwrap();
        assert_eq!(second.authority, first.authority);
        assert_ne!(second.server, first.server);
        assert_ne!(second.client, first.client);
        for day in (340..9000).step_by(100) {
            let certificates = renew(Some(second.clone()), "10.0.0.7", at(day)).unwrap();
            assert_eq!(due(&certificates, "10.0.0.7", at(day)), Due::Nothing, "day {day}");
            assert!(certificates.server.not_after <= certificates.authority.not_after);
            assert!(certificates.client.not_after <= certificates.authority.not_after);
        }
    }
}
