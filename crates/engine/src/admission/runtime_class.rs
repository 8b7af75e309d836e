//! A new pod's RuntimeClass is there (`plugin/pkg/admission/runtimeclass`). Overhead and scheduling
//! of RuntimeClasses do not work yet, so there is nothing to take from it.

use kinds::{Key, Kind};

use super::{PodChange, State, Verdict};

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    match change.spec.runtime_class_name.as_deref() {
        Some(name) if change.old.is_none() => {
            let there = state.exists(&Key::new(Kind::RuntimeClass, "", name));
            let gone = || format!("pod rejected: RuntimeClass \"{name}\" not found");
            if there { Ok(()) } else { Err(gone()) }
        }
        _ => Ok(()),
    }
}
