use std::fmt;
use std::path::PathBuf;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(&'static str),
    /// By the profile's name.
    Profile(String),
    /// A file that a profile names.
    ProfileFile {
        profile: String,
        path: PathBuf,
    },
    KeyStore {
        service: String,
        user: String,
    },
    /// The embedded sandbox's own.
    Sandbox,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Variable(name) => write!(formatter, "from {name}"),
            Origin::Profile(name) => write!(formatter, "from profile `{name}`"),
            Origin::ProfileFile { profile, path } => {
                write!(formatter, "from `{}`, profile `{profile}`", path.display())
            }
            Origin::KeyStore { service, user } => {
                write!(formatter, "from the system's key store, service `{service}`, user `{user}`")
            }
            Origin::Sandbox => formatter.write_str("of the sandbox"),
            Origin::Default => formatter.write_str("by default"),
        }
    }
}

/// A setting and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WithOrigin<T> {
    pub value: T,
    pub origin: Origin,
}

impl<T> WithOrigin<T> {
    pub(super) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
