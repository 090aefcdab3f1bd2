//! Whole jobs on an account: import, delete, undo, resume, verify, copy. What the command line does, a program does with
//! these.
//!
//! [`Account::plan`](crate::Account::plan) reads and decides, and sends nothing; [`Plan::apply`] sends. Every run is
//! journalled: it can be listed, resumed and undone by this program, by another one, and by the command line.

mod apply;
mod backup;
mod check;
mod copy;
mod delete;
mod import;
mod next_commands;
mod plan;
mod result_path;
mod resume;
mod run_options;
mod run_report;
#[cfg(test)]
mod tests;
mod undo;
mod verify;

pub use apply::ApplyJob;
pub(crate) use apply::ReadyPlan;
pub(crate) use check::check;
pub use copy::{CopyJob, CopyReport};
pub use delete::DeleteJob;
pub use import::ImportJob;
pub(crate) use import::plan_limits;
pub(crate) use next_commands::after_run;
pub use plan::Plan;
pub(crate) use resume::{AccountBound, ResumableRun, ResumeOptions};
pub use run_options::ResultTarget;
pub(crate) use run_options::RunOptions;
pub(crate) use run_report::stored_summary;
pub use run_report::{RunReport, RunStatus};
pub use undo::UndoJob;
pub(crate) use undo::{UndoPlan, UndoableRun};
pub(crate) use verify::VerifiableRun;
pub use verify::VerifyJob;

/// A run's name: when it began, and four letters against two in one second.
fn new_run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let letters: String = std::iter::repeat_with(fastrand::lowercase).take(4).collect();
    format!("{now}-{letters}")
}
