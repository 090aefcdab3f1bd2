//! The SQLite file: tables, format version, lock and durability.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{JournalError, RunHeader};

/// The format version that this program writes.
pub(super) const FORMAT: i64 = 1;

/// `TLPJ`: distinguishes a journal from other SQLite files.
const APPLICATION_ID: i64 = 0x544C_504A;

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

/// Where a journal is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalLocation {
    /// In a file.
    File(PathBuf),
    /// In memory, for an account in memory.
    Memory,
}

impl JournalLocation {
    /// The path for messages.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            JournalLocation::File(path) => path.clone(),
            JournalLocation::Memory => PathBuf::from("in memory"),
        }
    }
}

/// An open journal file.
#[derive(Debug)]
pub(super) struct JournalFile {
    pub(super) connection: Connection,
    pub(super) location: JournalLocation,
    /// Held while this process may write; released on drop.
    _lock: Option<File>,
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
                create_folder(path)?;
                let lock = lock(path, &head.id)?;
                create_private(path)?;
                Some(lock)
            }
            JournalLocation::Memory => None,
        };
        let connection = match &location {
            JournalLocation::File(path) => Connection::open(path),
            JournalLocation::Memory => Connection::open_in_memory(),
        };
        let connection = connection.map_err(|source| JournalError::database(&location.path(), source))?;
        let file = Self { connection, location, _lock: lock };
        file.attempt(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", FORMAT)
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

    /// Opens a file for reading, whichever process works on it.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        // Read-write where possible: the first reader after a crash replays the write-ahead log.
        match Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None) {
            Err(JournalError::ReadOnly { .. }) => Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, None),
            other => other,
        }
    }

    fn connect(path: &Path, flags: OpenFlags, lock: Option<File>) -> Result<Self, JournalError> {
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
        let number = |name: &str| {
            self.attempt(|connection| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)))
        };
        let (application, format) = (number("application_id")?, number("user_version")?);
        let path = self.location.path();
        match (application, format) {
            (APPLICATION_ID, FORMAT) => Ok(()),
            (APPLICATION_ID, found) if found > FORMAT => Err(JournalError::Newer { path, found, known: FORMAT }),
            // A crash before the first commit leaves a file without tables.
            (APPLICATION_ID, _) => Err(JournalError::Damaged { path, what: String::from("it is empty") }),
            _ => Err(JournalError::Damaged { path, what: String::from("it is not a tallyport journal") }),
        }
    }

    pub(super) fn set_durability(&self, durability: Durability) -> Result<(), JournalError> {
        let level = match durability {
            Durability::None => "OFF",
            Durability::Full => "FULL",
        };
        self.attempt(|connection| connection.pragma_update(None, "synchronous", level))
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

fn create_folder(path: &Path) -> Result<(), JournalError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let error = |source| JournalError::Folder { path: folder.to_path_buf(), source };
    fs::create_dir_all(folder).map_err(error)
}

/// The lock file next to a journal. It stays after the lock is released: deleting it could delete another process's.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

pub(super) fn lock(path: &Path, run: &str) -> Result<File, JournalError> {
    let lock_path = lock_path(path);
    let error = |source| JournalError::Folder { path: lock_path.clone(), source };
    // Windows cannot lock a file that is open for appending only.
    let file = OpenOptions::new().create(true).read(true).append(true).open(&lock_path).map_err(error)?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that lists the runs holds it for a moment.
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
    }
    Err(JournalError::Busy { run: run.to_owned() })
}

/// Whether another process holds the lock of a journal.
pub(super) fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(lock_path(path)) else { return false };
    // A shared lock, so that two readers do not take each other for a writer.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Creates the empty file, readable by its owner only: it holds a company's inventory.
fn create_private(path: &Path) -> Result<(), JournalError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // On Windows the state folder is in the user's profile, which others cannot read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let error = |source| JournalError::Folder { path: path.to_path_buf(), source };
    options.open(path).map(drop).map_err(error)
}
