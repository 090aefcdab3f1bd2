//! Checks one row against the schema: pure, no I/O, all problems at once.
//!
//! [`Checker`] reads a row by the sheet's mapping and returns a [`CheckedRow`]: its values, or every problem it has,
//! each with a code, the cell, a message and a hint. Each kind of value has a file of its own; a new kind is a file,
//! a variant of the schema's `Kind` and a line in `cell.rs`.

/// Dates.
pub mod date;

/// Amounts of money.
pub mod money;

/// Yes or no, options, currency codes.
pub mod choice;

/// Trimming, placeholders such as `n/a`, whole numbers, addresses.
pub mod text;

/// Custom fields in one cell.
pub mod custom;

/// Date order and decimal mark, inferred from a whole column.
pub mod column;

mod cell;
mod checked_row;
mod currency;
mod duplicates;
mod number;
mod problem;
mod row;
mod rules;

pub use cell::CLEAR;
pub use checked_row::{CheckedRow, ParsedCustomField, ParsedField, ParsedId, ParsedRelated, ParsedValue};
pub use column::{DateSurvey, MoneySurvey};
pub use date::{DateFormat, DateFormatError, DateOrder, DateReading};
pub(crate) use duplicates::duplicate_hint;
pub use money::{Amount, CurrencyHint, DecimalMark};
pub(crate) use problem::is_withheld;
pub use problem::{Code, Problem, ValueError};
pub use row::{Checker, ExtraCells, Inference};
pub use rules::{Conflicts, Duplicates, EmptyCells, FractionalCost, Mode, Repeats, RowAction, Rules};
