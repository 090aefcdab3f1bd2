//! A delete: the records that a sheet names, after a backup of them.
//!
//! A row only has to say which record it means: of every sheet the key and the ids are read, and nothing else.

use std::path::PathBuf;
use std::time::Instant;

use super::backup::PendingBackup;
use super::import::change_limit;
use super::plan::{Plan, PlanRequest};
use super::result_path::free_path_beside;
use super::run_options::{ResultTarget, RunOptions};
use crate::account::Account;
use crate::check::Conflicts;
use crate::error::{Error, Result};
use crate::observer::{NoObserver, Observer};
use crate::plan::{CreateMissing, PlanLimits};
use crate::run::input::{InputOptions, InputSet, SheetFilter};
use crate::run::journal::RunKind;
use crate::run::previous_result::RowSelection;
use crate::run::used_options::UsedOptions;
use crate::schema::{Deletion, Entity, Role, entity_named};
use crate::shutdown::ShutdownSignal;

/// Which records to delete. They are written to a backup first, which an import can bring back under new ids.
///
/// ```
/// use tallyport::DeleteJob;
///
/// let job = DeleteJob::new("assets", "retired.xlsx").confirmed();
/// ```
#[derive(Debug, Clone, Default)]
pub struct DeleteJob {
    pub(crate) entity: String,
    pub(crate) input: InputOptions,
    pub(crate) irreversible: bool,
    pub(crate) backup: Option<PathBuf>,
    pub(crate) max_deletes: Option<String>,
    pub(crate) run: RunOptions,
}

impl DeleteJob {
    /// A delete of the records of a collection, such as `assets`, that a spreadsheet names.
    pub fn new(collection: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let input = InputOptions { files: vec![path.into()], ..InputOptions::default() };
        Self { entity: collection.into(), input, ..Self::default() }
    }

    /// Finds the records by these fields. Default: the natural key of the collection.
    #[must_use]
    pub fn match_on(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.input.match_on = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Allows collections whose records the service cannot bring back.
    #[must_use]
    pub fn irreversible(mut self) -> Self {
        self.irreversible = true;
        self
    }

    /// Writes the backup to this `.xlsx` file. Default: beside the input.
    #[must_use]
    pub fn backup(mut self, path: impl Into<PathBuf>) -> Self {
        self.backup = Some(path.into());
        self
    }

    /// Deletes without asking the observer first.
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

    /// Stops at the requests of this signal: the first lets the requests in flight finish, the second stops at once.
    #[must_use]
    pub fn with_shutdown(mut self, signal: ShutdownSignal) -> Self {
        self.run.shutdown = signal;
        self
    }

    fn used_options(&self) -> UsedOptions {
        let mut used = self.input.used();
        used.once("--dry-run", self.run.dry_run);
        used.switch("--irreversible", self.irreversible);
        used.text("--backup", self.backup.as_ref().map(|path| path.display()));
        used.text("--max-errors", self.run.max_errors);
        used.text("--max-deletes", self.max_deletes.as_deref());
        used
    }

    pub(crate) fn limits(&self) -> Result<PlanLimits> {
        let deletes = change_limit("--max-deletes", self.max_deletes.as_deref())?;
        Ok(PlanLimits { deletes, ..PlanLimits::default() })
    }

    /// The collection that is meant, if its records may be deleted.
    pub(crate) fn collection(&self) -> Result<&'static Entity> {
        let entity = entity_named(&self.entity)?;
        match entity.role {
            Role::Collection { deletion: Deletion::Irreversible } if !self.irreversible => Err(Error::usage(
                format!("the service cannot bring deleted {} back; nothing was sent", entity.name),
                "pass --irreversible to confirm; a backup is written in any case",
            )),
            Role::Collection { .. } => Ok(entity),
            Role::Action(_) | Role::Listing => Err(Error::usage(
                format!("`{}` holds no records to delete", entity.name),
                "name a collection such as `assets`; `tallyport schema` lists them",
            )),
        }
    }
}

impl Account {
    /// Finds the records that a spreadsheet names, and decides what would become of every row. Sends nothing, and backs
    /// nothing up yet: [`Plan::apply`] does.
    ///
    /// # Errors
    /// As [`Account::plan`], and where a sheet does not say which records it means.
    pub async fn plan_delete(&self, job: DeleteJob) -> Result<Plan<'_>> {
        self.plan_delete_with(job, &mut NoObserver).await
    }

    /// As [`Account::plan_delete`], with an observer that follows it.
    ///
    /// # Errors
    /// As [`Account::plan_delete`].
    pub async fn plan_delete_with(&self, job: DeleteJob, observer: &mut dyn Observer) -> Result<Plan<'_>> {
        let started = Instant::now();
        let (entity, limits) = (job.collection()?, job.limits()?);
        let mut input = InputSet::open(&job.input, SheetFilter::Only(entity), observer)?;
        input.validate_keys()?;
        input.keep_only_keys();
        // Whatever a record has become, it is asked to go; the backup has it as it is now.
        input.rules.conflicts = Some(Conflicts::Mine);
        let destination = job.run.destination(&input, &self.state_dir)?;
        // Begun before anything is asked: a backup that cannot be written stops the run while it can.
        let backup = if job.run.dry_run {
            None
        } else {
            let path = job.backup.clone().unwrap_or_else(|| free_path_beside(&input, "backup"));
            Some(PendingBackup::create(path, entity, job.run.confirmed, &destination.path)?)
        };
        let files = job.input.files.iter().map(|file| file.display().to_string());
        let request = PlanRequest {
            kind: RunKind::Delete,
            started,
            remarks: Vec::new(),
            // The collection stands before the file.
            words: std::iter::once(job.entity.clone()).chain(files).collect(),
            used: job.used_options(),
            limits,
            create_missing: CreateMissing::Nothing,
            selection: RowSelection::All,
            run: job.run,
        };
        request.plan(self, input, destination, backup, observer).await
    }
}
