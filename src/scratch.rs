//! Folders for temporary files that have names: closed to other users, and gone at the end.
//!
//! They hold a company's inventory for a while, so nobody else on the machine may read them. A process that is killed
//! leaves its folder behind; the next one removes it. Each folder has a lock file that is locked as long as its process
//! lives: that tells a leftover from the folder of another run.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::state_file::{LockFile, lock_path};

/// The variable that names the system's folder for temporary files.
pub(crate) const VARIABLE: &str = if cfg!(windows) { "TMP" } else { "TMPDIR" };
/// What the names of the folders begin with, in the system's folder for temporary files.
const PREFIX: &str = "tallyport-";
/// The lock file in a folder, without its extension.
const LOCK: &str = "folder";
/// Folders to create before giving up: another process may remove one before it is locked.
const ATTEMPTS: u32 = 10;

/// A folder for temporary files, deleted on drop.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    folder: TempDir,
    /// Held as long as the folder is in use.
    _lock: LockFile,
}

impl ScratchFolder {
    /// Creates a folder, and removes those that killed processes of this user left.
    pub(crate) fn create() -> io::Result<Self> {
        Self::create_in(&std::env::temp_dir())
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        for _ in 0..ATTEMPTS {
            let folder = builder.tempdir_in(parent).map_err(|error| without_path(&error))?;
            if let Some(lock) = lock(folder.path())? {
                remove_leftovers(parent, folder.path());
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The library's error repeats the path, which messages have named already.
pub(crate) fn without_path(error: &io::Error) -> io::Error {
    let cause = match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder",
        io::ErrorKind::NotADirectory => "it is not a folder",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::ReadOnlyFilesystem => "it is read-only",
        kind => return kind.into(),
    };
    io::Error::new(error.kind(), cause)
}

/// Locks a new folder. None if another process took it for a leftover, in the moment before it was locked.
fn lock(folder: &Path) -> io::Result<Option<LockFile>> {
    let path = folder.join(LOCK);
    let lock = match LockFile::of(&path) {
        Ok(lock) if lock.try_lock()? => lock,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(None),
    };
    Ok(lock_path(&path).is_file().then_some(lock))
}

/// Removes the folders of processes that are gone. What cannot be removed is the next one's to remove.
fn remove_leftovers(parent: &Path, own: &Path) {
    let (Ok(entries), Ok(own_facts)) = (fs::read_dir(parent), fs::symlink_metadata(own)) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_named_so = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_named_so || path == own {
            continue;
        }
        let Ok(facts) = fs::symlink_metadata(&path) else { continue };
        if !facts.is_dir() || !has_same_owner(&facts, &own_facts) {
            continue;
        }
        // Held while the folder is removed, so that its process cannot lock it in between.
        if let Some(_lock) = lock_abandoned(&path) {
            let removed = fs::remove_dir_all(&path);
            tracing::debug!(folder = %path.display(), ?removed, "removed what a killed run left");
        }
    }
}

/// The lock of a folder that no process holds. A folder without a lock file was not made here, or is just being made.
fn lock_abandoned(folder: &Path) -> Option<LockFile> {
    let path = folder.join(LOCK);
    if !lock_path(&path).is_file() {
        return None;
    }
    LockFile::of(&path).ok().filter(|lock| lock.try_lock().unwrap_or(false))
}

#[cfg(unix)]
fn has_same_owner(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.uid() == other.uid()
}

/// Each user has a folder for temporary files of their own.
#[cfg(not(unix))]
fn has_same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn leftovers_are_removed_and_folders_in_use_stay() {
        let parent = tempfile::tempdir().unwrap();
        let used = ScratchFolder::create_in(parent.path()).unwrap();
        fs::write(used.path().join("data"), "x").unwrap();
        // As a killed process leaves it: with a lock file that nobody holds.
        let leftover = parent.path().join("tallyport-killed");
        fs::create_dir(&leftover).unwrap();
        fs::write(leftover.join("folder.lock"), "").unwrap();
        fs::write(leftover.join("account.sqlite"), "x").unwrap();
        let others = ["tallyport-notes", "other"].map(|name| parent.path().join(name));
        others.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let next = ScratchFolder::create_in(parent.path()).unwrap();
        assert!(!leftover.exists() && used.path().join("data").exists() && next.path().exists());
        assert!(others.iter().all(|folder| folder.exists()));
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn folders_that_are_made_at_once_do_not_take_each_other_for_leftovers() {
        let parent = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for round in 0..50 {
                        let folder = ScratchFolder::create_in(parent.path()).unwrap();
                        fs::write(folder.path().join("data"), "x").unwrap_or_else(|error| panic!("{round}: {error}"));
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_look_into_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let folder = ScratchFolder::create_in(parent.path()).unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
