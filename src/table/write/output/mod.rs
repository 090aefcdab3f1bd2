//! Tables into files for others to read: one workbook, a file a table, or standard output.
//!
//! An [`Output`] takes tables one after another, each with typed columns and rows of cells. All its files appear
//! together at [`Output::finish`], or not at all: dropped before, whatever stood in their places is untouched.

use std::path::PathBuf;

use super::WriteError;
use crate::table::{CellRef, Row};

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Xlsx,
    Csv,
    Jsonl,
    Parquet,
}

/// What the cells of a column hold, where they hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holds {
    /// Ids and tags too: they are called by, not reckoned with.
    Text,
    /// A whole number.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// An amount; a cell's number format tells the currency.
    Money,
    /// A calendar day.
    Date,
    /// A moment in UTC, to the millisecond.
    Moment,
    Boolean,
    /// A structure, as JSON text.
    Json,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    pub header: String,
    pub holds: Holds,
}

/// A place that takes tables.
///
/// A cell whose value is not what its column [`Holds`] is written as its text where the format can (XLSX, CSV,
/// JSONL), so that what a service sends against its own rules is seen rather than lost.
pub trait Output {
    /// Begins a table; the one before is complete.
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError>;

    /// Adds a row to the table begun last.
    fn row(&mut self, row: &Row) -> Result<(), WriteError>;

    /// Puts everything in its place.
    fn finish(self: Box<Self>) -> Result<Finished, WriteError>;
}

/// What an output came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    pub files: Vec<Written>,
    /// Texts that were cut, the first hundred of them.
    pub clipped: Vec<Clipped>,
    /// How many there were in all.
    pub clipped_cells: u64,
}

/// A file that stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// None for standard output.
    pub path: Option<PathBuf>,
    /// The tables in it, with the rows of each.
    pub tables: Vec<(String, u64)>,
}

/// A text longer than a cell can hold, of which only the beginning was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clipped {
    pub sheet: String,
    pub at: CellRef,
    /// Its length in characters before.
    pub characters: usize,
}
