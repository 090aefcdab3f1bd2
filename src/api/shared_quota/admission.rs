//! May a request be sent now? If not, when to ask again, and for what it waits.

use super::super::wait::WaitReason;
use super::SPAN_MS;
use super::transaction::{LimitScope, QuotaTransaction, Sender, ServerLimit};

/// A ticket expires this long after its process should have asked again.
pub(super) const TICKET_MS: i64 = 2_000;
/// A waiting process asks again after this long at the latest, to see what others have done.
const LONGEST_WAIT_MS: i64 = 30_000;
/// A service whose limit is past its reset is asked again with one request in this time.
pub(super) const PROBE_MS: i64 = 60_000;

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Admission {
    /// Yes, and it is counted.
    Granted,
    Wait(Wait),
}

/// Not yet. Times are the machine's clock's, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Wait {
    /// When it probably may be sent.
    pub(in super::super) until_ms: i64,
    /// When to ask again: then or sooner.
    pub(in super::super) again_ms: i64,
    pub(in super::super) reason: WaitReason,
}

/// A limit on the number of requests in the window, and whose requests it counts.
#[derive(Debug, Clone, Copy)]
struct QuotaLimit {
    most: i64,
    scope: LimitScope,
    /// It holds no longer than that.
    until_ms: i64,
    reason: WaitReason,
}

impl QuotaLimit {
    /// How many more requests fit; negative if there are too many, because they were counted against a higher limit.
    fn room(self, transaction: &QuotaTransaction<'_>) -> i64 {
        self.most - transaction.counted(self.scope)
    }
}

/// Our own limit and the service's.
fn limits(transaction: &QuotaTransaction<'_>, own: Option<u32>) -> [Option<QuotaLimit>; 2] {
    let own = own.map(|most| QuotaLimit {
        most: most.into(),
        scope: LimitScope::ThisMachine,
        until_ms: i64::MAX,
        reason: WaitReason::Quota,
    });
    let server = transaction.state.server.map(|server| QuotaLimit {
        most: server.limit,
        scope: LimitScope::Everyone,
        until_ms: server.until_ms,
        reason: WaitReason::ServerQuota,
    });
    [own, server]
}

/// How many requests fit now under every limit; none if there is no limit.
pub(super) fn room(transaction: &QuotaTransaction<'_>, own: Option<u32>) -> Option<i64> {
    limits(transaction, own).into_iter().flatten().map(|limit| limit.room(transaction)).min()
}

/// Counts a request of `process` at `now`, or puts the process into the queue.
pub(super) fn admit(
    transaction: &mut QuotaTransaction<'_>,
    process: i64,
    own: Option<u32>,
    now: i64,
) -> rusqlite::Result<Admission> {
    if let Some((until, reason)) = transaction.state.paused.filter(|(until, _)| *until > now) {
        return Ok(Admission::Wait(Wait { until_ms: until, again_ms: until.min(now + LONGEST_WAIT_MS), reason }));
    }
    transaction.state.paused = None;
    expire_server_limit(transaction, now);
    let limits = limits(transaction, own);
    let ticket = transaction.ticket(process)?;
    let ahead = transaction.queue_ahead(process, ticket, now)?;
    if limits.iter().flatten().all(|limit| limit.room(transaction) > ahead.due) {
        transaction.count(now, Sender::ThisMachine, 1)?;
        if ticket.is_some() {
            transaction.leave_queue(process)?;
        }
        return Ok(Admission::Granted);
    }
    let (mut due, mut reason) = (now + 1, WaitReason::Quota);
    for limit in limits.into_iter().flatten() {
        let need = ahead.all + 1 - limit.room(transaction);
        if need <= 0 {
            continue;
        }
        // If more processes wait than there are places in all, the place will be that of a request not sent yet.
        let expiry = transaction.when_expired(limit.scope, need)?.unwrap_or(now + SPAN_MS);
        let free = expiry.min(limit.until_ms);
        if free > due {
            (due, reason) = (free, limit.reason);
        }
    }
    // Also ask when a ticket ahead may have expired: its place would be ours.
    let ticket_ahead_expires = ahead.until_ms.map_or(i64::MAX, |until| until + 1);
    let again = due.min(ticket_ahead_expires).min(now + LONGEST_WAIT_MS);
    transaction.queue(process, ticket, due, again + TICKET_MS)?;
    Ok(Admission::Wait(Wait { until_ms: due, again_ms: again, reason }))
}

/// The service's limit holds until its reset. Nobody knows what it is then, so if it stands in the way, one request
/// goes to ask, and the response tells.
fn expire_server_limit(transaction: &mut QuotaTransaction<'_>, now: i64) {
    let all = transaction.counted(LimitScope::Everyone);
    transaction.state.server = match transaction.state.server {
        Some(server) if server.until_ms + SPAN_MS <= now => None,
        Some(server) if server.until_ms <= now && server.limit <= all => {
            Some(ServerLimit { limit: all + 1, until_ms: now + PROBE_MS })
        }
        server => server,
    };
}
