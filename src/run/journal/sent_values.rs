//! The values that a run has sent for a field.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::encoding::RESULTS;
use super::read::STEP_COLUMNS;
use super::{Journal, JournalError};
use crate::plan::StepResult;
use crate::schema::{Entity, Field};

/// A write of a field of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SentValue {
    pub(crate) record: i64,
    /// When its outcome was recorded, else when it was sent.
    pub(crate) at: Timestamp,
    /// None where it is not known whether this was applied, or something else before.
    pub(crate) value: Option<Json>,
}

impl Journal {
    /// The writes of a field that this run has made or may have made, in the order of the plan. A create of which no id is known
    /// is of no record.
    pub(crate) fn sent_values(&self, entity: &Entity, field: &Field) -> Result<Vec<SentValue>, JournalError> {
        let sql = format!(
            "SELECT {STEP_COLUMNS}, coalesce(o.at, i.at), o.result, coalesce(o.record, s.record) \
             FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE s.entity = ?1 AND (o.step IS NULL OR o.result <> ?2) ORDER BY s.step"
        );
        let mut sent = Vec::new();
        self.each_step(&sql, &[&entity.name, &RESULTS.encode(StepResult::Failed)], &mut |columns, mut step| {
            let (at, result) = (columns.text()?, columns.text_if_any()?);
            let Some(record) = columns.get::<Option<i64>>()? else { return Ok(()) };
            let Some(value) = step.body.remove(field.name) else { return Ok(()) };
            let is_applied = result == Some(RESULTS.encode(StepResult::Applied));
            let at = at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
            sent.push(SentValue { record, at, value: is_applied.then_some(value) });
            Ok(())
        })?;
        Ok(sent)
    }
}
