//! What every answer carries, whatever it says: the id under which a request can be talked about,
//! and compression, where the answer is large and the client takes it.

use hyper::{
    HeaderMap, Response,
    body::Body as _,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, VARY},
};
use kinds::Uid;

use crate::{
    body::Body,
    limits::{AUDIT_ID_BYTES_MAX, COMPRESSED_BYTES_MIN},
};

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What the head of a request says of the answer's.
#[derive(Debug)]
pub(crate) struct Envelope {
    audit_id: HeaderValue,
    gzip: bool,
}

impl Envelope {
    /// `random` makes the id, unless the client brings one.
    pub(crate) fn of(headers: &HeaderMap, random: u128) -> Self {
        let given = headers.get(AUDIT_ID);
        let given = given.filter(|id| (1..=AUDIT_ID_BYTES_MAX).contains(&id.len()));
        let made = || {
            let id = Uid::from_random(random).to_string();
            HeaderValue::from_str(&id).expect("hexadecimal digits")
        };
        Self { audit_id: given.cloned().unwrap_or_else(made), gzip: takes_gzip(headers) }
    }

    /// Puts an answer in.
    pub(crate) fn seal(self, mut answer: Response<Body>) -> Response<Body> {
        answer.headers_mut().insert(AUDIT_ID, self.audit_id);
        // What comes with time has no size, and is sent as it comes.
        let large = answer.body().size_hint().exact().is_some_and(|b| b > COMPRESSED_BYTES_MIN);
        if !self.gzip || !large {
            return answer;
        }
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        answer.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
        answer.map(Body::compressed)
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(ACCEPT_ENCODING).iter();
    let texts = texts.map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default());
    texts.flat_map(|text| text.split(',')).any(|clause| {
        let mut parts = clause.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let refused =
            parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        gzip && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(headers: &[(&'static str, &str)], bytes: usize) -> HeaderMap {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let envelope = Envelope::of(&headers.collect(), 7);
        let sealed = envelope.seal(Response::new(Body::whole(vec![b'x'; bytes])));
        sealed.headers().clone()
    }

    #[test]
    fn what_is_large_is_compressed_for_who_takes_it() {
        let large = COMPRESSED_BYTES_MIN as usize + 1;
        for (accepted, bytes, compressed) in [
            ("gzip", large, true),
            ("deflate, GZIP;q=0.5", large, true),
            ("gzip", large - 1, false),
            ("gzip;q=0", large, false),
            ("identity", large, false),
            ("*", large, false),
        ] {
            let headers = sealed(&[("accept-encoding", accepted)], bytes);
            assert_eq!(headers.contains_key(CONTENT_ENCODING), compressed, "{accepted} {bytes}");
        }
    }

    #[test]
    fn a_request_keeps_the_id_it_brings_if_it_is_short() {
        let made = "00000000-0000-4000-8000-000000000007";
        let long = "x".repeat(AUDIT_ID_BYTES_MAX + 1);
        for (given, id) in [("a-b", "a-b"), ("", made), (&long, made)] {
            assert_eq!(sealed(&[("audit-id", given)], 1)[AUDIT_ID], id);
        }
        assert_eq!(sealed(&[], 1)[AUDIT_ID], made);
    }
}
