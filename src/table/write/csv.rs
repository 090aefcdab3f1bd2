//! CSV files as RFC 4180 has them: UTF-8, commas, CRLF, quotes where they are needed.
//!
//! Values are written as they were typed. A text that begins with `=` stays as it is: a result is there to be
//! corrected and imported again, and a protecting prefix would come back as part of the value. Exports, which go to
//! other people, protect such texts.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::{AtomicFile, WriteError};
use crate::table::{Cell, Value};

/// A CSV file in the making; it appears with [`CsvFile::finish`].
#[derive(Debug)]
pub struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<AtomicFile>,
    /// Reused for values that are not written as their text.
    spelled: String,
}

impl CsvFile {
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let whole = AtomicFile::create(path)?;
        let path = whole.path().to_owned();
        // Rows may be longer than the header: a value beyond the last header is a problem to show, not to drop.
        let writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1 << 16)
            .from_writer(whole);
        Ok(Self { path, writer, spelled: String::new() })
    }

    /// Adds a field to the current row.
    pub fn text(&mut self, text: &str) -> Result<(), WriteError> {
        self.writer.write_field(text).map_err(|error| refused(&self.path, error))
    }

    /// Adds a cell to the current row. A real date is written as ISO 8601: as shown it might be ambiguous, which
    /// in the spreadsheet it came from it was not.
    pub fn cell(&mut self, cell: Cell<'_>) -> Result<(), WriteError> {
        let Value::Date(moment) = cell.value else { return self.text(cell.text) };
        self.spelled.clear();
        let _ = match moment.time() == jiff::civil::Time::midnight() {
            true => write!(self.spelled, "{}", moment.date()),
            false => write!(self.spelled, "{} {}", moment.date(), moment.time()),
        };
        let written = self.writer.write_field(&self.spelled);
        written.map_err(|error| refused(&self.path, error))
    }

    /// Ends the current row.
    pub fn end_row(&mut self) -> Result<(), WriteError> {
        self.writer.write_record(None::<&[u8]>).map_err(|error| refused(&self.path, error))
    }

    /// Puts the file in its place and says where it stands: beside it where the place was held open meanwhile.
    pub fn finish(self) -> Result<PathBuf, WriteError> {
        let Self { path, writer, .. } = self;
        let whole = writer.into_inner().map_err(|error| WriteError::from_io(&path, error.into_error()))?;
        whole.commit_or_numbered()
    }
}

fn refused(path: &Path, error: csv::Error) -> WriteError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => WriteError::from_io(path, error),
        other => WriteError::from_io(path, io::Error::other(format!("{other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::table::Row;

    #[test]
    fn values_are_written_as_they_were_typed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut file = CsvFile::create(&path).unwrap();
        let mut row = Row::default();
        for text in ["007", "=1+1", "a,b", "19\"", "two\nlines", "Zürich", ""] {
            row.push_text(text);
        }
        row.push("1/2/24", Value::Date(jiff::civil::date(2024, 2, 1).at(0, 0, 0, 0)));
        row.push("1/2/24", Value::Date(jiff::civil::date(2024, 2, 1).at(13, 5, 0, 0)));
        for cell in row.cells() {
            file.cell(cell).unwrap();
        }
        file.end_row().unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "007,=1+1,\"a,b\",\"19\"\"\",\"two\nlines\",Zürich,,2024-02-01,2024-02-01 13:05:00\r\n"
        );
    }
}
