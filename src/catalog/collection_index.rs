//! The records of one collection, found by id and by text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use serde_json::Value;

use super::field_retention::decisive_fields;
use super::field_text::{folded_text, folded_value};
use super::key_fields::lookup_fields;
use super::{PlannedChange, RecordRef};
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
    /// What planned updates change of records of the account, by id.
    changes: HashMap<i64, Vec<PlannedChange>>,
    /// The fields of which changes count: by the others no record is found or judged.
    tracked: Vec<&'static str>,
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
    /// Positions by the folded texts that planned updates set.
    changed: HashMap<Box<str>, Vec<u32>>,
}

/// Which state of the account's records counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RecordState {
    /// As the account has them.
    Held,
    /// As the updates that are planned so far leave them.
    Planned,
}

/// The records of a collection in one of their states.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexView<'c> {
    index: &'c CollectionIndex,
    state: RecordState,
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
            tracked: tracked_fields(entity, &fields),
            by_text: fields.into_iter().map(TextIndex::new).collect(),
            hasher: DefaultHashBuilder::default(),
            coverage: Coverage::Partial,
            changes: HashMap::new(),
        }
    }

    pub(super) fn view(&self, state: RecordState) -> IndexView<'_> {
        IndexView { index: self, state }
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
            let folded_at =
                |position: &u32| folded_value(entity, index.field, entry_at(position).record.get(index.field));
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

    /// Notes what a planned update changes of a record of the account. Returns whether records are found or judged by it.
    pub(super) fn plan_update<'v>(
        &mut self,
        (id, step, row): (i64, u32, u64),
        fields: impl Iterator<Item = (&'static str, &'v Value)>,
    ) -> bool {
        let Some(position) = self.position(RecordRef::Known(id)) else { return false };
        let Self { entity, by_text, changes, tracked, .. } = self;
        let mut is_tracked = false;
        for (field, value) in fields.filter(|(field, _)| tracked.contains(field)) {
            is_tracked = true;
            let folded = folded_value(entity, field, Some(value));
            let index = by_text.iter_mut().find(|index| index.field == field);
            if let (Some(index), false) = (index, folded.is_empty()) {
                index.changed.entry(folded.into()).or_default().push(position as u32);
            }
            let of_record = changes.entry(id).or_default();
            of_record.retain(|earlier| earlier.field != field);
            of_record.push(PlannedChange { field, value: value.clone(), step, row });
        }
        is_tracked
    }

    /// What planned updates change of a record of the account.
    pub(super) fn changes_of(&self, target: RecordRef) -> &[PlannedChange] {
        match target {
            RecordRef::Known(id) => self.changes.get(&id).map_or(&[], Vec::as_slice),
            RecordRef::Planned(_) => &[],
        }
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Removes the records that steps would create, which are the last ones, and what planned updates change.
    pub(super) fn forget_planned(&mut self) {
        self.changes.clear();
        self.by_text.iter_mut().for_each(|index| index.changed.clear());
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

    fn with_text(&self, state: RecordState, field: &str, text: &str) -> Vec<&IndexEntry> {
        let Some(index) = self.by_text.iter().find(|index| index.field == field) else { return Vec::new() };
        let folded = folded_text(self.entity, field, text);
        let held = index.positions.iter_hash(self.hasher.hash_one(folded.as_ref()));
        let changed = match state {
            RecordState::Planned => index.changed.get(folded.as_ref()),
            RecordState::Held => None,
        };
        let has_text = |position: &u32| {
            let value = self.value(state, &self.entries[*position as usize], field);
            folded_value(self.entity, field, value) == folded
        };
        let mut positions: Vec<u32> = held.chain(changed.into_iter().flatten()).copied().filter(has_text).collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| &self.entries[position as usize]).collect()
    }

    fn value<'a>(&'a self, state: RecordState, entry: &'a IndexEntry, field: &str) -> Option<&'a Value> {
        let changes = match state {
            RecordState::Planned if self.has_changes() => self.changes_of(entry.target),
            RecordState::Planned | RecordState::Held => &[],
        };
        let changed = changes.iter().find(|change| change.field == field).map(|change| &change.value);
        changed.or_else(|| entry.record.get(field))
    }
}

impl TextIndex {
    fn new(field: &'static str) -> Self {
        Self { field, positions: HashTable::new(), changed: HashMap::new() }
    }
}

impl<'c> IndexView<'c> {
    pub(super) fn entity(self) -> &'static Entity {
        self.index.entity
    }

    pub(super) fn state(self) -> RecordState {
        self.state
    }

    pub(super) fn get(self, target: RecordRef) -> Option<&'c IndexEntry> {
        self.index.get(target)
    }

    pub(super) fn entries(self) -> &'c [IndexEntry] {
        &self.index.entries
    }

    pub(super) fn is_indexed(self, field: &str) -> bool {
        self.index.is_indexed(field)
    }

    /// The records whose `field` contains `text` once both are folded, in the order of their insertion.
    pub(super) fn with_text(self, field: &str, text: &str) -> Vec<&'c IndexEntry> {
        self.index.with_text(self.state, field, text)
    }

    /// What a record has in a field.
    pub(super) fn value(self, entry: &'c IndexEntry, field: &str) -> Option<&'c Value> {
        self.index.value(self.state, entry, field)
    }

    /// The folded value of a field of a record; empty for nothing.
    pub(super) fn folded(self, entry: &'c IndexEntry, field: &str) -> Cow<'c, str> {
        folded_value(self.index.entity, field, self.value(entry, field))
    }
}

/// The fields by which records are found or judged.
fn tracked_fields(entity: &'static Entity, indexed: &[&'static str]) -> Vec<&'static str> {
    let mut fields = decisive_fields(entity);
    fields.extend(indexed);
    fields.extend(entity.kind_of_status().map(|(field, ..)| field.name));
    fields.sort_unstable();
    fields.dedup();
    fields
}
