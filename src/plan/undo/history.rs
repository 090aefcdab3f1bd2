//! What a run did, gathered from its journal in one pass.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value as Json;

use super::compare::integer;
use crate::api::{Body, record_id};
use crate::plan::{RowId, Step, WriteKind};
use crate::plan::{StepOutcome, StepResult};
use crate::schema::{self, COLLECTIONS, Entity, Field, Reference, Wire};

/// A record: its collection and its system id.
pub type Key = (&'static str, i64);

/// What a run did, as far as taking it back needs it: not the rows, which are many, but what they did to records that
/// several rows are about.
#[derive(Debug, Default)]
pub struct History {
    /// The record that each step made.
    made: Vec<Option<i64>>,
    created: HashSet<Key>,
    deleted: HashSet<Key>,
    /// What updates and actions wrote into a record, the last write winning.
    written: HashMap<Key, Body>,
    /// Records that updates and actions were about.
    touched: HashSet<Key>,
    /// The tags of assets that the run made.
    tags: HashMap<String, i64>,
    pub(super) moves: Vec<Move>,
    wants: Wants,
}

/// An action that was done; its body as it was sent.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) row: RowId,
    pub(super) action: &'static Entity,
    pub(super) body: Body,
    pub(super) before: Option<Body>,
}

/// What has to be known of the account before anything is decided.
#[derive(Debug, Default, Clone)]
pub struct Wants {
    pub ids: BTreeMap<&'static str, HashSet<i64>>,
    /// Assets that are known by their tag alone.
    pub tags: HashSet<String>,
    /// Collections of which every record touched since the run began is wanted: others may refer to what goes, or have
    /// made again what was deleted.
    pub recent: BTreeSet<&'static str>,
    /// Collections whose things the run checked in or out and whose records do not say who holds them.
    pub logs: BTreeMap<&'static str, Holders>,
}

/// Between whom and the things of a collection the run moved.
#[derive(Debug, Default, Clone)]
pub struct Holders {
    /// Employees: the log can be asked for theirs (guide: `employee_id`).
    pub people: BTreeSet<i64>,
    /// How many moves name no employee.
    pub others: u64,
}

impl History {
    /// Takes in a step that has ended. Steps come in the order of the plan.
    pub fn note(&mut self, step: &mut Step, outcome: &StepOutcome) {
        self.fill(step);
        if outcome.result != StepResult::Applied {
            return;
        }
        let entity = step.entity;
        match step.write {
            WriteKind::Create if entity.is_action() => self.note_move(step),
            WriteKind::Create => self.note_create(step, outcome.record),
            WriteKind::Update(id) => {
                self.want(entity, id);
                self.want_tags(entity, &step.body);
                self.want_assets(entity, step.before.as_ref());
                self.touched.insert((entity.name, id));
                let written = self.written.entry((entity.name, id)).or_default();
                written.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            WriteKind::Delete(id) => {
                self.want(entity, id);
                self.want_assets(entity, step.before.as_ref());
                self.wants.recent.insert(entity.name);
                self.deleted.insert((entity.name, id));
            }
        }
    }

    /// Puts the ids that earlier steps gave into a body.
    pub fn fill(&self, step: &mut Step) {
        for awaited in &step.awaits {
            let made = self.made.get(awaited.step as usize).copied().flatten();
            if let (Some(id), Some(field)) = (made, &awaited.field) {
                step.body.insert(field.clone(), Json::from(id));
            }
        }
    }

    pub fn wants(&self) -> &Wants {
        &self.wants
    }

    fn note_create(&mut self, step: &Step, record: Option<i64>) {
        let (number, entity) = (step.number as usize, step.entity);
        if self.made.len() <= number {
            self.made.resize(number + 1, None);
        }
        self.made[number] = record;
        let Some(id) = record else { return };
        self.want(entity, id);
        self.want_tags(entity, &step.body);
        if self.created.insert((entity.name, id)) {
            let refers = |other: &&&Entity| other.fields.iter().any(|field| refers_to(field, entity.name));
            self.wants.recent.extend(COLLECTIONS.iter().filter(refers).map(|other| other.name));
        }
        if is_tagged(entity)
            && let Some(tag) = entity.key.first().and_then(|key| step.body.get(*key)?.as_str())
        {
            self.wants.tags.remove(tag);
            self.tags.insert(tag.to_owned(), id);
        }
    }

    fn note_move(&mut self, step: &Step) {
        let Some((field, reference)) = step.entity.item() else { return };
        let Some(item) = schema::collection(reference.to) else { return };
        let moved = Move { row: step.row, action: step.entity, body: step.body.clone(), before: step.before.clone() };
        // The before-image names the item by its system id, whatever the body names it by.
        let known = step.before.as_ref().and_then(record_id);
        match known.or_else(|| self.id_of(reference, step.body.get(field.name)?)) {
            Some(id) => {
                self.want(item, id);
                self.touched.insert((item.name, id));
                let set = step.entity.fields.iter().filter_map(|field| Some((field.sets?, step.body.get(field.name)?)));
                let written = self.written.entry((item.name, id)).or_default();
                written.extend(set.map(|(name, value)| (name.to_owned(), value.clone())));
            }
            None => self.want_tags(step.entity, &step.body),
        }
        for field in step.entity.holders() {
            let Some(reference) = field.reference_to() else { continue };
            match step.body.get(field.name).and_then(|value| self.id_of(reference, value)) {
                Some(id) => drop(self.wants.ids.entry(reference.to).or_default().insert(id)),
                None => self.want_tags(step.entity, &step.body),
            }
        }
        if item.field(DEPLOYED_TO).is_none() && step.entity.opposite().is_some() {
            let holders = self.wants.logs.entry(item.name).or_default();
            match step.body.get(PERSON).and_then(integer) {
                Some(person) => drop(holders.people.insert(person)),
                None => holders.others += 1,
            }
        }
        self.moves.push(moved);
    }

    /// The system id that a reference of a body stands for, as far as the run itself tells.
    pub(super) fn id_of(&self, reference: Reference, value: &Json) -> Option<i64> {
        match reference.wire {
            Wire::Id => integer(value),
            Wire::Tag => self.tags.get(value.as_str()?.trim()).copied(),
        }
    }

    pub(super) fn is_touched(&self, key: Key) -> bool {
        self.touched.contains(&key)
    }

    pub(super) fn is_deleted(&self, key: Key) -> bool {
        self.deleted.contains(&key)
    }

    pub(super) fn is_created(&self, key: Key) -> bool {
        self.created.contains(&key)
    }

    /// What updates and actions wrote last.
    pub(super) fn written(&self, key: Key) -> Option<&Body> {
        self.written.get(&key)
    }

    fn want(&mut self, entity: &'static Entity, id: i64) {
        self.wants.ids.entry(entity.name).or_default().insert(id);
    }

    /// Assets that a body names by tag.
    fn want_tags(&mut self, entity: &'static Entity, body: &Body) {
        let by_tag = entity.fields.iter().filter(|field| is_by_tag(field));
        let tags: Vec<&str> = by_tag.filter_map(|field| Some(body.get(field.name)?.as_str()?.trim())).collect();
        for tag in tags {
            if !self.tags.contains_key(tag) {
                self.wants.tags.insert(tag.to_owned());
            }
        }
    }

    /// Assets that a before-image names by system id, and that a body must name by tag.
    fn want_assets(&mut self, entity: &'static Entity, before: Option<&Body>) {
        let Some(before) = before else { return };
        self.want_tags(entity, before);
        for field in entity.fields.iter().filter(|field| is_by_tag(field)) {
            let id = before.get(field.name).and_then(Json::as_i64);
            if let (Some(id), Some(reference)) = (id, field.reference_to()) {
                self.wants.ids.entry(reference.to).or_default().insert(id);
            }
        }
    }
}

/// The holder that the log can be filtered by.
pub(crate) const PERSON: &str = "employee_id";

/// Where records of single things say who holds them (field notes: "`deployed_to`").
pub(super) const DEPLOYED_TO: &str = "deployed_to";

fn refers_to(field: &Field, collection: &str) -> bool {
    field.read && field.reference_to().is_some_and(|reference| reference.to == collection)
}

fn is_by_tag(field: &Field) -> bool {
    field.is_written() && field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag)
}

/// Whether records of the collection are referred to by a tag of their own.
pub(super) fn is_tagged(entity: &Entity) -> bool {
    let every = schema::importable().flat_map(|other| other.fields).filter_map(Field::reference_to);
    every.into_iter().any(|reference| reference.wire == Wire::Tag && reference.to == entity.name)
}
