//! `spec.hostAliases`: lines of a pod's `/etc/hosts`.

use core::net::IpAddr;

use super::meta::push_all;
use crate::{FieldError, FieldErrors, path::Path, types::core::v1::HostAlias, validate};

/// Everything wrong with them.
pub(super) fn check(aliases: &[HostAlias], at: Path<'_>, errors: &mut FieldErrors) {
    for (index, alias) in aliases.iter().enumerate() {
        let at = at.index(index);
        if let Some(wrong) = wrong_address(&alias.ip) {
            errors.push(FieldError::invalid(at.field("ip"), alias.ip.as_str(), wrong));
        }
        let at = at.field("hostnames");
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            push_all(errors, at.index(index), name, validate::dns_subdomain(name));
        }
    }
}

/// What is wrong with an address; upstream reads leading zeros, to say that it does not want them.
fn wrong_address(text: &str) -> Option<&'static str> {
    let parsed = |text: &str| text.parse::<IpAddr>().ok();
    match parsed(text) {
        Some(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => {
            Some("must not be an IPv4-mapped IPv6 address")
        }
        Some(_) => None,
        None if parsed(&without_zeros(text)).is_some() => Some("must not have leading 0s"),
        None => Some("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    }
}

fn without_zeros(text: &str) -> String {
    let short = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    text.split('.').map(short).collect::<Vec<_>>().join(".")
}
