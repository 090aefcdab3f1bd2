//! The plan that takes a run back: deletes what it created, restores what it changed, checks in what it checked out.
//!
//! ```text
//! History  what the run did, in one pass over its journal, and what has to be known of the account    pure
//! Present  what the account holds now                                                                 fetched by the command
//! Undo     a second pass over the journal: what becomes of each step                                  pure
//! waves    the order in which that is sent                                                            pure
//! ```
//!
//! Nothing that somebody else has touched since is undone, and nothing goes that something which stays refers to: a
//! record is deleted only while it is as the run left it, a field restored only while it holds what the run wrote, a
//! thing checked in only while it is where the run put it. What is left is said, with why.
//!
//! The order: what was moved last moves back first; then collections are taken back in reverse dependency order; then
//! what the run deleted is created again, and what can only be restored once that is there. No collection of the
//! schema can be written to refer to itself, so records of one collection go together.

mod compare;
mod history;
mod moves;
mod obstacle;
mod present;
mod records;
#[cfg(test)]
mod tests;
mod waves;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

pub(crate) use history::PERSON;
pub use history::{History, Holders, Key, Wants};
pub use moves::names_a_holder;
pub use obstacle::Obstacle;
pub use present::Present;
pub use waves::{Place, Wave, waves};

use moves::Moving;

use super::{RowId, Step, WriteKind};
use crate::api::Body;
use crate::plan::{StepOutcome, StepResult};
use crate::schema::{Deletion, Entity, Role, Verb};

/// What becomes of one thing that the run did.
#[derive(Debug)]
pub struct Deed {
    /// The row of the run that asked for it.
    pub row: RowId,
    /// What is written to, or would be.
    pub entity: &'static Entity,
    /// The record it is about.
    pub record: Option<i64>,
    /// What people call the record.
    pub title: String,
    pub place: Place,
    pub fate: Fate,
}

/// Whether something is taken back.
#[derive(Debug)]
pub enum Fate {
    Undo(Box<Undoing>),
    /// It is as it was already; why.
    Nothing(String),
    Left(Obstacle),
}

/// A write that takes something back.
#[derive(Debug)]
pub struct Undoing {
    pub write: WriteKind,
    pub body: Body,
    /// What stands there now, for undoing being looked into after a lost answer.
    pub before: Option<Body>,
    /// Other deeds, by their position, that come first; and the field that the record they create goes into.
    pub awaits: Vec<(usize, Option<String>)>,
    /// What the row should say beside its status.
    pub note: String,
}

/// The ways of taking back, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CheckIn,
    CheckOut,
    Delete,
    /// A delete that the service cannot take back either (field notes).
    DeleteForGood,
    Restore,
    CreateAgain,
}

impl Deed {
    /// How it is taken back, where it is.
    pub fn kind(&self) -> Option<Kind> {
        let Fate::Undo(undoing) = &self.fate else { return None };
        Some(match (undoing.write, self.entity.role) {
            (WriteKind::Create, Role::Action(Verb::Checkin)) => Kind::CheckIn,
            (WriteKind::Create, Role::Action(Verb::Checkout)) => Kind::CheckOut,
            (WriteKind::Create, _) => Kind::CreateAgain,
            (WriteKind::Update(_), _) => Kind::Restore,
            (WriteKind::Delete(_), Role::Collection { deletion: Deletion::Irreversible }) => Kind::DeleteForGood,
            (WriteKind::Delete(_), _) => Kind::Delete,
        })
    }
}

/// Decides what becomes of everything a run did.
pub struct Undo<'u> {
    run: &'u str,
    history: &'u History,
    present: &'u Present,
    /// The day on which things come back.
    today: Date,
    deeds: Vec<Deed>,
    /// Where the deletion of a record is among the deeds.
    deletions: HashMap<Key, usize>,
    /// Where the new creation of a deleted record is among the deeds.
    recreations: HashMap<Key, usize>,
    /// Records that the run created and somebody has changed since.
    changed: HashSet<Key>,
    moving: Moving,
}

/// Why nothing is to be done about what is not there any more.
const GONE: &str = "it is gone already";

impl<'u> Undo<'u> {
    /// Begins with the things that moved, the last first.
    pub fn new(run: &'u str, history: &'u History, present: &'u Present, today: Date) -> Self {
        let (deeds, deletions, recreations, changed) = (Vec::new(), HashMap::new(), HashMap::new(), HashSet::new());
        let mut undo =
            Self { run, history, present, today, deeds, deletions, recreations, changed, moving: Moving::default() };
        undo.take_moves_back();
        undo
    }

    /// Takes back a step that is no action. Steps come in the order of the plan.
    pub fn step(&mut self, step: &mut Step, outcome: &StepOutcome) {
        self.history.fill(step);
        match outcome.result {
            // What others made is not this run's to take back.
            StepResult::Failed | StepResult::AlreadyApplied => {}
            StepResult::Unknown => self.unknown(step, outcome),
            StepResult::Applied if step.entity.is_action() => {}
            StepResult::Applied => match step.write {
                WriteKind::Create => self.created(step, outcome),
                WriteKind::Update(id) => self.updated(step, id),
                WriteKind::Delete(id) => self.deleted(step, id),
            },
        }
    }

    /// All that was decided, with what must stay left as it is.
    pub fn finish(mut self) -> Vec<Deed> {
        self.leave_moves_of_changed();
        self.keep_what_is_referred_to();
        self.await_what_is_created_again();
        self.deeds
    }

    fn unknown(&mut self, step: &Step, outcome: &StepOutcome) {
        let id = match step.write {
            WriteKind::Create => outcome.record,
            WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
        };
        let place = match step.entity.is_action() {
            true => Place::move_back(0),
            false => Place::delete(step.entity),
        };
        let title = self.present.title(step.entity, id.unwrap_or_default(), &step.body);
        self.deeds.push(Deed {
            row: step.row,
            entity: step.entity,
            record: id,
            title,
            place,
            fate: Fate::Left(Obstacle::Unknown),
        });
    }

    pub(super) fn push(&mut self, step: &Step, id: i64, place: Place, fate: Fate) -> usize {
        let told = step.before.as_ref().filter(|_| step.body.is_empty()).unwrap_or(&step.body);
        let title = self.present.title(step.entity, id, told);
        self.deeds.push(Deed { row: step.row, entity: step.entity, record: Some(id), title, place, fate });
        self.deeds.len() - 1
    }
}

impl Fate {
    pub(super) fn undo(write: WriteKind, body: Body) -> Self {
        let (before, awaits, note) = (None, Vec::new(), String::new());
        Fate::Undo(Box::new(Undoing { write, body, before, awaits, note }))
    }
}
