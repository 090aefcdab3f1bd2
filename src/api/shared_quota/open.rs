//! Creating and opening the quota file: folder, format stamp, tables.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::SharedQuotaError;

/// What the file carries to be ours: `application_id` of the SQLite header, "Tlpq" in ASCII.
const STAMP: i64 = 0x546c_7071;
/// The format of the file: `user_version` of the header.
const FORMAT: i64 = 1;

/// How long to wait for a lock while opening. Our own processes hold one for less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for every request after that. The thread waits, so it is short; the gate asks again.
const SHORT_PATIENCE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(20);

/// A kill of the process loses nothing with these; a power cut may lose the last moments, and takes longer itself.
/// A request changes a handful of bytes on two pages, so they are small. A checkpoint waits for the disk, so the log
/// may grow to 8 MiB before there is one.
const PRAGMAS: &str = "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
    PRAGMA wal_autocheckpoint = 8192;";

/// Times are milliseconds since the Unix epoch.
///
/// - `state`: one row. Requests with `at_ms` up to `swept_ms` are outside the window and no longer in the totals `ours`
///   and `others`. `moved_ms` is how far all times have been moved because the clock was set.
/// - `sent`: requests that left in one millisecond, by this machine's processes (`us`) or, as far as the service's
///   own count tells, by others on the key.
/// - `waiting`: the place of each process in the queue, when its turn comes, and until when it is believed to live.
const TABLES: &str = "
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        clock_ms INTEGER NOT NULL,
        swept_ms INTEGER NOT NULL,
        moved_ms INTEGER NOT NULL,
        ours INTEGER NOT NULL,
        others INTEGER NOT NULL,
        next_ticket INTEGER NOT NULL,
        closed_until_ms INTEGER,
        closed_reason TEXT CHECK (closed_reason IN ('throttled', 'server quota')),
        server_limit INTEGER,
        server_limit_until_ms INTEGER
    ) STRICT;
    CREATE TABLE sent (
        at_ms INTEGER NOT NULL,
        by TEXT NOT NULL CHECK (by IN ('us', 'others')),
        count INTEGER NOT NULL CHECK (count > 0),
        PRIMARY KEY (at_ms, by)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE waiting (
        process INTEGER PRIMARY KEY,
        ticket INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO state (one, clock_ms, swept_ms, moved_ms, ours, others, next_ticket) VALUES (1, 0, 0, 0, 0, 0, 1);
";

/// The file, made with its folder if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, SharedQuotaError> {
    if let Some(folder) = path.parent() {
        make_private(folder)
            .map_err(|error| SharedQuotaError::Unwritable { path: folder.to_owned(), cause: error.to_string() })?;
    }
    let start = Instant::now();
    loop {
        match try_open(path) {
            // Two processes that make the file at once may get in each other's way whatever SQLite's own patience.
            Err(SharedQuotaError::Locked { .. }) if start.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            result => return result,
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, SharedQuotaError> {
    let told = |error: rusqlite::Error| SharedQuotaError::new(path, &error);
    let mut connection = Connection::open(path).map_err(told)?;
    connection.busy_timeout(SHORT_PATIENCE).map_err(told)?;
    check_stamp(&connection, path)?;
    connection.execute_batch(PRAGMAS).map_err(told)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    // Looked at once more, as another process may have made it in between.
    if check_stamp(&transaction, path)? == FileState::Empty {
        transaction.execute_batch(TABLES).map_err(told)?;
        transaction
            .execute_batch(&format!("PRAGMA application_id = {STAMP}; PRAGMA user_version = {FORMAT};"))
            .map_err(told)?;
    }
    transaction.commit().map_err(told)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(told)?;
    match verdict.as_str() {
        "ok" => Ok(connection),
        _ => Err(SharedQuotaError::checked(path, verdict)),
    }
}

/// What a file was before we touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    Empty,
    Ours,
}

fn check_stamp(connection: &Connection, path: &Path) -> Result<FileState, SharedQuotaError> {
    let number = |sql| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| SharedQuotaError::new(path, &error))
    };
    let tables = number("SELECT count(*) FROM sqlite_master")?;
    let stamp = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    match (tables, stamp) {
        (0, 0) => Ok(FileState::Empty),
        (_, STAMP) if format > FORMAT => {
            Err(SharedQuotaError::Newer { path: path.to_owned(), found: format, known: FORMAT })
        }
        (_, STAMP) => Ok(FileState::Ours),
        _ => {
            let cause = "it is a database of another program".to_owned();
            Err(SharedQuotaError::Damaged { path: path.to_owned(), cause })
        }
    }
}

/// Makes a folder that only this user can look into. One that is there stays as it is.
#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// On Windows a user's own folders are closed to other users already.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// Tells a file from another one that has taken its place.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

/// Windows does not let an open database be deleted or replaced.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|_| 0)
}

/// Whether a failure passes by itself: some other program holds the file.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
