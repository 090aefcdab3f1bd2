//! Opens the database: application id, lock and tables.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::super::clock::StoreClock;
use super::super::error::SandboxError;
use super::record_store::{AccountId, RecordStore};
use super::tables::RecordTables;
use crate::state_file::{self, FormatError, FormatStamp, SqliteFailure};

/// "Tlps" in ASCII.
const STAMP: FormatStamp = FormatStamp { application: 0x546c_7073, format: 1 };

/// Capacity of the statement cache, enough for the usual lists and filters.
const STATEMENTS: usize = 512;

/// With these settings a killed process loses nothing, and a power failure at most the last moments, which is
/// acceptable for a sandbox. The exclusive lock keeps a second sandbox out and avoids the shared index of the
/// write-ahead log. A checkpoint waits for the disk, so the log may grow to 64 MiB (16,384 pages) before there is one.
const FILE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; \
    PRAGMA wal_autocheckpoint = 16384;";
/// A file that is written in one go, and synced by whoever gives it its name.
const NEW_FILE_PRAGMAS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;";
const MEMORY_PRAGMAS: &str = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;";

impl RecordStore {
    pub(crate) fn in_memory() -> Result<Self, SandboxError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(MEMORY_PRAGMAS)?;
        Ok(Self::prepare(connection)?)
    }

    /// The store in that file, which is created if it does not exist.
    pub(crate) fn in_file(path: &Path) -> Result<Self, SandboxError> {
        let failed = |error| open_error(path, error);
        // It holds an inventory. What cannot be created here, SQLite cannot create either, and it says why.
        let _ = state_file::create_private(path);
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::ZERO).map_err(failed)?;
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(failed)?;
        check_format(&connection, path)?;
        connection.execute_batch(FILE_PRAGMAS).map_err(failed)?;
        Self::prepare(connection).map_err(failed)
    }

    /// The store in a new file that nobody else knows yet, within a transaction that [`RecordStore::close`] ends. A file
    /// that is not closed is no use.
    pub(crate) fn in_new_file(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(NEW_FILE_PRAGMAS)?;
        let store = Self::prepare(connection)?;
        store.connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(store)
    }

    /// Commits and closes a new file.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")?;
        // Statements that are still cached would keep the connection open.
        self.connection.flush_prepared_statement_cache();
        self.connection.close().map_err(|(_, error)| error)
    }

    fn prepare(connection: Connection) -> rusqlite::Result<Self> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let tables = RecordTables::from_schema();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        tables.create(&connection)?;
        STAMP.write(&connection)?;
        connection.execute_batch("COMMIT")?;
        let last: Option<String> = connection.query_row("SELECT max(timestamp) FROM activity", [], |row| row.get(0))?;
        let latest = tables.latest_update(&connection)?.max(last);
        let is_copy = Self::has_copy(&connection)?;
        Ok(Self { connection, tables, clock: StoreClock::after(latest.as_deref()), is_copy })
    }

    /// Registers an account; true if it is new.
    pub(crate) fn open_account(&self, account: AccountId) -> rusqlite::Result<bool> {
        let added = self.connection.execute("INSERT OR IGNORE INTO accounts (tenant) VALUES (?1)", [account.0])?;
        Ok(added == 1)
    }

    /// Runs `fill` in one transaction.
    pub(crate) fn transaction(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), SandboxError>,
    ) -> Result<(), SandboxError> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        fill(self)?;
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }
}

/// Checks, before anything is written, that the file is empty or one of ours.
fn check_format(connection: &Connection, path: &Path) -> Result<(), SandboxError> {
    match STAMP.check(connection) {
        Ok(_) => Ok(()),
        Err(FormatError::Foreign) => Err(SandboxError::Foreign { path: path.into() }),
        Err(FormatError::Newer { found }) => Err(SandboxError::Newer { path: path.into(), found, known: STAMP.format }),
        Err(FormatError::Sqlite(error)) => Err(open_error(path, error)),
    }
}

fn open_error(path: &Path, source: rusqlite::Error) -> SandboxError {
    let path = PathBuf::from(path);
    match SqliteFailure::of(&source) {
        SqliteFailure::Locked => SandboxError::InUse { path },
        SqliteFailure::Damaged if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            SandboxError::Foreign { path }
        }
        _ => SandboxError::Open { path, source },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Diagnostic;

    #[test]
    fn a_file_is_made_kept_and_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("practice.db");
        let store = RecordStore::in_file(&path).unwrap();
        assert!(store.open_account(AccountId(1)).unwrap());
        assert!(matches!(RecordStore::in_file(&path), Err(SandboxError::InUse { .. })));
        drop(store);
        let again = RecordStore::in_file(&path).unwrap();
        assert!(!again.open_account(AccountId(1)).unwrap(), "the account is known");
    }

    #[test]
    fn foreign_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "these are notes, and quite a few of them, not a database\n".repeat(40)).unwrap();
        let before = std::fs::read(&text).unwrap();
        assert!(matches!(RecordStore::in_file(&text), Err(SandboxError::Foreign { .. })));
        assert_eq!(std::fs::read(&text).unwrap(), before);

        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        let before = std::fs::read(&other).unwrap();
        assert!(matches!(RecordStore::in_file(&other), Err(SandboxError::Foreign { .. })));
        assert_eq!(std::fs::read(&other).unwrap(), before);
    }

    #[test]
    fn a_newer_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newer.db");
        drop(RecordStore::in_file(&path).unwrap());
        Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        let error = RecordStore::in_file(&path).unwrap_err();
        assert!(matches!(error, SandboxError::Newer { found: 99, known: 1, .. }), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_missing_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = RecordStore::in_file(&folder.path().join("no/such/file.db")).unwrap_err();
        assert!(matches!(error, SandboxError::Open { .. }), "{error}");
        assert!(error.hint().unwrap().starts_with("create the folder"));
    }

    #[test]
    fn a_file_from_before_a_field_existed_gets_its_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("older.db");
        drop(RecordStore::in_file(&path).unwrap());
        let older = Connection::open(&path).unwrap();
        older.execute_batch("ALTER TABLE statuses DROP COLUMN notes").unwrap();
        drop(older);
        let store = RecordStore::in_file(&path).unwrap();
        assert!(!store.any("SELECT notes FROM statuses", []).unwrap());
    }
}
