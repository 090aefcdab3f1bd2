//! What becomes of steps whose record another run of this machine is writing, has written, or may have written.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::run::claims::{ClaimResult, Claims};
use crate::run::journal::RunStore;
use crate::state_file::{self, LockFile};

/// A state folder in which `other` is a run of another process.
struct Machine {
    folder: TempDir,
    _ours: LockFile,
    others: Option<LockFile>,
}

fn at_work(folder: &Path, run: &str) -> LockFile {
    let path = RunStore::new(folder).path(run);
    state_file::create_folder_of(&path).unwrap();
    let lock = LockFile::of(&path).unwrap();
    assert!(lock.try_lock().unwrap());
    lock
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ours, others) = (at_work(folder.path(), "ours"), Some(at_work(folder.path(), "other")));
        let machine = Self { folder, _ours: ours, others };
        // Its plan is made before the other run does anything.
        machine.claims("ours");
        machine
    }

    fn claims(&self, run: &str) -> Claims {
        let path = self.folder.path().join("claims.sqlite");
        Claims::open(&path, RunStore::new(self.folder.path()), run).unwrap()
    }

    /// Another run writes what the step says; the claim is left.
    fn begins(&self, step: &Step) -> Claims {
        let mut claims = self.claims("other");
        assert_eq!(claims.acquire(step).unwrap(), ClaimResult::Claimed);
        claims
    }

    /// Another run has done what the step says.
    fn did(&self, step: &Step, record: Option<i64>) {
        let mut claims = self.begins(step);
        claims.end(step, &applied(step, record)).unwrap();
    }

    /// The process of the other run is killed.
    fn kill_other(&mut self) {
        self.others = None;
    }

    async fn run(&self, transport: &FakeTransport, steps: &[Step], options: DispatchOptions) -> Finished {
        self.run_sheets(transport, steps, options, &[]).await
    }

    async fn run_sheets(
        &self,
        transport: &FakeTransport,
        steps: &[Step],
        options: DispatchOptions,
        sheets: &[SheetHeader],
    ) -> Finished {
        let writer = |journal| Ok(inline(journal));
        let dispatcher = Dispatcher::with_writer(transport, options, sheets, journal(steps), writer).unwrap();
        let dispatcher = dispatcher.with_claims(Some(self.claims("ours")));
        let (mut shutdown, mut observed) = (ShutdownSignal::new(), Recorder::default());
        let (journal, end) = dispatcher.run(&mut shutdown, &mut observed).await.unwrap();
        Finished { journal, end, observed }
    }
}

fn applied(step: &Step, record: Option<i64>) -> StepOutcome {
    let (message, problems) = (String::new(), Vec::new());
    StepOutcome { step: step.number, result: StepResult::Applied, record, after: None, message, problems }
}

/// Each outcome: `0 Applied #55: message; code: problem`.
fn told(finished: &Finished) -> Vec<String> {
    let shown = finished.observed.outcomes.iter().map(|outcome| {
        let id = outcome.record.map(|id| format!(" #{id}")).unwrap_or_default();
        let message = Some(outcome.message.clone()).filter(|message| !message.is_empty());
        let problem =
            |problem: &crate::check::Problem| format!("{}: {}", problem.code().as_str(), problem.error.message);
        let said: Vec<String> = message.into_iter().chain(outcome.problems.iter().map(problem)).collect();
        let said = if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) };
        format!("{} {:?}{id}{said}", outcome.step, outcome.result)
    });
    shown.collect()
}

/// The step that creates `L-0` with that city.
fn placed(city: &str) -> Step {
    let mut step = step(0);
    step.body.insert(String::from("city"), city.into());
    step
}

/// A service that holds `L-0` with that city as record 55.
fn holding(city: &str) -> FakeTransport {
    let mut transport = FakeTransport::new(&[]);
    transport.service = transport.service.with("locations", [json!({"id": 55, "name": "L-0", "city": city})]);
    transport
}

fn update(city: &str) -> Step {
    let mut step = Step { write: WriteKind::Update(55), ..placed(city) };
    step.body.remove("name");
    step
}

#[tokio::test(start_paused = true)]
async fn what_another_run_has_done_alike_is_done() {
    let machine = Machine::new();
    machine.did(&step(0), Some(55));
    let transport = holding("");
    let finished = machine.run(&transport, &steps(2), options(1)).await;
    assert_eq!(told(&finished), ["0 AlreadyApplied #55: done by run other at the same time", "1 Applied #101"]);
    assert_eq!((finished.end, transport.sent_steps()), (RunEnd::Complete, vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_create_becomes_an_update_of_what_another_run_has_made() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = holding("Bonn");
    let finished = machine.run(&transport, &[placed("Ulm")], options(1)).await;
    assert_eq!((finished.observed.results(), transport.sent_steps()), (vec![(0, StepResult::Applied)], vec![0]));
    let sent = finished.journal.step(0).unwrap().unwrap();
    assert_eq!((sent.write, sent.depends_on.len()), (WriteKind::Update(55), 0));
    assert_eq!((json!(sent.body), json!(sent.before)), (json!({"city": "Ulm"}), json!({"city": "Bonn"})));
    // Others see that the record was written.
    let mut other = machine.claims("other");
    let changed = ClaimResult::Changed { run: String::from("ours"), record: Some(55) };
    assert_eq!(other.acquire(&Step { number: 9, ..update("Kiel") }).unwrap(), changed);
}

#[tokio::test(start_paused = true)]
async fn what_another_run_has_made_is_no_update_where_nothing_differs_or_a_run_only_creates() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = holding("Ulm");
    let finished = machine.run(&transport, &[placed("Ulm")], options(1)).await;
    assert_eq!(told(&finished), ["0 AlreadyApplied #55: run other wrote this record after this run was planned"]);
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let creates_only = DispatchOptions { creates_only: true, ..options(1) };
    let transport = holding("Bonn");
    let finished = machine.run(&transport, &[placed("Ulm")], creates_only.clone()).await;
    assert_eq!(
        told(&finished),
        ["0 Failed: record.exists: record already exists: #55; run other wrote this record after this run was planned",]
    );
    assert!(transport.sent_steps().is_empty());
    // An update creates nothing.
    let machine = Machine::new();
    machine.did(&update("Bonn"), Some(55));
    let transport = holding("Bonn");
    let finished = machine.run(&transport, &[update("Ulm")], creates_only).await;
    assert_eq!((finished.observed.results(), transport.sent_steps()), (vec![(0, StepResult::Applied)], vec![0]));
}

#[tokio::test(start_paused = true)]
async fn an_update_sends_what_still_differs() {
    let machine = Machine::new();
    machine.did(&update("Bonn"), Some(55));
    let transport = holding("Bonn");
    let mut wanted = update("Ulm");
    wanted.before = Some([(String::from("city"), json!("Kiel"))].into_iter().collect());
    let finished = machine.run(&transport, &[wanted], options(1)).await;
    assert_eq!(transport.sent_steps(), [0]);
    let sent = finished.journal.step(0).unwrap().unwrap();
    assert_eq!((json!(sent.body), json!(sent.before)), (json!({"city": "Ulm"}), json!({"city": "Bonn"})));
}

#[tokio::test(start_paused = true)]
async fn what_a_row_names_and_another_run_has_made_is_not_the_rows_to_change() {
    let named = |city: &str| Step { role: StepRole::Dependency, ..placed(city) };
    for (held, wanted, told_of) in [
        ("Bonn", "Ulm", "0 Failed: name.failed: run other wrote this record after this run was planned; "),
        ("Ulm", "Ulm", "0 AlreadyApplied #55: run other wrote this record after this run was planned"),
    ] {
        let machine = Machine::new();
        machine.did(&placed("Oslo"), Some(55));
        let transport = holding(held);
        let finished = machine.run(&transport, &[named(wanted)], options(1)).await;
        let told = told(&finished).remove(0);
        assert!(told.starts_with(told_of), "{told}");
        assert_eq!(held == "Bonn", told.contains("location `#55` differs in `city`"), "{told}");
        assert!(transport.sent_steps().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_another_run_made_and_that_is_not_shown_is_not_made_again() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = FakeTransport::new(&[]);
    let finished = machine.run(&transport, &[placed("Ulm")], options(1)).await;
    assert_eq!(
        told(&finished),
        ["0 Failed: record.conflict: run other wrote this record after this run was planned; the service does not \
             show the record yet",]
    );
    assert!(transport.sent_steps().is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_another_run_did_not_say_which_record_it_made_it_is_looked_for_by_its_key() {
    let machine = Machine::new();
    machine.did(&placed("Ulm"), None);
    let transport = holding("Ulm");
    let finished = machine.run(&transport, &[placed("Ulm")], options(1)).await;
    assert_eq!(told(&finished), ["0 AlreadyApplied #55: run other wrote this record after this run was planned"]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_overwrites_nothing_that_another_run_has_written() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = holding("Bonn");
    let resumed = DispatchOptions { start: RunStart::Resumed, ..options(1) };
    let finished = machine.run(&transport, &[placed("Ulm")], resumed).await;
    assert!(transport.sent_steps().is_empty());
    let told = told(&finished);
    assert!(told[0].starts_with("0 Failed: record.") && told[0].contains("`city` is `Bonn`"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_update_from_an_export_overwrites_nothing_that_another_run_has_written() {
    let sheet = |field: &str| {
        let entity = schema::collection("locations").unwrap();
        let fields = vec![(field.to_owned(), 3)];
        SheetHeader { fields, ..SheetHeader::without_columns(entity) }
    };
    for (field, is_sent) in [("updated_at", false), ("name", true)] {
        let machine = Machine::new();
        machine.did(&update("Bonn"), Some(55));
        let transport = holding("Bonn");
        let mut wanted = update("Ulm");
        wanted.before = Some([(String::from("city"), json!("Kiel"))].into_iter().collect());
        let finished = machine.run_sheets(&transport, &[wanted], options(1), &[sheet(field)]).await;
        assert_eq!(transport.sent_steps().len(), usize::from(is_sent), "{field}: {:?}", told(&finished));
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_is_made_again() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = holding("Bonn");
    transport.failing_reads.set(2);
    let finished = machine.run(&transport, &[placed("Ulm")], options(1)).await;
    assert_eq!((finished.end, transport.sent_steps()), (RunEnd::Complete, vec![0]));
    assert_eq!(transport.reads.borrow().len(), 3);
    assert!(
        finished.observed.waits.contains(&Some(Wait::Reconciling { requests: 1 })) || transport.started_for() > SECOND
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_leaves_what_was_to_be_looked_at_open() {
    let machine = Machine::new();
    machine.did(&placed("Bonn"), Some(55));
    let transport = holding("Bonn");
    transport.failing_reads.set(u32::MAX);
    let writer = |journal| Ok(inline(journal));
    let sheets = [];
    let dispatcher =
        Dispatcher::with_writer(&transport, options(1), &sheets, journal(&[placed("Ulm")]), writer).unwrap();
    let dispatcher = dispatcher.with_claims(Some(machine.claims("ours")));
    let (mut shutdown, mut observed) = (ShutdownSignal::new(), Recorder::default());
    let signal = shutdown.clone();
    let interrupting = async {
        sleep(SECOND).await;
        signal.request();
    };
    let (finished, ()) = tokio::join!(dispatcher.run(&mut shutdown, &mut observed), interrupting);
    let (journal, end) = finished.unwrap();
    assert_eq!((end, journal.open_steps().unwrap(), observed.outcomes.len()), (RunEnd::Interrupted, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_another_run_is_writing_is_waited_for() {
    let machine = Machine::new();
    let mut other = machine.begins(&step(0));
    let transport = FakeTransport::new(&[]);
    let finishing = async {
        sleep(3 * SECOND).await;
        other.end(&step(0), &applied(&step(0), Some(55))).unwrap();
    };
    let all = steps(3);
    let (finished, ()) = tokio::join!(machine.run(&transport, &all, options(1)), finishing);
    assert_eq!(
        told(&finished),
        ["1 Applied #101", "2 Applied #102", "0 AlreadyApplied #55: done by run other at the same time"]
    );
    assert!(
        transport.started_for() >= 3 * SECOND && transport.started_for() < 4 * SECOND,
        "{:?}",
        transport.started_for()
    );
    let waits: Vec<&Wait> = finished.observed.waits.iter().flatten().collect();
    assert_eq!(waits, [&Wait::OtherRun { run: String::from("other"), rows: 1 }]);
    // Nothing is left claimed.
    assert_eq!(
        machine.claims("other").acquire(&Step { number: 7, ..step(1) }).unwrap(),
        ClaimResult::DoneAlike { run: String::from("ours"), record: Some(101) }
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_another_run_gives_up_is_written() {
    let machine = Machine::new();
    let mut other = machine.begins(&step(0));
    let transport = FakeTransport::new(&[]);
    let finishing = async {
        sleep(SECOND).await;
        other.release(0).unwrap();
    };
    let all = steps(1);
    let (finished, ()) = tokio::join!(machine.run(&transport, &all, options(1)), finishing);
    assert_eq!((told(&finished), transport.sent_steps()), (vec![String::from("0 Applied #101")], vec![0]));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_another_run_is_writing_is_a_problem_where_nobody_wants_to_wait() {
    let machine = Machine::new();
    let _other = machine.begins(&step(0));
    let transport = FakeTransport::new(&[]);
    let finished = machine.run(&transport, &steps(2), DispatchOptions { no_wait: true, ..options(1) }).await;
    assert_eq!(told(&finished), ["0 Failed: record.busy: run other is writing this record", "1 Applied #101"]);
    assert_eq!(finished.end, RunEnd::Complete);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_was_writing_is_looked_for_before_it_is_sent() {
    for (transport, expected, is_sent) in [
        (holding(""), "0 AlreadyApplied #55: run other was stopped while it wrote this", false),
        (FakeTransport::new(&[]), "0 Applied #101", true),
    ] {
        let mut machine = Machine::new();
        drop(machine.begins(&step(0)));
        machine.kill_other();
        let finished = machine.run(&transport, &steps(1), options(1)).await;
        assert_eq!((told(&finished), transport.sent_steps().len()), (vec![expected.to_owned()], usize::from(is_sent)));
        assert!(transport.started_for() >= WAITS.look, "the request of the killed process may be on its way");
    }
}

#[tokio::test(start_paused = true)]
async fn claims_that_cannot_be_written_stop_the_run() {
    let machine = Machine::new();
    let transport = FakeTransport::new(&[]);
    let writer = |journal| Ok(inline(journal));
    let sheets = [];
    let dispatcher = Dispatcher::with_writer(&transport, options(1), &sheets, journal(&steps(2)), writer).unwrap();
    let dispatcher = dispatcher.with_claims(Some(machine.claims("ours")));
    let other = rusqlite::Connection::open(machine.folder.path().join("claims.sqlite")).unwrap();
    other.execute_batch("DROP TABLE claim").unwrap();
    let (mut shutdown, mut observed) = (ShutdownSignal::new(), Recorder::default());
    let (journal, end) = dispatcher.run(&mut shutdown, &mut observed).await.unwrap();
    let RunEnd::JournalFailed(reason) = end else { panic!("{end:?}") };
    assert!(reason.contains("in which runs say what they are writing: no such table: claim"), "{reason}");
    assert_eq!((journal.open_steps().unwrap(), transport.sent_steps().len()), (2, 0));
}

#[test]
fn few_steps_wait_for_other_runs_at_a_time() {
    let machine = Machine::new();
    let transport = FakeTransport::new(&[]);
    let sheets = [];
    let writer = |journal| Ok(inline(journal));
    let dispatcher = Dispatcher::with_writer(&transport, options(1), &sheets, journal(&[]), writer).unwrap();
    let mut dispatcher = dispatcher.with_claims(Some(machine.claims("ours")));
    let mut other = machine.claims("other");
    let mut observer = Recorder::default();
    for number in 0..64 {
        assert!(dispatcher.claiming.has_room(), "{number}");
        other.acquire(&step(number)).unwrap();
        assert!(dispatcher.claim(step(number), &mut observer).is_none());
    }
    assert!(!dispatcher.claiming.has_room() && dispatcher.claiming.is_waiting());
    assert_eq!(dispatcher.claiming.wait(), Some(Wait::OtherRun { run: String::from("other"), rows: 64 }));
    assert!(dispatcher.claim(step(99), &mut observer).is_some());
}
