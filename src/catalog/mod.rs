//! What the account contains, fetched once.
//!
//! Sheets say what they refer to ([`LookupRequest`]), [`Catalog::fetch`] gets it in the fewest requests, and rows then
//! find records by name ([`CatalogView::find`]) or by natural key ([`Catalog::match_record`]). Records that the plan will
//! create are added as they are planned, so that later rows find them like any other. What its updates change of a record
//! is noted beside what the account has: rows name the record as the run leaves it, and diffs, undo and the rows of exports
//! need it as it was.
//!
//! ```text
//! source            where records come from: the service, the mirror
//! pager             a list, page by page
//! list_scan         a whole list, every record once, while others change it
//! rescan            a list again, in other orders, where pages left records out
//! mirror            an account in a local file, brought up to date in the fewest requests
//! log_position      where the activity log stood, to tell what came later
//! cached_source     records from the mirror if it is up to date
//! lookup_request    what the sheets refer to
//! fetch             gets that, by pages or by searches
//! collection_index  the records of one collection, by id and by text
//! current_field     a field as it is now, if the service copies it from another record
//! record_kinds      which record stands for a kind
//! find, matching    a record by what a cell calls it; the record that a row is about
//! suggest           nearest names
//! ```

mod cached_source;
mod collection_index;
mod current_field;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(crate) mod fake_source;
mod fetch;
mod field_retention;
mod field_text;
mod find;
mod key_fields;
mod list_scan;
mod log_position;
mod lookup_request;
mod matching;
mod mirror;
mod pager;
mod record_kinds;
mod rescan;
mod source;
mod suggest;
mod system_id;

use std::collections::HashMap;

pub(crate) use cached_source::CachedSource;
pub(crate) use collection_index::RecordState;
pub(crate) use current_field::CurrentField;
pub(crate) use fetch::{FetchCost, FetchMethod};
pub(crate) use find::{CatalogView, ReferenceSyntax};
#[cfg(test)]
pub(crate) use log_position::LogCursor;
pub(crate) use log_position::{EntryAge, LogPosition, NEWEST_FIRST, entry_time, first_log_day};
pub(crate) use lookup_request::LookupRequest;
pub(crate) use matching::KeyValue;
pub(crate) use mirror::{
    ChangeKind, CollectionLoss, LogEntry, Mirror, MirrorError, ObservedFields, RecordChange, RefreshMethod,
    RefreshMode, RefreshOptions, RefreshStats,
};
pub(crate) use pager::{Pager, may_go_on};
pub(crate) use source::RecordSource;
pub(crate) use suggest::nearest as nearest_names;

pub(crate) use crate::api::Record;
use crate::schema::{self, Entity};
use collection_index::{CollectionIndex, IndexEntry, IndexView};
use field_retention::FieldRetention;
use field_text::value_text;
use key_fields::lookup_fields;
use lookup_request::CollectionLookup;
use record_kinds::KindUsage;
use serde_json::{Value, json};

/// The most nearest names that a failed lookup suggests.
const MOST_SUGGESTIONS: usize = 3;
/// The most differing fields by which records of one name are told apart.
const MOST_DIFFERENCES: usize = 3;

/// What is known of the account, by collection.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    indexes: HashMap<&'static str, CollectionIndex>,
    costs: Vec<FetchCost>,
    usage: KindUsage,
}

/// A field of a record of the account that a planned update changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlannedChange {
    pub field: &'static str,
    /// As it is sent; a record that a step creates as [`RecordRef::link`].
    pub value: Value,
    pub step: u32,
    /// The row that asks for it, in a sheet of the record's collection.
    pub row: u64,
}

/// A record that something refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RecordRef {
    /// A record of the account, by its system id.
    Known(i64),
    /// The record that this step of the plan will create.
    Planned(u32),
}

impl RecordRef {
    /// How a record of the catalog refers to it: by system id, or by the step that will create it.
    pub(crate) fn link(self) -> Value {
        match self {
            RecordRef::Known(id) => json!(id),
            RecordRef::Planned(step) => json!({ PLANNED: step }),
        }
    }

    /// The record that a value written by [`RecordRef::link`] refers to.
    pub(crate) fn from_link(value: &Value) -> Option<Self> {
        match value {
            Value::Object(planned) => u32::try_from(planned.get(PLANNED)?.as_u64()?).ok().map(RecordRef::Planned),
            id => id.as_i64().map(RecordRef::Known),
        }
    }
}

/// The only member of a reference to a record that the plan will create.
const PLANNED: &str = "planned";

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookupResult {
    One(RecordRef),
    /// No record. Names that resemble the text, the nearest first.
    None {
        nearest: Vec<String>,
    },
    /// Several records, each with its name, its id and what distinguishes it from the others.
    Many(Vec<(RecordRef, String)>),
}

/// There are records of that name, but what else is said of the record fits none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// Each record of that name with its value: `MacBook Pro 14 (#1, model number MX2H3)`.
    pub candidates: Vec<String>,
    /// What is said about, such as `model number`.
    pub field: String,
    /// What is said.
    pub text: String,
    /// Whether the field tells things of one name apart, so that a record of that name with another value is another one.
    pub tells_apart: bool,
}

impl Catalog {
    /// What fetching each collection cost.
    pub(crate) fn costs(&self) -> &[FetchCost] {
        &self.costs
    }

    /// Whether every record of the collection is known. If not, a name that differs from the record's in case or
    /// spacing is not found, and suggestions come only from the known records.
    #[cfg(test)]
    pub(crate) fn is_whole(&self, collection: &str) -> bool {
        self.indexes.get(collection).is_some_and(|index| index.coverage == collection_index::Coverage::Whole)
    }

    /// The fields that are kept of the record with that system id.
    pub(crate) fn record(&self, collection: &str, id: i64) -> Option<&Record> {
        self.fields_of(collection, RecordRef::Known(id))
    }

    /// The records of the account that are known, in the order in which they came.
    pub(crate) fn known_records(&self, collection: &str) -> impl Iterator<Item = (i64, &Record)> {
        let entries = self.indexes.get(collection).map(CollectionIndex::entries).unwrap_or_default();
        entries.iter().filter_map(|entry| match entry.target {
            RecordRef::Known(id) => Some((id, &entry.record)),
            RecordRef::Planned(_) => None,
        })
    }

    /// The records of the account that are known and whose field has this text, folded. The field has to be one that was
    /// asked for.
    pub(crate) fn with_text(&self, collection: &str, field: &str, text: &str) -> Vec<i64> {
        let entries = self.as_held().index(collection).map(|index| index.with_text(field, text)).unwrap_or_default();
        let known = entries.iter().filter_map(|entry| match entry.target {
            RecordRef::Known(id) => Some(id),
            RecordRef::Planned(_) => None,
        });
        known.collect()
    }

    /// The records of the account that are known, and what they are called.
    pub(crate) fn names(&self, collection: &str) -> impl Iterator<Item = (i64, &str)> {
        let index = self.as_held().index(collection);
        let entries = index.into_iter().flat_map(|index| index.entries().iter().map(move |entry| (index, entry)));
        entries.filter_map(|(index, entry)| match entry.target {
            RecordRef::Known(id) => Some((id, title(index, entry)?)),
            RecordRef::Planned(_) => None,
        })
    }

    /// Takes in a record of the account, as far as finding and describing it needs.
    pub(crate) fn insert_known(&mut self, entity: &'static Entity, id: i64, record: Record) {
        let index = self.indexes.entry(entity.name).or_insert_with(|| CollectionIndex::new(entity, &[]));
        let trimmed = FieldRetention::new(entity, &CollectionLookup::default()).trim(id, record);
        index.insert(RecordRef::Known(id), trimmed);
    }

    /// Adds the record that a step will create. References may be missing from `fields`.
    pub(crate) fn insert_planned(&mut self, collection: &'static str, step: u32, fields: Record) {
        let Some(entity) = schema::collection(collection) else { return };
        let index = self.indexes.entry(entity.name).or_insert_with(|| CollectionIndex::new(entity, entity.key));
        index.insert(RecordRef::Planned(step), fields);
    }

    /// Notes what a planned update changes of a record of the account. Returns whether records are found or judged by it.
    /// `update`: the record's id, the step, and the row that asks for it; `fields`: what it sets.
    pub(crate) fn plan_update<'v>(
        &mut self,
        collection: &str,
        update: (i64, u32, u64),
        fields: impl Iterator<Item = (&'static str, &'v Value)>,
    ) -> bool {
        self.indexes.get_mut(collection).is_some_and(|index| index.plan_update(update, fields))
    }

    /// Whether planned updates change any record that rows may find or judge by it.
    pub(crate) fn has_planned_changes(&self) -> bool {
        self.indexes.values().any(CollectionIndex::has_changes)
    }

    /// What planned updates change of a field of a record of the account.
    pub(crate) fn planned_change(&self, collection: &str, target: RecordRef, field: &str) -> Option<&PlannedChange> {
        self.indexes.get(collection)?.changes_of(target).iter().find(|change| change.field == field)
    }

    /// Forgets the records that steps would create and what they would change: another plan follows.
    pub(crate) fn forget_planned(&mut self) {
        self.indexes.values_mut().for_each(CollectionIndex::forget_planned);
    }

    /// The fields of the record that a step will create.
    pub(crate) fn planned_fields(&self, collection: &str, step: u32) -> Option<&Record> {
        self.fields_of(collection, RecordRef::Planned(step))
    }

    /// The name or tag that the account has for a record, for messages, else `#` and its id.
    pub(crate) fn describe(&self, collection: &str, target: RecordRef) -> String {
        self.as_held().describe(collection, target)
    }

    fn fields_of(&self, collection: &str, target: RecordRef) -> Option<&Record> {
        Some(&self.indexes.get(collection)?.get(target)?.record)
    }

    fn in_state(&self, state: RecordState) -> CatalogView<'_> {
        CatalogView { catalog: self, state }
    }
}

impl<'c> CatalogView<'c> {
    /// What a record has in a field. Of records that are changed by the run only the fields count by which records are
    /// found or judged.
    pub(crate) fn value(self, collection: &str, target: RecordRef, field: &str) -> Option<&'c Value> {
        let index = self.index(collection)?;
        index.value(index.get(target)?, field)
    }

    /// The name or tag of a record for messages, else `#` and its id.
    pub(crate) fn describe(self, collection: &str, target: RecordRef) -> String {
        let found = self.index(collection).and_then(|index| Some((index, index.get(target)?)));
        let title = found.and_then(|(index, entry)| title(index, entry));
        match (title, target) {
            (Some(title), _) => title.to_owned(),
            (None, RecordRef::Known(id)) => format!("#{id}"),
            (None, RecordRef::Planned(_)) => match schema::collection(collection) {
                Some(entity) => format!("new {}", entity.singular),
                None => "new record".to_owned(),
            },
        }
    }

    /// One record, none, or several with what distinguishes them.
    fn result_of(
        self,
        index: IndexView<'c>,
        entries: &[&'c IndexEntry],
        nearest: impl FnOnce() -> Vec<String>,
    ) -> LookupResult {
        match entries {
            [] => LookupResult::None { nearest: nearest() },
            [entry] => LookupResult::One(entry.target),
            several => LookupResult::Many(self.distinguish(index, several)),
        }
    }

    /// Name, id, and the first fields in which the entries differ: `Berlin (#12, city Berlin, country DE)`.
    fn distinguish(self, index: IndexView<'c>, entries: &[&'c IndexEntry]) -> Vec<(RecordRef, String)> {
        let fields = index.entity().fields.iter().map(|field| field.name);
        let differs = |field: &&str| {
            let first = entries.first().and_then(|entry| value_text(index.value(entry, field)));
            entries.iter().any(|entry| value_text(index.value(entry, field)) != first)
        };
        let is_title = |field: &&str| lookup_fields(index.entity()).first() == Some(field);
        let differing: Vec<_> =
            fields.filter(|field| !is_title(field) && differs(field)).take(MOST_DIFFERENCES).collect();
        let describe = |entry: &&'c IndexEntry| (entry.target, self.describe_distinct(index, entry, &differing));
        entries.iter().map(describe).collect()
    }

    fn describe_distinct(self, index: IndexView<'c>, entry: &'c IndexEntry, differing: &[&str]) -> String {
        let mut parts = vec![shown_target(entry.target)];
        for name in differing {
            match self.shown_value(index, entry, name) {
                Some(value) => parts.push(format!("{} {value}", shown_name(name))),
                None => parts.push(format!("no {}", shown_name(name))),
            }
        }
        let title = title(index, entry).unwrap_or(index.entity().singular);
        format!("{title} ({})", parts.join(", "))
    }

    /// The value as text, a reference as the name of its record if that is known.
    fn shown_value(self, index: IndexView<'c>, entry: &'c IndexEntry, name: &str) -> Option<String> {
        let value = index.value(entry, name)?;
        let reference = index.entity().field(name).and_then(|field| field.reference_to());
        match reference.and_then(|reference| Some((reference, self.catalog.target_of(reference, value)?))) {
            Some((reference, target)) => Some(self.describe(reference.to, target)),
            None => value_text(Some(value)).filter(|text| !text.is_empty()).map(|text| text.into_owned()),
        }
    }
}

fn shown_target(target: RecordRef) -> String {
    match target {
        RecordRef::Known(id) => format!("#{id}"),
        RecordRef::Planned(_) => String::from("new in this run"),
    }
}

/// `model number` of `model_number`, `category` of `category_id`.
fn shown_name(field: &str) -> String {
    field.strip_suffix("_id").unwrap_or(field).replace('_', " ")
}

/// What people call the record: the text of its first lookup field that has one.
fn title<'c>(index: IndexView<'c>, entry: &'c IndexEntry) -> Option<&'c str> {
    let texts = lookup_fields(index.entity()).into_iter();
    texts.filter_map(|field| index.value(entry, field)?.as_str()).find(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;
