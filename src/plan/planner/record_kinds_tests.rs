//! Values that name a kind of record, with an account in memory.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::super::scenario::Scenario;
use crate::plan::CreateMissing;

const RULES: &str = "[fields.status_id]\ncolumn = \"State\"\n\
                     values = { new = { kind = \"deployable\", name = \"Ready to Deploy\" }, gone = \"Lost\" }\n\
                     default = { kind = \"deployable\", name = \"Ready to Deploy\" }\n";

/// A product, and statuses of which two are deployable.
fn account() -> Scenario {
    Scenario::new().holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}])).holds(
        "statuses",
        json!([
            {"id": 1, "name": "Stock", "type": "deployable"},
            {"id": 2, "name": "In use", "type": "deployable"},
            {"id": 3, "name": "Lost", "type": "archived"},
        ]),
    )
}

/// As many assets of each status.
fn with_assets(scenario: Scenario, statuses: &[i64]) -> Scenario {
    let asset = |(status, id): (&i64, i64)| json!({"id": id, "asset_id": format!("OLD-{id}"), "product_id": 1, "status_id": status});
    scenario.holds("assets", statuses.iter().zip(1..).map(asset).collect())
}

fn rows(scenario: Scenario, rows: &str) -> Scenario {
    scenario.ruled_sheet("assets", &format!("asset_id|product|State\n{rows}"), RULES)
}

#[test]
fn the_status_that_most_assets_have_stands_for_its_kind() {
    let outcome = rows(with_assets(account(), &[1, 1, 2, 3, 3, 3]), "T-1|X1|\nT-2|X1|new\nT-3|X1|gone\nT-4|X1|").plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"assets: create {"asset_id":"T-1","product_id":1,"status_id":1}"#,
            r#"assets: create {"asset_id":"T-2","product_id":1,"status_id":1}"#,
            r#"assets: create {"asset_id":"T-3","product_id":1,"status_id":3}"#,
            r#"assets: create {"asset_id":"T-4","product_id":1,"status_id":1}"#,
        ]
    );
    assert_eq!(
        outcome.remarks,
        [
            "`State`: `Stock` for 1 row (the deployable status that most assets have) (C3)",
            "status_id: `Stock` for 2 rows without one (the deployable status that most assets have)",
        ]
    );
}

#[test]
fn without_assets_the_first_status_by_name_stands_for_its_kind() {
    let outcome = rows(account(), "T-1|X1|").plan();
    assert_eq!(outcome.remarks, ["status_id: `In use` for 1 row without one (the first deployable status by name)"]);
    let only = Scenario::new()
        .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        .holds("statuses", json!([{"id": 7, "name": "Stock", "type": "deployable"}]));
    let outcome = rows(only, "T-1|X1|").plan();
    assert_eq!(outcome.remarks, ["status_id: `Stock` for 1 row without one (the only deployable status)"]);
}

#[test]
fn the_status_that_the_mapping_names_goes_before_others_of_its_kind() {
    let named = account().holds("statuses", json!([{"id": 9, "name": "Ready to deploy", "type": "deployable"}]));
    let outcome = rows(with_assets(named, &[1, 1]), "T-1|X1|").plan();
    assert_eq!(outcome.shown_steps(), [r#"assets: create {"asset_id":"T-1","product_id":1,"status_id":9}"#]);
    let remark = "status_id: `Ready to deploy` for 1 row without one (the deployable status that the mapping names)";
    assert_eq!(outcome.remarks, [remark]);
}

#[test]
fn an_asset_keeps_a_status_of_the_kind() {
    let scenario = with_assets(account(), &[1, 1, 2, 3]);
    let outcome = rows(scenario, "OLD-1|X1|\nOLD-3|X1|new\nOLD-4|X1|new").plan();
    assert_eq!(outcome.shown_steps(), [r#"assets: update 4 {"status_id":1}"#]);
    assert_eq!(outcome.remarks.len(), 1, "{:?}", outcome.remarks);
}

#[test]
fn a_kind_that_a_default_says_is_for_new_assets() {
    let scenario = with_assets(account(), &[3, 1]);
    let outcome = rows(scenario, "OLD-1|X1|\nOLD-2|X1|gone\nT-1|X1|").plan();
    assert_eq!(
        outcome.shown_steps(),
        [r#"assets: update 2 {"status_id":3}"#, r#"assets: create {"asset_id":"T-1","product_id":1,"status_id":1}"#,],
        "an asset that was lost meanwhile stays so"
    );
    // Nor is there a problem with a status that the asset does not need.
    let other = Scenario::new()
        .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        .holds("statuses", json!([{"id": 3, "name": "ready to deploy", "type": "pending"}]));
    assert_eq!(rows(with_assets(other, &[3]), "OLD-1|X1|").shown(), ["unchanged 1"]);
    // A name that a default says counts for every row.
    let named = "[fields.status_id]\ncolumn = \"State\"\ndefault = \"Lost\"\n";
    let sheet = "asset_id|product|State\nOLD-1|X1|";
    let shown = with_assets(account(), &[1]).ruled_sheet("assets", sheet, named).shown();
    assert_eq!(shown, [r#"update 1 {"status_id":3}"#]);
}

#[test]
fn a_missing_kind_is_a_problem_or_is_created_once() {
    let none = || {
        Scenario::new()
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("statuses", json!([{"id": 3, "name": "Lost", "type": "archived"}]))
    };
    assert_eq!(rows(none(), "T-1|X1|").shown(), ["reject name.not_found at D: the account has no deployable status"]);
    let outcome = rows(none(), "T-1|X1|\nT-2|X1|new").create_missing(CreateMissing::AllButPeople).plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"statuses: create {"name":"Ready to Deploy","type":"deployable"}"#,
            r#"assets: create {"asset_id":"T-1","product_id":1} after 0:status_id"#,
            r#"assets: create {"asset_id":"T-2","product_id":1} after 0:status_id"#,
        ]
    );
    assert_eq!(
        outcome.remarks,
        [
            "`State`: `Ready to Deploy` for 1 row (the deployable status that this run creates) (C3)",
            "status_id: `Ready to Deploy` for 1 row without one (the deployable status that this run creates)",
        ]
    );
}

#[test]
fn a_status_of_another_kind_is_not_created_a_second_time() {
    let other = Scenario::new()
        .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        .holds("statuses", json!([{"id": 3, "name": "ready to deploy", "type": "pending"}]));
    let shown = rows(other, "T-1|X1|").create_missing(CreateMissing::AllButPeople).shown();
    assert_eq!(
        shown,
        [
            "reject name.contradicted at D: no deployable status to use for `Ready to Deploy`; there is ready to deploy (#3, type pending)"
        ]
    );
}

#[test]
fn a_status_of_an_earlier_sheet_stands_for_its_kind() {
    let outcome = rows(
        Scenario::new()
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .sheet("statuses", "name|type\nShelf|deployable"),
        "T-1|X1|",
    )
    .plan();
    assert_eq!(outcome.shown_steps()[1], r#"assets: create {"asset_id":"T-1","product_id":1} after 0:status_id"#);
}

#[test]
fn the_kind_of_a_new_record_that_only_otherwise_says_is_remarked_with_the_text_to_list() {
    let rules = "[fields.status_id]\ncolumn = \"State\"\nstrip = \"parents:path\"\n\
                 [fields.\"status_id.type\"]\ncolumn = \"State\"\nstrip = \"parents:path\"\n\
                 values = { Sold = \"archived\" }\notherwise = \"deployable\"\n";
    let rows = "asset_id|product|State\nT-1|X1|All > Sold\nT-2|X1|All > Rented\nT-3|X1|All > Rented\nT-4|X1|Stock";
    let outcome =
        account().ruled_sheet("assets", rows, rules).create_missing(CreateMissing::Named(vec!["statuses"])).plan();
    let assumed: Vec<&String> = outcome.remarks.iter().filter(|remark| remark.contains("neither file nor")).collect();
    assert_eq!(
        assumed,
        ["`State`: new statuses of the type deployable, because neither file nor mapping says it: `Rented`; \
          if it is another, pass --value 'status_id.type:Rented=archived' (C3)"]
    );
}
