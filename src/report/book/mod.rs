//! The result file: the user's own rows back, with what became of each.
//!
//! - The user's columns keep their order; [`RESULT_HEADERS`] stand in front. Columns of these names in the input are
//!   left out, so that the result of a result does not grow.
//! - Values are written as they were typed, so that the file can be fixed and imported again.
//! - Rows are written as they come and none is held back: memory does not grow with the rows. In the workbook the
//!   Summary sheet is the first although it is written last; what the end of a sheet knows (widths, filter) is
//!   metadata that the workbook writer keeps apart from the rows.
//! - The file appears whole or not at all.

mod chart;
mod columns;
mod front;
mod note;
mod page;
mod paint;
mod xlsx;

use std::path::{Path, PathBuf};

use super::words::{is_withheld, message_line};
use super::{Outcome, RunSummary, Tense};
use crate::table::Row;
use crate::table::write::WriteError;
use crate::table::write::csv::CsvFile;
use columns::Columns;
use xlsx::XlsxBook;

/// The headers of the columns in front of the user's own.
pub const RESULT_HEADERS: [&str; 3] = ["_status", "_id", "_message"];

/// The name of the workbook's first sheet; an input's sheet of that name gets a number.
pub const SUMMARY_SHEET: &str = "Summary";

/// A result file in the making. Dropped before [`ResultBook::finish`], it leaves nothing behind.
pub struct ResultBook {
    kind: Kind,
    tense: Tense,
}

enum Kind {
    Csv(Box<CsvBook>),
    Xlsx(Box<XlsxBook>),
}

/// The one sheet of a CSV result.
#[derive(Debug)]
struct CsvBook {
    path: PathBuf,
    file: CsvFile,
    sheet: Option<(String, Columns)>,
}

impl ResultBook {
    /// Begins the file that will stand at `path`: a workbook or a CSV file, as its extension says.
    pub fn create(path: &Path, tense: Tense) -> Result<Self, WriteError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let kind = match extension.as_deref() {
            Some("xlsx") => Kind::Xlsx(Box::new(XlsxBook::create(path, tense)?)),
            Some("csv") => Kind::Csv(Box::new(CsvBook::create(path)?)),
            _ => return Err(WriteError::Extension { path: path.to_owned() }),
        };
        Ok(Self { kind, tense })
    }

    /// Begins a sheet with the input's header row. `entity` is what its rows are, such as `assets`.
    pub fn start_sheet(&mut self, name: &str, header: &Row, entity: &str) -> Result<(), WriteError> {
        let columns = Columns::new(header);
        match &mut self.kind {
            Kind::Csv(book) => book.start_sheet(name, header, columns),
            Kind::Xlsx(book) => book.start_sheet(name, columns, entity),
        }
    }

    /// Adds a row of the current sheet with what became of it.
    pub fn row(&mut self, row: &Row, outcome: &Outcome) -> Result<(), WriteError> {
        match &mut self.kind {
            Kind::Csv(book) => book.row(row, outcome, self.tense),
            Kind::Xlsx(book) => book.row(row, outcome),
        }
    }

    /// Puts the file in its place and says where it stands: beside `path`, with a number, where another program
    /// held that one open meanwhile.
    pub fn finish(self, summary: &RunSummary) -> Result<PathBuf, WriteError> {
        match self.kind {
            Kind::Csv(book) => book.file.finish(),
            Kind::Xlsx(book) => book.finish(summary),
        }
    }
}

impl CsvBook {
    fn create(path: &Path) -> Result<Self, WriteError> {
        Ok(Self { path: path.to_owned(), file: CsvFile::create(path)?, sheet: None })
    }

    fn start_sheet(&mut self, name: &str, header: &Row, columns: Columns) -> Result<(), WriteError> {
        if let Some((first, _)) = &self.sheet {
            let (first, second) = (first.clone(), name.to_owned());
            return Err(WriteError::SheetsInCsv { path: self.path.clone(), first, second });
        }
        RESULT_HEADERS.into_iter().try_for_each(|header| self.file.text(header))?;
        columns.kept(header.len()).try_for_each(|column| {
            self.file.text(header.guarded(column).unwrap_or_else(|| header.cell(column).text))
        })?;
        self.sheet = Some((name.to_owned(), columns));
        self.file.end_row()
    }

    fn row(&mut self, row: &Row, outcome: &Outcome, tense: Tense) -> Result<(), WriteError> {
        let Self { path, file, sheet } = self;
        let Some((_, columns)) = sheet else { return Err(WriteError::NoSheet { path: path.clone() }) };
        file.text(outcome.status.wording(tense))?;
        file.text(&outcome.id.map(|id| id.to_string()).unwrap_or_default())?;
        file.text(&message(outcome, columns))?;
        for column in columns.kept(row.len().max(columns.width())) {
            match (is_withheld(&outcome.problems, column), row.guarded(column)) {
                (true, _) => file.text("")?,
                (false, Some(text)) => file.text(text)?,
                (false, None) => file.cell(row.cell(column))?,
            }
        }
        file.end_row()
    }
}

/// What the `_message` cell says: the outcome's message and every problem, a line each.
fn message(outcome: &Outcome, columns: &Columns) -> String {
    let mut message = String::from(&*outcome.message);
    for problem in &outcome.problems {
        if !message.is_empty() {
            message.push('\n');
        }
        let header = problem.column.and_then(|column| columns.header(column as usize));
        message.push_str(&message_line(header, problem));
    }
    message
}

#[cfg(test)]
mod tests;
