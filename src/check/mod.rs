//! One row against the schema: pure, no I/O, all problems at once.
//!
//! [`Checker`] reads a row by the sheet's mapping and gives a [`CheckedRow`]: its values, or every problem it has,
//! each with a code, the cell, what was expected and how to mend it. Each kind of value has a file of its own; a
//! new kind is a file, a variant of the schema's `Kind` and a line in `row.rs`.

pub mod choice;
pub mod column;
pub mod custom;
pub mod date;
mod duplicates;
pub mod money;
mod problem;
mod row;
mod rules;
pub mod text;

pub use problem::{Code, Flaw, Problem};
pub use row::{Beyond, CLEAR, CheckedRow, Checker, Given, GivenField, GivenRelated, Learned};
pub use rules::{Blank, FractionalCost, Mode, RowAction, Rules};
