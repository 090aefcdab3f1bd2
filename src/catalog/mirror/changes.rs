//! What happened to an account since the last export of some name.

use serde_json::{Map, Value as Json};

use super::{LogEntry, Mirror, MirrorError};
use crate::schema::Entity;

/// What happened to one record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordChange {
    pub id: i64,
    pub kind: ChangeKind,
    /// When it was noticed, as RFC 3339.
    pub seen_at: String,
    /// What the activity log tells of the record since then, the latest first.
    pub log_entries: Vec<LogEntry>,
}

/// The record before and after.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    Added(Map<String, Json>),
    Removed(Map<String, Json>),
    Updated { before: Map<String, Json>, after: Map<String, Json> },
}

impl Mirror {
    /// What happened to a collection since the export of that name, and when that was; none where there was none.
    pub fn changes_since(
        &self,
        name: &str,
        entity: &Entity,
    ) -> Result<Option<(String, Vec<RecordChange>)>, MirrorError> {
        let store = self.store();
        let Some(baseline) = store.baseline(name, entity)? else { return Ok(None) };
        let mut changes = Vec::new();
        for (id, before, seen_at) in store.changed_since(entity, baseline.change)? {
            let before = before.as_deref().and_then(read);
            let after = store.record(entity, id)?.as_deref().and_then(read);
            let kind = match (before, after) {
                (None, Some(after)) => ChangeKind::Added(after),
                (Some(before), None) => ChangeKind::Removed(before),
                (Some(before), Some(after)) if before != after => ChangeKind::Updated { before, after },
                // ChangeKind back, or made and deleted again: nothing to tell.
                _ => continue,
            };
            let log_entries = match entity.log_type() {
                Some(kind) => store.entries_about(kind, id, baseline.log)?,
                None => Vec::new(),
            };
            changes.push(RecordChange { id, kind, seen_at, log_entries });
        }
        Ok(Some((baseline.at, changes)))
    }

    /// From now on the export of that name knows the collection as it is. To be called when its files stand.
    pub fn set_baseline(&self, name: &str, entity: &Entity, now: &str) -> Result<(), MirrorError> {
        self.store().set_baseline(name, entity, now)
    }
}

fn read(json: &str) -> Option<Map<String, Json>> {
    serde_json::from_str(json).ok()
}
