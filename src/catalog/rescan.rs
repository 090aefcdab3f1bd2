//! Finds the records that a list left out although it was read from beginning to end.
//!
//! Lists are read in the order of creation, which says nothing of records that were created at the same time, as a bulk
//! import creates thousands. The guide names no order among those, and a database may sort them anew for each page.
//! Then a record that was on one page comes again on the next, and another one, whose position it took, is on neither.
//!
//! No list reports its length, but every position of it is read. A record that comes again behind the positions read
//! before, and was created at the same time as the last of these, has taken the position of another
//! ([`has_reordered_ties`]). Where records are inserted meanwhile, those that move were created at different times;
//! where some of an import are deleted while its pages are read in parallel, the list may be read again in vain.
//!
//! The list is then read again in other orders ([`Rescan`]), the first of which is by the field that hardly any two
//! records share, until as many distinct records are known as the list has positions. That is proof in any order: each
//! position holds a record, and no two hold the same. If it never adds up, the list is not taken for whole
//! ([`IncompleteList`]).

use std::slice;

use super::key_fields::unique_field;
use super::pager::Pager;
use super::source::RecordSource;
use crate::api::{RawFields, RawPage, RawRecord};
use crate::error::{Diagnostic, ErrorKind};
use crate::schema::{CREATED_AT, Entity};
use crate::wording::thousands;

/// Whether a page shows that the service does not keep records of one time in order: a record comes again that was read
/// before. The first `overlap` records of the page are at positions that were read before.
pub(super) fn has_reordered_ties(page: &RawPage, overlap: usize, is_known: impl Fn(usize) -> bool) -> bool {
    let Some(last) = overlap.checked_sub(1).and_then(|index| page.get(index)) else { return false };
    let in_overlap = || page.records().take(overlap);
    let is_repeated = |(index, record): &(usize, RawRecord<'_>)| {
        is_known(*index)
            && created_at(*record) == created_at(last)
            // A service may list a record once for each thing that it joins to it.
            && !in_overlap().any(|other| other.id == record.id)
    };
    let repeated = page.records().enumerate().skip(overlap).filter(is_repeated).count();
    // A record that comes only now, at a position that was read before, has changed places with one of them: then both
    // came.
    repeated > 0 && repeated > (0..overlap).filter(|index| !is_known(*index)).count()
}

/// As JSON text; of a record without it nothing is known, and such are taken for ties.
fn created_at<'a>(record: RawRecord<'a>) -> Option<&'a str> {
    RawFields::of(record.json)?.get(CREATED_AT)
}

/// One reading of the whole list.
#[derive(Debug)]
struct Pass {
    by: PassSort,
    order: &'static str,
    /// The length of pages in tenths of the usual: with others, pages end elsewhere.
    tenths: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PassSort {
    /// The field in which records differ most.
    Key,
    Creation,
}

/// The first pass is enough where keys differ. The next one sees what is created meanwhile, since that comes last; the
/// others are for collections of which the keys are equal too, such as audits of one day.
const PASSES: &[Pass] = &[
    Pass { by: PassSort::Key, order: "asc", tenths: 10 },
    Pass { by: PassSort::Creation, order: "asc", tenths: 9 },
    Pass { by: PassSort::Key, order: "desc", tenths: 10 },
    Pass { by: PassSort::Creation, order: "asc", tenths: 7 },
    Pass { by: PassSort::Key, order: "asc", tenths: 8 },
    Pass { by: PassSort::Creation, order: "desc", tenths: 10 },
];

/// Reads a list again, in other orders, until no record is missing.
#[derive(Debug)]
pub(super) struct Rescan<'a, S> {
    source: &'a S,
    entity: &'static Entity,
    filters: &'a [(&'a str, &'a str)],
    passes: slice::Iter<'static, Pass>,
    pages: Option<Pager<'a, S>>,
    positions: Positions,
    /// Of the passes that have ended.
    requests: u64,
}

/// Counts the positions of a list as its pages come.
#[derive(Debug, Default)]
struct Positions {
    count: u64,
    pages: u64,
    longest_page: u64,
    last_page: u64,
}

impl Positions {
    fn add(&mut self, page: &RawPage) {
        let length = page.len() as u64;
        if length > 0 {
            self.count += length;
            self.pages += 1;
            self.longest_page = self.longest_page.max(length);
            self.last_page = length;
        }
    }

    /// How many records there are at least. A service may hide records after it has cut a page: then pages before the
    /// last one are shorter than others, and what was hidden is never seen.
    fn visible(&self) -> u64 {
        let full = self.longest_page * self.pages.saturating_sub(1);
        let hidden = full.saturating_sub(self.count - self.last_page);
        self.count - hidden
    }
}

impl<'a, S: RecordSource> Rescan<'a, S> {
    /// Nothing is requested yet. A sort order among the filters is ignored.
    pub(super) fn new(source: &'a S, entity: &'static Entity, filters: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            source,
            entity,
            filters,
            passes: PASSES.iter(),
            pages: None,
            positions: Positions::default(),
            requests: 0,
        }
    }

    /// The next page; none once as many records are known as the list has, or if the list was read often enough.
    /// `known` is how many distinct records of the list are known, with those of the pages before.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) async fn next_page(&mut self, known: u64) -> Result<Option<RawPage>, S::Error> {
        loop {
            if let Some(pages) = &mut self.pages {
                if let Some(page) = pages.next_raw().await? {
                    self.positions.add(&page);
                    return Ok(Some(page));
                }
                if self.check(known).is_ok() {
                    return Ok(None);
                }
            }
            let Some(pass) = self.passes.next() else { return Ok(None) };
            self.requests = self.requests();
            self.pages = Some(self.begin(pass));
            self.positions = Positions::default();
        }
    }

    fn begin(&self, pass: &Pass) -> Pager<'a, S> {
        let limit = (self.source.page_limit() / 10).saturating_mul(pass.tenths).max(2);
        let limit = if pass.tenths == 10 { u32::MAX } else { limit };
        let others = self.filters.iter().copied().filter(|(name, _)| !matches!(*name, "sort" | "order"));
        let sort = match pass.by {
            PassSort::Key => best_sort(self.entity),
            PassSort::Creation => CREATED_AT,
        };
        let filters: Vec<_> = others.chain([("sort", sort), ("order", pass.order)]).collect();
        Pager::new(self.source, self.entity, filters).with_limit(limit)
    }

    /// Whether nothing is missing, once there is no next page.
    ///
    /// # Errors
    /// Fewer records are known than the list has.
    pub(super) fn check(&self, known: u64) -> Result<(), IncompleteList> {
        let listed = self.positions.visible();
        if known >= listed {
            return Ok(());
        }
        Err(IncompleteList { collection: self.entity.name, listed, known })
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests + self.pages.as_ref().map_or(0, Pager::requests)
    }
}

/// The sort option in which the fewest records are equal: the unique field if there is one. Else the first, which is
/// the guide's default: the name nearly everywhere.
fn best_sort(entity: &Entity) -> &'static str {
    let unique = unique_field(entity).filter(|field| entity.sorts.contains(field));
    unique.or(entity.sorts.first().copied()).unwrap_or(CREATED_AT)
}

/// A list of which records are missing, however it is sorted. Taken for whole, it would make an import create them
/// again and an export lose them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot read all {collection}: the list has {} entries, but shows only {} different records in any sort order",
    thousands(*.listed),
    thousands(*.known)
)]
pub struct IncompleteList {
    pub collection: &'static str,
    /// Records that the list has.
    pub listed: u64,
    /// Distinct records that came.
    pub known: u64,
}

impl Diagnostic for IncompleteList {
    fn hint(&self) -> Option<String> {
        Some(String::from(
            "try again when nobody else is changing the account; if it keeps happening, tell BlueTally support that \
             the pages of this list repeat some records and leave out others",
        ))
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

#[cfg(test)]
mod tests;
