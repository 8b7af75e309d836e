//! The planted bugs: each is a cargo feature of the crate it lies in and has to be found, or the
//! checkers have no teeth. `cargo xtask sim --bug NAME` builds with the feature and looks for it.

/// A bug that can be built in.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// Its name: the feature is `planted-NAME`.
    pub name: &'static str,
    /// What is wrong with it in.
    pub what: &'static str,
    /// Whether this build has it.
    pub planted: bool,
}

/// All of them.
pub const BUGS: [Bug; 7] = [
    Bug {
        name: "early-durable",
        what: "store: a revision is called durable before it is synced",
        planted: cfg!(feature = "planted-early-durable"),
    },
    Bug {
        name: "skipped-change",
        what: "store: a watch misses the last change before the store was opened again",
        planted: cfg!(feature = "planted-skipped-change"),
    },
    Bug {
        name: "forgotten-wake",
        what: "engine: waiting pods are not looked at again when another pod gives its room back",
        planted: cfg!(feature = "planted-forgotten-wake"),
    },
    Bug {
        name: "ignored-terminating",
        what: "reconcile: pods are replaced while they still end, under podReplacementPolicy Failed",
        planted: cfg!(feature = "planted-ignored-terminating"),
    },
    Bug {
        name: "late-look",
        what: "reconcile: a CronJob is looked at again one time too late",
        planted: cfg!(feature = "planted-late-look"),
    },
    Bug {
        name: "lost-success",
        what: "node: a container that was lost with its spawner is taken for a success",
        planted: cfg!(feature = "planted-lost-success"),
    },
    Bug {
        name: "early-start",
        what: "node: an attempt is started before it is durably recorded",
        planted: cfg!(feature = "planted-early-start"),
    },
];
