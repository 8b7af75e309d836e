//! Files of manifests, YAML or JSON, and what admission says of the objects in them.

use crate::body;
use jiff::Timestamp;
use kinds::{
    Uid,
    admit::{self, Context},
    manifest,
};

pub(crate) fn fuzz(data: &[u8]) {
    let manifests = match manifest::parse("job.yaml", data) {
        Ok(manifests) => manifests,
        Err(errors) => {
            assert!(!errors.0.is_empty(), "refused without a reason");
            return drop(errors.to_string());
        }
    };
    let context = Context { uid: Uid::from_random(7), now: Timestamp::UNIX_EPOCH };
    for manifest in manifests {
        let mut draft = manifest.draft.clone();
        if manifest.kind.info().namespaced {
            draft.metadata.namespace.get_or_insert_with(|| "default".to_owned());
        }
        draft.metadata.name.get_or_insert_with(|| "a".to_owned());
        match admit::create(draft, &context) {
            Ok((draft, _)) => body::must_be_read_again(&draft),
            Err(errors) => drop(manifest.locate(&errors).to_string()),
        }
    }
}
