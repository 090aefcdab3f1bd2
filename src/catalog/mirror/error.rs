//! Why the mirror of an account cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Diagnostic;
use crate::scratch;
use crate::state_file::SqliteFailure;

/// The mirror cannot be used. The account itself is untouched: a mirror can always be created again.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("cannot create the account snapshot `{}`: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// The folder for temporary files.
    #[error("cannot create a temporary folder in `{}`: {source}", folder.display())]
    Temporary { folder: PathBuf, source: io::Error },
    #[error("cannot use the account snapshot `{}`: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    /// Written by a later version.
    #[error("the account snapshot `{}` was written by a newer tallyport (format {format})", path.display())]
    Newer { path: PathBuf, format: i64 },
    /// Another kind of file in its place.
    #[error("`{}` is not an account snapshot", path.display())]
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
                format!("make room there, or set {} to a folder that this user can write to", scratch::VARIABLE)
            }
            MirrorError::Database { source, .. } if SqliteFailure::of(source) == SqliteFailure::Full => {
                String::from("free some space on the disk")
            }
            MirrorError::Database { path, .. } | MirrorError::Foreign { path } => {
                format!("delete `{}`; the next export reads the whole account again", path.display())
            }
            MirrorError::Newer { path, .. } => {
                format!(
                    "update tallyport, or delete `{}`; the next export reads the whole account again",
                    path.display()
                )
            }
        }
    }
}

impl Diagnostic for MirrorError {
    fn hint(&self) -> Option<String> {
        Some(MirrorError::hint(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_depends_on_what_is_wrong() {
        let path = || PathBuf::from("m.sqlite");
        let failed = |code: i32| {
            let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            MirrorError::database(&path(), source)
        };
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let delete = "delete `m.sqlite`; the next export reads the whole account again";
        let cases = [
            (
                MirrorError::Folder { path: path(), source: denied() },
                "make its folder writable, or set TALLYPORT_HOME to another folder",
            ),
            (
                MirrorError::Temporary { folder: path(), source: denied() },
                &format!("make room there, or set {} to a folder that this user can write to", scratch::VARIABLE),
            ),
            (failed(rusqlite::ffi::SQLITE_FULL), "free some space on the disk"),
            (failed(rusqlite::ffi::SQLITE_CORRUPT), delete),
            (MirrorError::Foreign { path: path() }, delete),
            (MirrorError::Newer { path: path(), format: 9 }, &format!("update tallyport, or {delete}")),
        ];
        for (error, hint) in cases {
            assert_eq!((error.hint().as_str(), Diagnostic::hint(&error).as_deref()), (hint, Some(hint)));
        }
        assert!(
            failed(rusqlite::ffi::SQLITE_FULL).to_string().starts_with("cannot use the account snapshot `m.sqlite`: ")
        );
    }
}
