//! The limit of requests a second, on the runtime's clock.

use std::num::NonZeroU32;
use std::ops::Add;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use tokio::time::Instant;

/// At most so many requests a second (a token bucket).
#[derive(Debug)]
pub(super) struct BurstLimiter(
    governor::RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<RuntimeInstant>>,
);

impl BurstLimiter {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self(governor::RateLimiter::direct_with_clock(Quota::per_second(per_second), RuntimeClock))
    }

    /// Takes a token, or returns when to ask again.
    pub(super) fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        self.0.check().map_err(|early| now + early.wait_time_from(RuntimeClock.now()))
    }
}

/// The runtime's clock for governor, so that tests which pause one pause the other.
#[derive(Debug, Clone, Copy)]
struct RuntimeClock;

/// A point in time of [`RuntimeClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RuntimeInstant(Instant);

impl Clock for RuntimeClock {
    type Instant = RuntimeInstant;

    fn now(&self) -> RuntimeInstant {
        RuntimeInstant(Instant::now())
    }
}

impl Reference for RuntimeInstant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, span: Nanos) -> Self {
        RuntimeInstant(self.0.checked_sub(span.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for RuntimeInstant {
    type Output = RuntimeInstant;

    fn add(self, span: Nanos) -> RuntimeInstant {
        RuntimeInstant(self.0 + Duration::from(span))
    }
}
