//! CSV: a file per table, safe to open in a spreadsheet program. What is written can be imported again as it was.

use super::super::csv::{CsvOptions, CsvWriter};
use super::super::{ColumnType, WriteError};
use super::output_files::{OutputFiles, Sink};
use super::table_writer::{OutputColumn, OutputReport, TableWriter};
use crate::table::Row;

pub(super) struct CsvFiles {
    table: Option<CsvTable>,
    files: OutputFiles,
    options: CsvOptions,
}

/// The table that rows go to.
struct CsvTable {
    name: String,
    csv: CsvWriter<Sink>,
    columns: Vec<ColumnType>,
    rows: u64,
}

impl CsvFiles {
    pub(super) fn new(files: OutputFiles, options: CsvOptions) -> Self {
        Self { table: None, files, options }
    }

    /// Ends the table, if there is one.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(CsvTable { name, csv, rows, .. }) = self.table.take() else { return Ok(()) };
        self.files.add(csv.finish()?, vec![(name, rows)])
    }
}

impl TableWriter for CsvFiles {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.close()?;
        let sink = self.files.next(table)?;
        let path = sink.path().map(ToOwned::to_owned);
        let mut csv = CsvWriter::new(sink, path.as_deref(), self.options)?;
        columns.iter().try_for_each(|column| csv.text(&column.header))?;
        csv.end_row()?;
        let columns = columns.iter().map(|column| column.column_type).collect();
        self.table = Some(CsvTable { name: table.to_owned(), csv, columns, rows: 0 });
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Some(table) = &mut self.table else { return Err(WriteError::NoTable) };
        for (place, column_type) in table.columns.iter().enumerate() {
            table.csv.value(row.cell(place), *column_type)?;
        }
        table.rows += 1;
        table.csv.end_row()
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close()?;
        Ok(OutputReport { files: self.files.finish()?, ..OutputReport::default() })
    }
}
