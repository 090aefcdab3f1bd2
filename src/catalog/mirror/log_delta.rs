//! What the new entries of the activity log say about records.
//!
//! The log covers seven collections (guide: section "Activity", the options of `type`); about the others it says
//! nothing. Whether it is complete is not documented. So what it says is trusted, and its silence only as long as no
//! change was ever found that it had not mentioned.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::file::LogEntry;
use super::service_time::ServiceTime;
use crate::api::{RawRecord, integer};
use crate::schema::{self, ACTIVITY, Entity, Verb, log_field};

/// The last thing that the log says about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastEvent {
    Deleted,
    /// It was created, changed, moved or restored.
    Touched(ServiceTime),
}

/// What new entries say, by type and record.
#[derive(Debug, Default)]
pub(super) struct LogDelta {
    records: BTreeMap<String, BTreeMap<i64, LastEvent>>,
    /// Employees who received or returned something: the counts in their records changed.
    employees: BTreeSet<i64>,
    /// Something was moved and the entry does not say who holds it.
    has_unnamed_moves: bool,
}

impl LogEntry {
    /// Reads an entry; none if it is not one.
    pub(super) fn parse(row: RawRecord<'_>) -> Option<Self> {
        let fields: Json = serde_json::from_str(row.json).ok()?;
        let text = |name: &str| fields.get(name).and_then(Json::as_str).map(str::to_owned);
        let item = fields.get(log_field::ITEM_ID).and_then(integer);
        let (timestamp, kind, event) = (text(log_field::TIMESTAMP)?, text(log_field::TYPE)?, text(log_field::EVENT)?);
        Some(Self { timestamp, kind, event, item, body: row.json.to_owned() })
    }
}

impl LogDelta {
    /// Adds a new entry. They are newest first, so the first one about a record is the last event.
    pub(super) fn add(&mut self, entry: &LogEntry) {
        let Some(at) = ServiceTime::parse(&entry.timestamp) else { return };
        if [Verb::Checkin, Verb::Checkout].iter().any(|verb| verb.log_event() == entry.event) {
            let employee = serde_json::from_str(&entry.body)
                .ok()
                .and_then(|body: Json| integer(body.get(schema::person_parameter()?)?));
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

    /// The last event of each record of a collection.
    pub(super) fn about(&self, entity: &Entity) -> impl Iterator<Item = (i64, LastEvent)> {
        let records = entity.log_type().and_then(|kind| self.records.get(kind));
        records.into_iter().flatten().map(|(id, last)| (*id, *last))
    }

    pub(super) fn mentions(&self, entity: &Entity, id: i64) -> bool {
        entity.log_type().and_then(|kind| self.records.get(kind)).is_some_and(|records| records.contains_key(&id))
    }

    pub(super) fn is_silent_on(&self, entity: &Entity) -> bool {
        self.about(entity).next().is_none()
    }

    /// The holders whose own records changed with what they hold; none if an entry does not name them.
    pub(super) fn holders(&self, entity: &Entity) -> Option<Vec<i64>> {
        let is_holder = entity.log_type().is_none()
            && ACTIVITY.filters().filter_map(|field| field.reference_to()).any(|to| to.to == entity.name);
        if !is_holder {
            return Some(Vec::new());
        }
        (!self.has_unnamed_moves).then(|| self.employees.iter().copied().collect())
    }
}
