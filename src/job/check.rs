//! A check: every row against the schema, offline.

use std::path::Path;
use std::time::Instant;

use super::new_run_id;
use super::next_commands::after_check;
use super::result_path::{ResultPath, result_path};
use crate::check::{CheckedRow, Checker, Inference, Mode, Problem, RemarkTally, RowAction, Rules};
use crate::error::Result;
use crate::mapping::Mapping;
use crate::observer::Observer;
use crate::plan::{NameTally, ReportMode, RowCounts, RowOutcome, RowStatus};
use crate::report::{ResultFile, RunCommand, RunSummary, SheetSummary};
use crate::run::command_line::CommandLine;
use crate::run::input::{InputOptions, InputRow, InputSet, SheetFilter};
use crate::run::lookups::no_rows;
use crate::table::Row;
use crate::table::write::WriteError;

/// Checks spreadsheets without an account. Bad rows go to the file `result`, if there is one; `line` is the command
/// that says the same.
///
/// # Errors
/// Where a file cannot be read, mapped or written, or holds no rows.
pub(crate) fn check(
    options: &InputOptions,
    result: Option<&Path>,
    line: &CommandLine,
    observer: &mut dyn Observer,
) -> Result<RunSummary> {
    let started = Instant::now();
    let mut input = InputSet::open(options, SheetFilter::Any, observer)?;
    let path = result.map(|path| result_path(Some(path), &input, None)).transpose()?;
    observer.on_phase("checking", None);
    let asked = path.as_ref().map(ResultPath::as_path);
    let mut summary = check_all(&mut input, path.as_ref(), observer, &mut |summary| {
        summary.options = options.used().shown();
        summary.next = after_check(summary, line, asked);
        summary.seconds = started.elapsed().as_secs_f64();
    })?;
    if summary.rows() == 0 {
        return Err(no_rows(&summary.files));
    }
    summary.seconds = started.elapsed().as_secs_f64();
    Ok(summary)
}

/// Checks every sheet and writes the bad rows. A column of text dates or amounts may be readable only as a whole;
/// where the first pass finds one, everything is read a second time with what it taught.
/// `complete` adds to the summary what the sheets do not tell.
fn check_all(
    input: &mut InputSet,
    path: Option<&ResultPath>,
    observer: &mut dyn Observer,
    complete: &mut dyn FnMut(&mut RunSummary),
) -> Result<RunSummary> {
    let sheets: Vec<_> = input.sheets.iter().map(|sheet| (sheet.mapping.clone(), sheet.match_on.clone())).collect();
    let rules = input.rules.clone();
    let mut checkers: Vec<Checker<'_>> = (sheets.iter().enumerate())
        .map(|(index, (mapping, match_on))| {
            Checker::new(mapping, &rules, match_on, input.extra_cells(index)).with_layout(&input.sheets[index].layout)
        })
        .collect();
    loop {
        observer.on_rows(0, 0);
        let mut summary = RunSummary::new(RunCommand::Check, new_run_id());
        summary.files = input.file_names();
        summary.skipped_sheets = input.skipped.clone();
        let mut book = path.map(|path| path.create(ReportMode::Check)).transpose()?;
        let mut names = NameTally::default();
        for (index, (mapping, _)) in sheets.iter().enumerate() {
            checkers[index].rewind();
            let pass = SheetCheck {
                mapping,
                rules: &rules,
                label: input.label(index),
                secrets: mapping.secret_columns(),
                counts: RowCounts::default(),
                book: book.as_mut(),
                summary: &mut summary,
                remarks: RemarkTally::default(),
                names: &mut names,
                observer: &mut *observer,
                written: Ok(()),
            };
            check_sheet(input, index, &mut checkers[index], pass)?;
        }
        let learned = checkers
            .iter_mut()
            .map(Checker::infer_formats)
            .filter(|learned| *learned == Inference::NeedsSecondPass)
            .count();
        if learned > 0 {
            continue;
        }
        summary.mapping = input.mappings();
        summary.remarks.splice(0..0, input.remarks());
        summary.look_alikes = names.report(None, &rules.aliases);
        let look_alikes = summary.look_alikes.remarks();
        summary.remarks.extend(look_alikes);
        complete(&mut summary);
        if let (Some(book), Some(path)) = (book, path) {
            summary.result = Some(path.as_path().to_path_buf());
            book.finish(&summary)?;
        }
        return Ok(summary);
    }
}

/// Progress is told after every so many rows.
const PROGRESS_ROWS: u64 = 1_000;

/// One pass over one sheet.
struct SheetCheck<'p> {
    mapping: &'p Mapping,
    rules: &'p Rules,
    label: String,
    /// Columns that are never copied.
    secrets: Vec<usize>,
    counts: RowCounts,
    book: Option<&'p mut ResultFile>,
    summary: &'p mut RunSummary,
    remarks: RemarkTally,
    names: &'p mut NameTally,
    observer: &'p mut dyn Observer,
    written: Result<(), WriteError>,
}

fn check_sheet(input: &mut InputSet, index: usize, checker: &mut Checker<'_>, mut pass: SheetCheck<'_>) -> Result<()> {
    if let Some(book) = &mut pass.book {
        book.start_sheet(&pass.label, &input.sheets[index].header, pass.mapping.entity.name)?;
    }
    input.each_checked(index, checker, &mut |row, checked| pass.row(row, checked))?;
    pass.written?;
    let (counts, mapping) = (pass.counts, pass.mapping);
    let label = (input.sheets.len() > 1).then_some(pass.label.as_str());
    pass.summary.remarks.extend(pass.remarks.remarks(mapping, label));
    pass.summary.sheets.push(SheetSummary {
        file: input.files[input.sheets[index].file].input.name(),
        sheet: input.sheets[index].name.clone(),
        entity: mapping.entity.name,
        rows: counts.rows(),
        counts,
        decoding: input.decoding(index),
        ignored: input.ignored(index),
    });
    Ok(())
}

impl SheetCheck<'_> {
    fn row(&mut self, row: InputRow<'_>, checked: &mut CheckedRow) {
        self.names.observe(self.mapping, row.filled, checked);
        self.count(row.typed, checked);
        let done = self.counts.rows();
        if done.is_multiple_of(PROGRESS_ROWS) {
            let before = self.summary.counts();
            self.observer.on_rows(self.summary.rows() + done, before.failed + self.counts.failed);
        }
    }

    fn count(&mut self, row: &Row, checked: &mut CheckedRow) {
        if checked.action == Some(RowAction::Skip) {
            self.counts.add(RowStatus::Skipped);
            return;
        }
        self.remarks.add(row.number, &checked.remarks);
        if self.may_create(checked) {
            checked.report_missing(self.mapping);
            checked.locate(row, self.mapping);
        }
        if checked.problems.is_empty() {
            self.counts.add(RowStatus::Unchanged);
            return;
        }
        self.counts.add(RowStatus::Failed);
        self.report(row, std::mem::take(&mut checked.problems));
    }

    /// Whether the row may create a record, so that all a create requires must be there.
    fn may_create(&self, checked: &CheckedRow) -> bool {
        match checked.action {
            Some(RowAction::Write(Mode::Create)) => true,
            Some(RowAction::Write(Mode::Update)) => false,
            Some(RowAction::Write(Mode::Upsert)) => checked.id.is_none(),
            Some(RowAction::Delete | RowAction::Skip) => false,
            None => self.rules.mode != Mode::Update && checked.id.is_none(),
        }
    }

    fn report(&mut self, row: &Row, problems: Vec<Problem>) {
        for problem in &problems {
            let header = problem.column.and_then(|column| self.mapping.header(column));
            self.summary.problems.add(&self.label, header, row.number, problem);
        }
        if let (Some(book), Ok(())) = (&mut self.book, &self.written) {
            let outcome =
                RowOutcome { status: RowStatus::Failed, id: None, message: "".into(), problems, changes: Vec::new() };
            self.written = match self.secrets.as_slice() {
                [] => book.row(row, &outcome),
                secrets => book.row(&row.without_columns(secrets), &outcome),
            };
        }
    }
}
