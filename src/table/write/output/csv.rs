//! CSV as RFC 4180 has it: UTF-8, CRLF, quotes where they are needed.
//!
//! Dates are ISO 8601, moments end in `Z`, booleans are `TRUE` and `FALSE`, numbers have a point and no grouping. Texts
//! that a spreadsheet program would run are [guarded](crate::table::formula), numbers never are: `-5` is a number there,
//! too. What is written comes back as it was.

use std::io::{self, Write};
use std::path::PathBuf;

use csv::Writer;

use super::super::WriteError;
use super::output_files::{OutputFiles, Sink, refused};
use super::value_text::{push_date, push_number};
use super::{ByteOrderMark, ColumnType, FormulaEscaping, OutputColumn, OutputOptions, OutputReport, TableWriter};
use crate::table::formula::escape_formula;
use crate::table::{Cell, Row, Value};

pub(super) struct CsvFiles {
    table: Option<CsvTable>,
    files: OutputFiles,
    style: OutputOptions,
    /// Reused for values that are not written as their text.
    spelled: String,
}

/// The table that rows go to.
struct CsvTable {
    name: String,
    /// None for standard output.
    path: Option<PathBuf>,
    writer: Writer<Sink>,
    columns: Vec<ColumnType>,
    rows: u64,
}

impl CsvFiles {
    pub(super) fn new(files: OutputFiles, style: &OutputOptions) -> Self {
        Self { files, style: style.clone(), table: None, spelled: String::new() }
    }

    /// Ends the table, if there is one.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(CsvTable { name, path, writer, rows, .. }) = self.table.take() else { return Ok(()) };
        let sink = writer.into_inner().map_err(|error| refused(path.as_deref(), error.into_error()))?;
        self.files.add(sink, vec![(name, rows)])
    }
}

impl TableWriter for CsvFiles {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.close()?;
        let mut sink = self.files.next(table)?;
        let path = sink.path().map(ToOwned::to_owned);
        if self.style.mark == ByteOrderMark::With {
            sink.write_all(b"\xEF\xBB\xBF").map_err(|error| refused(path.as_deref(), error))?;
        }
        let writer = csv::WriterBuilder::new()
            .delimiter(self.style.delimiter)
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1 << 16)
            .from_writer(sink);
        let column_type = columns.iter().map(|column| column.column_type).collect();
        let mut begun = CsvTable { name: table.to_owned(), path, writer, columns: column_type, rows: 0 };
        for column in columns {
            begun.text(&column.header, self.style.formula_escaping)?;
        }
        begun.end_row()?;
        self.table = Some(begun);
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Self { style, table, spelled, .. } = self;
        let Some(table) = table else { return Err(WriteError::NoTable) };
        for column in 0..table.columns.len() {
            table.cell(row.cell(column), table.columns[column], style.formula_escaping, spelled)?;
        }
        table.rows += 1;
        table.end_row()
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close()?;
        Ok(OutputReport { files: self.files.finish()?, ..OutputReport::default() })
    }
}

impl CsvTable {
    fn cell(
        &mut self,
        cell: Cell<'_>,
        column_type: ColumnType,
        formula_escaping: FormulaEscaping,
        spelled: &mut String,
    ) -> Result<(), WriteError> {
        spelled.clear();
        match cell.value {
            Value::Number(number) => push_number(cell.text, number, spelled),
            Value::Date(moment) => push_date(moment, column_type, spelled),
            Value::Boolean(truth) => spelled.push_str(if truth { "TRUE" } else { "FALSE" }),
            _ => return self.text(cell.text, formula_escaping),
        }
        self.field(spelled)
    }

    fn text(&mut self, text: &str, formula_escaping: FormulaEscaping) -> Result<(), WriteError> {
        match formula_escaping {
            FormulaEscaping::On => self.field(&escape_formula(text)),
            FormulaEscaping::Off => self.field(text),
        }
    }

    fn field(&mut self, text: &str) -> Result<(), WriteError> {
        self.writer.write_field(text).map_err(|error| refused(self.path.as_deref(), cause(error)))
    }

    fn end_row(&mut self) -> Result<(), WriteError> {
        let ended = self.writer.write_record(None::<&[u8]>);
        ended.map_err(|error| refused(self.path.as_deref(), cause(error)))
    }
}

/// What the system said; fields are only ever refused by it.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
