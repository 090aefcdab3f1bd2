//! An import: its options, and planning it.

use std::path::PathBuf;
use std::time::Instant;

use super::plan::{Plan, PlanRequest};
use super::result_path::require_xlsx;
use super::run_options::{ResultTarget, RunOptions};
use crate::account::Account;
use crate::check::{Conflicts, Mode, Remark, RemarkCode, Repeats};
use crate::error::{Error, Result};
use crate::mapping::RememberedMappings;
use crate::observer::{NoObserver, Observer};
use crate::plan::{ChangeLimit, CreateMissing, PlanLimits};
use crate::run::input::{InputOptions, InputSet, OutputFile, SheetFilter};
use crate::run::journal::{RunHeader, RunKind, RunStore};
use crate::run::previous_result::RowSelection;
use crate::run::used_options::UsedOptions;
use crate::schema::entity_named;
use crate::shutdown::ShutdownSignal;

/// Which spreadsheets to import, and how. Texts are checked by [`Account::plan`].
///
/// ```
/// use tallyport::{ImportJob, Mode};
///
/// let job = ImportJob::from_path("assets.csv")
///     .entity("assets")
///     .map("Tag No=asset_id")
///     .mode(Mode::Upsert)
///     .create_missing()
///     .max_errors(10);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ImportJob {
    pub(crate) input: InputOptions,
    /// None to create nothing that rows name; an empty list for all but people.
    pub(crate) create_missing: Option<Vec<String>>,
    pub(crate) conflicts: Option<Conflicts>,
    pub(crate) only_failed: bool,
    pub(crate) repeats: Repeats,
    pub(crate) max_creates: Option<String>,
    pub(crate) max_updates: Option<String>,
    pub(crate) max_deletes: Option<String>,
    pub(crate) max_clears: Option<String>,
    pub(crate) run: RunOptions,
}

impl ImportJob {
    /// An import of one spreadsheet: `.xlsx`, `.xls`, `.xlsb`, `.ods`, `.csv` or `.jsonl`.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self::from_paths([path])
    }

    /// An import of several spreadsheets, which may name each other's records.
    pub fn from_paths(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let files = paths.into_iter().map(Into::into).collect();
        Self { input: InputOptions { files, ..InputOptions::default() }, ..Self::default() }
    }

    /// What the sheets hold, such as `assets` or `checkout_asset`. Default: told by sheet name, file name or headers.
    #[must_use]
    pub fn entity(mut self, name: impl Into<String>) -> Self {
        self.input.entity = Some(name.into());
        self
    }

    /// Reads only this sheet, and others that are named in the same way. Default: all that are visible.
    #[must_use]
    pub fn sheet(mut self, name: impl Into<String>) -> Self {
        self.input.sheets.push(name.into());
        self
    }

    /// Feeds a field from a header: `Header=field`, `Header=custom:NAME`, or `Header=` to ignore the column. Of several
    /// columns the first that is filled, `Header|Other=field`, or all joined, `{First name} {Last name}=name`.
    #[must_use]
    pub fn map(mut self, mapping: impl Into<String>) -> Self {
        self.input.mapping.map.push(mapping.into());
        self
    }

    /// Gives rows without a value this one: `field=VALUE`, also where no column has the field. On an update, too, the
    /// row counts as if its cell had the value.
    #[must_use]
    pub fn default_value(mut self, default: impl Into<String>) -> Self {
        self.input.mapping.defaults.push(default.into());
        self
    }

    /// Takes a cell's text for another value: `field:FROM=TO`, such as `status:managed=In use`.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.input.mapping.values.push(value.into());
        self
    }

    /// Leaves out the rows with this value in a column, `Header=Value`, or with none, `Header=`.
    #[must_use]
    pub fn skip_where(mut self, condition: impl Into<String>) -> Self {
        self.input.mapping.skip_where.push(condition.into());
        self
    }

    /// Reads the mapping from this file.
    #[must_use]
    pub fn mapping_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.input.mapping.file = Some(path.into());
        self
    }

    /// Reads the file as the export of another tool, or with `none` recognizes nothing. Default: told by its headers.
    #[must_use]
    pub fn preset(mut self, name: impl Into<String>) -> Self {
        self.input.mapping.preset = Some(name.into());
        self
    }

    /// Takes names for other names, as this spreadsheet says: its columns are collection, name and `use_instead`.
    #[must_use]
    pub fn aliases(mut self, path: impl Into<PathBuf>) -> Self {
        self.input.aliases = Some(path.into());
        self
    }

    /// Keeps the mapping for the next file with the same header row, which then needs no options.
    #[must_use]
    pub fn remember(mut self) -> Self {
        self.input.mapping.remember = true;
        self
    }

    /// Finds existing records by these fields. Default: the natural key of the collection.
    #[must_use]
    pub fn match_on(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.input.match_on = fields.into_iter().map(Into::into).collect();
        self
    }

    /// How text dates are written, such as `DD.MM.YYYY`. Default: told by the whole column.
    #[must_use]
    pub fn date_format(mut self, format: impl Into<String>) -> Self {
        self.input.date_format = Some(format.into());
        self
    }

    /// What rows may do. Default: [`Mode::Upsert`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.input.mode = mode;
        self
    }

    /// Creates records that rows name and the account lacks, except for employees and assets.
    #[must_use]
    pub fn create_missing(mut self) -> Self {
        self.create_missing = Some(Vec::new());
        self
    }

    /// Creates records that rows name and the account lacks, in these collections.
    #[must_use]
    pub fn create_missing_in(mut self, collections: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.create_missing = Some(collections.into_iter().map(Into::into).collect());
        self
    }

    /// Requires that the input is a result file. Of one, only the rows that are not done or were edited are sent in any
    /// case.
    #[must_use]
    pub fn only_failed(mut self) -> Self {
        self.only_failed = true;
        self
    }

    /// Sends check-outs from stock again that were made before. Default: they are left out.
    #[must_use]
    pub fn repeat(mut self) -> Self {
        self.repeats = Repeats::Sent;
        self
    }

    /// Makes a row that another run of this machine is writing a problem. Default: it is waited for.
    #[must_use]
    pub fn no_wait(mut self) -> Self {
        self.run.no_wait = true;
        self
    }

    /// Stops after so many failed rows; 0 is as 1.
    #[must_use]
    pub fn max_errors(mut self, rows: u64) -> Self {
        self.run.max_errors = Some(rows);
        self
    }

    /// Sends e-mails to people and deletes records without asking the observer first.
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

    /// The options that differ from their defaults.
    pub(crate) fn used_options(&self) -> UsedOptions {
        let mut used = self.input.used();
        used.once("--dry-run", self.run.dry_run);
        used.switch("--only-failed", self.only_failed);
        used.switch("--repeat", self.repeats == Repeats::Sent);
        used.optional_list("--create-missing", self.create_missing.as_deref(), "all but employees and assets");
        used.text("--conflicts", self.conflicts.map(Conflicts::as_str));
        used.switch("--no-wait", self.run.no_wait);
        used.text("--max-errors", self.run.max_errors);
        used.text("--max-creates", self.max_creates.as_deref());
        used.text("--max-updates", self.max_updates.as_deref());
        used.text("--max-deletes", self.max_deletes.as_deref());
        used.text("--max-clears", self.max_clears.as_deref());
        used
    }

    pub(crate) fn limits(&self) -> Result<PlanLimits> {
        plan_limits([&self.max_creates, &self.max_updates, &self.max_deletes, &self.max_clears].map(Option::as_deref))
    }

    /// Finds out whether the plan workbook may go where the job says.
    pub(crate) fn check_plan_path(&self) -> Result<()> {
        let Some(path) = &self.run.plan else { return Ok(()) };
        require_xlsx(OutputFile::Plan.flag(), path)?;
        self.input.protected_files().check(OutputFile::Plan, path)
    }

    pub(crate) fn missing_records(&self) -> Result<CreateMissing> {
        match self.create_missing.as_deref() {
            None => Ok(CreateMissing::Nothing),
            Some([]) => Ok(CreateMissing::AllButPeople),
            Some([all]) if all == "all" => Ok(CreateMissing::All),
            Some(names) => {
                let names: Result<Vec<&'static str>> = names.iter().map(|name| collection_named(name)).collect();
                names.map(CreateMissing::Named)
            }
        }
    }
}

impl Account {
    /// Reads and checks the spreadsheets, looks up what they name, and decides what would become of every row. Sends
    /// nothing: [`Plan::apply`] does.
    ///
    /// ```
    /// use tallyport::observer::NoObserver;
    /// use tallyport::{Account, ConnectOptions, ImportJob, RunStatus};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("suppliers.csv");
    /// std::fs::write(&path, "name\nAcme\nGlobex\n")?;
    /// let account = Account::connect(ConnectOptions::sandbox()).await?;
    /// let plan = account.plan(ImportJob::from_path(&path).entity("suppliers")).await?;
    /// assert_eq!(plan.summary()?.counts().created, 2);
    /// let report = plan.apply(&mut NoObserver).await?;
    /// assert_eq!(report.status(), RunStatus::Succeeded);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// Options that make no sense, a spreadsheet that cannot be read or mapped, and a service that cannot be reached or
    /// refuses. Bad rows are not errors: they are in [`Plan::problems`].
    pub async fn plan(&self, job: ImportJob) -> Result<Plan<'_>> {
        self.plan_with(job, &mut NoObserver).await
    }

    /// That an earlier import of one of the files was not finished, and how to continue it.
    fn unfinished_run(&self, input: &InputSet) -> Option<Remark> {
        let runs = RunStore::new(&self.state_dir).unfinished().ok()?;
        let sources = input.sources();
        let is_same = |header: &RunHeader| {
            header.kind == RunKind::Import
                && header.account.is_same(&self.identity)
                && header.details.sources.iter().any(|known| sources.iter().any(|source| source.path == known.path))
        };
        let run = runs.into_iter().find(|run| run.overview.as_ref().is_ok_and(|overview| is_same(&overview.header)))?;
        let files = input.file_names().join(", ");
        let id = run.id;
        let message =
            format!("run {id} of {files} is unfinished; `tallyport resume {id}` continues it, this import starts anew");
        Some(Remark::new(RemarkCode::RunUnfinished, message))
    }

    /// As [`Account::plan`], with an observer that follows it.
    ///
    /// # Errors
    /// As [`Account::plan`].
    pub async fn plan_with(&self, job: ImportJob, observer: &mut dyn Observer) -> Result<Plan<'_>> {
        let started = Instant::now();
        let (limits, create_missing) = (job.limits()?, job.missing_records()?);
        job.check_plan_path()?;
        let mut job = job;
        job.input.mapping.remembered = Some(RememberedMappings::new(&self.state_dir));
        let mut input = InputSet::open(&job.input, SheetFilter::Any, observer)?;
        input.rules.conflicts = job.conflicts;
        input.rules.repeats = job.repeats;
        let remarks: Vec<Remark> = self.unfinished_run(&input).into_iter().collect();
        remarks.iter().for_each(|remark| observer.on_warning(&remark.message));
        let request = PlanRequest {
            kind: RunKind::Import,
            started,
            remarks,
            words: job.input.files.iter().map(|file| file.display().to_string()).collect(),
            used: job.used_options(),
            limits,
            create_missing,
            selection: if job.only_failed { RowSelection::OfResult } else { RowSelection::NotDone },
            run: job.run,
        };
        let destination = request.run.destination(&input, &self.state_dir)?;
        request.plan(self, input, destination, None, observer).await
    }
}

/// The limits of creates, updates, deletes and clears, as options have them.
pub(crate) fn plan_limits([creates, updates, deletes, clears]: [Option<&str>; 4]) -> Result<PlanLimits> {
    Ok(PlanLimits {
        creates: change_limit("--max-creates", creates)?,
        updates: change_limit("--max-updates", updates)?,
        deletes: change_limit("--max-deletes", deletes)?,
        clears: change_limit("--max-clears", clears)?,
    })
}

/// A limit as an option has it.
pub(super) fn change_limit(flag: &str, text: Option<&str>) -> Result<Option<ChangeLimit>> {
    let parse = |text: &str| {
        ChangeLimit::parse(text).ok_or_else(|| {
            let hint = "write a count such as 250, or a share such as 10%";
            Error::usage(format!("`{text}` is not a limit for {flag}"), hint)
        })
    };
    text.map(parse).transpose()
}

fn collection_named(name: &str) -> Result<&'static str> {
    let entity = entity_named(name)?;
    if entity.is_collection() {
        return Ok(entity.name);
    }
    Err(Error::usage(
        format!("--create-missing creates records, and `{}` is an action", entity.name),
        "name collections such as `locations`",
    ))
}
