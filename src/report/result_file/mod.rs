//! The result file: the user's own rows back, with what became of each. That of a check holds only the failed ones.
//!
//! - The user's columns keep their order; [`columns::RESULT_HEADERS`] come first. Columns of these names in the input are
//!   left out, so that the result of a result does not grow.
//! - Values are written as they were typed, so that the file can be fixed and imported again.
//! - Rows are written as they come and none is held back: memory does not grow with the rows. In the workbook the
//!   Summary sheet is the first although it is written last; what the end of a sheet knows (widths, filter) is
//!   metadata that the workbook writer keeps apart from the rows.
//! - The file appears whole or not at all.

mod cell_errors;
mod chart;
mod columns;
mod csv;
mod look_alikes;
mod row_numbers;
mod styles;
mod summary_grid;
mod summary_notes;
mod summary_sheet;
mod workbook;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::run_summary::RunSummary;
use crate::check::{Code, Problem, Remark, RemarkCode};
use crate::paths::real_path;
use crate::plan::ReportMode;
use crate::plan::RowOutcome;
use crate::run::journal::ApprovedPage;
use crate::table::write::{Access, WriteError};
use crate::table::{Row, Value};
use crate::written_files::WrittenFiles;
use columns::ResultColumns;
use csv::ResultCsv;
use row_numbers::RowNumbers;
use workbook::ResultWorkbook;

/// Writes a result file. Dropped before [`ResultFile::finish`], it leaves nothing behind.
pub(crate) struct ResultFile {
    kind: ResultFormat,
    mode: ReportMode,
    numbers: RowNumbers,
}

enum ResultFormat {
    Csv(Box<ResultCsv>),
    Xlsx(Box<ResultWorkbook>),
}

impl ResultFile {
    /// Creates the file at `path`: a workbook or a CSV file, depending on its extension. A new file is for those whom
    /// `access` names.
    pub(crate) fn create(path: &Path, mode: ReportMode, access: Access) -> Result<Self, WriteError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let kind = match extension.as_deref() {
            Some("xlsx") => ResultFormat::Xlsx(Box::new(ResultWorkbook::create(path, access)?)),
            Some("csv") => ResultFormat::Csv(Box::new(ResultCsv::create(path, access)?)),
            _ => return Err(WriteError::Extension { path: path.to_owned() }),
        };
        Ok(Self { kind, mode, numbers: RowNumbers::new(mode) })
    }

    /// Puts the file on the list of written files when it is put in its place.
    pub(crate) fn listed_in(mut self, list: Option<&WrittenFiles>) -> Self {
        match &mut self.kind {
            ResultFormat::Csv(book) => book.list = list.cloned(),
            ResultFormat::Xlsx(book) => book.list = list.cloned(),
        }
        self
    }

    /// Adds the first sheet of the plan that was applied. Before the first sheet of rows.
    pub(crate) fn plan_page(&mut self, page: &ApprovedPage) -> Result<(), WriteError> {
        match &mut self.kind {
            ResultFormat::Csv(_) => Ok(()),
            ResultFormat::Xlsx(book) => book.plan_page(page),
        }
    }

    /// Starts a sheet with the input's header row. Messages call the input's sheet `label`; a sheet of the workbook gets the
    /// `name`, or that of its `entity`, such as `assets`, if it is blank.
    pub(crate) fn start_sheet(
        &mut self,
        label: &str,
        name: &str,
        header: &Row,
        entity: &str,
    ) -> Result<(), WriteError> {
        let columns = ResultColumns::new(header);
        self.numbers.clear();
        let name = if name.trim().is_empty() { entity } else { name };
        match &mut self.kind {
            ResultFormat::Csv(book) => book.start_sheet(label, header, columns),
            ResultFormat::Xlsx(book) => book.start_sheet(label, name, columns),
        }
    }

    /// Adds a row of the current sheet and its outcome.
    pub(crate) fn row(&mut self, row: &Row, outcome: &RowOutcome) -> Result<(), WriteError> {
        self.row_as(row, outcome, self.mode)
    }

    /// As [`ResultFile::row`], with an outcome in the words of `mode`: what an earlier run did is done, in a dry run too.
    pub(crate) fn row_as(&mut self, row: &Row, outcome: &RowOutcome, mode: ReportMode) -> Result<(), WriteError> {
        let outcome = self.numbers.add(row.number, outcome);
        let row = with_marks(row, &outcome.problems);
        match &mut self.kind {
            ResultFormat::Csv(book) => book.row(&row, &outcome, mode),
            ResultFormat::Xlsx(book) => book.row(&row, &outcome, mode),
        }
    }

    /// What of the rows the file does not hold, as remarks on the run.
    fn losses(&self) -> Vec<Remark> {
        let losses = match &self.kind {
            ResultFormat::Csv(_) => Vec::new(),
            ResultFormat::Xlsx(book) => book.losses(),
        };
        losses
            .into_iter()
            .map(|loss| {
                Remark::new(RemarkCode::ResultLimited, format!("in the result, {loss}; a .csv result keeps it all"))
            })
            .collect()
    }

    /// Puts the file in its place and says where it stands: beside `path`, with a number, where another program
    /// holds that one open, or somebody put a file there or edited it meanwhile. With remarks on that, and on what it does
    /// not hold.
    pub(crate) fn finish(self, summary: &RunSummary) -> Result<(PathBuf, Vec<Remark>), WriteError> {
        let mut remarks = self.losses();
        let (place, written) = match self.kind {
            ResultFormat::Csv(book) => (book.path.clone(), book.finish()?),
            ResultFormat::Xlsx(book) => (book.path().to_owned(), book.finish(summary)?),
        };
        remarks.extend(beside_remark(&place, &written));
        Ok((written, remarks))
    }
}

/// Says that a file stands beside the place that it was meant for.
pub(crate) fn beside_remark(place: &Path, written: &Path) -> Option<Remark> {
    let message = || {
        format!(
            "`{}` is open in another program, or was put there or edited while this ran: it was left as it is, and `{}` was written",
            place.display(),
            written.display()
        )
    };
    // A link is written through.
    let is_beside = place != written && real_path(place) != real_path(written);
    is_beside.then(|| Remark::new(RemarkCode::ResultBeside, message()))
}

/// The row with error values in the blank cells that are a problem, so that they are one as well when the result is imported: a
/// formula without a value, and a cell that another one covers.
fn with_marks<'r>(row: &'r Row, problems: &[Problem]) -> Cow<'r, Row> {
    let mut marked = Cow::Borrowed(row);
    for problem in problems {
        let mark = match problem.code() {
            Code::CellUnevaluated => "#FORMULA!",
            Code::CellMerged => "#MERGED!",
            _ => continue,
        };
        let Some(column) = problem.column.map(|column| column as usize) else { continue };
        if row.cell(column).text.trim().is_empty() {
            let marked = marked.to_mut();
            marked.pad(column + 1);
            marked.replace(column, mark, Value::Text);
        }
    }
    marked
}

#[cfg(test)]
mod tests;
