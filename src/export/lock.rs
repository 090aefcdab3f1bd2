//! The lock that lets one export of a name run at a time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::error::ExportError;
use crate::account::Account;
use crate::state_file::{self, LockFile};

/// Held while an export of that name runs. Dropping it releases it, and so does the system after a crash.
#[derive(Debug)]
pub(crate) struct ExportLock {
    _file: LockFile,
}

impl ExportLock {
    /// Locks a name for this account, in the state folder of this machine. Tenants and other accounts have exports of
    /// the same name side by side.
    pub(crate) fn acquire(account: &Account, name: &str) -> Result<Self, ExportError> {
        Self::of_account(account.state_dir(), &account.identity().to_string(), name)
    }

    fn of_account(state_dir: &Path, account: &str, name: &str) -> Result<Self, ExportError> {
        let folder = state_dir.join("exports");
        let failed = |source| ExportError::Lock { name: name.to_owned(), folder: folder.clone(), source };
        let is_allowed = |char: char| char.is_alphanumeric() || char == '-';
        let file_name: String = name.chars().map(|char| if is_allowed(char) { char } else { '_' }).collect();
        let mut hasher = DefaultHasher::new();
        (account, name).hash(&mut hasher);
        let file_name = format!("{:.80}-{:016x}", file_name, hasher.finish());
        let place = folder.join(file_name);
        let file = state_file::create_folder_of(&place).and_then(|()| LockFile::of(&place)).map_err(failed)?;
        if file.try_lock().map_err(failed)? {
            Ok(Self { _file: file })
        } else {
            Err(ExportError::AlreadyRunning { name: name.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_locked_until_its_lock_is_dropped() {
        let state = tempfile::tempdir().unwrap();
        let acquire = |account: &str, name: &str| ExportLock::of_account(state.path(), account, name);
        let lock = acquire("tenant 1", "nightly/finance").unwrap();
        let second = acquire("tenant 1", "nightly/finance").unwrap_err();
        assert_eq!(second.to_string(), "another export named `nightly/finance` is running");
        acquire("tenant 1", "weekly").unwrap();
        acquire("tenant 2", "nightly/finance").unwrap();
        acquire("tenant 1", "nightly_finance").unwrap();
        drop(lock);
        acquire("tenant 1", "nightly/finance").unwrap();
    }
}
