//! What to ask for next, and what to do with what came.

use super::end_estimator::{EndEstimator, PageSpan, RequestReason};
use super::error::{Instability, ScanError, UnstableList};
use super::page_merger::{MergeAttempt, MergeResult, PageMerger};
use super::prefetch_buffer::{PageReach, PrefetchBuffer, ReadyPage};
use super::{ListScan, ScanStats};
use crate::api::{RawPage, RawRecord};

/// Pages in a row that may hold nothing new, beside twice those that the list has so far: enough to go back from the
/// end of any list to its beginning, and to come forward again.
const MOST_BARREN: u64 = 20;

/// A list on its way.
#[derive(Debug)]
pub(super) struct ScanState {
    entity: &'static str,
    at_once: u64,
    end_estimator: EndEstimator,
    ahead: PrefetchBuffer,
    merger: PageMerger,
    /// Where the page to join next begins: at the last record of the one before.
    at: u64,
    /// The offset behind the last record of the page joined last.
    end: u64,
    /// The furthest that `end` has been.
    furthest: u64,
    /// How far to go back from a page that is a gap; 0 where the last one was joined.
    back: u64,
    /// Pages in a row that held nothing new.
    barren: u64,
    stats: ScanStats,
}

/// A page to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRequest {
    pub(super) offset: u64,
    pub(super) limit: u32,
    pub(super) reason: RequestReason,
}

/// What became of the page that is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanStep {
    /// It was joined, or something else has to be first.
    Went,
    /// It has not come.
    Waits,
    /// It was the last one.
    Ended,
}

impl ScanState {
    pub(super) fn new(scan: &ListScan<'_>) -> Self {
        Self {
            entity: scan.entity.name,
            at_once: scan.at_once.max(1) as u64,
            end_estimator: EndEstimator::new(scan.expected, scan.longest),
            ahead: PrefetchBuffer::default(),
            merger: PageMerger::new(scan.entity),
            at: 0,
            end: 0,
            furthest: 0,
            back: 0,
            barren: 0,
            stats: ScanStats::default(),
        }
    }

    pub(super) fn stats(&self) -> ScanStats {
        ScanStats { longest: self.end_estimator.longest(), ..self.stats }
    }

    /// No page is here and none is to come. Never so, since the page that is joined next is always asked for; were it
    /// so, waiting on would be for ever.
    pub(super) fn adrift(&self) -> UnstableList {
        UnstableList { entity: self.entity, offset: self.at, instability: Instability::NoOverlap }
    }

    /// The page to ask for next, if there is one to ask for now. The page that is joined next always is.
    pub(super) fn ask(&mut self, limit: u32) -> Option<PageRequest> {
        // A page of one record has nothing to overlap with.
        let limit = limit.max(2);
        let (offset, reason) = self.next(limit)?;
        self.ahead.ask(offset);
        self.stats.requests += 1;
        if offset.saturating_add(1) < self.furthest {
            self.stats.reread += 1;
        }
        Some(PageRequest { offset, limit, reason })
    }

    fn next(&mut self, limit: u32) -> Option<(u64, RequestReason)> {
        let stride = self.end_estimator.stride(limit);
        // Pages wait for those before them: as many as are fetched side by side.
        let far = self.at.saturating_add(stride.saturating_mul(self.at_once));
        let mut offset = self.at;
        while offset < far {
            match self.ahead.reach(offset, stride) {
                Some(PageReach::To(last)) => offset = last,
                Some(PageReach::End) => return None,
                None if offset == self.at || self.end_estimator.goes_beyond(offset) => {
                    return Some((offset, RequestReason::Required));
                }
                None if self.at_once == 1 => return None,
                None => {
                    return self.end_estimator.attempt(self.at, stride).map(|offset| (offset, RequestReason::Probe));
                }
            }
        }
        None
    }

    /// Takes in what was asked for. `limit` is the page limit as it is known now.
    ///
    /// # Errors
    /// The service's, where the page is needed.
    pub(super) fn came<E>(&mut self, ask: PageRequest, limit: u32, page: Result<RawPage, E>) -> Result<(), E> {
        let page = match (page, ask.reason) {
            (Ok(page), _) => page,
            (Err(error), RequestReason::Required) => return Err(error),
            // A service may well refuse to look behind the end of its list.
            (Err(_), RequestReason::Probe) => {
                self.end_estimator.gave_up();
                self.ahead.forget(ask.offset);
                return Ok(());
            }
        };
        let len = u32::try_from(page.len()).unwrap_or(u32::MAX);
        let extent = PageSpan { offset: ask.offset, asked: ask.limit.min(limit.max(2)), len };
        self.end_estimator.saw(extent, ask.reason);
        match (ask.reason, len) {
            (RequestReason::Probe, 0) => self.ahead.forget(ask.offset),
            _ => self.ahead.keep(ReadyPage { page, extent, look: MergeAttempt::First }),
        }
        Ok(())
    }

    /// Joins the page that is next, if it is here.
    pub(super) fn step<E, T>(
        &mut self,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<ScanStep, ScanError<E, T>> {
        let Some(held) = self.ahead.take(self.at) else { return Ok(ScanStep::Waits) };
        let offset = held.extent.offset;
        if held.page.is_empty() && self.at == self.end && self.end > 0 {
            // There was one record, and there is none behind it.
            return Ok(ScanStep::Ended);
        }
        let entity = self.entity;
        let unstable = |instability| UnstableList { entity, offset, instability };
        let joined = self.merger.join(&held.page, offset, held.look).map_err(unstable)?;
        let fresh = match joined {
            MergeResult::New(fresh) => fresh,
            MergeResult::Gap => {
                self.go_back(held);
                self.count(0).map_err(unstable)?;
                return Ok(ScanStep::Went);
            }
        };
        for record in fresh.iter().filter_map(|index| held.page.get(*index)) {
            take(record).map_err(ScanError::Take)?;
        }
        self.count(fresh.len() as u64).map_err(unstable)?;
        Ok(self.go_on(held.extent))
    }

    /// Something is missing before that page: an earlier one first.
    fn go_back(&mut self, held: ReadyPage) {
        if held.look == MergeAttempt::Again {
            // The list has changed since it was read. It is read anew from where the run ends.
            return;
        }
        let offset = held.extent.offset;
        self.back = match self.back {
            0 => u64::from(self.end_estimator.page_length(u32::MAX) / 2).max(1),
            back => back.saturating_mul(2),
        };
        self.at = offset.saturating_sub(self.back);
        if !held.page.is_empty() {
            self.ahead.put_back(ReadyPage { look: MergeAttempt::Again, ..held });
        }
    }

    /// That page was joined: on to the one after it.
    fn go_on(&mut self, page: PageSpan) -> ScanStep {
        self.back = 0;
        self.end = page.end();
        self.furthest = self.furthest.max(self.end);
        self.at = if page.len == 1 { self.end } else { self.end.saturating_sub(1) };
        self.ahead.discard(page.offset);
        if !self.end_estimator.ends_with(page) {
            return ScanStep::Went;
        }
        if !self.ahead.goes_beyond(self.end) {
            return ScanStep::Ended;
        }
        // Another page has records behind the end: it has moved, or it was none. Only a new look from here can tell.
        self.at = self.end.saturating_sub(1);
        self.ahead.clear();
        ScanStep::Went
    }

    /// Counts the new records of a page.
    fn count(&mut self, fresh: u64) -> Result<(), Instability> {
        self.stats.records += fresh;
        self.barren = if fresh > 0 { 0 } else { self.barren + 1 };
        let pages = self.stats.records / self.end_estimator.stride(u32::MAX);
        match self.barren > MOST_BARREN + 2 * pages {
            true => Err(Instability::Endless { pages: self.barren }),
            false => Ok(()),
        }
    }
}
