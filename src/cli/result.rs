//! Where the result goes, and writing it: the last pass over the user's rows.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Error;
use super::args::{ImportArgs, ReadingArgs};
use super::import::folder_of;
use super::intake::Intake;
use super::ledger::Ledger;
use crate::check::{Blank, FractionalCost, Mode};
use crate::mapping::{Ignored, ResultColumn, To};
use crate::report::{Outcome, ResultBook, RunSummary, SheetSummary, Status, Tense, counted};
use crate::table::write::WriteError;
use crate::table::{Input, Row};

/// Where a run's result is written.
pub(super) struct ResultPath(PathBuf);

impl ResultPath {
    pub(super) fn as_path(&self) -> &Path {
        &self.0
    }

    /// Begins the file. Done before anything is sent: a result that cannot be written stops the run while it can.
    pub(super) fn open(&self, tense: Tense) -> Result<ResultBook, Error> {
        Ok(ResultBook::create(self.as_path(), tense)?)
    }
}

/// The path the user asked for, else one beside the input that is not taken: a result in which somebody has mended
/// cells is never overwritten.
///
/// # Errors
/// Where the folder does not exist or the kind of file is not one a result can be: known before anything is sent.
pub(super) fn path(asked: Option<&Path>, intake: &Intake) -> Result<ResultPath, Error> {
    let path = match asked {
        Some(path) => path.to_path_buf(),
        None => free_path(intake),
    };
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv && intake.sheets.len() > 1 {
        let what = format!("a .csv result holds one sheet, and there are {}", intake.sheets.len());
        return Err(Error::usage(what, "name a .xlsx file with --result, or read one sheet with --sheet"));
    }
    if let Some(input) = intake.books.iter().find(|book| book.input.is_same(&Input::Path(path.clone()))) {
        return Err(Error::usage(
            format!("the result would overwrite the input `{}`", input.input.name()),
            "name another file with --result",
        ));
    }
    let folder = folder_of(&path);
    if !folder.is_dir() {
        return Err(Error::usage(
            format!("there is no folder `{}` to write the result to", folder.display()),
            "make the folder, or name another place with --result",
        ));
    }
    Ok(ResultPath(path))
}

fn free_path(intake: &Intake) -> PathBuf {
    let input = &intake.books[0].input;
    let folder = match input {
        Input::Path(path) => folder_of(path),
        Input::Stdin => PathBuf::from("."),
    };
    let stem = input.stem();
    let base = without_result_suffix(&stem);
    let numbered = (2..).map(|number| folder.join(format!("{base}.result-{number}.xlsx")));
    std::iter::once(folder.join(format!("{base}.result.xlsx")))
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join("result.xlsx"))
}

/// `assets.result-2` is a result of `assets`.
fn without_result_suffix(stem: &str) -> &str {
    match stem.rsplit_once(".result") {
        Some((base, rest))
            if rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok()) =>
        {
            base
        }
        _ => stem,
    }
}

/// The summary of a run as far as files, rows and problems tell it.
pub(super) fn summary(command: &'static str, intake: &Intake, ledgers: &[Ledger]) -> RunSummary {
    let mut summary = RunSummary::new(command, run_id());
    summary.files = intake.file_names();
    summary.skipped_sheets = intake.skipped.clone();
    for (index, ledger) in ledgers.iter().enumerate() {
        let sheet = &intake.sheets[index];
        let label = intake.label(index);
        ledger.tally(&label, &|column| sheet.mapping.header(column).map(ToOwned::to_owned), &mut summary.problems);
        summary.sheets.push(SheetSummary {
            file: intake.books[sheet.book].input.name(),
            sheet: sheet.name.clone(),
            entity: sheet.mapping.entity.name,
            rows: ledger.rows(),
            counts: ledger.counts(),
            decoding: intake.decoding(index),
            ignored: intake.ignored(index),
        });
        if ledger.carried() > 0 {
            let rows = counted(ledger.carried(), "row");
            summary.remarks.push(format!("{label}: {rows} done by an earlier run, kept as they are"));
        }
    }
    summary
}

/// A run's name: when it began, and four letters against two in one second.
fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let letters: String = std::iter::repeat_with(fastrand::lowercase).take(4).collect();
    format!("{now}-{letters}")
}

/// The options that differ from their defaults.
pub(super) fn options(args: &ImportArgs) -> Vec<(String, String)> {
    let mut options = reading_options(&args.reading);
    let mut add = |name: &str, value: Option<String>| options.extend(value.map(|value| (name.to_owned(), value)));
    add("--dry-run", args.dry_run.then(|| String::from("yes")));
    add("--only-failed", args.only_failed.then(|| String::from("yes")));
    add(
        "--create-missing",
        args.create_missing
            .as_ref()
            .map(|names| if names.is_empty() { String::from("all but employees") } else { names.join(", ") }),
    );
    add("--max-errors", args.max_errors.map(|most| most.to_string()));
    options
}

pub(super) fn reading_options(args: &ReadingArgs) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: Option<String>| options.extend(value.map(|value| (name.to_owned(), value)));
    let list = |items: &[String]| (!items.is_empty()).then(|| items.join(", "));
    add("--entity", args.entity.clone());
    add("--sheet", list(&args.sheet));
    add("--map", list(&args.map));
    add("--ignore", list(&args.ignore));
    add("--mapping", args.mapping.as_ref().map(|path| path.display().to_string()));
    add("--preset", args.preset.clone());
    add(
        "--mode",
        match args.mode {
            Mode::Upsert => None,
            Mode::Create => Some(String::from("create")),
            Mode::Update => Some(String::from("update")),
        },
    );
    add("--match-on", list(&args.match_on));
    add("--date-format", args.date_format.clone());
    add("--decimal", args.decimal.map(String::from));
    add("--blank", (args.blank == Blank::Clear).then(|| String::from("clear")));
    add(
        "--fractional-cost",
        match args.fractional_cost {
            FractionalCost::Error => None,
            FractionalCost::Round => Some(String::from("round")),
            FractionalCost::Send => Some(String::from("send")),
        },
    );
    options
}

/// What to type next, the best first.
pub(super) fn next_commands(summary: &RunSummary, result: &Path) -> Vec<String> {
    let counts = summary.counts();
    let failed = counts.failed + counts.unknown;
    let files = quoted_files(&summary.files);
    if summary.stopped.is_some() {
        return vec![format!("tallyport import {} --only-failed", quoted(&result.display().to_string()))];
    }
    match (summary.dry_run, failed) {
        (true, 0) => vec![format!("tallyport import {files}")],
        (true, _) => vec![format!("correct the cells, then: tallyport import {files} --dry-run")],
        (false, 0) => Vec::new(),
        (false, _) => vec![format!(
            "correct the red cells in {0}, then: tallyport import {0} --only-failed",
            quoted(&result.display().to_string())
        )],
    }
}

/// Files as they are typed on a command line.
pub(super) fn quoted_files(files: &[String]) -> String {
    let quoted: Vec<String> = files.iter().map(|file| quoted(file)).collect();
    quoted.join(" ")
}

fn quoted(path: &str) -> String {
    if path.contains(' ') { format!("\"{path}\"") } else { path.to_owned() }
}

/// Writes every row with what became of it.
///
/// # Errors
/// Where the result cannot be written or an input cannot be read again.
pub(super) fn write(
    intake: &mut Intake,
    ledgers: &[Ledger],
    mut book: ResultBook,
    summary: &mut RunSummary,
) -> Result<(), Error> {
    for index in sheet_order(intake) {
        write_sheet(intake, index, &ledgers[index], &mut book)?;
    }
    summary.result = Some(book.finish(summary)?);
    Ok(())
}

/// The sheets as the user has them, which is not the order in which they were sent.
fn sheet_order(intake: &Intake) -> Vec<usize> {
    let mut order: Vec<usize> = (0..intake.sheets.len()).collect();
    order.sort_by_key(|index| (intake.sheets[*index].book, intake.sheets[*index].position));
    order
}

fn write_sheet(intake: &mut Intake, index: usize, ledger: &Ledger, book: &mut ResultBook) -> Result<(), Error> {
    let label = intake.label(index);
    let sheet = &intake.sheets[index];
    let secrets: Vec<usize> =
        sheet.mapping.ignored().filter(|(_, why)| *why == Ignored::Secret).map(|(column, _)| column.index).collect();
    let carried = CarriedColumns::of(sheet.mapping.columns.iter().map(|column| (column.index, &column.to)));
    let (header, entity) = (sheet.header.clone(), sheet.mapping.entity.name);
    book.start_sheet(&label, &header, entity)?;
    let mut position = 0;
    let mut written: Result<(), WriteError> = Ok(());
    intake.each_row(index, &mut |row| {
        let Some((_, outcome)) = ledger.outcome(position) else { return ControlFlow::Break(()) };
        position += 1;
        let outcome = outcome.unwrap_or_else(|| carried.outcome(row));
        written =
            if secrets.is_empty() { book.row(row, &outcome) } else { book.row(&without(row, &secrets), &outcome) };
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(written?)
}

/// A row without what its secret columns hold.
fn without(row: &Row, secrets: &[usize]) -> Row {
    let mut kept = Row::default();
    kept.clear(row.number);
    for (column, cell) in row.cells().enumerate() {
        if secrets.contains(&column) {
            kept.push_text("");
        } else {
            kept.push(cell.text, cell.value);
        }
    }
    kept
}

/// Where an earlier result says what became of a row.
struct CarriedColumns {
    status: Option<usize>,
    id: Option<usize>,
    message: Option<usize>,
}

impl CarriedColumns {
    fn of<'t>(columns: impl Iterator<Item = (usize, &'t To)>) -> Self {
        let mut carried = CarriedColumns { status: None, id: None, message: None };
        for (index, to) in columns {
            match to {
                To::Result(ResultColumn::Status) => carried.status = Some(index),
                To::Result(ResultColumn::Message) => carried.message = Some(index),
                To::Id => carried.id = Some(index),
                _ => {}
            }
        }
        carried
    }

    fn outcome(&self, row: &Row) -> Outcome {
        let text = |column: Option<usize>| column.map_or("", |column| row.cell(column).text.trim());
        Outcome {
            status: Status::parse(text(self.status)).map_or(Status::Skipped, |reported| reported.status),
            id: text(self.id).parse().ok(),
            message: text(self.message).into(),
            problems: Vec::new(),
        }
    }
}
