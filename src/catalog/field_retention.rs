//! FetchMethod much of a record is kept: the few fields that finding lookups, or all where a row may be matched to it.

use serde_json::Value;

use super::collection_index::folded_value;
use super::fetch::Record;
use super::lookup_request::CollectionLookup;
use crate::schema::{self, Entity, Kind};

/// Fields that are always kept, in addition to those that decide about notifications.
const ALWAYS: &[&str] = &["id", "archived", "updated_at"];

/// What is kept of the records of one collection.
pub(super) struct FieldRetention<'a> {
    entity: &'static Entity,
    fields: Vec<&'static str>,
    lookup: &'a CollectionLookup,
    retain_whole: RetainWhole,
}

/// Which records are kept with all their fields.
enum RetainWhole {
    None,
    /// Those with a open id, or with one of the rows' keys in one of these fields.
    Keyed(Vec<&'static str>),
    All,
}

impl<'a> FieldRetention<'a> {
    pub(super) fn new(entity: &'static Entity, lookup: &'a CollectionLookup) -> Self {
        let mut fields: Vec<_> = ALWAYS.to_vec();
        fields.extend(schema::notification_rule().iter().flat_map(|rule| [rule.link, rule.via.0, rule.flag]));
        fields.extend(lookup_fields(entity));
        fields.extend(entity.key);
        fields.extend(lookup.match_on.iter().flatten());
        fields.extend(mentioned_fields(entity));
        fields.sort_unstable();
        fields.dedup();
        Self { entity, fields, lookup, retain_whole: retain_whole(entity, lookup) }
    }

    /// The record, or the part of it that is needed.
    pub(super) fn trim(&self, id: i64, record: Record) -> Record {
        if self.is_kept_entirely(id, &record) {
            return record;
        }
        let needed =
            |(name, value): &(String, Value)| !value.is_null() && self.fields.binary_search(&name.as_str()).is_ok();
        record.into_iter().filter(needed).collect()
    }

    fn is_kept_entirely(&self, id: i64, record: &Record) -> bool {
        match &self.retain_whole {
            RetainWhole::None => false,
            RetainWhole::All => true,
            RetainWhole::Keyed(fields) => {
                self.lookup.ids.contains(&id)
                    || fields.iter().any(|field| self.lookup.keys.may_hold(&folded_value(self.entity, field, record)))
            }
        }
    }
}

/// The fields by which a sheet may name a record of the collection: its `name`, and its natural key where that is one
/// other field.
pub(super) fn lookup_fields(entity: &Entity) -> Vec<&'static str> {
    let mut fields: Vec<&'static str> = entity.field("name").map(|field| field.name).into_iter().collect();
    fields.extend(unique_field(entity));
    fields
}

/// The field that no two records of an account share: the tag of an asset, the address of an employee. Names lookup
/// not be unique (field notes), so a `name` never is one.
pub(super) fn unique_field(entity: &Entity) -> Option<&'static str> {
    match entity.key {
        [field] if *field != "name" => Some(field),
        _ => None,
    }
}

/// Whether rows can be matched by exact searches on that field.
pub(super) fn is_searchable(entity: &Entity, field: &str) -> bool {
    entity.field(field).is_some_and(|field| field.filter && matches!(field.kind, Kind::Text(_)))
}

fn retain_whole(entity: &'static Entity, lookup: &CollectionLookup) -> RetainWhole {
    let firsts: Vec<_> = lookup.match_on.iter().filter_map(|match_on| match_on.first().copied()).collect();
    let telling = |field: &&str| match entity.field(field) {
        Some(field) => matches!(field.kind, Kind::Text(_) | Kind::Option(_) | Kind::Date),
        None => *field == "id",
    };
    if lookup.match_on.is_empty() {
        RetainWhole::None
    } else if firsts.len() == lookup.match_on.len() && firsts.iter().all(telling) {
        RetainWhole::Keyed(firsts)
    } else {
        RetainWhole::All
    }
}

/// Fields of the collection by which fields of others narrow or describe it.
fn mentioned_fields(entity: &Entity) -> impl Iterator<Item = &'static str> {
    let name = entity.name;
    let pointing = schema::importable().flat_map(|other| other.fields).filter_map(move |field| {
        field.reference_to().filter(|reference| reference.to == name).map(|reference| (field, reference))
    });
    pointing.flat_map(|(field, reference)| {
        let narrowed = reference.narrowed.map(|(field, _)| field);
        narrowed.into_iter().chain(field.related.iter().map(|related| related.field))
    })
}
