//! The quota of one process: at most N requests in any hour. Pure; the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The window the guide counts requests in ("10,000 API requests per hour"), plus one second of tolerance: the service
/// counts a request when it arrives, we when it is sent, and one that was slow on its way must not meet one that was
/// fast.
pub(super) const HOUR: Duration = Duration::from_secs(3_600 + 1);

/// The times of the last N requests: all it takes to keep a rolling window exactly.
///
/// Memory is 16 bytes for each request in the window, so 160 kB at the documented quota.
#[derive(Debug)]
pub(super) struct RollingWindow {
    limit: usize,
    span: Duration,
    sent: VecDeque<Instant>,
}

impl RollingWindow {
    /// At most `limit` (at least one) in any `span`.
    pub(super) fn new(limit: u32, span: Duration) -> Self {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        Self { limit, span, sent: VecDeque::new() }
    }

    /// When the next request may be sent; none if it may be sent now.
    pub(super) fn next_free(&mut self, now: Instant) -> Option<Instant> {
        self.expire(now);
        if self.sent.len() < self.limit {
            return None;
        }
        // There is room for one more once this request has left the window.
        self.sent.get(self.sent.len() - self.limit).map(|oldest| *oldest + self.span)
    }

    /// Counts a request that is sent now.
    pub(super) fn record(&mut self, now: Instant) {
        self.expire(now);
        self.sent.push_back(now);
    }

    /// Counts the requests of other processes, as if they were sent now. `total` is the number of requests in the
    /// window, ours included.
    pub(super) fn add_others(&mut self, total: usize, now: Instant) {
        self.expire(now);
        let others = total.saturating_sub(self.sent.len());
        self.sent.extend(std::iter::repeat_n(now, others));
    }

    /// How many more requests may be sent now.
    pub(super) fn remaining(&mut self, now: Instant) -> usize {
        self.expire(now);
        self.limit.saturating_sub(self.sent.len())
    }

    fn expire(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|oldest| *oldest + self.span <= now) {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::cases;

    /// Sends as soon as allowed. `gaps` are the seconds between two requests that want to be sent.
    fn sent_by_window(limit: u32, span: Duration, start: Instant, gaps: &[u64]) -> Vec<Instant> {
        let mut window = RollingWindow::new(limit, span);
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

    /// The rule spelled out: the first second at which fewer than `limit` requests lie in the span before it.
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
        #![proptest_config(cases(32))]

        #[test]
        fn the_window_agrees_with_the_model_over_hours(
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
