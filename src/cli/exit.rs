//! Exit codes, and the one match that picks them.

use std::convert::Infallible;
use std::process::ExitCode;

use crate::api::ApiError;
use crate::catalog::RefreshError;
use crate::export::SheetError;
#[cfg(feature = "buckets")]
use crate::export::bucket::{BucketError, Refusal};
use crate::run::journal::JournalError;
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
    /// Interrupted or stopped early; `resume` goes on.
    Stopped = 4,
    /// A bug of tallyport.
    Internal = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Whatever stops a command, with the exit code it deserves.
///
/// Bad rows are not errors: they are data in the report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] crate::table::ReadError),
    /// A flag, a profile or the environment is wrong.
    #[error(transparent)]
    Settings(#[from] super::settings::SettingsError),
    /// The service could not be reached or refused the whole run.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The sandbox could not start.
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
    /// Nothing in the schema has that name.
    #[error("nothing is called `{given}`")]
    UnknownEntity { given: String, nearest: Option<&'static str> },
    /// There is nothing to fill in for the activity log and the tenants.
    #[error("`{name}` can only be listed, not filled in")]
    OnlyListed { name: &'static str },
    /// A template could not be written.
    #[error(transparent)]
    Template(#[from] crate::template::TemplateError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] crate::table::write::WriteError),
    /// Records could not be backed up, and so were not deleted.
    #[error("{0}; nothing was deleted")]
    Backup(#[from] crate::export::BackupError),
    /// A bucket does not take the files of an export, or only some of them.
    #[cfg(feature = "buckets")]
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The headers of a sheet do not fit.
    #[error(transparent)]
    Headers(#[from] super::intake::HeaderFaults),
    /// A mapping file or preset cannot be used.
    #[error(transparent)]
    Mapping(#[from] crate::mapping::MappingFileError),
    /// The plan exceeds a limit of the user's.
    #[error(transparent)]
    Guard(#[from] crate::plan::GuardFault),
    /// The flags ask for something that cannot be done.
    #[error("{what}")]
    Usage { what: String, hint: String },
    /// Ctrl-C while the plan was made.
    #[error("interrupted; nothing was sent or written")]
    Interrupted,
    /// A run's journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The local copy of an account cannot be kept.
    #[error(transparent)]
    Mirror(#[from] crate::catalog::MirrorError),
    /// A register could not be made.
    #[error(transparent)]
    Register(#[from] crate::register::RegisterError),
    /// A list that never holds still cannot be read.
    #[error("{0}")]
    Unsteady(String),
    /// Rows could not be put in order.
    #[error("rows could not be put in order: {0}")]
    Sort(rusqlite::Error),
    /// Writing to the terminal failed.
    #[error("could not write the output: {0}")]
    Output(#[from] std::io::Error),
}

/// A dry run's plan is kept nowhere, and so cannot fail to be.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<RefreshError<ApiError>> for Error {
    fn from(error: RefreshError<ApiError>) -> Self {
        match error {
            RefreshError::Service(error) => Error::Api(error),
            RefreshError::Mirror(error) => Error::Mirror(error),
            RefreshError::Unsteady { .. } => Error::Unsteady(error.to_string()),
        }
    }
}

impl From<SheetError> for Error {
    fn from(error: SheetError) -> Self {
        match error {
            SheetError::Mirror(error) => Error::Mirror(error),
            SheetError::Write(error) => Error::Write(error),
            SheetError::Sort(error) => Error::Sort(error),
        }
    }
}

impl Error {
    /// A usage error with its hint.
    pub(super) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Usage { what: what.into(), hint: hint.into() }
    }

    pub(super) fn no_rows(files: &[String]) -> Self {
        Error::usage(format!("{} holds a header but no rows", files.join(", ")), "fill in the rows below the header")
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Interrupted | Error::Write(WriteError::Interrupted) => Exit::Stopped,
            Error::Read(_) | Error::Settings(_) | Error::Write(_) | Error::Sandbox(_) => Exit::Usage,
            Error::Headers(_) | Error::Mapping(_) | Error::Guard(_) | Error::Usage { .. } => Exit::Usage,
            // The base link itself is wrong, or this machine: nothing was asked of the service.
            Error::Api(ApiError::Insecure { .. } | ApiError::BaseUrl { .. }) => Exit::Usage,
            Error::Api(ApiError::Setup { .. } | ApiError::Ledger(_)) => Exit::Usage,
            Error::Api(_) => Exit::Refused,
            #[cfg(feature = "buckets")]
            Error::Bucket(BucketError::Setup { .. } | BucketError::File { .. }) => Exit::Usage,
            #[cfg(feature = "buckets")]
            Error::Bucket(BucketError::Refused { refusal: Refusal::NoCredentials { .. }, .. }) => Exit::Usage,
            #[cfg(feature = "buckets")]
            Error::Bucket(BucketError::Interrupted) => Exit::Stopped,
            #[cfg(feature = "buckets")]
            Error::Bucket(BucketError::Refused { .. } | BucketError::Torn(_)) => Exit::Refused,
            Error::UnknownEntity { .. } | Error::OnlyListed { .. } => Exit::Usage,
            Error::Template(_) | Error::Backup(_) => Exit::Usage,
            Error::Journal(JournalError::Gone { .. }) | Error::Output(_) => Exit::Internal,
            Error::Journal(_) | Error::Mirror(_) | Error::Sort(_) | Error::Register(_) => Exit::Usage,
            Error::Unsteady(_) => Exit::Refused,
        }
    }

    /// What to do now, as one sentence fragment.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Read(error) => error.hint(),
            Error::Settings(error) => error.hint(),
            Error::Api(error) => error.hint(),
            Error::Sandbox(error) => error.hint(),
            Error::UnknownEntity { nearest: Some(name), .. } => {
                Some(format!("perhaps `{name}` is meant; `tallyport schema` lists all names"))
            }
            Error::UnknownEntity { nearest: None, .. } | Error::OnlyListed { .. } => {
                Some("choose one of the collections and actions that `tallyport schema` lists".to_owned())
            }
            Error::Template(error) => error.hint(),
            Error::Write(error) => error.hint(),
            Error::Backup(error) => error.hint(),
            #[cfg(feature = "buckets")]
            Error::Bucket(error) => error.hint(),
            Error::Mapping(error) => Some(error.hint()),
            Error::Guard(fault) => Some(format!("look at the plan with --dry-run, or raise {}", fault.flag)),
            Error::Usage { hint, .. } => Some(hint.clone()),
            Error::Journal(error) => Some(error.hint()),
            Error::Headers(faults) => faults.hint(),
            Error::Mirror(error) => Some(error.hint()),
            Error::Register(error) => error.hint(),
            Error::Unsteady(_) => Some(String::from("try again when less is done in the account")),
            Error::Sort(_) => Some(String::from("make room for temporary files, or leave out --sort")),
            Error::Output(_) | Error::Interrupted => None,
        }
    }
}
