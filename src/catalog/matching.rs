//! Finds the record of the account that a row is about, by its natural key.

use serde_json::Value;

use super::collection_index::{CollectionIndex, IndexEntry};
use super::field_text::{folded_text, folded_value, value_text};
use super::key_fields::unique_field;
use super::system_id::bare_id;
use super::{Catalog, LookupResult, RecordRef};
use crate::schema::{self, Kind, Reference};

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
    /// The records whose fields equal the key. Records that equal it exactly win over others. A key of blanks only
    /// matches no record. Suggests no names: most rows of an import are new, and finding the nearest names of each would
    /// be slow; [`Catalog::find`] suggests them.
    pub(crate) fn match_record(
        &self,
        collection: &str,
        match_on: &[&'static str],
        key: &[KeyValue<'_>],
    ) -> LookupResult {
        let none = LookupResult::None { nearest: Vec::new() };
        let Some(index) = self.indexes.get(collection) else { return none };
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
        self.result_of(index, &entries, Vec::new)
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

    /// The record with that text in the unique field of its collection, an exact one first.
    fn tagged(&self, collection: &str, text: &str) -> Option<RecordRef> {
        let index = self.indexes.get(collection)?;
        let field = unique_field(index.entity)?;
        let entries = index.with_text(field, text);
        let exact = entries.iter().find(|entry| value_text(entry.record.get(field)).is_some_and(|tag| tag == text));
        exact.or(entries.first()).map(|entry| entry.target)
    }

    /// The records that may match: by the index of the most selective field, otherwise every record.
    fn candidates<'a>(&self, index: &'a CollectionIndex, pairs: &[Pair<'_>]) -> Vec<&'a IndexEntry> {
        let usable = || pairs.iter().filter(|pair| is_selective(pair) && index.is_indexed(pair.0));
        let selective = |pair: &&Pair<'_>| {
            let kind = index.entity.field(pair.0).map(|field| field.kind);
            matches!(kind, None | Some(Kind::Text(_) | Kind::Reference(_)))
        };
        match usable().find(selective).or_else(|| usable().next()) {
            Some((field, KeyValue::Text(text))) => index.with_text(field, text),
            Some((field, KeyValue::Reference(target))) => self.referring(index, field, *target),
            Some((_, KeyValue::Missing)) | None => index.entries().iter().collect(),
        }
    }

    /// The records with the target's id or its tag in that field.
    fn referring<'a>(&self, index: &'a CollectionIndex, field: &str, target: RecordRef) -> Vec<&'a IndexEntry> {
        let mut entries = match target {
            RecordRef::Known(id) => index.with_text(field, &id.to_string()),
            RecordRef::Planned(_) => Vec::new(),
        };
        if let Some(tag) = self.tag_of(index, field, target) {
            for entry in index.with_text(field, &tag) {
                if !entries.iter().any(|other| other.target == entry.target) {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    fn tag_of(&self, index: &CollectionIndex, field: &str, target: RecordRef) -> Option<String> {
        let reference = index.entity.field(field)?.reference_to()?;
        let unique = unique_field(schema::collection(reference.to)?)?;
        let record = self.fields_of(reference.to, target)?;
        value_text(record.get(unique)).map(|tag| tag.into_owned())
    }

    /// Whether the record fits the whole key exactly, or only once both are folded; none if it does not fit.
    fn is_exact_match(&self, index: &CollectionIndex, entry: &IndexEntry, pairs: &[Pair<'_>]) -> Option<bool> {
        pairs
            .iter()
            .try_fold(true, |is_exact, (field, value)| Some(self.match_field(index, entry, field, *value)? && is_exact))
    }

    /// As [`Catalog::is_exact_match`], for one field.
    fn match_field(
        &self,
        index: &CollectionIndex,
        entry: &IndexEntry,
        field: &str,
        value: KeyValue<'_>,
    ) -> Option<bool> {
        let entity = index.entity;
        match value {
            KeyValue::Missing => Some(true),
            KeyValue::Reference(target) => {
                let reference = entity.field(field)?.reference_to()?;
                let referred = self.target_of(reference, entry.record.get(field)?);
                (referred == Some(target)).then_some(true)
            }
            KeyValue::Text(text) => {
                if folded_value(entity, field, &entry.record) != folded_text(entity, field, text) {
                    return None;
                }
                let is_text = matches!(entity.field(field).map(|field| field.kind), Some(Kind::Text(_)));
                let value = value_text(entry.record.get(field)).unwrap_or_default();
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
