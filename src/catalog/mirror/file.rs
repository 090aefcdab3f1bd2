//! The file: its tables, its version, its lock, and the statements on it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value as Json;

use super::MirrorError;
use super::observed_fields::ObservedFields;
use crate::api::RawRecord;
use crate::schema::{ACTIVITY, COLLECTIONS, Entity};

/// The format that this version writes.
const FORMAT: i64 = 1;
/// `TLPM`: tells a mirror from any other SQLite file.
const APPLICATION: i64 = 0x544C_504D;
/// RefreshMethod long another program that reads the file may hold us up.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// Held as long as this process works with the mirror; released by dropping it.
    _lock: Option<File>,
    /// Deleted with the value.
    _folder: Option<tempfile::TempDir>,
}

/// What the copy knows of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectionState {
    /// The latest `updated_at` of its records.
    pub(super) watermark: Option<String>,
    /// When it was last known to be as the service has it, as RFC 3339.
    pub(super) refreshed_at: String,
    /// The number of that refresh.
    pub(super) refresh: i64,
    /// The number of the last refresh that asked for its records, not only the log.
    pub(super) looked: i64,
}

/// What a record was to the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpsertResult {
    Added,
    Changed,
    Unchanged,
}

/// An entry of the activity log, as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub timestamp: String,
    pub kind: String,
    pub event: String,
    pub item: Option<i64>,
    /// The whole entry as JSON.
    pub body: String,
}

/// What an export of some name knows of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline {
    /// The last change it tells of.
    pub(super) change: i64,
    /// The last entry of the log that was known then: clocks of two machines need not agree.
    pub(super) log: i64,
    /// When that was, as RFC 3339.
    pub(super) at: String,
}

/// Whether what a record was before is kept, for the list of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    Kept,
    Dropped,
}

impl MirrorFile {
    /// The file of an account, made where there is none. `on_wait` is called where another process works with it;
    /// then its end is waited for.
    pub(super) fn open(path: &Path, on_wait: &mut dyn FnMut()) -> Result<Self, MirrorError> {
        make_folder(path)?;
        let lock = lock(path, on_wait)?;
        make_private(path)?;
        Self::connect(path, lock)
    }

    /// The file of an account, where there is one and no other process works with it.
    pub(super) fn open_if_free(path: &Path) -> Result<Option<Self>, MirrorError> {
        if !path.is_file() {
            return Ok(None);
        }
        let (lock_path, lock) = lock_file(path)?;
        match lock.try_lock() {
            Ok(()) => Self::connect(path, lock).map(Some),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(MirrorError::Folder { path: lock_path, source }),
        }
    }

    fn connect(path: &Path, lock: File) -> Result<Self, MirrorError> {
        let connection = Connection::open(path).map_err(|source| MirrorError::database(path, source))?;
        let store = Self { connection, path: path.to_path_buf(), _lock: Some(lock), _folder: None };
        store.set_up(["WAL", "NORMAL"])?;
        Ok(store)
    }

    /// A file of this process alone, deleted at the end.
    pub(super) fn scratch() -> Result<Self, MirrorError> {
        let here = std::env::temp_dir();
        let told = |source| MirrorError::Folder { path: here.clone(), source };
        let folder = tempfile::Builder::new().prefix("tallyport-").tempdir().map_err(told)?;
        let path = folder.path().join("account.sqlite");
        let connection = Connection::open(&path).map_err(|source| MirrorError::database(&path, source))?;
        let store = Self { connection, path, _lock: None, _folder: Some(folder) };
        // Nobody goes on with it after a crash.
        store.set_up(["OFF", "OFF"])?;
        Ok(store)
    }

    fn set_up(&self, [journal, synchronous]: [&str; 2]) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(128);
            connection.pragma_update(None, "journal_mode", journal)?;
            connection.pragma_update(None, "synchronous", synchronous)?;
            connection.pragma_update(None, "temp_store", "FILE")
        })?;
        let number = |name: &str| {
            self.attempt(|connection| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)))
        };
        let path = || self.path.clone();
        match (number("application_id")?, number("user_version")?) {
            (APPLICATION, FORMAT) => Ok(()),
            (APPLICATION, format) if format > FORMAT => Err(MirrorError::Newer { path: path(), format }),
            (0, 0) => self.create(),
            _ => Err(MirrorError::Foreign { path: path() }),
        }
    }

    fn create(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let tables: String = COLLECTIONS.iter().copied().chain([&ACTIVITY]).map(table_of).collect();
            connection.execute_batch(&format!(
                "BEGIN; {TABLES} {tables} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT"
            ))
        })
    }

    /// Does something with the database; what goes wrong is told with the file.
    pub(super) fn attempt<T>(&self, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, MirrorError> {
        what(&self.connection).map_err(|source| MirrorError::database(&self.path, source))
    }

    pub(super) fn begin(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(super) fn commit(&self) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch("COMMIT"))
    }

    /// Takes back what was done since [`MirrorFile::begin`].
    pub(super) fn roll_back(&self) {
        // Nothing to take back is as good.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Puts a record as it came into the copy. `scan` marks it as seen.
    pub(super) fn upsert(
        &self,
        entity: &Entity,
        record: RawRecord<'_>,
        (scan, history): (i64, History),
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
                let sql = format!("UPDATE {name} SET scan = ?2 WHERE id = ?1");
                connection.prepare_cached(&sql)?.execute(params![id, scan])?;
                return Ok(upserted);
            }
            if history == History::Kept {
                remember(connection, name, id, before.as_deref(), seen_at)?;
            }
            let sql = format!("INSERT OR REPLACE INTO {name} (id, updated_at, scan, body) VALUES (?1, ?2, ?3, ?4)");
            connection.prepare_cached(&sql)?.execute(params![id, record.updated_at, scan, record.json])?;
            Ok(upserted)
        })
    }

    /// As [`MirrorFile::upsert`] for a collection that the copy has nothing of.
    pub(super) fn add(&self, entity: &Entity, record: RawRecord<'_>, scan: i64) -> Result<(), MirrorError> {
        let Some(id) = record.id else { return Ok(()) };
        self.attempt(|connection| {
            let name = entity.name;
            let sql = format!("INSERT OR REPLACE INTO {name} (id, updated_at, scan, body) VALUES (?1, ?2, ?3, ?4)");
            connection.prepare_cached(&sql)?.execute(params![id, record.updated_at, scan, record.json])?;
            Ok(())
        })
    }

    /// Takes a record out of the copy; whether it was there.
    pub(super) fn remove(
        &self,
        entity: &Entity,
        id: i64,
        history: History,
        seen_at: &str,
    ) -> Result<bool, MirrorError> {
        let name = entity.name;
        self.attempt(|connection| {
            let sql = format!("DELETE FROM {name} WHERE id = ?1 RETURNING body");
            let before: Option<String> =
                connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
            if let (Some(before), History::Kept) = (&before, history) {
                remember(connection, name, id, Some(before), seen_at)?;
            }
            Ok(before.is_some())
        })
    }

    /// Takes out what a full read did not see; how many those were.
    pub(super) fn remove_unseen(
        &self,
        entity: &Entity,
        scan: i64,
        history: History,
        seen_at: &str,
    ) -> Result<u64, MirrorError> {
        let name = entity.name;
        let gone: Vec<i64> = self.attempt(|connection| {
            let mut statement = connection.prepare(&format!("SELECT id FROM {name} WHERE scan <> ?1"))?;
            statement.query_map([scan], |row| row.get(0))?.collect()
        })?;
        for id in &gone {
            self.remove(entity, *id, history, seen_at)?;
        }
        Ok(gone.len() as u64)
    }

    /// Takes every record of the collection out, without a trace.
    pub(super) fn empty(&self, entity: &Entity) -> Result<(), MirrorError> {
        self.attempt(|connection| connection.execute_batch(&format!("DELETE FROM {}", entity.name)))
    }

    pub(super) fn count(&self, entity: &Entity) -> Result<u64, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT count(*) FROM {}", entity.name);
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|count| count.max(0) as u64)
        })
    }

    /// The latest `updated_at` in the copy. Texts of one spelling sort as the moments they are.
    pub(super) fn latest(&self, entity: &Entity) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            connection.query_row(&format!("SELECT max(updated_at) FROM {}", entity.name), [], |row| row.get(0))
        })
    }

    /// A record of the copy as JSON text.
    pub(super) fn record(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT body FROM {} WHERE id = ?1", entity.name);
            connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()
        })
    }

    /// Some records in a row, by id, as JSON texts.
    pub(super) fn page(&self, entity: &Entity, offset: u64, limit: u32) -> Result<Vec<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT body FROM {} ORDER BY id LIMIT ?1 OFFSET ?2", entity.name);
            let offset = i64::try_from(offset).unwrap_or(i64::MAX);
            connection.prepare_cached(&sql)?.query_map(params![limit, offset], |row| row.get(0))?.collect()
        })
    }

    /// When a record of the copy was last changed, as the service spells it.
    pub(super) fn updated_at(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.attempt(|connection| {
            let sql = format!("SELECT updated_at FROM {} WHERE id = ?1", entity.name);
            connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional().map(Option::flatten)
        })
    }

    /// Every record, by id, until `with` says otherwise.
    pub(super) fn each<E: From<MirrorError>>(
        &self,
        entity: &Entity,
        with: &mut dyn FnMut(i64, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let told = |source| E::from(MirrorError::database(&self.path, source));
        let sql = format!("SELECT id, body FROM {} ORDER BY id", entity.name);
        let mut statement = self.connection.prepare_cached(&sql).map_err(told)?;
        let mut rows = statement.query([]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let id = row.get(0).map_err(told)?;
            let body = row.get_ref(1).map_err(told)?;
            with(id, body.as_str().map_err(|error| told(error.into()))?)?;
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
                    looked: row.get(3)?,
                })
            };
            connection.prepare_cached(sql)?.query_row([entity.name], read).optional()
        })
    }

    pub(super) fn set_state(&self, entity: &Entity, state: &CollectionState) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR REPLACE INTO collection (name, watermark, refreshed_at, refresh, looked)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let CollectionState { watermark, refreshed_at, refresh, looked } = state;
            connection.execute(sql, params![entity.name, watermark, refreshed_at, refresh, looked]).map(drop)
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

    pub(super) fn shape(&self, entity: &Entity) -> Result<ObservedFields, MirrorError> {
        self.attempt(|connection| {
            let mut shape = ObservedFields::default();
            let sql = "SELECT kind, name FROM field WHERE collection = ?1 ORDER BY kind, place";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([entity.name])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(1)?;
                match row.get::<_, i64>(0)? {
                    0 => shape.fields.note(&name),
                    _ => shape.custom.note(&name),
                };
            }
            Ok(shape)
        })
    }

    pub(super) fn set_shape(&self, entity: &Entity, shape: &ObservedFields) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            connection.execute("DELETE FROM field WHERE collection = ?1", [entity.name])?;
            let sql = "INSERT INTO field (collection, kind, place, name) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = connection.prepare_cached(sql)?;
            for (kind, names) in [(0, &shape.fields), (1, &shape.custom)] {
                for (place, name) in (0_i64..).zip(names.iter()) {
                    statement.execute(params![entity.name, kind, place, name])?;
                }
            }
            Ok(())
        })
    }

    /// Takes note of a log entry; whether it is new.
    pub(super) fn log(&self, entry: &LogEntry) -> Result<bool, MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR IGNORE INTO log (timestamp, type, event, item_id, body) VALUES (?1, ?2, ?3, ?4, ?5)";
            let LogEntry { timestamp, kind, event, item, body } = entry;
            let added = connection.prepare_cached(sql)?.execute(params![timestamp, kind, event, item, body])?;
            Ok(added > 0)
        })
    }

    /// The entries that came to be known behind a point and tell of a record, the latest first.
    pub(super) fn entries_about(&self, kind: &str, item: i64, since: i64) -> Result<Vec<LogEntry>, MirrorError> {
        self.attempt(|connection| {
            let sql = "SELECT timestamp, type, event, item_id, body FROM log
                       WHERE type = ?1 AND item_id = ?2 AND seq > ?3 ORDER BY timestamp DESC, seq DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok(LogEntry {
                    timestamp: row.get(0)?,
                    kind: row.get(1)?,
                    event: row.get(2)?,
                    item: row.get(3)?,
                    body: row.get(4)?,
                })
            };
            statement.query_map(params![kind, item, since], read)?.collect()
        })
    }

    /// Whether any export compares itself with an earlier one, so that what records were before has to be kept.
    pub(super) fn history(&self, entity: &Entity) -> Result<History, MirrorError> {
        let sql = "SELECT count(*) FROM baseline WHERE collection = ?1";
        let names: i64 = self.attempt(|connection| connection.query_row(sql, [entity.name], |row| row.get(0)))?;
        Ok(if names > 0 { History::Kept } else { History::Dropped })
    }

    /// The point up to which an export of that name knows the collection; none where it knows nothing of it.
    pub(super) fn baseline(&self, name: &str, entity: &Entity) -> Result<Option<Baseline>, MirrorError> {
        let sql = "SELECT seq, log, at FROM baseline WHERE name = ?1 AND collection = ?2";
        self.attempt(|connection| {
            let read =
                |row: &rusqlite::Row<'_>| Ok(Baseline { change: row.get(0)?, log: row.get(1)?, at: row.get(2)? });
            connection.query_row(sql, [name, entity.name], read).optional()
        })
    }

    /// From now on the export of that name knows everything up to here.
    pub(super) fn set_baseline(&self, name: &str, entity: &Entity, at: &str) -> Result<(), MirrorError> {
        self.attempt(|connection| {
            let sql = "INSERT OR REPLACE INTO baseline (name, collection, seq, log, at) VALUES (?1, ?2,
                       (SELECT coalesce(max(seq), 0) FROM change), (SELECT coalesce(max(seq), 0) FROM log), ?3)";
            connection.execute(sql, [name, entity.name, at])?;
            // What every name knows is of no use any more. The last one stays: it keeps the count.
            let sql = "DELETE FROM change WHERE collection = ?1 AND seq < (SELECT max(seq) FROM change)
                       AND seq <= (SELECT min(seq) FROM baseline WHERE collection = ?1)";
            connection.execute(sql, [entity.name]).map(drop)
        })
    }

    /// Every record that something happened to behind that point, by id, with what it was there.
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

/// Records lie by id. `scan` is the number of the full read that saw a record last.
fn table_of(entity: &Entity) -> String {
    format!(
        "CREATE TABLE {} (id INTEGER PRIMARY KEY, updated_at TEXT, scan INTEGER NOT NULL, body TEXT NOT NULL);",
        entity.name
    )
}

fn remember(
    connection: &Connection,
    collection: &str,
    id: i64,
    before: Option<&str>,
    seen_at: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO change (collection, record, before, seen_at) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![collection, id, before, seen_at]).map(drop)
}

/// Whether two texts say the same of a record. A list and a single read may order fields each in its own way.
fn is_same(before: &str, now: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    before == now || read(before).is_some_and(|before| Some(before) == read(now))
}

fn make_folder(path: &Path) -> Result<(), MirrorError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // It holds a company's inventory: nobody else on the machine needs to read it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| MirrorError::Folder { path: folder.to_path_buf(), source })
}

fn make_private(path: &Path) -> Result<(), MirrorError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    // On Windows the state folder lies in the user's profile, which others cannot read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| MirrorError::Folder { path: path.to_path_buf(), source })
}

fn lock(path: &Path, on_wait: &mut dyn FnMut()) -> Result<File, MirrorError> {
    let (lock_path, file) = lock_file(path)?;
    let told = |source| MirrorError::Folder { path: lock_path.clone(), source };
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => on_wait(),
        Err(TryLockError::Error(source)) => return Err(told(source)),
    }
    file.lock().map_err(told)?;
    Ok(file)
}

fn lock_file(path: &Path) -> Result<(PathBuf, File), MirrorError> {
    let lock_path = path.with_extension("lock");
    // Windows locks no file that is open for appending alone.
    match OpenOptions::new().create(true).read(true).append(true).open(&lock_path) {
        Ok(file) => Ok((lock_path, file)),
        Err(source) => Err(MirrorError::Folder { path: lock_path, source }),
    }
}
