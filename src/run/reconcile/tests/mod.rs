//! Lost answers against the sandbox, and against a model of a service that can be as odd as the guide allows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod actions;
mod model;
mod sandbox;
mod service;

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::{Known, LogStart, Settlement};
use crate::api::Body;
use crate::plan::{RowId, Step, StepRole, WriteKind};
use crate::schema;

/// What a run knows, owned.
#[derive(Debug, Default)]
struct Knowledge {
    told: HashSet<(&'static str, i64)>,
    sizes: HashMap<&'static str, u64>,
    log: LogStart,
    done_actions: Vec<Step>,
    available: HashMap<(&'static str, i64), i64>,
}

impl Knowledge {
    fn known(&self) -> Known<'_> {
        Known {
            told: &self.told,
            began: None,
            sizes: &self.sizes,
            log: &self.log,
            done_actions: &self.done_actions,
            available: &self.available,
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

/// Settlements in short: `#12`, `done`, `again`, or the message.
fn short(settlements: &[Settlement]) -> Vec<String> {
    let one = |settlement: &Settlement| match settlement {
        Settlement::Done { id: Some(id), .. } => format!("#{id}"),
        Settlement::Done { id: None, .. } => String::from("done"),
        Settlement::NotDone => String::from("again"),
        Settlement::Undecided(message) => message.clone(),
    };
    settlements.iter().map(one).collect()
}
