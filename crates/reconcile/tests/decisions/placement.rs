//! Room on the node, and the words for there being none.

use kinds::types::core::v1::PodSpec;
use reconcile::placement::{NodeFacts, Room, place, queue_order, requests, take};

const MI: i64 = 1 << 20;

fn spec(yaml: &str) -> PodSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

/// A spec whose only container asks for this.
fn asking(requests: &str) -> String {
    format!("containers: [{{name: c, resources: {{requests: {{{requests}}}}}}}]")
}

fn node() -> NodeFacts {
    NodeFacts {
        name: "node".to_owned(),
        labels: [("disk".to_owned(), "ssd".to_owned())].into(),
        allocatable: Room { cpu_milli: 2000, memory_bytes: 1024 * MI, pods: 10 },
        unschedulable: false,
    }
}

#[test]
fn effective_requests() {
    let sidecar = "{name: s, restartPolicy: Always, resources: {requests: {cpu: 300m}}}";
    let init = "{name: i, resources: {requests: {cpu: 900m, memory: 10Mi}}}";
    let main = "containers: [{name: a, resources: {requests: {cpu: 250m, memory: 64Mi}}}, \
                {name: b, resources: {requests: {cpu: '1'}}}, {name: d}]";
    let rows = [
        ("containers: [{name: c}]".to_owned(), 0, 0),
        (main.to_owned(), 1250, 64),
        // The greater of all containers together and the hungriest init container.
        (format!("initContainers: [{init}]\n{}", asking("cpu: 100m")), 900, 10),
        (format!("initContainers: [{init}]\n{main}"), 1250, 64),
        // A sidecar runs beside the containers, and beside the init containers after it.
        (format!("initContainers: [{sidecar}]\n{main}"), 1550, 64),
        (format!("initContainers: [{sidecar}, {init}]\n{}", asking("cpu: 100m")), 1200, 10),
        (format!("initContainers: [{init}, {sidecar}]\n{}", asking("cpu: 100m")), 900, 10),
        (format!("overhead: {{cpu: 50m, memory: 1Mi}}\n{main}"), 1300, 65),
        (asking("cpu: 1500u, memory: 1e6"), 2, 0),
    ];
    for (yaml, cpu_milli, memory_mi) in rows {
        let asked = requests(&spec(&yaml));
        assert_eq!((asked.cpu_milli, asked.memory_bytes / MI), (cpu_milli, memory_mi), "{yaml}");
        assert_eq!(asked.pods, 1);
    }
}

#[test]
fn what_fits_takes_its_room() {
    let mut free = node().allocatable;
    let pod = spec(&asking("cpu: 1500m, memory: 1Gi"));
    assert_eq!(place(&mut free, &node(), &pod), Ok(()));
    assert_eq!(free, Room { cpu_milli: 500, memory_bytes: 0, pods: 9 });
    assert_eq!(place(&mut free, &node(), &spec("containers: [{name: c}]")), Ok(()));
    assert_eq!(free.pods, 8);
}

#[test]
fn what_does_not_fit_is_told_in_the_schedulers_words() {
    let none =
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    let never = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    let refused = "preemption: not eligible due to preemptionPolicy=Never.";
    let small = Room { cpu_milli: 100, memory_bytes: 10 * MI, pods: 5 };
    let full = Room { pods: 0, ..small };
    let here = "containers: [{name: c}]\n";
    let rows = [
        (small, asking("cpu: 200m"), "1 Insufficient cpu", none),
        (small, asking("memory: 11Mi"), "1 Insufficient memory", none),
        (small, asking("cpu: 1, memory: 1Gi"), "1 Insufficient cpu, 1 Insufficient memory", none),
        (full, here.to_owned(), "1 Too many pods", none),
        (full, asking("cpu: 1"), "1 Insufficient cpu, 1 Too many pods", none),
        (small, asking("cpu: 3"), "1 Insufficient cpu", never),
        (small, asking("cpu: 1, memory: 2Gi"), "1 Insufficient cpu, 1 Insufficient memory", never),
        (small, asking("nvidia.com/gpu: 1"), "1 Insufficient nvidia.com/gpu", never),
        (
            small,
            asking("cpu: 1, nvidia.com/gpu: 1"),
            "1 Insufficient cpu, 1 Insufficient nvidia.com/gpu",
            never,
        ),
        (
            small,
            format!("preemptionPolicy: Never\n{}", asking("cpu: 1")),
            "1 Insufficient cpu",
            refused,
        ),
        (
            small,
            format!("nodeSelector: {{disk: hdd}}\n{here}"),
            "1 node(s) didn't match Pod's node affinity/selector",
            never,
        ),
        (
            small,
            format!("nodeName: other\n{here}"),
            "1 node(s) didn't match the requested node name",
            never,
        ),
    ];
    for (free, yaml, reasons, preemption) in rows {
        let mut left = free;
        let told = place(&mut left, &node(), &spec(&yaml)).unwrap_err();
        assert_eq!(told, format!("0/1 nodes are available: {reasons}. {preemption}"), "{yaml}");
        assert_eq!(left, free, "a pod that is not placed takes nothing");
    }
}

#[test]
fn a_cordoned_node_takes_only_what_tolerates_it() {
    let cordoned = NodeFacts { unschedulable: true, ..node() };
    let key = "node.kubernetes.io/unschedulable";
    let rows = [
        ("[]".to_owned(), false),
        ("[{operator: Exists}]".to_owned(), true),
        (format!("[{{key: {key}, operator: Exists}}]"), true),
        (format!("[{{key: {key}, effect: NoSchedule}}]"), true),
        (format!("[{{key: {key}, value: x}}]"), false),
        (format!("[{{key: {key}, operator: Exists, effect: NoExecute}}]"), false),
        ("[{key: other, operator: Exists}]".to_owned(), false),
    ];
    for (tolerations, fits) in rows {
        let pod = spec(&format!("containers: [{{name: c}}]\ntolerations: {tolerations}"));
        let told = place(&mut node().allocatable.clone(), &cordoned, &pod);
        let wanted = "0/1 nodes are available: 1 node(s) were unschedulable. preemption: \
                      0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
        assert_eq!(told, if fits { Ok(()) } else { Err(wanted.to_owned()) }, "{tolerations}");
    }
}

#[test]
fn what_is_not_asked_for_cannot_be_lacking() {
    let mut free = Room { cpu_milli: -500, memory_bytes: 0, pods: 1 };
    let pod = spec(
        "nodeSelector: {disk: ssd}\nnodeName: node\n\
         containers: [{name: c, resources: {requests: {nvidia.com/gpu: 0, ephemeral-storage: 1Gi}}}]",
    );
    assert_eq!(place(&mut free, &node(), &pod), Ok(()));
}

#[test]
fn a_pod_bound_by_its_user_takes_room_that_is_not_there() {
    let mut free = Room { cpu_milli: 100, memory_bytes: 0, pods: 0 };
    take(&mut free, requests(&spec(&asking("cpu: 1"))));
    assert_eq!(free, Room { cpu_milli: -900, memory_bytes: 0, pods: -1 });
}

#[test]
fn the_queue_goes_by_priority_then_age_then_name() {
    let mut waiting = [(0, 5, "b"), (0, 5, "a"), (10, 9, "c"), (0, 1, "d"), (-1, 0, "e")];
    waiting.sort_by(|a, b| queue_order(a.0, a.1, a.2).cmp(&queue_order(b.0, b.1, b.2)));
    let names: Vec<_> = waiting.iter().map(|w| w.2).collect();
    assert_eq!(names, ["c", "d", "a", "b", "e"]);
}
