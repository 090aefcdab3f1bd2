//! CSV as RFC 4180 has it: UTF-8, CRLF, quotes where they are needed.
//!
//! Dates are ISO 8601, moments end in `Z`, booleans are `TRUE` and `FALSE`, numbers have a point and no grouping. Texts
//! that a spreadsheet program would run are [guarded](crate::table::formula), numbers never are: `-5` is a number there,
//! too. What is written comes back as it was.

use std::io::{self, Write};
use std::path::PathBuf;

use csv::Writer;

use super::super::WriteError;
use super::places::{Places, Sink, refused};
use super::spelling::{spell_moment, spell_number};
use super::{ByteOrderMark, Finished, Guard, Holds, Output, OutputColumn, Style};
use crate::table::formula::guarded_text;
use crate::table::{Cell, Row, Value};

pub(super) struct CsvFiles {
    table: Option<Table>,
    places: Places,
    style: Style,
    /// Reused for values that are not written as their text.
    spelled: String,
}

/// The table that rows go to.
struct Table {
    name: String,
    /// None for standard output.
    path: Option<PathBuf>,
    writer: Writer<Sink>,
    columns: Vec<Holds>,
    rows: u64,
}

impl CsvFiles {
    pub(super) fn new(places: Places, style: &Style) -> Self {
        Self { places, style: style.clone(), table: None, spelled: String::new() }
    }

    /// Ends the table, if there is one.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(Table { name, path, writer, rows, .. }) = self.table.take() else { return Ok(()) };
        let sink = writer.into_inner().map_err(|error| refused(path.as_deref(), error.into_error()))?;
        self.places.keep(sink, vec![(name, rows)])
    }
}

impl Output for CsvFiles {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.close()?;
        let mut sink = self.places.next(table)?;
        let path = sink.path().map(ToOwned::to_owned);
        if self.style.mark == ByteOrderMark::With {
            sink.write_all(b"\xEF\xBB\xBF").map_err(|error| refused(path.as_deref(), error))?;
        }
        let writer = csv::WriterBuilder::new()
            .delimiter(self.style.delimiter)
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1 << 16)
            .from_writer(sink);
        let holds = columns.iter().map(|column| column.holds).collect();
        let mut begun = Table { name: table.to_owned(), path, writer, columns: holds, rows: 0 };
        for column in columns {
            begun.text(&column.header, self.style.guard)?;
        }
        begun.end_row()?;
        self.table = Some(begun);
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Self { style, table, spelled, .. } = self;
        let Some(table) = table else { return Err(WriteError::NoTable) };
        for column in 0..table.columns.len() {
            table.cell(row.cell(column), table.columns[column], style.guard, spelled)?;
        }
        table.rows += 1;
        table.end_row()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, WriteError> {
        self.close()?;
        Ok(Finished { files: self.places.finish()?, ..Finished::default() })
    }
}

impl Table {
    fn cell(&mut self, cell: Cell<'_>, holds: Holds, guard: Guard, spelled: &mut String) -> Result<(), WriteError> {
        spelled.clear();
        match cell.value {
            Value::Number(number) => spell_number(cell.text, number, spelled),
            Value::Date(moment) => spell_moment(moment, holds, spelled),
            Value::Boolean(truth) => spelled.push_str(if truth { "TRUE" } else { "FALSE" }),
            _ => return self.text(cell.text, guard),
        }
        self.field(spelled)
    }

    fn text(&mut self, text: &str, guard: Guard) -> Result<(), WriteError> {
        match guard {
            Guard::Guarded => self.field(&guarded_text(text)),
            Guard::Raw => self.field(text),
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
