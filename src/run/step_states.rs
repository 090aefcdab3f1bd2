//! The state of every step so far, and whether a step may be sent.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use crate::plan::{Step, StepOutcome, StepResult, WriteKind};
use crate::schema::Meaning;

/// The states of a run's steps, and what the run has created and done so far.
#[derive(Debug, Default)]
pub(super) struct StepStates {
    steps: Vec<StepState>,
    /// Records that the run is known to have created.
    created: HashSet<(&'static str, i64)>,
    /// The initial stock of items that the run created, by collection and record.
    initial_stock: HashMap<(&'static str, i64), i64>,
    /// Actions that were applied, with bodies as sent and without the values before.
    completed_actions: Vec<Step>,
    /// The same, of those that were not sent because they had been done.
    done_elsewhere: Vec<Step>,
}

/// The state of a step as its dependents see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    Pending,
    /// Applied, with the record's id where known.
    Applied(Option<i64>),
    Failed,
}

/// Whether a step may be sent, as far as its dependencies are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// A dependency has not ended.
    Blocked,
    /// A dependency can never be met; with the reason.
    DependencyFailed(&'static str),
}

impl StepStates {
    /// Whether the dependencies of a step are met.
    pub(super) fn readiness(&self, step: &Step) -> Readiness {
        for dependency in &step.depends_on {
            match (self.state(dependency.step), &dependency.field) {
                (StepState::Pending, _) => return Readiness::Blocked,
                (StepState::Failed, _) => {
                    return Readiness::DependencyFailed("another row that creates a record named here failed");
                }
                (StepState::Applied(None), Some(_)) => {
                    return Readiness::DependencyFailed(
                        "another row creates a record named here, but the service did not return its id",
                    );
                }
                (StepState::Applied(_), _) => {}
            }
        }
        Readiness::Ready
    }

    /// Fills the ids of records that earlier steps created into the body.
    pub(super) fn fill_in(&self, step: &mut Step) {
        for dependency in &step.depends_on {
            if let (StepState::Applied(Some(id)), Some(field)) = (self.state(dependency.step), &dependency.field) {
                step.body.insert(field.clone(), Json::from(id));
            }
        }
    }

    /// The step is being sent.
    pub(super) fn begin(&mut self, step: u32) {
        self.set(step, StepState::Pending);
    }

    /// The step has ended. Its body is as sent.
    pub(super) fn end(&mut self, step: &Step, outcome: &StepOutcome) {
        let state = if outcome.is_applied() { StepState::Applied(outcome.record) } else { StepState::Failed };
        self.set(step.number, state);
        if outcome.result == StepResult::AlreadyApplied && step.entity.is_action() {
            self.done_elsewhere.push(bare(step));
        }
        if outcome.result != StepResult::Applied || step.write != WriteKind::Create {
            return;
        }
        match outcome.record {
            Some(id) if step.entity.is_collection() => {
                self.created.insert((step.entity.name, id));
                let stock = step.entity.meaning(Meaning::Stock).and_then(|field| step.body.get(field.name)?.as_i64());
                self.initial_stock.extend(stock.map(|count| ((step.entity.name, id), count)));
            }
            _ if step.entity.is_action() => {
                self.completed_actions.push(bare(step));
            }
            _ => {}
        }
    }

    /// Whether any step was applied.
    pub(super) fn has_applied(&self) -> bool {
        self.steps.iter().any(|state| matches!(state, StepState::Applied(_)))
    }

    pub(super) fn created(&self) -> &HashSet<(&'static str, i64)> {
        &self.created
    }

    pub(super) fn initial_stock(&self) -> &HashMap<(&'static str, i64), i64> {
        &self.initial_stock
    }

    pub(super) fn completed_actions(&self) -> &[Step] {
        &self.completed_actions
    }

    pub(super) fn done_elsewhere(&self) -> &[Step] {
        &self.done_elsewhere
    }

    fn state(&self, step: u32) -> StepState {
        self.steps.get(step as usize).copied().unwrap_or(StepState::Failed)
    }

    fn set(&mut self, step: u32, state: StepState) {
        let number = step as usize;
        if self.steps.len() <= number {
            self.steps.resize(number + 1, StepState::Pending);
        }
        self.steps[number] = state;
    }
}

/// A step without the values before and what it depends on.
fn bare(step: &Step) -> Step {
    let bare = Step::new(step.number, step.row, step.role, step.entity, step.write);
    Step { body: step.body.clone(), ..bare }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::{DependsOn, RowId, StepRole};
    use crate::schema;

    fn step(number: u32, entity: &str, body: Json) -> Step {
        let entity = schema::find(entity).unwrap();
        let step = Step::new(number, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
        Step { body: body.as_object().cloned().unwrap(), ..step }
    }

    fn outcome(step: u32, result: StepResult, record: Option<i64>) -> StepOutcome {
        StepOutcome { step, result, record, after: None, message: String::new(), problems: Vec::new() }
    }

    #[test]
    fn records_and_actions_that_were_made_are_remembered() {
        let mut states = StepStates::default();
        states.end(&step(0, "accessories", json!({"quantity": 5})), &outcome(0, StepResult::Applied, Some(7)));
        // What the reply to an action names is no record that it made.
        states.end(&step(1, "checkout_accessory", json!({"quantity": 2})), &outcome(1, StepResult::Applied, Some(7)));
        states.end(&step(2, "checkout_accessory", json!({})), &outcome(2, StepResult::AlreadyApplied, None));
        states.end(&step(3, "locations", json!({})), &outcome(3, StepResult::Failed, None));
        assert_eq!(states.created, HashSet::from([("accessories", 7)]));
        let done: Vec<u32> = states.completed_actions.iter().map(|step| step.number).collect();
        assert_eq!(done, [1]);
        assert!(states.has_applied());
    }

    #[test]
    fn a_step_waits_for_what_it_needs() {
        let mut states = StepStates::default();
        let mut asset = step(1, "assets", json!({}));
        asset.depends_on.push(DependsOn { step: 0, field: Some(String::from("location_id")) });
        states.begin(0);
        assert_eq!(states.readiness(&asset), Readiness::Blocked);
        states.end(&step(0, "locations", json!({})), &outcome(0, StepResult::Applied, None));
        assert!(matches!(states.readiness(&asset), Readiness::DependencyFailed(_)), "its id is not known");
        states.end(&step(0, "locations", json!({})), &outcome(0, StepResult::Applied, Some(5)));
        assert_eq!(states.readiness(&asset), Readiness::Ready);
        states.fill_in(&mut asset);
        assert_eq!(asset.body["location_id"], 5);
        states.end(&step(0, "locations", json!({})), &outcome(0, StepResult::Failed, None));
        assert!(matches!(states.readiness(&asset), Readiness::DependencyFailed(_)));
    }

    #[test]
    fn the_stock_of_new_items_and_the_bodies_of_actions_are_kept() {
        let mut states = StepStates::default();
        assert!(!states.has_applied());
        states.end(&step(4, "locations", json!({})), &outcome(4, StepResult::Unknown, None));
        assert!(!states.has_applied());
        states.end(&step(0, "licenses", json!({"number_of_seats": 5})), &outcome(0, StepResult::Applied, Some(7)));
        states.end(&step(1, "accessories", json!({"quantity": "many"})), &outcome(1, StepResult::Applied, Some(8)));
        states.end(&step(2, "accessories", json!({"quantity": 3})), &outcome(2, StepResult::AlreadyApplied, Some(9)));
        let mut update = step(3, "accessories", json!({"quantity": 4}));
        update.write = WriteKind::Update(10);
        states.end(&update, &outcome(3, StepResult::Applied, Some(10)));
        assert_eq!(*states.initial_stock(), HashMap::from([(("licenses", 7), 5)]));
        assert_eq!(*states.created(), HashSet::from([("licenses", 7), ("accessories", 8)]));
        let mut out = step(5, "checkout_accessory", json!({"quantity": 2}));
        out.before = Some(serde_json::Map::new());
        states.end(&out, &outcome(5, StepResult::Applied, None));
        let [done] = states.completed_actions() else { panic!("{:?}", states.completed_actions()) };
        assert_eq!((done.number, &done.body, done.before.is_none()), (5, &out.body, true));
    }

    #[test]
    fn what_awaits_no_id_needs_none_and_an_unknown_step_is_a_failed_one() {
        let mut states = StepStates::default();
        let mut asset = step(1, "maintenances", json!({"asset_id": "T"}));
        asset.depends_on.push(DependsOn { step: 0, field: None });
        let failed = Readiness::DependencyFailed("another row that creates a record named here failed");
        assert_eq!(states.readiness(&asset), failed, "never planned");
        states.end(&step(0, "assets", json!({})), &outcome(0, StepResult::Applied, None));
        assert_eq!(states.readiness(&asset), Readiness::Ready);
        states.fill_in(&mut asset);
        assert_eq!(asset.body.len(), 1);
        // Those between that were not begun are pending.
        states.begin(7);
        asset.depends_on.push(DependsOn { step: 6, field: None });
        assert_eq!(states.readiness(&asset), Readiness::Blocked);
        assert_eq!(states.readiness(&step(9, "assets", json!({}))), Readiness::Ready);
        let mut of_id = step(2, "assets", json!({}));
        of_id.depends_on.push(DependsOn { step: 0, field: Some(String::from("product_id")) });
        assert!(
            matches!(states.readiness(&of_id), Readiness::DependencyFailed(why) if why.ends_with("did not return its id"))
        );
    }
}
