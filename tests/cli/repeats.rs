//! A sheet of check-outs or check-ins that is imported again moves nothing twice.

use serde_json::{Value, json};

use crate::harness::CliTest;

const TONER: &str = "Consumable,Employee,Quantity,Checkout Date\nToner A,ada@example.com,2,2026-03-02\n";
const MICE: &str = "Accessory,Employee,Quantity,Checkout Date\nMouse,ada@example.com,1,2026-03-02\n";
const RETURNED_MICE: &str = "Accessory,Employee,Checkin Date\nMouse,ada@example.com,2026-05-04\n";

/// An account with ten of each stock item, two employees and an asset.
fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("categories", json!({"name": "Toner", "type": "consumable"}))
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("consumables", json!({"name": "Toner A", "category_id": 2, "quantity": 10}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 3, "quantity": 10}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Hale", "email": "bob@example.com"}))
        .holds("assets", json!({"asset_id": "LAP-1", "product_id": 1, "status_id": 1}))
}

fn counts(summary: &Value) -> (u64, u64, u64) {
    let of = |name: &str| summary["counts"][name].as_u64().unwrap();
    (of("created"), of("unchanged"), of("failed"))
}

fn import(account: &CliTest, arguments: &[&str]) -> (i32, (u64, u64, u64)) {
    let (code, summary) = account.json(&[&["import"], arguments].concat());
    (code, counts(&summary))
}

fn available(account: &CliTest, collection: &str) -> i64 {
    account.records(collection)[0]["available"].as_i64().unwrap()
}

#[test]
fn a_second_import_checks_nothing_out_again() {
    let account = account().sheet("checkout_consumable.csv", TONER);
    assert_eq!(import(&account, &["checkout_consumable.csv"]), (0, (1, 0, 0)));
    assert_eq!(import(&account, &["checkout_consumable.csv", "--dry-run"]), (0, (0, 1, 0)));
    assert_eq!(import(&account, &["checkout_consumable.csv"]), (0, (0, 1, 0)));
    assert_eq!(available(&account, "consumables"), 8);
    assert_eq!(import(&account, &["checkout_consumable.csv", "--repeat"]), (0, (1, 0, 0)));
    assert_eq!(available(&account, "consumables"), 6);
}

#[test]
fn a_result_workbook_is_not_sent_again() {
    let account = account().sheet("checkout_consumable.csv", TONER);
    import(&account, &["checkout_consumable.csv"]);
    assert_eq!(import(&account, &["checkout_consumable.result.xlsx"]), (0, (0, 0, 0)));
    assert_eq!(import(&account, &["checkout_consumable.result.xlsx", "--repeat"]), (0, (0, 0, 0)));
    // On another machine.
    std::fs::remove_dir_all(account.path("state")).unwrap();
    assert_eq!(import(&account, &["checkout_consumable.result.xlsx"]), (0, (0, 0, 0)));
    assert_eq!(import(&account, &["checkout_consumable.result.xlsx", "--repeat"]), (0, (0, 0, 0)));
    assert_eq!(available(&account, "consumables"), 8);
}

#[test]
fn identical_rows_are_matched_one_to_one() {
    let twice = format!("{TONER}Toner A,ada@example.com,2,2026-03-02\n");
    let account = account().sheet("checkout_consumable.csv", TONER).sheet("twice.csv", &twice);
    import(&account, &["checkout_consumable.csv"]);
    assert_eq!(import(&account, &["twice.csv", "--entity", "checkout_consumable"]), (0, (1, 1, 0)));
    assert_eq!(import(&account, &["twice.csv", "--entity", "checkout_consumable"]), (0, (0, 2, 0)));
    assert_eq!(available(&account, "consumables"), 6);
}

#[test]
fn another_day_quantity_or_holder_is_another_check_out() {
    let others = "Consumable,Employee,Quantity,Checkout Date\nToner A,ada@example.com,1,2026-03-02\n\
                  Toner A,ada@example.com,2,2026-04-02\nToner A,bob@example.com,2,2026-03-02\n";
    let account = account().sheet("checkout_consumable.csv", TONER).sheet("others.csv", others);
    import(&account, &["checkout_consumable.csv"]);
    assert_eq!(import(&account, &["others.csv", "--entity", "checkout_consumable"]), (0, (3, 0, 0)));
    assert_eq!(available(&account, "consumables"), 3);
}

#[test]
fn what_came_back_can_be_checked_out_again() {
    let account = account().sheet("checkout_accessory.csv", MICE).sheet("checkin_accessory.csv", RETURNED_MICE);
    import(&account, &["checkout_accessory.csv"]);
    assert_eq!(import(&account, &["checkin_accessory.csv"]), (0, (1, 0, 0)));
    assert_eq!(import(&account, &["checkin_accessory.csv"]), (0, (0, 1, 0)), "it came back already");
    assert_eq!(available(&account, "accessories"), 10);
    assert_eq!(import(&account, &["checkout_accessory.csv"]), (0, (1, 0, 0)));
    assert_eq!(available(&account, "accessories"), 9);
}

#[test]
fn an_undone_check_out_is_made_again() {
    let account = account().sheet("checkout_accessory.csv", MICE);
    import(&account, &["checkout_accessory.csv"]);
    account.run(&["undo", "--last", "--yes"]).exits(0);
    assert_eq!(available(&account, "accessories"), 10);
    assert_eq!(import(&account, &["checkout_accessory.csv"]), (0, (1, 0, 0)));
}

#[test]
fn a_check_out_that_only_the_activity_log_knows_is_asked_about() {
    let out = json!({"consumable_id": 1, "employee_id": 1, "quantity": 2, "checkout_date": "2026-03-02"});
    let account = account().sheet("checkout_consumable.csv", TONER).holds("checkout/consumable", out);
    let (code, summary) = account.json(&["import", "checkout_consumable.csv"]);
    assert_eq!((code, counts(&summary)), (1, (0, 0, 1)), "{summary:#}");
    assert_eq!(summary["problems"][0]["code"], "checkout.repeated");
    assert!(summary["problems"][0]["examples"][0]["hint"].as_str().unwrap().contains("--repeat"), "{summary:#}");
    assert_eq!(available(&account, "consumables"), 8);
    // The log proves that Bob got none, and the quantity tells Ada's apart.
    let others = "Consumable,Employee,Quantity,Checkout Date\nToner A,ada@example.com,1,2026-03-02\n\
                  Toner A,bob@example.com,2,2026-03-02\n";
    let account = account.sheet("others.csv", others);
    assert_eq!(import(&account, &["others.csv", "--entity", "checkout_consumable"]), (0, (2, 0, 0)));
    assert_eq!(import(&account, &["checkout_consumable.csv", "--repeat"]), (0, (1, 0, 0)));
    assert_eq!(available(&account, "consumables"), 3);
}

#[test]
fn an_asset_that_the_person_holds_is_unchanged() {
    let out = "Asset Tag,Employee,Checkout Date\nLAP-1,ada@example.com,2026-03-02\n";
    let back = "Asset Tag,Checkin Date,Status\nLAP-1,2026-05-04,Ready\n";
    let account = account().sheet("checkout_asset.csv", out).sheet("checkin_asset.csv", back);
    assert_eq!(import(&account, &["checkout_asset.csv"]), (0, (1, 0, 0)));
    std::fs::remove_dir_all(account.path("state")).unwrap();
    assert_eq!(import(&account, &["checkout_asset.csv"]), (0, (0, 1, 0)), "the asset says who has it");
    assert_eq!(import(&account, &["checkout_asset.csv", "--repeat"]), (0, (0, 1, 0)));
    // A check-in in the same run frees it for the same person.
    assert_eq!(import(&account, &["checkin_asset.csv", "checkout_asset.csv"]), (0, (2, 0, 0)));
    assert_eq!(import(&account, &["checkin_asset.csv", "checkout_asset.csv"]), (0, (0, 2, 0)));
    account.request(
        "POST",
        "checkin/asset",
        Some(&json!({"asset_id": 1, "checkin_date": "2026-06-01", "status_id": 1})),
    );
    assert_eq!(import(&account, &["checkin_asset.csv"]), (0, (0, 1, 0)), "it is back already");
    assert_eq!(import(&account, &["checkout_asset.csv"]), (0, (1, 0, 0)));
}

/// The problems of a summary, each as `code cell: message`.
fn problems(summary: &Value) -> Vec<String> {
    let examples = summary["problems"].as_array().unwrap().iter().flat_map(|problem| {
        let code = problem["code"].as_str().unwrap();
        let examples = problem["examples"].as_array().unwrap();
        examples.iter().map(move |example| {
            format!("{code} {}: {}", example["cell"].as_str().unwrap(), example["message"].as_str().unwrap())
        })
    });
    let mut told: Vec<String> = examples.collect();
    told.sort_unstable();
    told
}

#[test]
fn a_dry_run_tells_of_check_outs_that_the_service_refuses() {
    let rows = "Asset Tag,Employee,Checkout Date\nLAP-1,ada@example.com,2026-03-02\nLAP-1,bob@example.com,2026-03-02\n\
                LAP-1,Ada Byron,2026-03-09\nLAP-2,zed@example.com,2026-03-02\nLAP-3,ada@example.com,2026-03-02\n";
    let account = account()
        .holds("employees", json!({"name": "Zed Gone", "email": "zed@example.com", "archived": true}))
        .holds("assets", json!({"asset_id": "LAP-2", "product_id": 1, "status_id": 1}))
        .holds("assets", json!({"asset_id": "LAP-3", "product_id": 1, "status_id": 1}))
        .holds("checkout/asset", json!({"asset_id": "LAP-3", "employee_id": 2, "checkout_date": "2026-01-02"}))
        .sheet("checkout_asset.csv", rows);
    let told = [
        "checkout.refused A6: `LAP-3` is checked out to `Bob Hale`",
        "checkout.refused B5: the employee `Zed Gone` is archived; nothing can be checked out to them",
        "duplicate.key A3: duplicate of row 2, which checks `LAP-1` out to `Ada Byron`",
    ];
    let (code, plan) = account.json(&["import", "checkout_asset.csv", "--dry-run"]);
    assert_eq!((code, counts(&plan)), (1, (1, 1, 3)), "{plan:#}");
    assert_eq!(problems(&plan), told);
    let (code, done) = account.json(&["import", "checkout_asset.csv"]);
    assert_eq!((code, counts(&done)), (1, (1, 1, 3)), "{done:#}");
    assert_eq!(problems(&done), told, "as the dry run said, and nothing of it is sent");
    assert_eq!(done["requests"]["by_kind"]["POST checkout/asset"], 1, "{done:#}");
}

#[test]
fn a_dry_run_tells_of_check_outs_of_more_than_is_left() {
    let rows = "Accessory,Employee,Quantity,Checkout Date\nMouse,ada@example.com,8,2026-03-02\n\
                Mouse,bob@example.com,3,2026-03-02\nMouse,bob@example.com,2,2026-03-03\n";
    let account = account().sheet("checkout_accessory.csv", rows).sheet("accessories.csv", "Name,Quantity\nMouse,9\n");
    let told = ["checkout.refused C3: only 2 of `Mouse` are left once the earlier rows are sent; the row takes 3"];
    for arguments in [&["--dry-run"][..], &[]] {
        let (code, summary) = account.json(&[&["import", "checkout_accessory.csv"], arguments].concat());
        assert_eq!((code, counts(&summary)), (1, (2, 0, 1)), "{summary:#}");
        assert_eq!(problems(&summary), told);
    }
    let (code, summary) = account.json(&["import", "accessories.csv", "--dry-run"]);
    assert_eq!((code, counts(&summary)), (1, (0, 0, 1)), "{summary:#}");
    assert_eq!(problems(&summary), ["integer.range B2: less than the number checked out (10)"]);
}

#[test]
fn a_dry_run_tells_which_items_can_neither_go_out_nor_come_back() {
    let out = "Asset Tag,Employee,Checkout Date\nLAP-1,ada@example.com,2026-03-02\nLAP-2,ada@example.com,2026-03-02\n";
    let back = "Asset Tag,Checkin Date,Status\nLAP-1,2026-03-01,In repair\n";
    let account = account()
        .holds("statuses", json!({"name": "In repair", "type": "undeployable"}))
        .holds("assets", json!({"asset_id": "LAP-2", "product_id": 1, "status_id": 2}))
        .sheet("checkout_asset.csv", out)
        .sheet("checkin_asset.csv", back);
    let told = [
        "checkout.refused A2: `LAP-1` is not checked out",
        "checkout.refused A3: `LAP-2` has the status `In repair` (undeployable), which does not allow it",
    ];
    for arguments in [&["--dry-run"][..], &[]] {
        let files = ["import", "checkin_asset.csv", "checkout_asset.csv"];
        let (code, summary) = account.json(&[&files[..], arguments].concat());
        assert_eq!((code, counts(&summary)), (1, (1, 0, 2)), "{summary:#}");
        assert_eq!(problems(&summary), told);
    }
}

/// Ids and days are the same in an account that was started anew, the item is not.
#[test]
fn a_sandbox_that_was_started_anew_remembers_nothing() {
    let account = account()
        .sheet("checkout_consumable.csv", TONER)
        .sheet("consumables.csv", "Name,Category,Quantity\nToner A,Toner,10\n");
    let account = account.sheet("employees.csv", "Name,Email\nAda Byron,ada@example.com\n");
    let run = || {
        let files = ["import", "employees.csv", "consumables.csv", "checkout_consumable.csv"];
        let (code, summary) = account.json(&[&files[..], &["--create-missing", "--sandbox=anew.sqlite"]].concat());
        assert_eq!(code, 0, "{summary:#}");
        counts(&summary)
    };
    assert_eq!(run(), (3, 0, 0));
    assert_eq!(run(), (0, 3, 0));
    for file in ["anew.sqlite", "anew.sqlite-wal", "anew.sqlite-shm"] {
        let _ = std::fs::remove_file(account.path(file));
    }
    assert_eq!(run(), (3, 0, 0));
}

/// The sample has twelve sheets with check-outs of every kind.
#[test]
fn onboarding_twice_changes_nothing_the_second_time() {
    let account = CliTest::seeded();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/onboarding.xlsx");
    std::fs::copy(sample, account.path("onboarding.xlsx")).unwrap();
    let (code, first) = account.json(&["import", "onboarding.xlsx", "--yes"]);
    assert_eq!(code, 0, "{first:#}");
    let (code, second) = account.json(&["import", "onboarding.xlsx", "--yes"]);
    assert_eq!(code, 0, "{second:#}");
    let (_, _, failed) = counts(&first);
    assert_eq!((counts(&second).0, second["counts"]["updated"].as_u64(), failed), (0, Some(0), 0), "{second:#}");
}
