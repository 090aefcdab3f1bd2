//! What is known of every step so far, and whether another may go.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use crate::plan::{Step, WriteKind};
use crate::plan::{StepOutcome, StepResult};
use crate::schema::Meaning;

/// Where the steps of a run stand.
#[derive(Debug, Default)]
pub(super) struct Standing {
    steps: Vec<Settled>,
    /// Records that the run was told it made: nobody else's step made them.
    told: HashSet<(&'static str, i64)>,
    /// How many the run put in stock of items it made, by collection and record: none of them was anywhere before.
    stocked: HashMap<(&'static str, i64), i64>,
    /// Actions that were done, with the bodies as they were sent; without what stood there before, which nobody asks for.
    done_actions: Vec<Step>,
}

/// What is known of a step that others may await.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Pending,
    Done(Option<i64>),
    Failed,
}

/// Whether a step may go, as far as the steps it awaits say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    Go,
    Wait,
    /// What it awaits will never be there; with the reason.
    Never(&'static str),
}

impl Standing {
    /// Whether what the step awaits is there.
    pub(super) fn readiness(&self, step: &Step) -> Readiness {
        for awaited in &step.depends_on {
            match (self.state(awaited.step), &awaited.field) {
                (Settled::Pending, _) => return Readiness::Wait,
                (Settled::Failed, _) => {
                    return Readiness::Never("the record that another row creates; that row failed");
                }
                (Settled::Done(None), Some(_)) => {
                    return Readiness::Never(
                        "the id of the record that another row creates; the service did not tell it",
                    );
                }
                (Settled::Done(_), _) => {}
            }
        }
        Readiness::Go
    }

    /// Puts the ids that earlier steps gave into a body.
    pub(super) fn fill(&self, step: &mut Step) {
        for awaited in &step.depends_on {
            if let (Settled::Done(Some(id)), Some(field)) = (self.state(awaited.step), &awaited.field) {
                step.body.insert(field.clone(), Json::from(id));
            }
        }
    }

    /// The step is on its way.
    pub(super) fn begin(&mut self, step: u32) {
        self.set(step, Settled::Pending);
    }

    /// The step has ended. Its body is as it was sent.
    pub(super) fn end(&mut self, step: &Step, outcome: &StepOutcome) {
        let settled = match outcome.result {
            StepResult::Applied | StepResult::AlreadyApplied => Settled::Done(outcome.record),
            StepResult::Failed | StepResult::Unknown => Settled::Failed,
        };
        self.set(step.number, settled);
        if outcome.result != StepResult::Applied || step.write != WriteKind::Create {
            return;
        }
        match outcome.record {
            Some(id) if step.entity.is_collection() => {
                self.told.insert((step.entity.name, id));
                let stock = step.entity.meaning(Meaning::Stock).and_then(|field| step.body.get(field.name)?.as_i64());
                self.stocked.extend(stock.map(|count| ((step.entity.name, id), count)));
            }
            _ if step.entity.is_action() => {
                let done = Step::new(step.number, step.row, step.role, step.entity, step.write);
                self.done_actions.push(Step { body: step.body.clone(), ..done });
            }
            _ => {}
        }
    }

    pub(super) fn told(&self) -> &HashSet<(&'static str, i64)> {
        &self.told
    }

    pub(super) fn stocked(&self) -> &HashMap<(&'static str, i64), i64> {
        &self.stocked
    }

    pub(super) fn done_actions(&self) -> &[Step] {
        &self.done_actions
    }

    fn state(&self, step: u32) -> Settled {
        self.steps.get(step as usize).copied().unwrap_or(Settled::Failed)
    }

    fn set(&mut self, step: u32, state: Settled) {
        let number = step as usize;
        if self.steps.len() <= number {
            self.steps.resize(number + 1, Settled::Pending);
        }
        self.steps[number] = state;
    }
}
