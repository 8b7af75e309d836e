//! What this machine is and what it can do: facts for the Node object and for placement, the trees
//! of the image [`HOST_IMAGE`](crate::HOST_IMAGE), and the checks of `coracle doctor`.

mod checks;
mod observe;
mod root;

pub use self::{
    checks::{Check, Verdict, checks},
    observe::Machine,
    root::root,
};
