//! What to type next, after a check, a dry run or a run: the best first.
//!
//! Rows that failed are corrected in the result file, so the next command reads that file; but the result of a check
//! holds only the failed rows, so there the input itself is corrected and read again. A command that cannot work, such
//! as one that reads standard input again, is not offered.

use std::path::Path;

use crate::check::RemarkCode;
use crate::report::{RunCommand, RunSummary};
use crate::run::command_line::CommandLine;
use crate::run::journal::{RunHeader, RunKind};

/// After a check. `result`: the file with the failed rows, if one was asked for.
pub(super) fn after_check(summary: &RunSummary, line: &CommandLine, result: Option<&Path>) -> Vec<String> {
    let next = match (summary.counts().failed, result) {
        (0, _) => line.repeated(RunCommand::Import.as_str(), &["--dry-run"]),
        // Whoever imported the corrected result would leave out the good rows.
        (_, Some(_)) => line.repeated(RunCommand::Check.as_str(), &[]),
        (_, None) => {
            let free = free_name("problems");
            line.repeated(RunCommand::Check.as_str(), &["--result", &free])
        }
    };
    next.into_iter().collect()
}

/// After a dry run: the run itself, or another dry run of the corrected result.
pub(super) fn after_dry_run(summary: &RunSummary, header: &RunHeader, result: Option<&Path>) -> Vec<String> {
    let (line, counts) = (CommandLine::from_words(header.details.typed.clone()), summary.counts());
    let command = summary.command.as_str();
    let has_failed = counts.failed + counts.unknown > 0;
    let next = match result.filter(|_| summary.command == RunCommand::Import) {
        Some(result) if has_failed => Some(line.with_input(result).command(command, &["--dry-run"])),
        // It would stop before it starts.
        _ if summary.remarks.iter().any(|remark| remark.code == RemarkCode::LimitExceeded) => None,
        Some(result) if line.reads_stdin() => Some(line.with_input(result).command(command, &[])),
        // The rows are corrected in the input: that the same command then reads it again need not be said.
        _ if has_failed => None,
        _ => line.repeated(command, &[]),
    };
    next.into_iter().collect()
}

/// After a plan workbook: what applies it once it is approved.
pub(super) fn after_plan(path: &Path, account_flags: Vec<String>) -> Vec<String> {
    let line = CommandLine::new(vec![path.display().to_string()], account_flags);
    vec![line.command(RunKind::Apply.command(), &[])]
}

/// After a run that has been sent as far as it goes.
pub(crate) fn after_run(
    summary: &RunSummary,
    header: &RunHeader,
    is_persistent: bool,
    result: Option<&Path>,
) -> Vec<String> {
    let line = CommandLine::from_words(header.details.typed.clone());
    let resume = is_persistent.then(|| line.resume(&header.id));
    let counts = summary.counts();
    let only_failed = || {
        let line = line.clone();
        result.map(|result| line.with_input(result).command(RunKind::Import.command(), &["--only-failed"]))
    };
    let next = match (header.kind, summary.stopped.is_some()) {
        (RunKind::Import, true) => resume.or_else(only_failed),
        (RunKind::Import, false) if counts.failed + counts.unknown > 0 => only_failed(),
        (RunKind::Delete | RunKind::Undo | RunKind::Apply, true) => resume,
        (_, false) => None,
    };
    next.into_iter().collect()
}

/// After a run whose result could not be written: a resume writes it again.
pub(super) fn after_failed_result(header: &RunHeader, is_persistent: bool) -> Vec<String> {
    let line = CommandLine::from_words(header.details.typed.clone());
    is_persistent.then(|| line.resume(&header.id)).into_iter().collect()
}

/// `NAME.xlsx`, or the first `NAME-2.xlsx` and so on that is not taken.
fn free_name(name: &str) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}.xlsx"));
    std::iter::once(format!("{name}.xlsx"))
        .chain(numbered)
        .find(|name| !Path::new(name).exists())
        .unwrap_or_else(|| format!("{name}.xlsx"))
}
