//! A journal writer for tests: it commits at once, without a thread, and can die like a process.

use std::rc::Rc;
use std::sync::mpsc;

use tokio::sync::Notify;

use super::writer::commit;
use super::{Journal, WriteCommand, WriteEvent};

/// Commits each batch when it is handed over.
#[derive(Debug)]
pub(in crate::run) struct InlineWriter {
    /// None once it is given back.
    journal: Option<Journal>,
    has_failed: bool,
    crash: Option<Crash>,
}

/// A process that is killed just before a commit.
#[derive(Debug)]
pub(in crate::run) struct Crash {
    /// The commits before it.
    pub(in crate::run) commits_left: u64,
    /// Told when it happens.
    pub(in crate::run) happened: Rc<Notify>,
    /// Where the journal goes, as it is on disk, when the writer is dropped.
    pub(in crate::run) survivor: mpsc::Sender<Journal>,
}

impl InlineWriter {
    pub(in crate::run) fn new(journal: Journal) -> Self {
        Self::made(journal, None)
    }

    /// A writer that gives the journal back when it is dropped, and commits nothing after a crash.
    pub(in crate::run) fn with_crash(journal: Journal, crash: Crash) -> Self {
        Self::made(journal, Some(crash))
    }

    fn made(journal: Journal, crash: Option<Crash>) -> Self {
        Self { journal: Some(journal), has_failed: false, crash }
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.journal.as_ref().map(Journal::path).unwrap_or_default()
    }

    /// Commits the commands and gives their events: none after a crash or a failure.
    pub(super) fn write(&mut self, commands: &mut Vec<WriteCommand>) -> Vec<WriteEvent> {
        if let Some(crash) = &mut self.crash {
            if crash.commits_left == 0 {
                commands.clear();
                crash.happened.notify_one();
                return Vec::new();
            }
            crash.commits_left -= 1;
        }
        let Some(journal) = self.journal.as_ref().filter(|_| !self.has_failed) else { return Vec::new() };
        commit(journal, commands).unwrap_or_else(|error| {
            self.has_failed = true;
            vec![WriteEvent::Failed(error)]
        })
    }

    /// Ends where it has failed; otherwise nothing comes before the next commit.
    pub(super) async fn next(&self) -> Option<Vec<WriteEvent>> {
        match self.has_failed {
            true => None,
            false => std::future::pending().await,
        }
    }

    pub(super) fn into_journal(mut self) -> Journal {
        self.journal.take().expect("a journal until the end")
    }
}

impl Drop for InlineWriter {
    fn drop(&mut self) {
        if let (Some(journal), Some(crash)) = (self.journal.take(), &self.crash) {
            let _ = crash.survivor.send(journal);
        }
    }
}
