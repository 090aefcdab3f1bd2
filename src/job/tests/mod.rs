//! Whole jobs on an account of a sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod delete;
mod job_test;
mod repeats;
mod undo;
mod undo_moves;
mod verify;
