//! What the activity log tells since the last refresh, and how far it can be trusted.
//!
//! The log covers seven collections (guide: section "Activity", the options of `type`); of the others it says
//! nothing. Whether it is complete is documented nowhere. So it is believed for what it says, and for its silence
//! only as long as no change was ever found that it had not told of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::file::LogEntry;
use super::service_time::ServiceTime;
use crate::api::RawRecord;
use crate::schema::{ACTIVITY, Entity, Verb};

/// The newest first: reading ends where what is known begins.
pub(super) const NEWEST_FIRST: &[(&str, &str)] = &[("sort", "created_at"), ("order", "desc")];

/// The last thing that the log tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastEvent {
    Deleted,
    /// It was made, changed, moved or brought back.
    Touched(ServiceTime),
}

/// What new entries tell, by type and record.
#[derive(Debug, Default)]
pub(super) struct LogDelta {
    records: BTreeMap<String, BTreeMap<i64, LastEvent>>,
    /// Employees who got or gave something back: the counts in their records changed.
    employees: BTreeSet<i64>,
    /// Something was moved and the entry does not say by whom it is held.
    has_unnamed_moves: bool,
}

impl LogEntry {
    /// Reads an entry; none where it is none.
    pub(super) fn of(row: RawRecord<'_>) -> Option<Self> {
        let fields: Json = serde_json::from_str(row.json).ok()?;
        let text = |name: &str| fields.get(name).and_then(Json::as_str).map(str::to_owned);
        let item = fields.get("item_id").and_then(whole);
        let (timestamp, kind, event) = (text("timestamp")?, text("type")?, text("event")?);
        Some(Self { timestamp, kind, event, item, body: row.json.to_owned() })
    }
}

fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

impl LogDelta {
    /// Takes note of a new entry. They come newest first, so that the first of a record is the last word on it.
    pub(super) fn note(&mut self, entry: &LogEntry) {
        let Some(at) = ServiceTime::read(&entry.timestamp) else { return };
        if [Verb::Checkin, Verb::Checkout].iter().any(|verb| verb.log_event() == entry.event) {
            let employee =
                serde_json::from_str(&entry.body).ok().and_then(|body: Json| whole(body.get("employee_id")?));
            match employee {
                Some(employee) => drop(self.employees.insert(employee)),
                None => self.has_unnamed_moves = true,
            }
        }
        let Some(item) = entry.item else { return };
        let last = match entry.event.as_str() {
            "Delete" => LastEvent::Deleted,
            _ => LastEvent::Touched(at),
        };
        self.records.entry(entry.kind.clone()).or_default().entry(item).or_insert(last);
    }

    /// What it tells of the records of a collection.
    pub(super) fn about(&self, entity: &Entity) -> impl Iterator<Item = (i64, LastEvent)> {
        let told = entity.log_type().and_then(|kind| self.records.get(kind));
        told.into_iter().flatten().map(|(id, last)| (*id, *last))
    }

    pub(super) fn tells_of(&self, entity: &Entity, id: i64) -> bool {
        entity.log_type().and_then(|kind| self.records.get(kind)).is_some_and(|records| records.contains_key(&id))
    }

    pub(super) fn is_silent_on(&self, entity: &Entity) -> bool {
        self.about(entity).next().is_none()
    }

    /// The holders whose own records changed with what they hold; none where an entry does not name them.
    pub(super) fn holders(&self, entity: &Entity) -> Option<Vec<i64>> {
        let is_holder = ACTIVITY.filters().any(|field| {
            let reference = field.reference_to();
            reference.is_some_and(|reference| reference.to == entity.name) && entity.log_type().is_none()
        });
        match is_holder {
            false => Some(Vec::new()),
            true if self.has_unnamed_moves => None,
            true => Some(self.employees.iter().copied().collect()),
        }
    }
}
