//! The current state of the account, as far as undo needs it.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::history::RecordKey;
use crate::api::{Record, integer, record_id};
use crate::schema::{CREATED_AT, Entity, Reference, UPDATED_AT, Wire, fold_name};

/// The records that the run wrote to, and those changed by others since it began.
#[derive(Debug, Default)]
pub(crate) struct CurrentState {
    records: HashMap<&'static str, HashMap<i64, Record>>,
    /// Fields that at least one reply of a collection contains. A field that no reply contains says nothing about any
    /// record.
    carried: HashMap<&'static str, HashSet<String>>,
    tags: HashMap<String, i64>,
    /// Check-ins and check-outs in the activity log since the run was planned, by collection of the item.
    pub logs: HashMap<&'static str, Vec<Record>>,
}

impl CurrentState {
    /// Adds a record.
    pub(crate) fn add(&mut self, entity: &'static Entity, mut record: Record) {
        let Some(id) = record_id(&record) else { return };
        let carried = self.carried.entry(entity.name).or_default();
        for name in record.keys() {
            if !carried.contains(name) {
                carried.insert(name.clone());
            }
        }
        if entity.is_tagged()
            && let Some(tag) = entity.key.first().and_then(|key| record.get(*key)?.as_str())
        {
            self.tags.insert(tag.to_owned(), id);
        }
        record.retain(|name, value| {
            !value.is_null() && (entity.field(name).is_some() || KEPT_FIELDS.contains(&name.as_str()))
        });
        self.records.entry(entity.name).or_default().insert(id, record);
    }

    pub(crate) fn record(&self, (collection, id): RecordKey) -> Option<&Record> {
        self.records.get(collection)?.get(&id)
    }

    pub(super) fn of(&self, collection: &str) -> impl Iterator<Item = (i64, &Record)> {
        self.records.get(collection).into_iter().flatten().map(|(id, record)| (*id, record))
    }

    pub(crate) fn carries(&self, entity: &Entity, field: &str) -> bool {
        self.carried.get(entity.name).is_some_and(|carried| carried.contains(field))
    }

    pub(crate) fn tagged(&self, tag: &str) -> Option<i64> {
        self.tags.get(tag.trim()).copied()
    }

    /// The system id that a reference in a record or a body stands for. A tag may be returned as the system id, or as a
    /// number where it has only digits.
    pub(crate) fn id_of(&self, reference: Reference, value: &Json) -> Option<i64> {
        match (reference.wire, value) {
            (_, Json::Object(named)) => record_id(named),
            (Wire::Tag, Json::String(tag)) => self.tagged(tag),
            (Wire::Tag, Json::Number(number)) => {
                let id = number.as_i64();
                let is_known = id.is_some_and(|id| self.record((reference.to, id)).is_some());
                if is_known { id } else { self.tagged(&number.to_string()).or(id) }
            }
            (_, value) => integer(value),
        }
    }

    /// A reference as sent in a body; `None` if the tag of the record is unknown.
    pub(super) fn wire(&self, reference: Reference, id: i64) -> Option<Json> {
        let entity = crate::schema::collection(reference.to)?;
        match reference.wire {
            Wire::Id => Some(Json::from(id)),
            Wire::Tag => self.record((entity.name, id))?.get(*entity.key.first()?).cloned(),
        }
    }

    /// A record's name, or else its natural key, or else its id.
    pub(crate) fn title(&self, entity: &Entity, id: i64, told: &Record) -> String {
        let held = self.records.get(entity.name).and_then(|records| records.get(&id));
        let names = ["name"].iter().chain(entity.key);
        let mut texts =
            names.filter_map(|name| held.and_then(|held| held.get(*name)).or_else(|| told.get(*name))?.as_str());
        texts.find(|text| !fold_name(text).is_empty()).map_or_else(|| format!("#{id}"), str::to_owned)
    }
}

/// Fields that are kept in addition to those of the schema.
const KEPT_FIELDS: &[&str] = &["id", CREATED_AT, UPDATED_AT];
