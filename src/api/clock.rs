//! The wall clock, which all processes of this machine share and anybody may set, and a monotonic clock, which nobody
//! can set and which runs while the machine sleeps. Together they show when the wall clock was set.

use std::time::{self, SystemTime};

use tokio::time::Instant;

/// Readings that took longer than this were interrupted by a pause of the process; they are repeated.
const INTERRUPTED_MS: i64 = 50;
/// On a machine so busy that every reading is interrupted, the last one is used.
const READINGS: usize = 5;

/// Both clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockReading {
    /// Since the Unix epoch, by the wall clock.
    pub(super) wall_ms: i64,
    /// Since an arbitrary moment, by the monotonic clock.
    pub(super) steady_ms: i64,
}

/// Reads the clocks. In tests that pause the runtime's time, both follow it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MachineClocks {
    runtime: Instant,
    system: time::Instant,
}

impl MachineClocks {
    pub(super) fn new() -> Self {
        Self { runtime: Instant::now(), system: time::Instant::now() }
    }

    pub(super) fn read(&self) -> ClockReading {
        let mut reading = self.read_once();
        for _ in 1..READINGS {
            if reading.1 <= INTERRUPTED_MS {
                break;
            }
            reading = self.read_once();
        }
        reading.0
    }

    /// A reading, and how long it took by the monotonic clock.
    fn read_once(&self) -> (ClockReading, i64) {
        let before = steady_ms(self.system);
        let paused = self.paused_ms();
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let after = steady_ms(self.system);
        let wall_ms = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX);
        (ClockReading { wall_ms: wall_ms.saturating_add(paused), steady_ms: after + paused }, after - before)
    }

    /// How far the runtime's time is ahead of the system's: nothing, except in tests that pause and advance it.
    fn paused_ms(&self) -> i64 {
        let milliseconds = |span: time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        milliseconds(self.runtime.elapsed()) - milliseconds(self.system.elapsed())
    }
}

/// `CLOCK_BOOTTIME` counts while the machine sleeps, the clock behind `Instant` does not.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn steady_ms(_start: time::Instant) -> i64 {
    milliseconds(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// On the other Unixes, macOS among them, `CLOCK_MONOTONIC` counts while the machine sleeps.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn steady_ms(_start: time::Instant) -> i64 {
    milliseconds(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic))
}

/// On Windows `Instant` counts while the machine sleeps.
#[cfg(not(unix))]
fn steady_ms(start: time::Instant) -> i64 {
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(unix)]
fn milliseconds(time: rustix::time::Timespec) -> i64 {
    // The fields are narrower than 64 bits on some machines.
    #[allow(clippy::useless_conversion)]
    let (seconds, nanoseconds) = (i64::from(time.tv_sec), i64::from(time.tv_nsec));
    seconds.saturating_mul(1_000).saturating_add(nanoseconds / 1_000_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::MachineClocks;

    #[tokio::test(start_paused = true)]
    async fn both_clocks_follow_the_runtime() {
        let clock = MachineClocks::new();
        let before = clock.read();
        advance(Duration::from_secs(7_200)).await;
        let after = clock.read();
        // Reading two clocks after one another leaves a little doubt.
        assert!((after.wall_ms - before.wall_ms - 7_200_000).abs() < 1_000);
        assert!((after.steady_ms - before.steady_ms - 7_200_000).abs() < 1_000);
    }
}
