//! The check-ins and check-outs that a run has sent.

use jiff::Timestamp;
use rusqlite::OptionalExtension;
use serde_json::Value as Json;

use super::encoding::RESULTS;
use super::read::STEP_COLUMNS;
use super::{Journal, JournalError};
use crate::plan::{Step, StepResult};
use crate::schema::ACTIONS;

/// A check-in or check-out that was sent, and was or may have been applied.
#[derive(Debug, Clone)]
pub(crate) struct SentAction {
    /// With the body as sent.
    pub(crate) step: Step,
    /// When its outcome was recorded, else when it was sent.
    pub(crate) at: Timestamp,
    /// Whether it surely was applied.
    pub(crate) is_applied: bool,
}

impl Journal {
    /// The check-ins and check-outs that this run has made or may have made, in the order of the plan.
    pub(crate) fn sent_actions(&self) -> Result<Vec<SentAction>, JournalError> {
        let names: Vec<String> = ACTIONS.iter().map(|action| format!("'{}'", action.name)).collect();
        let sql = format!(
            "SELECT {STEP_COLUMNS}, coalesce(o.at, i.at), o.result \
             FROM step s JOIN intent i USING (step) LEFT JOIN outcome o USING (step) \
             WHERE s.entity IN ({}) AND (o.step IS NULL OR o.result IN ('{}', '{}')) ORDER BY s.step",
            names.join(", "),
            RESULTS.encode(StepResult::Applied),
            RESULTS.encode(StepResult::Unknown),
        );
        let mut sent = Vec::new();
        self.each_step(&sql, &[], &mut |columns, step| {
            let (at, result) = (columns.text()?, columns.text_if_any()?);
            let is_applied = result == Some(RESULTS.encode(StepResult::Applied));
            sent.push(SentAction { step, at: at.parse().unwrap_or(Timestamp::UNIX_EPOCH), is_applied });
            Ok(())
        })?;
        for action in &mut sent {
            self.fill_in(&mut action.step)?;
        }
        Ok(sent)
    }

    /// Puts the ids of records that earlier steps created into a body.
    fn fill_in(&self, step: &mut Step) -> Result<(), JournalError> {
        for dependency in &step.depends_on {
            let Some(field) = &dependency.field else { continue };
            let created: Option<Option<i64>> = self.file.attempt(|connection| {
                let mut statement = connection.prepare_cached("SELECT record FROM outcome WHERE step = ?1")?;
                statement.query_row([dependency.step], |row| row.get(0)).optional()
            })?;
            if let Some(id) = created.flatten() {
                step.body.insert(field.clone(), Json::from(id));
            }
        }
        Ok(())
    }
}
