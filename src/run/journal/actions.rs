//! The check-ins and check-outs that a run has sent.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
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
    /// When it was sent; none if that was more than once.
    pub(crate) sent_at: Option<Timestamp>,
    /// Whether it surely was applied.
    pub(crate) is_applied: bool,
}

/// When a request went out whose response was lost, by the clock of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendTimes {
    /// The first time that it was sent.
    pub(crate) first: Timestamp,
    /// The last time that it was known to be on its way.
    pub(crate) last: Timestamp,
}

impl SendTimes {
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self { first: moment, last: moment }
    }

    pub(crate) fn add(&mut self, moment: Timestamp) {
        self.first = self.first.min(moment);
        self.last = self.last.max(moment);
    }
}

impl Journal {
    /// When the steps went out that may or may not have been applied. `ended`: when the processes that sent them were gone at
    /// the latest. A request may have waited for long before it went out, for the quota or because the service asked for
    /// it; of one that never came back the journal knows only when it was prepared.
    pub(crate) fn send_times(&self, ended: Timestamp) -> Result<HashMap<u32, SendTimes>, JournalError> {
        let sql = "SELECT i.step, i.at, 0, o.step IS NULL FROM intent i LEFT JOIN outcome o USING (step) \
                   WHERE o.step IS NULL OR o.result = ?1 UNION ALL \
                   SELECT a.step, a.at, a.milliseconds, 0 FROM attempt a JOIN intent USING (step) LEFT JOIN outcome o \
                   USING (step) WHERE o.step IS NULL OR o.result = ?1";
        let mut times: HashMap<u32, SendTimes> = HashMap::new();
        self.file.attempt(|connection| {
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([RESULTS.encode(StepResult::Unknown)])?;
            while let Some(row) = rows.next()? {
                let Ok(at) = row.get::<_, String>(1)?.parse::<Timestamp>() else { continue };
                let end = at.saturating_add(SignedDuration::from_millis(row.get(2)?)).unwrap_or(at);
                let times = times.entry(row.get(0)?).or_insert(SendTimes::at(at));
                times.add(at);
                times.add(end);
                if row.get(3)? {
                    times.add(ended);
                }
            }
            Ok(())
        })?;
        Ok(times)
    }

    /// The check-ins and check-outs that this run has made or may have made, in the order of the plan.
    pub(crate) fn sent_actions(&self) -> Result<Vec<SentAction>, JournalError> {
        let names: Vec<String> = ACTIONS.iter().map(|action| format!("'{}'", action.name)).collect();
        let sql = format!(
            "SELECT {STEP_COLUMNS}, coalesce(o.at, i.at), o.result, CASE i.sends WHEN 1 THEN i.at END \
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
            let at = at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
            let sent_at = columns.text_if_any()?.and_then(|at| at.parse().ok());
            sent.push(SentAction { step, at, sent_at, is_applied });
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
