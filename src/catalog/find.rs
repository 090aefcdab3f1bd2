//! A record by what a cell calls it.

use super::holding::{Entry, Holding, folded_text, folded_value, value_text};
use super::name::fold_name;
use super::needs::{bare_number, numbered};
use super::suggest;
use super::{Catalog, Found, MOST_SUGGESTIONS, Target, keep};

/// What a cell may hold beside a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `#123` is a system id, everything else a name.
    Marked,
    /// `123` and `#123` are system ids, everything else is a name.
    Bare,
    /// An asset's tag first; where no asset has it, `#123` and `123` are system ids.
    TagOrId,
}

impl Catalog {
    /// The record that `text` names. Records whose `narrowed` field holds another value do not count; an exact name
    /// wins over a folded one; `hints`, field and text, choose among several of one name.
    pub fn find(
        &self,
        collection: &str,
        text: &str,
        naming: Naming,
        narrowed: Option<(&str, &str)>,
        hints: &[(&str, &str)],
    ) -> Found {
        let Some(holding) = self.holdings.get(collection) else { return Found::None { nearest: Vec::new() } };
        let by_id = |id: Option<i64>| id.and_then(|id| holding.get(Target::Known(id))).into_iter().collect();
        let mut entries: Vec<&Entry> = match (naming, numbered(text), bare_number(text)) {
            (Naming::Marked | Naming::Bare, Some(id), _) | (Naming::Bare, None, Some(id)) => by_id(Some(id)),
            (Naming::TagOrId, marked, bare) => match named(holding, text) {
                tagged if tagged.is_empty() => by_id(marked.or(bare)),
                tagged => tagged,
            },
            _ => named(holding, text),
        };
        entries.retain(|entry| is_within(holding, entry, narrowed));
        keep_exact(holding, &mut entries, text);
        for hint in hints {
            self.keep_hinted(holding, &mut entries, *hint);
        }
        self.verdict(holding, &entries, || nearest(holding, text, narrowed))
    }

    /// Leaves the entries that agree with the hint, if there are several and any does.
    fn keep_hinted(&self, holding: &Holding, entries: &mut Vec<&Entry>, (field, text): (&str, &str)) {
        if entries.len() < 2 || text.trim().is_empty() {
            return;
        }
        let agrees = |entry: &&Entry| self.agrees(holding, entry, field, text);
        if entries.iter().any(agrees) {
            entries.retain(agrees);
        }
    }

    /// Whether the field holds that text, or refers to a record of that name.
    fn agrees(&self, holding: &Holding, entry: &Entry, field: &str, text: &str) -> bool {
        let entity = holding.entity;
        if folded_value(entity, field, &entry.record) == folded_text(entity, field, text) {
            return true;
        }
        let reference = entity.field(field).and_then(|field| field.reference_to());
        let (Some(reference), Some(value)) = (reference, entry.record.get(field)) else { return false };
        let Some(referred) = self.holdings.get(reference.to) else { return false };
        let target = self.target_of(reference, value);
        named(referred, text).iter().any(|entry| Some(entry.target) == target)
    }
}

/// The records with that text in one of the lookup fields, folded.
fn named<'a>(holding: &'a Holding, text: &str) -> Vec<&'a Entry> {
    let mut entries: Vec<&Entry> = Vec::new();
    for field in keep::lookup_fields(holding.entity) {
        for entry in holding.with_text(field, text) {
            if !entries.iter().any(|other| other.target == entry.target) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// A record that lacks the narrowing field passes: what is not known cannot exclude it.
fn is_within(holding: &Holding, entry: &Entry, narrowed: Option<(&str, &str)>) -> bool {
    let Some((field, value)) = narrowed else { return true };
    let held = folded_value(holding.entity, field, &entry.record);
    held.is_empty() || held == folded_text(holding.entity, field, value)
}

/// Leaves the entries that bear the text letter by letter, if any does.
fn keep_exact(holding: &Holding, entries: &mut Vec<&Entry>, text: &str) {
    let fields = keep::lookup_fields(holding.entity);
    let is_exact = |entry: &&Entry| {
        let texts = fields.iter().filter_map(|field| value_text(entry.record.get(*field)));
        texts.into_iter().any(|name| name == text || name == text.trim())
    };
    if entries.len() > 1 && entries.iter().any(is_exact) {
        entries.retain(is_exact);
    }
}

fn nearest(holding: &Holding, text: &str, narrowed: Option<(&str, &str)>) -> Vec<String> {
    if fold_name(text).is_empty() || numbered(text).is_some() {
        return Vec::new();
    }
    let fields = keep::lookup_fields(holding.entity);
    let within = holding.entries().iter().filter(|entry| is_within(holding, entry, narrowed));
    let names = within.flat_map(|entry| fields.iter().filter_map(|field| entry.record.get(*field)?.as_str()));
    suggest::nearest(text, names, MOST_SUGGESTIONS).into_iter().map(str::to_owned).collect()
}
