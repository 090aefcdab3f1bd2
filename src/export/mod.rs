//! Exports what an account holds to files.
//!
//! [`ExportJob`] says what to export and where to, [`Account::export`](crate::Account::export) does it, and
//! [`ExportReport`] says what was written.
//!
//! ```text
//! job          the options, as a program or the command line sets them
//! resolve      checks the options, and resolves the names in them
//! exporter     runs an export: one account, or every tenant of it
//! mirrored     an account and its local snapshot, brought up to date
//! source       the records of one account, and its tables
//! columns      the columns of a collection, from its schema; a record as a row of typed cells
//! filters      which records are exported, and whether the service or this program selects them
//! activity     filters for the activity log
//! table        one collection as a table: filtered, sorted
//! changes      the table of changes since the last export of the same name
//! destination  where the files go: path, URL, placeholders
//! files        writes the files
//! staging      the temporary folder for files that go into a bucket
//! bucket       uploads to object storage
//! retention    deletes older files of an export
//! lock         one export of a name at a time
//! report       what an export did
//! backup       records before a delete, as a workbook that an import can restore
//! ```
//!
//! Invariants:
//!
//! - A sheet written here can be imported as it is, and the import reads the values the records had. Ids mean nothing
//!   in another account, or in this one after the record is deleted, so references are also written as names, and as
//!   `#id` where a name would be ambiguous.
//! - Files are opened before the service is asked for anything, and appear when all of them are complete. An export
//!   that fails leaves the previous files.

mod activity;
mod backup;
pub(crate) mod bucket;
pub(crate) use bucket::SECRET_VARIABLES;
mod changes;
mod columns;
mod destination;
mod error;
mod exporter;
mod files;
mod filters;
mod job;
mod lock;
mod mirrored;
mod names;
mod progress;
mod report;
mod resolve;
mod retention;
mod source;
mod staging;
mod table;
mod value;

pub use activity::LogFilter;
pub(crate) use backup::{Backup, BackupError};
pub use changes::ChangeCounts;
pub use columns::IdColumns;
pub use destination::{OutputLayout, TenantScope};
pub(crate) use error::ExportError;
pub(crate) use filters::parse_day;
pub use job::{ExportJob, ReadMode};
pub(crate) use names::{ReferenceNames, collections_referenced_by};
pub use report::{ExportReport, FailedTenant, StoredFile, TableReport};

pub use crate::written_files::Overwrite;

// For the register, which is exported the same way.
pub(crate) use destination::{OutputPattern, PlaceholderValues, is_folder, matching_format};
pub(crate) use lock::ExportLock;
pub(crate) use mirrored::MirroredAccount;
pub(crate) use progress::PhaseProgress;
pub(crate) use resolve::{ResolvedJob, local_now};
pub(crate) use retention::fill as fill_stamps;
pub(crate) use staging::StagingDir;
