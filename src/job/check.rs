//! A check: every row against the schema, offline.

use std::path::Path;
use std::time::Instant;

use super::new_run_id;
use super::next_commands::after_check;
use super::result_path::{ResultPath, result_path};
use crate::check::{CheckedRow, Checker, Creation, Inference, Mode, Problem, RemarkTally, RowAction, Rules};
use crate::error::Result;
use crate::mapping::{Mapping, RecordOrigin};
use crate::observer::Observer;
use crate::plan::{NameTally, ReportMode, RowCounts, RowOutcome, RowStatus};
use crate::report::{ResultFile, RunCommand, RunSummary, SheetSummary};
use crate::run::command_line::CommandLine;
use crate::run::described::DescribedRecords;
use crate::run::input::{CheckedRows, InputOptions, InputRow, InputSet, RowRules, SheetFilter, SheetRules};
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
    let path = path.map(|path| path.listed_in(options.mapping.written.clone()));
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
    let sheets = input.sheet_rules();
    let (rules, row_rules) = (input.rules.clone(), RowRules::new(input.rules.clone()));
    let mut checkers = input.checkers(&sheets, &row_rules);
    loop {
        observer.on_rows(0, 0);
        let mut summary = RunSummary::new(RunCommand::Check, new_run_id());
        summary.files = input.file_names();
        summary.skipped_sheets = input.skipped.clone();
        let mut book = path.map(|path| path.create(ReportMode::Check)).transpose()?;
        let mut names = NameTally::default();
        for (index, (mapping, _)) in sheets.iter().enumerate() {
            checkers[index].rewind();
            if mapping.origin.is_further() {
                continue;
            }
            let pass = SheetCheck {
                mapping,
                sheets: &sheets,
                rules: &rules,
                label: input.label(index),
                secrets: mapping.secret_columns(),
                counts: RowCounts::default(),
                book: book.as_mut(),
                summary: &mut summary,
                remarks: RemarkTally::default(),
                names: &mut names,
                observer: &mut *observer,
                described: DescribedRecords::default(),
                open: None,
                written: Ok(()),
            };
            check_sheet(input, index, &mut checkers, pass)?;
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
            let (written, remarks) = book.finish(&summary)?;
            summary.result = Some(written);
            summary.remarks.extend(remarks);
        }
        return Ok(summary);
    }
}

/// Progress is told after every so many rows.
const PROGRESS_ROWS: u64 = 1_000;

/// One pass over one sheet.
struct SheetCheck<'p> {
    mapping: &'p Mapping,
    /// Of all sheets, those of further records included.
    sheets: &'p [SheetRules],
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
    described: DescribedRecords,
    /// The row at hand, whose further records may follow.
    open: Option<OpenRow>,
    written: Result<(), WriteError>,
}

/// A row that makes several records, with the problems found so far.
struct OpenRow {
    /// Its cells, once it has a problem.
    row: Option<Row>,
    problems: Vec<Problem>,
}

fn check_sheet(
    input: &mut InputSet,
    index: usize,
    checkers: &mut [Checker<'_>],
    mut pass: SheetCheck<'_>,
) -> Result<()> {
    if let Some(book) = &mut pass.book {
        let header = input.sheet_header(index);
        book.start_sheet(&pass.label, &header.result_name(), &header.header, header.entity.name)?;
    }
    if input.further_of(index).is_empty() {
        let mut names = std::mem::take(pass.names);
        let read = input.each_checked_in_parallel(index, &mut checkers[index], &mut names, &mut |rows| match rows {
            CheckedRows::Clean(count) => pass.clean(count),
            CheckedRows::Flagged(row, checked) => pass.row(row, checked),
        });
        *pass.names = names;
        read?;
    } else {
        input.each_record(index, checkers, &mut |record, row, checked| {
            pass.names.observe(record, &pass.sheets[record].0, row.filled, checked);
            pass.record((index, record), row, checked);
        })?;
        pass.close_row();
    }
    pass.written?;
    input.validate_width(index, &checkers[index])?;
    let (counts, mapping) = (pass.counts, pass.mapping);
    let label = (input.sheet_count() > 1).then_some(pass.label.as_str());
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
    fn row(&mut self, row: &Row, checked: &mut CheckedRow) {
        self.count(row, checked);
        self.tell_progress(1);
    }

    /// Rows of which there is nothing to tell.
    fn clean(&mut self, count: u64) {
        self.counts.add_all(RowStatus::Unchanged, count);
        self.tell_progress(count);
    }

    /// Tells progress, if the rows just counted complete another thousand.
    fn tell_progress(&mut self, counted: u64) {
        let done = self.counts.rows();
        if done / PROGRESS_ROWS > (done - counted) / PROGRESS_ROWS {
            let before = self.summary.counts();
            self.observer.on_rows(self.summary.rows() + done, before.failed + self.counts.failed);
        }
    }

    fn count(&mut self, row: &Row, checked: &mut CheckedRow) {
        if checked.action == Some(RowAction::Skip) {
            self.counts.add(RowStatus::Skipped);
            return;
        }
        let problems = self.problems(row, checked);
        self.count_problems(row, problems);
    }

    fn problems(&mut self, row: &Row, checked: &mut CheckedRow) -> Vec<Problem> {
        self.remarks.add(row.number, &checked.remarks);
        if self.may_create(checked) {
            checked.report_missing(self.mapping, creation(checked, self.rules.mode));
            checked.locate(row, self.mapping);
        }
        std::mem::take(&mut checked.problems)
    }

    fn count_problems(&mut self, row: &Row, problems: Vec<Problem>) {
        if problems.is_empty() {
            self.counts.add(RowStatus::Unchanged);
            return;
        }
        self.counts.add(RowStatus::Failed);
        self.report(row, problems);
    }

    /// One of several records of a row; the row's own comes first.
    fn record(&mut self, (own, index): (usize, usize), row: InputRow<'_>, checked: &mut CheckedRow) {
        if index == own {
            self.close_row();
            if checked.action == Some(RowAction::Skip) {
                self.row(row.typed, checked);
            } else {
                let problems = self.problems(row.typed, checked);
                let bad = (!problems.is_empty()).then(|| row.typed.clone());
                self.open = Some(OpenRow { row: bad, problems });
            }
            return;
        }
        let mapping = &self.sheets[index].0;
        self.remarks.add(row.typed.number, &checked.remarks);
        checked.report_missing(mapping, creation(checked, self.rules.mode));
        checked.locate(row.typed, mapping);
        let mut problems = std::mem::take(&mut checked.problems);
        if mapping.origin == RecordOrigin::Described && problems.is_empty() {
            problems.extend_from_slice(self.described.add(index as u16, mapping, row.filled, checked));
            checked.locate_problems(&mut problems, row.typed, mapping);
        }
        if let Some(open) = &mut self.open {
            problems.retain(|problem| !open.problems.contains(problem));
            if open.row.is_none() && !problems.is_empty() {
                open.row = Some(row.typed.clone());
            }
            open.problems.extend(problems);
        }
    }

    /// Counts a row whose records are all checked.
    fn close_row(&mut self) {
        let Some(OpenRow { row, problems }) = self.open.take() else { return };
        match row {
            Some(row) => self.count_problems(&row, problems),
            None => self.counts.add(RowStatus::Unchanged),
        }
        self.tell_progress(1);
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

/// Whether a row that may create a record does. Without an account, only the row itself tells.
fn creation(checked: &CheckedRow, mode: Mode) -> Creation {
    match checked.action {
        Some(RowAction::Write(Mode::Create)) => Creation::Certain,
        None if mode == Mode::Create => Creation::Certain,
        _ => Creation::Possible,
    }
}
