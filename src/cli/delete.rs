//! `tallyport delete`: the records that a sheet names, after a backup of them and a yes.
//!
//! A row only has to say which record it means: of every sheet the key and the ids are read, and nothing else.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::args::{DeleteArgs, Global};
use super::earlier::Rows;
use super::interrupts;
use super::planning::{Planning, limit, or_interrupted, overruled_remark, saying_why_it_waits};
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::result::{self, ResultPath};
use super::running::Running;
use super::settings::connect;
use super::{Error, Exit};
use crate::account::Account;
use crate::catalog::{Catalog, LookupRequest, Record};
use crate::check::Conflicts;
use crate::error::Diagnostic;
use crate::export::{Backup, BackupError, ReferenceNames, collections_referenced_by};
use crate::plan::{CreateMissing, PlanLimits};
use crate::run::RunStart;
use crate::run::command_line::CommandLine;
use crate::run::input::{InputSet, SheetFilter};
use crate::run::journal::{JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind};
use crate::schema::{Deletion, Entity, Role, entity_named};
use crate::wording::thousands;

pub(super) fn run(global: &Global, args: &DeleteArgs, mut printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let entity = collection(args)?;
    let guard = PlanLimits { deletes: limit("--max-deletes", args.max_deletes.as_deref())?, ..PlanLimits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let account = runtime.block_on(connect(global))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut shutdown = interrupts::listen()?;
    let mut intake = InputSet::open(&args.input_options(), SheetFilter::Only(entity), &mut printer)?;
    intake.validate_keys()?;
    intake.keep_only_keys();
    // Whatever a record has become, it is asked to go; the backup has it as it is now.
    intake.rules.conflicts = Some(Conflicts::Mine);
    let path = result::path(args.layout.result.as_deref(), &intake)?;
    let progress = Progress::new(ProgressKind::choose(global), None);
    let (deed, covers, rows) = (RunKind::Delete, CreateMissing::Nothing, Rows::All);
    let mut planning = Planning { account: &account, printer, progress, started, deed, covers, guard, rows };
    let mut head = head(&intake, (global, args), &path, &account)?;
    if args.dry_run {
        let planned = planning.plan(&mut intake, JournalBuilder::create(JournalLocation::Scratch, &head)?);
        let (plan, _) = runtime.block_on(or_interrupted(&mut shutdown, planned))?;
        return planning.rehearsed(&mut intake, plan, &path, head);
    }
    path.try_out()?;
    // Begun before anything is asked: a backup that cannot be written stops the run while it can.
    let backup = backup(args, &intake, &path)?;
    let draft = JournalBuilder::create(account.journal_location(&head.id), &head)?;
    let planned = planning.plan(&mut intake, draft);
    let (mut plan, catalog) = runtime.block_on(or_interrupted(&mut shutdown, planned))?;
    let Planning { mut progress, guard, .. } = planning;
    guard.check(&plan.totals)?;
    let records = plan.steps.planned_records()?;
    if !records.is_empty() {
        let question = question(entity, records.len() as u64, &account);
        see_consent(args, &question)?;
        progress.phase("backing up");
        let shown = RefCell::new(&mut progress);
        let written = keep(entity, &records, &catalog, backup, &account);
        let written = saying_why_it_waits(&account.client, &shown, written);
        let place = runtime.block_on(or_interrupted(&mut shutdown, written))?;
        if !args.yes {
            progress.finish();
            consent(&question, &place, printer)?;
            progress = Progress::new(ProgressKind::choose(global), None);
        }
        head.details.remarks.push(kept_remark(entity, &place, &head.id));
    }
    head.details.remarks.extend(overruled_remark(plan.overruled));
    plan.steps.set_details(&head.details)?;
    let journal = plan.steps.finish(&plan.knowledge)?;
    let running = Running {
        account: &account,
        printer,
        progress,
        started,
        start: RunStart::Fresh,
        result: path.as_path().to_path_buf(),
    };
    running.finish(journal, &runtime, &mut shutdown)
}

/// The collection that is meant, if its records may be deleted.
fn collection(args: &DeleteArgs) -> Result<&'static Entity, Error> {
    let entity = entity_named(&args.entity)?;
    match entity.role {
        Role::Collection { deletion: Deletion::Irreversible } if !args.irreversible => Err(Error::usage(
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

/// The command that says the same: the collection stands before the file.
fn command_line(global: &Global, args: &DeleteArgs) -> CommandLine {
    global.command_line(vec![args.entity.clone(), args.file.display().to_string()], &args.used_options())
}

/// What the journal keeps of the run as a whole.
fn head(
    intake: &InputSet,
    (global, args): (&Global, &DeleteArgs),
    path: &ResultPath,
    account: &Account,
) -> Result<RunHeader, Error> {
    let details = RunDetails {
        files: intake.file_names(),
        sources: intake.sources(),
        skipped_sheets: intake.skipped.clone(),
        options: args.used_options().shown(),
        result: std::path::absolute(path.as_path())?,
        typed: command_line(global, args).into_words(),
        max_errors: args.max_errors,
        remarks: Vec::new(),
    };
    let account = account.identity.clone();
    Ok(RunHeader { id: result::run_id(), kind: RunKind::Delete, account, undoes: None, details })
}

/// Begins the backup where the flag says, or beside the input; over nothing that is there.
fn backup(args: &DeleteArgs, intake: &InputSet, result: &ResultPath) -> Result<Backup, Error> {
    let path = match &args.backup {
        Some(path) => path.clone(),
        None => result::free_path_beside(intake, "backup"),
    };
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
        return Err(Error::usage(
            format!("--backup must name an .xlsx file, got `{}`", path.display()),
            "name a .xlsx file with --backup",
        ));
    }
    if path == result.as_path() {
        return Err(not_deleted(BackupError::Exists { path }));
    }
    Backup::create(&path).map_err(not_deleted)
}

/// Writes the records to the backup; where it lies.
async fn keep(
    entity: &'static Entity,
    records: &[i64],
    catalog: &Catalog,
    backup: Backup,
    account: &Account,
) -> Result<PathBuf, Error> {
    let records: Vec<&Record> = records.iter().filter_map(|id| catalog.record(entity.name, *id)).collect();
    let mut needs = LookupRequest::default();
    // A name serves only where no other record has it, which takes them all to know.
    collections_referenced_by(entity, records.iter().copied())
        .into_iter()
        .for_each(|collection| needs.whole(collection));
    let names = Catalog::fetch(&account.client, &needs, &mut |_, _| {}).await?;
    backup.write(entity, &records, &ReferenceNames::new(names)).map_err(not_deleted)
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

/// Where nobody can be asked, a yes has to be given before.
fn see_consent(args: &DeleteArgs, question: &str) -> Result<(), Error> {
    match args.yes || io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(Error::usage(format!("this would {question}; nothing was sent"), "pass --yes to confirm")),
    }
}

fn consent(question: &str, backup: &Path, printer: Printer) -> Result<(), Error> {
    printer.note(&format!("the records are backed up in {}", backup.display()));
    match printer.ask(&format!("{question}?"))? {
        true => Ok(()),
        false => Err(Error::usage(
            "nothing was deleted",
            format!("answer yes to continue; the backup {} is not needed and can be deleted", backup.display()),
        )),
    }
}

fn kept_remark(entity: &Entity, backup: &Path, run: &str) -> String {
    format!(
        "backup of the {}: {}; what was deleted comes back with `tallyport undo {run}` or an import of that file, and \
         its ids will differ",
        entity.name,
        backup.display()
    )
}

/// Records could not be backed up, and so were not deleted.
fn not_deleted(error: BackupError) -> Error {
    Error::new(error.kind(), format!("{error}; nothing was deleted"), error.hint())
}
