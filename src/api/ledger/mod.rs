//! The quota across processes and restarts: one small SQLite file per key and service in the state dir.
//!
//! Every request passes one transaction that asks "may I send now?" and counts it, so that no two processes take the
//! same place. A kill loses nothing that was counted. All time is an argument.
//!
//! What always holds
//! - Of the requests that processes on this machine send with a key, no process lets more than its own N lie within
//!   any 3,601 seconds (see [`HOUR`] for the one second), and none waits while there is room.
//! - Processes that wait take turns: each has a ticket in the file, with the moment it will be due and the moment until
//!   which it is believed to live. A place that is free belongs to the tickets that are due, in order. A process that
//!   died loses its turn two seconds after the moment it should have asked again.
//! - What the service says holds for all: a closed gate (429, nothing left), its own limit, and, where it has counted
//!   more than we have, that somebody else uses the key too. Requests of others count against the service's limit, not
//!   against our own.
//! - Times are those of the machine's clock, which all processes share. Where that is set, the first process to see it
//!   moves all times in the file by as much: exactly where a process was running then, which has its steady clock to
//!   tell by; where none was, as if no time had passed since the last entry. The one thing nobody can see is a clock
//!   that was set forward while no process was running.
//! - The key is not in the file, and only a digest of it is in its name.
//!
//! Left to the caller: sleeping, and what to do where the file breaks midway.

mod error;
mod open;
mod page;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::Secret;
use super::clock::Reading;
use super::quota::{HOUR, WaitReason};
pub use error::LedgerError;
use page::{By, Counted, Page, ServerLimit};

const SPAN_MS: i64 = HOUR.as_millis() as i64;
/// How long after it has left the window a request may still be counted by the service: one may take a minute to
/// arrive, and its answer some time to come back.
const GRACE_MS: i64 = 75_000;
/// A ticket is given up this long after its process should have asked again.
const TICKET_MS: i64 = 2_000;
/// Who waits asks again after this long at the latest, to see what others have done.
const LONGEST_REST_MS: i64 = 30_000;
/// Clocks drift apart a little; what is more was set. Well below the second that the window has to spare.
const DRIFT_MS: i64 = 500;
/// Drift is measured anew after this long.
const ANCHOR_MS: i64 = 60_000;
/// At the start there is no steady clock to tell by, and the time was read before the file was waited for.
const LATE_MS: i64 = 10_000;
/// How often to look whether the file is still the one that was opened.
const LOOK_MS: i64 = 1_000;
/// A service whose limit is past its reset is asked again with one request in this time.
const PROBE_MS: i64 = 60_000;

/// May a request leave?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes, and it is counted.
    Go,
    Wait(Wait),
}

/// Not yet. Times are the machine's clock's, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// When it probably may.
    pub(super) until_ms: i64,
    /// When to ask again: then or sooner.
    pub(super) again_ms: i64,
    pub(super) reason: WaitReason,
}

/// What an answer told of the service's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) limit: u64,
    pub(super) remaining: Option<u64>,
    /// Until requests come back.
    pub(super) reset: Option<Duration>,
}

/// Why the file could not be used just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Some other program holds it; that may pass.
    Busy,
    /// It will not get better. With the cause, for people.
    Broken(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match open::is_busy(&error) {
            true => Trouble::Busy,
            false => Trouble::Broken(error.to_string()),
        }
    }
}

/// A process's hold on the file.
#[derive(Debug)]
pub(super) struct Ledger {
    connection: Connection,
    path: PathBuf,
    /// Of the file that was opened.
    identity: Option<u64>,
    looked_ms: i64,
    /// This process among the others.
    process: i64,
    /// Requests an hour; none for no limit.
    limit: Option<u32>,
    /// Both clocks at one moment, with `moved_ms` of then.
    anchor: Option<(Reading, i64)>,
    /// Requests of this machine within the window, when last asked.
    known: i64,
    remarks: Vec<String>,
}

/// The name of the file for a key at a service: the beginning of a digest, of which nobody reads the key.
pub(super) fn file_name(key: &Secret, host: &str) -> String {
    format!("{}.sqlite", key.digest(&format!("quota ledger\0{host}")))
}

impl Ledger {
    /// The file at `path`, made with its folder if it does not exist, for a process that sends at most `limit`
    /// requests an hour.
    ///
    /// # Errors
    /// A folder that cannot be written, and a file that is damaged, locked or of a newer format.
    pub(super) fn open(path: &Path, limit: Option<u32>, now: Reading) -> Result<Self, LedgerError> {
        let connection = open::open(path)?;
        let mut ledger = Self {
            connection,
            path: path.to_owned(),
            identity: open::identity(path),
            looked_ms: now.steady_ms,
            process: fastrand::i64(..),
            limit: limit.map(|limit| limit.max(1)),
            anchor: None,
            known: 0,
            remarks: Vec::new(),
        };
        ledger.change(now, |_, _, _| Ok(())).map_err(|trouble| match trouble {
            Trouble::Busy => LedgerError::Locked { path: path.to_owned() },
            Trouble::Broken(cause) => LedgerError::Damaged { path: path.to_owned(), cause },
        })?;
        Ok(ledger)
    }

    /// Counts a request that leaves now, or says when to ask again.
    pub(super) fn take(&mut self, now: Reading) -> Result<Verdict, Trouble> {
        self.look(now)?;
        let (process, limit) = (self.process, self.limit);
        let (verdict, known) = self.change(now, |page, now, wall| {
            let verdict = take(page, process, limit, now)?;
            // Where the clock runs behind the last entry, so does the caller's sleep.
            let verdict = match verdict {
                Verdict::Wait(wait) => Verdict::Wait(Wait { again_ms: wait.again_ms.max(wall + 1), ..wait }),
                Verdict::Go => Verdict::Go,
            };
            Ok((verdict, page.counted(Counted::Ours)))
        })?;
        self.known = known;
        Ok(verdict)
    }

    /// Nothing leaves for `span` from now, from any process. A shorter closure never shortens a longer one.
    pub(super) fn close(&mut self, now: Reading, span: Duration, reason: WaitReason) -> Result<(), Trouble> {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.change(now, |page, now, _| {
            let until = now.saturating_add(span);
            if page.state.closed.is_none_or(|(closed, _)| closed < until) {
                page.state.closed = Some((until, reason));
            }
            Ok(())
        })
    }

    /// Takes in what the service says of its own count, where that is news.
    pub(super) fn learn(&mut self, now: Reading, told: Told) -> Result<(), Trouble> {
        let page = Page::read(&self.connection)?;
        let news = News::of(&page, told, now.wall_ms.max(page.state.clock_ms));
        if news.is_known(&page) {
            return Ok(());
        }
        self.change(now, |page, now, _| {
            let news = News::of(page, told, now);
            page.state.server = Some(news.server);
            let foreign = news.foreign - page.just_left()?;
            page.count(news.foreign_at_ms, By::Others, foreign)
        })
    }

    /// How many requests may leave now; none for no limit. Changes nothing.
    pub(super) fn left(&self, now: Reading) -> Result<Option<usize>, Trouble> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut page = Page::read(&transaction)?;
        page.sweep_unwritten(now.wall_ms.max(page.state.clock_ms))?;
        let room = limits(&page, self.limit).into_iter().flatten().map(|limit| limit.room(&page)).min();
        Ok(room.map(|room| usize::try_from(room).unwrap_or(0)))
    }

    /// Requests of this machine within the window, when a request was last let through or sent waiting.
    pub(super) fn known(&self) -> usize {
        usize::try_from(self.known).unwrap_or(0)
    }

    /// What somebody should know, since the last time of asking.
    pub(super) fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One transaction, with the time it is by the file and by the machine.
    fn change<T>(
        &mut self,
        reading: Reading,
        work: impl FnOnce(&mut Page<'_>, i64, i64) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut page = Page::read(&transaction)?;
        let jump = jump(self.anchor, reading, &page);
        if jump != 0 {
            page.shift(jump, reading.wall_ms)?;
        }
        let now = reading.wall_ms.max(page.state.clock_ms);
        page.state.clock_ms = now;
        page.sweep(now)?;
        let done = work(&mut page, now, reading.wall_ms)?;
        page.write()?;
        let moved = page.state.moved_ms;
        transaction.commit()?;
        let is_old =
            |(anchor, then): (Reading, i64)| then != moved || reading.steady_ms - anchor.steady_ms >= ANCHOR_MS;
        if self.anchor.is_none_or(is_old) {
            self.anchor = Some((reading, moved));
        }
        if jump != 0 {
            self.remark(jump);
        }
        Ok(done)
    }

    fn remark(&mut self, jump_ms: i64) {
        let seconds = jump_ms.unsigned_abs().div_ceil(1_000);
        let way = if jump_ms < 0 { "back" } else { "forward" };
        let remark = format!(
            "this machine's clock was set {way} by {seconds} s; the count of the last hour's requests was moved with it"
        );
        tracing::warn!("{remark}");
        self.remarks.push(remark);
    }

    /// SQLite goes on writing to a file that was deleted, where nobody else sees it.
    fn look(&mut self, now: Reading) -> Result<(), Trouble> {
        if now.steady_ms - self.looked_ms < LOOK_MS {
            return Ok(());
        }
        self.looked_ms = now.steady_ms;
        match open::identity(&self.path) == self.identity {
            true => Ok(()),
            false => Err(Trouble::Broken("the file was deleted or replaced".to_owned())),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Without a goodbye the others wait two seconds for a turn that nobody takes.
        let page = Page::read(&self.connection);
        let _ = page.and_then(|page| page.leave_queue(self.process));
    }
}

/// How far the machine's clock was set since this process last looked; 0 where it was not, or where another process
/// has seen to it already.
fn jump(anchor: Option<(Reading, i64)>, now: Reading, page: &Page<'_>) -> i64 {
    match anchor {
        None if now.wall_ms + LATE_MS < page.state.clock_ms => now.wall_ms - page.state.clock_ms,
        None => 0,
        Some((_, moved)) if moved != page.state.moved_ms => 0,
        Some((then, _)) => {
            let jump = (now.wall_ms - then.wall_ms) - (now.steady_ms - then.steady_ms);
            if jump.abs() > DRIFT_MS { jump } else { 0 }
        }
    }
}

/// A number of requests, and whose they are.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: i64,
    counted: Counted,
    /// It holds no longer than that.
    until_ms: i64,
    reason: WaitReason,
}

impl Limit {
    /// How many more there may be; negative where there are too many, as they were counted against a higher limit.
    fn room(self, page: &Page<'_>) -> i64 {
        self.most - page.counted(self.counted)
    }
}

fn limits(page: &Page<'_>, own: Option<u32>) -> [Option<Limit>; 2] {
    let own = own.map(|most| Limit {
        most: most.into(),
        counted: Counted::Ours,
        until_ms: i64::MAX,
        reason: WaitReason::Quota,
    });
    let server = page.state.server.map(|server| Limit {
        most: server.limit,
        counted: Counted::All,
        until_ms: server.until_ms,
        reason: WaitReason::ServerQuota,
    });
    [own, server]
}

/// The rule.
fn take(page: &mut Page<'_>, process: i64, own: Option<u32>, now: i64) -> rusqlite::Result<Verdict> {
    if let Some((until, reason)) = page.state.closed.filter(|(until, _)| *until > now) {
        return Ok(Verdict::Wait(Wait { until_ms: until, again_ms: until.min(now + LONGEST_REST_MS), reason }));
    }
    page.state.closed = None;
    forget_server(page, now);
    let limits = limits(page, own);
    let ticket = page.ticket(process)?;
    let ahead = page.ahead(process, ticket, now)?;
    if limits.iter().flatten().all(|limit| limit.room(page) > ahead.due) {
        page.count(now, By::Us, 1)?;
        if ticket.is_some() {
            page.leave_queue(process)?;
        }
        return Ok(Verdict::Go);
    }
    let (mut due, mut reason) = (now + 1, WaitReason::Quota);
    for limit in limits.into_iter().flatten() {
        let need = ahead.all + 1 - limit.room(page);
        if need <= 0 {
            continue;
        }
        // With more in the queue than there are places in all, the place will be that of a request not yet sent.
        let left = page.when_left(limit.counted, need)?.unwrap_or(now + SPAN_MS);
        let free = left.min(limit.until_ms);
        if free > due {
            (due, reason) = (free, limit.reason);
        }
    }
    // Also when a ticket ahead may have been given up: its place would be ours.
    let given_up = ahead.until_ms.map_or(i64::MAX, |until| until + 1);
    let again = due.min(given_up).min(now + LONGEST_REST_MS);
    page.queue(process, ticket, due, again + TICKET_MS)?;
    Ok(Verdict::Wait(Wait { until_ms: due, again_ms: again, reason }))
}

/// What the service said of its limit holds until its reset. After that nobody knows, so where its limit stands in
/// the way one request goes to ask, and the answer tells.
fn forget_server(page: &mut Page<'_>, now: i64) {
    let all = page.counted(Counted::All);
    page.state.server = match page.state.server {
        Some(server) if server.until_ms + SPAN_MS <= now => None,
        Some(server) if server.until_ms <= now && server.limit <= all => {
            Some(ServerLimit { limit: all + 1, until_ms: now + PROBE_MS })
        }
        server => server,
    };
}

/// What the service's own count means for ours.
#[derive(Debug, Clone, Copy)]
struct News {
    server: ServerLimit,
    /// Requests it has counted and we have not.
    foreign: i64,
    foreign_at_ms: i64,
}

impl News {
    fn of(page: &Page<'_>, told: Told, now: i64) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let limit = number(told.limit);
        let remaining = told.remaining.map(|remaining| number(remaining).min(limit));
        let reset =
            told.reset.and_then(|reset| i64::try_from(reset.as_millis()).ok()).filter(|reset| *reset <= SPAN_MS);
        let counted = page.counted(Counted::All);
        // Where much more is left than our count leaves, the service counts in a shorter window than an hour, or has
        // begun a new one: its word goes. A little more is what is on its way.
        let by_its_word = remaining.map_or(limit, |remaining| counted + remaining);
        let limit = if by_its_word - limit > (limit / 4).max(8) { by_its_word } else { limit };
        Self {
            server: ServerLimit { limit, until_ms: now + reset.unwrap_or(SPAN_MS) },
            foreign: remaining.map_or(0, |remaining| number(told.limit) - remaining - counted),
            foreign_at_ms: reset.map_or(now, |reset| now + reset - SPAN_MS),
        }
    }

    /// Whether the file holds as much already, so that nothing need be written.
    fn is_known(&self, page: &Page<'_>) -> bool {
        let is_fresh =
            |known: ServerLimit| known.limit == self.server.limit && known.until_ms + PROBE_MS > self.server.until_ms;
        self.foreign <= 0 && page.state.server.is_some_and(is_fresh)
    }
}
