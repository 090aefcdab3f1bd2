//! The fixed-asset register on a given day: what things cost, what they are still worth, and which figures are missing.
//!
//! ```text
//! record         reads the fields of the service's records
//! item           an asset or license, built from the service's records; a missing figure is recorded, never zero
//! depreciation   straight-line depreciation: the convention, with worked examples
//! line           an item on that day: its state and its figures, or the reasons why there are none
//! totals         sums by category, department, location and status, one per currency
//! currency       currencies and rounding
//! rates          exchange rates supplied by the user
//! content        what the files contain: lines, totals, warnings
//! columns        the columns of the register, in the workbook and in the CSV
//! csv_file       the CSV: one line per item
//! book           the workbook: summary, groups, charts, register, exceptions, method
//! previous       reads an earlier register
//! opening        whether it is of this account, and as it was written
//! roll_forward   explains the changes from an earlier register to this one
//! job            reads the records of an account, and exports its register
//! manifest       counts, totals and digests, written beside the files
//! ```
//!
//! What always holds:
//!
//! - Amounts are exact decimals. They become binary numbers only in the cells of a workbook.
//! - Amounts in different currencies are never added. With exchange rates, converted totals appear beside the
//!   originals.
//! - An item is held, disposed or not yet bought. Totals include held items only; every item has a line.
//! - Cost − cost without a book value − accumulated depreciation = book value, on every line of totals.
//! - The current date and time are arguments: the same records and options always give the same files.

mod book;
mod columns;
mod content;
mod csv_file;
mod currency;
pub(crate) mod depreciation;
mod error;
mod item;
mod job;
mod line;
mod manifest;
mod opening;
mod previous;
mod rates;
mod record;
mod roll_forward;
#[cfg(test)]
mod samples;
mod totals;
mod write;

pub use job::{RegisterJob, RegisterReport};
pub use write::RegisterSummary;
