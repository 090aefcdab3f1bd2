//! Creating and opening the quota file: folder, format stamp, tables.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::SharedQuotaError;
use crate::state_file::{self, FileFormat, FormatError, FormatStamp, SqliteFailure};

/// "Tlpq" in ASCII.
const STAMP: FormatStamp = FormatStamp { application: 0x546c_7071, format: 1 };

/// How long to wait for a lock while opening. Our own processes hold one for less than a millisecond.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// The same for every request after that. The thread waits, so it is short; the rate limiter asks again.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(250);
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Killing the process loses nothing with these; a power cut may lose the last moments, and takes longer itself.
/// A request changes a handful of bytes on two pages, so they are small. A checkpoint waits for the disk, so the log
/// may grow to 8 MiB before there is one.
const PRAGMAS: &str = "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
    PRAGMA wal_autocheckpoint = 8192;";

/// Times are milliseconds since the Unix epoch.
///
/// - `state`: one row. Requests with `at_ms` up to `swept_ms` are outside the window and no longer in the totals `ours`
///   and `others`. `moved_ms` is how far all times have been moved because the clock was set.
/// - `sent`: requests sent in one millisecond, by this machine's processes (`us`) or, as far as the service's own count
///   shows, by others with the key.
/// - `waiting`: the ticket of each waiting process, when it is due, and until when the process is presumed alive.
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

/// Opens the file, and creates it with its folder if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, SharedQuotaError> {
    let created = state_file::create_folder_of(path).and_then(|()| state_file::create_private(path));
    created.map_err(|error| SharedQuotaError::Unwritable {
        path: path.parent().unwrap_or(path).to_owned(),
        cause: error.to_string(),
    })?;
    let start = Instant::now();
    loop {
        match try_open(path) {
            // Two processes that create the file at once may block each other despite SQLite's own timeout.
            Err(SharedQuotaError::Locked { .. }) if start.elapsed() < OPEN_TIMEOUT => std::thread::sleep(RETRY_AFTER),
            result => return result,
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, SharedQuotaError> {
    let sql_error = |error: rusqlite::Error| SharedQuotaError::new(path, &error);
    let mut connection = Connection::open(path).map_err(sql_error)?;
    connection.busy_timeout(REQUEST_TIMEOUT).map_err(sql_error)?;
    check_format(&connection, path)?;
    connection.execute_batch(PRAGMAS).map_err(sql_error)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql_error)?;
    // Checked again, as another process may have created it in between.
    if check_format(&transaction, path)? == FileFormat::Empty {
        transaction.execute_batch(TABLES).map_err(sql_error)?;
        STAMP.write(&transaction).map_err(sql_error)?;
    }
    transaction.commit().map_err(sql_error)?;
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sql_error)?;
    if check != "ok" {
        return Err(SharedQuotaError::from_check(path, check));
    }
    Ok(connection)
}

fn check_format(connection: &Connection, path: &Path) -> Result<FileFormat, SharedQuotaError> {
    STAMP.check(connection).map_err(|error| match error {
        FormatError::Foreign => {
            SharedQuotaError::Damaged { path: path.to_owned(), cause: "it is a database of another program".to_owned() }
        }
        FormatError::Newer { found } => SharedQuotaError::Newer { path: path.to_owned(), found, known: STAMP.format },
        FormatError::Sqlite(error) => SharedQuotaError::new(path, &error),
    })
}

/// Distinguishes a file from another one that has replaced it.
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

/// Whether a failure may pass by itself: another program has locked the file.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    SqliteFailure::of(error) == SqliteFailure::Locked
}
