//! Rows that name records which earlier sheets of the run change.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::super::scenario::Scenario;
use crate::plan::CreateMissing;

fn account() -> Scenario {
    Scenario::new()
        .holds(
            "statuses",
            json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "Broken", "type": "undeployable"}]),
        )
        .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
        .holds("manufacturers", json!([{"id": 5, "name": "Dell"}, {"id": 6, "name": "HP"}]))
        .holds(
            "products",
            json!([
                {"id": 1, "name": "X1", "model_number": "G9", "category_id": 1, "manufacturer_id": 5},
                {"id": 2, "name": "T14", "model_number": "G1", "category_id": 1, "manufacturer_id": 5},
            ]),
        )
        .holds("locations", json!([{"id": 1, "name": "Berlin"}, {"id": 2, "name": "Ulm"}]))
        .holds(
            "employees",
            json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}, {"id": 2, "name": "Bob", "email": "bob@example.com"}]),
        )
        .holds(
            "assets",
            json!([{"id": 11, "asset_id": "L1", "product_id": 1, "status_id": 1, "location_id": 1, "deployed_to": []},
                {"id": 12, "asset_id": "L2", "product_id": 1, "status_id": 2, "deployed_to": []}]),
        )
}

/// What becomes of the last row.
fn last(scenario: Scenario) -> String {
    scenario.shown().pop().unwrap()
}

#[test]
fn a_name_means_the_record_that_has_it_after_the_earlier_sheets() {
    let employee = |locations: &str, location: &str| {
        let rows = format!("name|email|location\nEve|eve@example.com|{location}");
        let scenario = account().sheet("locations", &format!("_id|name\n{locations}")).sheet("employees", &rows);
        last(scenario.create_missing(CreateMissing::AllButPeople))
    };
    let at = |id: i64| format!(r#"create {{"email":"eve@example.com","location_id":{id},"name":"Eve"}}"#);
    assert_eq!(employee("1|Bonn", "bonn"), at(1));
    assert_eq!(employee("1|Bonn", "Ulm"), at(2));
    assert_eq!(
        employee("1|Bonn", "Berlin"),
        "reject record.contradicted at C: `Berlin` not found in locations; row 2 of the sheet of locations changes it to `Bonn`",
        "and no other Berlin is made"
    );
    let out = |employee: &str| {
        let rows = format!("asset_id|employee|checkout_date\nL1|{employee}|2026-01-02");
        last(account().sheet("employees", "_id|name\n1|Ada Byron\n2|Ada").sheet("checkout_asset", &rows))
    };
    let to = |id: i64| format!(r#"create {{"asset_id":"L1","checkout_date":"2026-01-02","employee_id":{id}}}"#);
    assert_eq!([out("Ada"), out("Ada Byron"), out("ada@example.com")], [to(2), to(1), to(1)]);
    assert!(out("Bob").ends_with("row 3 of the sheet of employees changes it to `Ada`"), "{}", out("Bob"));
}

#[test]
fn a_product_is_described_as_the_earlier_sheets_leave_it() {
    let asset = |products: &str, cells: &str| {
        let rows = format!("asset_id|product|model number|manufacturer|category|status\nN1|{cells}|Laptops|Ready");
        let scenario = account().sheet("products", products).sheet("assets", &rows);
        last(scenario.create_missing(CreateMissing::AllButPeople))
    };
    let made = r#"create {"asset_id":"N1","product_id":1,"status_id":1}"#;
    let maker = "name|model number|manufacturer\nX1|G9|HP";
    assert_eq!(asset(maker, "X1||HP"), made);
    assert_eq!(asset("name|model number|manufacturer\nX1|G9|New", "X1|G9|New"), made);
    assert_eq!(asset("_id|model number\n1|G10", "X1|g10|Dell"), made);
    assert_eq!(
        asset(maker, "X1||Dell"),
        "reject record.contradicted at B: no `X1` in products has the manufacturer `Dell`; there is X1 (#1, manufacturer HP), \
         as row 2 of the sheet of products changes it"
    );
    // Another sheet of products.
    let scenario = account().sheet("products", "_id|name\n1|X2").sheet("products", "name|model number|notes\nX2|G9|n");
    assert_eq!(last(scenario), r#"update 1 {"name":"X2","notes":"n"}"#);
}

#[test]
fn people_and_assets_are_found_by_their_new_address_and_tag() {
    let out = |item: &str, employee: &str| {
        let rows = format!("asset_id|employee|checkout_date\n{item}|{employee}|2026-01-02");
        let scenario = account()
            .sheet("assets", "_id|asset_id\n11|L9")
            .sheet("employees", "_id|name|email\n1|Eva|new@example.com");
        last(scenario.sheet("checkout_asset", &rows))
    };
    let made = r#"create {"asset_id":"L9","checkout_date":"2026-01-02","employee_id":1} after 0"#;
    assert_eq!([out("L9", "new@example.com"), out("#11", "Eva")], [made, made]);
    assert_eq!(
        out("L1", "ada@example.com"),
        "reject record.contradicted at A: `L1` not found in assets; row 2 of the sheet of assets changes it to `L9`; \
         record.contradicted at B: `ada@example.com` not found in employees; row 2 of the sheet of employees changes it to \
         `new@example.com`"
    );
    let work = "asset_id|type|name|start date\nL9|Repair|Hinge|2026-01-02\n#11|Repair|Hinge|2026-01-02";
    let shown = account().sheet("assets", "_id|asset_id\n11|L9").sheet("maintenances", work).shown();
    assert!(shown[1].contains(r#""asset_id":"L9""#) && shown[1].ends_with(" after 0"), "{shown:?}");
    assert!(shown[2].starts_with("reject duplicate.key"), "{shown:?}");
}

#[test]
fn the_kind_that_an_earlier_sheet_gives_a_status_decides_about_check_outs() {
    let kinds = "name|type\nReady|undeployable\nBroken|deployable";
    let out = "asset_id|employee|checkout_date\nL1|Ada|2026-01-02\nL2|Ada|2026-01-02";
    let shown = account().sheet("statuses", kinds).sheet("checkout_asset", out).shown();
    assert_eq!(
        shown[2..],
        [
            "reject checkout.refused at A: `L1` has the status `Ready` (undeployable), which does not allow it",
            r#"create {"asset_id":"L2","checkout_date":"2026-01-02","employee_id":1}"#,
        ]
    );
    let mapping = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"User\"\n";
    let rows = "asset_id|product|status|User\nN1|X1|Ready|Ada\nN2|X1|Broken|Ada";
    let outcome = account().sheet("statuses", kinds).ruled_sheet("assets", rows, mapping).plan();
    let notes: Vec<&str> = outcome.rows[4..].iter().map(|row| row.note.as_str()).collect();
    let kept = "not checked out to Ada: its status `Ready` (undeployable) does not allow it";
    assert_eq!(notes, [kept, "check-out to Ada"]);
}

#[test]
fn what_an_update_changes_is_compared_with_what_the_account_has() {
    let moment = "2026-01-01T08:00:00.000Z";
    let held = json!([{"id": 21, "asset_id": "E1", "product_id": 1, "status_id": 1, "location_id": 1,
        "created_at": moment, "updated_at": moment}]);
    let plan = |location: &str| {
        let rows = format!("id|asset_id|location_name|created_at|updated_at\n21|E1|{location}|{moment}|{moment}");
        account().holds("assets", held.clone()).sheet("locations", "_id|name\n1|Bonn").sheet("assets", &rows).plan()
    };
    let outcome = plan("Berlin");
    assert_eq!(outcome.steps[0].before.as_ref().unwrap()["name"], "Berlin");
    assert_eq!(outcome.shown_rows()[1], "unchanged 21", "a cell of an export that nobody has edited");
    assert_eq!(plan("Bonn").shown_rows()[1], "unchanged 21");
    // Also in the key, beside a cell that was edited.
    let audits =
        json!([1, 2].map(|id| json!({"id": id, "asset_id": format!("L{id}"), "audit_date": format!("2026-01-0{id}"),
        "created_at": moment, "updated_at": moment})));
    let rows = format!("id|asset_id|audit_date|created_at|updated_at\n1|L1|2026-01-02|{moment}|{moment}");
    let scenario = account().holds("audits", audits).sheet("assets", "_id|asset_id\n11|L9").sheet("audits", &rows);
    assert_eq!(last(scenario), r#"update 1 {"audit_date":"2026-01-02"}"#);
    let outcome = plan("Ulm");
    assert_eq!(outcome.shown_rows()[1], r#"update 21 {"location_id":2}"#);
    let change = &outcome.rows[1].changes[0];
    assert_eq!((change.old.as_str(), change.new.as_str()), ("Berlin", "Ulm"));
}
