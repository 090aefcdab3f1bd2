//! What of a step's record is not as it was when the plan was made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{EarlierUpdates, MergedFields};
use crate::api::{Body, Record, custom_fields, integer, record_id};
use crate::catalog::{Catalog, RecordRef};
use crate::plan::{ItemHolders, SOMEBODY, Step, WriteKind, holds, update_to, value_text};
use crate::schema::{self, CUSTOM_FIELDS, Entity, Field, Kind, Meaning, Reference};

/// The fields of a record that are not as they were, each with both values.
pub(super) fn changed_fields(step: &Step, held: &Record, catalog: &Catalog) -> Vec<String> {
    let before = step.before.as_ref();
    let fields = step.entity.fields.iter().filter_map(|field| Some((field, before?.get(field.name)?)));
    // What a delete keeps of its record also has what changes by itself, such as counts.
    let is_own = |field: &Field| field.is_written() || !matches!(step.write, WriteKind::Delete(_));
    let changed = fields.filter(|(field, old)| is_own(field) && !holds(field, old, held.get(field.name)));
    let texts = changed.flat_map(|(field, old)| match field.kind {
        Kind::CustomFields => changed_custom_fields(step, old, held.get(field.name)),
        _ => vec![was_and_is(field, Some(old), held.get(field.name), catalog)],
    });
    texts.collect()
}

/// The custom fields that are not as they were. To an update only those matter that it changes.
fn changed_custom_fields(step: &Step, old: &Json, held: Option<&Json>) -> Vec<String> {
    let texts = |value: Option<&Json>| -> BTreeMap<String, String> {
        let pairs = value.map(custom_fields).unwrap_or_default();
        pairs.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect()
    };
    let (old, held, new) = (texts(Some(old)), texts(held), texts(step.body.get(CUSTOM_FIELDS)));
    let names: BTreeSet<&String> = old.keys().chain(held.keys()).chain(new.keys()).collect();
    let is_written = |name: &str| matches!(step.write, WriteKind::Delete(_)) || old.get(name) != new.get(name);
    let changed = names.into_iter().filter(|name| is_written(name) && old.get(*name) != held.get(*name));
    let text = |text: Option<&String>| shown(text.cloned().unwrap_or_default());
    changed.map(|name| format!("custom:{name} was {}, is {}", text(old.get(name)), text(held.get(name)))).collect()
}

/// What an update of custom fields sends where others than its own have changed since the plan: an update replaces all of
/// them.
pub(super) fn merged_custom_fields(step: &Step, held: &Record) -> Option<MergedFields> {
    let field = step.entity.field(CUSTOM_FIELDS)?;
    let (sent, planned) = (step.body.get(field.name)?, step.before.as_ref());
    if !matches!(step.write, WriteKind::Update(_)) || holds(field, planned?.get(field.name)?, held.get(field.name)) {
        return None;
    }
    let sent = Body::from_iter([(field.name.to_owned(), sent.clone())]);
    let (body, before) = update_to(step.entity, &sent, planned, held);
    Some(MergedFields { body, before })
}

fn was_and_is(field: &Field, old: Option<&Json>, new: Option<&Json>, catalog: &Catalog) -> String {
    let text = |value: Option<&Json>| value.map(|value| value_text(catalog, field, value)).unwrap_or_default();
    format!("{} was {}, is {}", field.name, shown(text(old)), shown(text(new)))
}

fn shown(text: String) -> String {
    if text.is_empty() { String::from("empty") } else { format!("`{text}`") }
}

/// The item of a check-in or check-out.
pub(super) enum PlannedItem<'c> {
    Same(&'c Record),
    /// Its tag is that of another record by now.
    Other(String),
    Gone(String),
}

/// The item that a step is about. `None` if it is made by this run, or nothing tells.
pub(super) fn planned_item<'c>(
    step: &Step,
    field: &Field,
    reference: Reference,
    (catalog, earlier): (&'c Catalog, &EarlierUpdates),
) -> Option<PlannedItem<'c>> {
    let item = schema::collection(reference.to)?;
    let (before, named) = (step.before.as_ref()?, step.body.get(field.name)?);
    let shown = match named {
        Json::String(tag) => format!("{} `{tag}`", item.singular),
        Json::Number(id) => format!("{} #{id}", item.singular),
        _ => return None,
    };
    let Some(RecordRef::Known(id)) = earlier.record(reference, named, catalog) else {
        return Some(PlannedItem::Gone(shown));
    };
    if record_id(before).is_some_and(|planned| planned != id) {
        return Some(PlannedItem::Other(shown));
    }
    Some(catalog.record(item.name, id).map_or(PlannedItem::Gone(shown), PlannedItem::Same))
}

/// Who has an item, where that is not who had it.
pub(super) fn moved_item(step: &Step, reference: Reference, held: &Record, catalog: &Catalog) -> Vec<String> {
    // What is kept in stock has many holders: of it the service decides whether enough is left.
    let item = schema::collection(reference.to).filter(|item| item.is_tagged());
    let before = step.before.as_ref().filter(|before| ItemHolders::of(before) != ItemHolders::NotReported);
    let Some((item, before)) = item.zip(before) else { return Vec::new() };
    let names = |record: &Record| -> Vec<String> {
        let entries = match ItemHolders::of(record) {
            ItemHolders::NotReported | ItemHolders::Nobody => &[],
            ItemHolders::Unnamed => return vec![SOMEBODY.to_owned()],
            ItemHolders::Listed(entries) => entries,
        };
        let name = |entry: &Json| {
            let named = step.entity.holders().chain(step.entity.opposite().into_iter().flat_map(Entity::holders));
            let found = named.map(|holder| (holder, entry.get(holder.name).and_then(integer)));
            found.into_iter().find_map(|(holder, id)| Some(holder_name(catalog, holder.reference_to()?.to, id?)))
        };
        let mut names: Vec<String> =
            entries.iter().map(|entry| name(entry).unwrap_or_else(|| holder_of(entry, item))).collect();
        names.sort();
        names
    };
    // Nobody has an item that the run itself takes back first.
    let is_returned = before.get(Meaning::Holders.field_name()).is_some_and(Json::is_null);
    let (was, is) = (names(before), names(held));
    match is_returned || was == is {
        true => Vec::new(),
        false => vec![format!("it was with {}, and is with {}", shown_holders(&was), shown_holders(&is))],
    }
}

/// A person or place. They are not read again: of those that the steps do not name only the id is known.
pub(super) fn holder_name(catalog: &Catalog, collection: &str, id: i64) -> String {
    let name = catalog.describe(collection, RecordRef::Known(id));
    let singular = schema::collection(collection).map_or(collection, |entity| entity.singular);
    if name.starts_with('#') { format!("{singular} {name}") } else { name }
}

/// A holder of whom only an id is known.
pub(super) fn holder_of(entry: &Json, item: &Entity) -> String {
    let ids = schema::HOLDERS.iter().filter_map(|name| Some(format!("{name} {}", entry.get(*name).and_then(integer)?)));
    ids.into_iter().next().unwrap_or_else(|| format!("another {}", item.singular))
}

pub(super) fn shown_holders(names: &[String]) -> String {
    if names.is_empty() { String::from("nobody") } else { format!("`{}`", names.join("`, `")) }
}
