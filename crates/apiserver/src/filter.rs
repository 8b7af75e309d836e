//! Which objects a list or a watch is about.

use kinds::{
    Kind, Object, StatusError,
    selector::{FieldSelector, Selector, SelectorError},
};

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

    /// Whether a selector leaves anything out.
    pub(crate) fn selects(&self) -> bool {
        !self.name.is_empty() || !self.labels.is_everything() || !self.fields.is_everything()
    }

    /// Whether the object is of the kind and namespace and selected.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        object.key.kind == self.kind
            && self.namespace().is_none_or(|namespace| *object.key.namespace == *namespace)
            && (self.name.is_empty() || *object.key.name == *self.name)
            && self.labels.matches(&object.meta.labels)
            && self.fields.matches(object)
    }
}
