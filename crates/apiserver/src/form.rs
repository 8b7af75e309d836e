//! In which form objects go out: whole, as rows of a Table, or only their metadata.

mod table;

use std::borrow::Cow;

use bytes::Bytes;
use hyper::HeaderMap;
use jiff::Timestamp;
use kinds::{Kind, KindInfo, Object, StatusError};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Query, RequestInfo, Verb,
    answer::bad_request,
    negotiate::{self, Target, not_acceptable},
};
use table::Table;

/// What a client takes objects as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are.
    Whole,
    /// As rows of a Table, with so much of each object beside its cells.
    Table(Include, Version),
    /// As `PartialObjectMetadata`.
    Metadata(Version),
}

/// The version of `meta.k8s.io` that Tables and metadata are asked for in; they are the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V1Beta1,
}

/// What a row holds beside its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing.
    None,
    /// The object's metadata.
    Metadata,
    /// The object.
    Object,
}

const META: &str = "meta.k8s.io";

impl Version {
    /// As in `apiVersion`.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1Beta1 => "meta.k8s.io/v1beta1",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1Beta1),
            _ => None,
        }
    }
}

impl Form {
    /// The form that the answer to a read is asked for in.
    ///
    /// # Errors
    /// 406 when no clause of Accept fits, or one asks for a list where there is none or the other
    /// way round; 400 for an `includeObject` that does not exist.
    pub(crate) fn read(info: &RequestInfo, headers: &HeaderMap) -> Result<Self, StatusError> {
        let (asked, version) = negotiate::choose(headers, |target| match target {
            None => Some(("", Version::V1)),
            Some(Target { group: META, version, kind }) => {
                let kinds = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"];
                let kind = kinds.into_iter().find(|known| *known == kind);
                kind.zip(Version::parse(version))
            }
            Some(_) => None,
        })?;
        let list = info.verb == Verb::List;
        let wrong = |is: &str, suffix: &str| {
            let kind = internal_type(info.kind.info());
            let text = format!("you requested {asked}, but the requested object is {is}");
            Err(not_acceptable(format!("{text} ({kind}{suffix})")))
        };
        match asked {
            "" => Ok(Self::Whole),
            "Table" => Ok(Self::Table(Include::read(&info.query)?, version)),
            "PartialObjectMetadata" if list => wrong("a list", "List"),
            "PartialObjectMetadataList" if !list => wrong("not a list", ""),
            _ => Ok(Self::Metadata(version)),
        }
    }

    /// One object in this form.
    pub(crate) fn object(self, object: &Object, now: Timestamp) -> Bytes {
        self.object_in_stream(object, now, true)
    }

    /// One object in this form. In a stream only the `first` Table names its columns.
    pub(crate) fn object_in_stream(self, object: &Object, now: Timestamp, first: bool) -> Bytes {
        match self {
            Self::Whole => object.json(),
            Self::Metadata(version) => metadata_only(object, version).into(),
            Self::Table(include, version) => {
                let metadata = format!(r#"{{"resourceVersion":"{}"}}"#, object.meta.revision);
                let mut table = Table::begin(object.key.kind, version, &metadata, first);
                table.row(object, now, include);
                table.end().into()
            }
        }
    }

    /// The list of some objects, of which `metadata` is the list's own, as JSON. `None` for the
    /// whole objects, which are sent as they lie.
    pub(crate) fn list<'a>(
        self,
        kind: Kind,
        metadata: &str,
        objects: impl Iterator<Item = &'a Object>,
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        match self {
            Self::Whole => None,
            Self::Table(include, version) => {
                let mut table = Table::begin(kind, version, metadata, true);
                objects.for_each(|object| table.row(object, now, include));
                Some(table.end())
            }
            Self::Metadata(version) => {
                let items: Vec<String> = objects.map(|o| metadata_only(o, version)).collect();
                let items = items.join(",");
                let head = head("PartialObjectMetadataList", version);
                Some(format!(r#"{head},"metadata":{metadata},"items":[{items}]}}"#).into())
            }
        }
    }

    /// The form of the bookmark that ends an initial state: it shows its annotation to those who
    /// asked for no objects, too.
    pub(crate) fn of_bookmark(self, ends_initial_state: bool) -> Self {
        match self {
            Self::Table(Include::None, version) if ends_initial_state => {
                Self::Table(Include::Metadata, version)
            }
            form => form,
        }
    }
}

impl Include {
    fn read(query: &Query) -> Result<Self, StatusError> {
        match query.text("includeObject") {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::None),
            "Object" => Ok(Self::Object),
            other => Err(bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: \
                 {other:?}: must be 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

/// An object as `PartialObjectMetadata`: its metadata are its own bytes.
fn metadata_only(object: &Object, version: Version) -> String {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        metadata: &'a RawValue,
    }
    let json = object.json();
    let peek: Peek<'_> = serde_json::from_slice(&json).expect("objects have metadata");
    let head = head("PartialObjectMetadata", version);
    format!(r#"{head},"metadata":{}}}"#, peek.metadata.get())
}

/// How something of `meta.k8s.io` begins.
fn head(kind: &str, version: Version) -> String {
    format!(r#"{{"kind":"{kind}","apiVersion":"{}""#, version.api_version())
}

/// The name that upstream's refusals give to a kind: of its type within the server.
fn internal_type(info: &KindInfo) -> String {
    let package: Cow<'_, str> = match info.group.split('.').next() {
        None | Some("") => "core".into(),
        Some(first) => first.into(),
    };
    format!("*{package}.{}", info.name)
}
