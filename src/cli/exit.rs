//! Exit codes, and the one match that picks them.

use std::process::ExitCode;

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
    /// Interrupted or stopped early.
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
    Api(#[from] crate::api::ApiError),
    /// The sandbox could not start.
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
    /// Nothing in the schema has that name.
    #[error("nothing is called `{given}`")]
    UnknownEntity { given: String, nearest: Option<&'static str> },
    /// There is nothing to fill in for the activity log and the tenants.
    #[error("`{name}` can only be listed, not filled in")]
    OnlyListed { name: &'static str },
    /// The account's own names were asked for.
    #[error("`--live` is not available in this version")]
    LiveNames,
    /// A template could not be written.
    #[error(transparent)]
    Template(#[from] crate::template::TemplateError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] crate::table::write::WriteError),
    /// Writing to the terminal failed.
    #[error("could not write the output: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    pub fn exit(&self) -> Exit {
        match self {
            Error::Read(_) | Error::Settings(_) | Error::Write(_) => Exit::Usage,
            Error::Api(_) => Exit::Refused,
            Error::UnknownEntity { .. } | Error::OnlyListed { .. } => Exit::Usage,
            Error::Sandbox(_) | Error::LiveNames | Error::Template(_) => Exit::Usage,
            Error::Output(_) => Exit::Internal,
        }
    }

    /// What to do now, as one sentence fragment.
    pub fn mend(&self) -> Option<String> {
        match self {
            Error::Read(error) => error.mend(),
            Error::Settings(error) => error.mend(),
            Error::Api(error) => error.mend(),
            Error::Sandbox(error) => error.mend(),
            Error::UnknownEntity { nearest: Some(name), .. } => {
                Some(format!("perhaps `{name}` is meant; `tallyport schema` lists all names"))
            }
            Error::UnknownEntity { nearest: None, .. } | Error::OnlyListed { .. } => {
                Some("choose one of the collections and actions that `tallyport schema` lists".to_owned())
            }
            Error::LiveNames => {
                Some("leave `--live` out: names can be typed in, and are looked up on import".to_owned())
            }
            Error::Template(error) => error.mend(),
            Error::Write(error) => error.mend(),
            Error::Output(_) => None,
        }
    }
}
