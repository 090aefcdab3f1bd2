//! What was known about the account when the plan was made.

use std::collections::HashMap;

use jiff::Timestamp;

use super::reconcile::RunContext;
use super::step_states::StepStates;
use crate::api::record_id;
use crate::catalog::LogPosition;
use crate::plan::Step;
use crate::run::journal::AccountSnapshot;
use crate::schema::{self, Meaning};

/// How many of a stock item were available, by collection and record.
pub(super) type AvailableStock = HashMap<(&'static str, i64), i64>;

/// The stock of items before the actions of the run: from the state before each action, or as the run created them.
pub(super) fn available_stock<'s>(steps: impl Iterator<Item = &'s Step>, states: &StepStates) -> AvailableStock {
    let stock = |step: &Step| {
        let (_, item) = step.entity.item()?;
        let before = step.before.as_ref()?;
        let available = before.get(Meaning::Available.field_name()).and_then(serde_json::Value::as_i64)?;
        Some(((item.to, record_id(before)?), available))
    };
    let created = states.initial_stock().iter().map(|(item, count)| (*item, *count));
    created.chain(steps.filter_map(stock)).collect()
}

/// The account when the plan was made, to tell the run's own changes from those of others.
#[derive(Debug)]
pub(super) struct PlanSnapshot {
    sizes: HashMap<&'static str, u64>,
    pub(super) log: LogPosition,
    /// When the run began.
    pub(super) began: Timestamp,
}

impl PlanSnapshot {
    pub(super) fn new(account: AccountSnapshot, began: Timestamp) -> Self {
        let known = |name: &str| schema::collection(name).map(|entity| entity.name);
        let sizes = account.sizes.iter().filter_map(|(name, size)| Some((known(name)?, *size))).collect();
        Self { sizes, log: account.log, began }
    }

    /// The context for reconciling steps.
    pub(super) fn context<'k>(&'k self, states: &'k StepStates, available: &'k AvailableStock) -> RunContext<'k> {
        RunContext {
            created: states.created(),
            began: Some(self.began),
            sizes: &self.sizes,
            log: &self.log,
            completed_actions: states.completed_actions(),
            available,
        }
    }
}
