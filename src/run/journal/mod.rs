//! The journal: one SQLite file per run, from which the run can be continued, reported and taken back.
//!
//! A run is planned into its journal, sent from it, and reported from it. Nothing else is needed to go on: not the
//! spreadsheet, not the folder it lay in.
//!
//! ```text
//! Draft    the plan as it is made: sheets, rows with their cells, steps        plan
//! Scribe   the thread that owns the file while the plan is sent                send
//! Journal  what the file tells: where every step and row stands                resume, undo, runs, report
//! Shelf    the folder of journals                                              runs, prune
//! ```
//!
//! What always holds
//! - A step is intended on disk before its request leaves, and its outcome is on disk before anyone hears of it. What
//!   was intended and has no outcome is *unsettled*: nobody knows whether it was done.
//! - The plan never changes once it is made. Sending only adds: an intent, attempts, an outcome; an outcome that was
//!   `unknown` may be replaced by what was found out later.
//! - One process at a time: whoever writes holds the lock file beside the journal.
//! - Neither the key nor anything that looks like a password is in it.
//!
//! On disk, readable with any SQLite shell: `run` (one line: what, whose account, which phase), `sheet`, `row`
//! (every row with its cells and what the plan decided), `step` (every write: body, natural key within it, what stood
//! there before), `intent`, `attempt` (every request: when, what, which status, what came back) and `outcome`.
//! `user_version` is the format's version. Durable are commits of the phase `sending`; while a plan is made nothing is
//! lost that the spreadsheet does not hold.

mod cells;
mod draft;
mod error;
mod read;
mod scribe;
mod shelf;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize, Serializer};

use crate::account::AccountIdentity;
use crate::check::Problem;
use crate::plan::{RowCounts, RowStatus, StepOutcome, StepResult};
use crate::plan::{StepCount, StepSink};
use crate::run::LogPosition;
use crate::schema::Entity;
use crate::table::Row;

pub use draft::Draft;
pub use error::JournalError;
pub use read::{Attempts, Journal, RowState, StoredRow};
pub use scribe::{Entry, Event, Scribe};
pub use shelf::{AtWork, Glance, Shelf, Shelved};
pub use store::At;

/// What a run is, apart from its rows.
#[derive(Debug, Clone)]
pub struct RunHead {
    /// When it began and four letters: `20261124-093012-kqzf`.
    pub id: String,
    pub deed: Deed,
    pub account: AccountIdentity,
    /// The run that this one takes back.
    pub undoes: Option<String>,
    pub details: Details,
}

/// What kind of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Import,
    Delete,
    Undo,
}

/// What the report of a run wants to know beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    pub files: Vec<String>,
    /// The files as they were when they were read.
    pub sources: Vec<Source>,
    /// Sheets that were not read: name and why.
    pub skipped_sheets: Vec<(String, String)>,
    /// The options that differ from their defaults.
    pub options: Vec<(String, String)>,
    /// Where the result goes; absolute. A name that is no text is kept as the nearest text.
    #[serde(serialize_with = "as_text")]
    pub result: PathBuf,
    /// The command line's words that matter to a run of the result, its files first.
    pub typed: Vec<String>,
    /// Stop after so many failed rows.
    pub max_errors: Option<u64>,
    /// What the user should know whatever becomes of the rows.
    pub remarks: Vec<String>,
}

/// Paths need not be text, and JSON holds nothing else: a run goes on under the nearest name rather than not at all.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// A file that a run was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub path: PathBuf,
    pub bytes: u64,
    /// Milliseconds since the epoch; none where the file system does not tell.
    pub modified: Option<i64>,
}

impl Source {
    /// The file as it is now; none where it is not there, or has a name that the journal cannot hold.
    pub fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok().filter(|path| path.to_str().is_some())?;
        let metadata = path.metadata().ok()?;
        let since = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = since.and_then(|since| i64::try_from(since.as_millis()).ok());
        Some(Self { path, bytes: metadata.len(), modified })
    }
}

/// A sheet of a run, as its rows and the result need it.
#[derive(Debug, Clone)]
pub struct SheetHead {
    /// The file as the user named it.
    pub file: String,
    /// None where the file has no sheets.
    pub name: Option<String>,
    /// What the sheet is called in messages and results.
    pub label: String,
    /// Its place among the sheets of the result, which is the user's order.
    pub place: u32,
    pub entity: &'static Entity,
    pub header: Row,
    /// Which column feeds or shows which field: the service's complaints about a field go to that cell.
    pub fields: Vec<(String, u32)>,
    /// How the text was read.
    pub decoding: Option<String>,
    /// Columns that feed no field.
    pub ignored: Vec<String>,
}

impl SheetHead {
    /// The column of a field, from 0.
    pub fn column_of(&self, field: &str) -> Option<u32> {
        self.fields.iter().find(|(known, _)| known == field).map(|(_, column)| *column)
    }

    /// The header over a column, from 0.
    pub fn header_of(&self, column: u32) -> Option<&str> {
        Some(self.header.cell(column as usize).text.trim()).filter(|header| !header.is_empty())
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The plan is being made, or was when the process died: nothing was sent.
    Planning,
    /// Sending, or was when the process died.
    Sending,
    /// It stopped before its end.
    Stopped,
    /// Every step was tried to its end.
    Finished,
}

/// What is known of the account when the plan is made, for telling the run's own deeds from others' later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knowledge {
    /// How many records each collection held, as far as it was read.
    pub sizes: Vec<(String, u64)>,
    /// Where the activity log stood.
    pub log: LogPosition,
}

/// What a run has come to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conclusion {
    /// Requests by what they were for.
    pub requests: BTreeMap<String, u64>,
    pub seconds: f64,
    pub counts: RowCounts,
    /// The result as it was written last: where it has changed since, somebody has worked on it.
    pub result: Option<Source>,
}

/// One request of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptNote {
    pub step: u32,
    /// When it left: milliseconds since the epoch.
    pub at: i64,
    pub milliseconds: u64,
    /// Method and path, such as `POST assets`.
    pub request: String,
    /// None where no answer came.
    pub status: Option<u16>,
    /// What came back, where it was no success: shortened.
    pub reply: Option<String>,
}

/// Takes a plan as it is made: its rows beside its steps.
pub trait PlanSink: StepSink {
    /// Begins a sheet; the rows that follow are its.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn sheet(&mut self, sheet: u16, head: &SheetHead) -> Result<(), Self::Error>;

    /// Adds the next row of the sheet. Cells of columns that are `withheld` are not kept.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn row(&mut self, row: &Row, planned: &PlannedRow, withheld: &dyn Fn(usize) -> bool) -> Result<(), Self::Error>;
}

/// A dry run keeps nothing.
impl PlanSink for StepCount {
    fn sheet(&mut self, _: u16, _: &SheetHead) -> Result<(), Infallible> {
        Ok(())
    }

    fn row(&mut self, _: &Row, _: &PlannedRow, _: &dyn Fn(usize) -> bool) -> Result<(), Infallible> {
        Ok(())
    }
}

/// What a plan decided for a row, before anything is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    pub state: RowState,
    pub status: RowStatus,
    pub record: Option<i64>,
    pub message: String,
    pub problems: Vec<Problem>,
}
