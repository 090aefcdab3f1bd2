//! The fixed-asset register as of a day: what things cost, what they are still worth, and what cannot be told.
//!
//! ```text
//! item           an asset or license from the service's records; what is missing is a gap, never zero
//! depreciation   straight line, exact: the convention, with worked examples
//! line           an item on the day: standing, figures, or the reasons why there are none
//! totals         sums by category, department, location and status, each currency by itself
//! rates          the user's rates of exchange
//! columns        the columns of the register, in the workbook and in the CSV
//! ledger         the CSV: one line per item
//! book           the workbook: summary, groups, charts, register, exceptions, method
//! previous, roll an earlier register read back, and the way from its closing to this one's
//! manifest       counts, totals and digests beside the files
//! ```
//!
//! What always holds:
//!
//! - Amounts are decimal and exact. They become binary numbers only as the cells of a workbook.
//! - Currencies are never added together. With rates, converted totals stand beside the originals.
//! - An item is held, disposed or not yet bought; totals count what is held. Every item has its line all the same.
//! - Cost − cost without a book value − accumulated depreciation = book value, on every line of totals.
//! - Today and now are arguments: the same records and options give the same files.

mod amount;
mod book;
mod columns;
pub mod depreciation;
mod error;
mod item;
mod ledger;
mod line;
mod manifest;
mod previous;
mod rates;
mod roll;
#[cfg(test)]
mod samples;
mod totals;
mod write;

pub use amount::{Currency, UNSTATED};
pub use error::{PreviousProblem, RatesProblem, RegisterError};
pub use item::{Disposal, Gap, Item, ItemError, Kind, Names, Record};
pub use line::{Line, Notice, Standing};
pub use manifest::{Account, AmountFacts, FileFacts, TotalFacts};
pub use rates::{Rate, Rates};
pub use totals::RegisterCounts;
pub use write::{RegisterOptions, RegisterSummary, RegisterTarget, RegisterWarning, write};

/// The most items a sheet holds, below its header.
pub const MAX_ITEMS: usize = 1_048_575;
