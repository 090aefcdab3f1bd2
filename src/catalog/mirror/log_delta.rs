//! What the new entries of the activity log say about records.
//!
//! The log covers seven collections (guide: section "Activity", the options of `type`); about the others it says
//! nothing. Whether it is complete is not documented. So what it says is trusted, and its silence only as long as no
//! change was ever found that it had not mentioned. Silence about a collection proves nothing while its records show
//! values of others: a new tag of an asset is an entry about the asset, and changes its audits too.

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
    /// The types of which a record that was there was changed otherwise than by a move.
    altered: BTreeSet<String>,
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
    /// What these entries say. They are newest first, so the first one about a record is the last event.
    pub(super) fn of(entries: &[LogEntry]) -> Self {
        let mut delta = Self::default();
        entries.iter().for_each(|entry| delta.add(entry));
        delta
    }

    fn add(&mut self, entry: &LogEntry) {
        let Some(at) = ServiceTime::parse(&entry.timestamp) else { return };
        let is_move = [Verb::Checkin, Verb::Checkout].iter().any(|verb| verb.log_event() == entry.event);
        if is_move {
            let employee = serde_json::from_str(&entry.body)
                .ok()
                .and_then(|body: Json| integer(body.get(schema::person_parameter()?)?));
            match employee {
                Some(employee) => drop(self.employees.insert(employee)),
                None => self.has_unnamed_moves = true,
            }
        }
        if !is_move && entry.event != "Create" {
            self.altered.insert(entry.kind.clone());
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

    /// Whether it proves that no record of the collection changed: it covers the collection, and all whose values its
    /// records show, and tells of nothing.
    pub(super) fn proves_unchanged(&self, entity: &Entity) -> bool {
        let is_covered = |entity: &Entity| entity.log_type().is_some();
        is_covered(entity)
            && self.about(entity).next().is_none()
            && entity.shown_collections().all(|shown| is_covered(shown) && !self.has_altered(shown))
    }

    /// Whether values that records of the collection show may have changed in the records that they come from.
    pub(super) fn has_altered_shown(&self, entity: &Entity) -> bool {
        entity.shown_collections().any(|shown| self.has_altered(shown))
    }

    fn has_altered(&self, entity: &Entity) -> bool {
        entity.log_type().is_some_and(|kind| self.altered.contains(kind))
    }

    /// Whether the log says anything of records of the collection: of themselves, or of what they hold.
    pub(super) fn tells_of(entity: &Entity) -> bool {
        entity.log_type().is_some() || is_holder(entity)
    }

    /// The holders whose own records changed with what they hold; none if an entry does not name them.
    pub(super) fn holders(&self, entity: &Entity) -> Option<Vec<i64>> {
        if !is_holder(entity) {
            return Some(Vec::new());
        }
        (!self.has_unnamed_moves).then(|| self.employees.iter().copied().collect())
    }
}

/// Whether entries about other records name records of the collection as their holders.
fn is_holder(entity: &Entity) -> bool {
    entity.log_type().is_none()
        && ACTIVITY.filters().filter_map(|field| field.reference_to()).any(|to| to.to == entity.name)
}
