//! The file: its tables, its version, its lock, and how durable it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{JournalError, RunHead};

/// The format that this version writes.
pub(super) const FORMAT: i64 = 1;

/// `TLPJ`: tells a journal from any other SQLite file.
const APPLICATION: i64 = 0x544C_504A;

/// How often the lock is tried for, 20 ms apart.
const LOOKERS: u32 = 5;

/// How long another program that reads the file may hold us up.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Where a journal is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// In this file.
    File(PathBuf),
    /// Gone with the process: for an account that is gone with it too.
    Memory,
}

impl At {
    /// For messages.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            At::File(path) => path.clone(),
            At::Memory => PathBuf::from("in memory"),
        }
    }
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) at: At,
    /// Held as long as this process may write; released by dropping it.
    _lock: Option<File>,
}

/// How sure a commit is to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// While a plan is made: the spreadsheet holds it all.
    Loose,
    /// While it is sent.
    Full,
}

impl Store {
    /// Makes a new file.
    pub(super) fn create(at: At, head: &RunHead) -> Result<Self, JournalError> {
        let lock = match &at {
            At::File(path) => {
                make_folder(path)?;
                let lock = lock(path, &head.id)?;
                make_private(path)?;
                Some(lock)
            }
            At::Memory => None,
        };
        let connection = match &at {
            At::File(path) => Connection::open(path),
            At::Memory => Connection::open_in_memory(),
        };
        let connection = connection.map_err(|source| JournalError::database(&at.path(), source))?;
        let store = Self { connection, at, _lock: lock };
        store.attempt(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", FORMAT)
        })?;
        store.be(Durability::Loose)?;
        Ok(store)
    }

    /// Opens a file to go on with it; refused where another process is at it.
    pub(super) fn open(path: &Path, run: &str) -> Result<Self, JournalError> {
        // The lock would make a file where none is.
        let lock = path.is_file().then(|| lock(path, run)).transpose()?;
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, lock)?;
        store.be(Durability::Full)?;
        Ok(store)
    }

    /// Opens a file to look into it, whoever works on it.
    pub(super) fn look(path: &Path) -> Result<Self, JournalError> {
        // Read-write where possible: a journal that a kill left behind is put in order by its first reader.
        match Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None) {
            Err(JournalError::ReadOnly { .. }) => Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, None),
            other => other,
        }
    }

    fn connect(path: &Path, flags: OpenFlags, lock: Option<File>) -> Result<Self, JournalError> {
        let at = At::File(path.to_path_buf());
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|source| JournalError::database(path, source))?;
        let store = Self { connection, at, _lock: lock };
        store.attempt(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(())
        })?;
        store.see_format()?;
        Ok(store)
    }

    fn see_format(&self) -> Result<(), JournalError> {
        let number = |name: &str| {
            self.attempt(|connection| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)))
        };
        let (application, format) = (number("application_id")?, number("user_version")?);
        let path = self.at.path();
        match (application, format) {
            (APPLICATION, FORMAT) => Ok(()),
            (APPLICATION, found) if found > FORMAT => Err(JournalError::Newer { path, found, known: FORMAT }),
            // A kill before the first commit leaves a file without tables.
            (APPLICATION, _) => Err(JournalError::Damaged { path, what: String::from("it was never begun") }),
            _ => Err(JournalError::Damaged { path, what: String::from("it is no journal of tallyport") }),
        }
    }

    pub(super) fn be(&self, durability: Durability) -> Result<(), JournalError> {
        let level = match durability {
            Durability::Loose => "OFF",
            Durability::Full => "FULL",
        };
        self.attempt(|connection| connection.pragma_update(None, "synchronous", level))
    }

    /// Does something with the database; what goes wrong is told with the file.
    pub(super) fn attempt<T>(&self, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        what(&self.connection).map_err(|source| JournalError::database(&self.at.path(), source))
    }

    /// For what the database cannot know to be wrong.
    pub(super) fn damaged(&self, what: impl Into<String>) -> JournalError {
        JournalError::Damaged { path: self.at.path(), what: what.into() }
    }
}

fn make_folder(path: &Path) -> Result<(), JournalError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let told = |source| JournalError::Folder { path: folder.to_path_buf(), source };
    fs::create_dir_all(folder).map_err(told)
}

/// The lock file beside a journal. It stays when the lock is gone: removing it could remove another process's.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

pub(super) fn lock(path: &Path, run: &str) -> Result<File, JournalError> {
    let lock_path = lock_path(path);
    let told = |source| JournalError::Folder { path: lock_path.clone(), source };
    // Windows locks no file that is open for appending alone.
    let file = OpenOptions::new().create(true).read(true).append(true).open(&lock_path).map_err(told)?;
    for _ in 0..LOOKERS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Whoever lists the runs holds it for a moment.
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(source)) => return Err(told(source)),
        }
    }
    Err(JournalError::Busy { run: run.to_owned() })
}

/// Whether another process holds the lock of that journal.
pub(super) fn is_busy(path: &Path) -> bool {
    let Ok(file) = File::open(lock_path(path)) else { return false };
    // A shared lock, so that two who look do not take each other for a run at work.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Makes the empty file. A journal holds a company's inventory: nobody else on the machine needs to read it.
fn make_private(path: &Path) -> Result<(), JournalError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // On Windows the state folder lies in the user's profile, which others cannot read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let told = |source| JournalError::Folder { path: path.to_path_buf(), source };
    options.open(path).map(drop).map_err(told)
}
