//! `tallyport import`: brings spreadsheets into the account.

use super::args::{Global, ImportArgs};
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::remember_hint::offer_to_remember;
use super::run_end::{apply, check_outputs, check_overwrite};
use super::settings::connect;
use super::{Error, Exit, interrupts, runtime};
use crate::run::input::OutputFile;

pub(super) fn run(global: &Global, args: &ImportArgs, printer: Printer) -> Result<Exit, Error> {
    let mut job = args.job(global);
    // Invalid options are reported before a missing key.
    job.limits()?;
    job.missing_records()?;
    job.check_plan_path()?;
    let layout = &args.reading.layout;
    check_outputs(layout, &job.input)?;
    check_overwrite((OutputFile::Plan, args.plan.as_deref()), layout.force, &job.input.protected_files())?;
    let runtime = runtime()?;
    let account = runtime.block_on(connect(global))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    job.run.shutdown = interrupts::listen()?;
    let mut observer = TerminalObserver::new(global, printer);
    let plan = runtime.block_on(account.plan_with(job, &mut observer))?;
    let exit = apply(plan, args.dry_run || args.plan.is_some(), &runtime, observer, printer)?;
    offer_to_remember(&args.reading, printer);
    Ok(exit)
}
