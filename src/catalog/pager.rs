//! A list, page by page, for callers that stop early or that need no list scan.

use std::borrow::Cow;
use std::collections::HashSet;

use super::rescan::has_reordered_ties;
use super::source::RecordSource;
use crate::api::{RawPage, Record};
use crate::schema::Entity;

/// Reads a list page by page.
#[derive(Debug)]
pub(crate) struct Pager<'a, S> {
    source: &'a S,
    entity: &'static Entity,
    filters: Cow<'a, [(&'a str, &'a str)]>,
    limit: u32,
    offset: u64,
    /// The furthest that `offset` has been.
    furthest: u64,
    requests: u64,
    end: ListEnd,
    /// The last page, if it was short: a service that ignores `offset` returns it again.
    short: RawPage,
    /// The ids of the records so far, where pages overlap.
    known: Option<HashSet<i64>>,
    has_reordered_ties: bool,
}

/// Whether the list has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListEnd {
    NotSeen,
    /// The last page was short. A service may hide records after it has cut a page, or cut this list shorter than
    /// others, so one more request asks from there.
    Suspected,
    Reached,
}

impl<'a, S: RecordSource> Pager<'a, S> {
    /// Nothing is requested yet.
    pub(crate) fn new(
        source: &'a S,
        entity: &'static Entity,
        filters: impl Into<Cow<'a, [(&'a str, &'a str)]>>,
    ) -> Self {
        Self {
            source,
            entity,
            filters: filters.into(),
            limit: u32::MAX,
            offset: 0,
            furthest: 0,
            requests: 0,
            end: ListEnd::NotSeen,
            short: RawPage::default(),
            known: None,
            has_reordered_ties: false,
        }
    }

    /// Pages that begin with the last record of the page before. Where they do not, records before it were deleted, and
    /// those behind it moved up: then pages before it are read again, so that none that existed all the time is missed. Why
    /// that is so is explained in the list scan. Records may come twice.
    pub(crate) fn overlapping(self) -> Self {
        Self { known: Some(HashSet::new()), ..self }
    }

    /// Pages of at most `limit` records.
    pub(crate) fn with_limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// The next page; none after the last one.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn next_raw(&mut self) -> Result<Option<RawPage>, S::Error> {
        if self.is_done() {
            return Ok(None);
        }
        let limit = self.source.page_limit().clamp(1, self.limit.max(1));
        let (page, has_news) = self.request(limit).await?;
        let is_end = match has_news {
            true => self.end == ListEnd::Suspected && page == self.short,
            false => self.end == ListEnd::Suspected || self.source.is_last(page.len(), limit),
        };
        if is_end {
            self.end = ListEnd::Reached;
            return Ok(None);
        }
        self.end = match page.len() {
            0 => ListEnd::Reached,
            length if !self.source.is_last(length, limit) => ListEnd::NotSeen,
            length if may_go_on(&self.filters, length) => ListEnd::Suspected,
            _ => ListEnd::Reached,
        };
        self.offset += page.len() as u64;
        self.furthest = self.furthest.max(self.offset);
        self.short = if self.end == ListEnd::Suspected { page.clone() } else { RawPage::default() };
        Ok(Some(page))
    }

    /// Requests the page at the offset, or one before it that overlaps what was read. Returns it with whether it has records
    /// that were not read before, and leaves the offset where it begins.
    async fn request(&mut self, limit: u32) -> Result<(RawPage, bool), S::Error> {
        let Some(known) = &mut self.known else {
            let page = self.source.raw_page(self.entity, &self.filters, self.offset, limit).await?;
            self.requests += 1;
            return Ok((page, true));
        };
        // Pages of one record cannot overlap.
        let (mut offset, mut step) = (self.offset.saturating_sub(u64::from(limit > 1)), u64::from(limit / 2).max(1));
        loop {
            let page = self.source.raw_page(self.entity, &self.filters, offset, limit).await?;
            self.requests += 1;
            // An import creates what it does not find, so an empty list is read a second time before that is believed.
            if page.is_empty() && self.requests == 1 {
                continue;
            }
            let ids = || page.records().filter_map(|record| record.id);
            if offset > 0 && limit > 1 && !ids().any(|id| known.contains(&id)) {
                (offset, step) = (offset.saturating_sub(step), step * 2);
                continue;
            }
            let overlap = usize::try_from(self.furthest.saturating_sub(offset)).unwrap_or(usize::MAX);
            let is_known = |index| page.get(index).and_then(|record| record.id).is_some_and(|id| known.contains(&id));
            self.has_reordered_ties |= has_reordered_ties(&page, overlap, is_known);
            let before = known.len();
            known.extend(ids());
            self.offset = offset;
            return Ok((page, known.len() > before));
        }
    }

    /// As [`Pager::next_raw`], parsed.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>, S::Error> {
        Ok(self.next_raw().await?.map(|page| page.to_records(self.entity)))
    }

    /// Every record of the pages that are left.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn rest(&mut self) -> Result<Vec<Record>, S::Error> {
        let mut records = Vec::new();
        while let Some(page) = self.next().await? {
            records.extend(page);
        }
        Ok(records)
    }

    /// Whether the last page was read.
    pub(crate) fn is_done(&self) -> bool {
        self.end == ListEnd::Reached
    }

    /// Whether the next page will most likely be empty.
    pub(crate) fn seems_done(&self) -> bool {
        self.end != ListEnd::NotSeen
    }

    /// Whether records of the same time changed places meanwhile, so that pages that overlap may have left some out:
    /// see `rescan`.
    pub(crate) fn has_reordered_ties(&self) -> bool {
        self.has_reordered_ties
    }

    /// The offset behind the last record read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The pages requested so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }
}

/// Services that cut lists to so few records or fewer are not known of.
const FEWEST_OF_A_CUT_PAGE: usize = 10;

/// Whether a list may go on after a short page of so many records: of a whole list always, since a service may hide records
/// after it has cut the page. What an exact filter finds is a handful, and a page of it is short for no other reason.
pub(crate) fn may_go_on(filters: &[(&str, &str)], length: usize) -> bool {
    let is_whole_list = filters.iter().all(|(name, _)| matches!(*name, "sort" | "order"));
    length >= if is_whole_list { 1 } else { FEWEST_OF_A_CUT_PAGE }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::catalog::fake_source::{FakeSource, Quirk};
    use crate::schema::collection;

    fn of_places(total: usize) -> FakeSource {
        FakeSource::new()
            .with("locations", (0..total).map(|number| json!({"id": number + 1, "name": "HQ", "city": "Ulm"})))
    }

    /// The records that are read, and the requests.
    fn read(source: &FakeSource, filters: &[(&str, &str)]) -> (usize, u64) {
        let mut pages = Pager::new(source, collection("locations").unwrap(), filters);
        (block_on(pages.rest()).unwrap().len(), pages.requests())
    }

    #[test]
    fn a_short_page_is_followed_by_one_more_request() {
        let sorted = [("sort", "name")];
        assert_eq!(read(&of_places(0), &[]), (0, 1));
        assert_eq!(read(&of_places(999), &[]), (999, 2));
        assert_eq!(read(&of_places(1_007), &sorted), (1_007, 3));
        let hiding = of_places(1_500).with_quirk(Quirk::HidesOne(20));
        assert_eq!(read(&hiding, &[]).1, 3, "the list goes on after its short page");
    }

    #[test]
    fn what_an_exact_filter_finds_ends_with_a_page_of_a_few() {
        let named = [("name", "HQ")];
        assert_eq!(read(&of_places(1), &named), (1, 1));
        assert_eq!(read(&of_places(9), &named), (9, 1));
        assert_eq!(read(&of_places(25), &named), (25, 2));
    }

    #[test]
    fn pages_that_overlap_find_what_moved_up() {
        let entity = collection("locations").unwrap();
        for (total, limit) in [(2_500, u32::MAX), (7, 3), (9, 2), (1, 5)] {
            let source = of_places(total).with_quirk(Quirk::DeletesWhileRead);
            let mut pages = Pager::new(&source, entity, &[]).with_limit(limit).overlapping();
            let mut ids: Vec<_> = block_on(pages.rest()).unwrap().iter().filter_map(crate::api::record_id).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.retain(|id| *id > 1);
            assert_eq!(ids, (2..=total as i64).collect::<Vec<_>>(), "{total} by {limit}");
        }
    }
}
