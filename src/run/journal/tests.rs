//! The journal against a model of it: wherever a run is cut off, the journal is enough to apply every step exactly
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::file::{JournalFile, JournalLocation};
use super::read::{Journal, StoredRow};
use super::writer::commit_all;
use super::*;
use crate::account::AccountIdentity;
use crate::api::Method;
use crate::check::{Code, ValueError};
use crate::fuzz::cases;
use crate::mapping::IgnoredColumn;
use crate::plan::{DependsOn, RowId, RowStatus, Step, StepOutcome, StepResult, StepRole, StepSink as _, WriteKind};
use crate::schema;
use crate::table::{Row, Value};

fn header() -> RunHeader {
    RunHeader {
        id: String::from("20261124-093012-kqzf"),
        kind: RunKind::Import,
        account: AccountIdentity::Service {
            base_url: String::from("https://example.com/api"),
            tenant: Some(3),
            profile: None,
        },
        undoes: None,
        details: RunDetails { files: vec![String::from("a.csv")], max_errors: Some(7), ..RunDetails::default() },
    }
}

fn sheet() -> SheetHeader {
    let mut header = Row::default();
    header.clear(1);
    ["name", "city"].iter().for_each(|text| header.push_text(text));
    SheetHeader {
        file: String::from("a.csv"),
        name: None,
        label: String::from("a"),
        place: 0,
        entity: schema::collection("locations").unwrap(),
        header,
        fields: vec![(String::from("city"), 1)],
        decoding: Some(String::from("UTF-8, comma")),
        ignored: vec![IgnoredColumn { name: String::from("Remarks"), reason: None }],
        owner: None,
    }
}

fn step(number: u32) -> Step {
    let entity = schema::collection("locations").unwrap();
    let row = RowId { sheet: 0, row: u64::from(number) + 2 };
    let mut step = Step::new(number, row, StepRole::Row, entity, WriteKind::Create);
    step.body.insert(String::from("name"), format!("L-{number}").into());
    step
}

fn planned(path: &Path, steps: u32) -> Journal {
    let mut builder = JournalBuilder::create(JournalLocation::File(path.to_owned()), &header()).unwrap();
    builder.sheet(0, &sheet()).unwrap();
    for number in 0..steps {
        let step = step(number);
        let mut row = Row::default();
        row.clear(step.row.row);
        row.push_text(&format!("L-{number}"));
        builder.push(&step).unwrap();
        builder.row(&row, &row_plan(RowState::Planned), &|_| false).unwrap();
    }
    builder.finish(&AccountSnapshot::default()).unwrap()
}

fn row_plan(state: RowState) -> PlannedRow {
    PlannedRow { state, status: RowStatus::Created, record: None, message: String::new(), problems: Vec::new() }
}

fn done(step: u32) -> WriteCommand {
    conclusion(step, StepResult::Applied)
}

fn conclusion(step: u32, result: StepResult) -> WriteCommand {
    let (after, message, problems) = (None, String::new(), Vec::new());
    WriteCommand::RecordOutcome(Arc::new(StepOutcome { step, result, record: Some(1), after, message, problems }))
}

/// A random event of a run.
#[derive(Debug, Clone, Copy)]
enum RandomEvent {
    /// The intent of the next pending step is recorded.
    Intend,
    /// The service applies one of the steps with an intent.
    Apply(usize),
    /// The outcome of an applied step is recorded.
    Conclude(usize),
    /// One that was not applied was never sent, or reconciliation found it not applied.
    Clear(usize),
    /// Reconciliation could not determine whether one was applied.
    GiveUp(usize),
    /// The process is killed.
    Kill,
}

fn events() -> impl Strategy<Value = Vec<RandomEvent>> {
    let event = prop_oneof![
        4 => Just(RandomEvent::Intend),
        3 => (0_usize..8).prop_map(RandomEvent::Apply),
        3 => (0_usize..8).prop_map(RandomEvent::Conclude),
        1 => (0_usize..8).prop_map(RandomEvent::Clear),
        1 => (0_usize..8).prop_map(RandomEvent::GiveUp),
        1 => Just(RandomEvent::Kill),
    ];
    prop::collection::vec(event, 0..60)
}

/// What must be true of the journal.
#[derive(Debug, Default)]
struct Model {
    /// Never sent, or surely not applied.
    planned: BTreeSet<u32>,
    intended: BTreeSet<u32>,
    unknown: BTreeSet<u32>,
    done: BTreeSet<u32>,
    /// How often the service applied a step.
    applied: BTreeMap<u32, u32>,
}

impl Model {
    fn nth_intended(&self, nth: usize) -> Option<u32> {
        self.intended.iter().chain(&self.unknown).copied().nth(nth)
    }

    fn is_applied(&self, step: u32) -> bool {
        self.applied.contains_key(&step)
    }

    /// What the event writes into the journal.
    fn apply(&mut self, event: RandomEvent) -> Option<WriteCommand> {
        match event {
            RandomEvent::Intend => {
                let step = self.planned.pop_first()?;
                self.intended.insert(step);
                Some(WriteCommand::RecordIntent(step))
            }
            RandomEvent::Apply(nth) => {
                let step = self.intended.iter().copied().nth(nth)?;
                if !self.is_applied(step) {
                    self.applied.insert(step, 1);
                }
                None
            }
            RandomEvent::Conclude(nth) => {
                let step = self.nth_intended(nth)?;
                if !self.is_applied(step) {
                    return None;
                }
                self.intended.remove(&step);
                self.unknown.remove(&step);
                self.done.insert(step);
                Some(done(step))
            }
            RandomEvent::Clear(nth) => {
                let step = self.nth_intended(nth).filter(|step| !self.is_applied(*step))?;
                self.intended.remove(&step);
                self.unknown.remove(&step);
                self.planned.insert(step);
                Some(WriteCommand::ClearIntent(step))
            }
            RandomEvent::GiveUp(nth) => {
                let step = self.intended.iter().copied().nth(nth)?;
                self.intended.remove(&step);
                self.unknown.insert(step);
                Some(conclusion(step, StepResult::Unknown))
            }
            RandomEvent::Kill => None,
        }
    }

    /// Checks what a process that resumes the journal must find.
    fn check(&self, journal: &Journal) {
        let numbers = |steps: Vec<Step>| -> BTreeSet<u32> { steps.iter().map(|step| step.number).collect() };
        assert_eq!(numbers(journal.unresolved_steps().unwrap()), &self.intended | &self.unknown);
        assert_eq!(numbers(journal.pending_steps(0, 1_000).unwrap()), self.planned);
        let mut ended = BTreeSet::new();
        journal
            .each_outcome(&mut |step, outcome| {
                ended.insert((step.number, outcome.result));
            })
            .unwrap();
        let results = |steps: &BTreeSet<u32>, result| steps.iter().map(|step| (*step, result)).collect::<Vec<_>>();
        let expected =
            results(&self.done, StepResult::Applied).into_iter().chain(results(&self.unknown, StepResult::Unknown));
        assert_eq!(ended, expected.collect());
        assert_eq!(journal.unresolved_count().unwrap(), (self.intended.len() + self.unknown.len()) as u64);
        let open = self.planned.len() + self.intended.len();
        assert_eq!(journal.open_steps().unwrap(), open as u64);
    }

    /// Applies everything the journal lists as open, and nothing else.
    fn resume(&mut self, journal: &Journal) {
        for step in journal.unresolved_steps().unwrap() {
            // Reconciled first: a step that was applied is not sent again.
            if !self.is_applied(step.number) {
                commit_all(journal, vec![WriteCommand::RecordIntent(step.number)]).unwrap();
                *self.applied.entry(step.number).or_default() += 1;
            }
            commit_all(journal, vec![done(step.number)]).unwrap();
        }
        for step in journal.pending_steps(0, 1_000).unwrap() {
            commit_all(journal, vec![WriteCommand::RecordIntent(step.number)]).unwrap();
            *self.applied.entry(step.number).or_default() += 1;
            commit_all(journal, vec![done(step.number)]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn every_step_is_applied_once_wherever_the_run_is_cut_off(steps in 1_u32..12, events in events()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("run.sqlite");
        let mut journal = planned(&path, steps);
        let mut model = Model { planned: (0..steps).collect(), ..Model::default() };
        for event in events {
            if matches!(event, RandomEvent::Kill) {
                drop(journal);
                journal = Journal::open(&path, "run").unwrap();
                model.check(&journal);
                continue;
            }
            if let Some(entry) = model.apply(event) {
                commit_all(&journal, vec![entry]).unwrap();
            }
        }
        drop(journal);
        let journal = Journal::open(&path, "run").unwrap();
        model.check(&journal);
        model.resume(&journal);
        prop_assert_eq!(model.applied, (0..steps).map(|step| (step, 1)).collect::<BTreeMap<_, _>>());
        prop_assert_eq!(journal.open_steps().unwrap(), 0);
        prop_assert_eq!(journal.unresolved_count().unwrap(), 0);
    }
}

#[test]
fn a_planned_run_round_trips() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/run.sqlite");
    let mut builder = JournalBuilder::create(JournalLocation::File(path.clone()), &header()).unwrap();
    builder.sheet(0, &sheet()).unwrap();
    let mut given = step(0);
    given.depends_on = vec![DependsOn { step: 0, field: Some(String::from("city")) }];
    given.before = Some(given.body.clone());
    builder.push(&given).unwrap();
    let mut row = Row::default();
    row.clear(2);
    row.push_text("007");
    row.push("7", Value::Number(7.0));
    let error = ValueError::new(Code::DateInvalid, "a date", "write one").at(Some(1), "soon");
    let failed = PlannedRow { status: RowStatus::Failed, problems: vec![error], ..row_plan(RowState::Ended) };
    builder.row(&row, &failed, &|column| column == 1).unwrap();
    drop(
        builder
            .finish(&AccountSnapshot { sizes: vec![(String::from("locations"), 4)], ..AccountSnapshot::default() })
            .unwrap(),
    );

    let journal = Journal::open(&path, "run").unwrap();
    let read = journal.header().unwrap();
    assert_eq!(
        (read.id, read.kind, read.account, read.details),
        (header().id, RunKind::Import, header().account, header().details)
    );
    assert_eq!(journal.phase().unwrap(), (RunPhase::Sending, None));
    assert_eq!(journal.account_snapshot().unwrap().sizes, [(String::from("locations"), 4)]);
    let sheets = journal.sheets().unwrap();
    assert_eq!(
        (sheets[0].entity.name, sheets[0].header_of(1), &sheets[0].fields),
        ("locations", Some("city"), &sheet().fields)
    );
    let steps = journal.pending_steps(0, 9).unwrap();
    assert_eq!(
        (&steps[0].body, &steps[0].depends_on, &steps[0].before),
        (&given.body, &given.depends_on, &given.before)
    );
    let mut rows = Vec::new();
    journal.each_planned_row(0, &mut |row| rows.push(row)).unwrap();
    assert_eq!(rows, [StoredRow { number: 2, planned: failed }]);
    let mut texts = Vec::new();
    journal
        .each_row(0, &mut |row| {
            texts.extend(row.cells().map(|cell| cell.text.to_owned()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(texts, ["007", ""], "withheld cells are blank");
}

#[cfg(unix)]
#[test]
fn a_result_path_that_is_not_unicode_does_not_prevent_resuming() {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.xlsx");
    let details = RunDetails { result: Path::new("/").join(name), ..RunDetails::default() };
    let builder = JournalBuilder::create(JournalLocation::Memory, &RunHeader { details, ..header() }).unwrap();
    let journal = builder.finish(&AccountSnapshot::default()).unwrap();
    assert_eq!(journal.header().unwrap().details.result, Path::new("/caf\u{fffd}.xlsx"));
}

#[test]
fn a_builder_dropped_before_the_end_deletes_its_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let builder = JournalBuilder::create(JournalLocation::File(path), &header()).unwrap();
    assert!(fs_names(folder.path()).iter().any(|name| name == "run.sqlite"));
    drop(builder);
    assert_eq!(fs_names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_disk_that_is_full_before_anything_is_sent_leaves_nothing_to_resume() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let details = RunDetails { typed: vec!["x".repeat(1_000_000)], ..RunDetails::default() };
    let mut builder = JournalBuilder::create(JournalLocation::File(path.clone()), &header()).unwrap();
    let pages: i64 =
        builder.journal().unwrap().file.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    builder.journal().unwrap().file.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let error = builder.set_details(&details).unwrap_err();
    assert!(matches!(error, JournalError::FullAtStart { .. }), "{error}");
    assert!(!error.hint().contains("resume"), "{}", error.hint());
    drop(builder);
    assert!(!path.exists());
}

#[test]
fn what_is_sent_is_on_the_drive_before() {
    let folder = TempDir::new().unwrap();
    let journal = planned(&folder.path().join("run.sqlite"), 1);
    let pragma =
        |name: &str| journal.file.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("synchronous"), pragma("fullfsync")), (2, 1));
}

#[test]
fn a_full_disk_is_reported_and_loses_no_committed_outcome() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let journal = planned(&path, 3);
    commit_all(&journal, vec![WriteCommand::RecordIntent(0), done(0)]).unwrap();
    let pages: i64 = journal.file.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    journal.file.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let request = RequestKind { method: Method::Post, path: "locations" };
    let long = Some("x".repeat(100_000));
    let note = AttemptRecord { step: 1, at: 0, milliseconds: 1, request, status: None, reply: long };
    let error = commit_all(&journal, vec![WriteCommand::RecordIntent(1), WriteCommand::RecordAttempts(vec![note])])
        .unwrap_err();
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(error.hint().contains("tallyport resume"));
    assert_eq!(journal.unresolved_count().unwrap(), 0, "half a batch is rolled back");
    drop(journal);
    let journal = Journal::open(&path, "run").unwrap();
    assert_eq!((journal.open_steps().unwrap(), journal.unresolved_count().unwrap()), (2, 0));
}

#[test]
fn one_process_writes_a_run_and_others_may_read_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let journal = planned(&path, 1);
    assert!(matches!(Journal::open(&path, "run"), Err(JournalError::Busy { run }) if run == "run"));
    assert_eq!(Journal::open_read_only(&path).unwrap().header().unwrap().id, header().id);
    drop(journal);
    Journal::open(&path, "run").unwrap();
}

#[test]
fn other_sqlite_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE run (id TEXT); INSERT INTO run VALUES ('x')").unwrap();
    drop(other);
    assert!(matches!(JournalFile::open_read_only(&path), Err(JournalError::Damaged { .. })));
}

fn fs_names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Reads some part of a journal.
type Read = fn(&Journal) -> Result<(), JournalError>;

#[test]
fn content_that_makes_no_sense_is_an_error_and_never_a_default() {
    let folder = TempDir::new().unwrap();
    let journal = planned(&folder.path().join("run.sqlite"), 1);
    commit_all(&journal, vec![WriteCommand::RecordIntent(0), done(0)]).unwrap();
    let (header, totals): (Read, Read) = (|journal| journal.header().map(drop), |journal| journal.totals().map(drop));
    let (sheets, rows): (Read, Read) =
        (|journal| journal.sheets().map(drop), |journal| journal.each_planned_row(0, &mut |_| {}));
    let (outcomes, endings): (Read, Read) = (
        |journal| journal.each_outcome(&mut |_, _| {}),
        |journal| journal.row_outcomes(0, Unfinished::Open).try_for_each(|row| row.map(drop)),
    );
    for (damage, read) in [
        ("UPDATE run SET account = 'elsewhere'", header),
        ("UPDATE run SET counts = '{\"odd\":1}'", totals),
        ("UPDATE run SET requests = '{\"POST widgets\":1}'", totals),
        ("UPDATE sheet SET fields = ''", sheets),
        ("UPDATE sheet SET header = '{'", sheets),
        ("UPDATE row SET status = 'odd'", rows),
        ("UPDATE row SET problems = '[{}]'", rows),
        ("UPDATE outcome SET after = '{'", outcomes),
        ("UPDATE outcome SET result = 'odd'", outcomes),
        ("UPDATE outcome SET after = '{'", endings),
        ("UPDATE step SET part = 'odd'", endings),
    ] {
        read(&journal).unwrap();
        journal.file.connection.execute_batch(&format!("BEGIN; {damage}")).unwrap();
        assert!(matches!(read(&journal), Err(JournalError::Damaged { .. })), "{damage}");
        journal.file.connection.execute_batch("ROLLBACK").unwrap();
    }
}

#[test]
fn requests_are_stored_by_method_and_path() {
    let folder = TempDir::new().unwrap();
    let journal = planned(&folder.path().join("run.sqlite"), 1);
    let stored = r#"UPDATE run SET requests = '{"GET assets":2,"POST checkout/asset":1}'"#;
    journal.file.connection.execute_batch(stored).unwrap();
    let requests = journal.totals().unwrap().requests;
    assert_eq!(requests.total, 3);
    let kinds: Vec<String> = requests.by_kind.keys().map(ToString::to_string).collect();
    assert_eq!(kinds, ["GET assets", "POST checkout/asset"]);
}

#[test]
fn how_a_run_ended_is_read_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let mut totals = RunTotals { seconds: 2.5, ..RunTotals::default() };
    totals.counts.add(RowStatus::Created);
    planned(&path, 1).record_end(RunPhase::Stopped, Some("the disk is full"), &totals).unwrap();
    let journal = Journal::open_read_only(&path).unwrap();
    assert_eq!(journal.phase().unwrap(), (RunPhase::Stopped, Some(String::from("the disk is full"))));
    let read = journal.totals().unwrap();
    assert_eq!((read.seconds, read.counts.of(RowStatus::Created), read.counts.of(RowStatus::Failed)), (2.5, 1, 0));
}

/// Reads all that a journal holds, as far as it can be read.
fn read_all(path: &Path) -> Result<(), JournalError> {
    let journal = Journal::open_read_only(path)?;
    drop((journal.header(), journal.phase(), journal.started_at(), journal.account_snapshot(), journal.totals()));
    let _ = journal.each_outcome(&mut |_, _| {});
    drop((journal.unresolved_steps(), journal.pending_entities(), journal.open_steps(), journal.attempts()));
    for sheet in 0..journal.sheets()?.len() {
        let _ = journal.each_planned_row(sheet as u16, &mut |_| {});
        let _ = journal.each_row(sheet as u16, &mut |_| ControlFlow::Continue(()));
    }
    Ok(())
}

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_journals() {
    let folder = TempDir::new().unwrap();
    let (path, mutated) = (folder.path().join("run.sqlite"), folder.path().join("mutated.sqlite"));
    drop(planned(&path, 20));
    let whole = std::fs::read(&path).unwrap();
    let words = ["SQLite format 3", "\u{0}\u{0}\u{0}\u{5}", "[", "]", "{", "\"", "null", "assets", "CREATE VIEW x AS"];
    crate::fuzz::each_mutation(&[&whole], &words, 20, |bytes| {
        std::fs::write(&mutated, bytes).unwrap();
        let _ = read_all(&mutated);
        for leftover in ["mutated.sqlite-wal", "mutated.sqlite-shm"] {
            let _ = std::fs::remove_file(folder.path().join(leftover));
        }
    });
}

#[test]
fn a_field_has_an_only_column_if_no_other_feeds_it() {
    let fields = [("city", 1), ("name", 2), ("name", 3), ("zip", 4), ("zip", 4)];
    let fields = fields.map(|(field, column)| (field.to_owned(), column)).to_vec();
    let header = SheetHeader { fields, ..sheet() };
    assert_eq!(
        ["city", "name", "zip", "url"].map(|field| header.only_column_of(field)),
        [Some(1), None, Some(4), None]
    );
}
