//! What every namespace has: a ServiceAccount `default` and the certificate of the server
//! (`pkg/controller/serviceaccount`, `pkg/controller/certificates/rootcacertpublisher`).

use jiff::Timestamp;
use kinds::{
    Draft, Key, Kind,
    metav1::ObjectMeta,
    types::core::v1::{ConfigMap, ServiceAccount},
};

use crate::{Engine, admission::DEFAULT_ACCOUNT};

/// The ConfigMap that holds the certificate of the server.
pub(crate) const ROOT_CA: &str = "kube-root-ca.crt";

/// Says on it what it is good for.
const DESCRIPTION: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
);

impl Engine {
    /// Makes the account of a namespace that has none.
    pub(crate) fn give_account(&mut self, namespace: &Key, now: Timestamp) {
        if self.stays(namespace) {
            let metadata = named(DEFAULT_ACCOUNT, namespace);
            let account = ServiceAccount { metadata, ..Default::default() };
            self.ensure(Draft::of_service_account(&account), now);
        }
    }

    /// Gives a namespace the certificate, also in the place of a changed one.
    pub(crate) fn publish_certificate(&mut self, namespace: &Key, now: Timestamp) {
        let Some(certificate) = self.root_ca.clone().filter(|_| self.stays(namespace)) else {
            return;
        };
        let mut metadata = named(ROOT_CA, namespace);
        let (annotation, text) = DESCRIPTION;
        metadata.annotations = Some([(annotation.to_owned(), text.to_owned())].into());
        let data = Some([("ca.crt".to_owned(), certificate)].into());
        let wanted = Draft::of_config_map(&ConfigMap { metadata, data, ..Default::default() });
        let data = |draft: &Draft| draft.rest.get("data").map(|raw| raw.get().to_owned());
        match self.current(&wanted.key()) {
            None => self.ensure(wanted, now),
            Some(present) if data(&present) == data(&wanted) => {}
            Some(present) => self.put(Draft { rest: wanted.rest, ..present }),
        }
    }

    fn stays(&self, namespace: &Key) -> bool {
        self.current(namespace).is_some_and(|draft| draft.metadata.deletion_timestamp.is_none())
    }

    /// The namespace that lacks something when this object goes or changes.
    pub(crate) fn furnished(key: &Key) -> Option<Key> {
        let ours = match key.kind {
            Kind::ServiceAccount => &*key.name == DEFAULT_ACCOUNT,
            Kind::ConfigMap => &*key.name == ROOT_CA,
            _ => false,
        };
        ours.then(|| Key::new(Kind::Namespace, "", &key.namespace))
    }
}

fn named(name: &str, namespace: &Key) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.name.to_string()),
        ..Default::default()
    }
}
