//! The end of a run: printed, and as an exit code.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Error;
use super::args::LayoutArgs;
use super::exit::Exit;
use super::input::overwrite;
use super::observer::TerminalObserver;
use super::printer::{Printer, is_in_lines, list_width};
use super::settings::written_files;
use crate::check::{Remark, RemarkCode};
use crate::job::{Plan, RunReport, RunStatus};
use crate::report::{RunSummary, summary};
use crate::run::input::{InputOptions, OutputFile, ProtectedFiles};
use crate::wording::counted;

impl From<RunStatus> for Exit {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Succeeded => Exit::Success,
            RunStatus::RowsFailed => Exit::RowsFailed,
            RunStatus::Refused => Exit::Refused,
            RunStatus::Stopped => Exit::Stopped,
            RunStatus::ResultFailed => Exit::Internal,
        }
    }
}

/// Sends a plan, or on a dry run only shows it.
pub(super) fn apply(
    plan: Plan<'_>,
    is_dry_run: bool,
    runtime: &Runtime,
    mut observer: TerminalObserver,
    printer: Printer,
) -> Result<Exit, Error> {
    if is_dry_run {
        let summary = plan.finish_dry_run(&mut observer)?;
        return Ok(print_planned(&summary, &observer.finish(), printer));
    }
    let report = runtime.block_on(plan.apply(&mut observer))?;
    Ok(print_report(&report, &observer.finish(), printer))
}

/// Finds out whether an output may be written to the path that the user named. Files that the run reads are never
/// replaced; what tallyport did not write, or what was edited since, only by force.
pub(super) fn check_overwrite(
    (output, path): (OutputFile, Option<&Path>),
    is_forced: bool,
    protected: &ProtectedFiles,
) -> Result<(), Error> {
    let Some(path) = path else { return Ok(()) };
    protected.check(output, path)?;
    Ok(written_files()?.replacing(overwrite(is_forced)).check(&[path.to_path_buf()])?)
}

/// Finds out whether the result and the mapping may be written where the user says.
pub(super) fn check_outputs(layout: &LayoutArgs, input: &InputOptions) -> Result<(), Error> {
    let (result, mapping) = (layout.result.as_deref(), layout.save_mapping.as_deref());
    check_overwrite((OutputFile::Result, result), layout.force, &input.protected_files())?;
    check_overwrite((OutputFile::Mapping, mapping), layout.force, &input.protected_from_mapping())
}

/// Notes that the result which was just written tells of nothing that was done.
fn mark_rehearsal(summary: &RunSummary) {
    if let (true, Some(path), Ok(files)) = (summary.dry_run, &summary.result, written_files()) {
        files.mark_rehearsal(path);
    }
}

/// Prints the summary of a check or a dry run.
pub(super) fn print_planned(summary: &RunSummary, warnings: &[String], printer: Printer) -> Exit {
    mark_rehearsal(summary);
    let exit = if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success };
    exit.after_printing(print_summary(summary, warnings, printer), printer)
}

/// Prints a summary: as text for people, as the one document for scripts. People have seen the warnings on the way.
pub(super) fn print_summary(run: &RunSummary, warnings: &[String], printer: Printer) -> io::Result<()> {
    if is_in_lines() {
        print_events(run, printer);
    } else {
        printer.say(&summary::text(run, list_width()))?;
    }
    if printer.json {
        let mut document = summary::json(run);
        add_warnings(&mut document, warnings);
        printer.document(&format!("{document}\n"))?;
    }
    Ok(())
}

/// Adds warnings to the remarks of a document, but for those that are among them.
pub(super) fn add_warnings(document: &mut Value, warnings: &[String]) {
    let Some(remarks) = document.get_mut("remarks").and_then(Value::as_array_mut) else { return };
    for warning in warnings {
        if !remarks.iter().any(|remark| remark["message"] == **warning) {
            remarks.push(json!(Remark::new(RemarkCode::Note, warning)));
        }
    }
}

/// The summary as events: one for each sheet, then the problems, and one for the whole.
fn print_events(run: &RunSummary, printer: Printer) {
    let command = run.command.as_str();
    for sheet in &run.sheets {
        let fields = json!({
            "event": "sheet", "run_id": run.run_id, "collection": sheet.entity, "file": sheet.file,
            "sheet": sheet.sheet, "rows": sheet.rows, "counts": summary::counts_json(sheet.counts),
        });
        printer.event(&format!("{command} of {}: {}", run.label(sheet), counted(sheet.rows, "row")), fields);
    }
    for group in run.problems.groups() {
        let fields = json!({
            "event": "problem", "run_id": run.run_id, "code": group.code.as_str(), "column": group.header,
            "count": group.count, "cells": group.examples.iter().map(|example| example.address()).collect::<Vec<_>>(),
        });
        printer.event(&format!("{}: {}", group.sheet, group.code.title()), fields);
    }
    for remark in &run.remarks {
        let fields = json!({"event": "remark", "run_id": run.run_id, "code": remark.code.as_str()});
        printer.event(&remark.message, fields);
    }
    let ending = if run.stopped.is_some() { "stopped" } else { "finished" };
    let fields = json!({
        "event": "end", "run_id": run.run_id, "command": command, "dry_run": run.dry_run, "rows": run.rows(),
        "counts": summary::counts_json(run.counts()), "requests": run.requests.total,
        "seconds": (run.seconds * 1000.0).round() / 1000.0, "stopped": run.stopped,
        "file": run.result.as_ref().map(|path| path.to_string_lossy()), "next": run.next,
    });
    printer.event(&format!("{command} {ending}"), fields);
}

/// Prints how a run ended.
pub(super) fn print_report(report: &RunReport, warnings: &[String], printer: Printer) -> Exit {
    let printed = print_summary(report.summary(), warnings, printer);
    let exit = Exit::from(report.status()).after_printing(printed, printer);
    if let Some(error) = report.result_error() {
        printer.error(&format!("the result could not be written: {error}"), error.hint().as_deref());
        if let Some(resume) = report.summary().next.first() {
            printer.note(&format!("{resume} writes it again"));
        }
    }
    exit
}
