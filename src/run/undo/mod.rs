//! Plans the undo of a run: reads what the account holds now, decides what is undone, and writes that into a journal.

pub(super) mod fetch;
mod journal;
mod notifications;

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::journal::{AccountSnapshot, Journal, JournalBuilder, RunHeader, RunKind, RunPhase, RunStore, StoredRun};
use super::prepare::{log_position, report_waits};
use crate::account::{Account, AccountIdentity};
use crate::catalog::LogPosition;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::undo::{RecreatedRecords, RunHistory, UndoItem, UndoPlanner};
use crate::plan::{RunEstimate, StepOutcome, StepResult};
use crate::wording::counted;

/// What is undone of a run, and what is not.
pub(crate) struct PreparedUndo {
    pub(crate) items: Vec<UndoItem>,
    pub(crate) estimate: RunEstimate,
    pub(crate) snapshot: AccountSnapshot,
    /// Steps of the run that were never sent.
    pub(crate) never_sent: u64,
}

/// What a run did.
///
/// # Errors
/// Where it cannot be undone: nothing was sent, the outcome of a request is unknown, or it is an undo itself.
pub(crate) fn run_history(journal: &Journal, header: &RunHeader, store: &RunStore) -> Result<RunHistory> {
    if journal.phase()?.0 == RunPhase::Planning {
        let message = format!("run {} was stopped while its plan was made: nothing was sent", header.id);
        return Err(Error::usage(message, "there is nothing to undo"));
    }
    if let (RunKind::Undo, Some(first)) = (header.kind, &header.undoes) {
        return Err(Error::usage(
            format!("run {} is itself the undo of run {first}", header.id),
            "bring the sheets in again with `tallyport import`",
        ));
    }
    if let Some(open) = unfinished_undo(store, &header.id)? {
        let message = format!("run {} is being undone by run {open}, which is not finished", header.id);
        return Err(Error::usage(message, format!("continue that one: tallyport resume {open}")));
    }
    let started = journal.started_at()?;
    let recreated = recreated_records(store, &header.account, started)?;
    let mut history = RunHistory::new(journal.account_snapshot()?.by_service_clock(started), recreated);
    let mut unknown = 0;
    journal.each_outcome(&mut |mut step, outcome: StepOutcome| {
        unknown += u64::from(outcome.result == StepResult::Unknown);
        history.record_step(&mut step, &outcome);
    })?;
    // What reconciliation could not determine stays unknown, and is reported; what was never reconciled may be found.
    match journal.unresolved_count()?.saturating_sub(unknown) {
        0 => Ok(history),
        lost => Err(Error::usage(
            format!("run {} has {} with unknown outcome", header.id, counted(lost, "request")),
            format!("finish it first: tallyport resume {}", header.id),
        )),
    }
}

/// An undo of the run that is at work, or was stopped and can continue.
fn unfinished_undo(store: &RunStore, run: &str) -> Result<Option<String>> {
    let is_open = |stored: &StoredRun| stored.overview.as_ref().is_ok_and(|run| run.phase != RunPhase::Finished);
    Ok(store.undos_of(run)?.into_iter().find(is_open).map(|stored| stored.id))
}

/// Decides what becomes of everything a run did. Only reads from the service.
///
/// # Errors
/// Where the journal or the service cannot be read.
pub(crate) async fn prepare(
    account: &Account,
    journal: &Journal,
    header: &RunHeader,
    history: &RunHistory,
    observer: &mut dyn Observer,
) -> Result<PreparedUndo> {
    let client = &account.client;
    let snapshot = journal.account_snapshot()?;
    let began = snapshot.by_service_clock(journal.started_at()?);
    let log = snapshot.log;
    let observer = RefCell::new(observer);
    // Of stock, the log is read before the items: what others do meanwhile is newer than its position.
    let moves_stock = !history.fetch_plan().logs.is_empty();
    let mut since = Timestamp::now();
    let mut position = if moves_stock { log_position(client, &observer).await? } else { LogPosition::Unknown };
    let mut on_collection = |name: &str| observer.borrow_mut().on_phase(&format!("looking at {name}"), None);
    let reading = fetch::fetch(client, history.fetch_plan(), began, &log, &mut on_collection);
    let mut present = report_waits(client, &observer, reading).await?;
    let today = TimeZone::system().to_datetime(Timestamp::now()).date();
    let mut undo = UndoPlanner::new(&header.id, history, &present, today);
    journal.each_outcome(&mut |mut step, outcome| undo.step(&mut step, &outcome))?;
    let items = undo.finish();
    let notifications = notifications::count(client, &items, &mut present).await?;
    if !moves_stock && items.iter().any(|item| item.entity.is_action() && item.kind().is_some()) {
        since = Timestamp::now();
        position = log_position(client, &observer).await?;
    }
    let requests = items.iter().filter(|item| item.kind().is_some()).count() as u64;
    let estimate = RunEstimate::new(requests, client.requests().total, account.quota, notifications);
    let clock_ahead = account.client.clock_ahead();
    let account = account.digest().to_owned();
    let snapshot = AccountSnapshot { account, clock_ahead, ..AccountSnapshot::default() }.with_log(position, since);
    Ok(PreparedUndo { items, estimate, snapshot, never_sent: journal.open_steps()? })
}

/// What undos of this machine created again in the account since a run began.
fn recreated_records(store: &RunStore, account: &AccountIdentity, began: Timestamp) -> Result<RecreatedRecords> {
    let mut recreated = Vec::new();
    for stored in store.list()? {
        let is_later_undo = stored.overview.as_ref().is_ok_and(|run| {
            let is_later = run.began >= began.as_millisecond();
            is_later && run.header.kind == RunKind::Undo && run.header.account.is_same(account)
        });
        if is_later_undo {
            recreated.extend(Journal::open_read_only(&stored.path)?.recreated_records()?);
        }
    }
    Ok(recreated.into_iter().collect())
}

impl PreparedUndo {
    /// Writes the plan of the undo of a run into a journal of its own, ready to be sent.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub(crate) fn write(&self, mut journal: JournalBuilder, undone: &Journal) -> Result<Journal> {
        let labels: Vec<String> = undone.sheets()?.into_iter().map(|sheet| sheet.label).collect();
        journal::write_plan(&mut journal, &undone.header()?.id, &self.items, &labels)?;
        Ok(journal.finish(&self.snapshot)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;

    use super::*;
    use crate::plan::{RowId, RowStatus, Step, StepRole, StepSink as _, WriteKind};
    use crate::run::journal::{JournalWriter, PlannedRow, RowState, RunDetails, SheetHeader, WriteCommand};
    use crate::schema;
    use crate::table::Row;

    /// Writes the journal of a run that made location 50 for a row about location 5.
    fn write_journal(store: &RunStore, id: &str, kind: RunKind, account: AccountIdentity) {
        let header = RunHeader { id: id.to_owned(), kind, account, undoes: None, details: RunDetails::default() };
        let mut builder = JournalBuilder::create(store.location(id), &header).unwrap();
        let locations = schema::collection("locations").unwrap();
        let sheet = SheetHeader::without_columns(locations);
        builder.sheet(0, &sheet).unwrap();
        let mut row = Row::default();
        row.clear(2);
        let (state, status, message, problems) = (RowState::Planned, RowStatus::Created, String::new(), Vec::new());
        let planned = PlannedRow { state, status, record: Some(5), message, problems };
        builder.row(&row, &planned, &|_| false).unwrap();
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, locations, WriteKind::Create);
        builder.push(&step).unwrap();
        let mut writer = JournalWriter::start(builder.finish(&AccountSnapshot::default()).unwrap()).unwrap();
        writer.append(WriteCommand::RecordIntent(0));
        let (message, problems) = (String::new(), Vec::new());
        let outcome =
            StepOutcome { step: 0, result: StepResult::Applied, record: Some(50), after: None, message, problems };
        writer.append(WriteCommand::RecordOutcome(outcome.into()));
        drop(writer.finish().unwrap());
    }

    #[test]
    fn what_undos_of_the_account_made_again_is_known_by_its_new_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        let account = AccountIdentity::SandboxFile { path: PathBuf::from("company.db"), tenant: None };
        let other = AccountIdentity::SandboxFile { path: PathBuf::from("other.db"), tenant: None };
        write_journal(&store, "20261124-093012-aaaa", RunKind::Import, account.clone());
        let current_id = |account, began| recreated_records(&store, account, began).unwrap().current_id("locations", 5);
        assert_eq!(current_id(&account, Timestamp::UNIX_EPOCH), 5);
        write_journal(&store, "20261124-093013-bbbb", RunKind::Undo, account.clone());
        assert_eq!(current_id(&account, Timestamp::UNIX_EPOCH), 50);
        assert_eq!(current_id(&other, Timestamp::UNIX_EPOCH), 5);
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        assert_eq!(current_id(&account, later), 5, "a run that began later has the new id");
    }
}
