//! Lost responses against the sandbox, and against a model of a service that may be as odd as the guide allows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod checkouts;
mod model;
mod sandbox;
pub(in crate::run) mod service;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{ArrivalWindow, PlanTimes, Resolution, RunContext};
use crate::api::Body;
use crate::catalog::LogPosition;
use crate::plan::{RowId, Step, StepRole, WriteKind};
use crate::run::other_runs::{OtherAction, OtherRuns};
use crate::schema;

/// When the plan was made.
const PLANNED: Timestamp = Timestamp::UNIX_EPOCH;

/// An owned [`RunContext`].
#[derive(Debug, Default)]
struct TestContext {
    created: HashSet<(&'static str, i64)>,
    sizes: HashMap<&'static str, u64>,
    log: LogPosition,
    completed_actions: Vec<Step>,
    available: HashMap<(&'static str, i64), i64>,
    other_runs: Told,
    done_elsewhere: Vec<Step>,
    sent: HashMap<u32, Option<ArrivalWindow>>,
}

/// What other runs have sent.
#[derive(Debug, Default)]
struct Told(Vec<OtherAction>);

impl OtherRuns for Told {
    fn actions(&self) -> Option<Vec<OtherAction>> {
        Some(self.0.clone())
    }
}

impl TestContext {
    fn borrowed(&self) -> RunContext<'_> {
        RunContext {
            created: &self.created,
            began: None,
            sizes: &self.sizes,
            log: &self.log,
            completed_actions: &self.completed_actions,
            available: &self.available,
            other_runs: &self.other_runs,
            plan: Some(PlanTimes { log_read_at: PLANNED, account_read_at: Some(PLANNED) }),
            done_elsewhere: &self.done_elsewhere,
            sent: &self.sent,
        }
    }
}

fn body(value: Json) -> Body {
    value.as_object().expect("a body").clone()
}

fn step(number: u32, entity: &str, write: WriteKind, sent: Json) -> Step {
    let entity = schema::importable().find(|other| other.name == entity).expect("an entity");
    let mut step = Step::new(number, RowId { sheet: 0, row: u64::from(number) + 2 }, StepRole::Row, entity, write);
    step.body = body(sent);
    step
}

/// A create or an action.
fn create(number: u32, entity: &str, sent: Json) -> Step {
    step(number, entity, WriteKind::Create, sent)
}

/// Resolutions in short: `#12`, `done`, `again`, or the message.
fn short(resolutions: &[Resolution]) -> Vec<String> {
    let one = |resolution: &Resolution| match resolution {
        Resolution::Applied { id: Some(id), .. } => format!("#{id}"),
        Resolution::Applied { id: None, .. } => String::from("done"),
        Resolution::NotApplied => String::from("again"),
        Resolution::DoneByOtherRun { run } => format!("done by {run}"),
        Resolution::Indeterminate(message) => message.clone(),
    };
    resolutions.iter().map(one).collect()
}
