//! One row against the schema: pure, no I/O, all problems at once.

mod problem;

pub use problem::{Code, Flaw, Problem};
