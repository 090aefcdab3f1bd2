//! Spreadsheets out: files appear whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::XlsxError;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot write `{}`: {source}", path.display())]
    Workbook { path: PathBuf, source: Box<XlsxError> },

    #[error("cannot write `{}`: {source}", path.display())]
    Other { path: PathBuf, source: io::Error },
}

impl WriteError {
    pub(crate) fn from_io(path: &Path, source: io::Error) -> Self {
        Self::Other { path: path.to_owned(), source }
    }

    pub(crate) fn from_xlsx(path: &Path, source: XlsxError) -> Self {
        Self::Workbook { path: path.to_owned(), source: Box::new(source) }
    }

    /// What to do now.
    pub fn mend(&self) -> Option<String> {
        None
    }
}
