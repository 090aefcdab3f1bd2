//! The end of a run: printed, and as an exit code.

use tokio::runtime::Runtime;

use super::Error;
use super::exit::Exit;
use super::observer::TerminalObserver;
use super::printer::Printer;
use crate::job::{Plan, RunReport, RunStatus};
use crate::report::{RunSummary, summary};

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

/// Prints the summary of a check or a dry run.
pub(super) fn print_planned(summary: &RunSummary, printer: Printer) -> Result<Exit, Error> {
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
