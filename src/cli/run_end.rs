//! The end of a run: printed, and as an exit code.

use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::Error;
use super::exit::Exit;
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::settings::written_files;
use crate::job::{Plan, RunReport, RunStatus};
use crate::report::{RunSummary, summary};
use crate::table::Input;
use crate::written_files::Overwrite;

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
        observer.finish();
        return print_planned(&summary, printer);
    }
    let report = runtime.block_on(plan.apply(&mut observer))?;
    observer.finish();
    Ok(print_report(&report, printer))
}

/// Finds out whether the result may be written to the path that the user named: what tallyport did not write, or what
/// was edited since, is not replaced. That it is one of the inputs is told by the job.
pub(super) fn check_overwrite(result: Option<&Path>, is_forced: bool, inputs: &[PathBuf]) -> Result<(), Error> {
    let overwrite = if is_forced { Overwrite::AnyFile } else { Overwrite::OwnFiles };
    let Some(path) = result else { return Ok(()) };
    let result = Input::Path(path.to_path_buf());
    if inputs.iter().any(|input| Input::Path(input.clone()).is_same(&result)) {
        return Ok(());
    }
    Ok(written_files()?.check(&[path.to_path_buf()], overwrite)?)
}

/// Remembers the result that was just written.
fn record_result(summary: &RunSummary) {
    if let (Some(path), Ok(files)) = (&summary.result, written_files()) {
        files.record(std::slice::from_ref(path));
    }
}

/// Prints the summary of a check or a dry run.
pub(super) fn print_planned(summary: &RunSummary, printer: Printer) -> Result<Exit, Error> {
    record_result(summary);
    print_summary(summary, printer)?;
    Ok(if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success })
}

/// Prints a summary: as text for people, as the one document for scripts.
pub(super) fn print_summary(run: &RunSummary, printer: Printer) -> Result<(), Error> {
    printer.say(&summary::text(run))?;
    if printer.json {
        printer.data(&format!("{}\n", summary::json(run)))?;
    }
    Ok(())
}

/// Prints how a run ended. A reader that went away changes nothing of what the run came to.
pub(super) fn print_report(report: &RunReport, printer: Printer) -> Exit {
    if report.result_error().is_none() {
        record_result(report.summary());
    }
    if let Err(error) = print_summary(report.summary(), printer) {
        printer.warn(&error.to_string());
    }
    if let Some(error) = report.result_error() {
        printer.error(&format!("the result could not be written: {error}"), error.hint().as_deref());
        if report.is_persistent() {
            printer.note(&format!("tallyport resume {} writes it again", report.run_id()));
        }
    }
    report.status().into()
}
