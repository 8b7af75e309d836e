//! The key of a server, and what it signs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use serde::{Deserialize, Serialize};

use crate::{Claims, ISSUER};

/// How far clocks may be apart, seconds.
const LEEWAY_S: i64 = 10;

/// Signs tokens, and knows its own again.
pub struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    /// The first part of every token, encoded.
    header: String,
}

/// The key is damaged, or there is no randomness to make one.
#[derive(Debug, thiserror::Error)]
#[error("the key that signs tokens cannot be used")]
pub struct BadKey;

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is no token of this server's.
    #[error("not a token of this server")]
    Foreign,
    /// It is not good yet, or no longer.
    #[error("the token has expired, or begins later")]
    Expired,
    /// It is good for somebody else.
    #[error("the token is for another audience")]
    Audience,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// The claims in the form in which they travel, with those that follow from others.
#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(flatten)]
    claims: Claims,
    iss: String,
    jti: String,
    nbf: i64,
    sub: String,
}

impl Signer {
    /// A new key, in the form that [`new`](Self::new) takes (PKCS #8): a secret.
    ///
    /// # Errors
    /// Without randomness.
    pub fn generate() -> Result<Vec<u8>, BadKey> {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|_| BadKey)?;
        Ok(key.as_ref().to_vec())
    }

    /// Whoever has this key.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(key: &[u8]) -> Result<Self, BadKey> {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::from_pkcs8(kind, key, &random).map_err(|_| BadKey)?;
        let kid = BASE64.encode(digest(&SHA256, key.public_key().as_ref()));
        let header = encoded(&Header { alg: "ES256".to_owned(), kid });
        Ok(Self { key, random, header })
    }

    /// A token that says this.
    ///
    /// # Errors
    /// Without randomness.
    pub fn sign(&self, claims: &Claims) -> Result<String, BadKey> {
        let mut claims = claims.clone();
        if claims.audiences.is_empty() {
            claims.audiences.push(ISSUER.to_owned());
        }
        let payload = encoded(&Payload {
            iss: ISSUER.to_owned(),
            jti: self.id()?,
            nbf: claims.issued_s,
            sub: claims.user(),
            claims,
        });
        let text = format!("{}.{payload}", self.header);
        let signature = self.key.sign(&self.random, text.as_bytes()).map_err(|_| BadKey)?;
        Ok(format!("{text}.{}", BASE64.encode(signature)))
    }

    /// What a token says and its id, if it is this server's own and good now for this audience.
    ///
    /// # Errors
    /// Why it is not.
    pub fn read(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<(Claims, String), Invalid> {
        let (text, signature) = token.rsplit_once('.').ok_or(Invalid::Foreign)?;
        let (header, payload) = text.split_once('.').ok_or(Invalid::Foreign)?;
        if header != self.header {
            return Err(Invalid::Foreign);
        }
        let signature = BASE64.decode(signature).map_err(|_| Invalid::Foreign)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key())
            .verify(text.as_bytes(), &signature)
            .map_err(|_| Invalid::Foreign)?;
        let payload = BASE64.decode(payload).map_err(|_| Invalid::Foreign)?;
        let payload: Payload = serde_json::from_slice(&payload).map_err(|_| Invalid::Foreign)?;
        let Payload { claims, nbf, jti, .. } = payload;
        let now_s = now.as_second();
        if claims.expires_s < now_s || nbf > now_s + LEEWAY_S {
            return Err(Invalid::Expired);
        }
        match claims.audiences.iter().any(|of_token| of_token == audience) {
            true => Ok((claims, jti)),
            false => Err(Invalid::Audience),
        }
    }

    /// A random uuid.
    fn id(&self) -> Result<String, BadKey> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes).map_err(|_| BadKey)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        Ok(parts.join("-"))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

fn encoded(value: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(value).expect("plain data is JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bound, Reference};

    fn signer() -> Signer {
        Signer::new(&Signer::generate().unwrap()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claims() -> Claims {
        let reference =
            |name: &str| Reference { name: name.to_owned(), uid: format!("{name}-uid") };
        Claims {
            audiences: vec![],
            issued_s: 1000,
            expires_s: 4600,
            bound: Bound {
                namespace: "ns".to_owned(),
                node: Some(reference("node")),
                pod: Some(reference("pod")),
                secret: None,
                serviceaccount: reference("account"),
                warn_after_s: None,
            },
        }
    }

    #[test]
    fn a_token_is_read_by_whoever_signed_it_while_it_is_good() {
        let signer = signer();
        let token = signer.sign(&claims()).unwrap();
        let (read, id) = signer.read(&token, ISSUER, at(4600)).unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(read, Claims { audiences: vec![ISSUER.to_owned()], ..claims() });
        assert_eq!(read.user(), "system:serviceaccount:ns:account");
        assert_eq!(signer.read(&token, ISSUER, at(4601)), Err(Invalid::Expired));
        assert!(signer.read(&token, ISSUER, at(995)).is_ok(), "clocks differ a little");
        assert_eq!(signer.read(&token, ISSUER, at(900)), Err(Invalid::Expired));
        assert_eq!(signer.read(&token, "vault", at(1000)), Err(Invalid::Audience));
    }

    #[test]
    fn a_token_says_what_upstreams_say() {
        let token = signer().sign(&claims()).unwrap();
        let parts: Vec<serde_json::Value> = token
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0]["alg"], "ES256");
        let mut payload = parts[1].clone();
        let id = payload.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 36);
        let reference =
            |name: &str| serde_json::json!({"name": name, "uid": format!("{name}-uid")});
        let wanted = serde_json::json!({
            "aud": [ISSUER], "iss": ISSUER, "iat": 1000, "nbf": 1000, "exp": 4600,
            "sub": "system:serviceaccount:ns:account",
            "kubernetes.io": {
                "namespace": "ns", "node": reference("node"), "pod": reference("pod"),
                "serviceaccount": reference("account"),
            },
        });
        assert_eq!(payload, wanted);
    }

    #[test]
    fn what_was_signed_by_others_or_changed_is_foreign() {
        let (own, other) = (signer(), signer());
        let token = own.sign(&claims()).unwrap();
        let foreign = other.sign(&claims()).unwrap();
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let [_, other_payload, other_signature] = foreign.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let none = BASE64.encode(r#"{"alg":"none"}"#);
        for wrong in [
            String::new(),
            "a.b.c".to_owned(),
            foreign.clone(),
            format!("{header}.{other_payload}.{signature}"),
            format!("{header}.{payload}.{other_signature}"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            format!("{none}.{payload}."),
            format!("{token}x"),
        ] {
            assert_eq!(own.read(&wrong, ISSUER, at(2000)), Err(Invalid::Foreign), "{wrong}");
        }
    }
}
