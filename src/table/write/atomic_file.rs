//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::WriteError;

/// A file that is written under a temporary name in its folder and renamed at the end.
///
/// Dropped before [`AtomicFile::commit`], it is removed, and a file that was at its path stays as it is.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl AtomicFile {
    /// Creates the temporary file for `path`. What would make [`AtomicFile::commit`] fail fails here, before the work.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let path = behind_link(path);
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(WriteError::FolderMissing { folder: folder.to_owned(), path });
        }
        try_target(&path)?;
        let file = temporary(&path, folder).map_err(|error| WriteError::from_io(&path, error))?;
        Ok(Self { path, file })
    }

    /// The path that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the file: `.` if the path names none.
    pub fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// The open file, for writers that need to seek.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Syncs the file to disk under its temporary name and checks its destination again, so that the rename of
    /// [`AtomicFile::commit`] is unlikely to fail.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        let durable = self.file.flush().and_then(|()| self.file.as_file().sync_all());
        durable.map_err(|error| WriteError::from_io(&self.path, error))?;
        try_target(&self.path)
    }

    /// Syncs the file to disk and renames it to its path.
    pub fn commit(self) -> Result<PathBuf, WriteError> {
        let path = self.path.clone();
        self.persist(&path).map_err(|refused| refused.error)
    }

    /// As [`AtomicFile::commit`]; where the place is taken by a file that another program holds open, the file
    /// stands beside it as `name (2).xlsx`. Gives back where it stands.
    pub fn commit_or_numbered(self) -> Result<PathBuf, WriteError> {
        let path = self.path.clone();
        let mut refused = match self.persist(&path) {
            Ok(path) => return Ok(path),
            Err(refused) => *refused,
        };
        let mut number = 2;
        while let (Some(whole), true) = (refused.whole.take(), refused.error.is_about_the_name() && number < 10) {
            match whole.persist(&numbered(&path, number)) {
                Ok(path) => return Ok(path),
                Err(again) => refused.whole = again.whole,
            }
            number += 1;
        }
        Err(refused.error)
    }

    /// Renames to `path`, or gives the file back with the reason.
    fn persist(mut self, path: &Path) -> Result<PathBuf, Box<FailedRename>> {
        let durable = self.file.flush().and_then(|()| self.file.as_file().sync_all());
        if let Err(error) = durable {
            return Err(Box::new(FailedRename { error: WriteError::from_io(path, error), whole: None }));
        }
        match self.file.persist(path) {
            Ok(_) => {
                sync_folder(folder_of(path));
                Ok(path.to_owned())
            }
            Err(refused) => {
                let error = WriteError::from_io(path, refused.error);
                Err(Box::new(FailedRename { error, whole: Some(Self { path: self.path, file: refused.file }) }))
            }
        }
    }
}

/// A rename that failed, and the file that still has its temporary name.
struct FailedRename {
    error: WriteError,
    /// None if the file itself is incomplete.
    whole: Option<AtomicFile>,
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Follows a symbolic link: a rename would replace the link instead of the file it points to.
fn behind_link(path: &Path) -> PathBuf {
    if path.is_symlink() { fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()) } else { path.to_owned() }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Checks that a file at `path` may be replaced: it is not a folder, not write-protected, not open in Excel.
fn try_target(path: &Path) -> Result<(), WriteError> {
    if path.is_dir() {
        return Err(WriteError::IsFolder { path: path.to_owned() });
    }
    if !path.exists() {
        return Ok(());
    }
    OpenOptions::new().append(true).open(path).map(drop).map_err(|error| WriteError::from_io(path, error))
}

/// The name begins with a dot and the target's name, so that a leftover is hidden and shows where it came from.
fn temporary(path: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let prefix = format!(".{}.", stem.chars().take(40).collect::<String>());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    // Temporary files are private by default; this one becomes an ordinary file that colleagues may read.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder)
}

/// `assets.result (2).xlsx` for `assets.result.xlsx`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem} ({number}){extension}"))
}

/// Makes the rename itself durable. Only Unix can open a folder; elsewhere the system sees to it.
pub(super) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_dropped_halfway_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.csv");
        fs::write(&path, "old").unwrap();
        let mut whole = AtomicFile::create(&path).unwrap();
        whole.write_all(b"half").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        drop(whole);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["result.csv"]);
    }

    #[test]
    fn a_committed_file_replaces_the_old_one_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.csv");
        fs::write(&path, "old").unwrap();
        let mut whole = AtomicFile::create(&path).unwrap();
        whole.write_all(b"new").unwrap();
        assert_eq!(whole.commit().unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["result.csv"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_are_told_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let missing = AtomicFile::create(&folder.path().join("no/result.csv")).unwrap_err();
        assert!(matches!(missing, WriteError::FolderMissing { .. }), "{missing}");
        let taken = AtomicFile::create(folder.path()).unwrap_err();
        assert!(matches!(taken, WriteError::IsFolder { .. }), "{taken}");
    }

    #[test]
    fn a_place_taken_meanwhile_does_not_lose_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.result.xlsx");
        let mut whole = AtomicFile::create(&path).unwrap();
        whole.write_all(b"new").unwrap();
        // A folder with something in it cannot be replaced on any system, as an open file cannot on Windows.
        fs::create_dir_all(path.join("taken")).unwrap();
        let stands = whole.commit_or_numbered().unwrap();
        assert_eq!(stands, folder.path().join("assets.result (2).xlsx"));
        assert_eq!(fs::read_to_string(stands).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_an_ordinary_one_and_links_are_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real.csv");
        fs::write(&path, "old").unwrap();
        let ordinary = fs::metadata(&path).unwrap().permissions().mode();
        let link = folder.path().join("link.csv");
        symlink(&path, &link).unwrap();
        let mut whole = AtomicFile::create(&link).unwrap();
        whole.write_all(b"new").unwrap();
        whole.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), ordinary);
    }
}
