//! Exit codes, and the one match that picks them.

use std::io;
use std::process::ExitCode;

use super::printer::Printer;
use crate::error::{Diagnostic, Error, ErrorKind};
use crate::table::write::WriteError;

/// What a scheduler or script learns from the exit status. The numbers are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every row succeeded.
    Success = 0,
    /// Finished; some rows failed, and the result file says which.
    RowsFailed = 1,
    /// The command line, the configuration or an input file is wrong; nothing was sent.
    Usage = 2,
    /// The service could not be reached, or refused, before anything was changed.
    Refused = 3,
    /// Interrupted or stopped early; `resume` continues.
    Stopped = 4,
    /// A bug of tallyport, or a result or an outcome that could not be written.
    Internal = 5,
}

impl Exit {
    /// The exit code of a command once its outcome was printed. What it came to counts before what became of the output: a
    /// reader that went away changes nothing, and an outcome that nobody can read is no success.
    pub(super) fn after_printing(self, printed: Result<(), impl Into<Error>>, printer: Printer) -> Self {
        let Err(error) = printed.map_err(Into::into) else { return self };
        if is_closed_pipe(&error) {
            return self;
        }
        printer.error(&error.to_string(), error.hint().as_deref());
        if self == Exit::Success { Exit::Internal } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::Stopped => Exit::Stopped,
            ErrorKind::Declined => Exit::Success,
            ErrorKind::Internal => Exit::Internal,
        }
    }
}

/// Writing to the terminal failed, or the system refused something that every process may do.
#[derive(Debug, thiserror::Error)]
#[error("could not write the output: {0}")]
struct OutputError(#[source] io::Error);

impl Diagnostic for OutputError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        OutputError(error).into()
    }
}

/// A reader that went away, as in `tallyport schema | head`, is a quiet end. Where a command has more to say by its exit
/// code than that it succeeded, see [`Exit::after_printing`].
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    let source = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(OutputError(source)), _) => source,
        (_, Some(WriteError::Stdout { source })) => source,
        _ => return false,
    };
    source.kind() == io::ErrorKind::BrokenPipe
}
