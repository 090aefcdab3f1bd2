//! What the formats have in common that hold one table per file: CSV, JSON Lines and Parquet.

use super::super::WriteError;
use super::output_files::{OutputFiles, Sink};
use super::table_writer::{OutputColumn, OutputReport, TableWriter, TypeMismatch};
use crate::table::Row;

/// How many characters of a mismatched value are reported.
const FOUND: usize = 80;

/// The file of one table.
pub(super) trait TableFile: Sized + Send {
    /// How the format is written.
    type Options: Send;

    fn begin(sink: Sink, columns: &[OutputColumn], options: &Self::Options) -> Result<Self, WriteError>;

    /// Adds a row. `on_mismatch` gets the header and the text of a cell that its column cannot hold.
    fn row(&mut self, row: &Row, on_mismatch: &mut dyn FnMut(&str, &str)) -> Result<(), WriteError>;

    /// Writes what is left.
    fn finish(self) -> Result<Sink, WriteError>;
}

/// Writes a file per table.
pub(super) struct FilePerTable<T: TableFile> {
    table: Option<OpenTable<T>>,
    files: OutputFiles,
    options: T::Options,
    report: OutputReport,
}

/// The table that rows go to.
struct OpenTable<T> {
    name: String,
    file: T,
    rows: u64,
}

impl<T: TableFile> FilePerTable<T> {
    pub(super) fn new(files: OutputFiles, options: T::Options) -> Self {
        Self { table: None, files, options, report: OutputReport::default() }
    }

    /// Ends the table, if there is one.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(OpenTable { name, file, rows }) = self.table.take() else { return Ok(()) };
        self.files.add(file.finish()?, vec![(name, rows)])
    }
}

impl<T: TableFile> TableWriter for FilePerTable<T> {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.close()?;
        let file = T::begin(self.files.next(table)?, columns, &self.options)?;
        self.table = Some(OpenTable { name: table.to_owned(), file, rows: 0 });
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Self { table, report, .. } = self;
        let Some(OpenTable { name, file, rows }) = table else { return Err(WriteError::NoTable) };
        *rows += 1;
        file.row(row, &mut |header, found| {
            let (table, header, row) = (name.clone(), header.to_owned(), *rows);
            report.mismatch(|| TypeMismatch { table, header, row, found: found.chars().take(FOUND).collect() });
        })
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close()?;
        Ok(OutputReport { files: self.files.finish()?, ..self.report })
    }
}
