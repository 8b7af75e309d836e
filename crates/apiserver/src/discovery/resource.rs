//! What discovery says of each resource, whichever form it says it in.

use kinds::{KINDS, KindInfo};

use crate::{
    request::{Subresource, Verb},
    review::{REVIEWS, ReviewInfo},
};

/// A collection that is served, with its parts.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    /// The name in paths.
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    /// The kind of its objects.
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
    pub(super) verbs: Vec<&'static str>,
    pub(super) short_names: &'static [&'static str],
    pub(super) categories: &'static [&'static str],
    pub(super) parts: Vec<Part>,
}

/// A part of an object, with a path of its own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// What it takes or gives: group, version and kind.
    pub(super) kind: (&'static str, &'static str, &'static str),
    pub(super) verbs: Vec<&'static str>,
}

/// Everything that is served, by group in the order of the tables and by plural within.
pub(super) fn resources() -> Vec<Resource> {
    let kinds = KINDS.iter().map(of_kind);
    let mut all: Vec<Resource> = kinds.chain(REVIEWS.iter().map(of_review)).collect();
    let groups: Vec<&str> = all.iter().map(|resource| resource.group).collect();
    let place = |resource: &Resource| groups.iter().position(|group| *group == resource.group);
    all.sort_by_key(|resource| (place(resource), resource.version, resource.plural));
    all
}

fn of_kind(info: &'static KindInfo) -> Resource {
    let mut parts: Vec<Part> = Subresource::of(info).map(|part| of_part(info, part)).collect();
    parts.sort_by_key(|part| part.name);
    Resource {
        group: info.group,
        version: info.version,
        plural: info.plural,
        singular: info.singular,
        kind: info.name,
        namespaced: info.namespaced,
        verbs: names(Subresource::Main.verbs(info.kind)),
        short_names: info.short_names,
        categories: info.categories,
        parts,
    }
}

fn of_part(info: &'static KindInfo, part: Subresource) -> Part {
    let kind = part.kind(info);
    Part { name: part.name(), kind, verbs: names(part.verbs(info.kind)) }
}

fn of_review(info: &'static ReviewInfo) -> Resource {
    Resource {
        group: info.group,
        version: info.version,
        plural: info.plural,
        singular: info.singular,
        kind: info.name,
        namespaced: info.namespaced,
        verbs: names(&[Verb::Create]),
        short_names: &[],
        categories: &[],
        parts: Vec::new(),
    }
}

fn names(verbs: &[Verb]) -> Vec<&'static str> {
    verbs.iter().map(|verb| verb.name()).collect()
}
