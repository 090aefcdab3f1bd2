//! Writes a plan into a new journal.

use std::fs;
use std::ops::Range;

use jiff::Timestamp;
use rusqlite::{ToSql, params};

use super::cells::StoredCells;
use super::encoding::{Json, PARTS, PHASES, ROW_STATES, RUN_KINDS, encode_problems, encode_write};
use super::file::{Durability, JournalFile, JournalLocation, lock_path};
use super::{AccountSnapshot, Journal, JournalError, PlannedRow, RunHeader, RunPhase, SheetHeader};
use crate::plan::{FieldChange, Step, StepSink};
use crate::table::Row;

/// Rows and steps per commit while the plan is made: bounds the size of SQLite's write-ahead log.
const BATCH: u32 = 20_000;

/// Builds a journal. Dropped before [`JournalBuilder::finish`], it deletes its file: nothing was sent.
#[derive(Debug)]
pub struct JournalBuilder {
    /// None once it is finished.
    journal: Option<Journal>,
    steps: u32,
    sheet: u16,
    /// The position of the sheet's next row, from 0.
    position: i64,
    uncommitted: u32,
}

impl JournalBuilder {
    /// Creates the journal of a run.
    ///
    /// # Errors
    /// Where the file cannot be created.
    pub fn create(location: JournalLocation, header: &RunHeader) -> Result<Self, JournalError> {
        Self::begin(location, header).map_err(JournalError::at_start)
    }

    fn begin(location: JournalLocation, header: &RunHeader) -> Result<Self, JournalError> {
        let mut builder = Self { journal: None, steps: 0, sheet: 0, position: 0, uncommitted: 0 };
        let journal = Journal::new(JournalFile::create(location, header)?);
        let file = &builder.journal.insert(journal).file;
        let (account, place) = header.account.stored();
        let profile = match &header.account {
            super::AccountIdentity::Service { profile, .. } => profile.as_deref(),
            super::AccountIdentity::SandboxFile { .. } | super::AccountIdentity::SandboxMemory => None,
        };
        file.attempt(|connection| {
            connection.execute(
                "INSERT INTO run (id, deed, tallyport, account, place, tenant, profile, undoes, began, phase, details) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    header.id,
                    RUN_KINDS.encode(header.kind),
                    env!("CARGO_PKG_VERSION"),
                    account,
                    place,
                    header.account.tenant(),
                    profile,
                    header.undoes,
                    Timestamp::now().to_string(),
                    PHASES.encode(RunPhase::Planning),
                    Json(&header.details),
                ],
            )?;
            connection.execute_batch("BEGIN")
        })?;
        Ok(builder)
    }

    /// Replaces the details of the run.
    ///
    /// # Errors
    /// Where they cannot be stored.
    pub fn set_details(&mut self, details: &super::RunDetails) -> Result<(), JournalError> {
        self.insert("UPDATE run SET details = ?1", params![Json(details)])
    }

    /// Makes the finished plan durable, so that it may be sent.
    ///
    /// # Errors
    /// Where that fails; nothing was sent then.
    pub fn finish(mut self, snapshot: &AccountSnapshot) -> Result<Journal, JournalError> {
        if let Some(Journal { file }) = &self.journal {
            make_durable(file, snapshot).map_err(JournalError::at_start)?;
        }
        self.journal.take().ok_or_else(|| JournalError::Gone { path: JournalLocation::Memory.path() })
    }

    /// Whether only what would become of rows is kept, for as long as the process runs.
    fn is_temporary(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.file.location.is_temporary())
    }

    fn keeps_steps(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.file.location != JournalLocation::Scratch)
    }

    /// The plan so far: dry runs are reported from here.
    ///
    /// # Errors
    /// Never, as long as somebody has the builder.
    pub(crate) fn journal(&self) -> Result<&Journal, JournalError> {
        self.journal.as_ref().ok_or_else(|| JournalError::Gone { path: JournalLocation::Memory.path() })
    }

    fn insert(&mut self, sql: &str, values: &[&dyn ToSql]) -> Result<(), JournalError> {
        let Some(Journal { file }) = &self.journal else { return Ok(()) };
        self.uncommitted += 1;
        let is_full = self.uncommitted >= BATCH;
        if is_full {
            self.uncommitted = 0;
        }
        file.attempt(|connection| {
            connection.prepare_cached(sql)?.execute(values)?;
            match is_full {
                true => connection.execute_batch("COMMIT; BEGIN"),
                false => Ok(()),
            }
        })
        .map_err(JournalError::at_start)
    }
}

fn make_durable(file: &JournalFile, snapshot: &AccountSnapshot) -> Result<(), JournalError> {
    let phase = PHASES.encode(RunPhase::Sending);
    file.attempt(|connection| connection.execute_batch("COMMIT"))?;
    file.set_durability(Durability::Full)?;
    file.attempt(|connection| {
        connection.execute("UPDATE run SET phase = ?1, knowledge = ?2", params![phase, Json(snapshot)])?;
        // Moves what was committed without a sync into the file, and syncs the file.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    })
}

impl StepSink for JournalBuilder {
    type Error = JournalError;

    fn count(&self) -> u32 {
        self.steps
    }

    fn push(&mut self, step: &Step) -> Result<(), JournalError> {
        self.steps += 1;
        if !self.keeps_steps() {
            return Ok(());
        }
        let (write, record) = encode_write(step.write);
        self.insert(
            "INSERT INTO step (step, sheet, row, part, entity, write, record, body, awaits, stood) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                step.number,
                step.row.sheet,
                step.row.row as i64,
                PARTS.encode(step.role),
                step.entity.name,
                write,
                record,
                Json(&step.body),
                (!step.depends_on.is_empty()).then_some(Json(&step.depends_on)),
                step.before.as_ref().map(Json),
            ],
        )
    }
}

impl JournalBuilder {
    /// Begins a sheet; the rows that follow belong to it.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn sheet(&mut self, sheet: u16, header: &SheetHeader) -> Result<(), JournalError> {
        (self.sheet, self.position) = (sheet, 0);
        let cells = Json(StoredCells { row: &header.header, withheld: &|_| false });
        let (fields, ignored) = (Json(&header.fields), Json(&header.ignored));
        let number = header.header.number as i64;
        self.insert(
            "INSERT INTO sheet (sheet, file, name, label, place, entity, header_row, header, fields, decoding, ignored) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                sheet, header.file, header.name, header.label, header.place, header.entity.name, number, cells, fields,
                header.decoding, ignored,
            ],
        )
    }

    /// Adds what the next row of the sheet changes; kept for reports.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn changes(&mut self, changes: &[FieldChange]) -> Result<(), JournalError> {
        if changes.is_empty() {
            return Ok(());
        }
        let id = row_keys(self.sheet).start + self.position;
        let text = serde_json::to_string(changes).unwrap_or_default();
        self.insert("INSERT INTO change (id, changes) VALUES (?1, ?2)", params![id, text])
    }

    /// Adds the next row of the sheet. Cells of `withheld` columns are not stored, and those of a dry run neither.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn row(
        &mut self,
        row: &Row,
        planned: &PlannedRow,
        withheld: &dyn Fn(usize) -> bool,
    ) -> Result<(), JournalError> {
        let (id, sheet) = (row_keys(self.sheet).start + self.position, self.sheet);
        let cells = Json(StoredCells { row, withheld });
        let cells: &dyn ToSql = if self.is_temporary() { &"" } else { &cells };
        self.position += 1;
        let message = (!planned.message.is_empty()).then_some(&planned.message);
        self.insert(
            "INSERT INTO row (id, sheet, row, state, status, record, message, problems, cells) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                id,
                sheet,
                row.number as i64,
                ROW_STATES.encode(planned.state),
                planned.status.as_str(),
                planned.record,
                message,
                encode_problems(&planned.problems),
                cells,
            ],
        )
    }
}

impl Drop for JournalBuilder {
    fn drop(&mut self) {
        let Some(Journal { file: JournalFile { connection, location, .. } }) = self.journal.take() else { return };
        drop(connection);
        if let JournalLocation::File(path) = location {
            remove(&path);
        }
    }
}

/// Deletes a journal and the files next to it.
pub(super) fn remove(path: &std::path::Path) {
    for file in [path.to_path_buf(), sqlite_companion(path, "-wal"), sqlite_companion(path, "-shm"), lock_path(path)] {
        // A file may be missing, and one that stays does no harm.
        let _ = fs::remove_file(file);
    }
}

/// A file that SQLite creates next to the journal.
pub(super) fn sqlite_companion(path: &std::path::Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    std::path::PathBuf::from(name)
}

/// Row keys per sheet, far more than a spreadsheet has rows.
const ROWS: i64 = 1 << 40;

/// The keys of a sheet's rows in the table `row`.
pub(super) fn row_keys(sheet: u16) -> Range<i64> {
    let first = i64::from(sheet) * ROWS;
    first..first + ROWS
}
