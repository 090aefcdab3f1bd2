//! Pages that are requested or have arrived, and are not merged yet.

use std::collections::BTreeMap;

use super::end_estimator::PageSpan;
use super::page_merger::MergeAttempt;
use crate::api::RawPage;

/// Pages by their offset.
#[derive(Debug, Default)]
pub(super) struct PrefetchBuffer(BTreeMap<u64, PrefetchSlot>);

#[derive(Debug)]
enum PrefetchSlot {
    Requested,
    Ready(ReadyPage),
}

/// A page that has arrived.
#[derive(Debug)]
pub(super) struct ReadyPage {
    pub(super) page: RawPage,
    pub(super) span: PageSpan,
    pub(super) attempt: MergeAttempt,
}

impl PrefetchBuffer {
    pub(super) fn request(&mut self, offset: u64) {
        self.0.entry(offset).or_insert(PrefetchSlot::Requested);
    }

    /// Keeps a page that was requested, unless it was discarded meanwhile.
    pub(super) fn keep(&mut self, ready: ReadyPage) {
        if let Some(slot @ PrefetchSlot::Requested) = self.0.get_mut(&ready.span.offset) {
            *slot = PrefetchSlot::Ready(ready);
        }
    }

    /// Puts back a page that was taken, to be tried again.
    pub(super) fn put_back(&mut self, ready: ReadyPage) {
        self.0.insert(ready.span.offset, PrefetchSlot::Ready(ready));
    }

    pub(super) fn forget(&mut self, offset: u64) {
        self.0.remove(&offset);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the page to merge next if the merged pages reach to `at`: the last one that begins there or before. None if
    /// it has not arrived.
    pub(super) fn take(&mut self, at: u64) -> Option<ReadyPage> {
        let (offset, slot) = self.0.range(..=at).next_back()?;
        let offset = *offset;
        match slot {
            PrefetchSlot::Requested => None,
            PrefetchSlot::Ready(_) => match self.0.remove(&offset)? {
                PrefetchSlot::Ready(ready) => Some(ready),
                PrefetchSlot::Requested => None,
            },
        }
    }

    /// Discards the pages that begin there or before.
    pub(super) fn discard(&mut self, offset: u64) {
        self.0 = match offset.checked_add(1) {
            Some(next) => self.0.split_off(&next),
            None => BTreeMap::new(),
        };
    }

    /// Whether a page has arrived that has records behind `end`.
    pub(super) fn has_records_beyond(&self, end: u64) -> bool {
        self.0
            .values()
            .any(|slot| matches!(slot, PrefetchSlot::Ready(ready) if ready.span.len > 0 && ready.span.end() > end))
    }

    /// How far the page to merge at `at` reaches: the offset of its last record, as far as is known. None if no page
    /// is requested that begins there or before and continues from there.
    pub(super) fn reach(&self, at: u64, stride: u64) -> Option<PageReach> {
        let (offset, slot) = self.0.range(..=at).next_back()?;
        let last = match slot {
            PrefetchSlot::Requested => offset.saturating_add(stride),
            PrefetchSlot::Ready(ready) => ready.span.end().saturating_sub(1),
        };
        if last > at {
            return Some(PageReach::To(last));
        }
        (*offset == at).then_some(PageReach::End)
    }
}

/// How far a page reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageReach {
    /// Its last record has that offset.
    To(u64),
    /// There is nothing behind its first record.
    End,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ready(offset: u64, len: u32) -> ReadyPage {
        let text = format!("[{}]", vec!["{}"; len as usize].join(","));
        ReadyPage {
            page: RawPage::of(text).unwrap(),
            span: PageSpan { offset, asked: 3, len },
            attempt: MergeAttempt::First,
        }
    }

    #[test]
    fn the_last_page_at_or_before_is_next() {
        let mut buffer = PrefetchBuffer::default();
        [0, 2, 4].into_iter().for_each(|offset| buffer.request(offset));
        buffer.keep(ready(0, 3));
        buffer.keep(ready(4, 3));
        buffer.keep(ready(6, 3));
        assert_eq!(buffer.take(3).map(|ready| ready.span.offset), None);
        assert_eq!(buffer.take(1).map(|ready| ready.span.offset), Some(0));
        assert_eq!(buffer.take(9).map(|ready| ready.span.offset), Some(4));
        assert_eq!(buffer.take(9).map(|ready| ready.span.offset), None);
        buffer.put_back(ready(4, 3));
        buffer.discard(3);
        assert_eq!(buffer.take(3).map(|ready| ready.span.offset), None);
        assert!(buffer.has_records_beyond(6) && !buffer.has_records_beyond(7));
    }

    #[test]
    fn requested_pages_reach_a_stride_and_pages_that_arrived_as_far_as_they_go() {
        let mut buffer = PrefetchBuffer::default();
        assert_eq!(buffer.reach(0, 2), None);
        [0, 2, 4].into_iter().for_each(|offset| buffer.request(offset));
        buffer.keep(ready(2, 3));
        assert_eq!([0, 1, 2, 3].map(|at| buffer.reach(at, 2)), [2, 2, 4, 4].map(|to| Some(PageReach::To(to))));
        assert_eq!((buffer.reach(4, 2), buffer.reach(6, 2)), (Some(PageReach::To(6)), None));
        buffer.keep(ready(4, 1));
        assert_eq!(buffer.reach(4, 2), Some(PageReach::End));
    }
}
