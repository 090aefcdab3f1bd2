//! One write of a plan, and the sink that receives them.

use serde::{Deserialize, Serialize};

use super::RowStatus;
use crate::api::Body;
use crate::check::Problem;
use crate::schema::{Entity, Meaning};

/// The row that a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId {
    /// Position among the sheets of the run.
    pub sheet: u16,
    /// Row number in its sheet, from 1.
    pub row: u64,
}

/// One write of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// From 0, in plan order.
    pub number: u32,
    /// The row that asks for it.
    pub row: RowId,
    /// Whether the step writes the row itself, or creates a record that the row names.
    pub role: StepRole,
    /// The collection or action it writes to.
    pub entity: &'static Entity,
    pub write: WriteKind,
    pub body: Body,
    /// The steps it depends on, and the fields they fill in.
    pub depends_on: Vec<DependsOn>,
    /// The state before the run, as far as undo needs it: for an update the fields in the body (null if they were
    /// empty), for a delete the whole record, for an action the item's current holder.
    pub before: Option<Body>,
}

/// What a step does for its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepRole {
    Row,
    Dependency,
}

/// The kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// A new record or an action.
    Create,
    Update(i64),
    Delete(i64),
}

impl WriteKind {
    /// The status of a row whose write succeeded. An action makes something happen, so it counts as created.
    pub fn done_status(self) -> RowStatus {
        match self {
            WriteKind::Create => RowStatus::Created,
            WriteKind::Update(_) => RowStatus::Updated,
            WriteKind::Delete(_) => RowStatus::Deleted,
        }
    }

    /// The existing record that is written to.
    pub fn record(self) -> Option<i64> {
        match self {
            WriteKind::Create => None,
            WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
        }
    }
}

/// A dependency on an earlier step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependsOn {
    pub step: u32,
    /// The field to fill with the new record's id; `None` if the body already has the value (an asset's tag).
    pub field: Option<String>,
}

impl Step {
    pub fn new(number: u32, row: RowId, role: StepRole, entity: &'static Entity, write: WriteKind) -> Self {
        Self { number, row, role, entity, write, body: Body::new(), depends_on: Vec::new(), before: None }
    }

    /// What people call the record that the step creates: its tag, name or e-mail address.
    pub(crate) fn title(&self) -> Option<&str> {
        let tag = self.entity.meaning(Meaning::Tag).map(|field| field.name);
        let fields = tag.into_iter().chain(["name"]).chain(self.entity.key.iter().copied());
        fields.filter_map(|field| self.body.get(field)?.as_str()).find(|text| !text.trim().is_empty())
    }
}

/// The recorded outcome of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    pub step: u32,
    pub result: StepResult,
    /// The record's id, where known.
    pub record: Option<i64>,
    /// What the service set beyond what was sent: the other fields of a new record, which show later whether someone
    /// changed it; the time of an update.
    pub after: Option<Body>,
    /// For the user; empty where the problems say it all.
    pub message: String,
    pub problems: Vec<Problem>,
}

impl StepOutcome {
    /// Whether the account holds what the step asked for, whoever did it.
    pub fn is_applied(&self) -> bool {
        matches!(self.result, StepResult::Applied | StepResult::AlreadyApplied)
    }
}

/// The ways in which a step can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepResult {
    Applied,
    /// Someone else had done it before this run could: the row has what it asked for, and undo leaves it alone.
    AlreadyApplied,
    /// Surely not applied.
    Failed,
    /// Could not be determined.
    Unknown,
}

/// Receives the steps of a plan as they are made, so that a plan of a million rows is never held in memory.
pub trait StepSink {
    type Error;

    /// Number of steps so far, which is also the number of the next one.
    fn count(&self) -> u32;

    /// Adds the next step.
    ///
    /// # Errors
    /// If the step cannot be stored.
    fn push(&mut self, step: &Step) -> Result<(), Self::Error>;
}
