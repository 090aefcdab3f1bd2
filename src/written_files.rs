//! Which files tallyport has written on this machine, so that it does not overwrite anybody else's.
//!
//! A list in the state folder: a JSON line per file, with its path and a digest of its content. A file that is on the
//! list, with the content it was written with, may be replaced. Any other file may hold somebody's work.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::Diagnostic;
use crate::state_file::{self, LockFile};

/// The name of the list in the state folder.
const LIST: &str = "written-files.jsonl";

/// Whether existing files may be replaced that tallyport did not write, or that were edited since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    #[default]
    OwnFiles,
    AnyFile,
}

/// A file that must not be replaced. Nothing was read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OverwriteError {
    #[error("`{}` exists already, and tallyport did not write it", path.display())]
    Foreign { path: PathBuf },
    #[error("`{}` was edited since tallyport wrote it", path.display())]
    Edited { path: PathBuf },
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl Diagnostic for OverwriteError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Foreign { .. } | Self::Edited { .. } => {
                String::from("name another file, or pass --force to replace this one")
            }
            Self::Unreadable { .. } => String::from("make it readable, or name another file"),
        })
    }
}

/// The list of written files.
#[derive(Debug, Clone)]
pub(crate) struct WrittenFiles {
    list: PathBuf,
}

/// One line of the list.
#[derive(Debug, Serialize, Deserialize)]
struct FileRecord {
    path: PathBuf,
    sha256: String,
    /// Whether it is the result of a dry run or a check: nothing was done that it would tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_rehearsal: bool,
}

impl WrittenFiles {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { list: state_dir.join(LIST) }
    }

    /// Finds out whether these paths may be written. An empty file holds nobody's work, and what is no regular file is
    /// not replaced.
    pub(crate) fn check(&self, paths: &[PathBuf], overwrite: Overwrite) -> Result<(), OverwriteError> {
        if overwrite == Overwrite::AnyFile {
            return Ok(());
        }
        let known = self.read();
        for path in paths {
            let is_filled = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
            let Some(real) = is_filled.then(|| fs::canonicalize(path).ok()).flatten() else { continue };
            let Some(written) = known.get(&real) else { return Err(OverwriteError::Foreign { path: path.clone() }) };
            let unreadable = |source| OverwriteError::Unreadable { path: path.clone(), source };
            if digest(&real).map_err(unreadable)? != written.sha256 {
                return Err(OverwriteError::Edited { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Adds files that were just written. A list that cannot be kept costs a `--force` later, and nothing else.
    pub(crate) fn record(&self, paths: &[PathBuf]) {
        self.record_as(paths, false);
    }

    /// As [`WrittenFiles::record`], for the result of a dry run or a check.
    pub(crate) fn record_rehearsal(&self, path: &Path) {
        self.record_as(&[path.to_path_buf()], true);
    }

    /// Whether a file is the result of a dry run or a check, as it was written.
    pub(crate) fn is_rehearsal(&self, path: &Path) -> bool {
        self.known().unedited(path).is_some_and(|written| written.is_rehearsal)
    }

    /// The list as it is now, to ask about many files.
    pub(crate) fn known(&self) -> KnownFiles {
        KnownFiles(self.read())
    }

    fn record_as(&self, paths: &[PathBuf], is_rehearsal: bool) {
        if let Err(error) = self.try_record(paths, is_rehearsal) {
            tracing::debug!(list = %self.list.display(), %error, "cannot record which files were written");
        }
    }

    fn try_record(&self, paths: &[PathBuf], is_rehearsal: bool) -> io::Result<()> {
        let files: Vec<_> = paths.iter().filter(|path| path.is_file()).collect();
        if files.is_empty() {
            return Ok(());
        }
        state_file::create_folder_of(&self.list)?;
        let lock = LockFile::of(&self.list)?;
        lock.lock()?;
        let mut known = self.read();
        known.retain(|path, _| path.exists());
        for path in files {
            let (path, sha256) = (fs::canonicalize(path)?, digest(path)?);
            known.insert(path.clone(), FileRecord { path, sha256, is_rehearsal });
        }
        let folder = self.list.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        for record in known.into_values() {
            serde_json::to_writer(&mut file, &record)?;
            file.write_all(b"\n")?;
        }
        file.persist(&self.list).map(drop).map_err(|error| error.error)
    }

    /// The files by path. A list that cannot be read is empty: then nothing is overwritten.
    fn read(&self) -> BTreeMap<PathBuf, FileRecord> {
        let text = fs::read_to_string(&self.list).unwrap_or_default();
        let files = text.lines().filter_map(|line| serde_json::from_str::<FileRecord>(line).ok());
        files.map(|file| (file.path.clone(), file)).collect()
    }
}

/// The files on the list.
#[derive(Debug, Default)]
pub(crate) struct KnownFiles(BTreeMap<PathBuf, FileRecord>);

impl KnownFiles {
    /// Whether tallyport wrote the file, and it has the content that it was written with.
    pub(crate) fn is_unedited(&self, path: &Path) -> bool {
        self.unedited(path).is_some()
    }

    fn unedited(&self, path: &Path) -> Option<&FileRecord> {
        let real = fs::canonicalize(path).ok()?;
        let written = self.0.get(&real)?;
        digest(&real).is_ok_and(|digest| digest == written.sha256).then_some(written)
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => context.update(&buffer[..read]),
        }
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_unedited_files_of_tallyport_are_overwritten() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = WrittenFiles::new(&state.path().join("state"));
        let path = folder.path().join("inventory.csv");
        let check = |overwrite| files.check(std::slice::from_ref(&path), overwrite);
        check(Overwrite::OwnFiles).unwrap();
        fs::write(&path, "").unwrap();
        check(Overwrite::OwnFiles).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(matches!(check(Overwrite::OwnFiles), Err(OverwriteError::Foreign { .. })));
        check(Overwrite::AnyFile).unwrap();
        files.record(std::slice::from_ref(&path));
        check(Overwrite::OwnFiles).unwrap();
        fs::write(&path, "Mine").unwrap();
        assert!(matches!(check(Overwrite::OwnFiles), Err(OverwriteError::Edited { .. })));
    }

    #[test]
    fn files_that_are_gone_leave_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let [one, two] = ["one.csv", "two.csv"].map(|name| folder.path().join(name));
        for path in [&one, &two] {
            fs::write(path, "x").unwrap();
            files.record(std::slice::from_ref(path));
        }
        fs::remove_file(&one).unwrap();
        files.record(std::slice::from_ref(&two));
        assert_eq!(files.read().len(), 1);
    }

    #[test]
    fn only_the_result_of_a_rehearsal_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let path = folder.path().join("assets.result.xlsx");
        assert!(!files.is_rehearsal(&path), "no file");
        fs::write(&path, "x").unwrap();
        assert!(!files.is_rehearsal(&path), "somebody else's");
        files.record_rehearsal(&path);
        assert!(files.is_rehearsal(&path));
        fs::write(&path, "edited").unwrap();
        assert!(!files.is_rehearsal(&path));
        files.record(std::slice::from_ref(&path));
        assert!(!files.is_rehearsal(&path), "of a run");
    }
}
