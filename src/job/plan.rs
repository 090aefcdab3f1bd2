//! A plan: everything is decided, and nothing is sent.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::backup::PendingBackup;
use super::new_run_id;
use super::next_commands::{after_dry_run, after_plan};
use super::result_path::ResultPath;
use super::run_options::{ResultDestination, RunOptions};
use super::run_report::{Execution, RunReport, created_remark, service_warnings};
use crate::account::Account;
use crate::check::{Mode, Remark, RemarkCode};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::{CreateMissing, LookAlikes, PlanLimits, PlanTotals, ReportMode, RowStatus, RunEstimate};
use crate::redact::shown_url;
use crate::report::plan_book::{self, PageText, PlanHead, PlanSource, PlannedAccount, write_plan_book};
use crate::report::{ProblemTally, RowSource, RunSummary, add_rows, beside_remark, plan_sentence, write_result};
use crate::run::RunStart;
use crate::run::claims::Claims;
use crate::run::command_line::CommandLine;
use crate::run::input::{InputSet, OutputFile};
use crate::run::journal::{
    EarlierRun, JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind, SheetHeader, Unfinished,
};
use crate::run::prepare::{AccountReading, PreparedRun, RunPlanner, unless_interrupted};
use crate::run::previous_result::RowSelection;
use crate::run::used_options::UsedOptions;
use crate::shutdown::ShutdownSignal;
use crate::table::write::{Access, WriteError};
use crate::wording::{counted, mails, thousands};
use crate::written_files::WrittenFiles;

/// The cells below a note that one line names.
const CELLS_OF_A_LINE: usize = 12;

/// What an import or a delete asks of its plan.
pub(super) struct PlanRequest {
    pub(super) kind: RunKind,
    pub(super) started: Instant,
    /// Notes for the user.
    pub(super) remarks: Vec<Remark>,
    /// What stands before the options in the command that says the same.
    pub(super) words: Vec<String>,
    pub(super) used: UsedOptions,
    pub(super) limits: PlanLimits,
    pub(super) create_missing: CreateMissing,
    pub(super) selection: RowSelection,
    pub(super) run: RunOptions,
}

impl PlanRequest {
    /// Plans every row of `input`. Only reads from the service.
    pub(super) async fn plan<'a>(
        self,
        account: &'a Account,
        mut input: InputSet,
        ResultDestination { path, file: result }: ResultDestination,
        backup: Option<PendingBackup>,
        observer: &mut dyn Observer,
    ) -> Result<Plan<'a>> {
        let Self { kind, started, remarks, words, used, limits, create_missing, selection, run } = self;
        let details = RunDetails {
            files: input.file_names(),
            sources: input.sources(),
            skipped_sheets: input.skipped.clone(),
            options: used.shown(),
            result: std::path::absolute(&path).map_err(|source| WriteError::from_io(&path, source))?,
            typed: CommandLine::new(words, [used.words(), run.account_flags.clone()].concat()).into_words(),
            max_errors: run.max_errors,
            no_wait: run.no_wait,
            creates_only: input.rules.mode == Mode::Create,
            remarks,
            mapping: Vec::new(),
            look_alikes: LookAlikes::default(),
            plan: None,
            further_sheets: input.further_sheets(),
            results_of: Vec::new(),
        };
        let header = RunHeader { id: new_run_id(), kind, account: account.identity.clone(), undoes: None, details };
        let location = match (run.dry_run, &run.plan) {
            (false, _) => account.journal_location(&header.id),
            (true, None) => JournalLocation::Scratch,
            (true, Some(_)) => JournalLocation::Draft,
        };
        let steps = JournalBuilder::create(location, &header)?;
        if !run.dry_run {
            // Before the account is read: what other runs write from now on may not be in the plan.
            Claims::register(account, &header.id)?;
        }
        let reading = AccountReading::Cached;
        let began = jiff::Timestamp::now();
        let planner = RunPlanner { account, kind, create_missing: &create_missing, selection, reading };
        let mut shutdown = run.shutdown.clone();
        let prepared = unless_interrupted(&mut shutdown, planner.plan(&mut input, steps, observer)).await?;
        let list = run.written_files(&account.state_dir);
        let RunOptions { confirmed: is_confirmed, plan: workbook, account_flags, .. } = run;
        Ok(Plan {
            account,
            input,
            header,
            prepared,
            limits,
            is_confirmed,
            backup,
            result,
            list,
            workbook,
            account_flags,
            shutdown,
            started,
            began,
        })
    }
}

/// What a run would do to every row. Dropped, it leaves nothing behind.
pub struct Plan<'a> {
    pub(super) account: &'a Account,
    pub(super) input: InputSet,
    pub(super) header: RunHeader,
    pub(super) prepared: PreparedRun,
    pub(super) limits: PlanLimits,
    /// Whether nobody has to be asked.
    pub(super) is_confirmed: bool,
    /// Of a delete: where the records are saved first.
    pub(super) backup: Option<PendingBackup>,
    pub(super) result: Option<ResultPath>,
    /// The list that the result or the plan workbook is put on.
    pub(super) list: WrittenFiles,
    /// Where the plan workbook goes, if one is wanted.
    pub(super) workbook: Option<PathBuf>,
    /// What the command line says of the account.
    pub(super) account_flags: Vec<String>,
    pub(super) shutdown: ShutdownSignal,
    pub(super) started: Instant,
    /// When planning began: what had been done before is taken into account.
    pub(super) began: jiff::Timestamp,
}

impl Plan<'_> {
    /// The name that the run will have.
    pub fn run_id(&self) -> &str {
        &self.header.id
    }

    /// What would become of the rows, in numbers, and how many requests and minutes that takes.
    ///
    /// # Errors
    /// Where the plan cannot be read back.
    pub fn summary(&self) -> Result<RunSummary> {
        let prepared = &self.prepared;
        let mut summary = RunSummary::new(self.header.kind.into(), self.header.id.clone());
        add_rows(&mut summary, prepared.steps.journal()?, &self.sheets(), Unfinished::DryRun)?;
        summary.files = self.header.details.files.clone();
        summary.skipped_sheets = self.header.details.skipped_sheets.clone();
        summary.dry_run = true;
        summary.earlier_run = self.earlier_run();
        summary.requests = self.account.client.requests();
        summary.planned = Some(prepared.estimate.clone());
        summary.options = self.header.details.options.clone();
        summary.mapping = self.input.mappings();
        summary.remarks.extend(self.header.details.remarks.iter().cloned());
        summary.remarks.extend(self.input.remarks());
        summary.remarks.extend(service_warnings(self.account));
        summary.remarks.extend(prepared.remarks.iter().cloned());
        summary.remarks.extend(prepared.look_alikes.remarks());
        summary.look_alikes = prepared.look_alikes.clone();
        if let Err(exceeded) = self.limits.check(&prepared.totals) {
            summary.remark(RemarkCode::LimitExceeded, format!("a run would stop before it starts: {exceeded}"));
        }
        summary.remarks.extend(overridden_remark(prepared.overridden));
        summary.remarks.extend(read_only_remarks(&prepared.totals));
        if !prepared.totals.missing.is_empty() {
            summary.remarks.push(created_remark("would also create", &prepared.totals.missing));
        }
        summary.next = after_dry_run(&summary, &self.header, None);
        summary.seconds = self.started.elapsed().as_secs_f64();
        Ok(summary)
    }

    /// The run that wrote the result that is read; none where there are several, or only the rows hint at it.
    fn earlier_run(&self) -> Option<String> {
        let (_, first) = self.prepared.results_of.first()?;
        let is_same = |(_, run): &(u16, EarlierRun)| run == first;
        (first.is_named && self.prepared.results_of.iter().all(is_same)).then(|| first.id.clone())
    }

    /// What is wrong with the rows, by kind.
    ///
    /// # Errors
    /// Where the plan cannot be read back.
    pub fn problems(&self) -> Result<ProblemTally> {
        Ok(self.summary()?.problems)
    }

    /// Writes the rows with what would become of them. Returns where the file stands.
    ///
    /// # Errors
    /// Where the file cannot be written, or the input cannot be read again.
    pub fn write_workbook(&mut self, path: impl AsRef<Path>) -> Result<PathBuf> {
        self.input.protected.check(OutputFile::Result, path.as_ref())?;
        let mut summary = self.summary()?;
        let path = ResultPath::new(path.as_ref().to_path_buf(), self.input.sheet_count())?;
        let path = path.made_from(self.input.paths());
        self.write(&path, &mut summary)
    }

    /// The end of a dry run: the summary, with the result file written where the job says.
    pub(crate) fn finish_dry_run(mut self, observer: &mut dyn Observer) -> Result<RunSummary> {
        let mut summary = self.summary()?;
        if let Some(path) = self.workbook.clone() {
            observer.on_phase("writing the plan", None);
            summary.next = after_plan(&path, self.account_flags.clone());
            let written = self.write_plan(&path, &summary)?;
            summary.remarks.extend(beside_remark(&path, &written));
            summary.next = after_plan(&written, self.account_flags.clone());
            summary.result = Some(written);
        } else if let Some(path) = self.result.clone() {
            observer.on_phase("writing the result", None);
            summary.result = Some(self.write(&path, &mut summary)?);
        }
        summary.seconds = self.started.elapsed().as_secs_f64();
        Ok(summary)
    }

    /// Writes the plan as a workbook to approve.
    fn write_plan(&mut self, path: &Path, summary: &RunSummary) -> Result<PathBuf> {
        let access = Access::common_to(self.input.paths());
        let sheets = self.sheets();
        let head = self.plan_head();
        // What the account itself has of the records that the plan makes is what counts.
        self.prepared.catalog.forget_planned();
        let source = PlanSource {
            page: plan_page(&head, summary, self.prepared.totals.irreversible),
            head,
            journal: self.prepared.steps.journal()?,
            sheets: &sheets,
            catalog: &self.prepared.catalog,
            match_on: self.input.sheet_rules().into_iter().map(|(_, match_on)| match_on).collect(),
            notifying: &self.prepared.notifying,
            list: Some(self.list.clone()),
        };
        write_plan_book(path, access, source)
    }

    fn plan_head(&self) -> PlanHead {
        let (kind, place) = self.account.identity.stored();
        PlanHead {
            format: plan_book::FORMAT,
            id: self.header.id.clone(),
            tallyport: env!("CARGO_PKG_VERSION").to_owned(),
            made: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            began: Some(self.began.to_string()),
            account: PlannedAccount { kind: kind.to_owned(), place, tenant: self.account.identity.tenant() },
            files: self.header.details.files.clone(),
            options: shown_options(&self.header.details.options),
            snapshot: self.prepared.snapshot.clone(),
            creates_only: self.header.details.creates_only,
            groups: Vec::new(),
            groups_at: 0,
        }
    }

    fn write(&mut self, path: &ResultPath, summary: &mut RunSummary) -> Result<PathBuf> {
        summary.next = after_dry_run(summary, &self.header, Some(path.as_path()));
        let (sheets, file) = (self.sheets(), path.create(ReportMode::DryRun)?);
        let journal = self.prepared.steps.journal()?;
        let rows = RowSource::Files(&mut self.input);
        let written = write_result(rows, journal, &sheets, Unfinished::DryRun, file, summary)?;
        summary.remarks.extend(written.remarks);
        summary.next = after_dry_run(summary, &self.header, Some(&written.path));
        Ok(written.path)
    }

    /// The journal that the plan is in.
    #[cfg(test)]
    pub(crate) fn journal(&self) -> Result<&crate::run::journal::Journal> {
        Ok(self.prepared.steps.journal()?)
    }

    fn sheets(&self) -> Vec<SheetHeader> {
        self.input.sheet_headers()
    }

    /// Sends the plan. The observer is asked before records are deleted and before people get e-mails, unless the job
    /// says that this is confirmed.
    ///
    /// # Errors
    /// Where a limit of the job is exceeded, a question is not answered with yes, or something fails before anything is
    /// sent. Whatever happens later is in the report.
    pub async fn apply(mut self, observer: &mut dyn Observer) -> Result<RunReport> {
        self.limits.check(&self.prepared.totals)?;
        match self.backup.take() {
            Some(backup) => self.back_up(backup, observer).await?,
            None => self.confirm(observer)?,
        }
        self.header.details.mapping = self.input.mappings();
        self.header.details.remarks.extend(self.input.remarks());
        self.header.details.remarks.append(&mut self.prepared.remarks);
        self.header.details.remarks.extend(self.prepared.look_alikes.remarks());
        self.header.details.look_alikes = std::mem::take(&mut self.prepared.look_alikes);
        self.header.details.results_of = std::mem::take(&mut self.prepared.results_of);
        self.header.details.remarks.extend(overridden_remark(self.prepared.overridden));
        self.header.details.remarks.extend(read_only_remarks(&self.prepared.totals));
        let mut steps = self.prepared.steps;
        steps.set_details(&self.header.details)?;
        let journal = steps.finish(&self.prepared.snapshot)?;
        // The run goes by its journal now: what is known of the account need not be held any longer.
        drop((self.input, self.prepared.catalog));
        // The name stays reserved until the result is there.
        let reserved = self.result;
        let result = reserved.as_ref().map(|path| path.as_path().to_path_buf());
        let execution = Execution { started: self.started, start: RunStart::Fresh, result, list: self.list };
        execution.run(self.account, journal, &mut self.shutdown, observer).await
    }

    async fn back_up(&mut self, backup: PendingBackup, observer: &mut dyn Observer) -> Result<()> {
        let records = self.prepared.steps.journal()?.planned_records()?;
        if !records.is_empty() {
            let catalog = &self.prepared.catalog;
            let remark = backup.write(self.account, &records, catalog, &mut self.shutdown, observer).await?;
            self.header.details.remarks.push(Remark::new(RemarkCode::BackupWritten, remark));
        }
        Ok(())
    }

    /// Asks before e-mails go to people (design rule 17) and before records are deleted.
    fn confirm(&self, observer: &mut dyn Observer) -> Result<()> {
        let (estimate, totals) = (&self.prepared.estimate, &self.prepared.totals);
        let mut reasons = Vec::new();
        if estimate.emails > 0 {
            reasons.push(format!("send {}", mails(estimate.emails, estimate.people)));
        }
        if totals.deletes > 0 {
            let lasting = match totals.irreversible {
                0 => String::new(),
                some => format!(", of which {} cannot be brought back on the service", thousands(some)),
            };
            reasons.push(format!("delete {}{lasting}", counted(totals.deletes, "record")));
        }
        if self.is_confirmed || reasons.is_empty() {
            return Ok(());
        }
        confirm(&format!("this run will {}", reasons.join(" and ")), &self.shutdown, observer)
    }
}

/// What a plan says of its options: that it sends nothing goes without saying.
fn shown_options(options: &[(String, String)]) -> Vec<(String, String)> {
    options.iter().filter(|(name, _)| name != "--dry-run").cloned().collect()
}

/// The texts of a plan's first sheet.
fn plan_page(head: &PlanHead, summary: &RunSummary, irreversible: u64) -> PageText {
    let (files, counts) = (head.files.join(", "), summary.counts());
    let account = match head.account.tenant {
        Some(tenant) => format!("{}, tenant {tenant}", shown_url(&head.account.place)),
        None => shown_url(&head.account.place),
    };
    let words: Vec<String> = RowStatus::all()
        .filter(|status| counts.of(*status) > 0)
        .map(|status| format!("{} {}", thousands(counts.of(status)), status.count_label(ReportMode::DryRun)))
        .collect();
    let mut facts = vec![
        ("rows", format!("{}: {}", counted(summary.rows(), "row"), words.join(", "))),
        ("account", if account.is_empty() { String::from("a sandbox") } else { account }),
        ("made", format!("{} by tallyport {}", head.made.replace(['T', 'Z'], " ").trim(), head.tallyport)),
    ];
    if let Some(planned) = &summary.planned {
        let mails = match planned.emails {
            0 => String::from("none"),
            some => format!(
                "the service sends {} when the plan is applied; `apply` does not ask again",
                mails(some, planned.people)
            ),
        };
        let requests = plan_sentence(&RunEstimate { emails: 0, ..planned.clone() });
        facts.splice(1..1, [("requests", requests), ("e-mails", mails)]);
    }
    if irreversible > 0 {
        let records = counted(irreversible, "record");
        facts.push(("cannot be undone", format!("{records} would be deleted for good")));
    }
    if !head.options.is_empty() {
        let options = head.options.iter().map(|(name, value)| format!("{name} {value}").trim().to_owned());
        facts.push(("options", options.collect::<Vec<String>>().join("  ")));
    }
    let groups = summary.problems.groups();
    let problems = groups.iter().map(|group| {
        let column = group.header.as_ref().map(|header| format!(" in `{header}`")).unwrap_or_default();
        let first = group.examples.first().map(|example| format!(", the first at {}", example.address()));
        format!("{} × {}{column}{}", thousands(group.count), group.code.title(), first.unwrap_or_default())
    });
    PageText {
        title: format!("Plan of {files}"),
        lead: String::from(
            "Nothing has been sent yet. What is approved here is sent by the command at the end of this sheet.",
        ),
        facts,
        problems: problems.collect(),
        notes: summary.remarks.iter().flat_map(note_lines).collect(),
        command: summary.next.first().cloned().unwrap_or_default(),
    }
}

/// A remark, and below it the cells of which nothing is sent: the rows have no lines that show it.
fn note_lines(remark: &Remark) -> impl Iterator<Item = String> + '_ {
    let cells = remark.cells.chunks(CELLS_OF_A_LINE).map(|cells| cells.join(", "));
    std::iter::once(remark.message.clone()).chain(cells)
}

/// Asks whether to do `what`.
///
/// # Errors
/// Where the answer is no, an interrupt comes, or nobody can be asked.
pub(super) fn confirm(what: &str, shutdown: &ShutdownSignal, observer: &mut dyn Observer) -> Result<()> {
    if !observer.can_confirm() {
        return Err(Error::usage(format!("{what}; nothing was sent"), "pass --yes to confirm"));
    }
    if observer.confirm(&format!("{what}. Continue?")) {
        return Ok(());
    }
    Err(if shutdown.is_requested() { Error::interrupted() } else { Error::declined("nothing was sent") })
}

/// The columns of an export that are never sent and were edited, or may have been.
fn read_only_remarks(totals: &PlanTotals) -> impl Iterator<Item = Remark> + '_ {
    let edited = totals.read_only_edits.iter().map(|(header, (count, row))| {
        let cells = counted(*count, "edited cell");
        let is = if *count == 1 { "is" } else { "are" };
        format!("`{header}` is read-only: {cells} {is} not sent, the first in row {row}")
    });
    let different = totals.read_only_differences.iter().map(|(header, (count, row))| {
        let cells = counted(*count, "cell");
        let (differs, is, was) = if *count == 1 { ("differs", "is", "it was") } else { ("differ", "are", "they were") };
        format!(
            "`{header}` is read-only: {cells} that {differs} {is} not sent, the first in row {row}; {was} edited, or other \
             records were renamed or changed since the export"
        )
    });
    edited.chain(different).map(|message| Remark::new(RemarkCode::ColumnReadOnly, message))
}

/// What became of the verbs in a column `_action` of a delete.
fn overridden_remark(rows: u64) -> Option<Remark> {
    let have = if rows == 1 { "has" } else { "have" };
    let message = || format!("{} {have} an `_action` other than `skip`; `delete` ignores it", counted(rows, "row"));
    (rows > 0).then(|| Remark::new(RemarkCode::ActionOverridden, message()))
}
