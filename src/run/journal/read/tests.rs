#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::super::writer::commit_all;
use super::super::{
    AttemptRecord, JournalBuilder, JournalLocation, RunDetails, RunKind, SentAction, SourceFile, Unfinished,
    WriteCommand,
};
use super::*;
use crate::api::Method;
use crate::plan::{DependsOn, StepResult, StepSink as _, WriteKind};

/// The journal of a run with these steps, each of a row of its own.
fn journal(steps: &[(&str, StepRole, WriteKind)]) -> Journal {
    journal_of(
        steps.iter().enumerate().map(|(number, (entity, role, write))| step(number as u32, entity, *role, *write)),
    )
}

fn journal_of(steps: impl IntoIterator<Item = Step>) -> Journal {
    let (account, details) = (AccountIdentity::SandboxMemory, RunDetails::default());
    let header = RunHeader { id: String::from("r"), kind: RunKind::Import, account, undoes: None, details };
    let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    builder.sheet(0, &SheetHeader::without_columns(schema::find("assets").unwrap())).unwrap();
    for step in steps {
        builder.push(&step).unwrap();
    }
    builder.finish(&AccountSnapshot::default()).unwrap()
}

fn step(number: u32, entity: &str, role: StepRole, write: WriteKind) -> Step {
    Step::new(number, RowId { sheet: 0, row: u64::from(number) + 2 }, role, schema::find(entity).unwrap(), write)
}

fn ended(step: u32, result: StepResult, record: Option<i64>) -> WriteCommand {
    let (after, message, problems) = (None, String::new(), Vec::new());
    WriteCommand::RecordOutcome(Arc::new(StepOutcome { step, result, record, after, message, problems }))
}

fn attempt(step: u32, milliseconds: u64, status: Option<u16>) -> AttemptRecord {
    let request = "POST assets".parse().unwrap();
    AttemptRecord { step, at: 1_700_000_000_000, milliseconds, request, status, reply: None }
}

const ROW: StepRole = StepRole::Row;

fn numbers(steps: Vec<Step>) -> Vec<u32> {
    steps.into_iter().map(|step| step.number).collect()
}

#[test]
fn requests_are_counted_by_how_they_ended() {
    let journal = journal(&[("assets", ROW, WriteKind::Create); 3]);
    assert_eq!((journal.attempts().unwrap(), journal.slowest_response().unwrap()), (AttemptCounts::default(), 0));
    let attempts = vec![
        attempt(0, 12, Some(201)),
        attempt(1, 340, None),
        attempt(1, 50, Some(400)),
        attempt(2, 7, Some(399)),
        attempt(2, 8, Some(503)),
    ];
    commit_all(&journal, vec![WriteCommand::RecordAttempts(attempts)]).unwrap();
    assert_eq!(journal.attempts().unwrap(), AttemptCounts { total: 5, unanswered: 1, refused: 2 });
    assert_eq!(journal.slowest_response().unwrap(), 340);
    let totals = journal.totals().unwrap();
    let key = RequestKind { method: Method::Post, path: "assets" };
    assert_eq!((totals.requests.total, totals.requests.by_kind[&key]), (5, 5), "no end has counted them");
}

#[test]
fn a_step_that_was_sent_again_may_have_been_applied_twice() {
    let journal = journal(&[("assets", ROW, WriteKind::Create); 7]);
    let attempts = vec![
        // Answered at once; refused and then applied: surely once.
        attempt(0, 1, Some(201)),
        attempt(1, 1, Some(429)),
        attempt(1, 1, Some(201)),
        // Lost, or failed on the way, and then applied.
        attempt(2, 1, None),
        attempt(2, 1, Some(200)),
        attempt(3, 1, Some(408)),
        attempt(3, 1, Some(299)),
        attempt(4, 1, Some(500)),
        attempt(4, 1, Some(201)),
        // Lost and never applied.
        attempt(5, 1, None),
        attempt(5, 1, Some(300)),
    ];
    let intents = [5, 6, 6].map(WriteCommand::RecordIntent);
    commit_all(&journal, intents.into_iter().chain([WriteCommand::RecordAttempts(attempts)]).collect()).unwrap();
    let mut steps: Vec<u32> = journal.resent_steps().unwrap().into_iter().collect();
    steps.sort_unstable();
    assert_eq!(steps, [2, 3, 4, 6]);
}

#[test]
fn steps_are_open_in_flight_or_unresolved() {
    let journal = journal(&[
        ("assets", ROW, WriteKind::Create),
        ("locations", StepRole::Dependency, WriteKind::Create),
        ("assets", ROW, WriteKind::Update(7)),
        ("checkout_asset", ROW, WriteKind::Create),
        ("suppliers", ROW, WriteKind::Delete(3)),
    ]);
    assert_eq!(
        (journal.step_count().unwrap(), journal.open_steps().unwrap(), journal.rows_in_flight().unwrap()),
        (5, 5, 0)
    );
    let entities = |journal: &Journal| -> Vec<&str> {
        journal.pending_entities().unwrap().into_iter().map(|pending| pending.entity.name).collect()
    };
    let all: Vec<&str> = schema::importable()
        .map(|entity| entity.name)
        .filter(|name| ["assets", "locations", "checkout_asset", "suppliers"].contains(name))
        .collect();
    assert_eq!(entities(&journal), all, "in the order of the schema");
    commit_all(&journal, vec![WriteCommand::RecordIntent(0), WriteCommand::RecordIntent(1)]).unwrap();
    assert_eq!(journal.rows_in_flight().unwrap(), 1, "a record that a row only names is not its own");
    commit_all(
        &journal,
        vec![
            ended(0, StepResult::Unknown, None),
            ended(2, StepResult::Failed, None),
            WriteCommand::RecordIntent(3),
            ended(3, StepResult::Applied, None),
        ],
    )
    .unwrap();
    assert_eq!((journal.open_steps().unwrap(), journal.rows_in_flight().unwrap()), (2, 0));
    assert_eq!((numbers(journal.unresolved_steps().unwrap()), journal.unresolved_count().unwrap()), (vec![0, 1], 2));
    assert_eq!(numbers(journal.pending_steps(0, 9).unwrap()), [4]);
    assert_eq!(entities(&journal), ["suppliers"]);
    journal.reopen_dependents().unwrap();
    assert_eq!(numbers(journal.pending_steps(0, 9).unwrap()), [2, 4], "what failed unsent may be sent now");
    assert_eq!(
        (numbers(journal.pending_steps(3, 9).unwrap()), numbers(journal.pending_steps(0, 1).unwrap())),
        (vec![4], vec![2])
    );
}

#[test]
fn a_step_is_found_by_number_and_by_entity() {
    let journal = journal(&[
        ("assets", ROW, WriteKind::Create),
        ("suppliers", ROW, WriteKind::Delete(3)),
        ("assets", ROW, WriteKind::Update(7)),
    ]);
    let step = journal.step(1).unwrap().unwrap();
    assert_eq!((step.number, step.entity.name, step.write, step.row.row), (1, "suppliers", WriteKind::Delete(3), 3));
    assert!(journal.step(3).unwrap().is_none());
    let mut of_assets = Vec::new();
    journal.each_planned_step(schema::find("assets").unwrap(), &mut |step| of_assets.push(step.number)).unwrap();
    assert_eq!(of_assets, [0, 2]);
}

#[test]
fn a_run_that_goes_on_has_not_ended() {
    let journal = journal(&[]);
    assert!(!journal.is_persistent());
    assert_eq!(journal.path().to_string_lossy(), "in memory");
    journal.record_end(RunPhase::Stopped, Some("interrupted"), &RunTotals::default()).unwrap();
    let ended = || -> Option<String> {
        journal.file.connection.query_row("SELECT ended FROM run", [], |row| row.get(0)).unwrap()
    };
    assert!(ended().is_some());
    journal.mark_resumed().unwrap();
    assert_eq!((journal.phase().unwrap(), ended()), ((RunPhase::Sending, None), None));
}

#[test]
fn actions_that_were_or_may_have_been_made_are_told_with_what_they_moved() {
    let body = |value: serde_json::Value| value.as_object().cloned().unwrap();
    let action = |number: u32, entity: &str, employee: i64| {
        let sent = body(json!({"accessory_id": 1, "employee_id": employee}));
        Step { body: sent, ..step(number, entity, ROW, WriteKind::Create) }
    };
    let mut of_new = action(1, "checkout_accessory", 0);
    of_new.body.remove("employee_id");
    of_new.depends_on.push(DependsOn { step: 0, field: Some(String::from("employee_id")) });
    of_new.depends_on.push(DependsOn { step: 2, field: None });
    let mut of_none = action(5, "checkout_accessory", 9);
    of_none.depends_on.push(DependsOn { step: 3, field: Some(String::from("employee_id")) });
    let journal = journal_of([
        step(0, "employees", StepRole::Dependency, WriteKind::Create),
        of_new,
        action(2, "checkin_accessory", 2),
        action(3, "checkout_accessory", 3),
        action(4, "checkout_accessory", 4),
        of_none,
        action(6, "checkout_accessory", 6),
        step(7, "accessories", ROW, WriteKind::Create),
    ]);
    let intents = (0..8).filter(|step| *step != 6).map(WriteCommand::RecordIntent).collect();
    commit_all(&journal, intents).unwrap();
    commit_all(
        &journal,
        vec![
            ended(0, StepResult::Applied, Some(50)),
            ended(1, StepResult::Applied, None),
            ended(2, StepResult::Unknown, None),
            ended(3, StepResult::Failed, None),
            ended(4, StepResult::AlreadyApplied, None),
            ended(7, StepResult::Applied, Some(7)),
        ],
    )
    .unwrap();
    let sent = journal.sent_actions().unwrap();
    let told = |action: &SentAction| {
        (action.step.number, action.step.entity.name, action.step.body["employee_id"].as_i64(), action.is_applied)
    };
    assert_eq!(
        sent.iter().map(told).collect::<Vec<_>>(),
        [
            (1, "checkout_accessory", Some(50), true),
            (2, "checkin_accessory", Some(2), false),
            (5, "checkout_accessory", Some(9), false),
        ]
    );
    assert!(sent.iter().all(|action| action.at > Timestamp::UNIX_EPOCH));
    assert!(sent.iter().all(|action| action.sent_at.is_some_and(|sent| sent <= action.at)), "{sent:?}");
    let later = Timestamp::now() + SignedDuration::from_mins(9);
    let times = journal.send_times(later).unwrap();
    let mut unanswered: Vec<(u32, bool)> = times.iter().map(|(step, times)| (*step, times.last == later)).collect();
    unanswered.sort_unstable();
    assert_eq!(unanswered, [(2, false), (5, true)], "what never came back may have waited before it went out");
    assert!(times.values().all(|times| times.first < later));
}

#[test]
fn what_was_sent_of_a_field_is_known_only_where_it_was_applied() {
    let write = |number: u32, write: WriteKind, quantity: i64| {
        let body = json!({"name": "Mouse", "quantity": quantity}).as_object().cloned().unwrap();
        Step { body, ..step(number, "accessories", ROW, write) }
    };
    let without = step(6, "accessories", ROW, WriteKind::Update(7));
    let journal = journal_of([
        write(0, WriteKind::Create, 10),
        write(1, WriteKind::Update(7), 11),
        write(2, WriteKind::Update(8), 12),
        write(3, WriteKind::Update(9), 13),
        write(4, WriteKind::Update(10), 14),
        write(5, WriteKind::Update(11), 15),
        without,
        step(7, "consumables", ROW, WriteKind::Update(7)),
    ]);
    commit_all(&journal, (0..8).filter(|step| *step != 5).map(WriteCommand::RecordIntent).collect()).unwrap();
    let results = [StepResult::Applied, StepResult::Failed, StepResult::Unknown, StepResult::AlreadyApplied];
    let outcomes = results.into_iter().zip([0, 1, 2, 3]).zip([7, 7, 8, 9]);
    commit_all(&journal, outcomes.map(|((result, step), id)| ended(step, result, Some(id))).collect()).unwrap();
    let entity = schema::collection("accessories").unwrap();
    let sent = journal.sent_values(entity, entity.field("quantity").unwrap()).unwrap();
    let values: Vec<_> = sent.iter().map(|sent| (sent.record, sent.value.clone())).collect();
    assert_eq!(values, [(7, Some(json!(10))), (8, None), (9, None), (10, None)]);
}

#[test]
fn a_plan_is_sent_durably_and_a_dry_run_keeps_no_cells() {
    let header = |id: &str| {
        let (account, details) = (AccountIdentity::SandboxMemory, RunDetails::default());
        RunHeader { id: id.to_owned(), kind: RunKind::Import, account, undoes: None, details }
    };
    let mut row = Row::default();
    row.clear(2);
    row.push_text("A-1");
    let planned = PlannedRow {
        state: RowState::Planned,
        status: RowStatus::Created,
        record: Some(7),
        message: String::new(),
        problems: Vec::new(),
    };
    let written = |location| {
        let mut builder = JournalBuilder::create(location, &header("r")).unwrap();
        builder.sheet(0, &SheetHeader::without_columns(schema::find("assets").unwrap())).unwrap();
        builder.push(&step(0, "assets", ROW, WriteKind::Create)).unwrap();
        builder.row(&row, &planned, &|_| false).unwrap();
        assert_eq!(builder.count(), 1);
        let journal = builder.finish(&AccountSnapshot::default()).unwrap();
        let ask = |sql: &str| -> String { journal.file.connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let synchronous: i64 = journal.file.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        (journal.step_count().unwrap(), ask("SELECT cells FROM row"), synchronous, journal.planned_records().unwrap())
    };
    let full = 2;
    assert_eq!(written(JournalLocation::Memory), (1, String::from(r#"["A-1"]"#), full, vec![7]));
    assert_eq!(written(JournalLocation::Draft), (1, String::new(), full, vec![7]));
    assert_eq!(written(JournalLocation::Scratch), (0, String::new(), full, vec![7]), "nobody sends its steps");
}

#[test]
fn rows_tell_when_the_service_changed_their_records() {
    let (account, details) = (AccountIdentity::SandboxMemory, RunDetails::default());
    let header = RunHeader { id: String::from("r"), kind: RunKind::Import, account, undoes: None, details };
    let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    builder.sheet(0, &SheetHeader::without_columns(schema::find("assets").unwrap())).unwrap();
    for number in 0..3 {
        let mut row = Row::default();
        row.clear(u64::from(number) + 2);
        let (state, status, message, problems) = (RowState::Planned, RowStatus::Updated, String::new(), Vec::new());
        builder.row(&row, &PlannedRow { state, status, record: Some(7), message, problems }, &|_| false).unwrap();
        builder.push(&step(number, "assets", ROW, WriteKind::Update(7))).unwrap();
    }
    let journal = builder.finish(&AccountSnapshot::default()).unwrap();
    let time = "2026-01-02T10:00:00.5Z";
    for (step, after) in [(0, json!({"updated_at": time})), (1, json!({"updated_at": "soon"})), (2, json!({}))] {
        let after = Some(after.as_object().cloned().unwrap());
        let (result, message, problems) = (StepResult::Applied, String::new(), Vec::new());
        let outcome = StepOutcome { step, result, record: Some(7), after, message, problems };
        commit_all(&journal, vec![WriteCommand::RecordIntent(step), WriteCommand::RecordOutcome(Arc::new(outcome))])
            .unwrap();
    }
    let changed = || -> Vec<Option<Timestamp>> {
        journal.row_outcomes(0, Unfinished::Open).map(|row| row.unwrap().changed_at).collect()
    };
    assert_eq!(changed(), [Some(time.parse().unwrap()), None, None]);
    // Journals of earlier versions do not tell what rows change.
    journal.file.connection.execute_batch("DROP TABLE change").unwrap();
    assert_eq!(changed().len(), 3);
}

#[test]
fn a_sheet_knows_its_columns_and_a_run_its_files() {
    let mut header = Row::default();
    header.clear(1);
    ["Tag", " "].iter().for_each(|text| header.push_text(text));
    let fields = vec![(String::from("asset_id"), 3), (String::from("notes"), 1)];
    let sheet = SheetHeader { header, fields, ..SheetHeader::without_columns(schema::find("assets").unwrap()) };
    assert_eq!(
        [sheet.column_of("notes"), sheet.column_of("asset_id"), sheet.column_of("odd")],
        [Some(1), Some(3), None]
    );
    assert_eq!([sheet.header_of(0), sheet.header_of(1), sheet.header_of(2)], [Some("Tag"), None, None]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    assert_eq!(SourceFile::of(&path), None);
    std::fs::write(&path, "12345").unwrap();
    let file = SourceFile::of(&path).unwrap();
    assert_eq!((&file.path, file.bytes, file.modified > Some(1_700_000_000_000)), (&path, 5, true));
}

#[test]
fn further_sheets_belong_to_the_sheet_whose_rows_make_them() {
    let further_sheets = vec![(1, 0), (2, 3), (3, 2), (9, 0)];
    let (account, details) = (AccountIdentity::SandboxMemory, RunDetails { further_sheets, ..RunDetails::default() });
    let header = RunHeader { id: String::from("r"), kind: RunKind::Import, account, undoes: None, details };
    let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    for sheet in 0..3 {
        builder.sheet(sheet, &SheetHeader::without_columns(schema::find("assets").unwrap())).unwrap();
    }
    let sheets = builder.finish(&AccountSnapshot::default()).unwrap().sheets().unwrap();
    assert_eq!(sheets.iter().map(|sheet| sheet.owner).collect::<Vec<_>>(), [None, Some(0), None]);
}
