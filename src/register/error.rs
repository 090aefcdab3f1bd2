//! Why a register could not be written.

use std::path::PathBuf;

use super::item::{ItemKind, MAX_ITEMS};
use crate::error::Diagnostic;
use crate::table::ReadError;
use crate::table::write::WriteError;

/// Why a register could not be written. No file was changed: earlier files are still in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error(transparent)]
    Write(#[from] WriteError),

    #[error(transparent)]
    Read(#[from] ReadError),

    #[error("invalid exchange rates in `{}`: {problem}", file.display())]
    Rates { file: PathBuf, problem: RatesProblem },

    #[error("cannot roll forward from `{}`: {problem}", file.display())]
    Previous { file: PathBuf, problem: PreviousProblem },

    /// The roll-forward does not balance. Describes the first few differences.
    #[error("the roll-forward does not balance: {}", differences.join("; "))]
    DoesNotTie { differences: Vec<String> },

    #[error("duplicate {} {id}", kind.name())]
    Twice { kind: ItemKind, id: i64 },

    #[error("{items} items do not fit on a sheet (limit: {})", MAX_ITEMS)]
    TooManyItems { items: usize },
}

/// What is wrong with a file of rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RatesProblem {
    #[error("column `{column}` is missing")]
    ColumnMissing { column: &'static str },
    #[error("several columns are called `{column}`")]
    ColumnTwice { column: &'static str },
    #[error("several sheets have the columns `currency` and `rate`: {sheets}")]
    SeveralSheets { sheets: String },
    #[error("row {row}: invalid rate `{found}`")]
    Rate { row: u64, found: String },
    #[error("row {row}: ambiguous rate `{found}`; could be `{large}` or `{small}`")]
    Ambiguous { row: u64, found: String, large: String, small: String },
    #[error("row {row}: `{found}` is not an ISO 4217 currency code")]
    Currency { row: u64, found: String },
    #[error("row {row}: duplicate rate for {currency}")]
    Twice { row: u64, currency: String },
    #[error("row {row}: base currency `{found}` differs from `{base}` above")]
    TwoBases { row: u64, base: String, found: String },
    #[error("row {row}: the rate of the base currency {base} is {found} instead of 1")]
    BaseRate { row: u64, base: String, found: String },
    #[error("the base currency is missing")]
    NoBase,
    #[error("the base currency is not clear: {currencies} have the rate 1")]
    SeveralBases { currencies: String },
}

/// What is wrong with an earlier register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PreviousProblem {
    #[error("sheet `Register` is missing")]
    SheetMissing,
    #[error("column `{column}` is missing")]
    ColumnMissing { column: &'static str },
    #[error("row {row}: `{found}` in column `{column}` is not {expected}")]
    Cell { row: u64, column: &'static str, found: String, expected: &'static str },
    #[error("row {row}: duplicate {kind} {id}")]
    Twice { row: u64, kind: &'static str, id: i64 },
    #[error(
        "row {row}: cost {cost} minus accumulated depreciation {accumulated} does not equal the book value {book_value}"
    )]
    BookValue { row: u64, cost: String, accumulated: String, book_value: String },
    #[error("row {row}: as-of date {found} differs from {as_of} above")]
    TwoDays { row: u64, as_of: String, found: String },
    #[error("its as-of date {as_of} is after {present}")]
    Later { as_of: String, present: String },
    #[error("it is of {named}, not of {account}")]
    OtherAccount { named: String, account: String },
    /// Its manifest lies beside it.
    #[error("it was edited: its rows do not have the digest in `{manifest}`")]
    Edited { manifest: String },
    #[error("cannot read its manifest `{name}`: {reason}")]
    Manifest { name: String, reason: String },
    #[error("cannot read it: {reason}")]
    Unreadable { reason: String },
}

impl Diagnostic for RegisterError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Write(error) => return error.hint().map(|hint| hint.replace("`--result`", "`-o`")),
            Self::Read(error) => return error.hint(),
            Self::Rates { problem: RatesProblem::NoBase, .. } => {
                "add a row for the base currency with the rate 1, or a column `base` with its code"
            }
            Self::Rates { problem: RatesProblem::ColumnTwice { .. }, .. } => "keep one of them",
            Self::Rates { problem: RatesProblem::SeveralSheets { .. }, .. } => {
                "hide all but the one that is meant, or save it as a file of its own"
            }
            Self::Rates { problem: RatesProblem::SeveralBases { .. }, .. } => {
                "add a column `base` with the code of the base currency"
            }
            Self::Rates { problem: RatesProblem::Ambiguous { .. }, .. } => {
                "write it without a thousands separator and with other than three decimals, e.g. `1.1680` or `16250`"
            }
            Self::Rates { .. } => {
                "use the columns `currency` and `rate`, the price of one unit in the base currency, e.g. `USD,0.92`"
            }
            Self::Previous { problem: PreviousProblem::Later { .. }, .. } => {
                "pass an earlier register to `--previous`, or a later date to `--as-of`"
            }
            Self::Previous { problem: PreviousProblem::OtherAccount { .. }, .. } => {
                "pass a register of this account and tenant to `--previous`"
            }
            Self::Previous { problem: PreviousProblem::Manifest { .. }, .. } => {
                "keep the manifest that was written with the register beside it"
            }
            Self::Previous { .. } => "pass an unedited register written by `export register` to `--previous`",
            Self::DoesNotTie { .. } => "pass the unedited previous register to `--previous`",
            Self::Twice { .. } => "export again: the account changed while it was being read",
            Self::TooManyItems { .. } => "export to a .csv file instead",
        };
        Some(hint.to_owned())
    }
}
