//! The plan of an import as a workbook: everything that would be sent, for somebody to approve, and to be applied later.
//!
//! The first sheet says what the plan is and has a line for each group of changes; each collection and action has a sheet
//! with a line for each field that changes. A hidden sheet holds the steps as they would be sent, so that
//! [`apply`](crate::job::ApplyJob) needs nothing else. A digest covers the text of every cell but the approvals: saving the
//! workbook in another program is no edit, changing a value is.
//!
//! ```text
//! action   what a step does, as the workbook says it
//! lines    the lines of a step, for people
//! stored   what the hidden sheet holds
//! digest   the digest of a sheet's text
//! page     the first sheet
//! write    writes the workbook
//! read     reads it back: approvals, and the steps
//! ```

mod action;
mod digest;
mod lines;
mod page;
mod read;
mod stored;
mod write;

#[cfg(test)]
mod tests;

use crate::run::input::own_sheets::PLAN_DATA_SHEET as DATA_SHEET;
pub(crate) use crate::table::SavedBy;
pub(crate) use action::PlanAction;
pub(crate) use page::{PageText, write_approved_page};
pub(crate) use read::PlanBook;
pub(crate) use stored::{FORMAT, PlanHead, PlannedAccount};
pub(crate) use write::{PlanSource, write_plan_book};

/// Who writes a plan, as its properties say.
pub(crate) const AUTHOR: &str = "tallyport";

/// The first sheet.
pub(crate) const PLAN_SHEET: &str = "Plan";

/// The columns of a collection's sheet.
const HEADERS: [&str; 8] = ["approve", "action", "record", "field", "old", "new", "source", "reason"];

/// What an approval says.
const YES: &str = "yes";
const NO: &str = "no";

/// The action of a line that cannot be approved.
pub(crate) const PROBLEM: &str = "problem";
