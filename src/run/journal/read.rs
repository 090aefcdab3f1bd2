//! What a journal tells: the run, its rows, and where every step stands.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::cells::Decoder;
use super::draft::row_keys;
use super::store::{At, Store};
use super::words::{self, DEEDS, PARTS, PHASES, RESULTS, ROW_STATES};
use super::{
    Conclusion, Details, JournalError, Knowledge, Phase, PlannedRow, RunHead, SheetHead, StepOutcome, StepResult,
};
use crate::account::AccountIdentity;
use crate::plan::{Part, RowId, Step};
use crate::plan::{RowCounts, RowStatus};
use crate::schema::{self, Entity};
use crate::table::Row;

/// A journal whose plan is whole.
#[derive(Debug)]
pub struct Journal {
    pub(super) store: Store,
}

/// Where a row stands before its steps are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// It has steps.
    Planned,
    /// The plan decided it: nothing is sent for it.
    Ended,
    /// An earlier run finished it.
    Carried,
}

/// The requests of a run's steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    pub total: u64,
    /// Nobody knows what they did.
    pub unanswered: u64,
    /// Answered with an error.
    pub refused: u64,
}

/// A row as it was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// As a spreadsheet shows it, from 1.
    pub number: u64,
    pub planned: PlannedRow,
}

const STEP_COLUMNS: &str = "s.step, s.sheet, s.row, s.part, s.entity, s.write, s.record, s.body, s.awaits, s.stood";

impl Journal {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Opens a run to go on with it.
    ///
    /// # Errors
    /// Where another process is at it, or the file is not one that can be gone on with.
    pub fn open(path: &Path, run: &str) -> Result<Self, JournalError> {
        Store::open(path, run).map(Self::new)
    }

    /// Opens a run to look at it, whoever works on it.
    pub fn look(path: &Path) -> Result<Self, JournalError> {
        Store::look(path).map(Self::new)
    }

    /// The file; for messages where there is none.
    pub fn path(&self) -> PathBuf {
        self.store.at.path()
    }

    pub fn is_kept(&self) -> bool {
        self.store.at != At::Memory
    }

    pub fn head(&self) -> Result<RunHead, JournalError> {
        let sql = "SELECT id, deed, account, place, tenant, profile, undoes, details FROM run";
        let (head, deed, details) = self.store.attempt(|connection| {
            connection.query_row(sql, [], |row| {
                let (kind, place): (String, String) = (row.get("account")?, row.get("place")?);
                let account = AccountIdentity::from_stored(&kind, place, row.get("tenant")?, row.get("profile")?);
                let head = RunHead {
                    id: row.get("id")?,
                    deed: super::Deed::Import,
                    account,
                    undoes: row.get("undoes")?,
                    details: Details::default(),
                };
                Ok((head, row.get::<_, String>("deed")?, row.get::<_, String>("details")?))
            })
        })?;
        let deed = words::state(DEEDS, &deed).ok_or_else(|| self.store.damaged(format!("no run is a `{deed}`")))?;
        let details = serde_json::from_str(&details).map_err(|error| self.store.damaged(error.to_string()))?;
        Ok(RunHead { deed, details, ..head })
    }

    /// How far the run is, and why it stopped.
    pub fn phase(&self) -> Result<(Phase, Option<String>), JournalError> {
        let (phase, reason): (String, Option<String>) = self.store.attempt(|connection| {
            connection.query_row("SELECT phase, reason FROM run", [], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        let known = words::state(PHASES, &phase);
        Ok((known.ok_or_else(|| self.store.damaged(format!("no run is `{phase}`")))?, reason))
    }

    /// When it began, in milliseconds since the epoch.
    pub fn began(&self) -> Result<i64, JournalError> {
        let began: String =
            self.store.attempt(|connection| connection.query_row("SELECT began FROM run", [], |row| row.get(0)))?;
        let began: jiff::Timestamp =
            began.parse().map_err(|_| self.store.damaged(format!("`{began}` is no point in time")))?;
        Ok(began.as_millisecond())
    }

    pub fn knowledge(&self) -> Result<Knowledge, JournalError> {
        let text: Option<String> =
            self.store.attempt(|connection| connection.query_row("SELECT knowledge FROM run", [], |row| row.get(0)))?;
        match text {
            Some(text) => serde_json::from_str(&text).map_err(|error| self.store.damaged(error.to_string())),
            None => Ok(Knowledge::default()),
        }
    }

    /// What all processes together have spent on the run, and the counts that the last of them told.
    pub fn conclusion(&self) -> Result<Conclusion, JournalError> {
        let sql = "SELECT requests, seconds, counts, result FROM run";
        let (requests, seconds, counts, result): (Option<String>, f64, Option<String>, Option<String>) =
            self.store.attempt(|connection| {
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            })?;
        // A process that was killed has told of none of its requests; the attempts know them.
        let attempted: Vec<(String, u64)> = self.store.attempt(|connection| {
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
            let told = requests.entry(kind).or_default();
            *told = count.max(*told);
        }
        Ok(Conclusion { requests, seconds, counts, result })
    }

    /// The run is about to be sent, or gone on with: whatever an earlier end of it says is over.
    ///
    /// # Errors
    /// Where it cannot be written; nothing was sent then.
    pub fn take_up(&self) -> Result<(), JournalError> {
        let sending = words::word(PHASES, &Phase::Sending);
        self.store.attempt(|connection| {
            connection.execute("UPDATE run SET phase = ?1, reason = NULL, ended = NULL", params![sending])
        })?;
        Ok(())
    }

    /// The end of this process's work on the run.
    ///
    /// # Errors
    /// Where it cannot be written; what was sent is on disk all the same.
    pub fn conclude(&self, phase: Phase, reason: Option<&str>, conclusion: &Conclusion) -> Result<(), JournalError> {
        let requests = serde_json::to_string(&conclusion.requests).unwrap_or_default();
        let counts: BTreeMap<&str, u64> =
            RowStatus::all().map(|status| (status.as_str(), conclusion.counts.of(status))).collect();
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        let result = conclusion.result.as_ref().map(|result| serde_json::to_string(result).unwrap_or_default());
        let ended = jiff::Timestamp::now().to_string();
        self.store.attempt(|connection| {
            connection.execute(
                "UPDATE run SET phase = ?1, reason = ?2, requests = ?3, seconds = ?4, counts = ?5, result = ?6, \
                 ended = ?7",
                params![words::word(PHASES, &phase), reason, requests, conclusion.seconds, counts, result, ended],
            )
        })?;
        Ok(())
    }

    /// The sheets in the order in which they are sent.
    pub fn sheets(&self) -> Result<Vec<SheetHead>, JournalError> {
        let sql = "SELECT file, name, label, place, entity, header_row, header, fields, decoding, ignored \
                   FROM sheet ORDER BY sheet";
        let stored: Vec<(SheetHead, String)> = self.store.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], sheet_of)?;
            rows.collect()
        })?;
        let known = |(head, name): (SheetHead, String)| match schema::importable().find(|entity| entity.name == name) {
            Some(entity) => Ok(SheetHead { entity, ..head }),
            None => Err(self.store.damaged(format!("nothing is called `{name}`"))),
        };
        stored.into_iter().map(known).collect()
    }

    /// The rows of a sheet as they were planned, in its order, without their cells.
    pub fn each_planned(&self, sheet: u16, on_row: &mut dyn FnMut(StoredRow)) -> Result<(), JournalError> {
        self.each_sql_row(sheet, "''", &mut |row| {
            on_row(stored_row(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The rows of a sheet with their cells, as they were read.
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
            Some(row) => Err(self.store.damaged(format!("row {row} of a sheet cannot be read"))),
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
        self.store.attempt(|connection| {
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

    /// How many steps the plan has.
    pub fn step_count(&self) -> Result<u32, JournalError> {
        self.store.attempt(|connection| connection.query_row("SELECT count(*) FROM step", [], |row| row.get(0)))
    }

    /// Every step that has ended, with its outcome, in the order of the plan.
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

    /// The steps that may have been done and of which nobody knows: intended and without an outcome, or left as
    /// unknown by an earlier look. In the order of the plan, bodies as planned.
    pub fn unsettled(&self) -> Result<Vec<Step>, JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS} FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE o.step IS NULL OR o.result = 'unknown' ORDER BY s.step"
        );
        self.steps(&sql, &[])
    }

    /// Forgets the outcomes of steps that were never sent because a step they await had failed, or was unknown: that
    /// one may be found to be done now.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn reopen(&self) -> Result<(), JournalError> {
        let sql = "DELETE FROM outcome WHERE result = 'failed' AND step NOT IN (SELECT step FROM intent)";
        self.store.attempt(|connection| connection.execute(sql, []).map(drop))
    }

    /// How many steps [`Journal::unsettled`] has.
    pub fn unsettled_count(&self) -> Result<u64, JournalError> {
        let sql = "SELECT count(*) FROM intent i LEFT JOIN outcome o USING (step) \
                   WHERE o.step IS NULL OR o.result = 'unknown'";
        let count = self.store.attempt(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// The next steps that were never intended and have not ended, from a number on.
    pub(super) fn planned_from(&self, first: u32, most: usize) -> Result<Vec<Step>, JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS} FROM step s LEFT JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE s.step >= ?1 AND i.step IS NULL AND o.step IS NULL ORDER BY s.step LIMIT ?2"
        );
        self.steps(&sql, &[&first, &(most as i64)])
    }

    /// What steps that were never sent write to, in the order of the schema.
    pub fn planned_entities(&self) -> Result<Vec<&'static Entity>, JournalError> {
        let sql = "SELECT DISTINCT entity FROM step s WHERE NOT EXISTS (SELECT 1 FROM intent WHERE step = s.step) \
                   AND NOT EXISTS (SELECT 1 FROM outcome WHERE step = s.step)";
        let names: Vec<String> = self.store.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })?;
        Ok(schema::importable().filter(|entity| names.iter().any(|name| name == entity.name)).collect())
    }

    /// How many steps have no outcome yet.
    pub fn open_steps(&self) -> Result<u64, JournalError> {
        let sql = "SELECT (SELECT count(*) FROM step) - (SELECT count(*) FROM outcome)";
        self.store
            .attempt(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))
            .map(|open| open as u64)
    }

    /// The rows that were sent, or were about to be, and have no outcome yet.
    pub fn rows_under_way(&self) -> Result<u64, JournalError> {
        let sql = "SELECT count(*) FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
                   WHERE s.part = ?1 AND o.step IS NULL";
        let own = words::word(PARTS, &Part::Own);
        let count = self.store.attempt(|connection| connection.query_row(sql, [own], |row| row.get::<_, i64>(0)))?;
        Ok(count as u64)
    }

    /// The requests of all steps, and how they were answered.
    pub fn attempts(&self) -> Result<Attempts, JournalError> {
        let sql = "SELECT count(*), count(status), count(CASE WHEN status >= 400 THEN 1 END) FROM attempt";
        let (total, answered, refused): (i64, i64, i64) = self
            .store
            .attempt(|connection| connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))?;
        Ok(Attempts { total: total as u64, unanswered: (total - answered) as u64, refused: refused as u64 })
    }

    /// The slowest answer so far in milliseconds.
    pub fn slowest_answer(&self) -> Result<u64, JournalError> {
        let sql = "SELECT max(milliseconds) FROM attempt WHERE status IS NOT NULL";
        let slowest: Option<Option<i64>> =
            self.store.attempt(|connection| connection.query_row(sql, [], |row| row.get(0)).optional())?;
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
        self.store.attempt(|connection| {
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
            Some(step) => Err(self.store.damaged(format!("step {step} cannot be read"))),
            None => Ok(()),
        }
    }
}

fn sheet_of(row: &SqlRow<'_>) -> rusqlite::Result<(SheetHead, String)> {
    let list = |name: &str| row.get::<_, String>(name);
    let mut header = Row::default();
    // A header that cannot be read leaves the columns without names, and no row unread.
    let _ = Decoder::default().decode(row.get::<_, i64>("header_row")? as u64, &list("header")?, &mut header);
    let head = SheetHead {
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
    // The pessimistic reading where a word is not known: the row counts as failed.
    let planned = PlannedRow {
        state: words::state(ROW_STATES, &state).unwrap_or(RowState::Ended),
        status: words::status(&status).unwrap_or(RowStatus::Failed),
        record: row.get("record")?,
        message: row.get::<_, Option<String>>("message")?.unwrap_or_default(),
        problems: words::problems(problems.as_deref()),
    };
    Ok(StoredRow { number: row.get::<_, i64>("row")? as u64, planned })
}

/// None where a word is not known or JSON cannot be read.
fn step_of(row: &SqlRow<'_>) -> rusqlite::Result<Option<Step>> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let (part, entity, write) = (text("part")?, text("entity")?, text("write")?);
    let (body, awaits, stood) = (text("body")?, text("awaits")?, text("stood")?);
    let read = || {
        let entity = entity?;
        let mut step = Step::new(
            row.get("step").ok()?,
            RowId { sheet: row.get("sheet").ok()?, row: row.get::<_, i64>("row").ok()? as u64 },
            words::state(PARTS, &part?)?,
            schema::importable().find(|known| known.name == entity)?,
            words::write_kind(&write?, row.get("record").ok()?)?,
        );
        step.body = serde_json::from_str(&body?).ok()?;
        step.awaits = awaits.map_or(Some(Vec::new()), |text| serde_json::from_str(&text).ok())?;
        step.before = stood.map_or(Some(None), |text| serde_json::from_str(&text).ok())?;
        Some(step)
    };
    Ok(read())
}

fn outcome_of(row: &SqlRow<'_>, step: u32) -> rusqlite::Result<StepOutcome> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    Ok(StepOutcome {
        step,
        result: text("result")?.and_then(|word| words::state(RESULTS, &word)).unwrap_or(StepResult::Unknown),
        record: row.get("known")?,
        after: text("after")?.and_then(|text| serde_json::from_str(&text).ok()),
        message: text("message")?.unwrap_or_default(),
        problems: words::problems(text("problems")?.as_deref()),
    })
}
