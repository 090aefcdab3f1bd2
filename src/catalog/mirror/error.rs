//! Why the copy of an account cannot be used, in the user's words.

use crate::error::Diagnostic;
use std::io;
use std::path::{Path, PathBuf};

/// The mirror cannot be kept. The account itself is untouched: a mirror can always be made anew.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("the local copy of the account, `{}`, cannot be made: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("the local copy of the account, `{}`, cannot be used: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    /// Written by a later version.
    #[error("the local copy of the account, `{}`, was written by a newer tallyport (format {format})", path.display())]
    Newer { path: PathBuf, format: i64 },
    /// Some other file in its place.
    #[error("`{}` is no local copy of an account", path.display())]
    Foreign { path: PathBuf },
}

impl MirrorError {
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        Self::Database { path: path.to_path_buf(), source }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            MirrorError::Folder { .. } => String::from("make its folder writable, or set TALLYPORT_HOME to another"),
            MirrorError::Database { source, .. } if is_full(source) => String::from("make room on the disk"),
            MirrorError::Database { path, .. } | MirrorError::Foreign { path } => {
                format!("delete `{}`: the next export reads the account anew", path.display())
            }
            MirrorError::Newer { .. } => String::from("use the newer tallyport, or delete the file"),
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

impl Diagnostic for MirrorError {
    fn hint(&self) -> Option<String> {
        Some(MirrorError::hint(self))
    }
}
