//! The quota: never more than N requests in any hour, and as fast as that allows.
//!
//! [`Window`] is the rule within one process, pure, with the time as an argument; [`Ledger`] is the same rule for all
//! processes of the machine. [`Gate`] is where requests wait: for the quota, for the service that said 429 or that
//! nothing is left, and, towards a service elsewhere, for a burst to thin out. One request at a time stands at the
//! gate and asks; the others of the process wait behind it.
//!
//! Where the ledger breaks midway (a full disk, a deleted file, a lock that lasts), the run goes on with the window
//! alone: it knows what this process sent, and takes what the ledger knew of others' requests for sent just then. What
//! other processes send from then on is not seen, and a remark says so.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock as Clocks;
use super::ledger::{Ledger, Told, Trouble, Verdict};

/// The window the guide counts requests in ("10,000 API requests per hour"), and one second for the way: the service
/// counts a request when it arrives, we when it leaves, and one that was slow on its way must not meet one that was fast.
pub(super) const HOUR: Duration = Duration::from_secs(3_600 + 1);

/// Requests a second to a service elsewhere that has a quota. The documented hour of requests still goes in 20 seconds.
pub(super) const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(499);

/// How long another program may hold the ledger before the run goes on without it.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// How soon to ask a ledger again that is held. SQLite has waited for a quarter of a second by then.
const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// How long the number of requests left is good enough for a progress line.
const LEFT_FOR: Duration = Duration::from_millis(250);

/// The last N moments something was sent: all it takes to keep a rolling window exactly.
///
/// Memory is 16 bytes a request within the window, so 160 kB at the documented quota.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    span: Duration,
    sent: VecDeque<Instant>,
}

impl Window {
    /// At most `limit` (at least one) in any `span`.
    pub(super) fn new(limit: u32, span: Duration) -> Self {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        Self { limit, span, sent: VecDeque::new() }
    }

    /// When the next request may leave; none where that is now.
    pub(super) fn next_free(&mut self, now: Instant) -> Option<Instant> {
        self.forget(now);
        if self.sent.len() < self.limit {
            return None;
        }
        // The place of the request that leaves the window when there is room for one more.
        self.sent.get(self.sent.len() - self.limit).map(|oldest| *oldest + self.span)
    }

    /// A request leaves now.
    pub(super) fn record(&mut self, now: Instant) {
        self.forget(now);
        self.sent.push_back(now);
    }

    /// As many requests within the window as `known` are not ours: they count as sent now.
    fn take_over(&mut self, known: usize, now: Instant) {
        self.forget(now);
        let others = known.saturating_sub(self.sent.len());
        self.sent.extend(std::iter::repeat_n(now, others));
    }

    /// How many more may leave now.
    pub(super) fn left(&mut self, now: Instant) -> usize {
        self.forget(now);
        self.limit.saturating_sub(self.sent.len())
    }

    fn forget(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|oldest| *oldest + self.span <= now) {
            self.sent.pop_front();
        }
    }
}

/// Why requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// Our own quota (`--quota`) is used up.
    Quota,
    /// The service said 429.
    Throttled,
    /// The service said that none of its own quota is left.
    ServerQuota,
}

impl fmt::Display for WaitReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            WaitReason::Quota => "the quota of requests is used up",
            WaitReason::Throttled => "the service asked to slow down (429)",
            WaitReason::ServerQuota => "the service says its quota is used up",
        })
    }
}

/// A wait that every request shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub until: SystemTime,
    pub reason: WaitReason,
}

/// What limits the requests of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    /// Requests an hour.
    pub(super) hourly: Option<u32>,
    /// Requests a second.
    pub(super) burst: Option<NonZeroU32>,
}

/// Where every request passes, one at a time, before it leaves.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    burst: Option<RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Moment>>>,
    clock: Clocks,
    /// Held by the one request that asks; the others wait for it, first come, first served.
    turn: tokio::sync::Mutex<()>,
    waiters: AtomicUsize,
    /// Turns true once, when the run stops.
    shut: watch::Sender<bool>,
}

/// Nothing passes any more: the run is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shut;

#[derive(Debug)]
struct State {
    /// What this process sent: all there is to go by without a ledger.
    window: Option<Window>,
    ledger: Option<Ledger>,
    /// Since when the ledger has been held by another program.
    held_since: Option<Instant>,
    closed: Option<Closure>,
    /// What the ledger told the request at the gate to wait for.
    told: Option<Closure>,
    /// The requests the ledger would let through, and when it was asked.
    left: Option<(Instant, Option<usize>)>,
    remarks: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Closure {
    until: Instant,
    /// The same by the machine's clock, for people. Found once, so that it reads alike every time it is shown.
    shown: SystemTime,
    reason: WaitReason,
}

impl Closure {
    fn new(now: Instant, until: Instant, reason: WaitReason) -> Self {
        Self { until, shown: SystemTime::now() + until.saturating_duration_since(now), reason }
    }
}

/// Whether the ledger has taken a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Taken,
    Lost,
}

/// Whether a request has had its place in the burst. It needs one, however often it has to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Burst {
    Wanted,
    Had,
}

impl Gate {
    /// A gate that counts this process's requests alone.
    #[cfg(test)]
    pub(super) fn alone(limits: Limits) -> Self {
        Self::new(limits, Clocks::new(), None)
    }

    /// A gate that asks `ledger`, opened at a reading of `clock`.
    pub(super) fn new(limits: Limits, clock: Clocks, ledger: Option<Ledger>) -> Self {
        let window = limits.hourly.map(|limit| Window::new(limit, HOUR));
        let burst = limits.burst.map(|burst| RateLimiter::direct_with_clock(Quota::per_second(burst), RuntimeClock));
        let state =
            State { window, ledger, held_since: None, closed: None, told: None, left: None, remarks: Vec::new() };
        Self {
            state: Mutex::new(state),
            burst,
            clock,
            turn: tokio::sync::Mutex::new(()),
            waiters: AtomicUsize::new(0),
            shut: watch::Sender::new(false),
        }
    }

    /// Waits until a request may leave, and counts it. Dropped while waiting, it counts nothing.
    pub(super) async fn pass(&self) -> Result<(), Shut> {
        let _waiter = Waiter::new(&self.waiters);
        let _turn = self.turn.lock().await;
        let mut burst = Burst::Wanted;
        loop {
            if *self.shut.borrow() {
                return Err(Shut);
            }
            match self.try_pass(Instant::now(), &mut burst) {
                None => return Ok(()),
                Some(until) => self.rest(until).await?,
            }
        }
    }

    /// Waits until a moment, or until the gate is shut for good: a wait for the quota may last an hour, and who
    /// stops a run does not want to sit through it.
    pub(super) async fn rest(&self, until: Instant) -> Result<(), Shut> {
        let mut shut = self.shut.subscribe();
        tokio::select! {
            () = sleep_until(until) => Ok(()),
            _ = shut.wait_for(|shut| *shut) => Err(Shut),
        }
    }

    pub(super) fn is_shut(&self) -> bool {
        *self.shut.borrow()
    }

    /// Lets nothing pass any more and sends those who wait away.
    pub(super) fn shut(&self) {
        self.shut.send_replace(true);
    }

    /// Counts a request that leaves now, or says when to ask again.
    fn try_pass(&self, now: Instant, burst: &mut Burst) -> Option<Instant> {
        let mut state = self.lock();
        if let Some(closure) = state.closure(now) {
            return Some(closure.until);
        }
        if let (Some(limiter), Burst::Wanted) = (&self.burst, *burst)
            && let Err(early) = limiter.check()
        {
            return Some(now + early.wait_time_from(RuntimeClock.now()));
        }
        *burst = Burst::Had;
        state.take(now, &self.clock)
    }

    /// Lets nothing pass for `span` from now, in no process that shares the ledger. A shorter closure never shortens
    /// a longer one.
    pub(super) fn close(&self, span: Duration, reason: WaitReason) {
        let now = Instant::now();
        let until = now + span;
        let mut state = self.lock();
        if state.tell(now, |ledger| ledger.close(self.clock.read(), span, reason)) == Note::Taken {
            return;
        }
        if state.closed.is_none_or(|closed| closed.until < until) {
            state.closed = Some(Closure::new(now, until, reason));
        }
    }

    /// Takes in what the service says of its own count. Without a ledger only a count of nothing left matters.
    pub(super) fn learn(&self, told: Told) {
        let _ = self.lock().tell(Instant::now(), |ledger| ledger.learn(self.clock.read(), told));
    }

    /// What requests are waiting for at this moment.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        if self.waiters.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let now = Instant::now();
        let mut state = self.lock();
        let told = state.told.filter(|told| told.until > now);
        let closure = state.closure(now).into_iter().chain(told).max_by_key(|closure| closure.until)?;
        Some(Waiting { until: closure.shown, reason: closure.reason })
    }

    /// Requests that may leave at once, a moment ago or now; none where there is no limit.
    pub(super) fn left(&self) -> Option<usize> {
        self.lock().left(Instant::now(), &self.clock)
    }

    /// What somebody should know, since the last time of asking.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut state = self.lock();
        let mut remarks = std::mem::take(&mut state.remarks);
        remarks.extend(state.ledger.as_mut().map(Ledger::remarks).unwrap_or_default());
        remarks
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave it half done, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why nothing may pass now: the service's word, or, without a ledger, our own quota, whichever holds longer.
    fn closure(&mut self, now: Instant) -> Option<Closure> {
        self.closed = self.closed.filter(|closed| closed.until > now);
        let window = self.window.as_mut().filter(|_| self.ledger.is_none());
        let quota = window.and_then(|window| window.next_free(now));
        let quota = quota.map(|until| Closure::new(now, until, WaitReason::Quota));
        [self.closed, quota].into_iter().flatten().max_by_key(|closure| closure.until)
    }

    /// Counts a request that leaves now, or says when to ask again.
    fn take(&mut self, now: Instant, clock: &Clocks) -> Option<Instant> {
        if let Some(ledger) = &mut self.ledger {
            let reading = clock.read();
            let after = |moment_ms: i64| {
                now + Duration::from_millis(u64::try_from(moment_ms - reading.wall_ms).unwrap_or_default())
            };
            match ledger.take(reading) {
                Ok(Verdict::Go) => (self.held_since, self.told) = (None, None),
                Ok(Verdict::Wait(wait)) => {
                    self.held_since = None;
                    let shown = Duration::from_millis(u64::try_from(wait.until_ms).unwrap_or_default());
                    self.told = Some(Closure {
                        until: after(wait.until_ms),
                        shown: SystemTime::UNIX_EPOCH + shown,
                        reason: wait.reason,
                    });
                    return Some(after(wait.again_ms));
                }
                Err(Trouble::Busy) if self.held_since.is_none_or(|since| now < since + LOCK_PATIENCE) => {
                    self.held_since.get_or_insert(now);
                    return Some(now + LOCK_PAUSE);
                }
                Err(Trouble::Busy) => {
                    self.go_without(now, "another program keeps it locked");
                    return Some(now);
                }
                Err(Trouble::Broken(cause)) => {
                    self.go_without(now, &cause);
                    return Some(now);
                }
            }
        }
        if let Some(window) = &mut self.window {
            window.record(now);
        }
        None
    }

    /// Notes something in the ledger, where there is one. While another program holds it the note is lost; this
    /// process goes by what it knows, and the next answer tells the others.
    fn tell(&mut self, now: Instant, note: impl FnOnce(&mut Ledger) -> Result<(), Trouble>) -> Note {
        match self.ledger.as_mut().map(note) {
            Some(Ok(())) => return Note::Taken,
            Some(Err(Trouble::Broken(cause))) => self.go_without(now, &cause),
            Some(Err(Trouble::Busy)) | None => {}
        }
        Note::Lost
    }

    fn left(&mut self, now: Instant, clock: &Clocks) -> Option<usize> {
        let Some(ledger) = &self.ledger else { return self.window.as_mut().map(|window| window.left(now)) };
        if let Some((then, left)) = self.left
            && now < then + LEFT_FOR
        {
            return left;
        }
        match ledger.left(clock.read()) {
            Ok(left) => {
                self.left = Some((now, left));
                left
            }
            // The next request finds out what is wrong.
            Err(_) => self.left.and_then(|(_, left)| left),
        }
    }

    /// Gives the ledger up for the rest of the run.
    fn go_without(&mut self, now: Instant, cause: &str) {
        let Some(mut ledger) = self.ledger.take() else { return };
        if let Some(window) = &mut self.window {
            window.take_over(ledger.known(), now);
        }
        self.remarks.extend(ledger.remarks());
        let remark = format!(
            "the quota ledger `{}` cannot be used any more ({cause}): from now on this run counts its own requests only, \
             not those of other processes",
            ledger.path().display()
        );
        tracing::warn!("{remark}");
        self.remarks.push(remark);
        // What the service asked for still holds.
        let asked = self.told.filter(|told| told.reason != WaitReason::Quota);
        self.closed = self.closed.into_iter().chain(asked).max_by_key(|closure| closure.until);
        (self.held_since, self.told) = (None, None);
    }
}

/// Someone at the gate; leaves also when the waiting is given up.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn new(waiters: &'a AtomicUsize) -> Self {
        waiters.fetch_add(1, Ordering::Relaxed);
        Self(waiters)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The runtime's clock for governor, so that tests which pause the one pause the other.
#[derive(Debug, Clone, Copy)]
struct RuntimeClock;

/// A moment of [`RuntimeClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Instant);

impl Clock for RuntimeClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(Instant::now())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> governor::nanos::Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, span: governor::nanos::Nanos) -> Self {
        Moment(self.0.checked_sub(span.into()).unwrap_or(self.0))
    }
}

impl std::ops::Add<governor::nanos::Nanos> for Moment {
    type Output = Moment;

    fn add(self, span: governor::nanos::Nanos) -> Moment {
        Moment(self.0 + Duration::from(span))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::time::Duration;

    use futures::future::join_all;
    use proptest::prelude::*;
    use tokio::time::{Instant, advance};

    use std::path::Path;

    use super::super::clock::Clock;
    use super::super::ledger::{Ledger, Told};
    use super::{BURST, Gate, HOUR, Limits, Shut, WaitReason, Window};

    fn hourly(limit: u32) -> Gate {
        Gate::alone(Limits { hourly: Some(limit), burst: None })
    }

    /// As in a process of its own.
    fn shared(limit: u32, path: &Path) -> Gate {
        let clock = Clock::new();
        let ledger = Ledger::open(path, Some(limit), clock.read()).unwrap();
        Gate::new(Limits { hourly: Some(limit), burst: None }, clock, Some(ledger))
    }

    /// The real clocks run on a little while the runtime's stands still.
    fn is_about(span: Duration, expected: Duration) -> bool {
        span.abs_diff(expected) < Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_is_shared_by_gates_with_one_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.sqlite");
        let (one, two) = (shared(20, &path), shared(20, &path));
        let start = Instant::now();
        for _ in 0..10 {
            one.pass().await.unwrap();
            two.pass().await.unwrap();
        }
        assert_eq!((start.elapsed(), two.left()), (Duration::ZERO, Some(0)));
        let waiting = async {
            tokio::task::yield_now().await;
            two.waiting().map(|waiting| waiting.reason)
        };
        let (_, reason) = tokio::join!(join_all((0..10).map(|_| two.pass())), waiting);
        assert_eq!(reason, Some(WaitReason::Quota));
        assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
        drop(two);
        // A new process, and the rest of the window is there for it.
        let three = shared(20, &path);
        join_all((0..10).map(|_| three.pass())).await;
        assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
        three.pass().await.unwrap();
        assert!(is_about(start.elapsed(), HOUR * 2), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_service_says_to_one_process_holds_for_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.sqlite");
        let (one, two) = (shared(20, &path), shared(20, &path));
        let start = Instant::now();
        one.close(Duration::from_secs(90), WaitReason::Throttled);
        two.pass().await.unwrap();
        assert!(is_about(start.elapsed(), Duration::from_secs(90)), "{:?}", start.elapsed());
        one.learn(Told { limit: 20, remaining: Some(3), reset: None });
        assert_eq!(two.left(), Some(3));
        assert_eq!((one.remarks().len(), two.remarks().len()), (0, 0));
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn where_the_ledger_breaks_the_run_goes_on_and_still_does_not_exceed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.sqlite");
        let (one, two) = (shared(3, &path), shared(3, &path));
        one.pass().await.unwrap();
        two.pass().await.unwrap();
        one.pass().await.unwrap();
        let start = Instant::now();
        std::fs::remove_file(&path).unwrap();
        advance(Duration::from_secs(10)).await;
        one.pass().await.unwrap();
        assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
        let remarks = one.remarks().concat();
        assert!(remarks.contains("q.sqlite") && remarks.contains("its own requests only"), "{remarks}");
        assert_eq!(one.remarks(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_ledger_held_for_long_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.sqlite");
        let gate = shared(3, &path);
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let start = Instant::now();
        // Half a minute of asking in vain, each time with patience of its own in real time.
        gate.state.lock().unwrap().held_since = Some(start - Duration::from_secs(29));
        gate.pass().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!(gate.remarks().concat().contains("locked"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_hour_goes_at_once() {
        let gate = hourly(10_000);
        let start = Instant::now();
        for _ in 0..9_000 {
            gate.pass().await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(gate.left(), Some(1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_beyond_the_quota_waits_for_the_oldest_to_leave_the_window() {
        let gate = hourly(3);
        let start = Instant::now();
        gate.pass().await.unwrap();
        advance(Duration::from_secs(60)).await;
        for _ in 0..3 {
            gate.pass().await.unwrap();
        }
        assert_eq!(start.elapsed(), HOUR);
        gate.pass().await.unwrap();
        assert_eq!(start.elapsed(), HOUR + Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_waits_while_the_gate_is_closed() {
        let gate = Gate::alone(Limits::default());
        let start = Instant::now();
        gate.close(Duration::from_secs(30), WaitReason::Throttled);
        gate.close(Duration::from_secs(10), WaitReason::ServerQuota);
        assert_eq!(gate.waiting(), None, "nobody is at the gate yet");
        let waiting = async {
            tokio::task::yield_now().await;
            gate.waiting().map(|waiting| waiting.reason)
        };
        let (_, reason) = tokio::join!(join_all((0..50).map(|_| gate.pass())), waiting);
        assert_eq!(reason, Some(WaitReason::Throttled));
        assert_eq!(start.elapsed().as_secs(), 30);
        assert_eq!(gate.waiting(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_smoothed_to_the_second() {
        let gate = Gate::alone(Limits { hourly: Some(10_000), burst: Some(BURST) });
        let start = Instant::now();
        for _ in 0..BURST.get() {
            gate.pass().await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..BURST.get() {
            gate.pass().await.unwrap();
        }
        assert!(start.elapsed().as_millis().abs_diff(1_000) < 50, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_that_is_shut_sends_the_waiting_away_at_once() {
        let gate = hourly(1);
        let start = Instant::now();
        gate.pass().await.unwrap();
        let stop = async {
            tokio::task::yield_now().await;
            gate.shut();
        };
        let (passed, ()) = tokio::join!(gate.pass(), stop);
        assert_eq!((passed, gate.pass().await), (Err(Shut), Err(Shut)));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_gives_up_counts_nothing() {
        let gate = hourly(1);
        gate.pass().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(5), gate.pass()).await.is_err());
        assert_eq!(gate.waiting(), None);
        advance(HOUR).await;
        assert_eq!(gate.left(), Some(1));
    }

    /// Sends as soon as allowed at each of the moments that `gaps` (in seconds) leave between wishes.
    fn sent_by_window(limit: u32, span: Duration, start: Instant, gaps: &[u64]) -> Vec<Instant> {
        let mut window = Window::new(limit, span);
        let mut now = start;
        gaps.iter()
            .map(|gap| {
                now += Duration::from_secs(*gap);
                now = window.next_free(now).unwrap_or(now);
                window.record(now);
                now
            })
            .collect()
    }

    /// The same by the rule's own words: the first second at which fewer than `limit` lie within the span before it.
    fn sent_by_model(limit: u32, span: Duration, start: Instant, gaps: &[u64]) -> Vec<Instant> {
        let mut sent: Vec<Instant> = Vec::new();
        let mut now = start;
        for gap in gaps {
            now += Duration::from_secs(*gap);
            while sent.iter().filter(|then| now - **then < span).count() >= limit as usize {
                now += Duration::from_secs(1);
            }
            sent.push(now);
        }
        sent
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_window_does_as_the_naive_model_over_hours(
            limit in 1_u32..12,
            span in 1_u64..4_000,
            gaps in prop::collection::vec(prop_oneof![Just(0), 0_u64..40, 0_u64..4_000], 0..60),
        ) {
            let (start, span) = (Instant::now(), Duration::from_secs(span));
            let sent = sent_by_window(limit, span, start, &gaps);
            prop_assert_eq!(&sent, &sent_by_model(limit, span, start, &gaps));
            for pair in sent.windows(limit as usize + 1) {
                prop_assert!(pair[limit as usize] - pair[0] >= span);
            }
        }
    }
}
