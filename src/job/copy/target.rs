//! The file of a copy. It appears whole or not at all, and one process at a time makes it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Diagnostic, ErrorKind};
use crate::paths::{plain_path, real_path};
use crate::sandbox::{CopyBuildError, DataFile, SandboxError};
use crate::scratch::without_path;
use crate::state_file::{self, LockFile};
use crate::temporary_file;
use crate::written_files::Overwrite;

/// Why a copy was not made. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("`{}` exists already", path.display())]
    Exists { path: PathBuf },
    #[error("`{}` is not a file", path.display())]
    NoFile { path: PathBuf },
    /// It is not a sandbox's data file, or a sandbox is using it.
    #[error(transparent)]
    Existing(SandboxError),
    #[error("another copy to `{}` is running", path.display())]
    Running { path: PathBuf },
    #[error("cannot create `{}`: {source}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: CopyBuildError },
    #[error("cannot put the copy in the place of `{}`: {source}", path.display())]
    Publish { path: PathBuf, source: io::Error },
    #[error("cannot lock the copy in `{}`: {source}", folder.display())]
    Lock { folder: PathBuf, source: io::Error },
}

impl Diagnostic for CopyError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exists { .. } => "name another file, or pass --force to replace this sandbox",
            Self::NoFile { .. } => "name a file",
            Self::Existing(error @ SandboxError::InUse { .. }) => return error.hint(),
            Self::Existing(_) => "name another file: only a sandbox's data file is replaced",
            Self::Running { .. } => "wait until it has finished, or name another file",
            Self::Create { .. } => "name a file in a folder that exists and is writable",
            Self::Write { source: CopyBuildError::NoObject { .. }, .. } => return None,
            Self::Write { .. } | Self::Publish { .. } => "make room on the disk, or name another file",
            Self::Lock { .. } => "make the folder writable, or set TALLYPORT_HOME to another folder",
        };
        Some(hint.to_owned())
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { source: CopyBuildError::NoObject { .. }, .. } => ErrorKind::Refused,
            _ => ErrorKind::Usage,
        }
    }
}

/// The file that a copy will be. Dropped before [`CopyTarget::publish`], it leaves everything as it was.
#[derive(Debug)]
pub(super) struct CopyTarget {
    path: PathBuf,
    temporary: NamedTempFile,
    /// The sandbox that is replaced, which nobody can use meanwhile.
    replaced: Option<DataFile>,
    _lock: LockFile,
}

impl CopyTarget {
    /// Finds out whether that file may be written, and begins a temporary one beside it.
    pub(super) fn open(path: &Path, overwrite: Overwrite, state_dir: &Path) -> Result<Self, CopyError> {
        // A link stays a link, to the copy.
        let real = if path.is_symlink() { path.canonicalize().ok() } else { None };
        let path = real.map_or_else(|| path.to_owned(), plain_path);
        let lock = lock(&path, state_dir)?;
        let replaced = open_replaced(&path, overwrite)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = temporary_file::create(tempfile::Builder::new().prefix(".tallyport-copy-"), folder);
        let failed = |error| CopyError::Create { path: path.clone(), source: without_path(&error) };
        let temporary = temporary.map_err(failed)?;
        Ok(Self { path, temporary, replaced, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The empty file to fill.
    pub(super) fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the file its name.
    pub(super) fn publish(self) -> Result<(), CopyError> {
        let Self { path, temporary, replaced, .. } = self;
        let failed = |source| CopyError::Publish { path: path.clone(), source };
        temporary.as_file().sync_all().map_err(failed)?;
        let temporary = temporary.into_temp_path();
        let is_empty = std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == 0);
        if replaced.is_some() || is_empty {
            // Closing it also removes the log beside it, which would be taken for a part of the new file.
            drop(replaced);
            return temporary_file::put_in_place(temporary, &path).map_err(|error| failed(error.error));
        }
        match temporary_file::put_in_free_place(temporary, &path) {
            Ok(()) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CopyError::Exists { path: path.clone() })
            }
            Err(error) => Err(failed(error.error)),
        }
    }
}

/// The sandbox in the place of the copy, if there is one that may be replaced. An empty file is nobody's work.
fn open_replaced(path: &Path, overwrite: Overwrite) -> Result<Option<DataFile>, CopyError> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(None) };
    if !found.is_file() {
        return Err(CopyError::NoFile { path: path.to_owned() });
    }
    match overwrite {
        _ if found.len() == 0 => Ok(None),
        Overwrite::OwnFiles => Err(CopyError::Exists { path: path.to_owned() }),
        Overwrite::AnyFile => DataFile::open(path).map(Some).map_err(CopyError::Existing),
    }
}

/// Lets one process of this machine at a time copy to a file, so that the second one need not read a whole account first.
fn lock(path: &Path, state_dir: &Path) -> Result<LockFile, CopyError> {
    let folder = state_dir.join("copies");
    let mut hasher = DefaultHasher::new();
    real_path(path).unwrap_or_else(|| path.to_owned()).hash(&mut hasher);
    let place = folder.join(format!("{:016x}", hasher.finish()));
    let failed = |source| CopyError::Lock { folder: folder.clone(), source };
    let lock = state_file::create_folder_of(&place).and_then(|()| LockFile::of(&place)).map_err(failed)?;
    if lock.try_lock().map_err(failed)? { Ok(lock) } else { Err(CopyError::Running { path: path.to_owned() }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn path(&self) -> PathBuf {
            self.0.path().join("copy.db")
        }

        fn open(&self, overwrite: Overwrite) -> Result<CopyTarget, CopyError> {
            CopyTarget::open(&self.path(), overwrite, &self.0.path().join("state"))
        }

        fn files(&self) -> Vec<String> {
            let names =
                fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name != "state").collect()
        }
    }

    fn folder() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    #[test]
    fn nothing_is_left_of_a_copy_that_is_given_up() {
        let folder = folder();
        let target = folder.open(Overwrite::OwnFiles).unwrap();
        assert_eq!(folder.files().len(), 1);
        assert!(matches!(folder.open(Overwrite::OwnFiles), Err(CopyError::Running { .. })));
        drop(target);
        assert_eq!(folder.files(), [""; 0]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_stays() {
        let folder = folder();
        let target = folder.open(Overwrite::OwnFiles).unwrap();
        fs::write(folder.path(), "mine").unwrap();
        assert!(matches!(target.publish(), Err(CopyError::Exists { .. })));
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), "mine");
        assert_eq!(folder.files(), ["copy.db"]);
    }

    #[test]
    fn only_sandboxes_are_replaced_and_only_on_request() {
        let folder = folder();
        fs::write(folder.path(), "mine, and long enough to be no database\n".repeat(100)).unwrap();
        assert!(matches!(folder.open(Overwrite::OwnFiles), Err(CopyError::Exists { .. })));
        let refused = folder.open(Overwrite::AnyFile).unwrap_err();
        assert!(matches!(refused, CopyError::Existing(SandboxError::Foreign { .. })), "{refused}");
        fs::remove_file(folder.path()).unwrap();
        drop(DataFile::open(&folder.path()).unwrap());
        assert!(matches!(folder.open(Overwrite::OwnFiles), Err(CopyError::Exists { .. })));
        let target = folder.open(Overwrite::AnyFile).unwrap();
        assert!(matches!(DataFile::open(&folder.path()), Err(SandboxError::InUse { .. })), "it is about to go");
        fs::write(target.temporary(), "new").unwrap();
        target.publish().unwrap();
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), "new");
        assert_eq!(folder.files(), ["copy.db"]);
    }
}
