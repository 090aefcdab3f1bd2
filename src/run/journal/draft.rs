//! A plan on its way into its journal.

use std::fs;
use std::ops::Range;

use jiff::Timestamp;
use rusqlite::params;

use super::store::{At, Durability, Store, lock_path};
use super::words::{self, DEEDS, PARTS, PHASES, ROW_STATES};
use super::{Journal, JournalError, Knowledge, Phase, PlanSink, PlannedRow, RunHead, SheetHead, cells};
use crate::account::AccountIdentity;
use crate::plan::{Step, StepSink};
use crate::table::Row;

/// Rows and steps that share one commit while the plan is made: bounds what SQLite keeps aside.
const BATCH: u32 = 20_000;

/// A journal in the making. Dropped before [`Draft::ready`], it leaves no file behind: nothing was sent.
#[derive(Debug)]
pub struct Draft {
    /// None once it is ready.
    store: Option<Store>,
    steps: u32,
    sheet: u16,
    /// The position of the sheet's next row, from 0.
    position: i64,
    uncommitted: u32,
}

impl Draft {
    /// Begins a run.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn begin(at: At, head: &RunHead) -> Result<Self, JournalError> {
        let mut draft = Self { store: None, steps: 0, sheet: 0, position: 0, uncommitted: 0 };
        let store = draft.store.insert(Store::create(at, head)?);
        let (account, place) = head.account.stored();
        let profile = match &head.account {
            AccountIdentity::Service { profile, .. } => profile.as_deref(),
            AccountIdentity::SandboxFile { .. } | AccountIdentity::SandboxMemory => None,
        };
        let details = serde_json::to_string(&head.details).unwrap_or_default();
        store.attempt(|connection| {
            connection.execute(
                "INSERT INTO run (id, deed, tallyport, account, place, tenant, profile, undoes, began, phase, details) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    head.id,
                    words::word(DEEDS, &head.deed),
                    env!("CARGO_PKG_VERSION"),
                    account,
                    place,
                    head.account.tenant(),
                    profile,
                    head.undoes,
                    Timestamp::now().to_string(),
                    words::word(PHASES, &Phase::Planning),
                    details,
                ],
            )?;
            connection.execute_batch("BEGIN")
        })?;
        Ok(draft)
    }

    /// Says more of the run than was known when it began.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub fn describe(&mut self, details: &super::Details) -> Result<(), JournalError> {
        self.insert("UPDATE run SET details = ?1", params![serde_json::to_string(details).unwrap_or_default()])
    }

    /// The plan is whole and on disk: it may be sent.
    ///
    /// # Errors
    /// Where it cannot be made durable; nothing was sent then.
    pub fn ready(mut self, knowledge: &Knowledge) -> Result<Journal, JournalError> {
        let phase = words::word(PHASES, &Phase::Sending);
        let knowledge = serde_json::to_string(knowledge).unwrap_or_default();
        if let Some(store) = &self.store {
            store.attempt(|connection| connection.execute_batch("COMMIT"))?;
            store.be(Durability::Full)?;
            store.attempt(|connection| {
                connection.execute("UPDATE run SET phase = ?1, knowledge = ?2", params![phase, knowledge])?;
                // What was committed loosely goes into the file, and the file to the disk.
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            })?;
        }
        let store = self.store.take();
        store.map(Journal::new).ok_or_else(|| JournalError::Gone { path: At::Memory.path() })
    }

    fn insert(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), JournalError> {
        let Some(store) = &self.store else { return Ok(()) };
        self.uncommitted += 1;
        let is_full = self.uncommitted >= BATCH;
        if is_full {
            self.uncommitted = 0;
        }
        store.attempt(|connection| {
            connection.prepare_cached(sql)?.execute(values)?;
            match is_full {
                true => connection.execute_batch("COMMIT; BEGIN"),
                false => Ok(()),
            }
        })
    }
}

impl StepSink for Draft {
    type Error = JournalError;

    fn count(&self) -> u32 {
        self.steps
    }

    fn push(&mut self, step: &Step) -> Result<(), JournalError> {
        self.steps += 1;
        let (write, record) = words::write_words(step.write);
        let json = |is_there: bool, text: serde_json::Result<String>| is_there.then(|| text.unwrap_or_default());
        self.insert(
            "INSERT INTO step (step, sheet, row, part, entity, write, record, body, awaits, stood) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                step.number,
                step.row.sheet,
                step.row.row as i64,
                words::word(PARTS, &step.part),
                step.entity.name,
                write,
                record,
                serde_json::to_string(&step.body).unwrap_or_default(),
                json(!step.awaits.is_empty(), serde_json::to_string(&step.awaits)),
                json(step.before.is_some(), serde_json::to_string(&step.before)),
            ],
        )
    }
}

impl PlanSink for Draft {
    fn sheet(&mut self, sheet: u16, head: &SheetHead) -> Result<(), JournalError> {
        (self.sheet, self.position) = (sheet, 0);
        let header = cells::encode(&head.header, &|_| false);
        let fields = serde_json::to_string(&head.fields).unwrap_or_default();
        let ignored = serde_json::to_string(&head.ignored).unwrap_or_default();
        let sheet_values = params![
            sheet, head.file, head.name, head.label, head.place, head.entity.name, head.header.number as i64, header,
            fields, head.decoding, ignored,
        ];
        self.insert(
            "INSERT INTO sheet (sheet, file, name, label, place, entity, header_row, header, fields, decoding, ignored) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            sheet_values,
        )
    }

    fn row(&mut self, row: &Row, planned: &PlannedRow, withheld: &dyn Fn(usize) -> bool) -> Result<(), JournalError> {
        let (id, sheet) = (row_keys(self.sheet).start + self.position, self.sheet);
        self.position += 1;
        let message = (!planned.message.is_empty()).then_some(&planned.message);
        self.insert(
            "INSERT INTO row (id, sheet, row, state, status, record, message, problems, cells) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                id,
                sheet,
                row.number as i64,
                words::word(ROW_STATES, &planned.state),
                planned.status.as_str(),
                planned.record,
                message,
                words::problems_text(&planned.problems),
                cells::encode(row, withheld),
            ],
        )
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let Some(Store { connection, at, .. }) = self.store.take() else { return };
        drop(connection);
        if let At::File(path) = at {
            remove(&path);
        }
    }
}

/// Deletes a journal and what lies beside it.
pub(super) fn remove(path: &std::path::Path) {
    for file in [path.to_path_buf(), beside(path, "-wal"), beside(path, "-shm"), lock_path(path)] {
        // What is not there need not go, and nothing is lost with a file that stays.
        let _ = fs::remove_file(file);
    }
}

/// A file that SQLite puts beside its own.
pub(super) fn beside(path: &std::path::Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    std::path::PathBuf::from(name)
}

/// A sheet has room for so many rows: a spreadsheet's are far below.
const ROWS: i64 = 1 << 40;

/// Where the rows of a sheet stand in the file.
pub(super) fn row_keys(sheet: u16) -> Range<i64> {
    let first = i64::from(sheet) * ROWS;
    first..first + ROWS
}
