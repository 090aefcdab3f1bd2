//! The dispatcher: the loop that owns the state of a run.
//!
//! A step is read from the journal, its intent is recorded, it is sent, its outcome is recorded, and the outcome is
//! reported. Intent and outcome are on disk before the loop goes on. A step whose response was lost waits; once nothing
//! is in flight and nothing else can be sent, or a batch is full, all such steps are reconciled together. Each then gets
//! its outcome or is sent again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, interval, sleep_until};

use self::claiming::Claiming;
use self::loop_control::{Arrival, LoopControl};
use self::reconciling::may_be_doubled;
use super::backoff::ServiceBackoff;
use super::other_runs::{NoOtherRuns, OtherRuns};
use super::outcome;
use super::plan_snapshot::PlanSnapshot;
use super::reconcile::ExternalChanges;
use super::step_states::{Readiness, StepStates};
use super::unresolved_steps::{FailedAnswers, UnresolvedStep, UnresolvedSteps};
use super::worker::{self, CompletedAttempt, StepTransport};
use super::{DispatchOptions, RunEnd, RunObserver, RunStart};
use crate::api::{ApiError, FailureScope, WriteFailure, WriteOutcome, WriteReply};
use crate::observer::Wait;
use crate::plan::{Step, StepOutcome, StepRole, WriteKind};
use crate::run::journal::{
    Journal, JournalError, JournalWriter, PendingEntity, SendTimes, SheetHeader, WriteCommand, WriteEvent,
};
use crate::run::reconcile::kept_fields;
use crate::shutdown::ShutdownSignal;

mod blocked;
mod claiming;
mod loop_control;
mod made_elsewhere;
mod reconciling;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

/// How often the observer is told what the dispatcher is doing.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// Steps read from the journal at a time.
const READ_BATCH: usize = 512;

type InFlight<'c> = Pin<Box<dyn Future<Output = CompletedAttempt> + 'c>>;

/// Sends the pending steps of a journal and reports each outcome, in the order in which the steps end.
pub struct Dispatcher<'c, T> {
    transport: &'c T,
    options: DispatchOptions,
    sheets: &'c [SheetHeader],
    snapshot: PlanSnapshot,
    writer: JournalWriter,
    /// Steps read from the journal.
    queue: VecDeque<Step>,
    /// Steps to send again, before all others.
    retries: VecDeque<Step>,
    read_state: JournalReadState,
    /// Steps whose intent is being written.
    recording_intent: HashMap<u32, Step>,
    /// Steps whose intent is on disk.
    ready: VecDeque<Step>,
    in_flight: FuturesUnordered<InFlight<'c>>,
    /// Steps whose outcome is being written.
    recording_outcome: HashMap<u32, (Step, Arc<StepOutcome>)>,
    states: StepStates,
    unresolved: UnresolvedSteps,
    claiming: Claiming,
    /// What other runs of this machine have sent meanwhile.
    other_runs: Box<dyn OtherRuns + 'c>,
    /// When the steps were sent that have no outcome.
    send_times: HashMap<u32, SendTimes>,
    backoff: ServiceBackoff,
    /// Whether any step has been applied since the last reconciliation.
    peers_succeed: bool,
    /// What others have added or changed since the plan was made.
    external_changes: ExternalChanges,
    /// What a resumed run still writes to, until it is checked for external changes.
    unchecked: Vec<PendingEntity>,
    /// The sheet being sent; none before the first step.
    sheet: Option<u16>,
    /// Steps that were blocked or forbidden, until it shows whether everything is.
    blocked: Vec<(Step, WriteFailure)>,
    /// Steps that earlier processes sent more than once.
    resent_before: HashSet<u32>,
    /// Creates that were sent more than once, until they are checked for duplicates at the end.
    resent: Vec<(Step, StepOutcome)>,
    failed_rows: u64,
    end: RunEnd,
    interrupts: u32,
    has_journal_failed: bool,
}

/// How far the journal has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JournalReadState {
    /// Continue from this step.
    Next(u32),
    Requested,
    Finished,
}

/// What the loop does next.
enum NextAction {
    /// Something is in flight or being written.
    Poll,
    Sleep(Instant),
    Reconcile,
    /// Other runs are writing what all that is left writes.
    AwaitOtherRuns,
    /// Check what others have added since the plan was made.
    DetectDrift,
    /// Check whether what was sent more than once exists more than once.
    DetectDuplicates,
    Finish,
}

impl<'c, T: StepTransport> Dispatcher<'c, T> {
    /// Continues a run from the state in its journal.
    ///
    /// # Errors
    /// Where the journal cannot be read, or the writer thread cannot be started.
    pub fn new(
        transport: &'c T,
        options: DispatchOptions,
        sheets: &'c [SheetHeader],
        journal: Journal,
    ) -> Result<Self, JournalError> {
        Self::with_writer(transport, options, sheets, journal, JournalWriter::start)
    }

    fn with_writer(
        transport: &'c T,
        options: DispatchOptions,
        sheets: &'c [SheetHeader],
        journal: Journal,
        start_writer: impl FnOnce(Journal) -> std::io::Result<JournalWriter>,
    ) -> Result<Self, JournalError> {
        let mut states = StepStates::default();
        let (resent_before, mut resent) = (journal.resent_steps()?, Vec::new());
        journal.each_outcome(&mut |mut step, outcome| {
            states.fill_in(&mut step);
            states.end(&step, &outcome);
            if resent_before.contains(&step.number) && may_be_doubled(&step, &outcome) {
                resent.push((step, outcome));
            }
        })?;
        let slowest_response = Duration::from_millis(journal.slowest_response()?);
        let mut unresolved = UnresolvedSteps::new(options.lost_waits, slowest_response);
        for mut step in journal.unresolved_steps()? {
            states.begin(step.number);
            states.fill_in(&mut step);
            unresolved.add(UnresolvedStep::of_stopped_run(step), Instant::now());
        }
        let send_times = journal.send_times(Timestamp::now())?;
        let unchecked = match options.start {
            RunStart::Fresh => Vec::new(),
            RunStart::Resumed => journal.pending_entities()?,
        };
        let snapshot = PlanSnapshot::new(journal.account_snapshot()?, journal.started_at()?);
        let path = journal.path();
        let writer = start_writer(journal).map_err(|source| JournalError::Folder { path, source })?;
        Ok(Self {
            transport,
            failed_rows: options.failed_before,
            options,
            sheets,
            snapshot,
            writer,
            queue: VecDeque::new(),
            retries: VecDeque::new(),
            read_state: JournalReadState::Next(0),
            recording_intent: HashMap::new(),
            ready: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            recording_outcome: HashMap::new(),
            states,
            unresolved,
            claiming: Claiming::default(),
            other_runs: Box::new(NoOtherRuns),
            send_times,
            backoff: ServiceBackoff::default(),
            peers_succeed: false,
            external_changes: ExternalChanges::default(),
            unchecked,
            sheet: None,
            blocked: Vec::new(),
            resent_before,
            resent,
            end: RunEnd::Complete,
            interrupts: 0,
            has_journal_failed: false,
        })
    }

    /// Knows what other runs of this machine have sent.
    #[must_use]
    pub(super) fn with_other_runs(mut self, runs: impl OtherRuns + 'c) -> Self {
        self.other_runs = Box::new(runs);
        self
    }

    /// Runs to the end of the plan, or until something stops it. Requests in flight complete, unless a second interrupt
    /// comes. Gives the journal back, which has the outcome of everything sent.
    ///
    /// # Errors
    /// Where the writer thread panicked, which is a bug.
    pub async fn run(
        mut self,
        shutdown: &mut ShutdownSignal,
        observer: &mut dyn RunObserver,
    ) -> Result<(Journal, RunEnd), JournalError> {
        let mut control = LoopControl { shutdown, clock: interval(PROGRESS_INTERVAL), observer };
        self.enforce_error_limit();
        loop {
            // What an earlier process left unresolved comes before anything new.
            if self.unchecked.is_empty() && (self.sheet.is_some() || self.unresolved.is_empty()) {
                self.in_one_batch_of_claims(control.observer, Self::prepare_steps);
            }
            self.decide_blocked(control.observer);
            match self.next_action(Instant::now()) {
                NextAction::Poll => self.poll_events(&mut control).await,
                NextAction::Sleep(until) => self.sleep_until_retry(until, &mut control).await,
                NextAction::Reconcile => self.reconcile_lost(&mut control).await,
                NextAction::AwaitOtherRuns => self.await_other_runs(&mut control).await,
                NextAction::DetectDrift => self.detect_drift(&mut control).await,
                NextAction::DetectDuplicates => self.detect_duplicates(&mut control).await,
                NextAction::Finish => break,
            }
            if self.interrupts > 1 {
                break;
            }
        }
        self.finish(control.observer)
    }

    fn next_action(&self, now: Instant) -> NextAction {
        if self.is_busy() {
            return NextAction::Poll;
        }
        let may_read = matches!(self.end, RunEnd::Complete | RunEnd::TooManyErrors);
        if let Some(until) = self.backoff.retry_at(now).filter(|_| may_read) {
            return NextAction::Sleep(until);
        }
        if may_read && !self.unresolved.is_empty() {
            let at = self.unresolved.reconcile_at(now);
            return if at > now { NextAction::Sleep(at) } else { NextAction::Reconcile };
        }
        let is_over = self.end != RunEnd::Complete || (self.unchecked.is_empty() && self.is_exhausted());
        if is_over && may_read && !self.resent.is_empty() {
            return NextAction::DetectDuplicates;
        }
        if is_over {
            return NextAction::Finish;
        }
        if !self.unchecked.is_empty() {
            return NextAction::DetectDrift;
        }
        if self.claiming.is_waiting() { NextAction::AwaitOtherRuns } else { NextAction::Poll }
    }

    fn is_busy(&self) -> bool {
        self.is_sending() || !self.recording_outcome.is_empty() || self.read_state == JournalReadState::Requested
    }

    fn is_sending(&self) -> bool {
        !self.in_flight.is_empty() || !self.recording_intent.is_empty() || !self.ready.is_empty()
    }

    fn is_exhausted(&self) -> bool {
        let is_read = self.read_state == JournalReadState::Finished && self.queue.is_empty();
        is_read && self.retries.is_empty() && !self.claiming.is_waiting()
    }

    /// Claims the next steps and records their intents, while there is room and the first of them is ready.
    fn prepare_steps(&mut self, observer: &mut dyn RunObserver) {
        let now = Instant::now();
        self.retries.extend(self.claiming.take_due(now));
        while self.has_room(now) {
            let Some(mut step) = self.retries.pop_front().or_else(|| self.queue.pop_front()) else {
                return self.request_steps();
            };
            match self.readiness(&step) {
                Readiness::Blocked => return self.queue.push_front(step),
                Readiness::DependencyFailed(reason) => {
                    let outcome = outcome::dependency_failed(&step, reason);
                    self.record_outcome(step, outcome, observer);
                }
                Readiness::Ready => {
                    self.sheet = Some(step.row.sheet);
                    self.states.fill_in(&mut step);
                    if let Some(tag) = self.external_changes.tag_of_other(&step) {
                        let outcome = outcome::item_replaced(&step, tag);
                        self.record_outcome(step, outcome, observer);
                        continue;
                    }
                    self.states.begin(step.number);
                    let Some(step) = self.claim(step, observer) else { continue };
                    if self.may_exist_already(&step) {
                        self.unresolved.add(UnresolvedStep::external_change(step), now);
                        continue;
                    }
                    if self.unresolved.is_look_outdated(step.number, now) {
                        self.unresolved.add(UnresolvedStep::outdated_look(step), now);
                        continue;
                    }
                    self.writer.append(WriteCommand::RecordIntent(step.number));
                    self.recording_intent.insert(step.number, step);
                }
            }
        }
    }

    /// Whether others may have created what the step creates, or changed what it changes. Only asked once of each step: then it
    /// is reconciled.
    fn may_exist_already(&self, step: &Step) -> bool {
        !self.unresolved.was_unresolved(step.number) && self.external_changes.may_include(step)
    }

    fn has_room(&self, now: Instant) -> bool {
        self.end == RunEnd::Complete
            && self.backoff.retry_at(now).is_none()
            && !self.unresolved.is_batch_full()
            && self.claiming.has_room()
            && self.recording_intent.len() + self.ready.len() < self.max_prepared()
    }

    /// Twice as many steps are prepared as are in flight, so that none waits for the disk. While the service is failing,
    /// one step at a time probes it.
    fn max_prepared(&self) -> usize {
        if self.backoff.is_closed() { 2 * self.options.concurrency } else { usize::from(self.in_flight.is_empty()) }
    }

    fn request_steps(&mut self) {
        if let JournalReadState::Next(from) = self.read_state {
            self.writer.append(WriteCommand::ReadSteps { from, limit: READ_BATCH });
            self.read_state = JournalReadState::Requested;
        }
    }

    /// A step is ready once the previous sheet has ended and its dependencies are met.
    fn readiness(&self, step: &Step) -> Readiness {
        let is_idle = !self.is_busy() && self.unresolved.is_empty() && !self.claiming.is_waiting();
        if self.sheet.is_some_and(|sheet| sheet != step.row.sheet) && !is_idle {
            return Readiness::Blocked;
        }
        match self.states.readiness(step) {
            // No remaining step can complete this dependency.
            Readiness::Blocked if is_idle => {
                Readiness::DependencyFailed("another row that creates a record named here was not finished")
            }
            readiness => readiness,
        }
    }

    /// Waits for the next event and handles it, and all others that have arrived by then.
    async fn poll_events(&mut self, control: &mut LoopControl<'_>) {
        self.writer.flush();
        let arrival = tokio::select! {
            biased;
            () = control.shutdown.next() => {
                self.on_interrupt();
                Arrival::Progress
            }
            _ = control.clock.tick() => Arrival::Progress,
            () = sleep_until(self.claiming.check_at()), if self.claiming.is_waiting() => Arrival::ClaimsDue,
            event = self.writer.next(), if !self.has_journal_failed => Arrival::Written(event),
            Some(attempt) = self.in_flight.next(), if !self.in_flight.is_empty() => Arrival::Completed(Box::new(attempt)),
        };
        self.in_one_batch_of_claims(control.observer, |run, observer| run.on_arrival(arrival, observer));
        self.start_ready();
    }

    /// Handles what has arrived, and all else that has by now, so that it shares a commit.
    fn on_arrival(&mut self, arrival: Arrival, observer: &mut dyn RunObserver) {
        match arrival {
            Arrival::Progress => observer.on_progress(self.waiting().as_ref()),
            Arrival::ClaimsDue => {}
            Arrival::Written(event) => self.on_journal_event(event, observer),
            Arrival::Completed(attempt) => self.on_completion(*attempt, observer),
        }
        while let Some(Some(attempt)) = self.in_flight.next().now_or_never() {
            self.on_completion(attempt, observer);
        }
        while let Some(event) = self.writer.try_next() {
            self.on_journal_event(event, observer);
        }
    }

    /// What keeps the run from sending.
    fn waiting(&self) -> Option<Wait> {
        match self.in_flight.len() {
            0 if self.interrupts > 0 => None,
            requests if self.interrupts > 0 => Some(Wait::Draining { requests }),
            _ => {
                let backing_off = self.backoff.retry_at(Instant::now()).map(|until| Wait::BackingOff { until });
                backing_off.or_else(|| self.claiming.wait())
            }
        }
    }

    fn on_journal_event(&mut self, event: WriteEvent, observer: &mut dyn RunObserver) {
        match event {
            WriteEvent::IntentRecorded(step) => self.ready.extend(self.recording_intent.remove(&step)),
            WriteEvent::OutcomeRecorded(step) => self.publish(step, observer),
            WriteEvent::Steps(steps) => {
                self.read_state = match steps.last() {
                    Some(last) => JournalReadState::Next(last.number + 1),
                    None => JournalReadState::Finished,
                };
                self.queue.extend(steps);
            }
            WriteEvent::Failed(error) => self.abort(&error, observer),
        }
    }

    fn start_ready(&mut self) {
        if self.end != RunEnd::Complete {
            return self.clear_unsent_intents();
        }
        while self.in_flight.len() < self.options.concurrency {
            let Some(step) = self.ready.pop_front() else { return };
            let now = Timestamp::now();
            self.send_times.entry(step.number).or_insert(SendTimes::at(now)).add(now);
            self.in_flight.push(Box::pin(worker::send(self.transport, step)));
        }
    }

    /// Makes steps pending again that were prepared and will not be sent.
    fn clear_unsent_intents(&mut self) {
        let recording = self.recording_intent.drain().map(|(number, _)| number);
        for step in self.ready.drain(..).map(|step| step.number).chain(recording) {
            self.writer.append(WriteCommand::ClearIntent(step));
            self.claiming.release(step);
        }
    }

    fn on_completion(&mut self, attempt: CompletedAttempt, observer: &mut dyn RunObserver) {
        let answers = attempt.failed_answers();
        let CompletedAttempt { step, result, attempts, .. } = attempt;
        // A timeout or a cut counts as well: the service is at least that slow.
        if !matches!(&result, Err(failure) if failure.outcome == WriteOutcome::NotSent) {
            attempts.iter().for_each(|attempt| self.unresolved.record_response_time(attempt.took));
        }
        let records = attempts.into_iter().map(|attempt| worker::attempt_record(step.number, attempt)).collect();
        self.writer.append(WriteCommand::RecordAttempts(records));
        match result {
            Ok(reply) => self.on_success(step, &reply, observer),
            Err(failure) => self.on_failure(step, (failure, answers), observer),
        }
    }

    fn on_success(&mut self, step: Step, reply: &WriteReply, observer: &mut dyn RunObserver) {
        if step.entity.is_collection() && step.write == WriteKind::Create {
            if reply.id.is_none() {
                return self.unresolved.add(UnresolvedStep::missing_id(step), Instant::now());
            }
            if self.is_about_another(&step, reply) {
                return self.unresolved.add(UnresolvedStep::foreign_reply(step), Instant::now());
            }
        }
        self.peers_succeed = true;
        self.unresolved.record_success(Instant::now());
        self.backoff.reset();
        self.reject_blocked(observer);
        let kept = reply.record.as_ref().map(|record| kept_fields(&step, record)).unwrap_or_default();
        if !kept.is_empty() {
            return self.unresolved.add(UnresolvedStep::kept_values(step, kept), Instant::now());
        }
        let outcome = outcome::applied(&step, reply.id, reply.record.as_ref());
        self.record_outcome(step, outcome, observer);
    }

    /// `answers`: those that had the status of the failure.
    fn on_failure(
        &mut self,
        step: Step,
        (failure, answers): (WriteFailure, FailedAnswers),
        observer: &mut dyn RunObserver,
    ) {
        match failure.outcome {
            WriteOutcome::Refused if failure.is_blocked() || failure.is_forbidden() => {
                self.blocked.push((step, failure));
            }
            WriteOutcome::Refused if failure.scope == FailureScope::Run => {
                // After fixing the cause, `resume` retries this step.
                self.writer.append(WriteCommand::ClearIntent(step.number));
                self.claiming.release(step.number);
                self.stop(RunEnd::Refused(failure.message));
            }
            WriteOutcome::Refused => {
                self.backoff.reset();
                let outcome = outcome::rejected(&step, &failure, self.sheet_of(&step));
                self.record_outcome(step, outcome, observer);
            }
            WriteOutcome::NotSent => {
                self.writer.append(WriteCommand::ClearIntent(step.number));
                self.retries.push_back(step);
                self.on_service_failure(&failure.message);
            }
            WriteOutcome::Unknown | WriteOutcome::ReportedFailure => {
                if let Some(times) = self.send_times.get_mut(&step.number) {
                    times.add(Timestamp::now());
                }
                let unresolved = if failure.outcome == WriteOutcome::ReportedFailure {
                    self.backoff.reset();
                    UnresolvedStep::reported_failure(step, failure)
                } else {
                    UnresolvedStep::lost(step, failure, answers)
                };
                self.unresolved.add(unresolved, Instant::now());
            }
        }
    }

    fn sheet_of(&self, step: &Step) -> Option<&SheetHeader> {
        self.sheets.get(usize::from(step.row.sheet))
    }

    /// The service as a whole is failing.
    fn on_service_failure(&mut self, cause: &str) {
        if !self.backoff.record_failure(Instant::now()) {
            self.stop(RunEnd::Unreachable(cause.to_owned()));
        }
    }

    /// A read of the service failed.
    fn on_read_error(&mut self, error: &ApiError) {
        if error.is_transient() {
            self.on_service_failure(&error.to_string());
        } else {
            self.stop(RunEnd::Refused(error.to_string()));
        }
    }

    /// The first reason to stop counts. After too many errors what was lost is still looked for, until something ends that.
    fn stop(&mut self, end: RunEnd) {
        if matches!(self.end, RunEnd::Complete | RunEnd::TooManyErrors) {
            self.end = end;
        }
    }

    fn on_interrupt(&mut self) {
        self.interrupts += 1;
        if self.interrupts == 1 {
            // After too many errors the unresolved steps are still reconciled; an interrupt ends that. Any other end
            // stays.
            if matches!(self.end, RunEnd::Complete | RunEnd::TooManyErrors) {
                self.end = RunEnd::Interrupted;
            }
            self.transport.stop();
        }
    }

    /// The journal failed: nothing more is sent.
    fn abort(&mut self, error: &JournalError, observer: &mut dyn RunObserver) {
        self.has_journal_failed = true;
        self.read_state = JournalReadState::Finished;
        self.stop(RunEnd::JournalFailed(format!("{error}; {}", error.hint())));
        self.recording_intent.clear();
        self.ready.clear();
        // What was applied was applied, whether the journal could record it or not.
        let known: Vec<u32> = self.recording_outcome.keys().copied().collect();
        known.into_iter().for_each(|step| self.publish(step, observer));
    }

    /// Writes an outcome to disk; it is reported afterwards.
    fn record_outcome(&mut self, step: Step, outcome: StepOutcome, observer: &mut dyn RunObserver) {
        let number = step.number;
        let outcome = Arc::new(outcome);
        self.writer.append(WriteCommand::RecordOutcome(Arc::clone(&outcome)));
        self.recording_outcome.insert(number, (step, outcome));
        if self.has_journal_failed {
            self.publish(number, observer);
        }
    }

    /// Reports an outcome that is on disk.
    fn publish(&mut self, step: u32, observer: &mut dyn RunObserver) {
        let Some((step, outcome)) = self.recording_outcome.remove(&step) else { return };
        self.states.end(&step, &outcome);
        self.send_times.remove(&step.number);
        let is_resent = self.unresolved.was_sent_again(step.number) || self.resent_before.contains(&step.number);
        self.unresolved.forget(step.number);
        self.end_claim(&step, &outcome, observer);
        observer.on_step_end(&step, &outcome);
        if is_resent && may_be_doubled(&step, &outcome) {
            self.resent.push((step.clone(), StepOutcome::clone(&outcome)));
        }
        // A dependency fails together with its row, which is counted itself.
        if !outcome.is_applied() && step.role == StepRole::Row {
            self.failed_rows += 1;
            self.enforce_error_limit();
        }
    }

    fn enforce_error_limit(&mut self) {
        if self.options.max_errors.is_some_and(|limit| self.failed_rows >= limit) {
            self.stop(RunEnd::TooManyErrors);
        }
    }

    async fn sleep_until_retry(&mut self, until: Instant, control: &mut LoopControl<'_>) {
        let wait = match self.backoff.retry_at(Instant::now()) {
            Some(until) => Wait::BackingOff { until },
            None => Wait::Reconciling { requests: self.unresolved.len() },
        };
        if control.wait(Some(wait), sleep_until(until)).await.is_none() {
            self.on_interrupt();
        }
    }

    async fn await_other_runs(&mut self, control: &mut LoopControl<'_>) {
        if control.wait(self.claiming.wait(), sleep_until(self.claiming.check_at())).await.is_none() {
            self.on_interrupt();
        }
    }

    /// Ends the writer. What is still in flight after a second interrupt keeps its intent: outcome unknown.
    fn finish(mut self, observer: &mut dyn RunObserver) -> Result<(Journal, RunEnd), JournalError> {
        self.clear_unsent_intents();
        self.retries.iter().for_each(|step| self.claiming.release(step.number));
        let (journal, events) = self.writer.finish()?;
        // Nothing was left to stop: resuming would find nothing to do.
        if self.end == RunEnd::TooManyErrors && journal.open_steps().is_ok_and(|open| open == 0) {
            self.end = RunEnd::Complete;
        }
        for event in events {
            match event {
                WriteEvent::OutcomeRecorded(step) => {
                    if let Some((step, outcome)) = self.recording_outcome.remove(&step) {
                        let _ = self.claiming.end(&step, &outcome);
                        observer.on_step_end(&step, &outcome);
                    }
                }
                WriteEvent::Failed(error) => self.end = RunEnd::JournalFailed(format!("{error}; {}", error.hint())),
                WriteEvent::IntentRecorded(_) | WriteEvent::Steps(_) => {}
            }
        }
        Ok((journal, self.end))
    }
}
