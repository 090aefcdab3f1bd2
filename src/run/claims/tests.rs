#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;

use super::*;
use crate::plan::{RowId, StepRole};
use crate::schema;
use crate::state_file::LockFile;

const BEGAN: Timestamp = Timestamp::UNIX_EPOCH;

fn claims(folder: &Path, run: &str, began: Timestamp) -> Claims {
    Claims::open(&folder.join("claims.sqlite"), RunStore::new(folder), run, began).unwrap()
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
    let (mut a, mut b) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
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
    let (mut a, mut b) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Failed, None)).unwrap();
    assert_eq!(b.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed);
    b.release(0).unwrap();
    assert_eq!(a.acquire(&mouse(1)).unwrap(), ClaimResult::Claimed);
    a.end(&mouse(1), &outcome(&mouse(1), StepResult::Unknown, None)).unwrap();
    assert_eq!(b.acquire(&mouse(2)).unwrap(), ClaimResult::Abandoned { run: String::new() });
}

#[test]
fn the_claim_of_a_killed_process_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let a_lock = at_work(folder.path(), "a");
    let _b = at_work(folder.path(), "b");
    let (mut a, mut b) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
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
    let (mut a, mut b) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
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
    let _ = claims(folder.path(), "early", BEGAN);
    let mut a = claims(folder.path(), "a", BEGAN);
    a.acquire(&mouse(0)).unwrap();
    a.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    drop(_a);
    let later = Timestamp::now() + jiff::SignedDuration::from_secs(1);
    let count = |claims: &Claims| -> i64 {
        claims.connection.query_row("SELECT count(*) FROM claim", [], |row| row.get(0)).unwrap()
    };
    let _c = at_work(folder.path(), "c");
    let mut c = claims(folder.path(), "c", later);
    assert_eq!(count(&c), 1);
    assert_eq!(c.acquire(&mouse(0)).unwrap(), ClaimResult::Claimed, "its plan knows the record");
    c.release(0).unwrap();
    drop(early);
    assert_eq!(count(&claims(folder.path(), "c", later)), 0);
}

#[test]
fn no_statement_reads_all_claims() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path(), "a", BEGAN);
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
    let (mut a, mut b) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
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
    let mut claims = claims(folder.path(), "a", BEGAN);
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
    assert!(Claims::register(&office.account, "a", BEGAN).unwrap().is_some_and(|claims| claims.path == path));
    let options = crate::account::ConnectOptions::sandbox().with_state_dir(office.folder.path().join("other"));
    let sandbox = office.runtime.block_on(Account::connect(options)).unwrap();
    assert!(Claims::register(&sandbox, "a", BEGAN).unwrap().is_none());
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.sqlite");
    let opened = || {
        let claims = Claims::open(&path, RunStore::new(folder.path()), "a", BEGAN);
        claims.map(drop).unwrap_err().to_string().rsplit_once(": ").unwrap().1.to_owned()
    };
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("CREATE TABLE other (a); PRAGMA application_id = 7;");
    assert_eq!(opened(), "it is a database of another program");
    std::fs::remove_file(&path).unwrap();
    drop(claims(folder.path(), "a", BEGAN));
    change("PRAGMA user_version = 99;");
    assert_eq!(opened(), "a newer tallyport wrote it (format 99, this one reads 1)");
    let error = JournalError::from(ClaimsError::other(&path, "odd"));
    let JournalError::Claims { message, hint } = error else { panic!("{error}") };
    assert!(message.ends_with("odd") && hint.starts_with("make it writable"), "{message} {hint}");
}

#[test]
fn claims_of_runs_that_are_over_are_deleted_once_nobody_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let (a, _b) = (at_work(folder.path(), "a"), at_work(folder.path(), "b"));
    let (mut one, other) = (claims(folder.path(), "a", BEGAN), claims(folder.path(), "b", BEGAN));
    one.acquire(&mouse(0)).unwrap();
    one.end(&mouse(0), &outcome(&mouse(0), StepResult::Applied, Some(12))).unwrap();
    let left = |claims: &Claims| -> (i64, i64) {
        let count = |table: &str| {
            claims.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        (count("run"), count("claim"))
    };
    assert_eq!(left(&other), (2, 1));
    // The other run began before it was done.
    let far = Timestamp::from_second(4_000_000_000).unwrap();
    let _c = at_work(folder.path(), "c");
    assert_eq!(left(&claims(folder.path(), "c", far)), (3, 1));
    drop((one, a));
    drop(other);
    drop(_b);
    assert_eq!(left(&claims(folder.path(), "c", far)), (1, 0));
}
