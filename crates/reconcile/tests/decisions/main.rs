//! What the controllers decide: data cases under `cases/`, golden pods, and properties over a small
//! random world.

mod cases;
mod notation;
mod pods;
mod properties;
mod world;
