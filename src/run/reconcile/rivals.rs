//! What others may have done in place of a run: the actions of other runs of this machine, and the moments at which the run's
//! own requests were in flight.

use jiff::{SignedDuration, Timestamp};

use crate::api::Record;
use crate::catalog::entry_time;
use crate::plan::Step;
use crate::run::journal::SendTimes;
use crate::run::other_runs::OtherAction;
use crate::schema::Meaning;

/// How long a request may be on its way after it was last known to be: a process that was killed, or a gateway, does not
/// tell when the service has it. Longer than any request is waited for.
const MAX_TRAVEL: SignedDuration = SignedDuration::from_mins(2);

/// How far the difference of two clocks may be off: the service tells its time in whole seconds, and its reply takes a while.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// The time in which the service may have applied a request, by its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct ArrivalWindow {
    from: Timestamp,
    until: Timestamp,
}

impl ArrivalWindow {
    /// `ahead`: by how much the service's clock is ahead of ours.
    pub(in crate::run) fn new(sent: SendTimes, ahead: SignedDuration) -> Self {
        let moved = |at: Timestamp, by: SignedDuration| at.saturating_add(by).unwrap_or(at);
        let first = moved(sent.first, ahead);
        Self {
            from: first.saturating_sub(CLOCK_TOLERANCE).unwrap_or(first),
            until: moved(moved(sent.last, ahead), MAX_TRAVEL + CLOCK_TOLERANCE),
        }
    }

    /// Whether an entry may be about the request. One that does not tell its time may.
    pub(super) fn includes(self, entry: &Record) -> bool {
        entry_time(entry).is_none_or(|at| self.from <= at && at <= self.until)
    }
}

/// From when on other runs' actions may have entries in the log that are newer than the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct PlanTimes {
    /// What had ended by then has none.
    pub(in crate::run) log_read_at: Timestamp,
    /// What was sent later has one, and the plan does not know of it.
    pub(in crate::run) account_read_at: Option<Timestamp>,
}

/// The actions of other runs that matter to a run.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    /// Surely applied after the account was read.
    certain: Vec<OtherAction>,
    /// They may have been applied, or before it was read.
    possible: Vec<OtherAction>,
}

impl Rivals {
    pub(super) fn of(actions: Vec<OtherAction>, plan: PlanTimes) -> Self {
        let is_later = |action: &OtherAction| {
            let on_its_way = if action.sent.is_applied { SignedDuration::ZERO } else { MAX_TRAVEL };
            let is_in_flight = action.is_live && !action.sent.is_applied;
            let ended = action.sent.at.saturating_add(on_its_way).unwrap_or(action.sent.at);
            is_in_flight || ended >= plan.log_read_at
        };
        let is_certain = |action: &OtherAction| {
            let times = action.sent.sent_at.zip(plan.account_read_at);
            action.sent.is_applied && times.is_some_and(|(sent, read)| sent >= read)
        };
        let (certain, possible) = actions.into_iter().filter(is_later).partition(is_certain);
        Self { certain, possible }
    }

    pub(super) fn certain(&self) -> impl Iterator<Item = &Step> {
        self.certain.iter().map(|action| &action.sent.step)
    }

    pub(super) fn possible(&self) -> impl Iterator<Item = &Step> {
        self.possible.iter().map(|action| &action.sent.step)
    }

    /// The runs that have done exactly what a step sends, one for each time.
    pub(super) fn runs_that_did(&self, step: &Step) -> impl Iterator<Item = &str> {
        self.certain.iter().filter(|action| is_alike(&action.sent.step, step)).map(|action| action.run.as_str())
    }
}

/// Whether two actions are the same: item, holder, date, quantity and product key. Notes make no other action of it.
pub(super) fn is_alike(one: &Step, other: &Step) -> bool {
    let notes = one.entity.meaning(Meaning::ActionNotes).map(|field| field.name);
    let said =
        |step: &Step| step.body.iter().filter(|(name, value)| notes != Some(name.as_str()) && !value.is_null()).count();
    let has_same = |(name, value): (&String, &serde_json::Value)| {
        notes == Some(name.as_str()) || value.is_null() || other.body.get(name) == Some(value)
    };
    one.entity.name == other.entity.name && said(one) == said(other) && one.body.iter().all(has_same)
}
