//! Records that the run created, changed or deleted.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::compare::{Call, as_sent, is_empty};
use super::history::{DEPLOYED_TO, Key};
use super::{Fate, GONE, Obstacle, Place, Undo};
use crate::api::{Body, Record};
use crate::plan::StepOutcome;
use crate::plan::{Step, WriteKind};
use crate::schema::{COLLECTIONS, Entity, HOLDERS, Wire};

/// A record that was changed so soon after it was made was changed in the making.
const MAKING: SignedDuration = SignedDuration::from_secs(5);

impl Undo<'_> {
    pub(super) fn created(&mut self, step: &Step, outcome: &StepOutcome) {
        let (entity, place) = (step.entity, Place::delete(step.entity));
        let Some(id) = outcome.record else {
            self.push(step, 0, place, Fate::Left(Obstacle::NoId));
            return;
        };
        let Some(record) = self.present.record((entity.name, id)) else {
            self.push(step, id, place, Fate::Nothing(String::from(GONE)));
            return;
        };
        let fate = match self.changed_since(step, id, outcome.after.as_ref(), record) {
            Some(obstacle) => {
                self.changed.insert((entity.name, id));
                Fate::Left(obstacle)
            }
            None => Fate::undo(WriteKind::Delete(id), Body::new()),
        };
        let position = self.push(step, id, place, fate);
        if let Fate::Undo(undoing) = &mut self.deeds[position].fate {
            undoing.before = Some(record.clone());
            self.deletions.insert((entity.name, id), position);
        }
    }

    /// What somebody else has changed of a record that the run created: a field that was sent, by this step or a later
    /// one, or one that the service filled in.
    fn changed_since(&self, step: &Step, id: i64, after: Option<&Body>, record: &Record) -> Option<Obstacle> {
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
            .filter(|(field, value)| !self.present.holds(entity, field, value, record))
            .map(|(field, _)| field.name)
            .collect();
        changed.sort_by_key(|name| entity.field_index(name));
        changed.dedup();
        if !changed.is_empty() {
            return Some(Obstacle::Changed(changed));
        }
        let tells_all = after.is_some() || self.history.is_touched(key);
        (!tells_all && was_touched(record)).then_some(Obstacle::Touched)
    }

    pub(super) fn updated(&mut self, step: &Step, id: i64) {
        let (entity, place) = (step.entity, Place::restore(step.entity));
        let key = (entity.name, id);
        if self.history.is_created(key) {
            self.push(step, id, place, Fate::Nothing(format!("it goes with the {} itself", entity.singular)));
            return;
        }
        let Some(record) = self.present.record(key) else {
            let fate = match self.history.is_deleted(key) {
                true => Fate::Nothing(String::from("it is created again as it was before the run")),
                false => Fate::Nothing(String::from("it is gone")),
            };
            self.push(step, id, place, fate);
            return;
        };
        let Some(before) = &step.before else {
            self.push(step, id, place, Fate::Left(Obstacle::NoBefore));
            return;
        };
        let wrote: Vec<(&String, &Json)> = step.body.iter().collect();
        let Restoring { body, changed, required, untold } = self.restoring(entity, key, &wrote, before, record);
        if body.is_empty() && changed.is_empty() && required.is_empty() && untold.is_empty() {
            self.push(step, id, place, Fate::Nothing(String::from("it is as it was already")));
            return;
        }
        if !body.is_empty() {
            let fate = self.update(id, body, record);
            self.push(step, id, place, fate);
        }
        // A row of its own, so that the counts tell what is left.
        if !changed.is_empty() {
            self.push(step, id, place, Fate::Left(Obstacle::Changed(changed)));
        }
        if !required.is_empty() {
            self.push(step, id, place, Fate::Left(Obstacle::Required(required)));
        }
        if !untold.is_empty() {
            self.push(step, id, place, Fate::Left(Obstacle::Untold(untold)));
        }
    }

    /// What to send so that fields hold again what they held before, as far as they still hold what the run wrote.
    pub(super) fn restoring(
        &self,
        entity: &'static Entity,
        key: Key,
        wrote: &[(&String, &Json)],
        before: &Body,
        record: &Record,
    ) -> Restoring {
        let mut restoring = Restoring::default();
        for (name, value) in wrote {
            let Some(field) = entity.field(name).filter(|field| field.update) else { continue };
            if !field.read || !self.present.carries(entity, field.name) {
                restoring.untold.push(field.name);
                continue;
            }
            let last = self.history.written(key).and_then(|written| written.get(*name)).unwrap_or(value);
            let was = before.get(*name).unwrap_or(&Json::Null);
            let holds = |value: &Json| self.present.holds(entity, field, value, record);
            match (holds(last), field.is_required() && is_empty(was)) {
                _ if holds(was) => {}
                (false, _) => restoring.changed.push(field.name),
                (true, true) => restoring.required.push(field.name),
                (true, false) => {
                    restoring.body.insert((*name).clone(), as_sent(field, was, Call::Update, self.present));
                }
            }
        }
        restoring
    }

    /// An update, with what stands there now.
    pub(super) fn update(&self, id: i64, body: Body, record: &Record) -> Fate {
        let now = |name: &String| (name.clone(), record.get(name).cloned().unwrap_or(Json::Null));
        let before = body.keys().map(now).collect();
        let mut fate = Fate::undo(WriteKind::Update(id), body);
        if let Fate::Undo(undoing) = &mut fate {
            undoing.before = Some(before);
        }
        fate
    }

    pub(super) fn deleted(&mut self, step: &Step, id: i64) {
        let (entity, place) = (step.entity, Place::create_again(step.entity));
        let fate = match &step.before {
            _ if self.present.record((entity.name, id)).is_some() => Fate::Nothing(String::from("it is there again")),
            None => Fate::Left(Obstacle::NoBefore),
            Some(before) => self.creation(entity, id, before),
        };
        let creates = matches!(fate, Fate::Undo(_));
        let position = self.push(step, id, place, fate);
        if creates {
            self.recreations.insert((entity.name, id), position);
        }
    }

    fn creation(&self, entity: &'static Entity, id: i64, before: &Body) -> Fate {
        if let Some(other) = self.same_again(entity, before) {
            return Fate::Nothing(format!("it was created again already, as #{other}"));
        }
        let sent = |field: &'static crate::schema::Field| {
            let value = as_sent(field, before.get(field.name)?, Call::Create, self.present);
            Some((field.name.to_owned(), value)).filter(|(_, value)| !value.is_null())
        };
        let body: Body = entity.created_fields().filter_map(sent).collect();
        let lacking = entity.created_fields().filter(|field| field.is_required() && !body.contains_key(field.name));
        let lacking: Vec<&'static str> = lacking.map(|field| field.name).collect();
        if !lacking.is_empty() {
            return Fate::Left(Obstacle::Required(lacking));
        }
        let mut fate = Fate::undo(WriteKind::Create, body);
        if let Fate::Undo(undoing) = &mut fate {
            undoing.note = format!("it was #{id} before; its history stays with that, and so does what named it");
        }
        fate
    }

    /// A record of the same natural key that somebody, or an earlier undo, has made since.
    fn same_again(&self, entity: &'static Entity, before: &Body) -> Option<i64> {
        let fields: Vec<_> = entity.key.iter().filter_map(|name| entity.field(name)).collect();
        let is_same = |record: &Record| {
            fields.iter().all(|field| {
                let was = before.get(field.name).unwrap_or(&Json::Null);
                self.present.carries(entity, field.name) && self.present.holds(entity, field, was, record)
            })
        };
        self.present.of(entity.name).filter(|(_, record)| is_same(record)).map(|(id, _)| id).min()
    }

    /// Leaves the records that something refers to which stays: what others made of a created product keeps it, and
    /// with it the product's category.
    pub(super) fn keep_what_is_referred_to(&mut self) {
        let mut needed: HashMap<Key, String> = self.held_by_moves();
        for entity in COLLECTIONS.iter().copied().rev() {
            self.leave_needed(entity, &needed);
            self.release_moves(entity, &mut needed);
            let stays = |id: i64| !self.deletions.contains_key(&(entity.name, id));
            let restored = self.restored(entity);
            for (id, record) in self.present.of(entity.name).filter(|(id, _)| stays(*id)) {
                let by = || format!("{} {}", entity.singular, self.present.title(entity, id, record));
                let held = |name: &str| restored.get(&id).and_then(|body| body.get(name)).or_else(|| record.get(name));
                for field in entity.fields.iter().filter(|field| field.read) {
                    let (Some(reference), Some(value)) = (field.reference_to(), held(field.name)) else { continue };
                    if let Some(to) = self.present.id_of(reference, value) {
                        needed.entry((reference.to, to)).or_insert_with(by);
                    }
                }
                for holder in self.holders_of(entity, id, record) {
                    needed.entry(holder).or_insert_with(by);
                }
            }
        }
    }

    fn leave_needed(&mut self, entity: &'static Entity, needed: &HashMap<Key, String>) {
        let kept: Vec<(Key, usize)> = self
            .deletions
            .iter()
            .filter(|(key, _)| key.0 == entity.name && needed.contains_key(*key))
            .map(|(key, position)| (*key, *position))
            .collect();
        for (key, position) in kept {
            self.deletions.remove(&key);
            let by = needed.get(&key).cloned().unwrap_or_default();
            self.deeds[position].fate = Fate::Left(Obstacle::Needed(by));
        }
    }

    /// What the undo writes into records of a collection.
    fn restored(&self, entity: &'static Entity) -> HashMap<i64, Body> {
        let mut restored: HashMap<i64, Body> = HashMap::new();
        for deed in self.deeds.iter().filter(|deed| deed.entity.name == entity.name) {
            if let (Some(id), Fate::Undo(undoing)) = (deed.record, &deed.fate)
                && matches!(undoing.write, WriteKind::Update(_))
            {
                restored.entry(id).or_default().extend(undoing.body.clone());
            }
        }
        restored
    }

    /// Who has a single thing once the moves are taken back, as the record itself tells.
    fn holders_of(&self, entity: &'static Entity, id: i64, record: &Record) -> Vec<Key> {
        if entity.field(DEPLOYED_TO).is_none() || self.comes_back((entity.name, id)) {
            return Vec::new();
        }
        let entries = record.get(DEPLOYED_TO).and_then(Json::as_array).into_iter().flatten();
        let holder = |entry: &Json| {
            HOLDERS.iter().find_map(|name| {
                let to = crate::schema::ACTIONS.iter().find_map(|action| action.field(name)?.reference_to())?.to;
                let entity = crate::schema::collection(to)?;
                Some((entity.name, entry.get(*name).and_then(Json::as_i64)?))
            })
        };
        entries.filter_map(holder).collect()
    }

    /// References to what is created again get the new id, and so come after it.
    pub(super) fn await_what_is_created_again(&mut self) {
        if self.recreations.is_empty() {
            return;
        }
        let tags: HashMap<Key, Json> =
            self.recreations.iter().filter_map(|(key, at)| Some((*key, self.tag_of(*at)?))).collect();
        for deed in &mut self.deeds {
            let Fate::Undo(undoing) = &mut deed.fate else { continue };
            for field in deed.entity.fields {
                let (Some(reference), Some(Json::Number(id))) = (field.reference_to(), undoing.body.get(field.name))
                else {
                    continue;
                };
                let Some(collection) = crate::schema::collection(reference.to) else { continue };
                let key = (collection.name, id.as_i64().unwrap_or_default());
                let Some(position) = self.recreations.get(&key) else { continue };
                let awaited = match (reference.wire, tags.get(&key)) {
                    (Wire::Tag, Some(tag)) => {
                        undoing.body.insert(field.name.to_owned(), tag.clone());
                        None
                    }
                    _ => {
                        undoing.body.remove(field.name);
                        Some(field.name.to_owned())
                    }
                };
                undoing.awaits.push((*position, awaited));
                deed.place = deed.place.last();
            }
        }
    }

    /// The text by which others refer to a record that is created again.
    fn tag_of(&self, position: usize) -> Option<Json> {
        let deed = &self.deeds[position];
        let Fate::Undo(undoing) = &deed.fate else { return None };
        undoing.body.get(*deed.entity.key.first()?).cloned()
    }
}

/// What can be restored of a record and what cannot.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    pub(super) body: Body,
    pub(super) changed: Vec<&'static str>,
    pub(super) required: Vec<&'static str>,
    pub(super) untold: Vec<&'static str>,
}

/// Whether a record says that it was changed after it was made.
fn was_touched(record: &Record) -> bool {
    let moment = |name: &str| record.get(name)?.as_str()?.parse::<Timestamp>().ok();
    match (moment("created_at"), moment("updated_at")) {
        (Some(created), Some(updated)) => updated.duration_since(created) > MAKING,
        _ => false,
    }
}
