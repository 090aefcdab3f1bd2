//! A plan: everything is decided, and nothing is sent.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::delete::PendingBackup;
use super::result_path::ResultPath;
use super::run_report::{Execution, RunReport, client_remarks, command_name, created_remark};
use crate::account::Account;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::{PlanLimits, ReportMode};
use crate::remark::Remark;
use crate::report::{ProblemTally, Requests, RowSource, RunSummary, add_rows, write_result};
use crate::run::RunStart;
use crate::run::command_line::CommandLine;
use crate::run::input::InputSet;
use crate::run::journal::{RunHeader, SheetHeader, Unfinished};
use crate::run::prepare::PreparedRun;
use crate::shutdown::ShutdownSignal;
use crate::wording::{counted, thousands};

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
    pub(super) shutdown: ShutdownSignal,
    pub(super) started: Instant,
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
        let mut summary = RunSummary::new(command_name(self.header.kind), self.header.id.clone());
        add_rows(&mut summary, prepared.steps.journal()?, &self.sheets(), Unfinished::DryRun)?;
        let counted = self.account.client.requests();
        summary.files = self.header.details.files.clone();
        summary.skipped_sheets = self.header.details.skipped_sheets.clone();
        summary.dry_run = true;
        summary.requests = Requests { total: counted.total, by_kind: counted.by_kind };
        summary.planned = Some(prepared.estimate.clone());
        summary.options = self.header.details.options.clone();
        summary.remarks.extend(client_remarks(self.account));
        summary.remarks.extend(prepared.remarks.iter().cloned());
        if let Err(exceeded) = self.limits.check(&prepared.totals) {
            let message = format!("a run would stop before it starts: {exceeded}");
            summary.remarks.push(Remark::new("limit.exceeded", message));
        }
        summary.remarks.extend(overridden_remark(prepared.overridden));
        if !prepared.totals.missing.is_empty() {
            summary.remarks.push(created_remark("would also create", &prepared.totals.missing));
        }
        let line = CommandLine::from_words(self.header.details.typed.clone());
        let counts = summary.counts();
        let more: &[&str] = if counts.failed + counts.unknown > 0 { &["--dry-run"] } else { &[] };
        summary.next = vec![line.command(summary.command, more)];
        summary.seconds = self.started.elapsed().as_secs_f64();
        Ok(summary)
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
        let summary = self.summary()?;
        let path = ResultPath::new(path.as_ref().to_path_buf(), self.input.sheets.len())?;
        self.write(&path, &summary)
    }

    /// The end of a dry run: the summary, with the result file written where the job says.
    pub(crate) fn finish_dry_run(mut self, observer: &mut dyn Observer) -> Result<RunSummary> {
        let mut summary = self.summary()?;
        if let Some(path) = self.result.clone() {
            observer.on_phase("writing the result", None);
            summary.result = Some(self.write(&path, &summary)?);
        }
        summary.seconds = self.started.elapsed().as_secs_f64();
        Ok(summary)
    }

    fn write(&mut self, path: &ResultPath, summary: &RunSummary) -> Result<PathBuf> {
        let (sheets, file) = (self.sheets(), path.create(ReportMode::DryRun)?);
        let journal = self.prepared.steps.journal()?;
        write_result(RowSource::Files(&mut self.input), journal, &sheets, Unfinished::DryRun, file, summary)
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
            Some(backup) => backup.write(&mut self, observer).await?,
            None => self.confirm(observer)?,
        }
        self.header.details.remarks.append(&mut self.prepared.remarks);
        self.header.details.remarks.extend(overridden_remark(self.prepared.overridden));
        let mut steps = self.prepared.steps;
        steps.set_details(&self.header.details)?;
        let journal = steps.finish(&self.prepared.snapshot)?;
        // The run goes by its journal now: what is known of the account need not be held any longer.
        drop((self.input, self.prepared.catalog));
        let result = self.result.map(|path| path.as_path().to_path_buf());
        let execution = Execution { started: self.started, start: RunStart::Fresh, result };
        execution.run(self.account, journal, &mut self.shutdown, observer).await
    }

    /// Asks before e-mails go to people (design rule 17) and before records are deleted.
    fn confirm(&self, observer: &mut dyn Observer) -> Result<()> {
        let (estimate, totals) = (&self.prepared.estimate, &self.prepared.totals);
        let mut reasons = Vec::new();
        if estimate.emails > 0 {
            let people =
                if estimate.people == 1 { "1 person" } else { &format!("{} people", thousands(estimate.people)) };
            reasons.push(format!("send {} to {people}", counted(estimate.emails, "e-mail")));
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
        confirm(&format!("this run will {}", reasons.join(" and ")), observer)
    }
}

/// Asks whether to do `what`.
///
/// # Errors
/// Where the answer is no, or nobody can be asked.
pub(super) fn confirm(what: &str, observer: &mut dyn Observer) -> Result<()> {
    if observer.can_confirm() && observer.confirm(&format!("{what}. Continue?")) {
        return Ok(());
    }
    Err(Error::usage(format!("{what}; nothing was sent"), "pass --yes to confirm"))
}

/// What became of the verbs in a column `_action` of a delete.
fn overridden_remark(rows: u64) -> Option<Remark> {
    let have = if rows == 1 { "has" } else { "have" };
    (rows > 0).then(|| {
        let message = format!("{} {have} an `_action` other than `skip`; `delete` ignores it", counted(rows, "row"));
        Remark::new("action.overridden", message)
    })
}
