//! The lock that lets one export of a name run at a time.

use std::fs;
use std::path::Path;

use super::error::ExportError;
use crate::state_file::LockFile;

/// Held while an export of that name runs. Dropping it releases it, and so does the system after a crash.
#[derive(Debug)]
pub(crate) struct ExportLock {
    _file: LockFile,
}

impl ExportLock {
    /// Locks a name, in the state folder of this machine.
    pub(crate) fn acquire(state_dir: &Path, name: &str) -> Result<Self, ExportError> {
        let folder = state_dir.join("exports");
        let failed = |source| ExportError::Lock { name: name.to_owned(), folder: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(failed)?;
        let is_allowed = |char: char| char.is_alphanumeric() || char == '-';
        let file_name: String = name.chars().map(|char| if is_allowed(char) { char } else { '_' }).collect();
        let file = LockFile::of(&folder.join(file_name)).map_err(failed)?;
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
        let lock = ExportLock::acquire(state.path(), "nightly/finance").unwrap();
        let second = ExportLock::acquire(state.path(), "nightly/finance").unwrap_err();
        assert_eq!(second.to_string(), "another export named `nightly/finance` is running");
        ExportLock::acquire(state.path(), "weekly").unwrap();
        drop(lock);
        ExportLock::acquire(state.path(), "nightly/finance").unwrap();
    }
}
