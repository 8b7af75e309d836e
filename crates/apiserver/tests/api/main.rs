//! The server over a real socket, with a real engine on a store in memory and no containers: what a
//! client sees.

mod cases;
mod harness;
mod lists;
mod mutated;
mod runs;
mod slow;
mod watches;
