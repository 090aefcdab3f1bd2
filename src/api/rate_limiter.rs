//! Where requests wait: never more than N in any hour, and as fast as that allows.
//!
//! [`RateLimiter`] makes a request wait for the quota, for the service if it said 429 or that nothing is left, and,
//! towards a service elsewhere, for the limit of requests a second. One request at a time asks; the others of the
//! process wait behind it. The quota itself is counted by [`SharedQuota`] for all processes of the machine, and by
//! rolling window for this process.
//!
//! If the shared quota fails midway (a full disk, a deleted file, a lock that is never released), the run continues with
//! the window alone: it knows what this process sent, and counts the requests of others it knew of as sent just then.
//! Requests that other processes send from then on are not seen, and a warning says so.

mod burst;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::clock::MachineClocks;
use super::response_headers::ServerQuota;
use super::shared_quota::SharedQuota;
use super::wait::{WaitReason, WaitStatus};
use burst::BurstLimiter;
use state::LimiterState;

/// Requests a second to a service elsewhere that has a quota. The documented hour of requests still takes 20 seconds.
pub(super) const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(499);

/// What limits the requests of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RateLimits {
    /// Requests an hour.
    pub(super) hourly: Option<u32>,
    /// Requests a second.
    pub(super) burst: Option<NonZeroU32>,
}

/// Every request acquires a permit here before it is sent.
#[derive(Debug)]
pub(super) struct RateLimiter {
    state: Mutex<LimiterState>,
    burst: Option<BurstLimiter>,
    clocks: MachineClocks,
    /// Held by the one request that asks; the others wait for it, first come, first served.
    turn: tokio::sync::Mutex<()>,
    waiters: AtomicUsize,
    /// Becomes true once, when the run stops.
    closed: watch::Sender<bool>,
}

/// The limiter was closed: the run is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

impl RateLimiter {
    /// A limiter that counts the requests of this process alone.
    #[cfg(test)]
    pub(super) fn unshared(limits: RateLimits) -> Self {
        Self::new(limits, MachineClocks::new(), None)
    }

    /// A limiter that asks `quota`, which was opened at a reading of `clocks`.
    pub(super) fn new(limits: RateLimits, clocks: MachineClocks, quota: Option<SharedQuota>) -> Self {
        Self {
            state: Mutex::new(LimiterState::new(limits.hourly, quota)),
            burst: limits.burst.map(BurstLimiter::new),
            clocks,
            turn: tokio::sync::Mutex::new(()),
            waiters: AtomicUsize::new(0),
            closed: watch::Sender::new(false),
        }
    }

    /// Waits until a request may be sent, and counts it. If dropped while waiting, nothing is counted.
    pub(super) async fn acquire(&self) -> Result<(), Closed> {
        let _waiter = WaiterGuard::new(&self.waiters);
        let _turn = self.turn.lock().await;
        // A request takes one token of the burst limiter, however often it has to ask for the quota.
        let mut burst_taken = self.burst.is_none();
        loop {
            if self.is_closed() {
                return Err(Closed);
            }
            match self.try_acquire(Instant::now(), &mut burst_taken) {
                Ok(()) => return Ok(()),
                Err(until) => self.wait_until(until).await?,
            }
        }
    }

    /// Waits until a point in time, or until the limiter is closed: a wait for the quota may last an hour, and whoever
    /// stops a run should not have to sit through it.
    pub(super) async fn wait_until(&self, until: Instant) -> Result<(), Closed> {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            () = sleep_until(until) => Ok(()),
            _ = closed.wait_for(|closed| *closed) => Err(Closed),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Lets no request through any more. Those that wait end with [`Closed`].
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Counts a request that is sent now, or returns when to ask again.
    fn try_acquire(&self, now: Instant, burst_taken: &mut bool) -> Result<(), Instant> {
        let mut state = self.lock();
        if let Some(pause) = state.current_pause(now) {
            return Err(pause.until);
        }
        if let Some(burst) = self.burst.as_ref().filter(|_| !*burst_taken) {
            burst.try_acquire(now)?;
            *burst_taken = true;
        }
        state.try_acquire(now, &self.clocks)
    }

    /// Lets no request through for `span` from now, in any process that shares the quota. A shorter pause never
    /// shortens a longer one.
    pub(super) fn pause(&self, span: Duration, reason: WaitReason) {
        self.lock().pause(Instant::now(), &self.clocks, span, reason);
    }

    /// Takes note of what the service says of its own count. Without a shared quota only "nothing left" matters.
    pub(super) fn learn(&self, server: ServerQuota) {
        self.lock().learn(Instant::now(), &self.clocks, server);
    }

    /// What requests are waiting for right now.
    pub(super) fn waiting(&self) -> Option<WaitStatus> {
        if self.waiters.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.lock().waiting(Instant::now())
    }

    /// Requests that may be sent at once, now or a moment ago; none if there is no limit.
    pub(super) fn remaining(&self) -> Option<usize> {
        self.lock().remaining(Instant::now(), &self.clocks)
    }

    /// Warnings since the last call.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.lock().take_warnings()
    }

    fn lock(&self) -> MutexGuard<'_, LimiterState> {
        // Nothing under the lock can leave it half done, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request that waits, until it is dropped.
struct WaiterGuard<'a>(&'a AtomicUsize);

impl<'a> WaiterGuard<'a> {
    fn new(waiters: &'a AtomicUsize) -> Self {
        waiters.fetch_add(1, Ordering::Relaxed);
        Self(waiters)
    }
}

impl Drop for WaiterGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
