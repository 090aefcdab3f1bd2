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
    warnings: Vec<String>,
}

impl TerminalObserver {
    pub(super) fn new(global: &Global, printer: Printer) -> Self {
        let kind = ProgressKind::choose(global);
        Self { kind, progress: Progress::new(kind, None), printer, warnings: Vec::new() }
    }

    /// Returns the warnings that it has shown, for the document of the command.
    pub(super) fn finish(self) -> Vec<String> {
        self.progress.finish();
        self.warnings
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
        self.warnings.push(text.to_owned());
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
        Wait::RateLimit(status) => Some(rate_limit_text(*status, SystemTime::now())),
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
            let now = SystemTime::now();
            Some(format!("the service is failing; retrying{}", clock_text(now + wait, now)))
        }
    }
}

/// Why requests wait and until when, in the clock of the machine.
fn rate_limit_text(status: WaitStatus, now: SystemTime) -> String {
    let until = clock_text(status.until, now).replacen(" at ", " until ", 1);
    format!("waiting{until}: {}", status.reason)
}

/// ` at 14:05:00`, or ` at 14:05:00 on 2026-12-01` where that is another day than today; empty where the machine has no
/// clock that tells.
fn clock_text(time: SystemTime, now: SystemTime) -> String {
    let zone = jiff::tz::TimeZone::system();
    let local = |time| jiff::Timestamp::try_from(time).map(|time| zone.to_datetime(time));
    match (local(time), local(now)) {
        (Ok(time), Ok(now)) if time.date() == now.date() => format!(" at {}", time.strftime("%H:%M:%S")),
        (Ok(time), _) => format!(" at {}", time.strftime("%H:%M:%S on %Y-%m-%d")),
        (Err(_), _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::WaitReason;

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let zone = jiff::tz::TimeZone::system();
        let at = |day| zone.to_timestamp(jiff::civil::date(2026, 11, day).at(12, 0, 0, 0));
        let (Ok(today), Ok(tomorrow)) = (at(29), at(30)) else { panic!("no noon") };
        let clock =
            |time: jiff::Timestamp| SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_second().cast_unsigned());
        let (today, tomorrow) = (clock(today), clock(tomorrow));
        let waiting = |until| {
            let status = WaitStatus { until, reason: WaitReason::Quota };
            rate_limit_text(status, today)
        };
        assert_eq!(
            waiting(today + Duration::from_secs(65)),
            "waiting until 12:01:05: the quota of requests is used up"
        );
        assert_eq!(waiting(tomorrow), "waiting until 12:00:00 on 2026-11-30: the quota of requests is used up");
    }
}
