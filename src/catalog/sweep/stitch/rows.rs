//! Rows without ids, by their whole text: the activity log.
//!
//! Two rows may be alike to the letter and still be two: a thing checked out twice within a millisecond. So it is not
//! asked whether a text came before, but how often. Where the page begins in the run is told by its first row that is
//! known; from there on the run and the page hold the same part of the list, and of each text the page may bring as
//! many as it holds more than the run. Where rows were deleted or let in meanwhile that still gives, of each text,
//! the larger of the two numbers: no row that existed throughout is missing, and none is there more often than it
//! ever was.
//!
//! The first known row tells its place beyond doubt where its text is there once in the run and once on the page. Where
//! there are several, the page is a gap: an earlier page shows what stands before them. It is believed where many rows
//! agree with one place and no other, or with the place that the offset says. Only what the run ended with is kept,
//! which is all that pages can overlap.
//!
//! One thing escapes: a row that is deleted from the log while it is read, and so shifts two equal rows that stand on
//! either side of a page's end onto each other. Nothing in the guide deletes from the log.

use std::collections::VecDeque;
use std::ops::Range;

use hashbrown::HashMap;

use super::super::error::Sign;
use super::{Join, Look};

/// The rows kept: several pages of the documented maximum of 1,000.
const WINDOW: usize = 8_192;
/// Rows that have to agree where one does not tell; fewer where pages are short.
const TELLING: usize = 16;

/// What has been read of the list, of which the end is kept.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The last rows handed over.
    window: VecDeque<u64>,
    /// Rows handed over before those.
    gone: u64,
    /// By how much the list is longer than the run, up to the last page joined: others came in, or fewer, where rows
    /// were deleted.
    drift: i64,
}

impl Rows {
    /// Joins the page of these rows, read at that offset.
    ///
    /// # Errors
    /// Where a page from the list's beginning cannot be joined.
    pub(super) fn join(&mut self, page: &[u64], offset: u64, look: Look) -> Result<Join, Sign> {
        let is_all_kept = self.gone == 0;
        let (index, place) = match self.beginning(page, offset, look) {
            // The list begins where the run begins.
            _ if offset == 0 && is_all_kept => (0, 0),
            Some(found) => found,
            None if offset == 0 => return Err(Sign::Adrift),
            None => return Ok(Join::Gap),
        };
        self.drift = (offset as i64).saturating_add(index as i64) - (self.gone as i64).saturating_add(place as i64);
        let mut known: HashMap<u64, usize> = HashMap::new();
        for row in self.window.range(place..) {
            *known.entry(*row).or_default() += 1;
        }
        let is_new = |row: &u64| match known.get_mut(row) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        // What stands before the first known row came before it, or was let in there.
        let news: Vec<bool> = page[index..].iter().map(is_new).collect();
        let fresh: Vec<usize> = news.iter().zip(index..).filter(|(is_new, _)| **is_new).map(|(_, at)| at).collect();
        self.append(fresh.iter().map(|at| page[*at]));
        Ok(Join::Fresh(fresh))
    }

    fn append(&mut self, rows: impl Iterator<Item = u64>) {
        self.window.extend(rows);
        let surplus = self.window.len().saturating_sub(WINDOW);
        self.window.drain(..surplus);
        self.gone += surplus as u64;
    }

    /// The first row of the page that is known, by its place on the page and in the window.
    fn beginning(&self, page: &[u64], offset: u64, look: Look) -> Option<(usize, usize)> {
        let index = page.iter().position(|row| self.window.contains(row))?;
        let (rest, row) = (&page[index..], page[index]);
        let places: Vec<usize> = (0..self.window.len()).filter(|place| self.window[*place] == row).collect();
        if let ([place], 1) = (places.as_slice(), page.iter().filter(|other| **other == row).count()) {
            return Some((index, *place));
        }
        let said = self.place_at(offset.saturating_add(index as u64));
        let enough = (page.len() / 2).clamp(1, TELLING);
        let agreeing: Vec<usize> = places.iter().copied().filter(|place| self.agrees(rest, *place)).collect();
        let tells = |place: &usize| self.overlap(rest, *place).len() >= enough;
        let is_said = |place: &usize| said == Some(*place);
        let told = match agreeing.as_slice() {
            [place] if tells(place) => Some(*place),
            several => several.iter().copied().find(|place| is_said(place) && tells(place)),
        };
        // No page will say more: the place that the offset says, or the one that most rows speak for.
        let likeliest = || {
            let alike = |place: &&usize| {
                self.window.range(**place..).zip(rest).take_while(|(ours, theirs)| ours == theirs).count()
            };
            places.iter().find(|place| is_said(place)).or(places.iter().max_by_key(alike)).copied()
        };
        let place = match look {
            Look::First => told,
            Look::Again => told.or_else(likeliest),
        };
        Some((index, place?))
    }

    /// Where in the window the row at that offset stands if nothing has changed.
    fn place_at(&self, offset: u64) -> Option<usize> {
        let place = (offset as i64).checked_sub(self.drift)?.checked_sub(self.gone as i64)?;
        usize::try_from(place).ok()
    }

    /// What the window has from `place` on that the page can have too.
    fn overlap(&self, rest: &[u64], place: usize) -> Range<usize> {
        place..self.window.len().min(place + rest.len())
    }

    /// Whether the page says what the window says from `place` on, as far as both go.
    fn agrees(&self, rest: &[u64], place: usize) -> bool {
        self.window.range(self.overlap(rest, place)).zip(rest).all(|(ours, theirs)| ours == theirs)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Joins pages, each a text of one-letter rows, and gives all that came of it: the rows, and `-` for a gap.
    fn run(pages: &[(u64, &str)]) -> String {
        let mut rows = Rows::default();
        let mut seen = Vec::new();
        let mut came = String::new();
        for (offset, page) in pages {
            let look = if seen.contains(&(*offset, *page)) { Look::Again } else { Look::First };
            seen.push((*offset, *page));
            let keys: Vec<u64> = page.bytes().map(u64::from).collect();
            match rows.join(&keys, *offset, look).unwrap() {
                Join::Gap => came.push('-'),
                Join::Fresh(fresh) => came.extend(fresh.into_iter().map(|at| keys[at] as u8 as char)),
            }
        }
        came
    }

    #[test]
    fn rows_are_joined_where_they_agree() {
        assert_eq!(run(&[(0, "")]), "");
        assert_eq!(run(&[(0, "abc"), (2, "cde"), (4, "e")]), "abcde");
        // Let in before; let in between; deleted before, which an earlier page mends.
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
        let mut rows = Rows::default();
        let page: Vec<u64> = (0..WINDOW as u64 + 100).collect();
        rows.join(&page, 0, Look::First).unwrap();
        assert_eq!((rows.window.len(), rows.gone), (WINDOW, 100));
        let end = WINDOW as u64 + 99;
        assert_eq!(rows.join(&[end, end + 1], end, Look::First), Ok(Join::Fresh(vec![1])));
        assert_eq!(rows.join(&[5, 6], 5, Look::First), Ok(Join::Gap));
        assert_eq!(rows.join(&[0, 1], 0, Look::First), Err(Sign::Adrift));
    }
}
