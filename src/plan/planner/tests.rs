//! Which decision each row gets, with an account in memory.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::super::scenario::Scenario;
use crate::check::{Conflicts, Mode};
use crate::plan::{ChangeLimit, CreateMissing, PlanLimits};

/// Two locations: Berlin in DE, and Ulm.
fn locations() -> Scenario {
    Scenario::new().holds(
        "locations",
        json!([{"id": 1, "name": "Berlin", "country": "DE", "city": null}, {"id": 2, "name": "Ulm", "country": null}]),
    )
}

/// Laptops, their product and a status.
fn products() -> Scenario {
    Scenario::new()
        .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
        .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
        .holds("products", json!([{"id": 1, "name": "X1", "model_number": "G9", "category_id": 1}]))
}

#[test]
fn a_row_is_created_updated_unchanged_or_rejected_by_mode() {
    let rows = "name|country\nBonn|DE\nBerlin|FR\nberlin|DE\n|DE";
    for (mode, expected) in [
        (
            Mode::Upsert,
            [
                r#"create {"country":"DE","name":"Bonn"}"#,
                r#"update 1 {"country":"FR"}"#,
                "reject duplicate.key at A: duplicate of row 3",
                "reject required.missing at A: missing value for `name`; expected a value such as `Berlin Office`",
            ],
        ),
        (
            Mode::Create,
            [
                r#"create {"country":"DE","name":"Bonn"}"#,
                "reject record.exists at A: record already exists: Berlin",
                "reject duplicate.key at A: duplicate of row 3; record.exists at A: record already exists: Berlin",
                "reject required.missing at A: missing value for `name`; expected a value such as `Berlin Office`",
            ],
        ),
        (
            Mode::Update,
            [
                "reject record.missing at A: record not found in locations",
                r#"update 1 {"country":"FR"}"#,
                "reject duplicate.key at A: duplicate of row 3",
                "reject key.missing at A: missing key; expected a value for `name`, or the record's id in a column `_id`",
            ],
        ),
    ] {
        assert_eq!(locations().sheet("locations", rows).mode(mode).shown(), expected, "{mode:?}");
    }
}

#[test]
fn an_update_sends_only_what_differs_and_a_blank_changes_nothing() {
    for (rows, expected) in [
        ("name|country\nBerlin|DE", "unchanged 1"),
        ("name|country\nBerlin|", "unchanged 1"),
        ("name|country\nBerlin|<clear>", r#"update 1 {"country":null}"#),
        ("name|country|city\nBerlin|DE|Berlin", r#"update 1 {"city":"Berlin"}"#),
        ("name|city\nBerlin|<clear>", "unchanged 1"),
        ("name\nberlin", r#"update 1 {"name":"berlin"}"#),
        ("name|custom:Floor\nBerlin|3", r#"update 1 {"custom_fields":[{"name":"Floor","value":"3"}]}"#),
    ] {
        assert_eq!(locations().sheet("locations", rows).shown(), [expected], "{rows}");
    }
}

#[test]
fn custom_fields_are_merged_into_those_of_the_record() {
    let account = || {
        Scenario::new()
            .holds("locations", json!([{"id": 1, "name": "Ulm", "custom_fields": [{"name": "Floor", "value": "3"}]}]))
    };
    for (rows, expected) in [
        ("name|custom:Floor\nUlm|3", "unchanged 1"),
        (
            "name|custom:Bay\nUlm|2",
            r#"update 1 {"custom_fields":[{"name":"Floor","value":"3"},{"name":"Bay","value":"2"}]}"#,
        ),
        ("name|custom:Floor\nUlm|<clear>", r#"update 1 {"custom_fields":[{"name":"Floor","value":""}]}"#),
    ] {
        assert_eq!(account().sheet("locations", rows).shown(), [expected], "{rows}");
    }
}

#[test]
fn the_action_of_a_row_overrides_the_mode() {
    let rows = "name|country|_action\nBerlin|FR|skip\nUlm|DE|create\nBonn|DE|update\nBerlin|FR|delete\nBonn||delete";
    assert_eq!(
        locations().sheet("locations", rows).shown(),
        [
            "skip",
            "reject record.exists at A: record already exists: Ulm",
            "reject record.missing at A: record not found in locations",
            "delete 1",
            "reject duplicate.key at A: duplicate of row 4",
        ]
    );
}

#[test]
fn a_delete_keeps_the_record_and_needs_a_key() {
    let outcome = locations().sheet("locations", "name|_action\nBerlin|delete\nBonn|delete\n|delete").plan();
    assert_eq!(outcome.steps.len(), 1);
    let before = outcome.steps[0].before.as_ref().unwrap();
    assert_eq!((&before["name"], &before["country"]), (&json!("Berlin"), &json!("DE")));
    assert_eq!((outcome.totals.deletes, outcome.totals.irreversible), (1, 0));
    let shown = locations().sheet("locations", "name|_action\nBonn|delete\n|delete").shown();
    assert_eq!(
        shown,
        [
            "reject record.missing at A: record not found in locations",
            "reject key.missing at A: missing key; expected a value for `name`, or the record's id in a column `_id`",
        ]
    );
}

#[test]
fn a_backup_of_a_deleted_record_changes_another_one_only_if_it_is_asked_to() {
    let refused = "reject record.exists at B: another record than the deleted one has this key: Berlin (#1)";
    let update = r#"update 1 {"country":"FR"}"#;
    for (deleted, mode, action, expected) in [
        ("7", Mode::Upsert, "", refused),
        ("7", Mode::Upsert, "update", update),
        ("7", Mode::Update, "", update),
        ("1", Mode::Upsert, "", update),
        ("", Mode::Upsert, "", update),
    ] {
        let sheet = format!("_deleted_id|name|country|_action\n{deleted}|Berlin|FR|{action}");
        assert_eq!(
            locations().sheet("locations", &sheet).mode(mode).shown(),
            [expected],
            "{deleted} {mode:?} {action}"
        );
    }
}

#[test]
fn an_update_keeps_the_old_values_of_the_fields_it_changes() {
    let outcome = locations().sheet("locations", "name|country|city\nBerlin|FR|Mitte").plan();
    assert_eq!(json!(outcome.steps[0].before), json!({"country": "DE", "city": null}));
    let created = locations().sheet("locations", "name\nBonn").plan();
    assert_eq!(created.steps[0].before, None);
}

#[test]
fn an_id_of_our_own_wins_and_another_id_must_agree_with_the_row() {
    let unverified = "id and row disagree; the id is Berlin, the row describes another record";
    for (header, cells, expected) in [
        ("_id|name", "1|Berlin", "unchanged 1".to_owned()),
        ("_id|name", "1|Bonn", r#"update 1 {"name":"Bonn"}"#.to_owned()),
        ("_id|country", "2|DE", r#"update 2 {"country":"DE"}"#.to_owned()),
        ("_id|name", "#1|Berlin", "unchanged 1".to_owned()),
        ("_id|name", "9|Berlin", "reject record.missing at A: no record with id `#9` in locations".to_owned()),
        (
            "_id|name",
            "x|Berlin",
            "reject id.invalid at A: invalid record id; expected the record's number in the account, such as `123`"
                .to_owned(),
        ),
        (
            "_id|name",
            "1|Ulm",
            "reject name.conflict at A: id and row disagree; the id is Berlin, the row describes Ulm".to_owned(),
        ),
        ("id|name", "1|berlin", r#"update 1 {"name":"berlin"}"#.to_owned()),
        ("id|name", "1|Bonn", format!("reject name.conflict at A: {unverified}")),
        (
            "id|name",
            "1|Ulm",
            "reject name.conflict at A: id and row disagree; the id is Berlin, the row describes Ulm".to_owned(),
        ),
    ] {
        let shown = locations().sheet("locations", &format!("{header}\n{cells}")).shown();
        assert_eq!(shown, [expected], "{header}: {cells}");
    }
}

#[test]
fn match_on_replaces_the_natural_key() {
    let account = || {
        Scenario::new().holds(
            "locations",
            json!([
                {"id": 1, "name": "Office", "city": "Berlin"},
                {"id": 2, "name": "Office", "city": "Ulm"},
                {"id": 3, "name": "Depot", "city": "Ulm"},
            ]),
        )
    };
    let rows = "name|city|country\nOffice|Ulm|DE";
    assert_eq!(
        account().sheet("locations", rows).shown(),
        ["reject record.ambiguous at A: several records match: Office (#1, city Berlin); Office (#2, city Ulm)"]
    );
    let by_both = account().sheet("locations", rows).match_on(&["name", "city"]).shown();
    assert_eq!(by_both, [r#"update 2 {"country":"DE"}"#]);
    let by_city = account().sheet("locations", "name|city\nHQ|Berlin").match_on(&["city"]).shown();
    assert_eq!(by_city, [r#"update 1 {"name":"HQ"}"#]);
}

#[test]
fn every_collection_is_matched_by_its_natural_key() {
    let assets = || products().holds("assets", json!([{"id": 5, "asset_id": "T-5", "product_id": 1, "status_id": 1}]));
    for (account, entity, rows, expected) in [
        (assets(), "assets", "asset_id|asset_name\nt-5|Mine", r#"update 5 {"asset_id":"t-5","asset_name":"Mine"}"#),
        (
            Scenario::new().holds("employees", json!([{"id": 2, "name": "Ada", "email": "ada@example.com"}])),
            "employees",
            "name|email\nAda Byron|ADA@example.com",
            r#"update 2 {"email":"ADA@example.com","name":"Ada Byron"}"#,
        ),
        (products(), "categories", "name|type|eula\nLaptops|asset|x", r#"update 1 {"eula":"x"}"#),
        (products(), "categories", "name|type\nLaptops|license", r#"create {"name":"Laptops","type":"license"}"#),
        (products(), "products", "name|model_number|notes\nX1|G9|x", r#"update 1 {"notes":"x"}"#),
        (
            products(),
            "products",
            "name|model_number|category\nX1|G10|Laptops",
            r#"create {"category_id":1,"model_number":"G10","name":"X1"}"#,
        ),
        // Without a column for it, the model number does not matter.
        (products(), "products", "name|notes\nX1|x", r#"update 1 {"notes":"x"}"#),
        (
            assets().holds(
                "maintenances",
                json!([{"id": 3, "asset_id": "T-5", "type": "repair", "name": "Fan", "start_date": "2026-01-02"}]),
            ),
            "maintenances",
            "asset_id|type|name|start_date|cost\nT-5|repair|Fan|2026-01-02|12",
            r#"update 3 {"cost":12}"#,
        ),
        (
            assets().holds(
                "maintenances",
                json!([{"id": 3, "asset_id": "T-5", "type": "repair", "name": "Fan", "start_date": "2026-01-02"}]),
            ),
            "maintenances",
            "asset_id|type|name|start_date\nT-5|repair|Fan|2026-01-03",
            r#"create {"asset_id":"T-5","name":"Fan","start_date":"2026-01-03","type":"repair"}"#,
        ),
        (
            assets().holds(
                "audits",
                json!([{"id": 4, "asset_id": "T-5", "audit_date": "2026-01-02", "completed": false, "scheduled": true}]),
            ),
            "audits",
            "asset_id|audit_date|completed\nT-5|2026-01-02|yes",
            r#"update 4 {"completed":true}"#,
        ),
    ] {
        assert_eq!(account.sheet(entity, rows).shown(), [expected], "{entity}: {rows}");
    }
}

#[test]
fn an_exact_key_wins_over_a_folded_one() {
    let account =
        || Scenario::new().holds("locations", json!([{"id": 1, "name": "Berlin"}, {"id": 2, "name": "BERLIN"}]));
    assert_eq!(account().sheet("locations", "name|city\nBERLIN|x").shown(), [r#"update 2 {"city":"x"}"#]);
    assert_eq!(account().sheet("locations", "name|city\nBerlin|x").shown(), [r#"update 1 {"city":"x"}"#]);
    let neither = account().sheet("locations", "name|city\nberlin|x").shown();
    assert_eq!(neither, ["reject record.ambiguous at A: several records match: Berlin (#1); BERLIN (#2)"]);
}

#[test]
fn a_record_is_created_once_unless_duplicates_are_allowed() {
    let rows = "name|city\nBonn|a\nBonn|b";
    assert_eq!(
        locations().sheet("locations", rows).shown(),
        [r#"create {"city":"a","name":"Bonn"}"#, "reject duplicate.key at A: duplicate of row 2"]
    );
    assert_eq!(
        locations().sheet("locations", rows).allow_duplicates().shown(),
        [r#"create {"city":"a","name":"Bonn"}"#, r#"create {"city":"b","name":"Bonn"}"#]
    );
    // Two sheets of one collection: the check of a sheet does not see the other.
    let twice = locations().sheet("locations", "name\nBonn").sheet("locations", "name|city\nbonn|b").shown();
    assert_eq!(twice[1], "reject duplicate.key at A: duplicate; row 2 of sheet 1 creates the same record");
    let allowed = locations().sheet("locations", "name\nBonn").sheet("locations", "name|city\nbonn|b");
    assert_eq!(allowed.allow_duplicates().shown()[1], r#"create {"city":"b","name":"bonn"}"#);
}

#[test]
fn two_rows_of_a_sheet_do_not_write_to_one_record() {
    let rows = "_id|name|city\n1||a\n|Berlin|b";
    assert_eq!(
        locations().sheet("locations", rows).shown(),
        [r#"update 1 {"city":"a"}"#, "reject duplicate.key at B: duplicate of row 2; both are record #1"]
    );
    let deleted =
        locations().sheet("locations", "name|city\nBerlin|a").sheet("locations", "name|_action\nBerlin|delete");
    assert_eq!(
        deleted.shown(),
        [
            r#"update 1 {"city":"a"}"#,
            "reject duplicate.key at A: duplicate; row 2 of sheet 1 is about the same record #1"
        ]
    );
}

#[test]
fn a_missing_record_is_created_before_the_row_that_names_it() {
    let rows = "asset_id|product|category|status\nT-1|New|Laptops|Ready\nT-2|new|Laptops|Ready";
    let outcome = products().sheet("assets", rows).create_missing(CreateMissing::AllButPeople).plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"products: create {"category_id":1,"name":"New"}"#,
            r#"assets: create {"asset_id":"T-1","status_id":1} after 0:product_id"#,
            r#"assets: create {"asset_id":"T-2","status_id":1} after 0:product_id"#,
        ]
    );
    assert_eq!(outcome.totals.missing.get("products"), Some(&1));
    assert_eq!(outcome.totals.creates, 2);
}

#[test]
fn what_contradicts_an_earlier_row_is_a_problem_of_a_new_record_and_remarked_of_one_that_is_there() {
    let rows = |product: &str| {
        let rows = format!(
            "asset_id|product|category|model notes|status\nT-1|{product}|Laptops|36|Ready\n\
                            T-2|{product}|Laptops|48|Ready\nT-3|{product}|Laptops||Ready"
        );
        let sheet = products().mapped_sheet("assets", &rows, &[("model notes", "product_id.notes")]);
        let outcome = sheet.create_missing(CreateMissing::AllButPeople).plan();
        (outcome.shown_rejections(), outcome.remarks)
    };
    let (rejected, remarks) = rows("New");
    let said = "another value than in row 2, which describes the same product: `36`";
    assert_eq!(rejected, [format!("reject record.contradicted at D: {said}")]);
    assert_eq!(remarks, [""; 0]);
    let (rejected, remarks) = rows("X1");
    assert_eq!(rejected, [""; 0]);
    let said = "2 cells with `36`, `48` not used: the product is in the account with another value or none, and stays as it is";
    assert_eq!(remarks, [format!("`model notes`: {said} (first D2)")]);
}

#[test]
fn what_a_row_says_of_a_missing_record_is_sent_as_the_service_spells_it() {
    let rows = "asset_id|product|status|status type\nT-1|X1|On loan|Deployable";
    let outcome = products().sheet("assets", rows).create_missing(CreateMissing::AllButPeople).plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"statuses: create {"name":"On loan","type":"deployable"}"#,
            r#"assets: create {"asset_id":"T-1","product_id":1} after 0:status_id"#,
        ]
    );
}

#[test]
fn a_missing_record_may_need_another_missing_record() {
    let rows = "asset_id|product|category|status\nT-1|New|Tablets|Ready";
    let outcome = products().sheet("assets", rows).create_missing(CreateMissing::AllButPeople).plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"categories: create {"name":"Tablets","type":"asset"}"#,
            r#"products: create {"name":"New"} after 0:category_id"#,
            r#"assets: create {"asset_id":"T-1","status_id":1} after 1:product_id"#,
        ]
    );
}

#[test]
fn what_is_missing_is_a_problem_unless_the_collection_is_covered() {
    let rows = "asset_id|product|status\nT-1|New|Ready";
    for (create_missing, expected) in [
        (CreateMissing::Nothing, "reject name.not_found at B: `New` not found in products"),
        (CreateMissing::Named(vec!["statuses"]), "reject name.not_found at B: `New` not found in products"),
        (
            CreateMissing::AllButPeople,
            "reject name.incomplete at B: cannot create `New` in products: missing `category_id`",
        ),
    ] {
        let shown = products().sheet("assets", rows).create_missing(create_missing.clone()).shown();
        assert_eq!(shown, [expected], "{create_missing:?}");
    }
    let people = products()
        .holds("assets", json!([{"id": 5, "asset_id": "T-5"}]))
        .sheet("checkout_asset", "asset_id|employee|checkout_date\nT-5|ada@example.com|2026-01-02")
        .create_missing(CreateMissing::AllButPeople)
        .shown();
    assert_eq!(people, ["reject name.not_found at B: `ada@example.com` not found in employees"]);
}

#[test]
fn nothing_is_created_from_text_in_a_guessed_encoding() {
    let sheet = |name: &str| {
        let rows = format!("name|category|manufacturer\nX2|Laptops|{name}");
        products().sheet("products", &rows).guessed_encoding().create_missing(CreateMissing::AllButPeople).shown()
    };
    assert_eq!(
        sheet("Jšrg MŸller"),
        ["reject cell.undecoded at C: `Jšrg MŸller` may be misread: the file's encoding is uncertain"]
    );
    assert_eq!(sheet("Acme"), [r#"create {"category_id":1,"name":"X2"} after 0:manufacturer_id"#]);
}

#[test]
fn later_sheets_name_what_earlier_sheets_create() {
    let outcome = Scenario::new()
        .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
        .sheet("categories", "name|type\nLaptops|asset")
        .sheet("products", "name|category\nX1|laptops")
        .sheet("assets", "asset_id|product|status\nT-1|X1|Ready")
        .sheet("employees", "name|email\nAda|ada@example.com")
        .sheet("checkout_asset", "asset_id|employee|checkout_date\nT-1|ada@example.com|2026-01-02")
        .plan();
    assert_eq!(
        outcome.shown_steps(),
        [
            r#"categories: create {"name":"Laptops","type":"asset"}"#,
            r#"products: create {"name":"X1"} after 0:category_id"#,
            r#"assets: create {"asset_id":"T-1","status_id":1} after 1:product_id"#,
            r#"employees: create {"email":"ada@example.com","name":"Ada"}"#,
            // The tag is known already, so the check-out only has to come later.
            r#"checkout_asset: create {"asset_id":"T-1","checkout_date":"2026-01-02"} after 2 after 3:employee_id"#,
        ]
    );
}

#[test]
fn an_action_keeps_who_held_the_item_and_counts_notifications() {
    let account = |email: bool| {
        Scenario::new()
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset", "checkout_email": email}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("employees", json!([{"id": 2, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "assets",
                json!([
                    {"id": 5, "asset_id": "T-5", "product_id": 1, "status_id": 7, "deployed_to": []},
                    {"id": 6, "asset_id": "T-6", "product_id": 1, "status_id": 7},
                ]),
            )
            .sheet(
                "checkout_asset",
                "asset_id|employee|checkout_date\nT-5|Ada|2026-01-02\nT-6|Ada|2026-01-02\nT-7|Ada|2026-01-02",
            )
    };
    let outcome = account(true).plan();
    assert_eq!(json!(outcome.steps[0].before), json!({"id": 5, "status_id": 7, "deployed_to": []}));
    assert_eq!((outcome.notifications.sent, outcome.notifications.people()), (2, 1));
    assert_eq!(outcome.totals.creates, 0, "an action creates no record");
    assert_eq!(account(false).plan().notifications.sent, 0);
    assert_eq!(account(true).shown()[2], "reject name.not_found at A: `T-7` not found in assets");
}

/// An exported location that was changed on the service afterwards.
fn changed_since(action: &str) -> Scenario {
    Scenario::new()
        .holds(
            "locations",
            json!([{"id": 1, "name": "Berlin", "city": "Mitte", "country": "DE",
                "created_at": "2026-01-01T08:00:00.000Z", "updated_at": "2026-02-02T08:00:00.000Z"}]),
        )
        .sheet(
            "locations",
            &format!(
                "id|name|city|country|created_at|updated_at|_action\n\
                 1|Berlin|Pankow|DE|2026-01-01T08:00:00.000Z|2026-01-15T08:00:00.000Z|{action}"
            ),
        )
}

#[test]
fn a_record_changed_since_the_export_is_a_conflict_until_a_side_is_chosen() {
    let when = "the record was changed on 2026-02-02 08:00:00.000 UTC, after the export";
    assert_eq!(changed_since("").shown(), [format!("reject record.conflict at C: the service has `Mitte`; {when}")]);
    for (conflicts, expected) in [
        (Conflicts::Theirs, "keep 1 for Theirs"),
        (Conflicts::Skip, "keep 1 for Skip"),
        (Conflicts::Mine, r#"update 1 {"city":"Pankow"}"#),
    ] {
        assert_eq!(changed_since("").conflicts(conflicts).shown(), [expected]);
        let expected = if conflicts == Conflicts::Mine { "delete 1" } else { expected };
        assert_eq!(changed_since("delete").conflicts(conflicts).shown(), [expected], "a delete, {conflicts:?}");
    }
}

#[test]
fn an_unedited_row_is_no_conflict() {
    let account = json!([{"id": 1, "name": "Berlin", "city": "Mitte",
        "created_at": "2026-01-01T08:00:00.000Z", "updated_at": "2026-02-02T08:00:00.000Z"}]);
    let rows = "id|name|city|created_at|updated_at\n1|Berlin|Mitte|2026-01-01T08:00:00.000Z|2026-01-15T08:00:00.000Z";
    assert_eq!(Scenario::new().holds("locations", account).sheet("locations", rows).shown(), ["unchanged 1"]);
}

#[test]
fn an_edited_export_of_the_current_record_is_an_update_even_of_its_key() {
    let account = json!([{"id": 1, "name": "Berlin", "city": "Mitte",
        "created_at": "2026-01-01T08:00:00.000Z", "updated_at": "2026-02-02T08:00:00.000Z"}]);
    let rows = "id|name|city|created_at|updated_at\n1|Bonn|Mitte|2026-01-01T08:00:00.000Z|2026-02-02T08:00:00.000Z";
    let shown = Scenario::new().holds("locations", account).sheet("locations", rows).shown();
    assert_eq!(shown, [r#"update 1 {"name":"Bonn"}"#]);
}

#[test]
fn a_blank_beside_what_shows_the_record_as_it_is_clears_nothing() {
    let account = || {
        let asset =
            json!({"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 2, "order_number": "7"});
        // Only the record tells which of the two the name means.
        products()
            .holds("locations", json!([{"id": 1, "name": "Berlin"}, {"id": 2, "name": "Berlin"}]))
            .holds("assets", json!([asset]))
            .blanks_clear()
    };
    for (rows, expected) in [
        ("_id|location_id|location_name\n5||Berlin", "unchanged 5"),
        ("_id|location_id|location_name\n5|2|", "unchanged 5"),
        ("_id|location_id|location_name\n5||", r#"update 5 {"location_id":null}"#),
        ("_id|location_id|order_number\n5|2|", r#"update 5 {"order_number":null}"#),
    ] {
        assert_eq!(account().sheet("assets", rows).shown(), [expected], "{rows}");
    }
}

#[test]
fn a_plan_is_counted_and_checked_against_its_limits() {
    let rows = "name|country|_action\nBonn|DE|\nBerlin|<clear>|\nUlm||delete";
    let totals = locations().sheet("locations", rows).plan().totals;
    assert_eq!((totals.rows, totals.creates, totals.updates, totals.deletes, totals.clears), (3, 1, 1, 1, 1));
    for (limits, flag) in [
        (PlanLimits { creates: Some(ChangeLimit::Count(0)), ..PlanLimits::default() }, Some("--max-creates")),
        (PlanLimits { updates: Some(ChangeLimit::Percent(33.0)), ..PlanLimits::default() }, Some("--max-updates")),
        (PlanLimits { deletes: Some(ChangeLimit::Count(0)), ..PlanLimits::default() }, Some("--max-deletes")),
        (PlanLimits { clears: Some(ChangeLimit::Count(0)), ..PlanLimits::default() }, Some("--max-clears")),
        (PlanLimits { creates: Some(ChangeLimit::Count(1)), ..PlanLimits::default() }, None),
    ] {
        assert_eq!(limits.check(&totals).err().map(|error| error.flag), flag);
    }
}

#[test]
fn a_blank_is_no_key() {
    let hardware = || {
        Scenario::new().holds("categories", json!([{"id": 1, "name": "Mice", "type": "asset"}])).holds(
            "products",
            json!([
                {"id": 1, "name": "Mouse", "model_number": "M-1", "category_id": 1},
                {"id": 2, "name": "Dock", "model_number": "D-1", "category_id": 1},
                {"id": 3, "name": "Dock", "model_number": "D-2", "category_id": 1},
                {"id": 4, "name": "Hub", "model_number": null, "category_id": 1},
                {"id": 5, "name": "Hub", "model_number": "H-1", "category_id": 1},
            ]),
        )
    };
    for (rows, expected) in [
        ("name|model number|category\nMouse||Mice", "unchanged 1"),
        ("name|model number|category\nMouse|n/a|Mice", "unchanged 1"),
        (
            "name|model number|category\nMouse|M-2|Mice",
            r#"create {"category_id":1,"model_number":"M-2","name":"Mouse"}"#,
        ),
        (
            "name|model number|category\nDock||Mice",
            "reject record.ambiguous at A: several records match: Dock (#2, model number D-1); Dock (#3, model number D-2)",
        ),
        ("name|model number|category\nHub||Mice", "unchanged 4"),
        ("name|model number|category\nCable||Mice", r#"create {"category_id":1,"name":"Cable"}"#),
    ] {
        assert_eq!(hardware().sheet("products", rows).shown(), [expected], "{rows}");
    }
    let by_model = |rows: &str| hardware().sheet("products", rows).match_on(&["model_number"]).shown();
    assert_eq!(
        by_model("name|model number|category\nCable||Mice\nCable|M-1|Mice"),
        [
            "reject key.missing at B: missing key; expected a value for `model_number`, or the record's id in a column `_id`",
            r#"update 1 {"name":"Cable"}"#,
        ]
    );
    let by_both = |rows: &str| hardware().sheet("products", rows).match_on(&["model_number", "name"]).shown();
    assert_eq!(by_both("name|model number|category\nMouse||Mice"), ["unchanged 1"]);
}

#[test]
fn duplicates_that_are_allowed_are_matched_one_to_one() {
    let licenses = |records: serde_json::Value| {
        Scenario::new()
            .holds("categories", json!([{"id": 1, "name": "Office", "type": "license"}]))
            .holds("licenses", records)
            .sheet("licenses", "name|category|seats|notes\nOffice 365|Office|1|AAA-1\nOffice 365|Office|1|AAA-2")
            .allow_duplicates()
            .shown()
    };
    let one = json!({"id": 1, "name": "Office 365", "category_id": 1, "number_of_seats": 1, "notes": "AAA-2"});
    let other = json!({"id": 2, "name": "Office 365", "category_id": 1, "number_of_seats": 1, "notes": "AAA-1"});
    let created = licenses(json!([]));
    assert!(created.len() == 2 && created.iter().all(|row| row.starts_with("create ")), "{created:?}");
    assert_eq!(licenses(json!([one, other])), ["unchanged 2", "unchanged 1"]);
}

#[test]
fn describing_columns_tell_models_of_one_name_apart() {
    let account = || {
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("manufacturers", json!([{"id": 1, "name": "Apple"}, {"id": 2, "name": "Dell"}]))
            .holds(
                "products",
                json!([
                    {"id": 1, "name": "MacBook", "model_number": "MX2H3", "category_id": 1, "manufacturer_id": 1},
                    {"id": 2, "name": "Plain", "model_number": null, "category_id": 1, "manufacturer_id": null},
                ]),
            )
    };
    let plan = |rows: &str| account().sheet("assets", rows).shown();
    assert_eq!(
        plan("asset_id|product|model number|status\nA|MacBook|A9999|Ready"),
        [
            "reject name.contradicted at B: no `MacBook` in products has the model number `A9999`; there is MacBook (#1, model number MX2H3)"
        ]
    );
    assert_eq!(
        plan("asset_id|product|manufacturer|status\nA|MacBook|Dell|Ready"),
        [
            "reject name.contradicted at B: no `MacBook` in products has the manufacturer `Dell`; there is MacBook (#1, manufacturer Apple)"
        ]
    );
    for rows in [
        "asset_id|product|model number|manufacturer|status\nA|macbook|mx2h3|apple|Ready",
        "asset_id|product|model number|manufacturer|status\nA|MacBook|||Ready",
    ] {
        assert_eq!(plan(rows), [r#"create {"asset_id":"A","product_id":1,"status_id":1}"#], "{rows}");
    }
    assert_eq!(
        plan("asset_id|product|model number|status\nA|Plain|P-1|Ready"),
        [r#"create {"asset_id":"A","product_id":2,"status_id":1}"#],
        "what the account leaves out contradicts nothing"
    );
    let created = account()
        .sheet(
            "assets",
            "asset_id|product|model number|category|status\nA|ProBook|X1|Laptops|Ready\nB|ProBook|X2|Laptops|Ready\n\
             C|ProBook|x1|Laptops|Ready\nD|MacBook|A9999|Laptops|Ready",
        )
        .create_missing(CreateMissing::AllButPeople)
        .plan();
    let products: Vec<_> = created.steps.iter().filter(|step| step.entity.name == "products").collect();
    let models: Vec<_> = products.iter().map(|step| step.body["model_number"].as_str().unwrap()).collect();
    assert_eq!(models, ["X1", "X2", "A9999"]);
}

#[test]
fn nothing_is_created_or_renamed_by_damaged_text() {
    let sheet = |name: &str| {
        let rows = format!("name|category|manufacturer\nX2|Laptops|{name}");
        products().sheet("products", &rows).create_missing(CreateMissing::AllButPeople).shown()
    };
    for damaged in ["MÃ¼ller", "R&amp;D", "M?ller", "M\u{81}ller"] {
        let plan = sheet(damaged);
        assert!(plan[0].starts_with("reject cell.undecoded at C"), "{plan:?}");
        let place = locations().sheet("locations", &format!("name\n{damaged}")).shown();
        assert!(place[0].starts_with("reject cell.undecoded at A"), "{place:?}");
    }
    assert_eq!(sheet("Müller"), [r#"create {"category_id":1,"name":"X2"} after 0:manufacturer_id"#]);
}

#[test]
fn an_option_is_spelled_as_each_call_wants_it() {
    let work = json!([{"id": 4, "asset_id": 1, "type": "repair", "name": "Fan", "start_date": "2026-03-02"}]);
    let rows = "_id|asset_id|type|name|start_date\n4|A-1|Hardware Support|Fan|2026-03-02\n|A-1|hardware support|Lid|2026-03-02";
    let shown = products()
        .holds("assets", json!([{"id": 1, "asset_id": "A-1", "product_id": 1, "status_id": 1}]))
        .holds("maintenances", work)
        .sheet("maintenances", rows)
        .shown();
    assert_eq!(
        shown,
        [
            r#"update 4 {"type":"hardware_support"}"#,
            r#"create {"asset_id":"A-1","name":"Lid","start_date":"2026-03-02","type":"hardware support"}"#,
        ]
    );
}
