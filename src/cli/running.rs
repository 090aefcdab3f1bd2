//! A run whose plan is in its journal: sent to its end, reported, and put away. Import, resume, undo and delete all
//! end here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Runtime;

use super::printer::Printer;
use super::progress::{Progress, Remaining};
use super::result::{self, ResultPath};
use super::{Error, Exit};
use crate::account::Account;
use crate::api::{Client, WaitStatus};
use crate::plan::{ReportMode, RowStatus};
use crate::plan::{Step, StepOutcome};
use crate::report::{Requests, ResultFile, RowSource, RunSummary, UNDO, add_rows, summary as telling, write_result};
use crate::run::command_line::CommandLine;
use crate::run::journal::{
    Journal, RunDetails, RunHeader, RunKind, RunPhase, RunTotals, SheetHeader, SourceFile, Unfinished,
};
use crate::run::{Activity, DispatchOptions, Dispatcher, RunEnd, RunObserver, RunStart};
use crate::schema;
use crate::shutdown::ShutdownSignal;
use crate::wording::{counted, thousands};

/// How soon a request whose answer was lost has surely landed: on this machine, and anywhere else. A slow service
/// makes it longer.
const GRACE_HERE: Duration = Duration::from_secs(1);
const GRACE_ELSEWHERE: Duration = Duration::from_secs(5);

/// What a run needs to be sent and reported.
pub(super) struct Running<'r> {
    pub account: &'r Account,
    pub printer: Printer,
    pub progress: Progress,
    pub started: Instant,
    pub start: RunStart,
    /// The result's path as the user wrote it.
    pub result: PathBuf,
}

/// A run that has been sent as far as it goes.
struct Sent {
    journal: Journal,
    sheets: Vec<SheetHeader>,
    summary: RunSummary,
    /// What earlier processes spent on it.
    seconds_before: f64,
    end: RunEnd,
    code: Exit,
}

impl Running<'_> {
    /// Sends what is open, writes the result and says what came of it all.
    ///
    /// # Errors
    /// Where the result cannot be begun or the journal cannot be read: before anything is sent.
    pub(super) fn finish(
        mut self,
        journal: Journal,
        runtime: &Runtime,
        shutdown: &mut ShutdownSignal,
    ) -> Result<Exit, Error> {
        let (head, sheets) = (journal.header()?, journal.sheets()?);
        let earlier = journal.totals()?;
        let path = ResultPath::new(self.result.clone(), sheets.len())?;
        // Begun before anything is sent: a result that cannot be written stops the run while it can.
        let book = path.open(ReportMode::Done)?;
        journal.reopen_dependents()?;
        let (journal, end) = runtime.block_on(self.send(journal, &head.details, &sheets, &earlier, shutdown))?;
        let created = journal.created_dependencies()?;
        let reason = stopped(&end).unwrap_or_default();
        let mut summary = summary(&head, &journal, &sheets, Unfinished::Stopped(&reason))?;
        summary.stopped = stopped(&end);
        summary.requests = self.requests(&earlier);
        summary.remarks.extend(self.account.client.warnings());
        let resume = journal.is_persistent().then(|| format!("tallyport resume {}", head.id));
        let line = CommandLine::from_words(head.details.typed.clone());
        summary.next = match head.kind {
            RunKind::Import => result::next_commands(&summary, line, path.as_path(), resume),
            RunKind::Delete | RunKind::Undo => resume.filter(|_| summary.stopped.is_some()).into_iter().collect(),
        };
        let code = exit(&summary, &end, !created.is_empty());
        self.report(Sent { journal, sheets, summary, seconds_before: earlier.seconds, end, code }, book)
    }

    async fn send(
        &mut self,
        journal: Journal,
        details: &RunDetails,
        sheets: &[SheetHeader],
        earlier: &RunTotals,
        shutdown: &mut ShutdownSignal,
    ) -> Result<(Journal, RunEnd), Error> {
        let client = &self.account.client;
        journal.mark_resumed()?;
        let open = journal.open_steps()?;
        self.progress.phase("sending");
        self.progress.set_total(Some(open));
        let failed = journal.failed_rows()?;
        let settings = DispatchOptions {
            concurrency: usize::from(self.account.concurrency),
            max_errors: details.max_errors,
            // Who goes on has been told what failed: else a run that stopped at its limit could never go on.
            failed_before: failed.saturating_sub(earlier.counts.failed),
            start: self.start,
            min_grace: if client.is_on_this_machine() { GRACE_HERE } else { GRACE_ELSEWHERE },
        };
        let mut follower =
            Follower { progress: &mut self.progress, client, quota: self.account.quota, remaining: open };
        let dispatch = Dispatcher::new(client, settings, sheets, journal)?;
        Ok(dispatch.run(shutdown, &mut follower).await?)
    }

    fn requests(&self, earlier: &RunTotals) -> Requests {
        let counted = self.account.client.requests();
        let mut by_kind = earlier.requests.clone();
        for (kind, count) in counted.by_kind {
            *by_kind.entry(kind).or_default() += count;
        }
        Requests { total: by_kind.values().sum(), by_kind }
    }

    /// Writes the result and says how the run ended. Rows may have been sent: what is known of them is said, whatever
    /// becomes of the file.
    fn report(mut self, sent: Sent, book: ResultFile) -> Result<Exit, Error> {
        let Sent { journal, sheets, mut summary, seconds_before, end, code } = sent;
        self.progress.phase("writing the result");
        summary.seconds = seconds_before + self.started.elapsed().as_secs_f64();
        let reason = summary.stopped.clone().unwrap_or_default();
        let unfinished = Unfinished::Stopped(&reason);
        let written = write_result(RowSource::Journal, &journal, &sheets, unfinished, book, &mut summary);
        summary.seconds = seconds_before + self.started.elapsed().as_secs_f64();
        self.progress.finish();
        let conclusion = RunTotals {
            requests: summary.requests.by_kind.clone(),
            seconds: summary.seconds,
            counts: summary.counts(),
            result: summary.result.as_deref().and_then(SourceFile::of),
        };
        let phase = if end == RunEnd::Complete && written.is_ok() { RunPhase::Finished } else { RunPhase::Stopped };
        let concluded = journal.record_end(phase, summary.stopped.as_deref(), &conclusion);
        if let (Err(error), false) = (&concluded, matches!(end, RunEnd::JournalFailed(_))) {
            // The steps and their outcomes are there; only how the run ended is not.
            self.printer.warn(&error.to_string());
        }
        if let Err(error) = &written {
            summary.next.clear();
            say(&summary, self.printer);
            self.printer.error(&format!("the result could not be written: {error}"), error.hint().as_deref());
            if journal.is_persistent() {
                self.printer.note(&format!("tallyport resume {} writes it again", summary.run_id));
            }
            return Ok(Exit::Internal);
        }
        say(&summary, self.printer);
        Ok(code)
    }
}

/// A reader that went away changes nothing of what the run came to.
fn say(summary: &RunSummary, printer: Printer) {
    if let Err(error) = print(summary, printer) {
        printer.warn(&error.to_string());
    }
}

/// Prints the end of a run: as text for people, as the one document for scripts.
pub(super) fn print(summary: &RunSummary, printer: Printer) -> Result<(), Error> {
    printer.say(&telling::text(summary))?;
    if printer.json {
        printer.data(&format!("{}\n", telling::json(summary)))?;
    }
    Ok(())
}

/// Says what a finished run came to, and changes nothing.
pub(super) fn tell(journal: &Journal, printer: Printer) -> Result<Exit, Error> {
    let summary = recall(journal)?;
    printer.note(&format!("run {} is finished; there is nothing to resume", summary.run_id));
    print(&summary, printer)?;
    Ok(exit(&summary, &RunEnd::Complete, false))
}

/// The summary of a run as its journal has it, at work or not. Rows without an outcome are left out of the counts.
pub(super) fn recall(journal: &Journal) -> Result<RunSummary, Error> {
    let (head, sheets, conclusion) = (journal.header()?, journal.sheets()?, journal.totals()?);
    let mut summary = summary(&head, journal, &sheets, Unfinished::Open)?;
    summary.requests = Requests { total: conclusion.requests.values().sum(), by_kind: conclusion.requests };
    summary.seconds = conclusion.seconds;
    summary.result = conclusion.result.map(|result| result.path);
    Ok(summary)
}

/// Why a run stopped before its end.
fn stopped(end: &RunEnd) -> Option<String> {
    match end {
        RunEnd::Complete => None,
        RunEnd::Refused(reason) | RunEnd::JournalFailed(reason) | RunEnd::Unreachable(reason) => Some(reason.clone()),
        RunEnd::TooManyErrors => Some(String::from("too many rows failed (--max-errors)")),
        RunEnd::Interrupted => Some(String::from("interrupted")),
    }
}

fn summary(
    head: &RunHeader,
    journal: &Journal,
    sheets: &[SheetHeader],
    unfinished: Unfinished<'_>,
) -> Result<RunSummary, Error> {
    let mut summary = RunSummary::new(command(head.kind), head.id.clone());
    add_rows(&mut summary, journal, sheets, unfinished)?;
    summary.files = head.details.files.clone();
    summary.skipped_sheets = head.details.skipped_sheets.clone();
    summary.options = head.details.options.clone();
    summary.remarks.extend(head.details.remarks.iter().cloned());
    let created = journal.created_dependencies()?;
    if !created.is_empty() {
        summary.remarks.push(missing_remark("also created", &created));
    }
    Ok(summary)
}

/// What the summary calls the run.
pub(super) fn command(deed: RunKind) -> &'static str {
    match deed {
        RunKind::Import => "import",
        RunKind::Delete => "delete",
        RunKind::Undo => UNDO,
    }
}

/// What was created because rows name it.
pub(super) fn missing_remark(verb: &str, created: &BTreeMap<&'static str, u64>) -> String {
    let listed: Vec<String> = created.iter().map(|(name, count)| missing_text(name, *count)).collect();
    format!("{verb} missing records: {}", listed.join(", "))
}

fn missing_text(collection: &str, count: u64) -> String {
    let singular = schema::collection(collection).filter(|_| count == 1).map(|entity| entity.singular);
    format!("{} {}", thousands(count), singular.unwrap_or(collection))
}

fn exit(run: &RunSummary, end: &RunEnd, also_created: bool) -> Exit {
    let counts = run.counts();
    // Unknown rows may have changed something.
    let changed = counts.created + counts.updated + counts.deleted + counts.unknown > 0 || also_created;
    match end {
        RunEnd::Refused(_) | RunEnd::Unreachable(_) if !changed => Exit::Refused,
        RunEnd::Refused(_)
        | RunEnd::Unreachable(_)
        | RunEnd::JournalFailed(_)
        | RunEnd::TooManyErrors
        | RunEnd::Interrupted => Exit::Stopped,
        RunEnd::Complete if counts.failed + counts.unknown + run.left() > 0 => Exit::RowsFailed,
        RunEnd::Complete => Exit::Success,
    }
}

/// Follows the sending: every end goes into the ledger and onto the screen.
struct Follower<'f> {
    progress: &'f mut Progress,
    client: &'f Client,
    quota: Option<u32>,
    remaining: u64,
}

impl RunObserver for Follower<'_> {
    fn on_step_end(&mut self, _: &Step, outcome: &StepOutcome) {
        self.remaining = self.remaining.saturating_sub(1);
        self.progress.row(if outcome.is_applied() { RowStatus::Created } else { RowStatus::Failed });
    }

    fn on_progress(&mut self, doing: Activity) {
        let allowed_now = self.client.quota_left().map_or(u64::MAX, |left| left as u64);
        self.progress.set_remaining(Remaining { requests: self.remaining, allowed_now, per_hour: self.quota });
        let waiting = self.client.waiting().map(waiting_text);
        self.progress.set_waiting(doing_text(doing).or(waiting));
    }
}

/// What keeps the run from sending, beside the quota.
fn doing_text(doing: Activity) -> Option<String> {
    match doing {
        Activity::Sending | Activity::Draining { requests: 0 } => None,
        Activity::Draining { requests } => {
            let requests = counted(requests as u64, "request");
            Some(format!("interrupted: waiting for {requests} in flight; press Ctrl-C again to stop now"))
        }
        Activity::Reconciling { requests: 1 } => {
            Some(String::from("no response to 1 request; checking whether it was applied"))
        }
        Activity::Reconciling { requests } => {
            Some(format!("no response to {requests} requests; checking whether they were applied"))
        }
        Activity::BackingOff { until } => {
            let wait = until.saturating_duration_since(tokio::time::Instant::now());
            let until = clock_text(SystemTime::now() + wait);
            Some(format!("the service is failing; retrying{until}"))
        }
    }
}

/// Why a run waits and until when, in the clock of the machine.
pub(super) fn waiting_text(waiting: WaitStatus) -> String {
    let until = clock_text(waiting.until).replacen(" at ", " until ", 1);
    format!("waiting{until}: {}", waiting.reason)
}

/// ` at 14:05:00`; empty where the machine has no clock that tells.
fn clock_text(time: SystemTime) -> String {
    let local = jiff::Timestamp::try_from(time).map(|time| jiff::tz::TimeZone::system().to_datetime(time));
    local.map_or_else(|_| String::new(), |local| format!(" at {}", local.strftime("%H:%M:%S")))
}
