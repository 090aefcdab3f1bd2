//! Several files that appear together or not at all.
//!
//! Each is written whole under a temporary name first. Renaming them is all that is left then; should one rename fail,
//! those before it are taken back, and what stood there stands there again.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use tempfile::TempDir;

use super::manifest::FileFacts;
use crate::table::write::{AtomicFile, WriteError};

/// Files in the making.
#[derive(Debug, Default)]
pub(super) struct Batch {
    files: Vec<AtomicFile>,
}

impl Batch {
    /// Begins a file that will stand at `path`, and has `write` fill it.
    pub(super) fn add<E>(
        &mut self,
        path: &Path,
        write: impl FnOnce(&mut AtomicFile) -> Result<(), E>,
    ) -> Result<(), super::RegisterError>
    where
        super::RegisterError: From<E>,
    {
        let mut whole = AtomicFile::create(path)?;
        write(&mut whole)?;
        whole.flush().map_err(|error| WriteError::from_io(path, error))?;
        self.files.push(whole);
        Ok(())
    }

    /// Name, size and digest of every file so far.
    pub(super) fn facts(&self) -> Result<Vec<FileFacts>, WriteError> {
        self.files.iter().map(|whole| facts(whole).map_err(|error| WriteError::from_io(whole.path(), error))).collect()
    }

    /// Puts all files in their places, in their order.
    pub(super) fn commit(self) -> Result<Vec<PathBuf>, WriteError> {
        let before = self.files.iter().map(Before::of).collect::<Result<Vec<_>, _>>()?;
        let mut placed: Vec<Placed> = Vec::new();
        for (whole, before) in self.files.into_iter().zip(before) {
            match whole.commit() {
                Ok(path) => placed.push(Placed { path, before }),
                Err(error) => {
                    placed.into_iter().rev().for_each(Placed::take_back);
                    return Err(error);
                }
            }
        }
        Ok(placed.into_iter().map(|placed| placed.path).collect())
    }
}

/// A file in its place, and what stood there.
struct Placed {
    path: PathBuf,
    before: Before,
}

/// What stood at a place.
enum Before {
    Nothing,
    /// A second name for it, in a folder that is gone with this.
    File {
        copy: PathBuf,
        _folder: TempDir,
    },
}

impl Before {
    fn of(whole: &AtomicFile) -> Result<Self, WriteError> {
        let path = whole.path();
        if !path.is_file() {
            return Ok(Self::Nothing);
        }
        let folder = tempfile::Builder::new().prefix(".tallyport.").tempdir_in(whole.folder());
        let kept = folder.and_then(|folder| {
            let copy = folder.path().join("before");
            // A file system without hard links can still copy.
            fs::hard_link(path, &copy).or_else(|_| fs::copy(path, &copy).map(drop))?;
            Ok(Self::File { copy, _folder: folder })
        });
        kept.map_err(|error| WriteError::from_io(path, error))
    }
}

impl Placed {
    /// As far as it can be done: the error that led here is the one to tell.
    fn take_back(self) {
        let _ = match &self.before {
            Before::Nothing => fs::remove_file(&self.path),
            Before::File { copy, .. } => fs::rename(copy, &self.path),
        };
    }
}

fn facts(whole: &AtomicFile) -> io::Result<FileFacts> {
    let mut file: &File = whole.as_file();
    file.seek(SeekFrom::Start(0))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
        bytes += read as u64;
    }
    let sha256 = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = whole.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(FileFacts { name, bytes, sha256 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn batch(folder: &Path, names: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for name in names {
            let path = folder.join(name);
            batch
                .add(&path, |whole| whole.write_all(b"new").map_err(|error| WriteError::from_io(&path, error)))
                .unwrap();
        }
        batch
    }

    #[test]
    fn files_appear_together_and_their_digests_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let batch = batch(folder.path(), &["a", "b"]);
        let facts = batch.facts().unwrap();
        assert_eq!((&*facts[1].name, facts[1].bytes), ("b", 3));
        // `printf new | sha256sum`
        assert_eq!(facts[0].sha256, "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437");
        assert_eq!(batch.commit().unwrap(), [folder.path().join("a"), folder.path().join("b")]);
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "new");
    }

    #[test]
    fn a_rename_that_fails_takes_the_others_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old"), "old").unwrap();
        let batch = batch(folder.path(), &["fresh", "old", "taken"]);
        // Meanwhile something takes the third place.
        fs::create_dir_all(folder.path().join("taken/by")).unwrap();
        batch.commit().unwrap_err();
        assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap(), "old");
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["old", "taken"]);
    }
}
