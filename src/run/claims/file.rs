//! The file of claims: its folder, format stamp and tables.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::ClaimsError;
use crate::state_file::{self, FileFormat, FormatError, FormatStamp};

/// "TLPC" in ASCII.
const STAMP: FormatStamp = FormatStamp { application: 0x544C_5043, format: 1 };

/// How long to wait for another process, which holds a lock for less than a millisecond.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Killing a process loses nothing with these. A power cut may, and ends every run of the machine.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;";

/// - `run`: the runs at work or with a journal. `began` is the number of the run, above all numbers before it.
/// - `claim`: what a step writes, a digest of what it sends, and, once it has ended, the record. `done` is the highest number
///   of a run when it ended.
///
/// What is done is looked for once in a run: no index is kept up for it. Older files have one. In them the numbers are
/// milliseconds since the Unix epoch, and the versions that wrote those may work with the same file.
const TABLES: &str = "
    CREATE TABLE run (run TEXT PRIMARY KEY, began INTEGER NOT NULL) STRICT;
    CREATE TABLE claim (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        run TEXT NOT NULL,
        step INTEGER NOT NULL,
        body TEXT NOT NULL,
        done INTEGER,
        record INTEGER
    ) STRICT;
    CREATE INDEX claim_key ON claim (key);
    CREATE UNIQUE INDEX claim_step ON claim (run, step) WHERE run <> '';
";

/// Opens the file, and creates it with its folder if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, ClaimsError> {
    let created = state_file::create_folder_of(path).and_then(|()| state_file::create_private(path));
    created.map_err(|error| ClaimsError::unwritable(path, error))?;
    let start = Instant::now();
    loop {
        match try_open(path) {
            // Two processes that create the file at once may block each other despite SQLite's own timeout.
            Err(error) if error.is_locked() && start.elapsed() < BUSY_TIMEOUT => std::thread::sleep(RETRY_AFTER),
            result => return result,
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, ClaimsError> {
    let error = |source| ClaimsError::new(path, source);
    let mut connection = Connection::open(path).map_err(error)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
    check_format(&connection, path)?;
    connection.execute_batch(PRAGMAS).map_err(error)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
    // Checked again, as another process may have created it in between.
    if check_format(&transaction, path)? == FileFormat::Empty {
        transaction.execute_batch(TABLES).and_then(|()| STAMP.write(&transaction)).map_err(error)?;
    }
    transaction.commit().map_err(error)?;
    Ok(connection)
}

fn check_format(connection: &Connection, path: &Path) -> Result<FileFormat, ClaimsError> {
    STAMP.check(connection).map_err(|error| match error {
        FormatError::Foreign => ClaimsError::foreign(path),
        FormatError::Newer { found } => ClaimsError::newer(path, found, STAMP.format),
        FormatError::Sqlite(source) => ClaimsError::new(path, source),
    })
}
