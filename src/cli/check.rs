//! `tallyport check`: every row against the schema, offline.

use std::time::Instant;

use super::args::{CheckArgs, Global};
use super::import::print;
use super::intake::Intake;
use super::printer::Printer;
use super::progress::Progress;
use super::result::{self, ResultPath};
use super::{Error, Exit};
use crate::check::{CheckedRow, Checker, Learned, Mode, RowAction};
use crate::report::{Counts, Outcome, ResultBook, RunSummary, SheetSummary, Status, Tense};
use crate::table::Row;
use crate::table::write::WriteError;

pub(super) fn run(global: &Global, args: &CheckArgs, printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let mut intake = Intake::open(&args.reading, printer)?;
    let path = args.reading.result.as_deref().map(|asked| result::path(Some(asked), &intake, printer)).transpose()?;
    let mut progress = Progress::new(global, printer);
    progress.phase("checking");
    let mut summary = result::summary("check", &intake, &[]);
    summary.options = result::reading_options(&args.reading);
    let mut book = path.as_ref().map(|path| ResultBook::create(path.as_path(), Tense::Checked)).transpose()?;
    for index in 0..intake.sheets.len() {
        check_sheet(&mut intake, index, path.as_ref(), &mut book, &mut summary)?;
    }
    progress.finish();
    summary.seconds = started.elapsed().as_secs_f64();
    if summary.rows() == 0 {
        return Err(Error::usage(format!("{} holds a header but no rows", summary.files.join(", ")), "fill in the rows below the header"));
    }
    if let (Some(book), Some(path)) = (book, path) {
        summary.result = Some(path.as_path().to_path_buf());
        book.finish(&summary)?;
    }
    summary.next = next(&summary);
    print(&summary, printer)?;
    Ok(if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success })
}

fn next(summary: &RunSummary) -> Vec<String> {
    let files = summary.files.join(" ");
    match (summary.counts().failed, &summary.result) {
        (0, _) => vec![format!("tallyport import {files} --dry-run")],
        (_, None) => vec![format!("tallyport check {files} --result problems.xlsx   (the bad rows, with a note on each cell)")],
        (_, Some(_)) => Vec::new(),
    }
}

/// Checks one sheet and writes its bad rows. What only a whole column tells may call for a second pass; what the
/// first one wrote of this sheet is then taken back.
fn check_sheet(
    intake: &mut Intake,
    index: usize,
    path: Option<&ResultPath>,
    book: &mut Option<ResultBook>,
    summary: &mut RunSummary,
) -> Result<(), Error> {
    let (mapping, match_on, rules) = (intake.sheets[index].mapping.clone(), intake.sheets[index].match_on.clone(), intake.rules.clone());
    let mut checker = Checker::new(&mapping, &rules, &match_on, intake.beyond(index));
    let label = intake.label(index);
    let header = intake.sheets[index].header.clone();
    let mut pass = Pass::default();
    for attempt in [Attempt::First, Attempt::Second] {
        pass = Pass::default();
        checker.rewind();
        if let Some(book) = book {
            book.start_sheet(&label, &header)?;
        }
        intake.each_checked(index, &mut checker, &mut |row, checked| {
            pass.row(row, checked, rules.mode, book, &mut |row, problem| {
                let header = problem.column.and_then(|column| mapping.header(column));
                summary.problems.add(&label, header, row, problem);
            });
        })?;
        if attempt == Attempt::Second || checker.learn() == Learned::Nothing {
            break;
        }
        summary.problems.forget(&label);
        if let (Some(old), Some(path)) = (book.take(), path) {
            drop(old);
            *book = Some(ResultBook::create(path.as_path(), Tense::Checked)?);
        }
    }
    pass.written?;
    let sheet = &intake.sheets[index];
    summary.sheets.push(SheetSummary {
        file: intake.books[sheet.book].input.name(),
        sheet: sheet.name.clone(),
        entity: mapping.entity.name,
        rows: pass.counts.rows(),
        counts: pass.counts,
        decoding: intake.decoding(index),
        ignored: intake.ignored(index),
    });
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

/// One pass over a sheet.
struct Pass {
    counts: Counts,
    written: Result<(), WriteError>,
}

impl Default for Pass {
    fn default() -> Self {
        Self { counts: Counts::default(), written: Ok(()) }
    }
}

impl Pass {
    fn row(
        &mut self,
        row: &Row,
        checked: &mut CheckedRow,
        mode: Mode,
        book: &mut Option<ResultBook>,
        on_problem: &mut dyn FnMut(u64, &crate::check::Problem),
    ) {
        if checked.action == Some(RowAction::Skip) {
            self.counts.add(Status::Skipped);
            return;
        }
        if checked.problems.is_empty() {
            self.counts.add(Status::Unchanged);
            return;
        }
        let _ = mode;
        self.counts.add(Status::Failed);
        for problem in &checked.problems {
            on_problem(row.number, problem);
        }
        if let (Some(book), Ok(())) = (book, &self.written) {
            let outcome = Outcome { status: Status::Failed, id: None, message: "".into(), problems: std::mem::take(&mut checked.problems) };
            self.written = book.row(row, &outcome);
        }
    }
}
