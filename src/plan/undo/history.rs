//! What a run did, collected from its journal in one pass.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::recreated::RecreatedRecords;
use crate::api::{Body, Record, integer, plain_text, record_id};
use crate::plan::{RowId, Step, WriteKind};
use crate::plan::{StepOutcome, StepResult};
use crate::schema::{self, COLLECTIONS, CREATED_AT, Entity, Field, Meaning, Reference, Wire};

/// A record's collection and system id.
pub(crate) type RecordKey = (&'static str, i64);

/// What a run did, as far as undo needs it: not every row, but the records that several rows may have written to.
#[derive(Debug, Default)]
pub(crate) struct RunHistory {
    /// When the run began.
    began: Timestamp,
    pub(super) recreated: RecreatedRecords,
    /// The record that each step created, by the id it had then.
    made: Vec<Option<i64>>,
    created: HashSet<RecordKey>,
    deleted: HashSet<RecordKey>,
    /// Fields that updates and actions wrote; the last write wins.
    written: HashMap<RecordKey, Body>,
    /// What fields that updates wrote held before the run; the first write counts.
    before: HashMap<RecordKey, Body>,
    /// Records that updates and actions wrote to.
    touched: HashSet<RecordKey>,
    /// Tags of assets that the run created.
    tags: HashMap<String, i64>,
    pub(super) assignments: Vec<Assignment>,
    fetch: FetchPlan,
}

/// A check-out or check-in that was applied, with its body as sent.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) row: RowId,
    pub(super) action: &'static Entity,
    pub(super) body: Body,
    pub(super) before: Option<Body>,
}

/// The records and log entries to fetch before anything is decided.
#[derive(Debug, Default, Clone)]
pub(crate) struct FetchPlan {
    pub ids: BTreeMap<&'static str, HashSet<i64>>,
    /// Assets known only by their tag.
    pub tags: HashSet<String>,
    /// Collections of which every record changed since the run began is needed: others may refer to what will be
    /// deleted, or have recreated what was deleted.
    pub recent: BTreeSet<&'static str>,
    /// Collections whose items the run checked in or out and whose records do not say who holds them.
    pub logs: BTreeMap<&'static str, LogHolders>,
}

/// Holders involved in the assignments of a collection.
#[derive(Debug, Default, Clone)]
pub(crate) struct LogHolders {
    /// Employees: the log can be filtered by them (guide: `employee_id`).
    pub people: BTreeSet<i64>,
    /// Number of assignments that name no employee.
    pub others: u64,
}

impl RunHistory {
    pub(crate) fn new(began: Timestamp, recreated: RecreatedRecords) -> Self {
        Self { began, recreated, ..Self::default() }
    }

    /// Adds a completed step. Steps come in plan order.
    pub(crate) fn record_step(&mut self, step: &mut Step, outcome: &StepOutcome) {
        self.complete(step);
        if outcome.result != StepResult::Applied {
            return;
        }
        let entity = step.entity;
        match step.write {
            WriteKind::Create if entity.is_action() => self.record_assignment(step),
            WriteKind::Create => self.record_create(step, outcome.record),
            WriteKind::Update(id) => {
                self.fetch_record(entity, id);
                self.fetch_tags(entity, &step.body);
                self.fetch_tagged(entity, step.before.as_ref());
                self.touched.insert((entity.name, id));
                let written = self.written.entry((entity.name, id)).or_default();
                written.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
                let before = self.before.entry((entity.name, id)).or_default();
                for (name, value) in step.before.iter().flatten() {
                    before.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            WriteKind::Delete(id) => {
                self.fetch_record(entity, id);
                self.fetch_tagged(entity, step.before.as_ref());
                self.fetch.recent.insert(entity.name);
                self.deleted.extend([id, self.recreated.current_id(entity.name, id)].map(|id| (entity.name, id)));
            }
        }
    }

    /// Fills in the ids that earlier steps created, and the current ids of what undos created again.
    pub(crate) fn complete(&self, step: &mut Step) {
        for awaited in &step.depends_on {
            let made = self.made.get(awaited.step as usize).copied().flatten();
            if let (Some(id), Some(field)) = (made, &awaited.field) {
                step.body.insert(field.clone(), Json::from(id));
            }
        }
        self.recreated.update_ids(step);
    }

    pub(crate) fn fetch_plan(&self) -> &FetchPlan {
        &self.fetch
    }

    fn record_create(&mut self, step: &Step, record: Option<i64>) {
        let (number, entity) = (step.number as usize, step.entity);
        if self.made.len() <= number {
            self.made.resize(number + 1, None);
        }
        self.made[number] = record;
        let Some(id) = record.map(|id| self.recreated.current_id(entity.name, id)) else { return };
        self.fetch_record(entity, id);
        self.fetch_tags(entity, &step.body);
        if self.created.insert((entity.name, id)) {
            let refers = |other: &&&Entity| other.fields.iter().any(|field| refers_to(field, entity.name));
            self.fetch.recent.extend(COLLECTIONS.iter().filter(refers).map(|other| other.name));
        }
        if entity.is_tagged()
            && let Some(tag) = entity.key.first().and_then(|key| step.body.get(*key)?.as_str())
        {
            self.fetch.tags.remove(tag);
            self.tags.insert(tag.to_owned(), id);
        }
    }

    fn record_assignment(&mut self, step: &Step) {
        let Some((field, reference)) = step.entity.item() else { return };
        let Some(item) = schema::collection(reference.to) else { return };
        let moved =
            Assignment { row: step.row, action: step.entity, body: step.body.clone(), before: step.before.clone() };
        // The before image has the item's system id, whatever the body identifies it by.
        let known = step.before.as_ref().and_then(record_id);
        match known.or_else(|| self.id_of(reference, step.body.get(field.name)?)) {
            Some(id) => {
                self.fetch_record(item, id);
                self.touched.insert((item.name, id));
                let set = step.entity.fields.iter().filter_map(|field| Some((field.sets?, step.body.get(field.name)?)));
                let written = self.written.entry((item.name, id)).or_default();
                written.extend(set.map(|(name, value)| (name.to_owned(), value.clone())));
            }
            None => self.fetch_tags(step.entity, &step.body),
        }
        for field in step.entity.holders() {
            let Some(reference) = field.reference_to() else { continue };
            match step.body.get(field.name).and_then(|value| self.id_of(reference, value)) {
                Some(id) => drop(self.fetch.ids.entry(reference.to).or_default().insert(id)),
                None => self.fetch_tags(step.entity, &step.body),
            }
        }
        if item.meaning(Meaning::Holders).is_none() && step.entity.opposite().is_some() {
            let holders = self.fetch.logs.entry(item.name).or_default();
            let person = schema::person_parameter().and_then(|name| integer(step.body.get(name)?));
            match person.zip(schema::people()) {
                // Entries have the ids that people had then.
                Some((person, people)) => holders.people.extend(self.recreated.ids_of(people.name, person)),
                None => holders.others += 1,
            }
        }
        self.assignments.push(moved);
    }

    /// The system id that a reference stands for, as far as the run itself shows.
    pub(super) fn id_of(&self, reference: Reference, value: &Json) -> Option<i64> {
        match reference.wire {
            Wire::Id => integer(value),
            Wire::Tag => self.tags.get(value.as_str()?.trim()).copied(),
        }
    }

    /// Whether a record was not there yet when the run began, as far as it says.
    pub(super) fn is_later(&self, record: &Record) -> bool {
        timestamp(record, CREATED_AT).is_none_or(|created| created >= self.began)
    }

    pub(super) fn is_touched(&self, key: RecordKey) -> bool {
        self.touched.contains(&key)
    }

    pub(super) fn is_deleted(&self, key: RecordKey) -> bool {
        self.deleted.contains(&key)
    }

    pub(super) fn is_created(&self, key: RecordKey) -> bool {
        self.created.contains(&key)
    }

    /// What a field of a record held before the run wrote to it, if an update did.
    pub(super) fn before(&self, key: RecordKey, name: &str) -> Option<&Json> {
        self.before.get(&key)?.get(name)
    }

    /// The last values that updates and actions wrote.
    pub(super) fn written(&self, key: RecordKey) -> Option<&Body> {
        self.written.get(&key)
    }

    fn fetch_record(&mut self, entity: &'static Entity, id: i64) {
        self.fetch.ids.entry(entity.name).or_default().insert(id);
    }

    /// Fetches assets that a body names by tag.
    fn fetch_tags(&mut self, entity: &'static Entity, body: &Body) {
        let by_tag = entity.fields.iter().filter(|field| is_by_tag(field));
        // A number in a before image may be a tag of digits.
        for value in by_tag.filter_map(|field| body.get(field.name)) {
            let tag = plain_text(value).trim().to_owned();
            if !tag.is_empty() && !self.tags.contains_key(&tag) {
                self.fetch.tags.insert(tag);
            }
        }
    }

    /// Fetches assets that a before image names by system id and a body must name by tag.
    fn fetch_tagged(&mut self, entity: &'static Entity, before: Option<&Body>) {
        let Some(before) = before else { return };
        self.fetch_tags(entity, before);
        for field in entity.fields.iter().filter(|field| is_by_tag(field)) {
            let id = before.get(field.name).and_then(Json::as_i64);
            if let (Some(id), Some(reference)) = (id, field.reference_to()) {
                self.fetch.ids.entry(reference.to).or_default().insert(id);
            }
        }
    }
}

/// A timestamp of a record.
pub(super) fn timestamp(record: &Record, name: &str) -> Option<Timestamp> {
    record.get(name)?.as_str()?.parse().ok()
}

fn refers_to(field: &Field, collection: &str) -> bool {
    field.read && field.reference_to().is_some_and(|reference| reference.to == collection)
}

fn is_by_tag(field: &Field) -> bool {
    field.is_written() && field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag)
}
