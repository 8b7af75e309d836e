//! What a command line is about: kinds by every name that kubectl takes, and objects by kind and
//! name, from words or from files. Pure, except for the reading of files.

use std::path::PathBuf;

use kinds::{Draft, KINDS, Kind, KindInfo, Object, manifest, manifest::Manifest, suggest};
use serde_json::Value;

use crate::{cli, exit::Failure, sources};

/// What a verb is to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Every object of these kinds that the selectors leave.
    Kinds(Vec<Kind>),
    /// These objects.
    Objects(Vec<Named>),
}

/// An object by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    /// As a file says it; `None` for that of the command line.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Named {
    /// An object of an answer, by its name.
    pub(crate) fn of(kind: Kind, object: &Value) -> Self {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().map(str::to_owned);
        Self { kind, namespace: text("namespace"), name: text("name").unwrap_or_default() }
    }

    /// `job.batch/etl`
    pub(crate) fn shown(&self) -> String {
        format!("{}/{}", shown(self.kind), self.name)
    }
}

impl Asked {
    /// What words or files name. `selective` is whether there is a selector, which goes with kinds
    /// alone.
    ///
    /// # Errors
    /// A kind that is not served, a form that is not understood, files with mistakes.
    pub(crate) fn read(
        which: &cli::Which,
        place: &cli::Place,
        selective: bool,
    ) -> Result<Self, Failure> {
        if !which.files.is_empty() {
            let objects = manifests(&which.files)?;
            let named: Result<Vec<Named>, String> =
                objects.iter().map(|manifest| of_manifest(manifest, place)).collect();
            return named.map(Self::Objects).map_err(Failure::failed);
        }
        let asked = of_words(&which.words).map_err(Failure::failed)?;
        match asked {
            Self::Objects(_) if selective => {
                Err(Failure::failed("name cannot be provided when a selector is specified"))
            }
            asked => Ok(asked),
        }
    }
}

impl Asked {
    /// The same for verbs that act on all objects of a kind only when told so. Gives also whether
    /// there is a selection, in which what is not there is no error.
    ///
    /// # Errors
    /// As [`read`](Self::read), and kinds alone.
    pub(crate) fn read_cautiously(
        which: &cli::Which,
        place: &cli::Place,
        among: &cli::Among,
    ) -> Result<(Self, bool), Failure> {
        let selective = which.selector.is_some() || among.field_selector.is_some() || among.all;
        let asked = Self::read(which, place, selective)?;
        if matches!(asked, Self::Kinds(_)) && !selective {
            return Err(Failure::failed(
                "resource(s) were provided, but no name was specified: say a name, -l LABELS or --all",
            ));
        }
        Ok((asked, selective))
    }
}

/// Everything that files contain, in order.
///
/// # Errors
/// Every mistake of every file.
pub(crate) fn manifests(files: &[PathBuf]) -> Result<Vec<Manifest>, Failure> {
    let mut errors = Vec::new();
    let mut found = Vec::new();
    for (source, text) in sources::read_all(files, &mut errors) {
        match manifest::parse(&source, &text) {
            Ok(parsed) => found.extend(parsed),
            Err(wrong) => errors.push(wrong.to_string()),
        }
    }
    if !errors.is_empty() {
        return Err(Failure::failed(errors.join("\n")));
    }
    if found.is_empty() {
        return Err(Failure::failed("no objects passed to act on: the files contain none"));
    }
    Ok(found)
}

fn of_manifest(manifest: &Manifest, place: &cli::Place) -> Result<Named, String> {
    let metadata = &manifest.draft.metadata;
    let Some(name) = metadata.name.clone() else {
        return Err(format!(
            "{}:{}: metadata.name: Required value",
            manifest.source, manifest.line
        ));
    };
    let namespace = metadata.namespace.clone();
    agree(namespace.as_deref(), place)?;
    Ok(Named { kind: manifest.kind, namespace, name })
}

/// Whether an object's own namespace is the one that the command line insists on.
///
/// # Errors
/// It is another one.
pub(crate) fn agree(own: Option<&str>, place: &cli::Place) -> Result<(), String> {
    match (own, place.namespace.as_deref()) {
        (Some(own), Some(asked)) if own != asked => Err(format!(
            "the namespace from the provided object {own:?} does not match the namespace {asked:?}. \
             You must pass '--namespace={own}' to perform this operation."
        )),
        _ => Ok(()),
    }
}

fn of_words(words: &[String]) -> Result<Asked, String> {
    let Some((first, rest)) = words.split_first() else {
        let all: Vec<&str> = KINDS.iter().map(|info| info.plural).collect();
        return Err(format!("Required resource not specified: say one of {}", all.join(", ")));
    };
    if words.iter().any(|word| word.contains('/')) {
        return words
            .iter()
            .map(|word| of_pair(word))
            .collect::<Result<_, _>>()
            .map(Asked::Objects);
    }
    let mut asked = Vec::new();
    for word in first.split(',').filter(|word| !word.is_empty()) {
        for kind in kinds(word)? {
            if !asked.contains(&kind) {
                asked.push(kind);
            }
        }
    }
    if rest.is_empty() {
        return Ok(Asked::Kinds(asked));
    }
    let named =
        |kind: &Kind, name: &String| Named { kind: *kind, namespace: None, name: name.clone() };
    let of_kind = |kind: Kind| rest.iter().map(move |name| named(&kind, name));
    Ok(Asked::Objects(asked.into_iter().flat_map(of_kind).collect()))
}

/// `job/etl`
fn of_pair(word: &str) -> Result<Named, String> {
    match word.split('/').collect::<Vec<_>>().as_slice() {
        [kind, name] if !kind.is_empty() && !name.is_empty() => {
            Ok(Named { kind: self::kind(kind)?, namespace: None, name: (*name).to_owned() })
        }
        [_] => Err("there is no need to specify a resource type as a separate argument when \
                    passing arguments in resource/name form (e.g. 'coracle get job/etl' instead of \
                    'coracle get job job/etl')"
            .to_owned()),
        [_, _] => {
            Err("arguments in resource/name form must have a single resource and name".into())
        }
        _ => Err("arguments in resource/name form may not have more than one slash".into()),
    }
}

/// The kinds that a word names: one, or those of a category such as `all`.
fn kinds(word: &str) -> Result<Vec<Kind>, String> {
    let in_category = |info: &&KindInfo| info.categories.contains(&word);
    let mut of_category: Vec<&KindInfo> = KINDS.iter().filter(in_category).collect();
    if of_category.is_empty() {
        return Ok(vec![kind(word)?]);
    }
    // The order in which the API lists them.
    of_category.sort_by_key(|info| (info.group, info.plural));
    Ok(of_category.into_iter().map(|info| info.kind).collect())
}

/// The kind that a word names.
///
/// # Errors
/// No kind is called so, with the name that was probably meant.
pub(crate) fn kind(word: &str) -> Result<Kind, String> {
    let lower = word.to_lowercase();
    let named = |info: &&KindInfo| names(info).contains(&lower);
    if let Some(info) = KINDS.iter().find(named) {
        return Ok(info.kind);
    }
    let known = KINDS.iter().flat_map(|info| [info.plural, info.singular]);
    let meant = match suggest::word(&lower, known) {
        Some(meant) => format!("; did you mean {meant:?}?"),
        None => String::new(),
    };
    Err(format!("the server doesn't have a resource type {word:?}{meant}"))
}

/// Every name of a kind: `jobs`, `job`, short names, and the first two with the group.
fn names(info: &KindInfo) -> Vec<String> {
    let mut names: Vec<String> = info.short_names.iter().map(|name| (*name).to_owned()).collect();
    for name in [info.plural, info.singular] {
        names.push(name.to_owned());
        if !info.group.is_empty() {
            names.push(format!("{name}.{}", info.group));
            names.push(format!("{name}.{}.{}", info.version, info.group));
        }
    }
    names
}

/// `job.batch`, `pod`: what stands before a name where the kind is shown.
pub(crate) fn shown(kind: Kind) -> String {
    let info = kind.info();
    let dot = if info.group.is_empty() { "" } else { "." };
    format!("{}{dot}{}", info.singular, info.group)
}

/// An object of an answer as the typed half of the client has it.
///
/// # Errors
/// The answer is not what it should be.
pub(crate) fn typed(kind: Kind, object: &Value) -> Result<Object, String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        format!("the server sent a {} that cannot be read: {error}", kind.info().name)
    };
    let draft = Draft::from_json(kind, object.to_string().as_bytes());
    let draft = draft.map_err(|error| unreadable(&error))?;
    let revision = draft.metadata.resource_version.as_deref().and_then(|text| text.parse().ok());
    Ok(draft.seal(revision.ok_or_else(|| unreadable(&"it has no resourceVersion"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        of_words(&words)
    }

    fn named(kind: Kind, name: &str) -> Named {
        Named { kind, namespace: None, name: name.to_owned() }
    }

    #[test]
    fn every_name_of_every_kind_is_known() {
        for info in KINDS {
            for name in names(info) {
                assert_eq!(kind(&name), Ok(info.kind), "{name}");
            }
            assert_eq!(kind(info.name), Ok(info.kind), "{}", info.name);
        }
        assert_eq!(kind("jobs.v1.batch"), Ok(Kind::Job));
        assert_eq!(shown(Kind::Job), "job.batch");
    }

    #[test]
    fn words_are_kinds_and_names() {
        use Kind::{Job, Pod};
        assert_eq!(read("po,jobs,pods"), Ok(Asked::Kinds(vec![Pod, Job])));
        assert_eq!(
            read("po,jobs a b"),
            Ok(Asked::Objects(vec![
                named(Pod, "a"),
                named(Pod, "b"),
                named(Job, "a"),
                named(Job, "b")
            ]))
        );
        assert_eq!(
            read("pod/a job.batch/b"),
            Ok(Asked::Objects(vec![named(Pod, "a"), named(Job, "b")]))
        );
        let Ok(Asked::Kinds(all)) = read("all") else { panic!("a category") };
        let place = |kind| all.iter().position(|listed| *listed == kind);
        assert!(place(Pod) < place(Kind::Service) && place(Kind::Service) < place(Job));
        assert!(place(Pod).is_some() && place(Kind::Secret).is_none(), "{all:?}");
    }

    #[test]
    fn what_is_not_understood_is_said_as_kubectl_says_it() {
        for (line, part) in [
            ("", "Required resource not specified"),
            ("jbos", "the server doesn't have a resource type \"jbos\"; did you mean \"jobs\"?"),
            ("zzzzz", "the server doesn't have a resource type \"zzzzz\""),
            ("pod pod/a", "there is no need to specify a resource type"),
            ("pod/a/b", "may not have more than one slash"),
            ("pod/", "must have a single resource and name"),
        ] {
            let wrong = read(line).unwrap_err();
            assert!(wrong.contains(part), "{line}: {wrong}");
        }
    }
}
