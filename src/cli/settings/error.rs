use std::path::PathBuf;

use super::Origin;
use crate::api::{MOST_CONCURRENT, SecretError};
use crate::error::Diagnostic;

/// A setting that cannot be used. None ever holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// config.toml is not what it must be. Lines count from 1.
    #[error("`{}`{}: {reason}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Config { path: PathBuf, line: Option<usize>, reason: String },
    /// config.toml is there but cannot be read.
    #[error("could not read `{}`: {cause}", path.display())]
    ConfigUnreadable { path: PathBuf, cause: String },
    /// `--profile` or `default_profile` names a profile that config.toml lacks.
    #[error("there is no profile `{name}` in `{}`", path.display())]
    ProfileMissing { name: String, path: PathBuf, known: Vec<String> },
    /// No link at all, or a relative one.
    #[error("`{text}` ({origin}) is no link: {reason}")]
    BaseUrl { text: String, origin: Origin, reason: String },
    #[error("`{text}` ({origin}) is no quota")]
    Quota { text: String, origin: Origin },
    #[error("a concurrency of {number} ({origin}) is out of range")]
    Concurrency { number: u16, origin: Origin },
    /// The file that should hold the key cannot be read.
    #[error("could not read the API key file `{}`: {cause}", path.display())]
    KeyFile { path: PathBuf, cause: String },
    /// What was found in place of a key is none.
    #[error("{reason} ({origin})")]
    Key { reason: SecretError, origin: Origin },
    /// A profile gives the key in more than one way.
    #[error("profile `{profile}` gives the API key in more than one way: {}", ways.join(", "))]
    KeyTwice { profile: String, ways: Vec<&'static str> },
    /// A profile names the system's key store, which does not give the key.
    #[error("could not read the API key from the key store (service `{service}`, user `{user}`): {cause}")]
    KeyStore { service: String, user: String, cause: String },
    /// No key anywhere.
    #[error("there is no API key")]
    KeyMissing,
    /// Neither `TALLYPORT_HOME` nor a home folder to keep journals in.
    #[error("this user has no home folder, so there is no place for journals")]
    NoHome,
}

impl Diagnostic for SettingsError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Config { .. } => "correct the line; `tallyport doctor` tells whether the file is right then",
            Self::ConfigUnreadable { .. } => "let this user read the file",
            Self::ProfileMissing { known, .. } if known.is_empty() => {
                "add it as `[profiles.NAME]`, or leave `--profile` away"
            }
            Self::ProfileMissing { known, .. } => return Some(format!("use one of `{}`", known.join("`, `"))),
            Self::BaseUrl { .. } => "give a link such as `https://app.bluetallyapp.com/api/v1`",
            Self::Quota { .. } => "write requests an hour such as `10000/h`, or `none`",
            Self::Concurrency { .. } => return Some(format!("give a number from 1 to {MOST_CONCURRENT}")),
            Self::KeyFile { .. } => "give a file that this user can read and that holds the key alone",
            Self::Key { .. } => "copy the key from Settings > API Keys once more, alone and whole",
            Self::KeyTwice { .. } => "keep one of them",
            Self::KeyStore { .. } => "store the key there, or give it as BLUETALLY_API_KEY",
            Self::KeyMissing => {
                "set BLUETALLY_API_KEY, give `--api-key-file FILE`, or put `api_key_file` into a profile of config.toml; \
                 the key comes from Settings > API Keys. To try it without an account, add `--sandbox`"
            }
            Self::NoHome => "set TALLYPORT_HOME to a folder this user can write to",
        };
        Some(hint.to_owned())
    }
}
