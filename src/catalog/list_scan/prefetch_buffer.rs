//! Pages that are asked for or here, and not joined yet.

use std::collections::BTreeMap;

use super::end_estimator::PageSpan;
use super::page_merger::MergeAttempt;
use crate::api::RawPage;

/// Pages by their offset.
#[derive(Debug, Default)]
pub(super) struct PrefetchBuffer(BTreeMap<u64, PrefetchSlot>);

#[derive(Debug)]
enum PrefetchSlot {
    Asked,
    Here(ReadyPage),
}

/// A page that is here.
#[derive(Debug)]
pub(super) struct ReadyPage {
    pub(super) page: RawPage,
    pub(super) extent: PageSpan,
    pub(super) look: MergeAttempt,
}

impl PrefetchBuffer {
    pub(super) fn ask(&mut self, offset: u64) {
        self.0.entry(offset).or_insert(PrefetchSlot::Asked);
    }

    /// Keeps a page that was asked for, unless nobody waits for it any more.
    pub(super) fn keep(&mut self, held: ReadyPage) {
        if let Some(slot @ PrefetchSlot::Asked) = self.0.get_mut(&held.extent.offset) {
            *slot = PrefetchSlot::Here(held);
        }
    }

    /// Keeps a page that was taken, to be tried again.
    pub(super) fn put_back(&mut self, held: ReadyPage) {
        self.0.insert(held.extent.offset, PrefetchSlot::Here(held));
    }

    pub(super) fn forget(&mut self, offset: u64) {
        self.0.remove(&offset);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the page to join next where the run reaches to `at`: the last one that begins there or before. None while
    /// it has not come.
    pub(super) fn take(&mut self, at: u64) -> Option<ReadyPage> {
        let (offset, slot) = self.0.range(..=at).next_back()?;
        let offset = *offset;
        match slot {
            PrefetchSlot::Asked => None,
            PrefetchSlot::Here(_) => match self.0.remove(&offset)? {
                PrefetchSlot::Here(held) => Some(held),
                PrefetchSlot::Asked => None,
            },
        }
    }

    /// Lets go of the pages that begin there or before.
    pub(super) fn discard(&mut self, offset: u64) {
        self.0 = match offset.checked_add(1) {
            Some(next) => self.0.split_off(&next),
            None => BTreeMap::new(),
        };
    }

    /// Whether a page is here that has records behind `end`.
    pub(super) fn goes_beyond(&self, end: u64) -> bool {
        self.0
            .values()
            .any(|slot| matches!(slot, PrefetchSlot::Here(held) if held.extent.len > 0 && held.extent.end() > end))
    }

    /// How far the page goes that a run reaching to `at` is joined with next: the offset of its last record, as far as
    /// is known. None where no page is asked for that begins there or before, and goes on from there.
    pub(super) fn reach(&self, at: u64, stride: u64) -> Option<PageReach> {
        let (offset, slot) = self.0.range(..=at).next_back()?;
        let last = match slot {
            PrefetchSlot::Asked => offset.saturating_add(stride),
            PrefetchSlot::Here(held) => held.extent.end().saturating_sub(1),
        };
        match last > at {
            true => Some(PageReach::To(last)),
            false if *offset == at => Some(PageReach::End),
            false => None,
        }
    }
}

/// How far a page goes.
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

    fn held(offset: u64, len: u32) -> ReadyPage {
        let text = format!("[{}]", vec!["{}"; len as usize].join(","));
        ReadyPage {
            page: RawPage::of(text).unwrap(),
            extent: PageSpan { offset, asked: 3, len },
            look: MergeAttempt::First,
        }
    }

    #[test]
    fn the_last_page_at_or_before_is_next() {
        let mut ahead = PrefetchBuffer::default();
        [0, 2, 4].into_iter().for_each(|offset| ahead.ask(offset));
        ahead.keep(held(0, 3));
        ahead.keep(held(4, 3));
        ahead.keep(held(6, 3));
        assert_eq!(ahead.take(3).map(|held| held.extent.offset), None);
        assert_eq!(ahead.take(1).map(|held| held.extent.offset), Some(0));
        assert_eq!(ahead.take(9).map(|held| held.extent.offset), Some(4));
        assert_eq!(ahead.take(9).map(|held| held.extent.offset), None);
        ahead.put_back(held(4, 3));
        ahead.discard(3);
        assert_eq!(ahead.take(3).map(|held| held.extent.offset), None);
        assert!(ahead.goes_beyond(6) && !ahead.goes_beyond(7));
    }

    #[test]
    fn pages_asked_for_reach_a_stride_and_pages_here_as_far_as_they_go() {
        let mut ahead = PrefetchBuffer::default();
        assert_eq!(ahead.reach(0, 2), None);
        [0, 2, 4].into_iter().for_each(|offset| ahead.ask(offset));
        ahead.keep(held(2, 3));
        assert_eq!([0, 1, 2, 3].map(|at| ahead.reach(at, 2)), [2, 2, 4, 4].map(|to| Some(PageReach::To(to))));
        assert_eq!((ahead.reach(4, 2), ahead.reach(6, 2)), (Some(PageReach::To(6)), None));
        ahead.keep(held(4, 1));
        assert_eq!(ahead.reach(4, 2), Some(PageReach::End));
    }
}
