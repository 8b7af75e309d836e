//! Frames of SPDY/3.1, as clients of exec, attach and port-forward send them. The first byte says where
//! the rest is cut in two; what is said must not depend on it.

use apiserver::{SpdyDecoder, SpdyFrame};

pub(crate) fn fuzz(data: &[u8]) {
    let Some((cut, rest)) = data.split_first() else { return };
    let cut = usize::from(*cut).min(rest.len());
    let (first, second) = rest.split_at(cut);
    let whole = said(&[rest]);
    assert_eq!(whole, said(&[first, second]));
    let bytes: usize = whole.data.iter().map(|(_, data)| data.len()).sum();
    assert!(bytes <= rest.len(), "more data than there was");
}

/// What came, whatever the pieces of data were.
#[derive(Debug, Default, PartialEq)]
struct Said {
    frames: Vec<SpdyFrame>,
    /// By stream; one that is still under way may end without a piece.
    data: Vec<(u32, Vec<u8>)>,
    wrong: Option<&'static str>,
}

fn said(parts: &[&[u8]]) -> Said {
    let (mut said, mut decoder) = (Said::default(), SpdyDecoder::default());
    for part in parts {
        decoder.buffer().extend_from_slice(part);
        loop {
            match decoder.next() {
                Ok(None) => break,
                Ok(Some(SpdyFrame::Data { stream, bytes, .. })) => {
                    let last = said.data.last_mut().filter(|(of, _)| *of == stream);
                    match last {
                        Some((_, data)) => data.extend_from_slice(&bytes),
                        None if bytes.is_empty() => {}
                        None => said.data.push((stream, bytes.to_vec())),
                    }
                }
                Ok(Some(frame)) => said.frames.push(frame),
                Err(wrong) => {
                    said.wrong = Some(wrong);
                    return said;
                }
            }
        }
    }
    said
}
