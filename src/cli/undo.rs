//! `tallyport undo`: takes a run back, as a run of its own.

mod fetch;
mod keep;
mod mails;
mod shown;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::{Global, UndoArgs};
use super::interrupts;
use super::planning::{REQUESTS_PER_SECOND, or_interrupted};
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::result::{ResultPath, free_path_in, run_id};
use super::running::{Running, command};
use super::settings::{connect_to, run_store};
use super::{Error, Exit};
use crate::account::Account;
use crate::plan::estimate;
use crate::plan::undo::{self, RunHistory, UndoPlanner};
use crate::plan::{StepOutcome, StepResult};
use crate::report::RunEstimate;
use crate::run::journal::{
    AccountSnapshot, Journal, JournalBuilder, RunDetails, RunHeader, RunKind, RunPhase, RunStore, StoredRun,
};
use crate::run::{LogPosition, RunStart};
use crate::wording::{counted, thousands};
use shown::Shown;

pub(super) fn run(global: &Global, args: &UndoArgs, printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let shelf = run_store()?;
    let shelved = wanted(&shelf, args)?;
    // Held to the end: nobody goes on with a run that is being taken back.
    let journal = Journal::open(&shelved.path, &shelved.id)?;
    let head = journal.header()?;
    let history = history(&journal, &head, &shelf)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let account = runtime.block_on(connect_to(global, &head.account))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut shutdown = interrupts::listen()?;
    let mut progress = Progress::new(ProgressKind::choose(global), None);
    let plan = plan(&account, &journal, &head, &history, &mut progress);
    let plan = runtime.block_on(or_interrupted(&mut shutdown, plan))?;
    let shown = Shown::of(&plan.items);
    let title = format!("Undo of run {} ({})", head.id, described(&head));
    let text = shown.text(&title, &plan.planned);
    let id = run_id();
    if args.dry_run || shown.writes() == 0 {
        progress.finish();
        return told(&text, &shown, &plan, &id, &head, args, printer);
    }
    printer.note(text.trim_end());
    confirm(&shown, &plan.planned, args, printer)?;
    let path = args.result.clone().unwrap_or_else(|| free_path_in(&PathBuf::new(), &format!("{}.undo", head.id)));
    let path = ResultPath::new(path, undo::batches(&plan.items).len())?;
    path.try_out()?;
    let draft = draft(&account, id, &journal, &head, &plan, &path)?;
    let running = Running {
        account: &account,
        printer,
        progress,
        started,
        start: RunStart::Fresh,
        result: path.as_path().to_path_buf(),
    };
    running.finish(draft, &runtime, &mut shutdown)
}

fn wanted(shelf: &RunStore, args: &UndoArgs) -> Result<StoredRun, Error> {
    let Some(run) = &args.run else {
        let is_meant = |shelved: &StoredRun| {
            let glance = shelved.overview.as_ref().ok();
            glance.is_some_and(|glance| glance.header.kind != RunKind::Undo && glance.phase != RunPhase::Planning)
        };
        return shelf
            .list()?
            .into_iter()
            .find(is_meant)
            .ok_or_else(|| Error::usage("no run to undo on this machine", "`tallyport runs` lists all runs"));
    };
    Ok(shelf.find(run)?)
}

/// `import of onboarding.xlsx`.
fn described(head: &RunHeader) -> String {
    match head.details.files.as_slice() {
        [] => command(head.kind).to_owned(),
        files => format!("{} of {}", command(head.kind), files.join(", ")),
    }
}

/// What a run did.
///
/// # Errors
/// Where it cannot be taken back: nothing was sent, its fate is open, or it is an undo itself.
fn history(journal: &Journal, head: &RunHeader, shelf: &RunStore) -> Result<RunHistory, Error> {
    if journal.phase()?.0 == RunPhase::Planning {
        let what = format!("run {} was stopped while its plan was made: nothing was sent", head.id);
        return Err(Error::usage(what, "there is nothing to undo"));
    }
    if let (RunKind::Undo, Some(first)) = (head.kind, &head.undoes) {
        return Err(Error::usage(
            format!("run {} is itself the undo of run {first}", head.id),
            "bring the sheets in again with `tallyport import`",
        ));
    }
    if let Some(open) = half_done(shelf, &head.id)? {
        let what = format!("run {} is being undone by run {open}, which is not finished", head.id);
        return Err(Error::usage(what, format!("continue that one: tallyport resume {open}")));
    }
    let (mut history, mut unknown) = (RunHistory::default(), 0);
    journal.each_outcome(&mut |mut step, outcome: StepOutcome| {
        unknown += u64::from(outcome.result == StepResult::Unknown);
        history.record_step(&mut step, &outcome);
    })?;
    // What a look could not settle stays unknown, and is said; what nobody has looked for may be found.
    match journal.unresolved_count()?.saturating_sub(unknown) {
        0 => Ok(history),
        lost => Err(Error::usage(
            format!("run {} has {} with unknown outcome", head.id, counted(lost, "request")),
            format!("finish it first: tallyport resume {}", head.id),
        )),
    }
}

/// An undo of the run that is at work, or was stopped and can go on.
fn half_done(shelf: &RunStore, run: &str) -> Result<Option<String>, Error> {
    let is_open =
        |shelved: &StoredRun| shelved.overview.as_ref().is_ok_and(|glance| glance.phase != RunPhase::Finished);
    Ok(shelf.undos_of(run)?.into_iter().find(is_open).map(|shelved| shelved.id))
}

/// What becomes of everything the run did.
struct Plan {
    items: Vec<undo::UndoItem>,
    planned: RunEstimate,
    knowledge: AccountSnapshot,
    /// Steps of the run that were never sent.
    never_sent: u64,
}

async fn plan(
    account: &Account,
    journal: &Journal,
    head: &RunHeader,
    history: &RunHistory,
    progress: &mut Progress,
) -> Result<Plan, Error> {
    let client = &account.client;
    let began = Timestamp::from_millisecond(journal.started_at()?).unwrap_or(Timestamp::MIN);
    let log = journal.account_snapshot()?.log;
    let mut on_collection = |name: &str| progress.phase(&format!("looking at {name}"));
    let mut present = fetch::fetch(client, history.fetch_plan(), began, &log, &mut on_collection).await?;
    let today = TimeZone::system().to_datetime(Timestamp::now()).date();
    let mut undo = UndoPlanner::new(&head.id, history, &present, today);
    journal.each_outcome(&mut |mut step, outcome| undo.step(&mut step, &outcome))?;
    let items = undo.finish();
    let (emails, people) = mails::count(client, &items, &mut present).await?;
    let moves = items.iter().any(|deed| deed.entity.is_action() && deed.kind().is_some());
    let log = if moves { LogPosition::read(client).await? } else { LogPosition::Unknown };
    let requests = items.iter().filter(|deed| deed.kind().is_some()).count() as u64;
    let quota = account.quota;
    let seconds = estimate::seconds(requests, client.requests().total, quota, REQUESTS_PER_SECOND);
    let planned = RunEstimate { requests, seconds, emails, people, quota };
    let knowledge = AccountSnapshot { log, ..AccountSnapshot::default() };
    Ok(Plan { items, planned, knowledge, never_sent: journal.open_steps()? })
}

/// The end of an undo that sends nothing: a dry run, or one with nothing left to do.
fn told(
    text: &str,
    shown: &Shown,
    plan: &Plan,
    id: &str,
    head: &RunHeader,
    args: &UndoArgs,
    printer: Printer,
) -> Result<Exit, Error> {
    let is_over = shown.writes() == 0;
    let end = match (is_over, shown.left(), args.dry_run) {
        (true, 0, _) => String::from("  nothing is left to undo\n"),
        (true, _, _) => String::from("  nothing else is left to undo\n"),
        (false, _, _) => format!("  nothing was sent; without --dry-run it is done: tallyport undo {}\n", head.id),
    };
    printer.say(&format!("{text}{end}"))?;
    if printer.json {
        let planned = shown.json(&plan.planned);
        let document = json!({ "run_id": id, "undoes": head.id, "dry_run": args.dry_run, "planned": planned });
        printer.data(&format!("{document}\n"))?;
    }
    Ok(if shown.left() > 0 && !args.dry_run { Exit::RowsFailed } else { Exit::Success })
}

/// Asks before anything is sent, and names what cannot be taken back again: final deletes and e-mails (design rule 15).
fn confirm(shown: &Shown, planned: &RunEstimate, args: &UndoArgs, printer: Printer) -> Result<(), Error> {
    if args.yes {
        return Ok(());
    }
    let mut what = format!("this makes {}", counted(shown.writes(), "change"));
    if let Some(listed) = shown.for_good() {
        what.push_str(&format!(", deletes {listed} for good"));
    }
    if planned.emails > 0 {
        let people = if planned.people == 1 { "1 person" } else { &format!("{} people", thousands(planned.people)) };
        what.push_str(&format!(", sends {} to {people}", counted(planned.emails, "e-mail")));
    }
    if io::stdin().is_terminal() && printer.ask(&format!("{what}. Continue?"))? {
        return Ok(());
    }
    Err(Error::usage(format!("{what}; nothing was sent"), "pass --yes to confirm"))
}

/// The journal of the undo, ready to be sent.
fn draft(
    account: &Account,
    id: String,
    journal: &Journal,
    undone: &RunHeader,
    plan: &Plan,
    path: &ResultPath,
) -> Result<Journal, Error> {
    let mut remarks = Vec::new();
    if plan.never_sent > 0 {
        let rows = counted(plan.never_sent, "step");
        remarks.push(format!("{rows} of run {} were never sent: do not resume it", undone.id));
    }
    let details = RunDetails {
        files: vec![format!("run {}", undone.id)],
        result: std::path::absolute(path.as_path())?,
        remarks,
        ..RunDetails::default()
    };
    let undoes = Some(undone.id.clone());
    let head = RunHeader { id, kind: RunKind::Undo, account: account.identity.clone(), undoes, details };
    let mut draft = JournalBuilder::create(account.journal_location(&head.id), &head)?;
    let labels: Vec<String> = journal.sheets()?.into_iter().map(|sheet| sheet.label).collect();
    keep::keep(&mut draft, &undone.id, &plan.items, &labels)?;
    Ok(draft.finish(&plan.knowledge)?)
}
