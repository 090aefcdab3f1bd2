//! The journal: one SQLite file per run, from which the run can be resumed, reported and undone.
//!
//! A run is planned into its journal, sent from it and reported from it. Resuming needs nothing else: neither the
//! spreadsheet nor the folder it was in.
//!
//! ```text
//! JournalBuilder  writes the plan: sheets, rows with their cells, steps          plan
//! JournalWriter   the thread that owns the file while the plan is sent           run
//! Journal         reads the file: the run, its rows, the state of every step     resume, undo, runs, report
//! RunStore        the folder of journals                                         runs, prune
//! ```
//!
//! What always holds
//! - A step's intent is on disk before its request is sent, and its outcome is on disk before it is reported
//!   (write-ahead log). A step with an intent and no outcome is *unresolved*: it may have been applied or not.
//! - A finished plan never changes. Sending only adds an intent, attempts and an outcome; an outcome that was `unknown`
//!   may be replaced by a later finding.
//! - Only one process writes: the one that holds the lock file next to the journal.
//! - It contains neither the API key nor anything that looks like a password.
//!
//! The tables, readable with any SQLite shell: `run` (one row: kind, account, phase), `sheet`, `row` (every row with its
//! cells and what the plan decided), `step` (every write: its body and, in the column `stood`, the values before it),
//! `intent`, `attempt` (every request: when, what, the status, the reply) and `outcome`. `user_version` is the format
//! version. Commits are durable from the phase `sending` on; while a plan is made, the spreadsheet still has everything.
//!
//! Columns and stored words keep the names they were released with; `encoding` maps them.

mod actions;
mod builder;
mod cells;
mod encoding;
mod error;
mod file;
#[cfg(test)]
#[allow(clippy::expect_used)]
mod inline_writer;
mod merged_rows;
mod read;
mod row_outcomes;
mod run_store;
mod sent_values;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::account::AccountIdentity;
use crate::api::{RequestCounts, RequestKind};
use crate::catalog::LogPosition;
use crate::check::{Problem, Remark};
use crate::mapping::{IgnoredColumn, SheetMapping};
use crate::plan::{LookAlikes, RowCounts, RowStatus};
use crate::schema::Entity;
use crate::table::{Input, Row};

pub(crate) use actions::{SendTimes, SentAction};
pub use builder::JournalBuilder;
pub use error::JournalError;
pub use file::JournalLocation;
#[cfg(test)]
pub(super) use inline_writer::{Crash, InlineWriter};
pub use read::RowState;
pub(crate) use read::{AttemptCounts, Journal};
pub(crate) use row_outcomes::RecordEndings;
pub use row_outcomes::{FinishedRow, RowEnding};
pub(crate) use row_outcomes::{RowOutcomes, Unfinished};
pub(crate) use run_store::{LockState, RunOverview, RunStore, StoredRun};
pub(crate) use sent_values::SentValue;
pub(crate) use writer::{JournalWriter, WriteCommand, WriteEvent};

/// What a run is, apart from its rows.
#[derive(Debug, Clone)]
pub struct RunHeader {
    /// The start time and four letters: `20261124-093012-kqzf`.
    pub id: String,
    pub kind: RunKind,
    pub account: AccountIdentity,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    pub details: RunDetails,
}

/// The kind of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    Import,
    Delete,
    Undo,
    /// Of a plan workbook.
    Apply,
}

impl RunKind {
    /// The command that starts such a run.
    pub fn command(self) -> &'static str {
        encoding::RUN_KINDS.encode(self)
    }
}

/// What the report of a run needs besides its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunDetails {
    pub files: Vec<String>,
    /// The files with their size and time when they were read.
    pub sources: Vec<SourceFile>,
    /// Sheets that were not read: name and why.
    pub skipped_sheets: Vec<(String, String)>,
    /// The options that differ from their defaults.
    pub options: Vec<(String, String)>,
    /// The absolute path of the result. A name that is not valid Unicode is kept as the nearest text.
    #[serde(serialize_with = "lossy_path")]
    pub result: PathBuf,
    /// The arguments that a run of the result needs, its files first.
    pub typed: Vec<String>,
    /// Stop after this many failed rows.
    pub max_errors: Option<u64>,
    /// Rows that another run is writing are not waited for.
    pub no_wait: bool,
    /// Records that are there already are not updated.
    pub creates_only: bool,
    /// Notes for the user that concern no single row.
    pub remarks: Vec<Remark>,
    /// Which column of each sheet feeds which field, in the user's order.
    pub mapping: Vec<SheetMapping>,
    /// Names that look alike, and what is decided about them.
    pub look_alikes: LookAlikes,
    /// The plan that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<AppliedPlan>,
    /// Sheets of further records, each with the sheet whose rows make them.
    pub further_sheets: Vec<(u16, u16)>,
    /// Sheets that are results of earlier runs, each with that run, as far as its journal is at hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results_of: Vec<(u16, EarlierRun)>,
}

/// The run that wrote a result which is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRun {
    pub id: String,
    /// Whether the file says so. Else it has more rows of that run than of others.
    pub is_named: bool,
}

/// A plan workbook that a run applies, and who approved it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPlan {
    /// Tells the plan from every other one.
    pub digest: String,
    /// When the plan was made.
    pub made: String,
    /// Who saved the workbook last, and when, as its properties say.
    pub saved_by: Option<String>,
    pub saved_at: Option<String>,
    /// Who applied it: the user of the system.
    pub applied_by: Option<String>,
    /// Empty in journals of earlier versions.
    #[serde(default)]
    pub page: ApprovedPage,
}

/// The first sheet of a plan workbook with the approvals of its groups, so that a result has it without the workbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedPage {
    /// The texts of each row that has any; rows count from 0.
    pub rows: Vec<(u32, Vec<String>)>,
    /// The row of the first group, from 0, and how many follow each other.
    pub groups_at: u32,
    pub groups: u32,
}

/// Paths need not be valid Unicode, but JSON strings are: a run resumes under the nearest name rather than not at all.
fn lossy_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// An input file of a run, identified by path, size and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// Milliseconds since the epoch, where the file system reports them.
    pub modified: Option<i64>,
}

impl SourceFile {
    /// The file as it is now; none where it does not exist or its name is not valid Unicode.
    pub fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok().filter(|path| path.to_str().is_some())?;
        let metadata = path.metadata().ok()?;
        let since = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = since.and_then(|since| i64::try_from(since.as_millis()).ok());
        Some(Self { path, bytes: metadata.len(), modified })
    }
}

/// A sheet of a run, as its rows and its result need it.
#[derive(Debug, Clone)]
pub struct SheetHeader {
    /// The file as the user named it.
    pub file: String,
    /// None for formats without sheets.
    pub name: Option<String>,
    /// What messages call the sheet; no two sheets share it.
    pub label: String,
    /// Its position among the sheets of the result, in the user's order.
    pub place: u32,
    pub entity: &'static Entity,
    pub header: Row,
    /// Fields and their columns: what the service says about a field is shown at that cell.
    pub fields: Vec<(String, u32)>,
    /// Encoding and delimiter, in words.
    pub decoding: Option<String>,
    /// Headers of columns without a field.
    pub ignored: Vec<IgnoredColumn>,
    /// The sheet whose rows make these records, if that is another: it tells what became of the rows.
    pub owner: Option<u16>,
}

#[cfg(test)]
impl SheetHeader {
    /// The first sheet of a file, without columns.
    pub(crate) fn without_columns(entity: &'static Entity) -> Self {
        Self {
            file: String::from("a.csv"),
            name: None,
            label: String::from("a"),
            place: 0,
            entity,
            header: Row::default(),
            fields: Vec::new(),
            decoding: None,
            ignored: Vec::new(),
            owner: None,
        }
    }
}

impl SheetHeader {
    /// What the sheet of the result is called, which tells what it holds: the sheet's name, or that of a file without sheets.
    pub(crate) fn result_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| Input::from_arg(Path::new(&self.file)).stem())
    }

    /// The first column of a field, from 0.
    pub fn column_of(&self, field: &str) -> Option<u32> {
        self.fields.iter().find(|(known, _)| known == field).map(|(_, column)| *column)
    }

    /// The same, if no other column feeds the field.
    pub(crate) fn only_column_of(&self, field: &str) -> Option<u32> {
        let column = self.column_of(field)?;
        self.fields.iter().all(|(known, other)| known != field || *other == column).then_some(column)
    }

    /// The header over a column, from 0.
    pub fn header_of(&self, column: u32) -> Option<&str> {
        Some(self.header.cell(column as usize).text.trim()).filter(|header| !header.is_empty())
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPhase {
    /// The plan is being made, or was when the process ended: nothing was sent.
    Planning,
    /// Sending, or was when the process ended.
    Sending,
    /// Stopped before its end.
    Stopped,
    /// Every step has an outcome.
    Finished,
}

/// What is known about the account when the plan is made. Tells the run's own changes from those of others later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSnapshot {
    /// How many records each collection held, as far as it was read.
    pub sizes: Vec<(String, u64)>,
    /// The newest entry of the activity log.
    pub log: LogPosition,
    /// When the log was read, in milliseconds since the epoch by the clock of this machine: what had ended by then has no
    /// newer entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_read_at: Option<i64>,
    /// When the account had been read: the plan does not know what other runs have sent since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_read_at: Option<i64>,
    /// A digest that tells accounts of one service apart; empty for a sandbox.
    pub account: String,
    /// By how many seconds the service's clock was ahead of ours, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ahead: Option<i64>,
}

impl AccountSnapshot {
    /// That the account was read just now, and the log to this position after that moment.
    #[must_use]
    pub(crate) fn with_log(self, log: LogPosition, since: Timestamp) -> Self {
        Self { log, log_read_at: Some(since.as_millisecond()), ..self }.read_now()
    }

    /// That the account was read just now.
    #[must_use]
    pub(crate) fn read_now(self) -> Self {
        Self { account_read_at: Some(Timestamp::now().as_millisecond()), ..self }
    }

    /// A moment of our clock by the service's, as far as it told its time.
    pub(crate) fn by_service_clock(&self, moment: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.clock_ahead.unwrap_or_default());
        moment.saturating_add(ahead).unwrap_or(moment)
    }
}

/// A collection or an action of which steps are pending.
#[derive(Debug, Clone, Copy)]
pub struct PendingEntity {
    pub entity: &'static Entity,
    /// Whether any of them changes, deletes or moves a record that was there when the run was planned.
    pub has_changes: bool,
}

/// The totals of a run so far, over all processes that worked on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunTotals {
    pub requests: RequestCounts,
    pub seconds: f64,
    pub counts: RowCounts,
    /// The result as last written. Where it differs now, someone has edited it.
    pub result: Option<SourceFile>,
}

/// One request of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRecord {
    pub step: u32,
    /// When it was sent: milliseconds since the epoch.
    pub at: i64,
    pub milliseconds: u64,
    pub request: RequestKind,
    /// None where no response came.
    pub status: Option<u16>,
    /// The body of a response that was no success, shortened.
    pub reply: Option<String>,
}

/// What the plan decided about a row, before anything is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    pub state: RowState,
    pub status: RowStatus,
    pub record: Option<i64>,
    pub message: String,
    pub problems: Vec<Problem>,
}
