//! Usage errors: a clear message, the right exit code, and no request.

use crate::harness::{CliTest, CommandOutput, tallyport};

const ASSETS: &str = "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n";

#[test]
fn a_missing_file_is_named() {
    CliTest::new().run(&["import", "asets.csv"]).exits(2).says("asets.csv");
}

#[test]
fn an_unknown_sheet_name_lists_the_sheets() {
    let account = CliTest::new();
    crate::import::workbook(&account.path("book.xlsx"), &[("assets", &[&["asset_id"]]), ("people", &[&["name"]])]);
    account.run(&["import", "book.xlsx", "--sheet", "Asset"]).exits(2).says("assets, people");
}

#[test]
fn a_missing_key_lists_the_ways_to_set_one() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let ran = CommandOutput::of(tallyport(account.folder(), &["import", "assets.csv"]).output().unwrap());
    ran.exits(2).says("BLUETALLY_API_KEY").says("--sandbox");
}

#[test]
fn an_unreachable_server_is_exit_code_3() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let mut command = tallyport(account.folder(), &["import", "assets.csv"]);
    // Nothing listens on port 9 of loopback.
    command.env("BLUETALLY_BASE_URL", "http://127.0.0.1:9/api/v1").env("BLUETALLY_API_KEY", "k");
    CommandOutput::of(command.output().unwrap()).exits(3).says("127.0.0.1:9");
}

#[test]
fn a_wrong_key_is_exit_code_3_and_never_shown() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let mut command = account.command(&["import", "assets.csv", "-vv"]);
    command.env("BLUETALLY_API_KEY", "not-the-key-4711");
    let ran = CommandOutput::of(command.output().unwrap()).exits(3);
    assert!(!ran.text().contains("not-the-key-4711"), "{}", ran.text());
}

#[test]
fn an_unknown_entity_and_a_misspelled_header_get_suggestions() {
    let account = CliTest::new().sheet("a.csv", "asset_id,purchse_cost\nA-1,5\n");
    account.run(&["import", "a.csv", "--entity", "asets"]).exits(2).says("assets");
    account.run(&["import", "a.csv", "--entity", "assets"]).exits(2).says("--map 'purchse_cost=purchase_cost'");
}

#[test]
fn a_file_without_rows_is_an_error() {
    CliTest::new().sheet("assets.csv", "asset_id,product\n").run(&["import", "assets.csv"]).exits(2).says("no rows");
}

#[test]
fn only_failed_requires_a_result_file() {
    CliTest::new()
        .with_lookups()
        .sheet("assets.csv", ASSETS)
        .run(&["import", "assets.csv", "--only-failed"])
        .exits(2)
        .says("_status");
}

#[test]
fn a_result_path_is_checked_before_sending() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--result", "nowhere/r.xlsx"]).exits(2).says("nowhere");
    account.run(&["import", "assets.csv", "--result", "r.pdf"]).exits(2).says(".xlsx");
    assert!(account.records("assets").is_empty());
}

#[test]
fn every_command_shows_its_help() {
    let account = CliTest::new();
    for command in ["check", "import", "template", "schema", "sandbox", "doctor", "completions", "man"] {
        let ran = CommandOutput::of(tallyport(account.folder(), &[command, "--help"]).output().unwrap()).exits(0);
        assert!(ran.stdout.contains("Usage: tallyport"), "{command}");
    }
}
