//! CSV files as described in RFC 4180: UTF-8, CRLF, quotes where they are needed.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Time;

use super::value_text::{push_number, push_timestamp};
use super::{ColumnType, WriteError};
use crate::table::formula::escape_formula;
use crate::table::{Cell, Value};

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    /// An ASCII character; none for a tab in .tsv files and a comma in all others.
    pub delimiter: Option<u8>,
    pub byte_order_mark: ByteOrderMark,
    pub formula_escaping: FormulaEscaping,
}

/// Whether a text file begins with the mark by which Excel recognizes UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrderMark {
    Without,
    With,
}

/// Whether texts that a spreadsheet would take for formulas get an apostrophe before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormulaEscaping {
    On,
    Off,
}

impl CsvOptions {
    /// For files that people open in spreadsheet programs: formulas are escaped. What reads CSV takes the escapes off
    /// again, so that a result can be corrected and imported.
    pub const EXPORT: Self =
        Self { delimiter: None, byte_order_mark: ByteOrderMark::Without, formula_escaping: FormulaEscaping::On };
}

/// The delimiter that the name of a file promises.
fn delimiter_of(path: Option<&Path>) -> u8 {
    let extension = path.and_then(Path::extension);
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("tsv")) { b'\t' } else { b',' }
}

/// Writes rows of CSV.
#[derive(Debug)]
pub(crate) struct CsvWriter<W: Write> {
    /// What errors are about; none for standard output.
    path: Option<PathBuf>,
    writer: csv::Writer<W>,
    formula_escaping: FormulaEscaping,
    /// Reused for values that are not written as their text.
    buffer: String,
}

impl<W: Write> CsvWriter<W> {
    pub(crate) fn new(mut output: W, path: Option<&Path>, options: CsvOptions) -> Result<Self, WriteError> {
        let path = path.map(Path::to_owned);
        if options.byte_order_mark == ByteOrderMark::With {
            let mark = output.write_all("\u{FEFF}".as_bytes());
            mark.map_err(|error| WriteError::from_output(path.as_deref(), error))?;
        }
        // A row may be longer than the header: a value beyond the last header is a problem to show, not to drop.
        let writer = csv::WriterBuilder::new()
            .flexible(true)
            .delimiter(options.delimiter.unwrap_or_else(|| delimiter_of(path.as_deref())))
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1 << 16)
            .from_writer(output);
        Ok(Self { path, writer, formula_escaping: options.formula_escaping, buffer: String::new() })
    }

    /// Adds text to the current row.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), WriteError> {
        match self.formula_escaping {
            FormulaEscaping::On => self.field(&escape_formula(text)),
            FormulaEscaping::Off => self.field(text),
        }
    }

    /// Adds text that is written as it stands: it is escaped already, as in the file it comes from.
    pub(crate) fn escaped_text(&mut self, text: &str) -> Result<(), WriteError> {
        self.field(text)
    }

    /// Adds a cell as it was typed; a plain number with a sign is no formula. A real date is written as ISO 8601: as
    /// shown it might be ambiguous, which it was not in the spreadsheet that it comes from.
    pub(crate) fn cell_as_typed(&mut self, cell: Cell<'_>) -> Result<(), WriteError> {
        let Value::Date(moment) = cell.value else {
            return if is_signed_number(cell.text) { self.field(cell.text) } else { self.text(cell.text) };
        };
        self.buffered(|buffer| {
            let _ = write!(buffer, "{}", moment.date());
            if moment.time() != Time::midnight() {
                let _ = write!(buffer, " {}", moment.time());
            }
        })
    }

    /// Adds a typed value in the one spelling that programs expect: numbers with a point and no grouping, dates in
    /// ISO 8601, timestamps ending in `Z`, booleans as `TRUE` and `FALSE`. Only text is escaped: `-5` is a number in a
    /// spreadsheet program, too.
    pub(crate) fn value(&mut self, cell: Cell<'_>, column_type: ColumnType) -> Result<(), WriteError> {
        match cell.value {
            Value::Number(number) => self.buffered(|buffer| push_number(cell.text, number, buffer)),
            Value::Date(moment) => self.buffered(|buffer| push_timestamp(moment, column_type, buffer)),
            Value::Boolean(boolean) => self.field(if boolean { "TRUE" } else { "FALSE" }),
            _ => self.text(cell.text),
        }
    }

    /// Ends the current row.
    pub(crate) fn end_row(&mut self) -> Result<(), WriteError> {
        let ended = self.writer.write_record(None::<&[u8]>);
        ended.map_err(|error| self.failed(error))
    }

    /// Writes out what is buffered and returns the output.
    pub(crate) fn finish(self) -> Result<W, WriteError> {
        let Self { path, writer, .. } = self;
        writer.into_inner().map_err(|error| WriteError::from_output(path.as_deref(), error.into_error()))
    }

    fn buffered(&mut self, push: impl FnOnce(&mut String)) -> Result<(), WriteError> {
        self.buffer.clear();
        push(&mut self.buffer);
        let written = self.writer.write_field(&self.buffer);
        written.map_err(|error| self.failed(error))
    }

    fn field(&mut self, text: &str) -> Result<(), WriteError> {
        let written = self.writer.write_field(text);
        written.map_err(|error| self.failed(error))
    }

    /// Fields are only ever refused by the operating system.
    fn failed(&self, error: csv::Error) -> WriteError {
        WriteError::from_output(self.path.as_deref(), io_error(error))
    }
}

/// The operating system's error behind one of the CSV writer, which alone tells what is wrong, such as a full disk.
pub(crate) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// `-5` or `+1,204.50`: nothing but a sign, digits and their separators.
fn is_signed_number(text: &str) -> bool {
    text.strip_prefix(['-', '+']).is_some_and(|digits| {
        digits.starts_with(|char: char| char.is_ascii_digit())
            && digits.chars().all(|char| char.is_ascii_digit() || matches!(char, '.' | ','))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::table::Row;

    #[test]
    fn the_name_decides_the_delimiter_unless_one_is_given() {
        let written = |name: Option<&str>, delimiter| {
            let options = CsvOptions { delimiter, ..CsvOptions::EXPORT };
            let mut csv = CsvWriter::new(Vec::new(), name.map(Path::new), options).unwrap();
            csv.text("a").and_then(|()| csv.text("b")).and_then(|()| csv.end_row()).unwrap();
            String::from_utf8(csv.finish().unwrap()).unwrap()
        };
        assert_eq!(written(Some("out/a.TSV"), None), "a\tb\r\n");
        assert_eq!(written(Some("a.tsv"), Some(b';')), "a;b\r\n");
        for name in [Some("a.csv"), Some("a.txt"), None] {
            assert_eq!(written(name, None), "a,b\r\n", "{name:?}");
        }
    }

    #[test]
    fn values_are_written_as_they_were_typed() {
        let mut csv = CsvWriter::new(Vec::new(), None, CsvOptions::EXPORT).unwrap();
        let mut row = Row::default();
        for text in [
            "007", "=1+1", "-5", "+1,204.50", "-1+cmd|' /C calc'!A0", "@x", "-", "a,b", "19\"", "two\nlines", "Zürich",
            "",
        ] {
            row.push_text(text);
        }
        row.push("1/2/24", Value::Date(jiff::civil::date(2024, 2, 1).at(0, 0, 0, 0)));
        row.push("1/2/24", Value::Date(jiff::civil::date(2024, 2, 1).at(13, 5, 0, 0)));
        row.cells().for_each(|cell| csv.cell_as_typed(cell).unwrap());
        csv.end_row().unwrap();
        assert_eq!(
            String::from_utf8(csv.finish().unwrap()).unwrap(),
            "007,'=1+1,-5,\"+1,204.50\",'-1+cmd|' /C calc'!A0,'@x,'-,\"a,b\",\"19\"\"\",\"two\nlines\",Zürich,,2024-02-01,2024-02-01 13:05:00\r\n"
        );
    }
}
