//! Errors of writing a file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::XlsxError;

use super::xlsx::MAX_COLUMNS;
use crate::error::{self, Diagnostic};
use crate::scratch;
use crate::written_files::OverwriteError;

/// A file that could not be written. Nothing has changed: a file that was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot write `{}`: the folder `{}` does not exist", path.display(), folder.display())]
    FolderMissing { path: PathBuf, folder: PathBuf },

    #[error("cannot write `{}`: it is a folder", path.display())]
    IsFolder { path: PathBuf },

    /// A link to a file that is not there. A file in place of the link would not be where the user looks for it.
    #[error("cannot write `{}`: it is a link to `{}`, which does not exist", link.display(), target.display())]
    DanglingLink { link: PathBuf, target: PathBuf },

    #[error("cannot write `{}`: `{}` is a link that another user made", path.display(), link.display())]
    LinkOfOther { path: PathBuf, link: PathBuf },

    #[error("cannot write `{}`: another user made this file, in a folder that everybody can write to", path.display())]
    FileOfOther { path: PathBuf },

    #[error("cannot write `{}`: no permission", path.display())]
    NoPermission { path: PathBuf, source: io::Error },

    /// The disk, or the user's quota on it.
    #[error("cannot write `{}`: the disk is full", path.display())]
    DiskFull { path: PathBuf, source: io::Error },

    /// A limit of the file system, or of this user (`ulimit -f`).
    #[error("cannot write `{}`: it is larger than a file may be here", path.display())]
    TooLarge { path: PathBuf, source: io::Error },

    /// On Windows a file that Excel has open cannot be replaced.
    #[error("cannot write `{}`: another program has it open", path.display())]
    Busy { path: PathBuf, source: io::Error },

    /// Somebody put a file there, or edited the one that was there, while the new one was being made.
    #[error(transparent)]
    Taken(#[from] OverwriteError),

    #[error("cannot write `{}`: a result is an .xlsx or .csv file", path.display())]
    Extension { path: PathBuf },

    /// A CSV file holds one sheet.
    #[error("cannot write the sheets `{first}` and `{second}` to `{}`: a CSV file holds one", path.display())]
    SheetsInCsv { path: PathBuf, first: String, second: String },

    /// CSV, JSONL and Parquet have no sheets.
    #[error("cannot write the tables `{first}` and `{second}` to {place}: it takes one table")]
    TablesInOne { place: String, first: String, second: String },

    /// One of Excel's limits.
    #[error("cannot write `{}`: table `{table}` has {columns} columns, and a sheet holds {MAX_COLUMNS}", path.display())]
    TooWide { path: PathBuf, table: String, columns: usize },

    /// A file is where a folder should be.
    #[error("cannot write to the folder `{}`: it is a file", folder.display())]
    NotFolder { folder: PathBuf },

    /// Support for the format is an optional feature.
    #[error("this build cannot write {format}: the feature `{}` is missing", format.to_lowercase())]
    NotBuilt { format: &'static str },

    /// What is written into a pipe or to standard output is gathered in a temporary file first.
    #[error("cannot create a temporary file in `{}`: {source}", folder.display())]
    Temporary { folder: PathBuf, source: io::Error },

    #[error("cannot write to standard output: {source}")]
    Stdout { source: io::Error },

    /// The caller asked to stop; nothing was put in place.
    #[error("interrupted; nothing was written")]
    Interrupted,

    /// A row before any sheet: a bug of this crate.
    #[error("cannot write `{}`: a row came before its sheet", path.display())]
    NoSheet { path: PathBuf },

    /// As [`WriteError::NoSheet`], of an output that has no file yet.
    #[error("a row came before its table")]
    NoTable,

    /// A limit of the format that should have been respected earlier: a bug of this crate.
    #[error("cannot write `{}`: {source}", path.display())]
    Workbook { path: PathBuf, source: Box<XlsxError> },

    #[error("cannot write `{}`: {source}", path.display())]
    Other { path: PathBuf, source: io::Error },
}

impl Diagnostic for WriteError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::FolderMissing { folder, .. } => format!("create the folder `{}` first", folder.display()),
            // Only where it was named like a folder, a file in it may have been meant.
            Self::IsFolder { path } if path.extension().is_none() => String::from("name a file in it"),
            Self::IsFolder { .. } => String::from("name another file, or move that folder away"),
            Self::DanglingLink { target, .. } => format!("name `{}` itself, or remove the link", target.display()),
            Self::LinkOfOther { .. } => String::from("name the file that the link leads to, if that is what you want"),
            Self::FileOfOther { .. } => String::from("name a file in a folder of your own"),
            Self::NoPermission { .. } => String::from("name a file in a folder you can write to"),
            Self::DiskFull { .. } => String::from("free some space, or name a file on another disk"),
            Self::TooLarge { .. } if cfg!(unix) => {
                String::from("raise the limit (`ulimit -f`), or name a file on another disk")
            }
            Self::TooLarge { .. } => String::from("name a file on another disk"),
            Self::Busy { .. } => String::from("close it there, or name another file"),
            Self::Taken(error) => return error.hint(),
            Self::Extension { path } => format!("name it `{}`", path.with_extension("xlsx").display()),
            Self::SheetsInCsv { path, .. } => format!("name it `{}`", path.with_extension("xlsx").display()),
            Self::TablesInOne { .. } => String::from("name a folder or an .xlsx file, or export one table at a time"),
            Self::TooWide { .. } => String::from("leave columns out, or write CSV, which has no such limit"),
            Self::NotFolder { .. } => String::from("name another folder, or move that file away"),
            Self::NotBuilt { format } => format!(
                "use a released tallyport, build with `--features {}`, or write .xlsx, .csv or .jsonl",
                format.to_lowercase()
            ),
            Self::Temporary { .. } => {
                format!("make room there, or set {} to a folder that this user can write to", scratch::VARIABLE)
            }
            Self::Stdout { .. } => String::from("check the program that reads it, or write to a file"),
            Self::NoSheet { .. } | Self::NoTable | Self::Workbook { .. } => {
                String::from("please report this bug to the makers of tallyport")
            }
            Self::Other { .. } | Self::Interrupted => return None,
        };
        Some(hint)
    }

    fn kind(&self) -> error::ErrorKind {
        match self {
            Self::Interrupted => error::ErrorKind::Stopped,
            _ => error::ErrorKind::Usage,
        }
    }
}

impl WriteError {
    /// The error for a failed system call on the file at `path`.
    pub(crate) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            _ if is_sharing_violation(&source) => Self::Busy { path, source },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::NoPermission { path, source },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::WriteZero => Self::DiskFull { path, source },
            ErrorKind::FileTooLarge => Self::TooLarge { path, source },
            ErrorKind::IsADirectory => Self::IsFolder { path },
            ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => Self::Busy { path, source },
            _ => Self::Other { path, source },
        }
    }

    /// The error for a file that cannot be renamed to `path`. Windows denies access to a file that a program has open as
    /// it does to one without permission; the permission to write there was checked before.
    pub(super) fn from_rename(path: &Path, source: io::Error) -> Self {
        /// `ERROR_ACCESS_DENIED`.
        const ACCESS_DENIED: i32 = 5;
        if cfg!(windows) && source.raw_os_error() == Some(ACCESS_DENIED) && path.is_file() {
            return Self::Busy { path: path.to_owned(), source };
        }
        Self::from_io(path, source)
    }

    /// The error for a folder that cannot be created.
    pub(crate) fn from_folder(folder: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => Self::NotFolder { folder: folder.to_owned() },
            _ => Self::from_io(folder, source),
        }
    }

    /// The error for a temporary file that cannot be created.
    pub(crate) fn temporary(source: io::Error) -> Self {
        Self::Temporary { folder: std::env::temp_dir(), source }
    }

    /// As [`WriteError::from_io`]; without a path it is about standard output.
    pub(crate) fn from_output(path: Option<&Path>, source: io::Error) -> Self {
        match path {
            Some(path) => Self::from_io(path, source),
            None => Self::Stdout { source },
        }
    }

    /// The error for a failure of the workbook writer on the file at `path`.
    pub(crate) fn from_xlsx(path: &Path, source: XlsxError) -> Self {
        match source {
            XlsxError::IoError(source) | XlsxError::TempFileError(_, source) => Self::from_io(path, source),
            XlsxError::ZipError(source) => Self::from_io(path, source.into()),
            source => Self::Workbook { path: path.to_owned(), source: Box::new(source) },
        }
    }

    /// Whether the same content could be written under another name in the same folder.
    pub(crate) fn is_about_the_name(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::NoPermission { .. } | Self::IsFolder { .. } | Self::Taken(_))
    }
}

/// `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION` of Windows, for which [`ErrorKind`] has no variant.
fn is_sharing_violation(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_sentence() {
        let path = Path::new("out/result.xlsx");
        let about = |kind: ErrorKind| WriteError::from_io(path, kind.into()).to_string();
        assert!(about(ErrorKind::StorageFull).ends_with("the disk is full"));
        assert!(about(ErrorKind::FileTooLarge).ends_with("it is larger than a file may be here"));
        assert!(about(ErrorKind::PermissionDenied).ends_with("no permission"));
        assert!(about(ErrorKind::ResourceBusy).ends_with("another program has it open"));
        assert!(about(ErrorKind::IsADirectory).ends_with("it is a folder"));
    }
}
