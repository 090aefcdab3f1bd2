//! Shows the progress, notes and warnings of the library on the terminal.

use super::args::Global;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::running::waiting_text;
use crate::observer::{Observer, Wait};

/// Prints what the library reports. [`TerminalObserver::finish`] clears the progress bar; so does dropping it.
pub(super) struct TerminalObserver {
    progress: Progress,
    printer: Printer,
}

impl TerminalObserver {
    pub(super) fn new(global: &Global, printer: Printer) -> Self {
        Self { progress: Progress::new(ProgressKind::choose(global), None), printer }
    }

    pub(super) fn finish(self) {
        self.progress.finish();
    }
}

impl Observer for TerminalObserver {
    fn on_phase(&mut self, name: &str, rows: Option<u64>) {
        self.progress.set_total(rows);
        self.progress.phase(name);
    }

    fn on_rows(&mut self, done: u64, _: u64) {
        self.progress.set_done(done);
    }

    fn on_wait(&mut self, wait: Option<&Wait>) {
        let text = match wait {
            Some(Wait::RateLimit(waiting)) => Some(waiting_text(*waiting)),
            Some(Wait::Reconciling { .. } | Wait::Draining { .. } | Wait::BackingOff { .. }) | None => None,
        };
        self.progress.set_waiting(text);
    }

    fn on_note(&mut self, text: &str) {
        self.printer.note(text);
    }

    fn on_warning(&mut self, text: &str) {
        self.printer.warn(text);
    }
}
