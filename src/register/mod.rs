//! The fixed-asset register.

mod amount;
mod batch;
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

pub use amount::{Currency, UNSTATED};
pub use error::{PreviousProblem, RatesProblem, RegisterError};
pub use item::{Disposal, Gap, Item, ItemError, Kind, Names, Record};
pub use line::{Line, Notice, Standing};
pub use manifest::{Account, AmountFacts, FileFacts, TotalFacts};
pub use rates::{Rate, Rates};
pub use totals::RegisterCounts;

/// The most items a sheet holds, below its header.
pub const MAX_ITEMS: usize = 1_048_575;
