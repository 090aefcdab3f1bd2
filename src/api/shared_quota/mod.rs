//! The quota across processes and restarts: one small SQLite file per key and service in the state folder.
//!
//! Every request runs one transaction that asks "may I send now?" and counts the request, so no two processes take
//! the same place. Killing a process loses nothing that was counted. A process without a limit, to which it makes no
//! difference, counts some requests ahead, see [`CountedAhead`]. All times are arguments.
//!
//! ```text
//! open           create or open the file
//! transaction    what the file holds, read and written in one transaction
//! admission      may a request be sent now?
//! server_update  what the service's own count means for ours
//! ```
//!
//! What always holds
//! - Of the requests that processes on this machine send with a key, no process lets more than its own N lie within
//!   any 3,601 seconds (see [`HOUR`] for the extra second), and none waits while there is room.
//! - Waiting processes take turns: each has a ticket in the file, with the time at which it is due and the time until
//!   which its process is presumed alive. A free place goes to the tickets that are due, in order. A process that died
//!   loses its turn two seconds after the time it should have asked again.
//! - What the service says holds for all processes: a pause (429, nothing left), its own limit, and, if it has counted
//!   more than we have, that somebody else uses the key too. Requests of others count against the service's limit, not
//!   against our own.
//! - Times are those of the machine's clock, which all processes share. If somebody sets it, the first process to notice
//!   moves all times in the file by the same amount: exactly if a process was running then, since its monotonic clock
//!   shows by how much; otherwise as if no time had passed since the last entry. The one thing that cannot be detected
//!   is a clock that was set forward while no process was running.
//! - The key is not in the file, and only a digest of it is in its name.
//!
//! Left to the caller: sleeping, and what to do if the file fails midway.

mod admission;
mod error;
mod open;
mod server_update;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod transaction;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::clock::ClockReading;
use super::response_headers::ServerQuota;
use super::rolling_window::HOUR;
use super::secret::Secret;
use super::wait::WaitReason;
pub(super) use admission::Admission;
pub(crate) use error::SharedQuotaError;
use server_update::QuotaUpdate;
use transaction::{LimitScope, QuotaTransaction, Sender};

const SPAN_MS: i64 = HOUR.as_millis() as i64;
/// Differences between the clocks up to this are drift; larger ones mean that the clock was set. Well below the extra
/// second of the window.
const DRIFT_MS: i64 = 500;
/// Drift is measured anew after this long.
const ANCHOR_MS: i64 = 60_000;
/// How far behind the last entry the clock may be at the start, without an anchor to compare with: the time was read
/// before the file was waited for.
const START_TOLERANCE_MS: i64 = 10_000;
/// How often to check whether the file is still the one that was opened.
const FILE_CHECK_MS: i64 = 1_000;

/// How many requests a process without a limit counts at once.
const COUNTED_AHEAD: u32 = 32;
/// How long these places are good for. What other processes wrote since, such as a pause, is noticed that late.
const AHEAD_MS: i64 = 100;

/// Places that this process has counted and not used yet. One transaction for each of thousands of requests a second is a
/// tenth of an import. The file shows at most [`COUNTED_AHEAD`] requests too many, until they are sent or given back.
#[derive(Debug, Clone, Copy)]
struct CountedAhead {
    left: u32,
    /// When they were counted, by the file and by the monotonic clock.
    at_ms: i64,
    steady_ms: i64,
}

/// Why the file could not be used just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum QuotaFileError {
    /// Another program has locked it; that may pass.
    Busy,
    /// It will not get better. With the cause, for people.
    Broken(String),
}

impl From<rusqlite::Error> for QuotaFileError {
    fn from(error: rusqlite::Error) -> Self {
        if open::is_busy(&error) { QuotaFileError::Busy } else { QuotaFileError::Broken(error.to_string()) }
    }
}

/// The quota file as one process has it open.
#[derive(Debug)]
pub(super) struct SharedQuota {
    connection: Connection,
    path: PathBuf,
    /// Of the file that was opened.
    identity: Option<u64>,
    checked_ms: i64,
    /// The number of this process among the others.
    process: i64,
    /// Requests an hour; none for no limit.
    limit: Option<u32>,
    /// Both clocks at one moment, with `moved_ms` of then.
    anchor: Option<(ClockReading, i64)>,
    /// Requests of this machine within the window, when last asked.
    last_known: i64,
    ahead: Option<CountedAhead>,
    warnings: Vec<String>,
}

/// The name of the file for a key at a service: the beginning of a digest, from which nobody can recover the key.
pub(super) fn file_name(key: &Secret, host: &str) -> String {
    // The words are part of the digest: other words would be another file, and an hour of requests forgotten.
    format!("{}.sqlite", key.digest(&format!("quota ledger\0{host}")))
}

impl SharedQuota {
    /// The file at `path`, created with its folder if it does not exist, for a process that sends at most `limit`
    /// requests an hour.
    ///
    /// # Errors
    /// A folder that cannot be written, and a file that is damaged, locked or of a newer format.
    pub(super) fn open(path: &Path, limit: Option<u32>, now: ClockReading) -> Result<Self, SharedQuotaError> {
        let connection = open::open(path)?;
        let mut quota = Self {
            connection,
            path: path.to_owned(),
            identity: open::identity(path),
            checked_ms: now.steady_ms,
            process: fastrand::i64(..),
            limit: limit.map(|limit| limit.max(1)),
            anchor: None,
            last_known: 0,
            ahead: None,
            warnings: Vec::new(),
        };
        quota.change(now, |_, _, _| Ok(())).map_err(|error| match error {
            QuotaFileError::Busy => SharedQuotaError::Locked { path: path.to_owned() },
            QuotaFileError::Broken(cause) => SharedQuotaError::Damaged { path: path.to_owned(), cause },
        })?;
        Ok(quota)
    }

    /// Counts a request that is sent now, or says when to ask again.
    pub(super) fn acquire(&mut self, now: ClockReading) -> Result<Admission, QuotaFileError> {
        if let Some(ahead) = &mut self.ahead
            && ahead.left > 0
            && now.steady_ms - ahead.steady_ms < AHEAD_MS
        {
            ahead.left -= 1;
            return Ok(Admission::Granted);
        }
        self.check_file(now)?;
        let (process, limit) = (self.process, self.limit);
        let (admission, known, ahead) = self.change(now, |transaction, at_ms, wall| {
            let mut admission = admission::admit(transaction, process, limit, at_ms)?;
            // If the clock is behind the last entry, so is the caller's sleep.
            if let Admission::Wait(wait) = &mut admission {
                wait.again_ms = wait.again_ms.max(wall + 1);
            }
            let may_count_ahead = limit.is_none() && transaction.state.server.is_none();
            let ahead = (admission == Admission::Granted && may_count_ahead).then_some(CountedAhead {
                left: COUNTED_AHEAD - 1,
                at_ms,
                steady_ms: now.steady_ms,
            });
            if let Some(ahead) = ahead {
                transaction.count(at_ms, Sender::ThisMachine, ahead.left.into())?;
            }
            Ok((admission, transaction.counted(LimitScope::ThisMachine), ahead))
        })?;
        (self.last_known, self.ahead) = (known, ahead);
        Ok(admission)
    }

    /// No process sends anything for `span` from now. A shorter pause never shortens a longer one.
    pub(super) fn pause(
        &mut self,
        now: ClockReading,
        span: Duration,
        reason: WaitReason,
    ) -> Result<(), QuotaFileError> {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.change(now, |transaction, now, _| {
            let until = now.saturating_add(span);
            if transaction.state.paused.is_none_or(|(paused, _)| paused < until) {
                transaction.state.paused = Some((until, reason));
            }
            Ok(())
        })
    }

    /// Takes note of what the service says of its own count, if that is new.
    pub(super) fn learn(&mut self, now: ClockReading, server: ServerQuota) -> Result<(), QuotaFileError> {
        let transaction = QuotaTransaction::read(&self.connection)?;
        let update = QuotaUpdate::new(&transaction, server, now.wall_ms.max(transaction.state.clock_ms));
        if update.is_known(&transaction) {
            return Ok(());
        }
        self.change(now, |transaction, now, _| {
            let update = QuotaUpdate::new(transaction, server, now);
            transaction.state.server = Some(update.server);
            let foreign = update.foreign - transaction.expired_but_kept()?;
            transaction.count(update.foreign_at_ms, Sender::Others, foreign)
        })
    }

    /// How many requests may be sent now; none for no limit. Changes nothing.
    pub(super) fn remaining(&self, now: ClockReading) -> Result<Option<usize>, QuotaFileError> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut transaction = QuotaTransaction::read(&transaction)?;
        transaction.expire_unwritten(now.wall_ms.max(transaction.state.clock_ms))?;
        let room = admission::room(&transaction, self.limit);
        Ok(room.map(|room| usize::try_from(room).unwrap_or(0)))
    }

    /// Requests of this machine within the window, when a request was last let through or made to wait.
    pub(super) fn last_known(&self) -> usize {
        usize::try_from(self.last_known).unwrap_or(0)
    }

    /// Warnings since the last call.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs one transaction. `work` gets the time by the file and the time by the machine. What is counted ahead is given back
    /// first, so that the next request asks.
    fn change<T>(
        &mut self,
        reading: ClockReading,
        work: impl FnOnce(&mut QuotaTransaction<'_>, i64, i64) -> rusqlite::Result<T>,
    ) -> Result<T, QuotaFileError> {
        let unused = self.ahead.take();
        let sql = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut transaction = QuotaTransaction::read(&sql)?;
        let jump = clock_jump(self.anchor, reading, &transaction);
        if jump != 0 {
            transaction.shift(jump, reading.wall_ms)?;
        }
        let now = reading.wall_ms.max(transaction.state.clock_ms);
        transaction.state.clock_ms = now;
        transaction.expire(now)?;
        if let Some(unused) = unused {
            transaction.give_back(unused.at_ms, unused.left.into())?;
        }
        let done = work(&mut transaction, now, reading.wall_ms)?;
        transaction.write()?;
        let moved = transaction.state.moved_ms;
        sql.commit()?;
        let is_old =
            |(anchor, then): (ClockReading, i64)| then != moved || reading.steady_ms - anchor.steady_ms >= ANCHOR_MS;
        if self.anchor.is_none_or(is_old) {
            self.anchor = Some((reading, moved));
        }
        if jump != 0 {
            self.warn_of_jump(jump);
        }
        Ok(done)
    }

    /// Leaves no trace but what was sent.
    fn leave(&mut self) -> rusqlite::Result<()> {
        let unused = self.ahead.take();
        let sql = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut transaction = QuotaTransaction::read(&sql)?;
        transaction.leave_queue(self.process)?;
        if let Some(unused) = unused {
            transaction.give_back(unused.at_ms, unused.left.into())?;
            transaction.write()?;
        }
        sql.commit()
    }

    fn warn_of_jump(&mut self, jump_ms: i64) {
        let seconds = jump_ms.unsigned_abs().div_ceil(1_000);
        let direction = if jump_ms < 0 { "back" } else { "forward" };
        let warning = format!(
            "this machine's clock was set {direction} by {seconds} s; the count of the last hour's requests was moved \
             with it"
        );
        tracing::warn!("{warning}");
        self.warnings.push(warning);
    }

    /// SQLite keeps writing to a file that was deleted, where nobody else sees it.
    fn check_file(&mut self, now: ClockReading) -> Result<(), QuotaFileError> {
        if now.steady_ms - self.checked_ms < FILE_CHECK_MS {
            return Ok(());
        }
        self.checked_ms = now.steady_ms;
        if open::identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(QuotaFileError::Broken("the file was deleted or replaced".to_owned()))
    }
}

impl Drop for SharedQuota {
    fn drop(&mut self) {
        // Otherwise the others would wait two seconds for a turn that nobody takes.
        let _ = self.leave();
    }
}

/// By how many milliseconds the machine's clock was set since this process last looked; 0 if it was not, or if another
/// process has handled it already.
fn clock_jump(anchor: Option<(ClockReading, i64)>, now: ClockReading, transaction: &QuotaTransaction<'_>) -> i64 {
    let state = &transaction.state;
    match anchor {
        None if now.wall_ms + START_TOLERANCE_MS < state.clock_ms => now.wall_ms - state.clock_ms,
        None => 0,
        Some((_, moved)) if moved != state.moved_ms => 0,
        Some((then, _)) => {
            let jump = (now.wall_ms - then.wall_ms) - (now.steady_ms - then.steady_ms);
            if jump.abs() > DRIFT_MS { jump } else { 0 }
        }
    }
}
