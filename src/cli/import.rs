//! `tallyport import`: read, map, check, resolve, plan, send, report.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::sync::Notify;

use super::args::{Global, ImportArgs};
use super::earlier::Rows;
use super::intake::{Intake, named_entity};
use super::ledger::{Ledger, State};
use super::needs;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind, Remaining};
use super::result;
use super::settings::{Connection, connect};
use super::{Error, Exit};
use crate::api::{Client, Waiting};
use crate::catalog::Catalog;
use crate::check::Checker;
use crate::plan::{
    Claims, CreateMissing, Emails, Guard, Limit, Part, Planner, SheetPlan, Spool, Step, Totals, Verdict, WriteKind,
    estimate,
};
use crate::report::{Planned, Requests, ResultBook, RunSummary, Status, Tense, counted, summary, thousands};
use crate::resolve::{UnknownNames, Users};
use crate::schema;
use crate::send::{Dispatch, End, Fault, Interrupts, Settings, StepEnd, Watcher, problem_of_named, problems_of};

/// How often to look whether look-ups wait for the quota.
const GLANCE: Duration = Duration::from_millis(200);
/// What the estimate of a plan's time takes for the service's own pace: requests a second at the usual concurrency.
const REQUESTS_PER_SECOND: u64 = 20;

pub(super) fn run(global: &Global, args: &ImportArgs, printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let wanted = Wanted::new(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let connection = {
        // The client belongs to the runtime it will run on.
        let _entered = runtime.enter();
        connect(global)?
    };
    let mut intake = Intake::open(&args.reading, printer)?;
    let path = result::path(args.reading.result.as_deref(), &intake)?;
    let mut import = Import {
        connection,
        wanted,
        printer,
        ledgers: Vec::new(),
        also_created: BTreeMap::new(),
        progress: Progress::new(ProgressKind::choose(global), None),
    };
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut interrupts = {
        let _entered = runtime.enter();
        CtrlC::listen()
    };
    let plan = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupts.next() => Err(Error::Interrupted),
            plan = import.plan(&mut intake) => plan,
        }
    })?;
    // Begun before anything is sent: a result that cannot be written stops the run while it can.
    let book = path.open(if args.dry_run { Tense::Planned } else { Tense::Done })?;
    let end = match args.dry_run {
        true => End::Complete,
        false => {
            import.wanted.guard.check(&plan.totals)?;
            import.confirm(&plan, args)?;
            let end = runtime.block_on(import.send(&intake, plan.spool, &mut interrupts))?;
            import.ledgers.iter_mut().for_each(Ledger::close);
            end
        }
    };
    let mut summary = import.summary(&intake, args, &plan.totals, &plan.planned, &end);
    summary.next = result::next_commands(&summary, path.as_path());
    summary.seconds = started.elapsed().as_secs_f64();
    let code = exit(&summary, &end, !import.also_created.is_empty());
    import.report(&mut intake, book, summary, started, code)
}

/// The import's own flags, parsed.
struct Wanted {
    covers: CreateMissing,
    guard: Guard,
    max_errors: Option<u64>,
    rows: Rows,
}

impl Wanted {
    fn new(args: &ImportArgs) -> Result<Self, Error> {
        let limit = |flag: &str, text: &Option<String>| {
            text.as_deref()
                .map(|text| {
                    Limit::parse(text).ok_or_else(|| {
                        Error::usage(
                            format!("`{text}` is not a limit for {flag}"),
                            "write a count such as 250, or a share such as 10%",
                        )
                    })
                })
                .transpose()
        };
        Ok(Self {
            covers: covers(args.create_missing.as_deref())?,
            guard: Guard {
                creates: limit("--max-creates", &args.max_creates)?,
                updates: limit("--max-updates", &args.max_updates)?,
                deletes: limit("--max-deletes", &args.max_deletes)?,
                clears: limit("--max-clears", &args.max_clears)?,
            },
            max_errors: args.max_errors,
            rows: if args.only_failed { Rows::NotDone } else { Rows::All },
        })
    }
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
    match named_entity(name)? {
        entity if entity.is_collection() => Ok(entity.name),
        action => Err(Error::usage(
            format!("--create-missing creates records, and `{}` is an action", action.name),
            "name collections such as `locations`",
        )),
    }
}

/// A run under way.
struct Import {
    connection: Connection,
    wanted: Wanted,
    printer: Printer,
    /// What became of the rows, by sheet.
    ledgers: Vec<Ledger>,
    /// Records created because rows name them, by collection.
    also_created: BTreeMap<&'static str, u64>,
    progress: Progress,
}

/// A plan ready to be sent.
struct Plan {
    spool: Spool,
    totals: Totals,
    planned: Planned,
}

impl Import {
    /// Two passes over every sheet: the first checks and gathers what has to be known of the account, the second
    /// resolves and plans. Rows stream through both; what stays is the plan on disk and the ledger.
    async fn plan(&mut self, intake: &mut Intake) -> Result<Plan, Error> {
        let sheets: Vec<_> =
            intake.sheets.iter().map(|sheet| (sheet.mapping.clone(), sheet.match_on.clone())).collect();
        let rules = intake.rules.clone();
        let mut checkers: Vec<Checker<'_>> = sheets
            .iter()
            .enumerate()
            .map(|(index, (mapping, match_on))| Checker::new(mapping, &rules, match_on, intake.beyond(index)))
            .collect();
        self.progress.phase("checking");
        let needs = needs::gather(intake, &mut checkers, &self.wanted.covers, self.wanted.rows)?;
        self.progress.phase("looking up names");
        let client = &self.connection.client;
        let progress = RefCell::new(&mut self.progress);
        let users = saying_why_it_waits(client, &progress, users(client, &needs.users)).await?;
        let mut say = |collection: &str, _| progress.borrow_mut().phase(&format!("looking up {collection}"));
        let fetching = Catalog::fetch(client, &needs.records, &mut say);
        let mut catalog = saying_why_it_waits(client, &progress, fetching).await?;
        self.progress.phase("planning");
        let mut planner = Planner {
            catalog: &mut catalog,
            users: &users,
            unknown: UnknownNames::default(),
            rules: &rules,
            covers: &self.wanted.covers,
            spool: Spool::new().map_err(Error::Spool)?,
            totals: Totals::default(),
            emails: Emails::default(),
            claims: Claims::default(),
        };
        for (index, (mapping, match_on)) in sheets.iter().enumerate() {
            let sheet = SheetPlan {
                index: index as u16,
                mapping,
                match_on: match_on.clone(),
                text: intake.trust(index),
                named: intake.named(index),
            };
            let ledger = plan_sheet(intake, index, &mut checkers[index], &sheet, &mut planner, self.wanted.rows)?;
            self.ledgers.push(ledger);
        }
        let used = self.connection.client.requests().total;
        let requests = u64::from(planner.spool.len());
        let quota = self.connection.quota;
        let planned = Planned {
            requests,
            seconds: estimate::seconds(requests, used, quota, REQUESTS_PER_SECOND),
            emails: planner.emails.sent,
            people: planner.emails.people(),
            quota,
        };
        Ok(Plan { spool: planner.spool, totals: planner.totals, planned })
    }

    /// Asks before e-mails go to people (design rule 15) and before records are deleted.
    fn confirm(&self, plan: &Plan, args: &ImportArgs) -> Result<(), Error> {
        if args.yes {
            return Ok(());
        }
        let mut reasons = Vec::new();
        if plan.planned.emails > 0 {
            reasons.push(format!("send {} to {}", counted(plan.planned.emails, "e-mail"), people(plan.planned.people)));
        }
        if plan.totals.deletes > 0 {
            reasons.push(format!("delete {}", counted(plan.totals.deletes, "record")));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let what = format!("this run will {}", reasons.join(" and "));
        if io::stdin().is_terminal() && self.printer.ask(&format!("{what}. Go on?"))? {
            return Ok(());
        }
        Err(Error::usage(format!("{what}; nothing was sent"), "add --yes if that is meant"))
    }

    async fn send(&mut self, intake: &Intake, spool: Spool, interrupts: &mut CtrlC) -> Result<End, Error> {
        let steps = u64::from(spool.len());
        self.progress.phase("sending");
        let failed_before = self.ledgers.iter().map(|ledger| ledger.counts().failed).sum();
        self.progress.set_total(Some(steps));
        let settings = Settings {
            concurrency: usize::from(self.connection.concurrency),
            max_errors: self.wanted.max_errors,
            failed_before,
        };
        let client = &self.connection.client;
        let mut follower = Follower {
            intake,
            ledgers: &mut self.ledgers,
            also_created: &mut self.also_created,
            progress: &mut self.progress,
            client,
            quota: self.connection.quota,
            remaining: steps,
        };
        let steps = spool.into_steps().map_err(Error::Spool)?;
        Ok(Dispatch::new(client, settings).run(steps, interrupts, &mut follower).await)
    }

    /// Writes the result and says how the run ended. Rows may have been sent: what is known of them is said, whatever
    /// becomes of the file.
    fn report(
        mut self,
        intake: &mut Intake,
        book: ResultBook,
        mut summary: RunSummary,
        started: Instant,
        code: Exit,
    ) -> Result<Exit, Error> {
        self.progress.phase("writing the result");
        let written = result::write(intake, &self.ledgers, book, &mut summary);
        summary.seconds = started.elapsed().as_secs_f64();
        self.progress.finish();
        match written {
            Err(error) if !summary.dry_run => {
                summary.next.clear();
                print(&summary, self.printer)?;
                self.printer.error(&format!("the result could not be written: {error}"), error.mend().as_deref());
                Ok(Exit::Internal)
            }
            written => {
                written?;
                print(&summary, self.printer)?;
                Ok(code)
            }
        }
    }

    fn summary(&self, intake: &Intake, args: &ImportArgs, totals: &Totals, planned: &Planned, end: &End) -> RunSummary {
        let counted = self.connection.client.requests();
        let mut summary = result::summary("import", intake, &self.ledgers);
        summary.dry_run = args.dry_run;
        summary.requests = Requests { total: counted.total, by_kind: counted.by_kind };
        summary.planned = args.dry_run.then(|| planned.clone());
        summary.options = result::options(args);
        summary.stopped = match end {
            End::Complete => None,
            End::Refused(reason) | End::Broken(reason) => Some(reason.clone()),
            End::TooManyErrors => Some(String::from("too many rows failed (--max-errors)")),
            End::Interrupted => Some(String::from("interrupted")),
        };
        summary.remarks.extend(self.connection.client.remarks());
        let (verb, created) = match args.dry_run {
            true => ("would also create", &totals.missing),
            false => ("also created", &self.also_created),
        };
        if args.dry_run
            && let Err(fault) = self.wanted.guard.check(totals)
        {
            summary.remarks.push(format!("a run would stop before it starts: {fault}"));
        }
        if !created.is_empty() {
            let listed: Vec<String> = created.iter().map(|(name, count)| missing_text(name, *count)).collect();
            summary.remarks.push(format!("{verb} what rows name and the account lacked: {}", listed.join(", ")));
        }
        summary
    }
}

/// Does `work`, and says meanwhile what its requests wait for: that may last an hour.
async fn saying_why_it_waits<T>(
    client: &Client,
    progress: &RefCell<&mut Progress>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                progress.borrow_mut().set_waiting(None);
                return done;
            }
            () = tokio::time::sleep(GLANCE) => progress.borrow_mut().set_waiting(client.waiting().map(waiting_text)),
        }
    }
}

/// The ids of users that rows name by e-mail address, as the activity log tells them (field notes).
async fn users(client: &Client, emails: &[String]) -> Result<Users, Error> {
    let mut users = Users::new();
    for email in emails {
        let rows = client.activity(&[("user_email", email)], 1).await?;
        let id = rows.first().and_then(|row| row.get("user_id")).and_then(serde_json::Value::as_i64);
        users.insert(email.clone(), id);
    }
    Ok(users)
}

/// Plans the rows of one sheet; rows that an earlier run finished are carried.
fn plan_sheet(
    intake: &mut Intake,
    index: usize,
    checker: &mut Checker<'_>,
    sheet: &SheetPlan<'_>,
    planner: &mut Planner<'_>,
    rows: Rows,
) -> Result<Ledger, Error> {
    let earlier = rows.earlier(sheet.mapping);
    let mut ledger = Ledger::default();
    let mut full = Ok(());
    checker.rewind();
    intake.each_checked(index, checker, &mut |row, checked| {
        if full.is_err() {
            return;
        }
        if earlier.is_some_and(|earlier| earlier.is_done(row)) {
            ledger.push(row.number, State::Carried, None, Vec::new());
            return;
        }
        if let Some(problem) = earlier.and_then(|earlier| earlier.still_unknown(sheet.mapping.entity, row)) {
            ledger.push(row.number, State::Ended(Status::Unknown), None, vec![problem]);
            return;
        }
        match planner.row(sheet, row, checked) {
            Ok(verdict) => push_verdict(&mut ledger, row.number, checked.id, verdict),
            Err(error) => full = Err(Error::Spool(error)),
        }
    })?;
    full.map(|()| ledger)
}

/// A row that is not sent keeps the id that it came with: without it a mended row would be a new record.
fn push_verdict(ledger: &mut Ledger, row: u64, own_id: Option<i64>, verdict: Verdict) {
    match verdict {
        Verdict::Write(_, kind) => {
            let (status, id) = planned_status(kind);
            ledger.push(row, State::Planned(status), id, Vec::new());
        }
        Verdict::Unchanged(id) => ledger.push(row, State::Ended(Status::Unchanged), Some(id), Vec::new()),
        Verdict::Skipped => ledger.push(row, State::Ended(Status::Skipped), own_id, Vec::new()),
        Verdict::Rejected(problems) => ledger.push(row, State::Ended(Status::Failed), own_id, problems),
    }
}

/// An action makes something happen, so it counts as created.
fn planned_status(kind: WriteKind) -> (Status, Option<i64>) {
    match kind {
        WriteKind::Create => (Status::Created, None),
        WriteKind::Update(id) => (Status::Updated, Some(id)),
        WriteKind::Delete(id) => (Status::Deleted, Some(id)),
    }
}

/// Follows the sending: every end goes into the ledger and onto the screen.
struct Follower<'f> {
    intake: &'f Intake,
    ledgers: &'f mut [Ledger],
    also_created: &'f mut BTreeMap<&'static str, u64>,
    progress: &'f mut Progress,
    client: &'f Client,
    quota: Option<u32>,
    remaining: u64,
}

impl Watcher for Follower<'_> {
    fn ended(&mut self, step: &Step, end: &Result<StepEnd, Fault>) {
        conclude(self.intake, self.ledgers, step, end);
        if let (Part::Missing, Ok(_), Some(entity)) = (step.part, end, step.entity()) {
            *self.also_created.entry(entity.name).or_default() += 1;
        }
        self.remaining = self.remaining.saturating_sub(1);
        self.progress.row(if end.is_ok() { Status::Created } else { Status::Failed });
    }

    fn tick(&mut self) {
        let allowed_now = self.client.quota_left().map_or(u64::MAX, |left| left as u64);
        self.progress.set_remaining(Remaining { requests: self.remaining, allowed_now, per_hour: self.quota });
        self.progress.set_waiting(self.client.waiting().map(waiting_text));
    }
}

/// Puts the end of a step into the ledger.
fn conclude(intake: &Intake, ledgers: &mut [Ledger], step: &Step, end: &Result<StepEnd, Fault>) {
    let sheet = usize::from(step.row.sheet);
    let (Some(ledger), Some(mapped)) = (ledgers.get_mut(sheet), intake.sheets.get(sheet)) else { return };
    let row = step.row.row;
    match (step.part, end) {
        (Part::Missing, Ok(_)) => {}
        (Part::Missing, Err(fault)) => ledger.blame(row, problem_of_named(fault)),
        (Part::Own, Ok(done)) => {
            let (status, _) = planned_status(step.write);
            ledger.end(row, status, done.id, "", Vec::new());
        }
        (Part::Own, Err(fault @ Fault::NotSent(_))) => ledger.leave(row, &fault.message()),
        (Part::Own, Err(fault)) => {
            let status = if fault.is_unknown() { Status::Unknown } else { Status::Failed };
            let problems = problems_of(fault, &mapped.mapping);
            let message = if problems.is_empty() { fault.message() } else { String::new() };
            ledger.end(row, status, None, &message, problems);
        }
    }
}

pub(super) fn print(summary: &RunSummary, printer: Printer) -> Result<(), Error> {
    printer.say(&summary::text(summary))?;
    if printer.json {
        printer.data(&format!("{}\n", summary::json(summary)))?;
    }
    Ok(())
}

fn exit(run: &RunSummary, end: &End, also_created: bool) -> Exit {
    let counts = run.counts();
    // Unknown rows may have changed something.
    let changed = counts.created + counts.updated + counts.deleted + counts.unknown > 0 || also_created;
    match end {
        End::Refused(_) if !changed => Exit::Refused,
        End::Refused(_) | End::Broken(_) | End::TooManyErrors | End::Interrupted => Exit::Stopped,
        End::Complete if counts.failed + counts.unknown > 0 => Exit::RowsFailed,
        End::Complete => Exit::Success,
    }
}

fn missing_text(collection: &str, count: u64) -> String {
    let singular = schema::collection(collection).filter(|_| count == 1).map(|entity| entity.singular);
    format!("{} {}", thousands(count), singular.unwrap_or(collection))
}

fn people(count: u64) -> String {
    if count == 1 { String::from("1 person") } else { format!("{} people", thousands(count)) }
}

/// Why a run waits and until when, in the clock of the machine.
fn waiting_text(waiting: Waiting) -> String {
    let until = jiff::Timestamp::try_from(waiting.until).map(|until| jiff::tz::TimeZone::system().to_datetime(until));
    match until {
        Ok(until) => format!("waiting until {}: {}", until.strftime("%H:%M:%S"), waiting.reason),
        Err(_) => format!("waiting: {}", waiting.reason),
    }
}

/// Ctrl-C from the terminal. A task of its own listens, so that none is missed while the loop is busy.
struct CtrlC(Arc<Notify>);

impl CtrlC {
    fn listen() -> Self {
        let pressed = Arc::new(Notify::new());
        let listener = Arc::clone(&pressed);
        let mut press = Box::pin(tokio::signal::ctrl_c());
        // Asked once here and now: the task runs only when the plan waits for something, and the plan may have been
        // seen at work by then.
        if press.as_mut().now_or_never().is_none() {
            tokio::spawn(async move {
                while press.await.is_ok() {
                    listener.notify_one();
                    press = Box::pin(tokio::signal::ctrl_c());
                }
            });
        }
        Self(pressed)
    }
}

impl Interrupts for CtrlC {
    async fn next(&mut self) {
        self.0.notified().await;
    }
}
