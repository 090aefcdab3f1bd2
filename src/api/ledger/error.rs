//! Why a ledger cannot be used from the start. What breaks later ends in counting within the process: see `Gate`.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A quota ledger that cannot be opened. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The folder or the file cannot be made or written.
    #[error("cannot keep count of requests in `{}`: {cause}", path.display())]
    Unwritable { path: PathBuf, cause: String },
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

impl LedgerError {
    pub(super) fn new(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure,
            ) => Self::Unwritable { path, cause },
            _ => Self::Damaged { path, cause },
        }
    }

    /// What to do now.
    pub fn mend(&self) -> String {
        match self {
            Self::Unwritable { .. } => {
                "let this user write there, or set TALLYPORT_HOME to a folder this user can write to".to_owned()
            }
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
