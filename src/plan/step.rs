//! One write of a plan, and where the writes of a plan go.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::api::Body;
use crate::check::Problem;
use crate::schema::Entity;

/// Where a step comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId {
    /// The position among the sheets of the run.
    pub sheet: u16,
    /// The row's number in its sheet, from 1.
    pub row: u64,
}

/// One write of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// From 0, in the order of the plan.
    pub number: u32,
    /// The row that asks for it.
    pub row: RowId,
    /// Whether the step is the row's own, or creates a record that the row names.
    pub part: Part,
    /// What it writes to.
    pub entity: &'static Entity,
    pub write: WriteKind,
    pub body: Body,
    /// Fields whose value an earlier step gives.
    pub awaits: Vec<Await>,
    /// What stood there before the run, as far as taking the step back needs it: of an update the fields in the body
    /// (null where they were empty), of a delete the whole record, of an action the item's whereabouts.
    pub before: Option<Body>,
}

/// What a step is to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Own,
    Missing,
}

/// The kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// A new record, or an action.
    Create,
    Update(i64),
    Delete(i64),
}

/// A field that names a record an earlier step creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Await {
    pub step: u32,
    /// The field to fill with the new record's id; none where the body holds the value already (an asset's tag).
    pub field: Option<String>,
}

impl Step {
    pub fn new(number: u32, row: RowId, part: Part, entity: &'static Entity, write: WriteKind) -> Self {
        Self { number, row, part, entity, write, body: Body::new(), awaits: Vec::new(), before: None }
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

/// Takes the steps of a plan as they are made, so that a plan of a million rows is not held in memory.
pub trait StepSink {
    type Error;

    /// How many steps there are, and so the number of the next.
    fn count(&self) -> u32;

    /// Adds the next step.
    ///
    /// # Errors
    /// Where the step cannot be kept.
    fn push(&mut self, step: &Step) -> Result<(), Self::Error>;
}

/// Counts the steps of a dry run and keeps none.
#[derive(Debug, Default)]
pub struct StepCount(u32);

impl StepSink for StepCount {
    type Error = Infallible;

    fn count(&self) -> u32 {
        self.0
    }

    fn push(&mut self, _: &Step) -> Result<(), Infallible> {
        self.0 += 1;
        Ok(())
    }
}
