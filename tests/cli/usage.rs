//! Used wrongly: each mistake gets its sentence and its exit code, and nothing is sent.

use crate::rehearsal::{Ran, Rehearsal, bare};

const ASSETS: &str = "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n";

#[test]
fn a_missing_file_is_named() {
    Rehearsal::new().run(&["import", "asets.csv"]).exits(2).says("asets.csv");
}

#[test]
fn a_wrong_sheet_lists_the_sheets() {
    let account = Rehearsal::new();
    crate::import::workbook(&account.path("book.xlsx"), &[("assets", &[&["asset_id"]]), ("people", &[&["name"]])]);
    account.run(&["import", "book.xlsx", "--sheet", "Asset"]).exits(2).says("assets, people");
}

#[test]
fn without_a_key_the_ways_to_give_one_are_listed() {
    let account = Rehearsal::new().sheet("assets.csv", ASSETS);
    let ran = Ran::of(bare(account.folder(), &["import", "assets.csv"]).output().unwrap());
    ran.exits(2).says("BLUETALLY_API_KEY").says("--sandbox");
}

#[test]
fn a_dead_server_is_exit_code_3() {
    let account = Rehearsal::new().sheet("assets.csv", ASSETS);
    let mut command = bare(account.folder(), &["import", "assets.csv"]);
    // Port 9 of loopback: nobody listens there.
    command.env("BLUETALLY_BASE_URL", "http://127.0.0.1:9/api/v1").env("BLUETALLY_API_KEY", "k");
    Ran::of(command.output().unwrap()).exits(3).says("127.0.0.1:9");
}

#[test]
fn a_wrong_key_is_exit_code_3_and_never_shown() {
    let account = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    let mut command = account.command(&["import", "assets.csv", "-vv"]);
    command.env("BLUETALLY_API_KEY", "not-the-key-4711");
    let ran = Ran::of(command.output().unwrap()).exits(3);
    assert!(!ran.said().contains("not-the-key-4711"), "{}", ran.said());
}

#[test]
fn an_unknown_entity_and_a_misspelt_header_get_a_hint() {
    let account = Rehearsal::new().sheet("a.csv", "asset_id,purchse_cost\nA-1,5\n");
    account.run(&["import", "a.csv", "--entity", "asets"]).exits(2).says("assets");
    account.run(&["import", "a.csv", "--entity", "assets"]).exits(2).says("--map 'purchse_cost=purchase_cost'");
}

#[test]
fn headers_alone_are_no_import() {
    Rehearsal::new().sheet("assets.csv", "asset_id,product\n").run(&["import", "assets.csv"]).exits(2).says("no rows");
}

#[test]
fn only_failed_wants_a_result() {
    Rehearsal::new()
        .furnished()
        .sheet("assets.csv", ASSETS)
        .run(&["import", "assets.csv", "--only-failed"])
        .exits(2)
        .says("_status");
}

#[test]
fn a_result_needs_its_folder_before_anything_is_sent() {
    let account = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--result", "nowhere/r.xlsx"]).exits(2).says("nowhere");
    account.run(&["import", "assets.csv", "--result", "r.pdf"]).exits(2).says(".xlsx");
    assert!(account.records("assets").is_empty());
}

#[test]
fn every_command_shows_its_help() {
    let account = Rehearsal::new();
    for command in ["check", "import", "template", "schema", "sandbox", "doctor", "completions", "man"] {
        let ran = Ran::of(bare(account.folder(), &[command, "--help"]).output().unwrap()).exits(0);
        assert!(ran.stdout.contains("Usage: tallyport"), "{command}");
    }
}
