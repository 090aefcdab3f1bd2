//! The records of one collection, found by id and by text.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::RecordRef;
use super::field_text::{folded_text, folded_value};
use super::key_fields::lookup_fields;
use crate::api::Record;
use crate::schema::Entity;

/// What is known of one collection: records of the account, and records that the plan will create.
#[derive(Debug)]
pub(super) struct CollectionIndex {
    pub(super) entity: &'static Entity,
    entries: Vec<IndexEntry>,
    /// Positions of the entries.
    by_target: HashTable<u32>,
    by_text: Vec<TextIndex>,
    hasher: DefaultHashBuilder,
    pub(super) coverage: Coverage,
}

/// One record.
#[derive(Debug)]
pub(super) struct IndexEntry {
    pub(super) target: RecordRef,
    pub(super) record: Record,
}

/// Whether a record that is not in the index may still exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    Whole,
    Partial,
}

/// Positions of the entries by the folded text of one field. The texts themselves are in the records: 5 bytes an entry.
#[derive(Debug)]
struct TextIndex {
    field: &'static str,
    positions: HashTable<u32>,
}

impl CollectionIndex {
    /// An empty index that finds by the collection's lookup fields and by `match_on`.
    pub(super) fn new(entity: &'static Entity, match_on: &[&'static str]) -> Self {
        let mut fields = lookup_fields(entity);
        for field in match_on {
            if !fields.contains(field) {
                fields.push(field);
            }
        }
        Self {
            entity,
            entries: Vec::new(),
            by_target: HashTable::new(),
            by_text: fields.into_iter().map(|field| TextIndex { field, positions: HashTable::new() }).collect(),
            hasher: DefaultHashBuilder::default(),
            coverage: Coverage::Partial,
        }
    }

    /// Adds a record, unless it is there already.
    pub(super) fn insert(&mut self, target: RecordRef, record: Record) {
        let Ok(position) = u32::try_from(self.entries.len()) else { return };
        if self.get(target).is_some() {
            return;
        }
        let Self { entity, entries, by_target, by_text, hasher, .. } = self;
        entries.push(IndexEntry { target, record });
        let entry_at = |position: &u32| &entries[*position as usize];
        by_target.insert_unique(hasher.hash_one(target), position, |other| hasher.hash_one(entry_at(other).target));
        for index in by_text {
            let folded_at = |position: &u32| folded_value(entity, index.field, &entry_at(position).record);
            let folded = folded_at(&position);
            if !folded.is_empty() {
                let hash = hasher.hash_one(folded.as_ref());
                index.positions.insert_unique(hash, position, |other| hasher.hash_one(folded_at(other).as_ref()));
            }
        }
    }

    /// Adds a field to a record, by which it is not looked up.
    pub(super) fn add_field(&mut self, target: RecordRef, name: &str, value: serde_json::Value) {
        if let Some(position) = self.position(target) {
            self.entries[position].record.insert(name.to_owned(), value);
        }
    }

    /// Removes the records that steps would create, which are the last ones.
    pub(super) fn forget_planned(&mut self) {
        let is_planned = |entry: &IndexEntry| matches!(entry.target, RecordRef::Planned(_));
        let Some(first) = self.entries.iter().position(is_planned) else { return };
        let is_kept = |position: &mut u32| (*position as usize) < first;
        self.by_target.retain(is_kept);
        self.by_text.iter_mut().for_each(|index| index.positions.retain(is_kept));
        self.entries.truncate(first);
    }

    pub(super) fn get(&self, target: RecordRef) -> Option<&IndexEntry> {
        self.position(target).map(|position| &self.entries[position])
    }

    fn position(&self, target: RecordRef) -> Option<usize> {
        let is_it = |position: &u32| self.entries[*position as usize].target == target;
        self.by_target.find(self.hasher.hash_one(target), is_it).map(|position| *position as usize)
    }

    pub(super) fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    pub(super) fn is_indexed(&self, field: &str) -> bool {
        self.by_text.iter().any(|index| index.field == field)
    }

    /// The records whose `field` contains `text` once both are folded, in the order of their insertion.
    pub(super) fn with_text(&self, field: &str, text: &str) -> Vec<&IndexEntry> {
        let Some(index) = self.by_text.iter().find(|index| index.field == field) else { return Vec::new() };
        let folded = folded_text(self.entity, field, text);
        let candidates = index.positions.iter_hash(self.hasher.hash_one(folded.as_ref()));
        let matches =
            |position: &u32| folded_value(self.entity, field, &self.entries[*position as usize].record) == folded;
        let mut positions: Vec<u32> = candidates.copied().filter(matches).collect();
        positions.sort_unstable();
        positions.into_iter().map(|position| &self.entries[position as usize]).collect()
    }
}
