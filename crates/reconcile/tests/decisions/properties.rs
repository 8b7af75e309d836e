//! What holds whatever happens, over a small world in which pods start, end, are deleted, evicted and
//! lost, and people scale, suspend and resume.

use proptest::prelude::*;

use crate::{
    draw::{Shape, Step, shape, step},
    watched::Watched,
    world::ended,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_true_and_every_job_ends(shape in shape(), steps in prop::collection::vec(step(), 0..40)) {
        let mut watched = Watched::new(shape);
        watched.settle();
        for step in &steps {
            watched.take(step);
        }
        watched.end_everything();
    }

    #[test]
    fn places_of_terminating_pods_stay_taken_under_failed(
        shape in shape(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let parallelism = shape.parallelism;
        let completions = Some(shape.completions.unwrap_or(3).max(1));
        let mut watched = Watched::new(Shape { completions, replace_failed_only: true, ..shape });
        watched.settle();
        // Scaling down leaves more terminating pods than there are places.
        let scales = |step: &&Step| matches!(step, Step::Scale(_) | Step::Stretch(_) | Step::Relabel(_));
        for step in steps.iter().filter(|step| !scales(step)) {
            watched.take(step);
            let alive = watched.world.pods.values().filter(|pod| !ended(pod)).count();
            prop_assert!(alive <= parallelism as usize, "{alive} of {parallelism}");
        }
    }
}
