//! What was known about the account when the plan was made.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::other_runs::OtherRuns;
use super::reconcile::{ArrivalWindow, PlanTimes, RunContext};
use super::step_states::StepStates;
use crate::api::record_id;
use crate::catalog::LogPosition;
use crate::plan::Step;
use crate::run::journal::{AccountSnapshot, SendTimes};
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
    /// When the run began, by the service's clock as far as it told its time.
    pub(super) began: Timestamp,
    /// By how much the service's clock is ahead of ours, where it told its time.
    clock_ahead: Option<SignedDuration>,
    plan: PlanTimes,
}

/// What a run knows of its own requests and of other runs when it looks for what was lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'k> {
    pub(super) available: &'k AvailableStock,
    pub(super) other_runs: &'k dyn OtherRuns,
    /// The steps that were sent.
    pub(super) sent: &'k HashMap<u32, Option<ArrivalWindow>>,
}

impl PlanSnapshot {
    pub(super) fn new(account: AccountSnapshot, began: Timestamp) -> Self {
        let known = |name: &str| schema::collection(name).map(|entity| entity.name);
        let sizes = account.sizes.iter().filter_map(|(name, size)| Some((known(name)?, *size))).collect();
        let moment = |milliseconds: i64| Timestamp::from_millisecond(milliseconds).ok();
        let plan = PlanTimes {
            log_read_at: account.log_read_at.and_then(moment).unwrap_or(began),
            account_read_at: account.account_read_at.and_then(moment),
        };
        let clock_ahead = account.clock_ahead.map(SignedDuration::from_secs);
        Self { sizes, began: account.by_service_clock(began), log: account.log, clock_ahead, plan }
    }

    /// When requests may have arrived, by the service's clock; none where that is not known.
    pub(super) fn arrival(&self, sent: SendTimes) -> Option<ArrivalWindow> {
        Some(ArrivalWindow::new(sent, self.clock_ahead?))
    }

    /// The context for reconciling steps.
    pub(super) fn context<'k>(&'k self, states: &'k StepStates, around: Surroundings<'k>) -> RunContext<'k> {
        RunContext {
            created: states.created(),
            began: Some(self.began),
            sizes: &self.sizes,
            log: &self.log,
            completed_actions: states.completed_actions(),
            available: around.available,
            other_runs: around.other_runs,
            plan: Some(self.plan),
            done_elsewhere: states.done_elsewhere(),
            sent: around.sent,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::{RowId, StepRole, WriteKind};
    use crate::run::other_runs::NoOtherRuns;

    #[test]
    fn stock_is_known_from_before_each_action() {
        let step = |name: &str, before: serde_json::Value| {
            let entity = schema::find(name).unwrap();
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
            Step { before: before.as_object().cloned(), ..step }
        };
        let steps = [
            step("checkout_accessory", json!({"id": 5, "available": 9})),
            step("checkin_accessory", json!({"id": 6, "available": 0})),
            step("checkout_consumable", json!({"id": 5, "available": 3})),
            step("checkout_consumable", json!({"id": 7})),
            step("checkout_consumable", json!(null)),
            step("accessories", json!({"id": 8, "available": 4})),
        ];
        let stock = available_stock(steps.iter(), &StepStates::default());
        let expected = [(("accessories", 5), 9), (("accessories", 6), 0), (("consumables", 5), 3)];
        assert_eq!(stock, AvailableStock::from(expected));
    }

    #[test]
    fn sizes_are_kept_of_collections_that_there_are_and_times_are_the_services() {
        let sizes = vec![(String::from("locations"), 7), (String::from("gone"), 3)];
        let account =
            AccountSnapshot { sizes, log: LogPosition::Empty, clock_ahead: Some(-7_200), ..AccountSnapshot::default() };
        let snapshot = PlanSnapshot::new(account, Timestamp::from_second(7_200).unwrap());
        assert_eq!(snapshot.sizes, HashMap::from([("locations", 7)]));
        let (states, available) = (StepStates::default(), AvailableStock::new());
        let around = Surroundings { available: &available, other_runs: &NoOtherRuns, sent: &HashMap::new() };
        let context = snapshot.context(&states, around);
        assert_eq!((context.began, context.log), (Some(Timestamp::UNIX_EPOCH), &LogPosition::Empty));
        assert_eq!((context.sizes.get("locations"), context.created.len()), (Some(&7), 0));
    }
}
