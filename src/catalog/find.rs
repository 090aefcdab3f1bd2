//! Finds a record by what a cell calls it.

use super::collection_index::{CollectionIndex, IndexEntry};
use super::field_text::{folded_text, folded_value, value_text};
use super::key_fields::lookup_fields;
use super::suggest;
use super::system_id::{bare_id, marked_id};
use super::{Catalog, LookupResult, MOST_SUGGESTIONS, RecordRef};
use crate::schema::fold_name;

/// How a cell may refer to a record, apart from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceSyntax {
    /// `#123` is a system id, everything else a name.
    Marked,
    /// `123` and `#123` are system ids, everything else is a name.
    Bare,
    /// An asset's tag first; if no asset has it, `#123` and `123` are system ids.
    TagOrId,
}

impl Catalog {
    /// The record that `text` names. Records whose `narrowed` field has another value do not count; an exact name wins
    /// over a folded one; `hints`, field and text, choose among several of one name.
    pub fn find(
        &self,
        collection: &str,
        text: &str,
        syntax: ReferenceSyntax,
        narrowed: Option<(&str, &str)>,
        hints: &[(&str, &str)],
    ) -> LookupResult {
        let Some(index) = self.indexes.get(collection) else { return LookupResult::None { nearest: Vec::new() } };
        let by_id = |id: Option<i64>| id.and_then(|id| index.get(RecordRef::Known(id))).into_iter().collect();
        let mut entries: Vec<&IndexEntry> = match (syntax, marked_id(text), bare_id(text)) {
            (ReferenceSyntax::Marked | ReferenceSyntax::Bare, Some(id), _)
            | (ReferenceSyntax::Bare, None, Some(id)) => by_id(Some(id)),
            (ReferenceSyntax::TagOrId, marked, bare) => match named(index, text) {
                tagged if tagged.is_empty() => by_id(marked.or(bare)),
                tagged => tagged,
            },
            _ => named(index, text),
        };
        entries.retain(|entry| is_within(index, entry, narrowed));
        keep_exact(index, &mut entries, text);
        for hint in hints {
            self.keep_hinted(index, &mut entries, *hint);
        }
        self.result_of(index, &entries, || nearest(index, text, narrowed))
    }

    /// Keeps the entries that agree with the hint, if there are several and any does.
    fn keep_hinted(&self, index: &CollectionIndex, entries: &mut Vec<&IndexEntry>, (field, text): (&str, &str)) {
        if entries.len() < 2 || text.trim().is_empty() {
            return;
        }
        let agrees = |entry: &&IndexEntry| self.agrees(index, entry, field, text);
        if entries.iter().any(agrees) {
            entries.retain(agrees);
        }
    }

    /// Whether the field equals that text, or refers to a record of that name.
    fn agrees(&self, index: &CollectionIndex, entry: &IndexEntry, field: &str, text: &str) -> bool {
        let entity = index.entity;
        if folded_value(entity, field, &entry.record) == folded_text(entity, field, text) {
            return true;
        }
        let reference = entity.field(field).and_then(|field| field.reference_to());
        let (Some(reference), Some(value)) = (reference, entry.record.get(field)) else { return false };
        let Some(referred) = self.indexes.get(reference.to) else { return false };
        let target = self.target_of(reference, value);
        named(referred, text).iter().any(|entry| Some(entry.target) == target)
    }
}

/// The records with that text in one of the lookup fields, folded.
fn named<'a>(index: &'a CollectionIndex, text: &str) -> Vec<&'a IndexEntry> {
    let mut entries: Vec<&IndexEntry> = Vec::new();
    for field in lookup_fields(index.entity) {
        for entry in index.with_text(field, text) {
            if !entries.iter().any(|other| other.target == entry.target) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// A record without the narrowing field passes: what is not known cannot exclude it.
fn is_within(index: &CollectionIndex, entry: &IndexEntry, narrowed: Option<(&str, &str)>) -> bool {
    let Some((field, value)) = narrowed else { return true };
    let held = folded_value(index.entity, field, &entry.record);
    held.is_empty() || held == folded_text(index.entity, field, value)
}

/// Keeps the entries whose name equals the text exactly, if any does.
fn keep_exact(index: &CollectionIndex, entries: &mut Vec<&IndexEntry>, text: &str) {
    let fields = lookup_fields(index.entity);
    let is_exact = |entry: &&IndexEntry| {
        let texts = fields.iter().filter_map(|field| value_text(entry.record.get(*field)));
        texts.into_iter().any(|name| name == text || name == text.trim())
    };
    if entries.len() > 1 && entries.iter().any(is_exact) {
        entries.retain(is_exact);
    }
}

fn nearest(index: &CollectionIndex, text: &str, narrowed: Option<(&str, &str)>) -> Vec<String> {
    if fold_name(text).is_empty() || marked_id(text).is_some() {
        return Vec::new();
    }
    let fields = lookup_fields(index.entity);
    let within = index.entries().iter().filter(|entry| is_within(index, entry, narrowed));
    let names = within.flat_map(|entry| fields.iter().filter_map(|field| entry.record.get(*field)?.as_str()));
    suggest::nearest(text, names, MOST_SUGGESTIONS).into_iter().map(str::to_owned).collect()
}
