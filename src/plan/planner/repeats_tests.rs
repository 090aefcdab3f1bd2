#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use crate::plan::PriorAction;
use crate::plan::scenario::Scenario;

fn stock() -> Scenario {
    Scenario::new()
        .holds("consumables", json!([{"id": 1, "name": "Toner"}]))
        .holds("employees", json!([{"id": 5, "name": "Ada", "email": "ada@example.com"}]))
}

const TONER: &str = "consumable|employee|quantity|checkout date\nToner|ada@example.com|2|2026-03-02";

fn done() -> PriorAction {
    PriorAction::Done { run: String::from("r1") }
}

fn logged() -> PriorAction {
    PriorAction::Logged { times: 1, last: None }
}

#[test]
fn what_has_happened_is_left_out_and_what_may_have_is_asked_about() {
    let shown = |prior| stock().prior_action(prior).sheet("checkout_consumable", TONER).shown().remove(0);
    assert!(shown(PriorAction::Absent).starts_with("create"));
    assert_eq!(shown(done()), "already done");
    for unsure in [
        logged(),
        PriorAction::LogTooLong,
        PriorAction::LogDenied,
        PriorAction::LogRefused { status: 404 },
        PriorAction::Unresolved { run: String::from("r1") },
    ] {
        assert!(shown(unsure).contains("checkout.repeated"));
    }
    let repeated = stock().prior_action(done()).repeat().sheet("checkout_consumable", TONER).shown().remove(0);
    assert!(repeated.starts_with("create"));
}

#[test]
fn a_row_that_its_result_file_calls_done_is_not_asked_about() {
    let result = "_status|consumable|employee|quantity|checkout date\ncreated|Toner|ada@example.com|2|2026-03-02\n\
                  failed|Toner|ada@example.com|2|2026-03-02";
    let shown = stock().prior_action(logged()).sheet("checkout_consumable", result).shown();
    assert_eq!(shown[0], "already done");
    assert!(shown[1].contains("checkout.repeated"));
}

#[test]
fn an_asset_says_who_has_it() {
    let shown = |deployed: Json| {
        let mut asset = json!({"id": 9, "asset_id": "L1", "status_id": 1});
        if deployed != json!("not reported") {
            asset["deployed_to"] = deployed;
        }
        Scenario::new()
            .holds("assets", json!([asset]))
            .holds("statuses", json!([{"id": 1, "name": "Ready"}, {"id": 2, "name": "Broken"}]))
            .holds("employees", json!([{"id": 5, "name": "Ada", "email": "ada@example.com"}]))
            .prior_action(done())
            .sheet("checkout_asset", "asset|employee|checkout date\nL1|ada@example.com|2026-03-02")
            .shown()
            .remove(0)
    };
    assert_eq!(shown(json!([{"employee_id": 5}])), "already done");
    assert_eq!(shown(json!([{"employee_id": "5"}])), "already done");
    assert!(shown(json!([{"employee_id": 6}])).contains("is checked out to `#6`"), "the service says that it is out");
    assert!(shown(json!([])).starts_with("create"));
    assert!(shown(json!(null)).starts_with("create"));
    assert_eq!(shown(json!([{"checkout_date": "2026-03-02"}])), "already done", "earlier runs are asked");
    assert_eq!(shown(json!("not reported")), "already done", "earlier runs are asked");
}

#[test]
fn an_asset_that_somebody_unnamed_has_is_not_checked_out_unasked() {
    let scenario = |more: Json| {
        let mut asset = json!({"id": 9, "asset_id": "L1", "status_id": 1, "deployed_to": []});
        asset.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Scenario::new()
            .holds("assets", json!([asset]))
            .holds("statuses", json!([{"id": 1, "name": "Ready"}]))
            .holds("employees", json!([{"id": 5, "name": "Ada", "email": "ada@example.com"}]))
    };
    let out = "asset|employee|checkout date\nL1|ada@example.com|2026-03-02";
    let since = json!({"checkout_date": "2025-01-02"});
    for more in [since.clone(), json!({"deployed_to": [{"name": "Ada"}]})] {
        let shown = scenario(more.clone()).sheet("checkout_asset", out).shown().remove(0);
        let told = "reject checkout.repeated at A: `L1` is checked out, and the account does not say to whom";
        assert_eq!(shown, told, "{more}");
        assert!(scenario(more).repeat().sheet("checkout_asset", out).shown()[0].starts_with("create"));
    }
    let done = scenario(since.clone()).prior_action(done()).sheet("checkout_asset", out).shown().remove(0);
    assert_eq!(done, "already done", "earlier runs are asked");
    // Nobody says that it is back, so it is checked in, and then it can be checked out.
    let back = "asset|status|checkin date\nL1|Ready|2026-03-01";
    let both = scenario(since).sheet("checkin_asset", back).sheet("checkout_asset", out).shown();
    assert!(both.len() == 2 && both.iter().all(|shown| shown.starts_with("create")), "{both:?}");
}

#[test]
fn an_asset_that_is_back_with_the_status_of_the_row_is_unchanged() {
    let shown = |deployed: Json, status: &str| {
        Scenario::new()
            .holds("assets", json!([{"id": 9, "asset_id": "L1", "status_id": 1, "deployed_to": deployed}]))
            .holds("statuses", json!([{"id": 1, "name": "Ready"}, {"id": 2, "name": "Broken"}]))
            .sheet("checkin_asset", &format!("asset|status|checkin date\nL1|{status}|2026-03-02"))
            .shown()
            .remove(0)
    };
    assert_eq!(shown(json!([]), "Ready"), "already done");
    assert!(shown(json!([]), "Broken").contains("`L1` is not checked out"));
    assert!(shown(json!([{"employee_id": 5}]), "Ready").starts_with("create"));
}
