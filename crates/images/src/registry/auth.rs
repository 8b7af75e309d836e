//! What a registry wants to know of us when it answers 401: a name and a password, or a token from
//! somewhere else.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{
    credentials::Login,
    http::{self, Ask},
    url::Url,
};
use crate::Error;

/// The longest answer of a token server, bytes.
const TOKEN_BYTES_MAX: u64 = 256 << 10;

/// `WWW-Authenticate`
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

/// `name="value"` or `name=value`, with commas between; commas in quotes belong to the value.
fn parameters(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ']);
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name, value.to_owned()));
        rest = next;
    }
    found
}

/// The `Authorization` that answers a challenge.
pub(super) async fn answer(
    registry: &Url,
    challenge: &Challenge,
    repository: &str,
    login: Option<&Login>,
    ca: Option<&Path>,
) -> Result<Option<String>, Error> {
    match (challenge, login) {
        (Challenge::Basic, Some(Login::Password { user, password })) => {
            Ok(Some(basic(user, password)))
        }
        (Challenge::Basic, _) => Ok(None),
        (Challenge::Bearer { realm, service, scope }, login) => {
            let realm = Url::parse(realm)?;
            if registry.tls && !realm.tls {
                let why = format!("wants a token from {realm}, which has no TLS");
                return Err(http::trouble(registry, why));
            }
            let own = format!("repository:{repository}:pull");
            let scope = scope.as_deref().unwrap_or(&own);
            token(&realm, service.as_deref(), scope, login, ca).await.map(Some)
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

async fn token(
    realm: &Url,
    service: Option<&str>,
    scope: &str,
    login: Option<&Login>,
    ca: Option<&Path>,
) -> Result<String, Error> {
    let mut query = format!("scope={}", escaped(scope));
    if let Some(service) = service {
        query += &format!("&service={}", escaped(service));
    }
    let authorization = match login {
        Some(Login::Password { user, password }) => Some(basic(user, password)),
        Some(Login::Refresh(token)) => Some(format!("Bearer {token}")),
        None => None,
    };
    let glue = if realm.path.contains('?') { '&' } else { '?' };
    let path = if realm.path.is_empty() { "/" } else { &realm.path };
    let url = Url { path: format!("{path}{glue}{query}"), ..realm.clone() };
    let answer = http::get(&Ask { url, headers: Vec::new(), authorization, ca }).await?;
    let status = answer.status();
    if !status.is_success() {
        return Err(match status.as_u16() {
            401 | 403 => Error::Unauthorized(realm.authority.clone()),
            code => http::trouble(realm, format!("gives no token: status {code}")),
        });
    }
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let bytes = http::whole(realm, answer.into_body(), TOKEN_BYTES_MAX).await?;
    let answer: Answer = serde_json::from_slice(&bytes)
        .map_err(|error| http::trouble(realm, format!("gives no token: {error}")))?;
    let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| http::trouble(realm, "gives no token".to_owned()))?;
    Ok(format!("Bearer {token}"))
}

/// For a query: what is no plain letter as its bytes in hexadecimal.
fn escaped(text: &str) -> String {
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b':' | b'/');
    let mut escaped = String::new();
    for byte in text.bytes() {
        match plain(byte) {
            true => escaped.push(char::from(byte)),
            false => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let header = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.docker.io/token".to_owned(),
            service: Some("registry.docker.io".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(Challenge::parse(header), Some(expected));
        let bare =
            Challenge::Bearer { realm: "https://a.io".to_owned(), service: None, scope: None };
        assert_eq!(Challenge::parse("bearer realm=https://a.io, error=x"), Some(bare));
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }
}
