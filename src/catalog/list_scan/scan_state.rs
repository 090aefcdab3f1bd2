//! What to request next, and what to do with a page that arrived.

use super::end_estimator::{EndEstimator, PageSpan, RequestReason};
use super::error::{Instability, ScanError, UnstableList};
use super::page_merger::{MergeAttempt, MergeResult, PageMerger};
use super::prefetch_buffer::{PageReach, PrefetchBuffer, ReadyPage};
use super::{ListScan, ScanStats};
use crate::api::{RawPage, RawRecord};
use crate::catalog::rescan::has_reordered_ties;

/// Pages in a row that may contain nothing new, plus twice the pages of the list so far: enough to go back from the end
/// of any list to its beginning, and forward again.
const MOST_BARREN: u64 = 20;
/// Pages that may be merged in all, plus [`MERGES_PER_PAGE`] for each page of the list so far.
const MOST_EXTRA_MERGES: u64 = 200;
/// Lists that change with every request take five at most in our tests.
const MERGES_PER_PAGE: u64 = 20;

/// A scan in progress.
#[derive(Debug)]
pub(super) struct ScanState {
    entity: &'static str,
    has_ids: bool,
    concurrency: u64,
    end: EndEstimator,
    buffer: PrefetchBuffer,
    merger: PageMerger,
    /// Where the page to merge next begins: at the last record of the one before.
    next_offset: u64,
    /// The offset behind the last record of the page merged last.
    merged_end: u64,
    /// The furthest that `merged_end` has been.
    furthest: u64,
    /// How many records the list had when a request behind its end last found nothing.
    confirmed_end: Option<u64>,
    /// How far to go back from a page that is a gap; 0 if the last page was merged.
    step_back: u64,
    /// Pages in a row without anything new.
    barren: u64,
    /// Pages merged, or tried in vain.
    merges: u64,
    has_reordered_ties: bool,
    stats: ScanStats,
}

/// A page to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRequest {
    pub(super) offset: u64,
    pub(super) limit: u32,
    pub(super) reason: RequestReason,
}

/// What became of the page that is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanStep {
    /// It was merged, or another page has to be merged first.
    Advanced,
    /// It has not arrived.
    Blocked,
    /// It was the last one.
    Ended,
    /// The list does not keep its order: records may have been left out.
    Reordered,
}

impl ScanState {
    pub(super) fn new(scan: &ListScan<'_>) -> Self {
        Self {
            entity: scan.entity.name,
            has_ids: scan.entity.is_collection(),
            concurrency: scan.concurrency.max(1) as u64,
            end: EndEstimator::new(scan.expected, scan.longest_page),
            buffer: PrefetchBuffer::default(),
            merger: PageMerger::new(scan.entity),
            next_offset: 0,
            merged_end: 0,
            furthest: 0,
            confirmed_end: scan.confirmed_end,
            step_back: 0,
            barren: 0,
            merges: 0,
            has_reordered_ties: false,
            stats: ScanStats::default(),
        }
    }

    pub(super) fn stats(&self) -> ScanStats {
        ScanStats { longest_page: self.end.longest_page(), ..self.stats }
    }

    /// The error where no page has arrived and none is in flight. That never happens, since the page to merge next is
    /// always requested; if it did, the scan would wait forever.
    pub(super) fn no_overlap(&self) -> UnstableList {
        UnstableList { entity: self.entity, offset: self.next_offset, instability: Instability::NoOverlap }
    }

    /// The page to request now, if there is one. The page to merge next always is.
    pub(super) fn next_request(&mut self, limit: u32) -> Option<PageRequest> {
        // A page of one record has nothing to overlap with.
        let limit = limit.max(2);
        let (offset, reason) = self.next_page(limit)?;
        self.buffer.request(offset);
        self.stats.requests += 1;
        if offset.saturating_add(1) < self.furthest {
            self.stats.reread += 1;
        }
        Some(PageRequest { offset, limit, reason })
    }

    fn next_page(&mut self, limit: u32) -> Option<(u64, RequestReason)> {
        let stride = self.end.stride(limit);
        // Pages wait for those before them: as many as are fetched in parallel.
        let horizon = self.next_offset.saturating_add(stride.saturating_mul(self.concurrency));
        let mut offset = self.next_offset;
        while offset < horizon {
            match self.buffer.reach(offset, stride) {
                Some(PageReach::To(last)) => offset = last,
                Some(PageReach::End) => return None,
                None if offset == self.next_offset || self.end.is_beyond(offset) => {
                    return Some((offset, RequestReason::Required));
                }
                None if self.concurrency == 1 => return None,
                None => return self.end.probe(self.next_offset, stride).map(|offset| (offset, RequestReason::Probe)),
            }
        }
        None
    }

    /// Takes in the response to a request. `limit` is the page limit as it is known now.
    ///
    /// # Errors
    /// The service's, if the page is required.
    pub(super) fn receive<E>(&mut self, request: PageRequest, limit: u32, page: Result<RawPage, E>) -> Result<(), E> {
        let page = match (page, request.reason) {
            (Ok(page), _) => page,
            (Err(error), RequestReason::Required) => return Err(error),
            // A service may refuse to look behind the end of its list.
            (Err(_), RequestReason::Probe) => {
                self.end.probe_failed();
                self.buffer.forget(request.offset);
                return Ok(());
            }
        };
        let len = u32::try_from(page.len()).unwrap_or(u32::MAX);
        let span = PageSpan { offset: request.offset, asked: request.limit.min(limit.max(2)), len };
        self.end.observe(span, request.reason);
        if request.reason == RequestReason::Probe && len == 0 {
            self.buffer.forget(request.offset);
        } else {
            self.buffer.keep(ReadyPage { page, span, attempt: MergeAttempt::First });
        }
        Ok(())
    }

    /// Merges the page that is next, if it has arrived.
    pub(super) fn step<E, T>(
        &mut self,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<ScanStep, ScanError<E, T>> {
        let Some(ready) = self.buffer.take(self.next_offset) else { return Ok(ScanStep::Blocked) };
        let offset = ready.span.offset;
        if ready.page.is_empty() && self.next_offset == self.merged_end && self.merged_end > 0 {
            // There was one record, and there is none behind it.
            return Ok(self.end());
        }
        let entity = self.entity;
        let unstable = |instability| UnstableList { entity, offset, instability };
        let merged = self.merger.merge(&ready.page, offset, ready.attempt).map_err(unstable)?;
        let new = match merged {
            MergeResult::New(new) => new,
            MergeResult::Gap => {
                self.go_back(ready);
                self.count(0).map_err(unstable)?;
                return Ok(ScanStep::Advanced);
            }
            MergeResult::Reordered => return Ok(ScanStep::Reordered),
        };
        let overlap = usize::try_from(self.furthest.saturating_sub(offset)).unwrap_or(usize::MAX);
        let is_known = |index| new.binary_search(&index).is_err();
        self.has_reordered_ties |= self.has_ids && has_reordered_ties(&ready.page, overlap, is_known);
        for record in new.iter().filter_map(|index| ready.page.get(*index)) {
            take(record).map_err(ScanError::Take)?;
        }
        self.count(new.len() as u64).map_err(unstable)?;
        Ok(self.advance(ready.span, new.len()))
    }

    /// The list has been read.
    fn end(&self) -> ScanStep {
        if self.has_reordered_ties { ScanStep::Reordered } else { ScanStep::Ended }
    }

    /// Merges a page of the list in another order.
    pub(super) fn merge_unordered<E, T>(
        &mut self,
        page: &RawPage,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<(), ScanError<E, T>> {
        let unstable = |instability| UnstableList { entity: self.entity, offset: 0, instability };
        for index in self.merger.merge_unordered(page).map_err(unstable)? {
            let Some(record) = page.get(index) else { continue };
            take(record).map_err(ScanError::Take)?;
            self.stats.records += 1;
        }
        Ok(())
    }

    /// Counts the requests of a rescan.
    pub(super) fn add_rescan(&mut self, requests: u64) {
        self.stats.requests += requests;
        self.stats.reread += requests;
    }

    /// Something is missing before that page: an earlier one has to be merged first.
    fn go_back(&mut self, ready: ReadyPage) {
        if ready.attempt == MergeAttempt::Retry {
            // The list has changed since it was read. It is read again from where the delivered records end.
            return;
        }
        let offset = ready.span.offset;
        self.step_back = match self.step_back {
            0 => u64::from(self.end.page_length(u32::MAX) / 2).max(1),
            step_back => step_back.saturating_mul(2),
        };
        self.next_offset = offset.saturating_sub(self.step_back);
        if !ready.page.is_empty() {
            self.buffer.put_back(ReadyPage { attempt: MergeAttempt::Retry, ..ready });
        }
    }

    /// That page was merged: on to the one after it.
    ///
    /// A short page alone does not end the list: a service that hides a record after it has cut the page, or that cuts
    /// this list shorter than others, sends short pages in the middle. So the list is requested once more from where it
    /// seemed to end, and ends there if nothing new comes.
    fn advance(&mut self, page: PageSpan, new: usize) -> ScanStep {
        self.step_back = 0;
        let continues_list = page.offset.saturating_add(1) >= self.merged_end;
        self.merged_end = page.end();
        self.furthest = self.furthest.max(self.merged_end);
        self.next_offset = if page.len == 1 { self.merged_end } else { self.merged_end.saturating_sub(1) };
        self.buffer.discard(page.offset);
        if !self.end.is_last(page) {
            return ScanStep::Advanced;
        }
        if self.buffer.has_records_beyond(self.merged_end) {
            // Another page has records behind the end: the end has moved, or was none. Only reading on can tell.
            self.next_offset = self.merged_end.saturating_sub(1);
            self.buffer.clear();
            return ScanStep::Advanced;
        }
        let is_confirmed = page.len == 0
            || (new == 0 && continues_list)
            || (page.offset == 0 && self.confirmed_end == Some(self.merged_end));
        if is_confirmed {
            return self.end();
        }
        ScanStep::Advanced
    }

    /// Counts a merged page and its new records. What a list costs is bounded: by the pages in a row that contain
    /// nothing new, and by the pages merged in all.
    fn count(&mut self, new: u64) -> Result<(), Instability> {
        self.merges += 1;
        self.stats.records += new;
        self.barren = if new > 0 { 0 } else { self.barren + 1 };
        let pages = self.stats.records / self.end.stride(u32::MAX);
        if self.barren > MOST_BARREN + 2 * pages {
            return Err(Instability::Endless { pages: self.barren });
        }
        if self.merges > MOST_EXTRA_MERGES + MERGES_PER_PAGE * pages {
            return Err(Instability::Restless { requests: self.stats.requests, records: self.stats.records });
        }
        Ok(())
    }
}
