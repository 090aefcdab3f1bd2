//! Finds a record by what a cell calls it.

use serde_json::Value;

use super::collection_index::{IndexEntry, IndexView, RecordState};
use super::field_text::{folded_text, value_text};
use super::key_fields::lookup_fields;
use super::suggest;
use super::system_id::{bare_id, marked_id};
use super::{
    Catalog, Contradiction, LookupResult, MOST_SUGGESTIONS, PlannedChange, RecordRef, shown_name, shown_target, title,
};
use crate::schema::{self, Entity, Kind, fold_name};

/// How a cell may refer to a record, apart from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceSyntax {
    /// `#123` is a system id, everything else a name.
    Marked,
    /// `123` and `#123` are system ids, everything else is a name.
    Bare,
    /// An asset's tag first; if no asset has it, `#123` and `123` are system ids.
    TagOrId,
}

impl Catalog {
    /// The account as it is without the run.
    pub(crate) fn as_held(&self) -> CatalogView<'_> {
        CatalogView { catalog: self, state: RecordState::Held }
    }

    /// The account as what is planned so far leaves it: where a row names a record, this counts.
    pub(crate) fn as_planned(&self) -> CatalogView<'_> {
        CatalogView { catalog: self, state: RecordState::Planned }
    }
}

/// The account in one of its states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatalogView<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) state: RecordState,
}

impl<'c> CatalogView<'c> {
    pub(crate) fn state(self) -> RecordState {
        self.state
    }

    pub(super) fn index(self, collection: &str) -> Option<IndexView<'c>> {
        Some(self.catalog.indexes.get(collection)?.view(self.state))
    }

    /// The record that `text` names. Records whose `narrowed` field has another value do not count; an exact name wins
    /// over a folded one.
    pub(crate) fn find(
        self,
        collection: &str,
        text: &str,
        syntax: ReferenceSyntax,
        narrowed: Option<(&str, &str)>,
    ) -> LookupResult {
        match self.index(collection) {
            Some(index) => self.result(index, text, narrowed, candidates(index, text, syntax, narrowed)),
            None => LookupResult::None { nearest: Vec::new() },
        }
    }

    /// As [`CatalogView::find`], with what else is said of the record: fields and texts, each of which narrows the choice
    /// (design rule 5).
    ///
    /// # Errors
    /// If records of that name are known, and what is said of a field fits none of them.
    pub(crate) fn find_described(
        self,
        collection: &str,
        text: &str,
        syntax: ReferenceSyntax,
        narrowed: Option<(&str, &str)>,
        description: &[(&str, &str)],
    ) -> Result<LookupResult, Contradiction> {
        let Some(index) = self.index(collection) else { return Ok(LookupResult::None { nearest: Vec::new() }) };
        let entries = self.described(index, candidates(index, text, syntax, narrowed), description)?;
        Ok(self.result(index, text, narrowed, entries))
    }

    /// Whether a record is known and has something else in a field than a text says, or nothing.
    pub(crate) fn says_otherwise(self, collection: &str, target: RecordRef, field: &str, text: &str) -> bool {
        let found = self.index(collection).and_then(|index| Some((index, index.get(target)?)));
        found.is_some_and(|(index, entry)| !self.agrees(index, entry, field, text))
    }

    /// The record that the text, and what else is said, would find without a change of the run, and the change.
    pub(crate) fn change_of_former(
        self,
        collection: &str,
        text: &str,
        syntax: ReferenceSyntax,
        narrowed: Option<(&str, &str)>,
        description: &[(&str, &str)],
    ) -> Option<(RecordRef, &'c PlannedChange)> {
        let index = self.catalog.indexes.get(collection)?;
        if self.state == RecordState::Held || !index.has_changes() {
            return None;
        }
        let held = index.view(RecordState::Held);
        let named = candidates(held, text, syntax, narrowed);
        let mut entries = self.catalog.as_held().described(held, named, description).ok()?;
        keep_exact(held, &mut entries, text);
        let [entry] = entries.as_slice() else { return None };
        let changes = index.changes_of(entry.target);
        let is_said = |change: &&PlannedChange| {
            let names_it = held.folded(entry, change.field) == folded_text(index.entity, change.field, text);
            names_it || description.iter().any(|(field, _)| *field == change.field)
        };
        Some((entry.target, changes.iter().find(is_said).or(changes.first())?))
    }

    /// The entries that fit everything that is said of the record.
    ///
    /// # Errors
    /// If what is said of a field fits none of them.
    pub(super) fn described(
        self,
        index: IndexView<'c>,
        mut entries: Vec<&'c IndexEntry>,
        description: &[(&str, &str)],
    ) -> Result<Vec<&'c IndexEntry>, Contradiction> {
        for said in description {
            match self.narrowed_by(index, &entries, *said) {
                Some(rest) if rest.is_empty() => return Err(self.contradiction(index, &entries, *said)),
                Some(rest) => entries = rest,
                None => {}
            }
        }
        Ok(entries)
    }

    fn result(
        self,
        index: IndexView<'c>,
        text: &str,
        narrowed: Option<(&str, &str)>,
        mut entries: Vec<&'c IndexEntry>,
    ) -> LookupResult {
        keep_exact(index, &mut entries, text);
        self.result_of(index, &entries, || nearest(index, text, narrowed))
    }

    /// The entries that agree with what is said of a field, or else those that do not contradict it. `None` if it tells
    /// nothing about any.
    fn narrowed_by(
        self,
        index: IndexView<'c>,
        entries: &[&'c IndexEntry],
        (field, text): (&str, &str),
    ) -> Option<Vec<&'c IndexEntry>> {
        let filter = |keeps: &dyn Fn(&'c IndexEntry) -> bool| -> Vec<&'c IndexEntry> {
            entries.iter().copied().filter(|entry| keeps(entry)).collect()
        };
        if entries.is_empty() || fold_name(text).is_empty() {
            return None;
        }
        let agreeing = filter(&|entry| self.agrees(index, entry, field, text));
        if !agreeing.is_empty() {
            return Some(agreeing);
        }
        is_identifying(index.entity(), field).then(|| filter(&|entry| !has_value(index, entry, field)))
    }

    fn contradiction(
        self,
        index: IndexView<'c>,
        entries: &[&'c IndexEntry],
        (field, text): (&str, &str),
    ) -> Contradiction {
        let shown = |entry: &&'c IndexEntry| {
            let title = title(index, entry).unwrap_or(index.entity().singular);
            let value = self.shown_value(index, entry, field).unwrap_or_else(|| String::from("none"));
            format!("{title} ({}, {} {value})", shown_target(entry.target), shown_name(field))
        };
        Contradiction {
            candidates: entries.iter().map(shown).collect(),
            field: shown_name(field),
            text: text.to_owned(),
            tells_apart: index.entity().is_told_apart_by(field),
        }
    }

    /// Whether the field equals that text, or refers to a record of that name.
    fn agrees(self, index: IndexView<'c>, entry: &'c IndexEntry, field: &str, text: &str) -> bool {
        let entity = index.entity();
        if index.folded(entry, field) == folded_text(entity, field, text) {
            return true;
        }
        let reference = entity.field(field).and_then(|field| field.reference_to());
        let (Some(reference), Some(value)) = (reference, index.value(entry, field)) else { return false };
        let Some(referred) = self.index(reference.to) else { return false };
        let target = self.catalog.target_of(reference, value);
        let said = candidates(referred, text, ReferenceSyntax::Marked, None);
        said.iter().any(|entry| Some(entry.target) == target)
    }
}

/// The records that a text names, of those that count.
fn candidates<'c>(
    index: IndexView<'c>,
    text: &str,
    syntax: ReferenceSyntax,
    narrowed: Option<(&str, &str)>,
) -> Vec<&'c IndexEntry> {
    let by_id = |id: Option<i64>| id.and_then(|id| index.get(RecordRef::Known(id))).into_iter().collect();
    let mut entries: Vec<&'c IndexEntry> = match (syntax, marked_id(text), bare_id(text)) {
        (ReferenceSyntax::Marked | ReferenceSyntax::Bare, Some(id), _) | (ReferenceSyntax::Bare, None, Some(id)) => {
            by_id(Some(id))
        }
        (ReferenceSyntax::TagOrId, marked, bare) => match named(index, text) {
            tagged if tagged.is_empty() => by_id(marked.or(bare)),
            tagged => tagged,
        },
        _ => named(index, text),
    };
    entries.retain(|entry| is_within(index, entry, narrowed));
    entries
}

/// Whether two records that differ in the field are different things: a model number, a manufacturer, a category, but not
/// the telephone number of a supplier.
fn is_identifying(entity: &Entity, field: &str) -> bool {
    entity.key.contains(&field) || !matches!(entity.field(field).map(|field| field.kind), None | Some(Kind::Text(_)))
}

/// Whether the record says what it has in a field. What an account leaves out may be anything; a record of this run is
/// as its row says, so there a blank in the key counts.
fn has_value<'c>(index: IndexView<'c>, entry: &'c IndexEntry, field: &str) -> bool {
    let is_blank = match index.value(entry, field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => fold_name(text).is_empty(),
        Some(_) => false,
    };
    !is_blank || (matches!(entry.target, RecordRef::Planned(_)) && index.entity().key.contains(&field))
}

/// The records of that name. People are also named last name first: `Byron, Ada`.
fn named<'c>(index: IndexView<'c>, text: &str) -> Vec<&'c IndexEntry> {
    let entries = with_lookup_text(index, text);
    match schema::first_name_first(text).filter(|_| entries.is_empty() && index.entity().is_person()) {
        Some(name) => with_lookup_text(index, &name),
        None => entries,
    }
}

/// The records with that text in one of the lookup fields, folded.
fn with_lookup_text<'c>(index: IndexView<'c>, text: &str) -> Vec<&'c IndexEntry> {
    let mut entries: Vec<&'c IndexEntry> = Vec::new();
    for field in lookup_fields(index.entity()) {
        for entry in index.with_text(field, text) {
            if !entries.iter().any(|other| other.target == entry.target) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// A record without the narrowing field passes: what is not known cannot exclude it.
fn is_within<'c>(index: IndexView<'c>, entry: &'c IndexEntry, narrowed: Option<(&str, &str)>) -> bool {
    let Some((field, value)) = narrowed else { return true };
    let held = index.folded(entry, field);
    held.is_empty() || held == folded_text(index.entity(), field, value)
}

/// Keeps the entries whose name equals the text exactly, if any does.
fn keep_exact<'c>(index: IndexView<'c>, entries: &mut Vec<&'c IndexEntry>, text: &str) {
    let fields = lookup_fields(index.entity());
    let is_exact = |entry: &&'c IndexEntry| {
        let texts = fields.iter().filter_map(|field| value_text(index.value(entry, field)));
        texts.into_iter().any(|name| name == text || name == text.trim())
    };
    if entries.len() > 1 && entries.iter().any(is_exact) {
        entries.retain(is_exact);
    }
}

fn nearest(index: IndexView<'_>, text: &str, narrowed: Option<(&str, &str)>) -> Vec<String> {
    if fold_name(text).is_empty() || marked_id(text).is_some() {
        return Vec::new();
    }
    let fields = lookup_fields(index.entity());
    let within = index.entries().iter().filter(|entry| is_within(index, entry, narrowed));
    let names = within.flat_map(|entry| fields.iter().filter_map(move |field| index.value(entry, field)?.as_str()));
    suggest::nearest(text, names, MOST_SUGGESTIONS).into_iter().map(str::to_owned).collect()
}
