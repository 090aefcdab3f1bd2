//! Where the rows of a run put what is moved as a whole, so that the plan tells of a second row for it, and not the
//! service.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::resolver::{Resolved, ResolvedField};
use super::step::RowId;
use crate::api::Body;
use crate::catalog::RecordRef;
use crate::schema::{self, Entity, Meaning, Role, Verb, fold_name};

/// Something that one holder has at a time: an asset, or the seat of a license with its product key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MovedItem {
    pub(super) collection: &'static str,
    pub(super) record: RecordRef,
    key: Option<String>,
}

/// A check-in or check-out that a row of this run makes.
#[derive(Debug, Clone)]
pub(super) struct ItemMove {
    pub(super) row: RowId,
    pub(super) verb: Verb,
    /// The parameter that names the holder, and the holder. None if an earlier step of the row creates it.
    pub(super) holder: Option<(&'static str, RecordRef)>,
    /// What the holder is called; empty for an action without one.
    pub(super) holder_name: String,
    /// The records that it sets on the item, by field of the action: its status, where it belongs.
    pub(super) sets: Vec<(usize, RecordRef)>,
}

/// The last move of each item in this run.
#[derive(Debug, Default)]
pub(crate) struct MovedItems(HashMap<MovedItem, ItemMove>);

impl MovedItem {
    /// What an action moves. None for stock, of which several rows may take some.
    pub(super) fn of(action: &'static Entity, fields: &[ResolvedField]) -> Option<Self> {
        let (item, reference) = action.item()?;
        let value = |name: &str| {
            let index = action.field_index(name)?;
            fields.iter().find(|given| given.field == index).map(|given| &given.value)
        };
        let key = action.meaning(Meaning::MovedKey).and_then(|field| match value(field.name)? {
            Resolved::Value(Json::String(key)) => Some(key.clone()),
            _ => None,
        });
        let is_whole = key.is_some() || schema::collection(reference.to).is_some_and(Entity::is_tagged);
        match value(item.name)? {
            Resolved::Record(record, _) if is_whole => Some(Self { collection: reference.to, record: *record, key }),
            _ => None,
        }
    }
}

impl ItemMove {
    /// A move without a holder.
    pub(super) fn of(action: &'static Entity, row: RowId, fields: &[ResolvedField]) -> Option<Self> {
        let Role::Action(verb) = action.role else { return None };
        let sets = fields.iter().filter(|given| action.fields[given.field].sets.is_some());
        let records = sets.filter_map(|given| match given.value {
            Resolved::Record(record, _) => Some((given.field, record)),
            _ => None,
        });
        Some(Self { row, verb, holder: None, holder_name: String::new(), sets: records.collect() })
    }

    /// Whether another move leaves the item with the same holder and in the same state.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same_holder = match (self.holder, other.holder) {
            (Some(one), Some(other)) => one == other,
            _ => fold_name(&self.holder_name) == fold_name(&other.holder_name),
        };
        is_same_holder && self.verb == other.verb && self.sets == other.sets
    }
}

impl MovedItems {
    pub(super) fn get(&self, item: &MovedItem) -> Option<&ItemMove> {
        self.0.get(item)
    }

    /// What the last check-in or check-out of a record of the account leaves in its fields, as far as that is known.
    pub(super) fn fields_left(&self, entity: &Entity, id: i64) -> Body {
        let item = MovedItem { collection: entity.name, record: RecordRef::Known(id), key: None };
        let moved = self.get(&item);
        let action = moved.and_then(|moved| {
            let is_of = |action: &&&Entity| action.item().is_some_and(|(_, item)| item.to == entity.name);
            schema::ACTIONS.iter().filter(is_of).find(|action| action.role == Role::Action(moved.verb))
        });
        let Some((moved, action)) = moved.zip(action) else { return Body::new() };
        let set = moved.sets.iter().filter_map(|(field, target)| match target {
            RecordRef::Known(id) => Some((action.fields[*field].sets?.to_owned(), Json::from(*id))),
            RecordRef::Planned(_) => None,
        });
        set.collect()
    }

    pub(super) fn add(&mut self, item: MovedItem, moved: ItemMove) {
        self.0.insert(item, moved);
    }
}
