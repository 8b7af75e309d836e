//! How a client wants to speak: what it offers, what is chosen, and the answer that says so. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, UPGRADE,
    },
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::{answer, body::Body};

/// The header by which clients of SPDY offer protocols, and by which one is chosen.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// What such a client is told that offers none of ours.
const ACCEPTED_PROTOCOLS: HeaderName =
    HeaderName::from_static("x-accepted-stream-protocol-versions");

/// What a key of WebSocket is hashed with, by RFC 6455.
const WEBSOCKET_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const SPDY: &str = "SPDY/3.1";

/// What is spoken on a connection from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// WebSocket, with this protocol; none is empty.
    WebSocket {
        protocol: &'static str,
        /// The answer to the client's key.
        accept: String,
    },
    /// SPDY/3.1, with this protocol on its streams.
    Spdy { protocol: &'static str },
}

/// What the server can speak of one kind of session.
pub(super) struct Protocols {
    pub(super) websocket: &'static [&'static str],
    pub(super) spdy: &'static [&'static str],
}

impl Speech {
    /// The first that a client offers and the server has.
    ///
    /// # Errors
    /// A refusal in upstream's words.
    pub(super) fn agree(
        headers: &HeaderMap,
        ours: &Protocols,
    ) -> Result<Self, Box<Response<Body>>> {
        let upgrades = words(headers, &CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"));
        let to = words(headers, &UPGRADE).next().filter(|_| upgrades).unwrap_or_default();
        if to.eq_ignore_ascii_case("websocket") {
            return websocket(headers, ours.websocket);
        }
        if to.eq_ignore_ascii_case(SPDY) {
            return spdy(headers, ours.spdy);
        }
        Err(Box::new(answer::refusal(&answer::bad_request("Upgrade request required"))))
    }

    /// The answer that changes the protocol.
    pub(super) fn answer(&self) -> Response<Body> {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let mut set = |name: HeaderName, value: &str| {
            let value = HeaderValue::from_str(value).expect("protocols and base64 are plain");
            response.headers_mut().insert(name, value);
        };
        set(CONNECTION, "Upgrade");
        match self {
            Self::WebSocket { protocol, accept } => {
                set(UPGRADE, "websocket");
                set(SEC_WEBSOCKET_ACCEPT, accept);
                if !protocol.is_empty() {
                    set(SEC_WEBSOCKET_PROTOCOL, protocol);
                }
            }
            Self::Spdy { protocol } => {
                set(UPGRADE, SPDY);
                set(STREAM_PROTOCOL, protocol);
            }
        }
        response
    }
}

fn websocket(
    headers: &HeaderMap,
    ours: &'static [&'static str],
) -> Result<Speech, Box<Response<Body>>> {
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "missing or bad WebSocket-Key".to_owned()));
    };
    let offered: Vec<&str> = words(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
    let none = [""];
    let offered = if offered.is_empty() { &none[..] } else { &offered };
    let Some(protocol) = first_of(offered, ours) else {
        return Err(refuse(StatusCode::FORBIDDEN, disagree(offered, ours)));
    };
    let text = [key.as_bytes(), WEBSOCKET_GUID.as_bytes()].concat();
    let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text));
    Ok(Speech::WebSocket { protocol, accept })
}

fn spdy(headers: &HeaderMap, ours: &'static [&'static str]) -> Result<Speech, Box<Response<Body>>> {
    if !headers.contains_key(&STREAM_PROTOCOL) {
        let text = format!(
            "unable to upgrade: header X-Stream-Protocol-Version does not exist in request with {} \
             headers",
            headers.keys_len()
        );
        return Err(refuse(StatusCode::BAD_REQUEST, text));
    }
    let offered: Vec<&str> = words(headers, &STREAM_PROTOCOL).collect();
    match first_of(&offered, ours) {
        Some(protocol) => Ok(Speech::Spdy { protocol }),
        None => {
            let mut response = refuse(StatusCode::FORBIDDEN, disagree(&offered, ours));
            for protocol in ours {
                let value = HeaderValue::from_static(protocol);
                response.headers_mut().append(ACCEPTED_PROTOCOLS, value);
            }
            Err(response)
        }
    }
}

fn first_of(offered: &[&str], ours: &'static [&'static str]) -> Option<&'static str> {
    offered.iter().find_map(|word| ours.iter().find(|our| *our == word)).copied()
}

fn disagree(offered: &[&str], ours: &[&str]) -> String {
    format!(
        "unable to upgrade: unable to negotiate protocol: client supports [{}], server accepts [{}]",
        offered.join(" "),
        ours.join(" ")
    )
}

fn refuse(code: StatusCode, text: String) -> Box<Response<Body>> {
    Box::new(answer::text(code, format!("{text}\n")))
}

/// The words of a header, over all its lines.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Protocols = Protocols { websocket: &["v5", "v4", ""], spdy: &["v4", "v3"] };

    fn agree(lines: &[(&str, &str)]) -> Result<Speech, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        Speech::agree(&headers, &OURS).map_err(|response| response.status().as_u16())
    }

    #[test]
    fn the_first_of_the_clients_protocols_that_is_ours_is_spoken() {
        let websocket = [("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")];
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let spoken = |offered: &[&'static str]| {
            let offered = offered.iter().map(|word| ("sec-websocket-protocol", *word));
            let lines: Vec<_> = websocket.into_iter().chain([key]).chain(offered).collect();
            match agree(&lines)? {
                Speech::WebSocket { protocol, accept } => {
                    // The example of RFC 6455.
                    assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                    Ok(protocol)
                }
                Speech::Spdy { .. } => panic!("SPDY"),
            }
        };
        assert_eq!(spoken(&[]), Ok(""));
        assert_eq!(spoken(&["x, v4, v5"]), Ok("v4"));
        assert_eq!(spoken(&["v5", "v4"]), Ok("v5"));
        assert_eq!(spoken(&["x"]), Err(403));
        assert_eq!(agree(&websocket), Err(400), "no key");
        let spdy = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];
        let offers = |word| [&spdy[..], &[("x-stream-protocol-version", word)]].concat();
        assert_eq!(agree(&offers("v3")), Ok(Speech::Spdy { protocol: "v3" }));
        assert_eq!(agree(&offers("v1")), Err(403));
        assert_eq!(agree(&spdy), Err(400));
        assert_eq!(agree(&[("upgrade", "websocket"), key]), Err(400), "no connection header");
        assert_eq!(agree(&[]), Err(400));
    }
}
