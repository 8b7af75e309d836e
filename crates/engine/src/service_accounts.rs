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
const ROOT_CA: &str = "kube-root-ca.crt";

/// Says on it what it is good for.
const DESCRIPTION: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
);

impl Engine {
    /// Makes what a namespace lacks. The certificate is put back when it was changed.
    pub(crate) fn furnish(&mut self, namespace: &Key, now: Timestamp) {
        let deleting = self.current(namespace).map(|n| n.metadata.deletion_timestamp.is_some());
        if deleting != Some(false) {
            return;
        }
        let named = |name: &str| ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.name.to_string()),
            ..Default::default()
        };
        let account = ServiceAccount { metadata: named(DEFAULT_ACCOUNT), ..Default::default() };
        self.ensure(Draft::of_service_account(&account), now);
        let Some(certificate) = self.root_ca.clone() else { return };
        let mut metadata = named(ROOT_CA);
        let (annotation, text) = DESCRIPTION;
        metadata.annotations = Some([(annotation.to_owned(), text.to_owned())].into());
        let data = Some([("ca.crt".to_owned(), certificate)].into());
        let wanted = Draft::of_config_map(&ConfigMap { metadata, data, ..Default::default() });
        match self.current(&wanted.key()) {
            Some(mut present)
                if present.rest.get("data").map(|raw| raw.get())
                    != wanted.rest.get("data").map(|raw| raw.get()) =>
            {
                present.rest = wanted.rest;
                self.put(present);
            }
            Some(_) => {}
            None => self.ensure(wanted, now),
        }
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
