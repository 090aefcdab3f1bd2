#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;

use super::*;
use crate::plan::{RowId, StepRole};
use crate::schema;
use crate::state_file::LockFile;

fn claims(folder: &Path, run: &str) -> Claims {
    Claims::open(&folder.join("claims.sqlite"), RunStore::new(folder), run).unwrap()
}

/// A journal that can be resumed.
fn journal(folder: &Path, run: &str) {
    let path = RunStore::new(folder).path(run);
    crate::state_file::create_folder_of(&path).unwrap();
    std::fs::write(path, "").unwrap();
}

fn count(claims: &Claims, table: &str) -> i64 {
    claims.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// A process that works on the run.
fn at_work(folder: &Path, run: &str) -> LockFile {
    let path = RunStore::new(folder).path(run);
    crate::state_file::create_folder_of(&path).unwrap();
    let lock = LockFile::of(&path).unwrap();
    assert!(lock.try_lock().unwrap());
    lock
}

fn step(number: u32, entity: &str, write: WriteKind, body: serde_json::Value) -> Step {
    let entity = schema::importable().find(|known| known.name == entity).unwrap();
    let mut step = Step::new(number, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, write);
    step.body = body.as_object().unwrap().clone();
    step
}

fn mouse(number: u32) -> Step {
    step(number, "accessories", WriteKind::Create, json!({"name": "Mouse", "quantity": 5}))
}

fn outcome(step: &Step, result: StepResult, record: Option<i64>) -> StepOutcome {
    StepOutcome { step: step.number, result, record, after: None, message: String::new(), problems: Vec::new() }
}

fn held(run: &str) -> ClaimResult {
    ClaimResult::Held { run: run.to_owned() }
}

#[test]
fn a_record_belongs_to_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    assert_eq!(a.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed);
    assert_eq!(a.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed, "sent again");
    let spelled = step(7, "accessories", WriteKind::Create, json!({"name": " MOUSE ", "quantity": 9}));
    assert_eq!(b.acquire(&spelled).unwrap(), held("a"));
    let other = step(8, "accessories", WriteKind::Create, json!({"name": "Mouse", "model_number": "M1"}));
    assert_eq!(b.acquire(&other).unwrap(), ClaimResult::Claimed);
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    assert_eq!(b.acquire(&mouse(9)).unwrap(), ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) });
    assert_eq!(b.acquire(&spelled).unwrap(), ClaimResult::Changed { run: String::from("a"), record: Some(12) });
    assert_eq!(b.acquire(&spelled).unwrap(), ClaimResult::Claimed, "sent after it was looked for");
}

#[test]
fn a_claim_that_came_to_nothing_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Failed, None)).unwrap();
    assert_eq!(b.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed);
    b.release(0).unwrap();
    assert_eq!(a.acquire(&mouse(1)).unwrap(), ClaimResult::Claimed);
    a.end(&mouse(1), &outcome(&mouse(1), StepResult::Unknown, None)).unwrap();
    assert_eq!(b.acquire(&mouse(2)).unwrap(), ClaimResult::Abandoned { run: String::new() });
}

/// A record that is there is there for every run, but of equal check-outs each run makes its own.
#[test]
fn what_was_there_already_is_news_unless_it_is_an_action() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    let out = step(1, "checkout_accessory", WriteKind::Create, json!({"accessory_id": 1, "employee_id": 2}));
    for made in [mouse(0), out.clone()] {
        a.acquire(&made).unwrap();
        a.end(&made, &outcome(&made, StepResult::AlreadyApplied, Some(12))).unwrap();
    }
    let known = ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) };
    assert_eq!((b.acquire(&mouse(0)).unwrap(), b.acquire(&out).unwrap()), (known, ClaimResult::Claimed));
}

#[test]
fn the_claim_of_a_killed_process_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let a_lock = at_work(folder.path(), "a");
    let _b = at_work(folder.path(), "b");
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    let update = step(3, "accessories", WriteKind::Update(12), json!({"quantity": 9}));
    a.acquire(&update).unwrap();
    assert_eq!(b.acquire(&update).unwrap(), held("a"));
    drop(a_lock);
    assert_eq!(b.acquire(&update).unwrap(), ClaimResult::Abandoned { run: String::from("a") });
    assert_eq!(b.acquire(&update).unwrap(), ClaimResult::Claimed);
}

#[test]
fn of_equal_check_outs_each_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    let out = |number, quantity| {
        let body = json!({"accessory_id": 1, "employee_id": 2, "quantity": quantity, "checkout_date": "2026-03-02"});
        step(number, "checkout_accessory", WriteKind::Create, body)
    };
    a.acquire(&out(0, 1)).unwrap();
    a.end(&out(0, 1), &outcome(&out(0, 1), StepResult::Applied, None)).unwrap();
    assert_eq!(b.acquire(&out(0, 2)).unwrap(), ClaimResult::Claimed, "another quantity");
    let done = ClaimResult::DoneAlike { run: String::from("a"), record: None };
    assert_eq!(b.acquire(&out(1, 1)).unwrap(), done);
    assert_ne!(b.acquire(&out(2, 1)).unwrap(), done, "the other run has made one");
}

#[test]
fn what_was_done_is_kept_for_runs_that_began_before() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, early) = (at_work(folder.path(), "a"), at_work(folder.path(), "early"));
    let mut early_claims = claims(folder.path(), "early");
    let mut a = claims(folder.path(), "a");
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    drop(_a);
    let _c = at_work(folder.path(), "c");
    let mut c = claims(folder.path(), "c");
    assert_eq!(count(&c, "claim"), 1);
    assert_eq!(c.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed, "its plan knows the record");
    c.release(0).unwrap();
    let known = ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) };
    assert_eq!(early_claims.acquire(&mouse(0)).unwrap(), known, "its plan does not know the record");
    drop(early);
    assert_eq!(count(&claims(folder.path(), "c"), "claim"), 0);
}

#[test]
fn a_run_that_is_resumed_knows_what_was_done_since_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, killed) = (at_work(folder.path(), "a"), at_work(folder.path(), "killed"));
    let mut a = claims(folder.path(), "a");
    let earlier = step(1, "locations", WriteKind::Create, json!({"name": "Berlin"}));
    a.acquire(&earlier).unwrap();
    a.end(&earlier, &outcome(&earlier, StepResult::Applied, Some(1))).unwrap();
    journal(folder.path(), "killed");
    drop((claims(folder.path(), "killed"), killed));
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    // One that registers meanwhile takes nothing from it.
    let _b = at_work(folder.path(), "b");
    claims(folder.path(), "b");
    let _resumed = at_work(folder.path(), "killed");
    let mut resumed = claims(folder.path(), "killed");
    let known = ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) };
    assert_eq!(resumed.acquire(&mouse(0)).unwrap(), known);
    assert_eq!(resumed.acquire(&earlier).unwrap(), ClaimResult::Claimed, "its plan knows the record");
}

#[test]
fn files_of_before_go_on_from_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b, _c) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"), at_work(folder.path(), "c"));
    let mut a = claims(folder.path(), "a");
    // An earlier version, whose clock is years ahead.
    const THEN: i64 = 4_000_000_000_000;
    a.connection.execute("UPDATE run SET began = ?1", [THEN]).unwrap();
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    a.connection.execute("UPDATE claim SET done = ?1", [THEN + 5]).unwrap();
    let mut b = claims(folder.path(), "b");
    assert_eq!(b.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed, "its plan knows the record");
    let other = step(1, "locations", WriteKind::Create, json!({"name": "Berlin"}));
    let mut c = claims(folder.path(), "c");
    assert!(THEN + 5 < b.number && b.number < c.number);
    b.acquire(&other).unwrap();
    b.end(&other, &outcome(&other, StepResult::Applied, Some(1))).unwrap();
    let known = ClaimResult::DoneAlike { run: String::from("b"), record: Some(1) };
    assert_eq!(c.acquire(&other).unwrap(), known);
}

#[test]
fn no_statement_reads_all_claims() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path(), "a");
    for sql in [MARK_DONE, ABANDON, RELEASE, HAS_CLAIM, OF_KEY] {
        let mut statement = claims.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let missing = vec![rusqlite::types::Null; statement.parameter_count()];
        let plan = statement.query_map(rusqlite::params_from_iter(missing), |row| row.get::<_, String>("detail"));
        let plan: Vec<String> = plan.unwrap().collect::<Result<_, _>>().unwrap();
        assert!(plan[0].contains("USING INDEX") || plan[0].contains("USING COVERING INDEX"), "{sql}: {plan:?}");
    }
}

#[test]
fn claims_of_a_batch_are_seen_together() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut a, mut b) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    a.begin();
    assert_eq!(a.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed);
    let seen = |b: &Claims| foreign_claims(&b.connection, &claim_key(&mouse(0)), "b").unwrap().len();
    assert_eq!(seen(&b), 0);
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    a.commit().unwrap();
    assert_eq!(seen(&b), 1);
    assert_eq!(b.acquire(&mouse(9)).unwrap(), ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) });
    // A batch in which nothing happened has nothing to write.
    a.begin();
    a.commit().unwrap();
    assert_eq!(b.acquire(&mouse(9)).unwrap(), ClaimResult::DoneAlike { run: String::from("a"), record: Some(12) });
}

#[test]
fn no_statement_is_planned_anew_for_another_step() {
    let folder = tempfile::tempdir().unwrap();
    let _a = at_work(folder.path(), "a");
    let mut claims = claims(folder.path(), "a");
    for number in 0..5 {
        let step =
            step(number, "accessories", WriteKind::Create, json!({"name": format!("Mouse {number}"), "quantity": 5}));
        claims.acquire(&step).unwrap();
        let result = if number < 3 { StepResult::Applied } else { StepResult::Failed };
        claims.end(&step, &outcome(&step, result, Some(12))).unwrap();
    }
    for sql in [MARK_DONE, RELEASE, HAS_CLAIM, OF_KEY] {
        let statement = claims.connection.prepare_cached(sql).unwrap();
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0, "{sql}");
    }
}

#[test]
fn the_runs_of_one_account_share_a_file_and_a_sandbox_has_none() {
    let office = crate::run::prepare::tests::Office::new();
    let path = office.account.claims_path().unwrap();
    assert!(path.starts_with(office.account.state_dir()) && path.extension().is_some_and(|kind| kind == "sqlite"));
    assert!(Claims::register(&office.account, "a").unwrap().is_some_and(|claims| claims.path == path));
    let options = crate::account::ConnectOptions::sandbox().with_state_dir(office.folder.path().join("other"));
    let sandbox = office.runtime.block_on(Account::connect(options)).unwrap();
    assert!(Claims::register(&sandbox, "a").unwrap().is_none());
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.sqlite");
    let opened = || {
        let claims = Claims::open(&path, RunStore::new(folder.path()), "a");
        claims.map(drop).unwrap_err().to_string().rsplit_once(": ").unwrap().1.to_owned()
    };
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("CREATE TABLE other (a); PRAGMA application_id = 7;");
    assert_eq!(opened(), "it is a database of another program");
    std::fs::remove_file(&path).unwrap();
    drop(claims(folder.path(), "a"));
    change("PRAGMA user_version = 99;");
    assert_eq!(opened(), "a newer tallyport wrote it (format 99, this one reads 1)");
    let error = JournalError::from(ClaimsError::foreign(&path));
    let JournalError::Claims { message, hint } = error else { panic!("{error}") };
    assert!(message.ends_with("another program") && hint.starts_with("move it away"), "{message} {hint}");
}

#[test]
fn claims_of_runs_that_are_over_are_deleted_once_nobody_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let (a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut one, other) = (claims(folder.path(), "a"), claims(folder.path(), "b"));
    one.acquire(&mouse(0)).unwrap();
    one.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    let left = |claims: &Claims| (count(claims, "run"), count(claims, "claim"));
    assert_eq!(left(&other), (2, 1));
    // The other run began before it was done.
    let _c = at_work(folder.path(), "c");
    assert_eq!(left(&claims(folder.path(), "c")), (3, 1));
    drop((one, a));
    drop(other);
    drop(_b);
    assert_eq!(left(&claims(folder.path(), "c")), (1, 0));
}
