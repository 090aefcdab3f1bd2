//! Check-ins and check-outs that were made before are not made again.

use std::fs;

use serde_json::json;

use super::job_test::{JobTest, told};
use crate::account::{Account, ConnectOptions};
use crate::job::ImportJob;
use crate::observer::NoObserver;

/// Two people, and mice and seats to check out.
fn equipped() -> JobTest {
    JobTest::with_lookups()
        .holds("locations", &json!({"name": "Berlin"}))
        .holds("employees", &json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", &json!({"name": "Bob Noyce", "email": "bob@example.com"}))
        .holds("categories", &json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", &json!({"name": "Mouse", "category_id": 2, "quantity": 20}))
        .holds("accessories", &json!({"name": "Pad", "category_id": 2, "quantity": 20}))
}

impl JobTest {
    /// What becomes of the rows of a sheet of check-outs or check-ins.
    fn moves(&self, name: &str, text: &str) -> Vec<String> {
        told(&self.imported(ImportJob::from_path(self.file(&format!("{name}.csv"), text)).entity(name)))
    }

    /// What this machine knows of runs is gone.
    fn forgets(&self) {
        fs::remove_dir_all(self.account.state_dir().join("runs")).unwrap();
    }

    fn available(&self, name: &str) -> i64 {
        self.record("accessories", "name", name)["available"].as_i64().unwrap()
    }
}

const OUT: &str = "checkout_accessory";
const BACK: &str = "checkin_accessory";

const TO_ADA: &str = "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,2,2026-01-02\n";
const FROM_ADA: &str = "accessory,employee,checkin_date\nMouse,ada@example.com,2026-01-05\n";

#[test]
fn a_check_out_of_an_earlier_run_is_not_made_again() {
    let test = equipped();
    let run = test.import("checkout_accessory.csv", TO_ADA);
    let done = format!("checkout_accessory 2 unchanged: done by run {run}");
    assert_eq!(test.moves(OUT, TO_ADA), [done.as_str()]);
    assert_eq!(test.available("Mouse"), 18);
    // Another day, number, holder or item is another check-out.
    for (other, left) in [
        ("Mouse,ada@example.com,2,2026-01-03", 16),
        ("Mouse,ada@example.com,3,2026-01-02", 13),
        ("Mouse,bob@example.com,2,2026-01-02", 11),
    ] {
        let text = format!("accessory,employee,quantity,checkout_date\n{other}\n");
        assert_eq!(test.moves(OUT, &text), ["checkout_accessory 2 created: "], "{other}");
        assert_eq!(test.available("Mouse"), left);
    }
    let pad = "accessory,employee,quantity,checkout_date\nPad,ada@example.com,2,2026-01-02\n";
    assert_eq!(test.moves(OUT, pad), ["checkout_accessory 2 created: "]);
    assert_eq!(test.moves(OUT, TO_ADA), [done.as_str()], "as before");
}

#[test]
fn of_equal_rows_each_takes_one_that_was_made() {
    let test = equipped();
    let twice = format!("{TO_ADA}Mouse,ada@example.com,2,2026-01-02\n");
    let job = || ImportJob::from_path(test.file("checkout_accessory.csv", &twice));
    let run = test.imported(job()).run_id().to_owned();
    assert_eq!(test.available("Mouse"), 16);
    let thrice = format!("{twice}Mouse,ada@example.com,2,2026-01-02\n");
    let done = format!("unchanged: done by run {run}");
    assert_eq!(
        test.moves(OUT, &thrice),
        [
            format!("checkout_accessory 2 {done}"),
            format!("checkout_accessory 3 {done}"),
            String::from("checkout_accessory 4 created: ")
        ]
    );
    assert_eq!(test.available("Mouse"), 14);
}

#[test]
fn what_came_back_may_be_checked_out_again() {
    let test = equipped();
    test.import("checkout_accessory.csv", TO_ADA);
    let back = test.import("checkin_accessory.csv", FROM_ADA);
    assert_eq!(test.moves(BACK, FROM_ADA), [format!("checkin_accessory 2 unchanged: done by run {back}")]);
    assert_eq!(test.moves(OUT, TO_ADA), ["checkout_accessory 2 created: "]);
    assert_eq!(test.available("Mouse"), 18);
}

#[test]
fn a_check_out_that_only_the_log_tells_of_is_a_problem_of_the_row_unless_it_is_to_be_repeated() {
    let test = equipped();
    test.import("checkout_accessory.csv", TO_ADA);
    test.forgets();
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let row = |row: u64, times: &str| {
        format!(
            "checkout_accessory {row} failed: `Mouse` was already checked out to `Ada Byron` {times}, says the activity \
             log, last on {today}; it may be this"
        )
    };
    assert_eq!(test.moves(OUT, TO_ADA), [row(2, "once")]);
    // Another number, another holder, and another item.
    let others = "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,1,2026-01-02\n\
                  Mouse,bob@example.com,2,2026-01-02\nPad,ada@example.com,2,2026-01-02\n";
    let created = [2, 3, 4].map(|row| format!("checkout_accessory {row} created: "));
    assert_eq!(test.moves(OUT, others), created);
    let again = ImportJob::from_path(test.file("checkout_accessory.csv", TO_ADA)).repeat();
    assert_eq!(told(&test.imported(again)), ["checkout_accessory 2 created: "]);
    test.forgets();
    let both = format!("{TO_ADA}Mouse,bob@example.com,2,2026-01-02\n");
    let told = test.moves(OUT, &both);
    assert_eq!(told[0], row(2, "2 times"));
    assert_eq!(told[1], row(3, "once").replace("Ada Byron", "Bob Noyce"));
}

#[test]
fn what_the_log_says_was_taken_back_may_be_checked_out_again() {
    let test = equipped();
    test.import("checkout_accessory.csv", TO_ADA);
    test.import("checkin_accessory.csv", FROM_ADA);
    test.forgets();
    assert_eq!(test.moves(OUT, TO_ADA), ["checkout_accessory 2 created: "]);
    assert_eq!(test.moves(BACK, FROM_ADA), ["checkin_accessory 2 created: "]);
    assert_eq!(test.available("Mouse"), 20);
}

#[test]
fn the_log_is_asked_only_about_what_no_journal_tells() {
    let test = equipped();
    let before = test.account.client.requests();
    test.import("checkout_accessory.csv", TO_ADA);
    let first = test.log_reads_since(&before);
    let before = test.account.client.requests();
    test.moves(OUT, TO_ADA);
    let second = test.log_reads_since(&before);
    assert!(second < first, "{second} {first}");
    // Of one item and two people the whole log of the item is read once.
    let places = "accessory,employee,location,quantity,checkout_date\nMouse,bob@example.com,,1,2026-01-02\n\
                  Mouse,,Berlin,1,2026-01-02\n";
    assert_eq!(test.moves(OUT, places), ["checkout_accessory 2 created: ", "checkout_accessory 3 created: "]);
    test.forgets();
    let told = test.moves(OUT, places);
    assert!(told[0].contains("`Mouse` was already checked out to `Bob Noyce` once"), "{told:?}");
    assert!(told[1].contains("`Mouse` was already checked out to `Berlin` once"), "{told:?}");
}

#[test]
fn an_asset_that_is_where_the_row_puts_it_was_moved_before() {
    let test = equipped().holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}));
    let out = "asset_id,employee,checkout_date\nT-1,ada@example.com,2026-01-02\n";
    let back = "asset_id,checkin_date,status\nT-1,2026-01-05,Ready\n";
    assert_eq!(test.moves("checkin_asset", back), ["checkin_asset 2 unchanged: "]);
    assert_eq!(test.moves("checkout_asset", out), ["checkout_asset 2 created: "]);
    assert!(test.moves("checkout_asset", out)[0].starts_with("checkout_asset 2 unchanged: "));
    assert_eq!(test.moves("checkin_asset", back), ["checkin_asset 2 created: "]);
    assert!(test.moves("checkin_asset", back)[0].starts_with("checkin_asset 2 unchanged: "));
}

#[test]
fn runs_of_another_account_tell_nothing() {
    let test = equipped();
    test.import("checkout_accessory.csv", TO_ADA);
    let other = equipped();
    let options = ConnectOptions::new(other.account.identity().stored().1.as_str(), "sandbox")
        .with_quota(None)
        .with_state_dir(test.account.state_dir());
    let account = test.wait(Account::connect(options)).unwrap();
    let job = ImportJob::from_path(test.file("checkout_accessory.csv", TO_ADA)).confirmed();
    let report = test.wait(async { account.plan(job).await.unwrap().apply(&mut NoObserver).await.unwrap() });
    assert_eq!(told(&report), ["checkout_accessory 2 created: "]);
}

#[test]
fn the_log_is_read_only_for_check_outs_from_stock() {
    let test = equipped().holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}));
    let reads = |name: &str, text: &str| {
        let before = test.account.client.requests();
        assert!(test.moves(name, text)[0].contains(" created: "));
        test.log_reads_since(&before)
    };
    let asset = reads("checkout_asset", "asset_id,employee,checkout_date\nT-1,ada@example.com,2026-01-02\n");
    let stock = reads(OUT, TO_ADA);
    let back = reads(BACK, FROM_ADA);
    assert!(asset == back && stock > asset, "{asset} {stock} {back}");
}
