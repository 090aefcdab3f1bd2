//! TextMerger without ids, by their whole text: the activity log.
//!
//! Two rows may be alike to the letter and still be two: a thing checked out twice within a millisecond. So a text that
//! is there once in the run and once on the page is one row, but of a text that is there more often it has to be asked
//! how many the page adds. Where the page begins in the run is told by its first row that is known and like no other,
//! the anchor: from there on the run and the page hold the same part of the list, and of each text the page brings as
//! many as it holds more than the run. Where rows were deleted or let in meanwhile, that still gives the larger of the
//! two numbers: none that existed throughout is missing, and none is there more often than it ever was. What the page
//! holds before the anchor is as old, and was there or came in late.
//!
//! A page whose known rows are all like others is a gap: an earlier page shows what stands before them. It is believed
//! without an anchor where many rows agree with one place and no other, or with the place that the offset says.
//!
//! Only what the run ended with is kept, which is all that pages can overlap. TextMerger whose place in the list is in doubt,
//! as with [`super::records`], are no anchors.
//!
//! Two things escape. A row that is deleted from the log while it is read, and so shifts two equal rows that stand on
//! either side of a page's end onto each other, takes one of them with it; nothing in the guide deletes from the log.
//! And where rows are let in among rows that are nearly all alike, how many of them are new cannot be told: one may
//! come twice or be passed over. A log that is only added to at its end has no such doubts, however alike its rows.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::super::error::Instability;
use super::{MergeAttempt, MergeResult};

/// The rows kept: several pages of the documented maximum of 1,000.
const WINDOW: usize = 8_192;
/// TextMerger that have to agree where none is like no other; fewer where pages are short.
const TELLING: usize = 16;

/// What has been read of the list, of which the end is kept.
#[derive(Debug, Default)]
pub(super) struct TextMerger {
    /// The last rows handed over.
    window: VecDeque<(u64, Position)>,
    /// TextMerger handed over before those.
    gone: u64,
    /// By how much the list is longer than the run up to the last page joined: others came in, or fewer, where rows
    /// were deleted.
    drift: i64,
}

/// Whether a row is known to stand in the list as it stands in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Confirmed,
    Tentative,
}

/// What a text is to the run and to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowMatch {
    Unknown,
    /// Once in the run, at that place of the window, and once on the page.
    Unique(usize),
    Several,
}

/// Where a page meets the run: the first row of it that is known, on the page and in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    index: usize,
    place: usize,
}

impl TextMerger {
    /// Joins the page of these rows, read at that offset.
    ///
    /// # Errors
    /// Where a page from the list's beginning cannot be joined.
    pub(super) fn join(&mut self, page: &[u64], offset: u64, look: MergeAttempt) -> Result<MergeResult, Instability> {
        let matches_of = self.matches_of(page);
        let meeting = match self.meeting(page, &matches_of, offset, look) {
            // The list begins where the run begins.
            _ if offset == 0 && self.gone == 0 => Overlap { index: 0, place: 0 },
            Some(meeting) => meeting,
            None if offset == 0 => return Err(Instability::NoOverlap),
            None => return Ok(MergeResult::Gap),
        };
        let news = self.news(page, &matches_of, meeting);
        self.drift = (offset as i64).saturating_add(meeting.index as i64)
            - (self.gone as i64).saturating_add(meeting.place as i64);
        let fresh: Vec<usize> = (meeting.index..page.len()).filter(|index| news[*index]).collect();
        self.append(page, &matches_of, &fresh);
        Ok(MergeResult::New(fresh))
    }

    fn matches_of(&self, page: &[u64]) -> Vec<RowMatch> {
        // How often on the page, and where in the window, if once.
        let mut texts: HashMap<u64, (u32, RowMatch)> = HashMap::with_capacity(page.len());
        for row in page {
            texts.entry(*row).or_insert((0, RowMatch::Unknown)).0 += 1;
        }
        for (place, (row, _)) in self.window.iter().enumerate() {
            if let Some((on_page, matches_of)) = texts.get_mut(row) {
                *matches_of = match (*matches_of, *on_page) {
                    (RowMatch::Unknown, 1) => RowMatch::Unique(place),
                    _ => RowMatch::Several,
                };
            }
        }
        page.iter().map(|row| texts.get(row).map_or(RowMatch::Unknown, |(_, matches_of)| *matches_of)).collect()
    }

    fn is_firm(&self, place: usize) -> bool {
        self.window.get(place).is_some_and(|(_, firmness)| *firmness == Position::Confirmed)
    }

    /// Where the page meets the run, as far as it can be told.
    fn meeting(&self, page: &[u64], matches_of: &[RowMatch], offset: u64, look: MergeAttempt) -> Option<Overlap> {
        let known = || matches_of.iter().enumerate().filter(|(_, matches_of)| **matches_of != RowMatch::Unknown);
        let firm = |(index, matches_of): (usize, &RowMatch)| match matches_of {
            RowMatch::Unique(place) if self.is_firm(*place) => Some(Overlap { index, place: *place }),
            _ => None,
        };
        if let Some(anchor) = known().find_map(firm) {
            return Some(anchor);
        }
        match known().find(|(_, matches_of)| **matches_of == RowMatch::Several) {
            Some((index, _)) => {
                self.place_among_equals(page, index, offset, look).map(|place| Overlap { index, place })
            }
            // TextMerger in doubt alone: each is known, and all others are new.
            None => known().next().map(|(index, _)| Overlap { index, place: self.window.len() }),
        }
    }

    /// Where in the window the row at `index` stands, of which there are several.
    fn place_among_equals(&self, page: &[u64], index: usize, offset: u64, look: MergeAttempt) -> Option<usize> {
        let (rest, row) = (&page[index..], page[index]);
        let places = || (0..self.window.len()).filter(|place| self.window[*place].0 == row);
        let alike = |place: usize| {
            self.window.range(place..).zip(rest).take_while(|((ours, _), theirs)| ours == *theirs).count()
        };
        let overlap = |place: usize| rest.len().min(self.window.len() - place);
        let enough = (page.len() / 2).clamp(1, TELLING);
        let agreeing: Vec<usize> = places().filter(|place| alike(*place) == overlap(*place)).collect();
        let said = self.place_at(offset.saturating_add(index as u64));
        let is_said = |place: &usize| said == Some(*place);
        let told = match agreeing.as_slice() {
            [place] => Some(*place),
            several => several.iter().copied().find(is_said),
        };
        match look {
            MergeAttempt::First => told.filter(|place| overlap(*place) >= enough),
            // No page will say more: the last place, with which the most is new.
            MergeAttempt::Again => told.or_else(|| places().next_back()),
        }
    }

    /// Where in the window the row at that offset stands if nothing has changed.
    fn place_at(&self, offset: u64) -> Option<usize> {
        let place = (offset as i64).checked_sub(self.drift)?.checked_sub(self.gone as i64)?;
        usize::try_from(place).ok()
    }

    /// Which rows of the page the run does not have, if they meet there.
    fn news(&self, page: &[u64], matches_of: &[RowMatch], meeting: Overlap) -> Vec<bool> {
        let mut left: HashMap<u64, usize> = HashMap::new();
        for (row, _) in self.window.range(meeting.place..) {
            *left.entry(*row).or_default() += 1;
        }
        let mut is_new = |(row, matches_of): (&u64, &RowMatch)| match matches_of {
            RowMatch::Unknown => true,
            // One that stands firmly before where the page begins is another.
            RowMatch::Unique(place) => self.is_firm(*place) && *place < meeting.place,
            RowMatch::Several => match left.get_mut(row) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    false
                }
                _ => true,
            },
        };
        page.iter().zip(matches_of).enumerate().map(|(index, row)| index < meeting.index || is_new(row)).collect()
    }

    /// Adds what is new. What comes before a row that came already has come late, and what the list no longer has where
    /// it goes on is in doubt.
    fn append(&mut self, page: &[u64], matches_of: &[RowMatch], fresh: &[usize]) {
        let is_new = |index: &usize| fresh.binary_search(index).is_ok();
        let last_known = (0..page.len()).rev().find(|index| !is_new(index));
        if fresh.last().copied() > last_known
            && let Some(RowMatch::Unique(place)) = last_known.and_then(|index| matches_of.get(index))
        {
            self.window.range_mut(place + 1..).for_each(|(_, firmness)| *firmness = Position::Tentative);
        }
        let place = |index: &usize| if Some(*index) < last_known { Position::Tentative } else { Position::Confirmed };
        self.window.extend(fresh.iter().map(|index| (page[*index], place(index))));
        let surplus = self.window.len().saturating_sub(WINDOW);
        self.window.drain(..surplus);
        self.gone += surplus as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Joins pages, each a text of one-letter rows, and gives all that came of it: the rows, and `-` for a gap.
    fn run(pages: &[(u64, &str)]) -> String {
        let mut rows = TextMerger::default();
        let mut seen = Vec::new();
        let mut came = String::new();
        for (offset, page) in pages {
            let look = if seen.contains(&(*offset, *page)) { MergeAttempt::Again } else { MergeAttempt::First };
            seen.push((*offset, *page));
            let keys: Vec<u64> = page.bytes().map(u64::from).collect();
            match rows.join(&keys, *offset, look).unwrap() {
                MergeResult::Gap => came.push('-'),
                MergeResult::New(fresh) => came.extend(fresh.into_iter().map(|at| keys[at] as u8 as char)),
            }
        }
        came
    }

    #[test]
    fn rows_are_joined_where_they_agree() {
        assert_eq!(run(&[(0, "")]), "");
        assert_eq!(run(&[(0, "abc"), (2, "cde"), (4, "e")]), "abcde");
        // Let in before; let in between; deleted before, which an earlier page repairs.
        assert_eq!(run(&[(0, "abc"), (2, "bcd")]), "abcd");
        assert_eq!(run(&[(0, "abc"), (2, "bxcd")]), "abcxd");
        assert_eq!(run(&[(0, "abc"), (2, "de"), (1, "cde"), (2, "de")]), "abc-de");
        // The last one deleted.
        assert_eq!(run(&[(0, "abc"), (2, "d"), (0, "abd")]), "abc-d");
    }

    #[test]
    fn equal_rows_are_counted() {
        assert_eq!(run(&[(0, "abb"), (0, "abbbc")]), "abbbc");
        assert_eq!(run(&[(0, "aaa"), (0, "aaaa"), (0, "aaaaa")]), "aaaaa");
        // One deleted and one let in: the number is what counts.
        assert_eq!(run(&[(0, "abbc"), (0, "abcb")]), "abbc");
    }

    #[test]
    fn equal_rows_at_a_page_s_end_want_another_page() {
        // Which of the `b`s the second page begins with, its one row in common does not tell.
        assert_eq!(run(&[(0, "xyzabb"), (5, "bbcdef"), (2, "zabbbc"), (5, "bbcdef")]), "xyzabb-bcdef");
        assert_eq!(run(&[(0, "xyzabb"), (5, "bcdefg"), (2, "zabbcd"), (5, "bcdefg")]), "xyzabb-cdefg");
    }

    #[test]
    fn a_list_of_one_row_over_and_over_is_read_by_its_offsets() {
        let page = "a".repeat(40);
        assert_eq!(run(&[(0, &page), (39, &page), (19, &page), (39, &page)]), "a".repeat(40) + "-" + &"a".repeat(39));
    }

    #[test]
    fn only_the_end_is_kept() {
        let mut rows = TextMerger::default();
        let page: Vec<u64> = (0..WINDOW as u64 + 100).collect();
        rows.join(&page, 0, MergeAttempt::First).unwrap();
        assert_eq!((rows.window.len(), rows.gone), (WINDOW, 100));
        let end = WINDOW as u64 + 99;
        assert_eq!(rows.join(&[end, end + 1], end, MergeAttempt::First), Ok(MergeResult::New(vec![1])));
        assert_eq!(rows.join(&[5, 6], 5, MergeAttempt::First), Ok(MergeResult::Gap));
        assert_eq!(rows.join(&[0, 1], 0, MergeAttempt::First), Err(Instability::NoOverlap));
    }
}
