//! Several files that appear together or not at all.
//!
//! Every file is first written in full under a temporary name and synced to disk, so that all that is left to do is to
//! rename them. If one rename fails, those before it are rolled back: files that were replaced come back, files that
//! are new are removed. A power failure, or a process that is killed, between two renames is the one thing this cannot
//! cover; every single file is still either the old one or the new one. The next run that writes these files removes
//! what is left of the old ones.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::atomic_file::{AtomicFile, PREVIOUS, hidden_prefix, sync_folder};
use super::error::WriteError;
use crate::temporary_file;

/// Written files that wait to be put in place as one.
#[derive(Debug, Default)]
pub(crate) struct FileSet {
    files: Vec<AtomicFile>,
}

impl FileSet {
    /// Adds a file that has been written in full.
    pub(crate) fn add(&mut self, file: AtomicFile) {
        self.files.push(file);
    }

    /// The files so far, in the order in which they will appear.
    pub(crate) fn files(&self) -> &[AtomicFile] {
        &self.files
    }

    /// Puts all files in place, in order, and returns their paths.
    ///
    /// # Errors
    /// The first file that cannot be put in place. None of the files has changed then.
    pub(crate) fn commit(mut self) -> Result<Vec<PathBuf>, WriteError> {
        for file in &mut self.files {
            file.sync()?;
        }
        self.rename_all()
    }

    fn rename_all(self) -> Result<Vec<PathBuf>, WriteError> {
        // If the last rename fails, that file has not changed: only the others need a backup.
        let others = self.files.len().saturating_sub(1);
        let backups = self.files.iter().take(others).map(Backup::create).collect::<Result<Vec<_>, _>>()?;
        let mut backups = backups.into_iter();
        let mut paths = Vec::with_capacity(self.files.len());
        let mut replaced = Vec::with_capacity(others);
        for file in self.files {
            match file.commit() {
                Ok(path) => paths.push(path),
                Err(error) => {
                    replaced.into_iter().rev().for_each(Backup::restore);
                    return Err(error);
                }
            }
            replaced.extend(backups.next());
        }
        Ok(paths)
    }
}

/// What was at a file's path before it was replaced.
#[derive(Debug)]
struct Backup {
    path: PathBuf,
    previous: Previous,
}

#[derive(Debug)]
enum Previous {
    None,
    /// A second name of the previous file, removed on drop, and the file, locked until then.
    File {
        name: TempPath,
        _locked: Option<File>,
    },
    /// A device or pipe, which what was written into cannot be taken back from.
    Special,
}

impl Backup {
    fn create(file: &AtomicFile) -> Result<Self, WriteError> {
        let path = file.path();
        let previous = if !file.is_replacing() {
            Previous::Special
        } else if path.is_file() {
            let linked = link_beside(path, file.folder()).map_err(|error| WriteError::from_io(path, error))?;
            let (_locked, name) = linked.into_parts();
            Previous::File { name, _locked }
        } else {
            Previous::None
        };
        Ok(Self { path: path.to_owned(), previous })
    }

    /// Undoes the rename. The caller reports the error that led here, so a failure to restore is only logged.
    fn restore(self) {
        let Self { path, previous } = self;
        let restored = match previous {
            Previous::Special => return,
            Previous::None => fs::remove_file(&path),
            Previous::File { name, .. } => temporary_file::put_in_place(name, &path).map_err(|failed| {
                // The previous file is more important than a tidy folder.
                let _ = failed.path.keep();
                failed.error
            }),
        };
        match restored {
            Ok(()) => path.parent().into_iter().for_each(sync_folder),
            Err(error) => tracing::warn!(path = %path.display(), %error, "could not restore the previous file"),
        }
    }
}

/// Gives the file at `path` a second, temporary name in the same folder. A file system without hard links copies. The file
/// is locked before it has that name: one that nobody has locked is a leftover.
fn link_beside(path: &Path, folder: &Path) -> io::Result<NamedTempFile<Option<File>>> {
    let link = |name: &Path| {
        let file = File::open(path)?;
        lock(&file);
        match fs::hard_link(path, name) {
            Ok(()) => Ok(keep_open(file)),
            // Another name is tried then.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) => copy(&file, name).map(keep_open),
        }
    };
    tempfile::Builder::new().prefix(&hidden_prefix(path)).suffix(PREVIOUS).make_in(folder, link)
}

fn copy(mut file: &File, name: &Path) -> io::Result<File> {
    let mut copy = File::create_new(name)?;
    lock(&copy);
    io::copy(&mut file, &mut copy)?;
    copy.set_permissions(file.metadata()?.permissions())?;
    Ok(copy)
}

/// The file, for its lock. On Windows a file that is open could not be replaced, and nobody removes leftovers.
fn keep_open(file: File) -> Option<File> {
    cfg!(unix).then_some(file)
}

/// Shared, as two runs may replace the same file.
fn lock(file: &File) {
    if cfg!(unix)
        && let Err(error) = file.try_lock_shared()
    {
        tracing::debug!(%error, "cannot lock the file that is replaced");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::io::Write;

    use super::*;
    use crate::written_files::WrittenFiles;

    fn set(folder: &Path, names: &[&str]) -> FileSet {
        let mut set = FileSet::default();
        for name in names {
            let mut file = AtomicFile::create(&folder.join(name)).unwrap();
            file.write_all(b"new").unwrap();
            set.add(file);
        }
        set
    }

    /// Names and contents, sorted; a folder has no content.
    fn contents(folder: &Path) -> Vec<(String, Option<String>)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut contents: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).ok()))
            .collect();
        contents.sort();
        contents
    }

    fn file(name: &str, content: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(content.to_owned()))
    }

    #[test]
    fn all_files_appear() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let paths = set(folder.path(), &["a", "b"]).commit().unwrap();
        assert_eq!(paths, [folder.path().join("a"), folder.path().join("b")]);
        assert_eq!(contents(folder.path()), [file("a", "new"), file("b", "new")]);
    }

    #[test]
    fn a_destination_that_became_a_folder_is_found_before_anything_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let set = set(folder.path(), &["a", "b"]);
        fs::create_dir_all(folder.path().join("b/not-empty")).unwrap();
        let error = set.commit().unwrap_err();
        assert!(matches!(error, WriteError::IsFolder { .. }), "{error}");
        assert_eq!(contents(folder.path()), [file("a", "old"), (String::from("b"), None)]);
    }

    #[test]
    fn a_file_that_came_meanwhile_is_found_before_anything_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let list = WrittenFiles::new(&folder.path().join("state"));
        fs::write(folder.path().join("a"), "old").unwrap();
        list.record(&[folder.path().join("a")]);
        let mut set = set(folder.path(), &["a", "b"]);
        set.files = set.files.into_iter().map(|file| file.listed_in(Some(&list))).collect();
        fs::write(folder.path().join("b"), "mine").unwrap();
        let error = set.commit().unwrap_err();
        assert!(matches!(error, WriteError::Taken(_)), "{error}");
        assert_eq!(contents(folder.path())[..2], [file("a", "old"), file("b", "mine")]);
    }

    #[test]
    fn a_rename_that_fails_rolls_back_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let mut set = set(folder.path(), &["a", "fresh", "b", "later"]);
        set.files.iter_mut().for_each(|file| file.sync().unwrap());
        // After the last check: only the rename itself can notice. A folder that is not empty cannot be replaced.
        fs::create_dir_all(folder.path().join("b/not-empty")).unwrap();
        set.rename_all().unwrap_err();
        assert_eq!(contents(folder.path()), [file("a", "old"), (String::from("b"), None)]);
    }

    #[cfg(unix)]
    #[test]
    fn second_names_are_kept_while_they_are_needed_and_removed_by_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let set = set(folder.path(), &["a"]);
        let backup = Backup::create(&set.files()[0]).unwrap();
        let previous = || contents(folder.path()).into_iter().filter(|(name, _)| name.ends_with(PREVIOUS)).count();
        let next = || drop(AtomicFile::create(&folder.path().join("a")).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(200));
        next();
        assert_eq!(previous(), 1, "at work");
        // As if the process was killed: the lock is gone, and the name is not.
        let Previous::File { name, _locked } = backup.previous else { panic!("no previous file") };
        name.keep().unwrap();
        drop((set, _locked));
        next();
        assert_eq!(contents(folder.path()), [file("a", "old")]);
    }

    #[test]
    fn a_set_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        drop(set(folder.path(), &["a", "b"]));
        assert_eq!(contents(folder.path()), [file("a", "old")]);
    }
}
