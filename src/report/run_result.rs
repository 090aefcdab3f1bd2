//! The summary and the result file of a run, from its journal.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{ResultFile, RunSummary, SheetSummary};
use crate::check::{Code, Problem, Remark, RemarkCode};
use crate::error::Result;
use crate::mapping::TimestampColumn;
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::run::input::InputSet;
use crate::run::journal::{FinishedRow, Journal, JournalError, RowEnding, SheetHeader, Unfinished};
use crate::table::write::WriteError;
use crate::table::{Row, Value};
use crate::wording::counted;

/// Where the user's rows are read from again.
pub(crate) enum RowSource<'r> {
    Files(&'r mut InputSet),
    Journal,
}

/// Adds what became of every row to a summary: sheets, counts and problems.
///
/// # Errors
/// Where the journal cannot be read.
pub(crate) fn add_rows(
    summary: &mut RunSummary,
    journal: &Journal,
    sheets: &[SheetHeader],
    unfinished: Unfinished<'_>,
) -> Result<(), JournalError> {
    for (index, sheet) in sheets.iter().enumerate().filter(|(_, sheet)| sheet.owner.is_none()) {
        let mut tally = SheetTally::default();
        for (position, row) in journal.merged_rows(sheets, index as u16, unfinished).enumerate() {
            let mut row = row?;
            show_refused_cells(&mut row, |column| journal.cell_text(index as u16, position, column))?;
            tally.add(&row, sheet, summary);
        }
        tally.finish(sheet, summary);
    }
    Ok(())
}

/// Adds to what the service refused the cell that it is about: a response names the field alone.
fn show_refused_cells(
    row: &mut FinishedRow,
    cell: impl Fn(u32) -> Result<Option<String>, JournalError>,
) -> Result<(), JournalError> {
    for problem in row.outcome.problems.iter_mut().filter(|problem| problem.code() == Code::ServiceRefused) {
        let Some(column) = problem.column else { continue };
        if let Some(text) = cell(column)? {
            *problem = problem.error.clone().at(Some(column), &text);
        }
    }
    Ok(())
}

/// The rows of one sheet, counted by what became of them.
#[derive(Default)]
struct SheetTally {
    rows: u64,
    counts: RowCounts,
    carried: u64,
}

impl SheetTally {
    /// Rows that an earlier run finished count as skipped.
    fn add(&mut self, row: &FinishedRow, sheet: &SheetHeader, summary: &mut RunSummary) {
        if row.ending == RowEnding::Detail {
            return;
        }
        self.rows += 1;
        match row.ending {
            RowEnding::Final => self.counts.add(row.outcome.status),
            RowEnding::Carried => {
                self.counts.add(RowStatus::Skipped);
                self.carried += 1;
            }
            RowEnding::Open | RowEnding::Detail => {}
        }
        let header = |problem: &Problem| problem.column.and_then(|column| sheet.header_of(column));
        for problem in &row.outcome.problems {
            summary.problems.add(&sheet.label, header(problem), row.number, problem);
        }
        for change in &row.outcome.changes {
            summary.changes.add(&sheet.label, row.number, change);
        }
    }

    fn finish(self, sheet: &SheetHeader, summary: &mut RunSummary) {
        summary.sheets.push(SheetSummary {
            file: sheet.file.clone(),
            sheet: sheet.name.clone(),
            entity: sheet.entity.name,
            rows: self.rows,
            counts: self.counts,
            decoding: sheet.decoding.clone(),
            ignored: sheet.ignored.clone(),
        });
        let label = &sheet.label;
        if self.carried > 0 {
            let rows = counted(self.carried, "row");
            let kept = if self.carried == 1 { "it is" } else { "they are" };
            let message = format!("{label}: {rows} done by an earlier run, kept as {kept}");
            summary.remark(RemarkCode::RowsCarried, message);
        }
    }
}

/// A result file in its place.
pub(crate) struct WrittenResult {
    pub(crate) path: PathBuf,
    /// What of the rows it does not hold, which its own summary says already, and that it stands beside its place.
    pub(crate) remarks: Vec<Remark>,
}

/// Writes every row with what became of it.
///
/// # Errors
/// Where the result cannot be written or the rows cannot be read again.
pub(crate) fn write_result(
    mut source: RowSource<'_>,
    journal: &Journal,
    sheets: &[SheetHeader],
    unfinished: Unfinished<'_>,
    mut file: ResultFile,
    summary: &RunSummary,
) -> Result<WrittenResult> {
    if let Some(page) = &summary.plan {
        file.plan_page(page)?;
    }
    // The sheets as the user has them, which is not the order in which they were sent.
    let mut order: Vec<usize> = (0..sheets.len()).filter(|index| sheets[*index].owner.is_none()).collect();
    order.sort_by_key(|index| sheets[*index].place);
    for index in order {
        let mut sheet = SheetResult {
            outcomes: journal.merged_rows(sheets, index as u16, unfinished),
            changed: sheets[index].column_of(TimestampColumn::Updated.name()),
            above: None,
            mode: summary.report_mode(),
            file: &mut file,
        };
        let SheetHeader { label, header, entity, .. } = &sheets[index];
        sheet.file.start_sheet(label, &sheets[index].result_name(), header, entity.name)?;
        let mut written = Ok(());
        let mut on_row = |row: &Row| {
            let next = sheet.write(row);
            next.unwrap_or_else(|error| {
                written = Err(error);
                ControlFlow::Break(())
            })
        };
        source.each_row(journal, index, &mut on_row)?;
        written?;
    }
    let (path, remarks) = file.finish(summary)?;
    Ok(WrittenResult { path, remarks })
}

/// One sheet of the result.
struct SheetResult<'r, O> {
    outcomes: O,
    /// The column that shows when the record was last changed.
    changed: Option<u32>,
    /// How the record above ended, and in which words that is said.
    above: Option<(RowStatus, Option<i64>, ReportMode)>,
    mode: ReportMode,
    file: &'r mut ResultFile,
}

impl<O: Iterator<Item = Result<FinishedRow, JournalError>>> SheetResult<'_, O> {
    fn write(&mut self, row: &Row) -> Result<ControlFlow<()>> {
        let Some(mut finished) = self.outcomes.next().transpose()? else { return Ok(ControlFlow::Break(())) };
        let mut mode = if finished.ending == RowEnding::Carried { ReportMode::Done } else { self.mode };
        match (finished.ending, self.above) {
            (RowEnding::Detail, Some(above)) => (finished.outcome.status, finished.outcome.id, mode) = above,
            _ => self.above = Some((finished.outcome.status, finished.outcome.id, mode)),
        }
        let outcome = &finished.outcome;
        let written: Result<(), WriteError> = match (self.changed, finished.changed_at) {
            (Some(column), Some(changed)) => {
                self.file.row_as(&with_timestamp(row, column as usize, changed), outcome, mode)
            }
            _ => self.file.row_as(row, outcome, mode),
        };
        written?;
        Ok(ControlFlow::Continue(()))
    }
}

impl RowSource<'_> {
    /// Streams the rows of a sheet in its order, without what its secret columns hold.
    fn each_row(
        &mut self,
        journal: &Journal,
        sheet: usize,
        on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<()> {
        match self {
            RowSource::Journal => Ok(journal.each_row(sheet as u16, on_row)?),
            RowSource::Files(input) => {
                let secrets = input.sheets[sheet].mapping.secret_columns();
                if secrets.is_empty() {
                    return Ok(input.each_row(sheet, on_row)?);
                }
                Ok(input.each_row(sheet, &mut |row| on_row(&row.without_columns(&secrets)))?)
            }
        }
    }
}

/// A row that shows when its record was changed by this run, in the form in which it showed the last change: with the
/// old time the record would seem to have been changed by somebody else.
fn with_timestamp(row: &Row, column: usize, changed: jiff::Timestamp) -> Row {
    let mut row = row.clone();
    match row.cell(column).value {
        Value::Date(_) => {
            let time = jiff::tz::TimeZone::UTC.to_datetime(changed);
            row.replace(column, &time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(), Value::Date(time));
        }
        Value::Text => row.replace(column, &changed.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), Value::Text),
        _ => {}
    }
    row
}
