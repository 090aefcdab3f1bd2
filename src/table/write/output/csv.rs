//! CSV: a file per table, safe to open in a spreadsheet program. What is written can be imported again as it was.

use super::super::csv::{CsvOptions, CsvWriter};
use super::super::{ColumnType, WriteError};
use super::file_per_table::TableFile;
use super::output_files::Sink;
use super::table_writer::OutputColumn;
use crate::table::Row;

pub(super) struct CsvTable {
    csv: CsvWriter<Sink>,
    columns: Vec<ColumnType>,
}

impl TableFile for CsvTable {
    type Options = CsvOptions;

    fn begin(sink: Sink, columns: &[OutputColumn], options: &CsvOptions) -> Result<Self, WriteError> {
        let path = sink.path().map(ToOwned::to_owned);
        let mut csv = CsvWriter::new(sink, path.as_deref(), *options)?;
        columns.iter().try_for_each(|column| csv.text(&column.header))?;
        csv.end_row()?;
        Ok(Self { csv, columns: columns.iter().map(|column| column.column_type).collect() })
    }

    fn row(&mut self, row: &Row, _: &mut dyn FnMut(&str, &str)) -> Result<(), WriteError> {
        for (place, column_type) in self.columns.iter().enumerate() {
            self.csv.value(row.cell(place), *column_type)?;
        }
        self.csv.end_row()
    }

    fn finish(self) -> Result<Sink, WriteError> {
        self.csv.finish()
    }
}
