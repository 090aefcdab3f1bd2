use std::path::PathBuf;

use super::Origin;
use crate::api::{MOST_CONCURRENT, SecretError};
use crate::error::Diagnostic;
use crate::state_file::UnsafeFolder;

/// A setting that cannot be used. None ever holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    /// config.toml is not what it must be. Lines count from 1.
    #[error("`{}`{}: {reason}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Config { path: PathBuf, line: Option<usize>, reason: String, hint: Option<&'static str> },
    /// config.toml is there but cannot be read.
    #[error("could not read `{}`: {cause}", path.display())]
    ConfigUnreadable { path: PathBuf, cause: String },
    /// `--profile` or `default_profile` names a profile that config.toml lacks.
    #[error("there is no profile `{name}` in `{}`", path.display())]
    ProfileMissing { name: String, path: PathBuf, known: Vec<String>, is_default: bool },
    /// A flag of another account.
    #[error("--sandbox cannot be used with {flag}")]
    SandboxWith { flag: &'static str },
    /// No link at all, or a relative one.
    #[error("invalid URL `{text}` ({origin}): {reason}")]
    BaseUrl { text: String, origin: Origin, reason: String },
    #[error("invalid tenant `{text}` ({origin})")]
    Tenant { text: String, origin: Origin },
    #[error("invalid quota `{text}` ({origin})")]
    Quota { text: String, origin: Origin },
    #[error("invalid concurrency {number} ({origin})")]
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
    /// The key was configured for one base URL, and another is in force.
    #[error(transparent)]
    KeyOfAnotherUrl(Box<ForeignKey>),
    /// No key anywhere.
    #[error("no API key is set")]
    KeyMissing,
    /// Neither `TALLYPORT_HOME` nor a home folder to keep journals in.
    #[error("this user has no home folder to keep journals in")]
    NoHome,
    /// Others can put files into the folder for journals.
    #[error(transparent)]
    StateDir(#[from] UnsafeFolder),
}

/// A key, and a base URL that it was not configured for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the API key {key} is for {}, not for `{base_url}` {origin}",
    owner.as_deref().map_or_else(|| String::from("the default base URL"), |owner| format!("`{owner}`"))
)]
pub(crate) struct ForeignKey {
    pub(super) key: Origin,
    /// The base URL that the key is for; none for the default one.
    pub(super) owner: Option<String>,
    pub(super) base_url: String,
    /// Where the base URL is from.
    pub(super) origin: Origin,
}

impl ForeignKey {
    fn hint(&self) -> String {
        let consent = format!("pass `--base-url {}` to send this key there", self.base_url);
        match (&self.key, &self.origin) {
            (Origin::Variable(_), Origin::Profile(name)) => {
                format!("put `api_key_file` into profile `{name}` and name it with `--profile {name}`, or {consent}")
            }
            (_, Origin::Variable(name)) => format!("unset {name}, or {consent}"),
            _ => consent,
        }
    }
}

impl Diagnostic for SettingsError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Config { hint: Some(hint), .. } => hint,
            Self::Config { hint: None, .. } => "correct the line; `tallyport doctor` checks the file",
            Self::ConfigUnreadable { .. } => "let this user read the file",
            Self::ProfileMissing { known, name, is_default, .. } if known.is_empty() => {
                let naming = if *is_default { "`default_profile`" } else { "--profile" };
                return Some(format!("add it as `[profiles.{name}]`, or leave out {naming}"));
            }
            Self::ProfileMissing { known, .. } => return Some(format!("use one of `{}`", known.join("`, `"))),
            Self::SandboxWith { .. } => "leave out one of them: the sandbox is an account of its own",
            Self::BaseUrl { .. } => "use a URL such as `https://app.bluetallyapp.com/api/v1`",
            Self::Tenant { .. } => "use the number of the tenant, such as `7`",
            Self::Quota { .. } => "use a number of requests per hour such as `10000/h`, or `none`",
            Self::Concurrency { .. } => return Some(format!("use a number from 1 to {MOST_CONCURRENT}")),
            Self::KeyFile { .. } => "use a file that this user can read and that contains only the key",
            Self::Key { .. } => "copy the whole key from Settings > API Keys again",
            Self::KeyTwice { .. } => "keep one of them",
            Self::KeyStore { .. } => "store the key there, or set BLUETALLY_API_KEY",
            Self::KeyOfAnotherUrl(foreign) => return Some(foreign.hint()),
            Self::KeyMissing => {
                "set BLUETALLY_API_KEY, pass `--api-key-file FILE`, or put `api_key_file` into a profile of config.toml; \
                 the key comes from Settings > API Keys. To try it without an account, add `--sandbox`"
            }
            Self::StateDir(folder) => return folder.hint(),
            Self::NoHome => "set TALLYPORT_HOME to a folder this user can write to",
        };
        Some(hint.to_owned())
    }
}
