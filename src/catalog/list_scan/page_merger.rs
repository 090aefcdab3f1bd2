//! Merges pages into one sequence of records, where the pages agree.
//!
//! [`PageMerger::merge`] takes a page and says which of its records are new. Records of a collection are told apart by
//! their ids ([`by_id`]), rows of a list without ids by their whole text ([`by_text`]). Both return [`MergeResult::Gap`]
//! for a page that contains nothing known: something in between is missing, and an earlier page has to be merged first.

mod by_id;
mod by_text;
mod delivered_ids;

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::error::Instability;
use crate::api::RawPage;
use crate::schema::Entity;
use by_id::IdMerger;
use by_text::TextMerger;

/// The records of one list that were delivered so far.
#[derive(Debug)]
pub(super) struct PageMerger(EntryIdentity);

/// How the entries of a list are told apart.
#[derive(Debug)]
enum EntryIdentity {
    ById(IdMerger),
    ByText(TextMerger, DefaultHashBuilder),
}

/// How a page fits the delivered records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MergeResult {
    /// It overlaps them; these of its records are new, by their index on the page.
    New(Vec<usize>),
    /// It does not, or not with certainty.
    Gap,
    /// A record that came before others now comes after them: the list does not keep its order.
    Reordered,
}

/// Whether a page is tried for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergeAttempt {
    First,
    /// It was a gap once, and an earlier page has been merged since.
    Retry,
}

impl PageMerger {
    pub(super) fn new(entity: &Entity) -> Self {
        if entity.is_collection() {
            return Self(EntryIdentity::ById(IdMerger::default()));
        }
        // The `id` of such a row may be that of another thing.
        Self(EntryIdentity::ByText(TextMerger::default(), DefaultHashBuilder::default()))
    }

    /// Merges the page that was read at that offset.
    ///
    /// # Errors
    /// The page cannot be one of that list.
    pub(super) fn merge(
        &mut self,
        page: &RawPage,
        offset: u64,
        attempt: MergeAttempt,
    ) -> Result<MergeResult, Instability> {
        match &mut self.0 {
            EntryIdentity::ById(records) => records.merge(&ids_of(page)?, offset),
            EntryIdentity::ByText(rows, hasher) => {
                // Among the few thousand rows of a window, no two different rows will ever share 64 bits.
                let keys: Vec<u64> = page.records().map(|record| hasher.hash_one(record.json)).collect();
                rows.merge(&keys, offset, attempt)
            }
        }
    }

    /// Merges a page of the list in another order: every record that was not delivered is new. Rows without ids never
    /// are, since nothing tells them apart from those that were.
    ///
    /// # Errors
    /// A record has no id.
    pub(super) fn merge_unordered(&mut self, page: &RawPage) -> Result<Vec<usize>, Instability> {
        match &mut self.0 {
            EntryIdentity::ById(records) => Ok(records.merge_unordered(&ids_of(page)?)),
            EntryIdentity::ByText(..) => Ok(Vec::new()),
        }
    }
}

fn ids_of(page: &RawPage) -> Result<Vec<i64>, Instability> {
    page.records().map(|record| record.id.ok_or(Instability::MissingId)).collect()
}
