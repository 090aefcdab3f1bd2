//! From mapped sheets to a plan: what imports and deletes have in common.
//!
//! Two passes over every sheet: the first checks the rows and collects what has to be looked up ([`lookups`]), the
//! second resolves and plans. Rows stream through both; what stays is the plan in its journal, and what is known of the
//! account.

mod sinks;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

pub(crate) use sinks::PlanSink;
use sinks::{Rejections, TrialSink};

use super::described::{DescribedRecords, Turn};
use super::input::{InputRow, InputSet, MappedSheet, RowRules, SheetRules};
use super::journal::{AccountSnapshot, EarlierRun, JournalBuilder, JournalError, PlannedRow, RowState, RunKind};
use super::lookups::{self, Lookups};
use super::previous_result::{DoneBefore, PreviousResult, RowSelection, Said, previous_results};
use super::prior_actions::{ActionsSince, KnownActions, LogReading};
use super::sent_values::JournaledValues;
use crate::account::Account;
use crate::api::Client;
use crate::catalog::{
    CachedSource, Catalog, FetchMethod, LogPosition, LookupRequest, Mirror, RefreshMode, RefreshOptions,
};
use crate::check::{
    Aliases, CheckedRow, Checker, Code, Conflicts, ParsedId, Problem, Remark, RemarkCode, RemarkTally, Repeats,
    RowAction, Rules, is_withheld,
};
use crate::error::{Error, Result};
use crate::mapping::{IdOwnership, Mapping, RecordOrigin};
use crate::observer::{Observer, Wait};
use crate::plan::resolver::{UnknownNames, UserIds};
use crate::plan::{
    ActionRequest, CreateMissing, LookAlikes, MovedItems, NotificationCount, PlanTotals, Planner, RecordLocks,
    RowDecision, RowId, RowLinks, RowPlan, RowStatus, RunEstimate, SheetPlan, StockChanges, UniqueValues,
};
use crate::schema::log_field;
use crate::shutdown::ShutdownSignal;
use crate::table::Row;
use crate::wording::{counted, thousands};

/// How often to look whether requests wait for the quota.
const WAIT_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Plans the rows of an import or a delete.
pub(crate) struct RunPlanner<'p> {
    pub(crate) account: &'p Account,
    /// Whether rows say what is done with their records, or all are deleted.
    pub(crate) kind: RunKind,
    pub(crate) create_missing: &'p CreateMissing,
    pub(crate) selection: RowSelection,
    pub(crate) reading: AccountReading,
}

/// What is read of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountReading {
    /// To plan a run: what rows name, from the local snapshot of an export where that can be brought up to date.
    Cached,
    /// To compare rows with it, each by itself: what they name, from the service itself.
    Fresh,
    /// To compare: also every other record of the sheets' own collections.
    Complete,
}

/// A plan in its sink, such as a journal; not sent yet.
pub(crate) struct PreparedRun<S = JournalBuilder> {
    pub(crate) steps: S,
    pub(crate) totals: PlanTotals,
    pub(crate) estimate: RunEstimate,
    /// The check-outs of which the service sends e-mails.
    pub(crate) notifying: HashSet<u32>,
    pub(crate) snapshot: AccountSnapshot,
    /// Rows of a delete whose `_action` asks for something else.
    pub(crate) overridden: u64,
    pub(crate) catalog: Catalog,
    /// What the user should know of how cells were read.
    pub(crate) remarks: Vec<Remark>,
    pub(crate) look_alikes: LookAlikes,
    /// Sheets that are results of earlier runs, as the journal keeps them.
    pub(crate) results_of: Vec<(u16, EarlierRun)>,
}

impl RunPlanner<'_> {
    /// Plans every row into `steps`. Only reads from the service.
    ///
    /// # Errors
    /// Where the input, the service or the journal fails.
    pub(crate) async fn plan<S: PlanSink>(
        &self,
        input: &mut InputSet,
        steps: S,
        observer: &mut dyn Observer,
    ) -> Result<PreparedRun<S>> {
        let sheets = input.sheet_rules();
        let (rules, row_rules) = (input.rules.clone(), RowRules::new(input.rules.clone()));
        let mut checkers = input.checkers(&sheets, &row_rules);
        observer.on_phase("checking", None);
        let results = previous_results(self.account, self.selection, input)?;
        let mut lookups = lookups::gather(input, &mut checkers, &results, self.create_missing)?;
        if self.reading == AccountReading::Complete {
            let own = input.sheets.iter().filter(|sheet| !sheet.is_further()).map(|sheet| sheet.mapping.entity);
            let own = own.chain(input.empty.iter().map(|file| file.entity));
            own.filter(|entity| entity.is_collection()).for_each(|entity| lookups.records.matching_any(entity.name));
        }
        observer.on_phase("looking up names", None);
        let observer = RefCell::new(observer);
        let client = &self.account.client;
        let users = report_waits(client, &observer, user_ids(client, &lookups.users)).await?;
        let mirror = self.mirror(&observer);
        let source = report_waits(client, &observer, self.cached_source(mirror.as_ref(), &lookups.records)).await?;
        for (collection, records) in source.served()? {
            let records = thousands(records);
            let note = format!("{collection}: {records} records from the local snapshot, brought up to date just now");
            observer.borrow_mut().on_note(&note);
        }
        let mut on_collection = |name: &str, _| observer.borrow_mut().on_phase(&format!("looking up {name}"), None);
        let fetching = Catalog::fetch(&source, &lookups.records, &mut on_collection);
        let mut catalog = report_waits(client, &observer, fetching).await?;
        let snapshot = match self.reading {
            AccountReading::Cached => {
                report_waits(client, &observer, snapshot(self.account, input, &catalog, &observer)).await?
            }
            // Of what is not sent nothing has to be told later.
            AccountReading::Fresh | AccountReading::Complete => AccountSnapshot::default(),
        };
        let requests = self.action_requests(input, (&mut checkers, &results), (&catalog, &users))?;
        let log_reading = match self.reading {
            AccountReading::Cached => LogReading::Unanswered,
            AccountReading::Fresh | AccountReading::Complete => LogReading::All,
        };
        let finding = KnownActions::find(self.account, requests, log_reading, &ActionsSince::Ever);
        let mut prior_actions = report_waits(client, &observer, finding).await?;
        let sent_values = JournaledValues::new(self.account);
        observer.borrow_mut().on_phase("planning", None);
        let mut withheld = HashSet::new();
        let mut trial_problems = HashMap::new();
        let places = input.places();
        let settings = (&rules, self.create_missing, &users, &lookups, places.as_slice());
        let is_sent = self.reading == AccountReading::Cached;
        while is_sent && input.sheets.iter().any(MappedSheet::is_further) {
            // A row of which one record has a problem sends nothing: which those are is known only when all are planned.
            let mut prior = prior_actions.clone();
            let trial = TrialSink::new(input, withheld.clone());
            let mut planner = planner((&mut catalog, &mut prior, &sent_values), trial, settings, &withheld);
            let pass = PlanPass {
                sheets: &sheets,
                results: &results,
                described: &lookups.described,
                trial_problems: &trial_problems,
            };
            self.plan_sheets(input, &pass, &mut checkers, &mut planner)?;
            let Rejections { rows, problems } = planner.steps.rejections();
            trial_problems.extend(problems);
            catalog.forget_planned();
            if rows.is_empty() {
                break;
            }
            withheld.extend(rows);
        }
        let mut planner = planner((&mut catalog, &mut prior_actions, &sent_values), steps, settings, &withheld);
        let pass = PlanPass {
            sheets: &sheets,
            results: &results,
            described: &lookups.described,
            trial_problems: &trial_problems,
        };
        let (overridden, remarks) = self.plan_sheets(input, &pass, &mut checkers, &mut planner)?;
        let (emails, people) = (planner.notifications.sent, planner.notifications.people());
        let Planner { steps, totals, notifications, .. } = planner;
        let look_alikes = self.look_alikes(&totals, &catalog, &rules.aliases)?;
        let (used, quota) = (client.requests().total, self.account.quota);
        let estimate = RunEstimate::new(steps.count().into(), used, quota, (emails, people));
        let run_of = |(sheet, result): (u16, &Option<PreviousResult>)| Some((sheet, result.as_ref()?.run()?.clone()));
        let results_of = (0..).zip(&results).filter_map(run_of).collect();
        let notifying = notifications.steps;
        Ok(PreparedRun {
            steps,
            totals,
            estimate,
            notifying,
            snapshot,
            overridden,
            catalog,
            remarks,
            look_alikes,
            results_of,
        })
    }

    /// The names that look alike. A delete creates nothing, whatever its rows name.
    fn look_alikes(&self, totals: &PlanTotals, catalog: &Catalog, aliases: &Aliases) -> Result<LookAlikes> {
        if self.kind == RunKind::Delete {
            return Ok(LookAlikes::default());
        }
        totals.names.validate_aliases(catalog, aliases)?;
        Ok(totals.names.report(Some(catalog), aliases))
    }

    /// Plans the rows of every sheet. Returns how many records were changed on the service and are overwritten, and the
    /// remarks.
    fn plan_sheets<S: PlanSink>(
        &self,
        input: &mut InputSet,
        pass: &PlanPass<'_>,
        checkers: &mut [Checker<'_>],
        planner: &mut Planner<'_, S>,
    ) -> Result<(u64, Vec<Remark>)> {
        let (mut overridden, mut remarks) = (0, Vec::new());
        let has_several = input.sheet_count() > 1;
        for (index, (mapping, _)) in pass.sheets.iter().enumerate() {
            let sheet = input.sheet_plan(index, &pass.sheets[index]);
            planner.steps.sheet(sheet.index, &input.sheet_header(index))?;
            let mut tally = RemarkTally::default();
            if sheet.owner.is_some() {
                self.plan_further(input, (&mut checkers[index], &mut tally), (&sheet, pass), planner)?;
            } else {
                let left = self.plan_sheet(input, (&mut checkers[index], &mut tally), (&sheet, pass), planner)?;
                overridden += left.overridden;
                remarks.extend(left.remarks(&input.label(index)));
            }
            let label = has_several.then(|| input.label(index));
            remarks.extend(tally.remarks(mapping, label.as_deref()));
        }
        planner.push_deletions()?;
        Ok((overridden, remarks))
    }

    /// Plans the further records of one kind that rows make.
    fn plan_further<S: PlanSink>(
        &self,
        input: &mut InputSet,
        (checker, remarks): (&mut Checker<'_>, &mut RemarkTally),
        (sheet, pass): (&SheetPlan<'_>, &PlanPass<'_>),
        planner: &mut Planner<'_, S>,
    ) -> Result<()> {
        let (mapping, described) = (sheet.mapping, pass.described);
        let owner = sheet.owner.unwrap_or(sheet.index);
        let (result, own) = (&pass.results[usize::from(sheet.index)], &pass.sheets[usize::from(owner)].0);
        let mut checked = CheckedRow::default();
        let mut reader = checker.helper();
        let mut stored: Result<(), JournalError> = Ok(());
        // Records that no row has made so far, for all its problems, by their first row: the next one that describes
        // such a record makes it, or has the same problem.
        let mut unmade: HashSet<u64> = HashSet::new();
        checker.rewind();
        input.each_row(sheet.index.into(), &mut |typed| {
            let is_skipped = |sheet| described.skipped.contains(&RowId { sheet, row: typed.number });
            if is_skipped(owner) || is_skipped(sheet.index) {
                return ControlFlow::Continue(());
            }
            let filled = checker.check(typed, &mut checked);
            if !checked.says_record {
                remarks.add(typed.number, &checked.remarks);
                return ControlFlow::Continue(());
            }
            let mut filled = filled.clone();
            let turn = match mapping.origin {
                RecordOrigin::Described => described.turn(sheet.index, &filled),
                RecordOrigin::Assignment | RecordOrigin::Rows => None,
            };
            let first = match turn {
                Some(Turn::Repeated(description)) if !unmade.contains(&description.first_row()) => {
                    return ControlFlow::Continue(());
                }
                Some(Turn::Conflict(problems)) => {
                    checked.problems.extend(problems.iter().cloned());
                    None
                }
                Some(Turn::First(description) | Turn::Repeated(description)) => {
                    filled = description.complete(&filled);
                    checker.check_again(typed, &filled, &mut checked);
                    Some(description.first_row())
                }
                None => None,
            };
            checked.contradicted_before = contradicted_before(result, own, typed);
            planner.steps.row_begins(sheet, &filled, &mut checked);
            let said = said(result, own, typed);
            if let Said::Done(before) = &said {
                checked.left_since = before.left_since(mapping.entity);
            }
            match said {
                Said::Done(before) if before.has_done(mapping.entity) => {
                    checked.earlier = Some(before.earlier(&mut reader));
                }
                // What was edited in a done row was edited on purpose.
                _ => checked.problems.extend(described.contradicted_by_finished(sheet.index, mapping, &filled)),
            }
            stored = planner.further_record(sheet, &filled, &mut checked).and_then(|plan| {
                let is_made = plan.as_ref().is_some_and(|plan| !matches!(plan.decision, RowDecision::Rejected(_)));
                match first {
                    Some(first) if is_made => drop(unmade.remove(&first)),
                    first => unmade.extend(first),
                }
                let planned = match plan {
                    Some(mut plan) => {
                        plan.changes.iter_mut().for_each(|change| change.column = checked.cell_of(change.column));
                        planner.steps.changes(&plan.changes)?;
                        let mut planned = planned_row(&checked, plan, mapping);
                        checked.locate_problems(&mut planned.problems, typed, mapping);
                        planned
                    }
                    None => match pass.problems(sheet.index, typed) {
                        problems if problems.is_empty() => return Ok(()),
                        problems => rejected_row(problems),
                    },
                };
                let mut row = Row::default();
                row.clear(typed.number);
                planner.steps.row(&row, &planned, &|_| true)
            });
            checked.locate_remarks();
            remarks.add(typed.number, &checked.remarks);
            if stored.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(stored?)
    }

    /// The actions that rows ask for and that may have happened before.
    fn action_requests(
        &self,
        input: &mut InputSet,
        (checkers, results): (&mut [Checker<'_>], &[Option<PreviousResult>]),
        account: (&Catalog, &UserIds),
    ) -> Result<Vec<ActionRequest>> {
        let mut requests = Vec::new();
        if input.rules.repeats == Repeats::Sent {
            return Ok(requests);
        }
        for (index, checker) in checkers.iter_mut().enumerate() {
            let mapping = input.sheets[index].mapping.clone();
            if !mapping.entity.is_action() {
                continue;
            }
            if let Some(owner) = input.owner_of(index) {
                requests.extend(ActionRequest::of_unnamed(account.0, mapping.entity));
                let own = input.sheets[owner].mapping.clone();
                input.each_row(index, &mut |typed| {
                    if let Said::Done(before) = said(&results[index], &own, typed)
                        && let (Some(_), Some(item)) = (before.left_since(mapping.entity), before.record())
                    {
                        requests.extend(ActionRequest::of_item(account.0, mapping.entity, item));
                    }
                    ControlFlow::Continue(())
                })?;
                continue;
            }
            checker.rewind();
            input.each_checked(index, checker, &mut |InputRow { typed, filled }, checked| {
                if matches!(said(&results[index], &mapping, typed), Said::Nothing) {
                    requests.extend(ActionRequest::of_row(account, &mapping, filled, checked));
                }
            })?;
        }
        Ok(requests)
    }

    /// Plans the rows of one sheet; rows that an earlier run finished are carried.
    fn plan_sheet<S: PlanSink>(
        &self,
        input: &mut InputSet,
        (checker, remarks): (&mut Checker<'_>, &mut RemarkTally),
        (sheet, pass): (&SheetPlan<'_>, &PlanPass<'_>),
        planner: &mut Planner<'_, S>,
    ) -> Result<LeftRows> {
        let result = &pass.results[usize::from(sheet.index)];
        let secrets = sheet.mapping.secret_columns();
        let mut left = LeftRows::default();
        let mut reader = checker.helper();
        let mut stored: Result<(), JournalError> = Ok(());
        checker.rewind();
        input.each_checked(sheet.index.into(), checker, &mut |InputRow { typed, filled }, checked| {
            if stored.is_err() {
                return;
            }
            let before = match said(result, sheet.mapping, typed) {
                Said::Nothing => Ok(None),
                Said::Done(before) => Ok(Some(before)),
                Said::Decided(decided) => Err(decided),
                Said::Edited(decided) => {
                    left.edited += 1;
                    Err(decided)
                }
            };
            let plan = |before: Option<DoneBefore>| {
                if self.kind == RunKind::Delete {
                    left.overridden += u64::from(request_deletion(sheet, filled, checked));
                }
                checked.earlier = before.as_ref().map(|before| before.earlier(&mut reader));
                checked.contradicted_before = contradicted_before(result, sheet.mapping, typed);
                planner.steps.row_begins(sheet, filled, checked);
                let mut plan = planner.row(sheet, filled, checked)?;
                let is_gone = matches!(&plan.decision, RowDecision::Rejected(problems)
                    if problems.iter().any(|problem| problem.code() == Code::RecordMissing));
                // A row of which one record has a problem sends nothing. The problem may be that of this record.
                let is_withheld = matches!(&plan.decision, RowDecision::Rejected(problems) if problems.is_empty());
                let problems = if is_withheld { pass.problems(sheet.index, typed) } else { Vec::new() };
                let before = before.filter(|_| problems.is_empty());
                if let Some(kept) = before.and_then(|before| before.keep(&plan.decision, is_gone)) {
                    left.gone += u64::from(is_gone);
                    return Ok(kept);
                }
                plan.changes.iter_mut().for_each(|change| change.column = checked.cell_of(change.column));
                planner.steps.changes(&plan.changes)?;
                planner.steps.read_only(std::mem::take(&mut plan.read_only));
                checked.locate(typed, sheet.mapping);
                remarks.add(typed.number, &checked.remarks);
                let mut planned = planned_row(checked, plan, sheet.mapping);
                checked.locate_problems(&mut planned.problems, typed, sheet.mapping);
                if is_withheld {
                    planned.problems = problems;
                }
                Ok(planned)
            };
            let planned = before.map_or_else(Ok, plan);
            stored = planned.and_then(|planned| {
                let withheld = |column: usize| secrets.contains(&column) || is_withheld(&planned.problems, column);
                planner.steps.row(typed, &planned, &withheld)
            });
        })?;
        stored?;
        Ok(left)
    }

    /// The local snapshot that an export has left, if nobody works with it.
    fn mirror(&self, observer: &RefCell<&mut dyn Observer>) -> Option<Mirror> {
        // A sandbox is at hand, and its file may have been made anew.
        let is_wanted = self.reading == AccountReading::Cached && self.account.sandbox.is_none();
        let path = self.account.mirror_path().filter(|_| is_wanted)?;
        Mirror::open_if_free(&path).unwrap_or_else(|error| {
            observer.borrow_mut().on_warning(&format!("{error}; everything is read from the service instead"));
            None
        })
    }

    /// Records from the local snapshot where it can be brought up to date cheaply.
    async fn cached_source<'s>(
        &'s self,
        mirror: Option<&'s Mirror>,
        lookups: &LookupRequest,
    ) -> Result<CachedSource<'s, Client>> {
        let client = &self.account.client;
        let Some(mirror) = mirror else { return Ok(CachedSource::uncached(client)) };
        let now = jiff::Timestamp::now().to_string();
        let concurrency = self.account.concurrency.into();
        let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency, now: &now };
        Ok(CachedSource::refreshed(client, mirror, lookups, options).await?)
    }
}

/// What an earlier result says of a row.
fn said(result: &Option<PreviousResult>, mapping: &Mapping, row: &Row) -> Said {
    result.as_ref().map_or(Said::Nothing, |result| result.said(mapping.entity, row))
}

/// The columns of the cells for which a row failed in an earlier run, because another row changed or deleted what they name.
fn contradicted_before(result: &Option<PreviousResult>, mapping: &Mapping, row: &Row) -> Vec<u32> {
    result.as_ref().map(|result| result.contradicted(mapping.entity, row)).unwrap_or_default()
}

/// Rows of a sheet with which the run does something else than they seem to ask for.
#[derive(Debug, Clone, Copy, Default)]
struct LeftRows {
    /// They ask in vain for something else than the run does.
    overridden: u64,
    /// They are done, and the account lacks their records.
    gone: u64,
    /// They were edited, and are not sent again.
    edited: u64,
}

impl LeftRows {
    fn remarks(self, label: &str) -> impl Iterator<Item = Remark> {
        let gone = (self.gone > 0).then(|| {
            let (rows, records) = if self.gone == 1 { ("row is", "its record") } else { ("rows are", "their records") };
            let count = thousands(self.gone);
            format!(
                "{label}: {count} {rows} done by an earlier run, but the account lacks {records}; if that run was undone, or was \
                 on another account, import the original file, or empty `_status` and `_id` there"
            )
        });
        let edited = (self.edited > 0).then(|| {
            let rows = counted(self.edited, "row");
            format!("{label}: {rows} edited since the earlier run and not sent again; empty `_status` there to send what it says")
        });
        let remark = |message| Remark::new(RemarkCode::RowsCarried, message);
        gone.into_iter().chain(edited).map(remark)
    }
}

/// What every pass over the rows needs.
struct PlanPass<'p> {
    sheets: &'p [SheetRules],
    results: &'p [Option<PreviousResult>],
    described: &'p DescribedRecords,
    /// What earlier passes said against records. A row of which nothing is sent is not looked at so far again.
    trial_problems: &'p HashMap<RowId, Vec<Problem>>,
}

impl PlanPass<'_> {
    fn problems(&self, sheet: u16, row: &Row) -> Vec<Problem> {
        self.trial_problems.get(&RowId { sheet, row: row.number }).cloned().unwrap_or_default()
    }
}

type PlanSettings<'p> = (&'p Rules, &'p CreateMissing, &'p UserIds, &'p Lookups, &'p [String]);

fn planner<'p, S>(
    (catalog, prior_actions, sent_values): (&'p mut Catalog, &'p mut KnownActions, &'p JournaledValues<'p>),
    steps: S,
    (rules, create_missing, users, lookups, places): PlanSettings<'p>,
    withheld: &'p HashSet<RowId>,
) -> Planner<'p, S> {
    Planner {
        catalog,
        users,
        unknown: UnknownNames::default(),
        exported: lookups.exported,
        zero_padded: &lookups.zero_padded,
        rules,
        create_missing,
        descriptions: &lookups.descriptions,
        missing: HashSet::new(),
        steps,
        totals: PlanTotals::default(),
        notifications: NotificationCount::default(),
        locks: RecordLocks::new(places.to_vec(), Rc::clone(&lookups.finished)),
        prior_actions,
        sent_values,
        moved: MovedItems::default(),
        custom_written: HashMap::new(),
        deletions: Vec::new(),
        stock: StockChanges::default(),
        unique: UniqueValues::default(),
        links: RowLinks::default(),
        withheld,
        unmade: HashSet::new(),
    }
}

/// Does `work`, and reports meanwhile what its requests wait for: that may last an hour.
pub(crate) async fn report_waits<T>(
    client: &Client,
    observer: &RefCell<&mut (impl Observer + ?Sized)>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                observer.borrow_mut().on_wait(None);
                return done;
            }
            () = tokio::time::sleep(WAIT_CHECK_INTERVAL) => {
                let wait = client.waiting().map(Wait::RateLimit);
                observer.borrow_mut().on_wait(wait.as_ref());
            }
        }
    }
}

/// Does `work` of which nothing has been sent yet: a request to stop simply ends it.
///
/// # Errors
/// Those of the work, and [`Error::interrupted`].
pub(crate) async fn unless_interrupted<T>(
    shutdown: &mut ShutdownSignal,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = shutdown.next() => Err(Error::interrupted()),
        done = work => done,
    }
}

/// What later tells the run's own changes from those of others: the sizes of collections, and how far the log went.
async fn snapshot(
    account: &Account,
    input: &InputSet,
    catalog: &Catalog,
    observer: &RefCell<&mut dyn Observer>,
) -> Result<AccountSnapshot> {
    let client = &account.client;
    let whole = catalog.costs().iter().filter(|cost| cost.how == FetchMethod::Pages);
    let sizes = whole.map(|cost| (cost.collection.to_owned(), cost.records)).collect();
    let has_actions = input.sheets.iter().any(|sheet| sheet.mapping.entity.is_action());
    let since = jiff::Timestamp::now();
    let log = if has_actions { log_position(client, observer).await? } else { LogPosition::Unknown };
    let (account, clock_ahead) = (account.digest().to_owned(), client.clock_ahead());
    Ok(AccountSnapshot { sizes, account, clock_ahead, ..AccountSnapshot::default() }.with_log(log, since))
}

/// Where the activity log stands, before check-ins and check-outs are sent. Warns where it cannot be read.
pub(crate) async fn log_position(client: &Client, observer: &RefCell<&mut dyn Observer>) -> Result<LogPosition> {
    let position = LogPosition::read(client).await?;
    if position == LogPosition::Unknown {
        observer.borrow_mut().on_warning(
            "the activity log cannot be read; if the response to a check-in or check-out is lost, it may stay unknown \
             whether it was applied",
        );
    }
    Ok(position)
}

/// The ids of users that rows name by e-mail address, as the activity log shows them (field notes).
async fn user_ids(client: &Client, emails: &[String]) -> Result<UserIds> {
    let mut users = UserIds::new();
    for email in emails {
        let rows = client.activity(&[(log_field::USER_EMAIL, email)], 1).await?;
        let id = rows.first().and_then(|row| row.get(log_field::USER_ID)).and_then(serde_json::Value::as_i64);
        users.insert(email.clone(), id);
    }
    Ok(users)
}

/// Makes a row of a delete ask for it, unless it asks to be skipped. Returns whether it asked for something else.
fn request_deletion(sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) -> bool {
    let key = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
    let has_key = key.is_some_and(|column| !row.cell(column as usize).is_blank());
    if !has_key {
        // It may be another system's id: without a key beside it, it deletes nothing.
        checked.id = checked.id.filter(|id| id.ownership == IdOwnership::Verified);
    }
    if checked.action == Some(RowAction::Skip) {
        return false;
    }
    let asked = checked.action.replace(RowAction::Delete);
    matches!(asked, Some(RowAction::Write(_)))
}

fn is_rejected(planned: &PlannedRow) -> bool {
    planned.state == RowState::Ended && planned.status == RowStatus::Failed
}

/// A further record with problems.
fn rejected_row(problems: Vec<Problem>) -> PlannedRow {
    let (state, status) = (RowState::Ended, RowStatus::Failed);
    PlannedRow { state, status, record: None, message: String::new(), problems }
}

/// A row that is not sent keeps the id that it came with: without it a corrected row would be a new record. An id that
/// may be another system's stays in its own column: in the result's it would be taken for one of ours.
fn planned_row(checked: &CheckedRow, plan: RowPlan, mapping: &Mapping) -> PlannedRow {
    let RowPlan { decision, note, .. } = plan;
    let own_id = checked.id.and_then(ParsedId::verified);
    let ended =
        |status, record| PlannedRow { state: RowState::Ended, status, record, message: note, problems: Vec::new() };
    match decision {
        RowDecision::Write(_, write) => {
            PlannedRow { state: RowState::Planned, ..ended(write.done_status(), write.record()) }
        }
        RowDecision::Delete(id) => PlannedRow { state: RowState::Planned, ..ended(RowStatus::Deleted, Some(id)) },
        RowDecision::Unchanged(id) => ended(RowStatus::Unchanged, Some(id)),
        RowDecision::AlreadyDone => ended(RowStatus::Unchanged, None),
        RowDecision::SkippedConflict { record, to: Conflicts::Skip } => ended(RowStatus::Skipped, Some(record)),
        RowDecision::SkippedConflict { record, .. } => ended(RowStatus::Unchanged, Some(record)),
        RowDecision::Skipped => {
            let message = checked.non_record.map_or_else(String::new, |kind| kind.text(mapping));
            PlannedRow { message, ..ended(RowStatus::Skipped, own_id) }
        }
        RowDecision::Rejected(problems) => PlannedRow { problems, ..ended(RowStatus::Failed, own_id) },
    }
}

#[cfg(test)]
pub(in crate::run) mod tests;
