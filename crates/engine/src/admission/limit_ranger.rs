//! LimitRanges fill in what the containers of a new pod request and may use, and refuse what is
//! outside of them (`plugin/pkg/admission/limitranger`).

use std::collections::{BTreeMap, BTreeSet};

use kinds::{
    Kind,
    quantity::{Quantity, Text},
    types::core::v1::{Container, LimitRangeItem, LimitRangeSpec, PodSpec},
};
use reconcile::resources::{self, Amounts};

use super::{PodChange, State, Verdict};

/// Says on the pod what was filled in.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    let namespace = change.meta.namespace.as_deref().unwrap_or_default();
    let ranges = state.list(Kind::LimitRange, Some(namespace));
    let ranges: Vec<LimitRangeSpec> = ranges.filter_map(|range| range.limit_range().spec).collect();
    if ranges.is_empty() || change.old.is_some() {
        return Ok(());
    }
    for range in &ranges {
        let set = fill(change.spec, range);
        if !set.is_empty() {
            let text = format!("LimitRanger plugin set: {}", set.join("; "));
            change.meta.annotations.get_or_insert_default().insert(ANNOTATION.to_owned(), text);
        }
    }
    ranges.iter().try_for_each(|range| check(change.spec, range))
}

/// Gives containers the defaults of a range; says what was set on which.
fn fill(spec: &mut PodSpec, range: &LimitRangeSpec) -> Vec<String> {
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    for item in range.limits.iter().filter(|item| item.type_ == "Container") {
        requests.extend(item.default_request.clone().unwrap_or_default());
        limits.extend(item.default.clone().unwrap_or_default());
    }
    let mut set = Vec::new();
    let init = spec.init_containers.iter_mut().flatten().map(|c| (c, "init container"));
    for (container, what) in spec.containers.iter_mut().map(|c| (c, "container")).chain(init) {
        let resources = container.resources.get_or_insert_default();
        for (list, defaults, word) in [
            (&mut resources.requests, &requests, "request"),
            (&mut resources.limits, &limits, "limit"),
        ] {
            let names = fill_list(list, defaults).join(", ");
            if !names.is_empty() {
                set.push(format!("{names} {word} for {what} {}", container.name));
            }
        }
    }
    set
}

fn fill_list<'a>(
    list: &mut Option<BTreeMap<String, Text>>,
    defaults: &'a BTreeMap<String, Text>,
) -> Vec<&'a str> {
    let has = |name: &str| list.as_ref().is_some_and(|list| list.contains_key(name));
    let missing: Vec<_> = defaults.iter().filter(|(name, _)| !has(name)).collect();
    for (name, amount) in &missing {
        list.get_or_insert_default().insert((*name).clone(), (*amount).clone());
    }
    missing.into_iter().map(|(name, _)| name.as_str()).collect()
}

fn check(spec: &PodSpec, range: &LimitRangeSpec) -> Verdict {
    let mut wrong = BTreeSet::new();
    let mut texts = Vec::new();
    for item in &range.limits {
        let uses = match &*item.type_ {
            "Container" => {
                let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
                all.map(of_container).collect()
            }
            "Pod" => vec![Use {
                requests: resources::requests(spec, false),
                limits: resources::limits(spec, false),
            }],
            _ => Vec::new(),
        };
        for text in uses.iter().flat_map(|used| used.against(item)) {
            if wrong.insert(text.clone()) {
                texts.push(text);
            }
        }
    }
    match texts.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

fn of_container(container: &Container) -> Use {
    let none = Default::default();
    let resources = container.resources.as_ref().unwrap_or(&none);
    Use {
        requests: resources::read(resources.requests.as_ref()),
        limits: resources::read(resources.limits.as_ref()),
    }
}

/// What one container, or all of a pod, asks for.
struct Use {
    requests: Amounts,
    limits: Amounts,
}

impl Use {
    /// Everything that is outside of one item of a range.
    fn against(&self, item: &LimitRangeItem) -> Vec<String> {
        let of = &item.type_;
        let each = |list: &Option<_>, check: fn(&Self, &str, Quantity, &str) -> Option<String>| {
            let bounds = resources::read(list.as_ref());
            let texts = bounds.iter().filter_map(|(name, bound)| check(self, name, *bound, of));
            texts.collect::<Vec<_>>()
        };
        [
            each(&item.min, Self::below),
            each(&item.max, Self::above),
            each(&item.max_limit_request_ratio, Self::beyond_ratio),
        ]
        .concat()
    }

    fn below(&self, name: &str, least: Quantity, of: &str) -> Option<String> {
        let what = format!("minimum {name} usage per {of} is {least}");
        match (self.requests.get(name), self.limits.get(name)) {
            (None, _) => Some(format!("{what}.  No request is specified")),
            (Some(request), _) if *request < least => {
                Some(format!("{what}, but request is {request}"))
            }
            (_, Some(limit)) if *limit < least => Some(format!("{what}, but limit is {limit}")),
            _ => None,
        }
    }

    fn above(&self, name: &str, most: Quantity, of: &str) -> Option<String> {
        let what = format!("maximum {name} usage per {of} is {most}");
        match (self.requests.get(name), self.limits.get(name)) {
            (_, None) => Some(format!("{what}.  No limit is specified")),
            (_, Some(limit)) if *limit > most => Some(format!("{what}, but limit is {limit}")),
            (Some(request), _) if *request > most => {
                Some(format!("{what}, but request is {request}"))
            }
            _ => None,
        }
    }

    fn beyond_ratio(&self, name: &str, most: Quantity, of: &str) -> Option<String> {
        let what = format!("{name} max limit to request ratio per {of} is {most}");
        let some = |list: &Amounts| list.get(name).copied().filter(|amount| !amount.is_zero());
        let Some(request) = some(&self.requests) else {
            return Some(format!("{what}, but no request is specified or request is 0"));
        };
        let Some(limit) = some(&self.limits) else {
            return Some(format!("{what}, but no limit is specified or limit is 0"));
        };
        let ratio = limit.milli() as f64 / request.milli() as f64;
        (ratio * 1000.0 > most.milli() as f64)
            .then(|| format!("{what}, but provided ratio is {ratio:.6}"))
    }
}
