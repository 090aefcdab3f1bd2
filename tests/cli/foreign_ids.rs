//! Another system's ids are not taken for this account's without a question, and our own are.

use serde_json::json;

use crate::harness::CliTest;
use crate::values::codes;

fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("statuses", json!({"name": "Broken", "type": "undeployable"}))
        .holds("locations", json!({"name": "Berlin"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
}

#[test]
fn ids_of_another_system_are_questioned() {
    for (header, row) in [
        ("id,Asset Tag,Model,status_id", "77,A-1,MacBook Pro 14,2"),
        ("Asset Tag,Model,status_id,company_id", "A-1,MacBook Pro 14,2,5"),
        ("Asset Tag,Model,Status,location_id,rtdLocationId", "A-1,MacBook Pro 14,Ready,1,1"),
        ("Asset Tag,Status,product_id,model_id", "A-1,Ready,1.0,1"),
    ] {
        let test = account().sheet("assets.csv", &format!("{header}\n{row}\n"));
        let ignored: &[&str] = if header.starts_with("id,") { &["--ignore", "id"] } else { &[] };
        let (code, summary) = test.json(&[&["import", "assets.csv"], ignored].concat());
        assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("id.foreign")]), "{header}: {summary}");
        assert!(test.records("assets").is_empty());
        // The hint works.
        let hint = summary["problems"][0]["examples"][0]["hint"].as_str().unwrap().to_owned();
        let map = hint.split("--map '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        let (code, summary) = test.json(&[&["import", "assets.csv", "--map", map], ignored].concat());
        assert_eq!((code, test.records("assets").len()), (0, 1), "{header}: {summary}");
    }
}

#[test]
fn a_name_beside_an_id_confirms_or_contradicts_it() {
    let test = account().sheet(
        "assets.csv",
        "Asset Tag,Model,status_id,status_name,company_id\nA-1,MacBook Pro 14,2,Broken,5\n\
         A-2,MacBook Pro 14,2,Ready,5\nA-3,MacBook Pro 14,#2,,5\nA-4,MacBook Pro 14,,Ready,5\n",
    );
    let (code, summary) = test.json(&["import", "assets.csv"]);
    assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("name.conflict")]), "{summary}");
    assert_eq!(test.records("assets").len(), 3);
}

#[test]
fn ids_without_a_sign_of_another_system_are_told() {
    let test = account()
        .sheet("assets.csv", "Asset Tag,Model,status_id\nA-1,MacBook Pro 14,2\nA-2,MacBook Pro 14,1\n")
        .sheet("named.csv", "Asset Tag,Model,status_id\nA-3,MacBook Pro 14,Ready\n");
    let (code, summary) = test.json(&["import", "assets.csv"]);
    assert_eq!((code, codes(&summary, "remarks")), (0, vec![String::from("id.bare")]), "{summary}");
    let message = summary["remarks"][0]["message"].as_str().unwrap();
    assert!(message.contains("`status_id`: 2 numbers, such as `2`, `1`, taken as ids of this account"), "{message}");
    let (_, again) = test.json(&["import", "assets.csv"]);
    assert_eq!((&again["remarks"], &again["counts"]["unchanged"]), (&json!([]), &json!(2)), "{again}");
    let (_, named) = test.json(&["import", "named.csv", "--entity", "assets"]);
    assert_eq!(named["remarks"], json!([]), "{named}");
}

#[test]
fn an_action_by_personnel_numbers_is_questioned() {
    let test = account()
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}))
        .sheet("checkout_asset.csv", "Asset Tag,employee_id,Checkout Date,badge_id\nA-1,1,2026-03-02,0815\n");
    let (code, summary) = test.json(&["import", "checkout_asset.csv"]);
    assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("id.foreign")]), "{summary}");
}

#[test]
fn an_export_with_ids_comes_back_unasked() {
    let test = account()
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 1}))
        .holds("assets", json!({"asset_id": "A-2", "product_id": 1, "status_id": 2}));
    test.run(&["export", "assets", "-o", "assets.csv"]).exits(0);
    let (code, summary) = test.json(&["import", "assets.csv"]);
    assert_eq!((code, codes(&summary, "problems"), codes(&summary, "remarks")), (0, vec![], vec![]), "{summary}");
    assert_eq!(summary["counts"]["unchanged"], 2);
    // An id is edited, and the name beside it is left behind.
    let text = std::fs::read_to_string(test.path("assets.csv")).unwrap();
    std::fs::write(test.path("assets.csv"), text.replacen(",2,Broken,", ",1,Broken,", 1)).unwrap();
    let (code, summary) = test.json(&["import", "assets.csv", "--force"]);
    assert_eq!((code, codes(&summary, "problems"), &summary["counts"]["updated"]), (0, vec![], &json!(1)), "{summary}");
}

#[test]
fn a_serial_number_of_another_record_is_remarked() {
    let test = account()
        .holds("assets", json!({"asset_id": "A-1", "asset_serial": "SN-7", "product_id": 1, "status_id": 1}))
        .sheet(
            "assets.csv",
            "Asset Tag,Serial,Model,Status\nA-2,sn-7,MacBook Pro 14,Ready\nA-1,SN-7,MacBook Pro 14,Ready\n",
        )
        .sheet("own.csv", "Asset Tag,Serial,Model,Status\nA-1,SN-7,MacBook Pro 14,Broken\n");
    let (code, summary) = test.json(&["import", "own.csv", "--entity", "assets"]);
    assert_eq!((code, &summary["remarks"]), (0, &json!([])), "{summary}");
    let (code, summary) = test.json(&["import", "assets.csv", "--dry-run"]);
    assert_eq!(code, 0, "{summary}");
    let messages: Vec<_> =
        summary["remarks"].as_array().unwrap().iter().map(|remark| remark["message"].clone()).collect();
    let expected = "`Serial`: 1 row with a serial number that another record of the account has, such as `sn-7` (B2)";
    assert!(messages.contains(&json!(expected)), "{messages:?}");
}
