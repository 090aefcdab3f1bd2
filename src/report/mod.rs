//! The outcome of every row, for people and for scripts.
//!
//! Every row of every input ends in exactly one [`RowOutcome`](crate::plan::RowOutcome). Three views are made of
//! them, and they agree because they share [`RowCounts`](crate::plan::RowCounts), [`ProblemTally`] and the sentences
//! of [`summary`]:
//!
//! - [`ResultFile`]: the user's own rows back, each with its status, the wrong cells marked, and a Summary sheet;
//!   rows are written as they come, and memory stays flat;
//! - [`summary::text`]: the end of a run on the terminal;
//! - [`summary::json`]: the same for scripts, whose shape is a contract.

mod change_tally;
pub(crate) mod plan_book;
mod result_file;
mod run_result;
mod run_summary;
pub(crate) mod summary;
mod tally;
mod text;
mod undo_summary;
mod verify;

pub use change_tally::{ChangeExample, ChangeGroup, ChangeTally};
pub(crate) use result_file::{ResultFile, beside_remark};
pub(crate) use run_result::{RowSource, add_rows, write_result};
pub(crate) use run_summary::RunCommand;
pub use run_summary::{RunSummary, SheetSummary};
pub(crate) use summary::plan_sentence;
pub use tally::{ProblemExample, ProblemGroup, ProblemTally};
pub(crate) use undo_summary::UndoSummary;
pub use verify::VerifyReport;
