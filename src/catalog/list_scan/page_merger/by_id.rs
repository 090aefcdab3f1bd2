//! IdMerger by their ids.
//!
//! A page is joined where it holds any record of the run, and every record of it that is not in the run is new: so
//! nothing comes twice, whatever the service does. Why nothing is lost stands in the documentation of the scan.
//!
//! What is left to see is whether the list keeps its order. Of two records that stood on one page, one is known to
//! come before the other; pages that overlap carry that on. So the run has a spine, of which each record is known to
//! come before the next, and records beside it whose place is in doubt: those that were let in late, before records
//! that had come already, and those from which the list went on elsewhere, because they were deleted or others came in
//! before them. In a steady list the records of the spine stand in that order on every page for ever. One that does
//! not has moved.

use super::super::error::Instability;
use super::MergeResult;
use super::seen_ids::SeenIds;

#[derive(Debug, Default)]
pub(super) struct IdMerger {
    run: SeenIds,
}

impl IdMerger {
    /// Joins the page of these ids, read at that offset. A page from the list's beginning always joins.
    ///
    /// # Errors
    /// Where a record has moved.
    pub(super) fn join(&mut self, page: &[i64], offset: u64) -> Result<MergeResult, Instability> {
        let places: Vec<Option<u32>> = page.iter().map(|id| self.run.place(*id)).collect();
        if offset > 0 && places.iter().all(Option::is_none) {
            return Ok(MergeResult::Gap);
        }
        let anchor = self.anchor(page, &places)?;
        self.part_from(anchor, &places);
        let mut fresh = Vec::new();
        for (index, id) in page.iter().copied().enumerate().filter(|(index, _)| places[*index].is_none()) {
            let Some(place) = self.run.push(id) else { return Err(Instability::Moved { id }) };
            if anchor.is_some_and(|(anchor, _)| index < anchor) {
                self.run.mark_tentative(place..place + 1);
            }
            fresh.push(index);
        }
        Ok(MergeResult::New(fresh))
    }

    /// The last record of the page that is in the spine: its place on the page and in the run.
    fn anchor(&self, page: &[i64], places: &[Option<u32>]) -> Result<Option<(usize, u32)>, Instability> {
        let mut anchor: Option<(usize, u32)> = None;
        for (index, place) in places.iter().enumerate() {
            let Some(place) = place.filter(|place| !self.run.is_tentative(*place)) else { continue };
            if anchor.is_some_and(|(_, before)| place <= before) {
                return Err(Instability::Moved { id: page[index] });
            }
            anchor = Some((index, place));
        }
        Ok(anchor)
    }

    /// The spine goes on behind the anchor with what is new there; what came behind it so far stands beside it now.
    fn part_from(&mut self, anchor: Option<(usize, u32)>, places: &[Option<u32>]) {
        let (behind, spine) = anchor.map_or((0, 0), |(index, place)| (index + 1, place + 1));
        if places[behind..].iter().any(Option::is_none) {
            self.run.mark_tentative(spine..self.run.len());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn joins(pages: &[(u64, &[i64])]) -> (IdMerger, Vec<Result<MergeResult, Instability>>) {
        let mut records = IdMerger::default();
        let joins = pages.iter().map(|(offset, page)| records.join(page, *offset)).collect();
        (records, joins)
    }

    fn last(pages: &[(u64, &[i64])]) -> Result<MergeResult, Instability> {
        joins(pages).1.pop().unwrap()
    }

    fn fresh(places: &[usize]) -> Result<MergeResult, Instability> {
        Ok(MergeResult::New(places.to_vec()))
    }

    #[test]
    fn what_follows_the_overlap_is_new() {
        assert_eq!(last(&[(0, &[])]), fresh(&[]));
        assert_eq!(last(&[(0, &[1, 2, 3])]), fresh(&[0, 1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 5])]), fresh(&[1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3])]), fresh(&[]));
        // Others came in before, so that more of the page is known.
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[2, 3, 4])]), fresh(&[2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[1, 2])]), fresh(&[]));
    }

    #[test]
    fn a_page_of_strangers_is_a_gap_but_at_the_beginning() {
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[4, 5])]), Ok(MergeResult::Gap));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[])]), Ok(MergeResult::Gap));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[4, 5]), (1, &[2, 4, 5])]), fresh(&[1, 2]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9])]), fresh(&[0, 1]));
        // And the first ones follow behind those after all.
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9]), (1, &[9, 1, 2])]), fresh(&[]));
        assert_eq!(last(&[(0, &[1, 2, 3]), (0, &[8, 9]), (1, &[9, 1, 2]), (3, &[2, 3, 4])]), fresh(&[2]));
    }

    #[test]
    fn records_that_came_in_late_may_stand_anywhere() {
        // 9 stands between 2 and 3, but the page ends before it shows; 8 before 9, and is shown with both.
        let pages: &[(u64, &[i64])] = &[(0, &[1, 2, 3]), (2, &[2, 9]), (3, &[8, 9, 3, 4]), (6, &[9, 3, 4, 5])];
        assert_eq!(joins(pages).1[1..], [fresh(&[1]), fresh(&[0, 3]), fresh(&[3])]);
        let deleted: &[(u64, &[i64])] = &[(0, &[1, 2, 3]), (1, &[2, 4, 5]), (3, &[5, 6])];
        assert_eq!(joins(deleted).1[1..], [fresh(&[1, 2]), fresh(&[1])]);
    }

    #[test]
    fn a_record_that_moves_is_found_out() {
        let moved = |id| Err(Instability::Moved { id });
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 1])]), moved(1));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 2])]), moved(2));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 4])]), moved(4));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 3])]), moved(3));
        assert_eq!(last(&[(0, &[1, 2, 3]), (2, &[3, 4, 5]), (4, &[5, 2])]), moved(2));
        // Behind a record that came late, and behind one from which the list went on elsewhere.
        assert_eq!(last(&[(0, &[1, 2, 3]), (1, &[9, 2, 3]), (2, &[2, 3, 9, 4, 1])]), moved(1));
        assert_eq!(last(&[(0, &[1, 2, 3]), (1, &[2, 4, 5]), (3, &[5, 6, 4])]), moved(4));
    }
}
