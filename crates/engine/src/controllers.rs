//! The table of controllers: what each looks after, and how it looks at one object of it. None is
//! told why it was woken, and all are asked again until none changes anything.

use jiff::Timestamp;
use kinds::{Key, Kind};

use crate::Engine;

/// A row of [`CONTROLLERS`].
struct Controller {
    /// What it looks after; `None` for everything.
    kind: Option<Kind>,
    /// Looks at one object, which may be gone by now, and puts what it wants changed into the
    /// pending transaction.
    reconcile: fn(&mut Engine, &Key, Timestamp),
}

/// Every controller, in the order in which they look.
const CONTROLLERS: &[Controller] = &[
    // garbage-collector
    Controller { kind: None, reconcile: Engine::collect },
    // job
    Controller { kind: Some(Kind::Job), reconcile: Engine::reconcile_job },
    // cronjob
    Controller { kind: Some(Kind::CronJob), reconcile: Engine::reconcile_cron_job },
    // pod-garbage-collector
    Controller { kind: Some(Kind::Pod), reconcile: Engine::collect_stray },
    // ttl-after-finished
    Controller { kind: Some(Kind::Job), reconcile: Engine::expire },
    // namespace
    Controller { kind: Some(Kind::Namespace), reconcile: Engine::empty_namespace },
    // serviceaccount
    Controller { kind: Some(Kind::Namespace), reconcile: Engine::give_account },
    // root-ca-certificate-publisher
    Controller { kind: Some(Kind::Namespace), reconcile: Engine::publish_certificate },
];

impl Engine {
    /// Lets every controller concerned look at an object.
    pub(crate) fn reconcile(&mut self, key: &Key, now: Timestamp) {
        for controller in CONTROLLERS {
            if controller.kind.is_none_or(|kind| kind == key.kind) {
                (controller.reconcile)(self, key, now);
            }
        }
    }
}
