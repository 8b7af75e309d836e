//! The table of controllers: what each one looks after and what makes it look.

use kinds::Kind;

/// A row of [`CONTROLLERS`].
#[derive(Debug)]
pub struct Controller {
    /// The controller's name, as in the source of its Events.
    pub name: &'static str,
    /// The kind it brings into the wanted state.
    pub kind: Kind,
    /// The kinds of the objects it makes and owns.
    pub owns: &'static [Kind],
    /// What wakes it, besides the time its last plan named.
    pub wakes: &'static [&'static str],
}

/// Every controller.
pub const CONTROLLERS: &[Controller] = &[Controller {
    name: "job-controller",
    kind: Kind::Job,
    owns: &[Kind::Pod],
    wakes: &[
        "any write to the Job",
        "any write to a Pod that the Job controls",
        "a Pod without controller that the Job's selector matches",
    ],
}];
