//! Response bodies. Objects go out as the bytes the store holds: nothing is serialised and nothing
//! copied, however many clients read the same object.

use std::{
    fmt,
    io::IoSlice,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt as _, stream};
use hyper::body::{Frame, SizeHint};
use kinds::{KindInfo, Object};
use tokio::sync::OwnedSemaphorePermit;

use crate::{compress::Compressed, metrics::Open};

/// A few pieces of bytes that go out together.
#[derive(Debug, Default)]
pub(crate) struct Chunk([Bytes; 3]);

impl Chunk {
    pub(crate) fn new(before: &'static [u8], middle: Bytes, after: &'static [u8]) -> Self {
        Self([Bytes::from_static(before), middle, Bytes::from_static(after)])
    }
}

impl From<Bytes> for Chunk {
    fn from(bytes: Bytes) -> Self {
        Self([bytes, Bytes::new(), Bytes::new()])
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)
    }

    fn advance(&mut self, mut count: usize) {
        for piece in &mut self.0 {
            let here = count.min(piece.len());
            piece.advance(here);
            count -= here;
        }
        assert_eq!(count, 0, "a chunk is not advanced beyond its end");
    }

    fn chunks_vectored<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.0.iter().filter(|piece| !piece.is_empty());
        into.iter_mut().zip(pieces).map(|(slot, piece)| *slot = IoSlice::new(piece)).count()
    }
}

/// The end of a stream that is not the end of what it shows: the connection breaks off, so that no
/// client takes one for the other.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server ends before the stream does")
    }
}

impl std::error::Error for Cut {}

/// What is sent after the head of an answer, and the place among the requests that it holds until
/// it is sent or given up.
#[derive(Default)]
pub(crate) struct Body {
    content: Content,
    _held: Option<(OwnedSemaphorePermit, Option<Open>)>,
}

#[derive(Default)]
enum Content {
    #[default]
    Empty,
    Whole(Bytes),
    List(List),
    Stream(Pin<Box<dyn Stream<Item = Result<Chunk, Cut>>>>),
}

impl Body {
    /// Bytes that are all there.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Content::Whole(bytes.into()).into()
    }

    /// A list of objects: `metadata` is the JSON of the list's own metadata.
    pub(crate) fn list(info: &KindInfo, metadata: &str, items: Vec<Arc<Object>>) -> Self {
        Content::List(List::new(info, metadata, items)).into()
    }

    /// Pieces that come with time. The client gets each at once; one that does not read holds
    /// nothing but the stream's own state.
    pub(crate) fn stream(stream: impl Stream<Item = Chunk> + 'static) -> Self {
        Self::stream_or_cut(stream.map(Ok))
    }

    /// The same of pieces that may stop before their end, which the client has to be told.
    pub(crate) fn stream_or_cut(stream: impl Stream<Item = Result<Chunk, Cut>> + 'static) -> Self {
        Content::Stream(Box::pin(stream)).into()
    }

    /// The same, compressed; not for streams.
    pub(crate) fn compressed(self) -> Self {
        let content = match self.content {
            Content::Whole(bytes) => compressed(std::iter::once(Chunk::from(bytes))),
            Content::List(list) => compressed(list),
            other @ (Content::Empty | Content::Stream(_)) => other,
        };
        Self { content, ..self }
    }

    /// Holds a place among the requests until the body is gone, and counts as open.
    pub(crate) fn holding(self, permit: OwnedSemaphorePermit, open: Option<Open>) -> Self {
        Self { _held: Some((permit, open)), ..self }
    }
}

fn compressed(pieces: impl Iterator<Item = Chunk> + 'static) -> Content {
    Content::Stream(Box::pin(stream::iter(Compressed::new(pieces)).map(Ok)))
}

impl From<Content> for Body {
    fn from(content: Content) -> Self {
        Self { content, _held: None }
    }
}

impl hyper::body::Body for Body {
    type Data = Chunk;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, Cut>>> {
        let next = match &mut self.content {
            Content::Empty => None,
            Content::Whole(bytes) => Some(Ok(std::mem::take(bytes).into())),
            Content::List(list) => list.next().map(Ok),
            Content::Stream(stream) => match stream.as_mut().poll_next(context) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        if next.is_none() || matches!(self.content, Content::Whole(_)) {
            *self = Self::default();
        }
        Poll::Ready(next.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::List(list) => SizeHint::with_exact(list.bytes),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// A list on its way out: the head, each object, the end.
struct List {
    head: Option<Bytes>,
    items: std::vec::IntoIter<Arc<Object>>,
    /// What every object of the kind begins with; items of a list leave it out.
    type_meta: String,
    first: bool,
    ended: bool,
    /// What is left to send.
    bytes: u64,
}

const LIST_END: &[u8] = b"]}";

impl List {
    fn new(info: &KindInfo, metadata: &str, items: Vec<Arc<Object>>) -> Self {
        let (name, version) = (info.name, info.api_version());
        let head = format!(
            r#"{{"kind":"{name}List","apiVersion":"{version}","metadata":{metadata},"items":["#
        );
        let type_meta = format!(r#"{{"kind":"{name}","apiVersion":"{version}","#);
        let commas = items.len().saturating_sub(1);
        let objects: usize = items.iter().map(|o| 1 + item(o, &type_meta).len()).sum();
        Self {
            bytes: (head.len() + objects + commas + LIST_END.len()) as u64,
            head: Some(head.into()),
            items: items.into_iter(),
            type_meta,
            first: true,
            ended: false,
        }
    }
}

impl Iterator for List {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let chunk = if let Some(head) = self.head.take() {
            head.into()
        } else if let Some(object) = self.items.next() {
            let before: &[u8] = if std::mem::take(&mut self.first) { b"{" } else { b",{" };
            Chunk::new(before, item(&object, &self.type_meta), b"")
        } else if !std::mem::replace(&mut self.ended, true) {
            Bytes::from_static(LIST_END).into()
        } else {
            return None;
        };
        self.bytes -= chunk.remaining() as u64;
        Some(chunk)
    }
}

/// An object without its opening brace and, as upstream lists have it, without kind and version.
fn item(object: &Object, type_meta: &str) -> Bytes {
    let json = object.json();
    let skipped = if json.starts_with(type_meta.as_bytes()) { type_meta.len() } else { 1 };
    json.slice(skipped..)
}
