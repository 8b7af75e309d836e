//! Who has a token of a ServiceAccount: read off the token, as long as everything it is bound to is
//! there (`pkg/serviceaccount/claims.go`).

use std::collections::BTreeMap;

use kinds::{Key, Kind};
use tokens::{Bound, Claims, ISSUER, Reference};

use crate::Server;

/// How long a token goes on after the deletion of what it is bound to has begun, seconds.
const DELETED_S: i64 = 60;

/// A ServiceAccount that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// `system:serviceaccount:NAMESPACE:NAME`
    pub(crate) user: String,
    /// The account's uid.
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// What else the token says of who has it.
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl Server {
    /// Whose token this is; `None` if it is not good here and now.
    pub(crate) fn account(&self, token: &str) -> Option<Account> {
        self.account_for(token, ISSUER)
    }

    /// The same for a token that is shown to somebody else.
    pub(crate) fn account_for(&self, token: &str, audience: &str) -> Option<Account> {
        match self.about.signer.read(token, audience, self.now()) {
            Ok((claims, id)) => self.bound_still(&claims.bound).then(|| Account::of(&claims, &id)),
            Err(error) => {
                tracing::debug!(%error, "a wrong token");
                None
            }
        }
    }

    fn bound_still(&self, bound: &Bound) -> bool {
        let namespace = &bound.namespace;
        let there = |kind, namespace: &str, reference: &Option<Reference>| {
            reference.as_ref().is_none_or(|reference| self.is_there(kind, namespace, reference))
        };
        // The node of a pod is said for information.
        let node = if bound.pod.is_some() { &None } else { &bound.node };
        self.is_there(Kind::ServiceAccount, namespace, &bound.serviceaccount)
            && there(Kind::Pod, namespace, &bound.pod)
            && there(Kind::Secret, namespace, &bound.secret)
            && there(Kind::Node, "", node)
    }

    fn is_there(&self, kind: Kind, namespace: &str, reference: &Reference) -> bool {
        let now_s = self.now().as_second();
        let engine = self.engine();
        let object = engine.store().get(&Key::new(kind, namespace, &reference.name));
        object.is_some_and(|object| {
            object.meta.uid.to_string() == reference.uid
                && object.meta.deletion_s.is_none_or(|at_s| now_s <= at_s + DELETED_S)
        })
    }
}

impl Account {
    fn of(claims: &Claims, id: &str) -> Self {
        let Bound { namespace, node, pod, serviceaccount, .. } = &claims.bound;
        let mut extra = BTreeMap::new();
        let mut say = |what: &str, value: &str| {
            let key = format!("authentication.kubernetes.io/{what}");
            extra.insert(key, vec![value.to_owned()]);
        };
        say("credential-id", &format!("JTI={id}"));
        for (kind, reference) in [("node", node), ("pod", pod)] {
            if let Some(Reference { name, uid }) = reference {
                say(&format!("{kind}-name"), name);
                say(&format!("{kind}-uid"), uid);
            }
        }
        Self {
            user: claims.user(),
            uid: serviceaccount.uid.clone(),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
            extra,
        }
    }
}
