//! Reads a journal: the run, its rows and the state of every step.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::builder::row_keys;
use super::cells::Decoder;
use super::encoding::{
    Columns, Json, PARTS, PHASES, RESULTS, ROW_STATES, RUN_KINDS, decode_entity, decode_request, decode_status,
    decode_write, json, json_if_any, unreadable,
};
use super::file::{JournalFile, JournalLocation};
use super::{AccountSnapshot, JournalError, PendingEntity, PlannedRow, RunHeader, RunPhase, RunTotals, SheetHeader};
use crate::account::AccountIdentity;
use crate::api::{RequestCounts, RequestKind};
use crate::plan::{RowCounts, RowId, RowStatus, Step, StepOutcome, StepRole};
use crate::schema::{self, Entity};
use crate::table::Row;

/// A journal with a finished plan.
#[derive(Debug)]
pub struct Journal {
    pub(super) file: JournalFile,
}

/// The planned state of a row, before its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// It has steps.
    Planned,
    /// Decided by the plan: nothing is sent for it.
    Ended,
    /// Finished by an earlier run.
    Carried,
    /// A further line of the record above, as plan workbooks have them.
    Detail,
}

/// Counts of a run's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptCounts {
    pub total: u64,
    /// Requests without a response.
    pub unanswered: u64,
    /// Requests that returned an error.
    pub refused: u64,
}

/// A row as it was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// The row number as a spreadsheet shows it, from 1.
    pub number: u64,
    pub planned: PlannedRow,
}

/// The columns that [`step_of`] reads.
pub(super) const STEP_COLUMNS: &str =
    "s.step, s.sheet, s.row, s.part, s.entity, s.write, s.record, s.body, s.awaits, s.stood";
/// How many these are.
pub(super) const STEP_WIDTH: usize = 10;

/// The columns that [`planned_row`] reads.
pub(super) const PLANNED_COLUMNS: &str = "state, status, record, message, problems";

impl Journal {
    pub(super) fn new(file: JournalFile) -> Self {
        Self { file }
    }

    /// Makes writing any further outcome fail.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(in crate::run) fn break_outcomes(&self) {
        let trigger = "CREATE TRIGGER broken BEFORE INSERT ON outcome BEGIN SELECT raise(ABORT, 'broken'); END";
        self.file.connection.execute_batch(trigger).unwrap();
    }

    /// Forgets every intent from now on, as a faulty journal would.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(in crate::run) fn forget_intents(&self) {
        let trigger = "CREATE TRIGGER forgotten BEFORE INSERT ON intent BEGIN SELECT raise(IGNORE); END";
        self.file.connection.execute_batch(trigger).unwrap();
    }

    /// Opens a run for writing.
    ///
    /// # Errors
    /// Where another process is working on it, or the file is not a readable journal.
    pub fn open(path: &Path, run: &str) -> Result<Self, JournalError> {
        JournalFile::open(path, run).map(Self::new)
    }

    /// Opens a run for reading, whichever process works on it.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        JournalFile::open_read_only(path).map(Self::new)
    }

    /// The path of the file, or a placeholder for messages where it is in memory.
    pub fn path(&self) -> PathBuf {
        self.file.location.path()
    }

    pub fn is_persistent(&self) -> bool {
        matches!(self.file.location, JournalLocation::File(_))
    }

    pub fn header(&self) -> Result<RunHeader, JournalError> {
        let sql = "SELECT id, deed, account, place, tenant, profile, undoes, details FROM run";
        self.file.attempt(|connection| connection.query_row(sql, [], header_of))
    }

    /// How far the run has come, and why it stopped.
    pub fn phase(&self) -> Result<(RunPhase, Option<String>), JournalError> {
        let phase_of = |row: &SqlRow<'_>| Ok((PHASES.column(row, "phase")?, row.get("reason")?));
        self.file.attempt(|connection| connection.query_row("SELECT phase, reason FROM run", [], phase_of))
    }

    /// When the run began.
    pub fn started_at(&self) -> Result<Timestamp, JournalError> {
        let began: String =
            self.file.attempt(|connection| connection.query_row("SELECT began FROM run", [], |row| row.get(0)))?;
        began.parse().map_err(|_| self.file.damaged(format!("invalid start time `{began}`")))
    }

    pub fn account_snapshot(&self) -> Result<AccountSnapshot, JournalError> {
        let stored = |row: &SqlRow<'_>| json_if_any(row, "knowledge");
        let stored = self.file.attempt(|connection| connection.query_row("SELECT knowledge FROM run", [], stored))?;
        Ok(stored.unwrap_or_default())
    }

    /// The totals over all processes that worked on the run; the counts are those of the last one.
    pub fn totals(&self) -> Result<RunTotals, JournalError> {
        let sql = "SELECT requests, seconds, counts, result FROM run";
        let totals = self.file.attempt(|connection| connection.query_row(sql, [], totals_of))?;
        // A process that was killed did not add its requests to the totals; the attempts have them.
        let attempted: Vec<(RequestKind, u64)> = self.file.attempt(|connection| {
            let mut statement = connection.prepare("SELECT request, count(*) FROM attempt GROUP BY request")?;
            let rows = statement
                .query_map([], |row| Ok((decode_request(&row.get::<_, String>(0)?)?, row.get::<_, i64>(1)? as u64)))?;
            rows.collect()
        })?;
        let mut by_kind = totals.requests.by_kind;
        for (kind, count) in attempted {
            let total = by_kind.entry(kind).or_default();
            *total = count.max(*total);
        }
        Ok(RunTotals { requests: RequestCounts::from(by_kind), ..totals })
    }

    /// Marks the run as sending again and clears how it last ended.
    ///
    /// # Errors
    /// Where that cannot be written; nothing was sent then.
    pub fn mark_resumed(&self) -> Result<(), JournalError> {
        let sending = PHASES.encode(RunPhase::Sending);
        self.file.attempt(|connection| {
            connection.execute("UPDATE run SET phase = ?1, reason = NULL, ended = NULL", params![sending])
        })?;
        Ok(())
    }

    /// Records how this process's work on the run ended.
    ///
    /// # Errors
    /// Where that cannot be written; the outcomes of the steps are on disk all the same.
    pub fn record_end(&self, phase: RunPhase, reason: Option<&str>, totals: &RunTotals) -> Result<(), JournalError> {
        let counts: BTreeMap<&str, u64> =
            RowStatus::all().map(|status| (status.as_str(), totals.counts.of(status))).collect();
        let ended = jiff::Timestamp::now().to_string();
        self.file.attempt(|connection| {
            connection.execute(
                "UPDATE run SET phase = ?1, reason = ?2, requests = ?3, seconds = ?4, counts = ?5, result = ?6, \
                 ended = ?7",
                params![
                    PHASES.encode(phase),
                    reason,
                    Json(&totals.requests.by_kind),
                    totals.seconds,
                    Json(counts),
                    totals.result.as_ref().map(Json),
                    ended,
                ],
            )
        })?;
        Ok(())
    }

    /// The sheets, in the order in which they are sent.
    pub fn sheets(&self) -> Result<Vec<SheetHeader>, JournalError> {
        let sql = "SELECT file, name, label, place, entity, header_row, header, fields, decoding, ignored \
                   FROM sheet ORDER BY sheet";
        let mut sheets: Vec<SheetHeader> = self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], sheet_of)?;
            rows.collect()
        })?;
        for (sheet, owner) in self.header()?.details.further_sheets {
            let is_known = usize::from(owner) < sheets.len();
            if let Some(sheet) = sheets.get_mut(usize::from(sheet)).filter(|_| is_known) {
                sheet.owner = Some(owner);
            }
        }
        Ok(sheets)
    }

    /// Calls back with each row of a sheet as planned, without its cells, in the order of the sheet.
    pub fn each_planned_row(&self, sheet: u16, on_row: &mut dyn FnMut(StoredRow)) -> Result<(), JournalError> {
        self.each_sql_row(sheet, PLANNED_COLUMNS, &mut |number, columns| {
            on_row(StoredRow { number, planned: planned_row(columns)? });
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Calls back with each row of a sheet and its cells.
    pub fn each_row(&self, sheet: u16, on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> Result<(), JournalError> {
        let mut decoder = Decoder::default();
        let mut cells = Row::default();
        self.each_sql_row(sheet, "cells", &mut |number, columns| {
            let decoded = decoder.decode(number, columns.text()?, &mut cells);
            decoded.ok_or_else(|| unreadable(format!("row {number} of a sheet cannot be read")))?;
            Ok(on_row(&cells))
        })
    }

    /// A row with its cells, as it was read. `position` counts the rows of the sheet from 0. None where the journal has
    /// no such row; that of a dry run has no cells.
    pub(crate) fn row_at(&self, sheet: u16, position: usize) -> Result<Option<Row>, JournalError> {
        let id = row_keys(sheet).start + position as i64;
        let sql = "SELECT row, cells FROM row WHERE id = ?1";
        let stored = |row: &SqlRow<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let found = self.file.attempt(|connection| connection.query_row(sql, [id], stored).optional())?;
        let mut cells = Row::default();
        let decoded = found.and_then(|(number, text)| Decoder::default().decode(number as u64, &text, &mut cells));
        Ok(decoded.map(|()| cells))
    }

    /// What a cell says, as it was typed; see [`Journal::row_at`].
    pub(crate) fn cell_text(&self, sheet: u16, position: usize, column: u32) -> Result<Option<String>, JournalError> {
        Ok(self.row_at(sheet, position)?.map(|row| row.cell(column as usize).text.to_owned()))
    }

    /// Calls back with the number of each row of a sheet and some of its columns.
    fn each_sql_row(
        &self,
        sheet: u16,
        columns: &str,
        on_row: &mut dyn FnMut(u64, &mut Columns<'_, '_>) -> rusqlite::Result<ControlFlow<()>>,
    ) -> Result<(), JournalError> {
        let sql = format!("SELECT row, {columns} FROM row WHERE id >= ?1 AND id < ?2 ORDER BY id");
        let keys = row_keys(sheet);
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(params![keys.start, keys.end])?;
            while let Some(row) = rows.next()? {
                let mut columns = Columns::of(row);
                let number = columns.get::<i64>()? as u64;
                if on_row(number, &mut columns)?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The number of steps in the plan.
    pub fn step_count(&self) -> Result<u32, JournalError> {
        self.file.attempt(|connection| connection.query_row("SELECT count(*) FROM step", [], |row| row.get(0)))
    }

    /// Calls back with each step of a collection or action, in the order of the plan.
    pub(crate) fn each_planned_step(&self, entity: &Entity, on_step: &mut dyn FnMut(Step)) -> Result<(), JournalError> {
        let sql = format!("SELECT {STEP_COLUMNS} FROM step s WHERE s.entity = ?1 ORDER BY s.step");
        self.each_step(&sql, &[&entity.name], &mut |_, step| {
            on_step(step);
            Ok(())
        })
    }

    /// A step by its number.
    pub(crate) fn step(&self, number: u32) -> Result<Option<Step>, JournalError> {
        let sql = format!("SELECT {STEP_COLUMNS} FROM step s WHERE s.step = ?1");
        Ok(self.steps(&sql, &[&number])?.pop())
    }

    /// Calls back with each step that has an outcome, in the order of the plan.
    pub fn each_outcome(&self, on_step: &mut dyn FnMut(Step, StepOutcome)) -> Result<(), JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS}, o.result, o.record, o.after, o.message, o.problems \
             FROM step s JOIN outcome o USING (step) ORDER BY s.step"
        );
        self.each_step(&sql, &[], &mut |columns, step| {
            let outcome = outcome_of(columns, step.number)?;
            on_step(step, outcome);
            Ok(())
        })
    }

    /// The steps that may or may not have been applied: those with an intent and no outcome, and those left as unknown by
    /// an earlier reconciliation. In the order of the plan, with bodies as planned.
    pub fn unresolved_steps(&self) -> Result<Vec<Step>, JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS} FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE o.step IS NULL OR o.result = 'unknown' ORDER BY s.step"
        );
        self.steps(&sql, &[])
    }

    /// The steps that were sent more than once, the first time perhaps with effect: again without a response to the first
    /// request, or by a later process.
    pub(crate) fn resent_steps(&self) -> Result<HashSet<u32>, JournalError> {
        let sql = "SELECT step FROM intent WHERE sends > 1 UNION \
                   SELECT step FROM attempt GROUP BY step HAVING sum(status BETWEEN 200 AND 299) > 0 \
                   AND sum(status IS NULL OR status = 408 OR status >= 500) > 0";
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let steps = statement.query_map([], |row| row.get(0))?;
            steps.collect()
        })
    }

    /// Clears the outcomes of steps that were never sent because a dependency failed or was unknown: it may turn out to
    /// be applied now.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn reopen_dependents(&self) -> Result<(), JournalError> {
        let sql = "DELETE FROM outcome WHERE result = 'failed' AND step NOT IN (SELECT step FROM intent)";
        self.file.attempt(|connection| connection.execute(sql, []).map(drop))
    }

    /// The number of [`Journal::unresolved_steps`].
    pub fn unresolved_count(&self) -> Result<u64, JournalError> {
        let sql = "SELECT count(*) FROM intent i LEFT JOIN outcome o USING (step) \
                   WHERE o.step IS NULL OR o.result = 'unknown'";
        let count = self.file.attempt(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// Up to `limit` steps without an intent or outcome, from a number on.
    pub(super) fn pending_steps(&self, first: u32, limit: usize) -> Result<Vec<Step>, JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS} FROM step s LEFT JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE s.step >= ?1 AND i.step IS NULL AND o.step IS NULL ORDER BY s.step LIMIT ?2"
        );
        self.steps(&sql, &[&first, &(limit as i64)])
    }

    /// The collections and actions of the pending steps, in the order of the schema.
    pub fn pending_entities(&self) -> Result<Vec<PendingEntity>, JournalError> {
        let sql = "SELECT entity, max(record IS NOT NULL OR stood IS NOT NULL) FROM step s \
                   WHERE NOT EXISTS (SELECT 1 FROM intent WHERE step = s.step) \
                   AND NOT EXISTS (SELECT 1 FROM outcome WHERE step = s.step) GROUP BY entity";
        let pending: BTreeMap<&str, bool> = self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows =
                statement.query_map([], |row| Ok((decode_entity(&row.get::<_, String>(0)?)?.name, row.get(1)?)))?;
            rows.collect()
        })?;
        let pending = |entity: &'static Entity| {
            pending.get(entity.name).map(|has_changes| PendingEntity { entity, has_changes: *has_changes })
        };
        Ok(schema::importable().filter_map(pending).collect())
    }

    /// The number of steps without an outcome.
    pub fn open_steps(&self) -> Result<u64, JournalError> {
        let sql = "SELECT (SELECT count(*) FROM step) - (SELECT count(*) FROM outcome)";
        self.file
            .attempt(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))
            .map(|open| open as u64)
    }

    /// The number of rows with an intent and no outcome.
    pub fn rows_in_flight(&self) -> Result<u64, JournalError> {
        let sql = "SELECT count(*) FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
                   WHERE s.part = ?1 AND o.step IS NULL";
        let own = PARTS.encode(StepRole::Row);
        let count = self.file.attempt(|connection| connection.query_row(sql, [own], |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// Counts the requests of all steps.
    pub fn attempts(&self) -> Result<AttemptCounts, JournalError> {
        let sql = "SELECT count(*), count(status), count(CASE WHEN status >= 400 THEN 1 END) FROM attempt";
        let (total, answered, refused): (i64, i64, i64) = self
            .file
            .attempt(|connection| connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))?;
        Ok(AttemptCounts { total: total as u64, unanswered: (total - answered) as u64, refused: refused as u64 })
    }

    /// The slowest response so far, in milliseconds.
    pub fn slowest_response(&self) -> Result<u64, JournalError> {
        let sql = "SELECT max(milliseconds) FROM attempt";
        let slowest: Option<Option<i64>> =
            self.file.attempt(|connection| connection.query_row(sql, [], |row| row.get(0)).optional())?;
        Ok(slowest.flatten().unwrap_or(0) as u64)
    }

    fn steps(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Step>, JournalError> {
        let mut steps = Vec::new();
        self.each_step(sql, values, &mut |_, step| {
            steps.push(step);
            Ok(())
        })?;
        Ok(steps)
    }

    /// Calls back with each step, and the columns that the query has behind [`STEP_COLUMNS`].
    pub(super) fn each_step(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        on_step: &mut dyn FnMut(&mut Columns<'_, '_>, Step) -> rusqlite::Result<()>,
    ) -> Result<(), JournalError> {
        self.file.attempt(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                let number: i64 = row.get(0)?;
                let step = step_of(row).map_err(|_| unreadable(format!("step {number} cannot be read")))?;
                on_step(&mut Columns::from(row, STEP_WIDTH), step)?;
            }
            Ok(())
        })
    }
}

fn header_of(row: &SqlRow<'_>) -> rusqlite::Result<RunHeader> {
    let (kind, place): (String, String) = (row.get("account")?, row.get("place")?);
    let account = AccountIdentity::from_stored(&kind, place, row.get("tenant")?, row.get("profile")?);
    Ok(RunHeader {
        id: row.get("id")?,
        kind: RUN_KINDS.column(row, "deed")?,
        account: account.ok_or_else(|| unreadable(format!("unknown kind of account `{kind}`")))?,
        undoes: row.get("undoes")?,
        details: json(row, "details")?,
    })
}

fn totals_of(row: &SqlRow<'_>) -> rusqlite::Result<RunTotals> {
    let requests: Option<BTreeMap<RequestKind, u64>> = json_if_any(row, "requests")?;
    let stored: Option<BTreeMap<String, u64>> = json_if_any(row, "counts")?;
    let mut counts = RowCounts::default();
    for (status, count) in stored.into_iter().flatten() {
        *counts.slot(decode_status(&status)?) += count;
    }
    let requests = requests.map_or_else(RequestCounts::default, RequestCounts::from);
    Ok(RunTotals { requests, seconds: row.get("seconds")?, counts, result: json_if_any(row, "result")? })
}

fn sheet_of(row: &SqlRow<'_>) -> rusqlite::Result<SheetHeader> {
    let mut header = Row::default();
    let (number, cells): (i64, String) = (row.get("header_row")?, row.get("header")?);
    let decoded = Decoder::default().decode(number as u64, &cells, &mut header);
    decoded.ok_or_else(|| unreadable("the header of a sheet cannot be read"))?;
    Ok(SheetHeader {
        file: row.get("file")?,
        name: row.get("name")?,
        label: row.get("label")?,
        place: row.get("place")?,
        entity: decode_entity(&row.get::<_, String>("entity")?)?,
        header,
        fields: json(row, "fields")?,
        decoding: row.get("decoding")?,
        ignored: json(row, "ignored")?,
        owner: None,
    })
}

/// What was planned for a row of the table `row`, from [`PLANNED_COLUMNS`].
pub(super) fn planned_row(columns: &mut Columns<'_, '_>) -> rusqlite::Result<PlannedRow> {
    Ok(PlannedRow {
        state: columns.state(&ROW_STATES)?,
        status: decode_status(columns.text()?)?,
        record: columns.get()?,
        message: columns.get::<Option<String>>()?.unwrap_or_default(),
        problems: columns.problems()?,
    })
}

/// A step, from [`STEP_COLUMNS`].
fn step_of(row: &SqlRow<'_>) -> rusqlite::Result<Step> {
    let columns = &mut Columns::of(row);
    Ok(Step {
        number: columns.get()?,
        row: RowId { sheet: columns.get()?, row: columns.get::<i64>()? as u64 },
        role: columns.state(&PARTS)?,
        entity: decode_entity(columns.text()?)?,
        write: decode_write(columns.text()?, columns.get()?)?,
        body: columns.json()?,
        depends_on: columns.json_if_any()?.unwrap_or_default(),
        before: columns.json_if_any()?,
    })
}

fn outcome_of(columns: &mut Columns<'_, '_>, step: u32) -> rusqlite::Result<StepOutcome> {
    Ok(StepOutcome {
        step,
        result: columns.state(&RESULTS)?,
        record: columns.get()?,
        after: columns.json_if_any()?,
        message: columns.get::<Option<String>>()?.unwrap_or_default(),
        problems: columns.problems()?,
    })
}

#[cfg(test)]
mod tests;
