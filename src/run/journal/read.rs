//! Reads a journal: the run, its rows and the state of every step.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::builder::row_keys;
use super::cells::Decoder;
use super::encoding::{
    PARTS, PHASES, RESULTS, ROW_STATES, RUN_KINDS, decode, decode_problems, decode_status, decode_write, encode,
};
use super::file::{JournalFile, JournalLocation};
use super::{AccountSnapshot, JournalError, PlannedRow, RunDetails, RunHeader, RunPhase, RunTotals, SheetHeader};
use crate::account::AccountIdentity;
use crate::plan::{RowCounts, RowId, RowStatus, Step, StepOutcome, StepResult, StepRole};
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
}

/// RowCounts of a run's requests.
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

const STEP_COLUMNS: &str = "s.step, s.sheet, s.row, s.part, s.entity, s.write, s.record, s.body, s.awaits, s.stood";

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
        let (header, kind, details) = self.file.attempt(|connection| {
            connection.query_row(sql, [], |row| {
                let (kind, place): (String, String) = (row.get("account")?, row.get("place")?);
                let account = AccountIdentity::from_stored(&kind, place, row.get("tenant")?, row.get("profile")?);
                let header = RunHeader {
                    id: row.get("id")?,
                    kind: super::RunKind::Import,
                    account,
                    undoes: row.get("undoes")?,
                    details: RunDetails::default(),
                };
                Ok((header, row.get::<_, String>("deed")?, row.get::<_, String>("details")?))
            })
        })?;
        let kind =
            decode(RUN_KINDS, &kind).ok_or_else(|| self.file.damaged(format!("unknown kind of run `{kind}`")))?;
        let details = serde_json::from_str(&details).map_err(|error| self.file.damaged(error.to_string()))?;
        Ok(RunHeader { kind, details, ..header })
    }

    /// How far the run has come, and why it stopped.
    pub fn phase(&self) -> Result<(RunPhase, Option<String>), JournalError> {
        let (phase, reason): (String, Option<String>) = self.file.attempt(|connection| {
            connection.query_row("SELECT phase, reason FROM run", [], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        let known = decode(PHASES, &phase);
        Ok((known.ok_or_else(|| self.file.damaged(format!("unknown phase `{phase}`")))?, reason))
    }

    /// When the run began, in milliseconds since the epoch.
    pub fn started_at(&self) -> Result<i64, JournalError> {
        let began: String =
            self.file.attempt(|connection| connection.query_row("SELECT began FROM run", [], |row| row.get(0)))?;
        let began: jiff::Timestamp =
            began.parse().map_err(|_| self.file.damaged(format!("invalid start time `{began}`")))?;
        Ok(began.as_millisecond())
    }

    pub fn account_snapshot(&self) -> Result<AccountSnapshot, JournalError> {
        let text: Option<String> =
            self.file.attempt(|connection| connection.query_row("SELECT knowledge FROM run", [], |row| row.get(0)))?;
        match text {
            Some(text) => serde_json::from_str(&text).map_err(|error| self.file.damaged(error.to_string())),
            None => Ok(AccountSnapshot::default()),
        }
    }

    /// The totals over all processes that worked on the run; the counts are those of the last one.
    pub fn totals(&self) -> Result<RunTotals, JournalError> {
        let sql = "SELECT requests, seconds, counts, result FROM run";
        let (requests, seconds, counts, result): (Option<String>, f64, Option<String>, Option<String>) =
            self.file.attempt(|connection| {
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            })?;
        // A process that was killed did not add its requests to the totals; the attempts have them.
        let attempted: Vec<(String, u64)> = self.file.attempt(|connection| {
            let mut statement = connection.prepare("SELECT request, count(*) FROM attempt GROUP BY request")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
            rows.collect()
        })?;
        let stored = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let result = result.and_then(|text| serde_json::from_str(&text).ok());
        let by_word: BTreeMap<String, u64> = stored(counts);
        let mut counts = RowCounts::default();
        for status in RowStatus::all() {
            *counts.slot(status) += by_word.get(status.as_str()).copied().unwrap_or(0);
        }
        let mut requests: BTreeMap<String, u64> = stored(requests);
        for (kind, count) in attempted {
            let total = requests.entry(kind).or_default();
            *total = count.max(*total);
        }
        Ok(RunTotals { requests, seconds, counts, result })
    }

    /// Marks the run as sending again and clears how it last ended.
    ///
    /// # Errors
    /// Where that cannot be written; nothing was sent then.
    pub fn mark_resumed(&self) -> Result<(), JournalError> {
        let sending = encode(PHASES, &RunPhase::Sending);
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
        let requests = serde_json::to_string(&totals.requests).unwrap_or_default();
        let counts: BTreeMap<&str, u64> =
            RowStatus::all().map(|status| (status.as_str(), totals.counts.of(status))).collect();
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        let result = totals.result.as_ref().map(|result| serde_json::to_string(result).unwrap_or_default());
        let ended = jiff::Timestamp::now().to_string();
        self.file.attempt(|connection| {
            connection.execute(
                "UPDATE run SET phase = ?1, reason = ?2, requests = ?3, seconds = ?4, counts = ?5, result = ?6, \
                 ended = ?7",
                params![encode(PHASES, &phase), reason, requests, totals.seconds, counts, result, ended],
            )
        })?;
        Ok(())
    }

    /// The sheets, in the order in which they are sent.
    pub fn sheets(&self) -> Result<Vec<SheetHeader>, JournalError> {
        let sql = "SELECT file, name, label, place, entity, header_row, header, fields, decoding, ignored \
                   FROM sheet ORDER BY sheet";
        let stored: Vec<(SheetHeader, String)> = self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], sheet_of)?;
            rows.collect()
        })?;
        let known = |(head, name): (SheetHeader, String)| match schema::importable().find(|entity| entity.name == name)
        {
            Some(entity) => Ok(SheetHeader { entity, ..head }),
            None => Err(self.file.damaged(format!("unknown collection `{name}`"))),
        };
        stored.into_iter().map(known).collect()
    }

    /// Calls back with each row of a sheet as planned, without its cells, in the order of the sheet.
    pub fn each_planned_row(&self, sheet: u16, on_row: &mut dyn FnMut(StoredRow)) -> Result<(), JournalError> {
        self.each_sql_row(sheet, "''", &mut |row| {
            on_row(stored_row(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Calls back with each row of a sheet and its cells.
    pub fn each_row(&self, sheet: u16, on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> Result<(), JournalError> {
        let mut decoder = Decoder::default();
        let mut cells = Row::default();
        let mut unreadable = None;
        self.each_sql_row(sheet, "cells", &mut |row| {
            let number = row.get::<_, i64>("row")? as u64;
            let text: String = row.get("cells")?;
            match decoder.decode(number, &text, &mut cells) {
                Some(()) => Ok(on_row(&cells)),
                None => {
                    unreadable = Some(number);
                    Ok(ControlFlow::Break(()))
                }
            }
        })?;
        match unreadable {
            Some(row) => Err(self.file.damaged(format!("row {row} of a sheet cannot be read"))),
            None => Ok(()),
        }
    }

    fn each_sql_row(
        &self,
        sheet: u16,
        cells: &str,
        on_row: &mut dyn FnMut(&SqlRow<'_>) -> rusqlite::Result<ControlFlow<()>>,
    ) -> Result<(), JournalError> {
        let sql = format!(
            "SELECT row, state, status, record, message, problems, {cells} AS cells FROM row \
             WHERE id >= ?1 AND id < ?2 ORDER BY id"
        );
        let keys = row_keys(sheet);
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(params![keys.start, keys.end])?;
            while let Some(row) = rows.next()? {
                if on_row(row)?.is_break() {
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

    /// Calls back with each step that has an outcome, in the order of the plan.
    pub fn each_outcome(&self, on_step: &mut dyn FnMut(Step, StepOutcome)) -> Result<(), JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS}, o.result, o.record AS known, o.after, o.message, o.problems \
             FROM step s JOIN outcome o USING (step) ORDER BY s.step"
        );
        self.each_step(&sql, &[], &mut |row, step| {
            let outcome = outcome_of(row, step.number)?;
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
    pub fn pending_entities(&self) -> Result<Vec<&'static Entity>, JournalError> {
        let sql = "SELECT DISTINCT entity FROM step s WHERE NOT EXISTS (SELECT 1 FROM intent WHERE step = s.step) \
                   AND NOT EXISTS (SELECT 1 FROM outcome WHERE step = s.step)";
        let names: Vec<String> = self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })?;
        Ok(schema::importable().filter(|entity| names.iter().any(|name| name == entity.name)).collect())
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
        let own = encode(PARTS, &StepRole::Row);
        let count = self.file.attempt(|connection| connection.query_row(sql, [own], |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// RowCounts the requests of all steps.
    pub fn attempts(&self) -> Result<AttemptCounts, JournalError> {
        let sql = "SELECT count(*), count(status), count(CASE WHEN status >= 400 THEN 1 END) FROM attempt";
        let (total, answered, refused): (i64, i64, i64) = self
            .file
            .attempt(|connection| connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))?;
        Ok(AttemptCounts { total: total as u64, unanswered: (total - answered) as u64, refused: refused as u64 })
    }

    /// The slowest response so far, in milliseconds.
    pub fn slowest_response(&self) -> Result<u64, JournalError> {
        let sql = "SELECT max(milliseconds) FROM attempt WHERE status IS NOT NULL";
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

    fn each_step(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        on_step: &mut dyn FnMut(&SqlRow<'_>, Step) -> rusqlite::Result<()>,
    ) -> Result<(), JournalError> {
        let mut unreadable = None;
        self.file.attempt(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                match step_of(row)? {
                    Some(step) => on_step(row, step)?,
                    None => {
                        unreadable = Some(row.get::<_, u32>("step")?);
                        break;
                    }
                }
            }
            Ok(())
        })?;
        match unreadable {
            Some(step) => Err(self.file.damaged(format!("step {step} cannot be read"))),
            None => Ok(()),
        }
    }
}

fn sheet_of(row: &SqlRow<'_>) -> rusqlite::Result<(SheetHeader, String)> {
    let list = |name: &str| row.get::<_, String>(name);
    let mut header = Row::default();
    // A header that cannot be read leaves the columns unnamed; the rows stay readable.
    let _ = Decoder::default().decode(row.get::<_, i64>("header_row")? as u64, &list("header")?, &mut header);
    let head = SheetHeader {
        file: row.get("file")?,
        name: row.get("name")?,
        label: row.get("label")?,
        place: row.get("place")?,
        entity: schema::COLLECTIONS[0],
        header,
        fields: serde_json::from_str(&list("fields")?).unwrap_or_default(),
        decoding: row.get("decoding")?,
        ignored: serde_json::from_str(&list("ignored")?).unwrap_or_default(),
    };
    Ok((head, row.get("entity")?))
}

fn stored_row(row: &SqlRow<'_>) -> rusqlite::Result<StoredRow> {
    let (state, status): (String, String) = (row.get("state")?, row.get("status")?);
    let problems: Option<String> = row.get("problems")?;
    // Pessimistic where a state is not known: the row counts as failed.
    let planned = PlannedRow {
        state: decode(ROW_STATES, &state).unwrap_or(RowState::Ended),
        status: decode_status(&status).unwrap_or(RowStatus::Failed),
        record: row.get("record")?,
        message: row.get::<_, Option<String>>("message")?.unwrap_or_default(),
        problems: decode_problems(problems.as_deref()),
    };
    Ok(StoredRow { number: row.get::<_, i64>("row")? as u64, planned })
}

/// None where a state is not known or JSON cannot be read.
fn step_of(row: &SqlRow<'_>) -> rusqlite::Result<Option<Step>> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let (part, entity, write) = (text("part")?, text("entity")?, text("write")?);
    let (body, awaits, before) = (text("body")?, text("awaits")?, text("stood")?);
    let read = || {
        let entity = entity?;
        let mut step = Step::new(
            row.get("step").ok()?,
            RowId { sheet: row.get("sheet").ok()?, row: row.get::<_, i64>("row").ok()? as u64 },
            decode(PARTS, &part?)?,
            schema::importable().find(|known| known.name == entity)?,
            decode_write(&write?, row.get("record").ok()?)?,
        );
        step.body = serde_json::from_str(&body?).ok()?;
        step.depends_on = awaits.map_or(Some(Vec::new()), |text| serde_json::from_str(&text).ok())?;
        step.before = before.map_or(Some(None), |text| serde_json::from_str(&text).ok())?;
        Some(step)
    };
    Ok(read())
}

fn outcome_of(row: &SqlRow<'_>, step: u32) -> rusqlite::Result<StepOutcome> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    Ok(StepOutcome {
        step,
        result: text("result")?.and_then(|word| decode(RESULTS, &word)).unwrap_or(StepResult::Unknown),
        record: row.get("known")?,
        after: text("after")?.and_then(|text| serde_json::from_str(&text).ok()),
        message: text("message")?.unwrap_or_default(),
        problems: decode_problems(text("problems")?.as_deref()),
    })
}
