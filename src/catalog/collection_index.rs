//! The records of one collection, found by id and by text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::str::FromStr;

use hashbrown::{DefaultHashBuilder, HashTable};
use rust_decimal::Decimal;
use serde_json::Value;

use super::fetch::Record;
use super::lookup_request::without_separators;
use super::name::fold_name;
use super::{RecordRef, field_retention};
use crate::schema::{Entity, Kind};

/// What is known of one collection: records of the account and records of this plan.
#[derive(Debug)]
pub(super) struct CollectionIndex {
    pub(super) entity: &'static Entity,
    entries: Vec<IndexEntry>,
    by_target: HashMap<RecordRef, u32>,
    build: DefaultHashBuilder,
    indexes: Vec<TextIndex>,
    pub(super) coverage: Coverage,
}

/// One record and what it is called in a plan.
#[derive(Debug)]
pub(super) struct IndexEntry {
    pub(super) target: RecordRef,
    pub(super) record: Record,
}

/// Whether a record that is not held may still exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    Whole,
    Partial,
}

/// Positions of entries by the folded text of one field. Only hashes are stored, 16 bytes an entry.
#[derive(Debug)]
struct TextIndex {
    field: &'static str,
    table: HashTable<(u64, u32)>,
}

impl CollectionIndex {
    /// An empty index that finds by the collection's lookup fields and by `match_on`.
    pub(super) fn new(entity: &'static Entity, match_on: &[&'static str]) -> Self {
        let mut fields = field_retention::lookup_fields(entity);
        for field in match_on {
            if !fields.contains(field) {
                fields.push(field);
            }
        }
        let index = |field| TextIndex { field, table: HashTable::new() };
        Self {
            entity,
            entries: Vec::new(),
            by_target: HashMap::new(),
            build: DefaultHashBuilder::default(),
            indexes: fields.into_iter().map(index).collect(),
            coverage: Coverage::Partial,
        }
    }

    /// Takes a record in, unless it is there already.
    pub(super) fn insert(&mut self, target: RecordRef, record: Record) {
        let Ok(position) = u32::try_from(self.entries.len()) else { return };
        if self.by_target.contains_key(&target) {
            return;
        }
        self.by_target.insert(target, position);
        for index in &mut self.indexes {
            let folded = folded_value(self.entity, index.field, &record);
            if !folded.is_empty() {
                let hash = self.build.hash_one(folded.as_ref());
                index.table.insert_unique(hash, (hash, position), |(hash, _)| *hash);
            }
        }
        self.entries.push(IndexEntry { target, record });
    }

    pub(super) fn get(&self, target: RecordRef) -> Option<&IndexEntry> {
        self.by_target.get(&target).and_then(|position| self.entries.get(*position as usize))
    }

    pub(super) fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    pub(super) fn is_indexed(&self, field: &str) -> bool {
        self.indexes.iter().any(|index| index.field == field)
    }

    /// The records whose `field` holds `text` once both are folded, in the order they came.
    pub(super) fn with_text(&self, field: &str, text: &str) -> Vec<&IndexEntry> {
        let Some(index) = self.indexes.iter().find(|index| index.field == field) else { return Vec::new() };
        let folded = folded_text(self.entity, field, text);
        let hash = self.build.hash_one(folded.as_ref());
        let mut positions: Vec<u32> =
            index.table.iter_hash(hash).filter(|(other, _)| *other == hash).map(|(_, position)| *position).collect();
        positions.sort_unstable();
        let found = positions.iter().filter_map(|position| self.entries.get(*position as usize));
        found.filter(|entry| folded_value(self.entity, field, &entry.record) == folded).collect()
    }
}

/// The text of a value as a sheet would show it; `None` for nothing and for structures.
pub(super) fn value_text(value: Option<&Value>) -> Option<Cow<'_, str>> {
    match value? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The form in which values of that field are compared; empty for nothing.
pub(super) fn folded_value<'a>(entity: &Entity, field: &str, record: &'a Record) -> Cow<'a, str> {
    match value_text(record.get(field)) {
        Some(Cow::Borrowed(text)) => folded_text(entity, field, text),
        Some(Cow::Owned(text)) => Cow::Owned(folded_text(entity, field, &text).into_owned()),
        None => Cow::Borrowed(""),
    }
}

/// The form in which texts of that field are compared: options without separators, days without the hour, numbers
/// without trailing zeros, the rest folded as names are.
pub(super) fn folded_text<'a>(entity: &Entity, field: &str, text: &'a str) -> Cow<'a, str> {
    match entity.field(field).map(|field| field.kind) {
        Some(Kind::Option(_)) => Cow::Owned(without_separators(&fold_name(text))),
        Some(Kind::Date) => Cow::Borrowed(day(text.trim())),
        Some(Kind::Money | Kind::Integer { .. }) => match Decimal::from_str(text.trim()) {
            Ok(number) => Cow::Owned(number.normalize().to_string()),
            Err(_) => fold_name(text),
        },
        _ => fold_name(text),
    }
}

/// The first ten characters: `2024-05-01` of `2024-05-01T12:34:56.789Z`.
fn day(text: &str) -> &str {
    text.char_indices().nth(10).map_or(text, |(end, _)| &text[..end])
}
