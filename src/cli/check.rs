//! `tallyport check`: every row against the schema, offline.

use super::args::{CheckArgs, Global};
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::remember_hint::offer_to_remember;
use super::run_end::{check_outputs, print_planned};
use super::settings::remembered_mappings;
use super::{Error, Exit};
use crate::job::check;

pub(super) fn run(global: &Global, args: &CheckArgs, printer: Printer) -> Result<Exit, Error> {
    let mut options = args.reading.input_options();
    // Without a home there is nothing to remember by, and a check needs none.
    options.mapping.remembered = remembered_mappings().ok();
    let line = global.command_line(args.reading.inputs(), &options.used());
    let result = args.reading.layout.result.as_deref();
    check_outputs(&args.reading.layout, &options)?;
    let mut observer = TerminalObserver::new(global, printer);
    let summary = check(&options, result, &line, &mut observer)?;
    let exit = print_planned(&summary, &observer.finish(), printer);
    offer_to_remember(&args.reading, printer);
    Ok(exit)
}
