//! Whose records a run changes.

use std::fmt;
use std::path::PathBuf;

/// An account: enough to reach it again, but for the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    Service {
        /// Without a password or the like.
        base_url: String,
        tenant: Option<i64>,
        /// The profile whose key was used.
        profile: Option<String>,
    },
    /// The embedded sandbox, kept in that file.
    SandboxFile { path: PathBuf, tenant: Option<i64> },
    /// An embedded sandbox that was gone with its process: such a run is over.
    SandboxMemory,
}

impl Account {
    pub fn tenant(&self) -> Option<i64> {
        match self {
            Account::Service { tenant, .. } | Account::SandboxFile { tenant, .. } => *tenant,
            Account::SandboxMemory => None,
        }
    }

    /// Whether both are one account, whatever profile names it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.stored() == other.stored() && self.tenant() == other.tenant()
    }

    /// The form it has on disk: kind and place.
    pub(super) fn stored(&self) -> (&'static str, String) {
        match self {
            Account::Service { base_url, .. } => ("service", base_url.clone()),
            Account::SandboxFile { path, .. } => ("sandbox", path.to_string_lossy().into_owned()),
            Account::SandboxMemory => ("sandbox", String::new()),
        }
    }

    pub(super) fn from_stored(kind: &str, place: String, tenant: Option<i64>, profile: Option<String>) -> Self {
        match (kind, place.is_empty()) {
            ("service", _) => Account::Service { base_url: place, tenant, profile },
            (_, true) => Account::SandboxMemory,
            (_, false) => Account::SandboxFile { path: PathBuf::from(place), tenant },
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Service { base_url, .. } => formatter.write_str(base_url)?,
            Account::SandboxFile { path, .. } => write!(formatter, "the sandbox {}", path.display())?,
            Account::SandboxMemory => formatter.write_str("a sandbox in memory")?,
        }
        match self.tenant() {
            Some(tenant) => write!(formatter, ", tenant {tenant}"),
            None => Ok(()),
        }
    }
}
