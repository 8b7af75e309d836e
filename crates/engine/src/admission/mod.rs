//! Admission plugins, in upstream's order: what a new or changed object gets from others, such as
//! limits and priorities, and what refuses it. Each is a function of the state and the object
//! (`pkg/kubeapiserver/options/plugins.go`).

mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;

use std::sync::Arc;

use kinds::{Draft, Key, Kind, Object, StatusError, metav1::ObjectMeta, types::core::v1::PodSpec};
use store::Store;

pub(crate) use service_account::DEFAULT as DEFAULT_ACCOUNT;

use crate::{pending::Pending, quotas::Quotas};

/// What a plugin looks at.
pub(crate) struct State<'a> {
    pub(crate) store: &'a Store,
    pub(crate) pending: &'a Pending,
    pub(crate) quotas: &'a Quotas,
    /// Whether the API is where a pod could reach it.
    pub(crate) serves_pods: bool,
    /// The random bits of a new object.
    pub(crate) random: u128,
}

/// The objects of one request: what is written, and what it replaces.
pub(crate) struct Request<'a> {
    pub(crate) draft: &'a Draft,
    pub(crate) old: Option<&'a Object>,
}

/// A Pod between its defaults and its validation.
pub(crate) struct PodChange<'a> {
    pub(crate) meta: &'a mut ObjectMeta,
    pub(crate) spec: &'a mut PodSpec,
    /// The spec it replaces; `None` for a new Pod.
    pub(crate) old: Option<&'a PodSpec>,
}

/// What a plugin says; the text of a refusal goes behind `pods "x" is forbidden: `.
type Verdict = Result<(), String>;

/// Where the refusal is more than a text.
type First = fn(&State, &Request) -> Result<(), StatusError>;

/// A row of [`PLUGINS`]: what a plugin does at which time.
struct Plugin {
    /// With every object, before anything else.
    first: Option<First>,
    /// With Pods, between their defaults and their validation.
    pod: Option<fn(&State, &mut PodChange) -> Verdict>,
    /// With every object, once it is complete.
    last: Option<fn(&State, &Request) -> Verdict>,
}

const NONE: Plugin = Plugin { first: None, pod: None, last: None };

/// Every plugin, in the order in which they act.
const PLUGINS: &[Plugin] = &[
    Plugin { first: Some(namespace_lifecycle::admit), ..NONE },
    Plugin { pod: Some(limit_ranger::admit), ..NONE },
    Plugin { pod: Some(service_account::admit), ..NONE },
    Plugin { pod: Some(priority::admit), last: Some(priority::validate), ..NONE },
    Plugin { pod: Some(default_toleration_seconds::admit), ..NONE },
    Plugin { pod: Some(runtime_class::admit), ..NONE },
    Plugin { last: Some(resource_quota::validate), ..NONE },
];

/// Before an object is named and completed.
pub(crate) fn first(state: &State, request: &Request) -> Result<(), StatusError> {
    PLUGINS.iter().filter_map(|plugin| plugin.first).try_for_each(|admit| admit(state, request))
}

/// While a Pod is completed.
pub(crate) fn pod(state: &State, change: &mut PodChange) -> Result<(), StatusError> {
    let mut plugins = PLUGINS.iter().filter_map(|plugin| plugin.pod);
    plugins.try_for_each(|admit| {
        admit(state, change)
            .map_err(|why| StatusError::forbidden(Kind::Pod, named(change.meta), &why))
    })
}

/// When an object is complete.
pub(crate) fn last(state: &State, request: &Request) -> Result<(), StatusError> {
    let draft = request.draft;
    PLUGINS.iter().filter_map(|plugin| plugin.last).try_for_each(|validate| {
        validate(state, request)
            .map_err(|why| StatusError::forbidden(draft.kind, named(&draft.metadata), &why))
    })
}

/// How a refusal names an object that may have no name yet.
fn named(meta: &ObjectMeta) -> &str {
    let given = [&meta.name, &meta.generate_name].into_iter().flatten();
    given.map(String::as_str).find(|name| !name.is_empty()).unwrap_or("Unknown")
}

impl State<'_> {
    fn exists(&self, key: &Key) -> bool {
        let stored = || self.store.get(key).is_some();
        self.pending.get(key).map_or_else(stored, |pending| pending.is_some())
    }

    /// What is committed of a kind.
    fn list(&self, kind: Kind, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Object>> {
        self.store.list(kind, namespace)
    }
}
