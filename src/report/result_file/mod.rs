//! The result file: the user's own rows back, with what became of each.
//!
//! - The user's columns keep their order; [`RESULT_HEADERS`] stand in front. Columns of these names in the input are
//!   left out, so that the result of a result does not grow.
//! - Values are written as they were typed, so that the file can be fixed and imported again.
//! - Rows are written as they come and none is held back: memory does not grow with the rows. In the workbook the
//!   Summary sheet is the first although it is written last; what the end of a sheet knows (widths, filter) is
//!   metadata that the workbook writer keeps apart from the rows.
//! - The file appears whole or not at all.

mod cell_errors;
mod chart;
mod columns;
mod styles;
mod summary_grid;
mod summary_sheet;
mod workbook;

use std::path::{Path, PathBuf};

use super::text::message_line;
use super::{Outcome, RunSummary};
use crate::check::is_withheld;
use crate::plan::ReportMode;
use crate::table::Row;
use crate::table::write::csv::{CsvOptions, CsvWriter};
use crate::table::write::{AtomicFile, WriteError};
use columns::ResultColumns;
use workbook::ResultWorkbook;

/// The headers of the columns in front of the user's own.
pub const RESULT_HEADERS: [&str; 3] = ["_status", "_id", "_message"];

/// The name of the workbook's first sheet; an input's sheet of that name gets a number.
pub const SUMMARY_SHEET: &str = "Summary";

/// A result file in the making. Dropped before [`ResultFile::finish`], it leaves nothing behind.
pub struct ResultFile {
    kind: ResultFormat,
    mode: ReportMode,
}

enum ResultFormat {
    Csv(Box<ResultCsv>),
    Xlsx(Box<ResultWorkbook>),
}

/// The one sheet of a CSV result.
#[derive(Debug)]
struct ResultCsv {
    path: PathBuf,
    csv: CsvWriter<AtomicFile>,
    sheet: Option<(String, ResultColumns)>,
}

impl ResultFile {
    /// Begins the file that will stand at `path`: a workbook or a CSV file, as its extension says.
    pub fn create(path: &Path, mode: ReportMode) -> Result<Self, WriteError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let kind = match extension.as_deref() {
            Some("xlsx") => ResultFormat::Xlsx(Box::new(ResultWorkbook::create(path, mode)?)),
            Some("csv") => ResultFormat::Csv(Box::new(ResultCsv::create(path)?)),
            _ => return Err(WriteError::Extension { path: path.to_owned() }),
        };
        Ok(Self { kind, mode })
    }

    /// Begins a sheet with the input's header row. `entity` is what its rows are, such as `assets`.
    pub fn start_sheet(&mut self, name: &str, header: &Row, entity: &str) -> Result<(), WriteError> {
        let columns = ResultColumns::new(header);
        match &mut self.kind {
            ResultFormat::Csv(book) => book.start_sheet(name, header, columns),
            ResultFormat::Xlsx(book) => book.start_sheet(name, columns, entity),
        }
    }

    /// Adds a row of the current sheet with what became of it.
    pub fn row(&mut self, row: &Row, outcome: &Outcome) -> Result<(), WriteError> {
        match &mut self.kind {
            ResultFormat::Csv(book) => book.row(row, outcome, self.mode),
            ResultFormat::Xlsx(book) => book.row(row, outcome),
        }
    }

    /// Puts the file in its place and says where it stands: beside `path`, with a number, where another program
    /// held that one open meanwhile.
    pub fn finish(self, summary: &RunSummary) -> Result<PathBuf, WriteError> {
        match self.kind {
            ResultFormat::Csv(book) => book.csv.finish()?.commit_or_numbered(),
            ResultFormat::Xlsx(book) => book.finish(summary),
        }
    }
}

impl ResultCsv {
    fn create(path: &Path) -> Result<Self, WriteError> {
        let file = AtomicFile::create(path)?;
        let path = file.path().to_owned();
        Ok(Self { csv: CsvWriter::new(file, Some(&path), CsvOptions::RESULT)?, path, sheet: None })
    }

    fn start_sheet(&mut self, name: &str, header: &Row, columns: ResultColumns) -> Result<(), WriteError> {
        if let Some((first, _)) = &self.sheet {
            let (first, second) = (first.clone(), name.to_owned());
            return Err(WriteError::SheetsInCsv { path: self.path.clone(), first, second });
        }
        RESULT_HEADERS.into_iter().try_for_each(|header| self.csv.text(header))?;
        columns.kept(header.len()).try_for_each(|column| {
            self.csv.text(header.escaped_text(column).unwrap_or_else(|| header.cell(column).text))
        })?;
        self.sheet = Some((name.to_owned(), columns));
        self.csv.end_row()
    }

    fn row(&mut self, row: &Row, outcome: &Outcome, mode: ReportMode) -> Result<(), WriteError> {
        let Self { path, csv, sheet } = self;
        let Some((_, columns)) = sheet else { return Err(WriteError::NoSheet { path: path.clone() }) };
        csv.text(outcome.status.label(mode))?;
        csv.text(&outcome.id.map(|id| id.to_string()).unwrap_or_default())?;
        csv.text(&message(outcome, columns))?;
        for column in columns.kept(row.len().max(columns.width())) {
            match (is_withheld(&outcome.problems, column), row.escaped_text(column)) {
                (true, _) => csv.text("")?,
                (false, Some(text)) => csv.text(text)?,
                (false, None) => csv.cell_as_typed(row.cell(column))?,
            }
        }
        csv.end_row()
    }
}

/// What the `_message` cell says: the outcome's message and every problem, a line each.
fn message(outcome: &Outcome, columns: &ResultColumns) -> String {
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
