//! `tallyport delete`: deletes the records that a sheet names, after a backup of them and a yes.

use super::args::{DeleteArgs, Global};
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{print_report, print_summary};
use super::settings::connect;
use super::{Error, Exit, interrupts, runtime};
use crate::job::DeleteJob;

pub(super) fn run(global: &Global, args: &DeleteArgs, printer: Printer) -> Result<Exit, Error> {
    let mut job = DeleteJob { account_flags: global.flags(), ..args.job() };
    // Invalid options are reported before a missing key.
    job.collection()?;
    job.limits()?;
    let runtime = runtime()?;
    let account = runtime.block_on(connect(global))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    job.shutdown = interrupts::listen()?;
    let mut observer = TerminalObserver::new(global, printer);
    let plan = runtime.block_on(account.plan_delete_with(job, &mut observer))?;
    if args.dry_run {
        let summary = plan.finish_dry_run(&mut observer)?;
        observer.finish();
        print_summary(&summary, printer)?;
        return Ok(if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success });
    }
    let report = runtime.block_on(plan.apply(&mut observer))?;
    observer.finish();
    Ok(print_report(&report, printer))
}
