//! What the quota file holds, read and written within one transaction.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::wait::WaitReason;
use super::SPAN_MS;

/// How long a request is kept after it has left the window: one may take a minute to arrive, and its response some time
/// to come back, so the service may still count it.
const GRACE_MS: i64 = 75_000;

/// The one row of table `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuotaState {
    /// The latest time any process has seen.
    pub(super) clock_ms: i64,
    swept_ms: i64,
    pub(super) moved_ms: i64,
    /// Requests of this machine within the window.
    pub(super) ours: i64,
    /// Requests of others within the window, as far as the service's own count shows.
    others: i64,
    next_ticket: i64,
    pub(super) paused: Option<(i64, WaitReason)>,
    pub(super) server: Option<ServerLimit>,
}

/// The service's own limit, and how long it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerLimit {
    pub(super) limit: i64,
    pub(super) until_ms: i64,
}

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A process of this machine.
    ThisMachine,
    /// Somebody elsewhere who uses the key too.
    Others,
}

impl Sender {
    fn word(self) -> &'static str {
        match self {
            Sender::ThisMachine => "us",
            Sender::Others => "others",
        }
    }
}

/// Which requests a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitScope {
    ThisMachine,
    /// Others who use the key are counted too.
    Everyone,
}

/// The tickets of other processes ahead of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueAhead {
    /// How many there are.
    pub(super) all: i64,
    /// How many of them may take a free place now.
    pub(super) due: i64,
    /// When the first of them expires unless its process asks again.
    pub(super) until_ms: Option<i64>,
}

/// One transaction: what the file held when it began, and what will be written.
pub(super) struct QuotaTransaction<'a> {
    connection: &'a Connection,
    before: QuotaState,
    pub(super) state: QuotaState,
}

impl<'a> QuotaTransaction<'a> {
    pub(super) fn read(connection: &'a Connection) -> rusqlite::Result<Self> {
        let state = connection.prepare_cached("SELECT * FROM state")?.query_row([], QuotaState::from_row)?;
        Ok(Self { connection, before: state, state })
    }

    /// Writes the state back if it has changed.
    pub(super) fn write(&self) -> rusqlite::Result<()> {
        let state = &self.state;
        if *state == self.before {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "UPDATE state SET clock_ms = :clock, swept_ms = :swept, moved_ms = :moved, ours = :ours, \
                 others = :others, next_ticket = :ticket, closed_until_ms = :closed_until, closed_reason = :reason, \
                 server_limit = :limit, server_limit_until_ms = :limit_until",
            )?
            .execute(named_params! {
                ":clock": state.clock_ms,
                ":swept": state.swept_ms,
                ":moved": state.moved_ms,
                ":ours": state.ours,
                ":others": state.others,
                ":ticket": state.next_ticket,
                ":closed_until": state.paused.map(|(until, _)| until),
                ":reason": state.paused.map(|(_, reason)| word(reason)),
                ":limit": state.server.map(|server| server.limit),
                ":limit_until": state.server.map(|server| server.until_ms),
            })?;
        Ok(())
    }

    /// Subtracts the requests that have left the window at `now` from the totals, and deletes what is no longer needed.
    pub(super) fn expire(&mut self, now: i64) -> rusqlite::Result<()> {
        let horizon = now - SPAN_MS;
        if horizon <= self.state.swept_ms {
            return Ok(());
        }
        let (ours, others) = self.expired_by(horizon)?;
        self.state.swept_ms = horizon;
        if ours + others > 0 {
            self.state.ours -= ours;
            self.state.others -= others;
            self.connection.prepare_cached("DELETE FROM sent WHERE at_ms <= ?1")?.execute([horizon - GRACE_MS])?;
            self.connection.prepare_cached("DELETE FROM waiting WHERE until_ms <= ?1")?.execute([horizon])?;
        }
        Ok(())
    }

    /// The requests, ours and others', that are still in the totals but lie at or before `horizon`.
    fn expired_by(&self, horizon: i64) -> rusqlite::Result<(i64, i64)> {
        self.connection
            .prepare_cached(
                "SELECT coalesce(sum(count) FILTER (WHERE by = 'us'), 0), \
                 coalesce(sum(count) FILTER (WHERE by = 'others'), 0) FROM sent WHERE at_ms > ?1 AND at_ms <= ?2",
            )?
            .query_row([self.state.swept_ms, horizon], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Requests within the window at `now`.
    pub(super) fn counted(&self, scope: LimitScope) -> i64 {
        match scope {
            LimitScope::ThisMachine => self.state.ours,
            LimitScope::Everyone => self.state.ours.saturating_add(self.state.others),
        }
    }

    /// As [`Self::expire`], for a transaction that only reads.
    pub(super) fn expire_unwritten(&mut self, now: i64) -> rusqlite::Result<()> {
        let (ours, others) = self.expired_by(now - SPAN_MS)?;
        self.state.ours -= ours;
        self.state.others -= others;
        Ok(())
    }

    /// Requests that have left the window but are still in the file: the service may still count one that was slow on its
    /// way.
    pub(super) fn expired_but_kept(&self) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached("SELECT coalesce(sum(count), 0) FROM sent WHERE at_ms <= ?1")?
            .query_row([self.state.swept_ms], |row| row.get(0))
    }

    /// Counts `count` requests at a moment within the window.
    pub(super) fn count(&mut self, at_ms: i64, by: Sender, count: i64) -> rusqlite::Result<()> {
        if at_ms <= self.state.swept_ms || count <= 0 {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO sent (at_ms, by, count) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET count = count + excluded.count",
            )?
            .execute(params![at_ms, by.word(), count])?;
        match by {
            Sender::ThisMachine => self.state.ours += count,
            Sender::Others => self.state.others += count,
        }
        Ok(())
    }

    /// Takes back requests of this machine that were counted at a moment and not sent. Where the clock has been set since,
    /// they stay counted.
    pub(super) fn give_back(&mut self, at_ms: i64, count: i64) -> rusqlite::Result<()> {
        if at_ms <= self.state.swept_ms || count <= 0 {
            return Ok(());
        }
        let found = self
            .connection
            .prepare_cached("UPDATE sent SET count = count - ?3 WHERE at_ms = ?1 AND by = ?2 AND count > ?3")?
            .execute(params![at_ms, Sender::ThisMachine.word(), count])?;
        if found > 0 {
            self.state.ours -= count;
        }
        Ok(())
    }

    /// When `need` (at least one) of the counted requests will have left the window; none where there are fewer.
    pub(super) fn when_expired(&self, scope: LimitScope, need: i64) -> rusqlite::Result<Option<i64>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT at_ms, count FROM sent WHERE at_ms > ?1 AND (?2 OR by = 'us') ORDER BY at_ms")?;
        let mut rows = statement.query(params![self.state.swept_ms, scope == LimitScope::Everyone])?;
        let mut left = 0;
        while let Some(row) = rows.next()? {
            left += row.get::<_, i64>(1)?;
            if left >= need {
                return Ok(Some(row.get::<_, i64>(0)? + SPAN_MS));
            }
        }
        Ok(None)
    }

    /// Moves every time by `clock_jump_ms`, as the machine's clock was moved, and counts anew what is in the window.
    /// Nothing is moved beyond `now`: such a request was counted by a process that saw the clock after it was set.
    pub(super) fn shift(&mut self, clock_jump_ms: i64, now: i64) -> rusqlite::Result<()> {
        let moved: Vec<(i64, String, i64)> = self
            .connection
            .prepare("SELECT at_ms, by, count FROM sent ORDER BY at_ms")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        self.connection.execute("DELETE FROM sent", [])?;
        // Waiting processes ask again soon, and take a new place in the queue.
        self.connection.execute("DELETE FROM waiting", [])?;
        let state = &mut self.state;
        state.clock_ms = (state.clock_ms + clock_jump_ms).min(now);
        state.swept_ms = now - SPAN_MS;
        state.moved_ms += clock_jump_ms;
        state.paused = state.paused.map(|(until, reason)| (until + clock_jump_ms, reason));
        state.server = state.server.map(|server| ServerLimit { until_ms: server.until_ms + clock_jump_ms, ..server });
        (state.ours, state.others) = (0, 0);
        for (at_ms, by, count) in moved {
            let by = if by == Sender::ThisMachine.word() { Sender::ThisMachine } else { Sender::Others };
            self.count((at_ms + clock_jump_ms).min(now), by, count)?;
        }
        Ok(())
    }

    /// The ticket of this process, if it has one.
    pub(super) fn ticket(&self, process: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT ticket FROM waiting WHERE process = ?1")?
            .query_row([process], |row| row.get(0))
            .optional()
    }

    /// The tickets ahead of `ticket` at `now`; for a process without one, all.
    pub(super) fn queue_ahead(&self, process: i64, ticket: Option<i64>, now: i64) -> rusqlite::Result<QueueAhead> {
        self.connection
            .prepare_cached(
                "SELECT count(*), count(*) FILTER (WHERE due_ms <= ?1), min(until_ms) FROM waiting \
                 WHERE until_ms > ?1 AND process <> ?2 AND ticket < ?3",
            )?
            .query_row([now, process, ticket.unwrap_or(i64::MAX)], |row| {
                Ok(QueueAhead { all: row.get(0)?, due: row.get(1)?, until_ms: row.get(2)? })
            })
    }

    /// Takes a ticket, or keeps the one it has, and records when this process will be due and until when it is presumed
    /// alive.
    pub(super) fn queue(&mut self, process: i64, ticket: Option<i64>, due: i64, until: i64) -> rusqlite::Result<()> {
        let ticket = ticket.unwrap_or_else(|| {
            self.state.next_ticket += 1;
            self.state.next_ticket - 1
        });
        self.connection
            .prepare_cached(
                "INSERT INTO waiting (process, ticket, due_ms, until_ms) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET due_ms = excluded.due_ms, until_ms = excluded.until_ms",
            )?
            .execute([process, ticket, due, until])?;
        Ok(())
    }

    /// Gives the ticket back.
    pub(super) fn leave_queue(&self, process: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached("DELETE FROM waiting WHERE process = ?1")?.execute([process]).map(drop)
    }
}

impl QuotaState {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let reason: Option<String> = row.get("closed_reason")?;
        let paused_until: Option<i64> = row.get("closed_until_ms")?;
        let limit: Option<i64> = row.get("server_limit")?;
        let limit_until: Option<i64> = row.get("server_limit_until_ms")?;
        Ok(Self {
            clock_ms: row.get("clock_ms")?,
            swept_ms: row.get("swept_ms")?,
            moved_ms: row.get("moved_ms")?,
            ours: row.get("ours")?,
            others: row.get("others")?,
            next_ticket: row.get("next_ticket")?,
            paused: paused_until.zip(reason.as_deref().map(reason_of)),
            server: limit.zip(limit_until).map(|(limit, until_ms)| ServerLimit { limit, until_ms }),
        })
    }
}

fn word(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::ServerQuota => "server quota",
        WaitReason::Throttled | WaitReason::Quota => "throttled",
    }
}

fn reason_of(word: &str) -> WaitReason {
    match word {
        "server quota" => WaitReason::ServerQuota,
        _ => WaitReason::Throttled,
    }
}
