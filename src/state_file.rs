//! SQLite files that keep state: run journals, account mirrors, the shared quota, sandbox accounts.
//!
//! What they have in common: a format stamp in the SQLite header, permissions for this user only, a lock file beside
//! them, and what an error of SQLite means for a person.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use rusqlite::{Connection, ErrorCode};

/// The kind and format of a file: `application_id` and `user_version` of its SQLite header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormatStamp {
    /// Four ASCII letters that tell this kind of file from any other SQLite file.
    pub(crate) application: i64,
    /// The format that this version writes.
    pub(crate) format: i64,
}

/// What a file is, if it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// New: neither a stamp nor tables.
    Empty,
    /// Of this kind, but the process that created it was killed before it was done.
    Unfinished,
    Ready,
}

/// Why a file must not be used.
#[derive(Debug)]
pub(crate) enum FormatError {
    /// It belongs to another program, or is another kind of file.
    Foreign,
    /// A later version wrote it.
    Newer {
        found: i64,
    },
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for FormatError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl FormatStamp {
    /// Reads the stamp of a file, before anything is written to it.
    ///
    /// Another process may create the file meanwhile, stamp and tables in one transaction. The tables are therefore
    /// looked for first: where they are seen, so is the stamp.
    pub(crate) fn check(self, connection: &Connection) -> Result<FileFormat, FormatError> {
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let tables = number("SELECT count(*) FROM sqlite_master")?;
        let application = number("PRAGMA application_id")?;
        let format = number("PRAGMA user_version")?;
        if application == 0 && tables == 0 {
            return Ok(FileFormat::Empty);
        }
        if application != self.application {
            return Err(FormatError::Foreign);
        }
        if format > self.format {
            return Err(FormatError::Newer { found: format });
        }
        Ok(if format == 0 { FileFormat::Unfinished } else { FileFormat::Ready })
    }

    /// Stamps a file. In a transaction with its tables, it has either both or none.
    pub(crate) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "application_id", self.application)?;
        connection.pragma_update(None, "user_version", self.format)
    }
}

/// What an error of SQLite means for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqliteFailure {
    /// The disk is full.
    Full,
    /// The file or its folder cannot be opened or written.
    Unwritable,
    /// Another program has locked it.
    Locked,
    /// It is no database, or damaged.
    Damaged,
    /// The disk failed.
    Io,
    Other,
}

impl SqliteFailure {
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        // SQLite has a code of its own if only the shared-memory file beside the database finds no room.
        if error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::Unwritable,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::SystemIoFailure) => Self::Io,
            _ => Self::Other,
        }
    }
}

/// Creates the folder of a file, with those above it, for this user only. Folders that exist stay as they are.
pub(crate) fn create_folder_of(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    // On Windows a user's own folders are closed to other users already.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Creates an empty file that only this user can read; one that exists stays as it is.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(path).map(drop)
}

/// As [`create_private`], but fails if the file exists.
pub(crate) fn create_new_private(path: &Path) -> io::Result<()> {
    private(OpenOptions::new().write(true).create_new(true)).open(path).map(drop)
}

fn private(options: &mut OpenOptions) -> &OpenOptions {
    // On Windows the state folder lies in the user's profile, which others cannot read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The lock file beside a state file. It stays when the lock is released: removing it could remove another process's.
pub(crate) fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// A lock file, locked or not. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl LockFile {
    /// Opens the lock file of the state file at `path`, and creates it if it does not exist.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        // Windows does not lock a file that is open for appending only.
        OpenOptions::new().create(true).read(true).append(true).open(lock_path(path)).map(Self)
    }

    /// Locks it; whether no other process has it locked.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Locks it, and waits for another process that has it locked.
    pub(crate) fn lock(&self) -> io::Result<()> {
        self.0.lock()
    }
}

/// Whether another process has the lock file of the state file at `path` locked.
pub(crate) fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(lock_path(path)) else { return false };
    // A shared lock, so that two readers do not take each other for a writer.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const STAMP: FormatStamp = FormatStamp { application: 0x544C_5054, format: 3 };

    #[test]
    fn a_file_is_known_by_its_stamp() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(STAMP.check(&connection).unwrap(), FileFormat::Empty);
        connection.pragma_update(None, "application_id", STAMP.application).unwrap();
        assert_eq!(STAMP.check(&connection).unwrap(), FileFormat::Unfinished);
        STAMP.write(&connection).unwrap();
        assert_eq!(STAMP.check(&connection).unwrap(), FileFormat::Ready);
        let older = FormatStamp { format: 2, ..STAMP };
        assert!(matches!(older.check(&connection), Err(FormatError::Newer { found: 3 })));
        let other = FormatStamp { application: 1, ..STAMP };
        assert!(matches!(other.check(&connection), Err(FormatError::Foreign)));
    }

    #[test]
    fn a_database_without_a_stamp_is_foreign() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(STAMP.check(&connection), Err(FormatError::Foreign)));
    }

    #[test]
    fn a_file_that_another_process_creates_meanwhile_is_not_foreign() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let path = folder.path().join(format!("{round}.sqlite"));
            let reader = Connection::open(&path).unwrap();
            reader.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            let barrier = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut writer = Connection::open(&path).unwrap();
                    barrier.wait();
                    let transaction = writer.transaction().unwrap();
                    transaction.execute_batch("CREATE TABLE t (x)").unwrap();
                    STAMP.write(&transaction).unwrap();
                    // The reader may hold its lock for a moment at each look.
                    while writer_busy(transaction.execute_batch("COMMIT")) {}
                });
                barrier.wait();
                while STAMP.check(&reader).unwrap() != FileFormat::Ready {}
            });
        }
    }

    fn writer_busy(result: rusqlite::Result<()>) -> bool {
        match result {
            Ok(()) => false,
            Err(error) if SqliteFailure::of(&error) == SqliteFailure::Locked => true,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("state.sqlite");
        create_folder_of(&path).unwrap();
        create_private(&path).unwrap();
        assert!(create_new_private(&path).is_err());
        let (one, two) = (LockFile::of(&path).unwrap(), LockFile::of(&path).unwrap());
        assert_eq!((one.try_lock().unwrap(), two.try_lock().unwrap()), (true, false));
        drop(one);
        assert!(two.try_lock().unwrap());
    }
}
