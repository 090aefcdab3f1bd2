//! The limiter with paused time: the quota, pauses, bursts, and a shared quota that fails.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, advance};

use super::super::clock::MachineClocks;
use super::super::response_headers::ServerQuota;
use super::super::rolling_window::HOUR;
use super::super::shared_quota::SharedQuota;
use super::{BURST, Closed, RateLimiter, RateLimits, WaitReason};

fn hourly(limit: u32) -> RateLimiter {
    RateLimiter::unshared(RateLimits { hourly: Some(limit), burst: None })
}

/// A limiter as another process would have it.
fn shared(limit: u32, path: &Path) -> RateLimiter {
    let clocks = MachineClocks::new();
    let quota = SharedQuota::open(path, Some(limit), clocks.read()).unwrap();
    RateLimiter::new(RateLimits { hourly: Some(limit), burst: None }, clocks, Some(quota))
}

/// The real clocks advance a little while the runtime's is paused.
fn is_about(span: Duration, expected: Duration) -> bool {
    span.abs_diff(expected) < Duration::from_secs(5)
}

#[tokio::test(start_paused = true)]
async fn limiters_with_one_file_share_the_quota() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sqlite");
    let (one, two) = (shared(20, &path), shared(20, &path));
    let start = Instant::now();
    for _ in 0..10 {
        one.acquire().await.unwrap();
        two.acquire().await.unwrap();
    }
    assert_eq!((start.elapsed(), two.remaining()), (Duration::ZERO, Some(0)));
    let waiting = async {
        tokio::task::yield_now().await;
        two.waiting().map(|waiting| waiting.reason)
    };
    let (_, reason) = tokio::join!(join_all((0..10).map(|_| two.acquire())), waiting);
    assert_eq!(reason, Some(WaitReason::Quota));
    assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
    drop(two);
    // A new process finds the rest of the window.
    let three = shared(20, &path);
    join_all((0..10).map(|_| three.acquire())).await;
    assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
    three.acquire().await.unwrap();
    assert!(is_about(start.elapsed(), HOUR * 2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_service_tells_one_process_holds_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sqlite");
    let (one, two) = (shared(20, &path), shared(20, &path));
    let start = Instant::now();
    one.pause(Duration::from_secs(90), WaitReason::Throttled);
    two.acquire().await.unwrap();
    assert!(is_about(start.elapsed(), Duration::from_secs(90)), "{:?}", start.elapsed());
    one.learn(ServerQuota { limit: 20, remaining: Some(3), reset: None });
    assert_eq!(two.remaining(), Some(3));
    assert_eq!((one.warnings().len(), two.warnings().len()), (0, 0));
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_run_whose_shared_quota_breaks_continues_and_stays_within_the_quota() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sqlite");
    let (one, two) = (shared(3, &path), shared(3, &path));
    one.acquire().await.unwrap();
    two.acquire().await.unwrap();
    one.acquire().await.unwrap();
    let start = Instant::now();
    std::fs::remove_file(&path).unwrap();
    advance(Duration::from_secs(10)).await;
    one.acquire().await.unwrap();
    assert!(is_about(start.elapsed(), HOUR), "{:?}", start.elapsed());
    let warnings = one.warnings().concat();
    assert!(warnings.contains("q.sqlite") && warnings.contains("only its own requests"), "{warnings}");
    assert_eq!(one.warnings(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_shared_quota_that_stays_locked_is_abandoned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sqlite");
    let limiter = shared(3, &path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    // Half a minute of failed attempts, each with a timeout of its own in real time.
    limiter.state.lock().unwrap().locked_since = Some(start - Duration::from_secs(29));
    limiter.acquire().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(limiter.warnings().concat().contains("locked"));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_hour_does_not_wait() {
    let limiter = hourly(10_000);
    let start = Instant::now();
    for _ in 0..9_000 {
        limiter.acquire().await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(limiter.remaining(), Some(1_000));
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_quota_wait_for_the_oldest_to_leave_the_window() {
    let limiter = hourly(3);
    let start = Instant::now();
    limiter.acquire().await.unwrap();
    advance(Duration::from_secs(60)).await;
    for _ in 0..3 {
        limiter.acquire().await.unwrap();
    }
    assert_eq!(start.elapsed(), HOUR);
    limiter.acquire().await.unwrap();
    assert_eq!(start.elapsed(), HOUR + Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn everyone_waits_during_a_pause() {
    let limiter = RateLimiter::unshared(RateLimits::default());
    let start = Instant::now();
    limiter.pause(Duration::from_secs(30), WaitReason::Throttled);
    limiter.pause(Duration::from_secs(10), WaitReason::ServerQuota);
    assert_eq!(limiter.waiting(), None, "nobody waits yet");
    let waiting = async {
        tokio::task::yield_now().await;
        limiter.waiting().map(|waiting| waiting.reason)
    };
    let (_, reason) = tokio::join!(join_all((0..50).map(|_| limiter.acquire())), waiting);
    assert_eq!(reason, Some(WaitReason::Throttled));
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(limiter.waiting(), None);
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_spread_over_seconds() {
    let limiter = RateLimiter::unshared(RateLimits { hourly: Some(10_000), burst: Some(BURST) });
    let start = Instant::now();
    for _ in 0..BURST.get() {
        limiter.acquire().await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    for _ in 0..BURST.get() {
        limiter.acquire().await.unwrap();
    }
    assert!(start.elapsed().as_millis().abs_diff(1_000) < 50, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_closed_ends_every_wait_at_once() {
    let limiter = hourly(1);
    let start = Instant::now();
    limiter.acquire().await.unwrap();
    let stop = async {
        tokio::task::yield_now().await;
        limiter.close();
    };
    let (acquired, ()) = tokio::join!(limiter.acquire(), stop);
    assert_eq!((acquired, limiter.acquire().await), (Err(Closed), Err(Closed)));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_is_not_counted() {
    let limiter = hourly(1);
    limiter.acquire().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(5), limiter.acquire()).await.is_err());
    assert_eq!(limiter.waiting(), None);
    advance(HOUR).await;
    assert_eq!(limiter.remaining(), Some(1));
}
