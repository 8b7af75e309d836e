//! Tokens in projected volumes: what they say, whose they are, and when they are made anew.

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Key, Kind, Object,
    types::core::v1::{PodSpec, ServiceAccountTokenProjection},
};
use tokens::{Bound, Claims, Reference};

use super::{
    Content, DataFile,
    content::{Files, Reader, bits},
    plan::{containers, fs_group},
};

/// How long a token is good that does not say how long, seconds.
const LIFE_S: i64 = 3600;
/// No token is used for longer, seconds.
const AGE_MAX_S: i64 = 24 * 60 * 60;

impl Reader<'_> {
    pub(super) fn token(
        &mut self,
        source: &ServiceAccountTokenProjection,
        mode: i32,
    ) -> Result<Files, String> {
        let spec = self.pod.spec.as_ref().expect("a bound pod has a spec");
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or_default();
        let account = spec.service_account_name.as_deref().unwrap_or_default();
        let key = Key::new(Kind::ServiceAccount, namespace, account);
        let Some(found) = self.objects.object(&key) else {
            self.sources.objects.insert(key);
            return Err(format!("failed to fetch token: serviceaccounts \"{account}\" not found"));
        };
        let asked_s = source.expiration_seconds.unwrap_or(LIFE_S);
        let audiences: Vec<String> =
            source.audience.iter().filter(|audience| !audience.is_empty()).cloned().collect();
        let (life_s, warn_after_s) = tokens::lifetime(asked_s, &audiences, true);
        let issued_s = self.now.as_second();
        let claims = Claims {
            audiences,
            issued_s,
            expires_s: issued_s.saturating_add(life_s),
            bound: Bound {
                namespace: namespace.to_owned(),
                node: Some(self.node()),
                pod: Some(Reference {
                    name: self.pod.metadata.name.clone().unwrap_or_default(),
                    uid: self.uid.to_owned(),
                }),
                secret: None,
                serviceaccount: reference(&found),
                warn_after_s: warn_after_s.map(|after_s| issued_s + after_s),
            },
        };
        let renew_at = renew_at(self.now, asked_s);
        let earlier = self.sources.renew_at.filter(|at| *at < renew_at);
        self.sources.renew_at = Some(earlier.unwrap_or(renew_at));
        // As upstream: who runs as one user alone reads its token alone.
        let owner = one_user(spec);
        let mode = if owner.is_some() || fs_group(spec).is_some() { 0o600 } else { bits(mode) };
        let file = DataFile { mode, owner, content: Content::Token(Box::new(claims)) };
        Ok(Files::from([(source.path.clone(), file)]))
    }

    fn node(&self) -> Reference {
        let name = &self.config.node_name;
        match self.objects.object(&Key::new(Kind::Node, "", name)) {
            Some(node) => reference(&node),
            None => Reference { name: name.clone(), uid: String::new() },
        }
    }
}

fn reference(object: &Object) -> Reference {
    Reference { name: object.key.name.to_string(), uid: object.meta.uid.to_string() }
}

/// After four fifths of its life, and after a day.
fn renew_at(now: Timestamp, life_s: i64) -> Timestamp {
    let age_s = (life_s / 5 * 4).min(AGE_MAX_S);
    now + SignedDuration::from_secs(age_s)
}

/// The user that every container of the pod says it runs as, if it is the same.
fn one_user(spec: &PodSpec) -> Option<u32> {
    let of_pod = spec.security_context.as_ref().and_then(|context| context.run_as_user);
    let mut users = containers(spec).map(|container| {
        let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
        own.or(of_pod)
    });
    let first = users.next()??;
    users.all(|user| user == Some(first)).then(|| u32::try_from(first).ok())?
}
