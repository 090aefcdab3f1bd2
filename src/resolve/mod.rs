//!

pub mod suggest;
