//! The record of the account that a row is about, by its natural key.

use serde_json::Value;

use super::holding::{Entry, Holding, folded_text, folded_value, value_text};
use super::needs::bare_number;
use super::{Catalog, Found, Target, keep};
use crate::schema::{self, Kind, Reference};

/// The value of one key field in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyValue<'a> {
    /// A value as text; an empty one equals a record's missing value.
    Text(&'a str),
    /// A record that the row refers to.
    Reference(Target),
    /// The sheet has no such column: any value does.
    Missing,
}

/// How well a record fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Folded,
    Exact,
}

/// A field of the key beside its value in the row; never [`KeyValue::Missing`].
type Pair<'a> = (&'static str, KeyValue<'a>);

impl Catalog {
    /// The records whose fields equal the key. Records that equal it letter by letter win over others. A key of
    /// nothing but blanks matches no record. Suggests no names: most rows of an import are new, and looking for
    /// neighbours of each would be slow; ask [`Catalog::find`] for them.
    pub fn match_record(&self, collection: &str, match_on: &[&'static str], key: &[KeyValue<'_>]) -> Found {
        let none = Found::None { nearest: Vec::new() };
        let Some(holding) = self.holdings.get(collection) else { return none };
        let pairs: Vec<Pair<'_>> = match_on.iter().copied().zip(key.iter().copied()).filter(is_given).collect();
        if !pairs.iter().any(is_telling) {
            return none;
        }
        let fitting = self.candidates(holding, &pairs).into_iter();
        let fitting: Vec<_> = fitting.filter_map(|entry| Some((entry, self.fit(holding, entry, &pairs)?))).collect();
        let best = fitting.iter().map(|(_, fit)| *fit).max();
        let entries: Vec<&Entry> =
            fitting.iter().filter(|(_, fit)| Some(*fit) == best).map(|(entry, _)| *entry).collect();
        self.verdict(holding, &entries, Vec::new)
    }

    /// The record that a value of a reference field stands for: a system id, or the text of a unique field such as
    /// an asset's tag. `None` for nothing and for a text that no known record has.
    pub(super) fn target_of(&self, reference: Reference, value: &Value) -> Option<Target> {
        let text = value_text(Some(value))?;
        let id = bare_number(&text).map(Target::Known);
        let held = |target: &Target| self.holdings.get(reference.to).is_some_and(|to| to.get(*target).is_some());
        match value {
            Value::Number(_) => id.filter(held).or_else(|| self.tagged(reference.to, &text)).or(id),
            _ => self.tagged(reference.to, &text).or(id),
        }
    }

    /// The record with that text in the unique field of its collection, an exact one first.
    fn tagged(&self, collection: &str, text: &str) -> Option<Target> {
        let holding = self.holdings.get(collection)?;
        let field = keep::unique_field(holding.entity)?;
        let entries = holding.with_text(field, text);
        let exact = entries.iter().find(|entry| value_text(entry.record.get(field)).is_some_and(|tag| tag == text));
        exact.or(entries.first()).map(|entry| entry.target)
    }

    /// The records that can fit at all: by the index of the most telling field, else every one.
    fn candidates<'a>(&self, holding: &'a Holding, pairs: &[Pair<'_>]) -> Vec<&'a Entry> {
        let usable = || pairs.iter().filter(|pair| is_telling(pair) && holding.is_indexed(pair.0));
        let selective = |pair: &&Pair<'_>| {
            let kind = holding.entity.field(pair.0).map(|field| field.kind);
            matches!(kind, None | Some(Kind::Text(_) | Kind::Reference(_)))
        };
        match usable().find(selective).or_else(|| usable().next()) {
            Some((field, KeyValue::Text(text))) => holding.with_text(field, text),
            Some((field, KeyValue::Reference(target))) => self.referring(holding, field, *target),
            Some((_, KeyValue::Missing)) | None => holding.entries().iter().collect(),
        }
    }

    /// The records that hold the target's id or its tag in that field.
    fn referring<'a>(&self, holding: &'a Holding, field: &str, target: Target) -> Vec<&'a Entry> {
        let mut entries = match target {
            Target::Known(id) => holding.with_text(field, &id.to_string()),
            Target::Planned(_) => Vec::new(),
        };
        if let Some(tag) = self.tag_of(holding, field, target) {
            for entry in holding.with_text(field, &tag) {
                if !entries.iter().any(|other| other.target == entry.target) {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    fn tag_of(&self, holding: &Holding, field: &str, target: Target) -> Option<String> {
        let reference = holding.entity.field(field)?.reference_to()?;
        let unique = keep::unique_field(schema::collection(reference.to)?)?;
        let record = self.fields_of(reference.to, target)?;
        value_text(record.get(unique)).map(|tag| tag.into_owned())
    }

    /// How well the record fits the whole key: as its worst field does.
    fn fit(&self, holding: &Holding, entry: &Entry, pairs: &[Pair<'_>]) -> Option<Fit> {
        let mut worst = Fit::Exact;
        for (field, value) in pairs {
            worst = worst.min(self.fit_field(holding, entry, field, *value)?);
        }
        Some(worst)
    }

    fn fit_field(&self, holding: &Holding, entry: &Entry, field: &str, value: KeyValue<'_>) -> Option<Fit> {
        let entity = holding.entity;
        match value {
            KeyValue::Missing => Some(Fit::Exact),
            KeyValue::Reference(target) => {
                let reference = entity.field(field)?.reference_to()?;
                let referred = self.target_of(reference, entry.record.get(field)?);
                (referred == Some(target)).then_some(Fit::Exact)
            }
            KeyValue::Text(text) => {
                if folded_value(entity, field, &entry.record) != folded_text(entity, field, text) {
                    return None;
                }
                let is_text = matches!(entity.field(field).map(|field| field.kind), Some(Kind::Text(_)));
                let held = value_text(entry.record.get(field)).unwrap_or_default();
                Some(if is_text && held != text && held != text.trim() { Fit::Folded } else { Fit::Exact })
            }
        }
    }
}

fn is_given(pair: &Pair<'_>) -> bool {
    pair.1 != KeyValue::Missing
}

fn is_telling(pair: &Pair<'_>) -> bool {
    match pair.1 {
        KeyValue::Text(text) => !text.trim().is_empty(),
        KeyValue::Reference(_) => true,
        KeyValue::Missing => false,
    }
}
