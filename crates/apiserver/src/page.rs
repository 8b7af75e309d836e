//! The token that continues a list: opaque to clients, base64 of what upstream's holds.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kinds::{Key, Revision, StatusError};
use serde::{Deserialize, Serialize};

use crate::answer::bad_request;

/// Where the next page goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The revision that all pages show; `None` for the newest, after the first one expired.
    pub(crate) revision: Option<Revision>,
    /// The last object sent: namespace and name.
    pub(crate) after: (String, String),
}

#[derive(Deserialize, Serialize)]
struct Wire {
    v: String,
    rv: i64,
    start: String,
}

const VERSION: &str = "meta.k8s.io/v1";

impl Page {
    /// The page that follows the object with this key.
    pub(crate) fn after(revision: Revision, key: &Key) -> Self {
        Self { revision: Some(revision), after: (key.namespace.to_string(), key.name.to_string()) }
    }

    /// Whether an object belongs to this page or a later one.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        (&*key.namespace, &*key.name) > (&*self.after.0, &*self.after.1)
    }

    pub(crate) fn token(&self) -> String {
        let wire = Wire {
            v: VERSION.to_owned(),
            rv: self.revision.map_or(-1, |revision| revision.try_into().unwrap_or(i64::MAX)),
            start: format!("{}/{}", self.after.0, self.after.1),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).expect("a token serialises"))
    }

    /// Reads a token back.
    ///
    /// # Errors
    /// 400 for anything that [`Page::token`] did not make.
    pub(crate) fn parse(token: &str) -> Result<Self, StatusError> {
        Self::read(token).map_err(|why| {
            bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        })
    }

    fn read(token: &str) -> Result<Self, String> {
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|error| error.to_string())?;
        let wire: Wire = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        let (namespace, name) = wire.start.split_once('/').ok_or("no key to start after")?;
        if wire.v != VERSION {
            return Err(format!("unknown version {:?}", wire.v));
        }
        let revision = match wire.rv {
            -1 => None,
            rv => Some(rv.try_into().map_err(|_| "a negative revision")?),
        };
        Ok(Self { revision, after: (namespace.to_owned(), name.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use kinds::Kind;

    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_does() {
        let page = Page::after(7, &Key::new(Kind::Pod, "ns", "p.1"));
        let newest = Page { revision: None, ..page.clone() };
        for page in [page, newest] {
            assert_eq!(Page::parse(&page.token()), Ok(page));
        }
        for token in ["x", "!", "e30", ""] {
            let error = Page::parse(token).unwrap_err().message;
            assert!(error.starts_with("invalid continue token: continue key is not valid: "));
        }
    }
}
