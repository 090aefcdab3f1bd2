//! The dispatcher against a fake service, on a paused clock: each test runs in no time and knows when every request was
//! sent.

mod other_runs;
mod simulation;
mod transport;

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::*;
use crate::account::AccountIdentity;
use crate::catalog::RecordSource as _;
use crate::check::Code;
use crate::plan::{DependsOn, RowId, StepResult, StepSink};
use crate::run::LostWaits;
use crate::run::journal::{
    AccountSnapshot, InlineWriter, JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind,
};
use crate::schema;
use transport::{FakeTransport, Reply};

const SECOND: Duration = Duration::from_secs(1);

/// A row of the plan: creates the location `L-<number>`.
fn step(number: u32) -> Step {
    let entity = schema::collection("locations").unwrap();
    let row = RowId { sheet: 0, row: u64::from(number) + 2 };
    let mut step = Step::new(number, row, StepRole::Row, entity, WriteKind::Create);
    step.body.insert(String::from("name"), format!("L-{number}").into());
    step
}

fn steps(count: u32) -> Vec<Step> {
    (0..count).map(step).collect()
}

fn journal(steps: &[Step]) -> Journal {
    let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
    let account = AccountIdentity::SandboxMemory;
    let header = RunHeader { id, kind: RunKind::Import, account, undoes: None, details };
    let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    steps.iter().for_each(|step| builder.push(step).unwrap());
    builder.finish(&AccountSnapshot::default()).unwrap()
}

const WAITS: LostWaits = LostWaits { look: Duration::from_secs(5), resend: Duration::from_secs(10) };

fn options(concurrency: usize) -> DispatchOptions {
    DispatchOptions {
        concurrency,
        max_errors: None,
        failed_before: 0,
        start: RunStart::Fresh,
        no_wait: false,
        creates_only: false,
        lost_waits: WAITS,
    }
}

/// What an observer was told.
#[derive(Debug, Default)]
struct Recorder {
    outcomes: Vec<StepOutcome>,
    waits: Vec<Option<Wait>>,
    duplicates: Vec<StepOutcome>,
}

impl RunObserver for Recorder {
    fn on_step_end(&mut self, _: &Step, outcome: &StepOutcome) {
        self.outcomes.push(outcome.clone());
    }

    fn on_duplicate(&mut self, outcome: &StepOutcome) {
        self.duplicates.push(outcome.clone());
    }

    fn on_progress(&mut self, wait: Option<&Wait>) {
        if self.waits.last() != Some(&wait.cloned()) {
            self.waits.push(wait.cloned());
        }
    }
}

impl Recorder {
    fn results(&self) -> Vec<(u32, StepResult)> {
        let mut results: Vec<_> = self.outcomes.iter().map(|outcome| (outcome.step, outcome.result)).collect();
        results.sort_unstable();
        results
    }

    /// The codes of all problems.
    fn codes(&self) -> Vec<Code> {
        self.outcomes.iter().flat_map(|outcome| &outcome.problems).map(crate::check::Problem::code).collect()
    }
}

/// How a run ended.
struct Finished {
    journal: Journal,
    end: RunEnd,
    observed: Recorder,
}

fn inline(journal: Journal) -> JournalWriter {
    JournalWriter::inline(InlineWriter::new(journal))
}

/// Runs a journal to its end; `interrupts` come at these times.
async fn run_journal(
    transport: &FakeTransport,
    journal: Journal,
    options: DispatchOptions,
    interrupts: &[Duration],
) -> Finished {
    let sheets = [];
    let dispatcher =
        Dispatcher::with_writer(transport, options, &sheets, journal, |journal| Ok(inline(journal))).unwrap();
    let (mut shutdown, mut observed) = (ShutdownSignal::new(), Recorder::default());
    let signal = shutdown.clone();
    let interrupting = async {
        let mut waited = Duration::ZERO;
        for at in interrupts {
            sleep(*at - waited).await;
            waited = *at;
            signal.request();
        }
    };
    let (finished, ()) = tokio::join!(dispatcher.run(&mut shutdown, &mut observed), interrupting);
    let (journal, end) = finished.unwrap();
    Finished { journal, end, observed }
}

async fn run(transport: &FakeTransport, steps: &[Step], options: DispatchOptions) -> Finished {
    run_journal(transport, journal(steps), options, &[]).await
}

impl Finished {
    /// Steps without an outcome, and how many of them were sent.
    fn open(&self) -> (u64, u64) {
        (self.journal.open_steps().unwrap(), self.journal.unresolved_count().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn every_step_is_sent_once_and_no_more_at_a_time_than_allowed() {
    let transport = FakeTransport::new(&[]);
    let finished = run(&transport, &steps(20), options(4)).await;
    assert_eq!((&finished.end, finished.open()), (&RunEnd::Complete, (0, 0)));
    assert_eq!(finished.observed.results(), (0..20).map(|step| (step, StepResult::Applied)).collect::<Vec<_>>());
    assert_eq!(transport.sent_steps().len(), 20);
    assert_eq!(transport.sent.borrow().iter().map(|sent| sent.in_flight).max(), Some(4));
}

#[tokio::test(start_paused = true)]
async fn backoff_doubles_up_to_a_minute() {
    let transport = FakeTransport::new(&[(0, &[Reply::NotSent; 8])]);
    let finished = run(&transport, &steps(1), options(1)).await;
    let sent: Vec<u64> = transport.sent.borrow().iter().map(|sent| sent.at.as_secs()).collect();
    let waits: Vec<u64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!((finished.end, finished.observed.results()), (RunEnd::Complete, vec![(0, StepResult::Applied)]));
    assert!(matches!(finished.observed.waits[1], Some(Wait::BackingOff { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_ten_minutes_ends_the_run_and_leaves_the_step_pending() {
    let transport = FakeTransport::new(&[(0, &[Reply::NotSent; 100]), (1, &[Reply::NotSent; 100])]);
    let finished = run(&transport, &steps(2), options(1)).await;
    assert!(matches!(finished.end, RunEnd::Unreachable(_)), "{:?}", finished.end);
    assert_eq!(finished.open(), (2, 0));
    let last = transport.sent.borrow().last().unwrap().at;
    assert!((600..700).contains(&last.as_secs()), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_probes_with_one_request_at_a_time() {
    // The four steps in flight and the eight prepared behind them fail twice.
    let failing: Vec<(u32, &[Reply])> = (0..12).map(|step| (step, &[Reply::NotSent; 2][..])).collect();
    let transport = FakeTransport::new(&failing);
    let finished = run(&transport, &steps(20), options(4)).await;
    let sent = transport.sent.borrow();
    let (before, after) = sent.split_at(12);
    assert!(before.iter().all(|sent| sent.at < SECOND), "{before:?}");
    let (probes, closed) = after.split_at(13);
    assert!(probes.iter().all(|sent| sent.in_flight == 1), "twelve probes fail, and the next succeeds: {probes:?}");
    assert_eq!(closed.iter().map(|sent| sent.in_flight).max(), Some(4));
    assert_eq!((finished.end, finished.observed.outcomes.len()), (RunEnd::Complete, 20));
}

#[tokio::test(start_paused = true)]
async fn the_error_limit_stops_the_run() {
    for (max_errors, failed_before, sent, failed) in [(2, 0, 2..=4, 2..=4), (3, 2, 1..=3, 1..=3), (2, 2, 0..=0, 0..=0)]
    {
        let script: Vec<(u32, &[Reply])> = (0..9).map(|step| (step, &[Reply::Rejected][..])).collect();
        let transport = FakeTransport::new(&script);
        let limited = DispatchOptions { max_errors: Some(max_errors), failed_before, ..options(1) };
        let finished = run(&transport, &steps(9), limited).await;
        assert_eq!(finished.end, RunEnd::TooManyErrors);
        assert!(sent.contains(&transport.sent_steps().len()), "{:?}", transport.sent_steps());
        assert!(failed.contains(&finished.observed.outcomes.len()));
        assert_eq!(finished.open(), (9 - finished.observed.outcomes.len() as u64, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_with_nothing_left_to_send_is_finished_whatever_failed() {
    let transport = FakeTransport::new(&[(1, &[Reply::Rejected])]);
    let limited = DispatchOptions { max_errors: Some(1), ..options(1) };
    let finished = run(&transport, &steps(2), limited.clone()).await;
    assert_eq!((finished.end.clone(), finished.open()), (RunEnd::Complete, (0, 0)));
    let finished = run(&transport, &steps(0), DispatchOptions { failed_before: 1, ..limited }).await;
    assert_eq!(finished.end, RunEnd::Complete, "rows that were not sent because of their own problems");
}

#[tokio::test(start_paused = true)]
async fn after_the_error_limit_lost_responses_are_still_reconciled() {
    let transport = FakeTransport::new(&[(0, &[Reply::LostApplied(None)]), (1, &[Reply::Rejected])]);
    let limited = DispatchOptions { max_errors: Some(1), ..options(2) };
    let finished = run(&transport, &steps(9), limited).await;
    assert_eq!(finished.end, RunEnd::TooManyErrors);
    assert!(finished.observed.results().contains(&(0, StepResult::Applied)));
}

#[tokio::test(start_paused = true)]
async fn the_first_interrupt_completes_what_is_in_flight() {
    let mut transport = FakeTransport::new(&[]);
    transport.latency = 10 * SECOND;
    let finished = run_journal(&transport, journal(&steps(9)), options(2), &[SECOND]).await;
    assert_eq!((&finished.end, transport.is_stopped.get()), (&RunEnd::Interrupted, true));
    assert_eq!(finished.observed.results(), [(0, StepResult::Applied), (1, StepResult::Applied)]);
    assert!(finished.observed.waits.contains(&Some(Wait::Draining { requests: 2 })));
    assert_eq!(finished.open(), (7, 0), "what was prepared is pending again");
}

#[tokio::test(start_paused = true)]
async fn the_second_interrupt_stops_at_once_and_leaves_requests_in_flight_unresolved() {
    let transport = FakeTransport::new(&[(0, &[Reply::Hangs]), (1, &[Reply::Hangs])]);
    let finished = run_journal(&transport, journal(&steps(9)), options(2), &[SECOND, 3 * SECOND]).await;
    assert_eq!((&finished.end, finished.open()), (&RunEnd::Interrupted, (9, 2)));
    assert_eq!(finished.observed.outcomes, []);
    assert_eq!(transport.started_for(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_backoff_ends_the_run() {
    let transport = FakeTransport::new(&[(0, &[Reply::NotSent; 100])]);
    let finished = run_journal(&transport, journal(&steps(1)), options(1), &[20 * SECOND]).await;
    assert_eq!((&finished.end, finished.open()), (&RunEnd::Interrupted, (1, 0)));
    assert_eq!(transport.started_for(), 20 * SECOND);
}

/// A lost response of step 0, and what becomes of the step.
#[tokio::test(start_paused = true)]
async fn a_step_whose_response_was_lost_is_reconciled() {
    use Reply::{FalseSuccess, Foreign, LostApplied, LostNotApplied, WithoutId};
    let cases: [(&str, Reply, StepResult, usize); 8] = [
        ("applied", LostApplied(None), StepResult::Applied, 1),
        ("applied, by a gateway's response", LostApplied(Some(504)), StepResult::Applied, 1),
        ("applied, by an unreadable success", LostApplied(Some(200)), StepResult::Applied, 1),
        ("not applied", LostNotApplied(None), StepResult::Applied, 2),
        ("not applied, by the service's response", LostNotApplied(Some(500)), StepResult::Applied, 2),
        ("applied without an id", WithoutId, StepResult::Applied, 1),
        ("applied, by the response to another", Foreign, StepResult::Applied, 1),
        ("reported without an id and not there", FalseSuccess, StepResult::Unknown, 1),
    ];
    for (name, reply, result, sends) in cases {
        let transport = FakeTransport::new(&[(0, &[reply])]);
        let finished = run(&transport, &steps(1), options(1)).await;
        assert_eq!((&finished.end, finished.observed.results()), (&RunEnd::Complete, vec![(0, result)]), "{name}");
        assert_eq!(transport.sent_steps().len(), sends, "{name}");
        let id = (result == StepResult::Applied).then_some(101);
        assert_eq!(finished.observed.outcomes[0].record, id, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_is_reconciled_after_the_grace_period() {
    for (status, earliest) in [(None, 5), (Some(504), 5), (Some(500), 0)] {
        let transport = FakeTransport::new(&[(0, &[Reply::LostApplied(status)])]);
        run(&transport, &steps(1), options(1)).await;
        assert_eq!(transport.reads.borrow()[0].as_secs(), earliest, "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_with_a_differing_record_stays_unknown() {
    let transport = FakeTransport::new(&[(0, &[Reply::LostNotApplied(None)])]);
    let mut planned = step(0);
    planned.body.insert(String::from("city"), json!("Ulm"));
    let other = json!({"id": 7, "name": "L-0", "city": "Bonn"});
    transport.service.insert("locations", other.as_object().unwrap().clone());
    let finished = run(&transport, &[planned], options(1)).await;
    assert_eq!(finished.observed.results(), [(0, StepResult::Unknown)]);
    assert_eq!(finished.observed.codes(), [Code::ServiceUnknown]);
    assert_eq!((transport.sent_steps(), finished.open()), (vec![0], (0, 1)));
}

/// The message of the only problem.
fn message(finished: &Finished) -> String {
    let [problem] = finished.observed.outcomes.iter().flat_map(|outcome| &outcome.problems).collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", finished.observed.outcomes)
    };
    problem.error.message.to_string()
}

/// The step that fails, of forty: it is sent first, last, or beside the last ones.
#[tokio::test(start_paused = true)]
async fn a_step_that_is_never_applied_while_others_succeed_is_given_up() {
    let server_error = "the service responded 6 times with a it failed";
    let lost = "sent 7 times and not applied: it failed";
    for (number, status, concurrency, told, code, held) in [
        (0, Some(500), 1, server_error, Code::ServiceRefused, 50..75),
        (38, Some(500), 2, server_error, Code::ServiceRefused, 50..75),
        (39, Some(500), 1, "the service responded", Code::ServiceRefused, 120..150),
        (0, Some(502), 1, lost, Code::ServiceUnreachable, 120..150),
        (0, None, 1, lost, Code::ServiceUnreachable, 120..150),
    ] {
        let transport = FakeTransport::new(&[(number, &[Reply::LostNotApplied(status); 100])]);
        let finished = run(&transport, &steps(40), options(concurrency)).await;
        let case = format!("{number} {status:?}");
        assert_eq!((&finished.end, finished.open()), (&RunEnd::Complete, (0, 0)), "{case}");
        assert_eq!(finished.observed.results()[number as usize], (number, StepResult::Failed), "{case}");
        assert_eq!(finished.observed.codes(), [code], "{case}");
        let sends = transport.sent_steps().iter().filter(|step| **step == number).count();
        assert!(sends >= 6 && message(&finished).starts_with(told), "{case} {sends} {}", message(&finished));
        assert!(held.contains(&transport.started_for().as_secs()), "{case} {:?}", transport.started_for());
    }
}

/// A success that says that it failed is looked for, and never sent again.
#[tokio::test(start_paused = true)]
async fn a_failure_with_a_success_status_is_told_in_the_words_of_the_service() {
    let other = json!({"id": 7, "name": "L-0", "city": "Bonn"});
    for (is_applied, has_other, result, codes) in [
        (false, false, StepResult::Failed, &[Code::ServiceRefused][..]),
        (true, false, StepResult::Applied, &[]),
        (false, true, StepResult::Unknown, &[Code::ServiceUnknown]),
    ] {
        let transport = FakeTransport::new(&[(0, &[Reply::ReportedFailure { is_applied }; 9])]);
        let mut planned = steps(3);
        if has_other {
            planned[0].body.insert(String::from("city"), json!("Ulm"));
            transport.service.insert("locations", other.as_object().unwrap().clone());
        }
        let finished = run(&transport, &planned, options(1)).await;
        assert_eq!((&finished.end, finished.observed.results()[0]), (&RunEnd::Complete, (0, result)));
        assert_eq!(finished.observed.codes(), codes);
        assert_eq!(transport.sent_steps(), [0, 1, 2], "sent once");
        assert!(transport.started_for() < 15 * SECOND, "{:?}", transport.started_for());
        match result {
            StepResult::Failed => assert_eq!(message(&finished), "it failed"),
            StepResult::Unknown => assert!(message(&finished).starts_with("the service refused it: it failed; ")),
            _ => assert_eq!(
                finished.observed.outcomes.iter().find(|outcome| outcome.step == 0).unwrap().record,
                Some(101)
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_during_reconciliation_is_repeated() {
    let transport = FakeTransport::new(&[(0, &[Reply::LostApplied(None)])]);
    transport.failing_reads.set(3);
    let finished = run(&transport, &steps(1), options(1)).await;
    assert_eq!(finished.observed.results(), [(0, StepResult::Applied)]);
    let reads: Vec<u64> = transport.reads.borrow().iter().map(Duration::as_secs).collect();
    assert_eq!(reads[..4], [5, 6, 8, 12]);
    assert_eq!(transport.sent_steps(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_run_with_too_many_errors_ends_although_the_service_is_down() {
    let transport = FakeTransport::new(&[(0, &[Reply::LostApplied(None)]), (1, &[Reply::Rejected])]);
    transport.failing_reads.set(u32::MAX);
    let finished = run(&transport, &steps(2), DispatchOptions { max_errors: Some(1), ..options(2) }).await;
    assert!(matches!(finished.end, RunEnd::Unreachable(_)), "{:?}", finished.end);
    assert_eq!(finished.open(), (1, 1), "the lost one is looked for when the run is resumed");
}

/// A resumed run of step 0, while someone else has created a record.
#[tokio::test(start_paused = true)]
async fn a_resumed_run_detects_what_others_have_created() {
    let cases = [
        ("nothing new", json!({"id": 7, "name": "other", "city": "Ulm"}), StepResult::Applied, 1, vec![]),
        ("the same record", json!({"id": 7, "name": "L-0", "city": "Ulm"}), StepResult::AlreadyApplied, 0, vec![]),
        (
            "a differing record",
            json!({"id": 7, "name": "L-0", "city": "Bonn"}),
            StepResult::Failed,
            0,
            vec![Code::RecordExists],
        ),
    ];
    for (name, record, result, sends, codes) in cases {
        let transport = FakeTransport::new(&[]);
        transport.service.insert("locations", record.as_object().unwrap().clone());
        let resumed = DispatchOptions { start: RunStart::Resumed, ..options(1) };
        let mut planned = step(0);
        planned.body.insert(String::from("city"), json!("Ulm"));
        let finished = run(&transport, &[planned], resumed).await;
        assert_eq!((&finished.end, finished.observed.results()), (&RunEnd::Complete, vec![(0, result)]), "{name}");
        assert_eq!((transport.sent_steps().len(), finished.observed.codes()), (sends, codes), "{name}");
    }
}

/// A resumed run that changes or deletes record 7, which somebody else may have changed since it was planned.
#[tokio::test(start_paused = true)]
async fn a_resumed_run_does_not_overwrite_what_others_have_changed() {
    use StepResult::{AlreadyApplied, Applied, Failed};
    let body = |fields: serde_json::Value| fields.as_object().cloned().unwrap();
    for (now, update, delete) in
        [("Bonn", Applied, Applied), ("Ulm", AlreadyApplied, Failed), ("Mainz", Failed, Failed)]
    {
        for (write, expected) in [(WriteKind::Update(7), update), (WriteKind::Delete(7), delete)] {
            let transport = FakeTransport::new(&[]);
            transport.service.insert("locations", body(json!({"id": 7, "name": "L-0", "city": now})));
            let before = Some(body(json!({"id": 7, "name": "L-0", "city": "Bonn"})));
            let planned = Step { write, body: body(json!({"city": "Ulm"})), before, ..step(0) };
            let resumed = DispatchOptions { start: RunStart::Resumed, ..options(1) };
            let finished = run(&transport, &[planned], resumed).await;
            let results = finished.observed.results();
            assert_eq!((&finished.end, results), (&RunEnd::Complete, vec![(0, expected)]), "{write:?} {now}");
            assert_eq!(transport.sent_steps().len(), usize::from(expected == Applied), "{write:?} {now}");
            let conflicts = vec![Code::RecordConflict; usize::from(expected == Failed)];
            assert_eq!(finished.observed.codes(), conflicts, "{write:?} {now}");
        }
    }
}

/// An update of record 7 that clears one field and sets another, as reply and record show it afterwards.
#[tokio::test(start_paused = true)]
async fn a_success_whose_reply_shows_the_old_values_is_looked_at() {
    let body = |fields: serde_json::Value| fields.as_object().cloned().unwrap();
    let old = r#"{"id": 7, "city": "Bonn", "zip": "old"}"#;
    let (half, new) = (r#"{"id": 7, "city": "Ulm", "zip": "old"}"#, r#"{"id": 7, "city": "Ulm", "zip": null}"#);
    for (name, reply, then, result, reads) in [
        ("changed", new, new, StepResult::Applied, 0),
        ("blank instead of null", r#"{"id": 7, "city": "Ulm", "zip": ""}"#, new, StepResult::Applied, 0),
        ("left out", r#"{"id": 7, "city": "Ulm"}"#, old, StepResult::Applied, 0),
        ("shown late", old, new, StepResult::Applied, 1),
        ("one of the two", half, half, StepResult::Unknown, 1),
        ("none of the two", old, old, StepResult::Failed, 1),
    ] {
        let transport = FakeTransport::new(&[(0, &[Reply::Shows { reply, then }])]);
        let before = Some(body(json!({"city": "Bonn", "zip": "old"})));
        let sent = body(json!({"city": "Ulm", "zip": null}));
        let planned = Step { write: WriteKind::Update(7), body: sent, before, ..step(0) };
        let finished = run(&transport, &[planned], options(1)).await;
        let results = finished.observed.results();
        assert_eq!((&finished.end, results), (&RunEnd::Complete, vec![(0, result)]), "{name}");
        assert_eq!((transport.sent_steps().len(), transport.reads.borrow().len().min(1)), (1, reads), "{name}");
        let problems = match (result, reply == half) {
            (StepResult::Applied, _) => 0,
            (_, true) => 1,
            _ => 2,
        };
        assert_eq!(finished.observed.codes(), vec![Code::ServiceRefused; problems], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_reconciles_before_it_sends() {
    let transport = FakeTransport::new(&[(0, &[Reply::LostApplied(None)]), (1, &[Reply::Hangs])]);
    let cut_off = run_journal(&transport, journal(&steps(4)), options(2), &[SECOND, 2 * SECOND]).await;
    assert_eq!(cut_off.open(), (2, 2));
    let resumed = DispatchOptions { start: RunStart::Resumed, ..options(2) };
    let finished = run_journal(&transport, cut_off.journal, resumed, &[]).await;
    assert_eq!(finished.observed.results(), [(0, StepResult::Applied), (1, StepResult::Applied)]);
    let sends = |number: u32| transport.sent_steps().iter().filter(|step| **step == number).count();
    assert_eq!((0..4).map(sends).collect::<Vec<_>>(), [1, 2, 1, 1], "step 0 was applied, step 1 was not");
    // What the stopped process did not hear of is no sign that the service is failing.
    let waits = &finished.observed.waits;
    assert!(waits.contains(&Some(Wait::Reconciling { requests: 2 })), "{waits:?}");
    assert!(!waits.iter().any(|wait| matches!(wait, Some(Wait::BackingOff { .. }))), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_fails_stops_the_run_and_reports_what_was_applied() {
    let transport = FakeTransport::new(&[]);
    let journal = journal(&steps(9));
    journal.break_outcomes();
    let finished = run_journal(&transport, journal, options(1), &[]).await;
    assert!(matches!(finished.end, RunEnd::JournalFailed(_)), "{:?}", finished.end);
    assert_eq!(finished.observed.results()[0], (0, StepResult::Applied));
    assert_eq!(finished.observed.outcomes.len(), transport.sent_steps().len(), "every response is reported");
    assert!(transport.sent_steps().len() <= 2, "nothing more is sent: {:?}", transport.sent_steps());
}

#[tokio::test(start_paused = true)]
async fn a_rejection_of_the_whole_run_leaves_its_steps_pending() {
    let transport = FakeTransport::new(&[(1, &[Reply::RejectedRun])]);
    let finished = run(&transport, &steps(5), options(1)).await;
    assert_eq!(finished.end, RunEnd::Refused(String::from("it failed")));
    assert_eq!((finished.observed.results(), finished.open()), (vec![(0, StepResult::Applied)], (4, 0)));
}

/// Step 1 needs the id of the record that step 0 creates.
fn dependent() -> Vec<Step> {
    let mut dependent = step(1);
    dependent.depends_on = vec![DependsOn { step: 0, field: Some(String::from("city")) }];
    vec![step(0), dependent]
}

#[tokio::test(start_paused = true)]
async fn a_dependency_is_sent_first_and_gives_its_id() {
    let transport = FakeTransport::new(&[]);
    let finished = run(&transport, &dependent(), options(4)).await;
    assert_eq!((finished.observed.results().len(), transport.sent_steps()), (2, vec![0, 1]));
    assert_eq!(transport.sent.borrow()[1].in_flight, 1, "only after the first has ended");
    let Ok(created) = transport.service.record(step(0).entity, 102).await;
    assert_eq!(created.unwrap()["city"], json!(101));
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_dependency_failed_is_not_sent() {
    for reply in [Reply::Rejected, Reply::FalseSuccess] {
        let transport = FakeTransport::new(&[(0, &[reply])]);
        let finished = run(&transport, &dependent(), options(4)).await;
        assert_eq!((&finished.end, transport.sent_steps()), (&RunEnd::Complete, vec![0]));
        assert_eq!(finished.observed.results()[1], (1, StepResult::Failed));
        assert!(finished.observed.codes().contains(&Code::NameFailed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sheet_begins_once_the_one_before_has_ended() {
    let mut steps = steps(6);
    steps[4..].iter_mut().for_each(|step| step.row.sheet = 1);
    let transport = FakeTransport::new(&[(1, &[Reply::LostNotApplied(None)])]);
    run(&transport, &steps, options(8)).await;
    let sent = transport.sent_steps();
    let first_of_second = sent.iter().position(|step| *step >= 4).unwrap();
    assert!(sent[first_of_second..].iter().all(|step| *step >= 4), "{sent:?}");
    assert_eq!(sent.len(), 7);
}

/// Creates that show in the service only after their response was lost.
#[tokio::test(start_paused = true)]
async fn a_create_that_is_finished_after_it_was_lost_is_not_made_again() {
    let cases = [
        ("our own timeout", None, 60, 64),
        ("a cut", None, 3, 6),
        ("a list that shows it late", Some(500), 0, 3),
        ("a gateway that answers at once", Some(502), 0, 2),
        ("a gateway that answers after a while", Some(504), 3, 10),
    ];
    let here = LostWaits { look: SECOND, resend: 5 * SECOND };
    for (name, status, lost, shown) in cases {
        for lost_waits in [WAITS, here] {
            let reply = Reply::LateApplied { status, lost_after: lost * SECOND, shown_after: shown * SECOND };
            let transport = FakeTransport::new(&[(1, &[reply])]);
            let finished = run(&transport, &steps(3), DispatchOptions { lost_waits, ..options(2) }).await;
            assert_eq!(finished.observed.results().len(), 3, "{name}");
            assert_eq!(transport.sent_steps().iter().filter(|step| **step == 1).count(), 1, "{name} {lost_waits:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_looked_for_just_before_it_is_sent_again_and_not_sooner_than_allowed() {
    use Reply::{LostNotApplied, NotSent};
    let cases: [(&str, &[Reply]); 4] = [
        ("the service answered", &[LostNotApplied(Some(500))]),
        ("no response", &[LostNotApplied(None), LostNotApplied(Some(502))]),
        ("unreachable meanwhile", &[LostNotApplied(None), NotSent, NotSent, NotSent, NotSent]),
        ("failing for long", &[LostNotApplied(Some(500)); 5]),
    ];
    for (name, replies) in cases {
        let transport = FakeTransport::new(&[(0, replies)]);
        let finished = run(&transport, &steps(1), options(1)).await;
        assert_eq!(finished.observed.results(), [(0, StepResult::Applied)], "{name}");
        let (sent, reads) = (transport.sent.borrow(), transport.reads.borrow());
        for (index, again) in sent.iter().enumerate().skip(1) {
            assert!(again.at >= sent[0].at + 10 * SECOND, "{name}: {sent:?}");
            let look = reads.iter().rev().find(|at| **at <= again.at).unwrap();
            assert!(again.at - *look <= 2 * SECOND, "{name}, send {index}: looked at {look:?}, sent at {:?}", again.at);
        }
        assert!(reads.last() >= sent.last().map(|sent| &sent.at), "{name}: looked for at the end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_made_twice_all_the_same_is_told() {
    let late = Reply::LateApplied { status: Some(502), lost_after: SECOND, shown_after: 14 * SECOND };
    let mut transport = FakeTransport::new(&[(0, &[late])]);
    transport.latency = 4 * SECOND;
    let finished = run(&transport, &steps(1), options(1)).await;
    assert_eq!(transport.sent_steps(), [0, 0]);
    assert_eq!(transport.service.lists.borrow()["locations"].len(), 2);
    let told = finished.observed.duplicates.first().expect("a duplicate");
    assert_eq!((told.result, told.record), (StepResult::Unknown, Some(101)));
    assert!(told.problems[0].error.message.contains("`#101` and `#102`"), "{:?}", told.problems);
    let mut recorded = Vec::new();
    finished.journal.each_outcome(&mut |_, outcome| recorded.push(outcome.result)).unwrap();
    assert_eq!((recorded, finished.open()), (vec![StepResult::Unknown], (0, 1)), "it is not counted as done");
}

/// Somebody makes a record like one that an earlier process made with a single request.
#[tokio::test(start_paused = true)]
async fn a_resumed_run_takes_nothing_for_its_duplicate_that_it_did_not_send_twice() {
    let transport = FakeTransport::new(&[(1, &[Reply::Hangs])]);
    let cut_off = run_journal(&transport, journal(&steps(2)), options(2), &[SECOND, 2 * SECOND]).await;
    transport.service.insert("locations", json!({"id": 7, "name": "L-0"}).as_object().unwrap().clone());
    let resumed = DispatchOptions { start: RunStart::Resumed, ..options(2) };
    let finished = run_journal(&transport, cut_off.journal, resumed, &[]).await;
    assert_eq!((transport.sent_steps(), finished.observed.results()), (vec![0, 1, 1], vec![(1, StepResult::Applied)]));
    assert_eq!(finished.observed.duplicates, []);
}

#[test]
fn only_a_record_that_was_created_may_be_there_twice() {
    let of = |entity: &str, write| Step {
        write,
        entity: schema::importable().find(|known| known.name == entity).unwrap(),
        ..step(0)
    };
    for (step, result, expected) in [
        (of("locations", WriteKind::Create), StepResult::Applied, true),
        (of("locations", WriteKind::Create), StepResult::Failed, false),
        (of("locations", WriteKind::Update(7)), StepResult::Applied, false),
        (of("checkout_asset", WriteKind::Create), StepResult::Applied, false),
    ] {
        let outcome =
            StepOutcome { step: 0, result, record: None, after: None, message: String::new(), problems: vec![] };
        assert_eq!(may_be_doubled(&step, &outcome), expected, "{step:?} {result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_may_not_be_written_fail_alone_and_a_key_that_may_write_none_stops_the_run() {
    let of = |forbidden: std::ops::Range<u32>| {
        let script: Vec<(u32, &[Reply])> = forbidden.map(|step| (step, &[Reply::Forbidden][..])).collect();
        FakeTransport::new(&script)
    };
    for concurrency in [1, 4] {
        let finished = run(&of(1..8), &steps(9), options(concurrency)).await;
        assert_eq!((&finished.end, finished.open()), (&RunEnd::Complete, (0, 0)));
        let failed = finished.observed.results().into_iter().filter(|(_, result)| *result == StepResult::Failed);
        assert_eq!(failed.count(), 7);
        let finished = run(&of(0..9), &steps(9), options(concurrency)).await;
        assert!(matches!(&finished.end, RunEnd::Refused(reason) if reason.contains("a key with this permission")));
        assert!(finished.observed.codes().is_empty(), "no row is at fault");
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_row_fails_alone_and_where_all_are_blocked_the_run_stops() {
    use Reply::{Applied, Blocked};
    let of = |blocked: &[u32]| {
        let script: Vec<(u32, &[Reply])> =
            (0..9).map(|step| (step, if blocked.contains(&step) { &[Blocked][..] } else { &[Applied][..] })).collect();
        FakeTransport::new(&script)
    };
    for concurrency in [1, 4] {
        for one in [0, 4, 8] {
            let finished = run(&of(&[one]), &steps(9), options(concurrency)).await;
            assert_eq!((&finished.end, finished.open()), (&RunEnd::Complete, (0, 0)), "{one}");
            assert_eq!(finished.observed.results()[one as usize], (one, StepResult::Failed), "{one}");
        }
        let transport = of(&[2, 3, 4, 5, 6, 7, 8]);
        let finished = run(&transport, &steps(9), options(concurrency)).await;
        assert!(matches!(&finished.end, RunEnd::Refused(reason) if reason.contains("another network")));
        if concurrency == 1 {
            assert!(finished.observed.codes().is_empty(), "no row is at fault");
            assert_eq!(finished.open(), (7, 0), "the rest is not sent");
        }
        let alone = run(&of(&[0]), &steps(1), options(concurrency)).await;
        assert!(matches!(alone.end, RunEnd::Refused(_)), "{:?}", alone.end);
    }
}
