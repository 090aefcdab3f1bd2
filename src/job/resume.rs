//! Continuing a run that stopped, from its journal alone.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::plan::confirm;
use super::result_path::free_path_in;
use super::run_report::{Execution, RunReport};
use crate::account::{Account, AccountIdentity};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::redact::shown_url;
use crate::run::RunStart;
use crate::run::command_line::CommandLine;
use crate::run::journal::{
    Journal, JournalError, LockState, RunDetails, RunHeader, RunKind, RunPhase, RunStore, RunTotals, SourceFile,
    StoredRun,
};
use crate::shell::sandbox_flag;
use crate::shutdown::ShutdownSignal;
use crate::written_files::{Overwrite, WrittenFiles};

/// A run that is locked for this process, and can be continued or is finished.
pub(crate) struct ResumableRun {
    journal: Journal,
    header: RunHeader,
    is_finished: bool,
}

/// How to continue a run.
#[derive(Debug, Default)]
pub(crate) struct ResumeOptions {
    /// Where the result goes; else where the run would have written it.
    pub(crate) result: Option<PathBuf>,
    /// What the file that `result` names may replace.
    pub(crate) overwrite: Overwrite,
    /// Do not ask about another API key.
    pub(crate) is_confirmed: bool,
}

impl ResumableRun {
    /// Locks the run of that name, or the newest that is not finished.
    ///
    /// # Errors
    /// Where there is none, another process is at it, or it cannot be continued.
    pub(crate) fn open(store: &RunStore, run: Option<&str>) -> Result<Self> {
        let stored = match run {
            Some(run) => store.find(run)?,
            None => newest(store)?,
        };
        // Whoever asks first has it; another process is refused here.
        let journal = Journal::open(&stored.path, &stored.id)?;
        let header = journal.header()?;
        let is_finished = match journal.phase()?.0 {
            RunPhase::Planning => return Err(never_started(&header)),
            RunPhase::Finished => journal.unresolved_count()? == 0,
            RunPhase::Sending | RunPhase::Stopped => false,
        };
        if let (false, Some(undo)) = (is_finished, store.undos_of(&header.id)?.first()) {
            return Err(undone(&header, &undo.id));
        }
        Ok(Self { journal, header, is_finished })
    }

    /// The account that the run belongs to.
    pub(crate) fn account(&self) -> &AccountIdentity {
        &self.header.account
    }

    /// The report of a run with nothing left to do; itself otherwise.
    pub(crate) fn report_if_finished(self) -> Result<std::result::Result<RunReport, Self>> {
        if self.is_finished { Ok(Ok(RunReport::of_finished(self.journal)?)) } else { Ok(Err(self)) }
    }

    /// Continues the run.
    pub(crate) async fn resume(
        self,
        account: &Account,
        options: ResumeOptions,
        shutdown: &mut ShutdownSignal,
        observer: &mut dyn Observer,
    ) -> Result<RunReport> {
        let started = Instant::now();
        account.confirm_key((&self.journal, &self.header), options.is_confirmed, shutdown, observer)?;
        observer.on_note(&format!("resuming run {}", self.header.id));
        changed_sources(&self.header.details).iter().for_each(|change| observer.on_note(change));
        let result = result_path(options.result.as_deref(), &self.header.details, &self.journal.totals()?);
        let list = WrittenFiles::new(&account.state_dir).replacing(options.overwrite);
        let execution = Execution { started, start: RunStart::Resumed, result: Some(result), list };
        execution.run(account, self.journal, shutdown, observer).await
    }
}

impl Account {
    /// Continues a run that stopped, whoever began it: from its journal alone. `run` is its name, or the beginning or
    /// end of it. Nothing is sent twice: requests without a response are looked for first.
    ///
    /// # Errors
    /// Where there is no such run, it belongs to another account, another process is at it, it was undone, or the API key
    /// is another and the observer does not say yes.
    pub async fn resume(&self, run: &str, observer: &mut dyn Observer) -> Result<RunReport> {
        let run = ResumableRun::open(&self.run_store(), Some(run))?;
        self.expect_identity(run.account(), AccountBound::Run)?;
        match run.report_if_finished()? {
            Ok(report) => Ok(report),
            Err(run) => run.resume(self, ResumeOptions::default(), &mut ShutdownSignal::new(), observer).await,
        }
    }

    /// Refuses a run or plan of another account.
    pub(crate) fn expect_identity(&self, wanted: &AccountIdentity, bound: AccountBound) -> Result<()> {
        if self.identity.is_same(wanted) {
            return Ok(());
        }
        let message = format!(
            "the {} belongs to {wanted}, and flags, environment or profile say {}",
            bound.as_str(),
            self.identity
        );
        Err(Error::usage(message, account_hint(wanted, &self.identity, bound)))
    }

    /// Asks before a run that was started with another API key is gone on with: keys are rotated, and a key may belong
    /// to another account. Which key it was, a digest tells that nobody can make without the key.
    pub(crate) fn confirm_key(
        &self,
        run: (&Journal, &RunHeader),
        is_confirmed: bool,
        shutdown: &ShutdownSignal,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let digest = run.0.account_snapshot()?.account;
        // Runs on a sandbox have none, nor have those that never came to an end of their plan.
        if digest.is_empty() || self.digest().is_empty() || self.has_digest(&digest, &run.1.account) {
            return Ok(());
        }
        let message = format!("run {} was started with another API key than the one in use now", run.1.id);
        if is_confirmed {
            observer.on_warning(&message);
            return Ok(());
        }
        confirm(&format!("{message}; continue only if both keys belong to the same account"), shutdown, observer)
    }
}

/// What belongs to one account and can be used with no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountBound {
    Run,
    Plan,
}

impl AccountBound {
    /// The word for it in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            AccountBound::Run => "run",
            AccountBound::Plan => "plan",
        }
    }

    /// What is not possible with another account.
    fn otherwise(self) -> &'static str {
        match self {
            AccountBound::Run => "resume, undo and verify work only on the account of the run",
            AccountBound::Plan => "for another account, make a plan there",
        }
    }
}

/// How to say that the account of a run or plan is meant, where `actual` is the one in force.
fn account_hint(wanted: &AccountIdentity, actual: &AccountIdentity, bound: AccountBound) -> String {
    match (wanted, actual) {
        (AccountIdentity::Service { .. }, actual) if actual.is_sandbox() => String::from("leave out `--sandbox`"),
        (
            AccountIdentity::Service { base_url, tenant, .. },
            AccountIdentity::Service { base_url: actual, tenant: actual_tenant, .. },
        ) if base_url == actual && tenant != actual_tenant => match tenant {
            Some(tenant) => format!("pass `--tenant {tenant}`"),
            None => String::from("leave out the tenant: `--tenant`, BLUETALLY_TENANT_ID or that of the profile"),
        },
        (AccountIdentity::Service { base_url, tenant, .. }, _) => {
            let tenant = tenant.map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
            format!(
                "if you trust that address with the API key, pass `--base-url {}{tenant}`; {}",
                shown_url(base_url),
                bound.otherwise()
            )
        }
        (AccountIdentity::SandboxFile { path, tenant }, _) => {
            let tenant = tenant.map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
            format!("pass `{}{tenant}`", sandbox_flag(path))
        }
        (AccountIdentity::SandboxMemory, _) => {
            String::from("a sandbox in memory is gone with its process: begin again")
        }
    }
}

fn newest(store: &RunStore) -> Result<StoredRun> {
    if let Some(stored) = store.newest_unfinished()? {
        return Ok(stored);
    }
    // A run that another process is at is not finished, whatever `--last` may take.
    let is_locked = |stored: &StoredRun| stored.overview.as_ref().is_ok_and(|run| run.lock == LockState::Locked);
    let runs = store.list()?;
    let last = runs.first().and_then(|stored| stored.overview.as_ref().ok());
    Err(match (runs.iter().find(|stored| is_locked(stored)), last) {
        (Some(stored), _) => JournalError::Busy { run: stored.id.clone() }.into(),
        (None, Some(run)) if run.phase == RunPhase::Planning => never_started(&run.header),
        (None, _) => {
            Error::usage("there is nothing to resume: every run is finished", "`tallyport runs` lists all runs")
        }
    })
}

/// Continuing would make again what was undone.
fn undone(header: &RunHeader, undo: &str) -> Error {
    Error::usage(format!("run {} was undone by run {undo}", header.id), begin_again(header, RunKind::Import.command()))
}

fn never_started(header: &RunHeader) -> Error {
    let message = format!("run {} was stopped while its plan was made: nothing was sent", header.id);
    Error::usage(message, begin_again(header, header.kind.command()))
}

fn begin_again(header: &RunHeader, command: &str) -> String {
    format!("begin again: {}", CommandLine::from_words(header.details.typed.clone()).command(command, &[]))
}

/// The run continues with what the files held when it began; that they have changed is no problem, and worth saying.
fn changed_sources(details: &RunDetails) -> Vec<String> {
    let changed = details.sources.iter().filter_map(|source| {
        let path = source.path.display();
        match SourceFile::of(&source.path) {
            None => Some(format!("{path} no longer exists; the run continues with what it contained")),
            Some(now) if now != *source => {
                Some(format!("{path} has changed since the run began; the run continues with what it contained then"))
            }
            Some(_) => None,
        }
    });
    changed.collect()
}

/// Where the result goes: over the run's own earlier one, unless somebody has worked on that.
fn result_path(asked: Option<&Path>, details: &RunDetails, totals: &RunTotals) -> PathBuf {
    if let Some(asked) = asked {
        return asked.to_path_buf();
    }
    match (&totals.result, SourceFile::of(&details.result)) {
        (_, None) => details.result.clone(),
        (Some(written), Some(there)) if *written == there => details.result.clone(),
        _ => {
            let folder = details.result.parent().map(Path::to_path_buf).unwrap_or_default();
            let stem = details.result.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            free_path_in(&folder, stem.split(".result").next().unwrap_or_default())
        }
    }
}
