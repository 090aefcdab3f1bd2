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
pub mod table;

// Which column feeds which field.
pub mod mapping;

// One row against the schema: all its problems, or its values.
pub mod check;

// For every row: create, update, unchanged or reject.
pub mod plan;

// A plan to its end, under the quota, and the journal that every run is kept in.
pub mod run;

// What became of every row, for people and for scripts.
pub mod report;

// Every collection and action of the API, as data.
pub mod schema;

// What the account holds, fetched once.
pub mod catalog;

// The HTTP client: the only place that knows HTTP.
pub mod api;

// Writes records to spreadsheets.
pub mod export;

// The fixed-asset register: what things cost, and what they are still worth.
pub mod register;

// Sheets to fill in, from the schema.
pub mod template;

mod wording;

// Characters that nobody sees, or that look like others.
mod unicode;

// Keeps secrets out of what is printed and stored.
mod redact;

// Text for the terminal: our styles, and nothing else that a terminal obeys.
mod terminal;

// Which account to use, and how to reach it.
pub mod account;

// The one error type: message, hint, exit class.
pub mod error;

// Progress, messages and questions of a run or an export.
pub mod observer;

// Asks work to stop: once to finish what is in flight, twice to stop at once.
pub mod shutdown;

// SQLite files that keep state: format stamp, permissions, lock, errors.
mod state_file;

// Folders for temporary files.
mod scratch;

// Which files were written here, so that nobody else's are overwritten.
mod written_files;

// The documented API as a local server.
pub mod sandbox;

// Whole jobs on an account: import, delete, undo, resume.
pub mod job;

// Commands, flags and exit codes.
pub mod cli;

pub use account::{Account, ConnectOptions, DEFAULT_BASE_URL};
pub use check::Mode;
pub use error::Error;
pub use export::ExportJob;
pub use job::{DeleteJob, ImportJob, Plan, ResultTarget, RunReport, RunStatus, UndoJob};
