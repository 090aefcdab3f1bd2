//! What can be wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, ErrorKind};
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Why a journal cannot be used. Each names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder of journals cannot be made or read.
    #[error("the folder of journals `{}` cannot be used: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// The disk holds no more.
    #[error("the journal `{}` cannot be written: the disk is full", path.display())]
    Full { path: PathBuf },
    /// The file or its folder cannot be written.
    #[error("the journal `{}` cannot be written: the file or its folder is read-only", path.display())]
    ReadOnly { path: PathBuf },
    /// Another program keeps the file to itself.
    #[error("the journal `{}` is locked by another program", path.display())]
    Locked { path: PathBuf },
    /// The file is no journal, or not whole.
    #[error("the journal `{}` is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    /// A later version wrote it.
    #[error("the journal `{}` was written by a newer tallyport (format {found}, this one reads {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Another process is at the same run.
    #[error("another tallyport is working on run {run}")]
    Busy { run: String },
    /// There is no such run.
    #[error("there is no run `{run}`")]
    NoSuchRun { run: String, nearest: Option<String> },
    /// Several runs begin like that.
    #[error("`{run}` could be any of {}", candidates.join(", "))]
    Ambiguous { run: String, candidates: Vec<String> },
    /// The thread that writes is gone.
    #[error("the journal `{}` stopped writing", path.display())]
    Gone { path: PathBuf },
    /// Anything else the database says.
    #[error("the journal `{}`: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
}

impl JournalError {
    /// What the database says, as what it means for the file at `path`.
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        // SQLite has a code of its own where only the file of shared memory beside the journal finds no room.
        if source.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) {
            return JournalError::Full { path };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => JournalError::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                JournalError::ReadOnly { path }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                JournalError::Damaged { path, what: source.to_string() }
            }
            _ => JournalError::Database { path, source },
        }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            JournalError::Full { .. } => {
                String::from("make room, or delete old journals with `tallyport runs prune`; then `tallyport resume`")
            }
            JournalError::Folder { .. } | JournalError::ReadOnly { .. } => {
                String::from("make it writable, or name another folder with TALLYPORT_HOME")
            }
            JournalError::Locked { .. } => String::from("close the program that has it open, and try again"),
            JournalError::Damaged { .. } | JournalError::Database { .. } => String::from(
                "import the file again: an upsert finds what is already there; check-outs have to be compared by hand",
            ),
            JournalError::Newer { .. } => String::from("use the newer tallyport"),
            JournalError::Busy { .. } => String::from("wait until it ends, or stop it with Ctrl-C"),
            JournalError::NoSuchRun { nearest: Some(nearest), .. } => {
                format!("perhaps {nearest} is meant; `tallyport runs` lists all runs")
            }
            JournalError::NoSuchRun { .. } => String::from("`tallyport runs` lists all runs"),
            JournalError::Ambiguous { .. } => String::from("write more of it"),
            JournalError::Gone { .. } => String::from("`tallyport resume` goes on from what it holds"),
        }
    }
}

impl Diagnostic for JournalError {
    fn hint(&self) -> Option<String> {
        Some(JournalError::hint(self))
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Gone { .. } => ErrorKind::Internal,
            _ => ErrorKind::Usage,
        }
    }
}
