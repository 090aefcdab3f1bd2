//! Moves inventories between spreadsheets and BlueTally: nothing lost, nothing doubled, nothing surprising.
//!
//! The modules stand in the order a row takes, and each stage takes the last one's type:
//!
//! ```text
//! read ─► map ─► check ─► plan ─► run ─► report
//! table   mapping check   plan    run    report
//!                           ▲      │
//!                        catalog ◄─ api          run::journal records plan and run
//! ```
//!
//! `schema` is the one source of every fact about the API; `sandbox` is the service's stand-in, written from the
//! guide; `template` writes the sheets to fill in; `cli` joins the stages to commands.

// Spreadsheets as streams of rows of typed cells.
mod table;

// Which column is mapped to which field.
mod mapping;

// One row against the schema: all its problems, or its values.
mod check;

// For every row: create, update, unchanged or reject.
mod plan;

// A plan to its end, under the quota, and the journal that every run is kept in.
mod run;

// What became of every row, for people and for scripts.
mod report;

// Every collection and action of the API, as data.
pub mod schema;

// What the account holds, fetched once.
mod catalog;

// The HTTP client: the only place that knows HTTP.
mod api;

// Writes records to spreadsheets.
mod export;

// The fixed-asset register: what things cost, and what they are still worth.
mod register;

// Sheets to fill in, from the schema.
mod template;

mod wording;

// Words as a shell takes them.
mod shell;

// Parsers against mutated input.
#[cfg(test)]
mod fuzz;

// Characters that nobody sees, or that look like others.
mod unicode;

// Keeps secrets out of what is printed and stored.
mod redact;

// Text for the terminal: our styles, and nothing else that a terminal obeys.
mod terminal;

// Which account to use, and how to reach it.
mod account;

// The one error type: message, hint, exit class.
mod error;

// Progress, messages and questions of a run or an export.
pub mod observer;

// Asks work to stop: once to finish what is in flight, twice to stop at once.
pub mod shutdown;

// Paths of files that are the same file.
mod paths;

// SQLite files that keep state: format stamp, permissions, lock, errors.
mod state_file;

// Folders for temporary files.
mod scratch;

// Small text files in the encodings that people's programs write.
mod text_file;

// Files under a temporary name, and how they get their own.
mod temporary_file;

// Which files were written here, so that nobody else's are overwritten.
mod written_files;

// The documented API as a local server.
pub mod sandbox;

// Whole jobs on an account: import, delete, undo, resume, copy.
mod job;

// Commands, flags and exit codes.
#[doc(hidden)]
pub mod cli;

pub use account::{Account, ConnectError, ConnectOptions, DEFAULT_BASE_URL, Tenant};
pub use api::{ApiError, CustomFieldsEncoding, RequestCounts, SecretError, WaitReason, WaitStatus};
pub use check::{Code, Conflicts, Mode, Problem, Remark, RemarkCode, ValueError};
pub use error::{Diagnostic, Error, ErrorKind, Result};
pub use export::{
    ChangeCounts, ExportJob, ExportReport, FailedTenant, IdColumns, LogFilter, OutputLayout, Overwrite, ReadMode,
    StoredFile, TableReport, TenantScope,
};
pub use job::{
    ApplyJob, CopyJob, CopyReport, DeleteJob, ImportJob, Plan, ResultTarget, RunReport, RunStatus, UndoJob, VerifyJob,
};
pub use mapping::{IgnoredColumn, MappedColumn, SheetMapping};
pub use plan::{
    AliasedName, FieldChange, LookAlikeGroup, LookAlikeName, LookAlikes, RowCounts, RowStatus, RunEstimate,
};
pub use register::{RegisterJob, RegisterReport, RegisterSummary};
pub use report::{
    ChangeExample, ChangeGroup, ChangeTally, ProblemExample, ProblemGroup, ProblemTally, RunSummary, SheetSummary,
    VerifyReport,
};
pub use run::journal::{FinishedRow, JournalError, RowEnding};
pub use run::verify::{Difference, DifferenceKind, MissingDetails, MoneySum, SheetSums, VerifyCounts};
pub use table::CellRef;
pub use table::write::WriteError;
pub use table::write::output::{ByteOrderMark, CsvOptions, FileFormat, FormulaEscaping};

/// Parts of the engine that the benchmarks time by themselves. They change without notice.
#[doc(hidden)]
pub mod internals {
    pub use crate::account::AccountIdentity;
    pub use crate::api::{Client, ClientOptions, Secret};
    pub use crate::plan::{RowId, Step, StepOutcome, StepRole, StepSink, WriteKind};
    pub use crate::run::journal::{
        AccountSnapshot, JournalBuilder, JournalLocation, PlannedRow, RowState, RunDetails, RunHeader, RunKind,
        SheetHeader,
    };
    pub use crate::run::{DispatchOptions, Dispatcher, LostWaits, RunEnd, RunObserver, RunStart};
    pub use crate::table::Row;
}
