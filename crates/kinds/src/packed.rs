//! Bytes of objects that hardly anybody will read, made small: what an object has in common with one
//! like it is kept once. The pods of a Job differ in names, uids and times only.

use std::sync::Arc;

use crate::Object;

/// An object packed against its model takes at most so much of its own bytes, or it is not packed.
const WORTH_IN_PERCENT: usize = 50;

/// The bytes of an object that others like it are packed against.
#[derive(Clone, Debug)]
pub struct Model(Arc<[u8]>);

impl Model {
    /// The object as a model for those that are like it.
    pub fn of(object: &Object) -> Self {
        Self(object.text()[..].into())
    }

    /// Makes bytes small; `None` if they have too little in common with the model.
    pub(crate) fn pack(&self, bytes: &[u8]) -> Option<Packed> {
        let delta = lz4_flex::block::compress_with_dict(bytes, &self.0);
        let worth = delta.len() * 100 <= bytes.len() * WORTH_IN_PERCENT;
        worth.then(|| Packed { model: self.clone(), delta: delta.into(), bytes: bytes.len() })
    }
}

/// Bytes as what they are besides their model.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    model: Model,
    delta: Arc<[u8]>,
    bytes: usize,
}

impl Packed {
    /// How many bytes they are.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// How many are kept, the model not counted.
    pub(crate) fn kept(&self) -> usize {
        self.delta.len()
    }

    /// The bytes as they were.
    pub(crate) fn unpack(&self) -> Vec<u8> {
        let Self { model, delta, bytes } = self;
        lz4_flex::block::decompress_with_dict(delta, *bytes, &model.0)
            .expect("what was packed here is unpacked here")
    }
}
