//! Undoing check-ins and check-outs.

use serde_json::json;

use super::job_test::{JobTest, summary, told};
use crate::job::{ImportJob, RunStatus};
use crate::plan::RowStatus;

/// An account with two people and two of everything that can be checked out.
fn equipped() -> JobTest {
    JobTest::with_lookups()
        .holds("statuses", &json!({"name": "Broken", "type": "undeployable"}))
        .holds("locations", &json!({"name": "Berlin"}))
        .holds("employees", &json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", &json!({"name": "Bob Noyce", "email": "bob@example.com"}))
        .holds("categories", &json!({"name": "Mice", "type": "accessory"}))
        .holds("categories", &json!({"name": "Memory", "type": "component"}))
        .holds("categories", &json!({"name": "Software", "type": "license"}))
        .holds("categories", &json!({"name": "Toner", "type": "consumable"}))
        .holds("accessories", &json!({"name": "Mouse", "category_id": 2, "quantity": 10}))
        .holds("components", &json!({"name": "DDR5", "category_id": 3, "quantity": 10}))
        .holds("licenses", &json!({"name": "Office", "category_id": 4, "number_of_seats": 10}))
        .holds("consumables", &json!({"name": "Black", "category_id": 5, "quantity": 10}))
        .holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .holds("assets", &json!({"asset_id": "T-2", "product_id": 1, "status_id": 1, "location_id": 1}))
}

fn imports(test: &JobTest, files: &[(&str, &str)]) -> String {
    let files: Vec<_> = files.iter().map(|(name, text)| test.file(name, text)).collect();
    let report = test.imported(ImportJob::from_paths(files));
    assert_eq!(report.status(), RunStatus::Succeeded, "{:?}", told(&report));
    report.run_id().to_owned()
}

const CHECKOUTS: [(&str, &str); 4] = [
    (
        "checkout_asset.csv",
        "asset_id,employee,checkout_date,asset_location\n\
         T-1,ada@example.com,2024-06-01,Berlin\nT-2,bob@example.com,2024-06-01,\n",
    ),
    (
        "checkout_accessory.csv",
        "accessory,employee,quantity,checkout_date\n\
         Mouse,ada@example.com,2,2024-06-01\nMouse,bob@example.com,3,2024-06-01\n",
    ),
    ("checkout_component.csv", "component,asset_id,quantity,checkout_date\nDDR5,T-1,2,2024-06-01\n"),
    ("checkout_license.csv", "license,employee,quantity,checkout_date\nOffice,ada@example.com,1,2024-06-01\n"),
];

#[test]
fn everything_that_was_checked_out_is_checked_in_and_its_place_restored() {
    let test = equipped();
    let before = test.everything();
    let run = imports(&test, &CHECKOUTS);
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkin_license 2 created: ", "checkin_component 2 created: ", "checkin_accessory 2 created: ",
            "checkin_accessory 3 created: ", "checkin_asset 2 created: ", "checkin_asset 3 created: ",
            "assets (moved) 2 updated: ",
        ]
    );
    assert_eq!(test.everything(), before);
    let cells = test.cells(report.run_id());
    let rows: Vec<String> = cells.iter().flat_map(|(_, rows)| rows).map(|row| row.join(" ")).collect();
    assert_eq!(
        rows,
        [
            "check in Office 1 checkout_license 2", "check in DDR5 1 checkout_component 2",
            "check in Mouse 1 checkout_accessory 3", "check in Mouse 1 checkout_accessory 2",
            "check in T-2 2 checkout_asset 3", "check in T-1 1 checkout_asset 2", "restore T-1 1 checkout_asset 2",
        ]
    );
    let again = test.undo_text(&run);
    assert!(again.contains("6  nothing to do  already checked in") && !again.contains("plan"), "{again}");
}

#[test]
fn what_others_moved_since_stays_with_whom_it_is() {
    let test = equipped();
    let run = imports(&test, &CHECKOUTS);
    test.sends("checkin_accessory", &json!({"accessory_id": 1, "employee_id": 2, "checkin_date": "2024-07-01"}));
    test.sends("checkin_asset", &json!({"asset_id": 2, "status_id": 1, "checkin_date": "2024-07-01"}));
    test.sends("checkout_asset", &json!({"asset_id": "T-2", "employee_id": 1, "checkout_date": "2024-07-02"}));
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkin_license 2 created: ",
            "checkin_component 2 created: ",
            "checkin_accessory 2 unchanged: already checked in",
            "checkin_accessory 3 created: ",
            "checkin_asset 2 skipped: not undone: checked in or out by someone else since",
            "checkin_asset 3 created: ",
            "assets (moved) 2 updated: ",
        ]
    );
    assert_eq!(test.record("assets", "asset_id", "T-1")["deployed_to"], json!([]));
    assert_eq!(test.record("assets", "asset_id", "T-2")["deployed_to"][0]["employee_id"], 1);
    assert_eq!(test.records("accessories")[0]["available"], 10);
    let cells = test.cells(report.run_id());
    let rows: Vec<String> = cells.iter().flat_map(|(_, rows)| rows).map(|row| row.join(" ")).collect();
    assert_eq!(
        (rows[2].as_str(), rows[4].as_str()),
        ("nothing to do Mouse 1 checkout_accessory 3", "leave T-2 2 checkout_asset 3")
    );
}

#[test]
fn what_was_checked_out_is_gone_with_its_holder_if_the_run_made_both() {
    let test = equipped();
    let before = test.everything();
    let run = imports(
        &test,
        &[
            ("employees.csv", "name,email\nCy Young,cy@example.com\n"),
            ("assets.csv", "asset_id,product,status\nN-1,MacBook Pro 14,Ready\n"),
            ("checkout_asset.csv", "asset_id,employee,checkout_date\nN-1,cy@example.com,2024-06-01\n"),
            (
                "checkout_accessory.csv",
                "accessory,employee,quantity,checkout_date\nMouse,cy@example.com,2,2024-06-01\n",
            ),
        ],
    );
    let report = test.undo(&run).unwrap();
    assert_eq!(report.status(), RunStatus::Succeeded, "{:?}", told(&report));
    assert_eq!(test.everything(), before);
    let order: Vec<String> = test.cells(report.run_id()).into_iter().map(|(label, _)| label).collect();
    assert_eq!(order, ["checkin_accessory", "checkin_asset", "assets", "employees"]);
}

#[test]
fn whoever_still_holds_something_is_kept() {
    let test = equipped();
    let run = imports(
        &test,
        &[
            ("employees.csv", "name,email\nCy Young,cy@example.com\n"),
            (
                "checkout_accessory.csv",
                "accessory,employee,quantity,checkout_date\nMouse,cy@example.com,2,2024-06-01\n",
            ),
        ],
    );
    test.sends(
        "checkout_accessory",
        &json!({"accessory_id": 1, "employee_id": 3, "quantity": 1, "checkout_date": "2024-06-02"}),
    );
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkin_accessory 2 skipped: not undone: checked in or out by someone else since",
            "employees 2 skipped: not undone: still referenced by a record that stays: accessory Mouse, which is checked out",
        ]
    );
    assert_eq!(summary(&report, RowStatus::Skipped), 2);
    assert_eq!((test.records("employees").len(), &test.records("accessories")[0]["available"]), (3, &json!(7)));
}

#[test]
fn consumables_are_used_up_and_go_only_with_their_own_record() {
    let test = equipped();
    let run = imports(
        &test,
        &[
            ("employees.csv", "name,email\nCy Young,cy@example.com\n"),
            (
                "checkout_consumable.csv",
                "consumable,employee,quantity,checkout_date\nBlack,cy@example.com,2,2024-06-01\n",
            ),
        ],
    );
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkout_consumable 2 skipped: not undone: cannot be checked in: consumables are consumed on check-out",
            "employees 2 skipped: not undone: still referenced by a record that stays: consumable Black, which is checked out",
        ]
    );
    let before = test.everything();
    let run = imports(
        &test,
        &[
            ("employees.csv", "name,email\nDee Hock,dee@example.com\n"),
            ("consumables.csv", "name,category,quantity\nCyan,Toner,5\n"),
            (
                "checkout_consumable.csv",
                "consumable,employee,quantity,checkout_date\nCyan,dee@example.com,2,2024-06-01\n",
            ),
        ],
    );
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkout_consumable 2 unchanged: removed together with the consumable",
            "consumables 2 deleted: ",
            "employees 2 deleted: ",
        ]
    );
    assert_eq!(test.everything(), before);
}

#[test]
fn what_was_checked_in_is_checked_out_again_to_the_same_holder_and_date() {
    let test = equipped()
        .holds("checkout_asset", &json!({"asset_id": "T-2", "employee_id": 2, "checkout_date": "2024-06-01"}))
        .holds(
            "checkout_accessory",
            &json!({"accessory_id": 1, "employee_id": 1, "quantity": 3, "checkout_date": "2024-06-01"}),
        )
        .holds(
            "checkout_component",
            &json!({"component_id": 1, "asset_id": "T-1", "quantity": 4, "checkout_date": "2024-06-01"}),
        );
    let before = test.everything();
    let run = imports(
        &test,
        &[
            ("checkin_asset.csv", "asset_id,checkin_date,status,asset_location\nT-2,2024-07-01,Broken,Berlin\n"),
            ("checkin_accessory.csv", "accessory,employee,checkin_date\nMouse,ada@example.com,2024-07-01\n"),
            ("checkin_component.csv", "component,asset_id,checkin_date\nDDR5,T-1,2024-07-01\n"),
        ],
    );
    assert_eq!(test.records("accessories")[0]["available"], 10);
    let report = test.undo(&run).unwrap();
    assert_eq!(
        told(&report),
        [
            "checkout_component 2 created: ", "checkout_accessory 2 created: ", "assets (moved) 2 updated: ",
            "checkout_asset 2 created: ",
        ]
    );
    assert_eq!(test.everything(), before);
    let again = test.undo_text(&run);
    assert!(again.contains("2  nothing to do  already checked out again"), "{again}");
    assert!(again.contains("1  nothing to do  already checked out to the same holder again"), "{again}");
}

#[test]
fn an_asset_that_went_from_one_to_another_returns_to_the_first() {
    let test = equipped()
        .holds("checkout_asset", &json!({"asset_id": "T-1", "employee_id": 2, "checkout_date": "2024-06-01"}));
    let before = test.everything();
    let run = imports(
        &test,
        &[
            ("checkin_asset.csv", "asset_id,checkin_date,status\nT-1,2024-07-01,Ready\n"),
            ("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2024-07-02\n"),
        ],
    );
    assert_eq!(test.record("assets", "asset_id", "T-1")["deployed_to"][0]["employee_id"], 1);
    let report = test.undo(&run).unwrap();
    assert_eq!(told(&report), ["checkin_asset 2 created: ", "checkout_asset 2 created: "]);
    assert_eq!(test.everything(), before);
}

#[test]
fn an_asset_that_is_out_again_or_lost_its_status_is_told_apart() {
    let test = equipped()
        .holds("checkout_asset", &json!({"asset_id": "T-1", "employee_id": 2, "checkout_date": "2024-06-01"}));
    let run = imports(&test, &[("checkin_asset.csv", "asset_id,checkin_date,status\nT-1,2024-07-01,Ready\n")]);
    test.sends("checkout_asset", &json!({"asset_id": "T-1", "employee_id": 1, "checkout_date": "2024-07-02"}));
    let report = test.undo(&run).unwrap();
    assert_eq!(told(&report), ["checkout_asset 2 skipped: not undone: checked in or out by someone else since"]);
    assert_eq!(test.record("assets", "asset_id", "T-1")["deployed_to"][0]["employee_id"], 1);
    test.sends("checkin_asset", &json!({"asset_id": 1, "status_id": 1, "checkin_date": "2024-07-03"}));
    test.deletes("assets", 1);
    let requests = test.account.client.requests();
    test.undo(&run).unwrap();
    assert_eq!(test.log_reads_since(&requests), 0, "nothing is moved");
    assert!(test.undo_text(&run).contains("1  nothing to do  already deleted"), "{}", test.undo_text(&run));
}
