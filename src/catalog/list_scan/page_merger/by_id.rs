//! Merges records by their ids.
//!
//! A page is merged if it contains any delivered record, and every record of it that was not delivered is new: so
//! nothing comes twice, whatever the service does. Why nothing is lost is explained in the documentation of the scan.
//!
//! What remains to check is whether the list keeps its order. Of two records on one page, one is known to come before
//! the other; pages that overlap extend that. So some delivered records are confirmed: each is known to come before the
//! next. The place of the others is tentative: records that were inserted late, before records delivered already, and
//! records behind which the list continued elsewhere, because they were deleted or others were inserted before them. In
//! a list that keeps its order, the confirmed records are in that order on every page forever. Where one is not, the
//! list is reordered, and nothing of the page is merged.

use super::super::error::Instability;
use super::MergeResult;
use super::delivered_ids::DeliveredIds;

/// The confirmed records of a page are in another order than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reordered;

#[derive(Debug, Default)]
pub(super) struct IdMerger {
    delivered: DeliveredIds,
}

impl IdMerger {
    /// Merges the page of these ids, read at that offset. A page from the beginning of the list always merges.
    ///
    /// # Errors
    /// A new record is on the page twice.
    pub(super) fn merge(&mut self, page: &[i64], offset: u64) -> Result<MergeResult, Instability> {
        let places: Vec<Option<u32>> = page.iter().map(|id| self.delivered.place(*id)).collect();
        if offset > 0 && places.iter().all(Option::is_none) {
            return Ok(MergeResult::Gap);
        }
        let anchor = match self.last_confirmed(&places) {
            Ok(anchor) => anchor,
            Err(Reordered) => return Ok(MergeResult::Reordered),
        };
        self.continue_behind(anchor, &places);
        let mut new = Vec::new();
        for (index, id) in page.iter().copied().enumerate().filter(|(index, _)| places[*index].is_none()) {
            let Some(place) = self.delivered.push(id) else { return Err(Instability::Repeated { id }) };
            if anchor.is_some_and(|(anchor, _)| index < anchor) {
                self.delivered.mark_tentative(place..place + 1);
            }
            new.push(index);
        }
        Ok(MergeResult::New(new))
    }

    /// Merges a page whose order says nothing: returns the indexes of the records that were not delivered.
    pub(super) fn merge_unordered(&mut self, page: &[i64]) -> Vec<usize> {
        let is_new = |(_, id): &(usize, &i64)| self.delivered.push(**id).is_some();
        page.iter().enumerate().filter(is_new).map(|(index, _)| index).collect()
    }

    /// The last confirmed record of the page: its index on the page and its place among the delivered records.
    fn last_confirmed(&self, places: &[Option<u32>]) -> Result<Option<(usize, u32)>, Reordered> {
        let mut last: Option<(usize, u32)> = None;
        for (index, place) in places.iter().enumerate() {
            let Some(place) = place.filter(|place| !self.delivered.is_tentative(*place)) else { continue };
            if last.is_some_and(|(_, before)| place <= before) {
                return Err(Reordered);
            }
            last = Some((index, place));
        }
        Ok(last)
    }

    /// The confirmed order continues behind the anchor with what is new there: what was delivered behind the anchor
    /// before is tentative from now on.
    fn continue_behind(&mut self, anchor: Option<(usize, u32)>, places: &[Option<u32>]) {
        let (behind, first_tentative) = anchor.map_or((0, 0), |(index, place)| (index + 1, place + 1));
        if places[behind..].iter().any(Option::is_none) {
            self.delivered.mark_tentative(first_tentative..self.delivered.len());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn merge_all(pages: &[(u64, &[i64])]) -> (IdMerger, Vec<Result<MergeResult, Instability>>) {
        let mut records = IdMerger::default();
        let results = pages.iter().map(|(offset, page)| records.merge(page, *offset)).collect();
        (records, results)
    }

    fn last(pages: &[(u64, &[i64])]) -> Result<MergeResult, Instability> {
        merge_all(pages).1.pop().unwrap()
    }

    fn new(places: &[usize]) -> Result<MergeResult, Instability> {
        Ok(MergeResult::New(places.to_vec()))
    }

    #[test]
    fn what_follows_the_overlap_is_new() {
        assert_eq!(last(&[(0, &[])]), new(&[]));
        assert_eq!(last(&[(0, &[1, 2, 3])]), new(&[0, 1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 5])]), new(&[1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3])]), new(&[]));
        // Others were inserted before, so that more of the page is known.
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[2, 3, 4])]), new(&[2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[1, 2])]), new(&[]));
    }

    #[test]
    fn a_page_without_known_records_is_a_gap_except_at_the_beginning() {
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[4, 5])]), Ok(MergeResult::Gap));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[])]), Ok(MergeResult::Gap));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[4, 5]), (1, &[2, 4, 5])]), new(&[1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9])]), new(&[0, 1]));
        // And the first ones still follow behind those.
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9]), (1, &[9, 1, 2])]), new(&[]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9]), (1, &[9, 1, 2]), (3, &[2, 3, 4])]), new(&[2]));
    }

    #[test]
    fn records_inserted_late_may_stand_anywhere() {
        // 9 stands between 2 and 3, but the page ends before that shows; 8 stands before 9, and is on a page with both.
        let pages: &[(u64, &[i64])] = &[(0, &[1, 2, 3]), (2, &[2, 9]), (3, &[8, 9, 3, 4]), (6, &[9, 3, 4, 5])];
        assert_eq!(merge_all(pages).1[1..], [new(&[1]), new(&[0, 3]), new(&[3])]);
        let deleted: &[(u64, &[i64])] = &[(0, &[1, 2, 3]), (1, &[2, 4, 5]), (3, &[5, 6])];
        assert_eq!(merge_all(deleted).1[1..], [new(&[1, 2]), new(&[1])]);
    }

    #[test]
    fn a_record_that_moves_is_detected() {
        let reordered = || Ok(MergeResult::Reordered);
        let repeated = |id| Err(Instability::Repeated { id });
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 1])]), reordered());
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 2])]), reordered());
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 4])]), repeated(4));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 3])]), reordered());
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 5]), (4, &[5, 2])]), reordered());
        // Behind a record inserted late, and behind one after which the list continued elsewhere.
        assert_eq!(last(&[(0, &[1, 2, 3]), (1, &[9, 2, 3]), (2, &[2, 3, 9, 4, 1])]), reordered());
        assert_eq!(last(&[(0, &[1, 2, 3]), (1, &[2, 4, 5]), (3, &[5, 6, 4])]), reordered());
    }
}
