//! The SQLite file: tables, format version, lock and durability.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{JournalError, RunHeader};
use crate::state_file::{self, FileFormat, FormatError, FormatStamp, LockFile};
pub(super) use crate::state_file::{is_locked, lock_path};

/// `TLPJ`.
const STAMP: FormatStamp = FormatStamp { application: 0x544C_504A, format: 1 };

/// Attempts to get the lock, 20 ms apart.
const LOCK_ATTEMPTS: u32 = 5;

/// How long to wait for another program that reads the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE run (
    id TEXT NOT NULL, deed TEXT NOT NULL, tallyport TEXT NOT NULL, account TEXT NOT NULL, place TEXT NOT NULL,
    tenant INTEGER, profile TEXT, undoes TEXT, began TEXT NOT NULL, phase TEXT NOT NULL, reason TEXT, ended TEXT,
    details TEXT NOT NULL, knowledge TEXT, counts TEXT, result TEXT, requests TEXT, seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE sheet (
    sheet INTEGER PRIMARY KEY, file TEXT NOT NULL, name TEXT, label TEXT NOT NULL, place INTEGER NOT NULL,
    entity TEXT NOT NULL, header_row INTEGER NOT NULL, header TEXT NOT NULL, fields TEXT NOT NULL, decoding TEXT, ignored TEXT NOT NULL
);
-- `id` is sheet * 2^40 + the row's position: rows lie in the order of the sheet.
CREATE TABLE row (
    id INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, row INTEGER NOT NULL, state TEXT NOT NULL, status TEXT NOT NULL,
    record INTEGER, message TEXT, problems TEXT, cells TEXT NOT NULL
);
CREATE TABLE step (
    step INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, row INTEGER NOT NULL, part TEXT NOT NULL, entity TEXT NOT NULL,
    write TEXT NOT NULL, record INTEGER, body TEXT NOT NULL, awaits TEXT, stood TEXT
);
CREATE TABLE intent (step INTEGER PRIMARY KEY, at TEXT NOT NULL, sends INTEGER NOT NULL);
CREATE TABLE attempt (
    step INTEGER NOT NULL, at TEXT NOT NULL, milliseconds INTEGER NOT NULL, request TEXT NOT NULL, status INTEGER,
    reply TEXT
);
CREATE TABLE outcome (
    step INTEGER PRIMARY KEY, at TEXT NOT NULL, result TEXT NOT NULL, record INTEGER, after TEXT, message TEXT,
    problems TEXT
);
";

/// What rows change, by the id of the row. Journals of earlier versions do not have it.
const CHANGES_TABLE: &str = "CREATE TABLE change (id INTEGER PRIMARY KEY, changes TEXT NOT NULL)";

/// Where a journal is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalLocation {
    /// In a file.
    File(PathBuf),
    /// In memory, for an account in memory.
    Memory,
    /// In a temporary file, for a dry run: without the cells of rows and without steps.
    Scratch,
    /// In a temporary file, for a plan workbook: without the cells of rows.
    Draft,
}

impl JournalLocation {
    /// Whether it is gone with the process, and only says what a run would do.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, JournalLocation::Scratch | JournalLocation::Draft)
    }

    /// The path for messages.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            JournalLocation::File(path) => path.clone(),
            JournalLocation::Memory => PathBuf::from("in memory"),
            JournalLocation::Scratch | JournalLocation::Draft => PathBuf::from("of the dry run"),
        }
    }
}

/// An open journal file.
#[derive(Debug)]
pub(super) struct JournalFile {
    pub(super) connection: Connection,
    pub(super) location: JournalLocation,
    /// Held while this process may write; released on drop.
    _lock: Option<LockFile>,
}

/// Whether commits survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// While a plan is made: the spreadsheet still has everything.
    None,
    /// While the plan is sent.
    Full,
}

impl JournalFile {
    /// Creates a new file.
    pub(super) fn create(location: JournalLocation, head: &RunHeader) -> Result<Self, JournalError> {
        let lock = match &location {
            JournalLocation::File(path) => {
                // It holds a company's inventory: nobody else on the machine needs to read it.
                let folder = path.parent().unwrap_or(path).to_path_buf();
                state_file::create_folder_of(path).map_err(|source| JournalError::folder(folder, source))?;
                let lock = lock(path, &head.id)?;
                state_file::create_new_private(path).map_err(|source| JournalError::folder(path.clone(), source))?;
                Some(lock)
            }
            JournalLocation::Memory | JournalLocation::Scratch | JournalLocation::Draft => None,
        };
        let connection = match &location {
            JournalLocation::File(path) => Connection::open(path),
            JournalLocation::Memory => Connection::open_in_memory(),
            // SQLite keeps it in a temporary file of its own, and in memory while it is small.
            JournalLocation::Scratch | JournalLocation::Draft => Connection::open(""),
        };
        let connection = connection.map_err(|source| JournalError::database(&location.path(), source))?;
        let file = Self { connection, location, _lock: lock };
        file.attempt(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "application_id", STAMP.application)?;
            connection.execute_batch(TABLES)?;
            connection.execute_batch(CHANGES_TABLE)?;
            STAMP.write(connection)
        })?;
        file.set_durability(Durability::None)?;
        Ok(file)
    }

    /// Opens a file for writing; refused where another process holds the lock.
    pub(super) fn open(path: &Path, run: &str) -> Result<Self, JournalError> {
        // Locking would create a lock file for a journal that does not exist.
        let lock = path.is_file().then(|| lock(path, run)).transpose()?;
        let file = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, lock)?;
        file.set_durability(Durability::Full)?;
        Ok(file)
    }

    /// Whether a process made the file and ended before there was a run in it: nothing was sent then.
    pub(super) fn is_blank(path: &Path) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(connection) = Connection::open_with_flags(path, flags) else { return false };
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        match count("SELECT count(*) FROM sqlite_master WHERE name = 'run'") {
            Ok(0) => true,
            Ok(_) => matches!(count("SELECT count(*) FROM run"), Ok(0)),
            Err(_) => false,
        }
    }

    /// Opens a file for reading, whichever process works on it.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        // Read-write where possible: the first reader after a crash replays the write-ahead log.
        match Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None) {
            Err(JournalError::ReadOnly { .. }) => Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, None),
            other => other,
        }
    }

    fn connect(path: &Path, flags: OpenFlags, lock: Option<LockFile>) -> Result<Self, JournalError> {
        let location = JournalLocation::File(path.to_path_buf());
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|source| JournalError::database(path, source))?;
        let file = Self { connection, location, _lock: lock };
        file.attempt(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(())
        })?;
        file.check_format()?;
        Ok(file)
    }

    fn check_format(&self) -> Result<(), JournalError> {
        match STAMP.check(&self.connection) {
            Ok(FileFormat::Ready) => Ok(()),
            // A crash before the first commit leaves a file without tables.
            Ok(FileFormat::Unfinished) => Err(self.damaged("it is empty")),
            Ok(FileFormat::Empty) | Err(FormatError::Foreign) => Err(self.damaged("it is not a tallyport journal")),
            Err(FormatError::Newer { found }) => {
                Err(JournalError::Newer { path: self.location.path(), found, known: STAMP.format })
            }
            Err(FormatError::Sqlite(source)) => Err(JournalError::database(&self.location.path(), source)),
        }
    }

    pub(super) fn set_durability(&self, durability: Durability) -> Result<(), JournalError> {
        let (level, has_drive_flushed) = match durability {
            Durability::None => ("OFF", false),
            Durability::Full => ("FULL", true),
        };
        self.attempt(|connection| {
            // On macOS an ordinary fsync leaves data in the drive's own cache. No other system has this.
            connection.pragma_update(None, "fullfsync", has_drive_flushed)?;
            connection.pragma_update(None, "synchronous", level)
        })
    }

    /// Runs a database operation; errors name the file.
    pub(super) fn attempt<T>(&self, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        what(&self.connection).map_err(|source| JournalError::database(&self.location.path(), source))
    }

    /// An error for content that SQLite reads but that makes no sense.
    pub(super) fn damaged(&self, what: impl Into<String>) -> JournalError {
        JournalError::Damaged { path: self.location.path(), what: what.into() }
    }
}

/// Locks a journal for writing.
pub(super) fn lock(path: &Path, run: &str) -> Result<LockFile, JournalError> {
    let error = |source| JournalError::folder(lock_path(path), source);
    let lock = LockFile::of(path).map_err(error)?;
    for _ in 0..LOCK_ATTEMPTS {
        if lock.try_lock().map_err(error)? {
            return Ok(lock);
        }
        // A process that lists the runs holds it for a moment.
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(JournalError::Busy { run: run.to_owned() })
}
