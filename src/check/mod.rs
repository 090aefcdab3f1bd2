//! One row against the schema: pure, no I/O, all problems at once.

/// Calendar days.
pub mod date;

/// Amounts of money.
pub mod money;

/// Yes or no, options, currency codes.
pub mod choice;

/// Trimming, no-value marks, whole numbers, addresses.
pub mod text;

/// Custom fields in one cell.
pub mod custom;

/// What only a whole column can tell.
pub mod column;

mod currency;
mod number;
mod problem;

pub use column::{DateSurvey, MoneySurvey};
pub use date::{DateFormat, DateFormatError, DateOrder, DateReading};
pub use money::{Amount, CurrencyHint, DecimalMark};
pub use problem::{Code, Flaw, Problem};
