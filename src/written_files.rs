//! Which files tallyport has written on this machine, so that it does not overwrite anybody else's.
//!
//! A list in the state folder: a JSON line per file, with its path and a digest of its content. A file that is on the
//! list, with the content it was written with, may be replaced. Any other file may hold somebody's work. A file of an
//! export also has its series there: retention deletes older files of the same series, and no others.
//!
//! A file that is about to be renamed to its path is announced first, and confirmed after: a process that is killed in
//! between leaves a file that is known, whether it was renamed or not.
//!
//! No file leaves the list because it cannot be seen: its share may not be mounted tonight, and asking one that hangs would
//! hang every command. What tallyport deletes leaves it, and when it is full, what was written longest ago.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Diagnostic;
use crate::paths::real_path;
use crate::state_file::{self, LockFile};
use crate::temporary_file;

/// The name of the list in the state folder.
const LIST: &str = "written-files.jsonl";

/// How many files are on the list at most: almost three years of sixteen collections every night, in some megabytes.
const MAX_FILES: usize = 16_384;

/// Whether existing files may be replaced that tallyport did not write, or that were edited since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    #[default]
    OwnFiles,
    AnyFile,
}

/// A file that must not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum OverwriteError {
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFiles {
    list: PathBuf,
    /// The series of the files that are put on the list; none for what no export writes.
    series: Option<ExportSeries>,
    overwrite: Overwrite,
}

/// The exports that continue each other: what one of them wrote, a later one may delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportSeries {
    /// The exports of that name.
    Named(String),
    /// Exports without a name, of the same collections to the same path. `{date}` and `{time}` are left in it.
    Unnamed { collections: Vec<String>, output: PathBuf },
}

/// One line of the list. The file that was written last is the last.
#[derive(Debug, Serialize, Deserialize)]
struct FileRecord {
    /// The line that it was read from; greater than any for one that is being added.
    #[serde(skip)]
    line: usize,
    path: PathBuf,
    sha256: String,
    /// From its announcement to its confirmation: the digests of what was written to the path before, and may still be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Vec<String>>,
    /// Whether it is the result of a dry run or a check: nothing was done that it would tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_rehearsal: bool,
    /// Whether a tenant is missing from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_incomplete: bool,
    /// The export that wrote it; none for any other file, and for those that an earlier version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<ExportSeries>,
}

impl FileRecord {
    fn new(path: PathBuf, sha256: String) -> Self {
        Self { line: usize::MAX, path, sha256, before: None, is_rehearsal: false, is_incomplete: false, series: None }
    }

    /// Whether a file with that digest is as it was written.
    fn is_as_written(&self, digest: &str) -> bool {
        self.sha256 == digest || self.before.iter().flatten().any(|before| before == digest)
    }
}

impl WrittenFiles {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { list: state_dir.join(LIST), series: None, overwrite: Overwrite::OwnFiles }
    }

    /// The same list, for a command that may replace these files.
    pub(crate) fn replacing(self, overwrite: Overwrite) -> Self {
        Self { overwrite, ..self }
    }

    /// The same list, for the files of an export of that series.
    pub(crate) fn for_series(&self, series: ExportSeries) -> Self {
        Self { series: Some(series), ..self.clone() }
    }

    /// Finds out whether these paths may be written. An empty file holds nobody's work, and what is no regular file is
    /// not replaced.
    pub(crate) fn check(&self, paths: &[PathBuf]) -> Result<(), OverwriteError> {
        if self.overwrite == Overwrite::AnyFile {
            return Ok(());
        }
        let known = self.read();
        for path in paths {
            let is_filled = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
            let Some(real) = is_filled.then(|| fs::canonicalize(path).ok()).flatten() else { continue };
            let Some(written) = known.get(&real) else { return Err(OverwriteError::Foreign { path: path.clone() }) };
            let unreadable = |source| OverwriteError::Unreadable { path: path.clone(), source };
            if !written.is_as_written(&digest(&real).map_err(unreadable)?) {
                return Err(OverwriteError::Edited { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Puts files that are there on the list.
    #[cfg(test)]
    pub(crate) fn record(&self, paths: &[PathBuf]) {
        for path in paths {
            self.announce(path, path);
            self.confirm(path);
        }
    }

    /// Notes that a file which was just written is the result of a dry run or a check.
    pub(crate) fn mark_rehearsal(&self, path: &Path) {
        self.mark(&[path.to_path_buf()], |record| record.is_rehearsal = true);
    }

    /// Notes that a tenant is missing from files that were just written.
    pub(crate) fn mark_incomplete(&self, paths: &[PathBuf]) {
        self.mark(paths, |record| record.is_incomplete = true);
    }

    /// Whether a file is the result of a dry run or a check, as it was written.
    pub(crate) fn is_rehearsal(&self, path: &Path) -> bool {
        self.known().unedited(path).is_some_and(|written| written.is_rehearsal)
    }

    /// The list as it is now, to ask about many files.
    pub(crate) fn known(&self) -> KnownFiles {
        KnownFiles(self.read())
    }

    /// Announces that `content` is about to be renamed to `path`. A list that cannot be kept costs a `--force` later, and
    /// nothing else.
    pub(crate) fn announce(&self, path: &Path, content: &Path) {
        self.log(resolved(path).and_then(|path| {
            let sha256 = digest(content)?;
            self.change(|known| {
                let before =
                    known.remove(&path).map(|old| old.before.into_iter().flatten().chain([old.sha256]).collect());
                let before = Some(before.unwrap_or_default());
                let series = self.series.clone();
                known.insert(path.clone(), FileRecord { before, series, ..FileRecord::new(path, sha256) });
            })
        }));
    }

    /// Confirms that the file which was [announced](Self::announce) for `path` is there.
    pub(crate) fn confirm(&self, path: &Path) {
        self.mark(&[path.to_path_buf()], |record| record.before = None);
    }

    /// Takes files off the list that tallyport has just deleted, by their real paths.
    pub(crate) fn forget(&self, deleted: &[PathBuf]) {
        if !deleted.is_empty() {
            self.log(self.change(|known| known.retain(|path, _| !deleted.contains(path))));
        }
    }

    fn mark(&self, paths: &[PathBuf], mark: impl Fn(&mut FileRecord)) {
        let paths: Vec<PathBuf> = paths.iter().filter_map(|path| resolved(path).ok()).collect();
        self.log(self.change(|known| {
            for path in &paths {
                if let Some(record) = known.get_mut(path) {
                    mark(record);
                }
            }
        }));
    }

    fn log(&self, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::debug!(list = %self.list.display(), %error, "cannot record which files were written");
        }
    }

    /// Changes the list, which no other process changes meanwhile.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<PathBuf, FileRecord>)) -> io::Result<()> {
        state_file::create_folder_of(&self.list)?;
        let lock = LockFile::of(&self.list)?;
        lock.lock()?;
        let mut known = self.try_read()?;
        change(&mut known);
        let mut records: Vec<FileRecord> = known.into_values().collect();
        records.sort_by_key(|record| record.line);
        let outdated = records.len().saturating_sub(MAX_FILES);
        let folder = self.list.parent().unwrap_or(Path::new("."));
        let mut file = temporary_file::create(&tempfile::Builder::new(), folder)?;
        for record in &records[outdated..] {
            serde_json::to_writer(&mut file, record)?;
            file.write_all(b"\n")?;
        }
        temporary_file::put_in_place(file.into_temp_path(), &self.list).map_err(|refused| refused.error)
    }

    /// The files by path. A list that cannot be read is empty: then nothing is overwritten.
    fn read(&self) -> BTreeMap<PathBuf, FileRecord> {
        self.try_read().unwrap_or_default()
    }

    /// As [`WrittenFiles::read`], for a list that is to be written again. A damaged line costs its own file and no other.
    fn try_read(&self) -> io::Result<BTreeMap<PathBuf, FileRecord>> {
        let bytes = match fs::read(&self.list) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let records = text.lines().enumerate().filter_map(|(line, text)| {
            let record = serde_json::from_str::<FileRecord>(text).ok()?;
            Some((record.path.clone(), FileRecord { line, ..record }))
        });
        Ok(records.collect())
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

    /// Whether an export of that series wrote the file, with the content that it has now.
    pub(crate) fn is_of_series(&self, path: &Path, series: &ExportSeries) -> bool {
        let Ok(real) = fs::canonicalize(path) else { return false };
        let written = self.0.get(&real).filter(|written| written.series.as_ref() == Some(series));
        // Not what was there before: another program's output may have been about to be replaced.
        written.is_some_and(|written| digest(&real).is_ok_and(|digest| written.sha256 == digest))
    }

    /// Whether a tenant is missing from the file.
    pub(crate) fn is_incomplete(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|real| self.0.get(&real).is_some_and(|written| written.is_incomplete))
    }

    fn unedited(&self, path: &Path) -> Option<&FileRecord> {
        let real = fs::canonicalize(path).ok()?;
        let written = self.0.get(&real)?;
        digest(&real).is_ok_and(|digest| written.is_as_written(&digest)).then_some(written)
    }
}

/// The path of a file without links, whether the file is there or not.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    real_path(path).ok_or_else(|| io::ErrorKind::NotFound.into())
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
        let check = |overwrite| files.clone().replacing(overwrite).check(std::slice::from_ref(&path));
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
    fn files_of_a_share_that_was_away_are_still_known() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = WrittenFiles::new(state.path());
        let at = |name: &str| folder.path().join(name);
        let [share, away, on_share, local] = ["share", "away", "share/a.csv", "local.csv"].map(at);
        fs::create_dir(&share).unwrap();
        for path in [&on_share, &local] {
            fs::write(path, "x").unwrap();
            files.record(std::slice::from_ref(path));
        }
        fs::rename(&share, &away).unwrap();
        fs::create_dir(&share).unwrap();
        files.record(std::slice::from_ref(&local));
        fs::remove_dir(&share).unwrap();
        fs::rename(&away, &share).unwrap();
        files.check(&[on_share]).unwrap();
    }

    #[test]
    fn a_full_list_forgets_what_was_written_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let line = |number: usize| format!("{{\"path\":\"/away/{number}\",\"sha256\":\"\"}}\n");
        fs::write(&files.list, (0..MAX_FILES).map(line).collect::<String>()).unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "x").unwrap();
        for _ in 0..2 {
            files.record(std::slice::from_ref(&path));
            files.announce(&path, &path);
            let known = files.read();
            assert_eq!(known.len(), MAX_FILES);
            assert!(!known.contains_key(Path::new("/away/0")) && known.contains_key(Path::new("/away/1")));
            files.check(std::slice::from_ref(&path)).unwrap();
        }
    }

    #[test]
    fn a_damaged_line_costs_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let [one, two] = ["one.csv", "two.csv"].map(|name| folder.path().join(name));
        [&one, &two].iter().for_each(|path| fs::write(path, "x").unwrap());
        files.record(std::slice::from_ref(&one));
        let damaged = [&fs::read(&files.list).unwrap()[..], b"\xff\n{\n"].concat();
        fs::write(&files.list, damaged).unwrap();
        files.record(std::slice::from_ref(&two));
        files.check(&[one, two]).unwrap();
    }

    #[test]
    fn a_list_that_cannot_be_read_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let path = folder.path().join("a.csv");
        fs::write(&path, "x").unwrap();
        fs::create_dir(&files.list).unwrap();
        assert!(files.change(|_| panic!("it is empty only as far as is known")).is_err());
        assert!(files.check(&[path]).is_err());
    }

    #[test]
    fn a_file_is_known_from_before_its_rename() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = WrittenFiles::new(state.path());
        let at = |name: &str| folder.path().join(name);
        let (path, part) = (at("assets.csv"), at("part"));
        let is_own = || files.check(std::slice::from_ref(&path)).is_ok();
        // Killed before the first rename: nothing is there, and what comes there later is somebody's.
        fs::write(&part, "first").unwrap();
        files.announce(&path, &part);
        fs::write(&path, "mine").unwrap();
        assert!(!is_own());
        // Killed after it.
        fs::write(&path, "first").unwrap();
        assert!(is_own());
        // Twice announced, never renamed.
        for text in ["second", "third"] {
            fs::write(&part, text).unwrap();
            files.announce(&path, &part);
            assert!(is_own(), "{text}");
        }
        for (text, expected) in [("first", true), ("second", true), ("third", true), ("mine", false)] {
            fs::write(&path, text).unwrap();
            assert_eq!(is_own(), expected, "{text}");
        }
        fs::write(&path, "third").unwrap();
        files.confirm(&path);
        assert!(is_own());
        fs::write(&path, "second").unwrap();
        assert!(!is_own(), "replaced by hand");
    }

    #[test]
    fn a_list_of_an_earlier_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let path = folder.path().canonicalize().unwrap().join("a.csv");
        fs::write(&path, "x").unwrap();
        let line = serde_json::json!({"path": path, "sha256": digest(&path).unwrap()});
        fs::write(&files.list, format!("{line}\n")).unwrap();
        files.check(std::slice::from_ref(&path)).unwrap();
        let output = folder.path().join("a.csv");
        let series = ExportSeries::Unnamed { collections: vec![String::from("assets")], output };
        assert!(!files.known().is_of_series(&path, &series), "whose it is was not recorded");
    }

    #[test]
    fn a_file_belongs_to_the_series_that_wrote_it_last() {
        let folder = tempfile::tempdir().unwrap();
        let [nightly, weekly] = ["nightly", "weekly"].map(|name| ExportSeries::Named(String::from(name)));
        let list = WrittenFiles::new(&folder.path().join("state"));
        let (path, part) = (folder.path().join("a.csv"), folder.path().join("part"));
        let series_of = || [&nightly, &weekly].map(|series| list.known().is_of_series(&path, series));
        fs::write(&path, "x").unwrap();
        list.record(std::slice::from_ref(&path));
        assert_eq!(series_of(), [false, false], "a result");
        list.for_series(nightly.clone()).record(std::slice::from_ref(&path));
        assert_eq!(series_of(), [true, false]);
        // Killed before the rename: the content is still what the other export wrote.
        fs::write(&part, "y").unwrap();
        list.for_series(weekly.clone()).announce(&path, &part);
        assert_eq!(series_of(), [false, false]);
        fs::rename(&part, &path).unwrap();
        assert_eq!(series_of(), [false, true]);
        list.for_series(weekly.clone()).confirm(&path);
        assert_eq!(series_of(), [false, true]);
        fs::write(&path, "edited").unwrap();
        assert_eq!(series_of(), [false, false]);
    }

    #[test]
    fn only_the_result_of_a_rehearsal_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let files = WrittenFiles::new(folder.path());
        let path = folder.path().join("assets.result.xlsx");
        assert!(!files.is_rehearsal(&path), "no file");
        fs::write(&path, "x").unwrap();
        assert!(!files.is_rehearsal(&path), "somebody else's");
        files.record(std::slice::from_ref(&path));
        files.mark_rehearsal(&path);
        assert!(files.is_rehearsal(&path));
        fs::write(&path, "edited").unwrap();
        assert!(!files.is_rehearsal(&path));
        files.record(std::slice::from_ref(&path));
        assert!(!files.is_rehearsal(&path), "of a run");
    }
}
