//! Records into spreadsheets: which columns there are, and what stands in them.
//!
//! ```text
//! Columns    the columns of a collection's records, from its schema; a record as a row of typed cells
//! bucket     files into the buckets of clouds
//! backup     records that are about to be deleted, as a workbook that an import can bring back
//! ```
//!
//! What always holds: a sheet written here is read by `import` as it stands, and what it reads is what the records
//! held. Ids mean nothing to another account, or to this one once a record is gone: references are written as names,
//! and as `#id` where a name would not find the record again.

mod backup;
pub mod bucket;
mod columns;
mod condition;
mod names;
mod sheet;
mod value;

pub use backup::{Backup, BackupError};
pub use columns::{Columns, Ids, Part};
pub use condition::{By, Condition, ConditionError, Wish};
pub use names::{Names, named_by, referred};
pub use sheet::{Direction, Sheet, SheetError, Sort};
