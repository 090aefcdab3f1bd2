//! Errors of the claims.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Diagnostic;
use crate::state_file::SqliteFailure;

/// Why the claims on an account cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the file `{}`, in which runs say what they are writing: {cause}", path.display())]
pub(crate) struct ClaimsError {
    path: PathBuf,
    cause: String,
    fault: ClaimsFault,
}

/// What is wrong with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClaimsFault {
    Sqlite(SqliteFailure),
    /// It cannot be created.
    Unwritable,
    /// It belongs to another program.
    Foreign,
    /// A later version wrote it.
    Newer,
}

impl ClaimsError {
    pub(super) fn new(path: &Path, source: rusqlite::Error) -> Self {
        Self::of(path, ClaimsFault::Sqlite(SqliteFailure::of(&source)), source)
    }

    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        let fault = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ClaimsFault::Sqlite(SqliteFailure::Full),
            _ => ClaimsFault::Unwritable,
        };
        Self::of(path, fault, source)
    }

    pub(super) fn foreign(path: &Path) -> Self {
        Self::of(path, ClaimsFault::Foreign, "it is a database of another program")
    }

    pub(super) fn newer(path: &Path, found: i64, known: i64) -> Self {
        let cause = format!("a newer tallyport wrote it (format {found}, this one reads {known})");
        Self::of(path, ClaimsFault::Newer, cause)
    }

    fn of(path: &Path, fault: ClaimsFault, cause: impl ToString) -> Self {
        Self { path: path.to_path_buf(), cause: cause.to_string(), fault }
    }

    /// Whether another process has it locked for the moment.
    pub(super) fn is_locked(&self) -> bool {
        self.fault == ClaimsFault::Sqlite(SqliteFailure::Locked)
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self.fault {
            ClaimsFault::Sqlite(SqliteFailure::Full) => "free some disk space, then try again",
            ClaimsFault::Sqlite(SqliteFailure::Locked) => "close the program that has it open, then try again",
            ClaimsFault::Sqlite(SqliteFailure::Damaged) => "delete it while no run is at work, then try again",
            ClaimsFault::Foreign => "move it away while no run is at work, then try again",
            // Another state folder would have another file: runs would not see those of the newer version.
            ClaimsFault::Newer => "update tallyport",
            ClaimsFault::Sqlite(SqliteFailure::Unwritable | SqliteFailure::Io | SqliteFailure::Other)
            | ClaimsFault::Unwritable => "make it writable, or set TALLYPORT_HOME to another folder",
        }
    }
}

impl Diagnostic for ClaimsError {
    fn hint(&self) -> Option<String> {
        Some(String::from(ClaimsError::hint(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_depends_on_what_is_wrong() {
        let failed = |code: i32| {
            let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            ClaimsError::new(Path::new("c.sqlite"), source)
        };
        let hints = [
            (rusqlite::ffi::SQLITE_FULL, "free some disk space, then try again"),
            (rusqlite::ffi::SQLITE_BUSY, "close the program that has it open, then try again"),
            (rusqlite::ffi::SQLITE_CORRUPT, "delete it while no run is at work, then try again"),
            (rusqlite::ffi::SQLITE_READONLY, "make it writable, or set TALLYPORT_HOME to another folder"),
        ];
        for (code, hint) in hints {
            assert_eq!(failed(code).hint(), hint);
            assert_eq!(Diagnostic::hint(&failed(code)).as_deref(), Some(hint));
            assert_eq!(failed(code).is_locked(), code == rusqlite::ffi::SQLITE_BUSY);
        }
        let full = ClaimsError::unwritable(Path::new("c.sqlite"), io::ErrorKind::StorageFull.into());
        assert_eq!(full.hint(), "free some disk space, then try again");
        let newer = ClaimsError::newer(Path::new("c.sqlite"), 2, 1);
        assert_eq!(
            newer.to_string(),
            "cannot use the file `c.sqlite`, in which runs say what they are writing: a newer tallyport wrote it (format 2, \
             this one reads 1)"
        );
        assert_eq!((newer.hint(), newer.is_locked()), ("update tallyport", false));
        assert!(ClaimsError::foreign(Path::new("c.sqlite")).hint().starts_with("move it away"));
    }
}
