//! How far a list is known to reach, how long its pages are, and whether it has ended.
//!
//! No total is reported anywhere (field notes). A record seen at some offset shows that everything before it is there,
//! so those pages are sure to be needed and can be fetched side by side. To learn of records far ahead, a page there
//! has to be asked for, which may turn out to lie behind the end. The first one that does, or that shows the end, is
//! the last one tried: a list costs one request more than its pages at most.
//!
//! A service may cut pages to a maximum of its own without a word. So a page that is shorter than was asked for ends
//! the list only where the service is known to give longer ones; until then one more request asks from the last record
//! on.

/// Pages that are read one after the other before one further ahead is tried: most lists are shorter.
const LEAST_PAGES: u64 = 4;
/// The end_estimator is moved by a quarter of what is known.
const LEAP: u64 = 4;
/// A list shrinks a little between two sweeps: the first page tried lies that part before the end it had.
const CAUTION: u64 = 32;
/// Maximum page lengths that services choose are multiples of this.
const ROUND: u32 = 50;

/// What is known of a list's length and of its pages'.
#[derive(Debug)]
pub(super) struct EndEstimator {
    /// IdMerger that the list had at an earlier time.
    expected: Option<u64>,
    /// The longest page seen before this scan, 0 for none.
    before: u32,
    /// The longest page seen in it.
    longest: u32,
    length: Length,
    /// IdMerger that are known to be there.
    known: u64,
    trying: Probing,
}

/// What the length of the longest page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// The list may have ended there.
    Guessed,
    /// So long are the pages that the service gives.
    Known,
}

/// Whether pages are tried that may lie behind the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probing {
    Ready,
    UnderWay,
    Over,
}

/// Why a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestReason {
    /// It is sure to be there, or to show the end.
    Required,
    /// It may lie behind the end.
    Probe,
}

/// A page that came: where it begins, how many records were asked for, and how many it has.
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
    pub(super) fn new(expected: Option<u64>, before: u32) -> Self {
        Self { expected, before, longest: 0, length: Length::Guessed, known: 0, trying: Probing::Ready }
    }

    /// From one page's beginning to the next one's: they have one record in common.
    pub(super) fn stride(&self, limit: u32) -> u64 {
        u64::from(self.page_length(limit)).saturating_sub(1).max(1)
    }

    /// How long pages are expected to be.
    pub(super) fn page_length(&self, limit: u32) -> u32 {
        if self.longest == 0 { limit } else { self.longest.min(limit) }
    }

    /// The longest page the service gives, as far as it is known now.
    pub(super) fn longest(&self) -> u32 {
        match self.length {
            Length::Known => self.longest,
            Length::Guessed => self.longest.max(self.before),
        }
    }

    /// Whether a record behind that offset is known to be there, and so a page from there on has something new.
    pub(super) fn goes_beyond(&self, offset: u64) -> bool {
        offset.saturating_add(1) < self.known
    }

    /// A page came.
    pub(super) fn saw(&mut self, page: PageSpan, reason: RequestReason) {
        let is_full = page.len >= page.asked || (page.len > 0 && [self.longest, self.before].contains(&page.len));
        if is_full && page.len >= self.longest {
            self.length = Length::Known;
        }
        self.longest = self.longest.max(page.len);
        let is_short = page.len < page.asked.min(self.longest);
        match (reason, page.len) {
            // The list ends somewhere before; where, it does not say.
            (RequestReason::Probe, 0) => {}
            _ if is_short => self.known = page.end(),
            _ => self.known = self.known.max(page.end()),
        }
        if is_short {
            self.trying = Probing::Over;
        } else if reason == RequestReason::Probe {
            self.trying = Probing::Ready;
        }
    }

    /// A page that was tried could not be had.
    pub(super) fn gave_up(&mut self) {
        self.trying = Probing::Over;
    }

    /// Whether the list ends with that page.
    pub(super) fn ends_with(&self, page: PageSpan) -> bool {
        if page.len == 0 || page.len < page.asked.min(self.longest) {
            return true;
        }
        // No longer page has come in this scan. The service may have changed its mind since it gave one, and then
        // the list stops at a round number, or short of where it ended before.
        let is_plausible = !page.len.is_multiple_of(ROUND) && self.expected.is_none_or(|count| page.end() >= count);
        page.len < page.asked.min(self.before) && page.offset == 0 && is_plausible
    }

    /// A page that is worth trying, by its offset: one that the pages from `at` on come to in strides.
    pub(super) fn attempt(&mut self, at: u64, stride: u64) -> Option<u64> {
        if self.trying != Probing::Ready || self.length == Length::Guessed || self.known <= at {
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
        self.trying = Probing::UnderWay;
        Some(offset)
    }
}

#[cfg(test)]
mod tests;
