//! Shows the progress, notes, warnings and questions of the library on the terminal.

use std::io::{self, IsTerminal};
use std::time::SystemTime;

use super::args::Global;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use crate::api::WaitStatus;
use crate::observer::{Observer, Remaining, Wait};
use crate::wording::counted;

/// Prints what the library reports. [`TerminalObserver::finish`] clears the progress bar; so does dropping it.
pub(super) struct TerminalObserver {
    kind: ProgressKind,
    progress: Progress,
    printer: Printer,
}

impl TerminalObserver {
    pub(super) fn new(global: &Global, printer: Printer) -> Self {
        let kind = ProgressKind::choose(global);
        Self { kind, progress: Progress::new(kind, None), printer }
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

    fn on_rows(&mut self, done: u64, failed: u64) {
        self.progress.set_done(done, failed);
    }

    fn on_remaining(&mut self, remaining: Remaining) {
        self.progress.set_remaining(remaining);
    }

    fn on_wait(&mut self, wait: Option<&Wait>) {
        self.progress.set_waiting(wait.and_then(wait_text));
    }

    fn on_note(&mut self, text: &str) {
        self.progress.suspend(|| self.printer.note(text));
    }

    fn on_warning(&mut self, text: &str) {
        self.progress.suspend(|| self.printer.warn(text));
    }

    fn can_confirm(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn confirm(&mut self, question: &str) -> bool {
        // The bar goes away, so that it does not write over the question.
        std::mem::replace(&mut self.progress, Progress::new(self.kind, None)).finish();
        self.printer.ask(question).unwrap_or(false)
    }
}

/// What keeps the run from sending.
fn wait_text(wait: &Wait) -> Option<String> {
    match wait {
        Wait::RateLimit(status) => Some(rate_limit_text(*status)),
        Wait::Draining { requests: 0 } => None,
        Wait::Draining { requests } => {
            let requests = counted(*requests as u64, "request");
            Some(format!("interrupted: waiting for {requests} in flight; press Ctrl-C again to stop now"))
        }
        Wait::Reconciling { requests: 1 } => {
            Some(String::from("no response to 1 request; checking whether it was applied"))
        }
        Wait::Reconciling { requests } => {
            Some(format!("no response to {requests} requests; checking whether they were applied"))
        }
        Wait::OtherRun { run, rows } => {
            let rows = counted(*rows as u64, "row");
            Some(format!("waiting for run {run}, which is writing the records of {rows}"))
        }
        Wait::BackingOff { until } => {
            let wait = until.saturating_duration_since(tokio::time::Instant::now());
            Some(format!("the service is failing; retrying{}", clock_text(SystemTime::now() + wait)))
        }
    }
}

/// Why requests wait and until when, in the clock of the machine.
fn rate_limit_text(status: WaitStatus) -> String {
    let until = clock_text(status.until).replacen(" at ", " until ", 1);
    format!("waiting{until}: {}", status.reason)
}

/// ` at 14:05:00`; empty where the machine has no clock that tells.
fn clock_text(time: SystemTime) -> String {
    let local = jiff::Timestamp::try_from(time).map(|time| jiff::tz::TimeZone::system().to_datetime(time));
    local.map_or_else(|_| String::new(), |local| format!(" at {}", local.strftime("%H:%M:%S")))
}
