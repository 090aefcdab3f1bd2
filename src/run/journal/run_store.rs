//! The run store: the folder of journals.

use std::cmp::Reverse;
use std::collections::HashSet;
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

    /// The ids of the runs that others have started to undo.
    pub(crate) fn undone(&self) -> Result<HashSet<String>, JournalError> {
        Ok(self.list()?.iter().filter(|run| run.has_sent()).filter_map(StoredRun::undoes).collect())
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

    /// Writes the journal of a run of one step, which ended so.
    fn write(store: &RunStore, id: &str, undoes: Option<&str>, phase: RunPhase) {
        let kind = if undoes.is_some() { RunKind::Undo } else { RunKind::Import };
        let (account, details) = (AccountIdentity::SandboxMemory, RunDetails::default());
        let header = RunHeader { id: id.to_owned(), kind, account, undoes: undoes.map(str::to_owned), details };
        let builder = JournalBuilder::create(store.location(id), &header).unwrap();
        let journal = builder.finish(&AccountSnapshot::default()).unwrap();
        if phase != RunPhase::Sending {
            let reason = (phase == RunPhase::Stopped).then_some("interrupted");
            journal.record_end(phase, reason, &RunTotals::default()).unwrap();
        }
    }

    fn ids(runs: Vec<StoredRun>) -> Vec<String> {
        runs.into_iter().map(|run| run.id).collect()
    }

    #[test]
    fn runs_are_listed_newest_first_with_what_became_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        assert_eq!(ids(store.list().unwrap()), [""; 0], "there is no folder yet");
        // Of two runs of one second the one that began later comes first, whatever its letters.
        write(&store, "20261124-093012-zzzz", None, RunPhase::Finished);
        write(&store, "20261124-093012-aaaa", None, RunPhase::Stopped);
        write(&store, "20261124-093011-kqzf", None, RunPhase::Sending);
        fs::write(store.path("20261125-000000-fake"), "no journal").unwrap();
        fs::write(folder.path().join("runs").join("notes.txt"), "none").unwrap();
        let runs = store.list().unwrap();
        let told: Vec<_> = runs
            .iter()
            .map(|run| {
                let phase = run.overview.as_ref().ok().map(|run| (run.phase, run.reason.clone(), run.lock));
                (run.id.as_str(), phase)
            })
            .collect();
        let reason = Some(String::from("interrupted"));
        assert_eq!(
            told,
            [
                ("20261125-000000-fake", None),
                ("20261124-093012-aaaa", Some((RunPhase::Stopped, reason, LockState::Free))),
                ("20261124-093012-zzzz", Some((RunPhase::Finished, None, LockState::Free))),
                ("20261124-093011-kqzf", Some((RunPhase::Sending, None, LockState::Free))),
            ]
        );
        assert_eq!(runs[0].bytes, 10);
        let mut known: Vec<String> = store.paths().unwrap().into_iter().map(|(id, _)| id).collect();
        known.sort_unstable();
        assert_eq!(known.len(), 4);
        let path = store.path("20261124-093011-kqzf");
        let _at_work = Journal::open(&path, "20261124-093011-kqzf").unwrap();
        let stored = store.find("20261124-093011-kqzf").unwrap();
        assert_eq!((stored.overview.unwrap().lock, &stored.path), (LockState::Locked, &path));
        assert!(matches!(store.remove("20261124-093011-kqzf"), Err(JournalError::Busy { .. })));
    }

    #[test]
    fn a_run_is_found_by_the_beginning_or_end_of_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        let (one, two, three) = ("20261124-093012-kqzf", "20261124-093013-abcd", "20261125-093012-abcd");
        [one, two, three].iter().for_each(|id| write(&store, id, None, RunPhase::Finished));
        for (word, id) in
            [(one, one), ("kqzf", one), ("20261125", three), ("093013-abcd", two), ("20261124-093012", one)]
        {
            assert_eq!(store.find(word).unwrap().id, id, "{word}");
        }
        let ambiguous = |word: &str| match store.find(word) {
            Err(JournalError::Ambiguous { run, candidates }) if run == word => candidates,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (ambiguous("20261124"), ambiguous("abcd")),
            (vec![one.into(), two.into()], vec![two.into(), three.into()])
        );
        for (word, near) in [("20261124-093012-kqzg", Some(one)), ("kq", None), ("", None), ("093012", None)] {
            match store.find(word) {
                Err(JournalError::NoSuchRun { run, nearest }) => {
                    assert_eq!((run.as_str(), nearest.as_deref()), (word, near))
                }
                other => panic!("{word}: {other:?}"),
            }
        }
        // A whole id is meant although others begin with it.
        write(&store, "20261124", None, RunPhase::Finished);
        assert_eq!(store.find("20261124").unwrap().id, "20261124");
    }

    #[test]
    fn what_can_be_resumed_is_neither_finished_nor_undone_nor_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        write(&store, "20261124-093011-aaaa", None, RunPhase::Stopped);
        write(&store, "20261124-093012-bbbb", None, RunPhase::Sending);
        write(&store, "20261124-093013-cccc", None, RunPhase::Stopped);
        write(&store, "20261124-093014-dddd", None, RunPhase::Finished);
        write(&store, "20261124-093015-eeee", Some("20261124-093013-cccc"), RunPhase::Finished);
        write(&store, "20261124-093016-ffff", Some("20261124-093014-dddd"), RunPhase::Stopped);
        assert_eq!(
            ids(store.unfinished().unwrap()),
            ["20261124-093016-ffff", "20261124-093012-bbbb", "20261124-093011-aaaa"]
        );
        assert_eq!(store.newest_unfinished().unwrap().unwrap().id, "20261124-093016-ffff");
        let _at_work = Journal::open(&store.path("20261124-093016-ffff"), "f").unwrap();
        assert_eq!(ids(store.unfinished().unwrap()), ["20261124-093012-bbbb", "20261124-093011-aaaa"]);
        assert_eq!(ids(store.undos_of("20261124-093013-cccc").unwrap()), ["20261124-093015-eeee"]);
        assert_eq!(ids(store.undos_of("20261124-093012-bbbb").unwrap()), [""; 0]);
    }

    #[test]
    fn an_undo_that_was_never_sent_has_undone_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        write(&store, "20261124-093011-aaaa", None, RunPhase::Stopped);
        let undoes = Some(String::from("20261124-093011-aaaa"));
        let (account, details) = (AccountIdentity::SandboxMemory, RunDetails::default());
        let id = String::from("20261124-093012-bbbb");
        let header = RunHeader { id: id.clone(), kind: RunKind::Undo, account, undoes, details };
        let _planning = JournalBuilder::create(store.location(&id), &header).unwrap();
        assert_eq!(ids(store.undos_of("20261124-093011-aaaa").unwrap()), [""; 0]);
        assert_eq!(ids(store.unfinished().unwrap()), ["20261124-093011-aaaa"]);
        let stored = store.find(&id).unwrap();
        assert!(!stored.overview.unwrap().can_be_resumed());
    }

    #[test]
    fn only_a_journal_without_a_run_is_blank() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path());
        write(&store, "20261124-093011-aaaa", None, RunPhase::Stopped);
        store.remove_blank("20261124-093011-aaaa").unwrap();
        assert_eq!(store.paths().unwrap().len(), 1, "it has a run");
        let blank = store.path("20261124-093012-bbbb");
        fs::write(&blank, "").unwrap();
        store.remove_blank("20261124-093012-bbbb").unwrap();
        assert!(!blank.exists());
        let other = store.path("20261124-093013-cccc");
        fs::write(&other, "no database").unwrap();
        store.remove_blank("20261124-093013-cccc").unwrap();
        store.remove_blank("20261124-093014-dddd").unwrap();
        assert!(other.exists());
    }

    #[test]
    fn a_finished_run_with_an_unknown_outcome_can_be_resumed() {
        let overview = |phase, unresolved| RunOverview {
            header: RunHeader {
                id: String::from("r"),
                kind: RunKind::Import,
                account: AccountIdentity::SandboxMemory,
                undoes: None,
                details: RunDetails::default(),
            },
            phase,
            reason: None,
            began: 0,
            totals: RunTotals::default(),
            unresolved,
            lock: LockState::Free,
        };
        for (phase, unresolved, can) in [
            (RunPhase::Planning, 0, false),
            (RunPhase::Planning, 1, false),
            (RunPhase::Sending, 0, true),
            (RunPhase::Stopped, 0, true),
            (RunPhase::Finished, 0, false),
            (RunPhase::Finished, 1, true),
        ] {
            assert_eq!(overview(phase, unresolved).can_be_resumed(), can, "{phase:?} {unresolved}");
        }
    }
}
