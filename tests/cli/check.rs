//! `check`: offline validation.

use serde_json::json;

use crate::harness::{CliTest, CommandOutput, sheet_rows, tallyport};

fn check(folder: &std::path::Path, arguments: &[&str]) -> CommandOutput {
    CommandOutput::of(tallyport(folder, &[&["check"], arguments].concat()).output().unwrap())
}

#[test]
fn all_problems_of_a_row_are_reported_at_once() {
    let account = CliTest::new().sheet(
        "assets.csv",
        "asset_id,product,status,purchase_cost,purchase_date,currency\n,Mac,Ready,12.50,31.02.2024,DEM\n",
    );
    let ran = check(account.folder(), &["assets.csv"]).exits(1);
    for code in ["required.missing", "money.fraction", "date.invalid", "currency.historic"] {
        assert!(ran.text().contains(code), "{code} is not in\n{}", ran.text());
    }
}

#[test]
fn a_column_disambiguates_its_dates() {
    let account = CliTest::new()
        .sheet(
            "assets.csv",
            "asset_id,product,status,purchase_date\nA-1,Mac,Ready,01/02/2024\nA-2,Mac,Ready,23/02/2024\n",
        )
        .sheet(
            "unsure.csv",
            "asset_id,product,status,purchase_date\nA-1,Mac,Ready,01/02/2024\nA-2,Mac,Ready,03/02/2024\n",
        );
    check(account.folder(), &["assets.csv"]).exits(0);
    let ran = check(account.folder(), &["unsure.csv", "--entity", "assets"]).exits(1).says("date.ambiguous");
    assert!(ran.text().contains("2024-02-01") && ran.text().contains("2024-01-02"), "{}", ran.text());
    check(account.folder(), &["unsure.csv", "--entity", "assets", "--date-format", "DD/MM/YYYY"]).exits(0);
}

#[test]
fn duplicates_name_the_first_row() {
    let account =
        CliTest::new().sheet("assets.csv", "asset_id,product,status\nA-1,Mac,Ready\nA-2,Mac,Ready\na-1,Mac,Ready\n");
    check(account.folder(), &["assets.csv"]).exits(1).says("duplicate.key").says("row 2");
}

#[test]
fn failed_rows_are_written_with_their_problems() {
    let account = CliTest::new()
        .sheet("assets.csv", "asset_id,product,status,purchase_date\nA-1,Mac,Ready,2024-01-01\nA-2,Mac,Ready,soon\n");
    check(account.folder(), &["assets.csv", "--result", "bad.xlsx"]).exits(1);
    let rows = sheet_rows(&account.path("bad.xlsx"), "assets");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][3], "A-2");
    check(account.folder(), &["assets.csv", "--result", "bad.csv"]).exits(1);
    let text = std::fs::read_to_string(account.path("bad.csv")).unwrap();
    assert!(text.starts_with("_status,_id,_message,asset_id,"), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn check_needs_no_key_and_no_network() {
    let account = CliTest::new().sheet("assets.csv", "asset_id,product,status\nA-1,Mac,Ready\n");
    let ran = check(account.folder(), &["assets.csv", "--json"]).exits(0);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["requests"]["total"], json!(0));
}

#[test]
fn stdin_can_be_read_twice() {
    use std::io::Write;
    use std::process::Stdio;
    let account = CliTest::new();
    let mut child = tallyport(account.folder(), &["check", "-", "--entity", "assets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"asset_id;product;status;purchase_date\nA-1;Mac;Ready;13.02.2024\n")
        .unwrap();
    CommandOutput::of(child.wait_with_output().unwrap()).exits(0);
}
