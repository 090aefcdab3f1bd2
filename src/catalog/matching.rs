//! Finds the record of the account that a row is about, by its natural key.

use serde_json::Value;

use super::collection_index::{IndexEntry, IndexView, RecordState};
use super::field_text::{folded_text, value_text};
use super::key_fields::unique_field;
use super::system_id::bare_id;
use super::{Catalog, LookupResult, RecordRef};
use crate::schema::{self, Entity, Kind, Reference};

/// The value of one key field in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyValue<'a> {
    /// A value as text; an empty one equals a missing value of a record.
    Text(&'a str),
    /// A record that the row refers to.
    Reference(RecordRef),
    /// The sheet has no such column: any value matches.
    Missing,
}

impl KeyValue<'_> {
    /// Whether the row has the column and nothing in it.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, KeyValue::Text(text) if text.trim().is_empty())
    }
}

/// A field of the key beside its value in the row; never [`KeyValue::Missing`].
type Pair<'a> = (&'static str, KeyValue<'a>);

impl Catalog {
    /// The records whose fields equal the key, or else those that an update of this run gives that key. Records that equal
    /// it exactly win over others. A key of blanks only matches no record. Suggests no names: most rows of an import are
    /// new, and finding the nearest names of each would be slow; [`CatalogView::find`](super::CatalogView::find) suggests
    /// them.
    pub(crate) fn match_record(
        &self,
        collection: &str,
        match_on: &[&'static str],
        key: &[KeyValue<'_>],
    ) -> LookupResult {
        let none = LookupResult::None { nearest: Vec::new() };
        let Some(index) = self.indexes.get(collection) else { return none };
        let found = self.match_in(index.view(RecordState::Held), match_on, key);
        if found == none && index.has_changes() {
            return self.match_in(index.view(RecordState::Planned), match_on, key);
        }
        found
    }

    fn match_in(&self, index: IndexView<'_>, match_on: &[&'static str], key: &[KeyValue<'_>]) -> LookupResult {
        let none = LookupResult::None { nearest: Vec::new() };
        let pairs: Vec<Pair<'_>> = match_on.iter().copied().zip(key.iter().copied()).filter(is_given).collect();
        if !pairs.iter().any(is_selective) {
            return none;
        }
        let matches = self.candidates(index, &pairs).into_iter();
        let matches: Vec<_> =
            matches.filter_map(|entry| Some((entry, self.is_exact_match(index, entry, &pairs)?))).collect();
        let best = matches.iter().any(|(_, is_exact)| *is_exact);
        let entries: Vec<&IndexEntry> =
            matches.iter().filter(|(_, is_exact)| *is_exact == best).map(|(entry, _)| *entry).collect();
        self.in_state(index.state()).result_of(index, &entries, Vec::new)
    }

    /// The record that a value of a reference field stands for: a system id, or the text of a unique field such as an
    /// asset's tag. None for nothing and for a text that no known record has.
    pub(super) fn target_of(&self, reference: Reference, value: &Value) -> Option<RecordRef> {
        if let Value::Object(_) = value {
            return RecordRef::from_link(value);
        }
        let text = value_text(Some(value))?;
        let id = bare_id(&text).map(RecordRef::Known);
        let exists = |target: &RecordRef| self.indexes.get(reference.to).is_some_and(|to| to.get(*target).is_some());
        match value {
            Value::Number(_) => id.filter(exists).or_else(|| self.tagged(reference.to, &text)).or(id),
            _ => self.tagged(reference.to, &text).or(id),
        }
    }

    /// The record that a value of a request's body names: a number is a system id, a text the tag of a known record, also
    /// where the tag is a number.
    pub(crate) fn sent_reference(&self, reference: Reference, value: &Value) -> Option<RecordRef> {
        match value {
            Value::String(tag) => self.tagged(reference.to, tag),
            id => id.as_i64().map(RecordRef::Known),
        }
    }

    /// The record with that text in the unique field of its collection, an exact one first. A record that is planned may
    /// name others by what they get in this run, which no record has before.
    fn tagged(&self, collection: &str, text: &str) -> Option<RecordRef> {
        let index = self.indexes.get(collection)?;
        let field = unique_field(index.entity)?;
        let tagged = |state| {
            let index = index.view(state);
            let entries = index.with_text(field, text);
            let is_exact = |entry: &&&IndexEntry| value_text(index.value(entry, field)).is_some_and(|tag| tag == text);
            entries.iter().find(is_exact).or(entries.first()).map(|entry| entry.target)
        };
        tagged(RecordState::Held).or_else(|| tagged(RecordState::Planned))
    }

    /// The records that may match: by the index of the most selective field, otherwise every record.
    fn candidates<'c>(&self, index: IndexView<'c>, pairs: &[Pair<'_>]) -> Vec<&'c IndexEntry> {
        let usable = || pairs.iter().filter(|pair| is_selective(pair) && index.is_indexed(pair.0));
        let selective = |pair: &&Pair<'_>| {
            let kind = index.entity().field(pair.0).map(|field| field.kind);
            matches!(kind, None | Some(Kind::Text(_) | Kind::Reference(_)))
        };
        match usable().find(selective).or_else(|| usable().next()) {
            Some((field, KeyValue::Text(text))) => index.with_text(field, text),
            Some((field, KeyValue::Reference(target))) => self.referring(index, field, *target),
            Some((_, KeyValue::Missing)) | None => index.entries().iter().collect(),
        }
    }

    /// The records with the target's id or its tag in that field.
    fn referring<'c>(&self, index: IndexView<'c>, field: &str, target: RecordRef) -> Vec<&'c IndexEntry> {
        let mut entries = match target {
            RecordRef::Known(id) => index.with_text(field, &id.to_string()),
            RecordRef::Planned(_) => Vec::new(),
        };
        for tag in self.tags_of(index.entity(), field, target) {
            for entry in index.with_text(field, &tag) {
                if !entries.iter().any(|other| other.target == entry.target) {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    /// The tag that the target has, and the one that this run gives it.
    fn tags_of(&self, entity: &Entity, field: &str, target: RecordRef) -> Vec<String> {
        let reference = entity.field(field).and_then(|field| field.reference_to());
        let unique = reference.and_then(|reference| unique_field(schema::collection(reference.to)?));
        let Some((reference, unique)) = reference.zip(unique) else { return Vec::new() };
        let values = [self.as_held(), self.as_planned()].map(|state| state.value(reference.to, target, unique));
        let mut tags: Vec<String> =
            values.into_iter().filter_map(|value| value_text(value).map(|tag| tag.into_owned())).collect();
        tags.dedup();
        tags
    }

    /// Whether the record fits the whole key exactly, or only once both are folded; none if it does not fit.
    fn is_exact_match<'c>(&self, index: IndexView<'c>, entry: &'c IndexEntry, pairs: &[Pair<'_>]) -> Option<bool> {
        pairs
            .iter()
            .try_fold(true, |is_exact, (field, value)| Some(self.match_field(index, entry, field, *value)? && is_exact))
    }

    /// As [`Catalog::is_exact_match`], for one field.
    fn match_field<'c>(
        &self,
        index: IndexView<'c>,
        entry: &'c IndexEntry,
        field: &str,
        value: KeyValue<'_>,
    ) -> Option<bool> {
        let entity = index.entity();
        match value {
            KeyValue::Missing => Some(true),
            KeyValue::Reference(target) => {
                let reference = entity.field(field)?.reference_to()?;
                let referred = self.target_of(reference, index.value(entry, field)?);
                (referred == Some(target)).then_some(true)
            }
            KeyValue::Text(text) => {
                if index.folded(entry, field) != folded_text(entity, field, text) {
                    return None;
                }
                let is_text = matches!(entity.field(field).map(|field| field.kind), Some(Kind::Text(_)));
                let value = value_text(index.value(entry, field)).unwrap_or_default();
                Some(!is_text || value == text || value == text.trim())
            }
        }
    }
}

fn is_given(pair: &Pair<'_>) -> bool {
    pair.1 != KeyValue::Missing
}

fn is_selective(pair: &Pair<'_>) -> bool {
    match pair.1 {
        KeyValue::Text(text) => !text.trim().is_empty(),
        KeyValue::Reference(_) => true,
        KeyValue::Missing => false,
    }
}
