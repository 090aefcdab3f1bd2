//! The folder of journals.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::draft::{beside, remove};
use super::store::{is_busy, lock};
use super::{At, Conclusion, Journal, JournalError, Phase, RunHead};

const EXTENSION: &str = "sqlite";

/// Where the journals of this machine lie.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

/// A run on the shelf.
#[derive(Debug)]
pub struct Shelved {
    pub id: String,
    pub path: PathBuf,
    /// The journal's size on disk.
    pub bytes: u64,
    pub glance: Result<Glance, JournalError>,
}

/// What the list of runs tells of one.
#[derive(Debug)]
pub struct Glance {
    pub head: RunHead,
    pub phase: Phase,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Milliseconds since the epoch.
    pub began: i64,
    pub conclusion: Conclusion,
    pub steps: u32,
    /// Steps without an outcome.
    pub open_steps: u64,
    /// Steps of which nobody knows whether they were done.
    pub unsettled: u64,
    pub at_work: AtWork,
}

/// Whether a process is at the run right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtWork {
    Yes,
    No,
}

impl Glance {
    /// Whether `resume` has something to do.
    pub fn can_be_resumed(&self) -> bool {
        let is_begun = matches!(self.phase, Phase::Sending | Phase::Stopped);
        is_begun || (self.phase == Phase::Finished && self.unsettled > 0)
    }
}

impl Shelved {
    /// The run that it takes back.
    fn undoes(&self) -> Option<String> {
        self.glance.as_ref().ok()?.head.undoes.clone()
    }

    fn has_begun(&self) -> bool {
        self.glance.as_ref().is_ok_and(|glance| glance.phase != Phase::Planning)
    }
}

impl Shelf {
    /// The shelf in a state folder, which need not exist yet.
    pub fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("runs") }
    }

    /// Where the journal of a new run goes.
    pub fn place(&self, run: &str) -> At {
        At::File(self.path(run))
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.{EXTENSION}"))
    }

    /// Every run, the newest first.
    ///
    /// # Errors
    /// Where the folder is there and cannot be read. A journal that cannot be read is in the list, with why.
    pub fn list(&self) -> Result<Vec<Shelved>, JournalError> {
        let mut runs: Vec<Shelved> = self.ids()?.into_iter().map(|id| self.shelved(id)).collect();
        // A run's name begins with the second in which it began; its journal knows the moment.
        let began = |run: &Shelved| run.glance.as_ref().map_or(i64::MIN, |glance| glance.began);
        let second = |run: &Shelved| run.id.get(.."20261124-093012".len()).unwrap_or_default().to_owned();
        runs.sort_by_cached_key(|run| Reverse((second(run), began(run))));
        Ok(runs)
    }

    fn shelved(&self, id: String) -> Shelved {
        let path = self.path(&id);
        let bytes = size(&path);
        Shelved { glance: glance(&path), id, path, bytes }
    }

    fn ids(&self) -> Result<Vec<String>, JournalError> {
        let told = |source| JournalError::Folder { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(told(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let path = entry.map_err(told)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Some(stem) = path.file_stem()
            {
                ids.push(stem.to_string_lossy().into_owned());
            }
        }
        Ok(ids)
    }

    /// The run of that name, or the only one whose name begins or ends like that.
    ///
    /// # Errors
    /// Where there is none or several.
    pub fn find(&self, run: &str) -> Result<Shelved, JournalError> {
        let ids = self.ids()?;
        if let Some(exact) = ids.iter().find(|id| *id == run) {
            return Ok(self.shelved(exact.clone()));
        }
        let mut alike: Vec<String> =
            ids.iter().filter(|id| !run.is_empty() && (id.starts_with(run) || id.ends_with(run))).cloned().collect();
        alike.sort_unstable();
        match alike.as_slice() {
            [only] => Ok(self.shelved(only.clone())),
            [] => {
                let likeness = |id: &String| strsim::jaro_winkler(id, run);
                let nearest = ids.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
                let nearest = nearest.filter(|id| likeness(id) > 0.9).cloned();
                Err(JournalError::NoSuchRun { run: run.to_owned(), nearest })
            }
            _ => Err(JournalError::Ambiguous { run: run.to_owned(), candidates: alike }),
        }
    }

    /// The newest run that can be resumed, that no process is at, and that was not taken back.
    pub fn newest_unfinished(&self) -> Result<Option<Shelved>, JournalError> {
        let runs = self.list()?;
        let undone: Vec<String> = runs.iter().filter(|run| run.has_begun()).filter_map(Shelved::undoes).collect();
        let open = |shelved: &Shelved| {
            let glance = shelved.glance.as_ref();
            glance.is_ok_and(|glance| glance.can_be_resumed() && glance.at_work == AtWork::No)
                && !undone.contains(&shelved.id)
        };
        Ok(runs.into_iter().find(open))
    }

    /// The runs that have begun to take a run back, the newest first.
    pub fn undos_of(&self, run: &str) -> Result<Vec<Shelved>, JournalError> {
        let mut runs = self.list()?;
        runs.retain(|shelved| shelved.undoes().as_deref() == Some(run) && shelved.has_begun());
        Ok(runs)
    }

    /// Deletes a journal for good; gives the bytes that this frees.
    ///
    /// # Errors
    /// Where a process is at the run, or the file cannot be deleted.
    pub fn remove(&self, run: &str) -> Result<u64, JournalError> {
        let path = self.path(run);
        // Held to the end, so that no resume begins meanwhile.
        let _lock = lock(&path, run)?;
        let bytes = size(&path);
        fs::remove_file(&path).map_err(|source| JournalError::Folder { path: path.clone(), source })?;
        remove(&path);
        Ok(bytes)
    }
}

/// The journal's bytes on disk: the file, and what SQLite has not yet moved into it.
fn size(path: &Path) -> u64 {
    let of = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    of(path) + of(&beside(path, "-wal"))
}

fn glance(path: &Path) -> Result<Glance, JournalError> {
    let at_work = if is_busy(path) { AtWork::Yes } else { AtWork::No };
    let journal = Journal::look(path)?;
    let (phase, reason) = journal.phase()?;
    Ok(Glance {
        head: journal.head()?,
        phase,
        reason,
        began: journal.began()?,
        conclusion: journal.conclusion()?,
        steps: journal.step_count()?,
        open_steps: journal.open_steps()?,
        unsettled: journal.unsettled_count()?,
        at_work,
    })
}
