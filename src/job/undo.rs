//! Undoing a run, as a run of its own.

use std::path::Path;
use std::time::Instant;

use super::plan::confirm;
use super::result_path::{ResultPath, free_path_in};
use super::resume::AccountBound;
use super::run_report::{Execution, RunReport};
use super::{ResultTarget, new_run_id};
use crate::account::{Account, AccountIdentity};
use crate::check::{Remark, RemarkCode};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::RunEstimate;
use crate::plan::undo::{RunHistory, batches};
use crate::report::UndoSummary;
use crate::run::RunStart;
use crate::run::journal::{Journal, JournalBuilder, RunDetails, RunHeader, RunKind, RunPhase, RunStore, StoredRun};
use crate::run::prepare::unless_interrupted;
use crate::run::undo::{PreparedUndo, prepare, run_history};
use crate::shutdown::ShutdownSignal;
use crate::table::write::WriteError;
use crate::wording::{counted, mails};
use crate::written_files::{Overwrite, WrittenFiles};

/// Which run to undo.
#[derive(Debug, Clone, Default)]
pub struct UndoJob {
    pub(crate) run: Option<String>,
    pub(crate) confirmed: bool,
    /// Only the plan is wanted.
    pub(crate) is_read_only: bool,
    pub(crate) result: ResultTarget,
    /// What the file that `result` names may replace.
    pub(crate) overwrite: Overwrite,
    pub(crate) shutdown: ShutdownSignal,
}

impl UndoJob {
    /// An undo of this run: its name, or the beginning or end of it.
    pub fn new(run: impl Into<String>) -> Self {
        Self { run: Some(run.into()), ..Self::default() }
    }

    /// Undoes the run without asking the observer first.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.confirmed = true;
        self
    }

    /// Writes a result file when the undo ends. Default: none.
    #[must_use]
    pub fn result(mut self, target: ResultTarget) -> Self {
        self.result = target;
        self
    }

    /// Stops at the requests of this signal: the first lets the requests in flight finish, the second stops at once.
    #[must_use]
    pub fn with_shutdown(mut self, signal: ShutdownSignal) -> Self {
        self.shutdown = signal;
        self
    }
}

/// A run that is locked for this process, so that nobody continues it while it is undone.
pub(crate) struct UndoableRun {
    journal: Journal,
    header: RunHeader,
    history: RunHistory,
}

impl UndoableRun {
    /// Locks the run of that name, or the newest that is not itself an undo.
    ///
    /// # Errors
    /// Where there is none, another process is at it, or it cannot be undone.
    pub(crate) fn open(store: &RunStore, run: Option<&str>) -> Result<Self> {
        let stored = match run {
            Some(run) => store.find(run)?,
            None => newest(store)?,
        };
        let journal = Journal::open(&stored.path, &stored.id)?;
        let header = journal.header()?;
        let history = run_history(&journal, &header, store)?;
        Ok(Self { journal, header, history })
    }

    /// The account that the run belongs to.
    pub(crate) fn account(&self) -> &AccountIdentity {
        &self.header.account
    }

    /// Decides what is undone. Only reads from the service.
    pub(crate) async fn plan<'a>(
        self,
        account: &'a Account,
        job: UndoJob,
        observer: &mut dyn Observer,
    ) -> Result<UndoPlan<'a>> {
        let started = Instant::now();
        let mut shutdown = job.shutdown.clone();
        account.confirm_key((&self.journal, &self.header), job.is_read_only || job.confirmed, &shutdown, observer)?;
        let preparing = prepare(account, &self.journal, &self.header, &self.history, observer);
        let prepared = unless_interrupted(&mut shutdown, preparing).await?;
        let summary = UndoSummary::of(&prepared.items);
        let run_id = new_run_id();
        Ok(UndoPlan { account, undone: self, prepared, summary, run_id, job, shutdown, started })
    }
}

fn newest(store: &RunStore) -> Result<StoredRun> {
    let is_meant = |stored: &StoredRun| {
        let overview = stored.overview.as_ref().ok();
        overview.is_some_and(|run| run.header.kind != RunKind::Undo && run.phase != RunPhase::Planning)
    };
    let newest = store.list()?.into_iter().find(is_meant);
    newest.ok_or_else(|| Error::usage("no run to undo on this machine", "`tallyport runs` lists all runs"))
}

/// What an undo would do. Nothing is sent yet.
pub(crate) struct UndoPlan<'a> {
    account: &'a Account,
    undone: UndoableRun,
    prepared: PreparedUndo,
    pub(crate) summary: UndoSummary,
    pub(crate) run_id: String,
    job: UndoJob,
    shutdown: ShutdownSignal,
    started: Instant,
}

impl UndoPlan<'_> {
    /// The name of the run that is undone.
    pub(crate) fn undone(&self) -> &str {
        &self.undone.header.id
    }

    pub(crate) fn estimate(&self) -> &RunEstimate {
        &self.prepared.estimate
    }

    /// What is undone and what is not, for people.
    pub(crate) fn text(&self) -> String {
        let header = &self.undone.header;
        let what = match header.details.files.as_slice() {
            [] => header.kind.command().to_owned(),
            files => format!("{} of {}", header.kind.command(), files.join(", ")),
        };
        self.summary.text(&format!("Undo of run {} ({what})", header.id), &self.prepared.estimate)
    }

    /// Undoes the run. The observer is asked first, unless the job says that this is confirmed.
    ///
    /// # Errors
    /// Where a question is not answered with yes, or something fails before anything is sent.
    pub(crate) async fn apply(mut self, observer: &mut dyn Observer) -> Result<RunReport> {
        self.confirm(observer)?;
        let beside = || free_path_in(Path::new(""), &format!("{}.undo", self.undone.header.id));
        let (path, is_written) = match &self.job.result {
            ResultTarget::Nowhere => (beside(), false),
            ResultTarget::BesideInput => (beside(), true),
            ResultTarget::File(path) => (path.clone(), true),
        };
        if is_written {
            ResultPath::new(path.clone(), batches(&self.prepared.items).len())?.check_writable()?;
        }
        let header = self.header(&path)?;
        let steps = JournalBuilder::create(self.account.journal_location(&header.id), &header)?;
        let journal = self.prepared.write(steps, &self.undone.journal)?;
        let result = is_written.then_some(path);
        let list = WrittenFiles::new(&self.account.state_dir).replacing(self.job.overwrite);
        let execution = Execution { started: self.started, start: RunStart::Fresh, result, list };
        execution.run(self.account, journal, &mut self.shutdown, observer).await
    }

    /// Asks before anything is sent, and names what cannot be undone again: permanent deletes and e-mails (design rule
    /// 17).
    fn confirm(&self, observer: &mut dyn Observer) -> Result<()> {
        if self.job.confirmed {
            return Ok(());
        }
        let estimate = &self.prepared.estimate;
        let mut what = format!("this makes {}", counted(self.summary.writes(), "change"));
        if let Some(listed) = self.summary.for_good() {
            what.push_str(&format!(", deletes {listed} for good"));
        }
        if estimate.emails > 0 {
            what.push_str(&format!(", sends {}", mails(estimate.emails, estimate.people)));
        }
        confirm(&what, &self.shutdown, observer)
    }

    fn header(&self, path: &Path) -> Result<RunHeader> {
        let undone = &self.undone.header;
        let mut remarks = Vec::new();
        if self.prepared.never_sent > 0 {
            let steps = counted(self.prepared.never_sent, "step");
            let message = format!("{steps} of run {} were never sent: do not resume it", undone.id);
            remarks.push(Remark::new(RemarkCode::UndoIncomplete, message));
        }
        let details = RunDetails {
            files: vec![format!("run {}", undone.id)],
            result: std::path::absolute(path).map_err(|source| WriteError::from_io(path, source))?,
            remarks,
            ..RunDetails::default()
        };
        let (account, undoes) = (self.account.identity.clone(), Some(undone.id.clone()));
        Ok(RunHeader { id: self.run_id.clone(), kind: RunKind::Undo, account, undoes, details })
    }
}

impl Account {
    /// Undoes a run, as a run of its own: deletes what it created, restores what it changed, checks in what it checked
    /// out and the other way round. What somebody else has changed since is left as it is, and reported.
    ///
    /// # Errors
    /// Where there is no such run, it belongs to another account, it cannot be undone, or a question is not answered
    /// with yes.
    pub async fn undo(&self, job: UndoJob, observer: &mut dyn Observer) -> Result<RunReport> {
        let run = UndoableRun::open(&self.run_store(), job.run.as_deref())?;
        self.expect_identity(run.account(), AccountBound::Run)?;
        run.plan(self, job, observer).await?.apply(observer).await
    }
}
