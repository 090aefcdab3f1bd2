//! Steps whose record another run of this machine is writing or has written.

use std::time::Duration;

use tokio::time::Instant;

use super::{Dispatcher, StepTransport};
use crate::observer::Wait;
use crate::plan::{Step, StepOutcome};
use crate::run::RunObserver;
use crate::run::claims::{ClaimResult, Claims, ClaimsError};
use crate::run::journal::JournalError;
use crate::run::outcome;
use crate::run::unresolved_steps::{Doubt, UnresolvedStep};

/// How often to look whether another run has finished with a record.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The most steps that wait for other runs: then nothing more is prepared.
const MAX_WAITING: usize = 64;

/// What other runs are writing, and the steps that wait for it.
#[derive(Debug, Default)]
pub(super) struct Claiming {
    /// None for an account that only one process can work with.
    claims: Option<Claims>,
    /// With the run that each waits for.
    waiting: Vec<(Step, String)>,
    check_at: Option<Instant>,
}

impl Claiming {
    pub(super) fn new(claims: Option<Claims>) -> Self {
        Self { claims, ..Self::default() }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// When to look again whether other runs have finished.
    pub(super) fn check_at(&self) -> Instant {
        self.check_at.unwrap_or_else(Instant::now)
    }

    /// The steps that waited, once it is time to look again.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Step> {
        if self.waiting.is_empty() || self.check_at.is_some_and(|at| at > now) {
            return Vec::new();
        }
        self.check_at = Some(now + CHECK_INTERVAL);
        self.waiting.drain(..).map(|(step, _)| step).collect()
    }

    /// The run that most wait for, for the observer.
    pub(super) fn wait(&self) -> Option<Wait> {
        let (_, run) = self.waiting.first()?;
        Some(Wait::OtherRun { run: run.clone(), rows: self.waiting.len() })
    }

    fn acquire(&mut self, step: &Step) -> Result<ClaimResult, ClaimsError> {
        self.claims.as_mut().map_or(Ok(ClaimResult::Claimed), |claims| claims.acquire(step))
    }

    /// The step has ended.
    pub(super) fn end(&mut self, step: &Step, outcome: &StepOutcome) -> Result<(), ClaimsError> {
        self.claims.as_mut().map_or(Ok(()), |claims| claims.end(step, outcome))
    }

    /// The step was not sent. A claim that cannot be released lasts as long as the process.
    pub(super) fn release(&mut self, step: u32) {
        if let Some(claims) = &mut self.claims {
            let _ = claims.release(step);
        }
    }
}

impl<'c, T: StepTransport> Dispatcher<'c, T> {
    /// Sends nothing that another run is writing at the time.
    #[must_use]
    pub(crate) fn with_claims(mut self, claims: Option<Claims>) -> Self {
        self.claiming = Claiming::new(claims);
        self
    }

    /// Runs `act`, in which steps are claimed or end, and writes all their claims in one transaction before it returns. Other
    /// runs wait meanwhile, so `act` must not wait for anything.
    pub(super) fn in_one_batch_of_claims(
        &mut self,
        observer: &mut dyn RunObserver,
        act: impl FnOnce(&mut Self, &mut dyn RunObserver),
    ) {
        if let Some(claims) = &mut self.claiming.claims {
            claims.begin();
        }
        act(self, observer);
        if let Some(Err(error)) = self.claiming.claims.as_mut().map(Claims::commit) {
            self.abort_for_claims(error, observer);
        }
    }

    fn abort_for_claims(&mut self, error: ClaimsError, observer: &mut dyn RunObserver) {
        if !self.has_journal_failed {
            self.abort(&JournalError::from(error), observer);
        }
    }

    /// Claims what a step writes. None if the step is not sent now: it waits, has ended, or has to be looked for.
    pub(super) fn claim(&mut self, step: Step, observer: &mut dyn RunObserver) -> Option<Step> {
        let now = Instant::now();
        match self.claiming.acquire(&step) {
            Ok(ClaimResult::Claimed) => return Some(step),
            Ok(ClaimResult::Held { run }) if self.options.no_wait => {
                let outcome = outcome::held_by_other_run(&step, &run);
                self.record_outcome(step, outcome, observer);
            }
            Ok(ClaimResult::Held { run }) => {
                self.claiming.check_at.get_or_insert(now + CHECK_INTERVAL);
                self.claiming.waiting.push((step, run));
            }
            Ok(ClaimResult::DoneAlike { run, record }) => {
                let outcome = outcome::done_by_other_run(&step, &run, record);
                self.record_outcome(step, outcome, observer);
            }
            Ok(ClaimResult::Changed { run, record }) => {
                let made = self.record_of_other_run(&step, record);
                let mut unresolved = UnresolvedStep::of_other_run(step, Doubt::OtherRun, &run);
                unresolved.made = made;
                self.unresolved.add(unresolved, now);
            }
            Ok(ClaimResult::Abandoned { run }) => {
                self.unresolved.add(UnresolvedStep::of_other_run(step, Doubt::Abandoned, &run), now);
            }
            Err(error) => {
                // It is still pending in the journal.
                self.abort(&JournalError::from(error), observer);
            }
        }
        None
    }

    /// Tells other runs that a step has ended.
    pub(super) fn end_claim(&mut self, step: &Step, outcome: &StepOutcome, observer: &mut dyn RunObserver) {
        if let Err(error) = self.claiming.end(step, outcome) {
            self.abort_for_claims(error, observer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{RowId, StepRole, WriteKind};
    use crate::schema;

    #[test]
    fn steps_that_wait_for_other_runs_are_looked_at_when_it_is_time() {
        let row = RowId { sheet: 0, row: 2 };
        let step = Step::new(7, row, StepRole::Row, schema::COLLECTIONS[0], WriteKind::Create);
        let (now, later) = (Instant::now(), Instant::now() + CHECK_INTERVAL);
        let mut claiming = Claiming { check_at: Some(later), ..Claiming::default() };
        assert!(claiming.take_due(later).is_empty() && claiming.has_room() && !claiming.is_waiting());
        claiming.waiting.push((step, String::from("a")));
        assert!(claiming.take_due(now).is_empty() && claiming.is_waiting());
        let due: Vec<u32> = claiming.take_due(later).iter().map(|step| step.number).collect();
        assert_eq!((due, claiming.is_waiting()), (vec![7], false));
        assert_eq!(claiming.check_at(), later + CHECK_INTERVAL);
    }
}
