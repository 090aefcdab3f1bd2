//! Writes records to spreadsheets.
//!
//! ```text
//! columns    the columns of a collection, from its schema; a record as a row of typed cells
//! filters    which records are exported, and whether the service or this program selects them
//! table      one collection as a table: filtered, sorted
//! bucket     uploads to object storage
//! backup     records before a delete, as a workbook that an import can restore
//! ```
//!
//! Invariant: a sheet written here can be imported as it is, and the import reads the values the records had. Ids mean
//! nothing in another account, or in this one after the record is deleted, so references are also written as names,
//! and as `#id` where a name would be ambiguous.

mod backup;
pub mod bucket;
mod columns;
mod filters;
mod names;
mod table;
mod value;

pub use backup::{Backup, BackupError};
pub use columns::{ExportColumns, IdColumns, ImportRole};
pub use filters::{AppliedBy, Filter, FilterArg, FilterError};
pub use names::{ReferenceNames, collections_referenced_by, referenced_collections};
pub use table::{ExportTable, SortBy, SortDirection, TableError};
