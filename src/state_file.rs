//! SQLite files that keep state: run journals, account mirrors, the shared quota, sandbox accounts.
//!
//! What they have in common: a format stamp in the SQLite header, permissions for this user only, a lock file beside
//! them, and what an error of SQLite means for a person.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Diagnostic;
use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

/// The longest text in a state file that is read. No record or message comes near it.
const LONGEST_TEXT: i32 = 64 << 20;
/// Files up to this size are checked whole when they are opened, which takes some hundredths of a second.
const CHECKED_WHOLE: u64 = 16 << 20;

/// What a file of ours never has, and could run while it is read: views and triggers, virtual tables, columns
/// and defaults that are computed, and indexes over expressions.
const FOREIGN_PARTS: &str = "
    SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'create virtual%'
        OR type = 'index' AND sql LIKE '%where%(%'
    UNION ALL SELECT t.name FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'
        AND (c.hidden > 1 OR c.dflt_value LIKE '%(%')
    UNION ALL SELECT i.name FROM sqlite_master i, pragma_index_xinfo(i.name) c WHERE i.type = 'index' AND c.cid = -2
    LIMIT 1";

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
        distrust(connection)?;
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
        let foreign: Option<String> = connection.query_row(FOREIGN_PARTS, [], |row| row.get(0)).optional()?;
        if foreign.is_some() {
            return Err(FormatError::Foreign);
        }
        check_small_file(connection)?;
        Ok(if format == 0 { FileFormat::Unfinished } else { FileFormat::Ready })
    }

    /// Stamps a file. In a transaction with its tables, it has either both or none.
    pub(crate) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "application_id", self.application)?;
        connection.pragma_update(None, "user_version", self.format)
    }
}

/// Settings for files that somebody else may have made: nothing in them runs by itself, conditions of its tables
/// included, and no text is larger than what a file of ours has.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_TEXT)?;
    connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA ignore_check_constraints = ON")
}

/// Checks that the pages of a small file are what they should be: one that is used many times over makes endless rows.
fn check_small_file(connection: &Connection) -> Result<(), FormatError> {
    let size = connection.path().and_then(|path| std::fs::metadata(path).ok()).map_or(0, |found| found.len());
    if size > CHECKED_WHOLE || !connection.is_autocommit() {
        return Ok(());
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(FormatError::Sqlite(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(verdict),
        ))),
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

/// A folder that must not keep state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsafeFolder {
    /// Another user owns it.
    #[error("the state folder `{}` belongs to another user of this machine", .0.display())]
    OtherOwner(PathBuf),
    /// Its permissions let others put files into it.
    #[error("other users of this machine can change the state folder `{}`", .0.display())]
    OpenToOthers(PathBuf),
    /// It is a folder that everybody is meant to put files into, such as `/tmp`.
    #[error("all users of this machine share the folder `{}`, which cannot be the state folder", .0.display())]
    Shared(PathBuf),
    /// It is a file or a device.
    #[error("the state folder `{}` is not a folder", .0.display())]
    NotFolder(PathBuf),
}

impl Diagnostic for UnsafeFolder {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::OtherOwner(_) | Self::Shared(_) | Self::NotFolder(_) => {
                String::from("set TALLYPORT_HOME to a folder of your own")
            }
            Self::OpenToOthers(folder) => {
                let folder = crate::shell::quoted(&folder.display().to_string());
                format!("run `chmod go-w {folder}`, or set TALLYPORT_HOME to another folder")
            }
        })
    }
}

/// Checks that no other user of the machine can put files into a state folder, if it exists. They could plant runs to
/// resume, or hold locks.
pub(crate) fn check_folder(folder: &Path) -> Result<(), UnsafeFolder> {
    let Ok(found) = std::fs::metadata(folder) else { return Ok(()) };
    if !found.is_dir() {
        return Err(UnsafeFolder::NotFolder(folder.to_owned()));
    }
    // On Windows the state folder lies in the user's profile, which others cannot change. A folder elsewhere that
    // TALLYPORT_HOME names is as open as its access list says, which is not looked at.
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != own_user() {
            return Err(UnsafeFolder::OtherOwner(folder.to_owned()));
        }
        // Closing a folder of the system to others would break their programs: nobody is told to.
        let is_shared = found.mode() & STICKY != 0 || is_of_system(folder);
        match (found.mode() & 0o022 != 0, is_shared) {
            (false, _) => {}
            (true, true) => return Err(UnsafeFolder::Shared(folder.to_owned())),
            (true, false) => return Err(UnsafeFolder::OpenToOthers(folder.to_owned())),
        }
    }
    Ok(())
}

/// The permission bit of folders in which everybody may create files and nobody may delete those of others.
#[cfg(unix)]
const STICKY: u32 = 0o1000;

/// Whether a folder belongs to the system: the root, a folder in it, or one of devices and processes.
#[cfg(unix)]
fn is_of_system(folder: &Path) -> bool {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let is_virtual = ["/dev", "/proc", "/sys"].iter().any(|system| real.starts_with(system));
    is_virtual || real.parent().is_none_or(|parent| parent == Path::new("/"))
}

/// The user that this process acts for.
#[cfg(unix)]
pub(crate) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Creates the folder of a file, with those above it, for this user only. Folders that exist stay as they are.
pub(crate) fn create_folder_of(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    // On Windows a folder is as open as the one that it is in: see `check_folder`.
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
    // On Windows a file is as open as its folder: see `check_folder`.
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
        // Windows does not lock a file that is open for appending only. Nobody else may open it: a lock that another
        // user holds would block this one.
        let file = private(OpenOptions::new().create(true).read(true).append(true)).open(lock_path(path))?;
        // Earlier versions made locks that others could read.
        #[cfg(unix)]
        if file.metadata().is_ok_and(|found| std::os::unix::fs::MetadataExt::mode(&found) & 0o077 != 0) {
            let _ = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
        }
        Ok(Self(file))
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
    fn a_file_with_parts_that_run_by_themselves_is_foreign() {
        for part in [
            "CREATE VIEW run AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
            "CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END",
            "CREATE TABLE g (x, y AS (replace(hex(zeroblob(1000)), '0', x)))",
            "CREATE TABLE d (x, y DEFAULT (hex(zeroblob(1000))))",
            "CREATE INDEX i ON t (length(x))",
            "CREATE INDEX i ON t (x) WHERE length(x) > 1",
        ] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch("CREATE TABLE t (x)").unwrap();
            STAMP.write(&connection).unwrap();
            assert_eq!(STAMP.check(&connection).unwrap(), FileFormat::Ready);
            connection.execute_batch(part).unwrap();
            assert!(matches!(STAMP.check(&connection), Err(FormatError::Foreign)), "{part}");
        }
    }

    #[test]
    fn a_page_that_is_used_twice_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let connection = Connection::open(&path).unwrap();
        let rows: String = (0..2000).map(|row| format!("INSERT INTO t VALUES ({row});")).collect();
        connection.execute_batch(&format!("BEGIN; CREATE TABLE t (x); {rows} COMMIT")).unwrap();
        STAMP.write(&connection).unwrap();
        drop(connection);
        // The first two children of the table's root page become the same page.
        let mut bytes = std::fs::read(&path).unwrap();
        let root = 4096;
        let cell = |bytes: &[u8], index: usize| {
            let at = root + 12 + 2 * index;
            root + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
        };
        let (first, second) = (cell(&bytes, 0), cell(&bytes, 1));
        let child: Vec<u8> = bytes[first..first + 4].to_vec();
        bytes[second..second + 4].copy_from_slice(&child);
        std::fs::write(&path, bytes).unwrap();
        let error = STAMP.check(&Connection::open(&path).unwrap()).unwrap_err();
        assert!(matches!(&error, FormatError::Sqlite(error) if SqliteFailure::of(error) == SqliteFailure::Damaged));
    }

    #[cfg(unix)]
    #[test]
    fn a_state_folder_that_others_can_change_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (mode, is_safe) in [(0o700, true), (0o755, true), (0o775, false), (0o777, false), (0o1777, false)] {
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
            let found = check_folder(folder.path());
            assert_eq!(found.is_ok(), is_safe, "{mode:o}");
            let is_told_to_close =
                found.err().and_then(|error| error.hint()).is_some_and(|hint| hint.contains("chmod"));
            assert_eq!(is_told_to_close, !is_safe && mode & STICKY == 0, "{mode:o}");
        }
        assert!(is_of_system(Path::new("/")) && is_of_system(Path::new("/usr")) && is_of_system(Path::new("/dev/fd")));
        assert!(!is_of_system(folder.path()));
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        // Only root can give a folder away.
        if std::os::unix::fs::chown(folder.path(), Some(12_345), None).is_ok() {
            assert!(matches!(check_folder(folder.path()), Err(UnsafeFolder::OtherOwner(_))));
        }
        assert_eq!(check_folder(&folder.path().join("missing")), Ok(()));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file, PathBuf::from("/dev/null")] {
            let error = check_folder(&path).unwrap_err();
            assert_eq!(error, UnsafeFolder::NotFolder(path));
            assert_eq!(error.hint().as_deref(), Some("set TALLYPORT_HOME to a folder of your own"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_open_a_lock() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        LockFile::of(&path).unwrap();
        assert_eq!(std::fs::metadata(lock_path(&path)).unwrap().permissions().mode() & 0o777, 0o600);
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
