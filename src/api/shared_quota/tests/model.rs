//! The quota beside what it promises, over days and weeks of simulated time.

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::super::clock::ClockReading;
use super::super::admission::Admission;
use super::super::{SPAN_MS, SharedQuota};
use super::{MINUTE, START, at, kill, open, open_at};
use crate::fuzz::{cases, few_or_all};

const HOUR: i64 = 60 * MINUTE;

/// Requests an hour of the simulation.
const LIMIT: u32 = 9;

/// Where more than `limit` lie within one window, if anywhere. `sent` is in order.
fn excess(sent: &[i64], limit: usize) -> Option<&[i64]> {
    sent.windows(limit + 1).find(|window| window[limit] - window[0] < SPAN_MS)
}

/// When each wish is granted by the rule's own words: the first moment at which fewer than `limit` lie within the
/// span before it.
fn granted_by_model(limit: usize, wishes: &[i64]) -> Vec<i64> {
    let mut sent: Vec<i64> = Vec::new();
    for wish in wishes {
        let earliest = sent.len().checked_sub(limit).map_or(0, |index| sent[index] + SPAN_MS);
        let last = sent.last().copied().unwrap_or(0);
        sent.push(earliest.max(last).max(*wish));
    }
    sent
}

proptest! {
    #![proptest_config(cases(few_or_all(5, 12) as u32))]

    /// One process, more than a week, restarted now and then: the quota grants exactly when the model does.
    #[test]
    fn one_process_does_as_the_naive_model_over_weeks(
        limit in 1_u32..12,
        gaps in prop::collection::vec(prop_oneof![Just(0), 0..40_000_i64, 0..2 * HOUR, 0..9 * HOUR], 1..120),
        restarts in prop::collection::vec(any::<bool>(), 120),
    ) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("q.sqlite");
        let mut quota = open(&path, limit, 0);
        let (mut wish, mut wishes, mut granted, mut now) = (0, Vec::new(), Vec::new(), 0);
        for (gap, restart) in gaps.iter().zip(restarts) {
            wish += gap;
            wishes.push(wish);
            now = now.max(wish);
            if restart {
                kill(std::mem::replace(&mut quota, open(&path, limit, now)));
            }
            while let Admission::Wait(wait) = quota.acquire(at(now)).unwrap() {
                prop_assert!(wait.again_ms > START + now);
                now = wait.again_ms - START;
            }
            granted.push(now);
        }
        prop_assert_eq!(granted, granted_by_model(limit as usize, &wishes));
    }
}

/// A process of the simulation: its work arrives in bursts, and it lives for a while.
struct Process {
    quota: Option<SharedQuota>,
    /// Requests it still has to send.
    work: u64,
    /// When it does something next.
    next: i64,
    /// When it is killed.
    killed: i64,
}

/// What the machine's clock says at a moment of true time.
struct MachineClock {
    set_at: i64,
    by: i64,
}

impl MachineClock {
    fn read(&self, now: i64) -> ClockReading {
        let by = if now >= self.set_at { self.by } else { 0 };
        ClockReading { wall_ms: START + now + by, steady_ms: now }
    }
}

/// How many hours are simulated.
fn hours() -> i64 {
    few_or_all(24, 72) as i64
}

/// Three processes over days: they start, are given bursts of work, and are killed, at random; the clock is set
/// once. Gives the moments of sending and the work that was there to do at each moment.
fn simulate(seed: u64, limit: u32, clock: &MachineClock) -> (Vec<i64>, Vec<(i64, u64)>) {
    let end = hours() * HOUR;
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("q.sqlite");
    let mut processes: Vec<Process> =
        (0..3).map(|index| Process { quota: None, work: 0, next: index * 7 * MINUTE, killed: 0 }).collect();
    let (mut sent, mut arrivals) = (Vec::new(), Vec::new());
    while let Some(process) = processes.iter_mut().min_by_key(|process| process.next).filter(|one| one.next < end) {
        let now = process.next;
        if process.quota.is_some() && now >= process.killed {
            process.quota.take().into_iter().for_each(kill);
            // What it had not sent is there again for the next run of it.
            process.next = now + chance.i64(1_000..20 * MINUTE);
            continue;
        }
        let quota = match &mut process.quota {
            Some(quota) => quota,
            none => {
                process.killed = now + chance.i64(MINUTE..5 * HOUR);
                none.insert(open_at(&path, limit, clock.read(now)))
            }
        };
        if process.work == 0 {
            process.work = chance.u64(1..u64::from(limit) * 4);
            arrivals.push((now, process.work));
        }
        match quota.acquire(clock.read(now)).unwrap() {
            Admission::Granted => {
                sent.push(now);
                process.work -= 1;
                process.next = now + chance.i64(0..40);
            }
            Admission::Wait(wait) => {
                let reading = clock.read(now);
                // As a busy machine does it: a little late.
                process.next = now + (wait.again_ms - reading.wall_ms).max(1) + chance.i64(0..20);
            }
        }
        if process.work == 0 && chance.u8(..4) == 0 {
            process.next = now + chance.i64(0..90 * MINUTE);
        }
        process.next = process.next.min(process.killed.max(now + 1));
    }
    (sent, arrivals)
}

/// The least time at which the rule lets all of `sent`'s number leave, given when work arrived.
fn optimum(limit: usize, arrivals: &[(i64, u64)], count: usize) -> i64 {
    let wishes: Vec<i64> =
        arrivals.iter().flat_map(|(at, work)| std::iter::repeat_n(*at, usize::try_from(*work).unwrap())).collect();
    let granted = granted_by_model(limit, &wishes);
    granted[..count].last().copied().unwrap_or(0)
}

fn check(seed: u64, limit: u32, clock: &MachineClock) {
    let (sent, arrivals) = simulate(seed, limit, clock);
    let count = usize::try_from(limit).unwrap();
    assert_eq!(excess(&sent, count), None, "seed {seed}");
    let (took, best) = (sent.last().copied().unwrap_or(0), optimum(count, &arrivals, sent.len()));
    // Within one per cent, but for pauses in which no process that has work is alive.
    assert!(took * 100 <= best * 101, "seed {seed}: {took} ms for what takes {best} ms, {} requests", sent.len());
    assert!(sent.len() as i64 >= hours() * i64::from(limit) * 5 / 6, "seed {seed}: only {} requests", sent.len());
}

#[test]
fn three_processes_over_days_never_exceed_and_lose_nothing() {
    for seed in 0..few_or_all(1, 2) {
        check(seed, LIMIT, &MachineClock { set_at: i64::MAX, by: 0 });
    }
}

#[test]
fn nor_where_the_clock_is_set() {
    for (seed, by) in (2..).zip([-24 * HOUR, -45 * MINUTE, 90 * MINUTE]).take(few_or_all(1, 3) as usize) {
        check(seed, LIMIT, &MachineClock { set_at: hours() * HOUR * 3 / 7, by });
    }
}
