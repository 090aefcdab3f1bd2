//! People that a row names in several ways, with an account in memory.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::super::scenario::Scenario;
use crate::mapping::MappingSource;
use crate::plan::{CreateMissing, RowDecision};

const RULES: &str = "entity = \"assets\"\n[fields.assigned_to]\nfirst_of = [\"UPN\", \"Name\"]\n\
                     [fields.\"assigned_to.email\"]\ncolumn = \"Mail\"\n\
                     [fields.\"assigned_to.name\"]\ncolumn = \"Name\"\n\
                     [fields.checkout_date]\ncolumn = \"Since\"\n";

/// A product and a status.
fn products() -> Scenario {
    Scenario::new()
        .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
}

/// The steps behind those of the assets, and the messages of rejected rows; each row is `UPN|Mail|Name`.
fn planned(employees: Json, rows: &[&str]) -> (Vec<String>, Vec<String>) {
    let lines = rows.iter().zip(1..).map(|(row, tag)| format!("T-{tag}|X1|Ready|{row}|2026-02-01"));
    let text = format!("asset_id|product|status|UPN|Mail|Name|Since\n{}", lines.collect::<Vec<_>>().join("\n"));
    let scenario = products().holds("employees", employees).ruled_sheet("assets", &text, RULES);
    let outcome = scenario.create_missing(CreateMissing::All).plan();
    let steps = outcome.shown_steps().into_iter().filter(|step| !step.starts_with("assets: ")).collect();
    let messages = outcome.rows.iter().flat_map(|row| match &row.decision {
        RowDecision::Rejected(problems) => problems.iter().map(|it| it.error.message.to_string()).collect(),
        _ => Vec::new(),
    });
    (steps, messages.collect())
}

fn bob() -> Json {
    json!([{"id": 7, "name": "Bob Stone", "email": "bob.stone@example.com"}])
}

/// The ids or steps that check-outs go to.
fn holders(employees: Json, rows: &[&str]) -> Vec<String> {
    let (steps, messages) = planned(employees, rows);
    assert_eq!(messages, [""; 0]);
    let checkouts = steps.iter().filter(|step| step.starts_with("checkout_asset"));
    checkouts.map(|step| step.split_once("\"employee_id\":").map_or(step.clone(), |(_, id)| id.to_owned())).collect()
}

#[test]
fn a_person_is_found_by_the_other_address() {
    let rows = ["bob@example.com|bob.stone@example.com|Bob Stone", "bob.stone@example.com|bob@example.com|Bob Stone"];
    for row in rows {
        let found = holders(bob(), &[row]);
        assert!(found.len() == 1 && found[0].starts_with("7}"), "{row}: {found:?}");
    }
    // Two people cannot both be meant.
    let two =
        json!([{"id": 7, "name": "B", "email": "b@example.com"}, {"id": 8, "name": "C", "email": "c@example.com"}]);
    let (steps, messages) = planned(two, &["b@example.com|c@example.com|B"]);
    assert_eq!(
        (steps.len(), messages),
        (0, vec![String::from("several employees match: B (b@example.com); C (c@example.com)")])
    );
}

#[test]
fn a_person_is_made_with_the_address_of_the_mailbox_and_once() {
    let rows = [
        "bob@example.com|bob.stone@example.com|Bob Stone",
        "bob@example.com||Bob Stone",
        "bob.stone@example.com||Bob Stone",
    ];
    for first in 0..rows.len() {
        let mut rows = rows;
        rows.rotate_left(first);
        let (steps, messages) = planned(json!([]), &rows);
        let people: Vec<&String> = steps.iter().filter(|step| step.starts_with("employees")).collect();
        assert_eq!(
            people,
            [r#"employees: create {"email":"bob.stone@example.com","name":"Bob Stone"}"#],
            "{messages:?}"
        );
        assert_eq!(steps.len(), 4, "{steps:?}");
    }
}

#[test]
fn a_name_counts_where_there_is_no_address() {
    for row in ["||Bob Stone", "bstone||Bob Stone", "00000000-0000||Stone, Bob"] {
        let found = holders(bob(), &[row]);
        assert!(found.len() == 1 && found[0].starts_with("7}"), "{row}: {found:?}");
    }
    // A new address is somebody else.
    let (steps, _) = planned(bob(), &["b2@example.com||Bob Stone"]);
    assert_eq!(steps[0], r#"employees: create {"email":"b2@example.com","name":"Bob Stone"}"#);
}

#[test]
fn what_is_no_address_makes_nobody() {
    for row in ["New Person <new@example.com>||", "00000000|00000000|New Person", "new@||New Person"] {
        let (steps, messages) = planned(json!([]), &[row]);
        assert_eq!(steps, [""; 0], "{row}");
        assert!(messages[0].contains("missing `email`"), "{row}: {messages:?}");
    }
}

#[test]
fn a_person_who_cannot_be_made_is_left_out_where_only_a_preset_says_that_there_is_one() {
    use MappingSource::{MappingFile, Preset, Remembered};
    let rows = "asset_id|product|status|Owner\nT-1|X1|Ready|Ada Byron";
    let file = "[assets]\nOwner = \"assigned_to\"\n";
    for (source, is_export, is_left_out) in
        [(Preset, true, true), (Remembered, true, true), (Remembered, false, false), (MappingFile, true, false)]
    {
        let mut sheet = products().sheet_ruled_by(source, "assets", rows, file);
        if is_export {
            sheet = sheet.with_preset();
        }
        let outcome = sheet.create_missing(CreateMissing::All).plan();
        assert_eq!(outcome.shown_rejections().is_empty(), is_left_out, "{source:?}: {:?}", outcome.shown_rows());
    }
}
