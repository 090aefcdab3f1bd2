//! Merges rows without ids, told apart by their whole text: the activity log.
//!
//! Two rows may have the same text and still be two: a thing checked out twice within a millisecond. So a text that
//! occurs once among the delivered rows and once on the page is one row, but for a text that occurs more often the
//! merger has to count how many the page adds. Where the page overlaps the delivered rows is shown by its first row
//! that is known and unique, the anchor: from there on both contain the same part of the list, and of each text the
//! page adds as many rows as it has more than were delivered. If rows were deleted or inserted meanwhile, that still
//! gives the larger of the two numbers: no row that existed all the time is missing, and none is delivered more often
//! than it ever existed. What the page contains before the anchor is as old: it was delivered, or inserted late.
//!
//! A page whose known rows all have duplicates is a gap: an earlier page shows what comes before them. It is accepted
//! without an anchor if many rows agree with one position and no other, or with the position that the offset implies.
//!
//! As with [`super::by_id`], only rows whose order is confirmed are anchors. A known row that was confirmed before an
//! anchor and comes behind it on the page is therefore another row with the same text.
//!
//! Only the last rows are kept, which is all that pages can overlap. Merging a page takes time proportional to their
//! number and the page's, however the rows repeat.
//!
//! Two cases are not covered. If a row is deleted from the log while it is read, and two equal rows on either side of a
//! page boundary move onto each other, one of them is lost; nothing in the guide deletes from the log. And if rows are
//! inserted among rows that are nearly all equal, it cannot be known how many of them are new: one may be delivered
//! twice or skipped. A log that only grows at its end has no such doubts, however many rows are equal.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::super::error::Instability;
use super::{MergeAttempt, MergeResult};

/// The rows kept: several pages of the documented maximum of 1,000.
const WINDOW: usize = 8_192;
/// Rows that must agree if none of them is unique; fewer if pages are short.
const ENOUGH_EQUAL: usize = 16;

/// The last rows delivered from a list.
#[derive(Debug, Default)]
pub(super) struct TextMerger {
    /// The rows by the hash of their text, in the order of their delivery, and whether each is confirmed: known to
    /// stand in the list in that order.
    window: VecDeque<(u64, bool)>,
    /// Rows delivered before those.
    dropped: u64,
    /// By how much the list is longer than the delivered rows, up to the last page merged: positive if others were
    /// inserted, negative if rows were deleted.
    drift: i64,
}

/// What the delivered rows know of a row of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowMatch {
    Unknown,
    /// The text occurs once in the window, at that place, and once on the page.
    Unique(usize),
    Repeated,
}

/// Rows that are both on the page, from `index` on, and in the window, from `place` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    index: usize,
    place: usize,
    /// How many rows are known to agree. None where it is only known that what is behind `place` comes behind `index`.
    len: usize,
}

/// The last row of the page that is known to stand in the window, at `place`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Anchor {
    index: usize,
    place: usize,
}

impl TextMerger {
    /// Merges the page of these rows, read at that offset.
    ///
    /// # Errors
    /// A page from the beginning of the list that overlaps nothing.
    pub(super) fn merge(
        &mut self,
        page: &[u64],
        offset: u64,
        attempt: MergeAttempt,
    ) -> Result<MergeResult, Instability> {
        let matches = self.match_rows(page);
        let start = match self.find_overlap(page, &matches, offset, attempt) {
            // The list begins where the delivered rows begin.
            _ if offset == 0 && self.dropped == 0 => Overlap { index: 0, place: 0, len: 0 },
            Some(overlap) => overlap,
            None if offset == 0 => return Err(Instability::NoOverlap),
            None => return Ok(MergeResult::Gap),
        };
        self.drift = (offset as i64).saturating_add(start.index as i64)
            - (self.dropped as i64).saturating_add(start.place as i64);
        let (new, anchor) = self.new_rows(page, &matches, start);
        self.append(page, &new, anchor);
        Ok(MergeResult::New(new))
    }

    fn match_rows(&self, page: &[u64]) -> Vec<RowMatch> {
        // How often on the page, and where in the window if once.
        let mut texts: HashMap<u64, (u32, RowMatch)> = HashMap::with_capacity(page.len());
        for row in page {
            texts.entry(*row).or_insert((0, RowMatch::Unknown)).0 += 1;
        }
        for (place, (row, _)) in self.window.iter().enumerate() {
            if let Some((on_page, known)) = texts.get_mut(row) {
                *known = match (*known, *on_page) {
                    (RowMatch::Unknown, 1) => RowMatch::Unique(place),
                    _ => RowMatch::Repeated,
                };
            }
        }
        page.iter().map(|row| texts.get(row).map_or(RowMatch::Unknown, |(_, known)| *known)).collect()
    }

    /// The place in the window of a row that can be an anchor.
    fn confirmed_place(&self, row: RowMatch) -> Option<usize> {
        let RowMatch::Unique(place) = row else { return None };
        self.window.get(place).is_some_and(|(_, is_confirmed)| *is_confirmed).then_some(place)
    }

    /// Where the overlap of page and window begins, as far as it can be known.
    fn find_overlap(&self, page: &[u64], matches: &[RowMatch], offset: u64, attempt: MergeAttempt) -> Option<Overlap> {
        let known = || matches.iter().enumerate().filter(|(_, row)| **row != RowMatch::Unknown);
        if let Some(anchor) = known().find_map(|(index, row)| Some((index, self.confirmed_place(*row)?))) {
            return Some(Overlap { index: anchor.0, place: anchor.1, len: 1 });
        }
        match known().find(|(_, row)| **row == RowMatch::Repeated) {
            Some((index, _)) => self.overlap_of_repeated(page, index, offset, attempt),
            // Only tentative rows: each is known, and all others are new.
            None => known().next().map(|(index, _)| Overlap { index, place: self.window.len(), len: 0 }),
        }
    }

    /// Where in the window the row at `index` stands, whose text occurs several times.
    fn overlap_of_repeated(&self, page: &[u64], index: usize, offset: u64, attempt: MergeAttempt) -> Option<Overlap> {
        let (rest, row) = (&page[index..], page[index]);
        let agreement = common_prefixes(rest, &self.window);
        let places = || (0..self.window.len()).filter(|place| self.window[*place].0 == row);
        let possible = |place: usize| rest.len().min(self.window.len() - place);
        let agrees = |place: &usize| agreement[*place] == possible(*place);
        let implied = self.place_at(offset.saturating_add(index as u64));
        let mut agreeing = places().filter(agrees);
        let place = match (agreeing.next(), agreeing.next()) {
            (only, None) => only,
            _ => places().filter(agrees).find(|place| Some(*place) == implied),
        };
        let enough = (page.len() / 2).clamp(1, ENOUGH_EQUAL);
        let place = match attempt {
            MergeAttempt::First => place.filter(|place| possible(*place) >= enough),
            // No page will say more: the last place, with which the most is new.
            MergeAttempt::Retry => place.or_else(|| places().next_back()),
        };
        place.map(|place| Overlap { index, place, len: agreement[place] })
    }

    /// Where in the window the row at that offset stands if nothing has changed.
    fn place_at(&self, offset: u64) -> Option<usize> {
        let place = (offset as i64).checked_sub(self.drift)?.checked_sub(self.dropped as i64)?;
        usize::try_from(place).ok()
    }

    /// The rows of the page that were not delivered, if they overlap like that, and the last anchor.
    fn new_rows(&self, page: &[u64], matches: &[RowMatch], start: Overlap) -> (Vec<usize>, Option<Anchor>) {
        let mut left: HashMap<u64, usize> = HashMap::new();
        for (row, _) in self.window.range(start.place..) {
            *left.entry(*row).or_default() += 1;
        }
        let mut new = Vec::new();
        let mut anchor =
            start.len.checked_sub(1).map(|last| Anchor { index: start.index + last, place: start.place + last });
        for index in start.index..page.len() {
            let is_new = match matches[index] {
                RowMatch::Unknown => true,
                RowMatch::Repeated => !take_one(&mut left, page[index]),
                unique => match self.confirmed_place(unique) {
                    // It is confirmed before the anchor, so this is another row.
                    Some(place) if anchor.is_some_and(|anchor| place < anchor.place && index > anchor.index) => true,
                    Some(place) => {
                        anchor = anchor.max(Some(Anchor { index, place }));
                        false
                    }
                    None => false,
                },
            };
            if is_new {
                new.push(index);
            }
        }
        (new, anchor)
    }

    /// Adds the new rows. The confirmed order continues behind the anchor with what is new there: what was delivered
    /// behind the anchor before is tentative from now on, and so is what was inserted before it.
    fn append(&mut self, page: &[u64], new: &[usize], anchor: Option<Anchor>) {
        let (first_behind, first_tentative) = anchor.map_or((0, 0), |anchor| (anchor.index + 1, anchor.place + 1));
        if new.last().is_some_and(|index| *index >= first_behind) {
            self.window.range_mut(first_tentative..).for_each(|(_, is_confirmed)| *is_confirmed = false);
        }
        self.window.extend(new.iter().map(|index| (page[*index], *index >= first_behind)));
        let surplus = self.window.len().saturating_sub(WINDOW);
        self.window.drain(..surplus);
        self.dropped += surplus as u64;
    }
}

/// Takes one of the rows that are left, if there is one.
fn take_one(left: &mut HashMap<u64, usize>, row: u64) -> bool {
    match left.get_mut(&row) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// For each place of the window, how many rows from there on equal the beginning of `rest` (Z-algorithm, linear time).
fn common_prefixes(rest: &[u64], window: &VecDeque<(u64, bool)>) -> Vec<usize> {
    let row = |index: usize| if index < rest.len() { rest[index] } else { window[index - rest.len()].0 };
    let total = rest.len() + window.len();
    let mut lengths = vec![0; total];
    // The stretch that reaches furthest to the right of those known to equal a beginning.
    let (mut from, mut to) = (0, 0);
    for index in 1..total {
        let mut length: usize = if index < to { lengths[index - from].min(to - index) } else { 0 };
        while length < rest.len() && index + length < total && row(length) == row(index + length) {
            length += 1;
        }
        lengths[index] = length;
        if index + length > to {
            (from, to) = (index, index + length);
        }
    }
    lengths.split_off(rest.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Merges pages, each a text of one-letter rows, and returns the rows delivered, with `-` for a gap.
    fn delivered(pages: &[(u64, &str)]) -> String {
        let mut merger = TextMerger::default();
        let mut seen = Vec::new();
        let mut rows = String::new();
        for (offset, page) in pages {
            let attempt = if seen.contains(&(*offset, *page)) { MergeAttempt::Retry } else { MergeAttempt::First };
            seen.push((*offset, *page));
            let keys: Vec<u64> = page.bytes().map(u64::from).collect();
            match merger.merge(&keys, *offset, attempt).unwrap() {
                MergeResult::Gap => rows.push('-'),
                MergeResult::Reordered => rows.push('?'),
                MergeResult::New(new) => rows.extend(new.into_iter().map(|at| keys[at] as u8 as char)),
            }
        }
        rows
    }

    #[test]
    fn rows_are_merged_where_they_agree() {
        assert_eq!(delivered(&[(0, "")]), "");
        assert_eq!(delivered(&[(0, "abc"), (2, "cde"), (4, "e")]), "abcde");
        // Inserted before; inserted between; deleted before, which an earlier page repairs.
        assert_eq!(delivered(&[(0, "abc"), (2, "bcd")]), "abcd");
        assert_eq!(delivered(&[(0, "abc"), (2, "bxcd")]), "abcxd");
        assert_eq!(delivered(&[(0, "abc"), (2, "de"), (1, "cde"), (2, "de")]), "abc-de");
        // The last one deleted.
        assert_eq!(delivered(&[(0, "abc"), (2, "d"), (0, "abd")]), "abc-d");
    }

    #[test]
    fn equal_rows_are_counted() {
        assert_eq!(delivered(&[(0, "abb"), (0, "abbbc")]), "abbbc");
        assert_eq!(delivered(&[(0, "aaa"), (0, "aaaa"), (0, "aaaaa")]), "aaaaa");
        // One deleted and one inserted: the number is what counts.
        assert_eq!(delivered(&[(0, "abbc"), (0, "abcb")]), "abbc");
    }

    #[test]
    fn equal_rows_at_the_end_of_a_page_need_another_page() {
        // Its one row in common does not show with which of the `b`s the second page begins.
        assert_eq!(delivered(&[(0, "xyzabb"), (5, "bbcdef"), (2, "zabbbc"), (5, "bbcdef")]), "xyzabb-bcdef");
        assert_eq!(delivered(&[(0, "xyzabb"), (5, "bcdefg"), (2, "zabbcd"), (5, "bcdefg")]), "xyzabb-cdefg");
    }

    #[test]
    fn a_list_of_equal_rows_is_read_by_its_offsets() {
        let page = "a".repeat(40);
        assert_eq!(
            delivered(&[(0, &page), (39, &page), (19, &page), (39, &page)]),
            "a".repeat(40) + "-" + &"a".repeat(39)
        );
    }

    #[test]
    fn only_the_end_is_kept() {
        let mut merger = TextMerger::default();
        let page: Vec<u64> = (0..WINDOW as u64 + 100).collect();
        merger.merge(&page, 0, MergeAttempt::First).unwrap();
        assert_eq!((merger.window.len(), merger.dropped), (WINDOW, 100));
        let end = WINDOW as u64 + 99;
        assert_eq!(merger.merge(&[end, end + 1], end, MergeAttempt::First), Ok(MergeResult::New(vec![1])));
        assert_eq!(merger.merge(&[5, 6], 5, MergeAttempt::First), Ok(MergeResult::Gap));
        assert_eq!(merger.merge(&[0, 1], 0, MergeAttempt::First), Err(Instability::NoOverlap));
    }

    #[test]
    fn a_row_inserted_late_confirms_nothing() {
        // `x` and `y` were inserted between `b` and `c`, and the pages end before that shows.
        assert_eq!(delivered(&[(0, "abcde"), (1, "bx"), (2, "xy"), (3, "ycdef")]), "abcdexyf");
    }

    #[test]
    fn a_window_of_equal_rows_takes_linear_time() {
        let mut merger = TextMerger::default();
        let page = vec![7; 1_000];
        for offset in (0..100).map(|index| index * 999) {
            assert!(matches!(merger.merge(&page, offset, MergeAttempt::Retry), Ok(MergeResult::New(_))));
        }
        let window: VecDeque<(u64, bool)> = [1, 1, 2, 1, 1, 2, 1].map(|row| (row, true)).into();
        assert_eq!(common_prefixes(&[1, 1, 2, 3], &window), [3, 1, 0, 3, 1, 0, 1]);
        assert_eq!(common_prefixes(&[1, 1], &window), [2, 1, 0, 2, 1, 0, 1]);
        assert_eq!(common_prefixes(&[], &window), [0; 7]);
    }
}
