//! Verbs and the parts of objects: which there are, and what may be done with each.

use kinds::{Kind, KindInfo};

/// Upstream's request verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

/// The part of an object that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subresource {
    /// The object itself.
    Main,
    /// `…/status`
    Status,
    /// `pods/…/log`
    Log,
    /// `pods/…/exec`
    Exec,
    /// `pods/…/attach`
    Attach,
    /// `pods/…/portforward`
    PortForward,
    /// `pods/…/eviction`: takes a `policy/v1` Eviction.
    Eviction,
    /// `pods/…/binding`
    Binding,
    /// `pods/…/ephemeralcontainers`
    EphemeralContainers,
    /// `namespaces/…/finalize`
    Finalize,
    /// `serviceaccounts/…/token`: takes and gives an `authentication.k8s.io/v1` TokenRequest.
    Token,
}

impl Verb {
    /// As discovery, metrics and errors name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

impl Subresource {
    const PARTS: [Self; 10] = [
        Self::Status,
        Self::Log,
        Self::Exec,
        Self::Attach,
        Self::PortForward,
        Self::Eviction,
        Self::Binding,
        Self::EphemeralContainers,
        Self::Finalize,
        Self::Token,
    ];

    /// The last segment of its path; empty for the object itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Log => "log",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
            Self::Eviction => "eviction",
            Self::Binding => "binding",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Finalize => "finalize",
            Self::Token => "token",
        }
    }

    /// Whether its connection becomes one of streams.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Exec | Self::Attach | Self::PortForward)
    }

    /// The parts that objects of a kind have beside themselves.
    pub(crate) fn of(info: &KindInfo) -> impl Iterator<Item = Self> {
        Self::PARTS.into_iter().filter(|part| match part {
            Self::Status => info.status,
            part => info.subresources.contains(&part.name()),
        })
    }

    /// The kind of what it takes or gives: group, version and name.
    pub(crate) fn kind(self, info: &KindInfo) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Eviction => ("policy", "v1", "Eviction"),
            Self::Binding => ("", "v1", "Binding"),
            Self::Token => ("authentication.k8s.io", "v1", "TokenRequest"),
            Self::Exec => ("", "v1", "PodExecOptions"),
            Self::Attach => ("", "v1", "PodAttachOptions"),
            Self::PortForward => ("", "v1", "PodPortForwardOptions"),
            Self::Main | Self::Status | Self::Log | Self::EphemeralContainers | Self::Finalize => {
                (info.group, info.version, info.name)
            }
        }
    }

    /// What may be done with it, in alphabetical order.
    pub(crate) fn verbs(self, kind: Kind) -> &'static [Verb] {
        match self {
            // Namespaces are deleted one by one: each takes what is in it along.
            Self::Main if kind == Kind::Namespace => &[
                Verb::Create,
                Verb::Delete,
                Verb::Get,
                Verb::List,
                Verb::Patch,
                Verb::Update,
                Verb::Watch,
            ],
            Self::Main => &[
                Verb::Create,
                Verb::Delete,
                Verb::DeleteCollection,
                Verb::Get,
                Verb::List,
                Verb::Patch,
                Verb::Update,
                Verb::Watch,
            ],
            Self::Status | Self::EphemeralContainers => &[Verb::Get, Verb::Patch, Verb::Update],
            Self::Log => &[Verb::Get],
            Self::Exec | Self::Attach | Self::PortForward => &[Verb::Create, Verb::Get],
            Self::Eviction | Self::Binding | Self::Token => &[Verb::Create],
            Self::Finalize => &[Verb::Update],
        }
    }
}
