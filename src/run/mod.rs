//! Sends a plan: concurrently, within the quota, every record before those that name it, and every step exactly once.
//!
//! ```text
//! dispatcher        the loop that owns the state: journal, steps, interrupts
//! worker            sends one step
//! step_states       the state of every step, and whether a step may be sent     pure
//! unresolved_steps  lost responses: when to reconcile, how often to retry       pure
//! backoff           the circuit breaker for a service that is failing           pure
//! reconcile         after a lost response: was the step applied?
//! outcome           the outcome of a step, as the journal stores it             pure
//! claims            what the runs of this machine are writing: never the same record at once
//! other_runs        check-ins and check-outs that other runs of this machine have sent meanwhile
//! prior_actions     check-ins and check-outs that earlier runs and others have made
//! sent_values       what earlier runs have sent for fields that the service does not report
//! verify            what a run sent, or a file says, against what the account holds
//! previous_result   what the result of an earlier run says of a row, beside what that run read (earlier_rows)
//! plan_snapshot     what was known about the account when the plan was made
//! ```

mod account;
pub(crate) mod approved;
mod backoff;
pub(crate) mod claims;
pub(crate) mod command_line;
pub(crate) mod described;
mod dispatcher;
mod earlier_rows;
pub(crate) mod execute;
pub(crate) mod input;
pub(crate) mod journal;
pub(crate) mod lookups;
mod other_runs;
mod outcome;
mod plan_snapshot;
pub(crate) mod prepare;
pub(crate) mod previous_result;
mod prior_actions;
mod reconcile;
mod sent_values;
mod step_states;
pub(crate) mod undo;
mod unresolved_steps;
pub(crate) mod used_options;
pub(crate) mod verify;
mod worker;

use crate::observer::Wait;
use crate::plan::{Step, StepOutcome};

pub use dispatcher::Dispatcher;
pub use unresolved_steps::LostWaits;

/// How a plan is sent.
#[derive(Debug, Clone)]
pub struct DispatchOptions {
    /// The most requests in flight.
    pub concurrency: usize,
    /// Stop after this many failed rows.
    pub max_errors: Option<u64>,
    /// Failed rows that count towards `max_errors` from the start.
    pub failed_before: u64,
    pub start: RunStart,
    /// Whether a row that another run is writing is a problem, and not waited for.
    pub no_wait: bool,
    /// Whether a record that is there already is a problem, and not updated: `--mode create`.
    pub creates_only: bool,
    pub lost_waits: LostWaits,
}

/// Whether the account may have changed since the plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStart {
    /// The plan has just been made.
    Fresh,
    /// An earlier process made the plan: others may have done since what it has not sent.
    Resumed,
}

/// How the sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Every step has an outcome.
    Complete,
    /// The service rejects every request of the run.
    Refused(String),
    /// The service could not be reached, or failed, for too long.
    Unreachable(String),
    /// The journal could not be written. What was sent is reported all the same.
    JournalFailed(String),
    /// The error limit was reached.
    TooManyErrors,
    Interrupted,
}

/// Receives step outcomes and progress.
pub trait RunObserver {
    /// A step has ended, and its outcome is on disk.
    fn on_step_end(&mut self, step: &Step, outcome: &StepOutcome);

    /// A step that has ended turned out to be applied twice; with its new outcome.
    fn on_duplicate(&mut self, outcome: &StepOutcome);

    /// Called twice a second; `wait` is what keeps the run from sending.
    fn on_progress(&mut self, wait: Option<&Wait>);
}
