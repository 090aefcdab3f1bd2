#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use crate::plan::scenario::Scenario;

/// An asset that is in, one that Bob has, and one whose holder the service does not name.
fn account() -> Scenario {
    let person = |id: i64, name: &str, archived: Json| json!({"id": id, "name": name, "email": format!("{name}@example.com"), "archived": archived});
    Scenario::new()
        .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "Broken"}]))
        .holds("locations", json!([{"id": 7, "name": "Bonn"}, {"id": 8, "name": "Ulm"}]))
        .holds(
            "employees",
            json!([person(1, "Ada", json!(false)), person(2, "Bob", json!(0)), person(3, "Zed", json!(1))]),
        )
        .holds(
            "assets",
            json!([
                {"id": 11, "asset_id": "L1", "status_id": 1, "deployed_to": []},
                {"id": 12, "asset_id": "L2", "status_id": 1, "deployed_to": [{"employee_id": 2}]},
                {"id": 13, "asset_id": "L3", "status_id": 1, "deployed_to": [{"checkout_date": "2026-01-01"}]},
            ]),
        )
}

fn checkouts(rows: &str) -> String {
    format!("asset|employee|checkout date\n{rows}")
}

/// What becomes of rows of check-outs, each with its note.
fn shown(scenario: Scenario) -> Vec<(String, String)> {
    let notes = scenario.plan();
    let rows = notes.shown_rows();
    rows.into_iter().zip(notes.rows).map(|(row, plan)| (row, plan.note)).collect()
}

fn texts(scenario: Scenario) -> Vec<String> {
    shown(scenario).into_iter().map(|(row, _)| row).collect()
}

#[test]
fn an_item_goes_out_once() {
    let rows = checkouts("L1|ada@example.com|2026-03-02\nL1|bob@example.com|2026-03-02\nl1|Ada|2026-04-02");
    let shown = shown(account().sheet("checkout_asset", &rows));
    assert!(shown[0].0.starts_with("create"), "{shown:?}");
    assert_eq!(shown[1].0, "reject duplicate.key at A: duplicate of row 2, which checks `L1` out to `Ada`");
    let repeated = (String::from("already done"), String::from("duplicate of row 2, which checks `L1` out to `Ada`"));
    assert_eq!(shown[2], repeated, "the same holder");
}

#[test]
fn what_a_second_row_for_a_holder_changes_beside_is_not_lost() {
    let rows = "asset|employee|checkout date|asset location\nL1|Ada|2026-03-02|Bonn\nL1|Ada|2026-03-02|Bonn\n\
                L1|Ada|2026-03-02|Ulm";
    let texts = texts(account().sheet("checkout_asset", rows));
    assert_eq!(texts[1], "already done");
    assert_eq!(texts[2], "reject duplicate.key at A: duplicate of row 2, which checks `L1` out to `Ada`");
}

#[test]
fn a_row_that_is_not_sent_leaves_the_item_to_the_next() {
    let rows = checkouts("L1|Zed|2026-03-02\nL1|Nobody|2026-03-02\nL1|Ada|2026-03-02");
    let texts = texts(account().sheet("checkout_asset", &rows));
    assert!(texts[0].starts_with("reject checkout.refused") && texts[1].starts_with("reject name.not_found"));
    assert!(texts[2].starts_with("create"), "{texts:?}");
}

#[test]
fn an_item_comes_back_once() {
    let rows = "asset|status|checkin date\nL2|Ready|2026-03-02\nL2|Ready|2026-03-02\nL2|Broken|2026-03-02";
    let shown = shown(account().sheet("checkin_asset", rows));
    assert!(shown[0].0.starts_with("create"), "{shown:?}");
    assert_eq!(shown[1], (String::from("already done"), String::from("duplicate of row 2, which checks `L2` in")));
    assert_eq!(shown[2].0, "reject duplicate.key at A: duplicate of row 2, which checks `L2` in");
}

#[test]
fn what_somebody_else_has_must_come_back_first() {
    let out = checkouts("L2|Ada|2026-03-02\nL3|Ada|2026-03-02\nL2|Bob|2026-03-02");
    let texts_of = texts(account().sheet("checkout_asset", &out));
    assert_eq!(texts_of[0], "reject checkout.refused at A: `L2` is checked out to `Bob`");
    assert_eq!(texts_of[1], "reject checkout.repeated at A: `L3` is checked out, and the account does not say to whom");
    assert_eq!(texts_of[2], "already done");
    let back = "asset|status|checkin date\nL2|Ready|2026-03-01";
    let texts_of = texts(account().sheet("checkin_asset", back).sheet("checkout_asset", &out));
    assert!(texts_of[1].starts_with("create"), "an earlier sheet checks it in: {texts_of:?}");
    assert_eq!(texts_of[3], "reject duplicate.key at A: duplicate of row 2, which checks `L2` out to `Ada`");
}

#[test]
fn nothing_goes_to_a_person_who_has_left() {
    let told = "checkout.refused at B: the employee `Zed` is archived; nothing can be checked out to them";
    let rows = checkouts("L1|Zed|2026-03-02\nL2|zed@example.com|2026-03-02");
    let texts_of = texts(account().sheet("checkout_asset", &rows));
    assert_eq!(texts_of[0], format!("reject {told}"));
    assert_eq!(texts_of[1], format!("reject checkout.refused at A: `L2` is checked out to `Bob`; {told}"));
    let stock = account().holds("consumables", json!([{"id": 1, "name": "Toner"}]));
    let rows = "consumable|employee|quantity|checkout date\nToner|Zed|1|2026-03-02\nToner|Ada|1|2026-03-02";
    let texts_of = texts(stock.sheet("checkout_consumable", rows));
    assert_eq!(texts_of[0], format!("reject {told}"));
    assert!(texts_of[1].starts_with("create"));
}

#[test]
fn whether_a_person_has_left_is_as_earlier_sheets_say() {
    let people = "name|email|archived\nZed|zed@example.com|no\nAda|ada@example.com|yes\nNew|new@example.com|yes\n\
                  Nell|nell@example.com|no";
    let out = checkouts("L1|zed@example.com|2026-03-02\nL2|ada@example.com|2026-03-02\nL2|new@example.com|2026-03-02");
    let back = "asset|status|checkin date\nL2|Ready|2026-03-01";
    let scenario = account().sheet("employees", people).sheet("checkin_asset", back).sheet("checkout_asset", &out);
    let texts = texts(scenario);
    assert!(texts[5].starts_with("create"), "{texts:?}");
    assert!(texts[6].ends_with("`Ada` is archived; nothing can be checked out to them"), "{texts:?}");
    assert!(texts[7].ends_with("`New` is archived; nothing can be checked out to them"), "{texts:?}");
}

#[test]
fn an_item_goes_out_with_a_deployable_status_only() {
    let account = || {
        Scenario::new()
            .holds(
                "statuses",
                json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "Broken", "type": "undeployable"},
                    {"id": 3, "name": "Odd"}]),
            )
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "assets",
                json!([
                    {"id": 11, "asset_id": "L1", "status_id": 1, "deployed_to": []},
                    {"id": 12, "asset_id": "L2", "status_id": 2, "deployed_to": []},
                    {"id": 13, "asset_id": "L3", "status_id": 3, "deployed_to": null},
                    {"id": 14, "asset_id": "L4", "status_id": 2, "deployed_to": [{"employee_id": 1}]},
                ]),
            )
    };
    let out = checkouts("L1|Ada|2026-03-02\nL2|Ada|2026-03-02\nL3|Ada|2026-03-02\nL4|Ada|2026-03-02");
    let kept = |tag: &str| {
        format!("reject checkout.refused at A: `{tag}` has the status `Broken` (undeployable), which does not allow it")
    };
    let texts_of = texts(account().sheet("checkout_asset", &out));
    assert!(texts_of[0].starts_with("create") && texts_of[2].starts_with("create"), "{texts_of:?}");
    assert_eq!((texts_of[1].as_str(), texts_of[3].as_str()), (kept("L2").as_str(), "already done"));
    // Earlier sheets give other statuses.
    let assets = "asset_id|status\nL1|Broken\nL2|Ready";
    let texts_of = texts(account().sheet("assets", assets).sheet("checkout_asset", &out));
    assert_eq!(texts_of[2], kept("L1"));
    assert!(texts_of[3].starts_with("create"), "{texts_of:?}");
    for (status, is_sent) in [("Ready", true), ("Broken", false)] {
        let back = format!("asset|status|checkin date\nL4|{status}|2026-03-01");
        let texts_of = texts(account().sheet("checkin_asset", &back).sheet("checkout_asset", &out));
        assert_eq!(texts_of[4].starts_with("create"), is_sent, "{texts_of:?}");
    }
}

#[test]
fn what_is_in_does_not_come_back() {
    let rows = "asset|status|checkin date\nL1|Broken|2026-03-02\nL1|Ready|2026-03-02\nL2|Broken|2026-03-02";
    let texts_of = texts(account().sheet("checkin_asset", rows));
    assert_eq!(texts_of[..2], ["reject checkout.refused at A: `L1` is not checked out", "already done"]);
    assert!(texts_of[2].starts_with("create"), "{texts_of:?}");
}

#[test]
fn what_has_happened_is_no_problem_whoever_has_left() {
    let asset = json!([{"id": 14, "asset_id": "L4", "deployed_to": [{"employee_id": 3}]}]);
    let rows = checkouts("L4|Zed|2026-03-02");
    assert_eq!(texts(account().holds("assets", asset).sheet("checkout_asset", &rows)), ["already done"]);
}

#[test]
fn a_product_key_goes_out_once_and_seats_go_as_often_as_rows_say() {
    let licenses = account().holds("licenses", json!([{"id": 1, "name": "Office"}]));
    let rows = "license|employee|product key|checkout date\nOffice|Ada|K-1|2026-03-02\nOffice|Bob|K-2|2026-03-02\n\
                Office|Bob|K-1|2026-03-02";
    let texts_of = texts(licenses.sheet("checkout_license", rows));
    assert!(texts_of[1].starts_with("create"), "{texts_of:?}");
    assert_eq!(texts_of[2], "reject duplicate.key at A: duplicate of row 2, which checks `Office` out to `Ada`");
    let licenses = account().holds("licenses", json!([{"id": 1, "name": "Office"}]));
    let rows = "license|employee|quantity|checkout date\nOffice|Ada|1|2026-03-02\nOffice|Ada|1|2026-03-02";
    assert!(texts(licenses.sheet("checkout_license", rows)).iter().all(|row| row.starts_with("create")));
}
