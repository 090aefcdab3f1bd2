//! From mapped sheets to a plan: what import and delete have in common, and where a dry run of either ends.

use std::cell::RefCell;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::earlier::Rows;
use super::needs;
use super::printer::Printer;
use super::progress::Progress;
use super::result::{self, ResultPath};
use super::running::{command, missing_remark, print, waiting_text};
use super::{Error, Exit};
use crate::account::Account;
use crate::api::Client;
use crate::catalog::{CachedSource, Catalog, FetchMethod, LookupRequest, Mirror, RefreshMode, RefreshOptions};
use crate::check::{CheckedRow, Checker, Conflicts, ParsedId, RowAction, is_withheld};
use crate::mapping::IdOwnership;
use crate::plan::resolver::{RenamedRecords, UnknownNames, UserIds};
use crate::plan::{
    ChangeLimit, CreateMissing, NotificationCount, PlanLimits, PlanTotals, Planner, RecordLocks, RowDecision, RowPlan,
    SheetPlan, StepSink as _, estimate,
};
use crate::plan::{ReportMode, RowStatus};
use crate::report::{Requests, RowSource, RunEstimate, RunSummary, add_rows, write_result};
use crate::run::LogPosition;
use crate::run::command_line::CommandLine;
use crate::run::input::InputSet;
use crate::run::journal::{AccountSnapshot, JournalBuilder, PlannedRow, RowState, RunHeader, RunKind, Unfinished};
use crate::shutdown::ShutdownSignal;
use crate::table::Row;
use crate::wording::{counted, thousands};

/// How often to look whether look-ups wait for the quota.
const GLANCE: Duration = Duration::from_millis(200);
/// What the estimate of a plan's time takes for the service's own pace: requests a second at the usual concurrency.
pub(super) const REQUESTS_PER_SECOND: u64 = 20;

/// What a plan is made with.
pub(super) struct Planning<'p> {
    pub account: &'p Account,
    pub printer: Printer,
    pub progress: Progress,
    pub started: Instant,
    /// Whether rows say what is done with their records, or all are deleted.
    pub deed: RunKind,
    pub covers: CreateMissing,
    pub guard: PlanLimits,
    pub rows: Rows,
}

/// A plan ready to be sent.
pub(super) struct Plan {
    pub steps: JournalBuilder,
    pub totals: PlanTotals,
    pub planned: RunEstimate,
    pub knowledge: AccountSnapshot,
    /// Rows of a delete that ask for something else themselves.
    pub overruled: u64,
}

/// A limit as a flag has it.
pub(super) fn limit(flag: &str, text: Option<&str>) -> Result<Option<ChangeLimit>, Error> {
    let parsed = text.map(|text| {
        ChangeLimit::parse(text).ok_or_else(|| {
            Error::usage(
                format!("`{text}` is not a limit for {flag}"),
                "write a count such as 250, or a share such as 10%",
            )
        })
    });
    parsed.transpose()
}

impl Planning<'_> {
    /// Two passes over every sheet: the first checks and gathers what has to be known of the account, the second
    /// resolves and plans. Rows stream through both; what stays is the plan in `steps` and the ledgers,
    /// and what is known of the account.
    pub(super) async fn plan(
        &mut self,
        intake: &mut InputSet,
        steps: JournalBuilder,
    ) -> Result<(Plan, Catalog), Error> {
        let sheets: Vec<_> =
            intake.sheets.iter().map(|sheet| (sheet.mapping.clone(), sheet.match_on.clone())).collect();
        let rules = intake.rules.clone();
        let mut checkers: Vec<Checker<'_>> = sheets
            .iter()
            .enumerate()
            .map(|(index, (mapping, match_on))| Checker::new(mapping, &rules, match_on, intake.extra_cells(index)))
            .collect();
        self.progress.phase("checking");
        let needs = needs::gather(intake, &mut checkers, &self.covers, self.rows)?;
        self.progress.phase("looking up names");
        let client = &self.account.client;
        let progress = RefCell::new(&mut self.progress);
        let users = saying_why_it_waits(client, &progress, users(client, &needs.users)).await?;
        let mut say = |collection: &str, _| progress.borrow_mut().phase(&format!("looking up {collection}"));
        let mirror = mirror(self.account, self.printer);
        let copied = saying_why_it_waits(client, &progress, copied(self.account, mirror.as_ref(), &needs.records));
        let copied = copied.await?;
        for (collection, records) in copied.served()? {
            let records = thousands(records);
            self.printer
                .note(&format!("{collection}: {records} records from the local copy, brought up to date just now"));
        }
        let fetching = Catalog::fetch(&copied, &needs.records, &mut say);
        let mut catalog = saying_why_it_waits(client, &progress, fetching).await?;
        let knowledge = saying_why_it_waits(client, &progress, knowledge(client, intake, &catalog)).await?;
        self.progress.phase("planning");
        let mut planner = Planner {
            catalog: &mut catalog,
            users: &users,
            unknown: UnknownNames::default(),
            renamed: RenamedRecords::default(),
            exported: needs.exported,
            rules: &rules,
            create_missing: &self.covers,
            steps,
            totals: PlanTotals::default(),
            notifications: NotificationCount::default(),
            locks: RecordLocks::default(),
        };
        let mut overruled = 0;
        for (index, (mapping, match_on)) in sheets.iter().enumerate() {
            let sheet = SheetPlan {
                index: index as u16,
                mapping,
                match_on: match_on.clone(),
                encoding: intake.encoding_confidence(index),
                referenced: intake.referenced(index),
            };
            planner.steps.sheet(sheet.index, &intake.sheet_header(index))?;
            let pass = Pass { rows: self.rows, deed: self.deed, overruled: &mut overruled };
            pass.over(intake, index, &mut checkers[index], &sheet, &mut planner)?;
        }
        let used = self.account.client.requests().total;
        let requests = u64::from(planner.steps.count());
        let quota = self.account.quota;
        let planned = RunEstimate {
            requests,
            seconds: estimate::seconds(requests, used, quota, REQUESTS_PER_SECOND),
            emails: planner.notifications.sent,
            people: planner.notifications.people(),
            quota,
        };
        let Planner { steps, totals, .. } = planner;
        Ok((Plan { steps, totals, planned, knowledge, overruled }, catalog))
    }

    /// The end of a dry run: nothing was sent, and the result says what would be.
    pub(super) fn rehearsed(
        mut self,
        intake: &mut InputSet,
        plan: Plan,
        path: &ResultPath,
        head: RunHeader,
    ) -> Result<Exit, Error> {
        let book = path.open(ReportMode::DryRun)?;
        let heads = intake.sheet_headers();
        let journal = plan.steps.finish_dry_run()?;
        let mut summary = RunSummary::new(command(head.kind), head.id);
        add_rows(&mut summary, &journal, &heads, Unfinished::DryRun)?;
        let counted = self.account.client.requests();
        summary.files = intake.file_names();
        summary.skipped_sheets = intake.skipped.clone();
        summary.dry_run = true;
        summary.requests = Requests { total: counted.total, by_kind: counted.by_kind };
        summary.planned = Some(plan.planned);
        summary.options = head.details.options;
        summary.remarks.extend(self.account.client.warnings());
        if let Err(fault) = self.guard.check(&plan.totals) {
            summary.remarks.push(format!("a run would stop before it starts: {fault}"));
        }
        summary.remarks.extend(overruled_remark(plan.overruled));
        if !plan.totals.missing.is_empty() {
            summary.remarks.push(missing_remark("would also create", &plan.totals.missing));
        }
        let line = CommandLine::from_words(head.details.typed);
        summary.next = result::next_commands(&summary, line, path.as_path(), None);
        summary.seconds = self.started.elapsed().as_secs_f64();
        self.progress.phase("writing the result");
        write_result(RowSource::Files(intake), &journal, &heads, Unfinished::DryRun, book, &mut summary)?;
        summary.seconds = self.started.elapsed().as_secs_f64();
        self.progress.finish();
        print(&summary, self.printer)?;
        Ok(if summary.counts().failed > 0 { Exit::RowsFailed } else { Exit::Success })
    }
}

/// Does `work`, and says meanwhile what its requests wait for: that may last an hour.
pub(super) async fn saying_why_it_waits<T>(
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

/// The local copy that an export has left, if nobody works with it.
fn mirror(account: &Account, printer: Printer) -> Option<Mirror> {
    // A sandbox is at hand, and its file may have been made anew.
    let path = account.mirror_path().filter(|_| account.sandbox.is_none())?;
    Mirror::open_if_free(&path).unwrap_or_else(|error| {
        printer.warn(&format!("{error}; everything is read from the service instead"));
        None
    })
}

/// What need not be read from the service again.
async fn copied<'a>(
    account: &'a Account,
    mirror: Option<&'a Mirror>,
    needs: &LookupRequest,
) -> Result<CachedSource<'a, Client>, Error> {
    let client = &account.client;
    let Some(mirror) = mirror else { return Ok(CachedSource::uncached(client)) };
    let now = jiff::Timestamp::now().to_string();
    let concurrency = account.concurrency.into();
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency, now: &now };
    Ok(CachedSource::refreshed(client, mirror, needs, options).await?)
}

/// What later tells the run's own deeds from others': the sizes of collections, and how far the log went.
async fn knowledge(client: &Client, intake: &InputSet, catalog: &Catalog) -> Result<AccountSnapshot, Error> {
    let whole = catalog.costs().iter().filter(|cost| cost.how == FetchMethod::Pages);
    let sizes = whole.map(|cost| (cost.collection.to_owned(), cost.records)).collect();
    let has_actions = intake.sheets.iter().any(|sheet| sheet.mapping.entity.is_action());
    let log = match has_actions {
        true => LogPosition::read(client).await?,
        false => LogPosition::Unknown,
    };
    Ok(AccountSnapshot { sizes, log })
}

/// The ids of users that rows name by e-mail address, as the activity log tells them (field notes).
async fn users(client: &Client, emails: &[String]) -> Result<UserIds, Error> {
    let mut users = UserIds::new();
    for email in emails {
        let rows = client.activity(&[("user_email", email)], 1).await?;
        let id = rows.first().and_then(|row| row.get("user_id")).and_then(serde_json::Value::as_i64);
        users.insert(email.clone(), id);
    }
    Ok(users)
}

/// Nothing has been sent yet: an interrupt simply ends it.
pub(super) async fn or_interrupted<T>(
    shutdown: &mut ShutdownSignal,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = shutdown.next() => Err(Error::interrupted()),
        done = work => done,
    }
}

/// What the second pass over a sheet is to do.
struct Pass<'p> {
    rows: Rows,
    deed: RunKind,
    overruled: &'p mut u64,
}

impl Pass<'_> {
    /// Plans the rows of one sheet; rows that an earlier run finished are carried.
    fn over(
        self,
        intake: &mut InputSet,
        index: usize,
        checker: &mut Checker<'_>,
        sheet: &SheetPlan<'_>,
        planner: &mut Planner<'_, JournalBuilder>,
    ) -> Result<(), Error> {
        let earlier = self.rows.earlier(sheet.mapping);
        let secrets = sheet.mapping.secret_columns();
        let mut kept = Ok(());
        checker.rewind();
        intake.each_checked(index, checker, &mut |row, checked| {
            if kept.is_err() {
                return;
            }
            let planned = match earlier.and_then(|earlier| earlier.decided(sheet.mapping.entity, row)) {
                Some(decided) => Ok(decided),
                None if self.deed == RunKind::Delete => {
                    *self.overruled += delete_it(sheet, row, checked);
                    planner.row(sheet, row, checked).map(|decided| planned_row(checked, decided))
                }
                None => planner.row(sheet, row, checked).map(|decided| planned_row(checked, decided)),
            };
            kept = planned.and_then(|planned| {
                let withheld = |column: usize| secrets.contains(&column) || is_withheld(&planned.problems, column);
                planner.steps.row(row, &planned, &withheld)
            });
        })?;
        Ok(kept?)
    }
}

/// Makes a row of a delete ask for it, unless it asks to be skipped; 1 where it asked for something else.
fn delete_it(sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) -> u64 {
    let key = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
    let says_key = key.is_some_and(|column| !row.cell(column as usize).is_blank());
    if !says_key {
        // It may be another system's id: without a key beside it, it deletes nothing.
        checked.id = checked.id.filter(|id| id.ownership == IdOwnership::Verified);
    }
    match checked.action {
        Some(RowAction::Skip) => 0,
        asked => {
            checked.action = Some(RowAction::Delete);
            u64::from(matches!(asked, Some(RowAction::Write(_))))
        }
    }
}

/// What became of the verbs in a column `_action` of a delete.
pub(super) fn overruled_remark(rows: u64) -> Option<String> {
    let has = if rows == 1 { "has" } else { "have" };
    (rows > 0).then(|| format!("{} {has} an `_action` other than `skip`; `delete` ignores it", counted(rows, "row")))
}

/// A row that is not sent keeps the id that it came with: without it a corrected row would be a new record. An id that may
/// be another system's stays in its own column: in the result's it would be taken for one of ours.
fn planned_row(checked: &CheckedRow, RowPlan { decision, note }: RowPlan) -> PlannedRow {
    let own_id = checked.id.and_then(ParsedId::verified);
    let ended =
        |status, record| PlannedRow { state: RowState::Ended, status, record, message: note, problems: Vec::new() };
    match decision {
        RowDecision::Write(_, write) => {
            PlannedRow { state: RowState::Planned, ..ended(write.done_status(), write.record()) }
        }
        RowDecision::Unchanged(id) => ended(RowStatus::Unchanged, Some(id)),
        RowDecision::SkippedConflict { record, to: Conflicts::Skip } => ended(RowStatus::Skipped, Some(record)),
        RowDecision::SkippedConflict { record, .. } => ended(RowStatus::Unchanged, Some(record)),
        RowDecision::Skipped => ended(RowStatus::Skipped, own_id),
        RowDecision::Rejected(problems) => PlannedRow { problems, ..ended(RowStatus::Failed, own_id) },
    }
}
