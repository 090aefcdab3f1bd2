//! Tables into files for others to read: one workbook, a file a table, or standard output.
//!
//! A [`TableWriter`] takes tables one after another, each with typed columns and rows of cells. All its files appear
//! together at [`TableWriter::finish`], or not at all: dropped before, whatever stood in their places is untouched.
//!
//! ```text
//! places      where the files of an output stand, and how they appear together
//! workbook    XLSX: a sheet a table
//! csv         CSV, safe to open in a spreadsheet program
//! jsonl       JSON Lines: an object a row
//! parquet     Parquet: typed columns for data tools
//! spelling    numbers and moments as CSV and JSONL spell them
//! ```
//!
//! A new format is a file here and a line in [`open`].

mod csv;
mod jsonl;
mod output_files;
#[cfg(feature = "parquet")]
mod parquet;
mod workbook;

use std::path::PathBuf;

use jiff::civil::Date;

use super::WriteError;
pub use super::column_type::ColumnType;
pub use super::csv::{ByteOrderMark, CsvOptions, FormulaEscaping};
use crate::table::{CellRef, Row};
use output_files::OutputFiles;

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    Xlsx,
    Csv,
    Jsonl,
    Parquet,
}

impl FileFormat {
    /// What the names of its files end in.
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Xlsx => "xlsx",
            FileFormat::Csv => "csv",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Parquet => "parquet",
        }
    }
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputTarget {
    /// One file: a workbook takes any number of tables, the other formats one.
    File(PathBuf),
    /// A file a table, called after it. The folder is made where it is missing.
    Folder(PathBuf),
    /// A file a table, in the folders `collection=TABLE/snapshot=DAY`, called `part-0`: data tools read all the days
    /// of a table as one, with the day as a column.
    Partitioned { folder: PathBuf, day: Date },
    /// What is written here is not taken back when an output fails.
    Stdout,
}

/// How an output is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputOptions {
    pub csv: CsvOptions,
    /// The title in a workbook's properties.
    pub title: String,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self { csv: CsvOptions::EXPORT, title: String::new() }
    }
}

/// Begins an output.
///
/// # Errors
/// What would make the end fail is said here, before the work: a folder that is missing or protected, a file that
/// another program has open, a format that was not built in.
pub fn open(
    target: &OutputTarget,
    format: FileFormat,
    options: &OutputOptions,
) -> Result<Box<dyn TableWriter>, WriteError> {
    let files = OutputFiles::open(target, format.extension())?;
    Ok(match format {
        FileFormat::Xlsx => Box::new(workbook::Workbooks::new(files, options)),
        FileFormat::Csv => Box::new(csv::CsvFiles::new(files, options.csv)),
        FileFormat::Jsonl => Box::new(jsonl::JsonlFiles::new(files)),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => Box::new(parquet::ParquetFiles::new(files)),
        #[cfg(not(feature = "parquet"))]
        FileFormat::Parquet => return Err(WriteError::NotBuilt { format: "Parquet", feature: "parquet" }),
    })
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    pub header: String,
    pub column_type: ColumnType,
}

/// A place that takes tables.
///
/// A cell whose value is not of its column's [`ColumnType`] is written as its text where the format can (XLSX, CSV,
/// JSONL), so that what a service sends against its own rules is seen rather than lost.
pub trait TableWriter: Send {
    /// Begins a table; the one before is complete.
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError>;

    /// Adds a row to the table begun last.
    fn row(&mut self, row: &Row) -> Result<(), WriteError>;

    /// Puts everything in its place.
    fn finish(self: Box<Self>) -> Result<OutputReport, WriteError>;
}

/// What an output came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputReport {
    pub files: Vec<WrittenFile>,
    /// Texts that were cut, the first hundred of them.
    pub truncated: Vec<TruncatedText>,
    /// How many there were in all.
    pub truncated_cells: u64,
    /// Cells that a typed column could not hold and are empty now, the first hundred of them. Only in Parquet.
    pub mismatched: Vec<TypeMismatch>,
    /// How many there were in all.
    pub mismatched_cells: u64,
}

impl OutputReport {
    /// So many cells are told one by one.
    const LISTED: usize = 100;

    fn truncate(&mut self, text: impl FnOnce() -> TruncatedText) {
        self.truncated_cells += 1;
        if self.truncated.len() < Self::LISTED {
            self.truncated.push(text());
        }
    }

    #[cfg(feature = "parquet")]
    fn mismatch(&mut self, mismatch: impl FnOnce() -> TypeMismatch) {
        self.mismatched_cells += 1;
        if self.mismatched.len() < Self::LISTED {
            self.mismatched.push(mismatch());
        }
    }
}

/// A file that stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
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

#[cfg(test)]
mod tests;
