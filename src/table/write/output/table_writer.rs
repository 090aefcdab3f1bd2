//! What all outputs have in common: the trait they implement, and the types it uses.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::civil::Date;

use super::super::WriteError;
use super::super::column_type::ColumnType;
use crate::table::{CellRef, Row};

/// The destination of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputTarget {
    /// One file: a workbook takes any number of tables, the other formats one.
    File(PathBuf),
    /// One file per table, in this order. For formats that hold one table per file.
    Files(Vec<PathBuf>),
    /// A file per table, named after it. The folder is created if it is missing.
    Folder(PathBuf),
    /// A file per table, `collection=TABLE/snapshot=DAY/part-0`: data tools read all days of a table as one, with the
    /// day as a column.
    Partitioned { folder: PathBuf, day: Date },
    /// What was written here stays if the output fails.
    Stdout,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputColumn {
    pub header: String,
    pub column_type: ColumnType,
}

/// Writes tables.
///
/// A cell whose value is not of its column's [`ColumnType`] is written as its text where the format can (XLSX, CSV,
/// JSONL), so that what a service sends against its own rules is seen rather than lost.
pub(crate) trait TableWriter: Send {
    /// Begins a table, which completes the one before.
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError>;

    /// Adds a row to the table begun last.
    fn row(&mut self, row: &Row) -> Result<(), WriteError>;

    /// Puts all files in place.
    fn finish(self: Box<Self>) -> Result<OutputReport, WriteError>;
}

/// What was written, and what could not be written in full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OutputReport {
    pub files: Vec<WrittenFile>,
    /// Texts that were truncated, the first hundred of them.
    pub truncated: Vec<TruncatedText>,
    /// How many there were in all.
    pub truncated_cells: u64,
    /// Cells that a typed column could not hold and are empty now, the first hundred of them. Only in Parquet.
    pub mismatched: Vec<TypeMismatch>,
    /// How many there were in all.
    pub mismatched_cells: u64,
}

impl OutputReport {
    /// How many cells are listed one by one.
    const LISTED: usize = 100;

    pub(super) fn truncate(&mut self, text: impl FnOnce() -> TruncatedText) {
        self.truncated_cells += 1;
        if self.truncated.len() < Self::LISTED {
            self.truncated.push(text());
        }
    }

    pub(super) fn mismatch(&mut self, mismatch: impl FnOnce() -> TypeMismatch) {
        self.mismatched_cells += 1;
        if self.mismatched.len() < Self::LISTED {
            self.mismatched.push(mismatch());
        }
    }
}

/// A file that was put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    /// None for standard output.
    pub path: Option<PathBuf>,
    /// The tables in it, with the rows of each.
    pub tables: Vec<(String, u64)>,
}

/// A text longer than a cell can hold, of which only the beginning was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruncatedText {
    pub sheet: String,
    pub at: CellRef,
    /// Its length in characters before.
    pub characters: usize,
}

/// A value of another type than its column's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMismatch {
    pub table: String,
    pub header: String,
    /// Of the table, from 1, without its header.
    pub row: u64,
    /// The beginning of what was found.
    pub found: String,
}

/// The headers as unique keys: a repeated one is numbered.
pub(super) fn keys(columns: &[OutputColumn]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut keys = Vec::with_capacity(columns.len());
    for column in columns {
        let mut key = column.header.clone();
        let mut number = 2;
        while !taken.insert(key.clone()) {
            key = format!("{} ({number})", column.header);
            number += 1;
        }
        keys.push(key);
    }
    keys
}
