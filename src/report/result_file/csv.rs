//! The result as a CSV file.

use std::path::{Path, PathBuf};

use super::columns::{RESULT_HEADERS, ResultColumns};
use crate::check::is_withheld;
use crate::plan::ReportMode;
use crate::plan::RowOutcome;
use crate::table::Row;
use crate::table::write::csv::{CsvOptions, CsvWriter};
use crate::table::write::{Access, AtomicFile, WriteError};
use crate::written_files::WrittenFiles;

/// The one sheet of a CSV result.
#[derive(Debug)]
pub(super) struct ResultCsv {
    pub(super) path: PathBuf,
    csv: CsvWriter<AtomicFile>,
    sheet: Option<(String, ResultColumns)>,
    /// The list that the file is to be on.
    pub(super) list: Option<WrittenFiles>,
}

impl ResultCsv {
    pub(super) fn create(path: &Path, access: Access) -> Result<Self, WriteError> {
        let file = AtomicFile::create_for(path, access)?;
        let path = file.path().to_owned();
        Ok(Self { csv: CsvWriter::new(file, Some(&path), CsvOptions::EXPORT)?, path, sheet: None, list: None })
    }

    pub(super) fn start_sheet(&mut self, label: &str, header: &Row, columns: ResultColumns) -> Result<(), WriteError> {
        if let Some((first, _)) = &self.sheet {
            let (first, second) = (first.clone(), label.to_owned());
            return Err(WriteError::SheetsInCsv { path: self.path.clone(), first, second });
        }
        RESULT_HEADERS.into_iter().try_for_each(|header| self.csv.text(header))?;
        columns.kept(header.len()).try_for_each(|column| match header.escaped_text(column) {
            Some(text) => self.csv.escaped_text(text),
            None => self.csv.cell_as_typed(header.cell(column)),
        })?;
        self.sheet = Some((label.to_owned(), columns));
        self.csv.end_row()
    }

    pub(super) fn row(&mut self, row: &Row, outcome: &RowOutcome, mode: ReportMode) -> Result<(), WriteError> {
        let Self { path, csv, sheet, .. } = self;
        let Some((_, columns)) = sheet else { return Err(WriteError::NoSheet { path: path.clone() }) };
        csv.text(outcome.status.label(mode))?;
        csv.text(&outcome.id.map(|id| id.to_string()).unwrap_or_default())?;
        csv.text(&columns.message(outcome, mode))?;
        for column in columns.kept(row.len().max(columns.width())) {
            match (is_withheld(&outcome.problems, column), row.escaped_text(column)) {
                (true, _) => csv.text("")?,
                (false, Some(text)) => csv.escaped_text(text)?,
                (false, None) => csv.cell_as_typed(row.cell(column))?,
            }
        }
        csv.end_row()
    }

    /// Puts the file in place; see [`AtomicFile::commit_or_numbered`].
    pub(super) fn finish(self) -> Result<PathBuf, WriteError> {
        self.csv.finish()?.listed_in(self.list.as_ref()).commit_or_numbered()
    }
}
