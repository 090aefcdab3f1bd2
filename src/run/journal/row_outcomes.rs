//! What became of every row, read from the journal: what was planned for it, joined with how its steps ended.
//!
//! This is the only record of row outcomes. Rows and steps lie in the order of the plan, so that both are read once,
//! in batches, whatever the size of the run. Only deletions come after all other steps: they are read beside these.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use serde_json::Value as Json;

use super::builder::row_keys;
use super::encoding::{Columns, PARTS, RESULTS, ROW_STATES, decode_entity, decode_write};
use super::read::{PLANNED_COLUMNS, planned_row};
use super::{Journal, JournalError, PlannedRow, RowState};
use crate::check::Problem;
use crate::plan::{FieldChange, RowOutcome, RowStatus, StepResult, StepRole, WriteKind};
use crate::schema::{Entity, Role, Verb};

/// Rows, and steps, that are read at a time.
const BATCH: i64 = 512;

/// A row with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedRow {
    /// As a spreadsheet shows it, from 1.
    pub number: u64,
    pub ending: RowEnding,
    pub outcome: RowOutcome,
    /// When the service changed the record for this run, where it said so.
    pub changed_at: Option<Timestamp>,
    /// What became of each of its records, where the row makes several.
    pub(crate) records: Option<RecordEndings>,
}

/// What became of the records of a row that makes several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordEndings {
    /// Of the row's own.
    pub own: RowStatus,
    /// Whether an earlier run had finished the row's own.
    pub is_own_carried: bool,
    /// The collections and actions of the further ones that were not finished.
    pub left: Vec<&'static str>,
    /// Of those that were.
    pub done: Vec<&'static str>,
}

/// How far a row got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowEnding {
    /// Its outcome is known, or can no longer be found out.
    Final,
    /// An earlier run finished it, and its result says so.
    Carried,
    /// The run is at work, or can continue: it does not count yet.
    Open,
    /// It says more of the record above, and ends as that.
    Detail,
}

/// What a row without an outcome is.
#[derive(Debug, Clone, Copy)]
pub enum Unfinished<'r> {
    /// What the plan says: nothing is ever sent.
    DryRun,
    /// Still to come.
    Open,
    /// Over, for that reason.
    Stopped(&'r str),
}

/// How a step of a row ended; no result where it has not.
struct StepEnd {
    number: u32,
    row: u64,
    role: StepRole,
    write: WriteKind,
    was_sent: bool,
    result: Option<StepResult>,
    record: Option<i64>,
    changed_at: Option<Timestamp>,
    message: String,
    problems: Vec<Problem>,
    entity: &'static Entity,
}

/// A row as it was planned.
struct UnjoinedRow {
    number: u64,
    planned: PlannedRow,
    changes: Vec<FieldChange>,
}

/// The rows of a sheet with their outcomes, in the order of the sheet.
pub struct RowOutcomes<'j> {
    journal: &'j Journal,
    sheet: u16,
    unfinished: Unfinished<'j>,
    rows: VecDeque<UnjoinedRow>,
    /// None once all rows are read.
    next_row: Option<i64>,
    steps: StepQueue,
    deletions: StepQueue,
}

/// Steps of a sheet, in the order of its rows.
struct StepQueue {
    /// Which steps, as a condition in SQL.
    kind: &'static str,
    steps: VecDeque<StepEnd>,
    /// None once all steps are read.
    next_step: Option<u32>,
}

/// A record that an undo created again: its collection and old id, and its new id.
pub(crate) type RecreatedRecord = ((&'static str, i64), i64);

impl Journal {
    /// The rows of a sheet with what became of them, as far as the run has got.
    pub fn row_outcomes<'j>(&'j self, sheet: u16, unfinished: Unfinished<'j>) -> RowOutcomes<'j> {
        let next_row = Some(row_keys(sheet).start);
        let (steps, deletions) = (StepQueue::of("s.write <> 'delete'"), StepQueue::of("s.write = 'delete'"));
        RowOutcomes { journal: self, sheet, unfinished, rows: VecDeque::new(), next_row, steps, deletions }
    }

    /// How many rows have failed for good: rejected by the plan, or refused by the service.
    pub(crate) fn failed_rows(&self) -> Result<u64, JournalError> {
        // Sheets of one place share their rows.
        let sql = "SELECT count(*) FROM (\
                   SELECT place, row FROM row JOIN sheet USING (sheet) WHERE state = ?1 AND status = ?2 UNION \
                   SELECT h.place, s.row FROM outcome o JOIN step s USING (step) JOIN sheet h ON h.sheet = s.sheet \
                   WHERE s.part = ?3 AND o.result = ?4)";
        let (ended, failed) = (ROW_STATES.encode(RowState::Ended), RowStatus::Failed.as_str());
        let values = params![ended, failed, PARTS.encode(StepRole::Row), RESULTS.encode(StepResult::Failed)];
        let count = self.file.attempt(|connection| connection.query_row(sql, values, |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// The records that rows write to by the plan, in the order of the sheets.
    pub(crate) fn planned_records(&self) -> Result<Vec<i64>, JournalError> {
        let sql = "SELECT record FROM row WHERE state = ?1 AND record IS NOT NULL ORDER BY id";
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([ROW_STATES.encode(RowState::Planned)], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Of an undo: the records that it created again, by collection and previous id, with their new ids.
    pub(crate) fn recreated_records(&self) -> Result<Vec<RecreatedRecord>, JournalError> {
        let sql = "SELECT s.entity, r.record, o.record FROM step s JOIN outcome o USING (step) \
                   JOIN row r ON r.sheet = s.sheet AND r.row = s.row \
                   WHERE s.write = 'create' AND o.result = ?1 AND r.record IS NOT NULL AND o.record IS NOT NULL";
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(params![RESULTS.encode(StepResult::Applied)], |row| {
                Ok(((decode_entity(&row.get::<_, String>(0)?)?.name, row.get(1)?), row.get(2)?))
            })?;
            rows.collect()
        })
    }

    /// The records created because rows name them, by collection.
    pub(crate) fn created_dependencies(&self) -> Result<BTreeMap<&'static str, u64>, JournalError> {
        let sql = "SELECT s.entity, count(*) FROM step s JOIN outcome o USING (step) \
                   WHERE s.part = ?1 AND o.result = ?2 GROUP BY s.entity";
        let values = params![PARTS.encode(StepRole::Dependency), RESULTS.encode(StepResult::Applied)];
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(values, |row| {
                let entity = decode_entity(&row.get::<_, String>(0)?)?;
                Ok((entity, row.get::<_, i64>(1)? as u64))
            })?;
            // A check-in is no record.
            let is_record = |(entity, _): &(&'static Entity, u64)| entity.is_collection();
            let records = rows.filter(|row| row.as_ref().map_or(true, is_record));
            records.map(|row| row.map(|(entity, count)| (entity.name, count))).collect()
        })
    }
}

impl RowOutcomes<'_> {
    fn next_row(&mut self) -> Result<Option<UnjoinedRow>, JournalError> {
        if let (true, Some(first)) = (self.rows.is_empty(), self.next_row) {
            self.read_rows(first)?;
        }
        Ok(self.rows.pop_front())
    }

    /// Whether the journal tells what rows change: those of earlier versions do not.
    fn has_changes(&self) -> Result<bool, JournalError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'change')";
        self.journal.file.attempt(|connection| connection.prepare_cached(sql)?.query_row([], |row| row.get(0)))
    }

    fn read_rows(&mut self, first: i64) -> Result<(), JournalError> {
        let (changes, table) = match self.has_changes()? {
            true => ("changes", "row LEFT JOIN change USING (id)"),
            false => ("NULL", "row"),
        };
        let sql = format!(
            "SELECT id, row, {PLANNED_COLUMNS}, {changes} FROM {table} WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3"
        );
        let keys = row_keys(self.sheet);
        let mut last = None;
        let rows = &mut self.rows;
        self.journal.file.attempt(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![first, keys.end, BATCH])?;
            while let Some(row) = found.next()? {
                let mut columns = Columns::of(row);
                last = Some(columns.get::<i64>()?);
                rows.push_back(unjoined_row(&mut columns)?);
            }
            Ok(())
        })?;
        let is_full = rows.len() as i64 == BATCH;
        self.next_row = last.filter(|_| is_full).map(|last| last + 1);
        Ok(())
    }

    /// The next step of that row.
    fn next_step_of(&mut self, row: u64) -> Result<Option<StepEnd>, JournalError> {
        let (journal, sheet) = (self.journal, self.sheet);
        match self.steps.next_of(row, journal, sheet)? {
            None => self.deletions.next_of(row, journal, sheet),
            step => Ok(step),
        }
    }

    fn finish(&mut self, row: UnjoinedRow) -> Result<FinishedRow, JournalError> {
        let number = row.number;
        let mut row = JoinedRow::new(row);
        while row.planned.state == RowState::Planned && row.end.is_none() {
            let Some(step) = self.next_step_of(number)? else { break };
            row.add(step);
        }
        Ok(row.finish(self.unfinished))
    }
}

impl StepQueue {
    fn of(kind: &'static str) -> Self {
        Self { kind, steps: VecDeque::new(), next_step: Some(0) }
    }

    /// The next step, if it is one of that row.
    fn next_of(&mut self, row: u64, journal: &Journal, sheet: u16) -> Result<Option<StepEnd>, JournalError> {
        if let (true, Some(first)) = (self.steps.is_empty(), self.next_step) {
            self.read(first, journal, sheet)?;
        }
        Ok(self.steps.pop_front_if(|step| step.row == row))
    }

    fn read(&mut self, first: u32, journal: &Journal, sheet: u16) -> Result<(), JournalError> {
        let sql = format!(
            "SELECT s.step, s.row, s.part, s.write, s.record, i.step IS NOT NULL, o.result, \
             o.record, o.after, o.message, o.problems, s.entity \
             FROM step s LEFT JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE s.step >= ?1 AND s.sheet = ?2 AND {} ORDER BY s.step LIMIT ?3",
            self.kind
        );
        let steps = &mut self.steps;
        journal.file.attempt(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![first, sheet, BATCH])?;
            while let Some(row) = found.next()? {
                steps.push_back(step_end(&mut Columns::of(row))?);
            }
            Ok(())
        })?;
        let is_full = steps.len() as i64 == BATCH;
        self.next_step = steps.back().filter(|_| is_full).map(|step| step.number + 1);
        Ok(())
    }
}

impl Iterator for RowOutcomes<'_> {
    type Item = Result<FinishedRow, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_row() {
            Ok(row) => row.map(|row| self.finish(row)),
            Err(error) => {
                // A journal that cannot be read is told once.
                (self.next_row, self.rows) = (None, VecDeque::new());
                Some(Err(error))
            }
        }
    }
}

/// A row with those of its steps that were read so far.
struct JoinedRow {
    number: u64,
    planned: PlannedRow,
    /// How the row's own step ended.
    end: Option<RowStatus>,
    /// A request was sent whose response nobody has seen.
    is_unresolved: bool,
    /// What the plan says of an item that the run has taken back from its holder for this row.
    returned: Option<String>,
    changed_at: Option<Timestamp>,
    changes: Vec<FieldChange>,
}

impl JoinedRow {
    fn new(UnjoinedRow { number, planned, changes }: UnjoinedRow) -> Self {
        Self { number, planned, end: None, is_unresolved: false, returned: None, changed_at: None, changes }
    }

    fn add(&mut self, step: StepEnd) {
        // A check-in before the row's own check-out changes the same record.
        if step.role == StepRole::Row || step.entity.is_action() {
            self.changed_at = self.changed_at.max(step.changed_at);
        }
        self.is_unresolved |= step.was_sent && matches!(step.result, None | Some(StepResult::Unknown));
        match (step.role, step.result) {
            (StepRole::Dependency, Some(StepResult::Applied)) if step.entity.role == Role::Action(Verb::Checkin) => {
                self.returned = Some(self.planned.message.clone());
            }
            (_, None) | (StepRole::Dependency, Some(StepResult::Applied | StepResult::AlreadyApplied)) => {}
            // A record that the row names: the row's own step says the rest.
            (StepRole::Dependency, Some(_)) => self.planned.problems.extend(step.problems),
            (StepRole::Row, Some(result)) => {
                self.end = Some(match result {
                    StepResult::Applied => step.write.done_status(),
                    StepResult::AlreadyApplied => RowStatus::Unchanged,
                    StepResult::Failed => RowStatus::Failed,
                    StepResult::Unknown => RowStatus::Unknown,
                });
                self.planned.record = step.record.or(self.planned.record);
                if !step.message.is_empty() || !step.problems.is_empty() {
                    self.planned.message = step.message;
                    self.planned.problems.extend(step.problems);
                }
            }
        }
    }

    fn finish(self, unfinished: Unfinished<'_>) -> FinishedRow {
        let planned = self.planned;
        let (mut status, mut message) = (self.end.unwrap_or(planned.status), planned.message);
        let ending = match (planned.state, self.end, unfinished) {
            (RowState::Carried, _, _) => RowEnding::Carried,
            (RowState::Detail, _, _) => RowEnding::Detail,
            (RowState::Ended, _, _) | (_, Some(_), _) | (_, _, Unfinished::DryRun) => RowEnding::Final,
            (RowState::Planned, None, Unfinished::Open) => {
                status = RowStatus::Failed;
                RowEnding::Open
            }
            // The pessimistic outcome: "not sent" would invite to send it again.
            (RowState::Planned, None, Unfinished::Stopped(_)) if self.is_unresolved => {
                status = RowStatus::Unknown;
                message = String::from(UNRESOLVED);
                RowEnding::Final
            }
            (RowState::Planned, None, Unfinished::Stopped(reason)) => {
                status = RowStatus::NotSent;
                message = format!("not sent: {reason}");
                RowEnding::Final
            }
        };
        let is_out = status.is_written() || status == RowStatus::Unchanged || ending == RowEnding::Open;
        if let Some(planned) = self.returned.filter(|_| !is_out) {
            let certain = if status == RowStatus::Unknown { ONLY_RETURN_CERTAIN } else { ONLY_RETURNED };
            let mut parts = vec![message, planned];
            parts.retain(|part| !part.is_empty());
            parts.dedup();
            message = format!("{}: {certain}", parts.join("; "));
        }
        let (message, problems) = (message.into(), planned.problems);
        // What was not sent has changed nothing.
        let changes = if status.is_written() { self.changes } else { Vec::new() };
        let outcome = RowOutcome { status, id: planned.record, message, problems, changes };
        FinishedRow { number: self.number, ending, outcome, changed_at: self.changed_at, records: None }
    }
}

const ONLY_RETURNED: &str = "only the check-in was done, so nobody has it now";
const ONLY_RETURN_CERTAIN: &str = "only the check-in is known to be done";

const UNRESOLVED: &str = "no response was received and the run stopped before checking; run `tallyport resume`";

fn unjoined_row(columns: &mut Columns<'_, '_>) -> rusqlite::Result<UnjoinedRow> {
    let (number, planned) = (columns.get::<i64>()? as u64, planned_row(columns)?);
    let changes = columns.text_if_any()?.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Ok(UnjoinedRow { number, planned, changes })
}

fn step_end(columns: &mut Columns<'_, '_>) -> rusqlite::Result<StepEnd> {
    Ok(StepEnd {
        number: columns.get()?,
        row: columns.get::<i64>()? as u64,
        role: columns.state(&PARTS)?,
        write: decode_write(columns.text()?, columns.get()?)?,
        was_sent: columns.get()?,
        result: columns.text_if_any()?.map(|name| RESULTS.decode(name)).transpose()?,
        record: columns.get()?,
        changed_at: columns.json_if_any::<ChangedRecord>()?.and_then(ChangedRecord::at),
        message: columns.get::<Option<String>>()?.unwrap_or_default(),
        problems: columns.problems()?,
        entity: decode_entity(columns.text()?)?,
    })
}

/// When the service changed a record, as its reply says. Everything else of the reply is passed over.
#[derive(Debug, Deserialize)]
struct ChangedRecord {
    /// [`TimestampColumn::Updated`].
    #[serde(default)]
    updated_at: Json,
}

impl ChangedRecord {
    fn at(self) -> Option<Timestamp> {
        self.updated_at.as_str()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::super::writer::commit_all;
    use super::super::{
        AccountSnapshot, JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind, SheetHeader, WriteCommand,
    };
    use super::*;
    use crate::account::AccountIdentity;
    use crate::check::{Code, ValueError};
    use crate::plan::{RowId, Step, StepOutcome, StepSink as _};
    use crate::schema;
    use crate::table::Row;

    fn problem(code: Code) -> Problem {
        ValueError::without_hint(code, "wrong").at(None, "")
    }

    fn planned(state: RowState, status: RowStatus) -> PlannedRow {
        PlannedRow { state, status, record: None, message: String::new(), problems: Vec::new() }
    }

    fn outcome(step: u32, result: StepResult) -> WriteCommand {
        let problems = match result {
            StepResult::Failed => vec![problem(Code::ServiceRefused)],
            StepResult::Unknown => vec![problem(Code::ServiceUnknown)],
            StepResult::Applied | StepResult::AlreadyApplied => Vec::new(),
        };
        let record = Some(70 + i64::from(step));
        let outcome = StepOutcome { step, result, record, after: None, message: String::new(), problems };
        WriteCommand::RecordOutcome(Arc::new(outcome))
    }

    /// A journal of rows from row 2 on, each planned with steps of these roles.
    fn builder(location: JournalLocation, rows: &[(PlannedRow, &[StepRole])]) -> JournalBuilder {
        builder_of(location, rows, |_| schema::COLLECTIONS[0])
    }

    fn builder_of(
        location: JournalLocation,
        rows: &[(PlannedRow, &[StepRole])],
        entity: impl Fn(StepRole) -> &'static Entity,
    ) -> JournalBuilder {
        let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
        let account = AccountIdentity::SandboxMemory;
        let header = RunHeader { id, kind: RunKind::Import, account, undoes: None, details };
        let mut builder = JournalBuilder::create(location, &header).unwrap();
        let sheet = SheetHeader::without_columns(schema::COLLECTIONS[0]);
        builder.sheet(0, &sheet).unwrap();
        for (number, (planned, roles)) in (2..).zip(rows) {
            let mut row = Row::default();
            row.clear(number);
            builder.row(&row, planned, &|_| false).unwrap();
            for role in *roles {
                let id = RowId { sheet: 0, row: number };
                let step = Step::new(builder.count(), id, *role, entity(*role), WriteKind::Create);
                builder.push(&step).unwrap();
            }
        }
        builder
    }

    fn journal(rows: &[(PlannedRow, &[StepRole])], commands: Vec<WriteCommand>) -> Journal {
        let journal = builder(JournalLocation::Memory, rows).finish(&AccountSnapshot::default()).unwrap();
        commit_all(&journal, commands).unwrap();
        journal
    }

    /// `2 created Final #70 code: message`, a line per row.
    fn shown(journal: &Journal, unfinished: Unfinished<'_>) -> Vec<String> {
        let line = |row: FinishedRow| {
            let RowOutcome { status, id, message, problems, .. } = row.outcome;
            let id = id.map(|id| format!(" #{id}")).unwrap_or_default();
            let codes: String = problems.iter().map(|problem| format!(" {}", problem.code().as_str())).collect();
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            format!("{} {} {:?}{id}{codes}{message}", row.number, status.as_str(), row.ending)
        };
        journal.row_outcomes(0, unfinished).map(|row| line(row.unwrap())).collect()
    }

    #[test]
    fn the_records_that_planned_rows_write_to_are_listed() {
        let row = |state: RowState, record: Option<i64>| PlannedRow { record, ..planned(state, RowStatus::Updated) };
        let rows = [(row(RowState::Planned, Some(5)), &[][..]), (row(RowState::Planned, None), &[])];
        let more = [(row(RowState::Ended, Some(6)), &[][..]), (row(RowState::Planned, Some(3)), &[])];
        assert_eq!(journal(&[rows, more].concat(), Vec::new()).planned_records().unwrap(), [5, 3]);
    }

    #[test]
    fn a_row_ends_as_its_steps_did_and_never_better() {
        use StepRole::{Dependency, Row as Own};
        let create = || planned(RowState::Planned, RowStatus::Created);
        let rejected =
            PlannedRow { problems: vec![problem(Code::DateInvalid)], ..planned(RowState::Ended, RowStatus::Failed) };
        let rows: [(PlannedRow, &[StepRole]); 10] = [
            (create(), &[Own]),                                    // step 0: applied
            (create(), &[Own]),                                    // step 1: in flight
            (create(), &[Own]),                                    // step 2: not sent
            (rejected, &[]),                                       // no step
            (planned(RowState::Carried, RowStatus::Updated), &[]), // done by an earlier run
            (create(), &[Dependency, Own]),                        // steps 3 and 4: both applied
            (create(), &[Dependency, Own]),                        // steps 5 and 6: both failed
            (create(), &[Dependency, Own]),                        // steps 7 and 8: the first in flight
            (create(), &[Own]),                                    // step 9: there already
            (create(), &[Own]),                                    // step 10: could not be determined
        ];
        let mut commands: Vec<_> = [0, 1, 3, 4, 5, 7, 9, 10].map(WriteCommand::RecordIntent).into();
        commands.extend([0, 3, 4].map(|step| outcome(step, StepResult::Applied)));
        commands.extend([5, 6].map(|step| outcome(step, StepResult::Failed)));
        commands.push(outcome(9, StepResult::AlreadyApplied));
        commands.push(outcome(10, StepResult::Unknown));
        let journal = journal(&rows, commands);

        let lost = format!(": {UNRESOLVED}");
        let stopped = [
            "2 created Final #70",
            &format!("3 unknown Final{lost}"),
            "4 not_sent Final: not sent: interrupted",
            "5 failed Final date.invalid",
            "6 updated Carried",
            "7 created Final #74",
            "8 failed Final #76 service.refused service.refused",
            &format!("9 unknown Final{lost}"),
            "10 unchanged Final #79",
            "11 unknown Final #80 service.unknown",
        ];
        assert_eq!(shown(&journal, Unfinished::Stopped("interrupted")), stopped);

        let open = shown(&journal, Unfinished::Open);
        let still_open: Vec<&str> =
            open.iter().filter(|line| line.contains("Open")).map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(still_open, ["3", "4", "9"]);
        assert_eq!(journal.failed_rows().unwrap(), 2);
        assert_eq!(journal.created_dependencies().unwrap().values().sum::<u64>(), 1);
    }

    #[test]
    fn a_row_whose_item_was_taken_back_and_not_given_to_another_says_so() {
        let note = || String::from("check-in from Ada, check-out to Bob");
        let create = || PlannedRow { message: note(), ..planned(RowState::Planned, RowStatus::Created) };
        let roles: &[StepRole] = &[StepRole::Dependency, StepRole::Row];
        let rows: Vec<(PlannedRow, &[StepRole])> = (0..6).map(|_| (create(), roles)).collect();
        let entity =
            |role| schema::find(if role == StepRole::Row { "checkout_asset" } else { "checkin_asset" }).unwrap();
        let builder = builder_of(JournalLocation::Memory, &rows, entity);
        let journal = builder.finish(&AccountSnapshot::default()).unwrap();
        let mut commands: Vec<_> = (0..11).map(WriteCommand::RecordIntent).collect();
        commands.extend([0, 1, 2, 4, 6].map(|step| outcome(step, StepResult::Applied)));
        commands.extend([3, 8, 9].map(|step| outcome(step, StepResult::Failed)));
        commands.push(outcome(5, StepResult::Unknown));
        commit_all(&journal, commands).unwrap();
        let told = |unfinished| {
            let rows = journal.row_outcomes(0, unfinished).map(|row| row.unwrap().outcome);
            rows.map(|row| format!("{}: {}", row.status.as_str(), row.message)).collect::<Vec<_>>()
        };
        let stopped = told(Unfinished::Stopped("interrupted"));
        assert_eq!(stopped[0], format!("created: {}", note()));
        assert_eq!(stopped[1], format!("failed: {}: {ONLY_RETURNED}", note()));
        assert_eq!(stopped[2], format!("unknown: {}: {ONLY_RETURN_CERTAIN}", note()));
        assert_eq!(stopped[3], format!("unknown: {UNRESOLVED}; {}: {ONLY_RETURN_CERTAIN}", note()));
        assert_eq!(stopped[4], "failed: ", "nothing was taken back");
        assert_eq!(told(Unfinished::Open)[3], format!("failed: {}", note()), "the run is at work");
    }

    #[test]
    fn what_is_found_out_later_replaces_what_could_not_be_determined() {
        let rows: [(PlannedRow, &[StepRole]); 1] = [(planned(RowState::Planned, RowStatus::Created), &[StepRole::Row])];
        let journal = journal(&rows, vec![WriteCommand::RecordIntent(0), outcome(0, StepResult::Unknown)]);
        assert_eq!(shown(&journal, Unfinished::Open), ["2 unknown Final #70 service.unknown"]);
        commit_all(&journal, vec![outcome(0, StepResult::Applied)]).unwrap();
        assert_eq!(shown(&journal, Unfinished::Open), ["2 created Final #70"]);
    }

    #[test]
    fn a_dry_run_keeps_outcomes_and_neither_cells_nor_steps() {
        let rows: [(PlannedRow, &[StepRole]); 2] = [
            (planned(RowState::Planned, RowStatus::Updated), &[StepRole::Row]),
            (planned(RowState::Ended, RowStatus::Unchanged), &[]),
        ];
        let builder = builder(JournalLocation::Scratch, &rows);
        assert_eq!(builder.count(), 1, "the estimate needs the number of requests");
        let journal = builder.journal().unwrap();
        assert_eq!(shown(journal, Unfinished::DryRun), ["2 updated Final", "3 unchanged Final"]);
        assert_eq!(journal.step_count().unwrap(), 0);
    }

    #[test]
    fn rows_and_steps_are_joined_across_batches() {
        let count = 3 * BATCH as usize + 7;
        let rows = vec![(planned(RowState::Planned, RowStatus::Created), &[StepRole::Row][..]); count];
        let applied = (0..count as u32).filter(|step| step % 3 != 0);
        let journal = journal(&rows, applied.map(|step| outcome(step, StepResult::Applied)).collect());
        let created = |row: &FinishedRow| row.outcome.status == RowStatus::Created;
        let finished: Vec<_> = journal.row_outcomes(0, Unfinished::Stopped("")).map(Result::unwrap).collect();
        assert_eq!(finished.len(), count);
        assert!(finished.iter().enumerate().all(|(step, row)| created(row) == (step % 3 != 0)));
    }
}
