//! `tallyport undo`: undoes a run, as a run of its own.

use std::io;

use serde_json::json;

use super::args::{Global, UndoArgs};
use super::input::overwrite;
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{check_overwrite, print_report};
use super::runs::require_run;
use super::settings::{connect_to, run_store};
use super::{Error, Exit, interrupts, runtime};
use crate::job::{AccountBound, ResultTarget, UndoJob, UndoPlan, UndoableRun};
use crate::report::summary::counts_json;
use crate::run::input::{OutputFile, ProtectedFiles};

pub(super) fn run(global: &Global, args: &UndoArgs, printer: Printer) -> Result<Exit, Error> {
    require_run(args.run.as_deref(), args.last, "undo")?;
    check_overwrite((OutputFile::Result, args.result.as_deref()), args.force, &ProtectedFiles::default())?;
    let run = UndoableRun::open(&run_store()?, args.run.as_deref())?;
    let runtime = runtime()?;
    let account = runtime.block_on(connect_to(global, run.account(), AccountBound::Run))?;
    let job = UndoJob {
        run: args.run.clone(),
        confirmed: args.yes,
        is_read_only: args.dry_run,
        result: args.result.clone().map_or(ResultTarget::BesideInput, ResultTarget::File),
        overwrite: overwrite(args.force && args.result.is_some()),
        // Stopped by the signal itself, a run could not say that it sent nothing.
        shutdown: interrupts::listen()?,
    };
    let mut observer = TerminalObserver::new(global, printer);
    let plan = runtime.block_on(run.plan(&account, job, &mut observer))?;
    if args.dry_run || plan.summary.writes() == 0 {
        observer.finish();
        let exit = if plan.summary.left() > 0 { Exit::RowsFailed } else { Exit::Success };
        return Ok(exit.after_printing(print_plan(&plan, args, printer), printer));
    }
    printer.note(plan.text().trim_end());
    let report = runtime.block_on(plan.apply(&mut observer))?;
    Ok(print_report(&report, &observer.finish(), printer))
}

/// The end of an undo that sends nothing: a dry run, or one with nothing left to do.
fn print_plan(plan: &UndoPlan<'_>, args: &UndoArgs, printer: Printer) -> io::Result<()> {
    let (summary, undone) = (&plan.summary, plan.undone());
    let end = match (summary.writes(), summary.left()) {
        (0, 0) => String::from("  nothing is left to undo\n"),
        (0, _) => String::from("  nothing else is left to undo\n"),
        _ => format!("  nothing was sent; without --dry-run it is done: tallyport undo {undone}\n"),
    };
    printer.say(&format!("{}{end}", plan.text()))?;
    if printer.json {
        let planned = summary.json(plan.estimate());
        let (counts, rows) = (counts_json(summary.counts), summary.counts.rows());
        let document = json!({
            "run_id": plan.run_id,
            "command": "undo",
            "undoes": undone,
            "dry_run": args.dry_run,
            "counts": counts,
            "rows": rows,
            "planned": planned,
        });
        printer.document(&format!("{document}\n"))?;
    }
    Ok(())
}
