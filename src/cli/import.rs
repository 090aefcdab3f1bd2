//! `tallyport import`: read, map, check, resolve, plan, send, report.

use std::io::{self, IsTerminal};
use std::time::Instant;

use super::args::{Global, ImportArgs};
use super::earlier::Rows;
use super::interrupts;
use super::planning::{Plan, Planning, limit, or_interrupted};
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::result::{self, ResultPath};
use super::running::Running;
use super::settings::connect;
use super::{Error, Exit};
use crate::account::Account;
use crate::plan::{CreateMissing, PlanLimits};
use crate::run::RunStart;
use crate::run::input::{InputSet, SheetFilter};
use crate::run::journal::{JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind};
use crate::schema::entity_named;
use crate::wording::{counted, thousands};

pub(super) fn run(global: &Global, args: &ImportArgs, mut printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let (covers, guard) = (covers(args.create_missing.as_deref())?, guard(args)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let account = runtime.block_on(connect(global))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut shutdown = interrupts::listen()?;
    let mut intake = InputSet::open(&args.reading.input_options(), SheetFilter::Any, &mut printer)?;
    intake.rules.conflicts = args.conflicts;
    let path = result::path(args.reading.layout.result.as_deref(), &intake)?;
    let progress = Progress::new(ProgressKind::choose(global), None);
    let rows = if args.only_failed { Rows::NotDone } else { Rows::All };
    let mut planning =
        Planning { account: &account, printer, progress, started, deed: RunKind::Import, covers, guard, rows };
    if !args.dry_run {
        path.try_out()?;
    }
    let head = head(&intake, (global, args), &path, &account)?;
    let location = if args.dry_run { JournalLocation::Scratch } else { account.journal_location(&head.id) };
    let planned = planning.plan(&mut intake, JournalBuilder::create(location, &head)?);
    let (plan, _) = runtime.block_on(or_interrupted(&mut shutdown, planned))?;
    if args.dry_run {
        return planning.rehearsed(&mut intake, plan, &path, head);
    }
    planning.guard.check(&plan.totals)?;
    confirm(&plan, args, printer)?;
    let journal = plan.steps.finish(&plan.knowledge)?;
    let Planning { progress, .. } = planning;
    let result = path.as_path().to_path_buf();
    let running = Running { account: &account, printer, progress, started, start: RunStart::Fresh, result };
    running.finish(journal, &runtime, &mut shutdown)
}

fn guard(args: &ImportArgs) -> Result<PlanLimits, Error> {
    Ok(PlanLimits {
        creates: limit("--max-creates", args.max_creates.as_deref())?,
        updates: limit("--max-updates", args.max_updates.as_deref())?,
        deletes: limit("--max-deletes", args.max_deletes.as_deref())?,
        clears: limit("--max-clears", args.max_clears.as_deref())?,
    })
}

fn covers(named: Option<&[String]>) -> Result<CreateMissing, Error> {
    match named {
        None => Ok(CreateMissing::Nothing),
        Some([]) => Ok(CreateMissing::AllButPeople),
        Some(names) => {
            let names: Result<Vec<&'static str>, Error> = names.iter().map(|name| collection_named(name)).collect();
            names.map(CreateMissing::Named)
        }
    }
}

fn collection_named(name: &str) -> Result<&'static str, Error> {
    match entity_named(name)? {
        entity if entity.is_collection() => Ok(entity.name),
        action => Err(Error::usage(
            format!("--create-missing creates records, and `{}` is an action", action.name),
            "name collections such as `locations`",
        )),
    }
}

/// What the journal keeps of the run as a whole.
fn head(
    intake: &InputSet,
    (global, args): (&Global, &ImportArgs),
    path: &ResultPath,
    account: &Account,
) -> Result<RunHeader, Error> {
    let (files, used) = (intake.file_names(), args.used_options());
    let details = RunDetails {
        sources: intake.sources(),
        skipped_sheets: intake.skipped.clone(),
        options: used.shown(),
        result: std::path::absolute(path.as_path())?,
        typed: global.command_line(args.reading.inputs(), &used).into_words(),
        max_errors: args.max_errors,
        files,
        remarks: Vec::new(),
    };
    let account = account.identity.clone();
    Ok(RunHeader { id: result::run_id(), kind: RunKind::Import, account, undoes: None, details })
}

/// Asks before e-mails go to people (design rule 15) and before records are deleted.
fn confirm(plan: &Plan, args: &ImportArgs, printer: Printer) -> Result<(), Error> {
    if args.yes {
        return Ok(());
    }
    let mut reasons = Vec::new();
    if plan.planned.emails > 0 {
        reasons.push(format!("send {} to {}", counted(plan.planned.emails, "e-mail"), people(plan.planned.people)));
    }
    if plan.totals.deletes > 0 {
        let lasting = match plan.totals.irreversible {
            0 => String::new(),
            some => format!(", of which {} cannot be brought back on the service", thousands(some)),
        };
        reasons.push(format!("delete {}{lasting}", counted(plan.totals.deletes, "record")));
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let what = format!("this run will {}", reasons.join(" and "));
    if io::stdin().is_terminal() && printer.ask(&format!("{what}. Continue?"))? {
        return Ok(());
    }
    Err(Error::usage(format!("{what}; nothing was sent"), "pass --yes to confirm"))
}

fn people(count: u64) -> String {
    if count == 1 { String::from("1 person") } else { format!("{} people", thousands(count)) }
}
