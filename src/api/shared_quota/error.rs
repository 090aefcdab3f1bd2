//! Why the shared quota cannot be used from the start. If it fails later, the process counts alone: see `RateLimiter`.

use std::path::{Path, PathBuf};

use crate::state_file::SqliteFailure;

/// SQLite's message for `SQLITE_FULL`.
const DISK_FULL: &str = "database or disk is full";

/// A shared quota that cannot be opened. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharedQuotaError {
    /// The folder or the file cannot be created or written.
    #[error("cannot count requests in `{}`: {cause}", path.display())]
    Unwritable { path: PathBuf, cause: String },
    /// There is no room for it.
    #[error("cannot count requests in `{}`: the disk is full", path.display())]
    Full { path: PathBuf },
    /// A later version of tallyport wrote it.
    #[error(
        "the shared quota `{}` was written by a newer tallyport (format {found}, this one reads {known})",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// It is another kind of file, or incomplete.
    #[error("the shared quota `{}` is damaged: {cause}", path.display())]
    Damaged { path: PathBuf, cause: String },
    /// Some process has locked it for seconds; ours never do.
    #[error("the shared quota `{}` is locked by another program", path.display())]
    Locked { path: PathBuf },
}

impl SharedQuotaError {
    pub(super) fn new(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        match SqliteFailure::of(error) {
            SqliteFailure::Full => Self::Full { path },
            SqliteFailure::Locked => Self::Locked { path },
            SqliteFailure::Unwritable | SqliteFailure::Io => Self::Unwritable { path, cause },
            SqliteFailure::Damaged | SqliteFailure::Other => Self::Damaged { path, cause },
        }
    }

    /// The result of an integrity check that is not `ok`. The check reports what stops it in the same way as what it
    /// finds.
    pub(super) fn from_check(path: &Path, cause: String) -> Self {
        let path = path.to_owned();
        if cause == DISK_FULL { Self::Full { path } } else { Self::Damaged { path, cause } }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            Self::Unwritable { .. } => {
                "give this user write access, or set TALLYPORT_HOME to a folder this user can write to".to_owned()
            }
            Self::Full { .. } => "free some space, or delete old journals with `tallyport runs prune`".to_owned(),
            Self::Newer { .. } => "update tallyport".to_owned(),
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
    fn a_full_disk_is_not_reported_as_damage() {
        let path = Path::new("quota/key.sqlite");
        let full = SharedQuotaError::Full { path: path.to_owned() };
        let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_SHMSIZE] {
            assert_eq!(SharedQuotaError::new(path, &failure(code)), full);
        }
        assert_eq!(SharedQuotaError::from_check(path, DISK_FULL.to_owned()), full);
        assert!(!full.hint().contains("key.sqlite"), "nobody should delete an intact file: {}", full.hint());
        assert!(matches!(
            SharedQuotaError::from_check(path, "wrong # of entries".into()),
            SharedQuotaError::Damaged { .. }
        ));
    }
}
