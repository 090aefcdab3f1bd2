//! Why a file could not be read, in the user's words.

use crate::error::Diagnostic;
use std::borrow::Cow;
use std::fmt;

/// A file that could not be read, and where in it.
#[derive(Debug, thiserror::Error)]
pub struct ReadError {
    /// The file as the user named it, or `stdin`.
    pub file: String,
    pub sheet: Option<String>,
    /// As a spreadsheet program counts, from 1; in JSON the line.
    pub row: Option<u64>,
    pub fault: ReadFault,
}

/// What is the matter with the file.
#[derive(Debug)]
pub enum ReadFault {
    /// There is no such file; these in the same folder have a similar name.
    NotFound {
        near: Vec<String>,
    },
    /// The operating system does not let us read it.
    Denied,
    Directory,
    /// The operating system failed, in its own words.
    Io(std::io::Error),
    /// Its size or time changed between two readings.
    Changed,
    /// Not a single character.
    Empty,
    /// The `~$` file that Excel keeps beside an open workbook.
    LockFile,
    /// Encrypted: an OLE container with an `EncryptedPackage`, a `FilePass` record, an encrypted zip entry.
    Password,
    /// A known kind of file that is no spreadsheet.
    Foreign {
        what: &'static str,
        hint: &'static str,
    },
    /// A zip or OLE container that ends too early.
    Truncated,
    /// The container or its content contradicts the format.
    Damaged {
        detail: String,
    },
    /// Unpacks to far more than any spreadsheet would: a zip bomb, or a damaged size.
    Bloated,
    /// Too many cells, strings or bytes for what a sheet may hold.
    TooLarge {
        what: &'static str,
    },
    /// A workbook of charts only.
    NoSheets,
    /// A quote that opens in this row is never closed, or only by the opening quote of another row.
    UnclosedQuote,
    /// A record of more than 8 MiB.
    RecordTooLong,
    /// Binary data where text is expected.
    NotText,
    /// JSON that cannot be read, with the parser's reason.
    Json {
        detail: String,
    },
    /// JSON, but not objects.
    NotObjects,
}

impl ReadFault {
    /// What happened, and what to do now: fragments without a full stop. The one table of both.
    fn words(&self) -> (Cow<'static, str>, Cow<'static, str>) {
        const RESAVE: &str = "open it in a spreadsheet program, save it as .xlsx and try that file";
        let fixed = |what: &'static str, hint: &'static str| (what.into(), hint.into());
        match self {
            ReadFault::NotFound { near } => ("there is no such file".into(), near_names(near)),
            ReadFault::Denied => {
                fixed("no permission to read it", "close it in other programs, or ask for read permission")
            }
            ReadFault::Directory => fixed("a folder, not a file", "name the files in it, such as `folder/*.xlsx`"),
            ReadFault::Io(error) => (
                format!("reading failed: {error}").into(),
                "see whether the disk or network drive is in order, then try again".into(),
            ),
            ReadFault::Changed => {
                fixed("the file changed while it was read", "try again when the other program has finished")
            }
            ReadFault::Empty => fixed("the file is empty", "export or save it again"),
            ReadFault::LockFile => fixed(
                "a lock file that Excel keeps beside an open workbook, not a workbook",
                "name the workbook itself, without `~$`",
            ),
            ReadFault::Password => fixed(
                "protected with a password",
                "open it, remove the password (File > Info > Protect Workbook) and save it again",
            ),
            ReadFault::Foreign { what, hint } => (format!("{what}, not a spreadsheet").into(), (*hint).into()),
            ReadFault::Truncated => {
                fixed("the file is cut off: its end is missing", "download or copy it again, then try again")
            }
            ReadFault::Damaged { detail } => (format!("the file is damaged ({detail})").into(), RESAVE.into()),
            ReadFault::Bloated => fixed("it unpacks to a suspicious multiple of its size, so it was not read", RESAVE),
            ReadFault::TooLarge { what } => (
                format!("too large: {what}").into(),
                "delete what stands far outside the table, or save the sheet as .csv".into(),
            ),
            ReadFault::NoSheets => fixed("a workbook without worksheets", "name a workbook that has a table in it"),
            ReadFault::UnclosedQuote => fixed(
                "a quote that opens here is never closed",
                "close the quote, or double it (`\"\"`) where it belongs to the text",
            ),
            ReadFault::RecordTooLong => {
                fixed("a row of more than 8 MiB", "see whether the file has line ends, and its quotes are closed")
            }
            ReadFault::NotText => fixed("binary data, not text", "export it again as .csv or .xlsx"),
            ReadFault::Json { detail } => {
                (format!("not JSON: {detail}").into(), "write one JSON object per line".into())
            }
            ReadFault::NotObjects => fixed(
                "JSON, but not objects",
                "write one JSON object per line, such as `{\"name\": \"Berlin\", \"city\": \"Berlin\"}`",
            ),
        }
    }
}

fn near_names(near: &[String]) -> Cow<'static, str> {
    if near.is_empty() {
        return "see whether the name and the folder are right".into();
    }
    let names: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("did you mean {}?", names.join(" or ")).into()
}

impl fmt::Display for ReadFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words().0)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.file)?;
        if let Some(sheet) = &self.sheet {
            write!(formatter, ", sheet `{sheet}`")?;
        }
        if let Some(row) = self.row {
            write!(formatter, ", row {row}")?;
        }
        write!(formatter, ": {}", self.fault)
    }
}

impl ReadError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        Some(self.fault.words().1.into_owned())
    }
}

impl From<std::io::Error> for ReadFault {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        /// Another program has the file open and shares it with nobody: Excel, mostly.
        const SHARING_VIOLATION: i32 = 32;
        if cfg!(windows) && error.raw_os_error() == Some(SHARING_VIOLATION) {
            return ReadFault::Denied;
        }
        match error.kind() {
            ErrorKind::NotFound => ReadFault::NotFound { near: Vec::new() },
            ErrorKind::PermissionDenied => ReadFault::Denied,
            ErrorKind::IsADirectory => ReadFault::Directory,
            _ => ReadFault::Io(error),
        }
    }
}

/// A fault and the row where it was met, before the workbook adds the names of file and sheet.
#[derive(Debug)]
pub(super) struct LocatedFault {
    pub(super) row: Option<u64>,
    pub(super) fault: ReadFault,
}

impl<F: Into<ReadFault>> From<F> for LocatedFault {
    fn from(fault: F) -> Self {
        LocatedFault { row: None, fault: fault.into() }
    }
}

impl ReadFault {
    pub(super) fn at(self, row: u64) -> LocatedFault {
        LocatedFault { row: Some(row), fault: self }
    }
}

impl Diagnostic for ReadError {
    fn hint(&self) -> Option<String> {
        ReadError::hint(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_file_sheet_and_row() {
        let error = ReadError { file: "assets.csv".into(), sheet: None, row: Some(7), fault: ReadFault::UnclosedQuote };
        assert_eq!(error.to_string(), "`assets.csv`, row 7: a quote that opens here is never closed");
        let error = ReadError {
            file: "book.xlsx".into(),
            sheet: Some("Assets".into()),
            row: None,
            fault: ReadFault::NotFound { near: vec!["books.xlsx".into()] },
        };
        assert_eq!(error.to_string(), "`book.xlsx`, sheet `Assets`: there is no such file");
        assert_eq!(error.hint().as_deref(), Some("did you mean `books.xlsx`?"));
    }
}
