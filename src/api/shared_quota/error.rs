//! Why a ledger cannot be used from the start. What breaks later ends in counting within the process: see `RateLimiter`.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// SQLite's words for `SQLITE_FULL`.
const NO_ROOM: &str = "database or disk is full";

/// A quota ledger that cannot be opened. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharedQuotaError {
    /// The folder or the file cannot be made or written.
    #[error("cannot keep count of requests in `{}`: {cause}", path.display())]
    Unwritable { path: PathBuf, cause: String },
    /// There is no room for it.
    #[error("cannot keep count of requests in `{}`: the disk is full", path.display())]
    Full { path: PathBuf },
    /// A later version of tallyport has made it.
    #[error(
        "the quota ledger `{}` was made by a newer tallyport (format {found}, this one knows up to {known})",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// It is no ledger, or not whole.
    #[error("the quota ledger `{}` is damaged: {cause}", path.display())]
    Damaged { path: PathBuf, cause: String },
    /// Some process has held it for seconds; ours never do.
    #[error("the quota ledger `{}` is locked by another program", path.display())]
    Locked { path: PathBuf },
}

impl SharedQuotaError {
    pub(super) fn new(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        // SQLite has a code of its own where only the file of shared memory beside the ledger finds no room.
        if error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) {
            return Self::Full { path };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(
                ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure,
            ) => Self::Unwritable { path, cause },
            _ => Self::Damaged { path, cause },
        }
    }

    /// What a check of the file says of it. The check reports what stops itself in the same way as what it finds.
    pub(super) fn checked(path: &Path, verdict: String) -> Self {
        match verdict.as_str() {
            NO_ROOM => Self::Full { path: path.to_owned() },
            _ => Self::Damaged { path: path.to_owned(), cause: verdict },
        }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            Self::Unwritable { .. } => {
                "let this user write there, or set TALLYPORT_HOME to a folder this user can write to".to_owned()
            }
            Self::Full { .. } => "make room, or delete old journals with `tallyport runs prune`".to_owned(),
            Self::Newer { .. } => "use that newer tallyport here too".to_owned(),
            Self::Damaged { path, .. } => format!(
                "delete `{}`; it only holds the times of the last hour's requests, so wait an hour first if the key \
                 was used in it",
                path.display()
            ),
            Self::Locked { .. } => "close the program that has it open, such as a database browser".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_taken_for_damage() {
        let path = Path::new("quota/key.sqlite");
        let full = SharedQuotaError::Full { path: path.to_owned() };
        let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for code in [rusqlite::ffi::SQLITE_FULL, SQLITE_IOERR_SHMSIZE] {
            assert_eq!(SharedQuotaError::new(path, &failure(code)), full);
        }
        assert_eq!(SharedQuotaError::checked(path, NO_ROOM.to_owned()), full);
        assert!(!full.hint().contains("key.sqlite"), "nobody is to delete a whole ledger: {}", full.hint());
        assert!(matches!(
            SharedQuotaError::checked(path, "wrong # of entries".into()),
            SharedQuotaError::Damaged { .. }
        ));
    }
}
