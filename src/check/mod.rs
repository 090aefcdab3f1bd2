//! Checks one row against the schema: pure, no I/O, all problems at once.
//!
//! [`Checker`] reads a row by the sheet's mapping and returns a [`CheckedRow`]: its values, or every problem it has,
//! each with a code, the cell, a message and a hint. Each kind of value has a file of its own; a new kind is a file,
//! a variant of the schema's `Kind` and a line in `cell.rs`.

/// Dates.
pub(crate) mod date;

/// Amounts of money.
pub(crate) mod money;

/// Yes or no, options, currency codes.
pub(crate) mod choice;

/// Trimming, placeholders such as `n/a`, whole numbers, addresses.
pub(crate) mod text;

/// Custom fields in one cell.
pub(crate) mod custom;

/// Date order and decimal mark, inferred from a whole column.
pub(crate) mod column;

mod aliases;
mod cell;
mod checked_row;
mod currency;
mod duplicates;
mod fill;
mod merged_cells;
mod name_order;
mod non_records;
mod number;
mod problem;
mod remark;
mod remarks;
mod row;
mod rules;
mod text_cache;

pub(crate) use aliases::{Aliases, NameDecision};
pub(crate) use cell::reads_as_itself;
#[cfg(test)]
pub(crate) use checked_row::RecurringCell;
#[cfg(test)]
pub(crate) use checked_row::RenamedCell;
pub(crate) use checked_row::{
    CheckedRow, Creation, CurrencySign, CustomField, EarlierRunRow, ParsedField, ParsedId, ParsedRelated, ParsedValue,
};
pub(crate) use duplicates::duplicate_hint;
pub(crate) use fill::{DerivedOrigin, mapped_text, rule_value};
pub(crate) use problem::is_withheld;
pub use problem::{Code, Problem, ValueError};
pub use remark::{Remark, RemarkCode};
pub(crate) use remarks::{KindBasis, RemarkKind, RemarkTally};
pub(crate) use row::{Checker, ExtraCells, Inference, RowDigest};
pub use rules::{Conflicts, Mode};
pub(crate) use rules::{Duplicates, EmptyCells, FractionalCost, Repeats, RowAction, Rules};
#[cfg(test)]
pub(crate) use text_cache::TextCache;
pub(crate) use text_cache::TextId;
