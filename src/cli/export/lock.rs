//! One export of a name at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::Error;

/// Held as long as an export of that name is at work; released by dropping it, and by the system after a crash.
#[derive(Debug)]
pub(super) struct NameLock {
    _file: File,
}

impl NameLock {
    /// # Errors
    /// Another process that exports under this name, and a state folder that cannot be used.
    pub(super) fn take(state: &Path, name: &str) -> Result<Self, Error> {
        let folder = state.join("exports");
        let told = |error: std::io::Error| {
            Error::usage(
                format!("the lock of the export `{name}` cannot be made in `{}`: {error}", folder.display()),
                "make the folder writable, or set TALLYPORT_HOME to another",
            )
        };
        fs::create_dir_all(&folder).map_err(told)?;
        let word: String =
            name.chars().map(|char| if char.is_alphanumeric() || char == '-' { char } else { '_' }).collect();
        let path = folder.join(format!("{word}.lock"));
        // Windows locks no file that is open for appending alone.
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(told)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::usage(
                format!("another export of the name `{name}` is at work"),
                "wait for its end; nothing was read or written",
            )),
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }
}
