//! Applying a plan workbook: what was approved in it, as far as the account is still as it was.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::plan::confirm;
use super::result_path::{ResultPath, free_path_in, require_xlsx};
use super::resume::AccountBound;
use super::run_options::{ResultTarget, RunOptions};
use super::run_report::{Execution, RunReport};
use crate::account::{Account, AccountIdentity};
use crate::check::{Remark, RemarkCode};
use crate::error::{Error, Result};
use crate::observer::{NoObserver, Observer};
use crate::plan::{PlanLimits, RowId, RowStatus};
use crate::report::plan_book::{PROBLEM, PlanBook, SavedBy};
use crate::run::RunStart;
use crate::run::approved::{PlanTime, ProposedStep, decide, notifications, totals, write_steps};
use crate::run::claims::Claims;
use crate::run::command_line::CommandLine;
use crate::run::input::{OutputFile, ProtectedFiles};
use crate::run::journal::{
    AccountSnapshot, AppliedPlan, JournalBuilder, LockState, PlannedRow, RowState, RunDetails, RunHeader, RunKind,
    RunPhase, RunStore, SheetHeader,
};
use crate::run::prepare::unless_interrupted;
use crate::schema::{self, Entity};
use crate::shutdown::ShutdownSignal;
use crate::table::Row;
use crate::table::write::WriteError;
use crate::wording::mails;

/// A plan workbook to apply.
#[derive(Debug, Clone, Default)]
pub struct ApplyJob {
    pub(crate) path: PathBuf,
    pub(crate) limits: PlanLimits,
    pub(crate) run: RunOptions,
}

impl ApplyJob {
    /// The plan workbook at that path, as `tallyport import --plan` wrote it and somebody approved it.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Applies the plan without asking the observer, also where it was made with another API key.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.run.confirmed = true;
        self
    }

    /// Writes a result file when the run ends. Default: none.
    #[must_use]
    pub fn result(mut self, target: ResultTarget) -> Self {
        self.run.result = target;
        self
    }

    /// Finds out whether the result may be of the kind that its name says: it is a workbook, as the plan is.
    pub(crate) fn check_result_path(&self) -> Result<()> {
        match &self.run.result {
            ResultTarget::File(path) => require_xlsx(OutputFile::Result.flag(), path),
            ResultTarget::BesideInput | ResultTarget::Nowhere => Ok(()),
        }
    }

    /// Stops after this many failed records; 0 is as 1.
    #[must_use]
    pub fn max_errors(mut self, records: u64) -> Self {
        self.run.max_errors = Some(records);
        self
    }

    /// Stops at the requests of this signal: the first lets the requests in flight finish, the second stops at once.
    #[must_use]
    pub fn with_shutdown(mut self, signal: ShutdownSignal) -> Self {
        self.run.shutdown = signal;
        self
    }
}

/// A plan workbook that can be applied: read, not edited, and not applied before.
#[derive(Debug)]
pub(crate) struct ReadyPlan {
    book: PlanBook,
    account: AccountIdentity,
}

impl ReadyPlan {
    /// Reads the plan.
    ///
    /// # Errors
    /// Where it is no plan, was edited, or was applied before.
    pub(crate) fn open(path: &Path, store: &RunStore) -> Result<Self> {
        let book = PlanBook::read(path)?;
        let head = &book.head;
        let planned = &head.account;
        let account = AccountIdentity::from_stored(&planned.kind, planned.place.clone(), planned.tenant, None);
        let account = account.ok_or_else(|| Error::usage("the plan is for an unknown kind of account", PLAN_ANEW))?;
        refuse_applied(&book, store)?;
        Ok(Self { book, account })
    }

    /// The account that the plan is for.
    pub(crate) fn account(&self) -> &AccountIdentity {
        &self.account
    }
}

const PLAN_ANEW: &str = "make the plan again: tallyport import ... --plan PATH";

/// A plan is applied once. What is left of an apply that ended before it sent anything is removed.
fn refuse_applied(book: &PlanBook, store: &RunStore) -> Result<()> {
    store.remove_blank(&book.head.id)?;
    if store.was_applied(&book.head.id) {
        let message = format!("the plan was applied already: run {}, whose journal was deleted since", book.head.id);
        return Err(Error::usage(message, PLAN_ANEW));
    }
    for stored in store.list()? {
        let Ok(run) = &stored.overview else { continue };
        let is_this = run.header.details.plan.as_ref().is_some_and(|plan| plan.digest == book.digest);
        if !is_this {
            continue;
        }
        let (id, began) = (&stored.id, began(run.began));
        let hint = match (run.lock, run.phase) {
            (LockState::Locked, _) => {
                return Err(Error::usage(
                    format!("the plan is being applied by another tallyport: run {id}, begun {began}"),
                    "wait until it ends",
                ));
            }
            // The process ended before anything was sent: the plan is as good as new.
            (LockState::Free, RunPhase::Planning) => {
                store.remove(id)?;
                continue;
            }
            (LockState::Free, RunPhase::Finished) => {
                String::from("what is left of it needs a new plan: tallyport import ... --plan PATH")
            }
            (LockState::Free, RunPhase::Sending | RunPhase::Stopped) => {
                format!("it is unfinished: `tallyport resume {id}` continues it")
            }
        };
        return Err(Error::usage(format!("the plan was applied already: run {id}, begun {began}"), hint));
    }
    Ok(())
}

impl Account {
    /// Sends what was approved in a plan workbook, as far as the account is still as it was when the plan was made.
    ///
    /// # Errors
    /// Where the workbook is no plan, was edited, was applied before or belongs to another account; and where something
    /// fails before anything is sent.
    pub async fn apply(&self, job: ApplyJob) -> Result<RunReport> {
        let plan = ReadyPlan::open(&job.path, &self.run_store())?;
        self.apply_plan(plan, job, &mut NoObserver).await
    }

    pub(crate) async fn apply_plan(
        &self,
        plan: ReadyPlan,
        job: ApplyJob,
        observer: &mut dyn Observer,
    ) -> Result<RunReport> {
        let started = Instant::now();
        self.expect_identity(plan.account(), AccountBound::Plan)?;
        self.confirm_plan_key(&plan, &job, observer)?;
        let ReadyPlan { mut book, .. } = plan;
        job.check_result_path()?;
        let (path, is_written) = result_place(&job, &book);
        if is_written {
            ProtectedFiles::new("plan", [&book.path]).check(OutputFile::Result, &path)?;
            ResultPath::new(path.clone(), book.sheets.len())?.check_writable()?;
        }
        let sheets = sheet_headers(&book)?;
        let steps = proposed_steps(&mut book, &sheets)?;
        let mut shutdown = job.run.shutdown.clone();
        let mut header = self.apply_header(&book, &job, &path)?;
        let mut journal = JournalBuilder::create(self.journal_location(&header.id), &header)?;
        Claims::register(self, &header.id)?;
        observer.on_phase("reading what the plan is about", None);
        let deciding = decide(self, &steps, plan_time(&book), observer);
        let decisions = unless_interrupted(&mut shutdown, deciding).await?;
        job.limits.check(&totals(&steps, &decisions)).map_err(|exceeded| {
            let hint = format!("approve fewer changes, or raise {}", exceeded.flag);
            Error::usage(exceeded.to_string(), hint)
        })?;
        // Approving the plan, which says how many, is the answer to whether people are to get e-mails.
        let (emails, people) = notifications(&steps, &decisions);
        if emails > 0 {
            let message = format!("the service sends {} because of check-outs in the plan", mails(emails, people));
            header.details.remarks.push(Remark::new(RemarkCode::EmailsSent, message));
            journal.set_details(&header.details)?;
        }
        let rows = write_steps(&mut journal, steps, &decisions)?;
        write_lines(&mut journal, &book, &sheets, &rows)?;
        let snapshot = AccountSnapshot {
            account: self.digest().to_owned(),
            clock_ahead: self.client.clock_ahead(),
            ..book.head.snapshot.clone()
        };
        let snapshot = snapshot.read_now();
        let journal = journal.finish(&snapshot)?;
        let list = job.run.written_files(&self.state_dir);
        let execution = Execution { started, start: RunStart::Fresh, result: is_written.then_some(path), list };
        execution.run(self, journal, &mut shutdown, observer).await
    }

    /// A key may belong to another account of the same service.
    fn confirm_plan_key(&self, plan: &ReadyPlan, job: &ApplyJob, observer: &mut dyn Observer) -> Result<()> {
        let planned = &plan.book.head.snapshot.account;
        if planned.is_empty() || self.digest().is_empty() || job.run.confirmed {
            return Ok(());
        }
        if self.has_digest(planned, &plan.account) {
            return Ok(());
        }
        let what = "the plan was made with another API key than the one in use now; continue only if both keys belong to \
                    the same account";
        confirm(what, &job.run.shutdown, observer)
    }

    fn apply_header(&self, book: &PlanBook, job: &ApplyJob, result: &Path) -> Result<RunHeader> {
        let saved = SavedBy::read(&book.path);
        // A plan that nobody has saved since is approved as it was written.
        let saved =
            if saved.person.as_deref() == Some(crate::report::plan_book::AUTHOR) { SavedBy::default() } else { saved };
        let who = [saved.person.as_deref(), saved.time.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let mut remarks = Vec::new();
        if !who.is_empty() {
            remarks.push(Remark::new(RemarkCode::PlanApproved, format!("the plan was last saved by {who}")));
        }
        let plan = AppliedPlan {
            digest: book.digest.clone(),
            made: book.head.made.clone(),
            saved_by: saved.person,
            saved_at: saved.time,
            applied_by: user_name(),
            page: book.page.clone(),
        };
        let words = vec![book.path.display().to_string()];
        let details = RunDetails {
            files: vec![book.path.display().to_string()],
            options: book.head.options.clone(),
            result: std::path::absolute(result).map_err(|source| WriteError::from_io(result, source))?,
            typed: CommandLine::new(words, job.run.account_flags.clone()).into_words(),
            max_errors: job.run.max_errors,
            no_wait: job.run.no_wait,
            creates_only: book.head.creates_only,
            remarks,
            plan: Some(plan),
            ..RunDetails::default()
        };
        // The plan's own name: two that apply it at once cannot both create the journal.
        let id = book.head.id.clone();
        Ok(RunHeader { id, kind: RunKind::Apply, account: self.identity.clone(), undoes: None, details })
    }
}

/// When a plan was made. Of plans of earlier versions only the end of planning is known.
fn plan_time(book: &PlanBook) -> PlanTime {
    let head = &book.head;
    let began = head.began.as_ref().unwrap_or(&head.made).parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    PlanTime { began, log: head.snapshot.log.clone() }
}

/// When a run began, from milliseconds since the epoch.
fn began(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds);
    time.map_or_else(|_| String::from("earlier"), |time| time.strftime("on %Y-%m-%d at %H:%M UTC").to_string())
}

/// Who uses the system, as far as it says.
fn user_name() -> Option<String> {
    let name = ["USER", "USERNAME", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    name.filter(|name| !name.trim().is_empty())
}

fn result_place(job: &ApplyJob, book: &PlanBook) -> (PathBuf, bool) {
    let folder = book.path.parent().unwrap_or(Path::new(""));
    let stem = book.path.file_stem().map_or_else(|| "plan".into(), |stem| stem.to_string_lossy().into_owned());
    match &job.run.result {
        ResultTarget::File(path) => (path.clone(), true),
        ResultTarget::BesideInput => (free_path_in(folder, &stem), true),
        ResultTarget::Nowhere => (free_path_in(folder, &stem), false),
    }
}

/// The sheets of lines as the sheets of a run.
fn sheet_headers(book: &PlanBook) -> Result<Vec<SheetHeader>> {
    let mut sheets = Vec::new();
    for (place, name) in book.sheets.iter().enumerate() {
        let mut header = None;
        book.each_line(name, &mut |row| {
            header = Some(row.clone());
            ControlFlow::Break(())
        })?;
        sheets.push(SheetHeader {
            file: book.path.display().to_string(),
            name: Some(name.clone()),
            label: name.clone(),
            place: place as u32,
            entity: entity_of(book, name)?,
            header: header.unwrap_or_default(),
            fields: Vec::new(),
            decoding: None,
            ignored: Vec::new(),
            owner: None,
        });
    }
    Ok(sheets)
}

/// What a sheet of lines is about. One with nothing but problems has no step.
fn entity_of(book: &PlanBook, sheet: &str) -> Result<&'static Entity> {
    let named = || sheet.split(' ').next().unwrap_or_default();
    let name = book.entities.get(sheet).map_or_else(named, String::as_str);
    schema::find(name)
        .ok_or_else(|| Error::usage(format!("the plan has a sheet `{sheet}` of an unknown kind"), PLAN_ANEW))
}

/// Takes the steps out of the plan.
fn proposed_steps(book: &mut PlanBook, sheets: &[SheetHeader]) -> Result<Vec<ProposedStep>> {
    let position = |name: &str| sheets.iter().position(|sheet| sheet.label == name);
    let steps = std::mem::take(&mut book.steps).into_iter().map(|step| {
        let senseless = || Error::usage(format!("step {} of the plan makes no sense", step.number), PLAN_ANEW);
        let stored = step.parse().ok_or_else(senseless)?;
        let (entity, write) = stored.target().ok_or_else(senseless)?;
        let sheet = position(&stored.sheet).ok_or_else(senseless)?;
        Ok(ProposedStep {
            number: step.number,
            row: RowId { sheet: sheet as u16, row: u64::from(stored.line) + 1 },
            entity,
            write,
            is_approved: book.is_approved(&stored),
            content: step.text,
        })
    });
    steps.collect()
}

/// Writes every line of the plan as a row, with what becomes of its record.
fn write_lines(
    journal: &mut JournalBuilder,
    book: &PlanBook,
    sheets: &[SheetHeader],
    rows: &HashMap<RowId, PlannedRow>,
) -> Result<()> {
    let other = |state, message: &str| PlannedRow {
        state,
        status: RowStatus::Skipped,
        record: None,
        message: message.to_owned(),
        problems: Vec::new(),
    };
    let (detail, problem) =
        (other(RowState::Detail, ""), other(RowState::Ended, "a problem in the plan: it cannot be approved"));
    for (index, sheet) in sheets.iter().enumerate() {
        journal.sheet(index as u16, sheet)?;
        let mut written = Ok(());
        let mut last_problem = None;
        book.each_line(&sheet.label, &mut |row: &Row| {
            if row.number == 1 {
                return ControlFlow::Continue(());
            }
            // All problems of a row of the source are one line and its details.
            let problem_row = (row.cell(1).text == PROBLEM).then(|| source_row(row));
            let is_first = problem_row.is_some() && problem_row != last_problem;
            last_problem = problem_row;
            let planned = rows.get(&RowId { sheet: index as u16, row: row.number });
            let planned = planned.unwrap_or(if is_first { &problem } else { &detail });
            written = journal.row(row, planned, &|_| false);
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written?;
    }
    Ok(())
}

/// The sheet and row of the source that the line of a problem is about: its columns `source`, without the cell, and
/// `record`.
fn source_row(line: &Row) -> (String, String) {
    let (record, source) = (line.cell(2).text, line.cell(6).text);
    let sheet = source.strip_suffix(record).or_else(|| Some(source.rsplit_once(' ')?.0)).unwrap_or(source);
    (sheet.trim_end().to_owned(), record.to_owned())
}
