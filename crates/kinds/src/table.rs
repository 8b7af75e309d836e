//! The one table of kinds. Routes, discovery, documentation and tests are derived from it.

use serde::{Deserialize, Serialize};

/// A kind that coracle serves; the number is what the store writes, so it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// `v1 Namespace`
    Namespace = 0,
    /// `v1 Node`
    Node = 1,
    /// `v1 ConfigMap`
    ConfigMap = 2,
    /// `v1 Secret`
    Secret = 3,
    /// `v1 Pod`
    Pod = 4,
    /// `v1 Event`
    Event = 5,
    /// `batch/v1 Job`
    Job = 6,
    /// `node.k8s.io/v1 RuntimeClass`
    RuntimeClass = 7,
    /// `v1 ServiceAccount`
    ServiceAccount = 8,
    /// `v1 Service`
    Service = 9,
    /// `scheduling.k8s.io/v1 PriorityClass`
    PriorityClass = 10,
    /// `coordination.k8s.io/v1 Lease`
    Lease = 11,
    /// `v1 LimitRange`
    LimitRange = 12,
    /// `v1 ResourceQuota`
    ResourceQuota = 13,
    /// `v1 PodTemplate`
    PodTemplate = 14,
    /// `batch/v1 CronJob`
    CronJob = 15,
}

/// What the API needs to know of a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind this row describes.
    pub kind: Kind,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version within the group.
    pub version: &'static str,
    /// The name in `kind:`.
    pub name: &'static str,
    /// The name in paths.
    pub plural: &'static str,
    /// The singular name.
    pub singular: &'static str,
    /// What people type for short.
    pub short_names: &'static [&'static str],
    /// The groups of kinds that people may ask for by one name, such as `all`.
    pub categories: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub generation: bool,
    /// Whether there is a `status` subresource; status is then cleared on create.
    pub status: bool,
    /// The other subresources that are served, in alphabetical order.
    pub subresources: &'static [&'static str],
    /// Whether a PUT to a name that is not there makes the object.
    pub create_on_update: bool,
    /// Whether a PUT may leave out `metadata.resourceVersion`.
    pub unconditional_update: bool,
    /// Whether a DELETE that removed the object at once answers with it and not with a Status.
    pub returns_deleted: bool,
    /// Whether a DELETE without a propagation policy orphans dependents; otherwise they are deleted
    /// in the background.
    pub orphans_by_default: bool,
}

/// Every kind, in the order of the numbers of [`Kind`].
pub const KINDS: &[KindInfo] = &[
    KindInfo {
        short_names: &["ns"],
        namespaced: false,
        subresources: &["finalize"],
        returns_deleted: true,
        ..core(Kind::Namespace, "Namespace", "namespaces", "namespace")
    },
    KindInfo {
        short_names: &["no"],
        namespaced: false,
        ..core(Kind::Node, "Node", "nodes", "node")
    },
    KindInfo {
        short_names: &["cm"],
        status: false,
        ..core(Kind::ConfigMap, "ConfigMap", "configmaps", "configmap")
    },
    KindInfo { status: false, ..core(Kind::Secret, "Secret", "secrets", "secret") },
    KindInfo {
        short_names: &["po"],
        categories: &["all"],
        generation: true,
        subresources: &[
            "attach",
            "binding",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "log",
            "portforward",
        ],
        returns_deleted: true,
        ..core(Kind::Pod, "Pod", "pods", "pod")
    },
    KindInfo {
        short_names: &["ev"],
        status: false,
        create_on_update: true,
        ..core(Kind::Event, "Event", "events", "event")
    },
    KindInfo {
        group: "batch",
        categories: &["all"],
        generation: true,
        orphans_by_default: true,
        ..core(Kind::Job, "Job", "jobs", "job")
    },
    KindInfo {
        group: "node.k8s.io",
        namespaced: false,
        status: false,
        create_on_update: true,
        unconditional_update: false,
        ..core(Kind::RuntimeClass, "RuntimeClass", "runtimeclasses", "runtimeclass")
    },
    KindInfo {
        short_names: &["sa"],
        status: false,
        subresources: &["token"],
        returns_deleted: true,
        ..core(Kind::ServiceAccount, "ServiceAccount", "serviceaccounts", "serviceaccount")
    },
    KindInfo {
        short_names: &["svc"],
        categories: &["all"],
        create_on_update: true,
        returns_deleted: true,
        ..core(Kind::Service, "Service", "services", "service")
    },
    KindInfo {
        group: "scheduling.k8s.io",
        short_names: &["pc"],
        namespaced: false,
        generation: true,
        status: false,
        ..core(Kind::PriorityClass, "PriorityClass", "priorityclasses", "priorityclass")
    },
    KindInfo {
        group: "coordination.k8s.io",
        status: false,
        create_on_update: true,
        unconditional_update: false,
        ..core(Kind::Lease, "Lease", "leases", "lease")
    },
    KindInfo {
        short_names: &["limits"],
        status: false,
        create_on_update: true,
        ..core(Kind::LimitRange, "LimitRange", "limitranges", "limitrange")
    },
    KindInfo {
        short_names: &["quota"],
        returns_deleted: true,
        ..core(Kind::ResourceQuota, "ResourceQuota", "resourcequotas", "resourcequota")
    },
    KindInfo {
        status: false,
        generation: true,
        returns_deleted: true,
        ..core(Kind::PodTemplate, "PodTemplate", "podtemplates", "podtemplate")
    },
    KindInfo {
        group: "batch",
        short_names: &["cj"],
        categories: &["all"],
        generation: true,
        ..core(Kind::CronJob, "CronJob", "cronjobs", "cronjob")
    },
];

const fn core(
    kind: Kind,
    name: &'static str,
    plural: &'static str,
    singular: &'static str,
) -> KindInfo {
    KindInfo {
        kind,
        group: "",
        version: "v1",
        name,
        plural,
        singular,
        short_names: &[],
        categories: &[],
        namespaced: true,
        generation: false,
        status: true,
        subresources: &[],
        create_on_update: false,
        unconditional_update: true,
        returns_deleted: false,
        orphans_by_default: false,
    }
}

impl Kind {
    /// The kind's row of the table.
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }

    /// The kind with this `apiVersion` and `kind`, if it is served.
    pub fn find(api_version: &str, kind: &str) -> Option<Kind> {
        KINDS.iter().find(|k| k.name == kind && k.api_version() == api_version).map(|k| k.kind)
    }

    /// The kind that is served under this group, version and plural.
    pub fn by_path(group: &str, version: &str, plural: &str) -> Option<Kind> {
        KINDS
            .iter()
            .find(|k| k.group == group && k.version == version && k.plural == plural)
            .map(|k| k.kind)
    }
}

impl KindInfo {
    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `jobs.batch`, or the bare plural for the core group: how errors name the resource.
    pub fn qualified(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers_and_are_found_by_every_name() {
        for (number, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind as usize, number, "{}", row.name);
            assert_eq!(Kind::find(&row.api_version(), row.name), Some(row.kind));
            assert_eq!(Kind::by_path(row.group, row.version, row.plural), Some(row.kind));
        }
    }
}
