//! The quota with the time as an argument: nothing here sleeps or reads a clock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::super::clock::ClockReading;
use super::super::response_headers::ServerQuota;
use super::super::secret::Secret;
use super::super::wait::WaitReason;
use super::admission::{Admission, TICKET_MS, Wait};
use super::{QuotaFileError, SPAN_MS, SharedQuota, SharedQuotaError, file_name};

mod model;

/// 2024-05-29T14:13:20Z.
const START: i64 = 1_717_000_000_000;
const MINUTE: i64 = 60_000;

/// Both clocks, where nobody has set one.
fn at(milliseconds: i64) -> ClockReading {
    ClockReading { wall_ms: START + milliseconds, steady_ms: milliseconds }
}

/// The same moment after the machine's clock was set by `by`.
fn set(milliseconds: i64, by: i64) -> ClockReading {
    ClockReading { wall_ms: START + milliseconds + by, steady_ms: milliseconds }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state").join("quota").join("q.sqlite");
    (folder, path)
}

fn open(path: &Path, limit: u32, now: i64) -> SharedQuota {
    open_at(path, limit, at(now))
}

/// Nothing here outlives a power cut, so nothing waits for the disk.
fn open_at(path: &Path, limit: u32, now: ClockReading) -> SharedQuota {
    let quota = SharedQuota::open(path, Some(limit), now).unwrap();
    quota.connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    quota
}

fn go(quota: &mut SharedQuota, now: ClockReading) {
    assert_eq!(quota.acquire(now), Ok(Admission::Granted));
}

/// The wait, its times since the start.
#[track_caller]
fn wait(quota: &mut SharedQuota, now: ClockReading) -> Wait {
    match quota.acquire(now).unwrap() {
        Admission::Wait(wait) => Wait { until_ms: wait.until_ms - START, again_ms: wait.again_ms - START, ..wait },
        Admission::Granted => panic!("nothing may leave at {now:?}"),
    }
}

/// As a process that is killed: no goodbye.
fn kill(quota: SharedQuota) {
    std::mem::forget(quota);
}

fn server(limit: u64, remaining: u64, reset_ms: Option<u64>) -> ServerQuota {
    ServerQuota { limit, remaining: Some(remaining), reset: reset_ms.map(Duration::from_millis) }
}

#[test]
fn a_restart_after_a_kill_knows_what_was_sent() {
    let (_folder, path) = folder();
    let mut first = open(&path, 3, 0);
    (0..3).for_each(|second| go(&mut first, at(second * 1_000)));
    kill(first);
    let mut second = open(&path, 3, 5_000);
    assert_eq!(second.remaining(at(5_000)), Ok(Some(0)));
    let expected = Wait { until_ms: SPAN_MS, again_ms: 35_000, reason: WaitReason::Quota };
    assert_eq!(wait(&mut second, at(5_000)), expected);
    wait(&mut second, at(SPAN_MS - 1));
    go(&mut second, at(SPAN_MS));
    assert_eq!(wait(&mut second, at(SPAN_MS)).until_ms, SPAN_MS + 1_000);
}

#[test]
fn each_process_obeys_its_own_quota_against_what_all_have_sent() {
    let (_folder, path) = folder();
    let (mut modest, mut greedy) = (open(&path, 2, 0), open(&path, 5, 0));
    (0..2).for_each(|_| go(&mut greedy, at(0)));
    assert_eq!(wait(&mut modest, at(1)).until_ms, SPAN_MS);
    (0..3).for_each(|_| go(&mut greedy, at(2)));
    wait(&mut greedy, at(3));
    assert_eq!(wait(&mut modest, at(4)).until_ms, SPAN_MS + 2, "five must become one");
}

#[test]
fn places_counted_ahead_are_given_back() {
    let (_folder, path) = folder();
    let limited = open(&path, 100, 0);
    let left = |now: i64| limited.remaining(at(now)).unwrap();
    let mut boundless = SharedQuota::open(&path, None, at(0)).unwrap();
    (0..40).for_each(|_| go(&mut boundless, at(1)));
    assert_eq!(left(1), Some(100 - 64), "two blocks of which 24 are unused");
    go(&mut boundless, at(200));
    assert_eq!(left(200), Some(100 - 40 - 32), "what was old by then counts no longer");
    boundless.pause(at(210), Duration::from_secs(1), WaitReason::Throttled).unwrap();
    assert_eq!(left(210), Some(100 - 41));
    assert_eq!(wait(&mut boundless, at(220)).reason, WaitReason::Throttled, "a pause holds at once");
    go(&mut boundless, at(1_300));
    drop(boundless);
    assert_eq!(left(1_300), Some(100 - 42));
}

#[test]
fn without_a_limit_requests_are_counted_all_the_same() {
    let (_folder, path) = folder();
    let mut boundless = SharedQuota::open(&path, None, at(0)).unwrap();
    (0..50).for_each(|_| go(&mut boundless, at(0)));
    assert_eq!(boundless.remaining(at(0)), Ok(None));
    drop(boundless);
    assert_eq!(open(&path, 60, 1).remaining(at(1)), Ok(Some(10)));
}

#[test]
fn a_fresh_hour_goes_at_once_and_25_000_requests_take_two_hours_and_a_few_seconds() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 10_000, 0);
    let mut now = 0;
    for sent in 0..25_000 {
        while let Admission::Wait(wait) = quota.acquire(at(now)).unwrap() {
            assert!(sent >= 10_000);
            now = wait.again_ms - START;
        }
        // Five hundred a second: as fast as the gate lets a burst go.
        now += 2;
    }
    assert!((2 * SPAN_MS..2 * SPAN_MS + 11_000).contains(&now), "{now}");
}

#[test]
fn two_processes_that_wait_take_turns() {
    let (_folder, path) = folder();
    let mut pair = [open(&path, 20, 0), open(&path, 20, 0)];
    (0..20).for_each(|second| go(&mut pair[0], at(second * 10_000)));
    let (mut sent, mut next) = ([0, 0], [200_000, 200_000]);
    // The first asks every second, far more often than it must, which gains it nothing.
    while next[0].min(next[1]) < 3 * SPAN_MS {
        let who = usize::from(next[1] < next[0]);
        let now = next[who];
        next[who] = match pair[who].acquire(at(now)).unwrap() {
            Admission::Granted => {
                sent[who] += 1;
                now
            }
            Admission::Wait(wait) if who == 0 => (wait.again_ms - START).min(now + 1_000),
            Admission::Wait(wait) => wait.again_ms - START,
        };
    }
    assert_eq!(sent[0] + sent[1], 40, "every place is taken");
    assert!(sent[0].max(sent[1]) * 100 <= 55 * (sent[0] + sent[1]), "{sent:?}");
}

#[test]
fn a_dead_process_holds_up_the_others_for_two_seconds() {
    let (_folder, path) = folder();
    let (mut dead, mut alive) = (open(&path, 1, 0), open(&path, 1, 0));
    go(&mut alive, at(0));
    let first = wait(&mut dead, at(SPAN_MS - 10_000));
    assert_eq!((first.until_ms, first.again_ms), (SPAN_MS, SPAN_MS));
    let second = wait(&mut alive, at(SPAN_MS - 9_000));
    assert_eq!(second.again_ms, SPAN_MS + TICKET_MS + 1);
    kill(dead);
    wait(&mut alive, at(SPAN_MS + 1_000));
    go(&mut alive, at(second.again_ms));
}

#[test]
fn who_says_goodbye_holds_up_nobody() {
    let (_folder, path) = folder();
    let (mut leaving, mut staying) = (open(&path, 1, 0), open(&path, 1, 0));
    go(&mut staying, at(0));
    wait(&mut leaving, at(SPAN_MS - 2));
    wait(&mut staying, at(SPAN_MS - 1));
    drop(leaving);
    go(&mut staying, at(SPAN_MS));
}

#[test]
fn where_there_is_room_beyond_the_queue_nobody_waits() {
    let (_folder, path) = folder();
    let (mut queued, mut other) = (open(&path, 3, 0), open(&path, 3, 0));
    (0..3).for_each(|_| go(&mut queued, at(0)));
    wait(&mut queued, at(SPAN_MS - 1));
    // Three places are free, one is spoken for.
    go(&mut other, at(SPAN_MS));
    go(&mut other, at(SPAN_MS));
    wait(&mut other, at(SPAN_MS));
    go(&mut queued, at(SPAN_MS));
}

#[test]
fn a_closed_gate_is_closed_for_all() {
    let (_folder, path) = folder();
    let (mut one, mut two) = (open(&path, 9, 0), open(&path, 9, 0));
    one.pause(at(0), Duration::from_secs(90), WaitReason::Throttled).unwrap();
    one.pause(at(0), Duration::from_secs(20), WaitReason::ServerQuota).unwrap();
    let expected = Wait { until_ms: 90_000, again_ms: 31_000, reason: WaitReason::Throttled };
    assert_eq!(wait(&mut two, at(1_000)), expected);
    kill(one);
    assert_eq!(wait(&mut open(&path, 9, 2_000), at(89_999)).reason, WaitReason::Throttled);
    go(&mut two, at(90_000));
}

#[test]
fn what_others_have_sent_counts_until_the_services_reset() {
    let (_folder, path) = folder();
    let (mut one, mut two) = (open(&path, 10, 0), open(&path, 10, 0));
    go(&mut one, at(0));
    // Of ten, six are gone, and only one of them is ours. They come back in ten minutes.
    one.learn(at(200), server(10, 4, Some(600_000))).unwrap();
    assert_eq!(two.remaining(at(300)), Ok(Some(4)));
    (0..4).for_each(|_| go(&mut two, at(300)));
    assert_eq!(wait(&mut two, at(400)).reason, WaitReason::ServerQuota);
    assert_eq!(two.remaining(at(600_201)), Ok(Some(5)));
}

#[test]
fn what_others_have_sent_does_not_count_against_a_quota_below_the_services() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 100, 0);
    go(&mut quota, at(0));
    quota.learn(at(0), server(10_000, 4_000, None)).unwrap();
    assert_eq!(quota.remaining(at(1)), Ok(Some(99)));
    quota.learn(at(2), server(10_000, 50, None)).unwrap();
    assert_eq!(quota.remaining(at(3)), Ok(Some(50)), "not more than the service has left");
}

#[test]
fn a_service_that_counts_as_we_do_never_shows_others() {
    let (_folder, path) = folder();
    let mut pair = [open(&path, 50, 0), open(&path, 50, 0)];
    // What the service has counted, with a second and a half on the way there and as much back, two at a time.
    let mut arrived: Vec<i64> = Vec::new();
    let mut answers: Vec<(i64, u64)> = Vec::new();
    for step in 0..16_000 {
        let now = step * 500;
        let who = usize::from(step % 2 == 0);
        while let Some((_, used)) = answers.first().copied().filter(|(then, _)| *then <= now) {
            answers.remove(0);
            pair[who].learn(at(now), server(50, 50_u64.saturating_sub(used), None)).unwrap();
        }
        if let Admission::Granted = pair[who].acquire(at(now)).unwrap() {
            let arrival = now + 1_500;
            arrived.push(arrival);
            let used = arrived.iter().filter(|then| arrival - **then < 3_600_000).count();
            answers.push((arrival + 1_500, used.try_into().unwrap()));
        }
    }
    let others: i64 = pair[0]
        .connection
        .query_row("SELECT coalesce(sum(count), 0) FROM sent WHERE by = 'others'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(others, 0);
    assert!(arrived.len() >= 100, "{}", arrived.len());
}

#[test]
fn requests_that_were_slow_on_their_way_are_not_taken_for_others() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 50, 0);
    (0..40).for_each(|_| go(&mut quota, at(0)));
    // They took a second and a half to arrive. The next one arrives when we no longer count them and the service
    // still does.
    go(&mut quota, at(3_600_000));
    go(&mut quota, at(3_601_001));
    quota.learn(at(3_603_000), server(50, 9, None)).unwrap();
    assert_eq!(quota.remaining(at(3_603_000)), Ok(Some(48)));
}

#[test]
fn a_lower_limit_of_the_service_holds_for_all_until_its_reset() {
    let (_folder, path) = folder();
    let (mut one, mut two) = (open(&path, 100, 0), open(&path, 100, 0));
    go(&mut one, at(0));
    one.learn(at(0), server(3, 2, Some(600_000))).unwrap();
    (0..2).for_each(|_| go(&mut two, at(1)));
    let expected = Wait { until_ms: 600_000, again_ms: 30_002, reason: WaitReason::ServerQuota };
    assert_eq!(wait(&mut two, at(2)), expected);
    // Nobody knows what it will be then: one request goes to ask.
    go(&mut two, at(600_000));
    wait(&mut one, at(600_001));
    two.learn(at(600_002), server(100, 99, None)).unwrap();
    go(&mut one, at(600_003));
}

#[test]
fn a_service_with_a_shorter_window_is_not_taken_for_an_hourly_one() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 10_000, 0);
    let mut sent = 0;
    for minute in 0..30 {
        for second in 0..60 {
            let now = minute * MINUTE + second * 1_000;
            if let Admission::Granted = quota.acquire(at(now)).unwrap() {
                sent += 1;
                let reset = u64::try_from(MINUTE - second * 1_000).unwrap();
                quota.learn(at(now), server(60, 59 - u64::try_from(second).unwrap(), Some(reset))).unwrap();
            }
        }
    }
    assert!(sent > 30 * 55, "{sent}");
}

#[test]
fn a_clock_set_back_in_mid_run_costs_nothing_and_gives_nothing_away() {
    let (_folder, path) = folder();
    let (mut one, mut two) = (open(&path, 2, 0), open(&path, 2, 0));
    go(&mut one, at(0));
    go(&mut two, at(1_000));
    let back = -30 * MINUTE;
    wait(&mut one, set(2_000, back));
    assert!(one.take_warnings().concat().contains("clock was set back by 1800 s"));
    // The other process finds it done.
    wait(&mut two, set(SPAN_MS - 1, back));
    assert_eq!(two.take_warnings(), Vec::<String>::new());
    go(&mut two, set(SPAN_MS, back));
    wait(&mut one, set(SPAN_MS + 999, back));
    go(&mut one, set(SPAN_MS + 1_000, back));
}

#[test]
fn a_clock_set_forward_in_mid_run_gives_nothing_away() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 1, 0);
    go(&mut quota, at(0));
    wait(&mut quota, set(1_000, 2 * SPAN_MS));
    wait(&mut quota, set(SPAN_MS - 1, 2 * SPAN_MS));
    go(&mut quota, set(SPAN_MS, 2 * SPAN_MS));
    assert!(quota.take_warnings().concat().contains("forward"));
}

#[test]
fn a_clock_set_back_between_runs_is_noticed_and_ends() {
    let (_folder, path) = folder();
    let mut first = open(&path, 1, 0);
    go(&mut first, at(100));
    kill(first);
    let back = -365 * 24 * 60 * MINUTE;
    let mut second = open_at(&path, 1, set(60_000, back));
    assert!(second.take_warnings().concat().contains("clock was set back"));
    wait(&mut second, set(60_001, back));
    go(&mut second, set(60_000 + SPAN_MS, back));
}

#[test]
fn clocks_that_drift_are_not_clocks_that_were_set() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 10_000, 0);
    for minute in 0..600 {
        // 500 millionths: as much as the system ever slews its clock.
        quota.acquire(set(minute * MINUTE, minute * 30)).unwrap();
    }
    assert_eq!(quota.take_warnings(), Vec::<String>::new());
}

#[test]
fn old_entries_are_dropped() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 1_000, 0);
    (0..500).for_each(|second| go(&mut quota, at(second * 1_000)));
    go(&mut quota, at(3 * SPAN_MS));
    let rows: i64 = quota.connection.query_row("SELECT count(*) FROM sent", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn the_key_is_neither_in_the_file_nor_in_its_name() {
    let folder = TempDir::new().unwrap();
    let key = Secret::new("bt_0123456789abcdef".to_owned()).unwrap();
    let name = file_name(&key, "app.bluetallyapp.com");
    assert_eq!(name.len(), 32 + ".sqlite".len());
    assert_ne!(name, file_name(&key, "localhost:8080"));
    let mut quota = open(&folder.path().join(&name), 5, 0);
    go(&mut quota, at(0));
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert!(!entry.file_name().to_string_lossy().contains("0123456789abcdef"));
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == b"0123456789abcdef"), "{entry:?}");
    }
}

#[test]
fn files_that_are_not_a_shared_quota_are_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let open = |path: &Path| SharedQuota::open(path, Some(1), at(0)).unwrap_err();
    let text = folder.path().join("text.sqlite");
    std::fs::write(&text, "not a database, and longer than a header of one\n".repeat(99)).unwrap();
    let error = open(&text);
    assert!(matches!(error, SharedQuotaError::Damaged { .. }), "{error}");
    assert!(error.hint().contains("text.sqlite"));
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a database"));

    let other = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(open(&other), SharedQuotaError::Damaged { .. }));

    let newer = folder.path().join("newer.sqlite");
    drop(SharedQuota::open(&newer, Some(1), at(0)).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(matches!(open(&newer), SharedQuotaError::Newer { found: 2, known: 1, .. }));

    let under_a_file = text.join("quota").join("q.sqlite");
    assert!(matches!(open(&under_a_file), SharedQuotaError::Unwritable { .. }));
}

#[cfg(unix)]
#[test]
fn the_folder_is_private_and_a_lost_file_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    let mut quota = open(&path, 5, 0);
    go(&mut quota, at(0));
    let mode = std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(quota.acquire(at(2_000)), Err(QuotaFileError::Broken(_))));
}

#[test]
fn a_shared_quota_that_is_held_says_so() {
    let (_folder, path) = folder();
    let mut quota = open(&path, 5, 0);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(quota.acquire(at(1)), Err(QuotaFileError::Busy));
    other.execute_batch("COMMIT").unwrap();
    go(&mut quota, at(2));
}
