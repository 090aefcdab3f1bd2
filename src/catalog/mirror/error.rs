//! Why the mirror of an account cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Diagnostic;
use crate::state_file::SqliteFailure;

/// The mirror cannot be used. The account itself is untouched: a mirror can always be created again.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("cannot create the account mirror `{}`: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// The folder for temporary files.
    #[error("cannot create a temporary folder in `{}`: {source}", folder.display())]
    Temporary { folder: PathBuf, source: io::Error },
    #[error("cannot use the account mirror `{}`: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    /// Written by a later version.
    #[error("the account mirror `{}` was written by a newer tallyport (format {format})", path.display())]
    Newer { path: PathBuf, format: i64 },
    /// Another kind of file in its place.
    #[error("`{}` is not an account mirror", path.display())]
    Foreign { path: PathBuf },
}

impl MirrorError {
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        Self::Database { path: path.to_path_buf(), source }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            MirrorError::Folder { .. } => {
                String::from("make its folder writable, or set TALLYPORT_HOME to another folder")
            }
            MirrorError::Temporary { .. } => {
                String::from("make room there, or set TMPDIR to a folder that this user can write to")
            }
            MirrorError::Database { source, .. } if SqliteFailure::of(source) == SqliteFailure::Full => {
                String::from("free some space on the disk")
            }
            MirrorError::Database { path, .. } | MirrorError::Foreign { path } => {
                format!("delete `{}`; the next export reads the whole account again", path.display())
            }
            MirrorError::Newer { .. } => String::from("use the newer tallyport, or delete the file"),
        }
    }
}

impl Diagnostic for MirrorError {
    fn hint(&self) -> Option<String> {
        Some(MirrorError::hint(self))
    }
}
