//! Tables as files for other programs: one workbook, a file per table, or standard output.
//!
//! A [`TableWriter`] takes tables one after another, each with typed columns and rows of cells. All its files appear
//! together at [`TableWriter::finish`], or not at all: dropped before, it leaves existing files as they are.
//!
//! ```text
//! table_writer   the trait that every format implements, and its types
//! output_files   the paths of an output's files, and how they appear together
//! workbook       XLSX: a sheet per table
//! file_per_table what the other formats have in common
//! csv            CSV, safe to open in a spreadsheet program
//! jsonl          JSON Lines: an object per row
//! parquet        Parquet: typed columns for data tools
//! write_behind   rows are written on a second thread while the next ones are made
//! ```
//!
//! A new format is a file here and a line in [`open`].

mod csv;
mod file_per_table;
mod jsonl;
mod output_files;
#[cfg(feature = "parquet")]
mod parquet;
mod table_writer;
mod workbook;
mod write_behind;

use super::WriteError;
pub(crate) use super::column_type::ColumnType;
pub use super::csv::{ByteOrderMark, CsvOptions, FormulaEscaping};
use crate::written_files::WrittenFiles;
use file_per_table::FilePerTable;
use output_files::OutputFiles;
pub(crate) use output_files::planned_files;
pub(crate) use table_writer::{OutputColumn, OutputReport, OutputTarget, TableWriter, TruncatedText, TypeMismatch};
pub(crate) use write_behind::{WriterStopped, write_behind};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    Xlsx,
    Csv,
    Jsonl,
    Parquet,
}

impl FileFormat {
    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Xlsx => "xlsx",
            FileFormat::Csv => "csv",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Parquet => "parquet",
        }
    }
}

/// How an output is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputOptions {
    pub csv: CsvOptions,
    /// The title in a workbook's properties.
    pub title: String,
    /// The list that the files are to be on.
    pub list: Option<WrittenFiles>,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self { csv: CsvOptions::EXPORT, title: String::new(), list: None }
    }
}

/// Begins an output.
///
/// # Errors
/// What would make [`TableWriter::finish`] fail fails here, before the work: a folder that is missing or protected, a
/// file that another program has open, a format that was not built in.
pub(crate) fn open(
    target: &OutputTarget,
    format: FileFormat,
    options: &OutputOptions,
) -> Result<Box<dyn TableWriter>, WriteError> {
    let files = OutputFiles::open(target, format.extension())?.listed_in(options.list.as_ref());
    Ok(match format {
        FileFormat::Xlsx => Box::new(workbook::Workbooks::new(files, &options.title)),
        FileFormat::Csv => Box::new(FilePerTable::<csv::CsvTable>::new(files, options.csv)),
        FileFormat::Jsonl => Box::new(FilePerTable::<jsonl::JsonlTable>::new(files, ())),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => Box::new(FilePerTable::<parquet::ParquetTable>::new(files, ())),
        #[cfg(not(feature = "parquet"))]
        FileFormat::Parquet => return Err(WriteError::NotBuilt { format: "Parquet" }),
    })
}

#[cfg(test)]
mod tests;
