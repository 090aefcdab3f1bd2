//! The thread that owns the journal while a plan is sent.
//!
//! Whatever comes in while one commit is on its way to the disk shares the next one: durability costs a commit for
//! many steps, and nobody waits longer than two commits. What is on disk is told in the order in which it came.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::words::{self, RESULTS};
use super::{AttemptNote, Journal, JournalError, StepOutcome};
use crate::plan::Step;

/// So many entries share one commit, or little more: what is sent meanwhile bounds them far below.
const BATCH: usize = 1024;

/// How long a batch waits for more: a commit costs about as much for one entry as for a hundred, and steps are made
/// ready far enough ahead for nobody to notice.
const GATHER: Duration = Duration::from_millis(1);

/// Something for the journal.
#[derive(Debug)]
pub enum Entry {
    /// The step is about to be sent.
    Intend(u32),
    /// It surely was not sent after all: it is planned again, whatever an earlier look said of it.
    Withdraw(u32),
    Attempts(Vec<AttemptNote>),
    Conclude(Box<StepOutcome>),
    /// Asks for planned steps, from a number on.
    Read {
        from: u32,
        most: usize,
    },
}

/// What the journal tells back, in the order of the entries.
#[derive(Debug)]
pub enum Event {
    /// The intent is on disk: the step may be sent.
    Intended(u32),
    /// The outcome is on disk: it may be told.
    Concluded(u32),
    /// The steps asked for; none when there are no more.
    Steps(Vec<Step>),
    /// Nothing can be written any more.
    Broken(JournalError),
}

/// The way to the journal's thread.
#[derive(Debug)]
pub struct Scribe {
    /// Entries not handed over yet: one message for many wakes the thread once.
    pending: Vec<Entry>,
    entries: Option<mpsc::Sender<Vec<Entry>>>,
    events: UnboundedReceiver<Vec<Event>>,
    heard: VecDeque<Event>,
    thread: JoinHandle<Journal>,
    path: std::path::PathBuf,
}

impl Scribe {
    /// Hands the journal to a thread of its own.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(journal: Journal) -> std::io::Result<Self> {
        let path = journal.path();
        let (entries, incoming) = mpsc::channel();
        // Bounded by who enters: a few entries for each step in flight, and one for each of the steps read last.
        let (outgoing, events) = unbounded_channel();
        let named = thread::Builder::new().name("journal".into());
        let thread = named.spawn(move || {
            write(&journal, &incoming, &outgoing);
            journal
        })?;
        Ok(Self { pending: Vec::new(), entries: Some(entries), events, heard: VecDeque::new(), thread, path })
    }

    /// Takes an entry for the next [`Scribe::flush`].
    pub fn enter(&mut self, entry: Entry) {
        self.pending.push(entry);
    }

    /// Hands over what was entered. Where the thread is gone, [`Scribe::next`] says so.
    pub fn flush(&mut self) {
        if let Some(entries) = self.entries.as_ref().filter(|_| !self.pending.is_empty()) {
            let _ = entries.send(std::mem::take(&mut self.pending));
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.heard.pop_front() {
                return event;
            }
            match self.events.recv().await {
                Some(events) => self.heard.extend(events),
                None => return Event::Broken(JournalError::Gone { path: self.path.clone() }),
            }
        }
    }

    /// An event that is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        if self.heard.is_empty() {
            self.heard.extend(self.events.try_recv().ok().into_iter().flatten());
        }
        self.heard.pop_front()
    }

    /// Writes what was handed in and gives the journal back, with the events nobody has heard.
    ///
    /// # Errors
    /// Where the thread has died, which only a bug does.
    pub fn finish(mut self) -> Result<(Journal, Vec<Event>), JournalError> {
        self.flush();
        drop(self.entries.take());
        let journal = self.thread.join().map_err(|_| JournalError::Gone { path: self.path.clone() })?;
        let mut events = Vec::from(self.heard);
        while let Ok(more) = self.events.try_recv() {
            events.extend(more);
        }
        Ok((journal, events))
    }
}

fn write(journal: &Journal, incoming: &mpsc::Receiver<Vec<Entry>>, outgoing: &UnboundedSender<Vec<Event>>) {
    let mut batch = Vec::with_capacity(64);
    while let Ok(first) = incoming.recv() {
        batch.extend(first);
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH
            && let Ok(more) = incoming.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            batch.extend(more);
        }
        match commit(journal, &mut batch) {
            // Nobody listens any more when the run was cut off: the entries still go to disk.
            Ok(events) => drop(outgoing.send(events)),
            Err(error) => {
                let _ = outgoing.send(vec![Event::Broken(error)]);
                return;
            }
        }
    }
}

/// Writes entries as one batch, without a thread.
#[cfg(test)]
pub(super) fn commit_all(journal: &Journal, mut entries: Vec<Entry>) -> Result<Vec<Event>, JournalError> {
    commit(journal, &mut entries)
}

/// Writes a batch durably and tells what may be told then.
fn commit(journal: &Journal, batch: &mut Vec<Entry>) -> Result<Vec<Event>, JournalError> {
    let mut events = Vec::with_capacity(batch.len());
    let mut reads = Vec::new();
    let writes = batch.iter().any(|entry| !matches!(entry, Entry::Read { .. }));
    journal.store.attempt(|connection| {
        // Rolled back where an entry fails: half a batch must not pass for written with whoever reads next.
        let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        let transaction = writes.then(begin).transpose()?;
        let now = Timestamp::now().to_string();
        for entry in batch.drain(..) {
            match entry {
                Entry::Read { from, most } => reads.push((from, most)),
                entry => events.extend(enter(connection, &now, entry)?),
            }
        }
        transaction.map_or(Ok(()), Transaction::commit)
    })?;
    for (from, most) in reads {
        events.push(Event::Steps(journal.planned_from(from, most)?));
    }
    Ok(events)
}

fn enter(connection: &Connection, now: &str, entry: Entry) -> rusqlite::Result<Option<Event>> {
    let execute = |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values);
    match entry {
        Entry::Intend(step) => {
            execute(
                "INSERT INTO intent (step, at, sends) VALUES (?1, ?2, 1) \
                 ON CONFLICT (step) DO UPDATE SET at = excluded.at, sends = sends + 1",
                params![step, now],
            )?;
            Ok(Some(Event::Intended(step)))
        }
        Entry::Withdraw(step) => {
            // A step that a look had left as unknown, and a later one found undone, is planned like any other: with
            // the old outcome beside it nobody would ever send it.
            execute("DELETE FROM outcome WHERE step = ?1", params![step])?;
            execute("DELETE FROM intent WHERE step = ?1", params![step]).map(|_| None)
        }
        Entry::Attempts(attempts) => {
            for attempt in attempts {
                let at = Timestamp::from_millisecond(attempt.at).unwrap_or_default().to_string();
                execute(
                    "INSERT INTO attempt (step, at, milliseconds, request, status, reply) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        attempt.step, at, attempt.milliseconds as i64, attempt.request, attempt.status, attempt.reply,
                    ],
                )?;
            }
            Ok(None)
        }
        Entry::Conclude(outcome) => {
            let after = outcome.after.as_ref().map(|after| serde_json::to_string(after).unwrap_or_default());
            let message = (!outcome.message.is_empty()).then_some(&outcome.message);
            execute(
                "INSERT OR REPLACE INTO outcome (step, at, result, record, after, message, problems) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    outcome.step,
                    now,
                    words::word(RESULTS, &outcome.result),
                    outcome.record,
                    after,
                    message,
                    words::problems_text(&outcome.problems),
                ],
            )?;
            Ok(Some(Event::Concluded(outcome.step)))
        }
        Entry::Read { .. } => Ok(None),
    }
}
