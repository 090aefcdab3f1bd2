//! The account that a run changes.

use std::fmt;
use std::path::PathBuf;

/// How to reach an account again, apart from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRef {
    Service {
        /// Without user name, password or query.
        base_url: String,
        tenant: Option<i64>,
        /// The profile whose key was used.
        profile: Option<String>,
    },
    /// The embedded sandbox with its data in a file.
    SandboxFile { path: PathBuf, tenant: Option<i64> },
    /// An embedded sandbox in memory, gone with its process: such a run cannot be resumed.
    SandboxMemory,
}

impl AccountRef {
    pub fn tenant(&self) -> Option<i64> {
        match self {
            AccountRef::Service { tenant, .. } | AccountRef::SandboxFile { tenant, .. } => *tenant,
            AccountRef::SandboxMemory => None,
        }
    }

    /// Whether both are the same account, whichever profile names it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.stored() == other.stored() && self.tenant() == other.tenant()
    }

    /// The stored form: kind and place.
    pub(super) fn stored(&self) -> (&'static str, String) {
        match self {
            AccountRef::Service { base_url, .. } => ("service", base_url.clone()),
            AccountRef::SandboxFile { path, .. } => ("sandbox", path.to_string_lossy().into_owned()),
            AccountRef::SandboxMemory => ("sandbox", String::new()),
        }
    }

    pub(super) fn from_stored(kind: &str, place: String, tenant: Option<i64>, profile: Option<String>) -> Self {
        match (kind, place.is_empty()) {
            ("service", _) => AccountRef::Service { base_url: place, tenant, profile },
            (_, true) => AccountRef::SandboxMemory,
            (_, false) => AccountRef::SandboxFile { path: PathBuf::from(place), tenant },
        }
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountRef::Service { base_url, .. } => formatter.write_str(base_url)?,
            AccountRef::SandboxFile { path, .. } => write!(formatter, "the sandbox {}", path.display())?,
            AccountRef::SandboxMemory => formatter.write_str("a sandbox in memory")?,
        }
        match self.tenant() {
            Some(tenant) => write!(formatter, ", tenant {tenant}"),
            None => Ok(()),
        }
    }
}
