//! Errors of the journal.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, ErrorKind};
use crate::state_file::SqliteFailure;

/// Why a journal cannot be used. Each names the file; [`JournalError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder of journals cannot be created or read.
    #[error("cannot use the journal folder `{}`: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// The disk is full. What was sent is in the journal.
    #[error("cannot write the journal `{}`: the disk is full", path.display())]
    Full { path: PathBuf },
    /// The disk is full, and nothing was sent: there is no run yet.
    #[error("cannot write the journal `{}`: the disk is full", path.display())]
    FullAtStart { path: PathBuf },
    /// The file or its folder is read-only.
    #[error("cannot write the journal `{}`: the file or its folder is read-only", path.display())]
    ReadOnly { path: PathBuf },
    /// Another program has locked the file.
    #[error("the journal `{}` is locked by another program", path.display())]
    Locked { path: PathBuf },
    /// The file is not a journal, or is incomplete.
    #[error("the journal `{}` is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    /// A later version of tallyport wrote it.
    #[error("the journal `{}` was written by a newer tallyport (format {found}, this one reads {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Another process is working on the run.
    #[error("another tallyport is working on run {run}")]
    Busy { run: String },
    /// No run has that id.
    #[error("there is no run `{run}`")]
    NoSuchRun { run: String, nearest: Option<String> },
    /// Several run ids begin or end like that.
    #[error("`{run}` could be any of {}", some_of(candidates))]
    Ambiguous { run: String, candidates: Vec<String> },
    /// The writer thread has ended.
    #[error("the journal `{}` stopped writing", path.display())]
    Gone { path: PathBuf },
    /// What runs say that they are writing cannot be read or written.
    #[error("{message}")]
    Claims { message: String, hint: &'static str },
    /// Any other database error.
    #[error("the journal `{}`: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
}

impl JournalError {
    /// Classifies a database error of the file at `path`.
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        if let rusqlite::Error::FromSqlConversionFailure(_, _, cause) = source {
            return JournalError::Damaged { path, what: cause.to_string() };
        }
        match SqliteFailure::of(&source) {
            SqliteFailure::Full => JournalError::Full { path },
            SqliteFailure::Unwritable => JournalError::ReadOnly { path },
            SqliteFailure::Locked => JournalError::Locked { path },
            SqliteFailure::Damaged => JournalError::Damaged { path, what: source.to_string() },
            SqliteFailure::Io | SqliteFailure::Other => JournalError::Database { path, source },
        }
    }

    /// As it is for a run that has not begun: its journal is deleted.
    pub(super) fn at_start(self) -> Self {
        match self {
            Self::Full { path } => Self::FullAtStart { path },
            error => error,
        }
    }

    /// The error for a failed system call on the folder of journals, or on a file in it.
    pub(super) fn folder(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Folder { path, source },
        }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            JournalError::Full { .. } => String::from(
                "free some disk space, for example with `tallyport runs prune`, then run `tallyport resume`",
            ),
            JournalError::FullAtStart { .. } => String::from(
                "free some disk space, for example with `tallyport runs prune`, then run the same command again",
            ),
            JournalError::Folder { .. } | JournalError::ReadOnly { .. } => {
                String::from("make it writable, or set TALLYPORT_HOME to another folder")
            }
            JournalError::Locked { .. } => String::from("close the program that has it open, then try again"),
            JournalError::Damaged { .. } | JournalError::Database { .. } => {
                String::from("import the file again: an upsert finds existing records; compare check-outs by hand")
            }
            JournalError::Newer { .. } => String::from("update tallyport"),
            JournalError::Busy { .. } => String::from("wait until it ends, or stop it with Ctrl-C"),
            JournalError::NoSuchRun { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`? `tallyport runs` lists all runs")
            }
            JournalError::NoSuchRun { .. } => String::from("`tallyport runs` lists all runs"),
            JournalError::Ambiguous { .. } => String::from("use more of its id; `tallyport runs` lists all runs"),
            JournalError::Claims { hint, .. } => String::from(*hint),
            JournalError::Gone { .. } => String::from("run `tallyport resume`"),
        }
    }
}

/// The most ids that a message lists.
const SHOWN_IDS: usize = 3;

/// The newest ids, which are the last, and how many more there are.
fn some_of(ids: &[String]) -> String {
    let (older, shown) = ids.split_at(ids.len().saturating_sub(SHOWN_IDS));
    let shown: Vec<&str> = shown.iter().rev().map(String::as_str).collect();
    match older.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
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

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn of_sqlite(code: i32) -> JournalError {
        JournalError::database(Path::new("r.sqlite"), rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn what_sqlite_says_becomes_what_can_be_done_about_it() {
        for (code, message, hint) in [
            (ffi::SQLITE_FULL, "cannot write the journal `r.sqlite`: the disk is full", "free some disk space"),
            (
                ffi::SQLITE_READONLY,
                "cannot write the journal `r.sqlite`: the file or its folder is read-only",
                "make it writable, or set TALLYPORT_HOME",
            ),
            (ffi::SQLITE_CANTOPEN, "cannot write the journal `r.sqlite`", "make it writable"),
            (ffi::SQLITE_BUSY, "the journal `r.sqlite` is locked by another program", "close the program"),
            (ffi::SQLITE_NOTADB, "the journal `r.sqlite` is damaged", "import the file again"),
            (ffi::SQLITE_IOERR, "the journal `r.sqlite`: ", "import the file again"),
            (ffi::SQLITE_TOOBIG, "the journal `r.sqlite`: ", "import the file again"),
        ] {
            let error = of_sqlite(code);
            assert!(error.to_string().starts_with(message), "{error}");
            assert!(error.hint().starts_with(hint), "{error}: {}", error.hint());
            assert_eq!(Diagnostic::kind(&error), ErrorKind::Usage);
        }
    }

    #[test]
    fn of_many_runs_the_newest_are_named() {
        let told = |ids: &[&str]| {
            let candidates = ids.iter().map(|id| String::from(*id)).collect();
            JournalError::Ambiguous { run: String::from("2026"), candidates }.to_string()
        };
        assert_eq!(told(&["2026a", "2026b"]), "`2026` could be any of 2026b, 2026a");
        let many = told(&["2026a", "2026b", "2026c", "2026d", "2026e"]);
        assert_eq!(many, "`2026` could be any of 2026e, 2026d, 2026c and 2 more");
    }

    #[test]
    fn every_other_error_says_what_to_do() {
        let path = PathBuf::from("r.sqlite");
        let run = String::from("r");
        let nearest = Some(String::from("20261124-093012-kqzf"));
        let no_run = |nearest| JournalError::NoSuchRun { run: run.clone(), nearest };
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        for (error, hint) in [
            (
                JournalError::Folder { path: path.clone(), source },
                "make it writable, or set TALLYPORT_HOME to another folder",
            ),
            (
                of_sqlite(ffi::SQLITE_FULL).at_start(),
                "free some disk space, for example with `tallyport runs prune`, then run the same command again",
            ),
            (
                JournalError::folder(path.clone(), io::ErrorKind::StorageFull.into()),
                "free some disk space, for example with `tallyport runs prune`, then run `tallyport resume`",
            ),
            (JournalError::Newer { path: path.clone(), found: 2, known: 1 }, "update tallyport"),
            (JournalError::Busy { run: run.clone() }, "wait until it ends, or stop it with Ctrl-C"),
            (no_run(nearest), "did you mean `20261124-093012-kqzf`? `tallyport runs` lists all runs"),
            (no_run(None), "`tallyport runs` lists all runs"),
            (
                JournalError::Ambiguous { run: run.clone(), candidates: vec![run.clone()] },
                "use more of its id; `tallyport runs` lists all runs",
            ),
            (JournalError::Claims { message: run.clone(), hint: "as claims say" }, "as claims say"),
        ] {
            assert_eq!(Diagnostic::hint(&error).as_deref(), Some(hint));
            assert_eq!(Diagnostic::kind(&error), ErrorKind::Usage);
        }
        let gone = JournalError::Gone { path };
        assert_eq!((gone.hint().as_str(), Diagnostic::kind(&gone)), ("run `tallyport resume`", ErrorKind::Internal));
    }
}
