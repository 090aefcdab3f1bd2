//! What changed in an account since the last export of some name.

use serde_json::{Map, Value as Json};

use super::{LogEntry, Mirror, MirrorError};
use crate::schema::Entity;

/// What changed about one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordChange {
    pub id: i64,
    pub kind: ChangeKind,
    /// When the change was noticed, as RFC 3339.
    pub seen_at: String,
    /// What the activity log says about the record since then, the latest first.
    pub log_entries: Vec<LogEntry>,
}

/// The record before and after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChangeKind {
    Added(Map<String, Json>),
    Removed(Map<String, Json>),
    Updated { before: Map<String, Json>, after: Map<String, Json> },
}

impl Mirror {
    /// What changed in a collection since the export of that name, and when that was; none if there was no such export.
    pub(crate) fn changes_since(
        &self,
        name: &str,
        entity: &Entity,
    ) -> Result<Option<(String, Vec<RecordChange>)>, MirrorError> {
        let file = self.file();
        let Some(baseline) = file.baseline(name, entity)? else { return Ok(None) };
        let mut changes = Vec::new();
        for (id, before, seen_at) in file.changed_since(entity, baseline.change)? {
            let before = before.as_deref().and_then(parse);
            let after = file.record(entity, id)?.as_deref().and_then(parse);
            let kind = match (before, after) {
                (None, Some(after)) => ChangeKind::Added(after),
                (Some(before), None) => ChangeKind::Removed(before),
                (Some(before), Some(after)) if before != after => ChangeKind::Updated { before, after },
                // Changed back, or created and deleted again: no change.
                _ => continue,
            };
            let log_entries = match entity.log_type() {
                Some(kind) => file.entries_about(kind, id, baseline.log)?,
                None => Vec::new(),
            };
            changes.push(RecordChange { id, kind, seen_at, log_entries });
        }
        Ok(Some((baseline.at, changes)))
    }

    /// Records that the export of that name knows the collection as it is now. Call it once its files are written.
    pub(crate) fn set_baseline(&self, name: &str, entity: &Entity, now: &str) -> Result<(), MirrorError> {
        self.file().set_baseline(name, entity, now)
    }
}

fn parse(json: &str) -> Option<Map<String, Json>> {
    serde_json::from_str(json).ok()
}
