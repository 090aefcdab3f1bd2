//! Verifying: what a run sent, or what files say, against what the account holds now.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::resume::AccountBound;
use crate::account::{Account, AccountIdentity};
use crate::check::Mode;
use crate::error::{Error, Result};
use crate::mapping::RememberedMappings;
use crate::observer::{NoObserver, Observer};
use crate::redact::shown_url;
use crate::report::{ProblemTally, VerifyReport};
use crate::run::input::{InputOptions, InputSet, ProtectedFiles, SheetFilter};
use crate::run::journal::{Journal, RunHeader, RunPhase, RunStore};
use crate::run::prepare::unless_interrupted;
use crate::run::verify::{Findings, compare_file, compare_run, file_digests};
use crate::shutdown::ShutdownSignal;
use crate::table::write::Access;

/// What to compare with the account.
///
/// ```
/// use tallyport::VerifyJob;
///
/// let job = VerifyJob::from_path("assets.csv").entity("assets").complete();
/// ```
#[derive(Debug, Clone, Default)]
pub struct VerifyJob {
    /// The run; none where files are compared.
    pub(crate) run: Option<String>,
    pub(crate) input: InputOptions,
    pub(crate) is_complete: bool,
    pub(crate) shutdown: ShutdownSignal,
}

impl VerifyJob {
    /// What a run of this machine sent: its name, or the beginning or end of it.
    pub fn of_run(run: impl Into<String>) -> Self {
        Self { run: Some(run.into()), ..Self::default() }
    }

    /// What a spreadsheet says, as [`ImportJob`](crate::ImportJob) would read it.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self::from_paths([path])
    }

    /// What several spreadsheets say, which may name each other's records.
    pub fn from_paths(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let files = paths.into_iter().map(Into::into).collect();
        Self { input: InputOptions { files, ..InputOptions::default() }, ..Self::default() }
    }

    /// What the sheets hold, such as `assets`. Default: told by sheet name, file name or headers.
    #[must_use]
    pub fn entity(mut self, name: impl Into<String>) -> Self {
        self.input.entity = Some(name.into());
        self
    }

    /// Feeds a field from a header: `Header=field`, as an import takes it.
    #[must_use]
    pub fn map(mut self, mapping: impl Into<String>) -> Self {
        self.input.mapping.map.push(mapping.into());
        self
    }

    /// Reports the records of the sheets' collections that the files do not have.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.is_complete = true;
        self
    }

    /// Stops at the requests of this signal.
    #[must_use]
    pub fn with_shutdown(mut self, signal: ShutdownSignal) -> Self {
        self.shutdown = signal;
        self
    }
}

/// A run that can be verified.
pub(crate) struct VerifiableRun {
    journal: Journal,
    header: RunHeader,
    path: PathBuf,
}

impl VerifiableRun {
    /// Opens the run of that name for reading.
    ///
    /// # Errors
    /// Where there is none, or it sent nothing.
    pub(crate) fn open(store: &RunStore, run: &str) -> Result<Self> {
        let stored = store.find(run)?;
        let journal = Journal::open_read_only(&stored.path)?;
        let header = journal.header()?;
        if journal.phase()?.0 == RunPhase::Planning {
            let message = format!("run {} was stopped while its plan was made: nothing was sent", header.id);
            return Err(Error::usage(message, "there is nothing to verify; import the file again"));
        }
        Ok(Self { journal, header, path: stored.path })
    }

    /// The account that the run belongs to.
    pub(crate) fn account(&self) -> &AccountIdentity {
        &self.header.account
    }
}

impl Account {
    /// Compares what a run sent, or what files say, with what the account holds now. Changes nothing.
    ///
    /// # Errors
    /// Where there is no such run or file, the run belongs to another account, options make no sense, or the service cannot
    /// be read. Differences are no errors.
    pub async fn verify(&self, job: VerifyJob) -> Result<VerifyReport> {
        self.verify_with(job, &mut NoObserver).await
    }

    /// As [`Account::verify`], with an observer that follows it.
    ///
    /// # Errors
    /// As [`Account::verify`].
    pub async fn verify_with(&self, job: VerifyJob, observer: &mut dyn Observer) -> Result<VerifyReport> {
        match &job.run {
            Some(run) => {
                let run = VerifiableRun::open(&self.run_store(), run)?;
                self.verify_run(&run, &job, observer).await
            }
            None => self.verify_files(&job, observer).await,
        }
    }

    pub(crate) async fn verify_run(
        &self,
        run: &VerifiableRun,
        job: &VerifyJob,
        observer: &mut dyn Observer,
    ) -> Result<VerifyReport> {
        let start = Start::now();
        self.expect_identity(run.account(), AccountBound::Run)?;
        if job.is_complete {
            let message = "--complete needs a file: a run does not say which other records there should be";
            return Err(Error::usage(message, "leave out --complete, or verify the file of the run"));
        }
        let mut shutdown = job.shutdown.clone();
        let findings = unless_interrupted(&mut shutdown, compare_run(self, &run.journal, observer)).await?;
        let header = &run.header;
        let what = match header.details.files.as_slice() {
            [] => String::new(),
            files => format!(" ({} of {})", header.kind.command(), files.join(", ")),
        };
        let report = VerifyReport {
            run_id: Some(header.id.clone()),
            files: header.details.files.clone(),
            // The result must not be read by more people than the journal.
            access: Access::common_to([run.path.as_path()]),
            ..start.report(self, format!("run {}{what}", header.id), findings)
        };
        Ok(report)
    }

    async fn verify_files(&self, job: &VerifyJob, observer: &mut dyn Observer) -> Result<VerifyReport> {
        let start = Start::now();
        if job.input.mode != Mode::Upsert {
            let message = "--mode says what an import may do with rows; a comparison takes every row";
            return Err(Error::usage(message, "leave out --mode"));
        }
        // The record's key is enough: what a create needs beside it is not asked for.
        let mut options = InputOptions { mode: Mode::Update, ..job.input.clone() };
        options.mapping.remembered = Some(RememberedMappings::new(&self.state_dir));
        let mut input = InputSet::open(&options, SheetFilter::Any, observer)?;
        let paths: Vec<PathBuf> = input.paths().map(Path::to_path_buf).collect();
        let digests = file_digests(paths.iter().map(PathBuf::as_path))?;
        let mut shutdown = job.shutdown.clone();
        let comparing = compare_file(self, &mut input, job.is_complete, observer);
        let findings = unless_interrupted(&mut shutdown, comparing).await?;
        let files = input.file_names();
        Ok(VerifyReport {
            files: files.clone(),
            file_digests: digests,
            access: Access::common_to(input.paths()),
            protected: input.protected.clone(),
            ..start.report(self, files.join(", "), findings)
        })
    }
}

/// When a comparison began.
struct Start {
    clock: Instant,
    time: jiff::Timestamp,
}

impl Start {
    fn now() -> Self {
        Self { clock: Instant::now(), time: jiff::Timestamp::now() }
    }

    fn report(&self, account: &Account, title: String, findings: Findings) -> VerifyReport {
        let mut problems = ProblemTally::default();
        for found in &findings.problems {
            problems.add(&found.sheet, found.header.as_deref(), found.row, &found.problem);
        }
        let (_, place) = account.identity.stored();
        let shown = match account.identity.tenant() {
            Some(tenant) => format!("{}, tenant {tenant}", shown_url(&place)),
            None => shown_url(&place),
        };
        VerifyReport {
            title,
            run_id: None,
            files: Vec::new(),
            account: if shown.is_empty() { String::from("a sandbox") } else { shown },
            began: self.time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            findings,
            problems,
            file_digests: Vec::new(),
            requests: account.client.requests(),
            seconds: self.clock.elapsed().as_secs_f64(),
            access: Access::default(),
            protected: ProtectedFiles::default(),
            result: None,
        }
    }
}
