#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use crate::plan::scenario::Scenario;
use crate::plan::{CreateMissing, RowDecision};

const MAPPING: &str = "entity = \"assets\"\n[fields.assigned_to]\nfirst_of = [\"UPN\", \"Place\"]\n\
                       [fields.checkout_date]\ncolumn = \"Since\"\n";

/// Rows of assets, each `tag|product|status|UPN|Place|Since`, about these records.
fn assigned(assets: Json, rows: &[&str]) -> (Vec<String>, Vec<String>) {
    let person = |id: i64, name: &str| json!({"id": id, "name": name, "email": format!("{name}@example.com")});
    let scenario = Scenario::new()
        .holds(
            "statuses",
            json!([{"id": 1, "name": "Ready", "type": "Deployable"}, {"id": 2, "name": "Broken", "type": "undeployable"},
                {"id": 3, "name": "Odd"}]),
        )
        .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
        .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        .holds("employees", json!([person(1, "Ada"), person(2, "Bob"), person(3, "Ulm")]))
        .holds("locations", json!([{"id": 7, "name": "Bonn"}, {"id": 8, "name": "Ulm"}, {"id": 9, "name": "a@b"}]))
        .holds("assets", assets);
    let text = format!("asset_id|product_id|status_id|UPN|Place|Since\n{}", rows.join("\n"));
    let outcome = scenario.ruled_sheet("assets", &text, MAPPING).plan();
    let told = outcome.rows.iter().map(|row| match &row.decision {
        RowDecision::Rejected(problems) => {
            problems.iter().map(|problem| problem.error.message.to_string()).collect::<Vec<_>>().join("; ")
        }
        _ => row.note.clone(),
    });
    (outcome.shown_steps(), told.filter(|note| !note.is_empty()).collect())
}

fn asset(more: Json) -> Json {
    let mut asset = json!({"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1});
    asset.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([asset])
}

const TO_BOB: &str = "A-1|||Bob@example.com||2026-02-01";

#[test]
fn where_an_item_is_decides_what_has_to_be_done() {
    let done = |held: Json| assigned(asset(json!({"deployed_to": held})), &[TO_BOB]);
    assert_eq!(done(json!([{"employee_id": 2}])), (vec![], vec![]));
    let out = r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01","employee_id":2}"#;
    for nobody in [json!([]), json!(null)] {
        assert_eq!(done(nobody), (vec![out.to_owned()], vec![String::from("check-out to Bob")]));
    }
    let back = r#"checkin_asset: create {"asset_id":5,"checkin_date":"2026-02-01","status_id":1}"#;
    for (held, from) in [
        (json!([{"employee_id": 1}]), "Ada"),
        (json!([{"location_id": 7}]), "Bonn"),
        (json!([{"employee_id": 77}]), "#77"),
    ] {
        let (steps, notes) = done(held);
        assert_eq!(steps, [back.to_owned(), format!("{out} after 0")], "{from}");
        assert_eq!(notes, [format!("check-in from {from}, check-out to Bob")]);
    }
}

#[test]
fn an_item_of_which_the_service_says_nothing_is_not_moved() {
    let unknown = "the service does not say who holds it now";
    let somewhere = json!({"deployed_to": [], "checkout_date": "2025-01-02"});
    for more in [json!({}), json!({"deployed_to": "Ada"}), json!({"deployed_to": [{"something": 1}]}), somewhere] {
        let (steps, told) = assigned(asset(more.clone()), &[TO_BOB]);
        assert_eq!((steps, told), (vec![], vec![unknown.to_owned()]), "{more}");
        let forced = Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "Deployable"}]))
            .holds("employees", json!([{"id": 2, "name": "Bob", "email": "bob@example.com"}]))
            .holds("assets", asset(more.clone()))
            .repeat();
        let text = format!("asset_id|product_id|status_id|UPN|Place|Since\n{TO_BOB}");
        let steps = forced.ruled_sheet("assets", &text, MAPPING).plan().shown_steps();
        let out = r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01","employee_id":2}"#;
        assert_eq!(steps, [out], "{more}");
    }
}

#[test]
fn what_comes_back_needs_a_status() {
    let held = json!({"deployed_to": [{"employee_id": 1}], "status_id": null});
    let (steps, told) = assigned(asset(held.clone()), &[TO_BOB]);
    assert_eq!(steps, [""; 0]);
    assert_eq!(told, ["it has no status, which the check-in from the present holder needs"]);
    // The row may say one.
    let (steps, told) = assigned(asset(held), &["A-1||Ready|Bob@example.com||2026-02-01"]);
    assert_eq!(steps[1], r#"checkin_asset: create {"asset_id":5,"checkin_date":"2026-02-01","status_id":1} after 0"#);
    assert_eq!((steps.len(), told), (3, vec![String::from("check-in from Ada, check-out to Bob")]));
    // Nobody has it: then none is needed.
    let free = json!({"deployed_to": [], "status_id": null});
    assert_eq!(assigned(asset(free), &[TO_BOB]).0.len(), 1);
}

#[test]
fn only_a_status_that_is_known_to_allow_no_check_out_keeps_an_item() {
    let with = |status: i64, row: &str| assigned(asset(json!({"deployed_to": [], "status_id": status})), &[row]);
    assert_eq!(with(1, TO_BOB).1, ["check-out to Bob"]);
    assert_eq!(with(3, TO_BOB).1, ["check-out to Bob"], "its kind is not known");
    let kept = "not checked out to Bob: its status `Broken` (undeployable) does not allow it";
    assert_eq!(with(2, TO_BOB), (vec![], vec![kept.to_owned()]));
    let (steps, told) = with(1, "A-1||Broken|Bob@example.com||2026-02-01");
    assert_eq!((steps.len(), told), (1, vec![kept.to_owned()]));
    let (steps, told) = with(2, "A-1||Ready|Bob@example.com||2026-02-01");
    assert_eq!((steps.len(), told), (2, vec![String::from("check-out to Bob")]));
    let (steps, told) = assigned(json!([]), &["A-2|X1|Broken|Bob@example.com||2026-02-01"]);
    assert_eq!((steps.len(), told), (1, vec![kept.to_owned()]));
    let (steps, _) = assigned(json!([]), &["A-2|X1|Ready|Bob@example.com||2026-02-01"]);
    assert_eq!(
        steps[1],
        r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-02-01","employee_id":2} after 0"#
    );
}

#[test]
fn a_name_is_a_person_or_a_place_and_an_address_is_a_person() {
    let told = |who: &str| assigned(asset(json!({"deployed_to": []})), &[&format!("A-1|||{who}||2026-02-01")]);
    assert!(told("Bonn").0[0].contains(r#""location_id":7"#));
    assert!(told("Ada").0[0].contains(r#""employee_id":1"#));
    let question = "assigned_to from UPN, D2: `Ulm` is a person and a location";
    assert!(question.ends_with(told("Ulm").1[0].as_str()), "{:?}", told("Ulm"));
    assert_eq!(told("Ulm").0, [""; 0]);
    assert!(told("#2").0[0].contains(r#""employee_id":2"#), "{:?}", told("#2"));
    assert_eq!(told("a@b").0, [""; 0]);
    assert_eq!(told("Nobody").1, ["`Nobody` not found in employees"]);
    assert_eq!(told(""), (vec![], vec![]));
}

#[test]
fn nothing_of_a_row_is_sent_whose_holder_has_left() {
    let gone = json!([{"id": 4, "name": "Zed", "email": "zed@example.com", "archived": true}]);
    let plan = |held: Json, row: &str| {
        let text = format!("asset_id|product_id|status_id|UPN|Place|Since\n{row}");
        let scenario = Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("employees", gone.clone())
            .holds("assets", held);
        scenario.ruled_sheet("assets", &text, MAPPING).plan().shown_rejections()
    };
    let is_told = |rejections: &[String]| {
        rejections.len() == 1
            && rejections[0].ends_with("the employee `Zed` is archived; nothing can be checked out to them")
    };
    let row = "A-1|||zed@example.com||2026-02-01";
    assert!(is_told(&plan(asset(json!({"deployed_to": []})), row)));
    assert!(is_told(&plan(json!([]), "A-2|X1|Ready|zed@example.com||2026-02-01")));
    let none: [&str; 0] = [];
    assert_eq!(plan(asset(json!({"deployed_to": [{"employee_id": 4}]})), row), none, "they have it already");
}

#[test]
fn an_item_stays_where_it_is_until_its_new_holder_is_made() {
    let scenario = || {
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}]))
            .holds("assets", asset(json!({"deployed_to": [{"employee_id": 1}]})))
    };
    let mapping = format!("{MAPPING}[fields.\"assigned_to.name\"]\ncolumn = \"User\"\n");
    let asset = "asset_id|UPN|User|Place|Since\nA-1|eve@example.com|Eve||2026-02-01";
    let back = r#"checkin_asset: create {"asset_id":5,"checkin_date":"2026-02-01","status_id":1} after 0"#;
    let out = r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01"} after 0:employee_id after 1"#;
    let made = r#"employees: create {"email":"eve@example.com","name":"Eve"}"#;
    let in_passing =
        scenario().ruled_sheet("assets", asset, &mapping).create_missing(CreateMissing::Named(vec!["employees"]));
    assert_eq!(in_passing.plan().shown_steps(), [made, back, out]);
    let by_a_sheet =
        scenario().sheet("employees", "name|email\nEve|eve@example.com").ruled_sheet("assets", asset, &mapping);
    assert_eq!(by_a_sheet.plan().shown_steps(), [made, back, out]);
}

#[test]
fn what_a_row_returns_is_free_for_another() {
    let assets = json!([
        {"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1, "deployed_to": [{"employee_id": 1}]},
        {"id": 6, "asset_id": "A-2", "product_id": 1, "status_id": 1, "deployed_to": [{"employee_id": 2}]},
    ]);
    let (steps, told) = assigned(assets, &[TO_BOB, "A-2|||Bonn||2026-02-03", "A-3|X1|Ready|||"]);
    assert_eq!(told, ["check-in from Ada, check-out to Bob", "check-in from Bob, check-out to Bonn"]);
    assert_eq!(steps.len(), 5, "{steps:?}");
    assert_eq!(
        steps[4],
        r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-02-03","location_id":7} after 3"#
    );
}
