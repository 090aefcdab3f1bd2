//! Records that earlier undos created again: what a run wrote with their old ids is about the new ones.

use std::collections::{HashMap, HashSet};
use std::iter::successors;

use serde_json::Value as Json;

use super::history::RecordKey;
use super::holders::{Holder, collection_of, named_in};
use super::item_collection;
use crate::api::{Body, Record, integer, record_id};
use crate::plan::{Step, WriteKind};
use crate::schema::{Entity, HOLDERS, Meaning, Reference, Wire};

/// The new ids of records that undos created again, once or several times.
#[derive(Debug, Default, Clone)]
pub(crate) struct RecreatedRecords {
    next: HashMap<RecordKey, i64>,
    previous: HashMap<RecordKey, i64>,
}

impl FromIterator<(RecordKey, i64)> for RecreatedRecords {
    /// From pairs of a record and its new id, in any order. The service gives later records greater ids.
    fn from_iter<I: IntoIterator<Item = (RecordKey, i64)>>(pairs: I) -> Self {
        let mut pairs: Vec<(RecordKey, i64)> = pairs.into_iter().collect();
        pairs.sort_unstable_by_key(|(_, new)| *new);
        let mut recreated = Self::default();
        for ((collection, old), new) in pairs {
            let latest = recreated.current_id(collection, old);
            if latest < new {
                recreated.next.insert((collection, latest), new);
                recreated.previous.insert((collection, new), latest);
            }
        }
        recreated
    }
}

impl RecreatedRecords {
    /// The id that a record has now.
    pub(crate) fn current_id(&self, collection: &'static str, id: i64) -> i64 {
        successors(Some(id), |id| self.next.get(&(collection, *id)).copied()).last().unwrap_or(id)
    }

    /// An id of a record and those that it had before, the latest first.
    pub(crate) fn ids_of(&self, collection: &'static str, id: i64) -> impl Iterator<Item = i64> {
        successors(Some(id), move |id| self.previous.get(&(collection, *id)).copied())
    }

    /// The holders that a log entry names, by their current ids; `None` if it names none.
    pub(super) fn holders_named(&self, entry: &Record) -> Option<HashSet<Holder>> {
        let current = |(name, id): Holder| {
            let now = collection_of(name).map(|collection| self.current_id(collection, id));
            (name, now.unwrap_or(id))
        };
        Some(named_in(entry)?.into_iter().map(current).collect())
    }

    /// Puts the current ids into what a step wrote and what there was before. The item of an action keeps its id: what was
    /// checked out of a deleted item is not checked out of the new one.
    pub(super) fn update_ids(&self, step: &mut Step) {
        if self.next.is_empty() {
            return;
        }
        let item = step.entity.item().map(|(field, _)| field.name);
        self.update_references(step.entity, item, &mut step.body);
        if let Some(before) = &mut step.before {
            self.update_references(item_collection(step.entity), None, before);
            self.update_holders(before);
        }
        if let WriteKind::Update(id) = &mut step.write {
            *id = self.current_id(step.entity.name, *id);
        }
    }

    /// Puts the current ids into the references of a body, except for one field.
    pub(super) fn update_references(&self, entity: &'static Entity, except: Option<&str>, body: &mut Body) {
        for field in entity.fields.iter().filter(|field| except != Some(field.name)) {
            let Some(reference) = field.reference_to() else { continue };
            let Some(id) = body.get(field.name).and_then(|value| named_id(reference, value)) else { continue };
            let now = self.current_id(reference.to, id);
            if now != id {
                body.insert(field.name.to_owned(), Json::from(now));
            }
        }
    }

    fn update_holders(&self, item: &mut Record) {
        let entries = item.get_mut(Meaning::Holders.field_name()).and_then(Json::as_array_mut);
        for entry in entries.into_iter().flatten().filter_map(Json::as_object_mut) {
            for name in HOLDERS {
                let (Some(id), Some(collection)) = (entry.get(*name).and_then(integer), collection_of(name)) else {
                    continue;
                };
                entry.insert((*name).to_owned(), Json::from(self.current_id(collection, id)));
            }
        }
    }
}

/// The system id that a reference names, if it does not name a tag.
fn named_id(reference: Reference, value: &Json) -> Option<i64> {
    match (reference.wire, value) {
        (_, Json::Object(named)) => record_id(named),
        (Wire::Tag, Json::String(_)) => None,
        (_, value) => integer(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recreated(pairs: &[(i64, i64)]) -> RecreatedRecords {
        pairs.iter().map(|(old, new)| (("employees", *old), *new)).collect()
    }

    #[test]
    fn a_record_has_the_id_that_the_last_undo_gave_it() {
        for pairs in [[(5, 9), (9, 12)], [(9, 12), (5, 9)], [(5, 12), (5, 9)], [(5, 9), (5, 12)]] {
            let recreated = recreated(&pairs);
            let now: Vec<i64> = [5, 9, 12, 7].iter().map(|id| recreated.current_id("employees", *id)).collect();
            assert_eq!(now, [12, 12, 12, 7], "{pairs:?}");
            assert_eq!(recreated.current_id("locations", 5), 5);
            assert_eq!(recreated.ids_of("employees", 12).collect::<Vec<_>>(), [12, 9, 5], "{pairs:?}");
        }
        let loops = recreated(&[(5, 9), (9, 5), (7, 7)]);
        assert_eq!([loops.current_id("employees", 5), loops.current_id("employees", 7)], [9, 7]);
    }
}
