//! The request quota: a maximum number of requests in any sliding hour.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// The requests of the last hour, and their maximum number.
#[derive(Debug)]
pub(super) struct HourlyQuota {
    pub(super) limit: u32,
    admitted: VecDeque<Instant>,
}

impl HourlyQuota {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, admitted: VecDeque::new() }
    }

    /// Admits a request at `now`, and returns how many remain; or, as an error, the whole seconds until another is
    /// admitted. A refused request does not count.
    pub(super) fn admit(&mut self, now: Instant) -> Result<u32, u64> {
        while self.admitted.front().is_some_and(|first| now.duration_since(*first) >= HOUR) {
            self.admitted.pop_front();
        }
        if self.admitted.len() >= self.limit as usize {
            return Err(self.retry_after(now));
        }
        self.admitted.push_back(now);
        Ok(self.limit - self.admitted.len() as u32)
    }

    /// Seconds until the oldest request leaves the window, rounded up, since a client that retries too early is
    /// refused.
    fn retry_after(&self, now: Instant) -> u64 {
        let Some(first) = self.admitted.front() else { return HOUR.as_secs() };
        let left = HOUR.saturating_sub(now.duration_since(*first));
        left.as_millis().div_ceil(1000) as u64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_window_slides() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut quota = HourlyQuota::new(2);
        assert_eq!(quota.admit(at(0)), Ok(1));
        assert_eq!(quota.admit(at(1800)), Ok(0));
        assert_eq!(quota.admit(at(1801)), Err(1799));
        assert_eq!(quota.admit(at(3599)), Err(1));
        assert_eq!(quota.admit(at(3600)), Ok(0));
        assert_eq!(quota.admit(at(3601)).unwrap_err(), 1799, "the next to leave came at 1800");
    }

    #[test]
    fn refused_requests_do_not_count() {
        let start = Instant::now();
        let mut quota = HourlyQuota::new(1);
        assert!(quota.admit(start).is_ok());
        for second in 1..3600 {
            assert!(quota.admit(start + Duration::from_secs(second)).is_err());
        }
        assert!(quota.admit(start + HOUR).is_ok());
    }

    #[test]
    fn waiting_as_told_is_always_enough() {
        let start = Instant::now();
        let mut quota = HourlyQuota::new(1);
        quota.admit(start).unwrap();
        let now = start + Duration::from_millis(1);
        let wait = quota.admit(now).unwrap_err();
        assert!(quota.admit(now + Duration::from_secs(wait)).is_ok());
    }
}
