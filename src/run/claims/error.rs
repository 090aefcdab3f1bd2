//! Errors of the claims.

use std::path::{Path, PathBuf};

use crate::error::Diagnostic;
use crate::state_file::SqliteFailure;

/// Why the claims on an account cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the file `{}`, in which runs say what they are writing: {cause}", path.display())]
pub(crate) struct ClaimsError {
    path: PathBuf,
    cause: String,
    failure: Option<SqliteFailure>,
}

impl ClaimsError {
    pub(super) fn new(path: &Path, source: rusqlite::Error) -> Self {
        Self { path: path.to_path_buf(), failure: Some(SqliteFailure::of(&source)), cause: source.to_string() }
    }

    pub(super) fn other(path: &Path, cause: impl ToString) -> Self {
        Self { path: path.to_path_buf(), cause: cause.to_string(), failure: None }
    }

    /// Whether another process has it locked for the moment.
    pub(super) fn is_locked(&self) -> bool {
        self.failure == Some(SqliteFailure::Locked)
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self.failure {
            Some(SqliteFailure::Full) => "free some disk space, then try again",
            Some(SqliteFailure::Locked) => "close the program that has it open, then try again",
            Some(SqliteFailure::Damaged) => "delete it while no run is at work, then try again",
            _ => "make it writable, or set TALLYPORT_HOME to another folder",
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
        let other = ClaimsError::other(Path::new("c.sqlite"), "it is odd");
        assert_eq!(
            other.to_string(),
            "cannot use the file `c.sqlite`, in which runs say what they are writing: it is odd"
        );
        assert!(!other.is_locked());
    }
}
