//! The account that a run changes.

use std::fmt;
use std::path::PathBuf;

use crate::redact::shown_url;

/// How to reach an account again, apart from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountIdentity {
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

impl AccountIdentity {
    pub fn tenant(&self) -> Option<i64> {
        match self {
            AccountIdentity::Service { tenant, .. } | AccountIdentity::SandboxFile { tenant, .. } => *tenant,
            AccountIdentity::SandboxMemory => None,
        }
    }

    /// Whether it is an embedded sandbox.
    pub fn is_sandbox(&self) -> bool {
        !matches!(self, AccountIdentity::Service { .. })
    }

    /// Whether both are the same account, whichever profile names it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.stored() == other.stored() && self.tenant() == other.tenant()
    }

    /// Where the account is, for people: its link, or which sandbox it is. The tenant is apart.
    pub(crate) fn place(&self) -> String {
        match self {
            AccountIdentity::Service { base_url, .. } => shown_url(base_url),
            AccountIdentity::SandboxFile { path, .. } => format!("the sandbox {}", path.display()),
            AccountIdentity::SandboxMemory => String::from("a sandbox in memory"),
        }
    }

    /// The form it has on disk: kind and place.
    pub(crate) fn stored(&self) -> (&'static str, String) {
        match self {
            AccountIdentity::Service { base_url, .. } => ("service", base_url.clone()),
            AccountIdentity::SandboxFile { path, .. } => ("sandbox", path.to_string_lossy().into_owned()),
            AccountIdentity::SandboxMemory => ("sandbox", String::new()),
        }
    }

    /// The account of that form; none for a kind that does not exist.
    pub(crate) fn from_stored(kind: &str, place: String, tenant: Option<i64>, profile: Option<String>) -> Option<Self> {
        match (kind, place.is_empty()) {
            ("service", _) => Some(AccountIdentity::Service { base_url: place, tenant, profile }),
            ("sandbox", true) => Some(AccountIdentity::SandboxMemory),
            ("sandbox", false) => Some(AccountIdentity::SandboxFile { path: PathBuf::from(place), tenant }),
            _ => None,
        }
    }
}

impl fmt::Display for AccountIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place())?;
        match self.tenant() {
            Some(tenant) => write!(formatter, ", tenant {tenant}"),
            None => Ok(()),
        }
    }
}
