//! Steps that may or may not have been applied: when to reconcile them, and how often to send them again.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::WriteFailure;
use crate::plan::{Step, WriteKind};

/// Reconcile once this many steps are unresolved, before more are sent: enough for one scan to serve many, few enough
/// that a service that always fails does not collect a whole sheet.
const BATCH_SIZE: usize = 64;

/// A step that was sent this often and surely not applied is given up, unless the whole service is failing.
const MAX_SENDS: u32 = 6;

/// How long to retry a step while no other step succeeds, whatever the count: the service may be restarting.
const MIN_RETRY_TIME: Duration = Duration::from_secs(120);

/// The longest wait between a lost response and its reconciliation.
const MAX_GRACE: Duration = Duration::from_secs(60);

/// A step that was looked for longer ago than this is looked for once more before it is sent again.
const MAX_LOOK_AGE: Duration = Duration::from_secs(2);

/// A step that may or may not have been applied.
#[derive(Debug)]
pub(super) struct UnresolvedStep {
    /// With the body as sent.
    pub(super) step: Step,
    pub(super) doubt: Doubt,
    /// What happened, for the user.
    pub(super) cause: String,
    /// The record that another run has written, where a look at it decides.
    pub(super) made: Option<i64>,
    /// The fields that the service's reply shows as they were before the update.
    pub(super) kept: Vec<&'static str>,
    /// What the service says of [`Doubt::ReportedFailure`].
    pub(super) failure: Option<Box<WriteFailure>>,
    /// The responses with the status of [`Doubt::LostResponse`].
    answers: Option<FailedAnswers>,
    /// The earliest time to send it again, where it may still be applied: set when the response is lost.
    resend_at: Option<Instant>,
}

/// Responses with one status to the requests of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailedAnswers {
    pub(super) count: u32,
    /// When the first of the requests was sent.
    pub(super) since: Instant,
}

/// Why it is not known whether a step was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It was sent, and no usable response came; with the status of what came instead.
    LostResponse(Option<u16>),
    /// The service reported a failure with a success status.
    ReportedFailure,
    /// An earlier process of the run sent it, and ended before a response came. That says nothing of the service.
    StoppedRun,
    /// The service reported success without the record's id, or with that of another record.
    MissingId,
    /// The service reported success, and its reply shows values as they were before the update.
    KeptValues,
    /// It was not sent: someone else has created a similar record, or changed the record, since the plan.
    ExternalChange,
    /// It was not sent: another run of this machine has written the record since this one was planned.
    OtherRun,
    /// It was not sent: a run of this machine that was killed may have written the record.
    Abandoned,
    /// It was lost and not found, and so long ago that it may have been applied since.
    OutdatedLook,
}

impl UnresolvedStep {
    pub(super) fn new(step: Step, doubt: Doubt, cause: String) -> Self {
        Self { step, doubt, cause, made: None, kept: Vec::new(), failure: None, answers: None, resend_at: None }
    }

    /// A step whose response was lost. `answers`: those that had the status of `failure`.
    pub(super) fn lost(step: Step, failure: WriteFailure, answers: FailedAnswers) -> Self {
        // A success that cannot be read proves nothing: a proxy in front of the service may have sent it.
        let status = failure.status.filter(|status| *status >= 300);
        Self { answers: Some(answers), ..Self::new(step, Doubt::LostResponse(status), failure.message) }
    }

    pub(super) fn reported_failure(step: Step, failure: WriteFailure) -> Self {
        let cause = format!("the service refused it: {failure}");
        Self { failure: Some(Box::new(failure)), ..Self::new(step, Doubt::ReportedFailure, cause) }
    }

    pub(super) fn external_change(step: Step) -> Self {
        let cause = match step.write {
            WriteKind::Create => "a similar record was created by someone else after this run was planned",
            WriteKind::Update(_) | WriteKind::Delete(_) => "the record was changed after this run was planned",
        };
        Self::new(step, Doubt::ExternalChange, cause.to_owned())
    }

    pub(super) fn of_other_run(step: Step, doubt: Doubt, run: &str) -> Self {
        let cause = match (doubt, run) {
            (Doubt::Abandoned, "") => String::from("another run left it unknown whether this was written"),
            (Doubt::Abandoned, run) => format!("run {run} was stopped while it wrote this"),
            (_, run) => format!("run {run} wrote this record after this run was planned"),
        };
        Self::new(step, doubt, cause)
    }

    pub(super) fn of_stopped_run(step: Step) -> Self {
        Self::new(step, Doubt::StoppedRun, String::from("the run stopped before its response arrived"))
    }

    pub(super) fn missing_id(step: Step) -> Self {
        let cause = String::from("the service did not return the new record's id");
        Self::new(step, Doubt::MissingId, cause)
    }

    pub(super) fn foreign_reply(step: Step) -> Self {
        let cause = String::from("the service's reply is about another record");
        Self::new(step, Doubt::MissingId, cause)
    }

    pub(super) fn kept_values(step: Step, kept: Vec<&'static str>) -> Self {
        let cause = String::from("the service reported success and did not change all that was sent");
        Self { kept, ..Self::new(step, Doubt::KeptValues, cause) }
    }

    pub(super) fn outdated_look(step: Step) -> Self {
        let cause = String::from("no usable response was received when it was sent before");
        Self::new(step, Doubt::OutdatedLook, cause)
    }

    pub(super) fn was_sent(&self) -> bool {
        !matches!(self.doubt, Doubt::ExternalChange | Doubt::OtherRun | Doubt::Abandoned)
    }

    /// Whether the record is there although the service may not show it yet: another run has made it.
    pub(super) fn is_surely_made(&self) -> bool {
        self.doubt == Doubt::OtherRun && self.step.write == WriteKind::Create
    }

    /// Whether the service may still be working on the request: it did not respond itself, though a gateway may have.
    fn may_be_in_flight(&self) -> bool {
        match self.doubt {
            Doubt::LostResponse(status) => status.is_none_or(|status| matches!(status, 408 | 502..=504 | 520..=599)),
            // A reply may show the record as it was, and so may the service for a moment.
            Doubt::StoppedRun | Doubt::Abandoned | Doubt::KeptValues => true,
            Doubt::ReportedFailure => false,
            Doubt::MissingId | Doubt::ExternalChange | Doubt::OtherRun | Doubt::OutdatedLook => false,
        }
    }

    /// Whether the service itself responded that it failed: it can be reached.
    pub(super) fn is_server_error(&self) -> bool {
        matches!(self.doubt, Doubt::LostResponse(Some(500..))) && !self.may_be_in_flight()
    }

    /// Whether it is too early to send it again, although it was not found.
    pub(super) fn may_still_appear(&self, now: Instant) -> bool {
        self.resend_at.is_some_and(|at| at > now)
    }
}

/// The unresolved steps of a run, until they are reconciled.
#[derive(Debug)]
pub(super) struct UnresolvedSteps {
    steps: Vec<UnresolvedStep>,
    /// The earliest time to reconcile: a request whose response was lost may still be in flight.
    not_before: Option<Instant>,
    /// Sends without effect by step, and when the step first became unresolved.
    retries: HashMap<u32, RetryCount>,
    waits: LostWaits,
    /// How long the service has kept us waiting at most, whether a response came or not.
    slowest_response: Duration,
    /// When a step was last applied.
    last_success: Option<Instant>,
}

/// The shortest waits after a response was lost. A service that is slow makes them longer.
#[derive(Debug, Clone, Copy)]
pub struct LostWaits {
    /// Until it is reconciled: the request may still be in flight.
    pub look: Duration,
    /// Until a create is sent again: a service may finish a request after a gateway has answered for it, and its lists
    /// may show new records late.
    pub resend: Duration,
}

#[derive(Debug, Clone, Copy)]
struct RetryCount {
    /// Sends that were lost and surely not applied.
    sends: u32,
    since: Instant,
    /// When it was last looked for in vain.
    looked_at: Option<Instant>,
    /// Server errors in a row, up to the last response.
    errors: Option<FailedAnswers>,
}

impl RetryCount {
    fn since(now: Instant) -> Self {
        Self { sends: 0, since: now, looked_at: None, errors: None }
    }

    fn add_server_errors(&mut self, more: FailedAnswers) {
        match &mut self.errors {
            Some(errors) => errors.count += more.count,
            None => self.errors = Some(more),
        }
    }
}

/// What to do with a step that surely was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    Retry,
    /// After so many sends; of a step that the service itself failed at, after so many such responses.
    GiveUp {
        sends: u32,
    },
}

impl UnresolvedSteps {
    pub(super) fn new(waits: LostWaits, slowest_response: Duration) -> Self {
        let (steps, retries) = (Vec::new(), HashMap::new());
        Self { steps, not_before: None, retries, waits, slowest_response, last_success: None }
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether to reconcile before sending more.
    pub(super) fn is_batch_full(&self) -> bool {
        self.steps.len() >= BATCH_SIZE
    }

    pub(super) fn record_response_time(&mut self, took: Duration) {
        self.slowest_response = self.slowest_response.max(took);
    }

    /// A step was applied: the service works.
    pub(super) fn record_success(&mut self, now: Instant) {
        self.last_success = Some(now);
    }

    pub(super) fn add(&mut self, mut unresolved: UnresolvedStep, now: Instant) {
        let grace = if unresolved.may_be_in_flight() { self.grace() } else { Duration::ZERO };
        self.wait_until(now + grace);
        let is_lost = matches!(unresolved.doubt, Doubt::LostResponse(_) | Doubt::StoppedRun | Doubt::ReportedFailure);
        if is_lost && unresolved.step.write == WriteKind::Create {
            unresolved.resend_at = Some(now + grace.max(self.waits.resend));
        }
        let retries = self.retries.entry(unresolved.step.number).or_insert(RetryCount::since(now));
        match unresolved.answers.filter(|_| unresolved.is_server_error()) {
            Some(answers) => retries.add_server_errors(answers),
            None if is_lost => retries.errors = None,
            None => {}
        }
        self.steps.push(unresolved);
    }

    fn wait_until(&mut self, at: Instant) {
        self.not_before = Some(self.not_before.map_or(at, |known| known.max(at)));
    }

    /// Puts a step back that was not found and may still appear, to look for it once more before it is sent again.
    pub(super) fn defer(&mut self, unresolved: UnresolvedStep) {
        if let Some(at) = unresolved.resend_at {
            self.wait_until(at);
        }
        self.steps.push(unresolved);
    }

    /// When to reconcile: by then the service has finished every request whose response was lost, judging by its
    /// slowest response.
    pub(super) fn reconcile_at(&self, now: Instant) -> Instant {
        self.not_before.map_or(now, |at| at.max(now))
    }

    fn grace(&self) -> Duration {
        (self.slowest_response * 3).clamp(self.waits.look, MAX_GRACE.max(self.waits.look))
    }

    /// Takes all steps, to reconcile them.
    pub(super) fn take_batch(&mut self) -> Vec<UnresolvedStep> {
        self.not_before = None;
        std::mem::take(&mut self.steps)
    }

    /// Puts steps back that could not be reconciled.
    pub(super) fn requeue(&mut self, steps: Vec<UnresolvedStep>) {
        self.steps.extend(steps);
    }

    /// Whether the service itself fails at a step and has applied others meanwhile: it can be reached, and it will go on
    /// failing at this one.
    pub(super) fn fails_alone(&self, step: u32) -> bool {
        let errors = self.retries.get(&step).and_then(|retries| retries.errors);
        errors.is_some_and(|errors| self.last_success.is_some_and(|at| at > errors.since))
    }

    /// Decides about a step that surely was not applied. `peers_succeed`: whether any other step has been applied since
    /// the last reconciliation.
    pub(super) fn confirm_not_applied(
        &mut self,
        unresolved: &UnresolvedStep,
        peers_succeed: bool,
        now: Instant,
    ) -> RetryDecision {
        let fails_alone = self.fails_alone(unresolved.step.number);
        let retries = self.retries.entry(unresolved.step.number).or_insert(RetryCount::since(now));
        if unresolved.doubt == Doubt::ExternalChange {
            return RetryDecision::Retry;
        }
        retries.looked_at = Some(now);
        if unresolved.doubt == Doubt::OutdatedLook {
            return RetryDecision::Retry;
        }
        retries.sends += 1;
        let is_time_up = peers_succeed || fails_alone || now.duration_since(retries.since) >= MIN_RETRY_TIME;
        if retries.sends >= MAX_SENDS && is_time_up {
            RetryDecision::GiveUp { sends: retries.errors.map_or(retries.sends, |errors| errors.count) }
        } else {
            RetryDecision::Retry
        }
    }

    /// Whether a step that was lost must be looked for once more before it is sent again.
    pub(super) fn is_look_outdated(&self, step: u32, now: Instant) -> bool {
        let looked_at = self.retries.get(&step).and_then(|retries| retries.looked_at);
        looked_at.is_some_and(|at| now.duration_since(at) > MAX_LOOK_AGE)
    }

    /// Whether the step was sent more than once.
    pub(super) fn was_sent_again(&self, step: u32) -> bool {
        self.retries.get(&step).is_some_and(|retries| retries.looked_at.is_some())
    }

    /// Whether the step was unresolved before.
    pub(super) fn was_unresolved(&self, step: u32) -> bool {
        self.retries.contains_key(&step)
    }

    /// Drops the retry count of a step that has ended.
    pub(super) fn forget(&mut self, step: u32) {
        self.retries.remove(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{RowId, StepRole};
    use crate::schema;

    const SECOND: Duration = Duration::from_secs(1);

    fn lost(number: u32, status: Option<u16>) -> UnresolvedStep {
        let row = RowId { sheet: 0, row: 2 };
        let step = Step::new(number, row, StepRole::Row, schema::COLLECTIONS[0], WriteKind::Create);
        UnresolvedStep::new(step, Doubt::LostResponse(status), String::from("lost"))
    }

    /// A step to which the service responded 500 three times, from then on.
    fn failed(number: u32, since: Instant) -> UnresolvedStep {
        UnresolvedStep { answers: Some(FailedAnswers { count: 3, since }), ..lost(number, Some(500)) }
    }

    const WAITS: LostWaits = LostWaits { look: SECOND, resend: Duration::from_secs(10) };

    #[tokio::test(start_paused = true)]
    async fn a_request_that_may_be_in_flight_is_not_reconciled_at_once() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        unresolved.add(lost(0, Some(500)), now);
        assert_eq!(unresolved.reconcile_at(now), now, "the service itself has finished the request");
        unresolved.add(lost(1, Some(504)), now);
        assert_eq!(unresolved.reconcile_at(now), now + SECOND);
        unresolved.record_response_time(4 * SECOND);
        unresolved.add(lost(2, None), now);
        assert_eq!(unresolved.reconcile_at(now), now + 12 * SECOND, "three times the slowest response");
        unresolved.record_response_time(400 * SECOND);
        unresolved.add(lost(3, None), now);
        assert_eq!(unresolved.reconcile_at(now), now + MAX_GRACE);
        assert_eq!(unresolved.take_batch().len(), 4);
        assert_eq!(unresolved.reconcile_at(now), now);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_fails_alone_is_given_up_and_one_that_fails_with_all_is_retried() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        let (alone, with_all) = (lost(0, Some(500)), lost(1, Some(500)));
        let decisions: Vec<_> = (0..6).map(|_| unresolved.confirm_not_applied(&alone, true, now)).collect();
        assert_eq!(decisions[4..], [RetryDecision::Retry, RetryDecision::GiveUp { sends: 6 }]);
        for _ in 0..20 {
            assert_eq!(unresolved.confirm_not_applied(&with_all, false, now), RetryDecision::Retry);
        }
        let later = now + MIN_RETRY_TIME;
        assert_eq!(unresolved.confirm_not_applied(&with_all, false, later), RetryDecision::GiveUp { sends: 21 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_at_which_the_service_itself_fails_is_given_up_once_others_were_applied() {
        let before = Instant::now();
        let now = before + SECOND;
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        unresolved.record_success(now);
        let mut ends_after = |number, sends: &[UnresolvedStep]| {
            let mut last = RetryDecision::Retry;
            for send in sends {
                unresolved.add(UnresolvedStep { answers: send.answers, doubt: send.doubt, ..lost(number, None) }, now);
                unresolved.take_batch();
                last = unresolved.confirm_not_applied(send, false, now);
            }
            (unresolved.fails_alone(number), last)
        };
        let sends = |number, since| [(); 6].map(|()| failed(number, since));
        assert_eq!(ends_after(0, &sends(0, before)), (true, RetryDecision::GiveUp { sends: 18 }));
        assert_eq!(ends_after(0, &[failed(0, before)]), (true, RetryDecision::GiveUp { sends: 21 }));
        assert_eq!(ends_after(0, &[lost(0, Some(502))]), (false, RetryDecision::Retry), "a gateway may be down");
        assert_eq!(ends_after(1, &sends(1, now)), (false, RetryDecision::Retry), "the service may have failed since");
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_may_still_appear_for_a_while_and_an_update_is_sent_again_at_once() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        unresolved.add(lost(0, Some(500)), now);
        let mut update = lost(1, Some(500));
        update.step.write = WriteKind::Update(7);
        unresolved.add(update, now);
        unresolved.record_response_time(5 * SECOND);
        unresolved.add(lost(2, None), now);
        let resend: Vec<_> = unresolved.take_batch().iter().map(|lost| lost.resend_at).collect();
        assert_eq!(resend, [Some(now + 10 * SECOND), None, Some(now + 15 * SECOND)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_outdated_soon() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        assert!(!unresolved.is_look_outdated(0, now), "never lost");
        unresolved.confirm_not_applied(&lost(0, None), true, now);
        assert!(!unresolved.is_look_outdated(0, now + MAX_LOOK_AGE));
        assert!(unresolved.is_look_outdated(0, now + MAX_LOOK_AGE + SECOND));
    }

    fn of(doubt: Doubt) -> UnresolvedStep {
        UnresolvedStep { doubt, ..lost(0, None) }
    }

    #[test]
    fn what_was_not_sent_is_told_apart_from_what_was_lost() {
        let step = || lost(0, None).step;
        let by = |run: &str, doubt| UnresolvedStep::of_other_run(step(), doubt, run).cause;
        assert_eq!(by("r", Doubt::Abandoned), "run r was stopped while it wrote this");
        assert_eq!(by("", Doubt::Abandoned), "another run left it unknown whether this was written");
        assert_eq!(by("r", Doubt::OtherRun), "run r wrote this record after this run was planned");
        let others = UnresolvedStep::external_change(step());
        assert_eq!((others.doubt, others.was_sent()), (Doubt::ExternalChange, false));
        assert_eq!(others.cause, "a similar record was created by someone else after this run was planned");
        let missing = UnresolvedStep::missing_id(step());
        assert_eq!((missing.doubt, missing.was_sent()), (Doubt::MissingId, true));
        assert_eq!(missing.cause, "the service did not return the new record's id");
        let outdated = UnresolvedStep::outdated_look(step());
        assert_eq!((outdated.doubt, outdated.was_sent()), (Doubt::OutdatedLook, true));
        assert_eq!(outdated.cause, "no usable response was received when it was sent before");
        for (doubt, was_sent) in [
            (Doubt::OtherRun, false),
            (Doubt::Abandoned, false),
            (Doubt::LostResponse(None), true),
            (Doubt::StoppedRun, true),
        ] {
            assert_eq!(of(doubt).was_sent(), was_sent, "{doubt:?}");
        }
        let made = |doubt, write| {
            let mut unresolved = of(doubt);
            unresolved.step.write = write;
            unresolved.is_surely_made()
        };
        assert!(made(Doubt::OtherRun, WriteKind::Create));
        assert!(!made(Doubt::OtherRun, WriteKind::Update(1)) && !made(Doubt::Abandoned, WriteKind::Create));
    }

    #[test]
    fn a_request_may_be_in_flight_unless_the_service_itself_answered() {
        for (status, may) in [
            (None, true),
            (Some(408), true),
            (Some(500), false),
            (Some(501), false),
            (Some(502), true),
            (Some(504), true),
            (Some(505), false),
            (Some(519), false),
            (Some(520), true),
            (Some(599), true),
            (Some(400), false),
        ] {
            assert_eq!(of(Doubt::LostResponse(status)).may_be_in_flight(), may, "{status:?}");
        }
        assert!(of(Doubt::Abandoned).may_be_in_flight() && of(Doubt::StoppedRun).may_be_in_flight());
        for doubt in
            [Doubt::MissingId, Doubt::ReportedFailure, Doubt::ExternalChange, Doubt::OtherRun, Doubt::OutdatedLook]
        {
            assert!(!of(doubt).may_be_in_flight(), "{doubt:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_may_still_appear_is_looked_for_once_more() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        unresolved.add(lost(0, None), now);
        let step = unresolved.take_batch().remove(0);
        assert!(unresolved.is_empty() && !unresolved.is_batch_full());
        assert!(step.may_still_appear(now + 9 * SECOND) && !step.may_still_appear(now + 10 * SECOND));
        unresolved.defer(step);
        assert_eq!((unresolved.len(), unresolved.reconcile_at(now)), (1, now + 10 * SECOND));
        assert_eq!(unresolved.reconcile_at(now + 20 * SECOND), now + 20 * SECOND);
        let steps = unresolved.take_batch();
        unresolved.requeue(steps);
        assert_eq!((unresolved.len(), unresolved.reconcile_at(now)), (1, now));
        (1..BATCH_SIZE as u32).for_each(|number| unresolved.add(lost(number, Some(500)), now));
        assert!(unresolved.is_batch_full());
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_looked_for_was_sent_again() {
        let now = Instant::now();
        let mut unresolved = UnresolvedSteps::new(WAITS, Duration::ZERO);
        unresolved.add(lost(0, None), now);
        assert!(unresolved.was_unresolved(0) && !unresolved.was_sent_again(0) && !unresolved.was_unresolved(1));
        for _ in 0..MAX_SENDS {
            assert_eq!(unresolved.confirm_not_applied(&of(Doubt::ExternalChange), true, now), RetryDecision::Retry);
        }
        assert!(!unresolved.was_sent_again(0), "it was never sent");
        for _ in 0..MAX_SENDS {
            assert_eq!(unresolved.confirm_not_applied(&of(Doubt::OutdatedLook), true, now), RetryDecision::Retry);
        }
        assert!(unresolved.was_sent_again(0));
        let sends: Vec<_> = (0..MAX_SENDS).map(|_| unresolved.confirm_not_applied(&lost(0, None), true, now)).collect();
        assert_eq!(sends[5], RetryDecision::GiveUp { sends: MAX_SENDS }, "those do not count");
        assert_eq!(sends[4], RetryDecision::Retry);
        unresolved.forget(0);
        assert!(!unresolved.was_unresolved(0) && !unresolved.was_sent_again(0));
    }
}
