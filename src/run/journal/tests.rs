//! The journal beside a model of it: whatever happens and wherever it is cut off, what it tells afterwards is enough to
//! do every step once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::read::Journal;
use super::scribe::commit_all;
use super::store::{At, Store};
use super::*;
use crate::account::AccountIdentity;
use crate::check::{Code, ValueError};
use crate::plan::{Await, Part, RowId, Step, WriteKind};
use crate::schema;
use crate::table::{Row, Value};

fn head() -> RunHead {
    RunHead {
        id: String::from("20261124-093012-kqzf"),
        deed: Deed::Import,
        account: AccountIdentity::Service {
            base_url: String::from("https://example.com/api"),
            tenant: Some(3),
            profile: None,
        },
        undoes: None,
        details: Details { files: vec![String::from("a.csv")], max_errors: Some(7), ..Details::default() },
    }
}

fn sheet() -> SheetHead {
    let mut header = Row::default();
    header.clear(1);
    ["name", "city"].iter().for_each(|text| header.push_text(text));
    SheetHead {
        file: String::from("a.csv"),
        name: None,
        label: String::from("a"),
        place: 0,
        entity: schema::collection("locations").unwrap(),
        header,
        fields: vec![(String::from("city"), 1)],
        decoding: Some(String::from("UTF-8, comma")),
        ignored: vec![String::from("Remarks")],
    }
}

fn step(number: u32) -> Step {
    let entity = schema::collection("locations").unwrap();
    let row = RowId { sheet: 0, row: u64::from(number) + 2 };
    let mut step = Step::new(number, row, Part::Own, entity, WriteKind::Create);
    step.body.insert(String::from("name"), format!("L-{number}").into());
    step
}

fn planned(path: &Path, steps: u32) -> Journal {
    let mut draft = Draft::begin(At::File(path.to_owned()), &head()).unwrap();
    draft.sheet(0, &sheet()).unwrap();
    for number in 0..steps {
        let step = step(number);
        let mut row = Row::default();
        row.clear(step.row.row);
        row.push_text(&format!("L-{number}"));
        draft.push(&step).unwrap();
        draft.row(&row, &row_plan(RowState::Planned), &|_| false).unwrap();
    }
    draft.ready(&Knowledge::default()).unwrap()
}

fn row_plan(state: RowState) -> PlannedRow {
    PlannedRow { state, status: RowStatus::Created, record: None, message: String::new(), problems: Vec::new() }
}

fn done(step: u32) -> Entry {
    conclusion(step, StepResult::Done)
}

fn conclusion(step: u32, result: StepResult) -> Entry {
    let (after, message, problems) = (None, String::new(), Vec::new());
    Entry::Conclude(Box::new(StepOutcome { step, result, record: Some(1), after, message, problems }))
}

/// What happens next, as far as chance decides it.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The next planned step is intended.
    Intend,
    /// The service does one of the intended steps.
    Serve(usize),
    /// One of the intended steps is settled by what the service did.
    Settle(usize),
    /// One that was not served was never sent, or a look has found it undone.
    Withdraw(usize),
    /// Nobody can tell of one.
    GiveUp(usize),
    /// The process dies.
    Die,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        4 => Just(Turn::Intend),
        3 => (0_usize..8).prop_map(Turn::Serve),
        3 => (0_usize..8).prop_map(Turn::Settle),
        1 => (0_usize..8).prop_map(Turn::Withdraw),
        1 => (0_usize..8).prop_map(Turn::GiveUp),
        1 => Just(Turn::Die),
    ];
    prop::collection::vec(turn, 0..60)
}

/// What must be true of the journal.
#[derive(Debug, Default)]
struct Model {
    /// Never sent, or surely not.
    planned: BTreeSet<u32>,
    intended: BTreeSet<u32>,
    unknown: BTreeSet<u32>,
    done: BTreeSet<u32>,
    /// How often the service did a step.
    served: BTreeMap<u32, u32>,
}

impl Model {
    fn nth_intended(&self, nth: usize) -> Option<u32> {
        self.intended.iter().chain(&self.unknown).copied().nth(nth)
    }

    fn is_served(&self, step: u32) -> bool {
        self.served.contains_key(&step)
    }

    /// What the turn writes into the journal.
    fn turn(&mut self, turn: Turn) -> Option<Entry> {
        match turn {
            Turn::Intend => {
                let step = self.planned.pop_first()?;
                self.intended.insert(step);
                Some(Entry::Intend(step))
            }
            Turn::Serve(nth) => {
                let step = self.intended.iter().copied().nth(nth)?;
                if !self.is_served(step) {
                    self.served.insert(step, 1);
                }
                None
            }
            Turn::Settle(nth) => {
                let step = self.nth_intended(nth)?;
                if !self.is_served(step) {
                    return None;
                }
                self.intended.remove(&step);
                self.unknown.remove(&step);
                self.done.insert(step);
                Some(done(step))
            }
            Turn::Withdraw(nth) => {
                let step = self.nth_intended(nth).filter(|step| !self.is_served(*step))?;
                self.intended.remove(&step);
                self.unknown.remove(&step);
                self.planned.insert(step);
                Some(Entry::Withdraw(step))
            }
            Turn::GiveUp(nth) => {
                let step = self.intended.iter().copied().nth(nth)?;
                self.intended.remove(&step);
                self.unknown.insert(step);
                Some(conclusion(step, StepResult::Unknown))
            }
            Turn::Die => None,
        }
    }

    /// What a process that takes the journal up must find.
    fn agrees(&self, journal: &Journal) {
        let numbers = |steps: Vec<Step>| -> BTreeSet<u32> { steps.iter().map(|step| step.number).collect() };
        assert_eq!(numbers(journal.unsettled().unwrap()), &self.intended | &self.unknown);
        assert_eq!(numbers(journal.planned_from(0, 1_000).unwrap()), self.planned);
        let mut ended = BTreeSet::new();
        journal
            .each_outcome(&mut |step, outcome| {
                ended.insert((step.number, outcome.result));
            })
            .unwrap();
        let results = |steps: &BTreeSet<u32>, result| steps.iter().map(|step| (*step, result)).collect::<Vec<_>>();
        let expected =
            results(&self.done, StepResult::Done).into_iter().chain(results(&self.unknown, StepResult::Unknown));
        assert_eq!(ended, expected.collect());
        assert_eq!(journal.unsettled_count().unwrap(), (self.intended.len() + self.unknown.len()) as u64);
        let open = self.planned.len() + self.intended.len();
        assert_eq!(journal.open_steps().unwrap(), open as u64);
    }

    /// Takes up what the journal tells, and nothing else, and does it all.
    fn resume(&mut self, journal: &Journal) {
        for step in journal.unsettled().unwrap() {
            // Looked for first: what the service did is not asked of it again.
            if !self.is_served(step.number) {
                commit_all(journal, vec![Entry::Intend(step.number)]).unwrap();
                *self.served.entry(step.number).or_default() += 1;
            }
            commit_all(journal, vec![done(step.number)]).unwrap();
        }
        for step in journal.planned_from(0, 1_000).unwrap() {
            commit_all(journal, vec![Entry::Intend(step.number)]).unwrap();
            *self.served.entry(step.number).or_default() += 1;
            commit_all(journal, vec![done(step.number)]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn wherever_it_is_cut_off_every_step_is_done_once(steps in 1_u32..12, turns in turns()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("run.sqlite");
        let mut journal = planned(&path, steps);
        let mut model = Model { planned: (0..steps).collect(), ..Model::default() };
        for turn in turns {
            if matches!(turn, Turn::Die) {
                drop(journal);
                journal = Journal::open(&path, "run").unwrap();
                model.agrees(&journal);
                continue;
            }
            if let Some(entry) = model.turn(turn) {
                commit_all(&journal, vec![entry]).unwrap();
            }
        }
        drop(journal);
        let journal = Journal::open(&path, "run").unwrap();
        model.agrees(&journal);
        model.resume(&journal);
        prop_assert_eq!(model.served, (0..steps).map(|step| (step, 1)).collect::<BTreeMap<_, _>>());
        prop_assert_eq!(journal.open_steps().unwrap(), 0);
        prop_assert_eq!(journal.unsettled_count().unwrap(), 0);
    }
}

#[test]
fn a_run_comes_back_as_it_was_planned() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/run.sqlite");
    let mut draft = Draft::begin(At::File(path.clone()), &head()).unwrap();
    draft.sheet(0, &sheet()).unwrap();
    let mut given = step(0);
    given.awaits = vec![Await { step: 0, field: Some(String::from("city")) }];
    given.before = Some(given.body.clone());
    draft.push(&given).unwrap();
    let mut row = Row::default();
    row.clear(2);
    row.push_text("007");
    row.push("7", Value::Number(7.0));
    let flaw = ValueError::new(Code::DateInvalid, "a date", "write one").at(Some(1), "soon");
    let failed = PlannedRow { status: RowStatus::Failed, problems: vec![flaw], ..row_plan(RowState::Ended) };
    draft.row(&row, &failed, &|column| column == 1).unwrap();
    drop(draft.ready(&Knowledge { sizes: vec![(String::from("locations"), 4)], ..Knowledge::default() }).unwrap());

    let journal = Journal::open(&path, "run").unwrap();
    let read = journal.head().unwrap();
    assert_eq!(
        (read.id, read.deed, read.account, read.details),
        (head().id, Deed::Import, head().account, head().details)
    );
    assert_eq!(journal.phase().unwrap(), (Phase::Sending, None));
    assert_eq!(journal.knowledge().unwrap().sizes, [(String::from("locations"), 4)]);
    let sheets = journal.sheets().unwrap();
    assert_eq!(
        (sheets[0].entity.name, sheets[0].header_of(1), &sheets[0].fields),
        ("locations", Some("city"), &sheet().fields)
    );
    let steps = journal.planned_from(0, 9).unwrap();
    assert_eq!((&steps[0].body, &steps[0].awaits, &steps[0].before), (&given.body, &given.awaits, &given.before));
    let mut rows = Vec::new();
    journal.each_planned(0, &mut |row| rows.push(row)).unwrap();
    assert_eq!(rows, [StoredRow { number: 2, planned: failed }]);
    let mut texts = Vec::new();
    journal
        .each_row(0, &mut |row| {
            texts.extend(row.cells().map(|cell| cell.text.to_owned()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(texts, ["007", ""], "what is withheld is not there");
}

#[cfg(unix)]
#[test]
fn a_file_whose_name_is_no_text_keeps_no_run_from_going_on() {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.xlsx");
    let details = Details { result: Path::new("/").join(name), ..Details::default() };
    let draft = Draft::begin(At::Memory, &RunHead { details, ..head() }).unwrap();
    let journal = draft.ready(&Knowledge::default()).unwrap();
    assert_eq!(journal.head().unwrap().details.result, Path::new("/caf\u{fffd}.xlsx"));
}

#[test]
fn a_draft_that_is_given_up_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let draft = Draft::begin(At::File(path), &head()).unwrap();
    assert!(fs_names(folder.path()).iter().any(|name| name == "run.sqlite"));
    drop(draft);
    assert_eq!(fs_names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_full_disk_is_told_as_such_and_loses_nothing_that_was_committed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let journal = planned(&path, 3);
    commit_all(&journal, vec![Entry::Intend(0), done(0)]).unwrap();
    let pages: i64 = journal.store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    journal.store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let long = "x".repeat(100_000);
    let note = AttemptNote { step: 1, at: 0, milliseconds: 1, request: long, status: None, reply: None };
    let error = commit_all(&journal, vec![Entry::Intend(1), Entry::Attempts(vec![note])]).unwrap_err();
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(error.hint().contains("tallyport resume"));
    assert_eq!(journal.unsettled_count().unwrap(), 0, "half a batch does not pass for written");
    drop(journal);
    let journal = Journal::open(&path, "run").unwrap();
    assert_eq!((journal.open_steps().unwrap(), journal.unsettled_count().unwrap()), (2, 0));
}

#[test]
fn one_process_at_a_time_works_on_a_run_and_others_may_look() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let journal = planned(&path, 1);
    assert!(matches!(Journal::open(&path, "run"), Err(JournalError::Busy { run }) if run == "run"));
    assert_eq!(Journal::look(&path).unwrap().head().unwrap().id, head().id);
    drop(journal);
    Journal::open(&path, "run").unwrap();
}

#[test]
fn what_is_no_journal_is_not_taken_for_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE run (id TEXT); INSERT INTO run VALUES ('x')").unwrap();
    drop(other);
    assert!(matches!(Store::look(&path), Err(JournalError::Damaged { .. })));
}

fn fs_names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
