//! Backoff while the service as a whole is failing.

use std::time::Duration;

use tokio::time::Instant;

/// How long the service may fail before the run stops. `resume` continues it.
const MAX_OUTAGE: Duration = Duration::from_secs(600);

/// The longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A circuit breaker with exponential backoff: closed while the service works, open until [`ServiceBackoff::retry_at`],
/// then half-open, when one step at a time probes the service. Waits start at a second and double up to a minute.
#[derive(Debug, Default)]
pub(super) struct ServiceBackoff {
    /// When the outage began; none while the circuit is closed.
    since: Option<Instant>,
    failures: u32,
    until: Option<Instant>,
}

impl ServiceBackoff {
    /// Closes the circuit: a request succeeded.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether the service works, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.since.is_none()
    }

    /// Opens the circuit: a request failed through no fault of its own. Failures while it is open count once. Gives
    /// false once the outage lasts too long.
    pub(super) fn record_failure(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if self.until.is_some_and(|until| until > now) {
            return true;
        }
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(MAX_WAIT);
        self.failures += 1;
        self.until = Some(now + wait);
        now.duration_since(since) < MAX_OUTAGE
    }

    /// When the next request may be sent; none where it may be sent now.
    pub(super) fn retry_at(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_a_minute_and_end_after_the_longest_outage() {
        let mut now = Instant::now();
        let start = now;
        let mut backoff = ServiceBackoff::default();
        let mut waits = Vec::new();
        while backoff.record_failure(now) {
            let until = backoff.retry_at(now).unwrap();
            waits.push((until - now).as_secs());
            assert!(backoff.record_failure(now), "simultaneous failures count once");
            now = until;
        }
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(now - start >= MAX_OUTAGE);
        backoff.reset();
        assert_eq!((backoff.retry_at(now), backoff.is_closed()), (None, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_circuit_opens_with_a_failure_and_probes_when_its_wait_is_over() {
        let now = Instant::now();
        let mut backoff = ServiceBackoff::default();
        assert_eq!((backoff.is_closed(), backoff.retry_at(now)), (true, None));
        assert!(backoff.record_failure(now));
        let second = Duration::from_secs(1);
        assert_eq!((backoff.is_closed(), backoff.retry_at(now)), (false, Some(now + second)));
        assert_eq!((backoff.is_closed(), backoff.retry_at(now + second)), (false, None), "half-open");
        assert!(backoff.record_failure(now + MAX_OUTAGE - second));
        assert!(!backoff.record_failure(now + MAX_OUTAGE + second), "ten minutes and more");
    }
}
