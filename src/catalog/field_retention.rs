//! Which fields of a fetched record are kept: the few that lookups need, or all if a row may be matched to it.

use serde_json::Value;

use super::field_text::folded_value;
use super::key_fields::lookup_fields;
use super::lookup_request::CollectionLookup;
use crate::api::Record;
use crate::schema::{self, CREATED_AT, Entity, Kind, Meaning, UPDATED_AT};

/// Fields that are always kept, in addition to those that decide about notifications and currencies.
const ALWAYS: &[&str] = &["id", "archived", UPDATED_AT];

/// Which fields of the records of one collection are kept.
pub(super) struct FieldRetention<'a> {
    entity: &'static Entity,
    fields: Vec<&'static str>,
    lookup: &'a CollectionLookup,
    whole: RetainWhole,
}

/// Which records are kept with all their fields.
enum RetainWhole {
    None,
    /// Those whose id was requested, or with the key of a row in one of these fields.
    Keyed(Vec<&'static str>),
    All,
}

impl<'a> FieldRetention<'a> {
    pub(super) fn new(entity: &'static Entity, lookup: &'a CollectionLookup) -> Self {
        let mut fields: Vec<_> = ALWAYS.to_vec();
        fields.extend(decisive_fields(entity));
        fields.extend(lookup.match_on.iter().flatten());
        fields.extend(&lookup.also_by);
        fields.sort_unstable();
        fields.dedup();
        Self { entity, fields, lookup, whole: retain_whole(entity, lookup) }
    }

    /// With another field that is kept.
    pub(super) fn also_keeping(mut self, field: &'static str) -> Self {
        if let Err(place) = self.fields.binary_search(&field) {
            self.fields.insert(place, field);
        }
        self
    }

    /// The record, or the part of it that is needed.
    pub(super) fn trim(&self, id: i64, record: Record) -> Record {
        if self.retains_whole(id, &record) {
            return record;
        }
        let is_needed =
            |(name, value): &(String, Value)| !value.is_null() && self.fields.binary_search(&name.as_str()).is_ok();
        record.into_iter().filter(is_needed).collect()
    }

    /// Whether a text is the key of a row that a spreadsheet program may have taken leading zeros from.
    pub(super) fn may_lack_zeros(&self, text: &str) -> bool {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        is_number && self.lookup.keys.may_contain(text)
    }

    /// Whether a row may be matched to the record.
    pub(super) fn retains_whole(&self, id: i64, record: &Record) -> bool {
        let has_key =
            |field: &&str| self.lookup.keys.may_contain(&folded_value(self.entity, field, record.get(*field)));
        match &self.whole {
            RetainWhole::None => false,
            RetainWhole::All => true,
            RetainWhole::Keyed(fields) => self.lookup.ids.contains(&id) || fields.iter().any(has_key),
        }
    }
}

fn retain_whole(entity: &'static Entity, lookup: &CollectionLookup) -> RetainWhole {
    let firsts: Vec<_> = lookup.match_on.iter().filter_map(|match_on| match_on.first().copied()).collect();
    let is_selective = |field: &&str| match entity.field(field) {
        Some(field) => matches!(field.kind, Kind::Text(_) | Kind::Option(_) | Kind::Date),
        None => *field == "id",
    };
    if lookup.match_on.is_empty() {
        RetainWhole::None
    } else if firsts.len() == lookup.match_on.len() && firsts.iter().all(is_selective) {
        RetainWhole::Keyed(firsts.into_iter().chain(lookup.stand_in).collect())
    } else {
        RetainWhole::All
    }
}

/// The fields by which records are found, told apart from others of their name, and judged by rows that refer to them.
pub(super) fn decisive_fields(entity: &'static Entity) -> Vec<&'static str> {
    let mut fields = lookup_fields(entity);
    fields.extend(schema::notification_rule().iter().flat_map(|rule| [rule.link, rule.via.0, rule.flag]));
    fields.extend(entity.key);
    fields.extend(mentioned_fields(entity));
    // The currency of a location decides what the sign of a cost stands for.
    fields.extend(entity.fields.iter().filter(|field| field.kind == Kind::Currency).map(|field| field.name));
    // Nothing is checked out to somebody who has left.
    fields.extend(entity.meaning(Meaning::PersonArchived).map(|field| field.name));
    // What was done before a record had its tag was done with another.
    fields.extend(entity.is_tagged().then_some(CREATED_AT));
    // The type of an item decides what its check-outs take.
    fields.extend(entity.meaning(Meaning::ItemType).map(|field| field.name));
    // Which kind of status an item has decides whether it can be checked out.
    fields.extend(entity.meaning(Meaning::RecordKind).map(|field| field.name));
    fields
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::catalog::LookupRequest;
    use crate::schema::ASSETS;

    #[test]
    fn rows_that_are_matched_by_id_need_no_other_record_whole() {
        let kept = |match_on: &'static str| {
            let mut lookups = LookupRequest::default();
            lookups.matching("assets", &[match_on]);
            lookups.id("assets", 3);
            let lookup = lookups.get("assets").unwrap();
            let retention = FieldRetention::new(&ASSETS, lookup);
            [3, 4].map(|id| {
                let record = json!({"id": id, "asset_id": format!("A-{id}"), "notes": "long"});
                retention.trim(id, record.as_object().unwrap().clone()).contains_key("notes")
            })
        };
        assert_eq!((kept("id"), kept("asset_id")), ([true, false], [true, false]));
        // Whether a row means a record cannot be told from a reference.
        assert_eq!(kept("status_id"), [true, true]);
    }
}
