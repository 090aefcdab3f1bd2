//! A delete: the records that a sheet names, after a backup of them.
//!
//! A row only has to say which record it means: of every sheet the key and the ids are read, and nothing else.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::import::{HeaderOptions, ResultTarget, change_limit, header, target};
use super::plan::Plan;
use super::result_path::free_path_beside;
use crate::account::Account;
use crate::catalog::{Catalog, LookupRequest, Record};
use crate::check::Conflicts;
use crate::error::{Diagnostic, Error, Result};
use crate::export::{Backup, BackupError, ReferenceNames, collections_referenced_by};
use crate::observer::{NoObserver, Observer};
use crate::plan::{CreateMissing, PlanLimits};
use crate::remark::Remark;
use crate::run::command_line::CommandLine;
use crate::run::input::{InputOptions, InputSet, SheetFilter};
use crate::run::journal::{JournalBuilder, JournalLocation, RunKind};
use crate::run::prepare::{RunPlanner, report_waits, unless_interrupted};
use crate::run::previous_result::RowSelection;
use crate::run::used_options::UsedOptions;
use crate::schema::{Deletion, Entity, Role, entity_named};
use crate::shutdown::ShutdownSignal;
use crate::wording::thousands;

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
    pub(crate) dry_run: bool,
    pub(crate) irreversible: bool,
    pub(crate) backup: Option<PathBuf>,
    pub(crate) max_deletes: Option<String>,
    pub(crate) max_errors: Option<u64>,
    pub(crate) confirmed: bool,
    pub(crate) result: ResultTarget,
    pub(crate) shutdown: ShutdownSignal,
    /// Further words of the command that repeats the job.
    pub(crate) account_flags: Vec<String>,
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
        self.confirmed = true;
        self
    }

    /// Writes a result file when the run ends. Default: none.
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

    fn used_options(&self) -> UsedOptions {
        let mut used = self.input.used();
        used.once("--dry-run", self.dry_run);
        used.switch("--irreversible", self.irreversible);
        used.text("--max-errors", self.max_errors);
        used.text("--max-deletes", self.max_deletes.as_deref());
        used
    }

    /// The command that says the same: the collection stands before the file.
    fn command_line(&self) -> CommandLine {
        let files = self.input.files.iter().map(|file| file.display().to_string());
        let inputs = std::iter::once(self.entity.clone()).chain(files).collect();
        CommandLine::new(inputs, [self.used_options().words(), self.account_flags.clone()].concat())
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
        let (path, result) = target(&job.result, &input, job.dry_run)?;
        // Begun before anything is asked: a backup that cannot be written stops the run while it can.
        let backup = if job.dry_run { None } else { Some(PendingBackup::create(&job, entity, &input, &path)?) };
        let header = header(
            self,
            RunKind::Delete,
            &input,
            HeaderOptions {
                used: job.used_options(),
                line: job.command_line(),
                path: &path,
                max_errors: job.max_errors,
            },
        )?;
        let location = if job.dry_run { JournalLocation::Scratch } else { self.journal_location(&header.id) };
        let steps = JournalBuilder::create(location, &header)?;
        let create_missing = CreateMissing::Nothing;
        let (kind, selection) = (RunKind::Delete, RowSelection::All);
        let planner = RunPlanner { account: self, kind, create_missing: &create_missing, selection };
        let mut shutdown = job.shutdown;
        let prepared = unless_interrupted(&mut shutdown, planner.plan(&mut input, steps, observer)).await?;
        let is_confirmed = job.confirmed;
        Ok(Plan { account: self, input, header, prepared, limits, is_confirmed, backup, result, shutdown, started })
    }
}

/// A backup that is begun and not written.
pub(super) struct PendingBackup {
    entity: &'static Entity,
    file: Backup,
}

impl PendingBackup {
    /// Begins the file where the job says, or beside the input; over nothing that is there.
    fn create(job: &DeleteJob, entity: &'static Entity, input: &InputSet, result: &Path) -> Result<Self> {
        let path = job.backup.clone().unwrap_or_else(|| free_path_beside(input, "backup"));
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
            return Err(Error::usage(
                format!("--backup must name an .xlsx file, got `{}`", path.display()),
                "name a .xlsx file with --backup",
            ));
        }
        if path == result {
            return Err(not_deleted(BackupError::Exists { path }));
        }
        Ok(Self { entity, file: Backup::create(&path).map_err(not_deleted)? })
    }

    /// Writes the records that the plan deletes, and asks whether to delete them.
    pub(super) async fn write(self, plan: &mut Plan<'_>, observer: &mut dyn Observer) -> Result<()> {
        let records = plan.prepared.steps.journal()?.planned_records()?;
        if records.is_empty() {
            return Ok(());
        }
        let question = question(self.entity, records.len() as u64, plan.account);
        // Where nobody can be asked, a yes has to be given before.
        if !plan.is_confirmed && !observer.can_confirm() {
            return Err(Error::usage(format!("this would {question}; nothing was sent"), "pass --yes to confirm"));
        }
        observer.on_phase("backing up", None);
        let entity = self.entity;
        let path = {
            let observer = RefCell::new(&mut *observer as &mut dyn Observer);
            let client = &plan.account.client;
            let writing = report_waits(client, &observer, self.save(&records, &plan.prepared.catalog, plan.account));
            unless_interrupted(&mut plan.shutdown, writing).await?
        };
        if !plan.is_confirmed {
            observer.on_note(&format!("the records are backed up in {}", path.display()));
            if !observer.confirm(&format!("{question}?")) {
                let path = path.display();
                let hint = format!("answer yes to continue; the backup {path} is not needed and can be deleted");
                return Err(Error::usage("nothing was deleted", hint));
            }
        }
        plan.header.details.remarks.push(backup_remark(entity, &path, &plan.header.id));
        Ok(())
    }

    async fn save(self, records: &[i64], catalog: &Catalog, account: &Account) -> Result<PathBuf> {
        let entity = self.entity;
        let records: Vec<&Record> = records.iter().filter_map(|id| catalog.record(entity.name, *id)).collect();
        let mut lookups = LookupRequest::default();
        // A name serves only where no other record has it, which takes them all to know.
        collections_referenced_by(entity, records.iter().copied())
            .into_iter()
            .for_each(|collection| lookups.whole(collection));
        let names = Catalog::fetch(&account.client, &lookups, &mut |_, _| {}).await?;
        self.file.write(entity, &records, &ReferenceNames::new(names)).map_err(not_deleted)
    }
}

/// `delete 42 assets from https://app.bluetallyapp.com/api/v1`.
fn question(entity: &Entity, count: u64, account: &Account) -> String {
    let noun = if count == 1 { entity.singular } else { entity.name };
    let lasting = match entity.role {
        Role::Collection { deletion: Deletion::Irreversible } => ", which the service cannot bring back",
        _ => "",
    };
    format!("delete {} {noun} from {}{lasting}", thousands(count), account.identity)
}

fn backup_remark(entity: &Entity, backup: &Path, run: &str) -> Remark {
    let message = format!(
        "backup of the {}: {}; what was deleted comes back with `tallyport undo {run}` or an import of that file, and \
         its ids will differ",
        entity.name,
        backup.display()
    );
    Remark::new("backup.written", message)
}

/// Records could not be backed up, and so were not deleted.
fn not_deleted(error: BackupError) -> Error {
    Error::new(error.kind(), format!("{error}; nothing was deleted"), error.hint())
}
