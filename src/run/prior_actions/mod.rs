//! What is known of check-ins and check-outs before a run: from the journals of this machine, and from the service's
//! activity log where no journal has one (design rule 11).
//!
//! A check-out is done if a journal shows it with the same item, holder, date and quantity, and no later check-in has
//! taken it back. A check-in returns the latest check-out of its item and holder. What an undo has reversed counts as if it
//! had never been done: a check-out whose check-in was undone is out as before. Of rows without such a check-out the
//! activity log of the item is read, in a bounded number of pages: check-outs to that holder that no journal explains
//! may be the row's.
//!
//! A comparison asks what is checked out now. The journals of this machine do not know what others have checked in since, so
//! it reads the log of every row's item.

mod journals;
mod ledger;
mod logged;

use std::collections::HashMap;

use jiff::Timestamp;

use self::journals::JournaledActions;
pub(super) use self::journals::{came_after, clock_skew};
use self::ledger::OutstandingAction;
use self::logged::ItemLogs;
use crate::account::Account;
use crate::catalog::LogPosition;
use crate::error::Result;
use crate::plan::{ActionRequest, PriorAction, PriorActions};

/// Of which rows the activity log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LogReading {
    /// Of those that no journal answers.
    #[default]
    Unanswered,
    /// Of all: others may have checked in what a journal shows as checked out.
    All,
}

/// From when on actions count.
#[derive(Debug, Clone, Default)]
pub(super) enum ActionsSince {
    #[default]
    Ever,
    /// Since a plan was made, which took into account what had been done before.
    Plan {
        /// When planning began, by the clock of this machine.
        began: Timestamp,
        /// The newest entry of the activity log then.
        log: LogPosition,
    },
}

/// Earlier actions on the items of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownActions {
    reading: LogReading,
    journaled: JournaledActions,
    logs: ItemLogs,
    /// How many rows with the same request have taken an earlier action.
    taken: HashMap<RequestKey, usize>,
}

/// What makes two rows ask for the same: action, item, holder, date, quantity and product key.
type RequestKey = (&'static str, i64, Option<(&'static str, i64)>, Option<String>, Option<i64>, Option<String>);

fn key_of(request: &ActionRequest) -> RequestKey {
    let holder = request.holder.as_ref().map(|(parameter, holder)| (*parameter, holder.id));
    let (date, key) = (request.date.clone(), request.key.clone());
    (request.action.name, request.item.id, holder, date, request.quantity, key)
}

impl KnownActions {
    /// Looks up what the rows of a run ask for.
    ///
    /// # Errors
    /// Where the journals or the activity log cannot be read.
    pub(super) async fn find(
        account: &Account,
        requests: Vec<ActionRequest>,
        reading: LogReading,
        since: &ActionsSince,
    ) -> Result<Self> {
        if requests.is_empty() {
            return Ok(Self::default());
        }
        let journaled = JournaledActions::read(account, &requests, since)?;
        let mut known = Self { reading, journaled, ..Self::default() };
        // A trial run over the rows leaves those that no journal answers.
        let mut open = |request: &ActionRequest| {
            let is_asked = request.is_checkout() && !request.is_of_tagged_item();
            is_asked && (reading == LogReading::All || known.journaled(request) == PriorAction::Absent)
        };
        let open: Vec<ActionRequest> = requests.iter().filter(|request| open(request)).cloned().collect();
        known.taken.clear();
        if !open.is_empty() {
            known.logs = ItemLogs::read(&account.client, account.concurrency.into(), &open, (reading, since)).await?;
            // Runs at work may have gone on meanwhile: what the log shows of them is theirs.
            known.journaled = JournaledActions::read(account, &requests, since)?;
        }
        Ok(known)
    }

    fn journaled(&mut self, request: &ActionRequest) -> PriorAction {
        let found = self.journaled.outstanding(request);
        let is_same = |action: &OutstandingAction<'_>| !action.is_in_flight() && action.is_same(request);
        let mut same: Vec<OutstandingAction<'_>> = found.iter().copied().filter(is_same).collect();
        if same.is_empty() {
            return PriorAction::Absent;
        }
        // What surely was done is taken first.
        same.sort_by_key(|action| !action.is_applied());
        let taken = self.taken.entry(key_of(request)).or_default();
        let prior = match same.get(*taken) {
            None => return PriorAction::Absent,
            Some(action) if action.is_applied() => match self.logs.still_out(request) {
                // The earliest are taken for those that are still out.
                Some(out) if self.reading == LogReading::All && position(&found, action, request) >= out => {
                    PriorAction::Absent
                }
                _ => PriorAction::Done { run: action.run().to_owned() },
            },
            Some(action) => return PriorAction::Unresolved { run: action.run().to_owned() },
        };
        *taken += 1;
        prior
    }

    fn logged(&self, request: &ActionRequest) -> PriorAction {
        if !request.is_checkout() || request.is_of_tagged_item() {
            return PriorAction::Absent;
        }
        let ours = self.journaled.outstanding(request);
        let is_ours = |action: &&OutstandingAction<'_>| action.is_applied() || action.is_in_flight();
        let ours = ours.iter().filter(is_ours).filter(|action| action.has_quantity_of(request)).count();
        self.logs.unexplained(request, ours)
    }
}

/// How many check-outs like a request were made before that one, as far as the journals show.
fn position(outstanding: &[OutstandingAction<'_>], action: &OutstandingAction<'_>, request: &ActionRequest) -> usize {
    let like = outstanding.iter().filter(|known| known.is_applied() && known.has_quantity_of(request));
    like.take_while(|known| !known.is_identical(action)).count()
}

impl PriorActions for KnownActions {
    fn take(&mut self, request: &ActionRequest) -> PriorAction {
        match self.journaled(request) {
            PriorAction::Absent => self.logged(request),
            prior => prior,
        }
    }

    fn done_after(&self, request: &ActionRequest, time: Timestamp) -> PriorAction {
        let found = self.journaled.outstanding(request);
        let is_later = |action: &&OutstandingAction<'_>| action.is_of_row() && action.action.at > time;
        let later = found.iter().filter(is_later).filter(|action| !action.is_in_flight());
        match later.max_by_key(|action| action.is_applied()) {
            None => PriorAction::Absent,
            Some(action) if action.is_applied() => PriorAction::Done { run: action.run().to_owned() },
            Some(action) => PriorAction::Unresolved { run: action.run().to_owned() },
        }
    }
}
