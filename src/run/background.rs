//! What was known of the account when the plan was made.

use std::collections::HashMap;

use jiff::Timestamp;

use super::reconcile::{LogPosition, RunContext};
use super::standing::Standing;
use crate::api::record_id;
use crate::plan::Step;
use crate::run::journal::AccountSnapshot;
use crate::schema::{self, Meaning};

/// How many of a stock item were available, by collection and record.
pub(super) type Available = HashMap<(&'static str, i64), i64>;

/// What the stock of items was: as the before-images of actions on them say, or as the run made them.
pub(super) fn available<'s>(steps: impl Iterator<Item = &'s Step>, standing: &Standing) -> Available {
    let stock = |step: &Step| {
        let (_, item) = step.entity.item()?;
        let before = step.before.as_ref()?;
        let available = before.get(Meaning::Available.field_name()).and_then(serde_json::Value::as_i64)?;
        Some(((item.to, record_id(before)?), available))
    };
    let made = standing.stocked().iter().map(|(item, count)| (*item, *count));
    made.chain(steps.filter_map(stock)).collect()
}

/// Tells the run's own deeds from what was there before.
#[derive(Debug, Default)]
pub(super) struct Background {
    sizes: HashMap<&'static str, u64>,
    pub(super) log: LogPosition,
}

impl Background {
    pub(super) fn new(knowledge: AccountSnapshot) -> Self {
        let known = |name: &str| schema::collection(name).map(|entity| entity.name);
        let sizes = knowledge.sizes.iter().filter_map(|(name, size)| Some((known(name)?, *size))).collect();
        Self { sizes, log: knowledge.log }
    }

    /// With what was available of the items that the lost actions are about, as their before-images tell.
    pub(super) fn known<'k>(
        &'k self,
        standing: &'k Standing,
        available: &'k Available,
        began: Timestamp,
    ) -> RunContext<'k> {
        RunContext {
            created: standing.told(),
            began: Some(began),
            sizes: &self.sizes,
            log: &self.log,
            completed_actions: standing.done_actions(),
            available,
        }
    }
}
