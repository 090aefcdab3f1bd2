//! The mirror file: its tables, its format, its lock, and the statements on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use serde_json::Value as Json;

use super::MirrorError;
use super::observed_fields::ObservedFields;
use crate::api::RawRecord;
use crate::schema::{ACTIVITY, COLLECTIONS, Entity};
use crate::scratch::ScratchFolder;
use crate::state_file::{self, FileFormat, FormatError, FormatStamp, LockFile};

/// `TLPM`.
const STAMP: FormatStamp = FormatStamp { application: 0x544C_504D, format: 1 };
/// Bytes of a page of a new file: records are a kilobyte, and a page of SQLite's default size would hold five.
const PAGE_SIZE: u32 = 16 << 10;
/// How long to wait for another program that reads the file.
const TIMEOUT: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE collection (
    name TEXT PRIMARY KEY, watermark TEXT, refreshed_at TEXT NOT NULL, refresh INTEGER NOT NULL, looked INTEGER NOT NULL
);
CREATE TABLE account (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE field (collection TEXT NOT NULL, kind INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL);
CREATE TABLE log (
    seq INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, type TEXT NOT NULL, event TEXT NOT NULL, item_id INTEGER,
    body TEXT NOT NULL UNIQUE
);
CREATE TABLE change (
    seq INTEGER PRIMARY KEY, collection TEXT NOT NULL, record INTEGER NOT NULL, before TEXT, seen_at TEXT NOT NULL
);
CREATE INDEX change_record ON change (collection, record, seq);
CREATE TABLE baseline (
    name TEXT NOT NULL, collection TEXT NOT NULL, seq INTEGER NOT NULL, log INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (name, collection)
);
";

/// An open mirror file.
#[derive(Debug)]
pub(super) struct MirrorFile {
    connection: Connection,
    path: PathBuf,
    /// Held as long as this process uses the mirror.
    _lock: Option<LockFile>,
    /// Deleted when this is dropped.
    _folder: Option<ScratchFolder>,
}

/// What the mirror knows of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectionState {
    /// The latest `updated_at` of its records.
    pub(super) watermark: Option<String>,
    /// When it was last known to equal the service's, as RFC 3339.
    pub(super) refreshed_at: String,
    /// The number of that refresh.
    pub(super) refresh: i64,
    /// The number of the last refresh that read its records, not only the log.
    pub(super) last_read: i64,
}

/// What storing a record changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpsertResult {
    Added,
    Changed,
    Unchanged,
}

/// An entry of the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEntry {
    pub timestamp: String,
    pub kind: String,
    pub event: String,
    pub item: Option<i64>,
    /// The whole entry as JSON.
    pub body: String,
}

/// Up to which point an export of some name knows a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline {
    /// The last change it includes.
    pub(super) change: i64,
    /// The last log entry that was known then: the clocks of two machines need not agree.
    pub(super) log: i64,
    /// When that was, as RFC 3339.
    pub(super) at: String,
}

impl MirrorFile {
    /// Opens the mirror of an account, and creates it if there is none. None if another process uses it.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, MirrorError> {
        let folder_error = |source| MirrorError::Folder { path: path.to_path_buf(), source };
        // It holds a company's inventory: nobody else on the machine needs to read it.
        state_file::create_folder_of(path).map_err(folder_error)?;
        let lock = LockFile::of(path).map_err(folder_error)?;
        if !lock.try_lock().map_err(folder_error)? {
            return Ok(None);
        }
        state_file::create_private(path).map_err(folder_error)?;
        Self::connect(path, lock).map(Some)
    }

    /// Opens the mirror of an account, if there is one and no other process uses it.
    pub(super) fn open_if_free(path: &Path) -> Result<Option<Self>, MirrorError> {
        if !path.is_file() {
            return Ok(None);
        }
        let folder_error = |source| MirrorError::Folder { path: state_file::lock_path(path), source };
        let lock = LockFile::of(path).map_err(folder_error)?;
        let is_free = lock.try_lock().map_err(folder_error)?;
        is_free.then(|| Self::connect(path, lock)).transpose()
    }

    fn connect(path: &Path, lock: LockFile) -> Result<Self, MirrorError> {
        let connection = Connection::open(path).map_err(|source| MirrorError::database(path, source))?;
        let file = Self { connection, path: path.to_path_buf(), _lock: Some(lock), _folder: None };
        // A new file is filled with all records of an account: a rollback journal has nothing to keep then, where a
        // write-ahead log would hold every record a second time.
        let is_new = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
        file.set_up([if is_new { "TRUNCATE" } else { "WAL" }, "NORMAL"])?;
        Ok(file)
    }

    /// Creates a mirror of this process alone, deleted at the end.
    pub(super) fn temporary() -> Result<Self, MirrorError> {
        let folder = ScratchFolder::create()
            .map_err(|source| MirrorError::Temporary { folder: std::env::temp_dir(), source })?;
        let path = folder.path().join("account.sqlite");
        state_file::create_private(&path).map_err(|source| MirrorError::Folder { path: path.clone(), source })?;
        let connection = Connection::open(&path).map_err(|source| MirrorError::database(&path, source))?;
        let file = Self { connection, path, _lock: None, _folder: Some(folder) };
        // Nobody uses it after a crash.
        file.set_up(["OFF", "OFF"])?;
        Ok(file)
    }

    fn set_up(&self, [journal, synchronous]: [&str; 2]) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            connection.busy_timeout(TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(128);
            // Without effect on a file that has pages already.
            connection.pragma_update(None, "page_size", PAGE_SIZE)?;
            connection.pragma_update(None, "journal_mode", journal)?;
            connection.pragma_update(None, "synchronous", synchronous)?;
            connection.pragma_update(None, "temp_store", "FILE")
        })?;
        let path = || self.path.clone();
        match STAMP.check(&self.connection) {
            Ok(FileFormat::Ready) => Ok(()),
            Ok(FileFormat::Empty) => self.create(),
            Ok(FileFormat::Unfinished) | Err(FormatError::Foreign) => Err(MirrorError::Foreign { path: path() }),
            Err(FormatError::Newer { found }) => Err(MirrorError::Newer { path: path(), format: found }),
            Err(FormatError::Sqlite(source)) => Err(MirrorError::database(&self.path, source)),
        }
    }

    fn create(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let tables: String = COLLECTIONS.iter().copied().chain([&ACTIVITY]).map(table_of).collect();
            connection.execute_batch(&format!("BEGIN; {TABLES} {tables}"))?;
            STAMP.write(connection)?;
            connection.execute_batch("COMMIT")
        })
    }

    /// Runs statements; an error names the file.
    pub(super) fn attempt<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, MirrorError> {
        work(&self.connection).map_err(|source| MirrorError::database(&self.path, source))
    }

    pub(super) fn begin(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(super) fn commit(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch("COMMIT"))
    }

    /// Undoes everything since [`MirrorFile::begin`].
    pub(super) fn roll_back(&self) {
        // There may be nothing to undo.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Inserts or updates a record. `scan` marks it as seen by that full scan; `keep_previous` keeps what it was, for the
    /// list of changes.
    pub(super) fn upsert(
        &self,
        entity: &Entity,
        record: RawRecord<'_>,
        (scan, keep_previous): (i64, bool),
        seen_at: &str,
    ) -> Result<UpsertResult, MirrorError> {
        let Some(id) = record.id else { return Ok(UpsertResult::Unchanged) };
        let name = entity.name;
        self.attempt(|connection| {
            let mut known = connection.prepare_cached(&format!("SELECT body FROM {name} WHERE id = ?1"))?;
            let before: Option<String> = known.query_row([id], |row| row.get(0)).optional()?;
            let upserted = match &before {
                None => UpsertResult::Added,
                Some(before) if is_same(before, record.json) => UpsertResult::Unchanged,
                Some(_) => UpsertResult::Changed,
            };
            if upserted == UpsertResult::Unchanged {
                let sql = format!("UPDATE {name} SET sweep = ?2 WHERE id = ?1");
                connection.prepare_cached(&sql)?.execute(params![id, scan])?;
                return Ok(upserted);
            }
            if keep_previous {
                add_change(connection, name, id, before.as_deref(), seen_at)?;
            }
            let mut insert = connection.prepare_cached(&insert_into(name))?;
            insert.execute(params![id, record.updated_at, scan, record.json])?;
            Ok(upserted)
        })
    }

    /// Inserts records as [`MirrorFile::upsert`] does, into a collection of which there are none yet.
    pub(super) fn inserter(&self, entity: &Entity) -> Result<Inserter<'_>, MirrorError> {
        let statement = self.connection.prepare_cached(&insert_into(entity.name));
        let statement = statement.map_err(|source| MirrorError::database(&self.path, source))?;
        Ok(Inserter { file: self, statement })
    }

    /// Removes a record; whether it was there.
    pub(super) fn remove(
        &self,
        entity: &Entity,
        id: i64,
        keep_previous: bool,
        seen_at: &str,
    ) -> Result<bool, MirrorError> {
        let name = entity.name;
        self.attempt(|connection| {
            let sql = format!("DELETE FROM {name} WHERE id = ?1 RETURNING body");
            let before: Option<String> =
                connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
            if let Some(before) = before.as_ref().filter(|_| keep_previous) {
                add_change(connection, name, id, Some(before), seen_at)?;
            }
            Ok(before.is_some())
        })
    }

    /// Removes the records that a full scan did not see; how many they were.
    pub(super) fn remove_unseen(
        &self,
        entity: &Entity,
        scan: i64,
        keep_previous: bool,
        seen_at: &str,
    ) -> Result<u64, MirrorError> {
        let name = entity.name;
        let gone: Vec<i64> = self.attempt(|connection| {
            let mut statement = connection.prepare(&format!("SELECT id FROM {name} WHERE sweep <> ?1"))?;
            statement.query_map([scan], |row| row.get(0))?.collect()
        })?;
        for id in &gone {
            self.remove(entity, *id, keep_previous, seen_at)?;
        }
        Ok(gone.len() as u64)
    }

    /// Removes every record of the collection, without keeping what it was.
    pub(super) fn empty(&self, entity: &Entity) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch(&format!("DELETE FROM {}", entity.name)))
    }

    pub(super) fn count(&self, entity: &Entity) -> Result<u64, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT count(*) FROM {}", entity.name);
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|count| count.max(0) as u64)
        })
    }

    /// The latest `updated_at` in the mirror. Timestamps of one format sort like text.
    pub(super) fn latest(&self, entity: &Entity) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            connection.query_row(&format!("SELECT max(updated_at) FROM {}", entity.name), [], |row| row.get(0))
        })
    }

    /// The records whose `updated_at` is later than that.
    pub(super) fn updated_after(&self, entity: &Entity, updated_at: &str) -> Result<Vec<i64>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT id FROM {} WHERE updated_at > ?1", entity.name);
            connection.prepare_cached(&sql)?.query_map([updated_at], |row| row.get(0))?.collect()
        })
    }

    /// A record as JSON text.
    pub(super) fn record(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT body FROM {} WHERE id = ?1", entity.name);
            connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()
        })
    }

    /// A page of records, by id, as JSON texts.
    pub(super) fn page(&self, entity: &Entity, offset: u64, limit: u32) -> Result<Vec<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT body FROM {} ORDER BY id LIMIT ?1 OFFSET ?2", entity.name);
            let offset = i64::try_from(offset).unwrap_or(i64::MAX);
            connection.prepare_cached(&sql)?.query_map(params![limit, offset], |row| row.get(0))?.collect()
        })
    }

    /// The `updated_at` of a record, as the service formats it.
    pub(super) fn updated_at(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT updated_at FROM {} WHERE id = ?1", entity.name);
            connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional().map(Option::flatten)
        })
    }

    /// Calls `with` for every record, by id, until it fails.
    pub(super) fn each<E: From<MirrorError>>(
        &self,
        entity: &Entity,
        with: &mut dyn FnMut(i64, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql_error = |source| E::from(MirrorError::database(&self.path, source));
        let sql = format!("SELECT id, body FROM {} ORDER BY id", entity.name);
        let mut statement = self.connection.prepare_cached(&sql).map_err(sql_error)?;
        let mut rows = statement.query([]).map_err(sql_error)?;
        while let Some(row) = rows.next().map_err(sql_error)? {
            let id = row.get(0).map_err(sql_error)?;
            let body = row.get_ref(1).map_err(sql_error)?;
            with(id, body.as_str().map_err(|error| sql_error(error.into()))?)?;
        }
        Ok(())
    }

    pub(super) fn state(&self, entity: &Entity) -> Result<Option<CollectionState>, MirrorError> {
        self.attempt(|connection| {
            let sql = "SELECT watermark, refreshed_at, refresh, looked FROM collection WHERE name = ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(CollectionState {
                    watermark: row.get(0)?,
                    refreshed_at: row.get(1)?,
                    refresh: row.get(2)?,
                    last_read: row.get(3)?,
                })
            };
            connection.prepare_cached(sql)?.query_row([entity.name], read).optional()
        })
    }

    pub(super) fn set_state(&self, entity: &Entity, state: &CollectionState) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR REPLACE INTO collection (name, watermark, refreshed_at, refresh, looked)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let CollectionState { watermark, refreshed_at, refresh, last_read } = state;
            connection.execute(sql, params![entity.name, watermark, refreshed_at, refresh, last_read]).map(drop)
        })
    }

    /// A fact about the account as a whole.
    pub(super) fn fact(&self, name: &str) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            connection.query_row("SELECT value FROM account WHERE name = ?1", [name], |row| row.get(0)).optional()
        })
    }

    pub(super) fn set_fact(&self, name: &str, value: &str) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR REPLACE INTO account (name, value) VALUES (?1, ?2)";
            connection.execute(sql, [name, value]).map(drop)
        })
    }

    pub(super) fn observed_fields(&self, entity: &Entity) -> Result<ObservedFields, MirrorError> {
        self.attempt(|connection| {
            let mut fields = ObservedFields::default();
            let sql = "SELECT kind, name FROM field WHERE collection = ?1 ORDER BY kind, place";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([entity.name])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(1)?;
                match row.get::<_, i64>(0)? {
                    0 => fields.fields.add(&name),
                    1 => fields.custom.add(&name),
                    2 => fields.former_fields.add(&name),
                    _ => fields.former_custom.add(&name),
                }
            }
            Ok(fields)
        })
    }

    /// Observes the fields of the records that are there, by id. So it does not matter in which order they came, or what
    /// others had before them. What an export names stays known: it may have been made for a field that all records lost.
    pub(super) fn observe_fields(&self, entity: &Entity) -> Result<(), MirrorError> {
        let mut fields = ObservedFields::default();
        self.each(entity, &mut |_, json| {
            fields.observe_json(json);
            Ok::<_, MirrorError>(())
        })?;
        fields.set_former(&self.observed_fields(entity)?);
        self.set_observed_fields(entity, &fields)
    }

    fn set_observed_fields(&self, entity: &Entity, fields: &ObservedFields) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            connection.execute("DELETE FROM field WHERE collection = ?1", [entity.name])?;
            let sql = "INSERT INTO field (collection, kind, place, name) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = connection.prepare_cached(sql)?;
            let ObservedFields { fields, custom, former_fields, former_custom } = fields;
            for (kind, names) in [(0, fields), (1, custom), (2, former_fields), (3, former_custom)] {
                for (place, name) in (0_i64..).zip(names.iter()) {
                    statement.execute(params![entity.name, kind, place, name])?;
                }
            }
            Ok(())
        })
    }

    /// Stores a log entry; whether it is new.
    pub(super) fn add_log_entry(&self, entry: &LogEntry) -> Result<bool, MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR IGNORE INTO log (timestamp, type, event, item_id, body) VALUES (?1, ?2, ?3, ?4, ?5)";
            let LogEntry { timestamp, kind, event, item, body } = entry;
            let added = connection.prepare_cached(sql)?.execute(params![timestamp, kind, event, item, body])?;
            Ok(added > 0)
        })
    }

    /// The number of the last log entry that became known; 0 if none did.
    pub(super) fn log_end(&self) -> Result<i64, MirrorError> {
        let sql = "SELECT coalesce(max(seq), 0) FROM log";
        self.attempt(|connection| connection.query_row(sql, [], |row| row.get(0)))
    }

    /// The log entries that became known after a point, the latest first.
    pub(super) fn entries_after(&self, since: i64) -> Result<Vec<LogEntry>, MirrorError> {
        // Of one moment, the entry that the service listed first is the latest.
        let sql = "SELECT timestamp, type, event, item_id, body FROM log WHERE seq > ?1 ORDER BY timestamp DESC, seq";
        self.attempt(|connection| connection.prepare_cached(sql)?.query_map([since], log_entry)?.collect())
    }

    /// The log entries about a record that became known after a point, the latest first.
    pub(super) fn entries_about(&self, kind: &str, item: i64, since: i64) -> Result<Vec<LogEntry>, MirrorError> {
        let sql = "SELECT timestamp, type, event, item_id, body FROM log
                   WHERE type = ?1 AND item_id = ?2 AND seq > ?3 ORDER BY timestamp DESC, seq";
        self.attempt(|connection| {
            connection.prepare_cached(sql)?.query_map(params![kind, item, since], log_entry)?.collect()
        })
    }

    /// Whether any export compares itself with an earlier one, so that what records were has to be kept.
    pub(super) fn keeps_previous(&self, entity: &Entity) -> Result<bool, MirrorError> {
        let sql = "SELECT count(*) FROM baseline WHERE collection = ?1";
        let names: i64 = self.attempt(|connection| connection.query_row(sql, [entity.name], |row| row.get(0)))?;
        Ok(names > 0)
    }

    /// The point up to which an export of that name knows the collection; none if it does not know it.
    pub(super) fn baseline(&self, name: &str, entity: &Entity) -> Result<Option<Baseline>, MirrorError> {
        let sql = "SELECT seq, log, at FROM baseline WHERE name = ?1 AND collection = ?2";
        self.attempt(|connection| {
            let read =
                |row: &rusqlite::Row<'_>| Ok(Baseline { change: row.get(0)?, log: row.get(1)?, at: row.get(2)? });
            connection.query_row(sql, [name, entity.name], read).optional()
        })
    }

    /// Records that the export of that name knows everything up to here.
    pub(super) fn set_baseline(&self, name: &str, entity: &Entity, at: &str) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR REPLACE INTO baseline (name, collection, seq, log, at) VALUES (?1, ?2,
                       (SELECT coalesce(max(seq), 0) FROM change), (SELECT coalesce(max(seq), 0) FROM log), ?3)";
            connection.execute(sql, [name, entity.name, at])?;
            // Changes that every export knows are not needed any more. The last one stays: it keeps the sequence.
            let sql = "DELETE FROM change WHERE collection = ?1 AND seq < (SELECT max(seq) FROM change)
                       AND seq <= (SELECT min(seq) FROM baseline WHERE collection = ?1)";
            connection.execute(sql, [entity.name]).map(drop)
        })
    }

    /// Every record that changed after that point, by id, with what it was then.
    pub(super) fn changed_since(
        &self,
        entity: &Entity,
        seq: i64,
    ) -> Result<Vec<(i64, Option<String>, String)>, MirrorError> {
        self.attempt(|connection| {
            let sql = "SELECT record, before, seen_at FROM change
                       WHERE seq IN (SELECT min(seq) FROM change WHERE collection = ?1 AND seq > ?2 GROUP BY record)
                       ORDER BY record";
            let mut statement = connection.prepare(sql)?;
            statement.query_map(params![entity.name, seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
    }
}

/// Inserts into one collection: see [`MirrorFile::inserter`].
pub(super) struct Inserter<'f> {
    file: &'f MirrorFile,
    statement: CachedStatement<'f>,
}

impl Inserter<'_> {
    /// `scan` marks the record as seen by that full scan.
    pub(super) fn insert(&mut self, record: RawRecord<'_>, scan: i64) -> Result<(), MirrorError> {
        let Some(id) = record.id else { return Ok(()) };
        let inserted = self.statement.execute(params![id, record.updated_at, scan, record.json]);
        inserted.map(drop).map_err(|source| MirrorError::database(&self.file.path, source))
    }
}

fn insert_into(collection: &str) -> String {
    format!("INSERT OR REPLACE INTO {collection} (id, updated_at, sweep, body) VALUES (?1, ?2, ?3, ?4)")
}

/// The table of a collection. `sweep` is the number of the full scan that saw a record last.
fn table_of(entity: &Entity) -> String {
    format!(
        "CREATE TABLE {} (id INTEGER PRIMARY KEY, updated_at TEXT, sweep INTEGER NOT NULL, body TEXT NOT NULL);",
        entity.name
    )
}

fn log_entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry { timestamp: row.get(0)?, kind: row.get(1)?, event: row.get(2)?, item: row.get(3)?, body: row.get(4)? })
}

fn add_change(
    connection: &Connection,
    collection: &str,
    id: i64,
    before: Option<&str>,
    seen_at: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO change (collection, record, before, seen_at) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![collection, id, before, seen_at]).map(drop)
}

/// Whether two texts describe the same record. A list and a single read may order the fields differently.
fn is_same(before: &str, now: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    before == now || read(before).is_some_and(|before| Some(before) == read(now))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_new_file_has_pages_of_sixteen_kilobytes() {
        let file = MirrorFile::temporary().unwrap();
        let size: u32 = file.connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        assert_eq!(size, 16_384);
    }
}
