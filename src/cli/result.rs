//! Where the result goes, and writing it: the last pass over the user's rows.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Error;
use super::ledger::{Ledger, State};
use crate::mapping::{Ignored, Mapping, TimestampColumn};
use crate::plan::ReportMode;
use crate::report::{ResultFile, RunSummary, SheetSummary};
use crate::run::command_line::CommandLine;
use crate::run::input::InputSet;
use crate::run::journal::{Journal, SheetHeader};
use crate::table::write::WriteError;
use crate::table::{Input, Row, Value};
use crate::wording::{counted, thousands};

/// Where a run's result is written.
pub(super) struct ResultPath(PathBuf);

impl ResultPath {
    pub(super) fn as_path(&self) -> &Path {
        &self.0
    }

    /// Finds out whether the file can be begun, and leaves nothing behind: a run whose result cannot be written leaves
    /// no journal either.
    pub(super) fn try_out(&self) -> Result<(), Error> {
        self.open(ReportMode::Done).map(drop)
    }

    /// Begins the file.
    pub(super) fn open(&self, mode: ReportMode) -> Result<ResultFile, Error> {
        Ok(ResultFile::create(self.as_path(), mode)?)
    }
}

/// The path the user asked for, else one beside the input that is not taken: a result in which somebody has corrected
/// cells is never overwritten.
///
/// # Errors
/// Where the folder does not exist or the kind of file is not one a result can be: known before anything is sent.
pub(super) fn path(asked: Option<&Path>, intake: &InputSet) -> Result<ResultPath, Error> {
    let path = match asked {
        Some(path) => path.to_path_buf(),
        None => free_path_beside(intake, "result"),
    };
    if let Some(input) = intake.files.iter().find(|file| file.input.is_same(&Input::Path(path.clone()))) {
        return Err(Error::usage(
            format!("the result would overwrite the input `{}`", input.input.name()),
            "name another file with --result",
        ));
    }
    ResultPath::new(path, intake.sheets.len())
}

impl ResultPath {
    /// A place for the result of so many sheets.
    pub(super) fn new(path: PathBuf, sheets: usize) -> Result<Self, Error> {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv && sheets > 1 {
            let what = format!("a .csv result holds one sheet, and there are {sheets}");
            return Err(Error::usage(what, "name a .xlsx file with --result, or read one sheet with --sheet"));
        }
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(Error::usage(
                format!("folder not found: `{}`; the result cannot be written there", folder.display()),
                "make the folder, or name another place with --result",
            ));
        }
        if path.is_dir() {
            return Err(Error::usage(
                format!("`{}` is a folder: the result cannot be written there", path.display()),
                "name a file with --result",
            ));
        }
        Ok(Self(path))
    }
}

/// A place beside the input that is not taken: `NAME.result.xlsx`, `NAME.backup.xlsx`.
pub(super) fn free_path_beside(intake: &InputSet, kind: &str) -> PathBuf {
    let input = &intake.files[0].input;
    let folder = match input {
        Input::Path(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        Input::Stdin => PathBuf::new(),
    };
    let stem = input.stem();
    free_path(&folder, without_result_suffix(&stem), kind)
}

/// `NAME.result.xlsx`, or the first `NAME.result-2.xlsx` and so on that is not taken.
pub(super) fn free_path_in(folder: &Path, name: &str) -> PathBuf {
    free_path(folder, name, "result")
}

fn free_path(folder: &Path, name: &str, kind: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{name}.{kind}-{number}.xlsx")));
    std::iter::once(folder.join(format!("{name}.{kind}.xlsx")))
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(format!("{kind}.xlsx")))
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

/// The summary of a run as far as its sheets, rows and problems tell it.
pub(super) fn summary(command: &'static str, run: String, heads: &[SheetHeader], ledgers: &[Ledger]) -> RunSummary {
    let mut summary = RunSummary::new(command, run);
    for (head, ledger) in heads.iter().zip(ledgers) {
        let header = |column| head.header_of(column).map(ToOwned::to_owned);
        ledger.tally(&head.label, &header, &mut summary.problems);
        summary.sheets.push(SheetSummary {
            file: head.file.clone(),
            sheet: head.name.clone(),
            entity: head.entity.name,
            rows: ledger.rows(),
            counts: ledger.counts(),
            decoding: head.decoding.clone(),
            ignored: head.ignored.clone(),
        });
        let carried = ledger.count(|state| matches!(state, State::Carried(_)));
        let not_sent = ledger.count(|state| state == State::NotSent);
        let label = &head.label;
        if not_sent > 0 {
            summary.remarks.push(format!("{label}: {} of the failed rows were not sent", thousands(not_sent)));
        }
        if carried > 0 {
            let rows = counted(carried, "row");
            summary.remarks.push(format!("{label}: {rows} done by an earlier run, kept as they are"));
        }
    }
    summary
}

/// A run's name: when it began, and four letters against two in one second.
pub(super) fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let letters: String = std::iter::repeat_with(fastrand::lowercase).take(4).collect();
    format!("{now}-{letters}")
}

/// What to type next, the best first. `line` is that of the run, `resume` the command that goes on with it.
pub(super) fn next_commands(
    summary: &RunSummary,
    line: CommandLine,
    result: &Path,
    resume: Option<String>,
) -> Vec<String> {
    let counts = summary.counts();
    let failed = counts.failed + counts.unknown;
    let only_failed =
        |line: CommandLine| line.with_input(&result.display().to_string()).command("import", &["--only-failed"]);
    if summary.stopped.is_some() {
        return vec![resume.unwrap_or_else(|| only_failed(line))];
    }
    match (summary.dry_run, failed) {
        (true, 0) => vec![line.command(summary.command, &[])],
        (true, _) => vec![line.command(summary.command, &["--dry-run"])],
        (false, 0) => Vec::new(),
        (false, _) => vec![only_failed(line)],
    }
}

/// Where the user's rows are read from again: the files, or the journal.
pub(super) trait Rows {
    /// Streams the rows of a sheet in its order.
    ///
    /// # Errors
    /// Where they cannot be read to their end.
    fn each(&mut self, sheet: usize, on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> Result<(), Error>;
}

impl Rows for InputSet {
    fn each(&mut self, sheet: usize, on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> Result<(), Error> {
        let secrets = secrets(&self.sheets[sheet].mapping);
        match secrets.is_empty() {
            true => self.each_row(sheet, on_row)?,
            false => self.each_row(sheet, &mut |row| on_row(&without(row, &secrets)))?,
        }
        Ok(())
    }
}

impl Rows for Journal {
    fn each(&mut self, sheet: usize, on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> Result<(), Error> {
        Ok(self.each_row(sheet as u16, on_row)?)
    }
}

/// Writes every row with what became of it.
///
/// # Errors
/// Where the result cannot be written or the rows cannot be read again.
pub(super) fn write(
    rows: &mut dyn Rows,
    heads: &[SheetHeader],
    ledgers: &[Ledger],
    mut book: ResultFile,
    summary: &mut RunSummary,
) -> Result<(), Error> {
    // The sheets as the user has them, which is not the order in which they were sent.
    let mut order: Vec<usize> = (0..heads.len()).collect();
    order.sort_by_key(|index| heads[*index].place);
    for index in order {
        write_sheet(rows, index, &heads[index], &ledgers[index], &mut book)?;
    }
    summary.result = Some(book.finish(summary)?);
    Ok(())
}

fn write_sheet(
    rows: &mut dyn Rows,
    index: usize,
    head: &SheetHeader,
    ledger: &Ledger,
    book: &mut ResultFile,
) -> Result<(), Error> {
    book.start_sheet(&head.label, &head.header, head.entity.name)?;
    let shown = head.column_of(TimestampColumn::Updated.name());
    let mut position = 0;
    let mut written: Result<(), WriteError> = Ok(());
    rows.each(index, &mut |row| {
        let Some(outcome) = ledger.outcome(position) else { return ControlFlow::Break(()) };
        written = match (shown, ledger.changed(position)) {
            (Some(column), Some(changed)) => book.row(&with_moment(row, column as usize, changed), &outcome),
            _ => book.row(row, &outcome),
        };
        position += 1;
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(written?)
}

/// A row that shows when its record was changed by this run, in the form in which it showed the last change: with the
/// old moment the record would seem to have been changed by somebody else.
fn with_moment(row: &Row, column: usize, changed: jiff::Timestamp) -> Row {
    let mut row = row.clone();
    match row.cell(column).value {
        Value::Date(_) => {
            let moment = jiff::tz::TimeZone::UTC.to_datetime(changed);
            row.replace(column, &moment.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(), Value::Date(moment));
        }
        Value::Text => row.replace(column, &changed.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), Value::Text),
        _ => {}
    }
    row
}

/// The columns that look like passwords: never copied.
pub(super) fn secrets(mapping: &Mapping) -> Vec<usize> {
    let secret = mapping.ignored().filter(|(_, why)| *why == Ignored::Secret);
    secret.map(|(column, _)| column.index).collect()
}

/// A row without what its secret columns hold.
pub(super) fn without(row: &Row, secrets: &[usize]) -> Row {
    let mut kept = row.clone();
    secrets.iter().for_each(|column| kept.replace(*column, "", Value::Blank));
    kept
}

/// The folder a result goes to must exist before anything is sent.
fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
