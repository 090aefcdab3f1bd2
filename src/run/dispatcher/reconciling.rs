//! What may or may not have been applied, what others have added, and what was applied twice: reads between the writes.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Dispatcher, LoopControl, StepTransport};
use crate::api::WriteReply;
use crate::observer::Wait;
use crate::plan::{Step, StepOutcome, StepResult, WriteKind};
use crate::run::journal::WriteCommand;
use crate::run::plan_snapshot::{Surroundings, available_stock};
use crate::run::reconcile::{ArrivalWindow, ExternalChanges, Resolution, find_duplicates, has_other_key, reconcile};
use crate::run::unresolved_steps::{Doubt, RetryDecision, UnresolvedStep};
use crate::run::{RunObserver, outcome};

impl<T: StepTransport> Dispatcher<'_, T> {
    /// Finds out which of the unresolved steps were applied.
    pub(super) async fn reconcile_lost(&mut self, control: &mut LoopControl<'_>) {
        let (made, batch): (Vec<_>, Vec<_>) =
            self.unresolved.take_batch().into_iter().partition(|unresolved| unresolved.made.is_some());
        if !made.is_empty() && !self.look_at_made(made, control).await {
            return self.unresolved.requeue(batch);
        }
        if batch.is_empty() {
            return;
        }
        let steps: Vec<&Step> = batch.iter().map(|unresolved| &unresolved.step).collect();
        let available = available_stock(steps.iter().copied(), &self.states);
        let is_sent = |unresolved: &&UnresolvedStep| unresolved.was_sent();
        let sent = batch.iter().filter(is_sent).map(|unresolved| {
            let number = unresolved.step.number;
            (number, self.send_times.get(&number).and_then(|times| self.snapshot.arrival(*times)))
        });
        let sent: HashMap<u32, Option<ArrivalWindow>> = sent.collect();
        let around = Surroundings { available: &available, other_runs: &*self.other_runs, sent: &sent };
        let context = self.snapshot.context(&self.states, around);
        let reconciling = reconcile(self.transport, &steps, &context);
        match control.wait(Some(Wait::Reconciling { requests: batch.len() }), reconciling).await {
            Some(Ok(resolutions)) => return self.apply_resolutions(batch, resolutions, control.observer),
            Some(Err(error)) => self.on_read_error(&error),
            None => self.on_interrupt(),
        }
        self.unresolved.requeue(batch);
    }

    fn apply_resolutions(
        &mut self,
        batch: Vec<UnresolvedStep>,
        resolutions: Vec<Resolution>,
        observer: &mut dyn RunObserver,
    ) {
        let mut retry_cause = None;
        for (unresolved, resolution) in batch.into_iter().zip(resolutions) {
            let outcome = match resolution {
                Resolution::Applied { id, record } => outcome::found_applied(&unresolved, id, record.as_ref()),
                Resolution::NotApplied if unresolved.doubt == Doubt::KeptValues => {
                    outcome::ignored(&unresolved, StepResult::Failed, self.sheet_of(&unresolved.step))
                }
                // Some of the fields were changed.
                Resolution::Indeterminate(_) if unresolved.doubt == Doubt::KeptValues => {
                    outcome::ignored(&unresolved, StepResult::Unknown, self.sheet_of(&unresolved.step))
                }
                Resolution::Indeterminate(where_to_look) => outcome::indeterminate(&unresolved, &where_to_look),
                Resolution::NotApplied if unresolved.doubt == Doubt::MissingId => {
                    outcome::indeterminate(&unresolved, "the service reported success, but the record does not exist")
                }
                Resolution::NotApplied if unresolved.is_surely_made() => {
                    outcome::indeterminate(&unresolved, "the service does not show the record yet")
                }
                Resolution::NotApplied | Resolution::DoneByOtherRun { .. }
                    if unresolved.may_still_appear(Instant::now()) =>
                {
                    self.unresolved.defer(unresolved);
                    continue;
                }
                // Not sent again: it would be refused again.
                Resolution::NotApplied if let Some(failure) = &unresolved.failure => {
                    outcome::rejected(&unresolved.step, failure, self.sheet_of(&unresolved.step))
                }
                Resolution::DoneByOtherRun { run } => outcome::found_done_by_other_run(&unresolved.step, &run),
                Resolution::NotApplied => {
                    match self.unresolved.confirm_not_applied(&unresolved, self.peers_succeed, Instant::now()) {
                        RetryDecision::GiveUp { sends } => outcome::gave_up(&unresolved, sends),
                        RetryDecision::Retry => {
                            let is_lost = matches!(unresolved.doubt, Doubt::LostResponse(_));
                            if is_lost && !self.unresolved.fails_alone(unresolved.step.number) {
                                retry_cause.get_or_insert(unresolved.cause);
                            }
                            self.retries.push_back(unresolved.step);
                            continue;
                        }
                    }
                }
            };
            self.record_outcome(unresolved.step, outcome, observer);
        }
        if let Some(cause) = retry_cause.filter(|_| !self.peers_succeed) {
            self.on_service_failure(&cause);
        }
        self.peers_succeed = false;
        self.sheet.get_or_insert(0);
    }

    /// Whether the reply to a create shows another record: one with another key, or one that another step has made.
    pub(super) fn is_about_another(&self, step: &Step, reply: &WriteReply) -> bool {
        let is_known = reply.id.is_some_and(|id| self.states.created().contains(&(step.entity.name, id)));
        is_known || reply.record.as_ref().is_some_and(|record| has_other_key(step, record))
    }

    /// Reads what others have added since the plan was made.
    pub(super) async fn detect_drift(&mut self, control: &mut LoopControl<'_>) {
        let log = (&self.snapshot.log, self.states.completed_actions());
        let (began, created) = (self.snapshot.began, self.states.created());
        let detecting = ExternalChanges::detect(self.transport, &self.unchecked, began, created, log);
        match control.wait(None, detecting).await {
            Some(Ok(changes)) => {
                self.external_changes = changes;
                self.unchecked.clear();
            }
            Some(Err(error)) => self.on_read_error(&error),
            None => self.on_interrupt(),
        }
    }

    /// Looks once more for what was sent more than once: the first request may have been applied after all. The row of
    /// a duplicate is then `unknown`, since only a person can tell which record to keep.
    pub(super) async fn detect_duplicates(&mut self, control: &mut LoopControl<'_>) {
        let steps: Vec<&Step> = self.resent.iter().map(|(step, _)| step).collect();
        let around = Surroundings { available: &HashMap::new(), other_runs: &*self.other_runs, sent: &HashMap::new() };
        let context = self.snapshot.context(&self.states, around);
        let finding = find_duplicates(self.transport, &steps, &context);
        match control.wait(Some(Wait::Reconciling { requests: steps.len() }), finding).await {
            Some(Ok(duplicates)) => {
                for ((step, outcome), others) in std::mem::take(&mut self.resent).into_iter().zip(duplicates) {
                    if !others.is_empty() {
                        let outcome = outcome::duplicated(&step, outcome, &others);
                        control.observer.on_duplicate(&outcome);
                        self.writer.append(WriteCommand::RecordOutcome(Arc::new(outcome)));
                    }
                }
            }
            Some(Err(error)) => self.on_read_error(&error),
            None => self.on_interrupt(),
        }
    }
}

/// Whether a step that was sent more than once may have made more than one record.
pub(super) fn may_be_doubled(step: &Step, outcome: &StepOutcome) -> bool {
    step.write == WriteKind::Create && step.entity.is_collection() && outcome.is_applied()
}
