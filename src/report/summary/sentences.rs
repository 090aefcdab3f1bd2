//! The sentences that the terminal and the Summary sheet share.

use crate::plan::RunEstimate;
use std::fmt::Write;

use super::super::run_summary::{RunCommand, RunSummary};
use super::super::text::file_name;
use crate::api::Method;
use crate::plan::{ReportMode, RowCounts};
use crate::run::input::own_sheets::titles;
use crate::wording::{counted, duration, mails, thousands};

/// `all 1,204 rows succeeded`, `12 of 1,204 rows failed`.
pub(in crate::report) fn verdict(summary: &RunSummary) -> String {
    let (rows, counts, mode) = (summary.rows(), summary.counts(), summary.report_mode());
    let (fails, succeeds) = match mode {
        ReportMode::Done => ("failed", "succeeded"),
        ReportMode::DryRun => ("would fail", "would succeed"),
        ReportMode::Check => ("failed", "passed"),
    };
    let of_rows = format!("of {}", counted(rows, "row"));
    match (counts.failed, counts.unknown) {
        _ if rows == 0 && summary.command == RunCommand::Apply => String::from("nothing to do"),
        _ if rows == 0 => String::from("no rows"),
        (0, 0) if summary.left() > 0 => format!("{} {of_rows} could not be undone", thousands(summary.left())),
        (0, 0) if summary.command == RunCommand::Undo && rows == 1 => String::from("the one step was undone"),
        (0, 0) if summary.command == RunCommand::Undo => format!("all {} undone", counted(rows, "step")),
        // What is not approved, or cannot be, is not sent.
        (0, 0) if summary.command == RunCommand::Apply && counts.skipped > 0 => {
            let done = rows.saturating_sub(counts.skipped);
            format!("{} {of_rows} {succeeds}, {} skipped", thousands(done), thousands(counts.skipped))
        }
        (0, 0) if rows == 1 => format!("the one row {succeeds}"),
        (0, 0) => format!("all {} {succeeds}", counted(rows, "row")),
        (0, unknown) => format!("{} {of_rows} ended unknown", thousands(unknown)),
        (failed, _) => format!("{} {of_rows} {fails}", thousands(failed)),
    }
}

/// `Dry run of assets.xlsx`; also the title of the result's Summary sheet.
pub(in crate::report) fn title(summary: &RunSummary) -> String {
    let what = match (summary.report_mode(), summary.command) {
        (ReportMode::DryRun, _) => titles::DRY_RUN,
        (ReportMode::Check, _) => titles::CHECK,
        (ReportMode::Done, RunCommand::Delete) => titles::DELETION,
        (ReportMode::Done, RunCommand::Undo) => titles::UNDO,
        (ReportMode::Done, RunCommand::Apply) => titles::RUN,
        (ReportMode::Done, RunCommand::Import | RunCommand::Check) => titles::IMPORT,
    };
    match summary.files.as_slice() {
        [] => what.to_owned(),
        [file] => format!("{what} of {}", file_name(file)),
        [file, rest @ ..] => format!("{what} of {} and {}", file_name(file), counted(rest.len() as u64, "other file")),
    }
}

/// `1,204 rows: 1,100 created, 92 updated, 12 failed`.
pub(in crate::report) fn sentence(rows: u64, counts: RowCounts, mode: ReportMode) -> String {
    let mut parts: Vec<String> = counts
        .by_label(mode)
        .into_iter()
        .filter(|line| line.2 > 0)
        .map(|(_, word, number)| format!("{} {word}", thousands(number)))
        .collect();
    let left = rows.saturating_sub(counts.rows());
    if left > 0 {
        parts.push(format!("{} not reached", thousands(left)));
    }
    let rows = counted(rows, "row");
    if parts.is_empty() { rows } else { format!("{rows}: {}", parts.join(", ")) }
}

/// `14 problems in 12 rows`.
pub(in crate::report) fn problems_sentence(summary: &RunSummary) -> String {
    let problems = counted(summary.problems.total(), "problem");
    match summary.counts().failed {
        0 => problems,
        failed => format!("{problems} in {}", counted(failed, "row")),
    }
}

/// `only the failed rows, 12 of 1,204`: what the result of a check holds. None where a result holds all rows.
pub(in crate::report) fn result_extent(summary: &RunSummary) -> Option<String> {
    let (failed, rows) = (thousands(summary.counts().failed), thousands(summary.rows()));
    (summary.command == RunCommand::Check).then(|| format!("only the failed rows, {failed} of {rows}"))
}

/// `1,180 requests, about 1 min at 10,000 an hour; 3 e-mails to 2 people`.
pub(crate) fn plan_sentence(planned: &RunEstimate) -> String {
    let mut sentence = format!("{}, about {}", counted(planned.requests, "request"), duration(planned.seconds as f64));
    if let Some(quota) = planned.quota {
        let _ = write!(sentence, " at {} an hour", thousands(u64::from(quota)));
    }
    if planned.emails > 0 {
        let _ = write!(sentence, "; the service would send {}", mails(planned.emails, planned.people));
    }
    sentence
}

/// `434: 16 to look up, 408 to create or move, 10 to update`. JSON has them by endpoint.
pub(in crate::report) fn requests_sentence(summary: &RunSummary) -> String {
    let of = |method: Method| -> u64 {
        summary.requests.by_kind.iter().filter(|(kind, _)| kind.method == method).map(|(_, number)| number).sum()
    };
    let purposes = [
        (Method::Get, "to look up"),
        (Method::Post, "to create or move"),
        (Method::Put, "to update"),
        (Method::Delete, "to delete"),
    ];
    let spent: Vec<String> = purposes
        .into_iter()
        .map(|(method, purpose)| (of(method), purpose))
        .filter(|(number, _)| *number > 0)
        .map(|(number, purpose)| format!("{} {purpose}", thousands(number)))
        .collect();
    match spent.as_slice() {
        [] => thousands(summary.requests.total),
        spent => format!("{}: {}", thousands(summary.requests.total), spent.join(", ")),
    }
}
