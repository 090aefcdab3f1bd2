//! Errors of reading a spreadsheet.

use std::borrow::Cow;
use std::fmt;

use crate::error::Diagnostic;

/// A file that could not be read, and where in it.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ReadError {
    /// The file as the user named it, or `stdin`.
    pub file: String,
    pub sheet: Option<String>,
    /// As a spreadsheet program counts, from 1; in JSON the line.
    pub row: Option<u64>,
    pub fault: ReadFault,
}

impl ReadError {
    /// Whether the file is one that Excel keeps beside an open workbook.
    pub(crate) fn is_of_lock_file(&self) -> bool {
        matches!(self.fault, ReadFault::LockFile)
    }

    /// Whether the file has no content at all.
    pub(crate) fn is_of_empty_file(&self) -> bool {
        matches!(self.fault, ReadFault::Empty)
    }
}

/// What is wrong with the file.
#[derive(Debug)]
pub(crate) enum ReadFault {
    /// There is no such file; these in the same folder have a similar name.
    NotFound {
        near: Vec<String>,
    },
    /// It is in iCloud, and a placeholder is in its place.
    NotDownloaded,
    /// An address in the web or in a bucket, and how to get the file.
    Address {
        what: &'static str,
        hint: Cow<'static, str>,
    },
    /// The operating system does not let us read it.
    Denied,
    Directory,
    Io(std::io::Error),
    /// Its size or modification time changed between two reads.
    Changed,
    /// It has no content at all.
    Empty,
    /// The `~$` file that Excel keeps beside an open workbook.
    LockFile,
    /// Encrypted: an OLE container with an `EncryptedPackage`, a `FilePass` record, an encrypted zip entry.
    Password,
    /// A known kind of file that is not a spreadsheet.
    Foreign {
        what: &'static str,
        hint: &'static str,
    },
    /// A zip or OLE container that ends too early.
    Truncated,
    /// The container or its content violates the format.
    Damaged {
        detail: String,
    },
    /// Unpacks to far more than any spreadsheet would: a zip bomb, or a damaged size.
    Bloated,
    /// Too many cells, strings or bytes.
    TooLarge {
        what: &'static str,
    },
    /// A workbook with nothing but charts.
    NoSheets,
    /// A quote that opens in this row is never closed, or only by the opening quote of a later row.
    UnclosedQuote,
    /// A record of more than 8 MiB.
    RecordTooLong,
    /// Binary data where text is expected.
    NotText,
    /// Invalid JSON, with the parser's reason.
    Json {
        detail: String,
    },
    /// JSON, but not objects.
    NotObjects,
}

impl ReadFault {
    pub(super) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into() }
    }

    pub(super) fn missing_part(part: &str) -> Self {
        Self::damaged(format!("its part `{}` is missing", part.escape_debug()))
    }

    /// The message and the hint of every fault: sentence fragments.
    fn describe(&self) -> (Cow<'static, str>, Cow<'static, str>) {
        const RESAVE: &str = "open it in a spreadsheet program, save it as .xlsx and try that file";
        let fixed = |message: &'static str, hint: &'static str| (message.into(), hint.into());
        match self {
            Self::NotFound { near } => ("file not found".into(), similar_names(near)),
            Self::NotDownloaded => fixed("it is in iCloud and not on this machine", "download it in Finder first"),
            Self::Address { what, hint } => (format!("{what}, not a file").into(), hint.clone()),
            Self::Denied => fixed("no permission to read it", "close it in other programs, or ask for read permission"),
            Self::Directory => fixed("a folder, not a file", "name the files in it, such as `folder/*.xlsx`"),
            Self::Io(error) => (
                format!("reading failed: {error}").into(),
                "check that the disk or network drive is available, then try again".into(),
            ),
            Self::Changed => fixed("the file changed while it was read", "try again when the other program is done"),
            Self::Empty => fixed("the file is empty", "export or save it again"),
            Self::LockFile => fixed(
                "a lock file that Excel keeps beside an open workbook, not a workbook",
                "name the workbook itself, without `~$`",
            ),
            Self::Password => fixed(
                "protected with a password",
                "open it, remove the password (File > Info > Protect Workbook) and save it again",
            ),
            Self::Foreign { what, hint } => (format!("{what}, not a spreadsheet").into(), (*hint).into()),
            Self::Truncated => fixed("the file is truncated", "download or copy it again, then try again"),
            Self::Damaged { detail } => (format!("the file is damaged ({detail})").into(), RESAVE.into()),
            Self::Bloated => fixed("it unpacks to a suspicious multiple of its size, so it was not read", RESAVE),
            Self::TooLarge { what } => (
                format!("too large: {what}").into(),
                "delete cells far outside the table, or save the sheet as .csv".into(),
            ),
            Self::NoSheets => fixed("a workbook without worksheets", "name a workbook that contains a table"),
            Self::UnclosedQuote => fixed(
                "a quote that opens here is never closed",
                "close the quote, or double it (`\"\"`) if it is part of the text",
            ),
            Self::RecordTooLong => {
                fixed("a row of more than 8 MiB", "check that the file has line breaks and that its quotes are closed")
            }
            Self::NotText => fixed("binary data, not text", "export it again as .csv or .xlsx"),
            Self::Json { detail } => {
                (format!("invalid JSON: {detail}").into(), "write one JSON object per line".into())
            }
            Self::NotObjects => fixed(
                "JSON, but not objects",
                "write one JSON object per line, such as `{\"name\": \"Berlin\", \"city\": \"Berlin\"}`",
            ),
        }
    }
}

fn similar_names(near: &[String]) -> Cow<'static, str> {
    if near.is_empty() {
        return "check the name and the folder".into();
    }
    let names: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("did you mean {}?", names.join(" or ")).into()
}

impl fmt::Display for ReadFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.describe().0)
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

impl Diagnostic for ReadError {
    fn hint(&self) -> Option<String> {
        Some(self.fault.describe().1.into_owned())
    }
}

impl From<std::io::Error> for ReadFault {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        // Another program, mostly Excel, has the file open exclusively, or has locked a part of it:
        // `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION`.
        if cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33)) {
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

/// A fault and its row, before the workbook adds the names of file and sheet.
#[derive(Debug)]
pub(super) struct LocatedFault {
    pub(super) row: Option<u64>,
    pub(super) fault: ReadFault,
}

impl LocatedFault {
    /// In a file with a single sheet.
    pub(super) fn of_file(self, file: &str) -> ReadError {
        ReadError { file: file.to_owned(), sheet: None, row: self.row, fault: self.fault }
    }
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
        assert_eq!(error.to_string(), "`book.xlsx`, sheet `Assets`: file not found");
        assert_eq!(error.hint().as_deref(), Some("did you mean `books.xlsx`?"));
    }
}
