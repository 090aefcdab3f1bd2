//! What the service's own count means for ours.

use super::super::response_headers::ServerQuota;
use super::SPAN_MS;
use super::admission::PROBE_MS;
use super::transaction::{LimitScope, QuotaTransaction, ServerLimit};

/// The service's limit, and the requests of others that its count reveals.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuotaUpdate {
    pub(super) server: ServerLimit,
    /// Requests it has counted and we have not.
    pub(super) foreign: i64,
    pub(super) foreign_at_ms: i64,
}

impl QuotaUpdate {
    pub(super) fn new(transaction: &QuotaTransaction<'_>, server: ServerQuota, now: i64) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let limit = number(server.limit);
        let remaining = server.remaining.map(|remaining| number(remaining).min(limit));
        let reset =
            server.reset.and_then(|reset| i64::try_from(reset.as_millis()).ok()).filter(|reset| *reset <= SPAN_MS);
        let counted = transaction.counted(LimitScope::Everyone);
        // If much more remains than our count leaves, the service counts in a window shorter than an hour, or has
        // begun a new one: its number counts. A little more is what is in flight.
        let by_its_count = remaining.map_or(limit, |remaining| counted + remaining);
        let limit = if by_its_count - limit > (limit / 4).max(8) { by_its_count } else { limit };
        Self {
            server: ServerLimit { limit, until_ms: now + reset.unwrap_or(SPAN_MS) },
            foreign: remaining.map_or(0, |remaining| number(server.limit) - remaining - counted),
            foreign_at_ms: reset.map_or(now, |reset| now + reset - SPAN_MS),
        }
    }

    /// Whether the file says the same already, so that nothing has to be written.
    pub(super) fn is_known(&self, transaction: &QuotaTransaction<'_>) -> bool {
        let is_fresh =
            |known: ServerLimit| known.limit == self.server.limit && known.until_ms + PROBE_MS > self.server.until_ms;
        self.foreign <= 0 && transaction.state.server.is_some_and(is_fresh)
    }
}
