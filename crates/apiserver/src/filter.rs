//! Which objects a list or a watch is about.

use std::sync::Arc;

use kinds::{
    Key, Kind, Object, StatusError,
    selector::{FieldSelector, Selector, SelectorError},
};
use store::Store;

use crate::{RequestInfo, answer::bad_request};

/// A kind, a namespace and what selectors say.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) kind: Kind,
    namespace: String,
    /// Empty for any.
    name: String,
    labels: Selector,
    fields: FieldSelector,
}

impl Filter {
    /// Reads the selectors of a request.
    ///
    /// # Errors
    /// 400 for one that cannot be read or that the kind does not have.
    pub(crate) fn read(info: &RequestInfo) -> Result<Self, StatusError> {
        let refuse = |error: SelectorError| bad_request(error.to_string());
        let fields =
            FieldSelector::parse(info.kind, info.query.text("fieldSelector")).map_err(refuse)?;
        let other = !fields.is_everything() && fields.name() != Some(&*info.name);
        if !info.name.is_empty() && other {
            return Err(bad_request("fieldSelector metadata.name doesn't match requested name"));
        }
        Ok(Self {
            kind: info.kind,
            namespace: info.namespace.clone(),
            name: info.name.clone(),
            labels: Selector::parse(info.query.text("labelSelector")).map_err(refuse)?,
            fields,
        })
    }

    /// The namespace, unless all are meant.
    pub(crate) fn namespace(&self) -> Option<&str> {
        Some(&*self.namespace).filter(|namespace| !namespace.is_empty())
    }

    /// The objects that may match, in order: all of the kind and namespace, or the one that is
    /// selected by its name, for which many need not be looked at.
    pub(crate) fn candidates<'a>(
        &'a self,
        store: &'a Store,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        let name = Some(&*self.name).filter(|name| !name.is_empty()).or(self.fields.name());
        let whole = !self.kind.info().namespaced || !self.namespace.is_empty();
        let key = name.filter(|_| whole).map(|name| Key::new(self.kind, &self.namespace, name));
        let one = key.as_ref().and_then(|key| store.get(key));
        let many = key.is_none().then(|| store.list(self.kind, self.namespace()));
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Whether a selector leaves anything out.
    pub(crate) fn selects(&self) -> bool {
        !self.name.is_empty() || !self.labels.is_everything() || !self.fields.is_everything()
    }

    /// Whether the object is of the kind and namespace and selected.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        object.key.kind == self.kind
            && self.namespace().is_none_or(|namespace| *object.key.namespace == *namespace)
            && (self.name.is_empty() || *object.key.name == *self.name)
            && self.labels.selects(&object.meta.labels)
            && self.fields.matches(object)
    }
}
