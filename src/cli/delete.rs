//! `tallyport delete`: deletes the records that a sheet names, after a backup of them and a yes.

use super::args::{DeleteArgs, Global};
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{apply, check_outputs};
use super::settings::connect;
use super::{Error, Exit, interrupts, runtime};

pub(super) fn run(global: &Global, args: &DeleteArgs, printer: Printer) -> Result<Exit, Error> {
    let mut job = args.job(global);
    // Invalid options are reported before a missing key.
    job.collection()?;
    job.limits()?;
    check_outputs(&args.layout, &job.input)?;
    let runtime = runtime()?;
    let account = runtime.block_on(connect(global))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    job.run.shutdown = interrupts::listen()?;
    let mut observer = TerminalObserver::new(global, printer);
    let plan = runtime.block_on(account.plan_delete_with(job, &mut observer))?;
    apply(plan, args.dry_run, &runtime, observer, printer)
}
