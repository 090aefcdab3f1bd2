//! How far a list is known to reach, how long its pages are, and whether it has ended.
//!
//! No total is reported anywhere (field notes). A record seen at some offset shows that everything before it is there,
//! so those pages are certainly needed and can be fetched in parallel. To learn of records far ahead, a page there has to
//! be requested, which may turn out to lie behind the end. The first probe that does, or that shows the end, is the last
//! one: a list costs one request more than its pages at most.
//!
//! A service may silently cut pages to a maximum of its own. So a page shorter than requested ends the list only if the
//! service is known to return longer ones; until then one more request asks from the last record on.

/// Pages that are read one after the other before the first probe: most lists are shorter.
const LEAST_PAGES: u64 = 4;
/// A probe goes beyond the known records by a quarter of them.
const LEAP: u64 = 4;
/// A list shrinks a little between two scans: the first probe lies this fraction before the end it had.
const CAUTION: u64 = 32;
/// Maximum page lengths that services choose are multiples of this.
const ROUND: u32 = 50;

/// What is known of the length of a list and of its pages.
#[derive(Debug)]
pub(super) struct EndEstimator {
    /// Records that the list had at an earlier time.
    expected: Option<u64>,
    /// The longest page seen before this scan, 0 for none.
    longest_before: u32,
    /// The longest page seen in it.
    longest: u32,
    /// Whether the longest page is as long as the service returns them; else the list may have ended there.
    is_length_known: bool,
    /// Records that are known to be there.
    known: u64,
    probing: Probing,
}

/// Whether pages are requested that may lie behind the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probing {
    Ready,
    InFlight,
    Over,
}

/// Why a page is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestReason {
    /// It certainly exists, or shows the end.
    Required,
    /// It may lie behind the end.
    Probe,
}

/// A page that arrived: where it begins, how many records were requested, and how many it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSpan {
    pub(super) offset: u64,
    pub(super) asked: u32,
    pub(super) len: u32,
}

impl PageSpan {
    /// The offset behind its last record.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.len))
    }
}

impl EndEstimator {
    pub(super) fn new(expected: Option<u64>, longest_before: u32) -> Self {
        Self { expected, longest_before, longest: 0, is_length_known: false, known: 0, probing: Probing::Ready }
    }

    /// The distance between the beginnings of two pages, which share one record.
    pub(super) fn stride(&self, limit: u32) -> u64 {
        u64::from(self.page_length(limit)).saturating_sub(1).max(1)
    }

    /// How long pages are expected to be.
    pub(super) fn page_length(&self, limit: u32) -> u32 {
        if self.longest == 0 { limit } else { self.longest.min(limit) }
    }

    /// The longest page the service returns, as far as is known now.
    pub(super) fn longest_page(&self) -> u32 {
        if self.is_length_known { self.longest } else { self.longest.max(self.longest_before) }
    }

    /// Whether a record behind that offset is known to exist, so that a page from there on has something new.
    pub(super) fn is_beyond(&self, offset: u64) -> bool {
        offset.saturating_add(1) < self.known
    }

    /// Learns from a page that arrived.
    pub(super) fn observe(&mut self, page: PageSpan, reason: RequestReason) {
        let is_full =
            page.len >= page.asked || (page.len > 0 && [self.longest, self.longest_before].contains(&page.len));
        if is_full && page.len >= self.longest {
            self.is_length_known = true;
        }
        self.longest = self.longest.max(page.len);
        let is_short = page.len < page.asked.min(self.longest);
        match (reason, page.len) {
            // The list ends somewhere before it.
            (RequestReason::Probe, 0) => {}
            _ if is_short => self.known = page.end(),
            _ => self.known = self.known.max(page.end()),
        }
        if is_short {
            self.probing = Probing::Over;
        } else if reason == RequestReason::Probe {
            self.probing = Probing::Ready;
        }
    }

    /// The probe could not be read.
    pub(super) fn probe_failed(&mut self) {
        self.probing = Probing::Over;
    }

    /// Whether the list ends with that page.
    pub(super) fn is_last(&self, page: PageSpan) -> bool {
        if page.len == 0 || page.len < page.asked.min(self.longest) {
            return true;
        }
        // No longer page arrived in this scan. The service may return shorter pages than it used to, and then the list
        // stops at a round number, or before the end it had.
        let is_plausible = !page.len.is_multiple_of(ROUND) && self.expected.is_none_or(|count| page.end() >= count);
        page.len < page.asked.min(self.longest_before) && page.offset == 0 && is_plausible
    }

    /// The offset of a page worth a probe: one that the pages from `at` on reach in whole strides.
    pub(super) fn probe(&mut self, at: u64, stride: u64) -> Option<u64> {
        if self.probing != Probing::Ready || !self.is_length_known || self.known <= at {
            return None;
        }
        let step_to = |record: u64| at + record.saturating_sub(at) / stride * stride;
        let had = self.expected.unwrap_or(0).min(self.known);
        let offset = match self.expected.filter(|count| *count > self.known) {
            Some(count) => {
                let cautious = step_to(count - 1 - count / CAUTION);
                if cautious < self.known { step_to(count - 1) } else { cautious }
            }
            None => match (self.known - had) / stride {
                pages if pages < LEAST_PAGES => return None,
                pages => step_to(self.known - 1) + pages / LEAP * stride,
            },
        };
        if offset < self.known {
            return None;
        }
        self.probing = Probing::InFlight;
        Some(offset)
    }
}

#[cfg(test)]
mod tests;
