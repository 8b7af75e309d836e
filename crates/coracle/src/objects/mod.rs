//! The verbs over objects: kubectl's `get`, `describe`, `wait`, `delete` and `apply` for people who
//! have no kubectl, with its flags, its output and its messages. They are clients of the API and work
//! on every kind of the table of kinds alike.

mod apply;
mod delete;
mod describe;
mod format;
mod get;
mod jsonpath;
mod print;
mod problem;
mod session;
mod sorted;
mod until;
mod wait;
mod watch;
mod which;

pub(crate) use self::{
    apply::apply,
    delete::delete,
    describe::describe,
    format::{Form, Format},
    get::get,
    wait::wait,
    which::kind,
};
