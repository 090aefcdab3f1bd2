//! `tallyport resume`: continues a run from its journal.

use super::args::{Global, ResumeArgs};
use super::input::overwrite;
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{check_overwrite, print_report, print_summary};
use super::runs::require_run;
use super::settings::{connect_to, run_store};
use super::{Error, Exit, interrupts, runtime};
use crate::job::{AccountBound, ResumableRun, ResumeOptions};
use crate::run::input::{OutputFile, ProtectedFiles};

pub(super) fn run(global: &Global, args: &ResumeArgs, printer: Printer) -> Result<Exit, Error> {
    require_run(args.run.as_deref(), args.last, "resume")?;
    check_overwrite((OutputFile::Result, args.result.as_deref()), args.force, &ProtectedFiles::default())?;
    let run = ResumableRun::open(&run_store()?, args.run.as_deref())?;
    let run = match run.report_if_finished()? {
        Ok(report) => {
            printer.note(&format!("run {} is finished; there is nothing to resume", report.run_id()));
            let printed = print_summary(report.summary(), &[], printer);
            return Ok(Exit::from(report.status()).after_printing(printed, printer));
        }
        Err(run) => run,
    };
    let runtime = runtime()?;
    let account = runtime.block_on(connect_to(global, run.account(), AccountBound::Run))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut shutdown = interrupts::listen()?;
    let options = ResumeOptions {
        result: args.result.clone(),
        overwrite: overwrite(args.force && args.result.is_some()),
        is_confirmed: args.yes,
    };
    let mut observer = TerminalObserver::new(global, printer);
    let report = runtime.block_on(run.resume(&account, options, &mut shutdown, &mut observer))?;
    Ok(print_report(&report, &observer.finish(), printer))
}
