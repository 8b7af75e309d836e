//! How much an image may be. Every limit bounds what a hostile one costs.

/// Manifests, indexes and configurations, bytes.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Layers of one image: as Docker's.
pub(crate) const LAYERS_MAX: usize = 127;
/// One layer as it is transferred, bytes.
pub(crate) const LAYER_PACKED_BYTES_MAX: u64 = 64 << 30;
/// One layer unpacked, bytes.
pub(crate) const LAYER_BYTES_MAX: u64 = 128 << 30;
/// Entries of one layer.
pub(crate) const LAYER_ENTRIES_MAX: u64 = 2_000_000;
/// How many times larger than packed a layer may be, beyond [`RATIO_FREE_BYTES`].
pub(crate) const RATIO_MAX: u64 = 200;
/// So much a layer may unpack to whatever the ratio, bytes.
pub(crate) const RATIO_FREE_BYTES: u64 = 64 << 20;
/// The longest path of an entry, bytes: Linux's own.
pub(crate) const PATH_BYTES_MAX: usize = 4096;
/// What stands before the content of one entry: names, links, attributes, bytes.
pub(crate) const HEADERS_BYTES_MAX: u64 = 1 << 20;
/// Entries of an archive of images.
pub(crate) const ARCHIVE_ENTRIES_MAX: usize = 10_000;
/// How much of `/etc/passwd` and `/etc/group` is read, bytes.
pub(crate) const ACCOUNTS_BYTES_MAX: u64 = 1 << 20;
