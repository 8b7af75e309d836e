//! A small model of everything around the controller: it carries plans out as one transaction each,
//! and lets pods start, end and vanish as a node would.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Uid,
    metav1::Time,
    selector::Selector,
    types::{
        batch::v1::Job,
        core::v1::{ContainerStatus, Pod},
    },
};
use reconcile::{
    BackOff, INDEX_KEY, Indexes, Owner, Phase, Plan, PodFacts, TRACKING_FINALIZER, View, Write,
    owner_reference,
};

use crate::notation::{self, Input, START, uid};

/// More plans in a row than any single event can cause.
const PLANS_MAX: usize = 40;

pub(crate) struct World {
    pub(crate) job: Job,
    pub(crate) pods: BTreeMap<String, Pod>,
    pub(crate) back_off: BackOff,
    pub(crate) now: Timestamp,
    pub(crate) made: u32,
}

impl World {
    pub(crate) fn of(input: Input) -> Self {
        let named = |pod: Pod| (pod.metadata.name.clone().unwrap(), pod);
        let pods = input.pods.into_iter().map(named).collect();
        Self { job: input.job, pods, back_off: input.back_off, now: input.now, made: 0 }
    }

    /// What the controller is shown: pods of the Job that are not accounted for, and orphans that
    /// its selector matches.
    pub(crate) fn facts(&self) -> Vec<PodFacts> {
        let spec = self.job.spec.as_ref().unwrap();
        let selector = Selector::from_label_selector(spec.selector.as_ref());
        let policy = spec.pod_failure_policy.as_ref();
        let own = Uid::parse(self.job.metadata.uid.as_deref().unwrap()).unwrap();
        let shown = |pod: &PodFacts| match pod.owner {
            Owner::Job(uid) if uid == own => {
                pod.tracked || !matches!(pod.phase, Phase::Succeeded | Phase::Failed)
            }
            Owner::Nobody => pod.matches,
            _ => false,
        };
        let all = self.pods.values().map(|pod| PodFacts::of(pod, &selector, policy));
        all.filter(shown).collect()
    }

    /// The plan for the world as it stands; `reversed` shows the pods in the other order.
    pub(crate) fn plan(&self, reversed: bool) -> Plan {
        let mut pods = self.facts();
        if reversed {
            pods.reverse();
        }
        let indexes = Indexes::of(&self.job);
        let pods: Vec<&PodFacts> = pods.iter().collect();
        let view = View { job: &self.job, pods: &pods, indexes: &indexes, back_off: self.back_off };
        let mut made = self.made;
        reconcile::job(&view, self.now, &mut |prefix| {
            made += 1;
            format!("{prefix}{made}")
        })
    }

    /// Carries a plan out.
    pub(crate) fn apply(&mut self, plan: Plan) {
        self.back_off = plan.back_off;
        for write in plan.writes {
            match write {
                Write::CreatePod(pod) => self.create(*pod),
                Write::DeletePod { name } => self.delete(&name),
                Write::RemoveFinalizer { name } => self.untrack(&name),
                Write::ReleasePod { name } => {
                    self.pod(&name).metadata.owner_references = None;
                    self.untrack(&name);
                }
                Write::AdoptPod { name } => {
                    let owner = owner_reference(&self.job);
                    let meta = &mut self.pod(&name).metadata;
                    meta.owner_references = Some(vec![owner]);
                    meta.finalizers = Some(vec![TRACKING_FINALIZER.to_owned()]);
                }
                Write::SetStatus(status) => self.job.status = Some(*status),
            }
        }
    }

    /// Plans and applies until nothing is left to do; returns the plans.
    pub(crate) fn settle(&mut self) -> Vec<Plan> {
        let mut plans = Vec::new();
        loop {
            let plan = self.plan(false);
            assert_eq!(plan, self.plan(true), "a plan depends on the order of the pods");
            plans.push(plan.clone());
            if plan.writes.is_empty() {
                assert!(plan.wake_at.is_none_or(|at| at > self.now), "asked again for nothing");
                self.back_off = plan.back_off;
                return plans;
            }
            self.apply(plan);
            assert!(plans.len() < PLANS_MAX, "no fixed point: {plans:?}");
        }
    }

    fn create(&mut self, mut pod: Pod) {
        self.made += 1;
        let name = pod.metadata.name.clone().expect("a new pod is named");
        pod.metadata.uid = Some(uid(&name));
        pod.metadata.creation_timestamp = Some(Time(self.now));
        assert!(self.pods.insert(name, pod).is_none(), "a name was given out twice");
    }

    /// An ordinary delete: at once for a pod that never had a node or has ended.
    pub(crate) fn delete(&mut self, name: &str) {
        let due = self.now + SignedDuration::from_secs(30);
        let meta = &mut self.pod(name).metadata;
        if meta.deletion_timestamp.is_none() {
            meta.deletion_timestamp = Some(Time(due));
            meta.deletion_grace_period_seconds = Some(30);
        }
        self.collect(name);
    }

    fn untrack(&mut self, name: &str) {
        self.pod(name).metadata.finalizers = None;
        self.collect(name);
    }

    /// A pod ends with this exit code, and says when.
    pub(crate) fn end(&mut self, name: &str, code: i32) {
        let now = self.now.duration_since(START).as_secs();
        let now = i32::try_from(now).expect("a test is short");
        let pod = self.pod(name);
        let status = pod.status.get_or_insert_default();
        status.phase = Some(if code == 0 { "Succeeded" } else { "Failed" }.to_owned());
        let mut state = notation::ended(now);
        if let Some(terminated) = &mut state.terminated {
            terminated.exit_code = code;
        }
        let state = Some(state);
        status.container_statuses = Some(vec![ContainerStatus { state, ..Default::default() }]);
        self.collect(name);
    }

    /// A pod gets its node and runs.
    pub(crate) fn start(&mut self, name: &str) {
        let pod = self.pod(name);
        pod.spec.get_or_insert_default().node_name = Some("node".to_owned());
        pod.status.get_or_insert_default().phase = Some("Running".to_owned());
    }

    /// Lets a deleted pod vanish once nothing holds it.
    fn collect(&mut self, name: &str) {
        let pod = self.pod(name);
        let never_ran = pod.spec.as_ref().is_none_or(|spec| spec.node_name.is_none());
        let over = never_ran || ended(pod);
        if pod.metadata.deletion_timestamp.is_some() && pod.metadata.finalizers.is_none() && over {
            self.pods.remove(name);
        }
    }

    pub(crate) fn pod(&mut self, name: &str) -> &mut Pod {
        self.pods.get_mut(name).unwrap_or_else(|| panic!("no pod {name}"))
    }
}

pub(crate) fn ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

pub(crate) fn tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.is_some()
}

pub(crate) fn index(pod: &Pod) -> Option<u32> {
    pod.metadata.annotations.as_ref()?.get(INDEX_KEY)?.parse().ok()
}
