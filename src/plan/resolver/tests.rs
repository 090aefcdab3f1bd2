//! How names in cells become ids, with an account in memory.

use serde_json::json;

use super::super::scenario::Scenario;

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
