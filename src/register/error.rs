//! What keeps a register from being written, in the user's words.

use std::path::PathBuf;

use super::item::Kind;
use crate::table::ReadError;
use crate::table::write::WriteError;

/// A register that could not be written. Nothing was left in its place: files that stood there are still the old ones.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error(transparent)]
    Write(#[from] WriteError),

    /// The rates, or the previous register.
    #[error(transparent)]
    Read(#[from] ReadError),

    #[error("`{}` is no table of rates: {problem}", file.display())]
    Rates { file: PathBuf, problem: RatesProblem },

    #[error("`{}` cannot be rolled forward: {problem}", file.display())]
    Previous { file: PathBuf, problem: PreviousProblem },

    /// What the roll-forward found not to tie: the first few of them, in words.
    #[error("the roll-forward does not tie: {}", differences.join("; "))]
    DoesNotTie { differences: Vec<String> },

    #[error("{} {id} is there twice", kind.name())]
    Twice { kind: Kind, id: i64 },

    /// Excel's limit of rows on a sheet.
    #[error("{items} items do not fit a sheet, which holds {}", super::MAX_ITEMS)]
    TooManyItems { items: usize },
}

/// What is wrong with a file of rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RatesProblem {
    #[error("it has no column `{column}`")]
    ColumnMissing { column: &'static str },
    #[error("row {row}: `{found}` is no rate above zero")]
    Rate { row: u64, found: String },
    #[error("row {row}: `{found}` is no currency code of ISO 4217")]
    Currency { row: u64, found: String },
    #[error("row {row}: a second rate for {currency}")]
    Twice { row: u64, currency: String },
    #[error("row {row}: the base currency is `{found}` here and `{base}` above")]
    TwoBases { row: u64, base: String, found: String },
    #[error("row {row}: the rate of the base currency {base} is {found}, not 1")]
    BaseRate { row: u64, base: String, found: String },
    #[error("it does not say into which currency it converts")]
    NoBase,
}

/// What is wrong with an earlier register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviousProblem {
    #[error("it has no sheet `Register`")]
    SheetMissing,
    #[error("it has no column `{column}`")]
    ColumnMissing { column: &'static str },
    #[error("row {row}: `{found}` in column `{column}` is not {expected}")]
    Cell { row: u64, column: &'static str, found: String, expected: &'static str },
    #[error("row {row}: {kind} {id} is there twice")]
    Twice { row: u64, kind: &'static str, id: i64 },
    #[error("row {row}: cost {cost} less accumulated depreciation {accumulated} is not the book value {book_value}")]
    BookValue { row: u64, cost: String, accumulated: String, book_value: String },
    #[error("row {row} is of {found}, the rows above of {as_of}")]
    TwoDays { row: u64, as_of: String, found: String },
    #[error("it is of {as_of}, which is after {present}")]
    Later { as_of: String, present: String },
}

impl RegisterError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Write(error) => return error.hint().map(|hint| hint.replace("`--result`", "`-o`")),
            Self::Read(_) => return None,
            Self::Rates { problem: RatesProblem::NoBase, .. } => {
                "add a row for the base currency with the rate 1, or a column `base` with its code"
            }
            Self::Rates { .. } => {
                "give it the columns `currency` and `rate`: how much of the base currency one unit costs, such as `USD,0.92`"
            }
            Self::Previous { problem: PreviousProblem::Later { .. }, .. } => {
                "name an earlier register with `--previous`, or a later day with `--as-of`"
            }
            Self::Previous { .. } => "name a register that `export register` wrote, as it wrote it, with `--previous`",
            Self::DoesNotTie { .. } => "name the previous register as it was written, unedited, with `--previous`",
            Self::Twice { .. } => "export again: the account changed while it was read",
            Self::TooManyItems { .. } => "write a .csv file instead",
        };
        Some(hint.to_owned())
    }
}
