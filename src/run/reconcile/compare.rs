//! Compares the values that were sent with those a record holds. Pure.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

pub(super) use crate::api::integer;
use crate::api::{Body, Record};
pub(super) use crate::plan::ValueMatch;
use crate::plan::{Step, WriteKind, compare, holds};
use crate::schema::{Entity, Field, Kind, Use, fold_name};

/// System ids of assets by tag; none where the account has no asset with that tag.
pub(super) type TagIds = HashMap<String, Option<i64>>;

/// What is known of all replies together.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyShape<'v> {
    /// Fields that at least one reply reports. A single record without such a field has it empty; a field that no reply
    /// reports, such as one that can only be written, says nothing about any record.
    pub(super) reported_fields: &'v HashSet<String>,
    pub(super) tags: &'v TagIds,
}

pub(super) fn match_value(field: &Field, wanted: &Json, record: &Record, shape: ReplyShape<'_>) -> ValueMatch {
    // A tag that was sent may come back as the asset's system id.
    let is_same_asset = |_, tag: &Json, held: &Json| {
        let Some(held) = integer(held) else { return Some(false) };
        let id = tag.as_str().and_then(|tag| shape.tags.get(tag.trim()))?;
        Some(*id == Some(held))
    };
    match record.get(field.name) {
        None if !shape.reported_fields.contains(field.name) => ValueMatch::NotReported,
        held => compare(field, wanted, held.unwrap_or(&Json::Null), is_same_asset),
    }
}

/// How a record compares with the body of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CreateMatch {
    /// It holds everything that was sent, as far as reported, and this many other filled fields.
    Equal { extra_fields: usize, coverage: ReplyCoverage },
    /// It has the key that was sent and differs in these fields, or its key differs only in case or spacing.
    Differs(Vec<&'static str>),
    /// It may have the key that was sent, but these key fields are not reported.
    NotReported(Vec<&'static str>),
    /// Another record.
    Unrelated,
}

/// Whether a record reports every field that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyCoverage {
    Full,
    Partial,
}

/// Compares a record with the body of a create. A key field that was not sent must be empty in the record: a product
/// without a model number is not the one of the same name that has one.
pub(super) fn match_create(
    entity: &'static Entity,
    body: &Body,
    record: &Record,
    shape: ReplyShape<'_>,
) -> CreateMatch {
    let (mut similar, mut not_reported, mut differing) = (Vec::new(), Vec::new(), Vec::new());
    let (mut extra_fields, mut coverage) = (0, ReplyCoverage::Full);
    for field in entity.created_fields() {
        let is_key = entity.key.contains(&field.name);
        let Some(wanted) = body.get(field.name) else {
            let is_filled = !holds(field, &Json::Null, record.get(field.name));
            if is_key && is_filled {
                return CreateMatch::Unrelated;
            }
            extra_fields += usize::from(is_filled);
            continue;
        };
        match (match_value(field, wanted, record, shape), is_key) {
            (ValueMatch::Same, _) => {}
            (ValueMatch::NotReported, true) => not_reported.push(field.name),
            (ValueMatch::NotReported, false) => coverage = ReplyCoverage::Partial,
            (ValueMatch::Similar, true) => similar.push(field.name),
            (ValueMatch::Different, true) => return CreateMatch::Unrelated,
            (ValueMatch::Similar | ValueMatch::Different, false) => differing.push(field.name),
        }
    }
    match (similar.is_empty(), differing.is_empty()) {
        (true, true) if not_reported.is_empty() => CreateMatch::Equal { extra_fields, coverage },
        (true, true) => CreateMatch::NotReported(not_reported),
        (true, false) => CreateMatch::Differs(differing),
        (false, true) => CreateMatch::Differs(similar),
        // A differently spelled key and other values: not created from what was sent.
        (false, false) => CreateMatch::Unrelated,
    }
}

/// How a record compares with the body of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UpdateMatch {
    /// It holds everything that was sent, as far as reported.
    AsSent,
    /// It holds what it held before.
    AsBefore,
    /// These fields hold neither.
    Neither(Vec<&'static str>),
    /// None of the fields is reported, or they do not hold what was sent and their previous values are not known.
    NotAsSent,
}

/// Compares a record with the body of an update and with the values before it.
pub(super) fn match_update(
    entity: &'static Entity,
    body: &Body,
    before: Option<&Body>,
    record: &Record,
    shape: ReplyShape<'_>,
) -> UpdateMatch {
    let compared = body.iter().filter_map(|(name, wanted)| {
        let field = entity.field(name)?;
        Some((field, match_value(field, wanted, record, shape)))
    });
    let reported: Vec<_> = compared.filter(|(_, value)| *value != ValueMatch::NotReported).collect();
    let changed = reported.iter().filter(|(_, value)| *value != ValueMatch::Same);
    let changed: Vec<_> = changed.map(|(field, _)| *field).collect();
    if reported.is_empty() {
        return UpdateMatch::NotAsSent;
    }
    if changed.is_empty() {
        return UpdateMatch::AsSent;
    }
    let Some(before) = before else { return UpdateMatch::NotAsSent };
    let is_as_before = |field: &Field| {
        let was = before.get(field.name).unwrap_or(&Json::Null);
        match_value(field, was, record, shape) == ValueMatch::Same
    };
    if reported.iter().all(|(field, _)| is_as_before(field)) {
        return UpdateMatch::AsBefore;
    }
    UpdateMatch::Neither(changed.into_iter().map(|field| field.name).collect())
}

/// The fields that are not as they were in `before`, of those that can be written.
pub(super) fn changed_fields(
    entity: &'static Entity,
    before: &Body,
    record: &Record,
    shape: ReplyShape<'_>,
) -> Vec<&'static str> {
    let is_changed = |field: &&Field| {
        let was = before.get(field.name);
        was.is_some_and(|was| matches!(match_value(field, was, record, shape), ValueMatch::Different))
    };
    entity.updated_fields().filter(is_changed).map(|field| field.name).collect()
}

/// The field by which records are searched and grouped: the most specific field of the key that reads the same
/// everywhere. Not a reference, which the guide takes by tag in one place and by id in another, and not an option,
/// which it spells in two ways: a filter that finds nothing for such a reason would pass for "does not exist".
pub(super) fn search_key(entity: &'static Entity) -> Option<&'static Field> {
    let fields = entity.key.iter().filter_map(|name| entity.field(name)).filter(|field| field.filter);
    let rank = |field: &&Field| match field.kind {
        Kind::Text(_) => Some(0),
        Kind::Date => Some(1),
        _ => None,
    };
    fields.filter(|field| rank(field).is_some() && field.create != Use::No).min_by_key(rank)
}

/// Whether a record has another key than a step sent, as far as it reports it.
pub(in crate::run) fn has_other_key(step: &Step, record: &Record) -> bool {
    let Some(field) = search_key(step.entity).filter(|field| matches!(field.kind, Kind::Text(_))) else { return false };
    let [sent, held] = [&step.body, record].map(|fields| normalized_key(field, fields.get(field.name)));
    matches!((sent, held), (Some(sent), Some(held)) if sent != held)
}

/// The fields that an update sets and that the service's reply shows as they were: it may have ignored them. A field that
/// the reply leaves out, or that had no value before, is no evidence: replies leave out what can only be written.
pub(in crate::run) fn kept_fields(step: &Step, reply: &Record) -> Vec<&'static str> {
    let (WriteKind::Update(_), Some(before)) = (step.write, &step.before) else { return Vec::new() };
    let (reported_fields, tags) = (HashSet::new(), TagIds::new());
    let shape = ReplyShape { reported_fields: &reported_fields, tags: &tags };
    let is_kept = |field: &&Field| {
        let (Some(sent), Some(was)) = (step.body.get(field.name), before.get(field.name)) else { return false };
        !holds(field, &Json::Null, Some(was))
            && match_value(field, sent, reply, shape) == ValueMatch::Different
            && match_value(field, was, reply, shape) == ValueMatch::Same
    };
    step.entity.updated_fields().filter(is_kept).map(|field| field.name).collect()
}

/// A value of the search key, normalized for grouping records.
pub(super) fn normalized_key(field: &Field, value: Option<&Json>) -> Option<String> {
    let text = match value? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let day = text.get(..10).filter(|_| field.kind == Kind::Date);
    Some(fold_name(day.unwrap_or(&text)).into_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::{RowId, StepRole};
    use crate::schema;

    #[test]
    fn a_field_is_kept_where_the_reply_shows_the_value_that_it_had() {
        let object = |value: Json| value.as_object().cloned().unwrap();
        let kept = |entity: &str, sent: Json, before: Json, reply: Json| {
            let entity = schema::collection(entity).unwrap();
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Update(7));
            kept_fields(&Step { body: object(sent), before: Some(object(before)), ..step }, &object(reply))
        };
        let asset = |name: &'static str, sent: Json, before: Json, reply: Json| {
            kept("assets", json!({name: sent}), json!({name: before}), json!({"id": 7, name: reply}))
        };
        assert_eq!(asset("notes", json!(null), json!("old"), json!("old ")), ["notes"]);
        assert_eq!(asset("location_id", json!(null), json!(3), json!({"id": 3, "name": "Ulm"})), ["location_id"]);
        assert_eq!(asset("purchase_cost", json!(null), json!(12), json!("12.00")), ["purchase_cost"]);
        assert_eq!(asset("asset_name", json!("new"), json!("old"), json!("old")), ["asset_name"]);
        let pairs = json!([{"name": "Rack", "value": "B4"}]);
        let cleared = json!([{"name": "Rack", "value": ""}]);
        assert_eq!(asset("custom_fields", cleared, pairs.clone(), pairs), ["custom_fields"]);
        let nothing: [&str; 0] = [];
        for blank in [json!(null), json!("")] {
            assert_eq!(asset("notes", json!(null), json!("old"), blank.clone()), nothing, "cleared");
            assert_eq!(asset("notes", json!("new"), blank.clone(), blank), nothing, "it may only be writable");
        }
        assert_eq!(asset("notes", json!(null), json!("old"), json!("other")), nothing, "neither of the two");
        assert_eq!(asset("asset_name", json!("Old"), json!("old"), json!("old")), nothing, "it may fold case");
        let left_out = kept("assets", json!({"notes": null}), json!({"notes": "old"}), json!({"id": 7}));
        assert_eq!(left_out, nothing);
        // A tag comes back as a system id: which one is not known here.
        let moved = kept("maintenances", json!({"asset_id": "T-2"}), json!({"asset_id": 4}), json!({"asset_id": 4}));
        assert_eq!(moved, nothing);
    }
}
