//! A plan to its end: concurrently, under the quota, in an order in which nothing is named before it exists.
//!
//! One loop ([`dispatcher`]) owns the state; a [`worker`] makes one request and says what came of it. The journal
//! will hang on that loop: before a step is handed to a worker, and when its outcome comes back.

mod dispatcher;
mod outcome;
pub mod recover;
mod worker;

pub use dispatcher::{Dispatch, End, Interrupts, Settings, Watcher};
pub use outcome::{Fault, StepEnd, problem_of_named, problems_of};
