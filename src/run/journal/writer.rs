//! The journal writer: the thread that owns the journal while a plan is sent.
//!
//! Group commit: commands that arrive during one commit share the next, so durability costs one commit for many steps
//! and no step waits for more than two. Events report what is on disk, in the order of the commands.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::encoding::{Json, RESULTS, encode_problems, encode_write};
use super::{AttemptRecord, Journal, JournalError};
use crate::plan::{Step, StepOutcome};

/// About this many commands share one commit at most; the steps in flight keep the number far lower.
const BATCH: usize = 1024;

/// How long a batch waits for more commands. A commit costs about as much for one command as for a hundred, and steps
/// are prepared early enough for the delay not to matter.
const BATCH_DELAY: Duration = Duration::from_millis(1);

/// A command to the journal writer.
#[derive(Debug)]
pub(crate) enum WriteCommand {
    /// The step is about to be sent.
    RecordIntent(u32),
    /// It surely was not sent: it is pending again, whatever an earlier reconciliation found.
    ClearIntent(u32),
    RecordAttempts(Vec<AttemptRecord>),
    RecordOutcome(Arc<StepOutcome>),
    /// A step that was not sent becomes another one: the same number for the same row.
    ReplaceStep(Box<Step>),
    /// Reads up to `limit` pending steps, from a number on.
    ReadSteps {
        from: u32,
        limit: usize,
    },
}

/// An event from the journal writer, in the order of the commands.
#[derive(Debug)]
pub(crate) enum WriteEvent {
    /// The intent is on disk: the step may be sent.
    IntentRecorded(u32),
    /// The outcome is on disk: it may be reported.
    OutcomeRecorded(u32),
    /// The requested steps; empty at the end of the plan.
    Steps(Vec<Step>),
    /// The journal can no longer be written.
    Failed(JournalError),
}

/// Writes a journal while its plan is sent.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    /// Commands not sent yet: one message for many wakes the thread once.
    pending: Vec<WriteCommand>,
    received: VecDeque<WriteEvent>,
    worker: Worker,
    path: PathBuf,
}

/// Who writes.
#[derive(Debug)]
enum Worker {
    Thread {
        commands: mpsc::Sender<Vec<WriteCommand>>,
        events: UnboundedReceiver<Vec<WriteEvent>>,
        thread: JoinHandle<Journal>,
    },
    #[cfg(test)]
    Inline(super::inline_writer::InlineWriter),
}

impl JournalWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub(crate) fn start(journal: Journal) -> std::io::Result<Self> {
        let path = journal.path();
        let (commands, incoming) = mpsc::channel();
        // Bounded by the caller: a few commands for each step in flight, and one for each step read last.
        let (outgoing, events) = unbounded_channel();
        let named = thread::Builder::new().name("journal".into());
        let thread = named.spawn(move || {
            write(&journal, &incoming, &outgoing);
            journal
        })?;
        Ok(Self::new(Worker::Thread { commands, events, thread }, path))
    }

    /// A writer that commits at each [`JournalWriter::flush`], without a thread: tests with a paused clock, which would
    /// run ahead while a thread works.
    #[cfg(test)]
    pub(in crate::run) fn inline(writer: super::inline_writer::InlineWriter) -> Self {
        let path = writer.path();
        Self::new(Worker::Inline(writer), path)
    }

    fn new(worker: Worker, path: PathBuf) -> Self {
        Self { pending: Vec::new(), received: VecDeque::new(), worker, path }
    }

    /// Adds a command to the next [`JournalWriter::flush`].
    pub(crate) fn append(&mut self, command: WriteCommand) {
        self.pending.push(command);
    }

    /// Hands the commands to the writer. Where it has ended, [`JournalWriter::next`] says so.
    pub(crate) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match &mut self.worker {
            Worker::Thread { commands, .. } => drop(commands.send(std::mem::take(&mut self.pending))),
            #[cfg(test)]
            Worker::Inline(writer) => self.received.extend(writer.write(&mut self.pending)),
        }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> WriteEvent {
        loop {
            if let Some(event) = self.received.pop_front() {
                return event;
            }
            let more = match &mut self.worker {
                Worker::Thread { events, .. } => events.recv().await,
                #[cfg(test)]
                Worker::Inline(writer) => writer.next().await,
            };
            match more {
                Some(events) => self.received.extend(events),
                None => return WriteEvent::Failed(JournalError::Gone { path: self.path.clone() }),
            }
        }
    }

    /// An event that has already arrived.
    pub(crate) fn try_next(&mut self) -> Option<WriteEvent> {
        if self.received.is_empty() {
            self.received.extend(self.worker.arrived());
        }
        self.received.pop_front()
    }

    /// Writes all commands, ends the writer and gives the journal back with the remaining events.
    ///
    /// # Errors
    /// Where the thread panicked, which is a bug.
    pub(crate) fn finish(mut self) -> Result<(Journal, Vec<WriteEvent>), JournalError> {
        self.flush();
        let mut events = Vec::from(self.received);
        match self.worker {
            Worker::Thread { commands, events: mut more, thread } => {
                drop(commands);
                let journal = thread.join().map_err(|_| JournalError::Gone { path: self.path })?;
                while let Ok(more) = more.try_recv() {
                    events.extend(more);
                }
                Ok((journal, events))
            }
            #[cfg(test)]
            Worker::Inline(writer) => Ok((writer.into_journal(), events)),
        }
    }
}

impl Worker {
    /// Events that need no wait.
    fn arrived(&mut self) -> Vec<WriteEvent> {
        match self {
            Worker::Thread { events, .. } => events.try_recv().unwrap_or_default(),
            #[cfg(test)]
            Worker::Inline(_) => Vec::new(),
        }
    }
}

fn write(journal: &Journal, incoming: &mpsc::Receiver<Vec<WriteCommand>>, outgoing: &UnboundedSender<Vec<WriteEvent>>) {
    let mut batch = Vec::with_capacity(64);
    while let Ok(first) = incoming.recv() {
        batch.extend(first);
        let until = Instant::now() + BATCH_DELAY;
        while batch.len() < BATCH
            && let Ok(more) = incoming.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            batch.extend(more);
        }
        match commit(journal, &mut batch) {
            // After a second interrupt nobody receives the events; the commands still go to disk.
            Ok(events) => drop(outgoing.send(events)),
            Err(error) => {
                let _ = outgoing.send(vec![WriteEvent::Failed(error)]);
                return;
            }
        }
    }
}

/// Writes commands as one batch, without a writer.
#[cfg(test)]
pub(super) fn commit_all(journal: &Journal, mut commands: Vec<WriteCommand>) -> Result<Vec<WriteEvent>, JournalError> {
    commit(journal, &mut commands)
}

/// Writes a batch durably and gives the events for it.
pub(super) fn commit(journal: &Journal, batch: &mut Vec<WriteCommand>) -> Result<Vec<WriteEvent>, JournalError> {
    let mut events = Vec::with_capacity(batch.len());
    let mut reads = Vec::new();
    let writes = batch.iter().any(|command| !matches!(command, WriteCommand::ReadSteps { .. }));
    journal.file.attempt(|connection| {
        // Rolled back where a command fails: half a batch must not look written to the next reader.
        let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        let transaction = writes.then(begin).transpose()?;
        let now = Timestamp::now().to_string();
        for command in batch.drain(..) {
            match command {
                WriteCommand::ReadSteps { from, limit } => reads.push((from, limit)),
                command => events.extend(execute(connection, &now, command)?),
            }
        }
        transaction.map_or(Ok(()), Transaction::commit)
    })?;
    for (from, limit) in reads {
        events.push(WriteEvent::Steps(journal.pending_steps(from, limit)?));
    }
    Ok(events)
}

fn execute(connection: &Connection, now: &str, command: WriteCommand) -> rusqlite::Result<Option<WriteEvent>> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values);
    match command {
        WriteCommand::RecordIntent(step) => {
            run(
                "INSERT INTO intent (step, at, sends) VALUES (?1, ?2, 1) \
                 ON CONFLICT (step) DO UPDATE SET at = excluded.at, sends = sends + 1",
                params![step, now],
            )?;
            Ok(Some(WriteEvent::IntentRecorded(step)))
        }
        WriteCommand::ClearIntent(step) => {
            // The outcome `unknown` of an earlier reconciliation must go too, or the step would never be sent again.
            run("DELETE FROM outcome WHERE step = ?1", params![step])?;
            run("DELETE FROM intent WHERE step = ?1", params![step]).map(|_| None)
        }
        WriteCommand::RecordAttempts(attempts) => {
            for attempt in attempts {
                let at = Timestamp::from_millisecond(attempt.at)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?
                    .to_string();
                run(
                    "INSERT INTO attempt (step, at, milliseconds, request, status, reply) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        attempt.step,
                        at,
                        attempt.milliseconds as i64,
                        attempt.request.to_string(),
                        attempt.status,
                        attempt.reply,
                    ],
                )?;
            }
            Ok(None)
        }
        WriteCommand::RecordOutcome(outcome) => {
            let message = (!outcome.message.is_empty()).then_some(&outcome.message);
            run(
                "INSERT OR REPLACE INTO outcome (step, at, result, record, after, message, problems) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    outcome.step,
                    now,
                    RESULTS.encode(outcome.result),
                    outcome.record,
                    outcome.after.as_ref().map(Json),
                    message,
                    encode_problems(&outcome.problems),
                ],
            )?;
            Ok(Some(WriteEvent::OutcomeRecorded(outcome.step)))
        }
        WriteCommand::ReplaceStep(step) => {
            let (write, record) = encode_write(step.write);
            // Its body is complete: it depends on nothing any longer.
            run(
                "UPDATE step SET write = ?2, record = ?3, body = ?4, stood = ?5, awaits = NULL WHERE step = ?1",
                params![step.number, write, record, Json(&step.body), step.before.as_ref().map(Json)],
            )?;
            run("DELETE FROM intent WHERE step = ?1", params![step.number]).map(|_| None)
        }
        WriteCommand::ReadSteps { .. } => Ok(None),
    }
}
