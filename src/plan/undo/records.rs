//! Undoes the creates, updates and deletes of records.

use std::collections::HashMap;

use jiff::SignedDuration;
use serde_json::Value as Json;

use super::compare::{WriteMethod, as_sent, is_empty, restored_pairs};
use super::history::{RecordKey, timestamp};
use super::holders::{collection_of, holders_in};
use super::{ALREADY_GONE, SkipReason, UndoDecision, UndoOrder, UndoPlanner};
use crate::api::{Body, Record};
use crate::plan::StepOutcome;
use crate::plan::{Step, WriteKind};
use crate::schema::{COLLECTIONS, CREATED_AT, Entity, Field, Kind, Meaning, UPDATED_AT, Wire};

/// A change this soon after creation is part of the creation.
const CREATION_WINDOW: SignedDuration = SignedDuration::from_secs(5);

impl UndoPlanner<'_> {
    pub(super) fn undo_create(&mut self, step: &Step, outcome: &StepOutcome) {
        let (entity, order) = (step.entity, UndoOrder::delete(step.entity));
        let Some(id) = outcome.record.map(|id| self.history.recreated.current_id(entity.name, id)) else {
            self.push(step, 0, order, UndoDecision::Skip(SkipReason::NoId));
            return;
        };
        let Some(record) = self.current.record((entity.name, id)) else {
            self.push(step, id, order, UndoDecision::NothingToDo(String::from(ALREADY_GONE)));
            return;
        };
        let is_with_others = || self.is_with_others(step, id, record).then_some(SkipReason::MovedSince);
        let after = outcome.after.clone().map(|mut after| {
            self.history.recreated.update_references(entity, None, &mut after);
            after
        });
        let decision = match self.changed_since(step, id, after.as_ref(), record).or_else(is_with_others) {
            Some(reason) => {
                self.changed.insert((entity.name, id));
                UndoDecision::Skip(reason)
            }
            None => UndoDecision::undo(WriteKind::Delete(id), Body::new()),
        };
        let position = self.push(step, id, order, decision);
        if let UndoDecision::Undo(write_back) = &mut self.items[position].decision {
            write_back.before = Some(record.clone());
            self.deletions.insert((entity.name, id), position);
        }
    }

    /// What somebody else has changed of a record that the run created: a field that this step or a later one sent,
    /// or one that the service filled in.
    fn changed_since(&self, step: &Step, id: i64, after: Option<&Body>, record: &Record) -> Option<SkipReason> {
        let (entity, key) = (step.entity, (step.entity.name, id));
        let written = self.history.written(key);
        let last = |name: &String| written.and_then(|written| written.get(name));
        let sent = step
            .body
            .iter()
            .chain(after.into_iter().flatten())
            .map(|(name, value)| (name, last(name).unwrap_or(value)));
        let later = written.into_iter().flatten().filter(|(name, _)| !step.body.contains_key(*name));
        let mut changed: Vec<&'static str> = sent
            .chain(later)
            .filter_map(|(name, value)| Some((entity.field(name)?, value)))
            .filter(|(field, value)| !self.current.holds(entity, field, value, record))
            .map(|(field, _)| field.name)
            .collect();
        changed.sort_by_key(|name| entity.field_index(name));
        changed.dedup();
        if !changed.is_empty() {
            return Some(SkipReason::Changed(changed));
        }
        let tells_all = after.is_some() || self.history.is_touched(key);
        (!tells_all && was_touched(record)).then_some(SkipReason::ChangedSomehow)
    }

    pub(super) fn undo_update(&mut self, step: &Step, id: i64) {
        let (entity, order) = (step.entity, UndoOrder::restore(step.entity));
        let key = (entity.name, id);
        if self.history.is_created(key) {
            self.push(
                step,
                id,
                order,
                UndoDecision::NothingToDo(format!("removed together with the {}", entity.singular)),
            );
            return;
        }
        let Some(record) = self.current.record(key) else {
            let decision = match self.history.is_deleted(key) {
                true => UndoDecision::NothingToDo(String::from("will be created again as it was before the run")),
                false => UndoDecision::NothingToDo(String::from("the record no longer exists")),
            };
            self.push(step, id, order, decision);
            return;
        };
        let Some(before) = &step.before else {
            self.push(step, id, order, UndoDecision::Skip(SkipReason::NoBeforeImage));
            return;
        };
        let wrote: Vec<(&String, &Json)> = step.body.iter().collect();
        let RestorableFields { body, changed, required, untold } =
            self.restorable_fields(entity, key, &wrote, before, record);
        if body.is_empty() && changed.is_empty() && required.is_empty() && untold.is_empty() {
            self.push(step, id, order, UndoDecision::NothingToDo(String::from("already as it was before")));
            return;
        }
        if !body.is_empty() {
            let decision = self.update(id, body, record);
            self.push(step, id, order, decision);
        }
        // A separate row for each reason, so that the counts include what is skipped.
        let skipped: [(_, fn(_) -> SkipReason); 3] =
            [(changed, SkipReason::Changed), (required, SkipReason::Required), (untold, SkipReason::NotReported)];
        for (fields, reason) in skipped.into_iter().filter(|(fields, _)| !fields.is_empty()) {
            self.push(step, id, order, UndoDecision::Skip(reason(fields)));
        }
    }

    /// The values that restore fields to what they were, as far as they still have the values the run wrote.
    pub(super) fn restorable_fields(
        &self,
        entity: &'static Entity,
        key: RecordKey,
        wrote: &[(&String, &Json)],
        before: &Body,
        record: &Record,
    ) -> RestorableFields {
        let mut restorable = RestorableFields::default();
        for (name, value) in wrote {
            let Some(field) = entity.field(name).filter(|field| field.update) else { continue };
            if !field.read || !self.current.carries(entity, field.name) {
                restorable.untold.push(field.name);
                continue;
            }
            let last = self.history.written(key).and_then(|written| written.get(*name)).unwrap_or(value);
            let was = self.history.before(key, name).or_else(|| before.get(*name)).unwrap_or(&Json::Null);
            let holds = |value: &Json| self.current.holds(entity, field, value, record);
            match (holds(last), field.is_required() && is_empty(was)) {
                _ if holds(was) => {}
                (false, _) => restorable.changed.push(field.name),
                (true, true) => restorable.required.push(field.name),
                (true, false) => {
                    let restored = match field.kind {
                        Kind::CustomFields => restored_pairs(was, record.get(field.name)),
                        _ => as_sent(field, was, WriteMethod::Update, self.current),
                    };
                    restorable.body.insert((*name).clone(), restored);
                }
            }
        }
        restorable
    }

    /// An update, with the current values.
    pub(super) fn update(&self, id: i64, body: Body, record: &Record) -> UndoDecision {
        let now = |name: &String| (name.clone(), record.get(name).cloned().unwrap_or(Json::Null));
        let before = body.keys().map(now).collect();
        let mut decision = UndoDecision::undo(WriteKind::Update(id), body);
        if let UndoDecision::Undo(write_back) = &mut decision {
            write_back.before = Some(before);
        }
        decision
    }

    pub(super) fn undo_delete(&mut self, step: &Step, id: i64) {
        let (entity, order) = (step.entity, UndoOrder::recreate(step.entity));
        let decision = match &step.before {
            _ if self.current.record((entity.name, id)).is_some() => {
                UndoDecision::NothingToDo(String::from("the record exists again"))
            }
            None => UndoDecision::Skip(SkipReason::NoBeforeImage),
            Some(before) => self.recreate(entity, id, before),
        };
        if !matches!(decision, UndoDecision::Undo(_)) {
            self.push(step, id, order, decision);
            return;
        }
        let latest = self.history.recreated.current_id(entity.name, id);
        let position = self.push(step, latest, order, decision);
        self.recreations.insert((entity.name, latest), position);
    }

    fn recreate(&self, entity: &'static Entity, id: i64, before: &Body) -> UndoDecision {
        match self.find_recreated(entity, id, before) {
            Some(Recreated::Same(other)) => {
                return UndoDecision::NothingToDo(format!("already created again, as #{other}"));
            }
            Some(Recreated::Other(other)) => return UndoDecision::Skip(SkipReason::KeyTaken(other)),
            None => {}
        }
        let sent = |field: &'static Field| {
            let value = as_sent(field, before.get(field.name)?, WriteMethod::Create, self.current);
            Some((field.name.to_owned(), value)).filter(|(_, value)| !value.is_null())
        };
        let body: Body = entity.created_fields().filter_map(sent).collect();
        let lacking = entity.created_fields().filter(|field| field.is_required() && !body.contains_key(field.name));
        let lacking: Vec<&'static str> = lacking.map(|field| field.name).collect();
        if !lacking.is_empty() {
            return UndoDecision::Skip(SkipReason::Required(lacking));
        }
        let mut decision = UndoDecision::undo(WriteKind::Create, body);
        if let UndoDecision::Undo(write_back) = &mut decision {
            let latest = self.history.recreated.current_id(entity.name, id);
            write_back.note = format!("previously #{latest}; history and references stay with the old id");
        }
        decision
    }

    /// The record that an earlier undo made of a deleted one, or one with its natural key that came after the run began.
    fn find_recreated(&self, entity: &'static Entity, id: i64, before: &Body) -> Option<Recreated> {
        let now = self.history.recreated.current_id(entity.name, id);
        if now != id && self.current.record((entity.name, now)).is_some() {
            return Some(Recreated::Same(now));
        }
        let holds = |record: &Record, field: &Field| {
            let was = before.get(field.name).unwrap_or(&Json::Null);
            self.current.holds(entity, field, was, record)
        };
        let key: Vec<&Field> = entity.key.iter().filter_map(|name| entity.field(name)).collect();
        let has_key =
            |record: &Record| key.iter().all(|field| self.current.carries(entity, field.name) && holds(record, field));
        // What was there before beside the deleted record is another one, although they share a key.
        let later = self.current.of(entity.name).filter(|(_, record)| self.history.is_later(record) && has_key(record));
        let found = later.map(|(id, record)| {
            let mut fields = entity.created_fields();
            match fields.all(|field| before.get(field.name).is_none_or(is_empty) || holds(record, field)) {
                true => Recreated::Same(id),
                false => Recreated::Other(id),
            }
        });
        found.min()
    }

    /// Keeps records that something that stays refers to: what others made of a created product keeps the product,
    /// and with it the product's category.
    pub(super) fn retain_referenced(&mut self) {
        let mut needed: HashMap<RecordKey, String> = self.needed_by_assignments();
        for entity in COLLECTIONS.iter().copied().rev() {
            self.skip_needed(entity, &needed);
            self.release_consumed(entity, &mut needed);
            let stays = |id: i64| !self.deletions.contains_key(&(entity.name, id));
            let restored = self.restored(entity);
            for (id, record) in self.current.of(entity.name).filter(|(id, _)| stays(*id)) {
                let by = || format!("{} {}", entity.singular, self.current.title(entity, id, record));
                let held = |name: &str| restored.get(&id).and_then(|body| body.get(name)).or_else(|| record.get(name));
                for field in entity.fields.iter().filter(|field| field.read) {
                    let (Some(reference), Some(value)) = (field.reference_to(), held(field.name)) else { continue };
                    if let Some(to) = self.current.id_of(reference, value) {
                        needed.entry((reference.to, to)).or_insert_with(by);
                    }
                }
                for holder in self.holders_of(entity, id, record) {
                    needed.entry(holder).or_insert_with(by);
                }
            }
        }
    }

    fn skip_needed(&mut self, entity: &'static Entity, needed: &HashMap<RecordKey, String>) {
        let kept: Vec<(RecordKey, usize)> = self
            .deletions
            .iter()
            .filter(|(key, _)| key.0 == entity.name && needed.contains_key(*key))
            .map(|(key, position)| (*key, *position))
            .collect();
        for (key, position) in kept {
            self.deletions.remove(&key);
            let by = needed.get(&key).cloned().unwrap_or_default();
            self.items[position].decision = UndoDecision::Skip(SkipReason::StillReferenced(by));
        }
    }

    /// The values the undo writes into records of a collection.
    fn restored(&self, entity: &'static Entity) -> HashMap<i64, Body> {
        let mut restored: HashMap<i64, Body> = HashMap::new();
        for item in self.items.iter().filter(|item| item.entity.name == entity.name) {
            if let (Some(id), UndoDecision::Undo(write_back)) = (item.record, &item.decision)
                && matches!(write_back.write, WriteKind::Update(_))
            {
                restored.entry(id).or_default().extend(write_back.body.clone());
            }
        }
        restored
    }

    /// Who holds an individually tracked item after the undo, as the record itself shows.
    fn holders_of(&self, entity: &'static Entity, id: i64, record: &Record) -> Vec<RecordKey> {
        if entity.meaning(Meaning::Holders).is_none() || self.is_checked_in((entity.name, id)) {
            return Vec::new();
        }
        let holders = holders_in(record).into_iter();
        holders.filter_map(|((name, id), _)| Some((collection_of(name)?, id))).collect()
    }

    /// References to recreated records get the new id, so they are written afterwards.
    pub(super) fn link_recreated(&mut self) {
        if self.recreations.is_empty() {
            return;
        }
        let tags: HashMap<RecordKey, Json> =
            self.recreations.iter().filter_map(|(key, at)| Some((*key, self.tag_of(*at)?))).collect();
        for item in &mut self.items {
            let UndoDecision::Undo(write_back) = &mut item.decision else { continue };
            for field in item.entity.fields {
                let (Some(reference), Some(Json::Number(id))) = (field.reference_to(), write_back.body.get(field.name))
                else {
                    continue;
                };
                let Some(collection) = crate::schema::collection(reference.to) else { continue };
                let key = (collection.name, id.as_i64().unwrap_or_default());
                let Some(position) = self.recreations.get(&key) else { continue };
                let awaited = match (reference.wire, tags.get(&key)) {
                    (Wire::Tag, Some(tag)) => {
                        write_back.body.insert(field.name.to_owned(), tag.clone());
                        None
                    }
                    _ => {
                        write_back.body.remove(field.name);
                        Some(field.name.to_owned())
                    }
                };
                write_back.depends_on.push((*position, awaited));
                item.order = item.order.last();
            }
        }
    }

    /// The tag of a record that is created again.
    fn tag_of(&self, position: usize) -> Option<Json> {
        let item = &self.items[position];
        let UndoDecision::Undo(write_back) = &item.decision else { return None };
        write_back.body.get(*item.entity.key.first()?).cloned()
    }
}

/// A record that was created since with the natural key of a deleted one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Recreated {
    /// It is the deleted one again.
    Same(i64),
    /// It lacks values of the deleted one, so somebody else made it.
    Other(i64),
}

/// Which fields of a record can be restored.
#[derive(Debug, Default)]
pub(super) struct RestorableFields {
    pub(super) body: Body,
    pub(super) changed: Vec<&'static str>,
    pub(super) required: Vec<&'static str>,
    pub(super) untold: Vec<&'static str>,
}

/// Whether a record's timestamps show a change after its creation.
fn was_touched(record: &Record) -> bool {
    match (timestamp(record, CREATED_AT), timestamp(record, UPDATED_AT)) {
        (Some(created), Some(updated)) => updated.duration_since(created) > CREATION_WINDOW,
        _ => false,
    }
}
