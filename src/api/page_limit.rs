//! How long the pages of the service are, and whether a page is the last one.
//!
//! No total is reported anywhere: a list ends with a short or empty page (field notes). But a service may silently cut
//! pages to a maximum of its own, and a page cut to 500 looks like the end of a list requested by 1,000. So a short page of
//! a suspiciously round length ends the list only once the service has been seen to fill a longer one; until then one more
//! request asks.

use std::sync::atomic::{AtomicU32, Ordering};

use super::error::ApiError;

/// The documented maximum (guide: "1,000 results per request"), and what to fall back to if it is refused. Older
/// copies of the guide said 500; 50 is the documented default of every list.
const LIMITS: [u32; 4] = [1_000, 500, 100, 50];
/// Maximum page lengths that services choose are multiples of this.
const ROUND: usize = 50;

/// What a client has learned about the length of pages.
#[derive(Debug)]
pub(super) struct PageLimit {
    /// What to request.
    limit: AtomicU32,
    /// The longest page seen.
    longest: AtomicU32,
}

impl PageLimit {
    pub(super) fn new() -> Self {
        Self { limit: AtomicU32::new(LIMITS[0]), longest: AtomicU32::new(0) }
    }

    pub(super) fn get(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// The service accepted `limit` after it had refused more.
    pub(super) fn learn(&self, limit: u32) {
        self.limit.fetch_min(limit.max(1), Ordering::Relaxed);
    }

    /// A page of `length` arrived.
    pub(super) fn observe(&self, length: usize) {
        self.longest.fetch_max(u32::try_from(length).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Whether a page of `length`, requested with `limit`, is the last one.
    pub(super) fn is_last(&self, length: usize, limit: u32) -> bool {
        let longest = self.longest.load(Ordering::Relaxed) as usize;
        let may_be_cut = length.is_multiple_of(ROUND) && longest <= length;
        length == 0 || (length < limit as usize && !may_be_cut)
    }
}

/// The next smaller limit to try after `refused`.
pub(super) fn smaller(refused: u32) -> Option<u32> {
    LIMITS.into_iter().find(|limit| *limit < refused)
}

/// Whether a status can mean that the limit was too large.
pub(super) fn may_refuse_limit(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { status: 400 | 413 | 416 | 422, .. })
}

#[cfg(test)]
mod tests {
    use super::{PageLimit, smaller};

    #[test]
    fn a_round_short_page_is_the_last_only_once_longer_ones_were_seen() {
        // Longest page seen before, length, limit, whether it is the last.
        let cases = [
            (0, 0, 1_000, true),
            (0, 1, 1_000, true),
            (0, 499, 1_000, true),
            (0, 500, 1_000, false),
            (0, 50, 1_000, false),
            (0, 1_000, 1_000, false),
            (1_000, 500, 1_000, true),
            (1_000, 50, 1_000, true),
            (500, 500, 1_000, false),
            (500, 100, 500, true),
            (0, 1_200, 1_000, false),
        ];
        for (longest, length, limit, last) in cases {
            let pages = PageLimit::new();
            pages.observe(longest);
            pages.observe(length);
            assert_eq!(pages.is_last(length, limit), last, "{longest} {length} {limit}");
        }
    }

    #[test]
    fn limits_only_ever_shrink() {
        assert_eq!([1_000, 700, 500, 100, 50, 7].map(smaller), [Some(500), Some(500), Some(100), Some(50), None, None]);
        let pages = PageLimit::new();
        pages.learn(100);
        pages.learn(500);
        assert_eq!(pages.get(), 100);
    }
}
