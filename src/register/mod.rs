//! The fixed-asset register.

mod amount;
pub mod depreciation;
mod item;

pub use amount::{Currency, UNSTATED};
pub use item::{Disposal, Gap, Item, ItemError, Kind, Names, Record};
