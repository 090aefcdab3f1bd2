//! How names in cells become ids, with an account in memory.
#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::super::scenario::Scenario;
use super::{contradicted_before, is_id};
use crate::check::Code;
use crate::mapping::Ids;
use crate::plan::CreateMissing;

/// Two locations that differ in case, two of one name, and one of its own.
fn account() -> Scenario {
    Scenario::new()
        .holds(
            "locations",
            json!([
                {"id": 1, "name": "Berlin", "city": "Berlin"},
                {"id": 2, "name": "BERLIN", "city": "Bernau"},
                {"id": 3, "name": "Office", "city": "Ulm"},
                {"id": 4, "name": "Office", "city": "Bonn"},
                {"id": 5, "name": "Hamburg", "city": "Hamburg"},
            ]),
        )
        .holds(
            "categories",
            json!([{"id": 7, "name": "Mice", "type": "accessory"}, {"id": 8, "name": "Mice", "type": "asset"}]),
        )
        .holds("assets", json!([{"id": 20, "asset_id": "T-1"}, {"id": 21, "asset_id": "20"}]))
}

#[test]
fn a_location_is_found_by_name_or_id_or_not_at_all() {
    for (header, cell, expected) in [
        ("location", "Hamburg", "5"),
        ("location", " hamburg ", "5"),
        ("location", "BERLIN", "2"),
        ("location", "Berlin", "1"),
        ("location", "#5", "5"),
        ("location_id", "5", "5"),
        ("location_id", "#5", "5"),
        ("location_id", "Hamburg", "5"),
        (
            "location",
            "berlin",
            "name.ambiguous at C: several locations match: Berlin (#1, city Berlin); BERLIN (#2, city Bernau)",
        ),
        (
            "location",
            "Office",
            "name.ambiguous at C: several locations match: Office (#3, city Ulm); Office (#4, city Bonn)",
        ),
        ("location", "5", "name.not_found at C: `5` not found in locations"),
        ("location", "#9", "name.not_found at C: `#9` not found in locations"),
        ("location_id", "9", "name.not_found at C: `9` not found in locations"),
        ("location", "Hambrug", "name.not_found at C: `Hambrug` not found in locations"),
    ] {
        let rows = format!("name|email|{header}\nAda|ada@example.com|{cell}");
        let expected = match expected.parse::<i64>() {
            Ok(id) => format!(r#"create {{"email":"ada@example.com","location_id":{id},"name":"Ada"}}"#),
            Err(_) => format!("reject {expected}"),
        };
        assert_eq!(account().sheet("employees", &rows).shown(), [expected], "{header}: {cell}");
    }
}

#[test]
fn an_unknown_name_suggests_the_nearest() {
    let plan = account().sheet("employees", "name|email|location\nAda|a@example.com|Hambrug").plan();
    let crate::plan::RowDecision::Rejected(problems) = &plan.rows[0].decision else { panic!("rejected") };
    assert_eq!(problems[0].error.hint(), "did you mean `Hamburg`? Or create it with --create-missing=locations");
}

#[test]
fn the_columns_that_describe_a_record_choose_among_several() {
    let rows = "name|email|location|location city\nAda|a@example.com|Office|Bonn";
    let shown = account().sheet("employees", rows).shown();
    assert_eq!(shown, [r#"create {"email":"a@example.com","location_id":4,"name":"Ada"}"#]);
}

#[test]
fn a_reference_counts_only_records_of_its_kind() {
    let shown = account().sheet("accessories", "name|quantity|category\nMX|3|mice").shown();
    assert_eq!(shown, [r#"create {"category_id":7,"name":"MX","quantity":3}"#]);
}

#[test]
fn a_name_and_an_id_beside_it_must_agree() {
    let sheet = |id: &str, name: &str| {
        let rows = format!("name|email|location_id|location_name\nAda|a@example.com|{id}|{name}");
        account().sheet("employees", &rows).shown().remove(0)
    };
    assert_eq!(sheet("5", "Hamburg"), r#"create {"email":"a@example.com","location_id":5,"name":"Ada"}"#);
    assert_eq!(sheet("5", ""), r#"create {"email":"a@example.com","location_id":5,"name":"Ada"}"#);
    assert_eq!(sheet("3", "Hamburg"), "reject name.conflict at D: name and id are different records");
}

#[test]
fn an_asset_is_found_by_its_tag_first_and_sent_as_the_action_wants_it() {
    let checkin = |cell: &str| {
        let rows = format!("asset_id|status|checkin_date\n{cell}|Ready|2026-01-02");
        account().holds("statuses", json!([{"id": 1, "name": "Ready"}])).sheet("checkin_asset", &rows).shown().remove(0)
    };
    let checked_in = |id: i64| format!(r#"create {{"asset_id":{id},"checkin_date":"2026-01-02","status_id":1}}"#);
    assert_eq!(checkin("T-1"), checked_in(20));
    assert_eq!(checkin("20"), checked_in(21), "a tag that looks like an id");
    assert_eq!(checkin("#20"), checked_in(20));
    assert_eq!(checkin("21"), checked_in(21), "an id, where no asset has that tag");
    let checkout = account()
        .holds("employees", json!([{"id": 2, "name": "Ada", "email": "ada@example.com"}]))
        .sheet("checkout_asset", "asset_id|email|checkout_date\nt-1|ADA@example.com|2026-01-02")
        .shown();
    assert_eq!(checkout, [r#"create {"asset_id":"T-1","checkout_date":"2026-01-02","employee_id":2}"#]);
}

#[test]
fn a_user_is_known_by_id_or_by_an_address_in_the_activity_log() {
    let sheet = |user: &str| {
        let rows = format!("asset_id|audit_date|scheduled|completed|user_id\nT-1|2026-01-02|no|yes|{user}");
        account().user("ada@example.com", 9).sheet("audits", &rows).shown().remove(0)
    };
    let audited = |id: i64| {
        format!(
            r#"create {{"asset_id":"T-1","audit_date":"2026-01-02","completed":true,"scheduled":false,"user_id":{id}}}"#
        )
    };
    assert_eq!(sheet("Ada@example.com"), audited(9));
    assert_eq!(sheet("4"), audited(4));
    assert_eq!(
        sheet("bob@example.com"),
        "reject name.not_found at E: unknown user; expected the e-mail address of a user who appears in the activity log"
    );
}

/// One employee, and an asset to check out.
fn people() -> Scenario {
    Scenario::new().holds("assets", json!([{"id": 20, "asset_id": "T-1"}, {"id": 21, "asset_id": "T-2"}])).holds(
        "employees",
        json!([
            {"id": 2, "name": "Ada Byron", "email": "ada@example.com"},
            {"id": 3, "name": "Stone, Bob", "email": "bob@example.com"},
        ]),
    )
}

#[test]
fn an_employee_is_found_by_the_name_with_the_last_name_first() {
    for (cell, id) in [("Byron, Ada", 2), ("BYRON , ada", 2), ("Ada Byron", 2), ("Stone, Bob", 3)] {
        let rows = format!("asset_id|employee|checkout_date\nT-1|{cell}|2026-01-02");
        let expected = format!(r#"create {{"asset_id":"T-1","checkout_date":"2026-01-02","employee_id":{id}}}"#);
        assert_eq!(people().sheet("checkout_asset", &rows).shown(), [expected], "{cell}");
    }
    let shown = people().sheet("checkout_asset", "asset_id|employee|checkout_date\nT-1|Byron, Jr.|2026-01-02").shown();
    assert_eq!(shown, ["reject name.not_found at B: `Byron, Jr.` not found in employees"]);
}

#[test]
fn a_column_of_names_with_the_last_name_first_makes_people_with_the_first_name_first() {
    let rows = "name|email\nKing, Cy|cy@example.com\nByron, Ada|ada@example.com\nStone, Bob|bob@example.com";
    let outcome = people().sheet("employees", rows).plan();
    assert_eq!(outcome.shown_steps(), [r#"employees: create {"email":"cy@example.com","name":"Cy King"}"#]);
    assert_eq!(
        outcome.remarks,
        [
            "`name`: 3 names with the last name first, such as `King, Cy`, `Byron, Ada`, `Stone, Bob`, turned around (first A2)"
        ]
    );
}

#[test]
fn a_single_name_with_a_comma_is_kept_as_written() {
    let rows = "name|email\nKiosk, Lobby|kiosk@example.com\nCy King|cy@example.com";
    let outcome = people().sheet("employees", rows).plan();
    assert_eq!(outcome.shown_steps()[0], r#"employees: create {"email":"kiosk@example.com","name":"Kiosk, Lobby"}"#);
    assert_eq!(outcome.remarks, ["`name`: 1 name with a comma, such as `Kiosk, Lobby`, kept as written (A2)"]);
}

#[test]
fn people_whom_a_column_names_last_name_first_are_created_first_name_first() {
    let create = || CreateMissing::Named(vec!["employees"]);
    let rows = "asset_id|employee|email|checkout_date\nT-1|King, Cy|cy@example.com|2026-01-02\n\
                T-2|Byron, Ada|ada@example.com|2026-01-02";
    let outcome = people().sheet("checkout_asset", rows).create_missing(create()).plan();
    assert_eq!(outcome.shown_steps()[0], r#"employees: create {"email":"cy@example.com","name":"Cy King"}"#);
    assert_eq!(
        outcome.remarks,
        ["`employee`: 1 name with the last name first, such as `King, Cy`, turned around (B2)"]
    );
    let rows = "asset_id|employee|email|checkout_date\nT-1|King, Cy|cy@example.com|2026-01-02";
    let outcome = people().sheet("checkout_asset", rows).create_missing(create()).plan();
    assert_eq!(outcome.shown_steps()[0], r#"employees: create {"email":"cy@example.com","name":"King, Cy"}"#);
    assert_eq!(outcome.remarks, ["`employee`: 1 name with a comma, such as `King, Cy`, kept as written (B2)"]);
}

#[test]
fn an_id_is_digits_and_marked_where_bare_numbers_may_be_names() {
    for (name, marked, bare) in [
        ("#12", true, true),
        ("12", false, true),
        ("#", false, false),
        ("", false, false),
        ("#1a", false, false),
        ("1 2", false, false),
        ("##1", false, false),
    ] {
        assert_eq!((is_id(name, Ids::Marked), is_id(name, Ids::Bare)), (marked, bare), "{name}");
    }
}

#[test]
fn a_name_that_an_earlier_row_changes_is_its_record_only_where_rows_are_compared() {
    let plan = |create_missing: CreateMissing| {
        let renamed = account().sheet("locations", "_id|name\n5|Altona");
        let named = renamed.sheet("employees", "name|email|location\nAda|ada@example.com|Hamburg");
        named.create_missing(create_missing).shown().remove(1)
    };
    let compared = plan(CreateMissing::Compared);
    assert_eq!(compared, r#"create {"email":"ada@example.com","location_id":5,"name":"Ada"}"#);
    for create_missing in [CreateMissing::Nothing, CreateMissing::AllButPeople] {
        assert_eq!(
            plan(create_missing),
            "reject record.contradicted at C: `Hamburg` not found in locations; row 2 of the sheet of locations changes it \
             to `Altona`"
        );
    }
}

#[test]
fn a_name_that_another_row_of_an_earlier_run_took_away_is_told_so() {
    let error = contradicted_before("locations", "Ulm");
    assert_eq!(error.code, Code::RecordContradicted);
    assert!(error.message.starts_with("`Ulm` not found in locations; another row of the earlier run"));
    assert!(error.hint().contains("empty `_status`"), "{}", error.hint());
}
