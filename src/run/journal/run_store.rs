//! The run store: the folder of journals.

use std::cmp::Reverse;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::builder::{remove, sqlite_companion};
use super::file::{JournalFile, is_locked, lock};
use super::{Journal, JournalError, JournalLocation, RunHeader, RunPhase, RunTotals};
use crate::state_file::create_private;

const EXTENSION: &str = "sqlite";

/// Of the empty file that stays of an applied plan whose journal was deleted.
const APPLIED_EXTENSION: &str = "applied";

/// The stored runs of this machine.
#[derive(Debug, Clone)]
pub(crate) struct RunStore {
    folder: PathBuf,
}

/// A run in the store.
#[derive(Debug)]
pub(crate) struct StoredRun {
    pub id: String,
    pub path: PathBuf,
    /// The journal's size on disk.
    pub bytes: u64,
    pub overview: Result<RunOverview, JournalError>,
}

/// What the list of runs shows about one.
#[derive(Debug)]
pub(crate) struct RunOverview {
    pub header: RunHeader,
    pub phase: RunPhase,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Milliseconds since the epoch.
    pub began: i64,
    pub totals: RunTotals,
    /// Steps that may or may not have been applied.
    pub unresolved: u64,
    pub lock: LockState,
}

/// Whether a process is working on the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockState {
    Locked,
    Free,
}

impl RunOverview {
    /// Whether `resume` has work to do.
    pub(crate) fn can_be_resumed(&self) -> bool {
        let is_unfinished = matches!(self.phase, RunPhase::Sending | RunPhase::Stopped);
        is_unfinished || (self.phase == RunPhase::Finished && self.unresolved > 0)
    }
}

impl StoredRun {
    /// The run that this one undoes.
    fn undoes(&self) -> Option<String> {
        self.overview.as_ref().ok()?.header.undoes.clone()
    }

    fn has_applied_plan(&self) -> bool {
        self.has_sent() && self.overview.as_ref().is_ok_and(|overview| overview.header.details.plan.is_some())
    }

    fn has_sent(&self) -> bool {
        self.overview.as_ref().is_ok_and(|overview| overview.phase != RunPhase::Planning)
    }
}

impl RunStore {
    /// The store in a state folder, which need not exist yet.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("runs") }
    }

    /// The location for the journal of a new run.
    pub(crate) fn location(&self, run: &str) -> JournalLocation {
        JournalLocation::File(self.path(run))
    }

    /// Where the journal of a run is.
    pub(crate) fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.{EXTENSION}"))
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// Where the folder exists and cannot be read. A journal that cannot be read is in the list with its error.
    pub(crate) fn list(&self) -> Result<Vec<StoredRun>, JournalError> {
        let mut runs: Vec<StoredRun> = self.ids()?.into_iter().map(|id| self.stored(id)).collect();
        // A run's id begins with the second in which it began; its journal has the exact time.
        let began = |run: &StoredRun| run.overview.as_ref().map_or(i64::MIN, |overview| overview.began);
        let second = |run: &StoredRun| run.id.get(.."20261124-093012".len()).unwrap_or_default().to_owned();
        runs.sort_by_cached_key(|run| Reverse((second(run), began(run))));
        Ok(runs)
    }

    /// The ids of all runs and where their journals are.
    ///
    /// # Errors
    /// Where the folder exists and cannot be read.
    pub(crate) fn paths(&self) -> Result<Vec<(String, PathBuf)>, JournalError> {
        Ok(self.ids()?.into_iter().map(|id| (id.clone(), self.path(&id))).collect())
    }

    fn stored(&self, id: String) -> StoredRun {
        let path = self.path(&id);
        let bytes = size(&path);
        StoredRun { overview: read_overview(&path), id, path, bytes }
    }

    fn ids(&self) -> Result<Vec<String>, JournalError> {
        let error = |source| JournalError::Folder { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(source) => return Err(error(source)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Some(stem) = path.file_stem()
            {
                ids.push(stem.to_string_lossy().into_owned());
            }
        }
        Ok(ids)
    }

    /// The run with that id, or the only one whose id begins or ends with it.
    ///
    /// # Errors
    /// Where there is none or several.
    pub(crate) fn find(&self, run: &str) -> Result<StoredRun, JournalError> {
        let ids = self.ids()?;
        if let Some(exact) = ids.iter().find(|id| *id == run) {
            return Ok(self.stored(exact.clone()));
        }
        let mut matches: Vec<String> =
            ids.iter().filter(|id| !run.is_empty() && (id.starts_with(run) || id.ends_with(run))).cloned().collect();
        matches.sort_unstable();
        match matches.as_slice() {
            [only] => Ok(self.stored(only.clone())),
            [] => {
                let similarity = |id: &String| strsim::jaro_winkler(id, run);
                let nearest = ids.iter().max_by(|left, right| similarity(left).total_cmp(&similarity(right)));
                let nearest = nearest.filter(|id| similarity(id) > 0.9).cloned();
                Err(JournalError::NoSuchRun { run: run.to_owned(), nearest })
            }
            _ => Err(JournalError::Ambiguous { run: run.to_owned(), candidates: matches }),
        }
    }

    /// The newest run that can be resumed, that no process works on and that was not undone.
    pub(crate) fn newest_unfinished(&self) -> Result<Option<StoredRun>, JournalError> {
        Ok(self.unfinished()?.into_iter().next())
    }

    /// The runs that can be resumed, that no process works on and that were not undone, newest first.
    pub(crate) fn unfinished(&self) -> Result<Vec<StoredRun>, JournalError> {
        let runs = self.list()?;
        let undone: Vec<String> = runs.iter().filter(|run| run.has_sent()).filter_map(StoredRun::undoes).collect();
        let open = |run: &StoredRun| {
            let overview = run.overview.as_ref();
            overview.is_ok_and(|overview| overview.can_be_resumed() && overview.lock == LockState::Free)
                && !undone.contains(&run.id)
        };
        Ok(runs.into_iter().filter(open).collect())
    }

    /// The runs that have started to undo a run, newest first.
    pub(crate) fn undos_of(&self, run: &str) -> Result<Vec<StoredRun>, JournalError> {
        let mut runs = self.list()?;
        runs.retain(|other| other.undoes().as_deref() == Some(run) && other.has_sent());
        Ok(runs)
    }

    /// Deletes the journal of a run whose process ended before it had anything to write, if there is such a one.
    ///
    /// # Errors
    /// Where a process is working on the run, or the file cannot be deleted.
    pub(crate) fn remove_blank(&self, run: &str) -> Result<(), JournalError> {
        let path = self.path(run);
        if path.is_file() && JournalFile::is_blank(&path) { self.remove(run).map(drop) } else { Ok(()) }
    }

    /// Deletes the journal of an old run; gives the bytes freed. Of an applied plan a mark stays, so that it cannot be
    /// applied again.
    ///
    /// # Errors
    /// Where a process is working on the run, or a file cannot be written or deleted.
    pub(crate) fn prune(&self, run: &StoredRun) -> Result<u64, JournalError> {
        if run.has_applied_plan() {
            let mark = self.applied_mark(&run.id);
            create_private(&mark).map_err(|source| JournalError::Folder { path: mark, source })?;
        }
        self.remove(&run.id)
    }

    /// Whether a plan of that name was applied by a run whose journal was deleted since.
    pub(crate) fn was_applied(&self, plan: &str) -> bool {
        self.applied_mark(plan).is_file()
    }

    fn applied_mark(&self, plan: &str) -> PathBuf {
        self.folder.join(format!("{plan}.{APPLIED_EXTENSION}"))
    }

    /// Deletes a journal; gives the bytes freed.
    ///
    /// # Errors
    /// Where a process is working on the run, or the file cannot be deleted.
    pub(crate) fn remove(&self, run: &str) -> Result<u64, JournalError> {
        let path = self.path(run);
        // Held to the end, so that no resume starts meanwhile.
        let _lock = lock(&path, run)?;
        let bytes = size(&path);
        fs::remove_file(&path).map_err(|source| JournalError::Folder { path: path.clone(), source })?;
        remove(&path);
        Ok(bytes)
    }
}

/// The journal's size on disk: the file and its write-ahead log.
fn size(path: &Path) -> u64 {
    let of = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    of(path) + of(&sqlite_companion(path, "-wal"))
}

fn read_overview(path: &Path) -> Result<RunOverview, JournalError> {
    let lock = if is_locked(path) { LockState::Locked } else { LockState::Free };
    let journal = Journal::open_read_only(path)?;
    let (phase, reason) = journal.phase()?;
    Ok(RunOverview {
        header: journal.header()?,
        phase,
        reason,
        began: journal.started_at()?.as_millisecond(),
        totals: journal.totals()?,
        unresolved: journal.unresolved_count()?,
        lock,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::account::AccountIdentity;
    use crate::run::journal::{AccountSnapshot, AppliedPlan, JournalBuilder, RunDetails, RunHeader, RunKind};

    #[test]
    fn a_plan_stays_applied_when_its_journal_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        for (id, plan) in [("20261124-093012-kqzf", Some(AppliedPlan::default())), ("20261124-093013-kqzf", None)] {
            let was_plan = plan.is_some();
            let details = RunDetails { plan, ..RunDetails::default() };
            let account = AccountIdentity::SandboxMemory;
            let header = RunHeader { id: id.to_owned(), kind: RunKind::Apply, account, undoes: None, details };
            let journal = JournalBuilder::create(store.location(id), &header).unwrap();
            drop(journal.finish(&AccountSnapshot::default()).unwrap());
            let run = store.list().unwrap().remove(0);
            assert!(!store.was_applied(id));
            store.prune(&run).unwrap();
            assert_eq!((store.was_applied(id), store.list().unwrap().len()), (was_plan, 0));
        }
    }

    #[test]
    fn the_size_of_a_journal_counts_what_is_not_moved_into_it_yet() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        let path = store.path("20261124-093012-kqzf");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "0123456789").unwrap();
        fs::write(sqlite_companion(&path, "-wal"), "1234567").unwrap();
        assert_eq!(store.remove("20261124-093012-kqzf").unwrap(), 17);
        assert_eq!(store.paths().unwrap(), []);
    }
}
