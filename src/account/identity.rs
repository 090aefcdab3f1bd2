//! The account that a run changes.

use std::fmt;
use std::path::{Path, PathBuf};

use super::is_same_base_url;
use crate::paths::{plain_path, real_path};
use crate::redact::shown_url;

/// How to reach an account again, apart from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountIdentity {
    Service {
        /// Without user name, password or query. In a journal of an earlier version, spelled as it was typed.
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
    /// The sandbox in a file, by the one path that the file has: `../p.db` and `p.db` may be the same.
    pub(super) fn sandbox_file(path: &Path, tenant: Option<i64>) -> Self {
        AccountIdentity::SandboxFile { path: one_path(path), tenant }
    }

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

    /// Whether both are the same account, whichever profile names it and however its base URL is spelled.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same_place = match (self, other) {
            // Earlier versions kept the path as it was typed.
            (AccountIdentity::SandboxFile { path, .. }, AccountIdentity::SandboxFile { path: other, .. }) => {
                path == other || one_path(path) == one_path(other)
            }
            (Self::Service { base_url: one, .. }, Self::Service { base_url: other, .. }) => {
                is_same_base_url(one, other)
            }
            _ => self.stored() == other.stored(),
        };
        is_same_place && self.tenant() == other.tenant()
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

/// The absolute path without `..` and links, also of a file that is yet to be made.
fn one_path(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    plain_path(real_path(path).unwrap_or_else(absolute))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_sandbox_file_is_the_same_by_every_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let (direct, around) = (folder.path().join("p.db"), folder.path().join("sub/../p.db"));
        let by = |path: &Path| AccountIdentity::sandbox_file(path, None);
        // Before the file is there, and once it is.
        assert_eq!(by(&direct).stored(), by(&around).stored());
        std::fs::write(&direct, "").unwrap();
        assert_eq!(by(&direct).stored(), by(&around).stored());
        let typed = AccountIdentity::SandboxFile { path: around, tenant: None };
        assert!(typed.is_same(&by(&direct)) && by(&direct).is_same(&typed), "of a journal from before");
        assert!(!typed.is_same(&by(&folder.path().join("q.db"))));
        assert!(!typed.is_same(&AccountIdentity::sandbox_file(&direct, Some(1))));
    }
}
