//! `tallyport import`: read, map, check, resolve, plan, send, report.

use std::io::{self, IsTerminal};
use std::time::Instant;

use super::args::{Global, ImportArgs};
use super::earlier::Rows;
use super::intake::{Intake, named_entity};
use super::interrupts::Interrupts;
use super::ledger::{Ledger, done_status};
use super::needs;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::result::{self, ResultPath, Typed};
use super::running::{Running, missing_remark};
use super::settings::{Connection, connect};
use super::{Error, Exit};
use crate::catalog::{Catalog, How};
use crate::check::Checker;
use crate::journal::{Deed, Details, Draft, Knowledge, PlanSink, PlannedRow, RowState, RunHead};
use crate::plan::{
    Claims, CreateMissing, Emails, Guard, Limit, Planner, SheetPlan, StepCount, Totals, Verdict, WriteKind, estimate,
};
use crate::report::{self, Planned, Requests, RunSummary, Status, Tense, counted, summary, thousands};
use crate::resolve::{UnknownNames, Users};
use crate::send::LogStart;

/// What the estimate of a plan's time takes for the service's own pace: requests a second at the usual concurrency.
pub(super) const REQUESTS_PER_SECOND: u64 = 20;

pub(super) fn run(global: &Global, args: &ImportArgs, printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let wanted = Wanted::new(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (connection, mut interrupts) = {
        // The client belongs to the runtime it will run on. Stopped by the signal itself, a run could not say that it
        // sent nothing.
        let _entered = runtime.enter();
        (connect(global)?, Interrupts::listen()?)
    };
    let mut intake = Intake::open(&args.reading, printer)?;
    let path = result::path(args.reading.result.as_deref(), &intake)?;
    let progress = Progress::new(ProgressKind::choose(global), None);
    let mut import = Import { connection: &connection, wanted, printer, progress };
    if args.dry_run {
        let plan = runtime.block_on(or_interrupted(&mut interrupts, import.plan(&mut intake, StepCount::default())))?;
        return import.rehearsed(&mut intake, args, &plan, &path, started);
    }
    let head = import.head(&intake, args, &path)?;
    let draft = Draft::begin(connection.place(&head.id), &head)?;
    let plan = runtime.block_on(or_interrupted(&mut interrupts, import.plan(&mut intake, draft)))?;
    import.wanted.guard.check(&plan.totals)?;
    import.confirm(&plan, args)?;
    let journal = plan.steps.ready(&plan.knowledge)?;
    let Import { progress, .. } = import;
    let result = path.as_path().to_path_buf();
    let running = Running { connection: &connection, printer, progress, started, result };
    running.finish(journal, &runtime, &mut interrupts)
}

/// Nothing has been sent yet: an interrupt simply ends it.
pub(super) async fn or_interrupted<T>(
    interrupts: &mut Interrupts,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = interrupts.next() => Err(Error::Interrupted),
        done = work => done,
    }
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

/// An import while it is planned.
struct Import<'i> {
    connection: &'i Connection,
    wanted: Wanted,
    printer: Printer,
    progress: Progress,
}

/// A plan ready to be sent.
struct Plan<S> {
    steps: S,
    totals: Totals,
    planned: Planned,
    knowledge: Knowledge,
    /// What the plan decided for every row, by sheet.
    ledgers: Vec<Ledger>,
}

impl Import<'_> {
    /// What the journal keeps of the run as a whole.
    fn head(&self, intake: &Intake, args: &ImportArgs, path: &ResultPath) -> Result<RunHead, Error> {
        let files = intake.file_names();
        let details = Details {
            sources: intake.sources(),
            skipped_sheets: intake.skipped.clone(),
            options: result::options(args),
            result: std::path::absolute(path.as_path())?,
            typed: Typed::here(&files).into_words(),
            max_errors: self.wanted.max_errors,
            files,
            remarks: Vec::new(),
        };
        let account = self.connection.account.clone();
        Ok(RunHead { id: result::run_id(), deed: Deed::Import, account, undoes: None, details })
    }

    /// Two passes over every sheet: the first checks and gathers what has to be known of the account, the second
    /// resolves and plans. Rows stream through both; what stays is the plan in `steps` and the ledgers.
    async fn plan<S: PlanSink>(&mut self, intake: &mut Intake, steps: S) -> Result<Plan<S>, Error>
    where
        Error: From<S::Error>,
    {
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
        let users = self.users(&needs.users).await?;
        let progress = &mut self.progress;
        let mut catalog = Catalog::fetch(&self.connection.client, &needs.records, &mut |collection, _| {
            progress.phase(&format!("looking up {collection}"))
        })
        .await?;
        let knowledge = self.knowledge(intake, &catalog).await?;
        self.progress.phase("planning");
        let mut planner = Planner {
            catalog: &mut catalog,
            users: &users,
            unknown: UnknownNames::default(),
            rules: &rules,
            covers: &self.wanted.covers,
            steps,
            totals: Totals::default(),
            emails: Emails::default(),
            claims: Claims::default(),
        };
        let mut ledgers = Vec::with_capacity(sheets.len());
        for (index, (mapping, match_on)) in sheets.iter().enumerate() {
            let sheet = SheetPlan {
                index: index as u16,
                mapping,
                match_on: match_on.clone(),
                text: intake.trust(index),
                named: intake.named(index),
            };
            planner.steps.sheet(sheet.index, &intake.head(index))?;
            ledgers.push(plan_sheet(intake, index, &mut checkers[index], &sheet, &mut planner, self.wanted.rows)?);
        }
        let used = self.connection.client.requests().total;
        let requests = u64::from(planner.steps.len());
        let quota = self.connection.quota;
        let planned = Planned {
            requests,
            seconds: estimate::seconds(requests, used, quota, REQUESTS_PER_SECOND),
            emails: planner.emails.sent,
            people: planner.emails.people(),
            quota,
        };
        let Planner { steps, totals, .. } = planner;
        Ok(Plan { steps, totals, planned, knowledge, ledgers })
    }

    /// What later tells the run's own deeds from others': the sizes of collections, and how far the log went.
    async fn knowledge(&self, intake: &Intake, catalog: &Catalog) -> Result<Knowledge, Error> {
        let whole = catalog.costs().iter().filter(|cost| cost.how == How::Pages);
        let sizes = whole.map(|cost| (cost.collection.to_owned(), cost.records)).collect();
        let has_actions = intake.sheets.iter().any(|sheet| sheet.mapping.entity.is_action());
        let log = match has_actions {
            true => LogStart::read(&self.connection.client).await?,
            false => LogStart::NotAsked,
        };
        Ok(Knowledge { sizes, log })
    }

    /// The ids of users that rows name by e-mail address, as the activity log tells them (field notes).
    async fn users(&self, emails: &[String]) -> Result<Users, Error> {
        let mut users = Users::new();
        for email in emails {
            let rows = self.connection.client.activity(&[("user_email", email)], 1).await?;
            let id = rows.first().and_then(|row| row.get("user_id")).and_then(serde_json::Value::as_i64);
            users.insert(email.clone(), id);
        }
        Ok(users)
    }

    /// Asks before e-mails go to people (design rule 15) and before records are deleted.
    fn confirm<S>(&self, plan: &Plan<S>, args: &ImportArgs) -> Result<(), Error> {
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

    /// The end of a dry run: nothing was sent, and the result says what would be.
    fn rehearsed(
        mut self,
        intake: &mut Intake,
        args: &ImportArgs,
        plan: &Plan<StepCount>,
        path: &ResultPath,
        started: Instant,
    ) -> Result<Exit, Error> {
        let book = path.open(Tense::Planned)?;
        let heads = intake.heads();
        let mut summary = result::summary("import", result::run_id(), &heads, &plan.ledgers);
        let counted = self.connection.client.requests();
        summary.files = intake.file_names();
        summary.skipped_sheets = intake.skipped.clone();
        summary.dry_run = true;
        summary.requests = Requests { total: counted.total, by_kind: counted.by_kind };
        summary.planned = Some(plan.planned.clone());
        summary.options = result::options(args);
        if let Err(fault) = self.wanted.guard.check(&plan.totals) {
            summary.remarks.push(format!("a run would stop before it starts: {fault}"));
        }
        if !plan.totals.missing.is_empty() {
            summary.remarks.push(missing_remark("would also create", &plan.totals.missing));
        }
        summary.next = result::next_commands(&summary, Typed::here(&summary.files), path.as_path(), None);
        summary.seconds = started.elapsed().as_secs_f64();
        self.progress.phase("writing the result");
        result::write(intake, &heads, &plan.ledgers, book, &mut summary)?;
        summary.seconds = started.elapsed().as_secs_f64();
        self.progress.finish();
        print(&summary, self.printer)?;
        Ok(if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success })
    }
}

/// Plans the rows of one sheet; rows that an earlier run finished are carried.
fn plan_sheet<S: PlanSink>(
    intake: &mut Intake,
    index: usize,
    checker: &mut Checker<'_>,
    sheet: &SheetPlan<'_>,
    planner: &mut Planner<'_, S>,
    rows: Rows,
) -> Result<Ledger, Error>
where
    Error: From<S::Error>,
{
    let earlier = rows.earlier(sheet.mapping);
    let secrets = result::secrets(sheet.mapping);
    let mut ledger = Ledger::default();
    let mut kept = Ok(());
    checker.rewind();
    intake.each_checked(index, checker, &mut |row, checked| {
        if kept.is_err() {
            return;
        }
        let planned = match earlier.and_then(|earlier| earlier.decided(sheet.mapping.entity, row)) {
            Some(decided) => Ok(decided),
            None => planner.row(sheet, row, checked).map(|verdict| planned_row(checked.id, verdict)),
        };
        kept = planned.and_then(|planned| {
            let withheld = |column: usize| secrets.contains(&column) || report::is_withheld(&planned.problems, column);
            planner.steps.row(row, &planned, &withheld)?;
            ledger.push(row.number, planned);
            Ok(())
        });
    })?;
    kept?;
    Ok(ledger)
}

/// A row that is not sent keeps the id that it came with: without it a mended row would be a new record.
fn planned_row(own_id: Option<i64>, verdict: Verdict) -> PlannedRow {
    let (state, status, record, problems) = match verdict {
        Verdict::Write(_, write) => (RowState::Planned, done_status(write), written_record(write), Vec::new()),
        Verdict::Unchanged(id) => (RowState::Ended, Status::Unchanged, Some(id), Vec::new()),
        Verdict::Skipped => (RowState::Ended, Status::Skipped, own_id, Vec::new()),
        Verdict::Rejected(problems) => (RowState::Ended, Status::Failed, own_id, problems),
    };
    PlannedRow { state, status, record, message: String::new(), problems }
}

fn written_record(write: WriteKind) -> Option<i64> {
    match write {
        WriteKind::Create => None,
        WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
    }
}

pub(super) fn print(summary: &RunSummary, printer: Printer) -> Result<(), Error> {
    printer.say(&summary::text(summary))?;
    if printer.json {
        printer.data(&format!("{}\n", summary::json(summary)))?;
    }
    Ok(())
}

fn people(count: u64) -> String {
    if count == 1 { String::from("1 person") } else { format!("{} people", thousands(count)) }
}
