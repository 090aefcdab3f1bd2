//! A run that has been sent as far as it goes: its summary, its rows, and its result file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::next_commands::{after_failed_result, after_run};
use super::result_path::ResultPath;
use crate::account::Account;
use crate::check::{Remark, RemarkCode};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::ReportMode;
use crate::report::{ResultFile, RowSource, RunSummary, add_rows, write_result};
use crate::run::execute::RunExecutor;
use crate::run::input::{OutputFile, ProtectedFiles};
use crate::run::journal::{
    AppliedPlan, FinishedRow, Journal, JournalError, RunHeader, RunKind, RunPhase, RunTotals, SheetHeader, SourceFile,
    Unfinished,
};
use crate::run::{RunEnd, RunStart};
use crate::schema;
use crate::shutdown::ShutdownSignal;
use crate::wording::thousands;
use crate::written_files::WrittenFiles;

/// How a run ended, as far as a program has to decide what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Every row succeeded.
    Succeeded,
    /// It is finished, and some rows failed.
    RowsFailed,
    /// The service could not be reached, or refused, before anything was changed.
    Refused,
    /// It stopped before its end; resuming continues it.
    Stopped,
    /// The rows are as the summary says, and the result file could not be written.
    ResultFailed,
}

/// A run that has been sent as far as it goes.
#[derive(Debug)]
pub struct RunReport {
    journal: Journal,
    sheets: Vec<SheetHeader>,
    summary: RunSummary,
    end: RunEnd,
    /// Records created because rows name them, by collection.
    created: BTreeMap<&'static str, u64>,
    result_error: Option<Error>,
}

/// How a run is sent.
pub(super) struct Execution {
    pub(super) started: Instant,
    pub(super) start: RunStart,
    /// Where the result goes, if one is wanted.
    pub(super) result: Option<PathBuf>,
    /// The list that it is put on.
    pub(super) list: WrittenFiles,
}

impl Execution {
    /// Sends what is open in a journal, and writes the result.
    ///
    /// # Errors
    /// Where the result cannot be begun, or the journal cannot be read: before anything is sent.
    pub(super) async fn run(
        self,
        account: &Account,
        journal: Journal,
        shutdown: &mut ShutdownSignal,
        observer: &mut dyn Observer,
    ) -> Result<RunReport> {
        let (header, sheets, before) = (journal.header()?, journal.sheets()?, journal.totals()?);
        self.result.as_deref().map(|path| refuse_sources(path, &header)).transpose()?;
        let result = self.result.map(|path| ResultPath::of_run(path, header.kind, &sheets));
        let result = result.transpose()?.map(|path| path.listed_in(Some(self.list)));
        // Begun before anything is sent: a result that cannot be written stops the run while it can.
        let file = result.as_ref().map(|path| path.create(ReportMode::Done)).transpose()?;
        let executor = RunExecutor { account, observer: &mut *observer, start: self.start };
        let (journal, end) = executor.send(journal, shutdown).await?;
        let reason = stop_reason(&end);
        let unfinished = Unfinished::Stopped(reason.as_deref().unwrap_or_default());
        let mut summary = RunSummary::new(header.kind.into(), header.id.clone());
        // Rows may have been sent: what is known of them is said, whatever the journal still tells.
        let (created, result_error) = match describe(&mut summary, &header, &journal, &sheets, unfinished) {
            Ok(created) => (created, None),
            Err(error) => (BTreeMap::new(), Some(Error::from(error))),
        };
        summary.stopped = reason;
        summary.requests = before.requests.clone();
        summary.requests += account.client.requests();
        summary.remarks.extend(service_warnings(account));
        let path = result.as_ref().map(ResultPath::as_path);
        summary.next = after_run(&summary, &header, journal.is_persistent(), path);
        let mut report = RunReport { journal, sheets, summary, end, created, result_error };
        let seconds = |started: Instant| before.seconds + started.elapsed().as_secs_f64();
        report.summary.seconds = seconds(self.started);
        if let Some(file) = file {
            observer.on_phase("writing the result", None);
            report.write(file);
            if let Some(path) = &report.summary.result {
                report.summary.next = after_run(&report.summary, &header, report.is_persistent(), Some(path));
            }
            report.summary.seconds = seconds(self.started);
        }
        if let Some(error) = &report.result_error {
            let message = format!("the result could not be written: {error}");
            report.summary.remarks.push(Remark::new(RemarkCode::ResultFailed, message));
            report.summary.next = after_failed_result(&header, report.is_persistent());
        }
        report.record_end(observer);
        Ok(report)
    }
}

impl RunReport {
    /// The run's name, such as `20261124-093012-kqzf`: what `tallyport resume` and `tallyport undo` take.
    pub fn run_id(&self) -> &str {
        &self.summary.run_id
    }

    /// Counts, problems, requests and what to do next.
    pub fn summary(&self) -> &RunSummary {
        &self.summary
    }

    /// Why the result file could not be written.
    pub fn result_error(&self) -> Option<&Error> {
        self.result_error.as_ref()
    }

    /// Whether the run's journal outlives the process, so that it can be resumed and undone.
    pub fn is_persistent(&self) -> bool {
        self.journal.is_persistent()
    }

    /// How the run ended.
    pub fn status(&self) -> RunStatus {
        let counts = self.summary.counts();
        // Unknown rows may have changed something.
        let changed = counts.created + counts.updated + counts.deleted + counts.unknown > 0 || !self.created.is_empty();
        match &self.end {
            _ if self.result_error.is_some() => RunStatus::ResultFailed,
            RunEnd::Refused(_) | RunEnd::Unreachable(_) if !changed => RunStatus::Refused,
            RunEnd::Refused(_)
            | RunEnd::Unreachable(_)
            | RunEnd::JournalFailed(_)
            | RunEnd::TooManyErrors
            | RunEnd::Interrupted => RunStatus::Stopped,
            RunEnd::Complete if counts.failed + counts.unknown + counts.not_sent + self.summary.left() > 0 => {
                RunStatus::RowsFailed
            }
            RunEnd::Complete => RunStatus::Succeeded,
        }
    }

    /// Every row with what became of it, sheet by sheet in the order in which they were sent. The name of the sheet, or
    /// of the file where it has none, comes first.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Result<FinishedRow, JournalError>)> {
        let own = self.sheets.iter().enumerate().filter(|(_, sheet)| sheet.owner.is_none());
        own.flat_map(|(index, sheet)| {
            let rows = self.journal.merged_rows(&self.sheets, index as u16, self.unfinished());
            rows.map(move |row| (sheet.label.as_str(), row))
        })
    }

    /// Writes the rows with what became of them: an `.xlsx` workbook with a summary, or a `.csv` file for one sheet.
    /// Returns where it stands.
    ///
    /// # Errors
    /// Where the file cannot be written or the journal cannot be read.
    pub fn write_workbook(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let header = self.journal.header()?;
        refuse_sources(path.as_ref(), &header)?;
        let path = ResultPath::of_run(path.as_ref().to_path_buf(), header.kind, &self.sheets)?;
        let file = path.create(ReportMode::Done)?;
        let unfinished = self.unfinished();
        let written = write_result(RowSource::Journal, &self.journal, &self.sheets, unfinished, file, &self.summary)?;
        Ok(written.path)
    }

    fn unfinished(&self) -> Unfinished<'_> {
        Unfinished::Stopped(self.summary.stopped.as_deref().unwrap_or_default())
    }

    fn write(&mut self, file: ResultFile) {
        let (journal, unfinished) = (&self.journal, self.unfinished());
        match write_result(RowSource::Journal, journal, &self.sheets, unfinished, file, &self.summary) {
            Ok(written) => {
                self.summary.result = Some(written.path);
                self.summary.remarks.extend(written.remarks);
            }
            Err(error) => {
                self.result_error.get_or_insert(error);
            }
        }
    }

    fn record_end(&self, observer: &mut dyn Observer) {
        let totals = RunTotals {
            requests: self.summary.requests.clone(),
            seconds: self.summary.seconds,
            counts: self.summary.counts(),
            result: self.summary.result.as_deref().and_then(SourceFile::of),
        };
        let is_finished = self.end == RunEnd::Complete && self.result_error.is_none();
        let phase = if is_finished { RunPhase::Finished } else { RunPhase::Stopped };
        let recorded = self.journal.record_end(phase, self.summary.stopped.as_deref(), &totals);
        if let (Err(error), false) = (recorded, matches!(self.end, RunEnd::JournalFailed(_))) {
            // The steps and their outcomes are there; only how the run ended is not.
            observer.on_warning(&error.to_string());
        }
    }

    /// A finished run, as its journal has it.
    pub(super) fn of_finished(journal: Journal) -> Result<Self> {
        let (sheets, summary) = (journal.sheets()?, stored_summary(&journal, Unfinished::Open)?);
        let created = BTreeMap::new();
        Ok(Self { journal, sheets, summary, end: RunEnd::Complete, created, result_error: None })
    }
}

/// The summary of a run as its journal has it, at work or not.
pub(crate) fn stored_summary(journal: &Journal, unfinished: Unfinished<'_>) -> Result<RunSummary> {
    let (header, sheets, totals) = (journal.header()?, journal.sheets()?, journal.totals()?);
    let mut summary = RunSummary::new(header.kind.into(), header.id.clone());
    describe(&mut summary, &header, journal, &sheets, unfinished)?;
    summary.requests = totals.requests;
    summary.seconds = totals.seconds;
    summary.result = totals.result.map(|result| result.path);
    Ok(summary)
}

/// Adds what the journal tells of a run to its summary. Gives the records created because rows name them.
fn describe(
    summary: &mut RunSummary,
    header: &RunHeader,
    journal: &Journal,
    sheets: &[SheetHeader],
    unfinished: Unfinished<'_>,
) -> Result<BTreeMap<&'static str, u64>, JournalError> {
    summary.files = header.details.files.clone();
    summary.skipped_sheets = header.details.skipped_sheets.clone();
    summary.options = header.details.options.clone();
    summary.approval = header.details.plan.iter().flat_map(approval).collect();
    summary.plan = header.details.plan.as_ref().map(|plan| plan.page.clone());
    add_rows(summary, journal, sheets, unfinished)?;
    summary.mapping = header.details.mapping.clone();
    summary.look_alikes = header.details.look_alikes.clone();
    summary.remarks.extend(header.details.remarks.iter().cloned());
    if summary.counts().deleted > 0 && journal.is_persistent() {
        let backups = summary.remarks.iter_mut().filter(|remark| remark.code == RemarkCode::BackupWritten);
        backups.for_each(|remark| {
            remark.message.push_str("; what was deleted comes back with `tallyport undo ");
            remark.message.push_str(&header.id);
            remark.message.push_str("` or an import of that file, and its ids will differ");
        });
    }
    let created = journal.created_dependencies()?;
    if !created.is_empty() {
        summary.remarks.push(created_remark("also created", &created));
    }
    Ok(created)
}

/// Why a run stopped before its end.
fn stop_reason(end: &RunEnd) -> Option<String> {
    match end {
        RunEnd::Complete => None,
        RunEnd::Refused(reason) | RunEnd::JournalFailed(reason) | RunEnd::Unreachable(reason) => Some(reason.clone()),
        RunEnd::TooManyErrors => Some(String::from("too many rows failed (--max-errors)")),
        RunEnd::Interrupted => Some(String::from("interrupted")),
    }
}

/// What was created because rows name it.
pub(super) fn created_remark(verb: &str, created: &BTreeMap<&'static str, u64>) -> Remark {
    let noun = |name: &'static str, count: u64| {
        let singular = schema::collection(name).filter(|_| count == 1).map(|entity| entity.singular);
        format!("{} {}", thousands(count), singular.unwrap_or(name))
    };
    let listed: Vec<String> = created.iter().map(|(name, count)| noun(name, *count)).collect();
    Remark::new(RemarkCode::RecordsCreated, format!("{verb} missing records: {}", listed.join(", ")))
}

/// What is unusual about the service.
pub(super) fn service_warnings(account: &Account) -> impl Iterator<Item = Remark> {
    account.client.warnings().into_iter().map(|warning| Remark::new(RemarkCode::ServiceWarning, warning))
}

/// The files that a run was made from are not replaced by its result.
fn refuse_sources(result: &Path, header: &RunHeader) -> Result<()> {
    let sources = header.details.sources.iter().map(|source| &source.path);
    ProtectedFiles::new("input", sources).check(OutputFile::Result, result)?;
    let plan = header.details.files.iter().filter(|_| header.kind == RunKind::Apply);
    ProtectedFiles::new("plan", plan).check(OutputFile::Result, result)
}

/// Who approved a plan and when, as far as the workbook and the system say.
fn approval(plan: &AppliedPlan) -> Vec<(&'static str, String)> {
    let shown_time = |time: &str| time.replace(['T', 'Z'], " ").trim().to_owned();
    let saved: Vec<String> = plan.saved_by.iter().cloned().chain(plan.saved_at.as_deref().map(shown_time)).collect();
    let facts = [
        ("Plan made", shown_time(&plan.made)),
        ("Last saved", saved.join(", ")),
        ("Applied by", plan.applied_by.clone().unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}
