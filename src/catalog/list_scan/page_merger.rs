//! Pages to one run of records, where the pages agree.
//!
//! [`PageMerger::join`] takes a page and says which of its records are new. IdMerger of a collection are told by their
//! ids ([`records`]), rows of a list without ids by their whole text ([`rows`]). Both answer [`MergeResult::Gap`] to a page
//! that holds nothing known: something in between is missing, and an earlier page has to be joined first.

mod by_id;
mod by_text;
mod seen_ids;

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::error::Instability;
use crate::api::RawPage;
use crate::schema::Entity;
use by_id::IdMerger;
use by_text::TextMerger;

/// What has been read of one list.
#[derive(Debug)]
pub(super) struct PageMerger(EntryIdentity);

/// How one entry of the list is told from another.
#[derive(Debug)]
enum EntryIdentity {
    ById(IdMerger),
    ByText(TextMerger, DefaultHashBuilder),
}

/// What a page is to the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MergeResult {
    /// It hangs together with the run; these of its records are new, by their place on the page.
    New(Vec<usize>),
    /// It does not, or not beyond doubt.
    Gap,
}

/// Whether a page is tried for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergeAttempt {
    First,
    /// It was a gap once, and an earlier page has been joined since.
    Again,
}

impl PageMerger {
    pub(super) fn new(entity: &Entity) -> Self {
        Self(match entity.is_collection() {
            true => EntryIdentity::ById(IdMerger::default()),
            // What such a row calls its id may be that of another thing.
            false => EntryIdentity::ByText(TextMerger::default(), DefaultHashBuilder::default()),
        })
    }

    /// Joins the page that was read at that offset.
    ///
    /// # Errors
    /// Where the page proves that the list has no steady order.
    pub(super) fn join(&mut self, page: &RawPage, offset: u64, look: MergeAttempt) -> Result<MergeResult, Instability> {
        match &mut self.0 {
            EntryIdentity::ById(records) => {
                let ids: Option<Vec<i64>> = page.records().map(|record| record.id).collect();
                records.join(&ids.ok_or(Instability::MissingId)?, offset)
            }
            EntryIdentity::ByText(rows, hasher) => {
                // 64 bits told apart among the few thousand rows of a window: no two rows will ever meet by chance.
                let keys: Vec<u64> = page.records().map(|record| hasher.hash_one(record.json)).collect();
                rows.join(&keys, offset, look)
            }
        }
    }
}
