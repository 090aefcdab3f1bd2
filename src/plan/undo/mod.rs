//! Plans the undo of a run: deletes what it created, restores what it changed, checks in what it checked out.
//!
//! ```text
//! RunHistory    what the run did, in one pass over its journal, and what to fetch     pure
//! CurrentState  what the account has now                                              fetched by the caller
//! UndoPlanner   a second pass over the journal: what to do about each step            pure
//! batches       the order in which that is sent                                       pure
//! ```
//!
//! Nothing that somebody else has changed since is undone, and nothing is deleted while something that stays refers
//! to it: a record is deleted only while it is as the run left it, a field restored only while it has the value the
//! run wrote, an item checked in only while its holder is the one the run assigned. Everything else is skipped and
//! reported with a reason.
//!
//! The order: assignments are undone in reverse; then collections in reverse dependency order; then records that the
//! run deleted are created again, followed by what can only be restored once they exist. No collection can be written
//! to refer to itself, so the records of one collection go together.

mod assignments;
mod batches;
mod compare;
mod current_state;
mod history;
mod holders;
mod records;
mod recreated;
mod skip_reason;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

pub(crate) use batches::{UndoBatch, UndoOrder, batches};
pub(super) use compare::is_empty;
pub(crate) use current_state::CurrentState;
pub(crate) use history::{FetchPlan, LogHolders, RecordKey, RunHistory};
pub(crate) use holders::has_holder;
pub(crate) use recreated::RecreatedRecords;
pub(crate) use skip_reason::SkipReason;

use assignments::AssignmentState;

use super::{RowId, RowStatus, Step, WriteKind};
use crate::api::Body;
use crate::plan::{StepOutcome, StepResult};
use crate::schema::{self, Deletion, Entity, Role, Verb};

/// What to do about one thing that the run did.
#[derive(Debug)]
pub(crate) struct UndoItem {
    /// The row that asked for it.
    pub row: RowId,
    /// The collection or action that the undo writes to.
    pub entity: &'static Entity,
    /// The record it concerns.
    pub record: Option<i64>,
    /// The record's name for display.
    pub title: String,
    pub order: UndoOrder,
    pub decision: UndoDecision,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum UndoDecision {
    Undo(Box<CompensatingWrite>),
    /// Nothing, because it is already as it was before the run; with the reason.
    NothingToDo(String),
    Skip(SkipReason),
}

/// A write that undoes something.
#[derive(Debug)]
pub(crate) struct CompensatingWrite {
    pub write: WriteKind,
    pub body: Body,
    /// The current values, to reconcile the write after a lost response.
    pub before: Option<Body>,
    /// Indexes of undo items that come first, and the field that receives the id of the record they create.
    pub depends_on: Vec<(usize, Option<String>)>,
    /// The row's message.
    pub note: String,
}

/// The kinds of undo, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UndoKind {
    CheckIn,
    CheckOut,
    Delete,
    /// A delete that the service cannot reverse either (field notes).
    DeletePermanently,
    Restore,
    Recreate,
}

impl UndoKind {
    /// What the undo does, as a verb.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            UndoKind::CheckIn => "check in",
            UndoKind::CheckOut => "check out",
            UndoKind::Delete | UndoKind::DeletePermanently => "delete",
            UndoKind::Restore => "restore",
            UndoKind::Recreate => "create again",
        }
    }
}

/// The collection an item is about: for an action, that of the thing that moves.
pub(crate) fn item_collection(entity: &'static Entity) -> &'static Entity {
    entity.item().and_then(|(_, reference)| schema::collection(reference.to)).unwrap_or(entity)
}

impl UndoItem {
    /// The status of its row, if what is sent for it succeeds.
    pub(crate) fn done_status(&self) -> RowStatus {
        match &self.decision {
            UndoDecision::Undo(write_back) => write_back.write.done_status(),
            UndoDecision::NothingToDo(_) => RowStatus::Unchanged,
            UndoDecision::Skip(_) => RowStatus::Skipped,
        }
    }

    /// The kind of undo, if there is one.
    pub(crate) fn kind(&self) -> Option<UndoKind> {
        let UndoDecision::Undo(write_back) = &self.decision else { return None };
        Some(match (write_back.write, self.entity.role) {
            (WriteKind::Create, Role::Action(Verb::Checkin)) => UndoKind::CheckIn,
            (WriteKind::Create, Role::Action(Verb::Checkout)) => UndoKind::CheckOut,
            (WriteKind::Create, _) => UndoKind::Recreate,
            (WriteKind::Update(_), _) => UndoKind::Restore,
            (WriteKind::Delete(_), Role::Collection { deletion: Deletion::Irreversible }) => {
                UndoKind::DeletePermanently
            }
            (WriteKind::Delete(_), _) => UndoKind::Delete,
        })
    }
}

/// Decides how to undo everything that a run did.
pub(crate) struct UndoPlanner<'u> {
    run: &'u str,
    history: &'u RunHistory,
    current: &'u CurrentState,
    /// The date of check-ins.
    today: Date,
    items: Vec<UndoItem>,
    /// Index of the undo item that deletes a record.
    deletions: HashMap<RecordKey, usize>,
    /// Index of the undo item that creates a deleted record again.
    recreations: HashMap<RecordKey, usize>,
    /// Records that the run created and somebody has changed since.
    changed: HashSet<RecordKey>,
    assignment_state: AssignmentState,
}

/// Why there is nothing to do about a record that no longer exists.
const ALREADY_GONE: &str = "already deleted";

impl<'u> UndoPlanner<'u> {
    /// Starts with the assignments, in reverse.
    pub(crate) fn new(run: &'u str, history: &'u RunHistory, current: &'u CurrentState, today: Date) -> Self {
        let mut undo = Self {
            run,
            history,
            current,
            today,
            items: Vec::new(),
            deletions: HashMap::new(),
            recreations: HashMap::new(),
            changed: HashSet::new(),
            assignment_state: AssignmentState::default(),
        };
        undo.undo_assignments();
        undo
    }

    /// Undoes a step that is not an action. Steps come in plan order.
    pub(crate) fn step(&mut self, step: &mut Step, outcome: &StepOutcome) {
        self.history.complete(step);
        match outcome.result {
            // Nothing that others created is undone.
            StepResult::Failed | StepResult::AlreadyApplied => {}
            StepResult::Unknown => self.skip_unknown(step, outcome),
            StepResult::Applied if step.entity.is_action() => {}
            StepResult::Applied => match step.write {
                WriteKind::Create => self.undo_create(step, outcome),
                WriteKind::Update(id) => self.undo_update(step, id),
                WriteKind::Delete(id) => self.undo_delete(step, id),
            },
        }
    }

    /// All undo items; those that must be kept after all are skipped.
    pub(crate) fn finish(mut self) -> Vec<UndoItem> {
        self.skip_changed_items();
        self.retain_referenced();
        self.link_recreated();
        self.items
    }

    fn skip_unknown(&mut self, step: &Step, outcome: &StepOutcome) {
        let id = match step.write {
            WriteKind::Create => outcome.record,
            WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
        };
        let order = match step.entity.is_action() {
            true => UndoOrder::move_back(0),
            false => UndoOrder::delete(step.entity),
        };
        let title = self.current.title(step.entity, id.unwrap_or_default(), &step.body);
        let decision = UndoDecision::Skip(SkipReason::OutcomeUnknown);
        self.add(UndoItem { row: step.row, entity: step.entity, record: id, title, order, decision });
    }

    pub(super) fn push(&mut self, step: &Step, id: i64, order: UndoOrder, decision: UndoDecision) -> usize {
        let told = step.before.as_ref().filter(|_| step.body.is_empty()).unwrap_or(&step.body);
        let title = self.current.title(step.entity, id, told);
        self.add(UndoItem { row: step.row, entity: step.entity, record: Some(id), title, order, decision })
    }

    /// Adds an item and returns its index.
    fn add(&mut self, item: UndoItem) -> usize {
        self.items.push(item);
        self.items.len() - 1
    }
}

impl UndoDecision {
    pub(super) fn undo(write: WriteKind, body: Body) -> Self {
        let (before, depends_on, note) = (None, Vec::new(), String::new());
        UndoDecision::Undo(Box::new(CompensatingWrite { write, body, before, depends_on, note }))
    }
}
