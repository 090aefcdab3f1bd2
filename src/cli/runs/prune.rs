//! Old journals go; what could still be resumed stays, unless it is forced.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::json;

use super::{age, local_time, size_text};
use crate::cli::args::PruneArgs;
use crate::cli::printer::Printer;
use crate::cli::{Error, Exit};
use crate::run::journal::{JournalError, LockState, RunStore, SourceFile, StoredRun};
use crate::terminal::{FAINT, STRONG};
use crate::wording::counted;

pub(super) fn run(shelf: &RunStore, args: &PruneArgs, now: Timestamp, printer: Printer) -> Result<Exit, Error> {
    let before = age::before(now, &args.older_than)?.as_millisecond();
    let mut pruned = Pruned::default();
    for shelved in shelf.list()?.iter().filter(|shelved| began(shelved).is_some_and(|began| began < before)) {
        match kept(shelved, args.force) {
            Some(why) => pruned.kept.push((shelved.id.clone(), why)),
            None => pruned.remove(shelf, shelved),
        }
    }
    match printer.json {
        true => printer.document(&format!("{}\n", pruned.json()))?,
        false => printer.say(&pruned.text(before))?,
    }
    Ok(Exit::Success)
}

/// Why a journal stays.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    AtWork,
    CanBeResumed,
    Unreadable(String),
    /// The system does not let it go.
    Undeletable(String),
}

/// What came of it.
#[derive(Debug, Default)]
struct Pruned {
    gone: Vec<String>,
    freed: u64,
    kept: Vec<(String, Kept)>,
}

/// When the run began, in milliseconds since the epoch: by its journal, its name, or the age of its file.
fn began(shelved: &StoredRun) -> Option<i64> {
    match &shelved.overview {
        Ok(glance) => Some(glance.began),
        Err(_) => {
            let written = || SourceFile::of(&shelved.path).and_then(|file| file.modified);
            age::from_name(&shelved.id).or_else(written)
        }
    }
}

fn kept(shelved: &StoredRun, is_forced: bool) -> Option<Kept> {
    match &shelved.overview {
        Ok(glance) if glance.lock == LockState::Locked => Some(Kept::AtWork),
        Ok(glance) if glance.can_be_resumed() && !is_forced => Some(Kept::CanBeResumed),
        Err(error) if !is_forced => Some(Kept::Unreadable(error.to_string())),
        Ok(_) | Err(_) => None,
    }
}

impl Pruned {
    fn remove(&mut self, shelf: &RunStore, run: &StoredRun) {
        match shelf.prune(run) {
            Ok(bytes) => {
                self.gone.push(run.id.clone());
                self.freed += bytes;
            }
            Err(JournalError::Busy { .. }) => self.kept.push((run.id.clone(), Kept::AtWork)),
            Err(error) => self.kept.push((run.id.clone(), Kept::Undeletable(error.to_string()))),
        }
    }

    fn text(&self, before: i64) -> String {
        let date = local_time(before);
        let mut text = match self.gone.len() as u64 {
            0 => format!("No journal of a run that began before {date} was deleted\n"),
            gone => {
                let freed = size_text(self.freed);
                format!("Deleted {} of runs that began before {date}: {freed} freed\n", counted(gone, "journal"))
            }
        };
        for (run, why) in &self.kept {
            let _ = writeln!(text, "  {FAINT}kept     {FAINT:#} {STRONG}{run}{STRONG:#}: {}", why.text());
        }
        if self.kept.iter().any(|(_, why)| why.yields_to_force()) {
            let _ = writeln!(text, "  {FAINT}next     {FAINT:#} add --force to delete {} too", self.forceable());
        }
        text
    }

    fn forceable(&self) -> String {
        match self.kept.iter().filter(|(_, why)| why.yields_to_force()).count() as u64 {
            1 => String::from("it"),
            several => format!("these {several}"),
        }
    }

    fn json(&self) -> serde_json::Value {
        let kept: Vec<_> =
            self.kept.iter().map(|(run, why)| json!({"run_id": run, "why": why.word(), "text": why.text()})).collect();
        json!({"deleted": self.gone, "bytes_freed": self.freed, "kept": kept})
    }
}

impl Kept {
    fn word(&self) -> &'static str {
        match self {
            Kept::AtWork => "at_work",
            Kept::CanBeResumed => "can_resume",
            Kept::Unreadable(_) => "unreadable",
            Kept::Undeletable(_) => "undeletable",
        }
    }

    fn text(&self) -> String {
        match self {
            Kept::AtWork => String::from("a process is working on it"),
            Kept::CanBeResumed => String::from("it can still be resumed"),
            Kept::Unreadable(why) | Kept::Undeletable(why) => why.clone(),
        }
    }

    fn yields_to_force(&self) -> bool {
        matches!(self, Kept::CanBeResumed | Kept::Unreadable(_))
    }
}
