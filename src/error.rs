//! The one error of the library: what went wrong, what to do about it, and how a program should exit.
//!
//! Every module that can fail has an enum of its own, and implements [`Diagnostic`] for it. [`Error`] holds any of
//! them: `?` converts, [`Error::downcast_ref`] gets the module's own error back.
//!
//! Bad rows are not errors: they are data in the report.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;

/// What kind of failure it is, for callers that only decide how to go on: the exit class of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An option, the configuration or an input file is wrong, or a file cannot be written. Nothing was sent.
    Usage,
    /// The service could not be reached, or refused, before anything was changed.
    Refused,
    /// Interrupted or stopped early.
    Stopped,
    /// The user was asked and said no. Nothing was sent, and nothing went wrong.
    Declined,
    /// A bug of this crate, or a failure of the machine that no option avoids.
    Internal,
}

/// An error that can be shown to a user: its [`Display`](fmt::Display) says what is wrong, [`hint`](Self::hint) what
/// to do.
pub trait Diagnostic: StdError + Send + Sync + 'static {
    /// What the user can do next, as a sentence fragment; none where there is nothing to say.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The exit class. Most failures are known before anything is sent, and are the input's or the machine's.
    fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

/// Whatever stops an operation of this crate.
pub struct Error(Box<dyn Diagnostic>);

/// A [`Result`](std::result::Result) with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error from its parts, where no module has a type for it.
    pub fn new(kind: ErrorKind, message: impl Into<String>, hint: Option<String>) -> Self {
        Error(Box::new(Message { kind, message: message.into(), hint }))
    }

    /// Options that ask for something that cannot be done, and what to write instead.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message, Some(hint.into()))
    }

    /// The user asked to stop before anything was sent or written.
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Stopped, "interrupted; nothing was sent or written", None)
    }

    /// The user was asked whether to go on, and said no.
    pub(crate) fn declined(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Declined, message, None)
    }

    /// What the user can do next, as a sentence fragment.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// The exit class.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// The module's own error, if it is an `E`.
    pub fn downcast_ref<E: Diagnostic>(&self) -> Option<&E> {
        let error: &dyn StdError = &*self.0;
        error.downcast_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl<D: Diagnostic> From<D> for Error {
    fn from(diagnostic: D) -> Self {
        Error(Box::new(diagnostic))
    }
}

impl Diagnostic for Infallible {}

/// An error that no module has a type for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Message {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl Diagnostic for Message {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct DiskFull(#[source] std::io::Error);

    impl Diagnostic for DiskFull {
        fn hint(&self) -> Option<String> {
            Some(String::from("make room"))
        }
    }

    fn fails() -> Result<()> {
        Err(DiskFull(std::io::Error::other("quota")))?
    }

    #[test]
    fn a_modules_error_keeps_its_text_hint_source_and_type() {
        let error = fails().unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
        assert_eq!(error.hint().as_deref(), Some("make room"));
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert_eq!(error.source().unwrap().to_string(), "quota");
        assert!(error.downcast_ref::<DiskFull>().is_some());
    }

    #[test]
    fn an_error_without_a_type_is_text_hint_and_kind() {
        let error = Error::usage("`x` is not a limit", "write a count such as 250");
        assert_eq!(error.to_string(), "`x` is not a limit");
        assert_eq!(error.hint().as_deref(), Some("write a count such as 250"));
        assert_eq!(Error::interrupted().kind(), ErrorKind::Stopped);
    }
}
