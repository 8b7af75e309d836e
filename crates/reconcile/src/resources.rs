//! What a pod requests and may use at most of every resource, over all its containers
//! (`component-helpers/resource`).

use std::collections::BTreeMap;

use kinds::{
    quantity::{Quantity, Text},
    types::core::v1::{Container, PodSpec},
};

/// Amounts by the name of the resource.
pub type Amounts = BTreeMap<String, Quantity>;

/// What all of a pod requests: all containers together, or the most that one init container with the
/// restartable ones before it requests. `overhead` adds that of the runtime.
pub fn requests(spec: &PodSpec, overhead: bool) -> Amounts {
    let mut sum = total(spec, |c| c.resources.as_ref()?.requests.as_ref());
    if overhead {
        add(&mut sum, &read(spec.overhead.as_ref()));
    }
    sum
}

/// What all of a pod may use at most. The overhead is added where there is a limit.
pub fn limits(spec: &PodSpec, overhead: bool) -> Amounts {
    let mut sum = total(spec, |c| c.resources.as_ref()?.limits.as_ref());
    let over = read(spec.overhead.as_ref().filter(|_| overhead));
    for (name, amount) in over {
        sum.entry(name).and_modify(|sum| *sum = *sum + amount);
    }
    sum
}

/// Quantities as objects have them, read. Validation lets no other text through.
pub fn read(list: Option<&BTreeMap<String, Text>>) -> Amounts {
    let all = list.into_iter().flatten();
    let read = all.filter_map(|(name, text)| Some((name.clone(), Quantity::parse(&text.0).ok()?)));
    read.collect()
}

/// Quantities as objects have them.
pub fn write(amounts: &Amounts) -> BTreeMap<String, Text> {
    amounts.iter().map(|(name, amount)| (name.clone(), Text(amount.to_string()))).collect()
}

/// Adds each amount to the one of its name.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = sum.entry(name.clone()).or_insert_with(|| Quantity::from_milli(0));
        *sum = *sum + *amount;
    }
}

fn total(spec: &PodSpec, list: fn(&Container) -> Option<&BTreeMap<String, Text>>) -> Amounts {
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for container in spec.init_containers.iter().flatten() {
        let mut needs = sidecars.clone();
        add(&mut needs, &read(list(container)));
        raise(&mut most, &needs);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = needs;
        }
    }
    let mut together = sidecars;
    for container in &spec.containers {
        add(&mut together, &read(list(container)));
    }
    raise(&mut together, &most);
    together
}

fn raise(to: &mut Amounts, least: &Amounts) {
    for (name, amount) in least {
        let present = to.entry(name.clone()).or_insert(*amount);
        *present = (*present).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_needs_what_its_containers_need_together_or_one_init_container_alone() {
        let spec: PodSpec = serde_json::from_str(
            r#"{"overhead":{"cpu":"50m","memory":"1Mi"},
            "initContainers":[
                {"name":"side","restartPolicy":"Always","resources":{"requests":{"cpu":"100m"}}},
                {"name":"init","resources":{"requests":{"cpu":"2","memory":"1Gi"},"limits":{"cpu":"3"}}}],
            "containers":[
                {"name":"a","resources":{"requests":{"cpu":"1"},"limits":{"cpu":"1"}}},
                {"name":"b","resources":{"requests":{"cpu":"500m","gpu":"1"}}}]}"#,
        )
        .expect("a spec");
        let text = |amounts: &Amounts| {
            let all = amounts.iter().map(|(name, amount)| format!("{name}={amount}"));
            all.collect::<Vec<_>>().join(",")
        };
        assert_eq!(text(&requests(&spec, false)), "cpu=2100m,gpu=1,memory=1Gi");
        assert_eq!(text(&requests(&spec, true)), "cpu=2150m,gpu=1,memory=1025Mi");
        assert_eq!(text(&limits(&spec, true)), "cpu=3050m");
    }
}
