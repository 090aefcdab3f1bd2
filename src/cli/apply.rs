//! `tallyport apply`: sends what was approved in a plan workbook.

use super::args::{ApplyArgs, Global};
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{check_overwrite, print_report};
use super::settings::{connect_to, run_store};
use super::{Error, Exit, interrupts, runtime};
use crate::job::{AccountBound, ReadyPlan};
use crate::run::input::{OutputFile, ProtectedFiles};

pub(super) fn run(global: &Global, args: &ApplyArgs, printer: Printer) -> Result<Exit, Error> {
    let protected = ProtectedFiles::new("plan", [&args.plan]);
    check_overwrite((OutputFile::Result, args.result.as_deref()), args.force, &protected)?;
    // Invalid options are reported before the plan is read.
    let mut job = args.job(global)?;
    job.check_result_path()?;
    let plan = ReadyPlan::open(&args.plan, &run_store()?)?;
    let runtime = runtime()?;
    let account = runtime.block_on(connect_to(global, plan.account(), AccountBound::Plan))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    job.run.shutdown = interrupts::listen()?;
    let mut observer = TerminalObserver::new(global, printer);
    let report = runtime.block_on(account.apply_plan(plan, job, &mut observer))?;
    Ok(print_report(&report, &observer.finish(), printer))
}
