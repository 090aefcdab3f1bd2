//! Usage errors: a clear message, the right exit code, and no request.

use crate::harness::{CliTest, CommandOutput, assert_output, tallyport};

const ASSETS: &str = "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n";

#[test]
fn a_missing_file_is_named() {
    assert_output!(CliTest::new().run(&["import", "asets.csv"]), @"
    exit code 2
    --- stderr
    error: `asets.csv`: file not found
      hint: check the name and the folder
    ");
}

#[test]
fn an_unknown_sheet_name_lists_the_sheets() {
    let account = CliTest::new();
    crate::import::workbook(&account.path("book.xlsx"), &[("assets", &[&["asset_id"]]), ("people", &[&["name"]])]);
    assert_output!(account.run(&["import", "book.xlsx", "--sheet", "Asset"]), @"
    exit code 2
    --- stderr
    error: book.xlsx has no sheet `Asset`
      hint: its sheets are: assets, people
    ");
}

#[test]
fn a_missing_key_lists_the_ways_to_set_one() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let ran = CommandOutput::run(tallyport(account.folder(), &["import", "assets.csv"]));
    assert_output!(ran, @"
    exit code 2
    --- stderr
    error: no API key is set
      hint: set BLUETALLY_API_KEY, pass `--api-key-file FILE`, or put `api_key_file` into a profile of config.toml; the key comes from Settings > API Keys. To try it without an account, add `--sandbox`
    ");
}

#[test]
fn an_unreachable_server_is_exit_code_3() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let mut command = tallyport(account.folder(), &["import", "assets.csv"]);
    // Nothing listens on port 9 of loopback.
    command.env("BLUETALLY_BASE_URL", "http://127.0.0.1:9/api/v1").env("BLUETALLY_API_KEY", "k");
    assert_output!(CommandOutput::run(command), @"
    exit code 3
    --- stderr
    error: could not reach `127.0.0.1:49152`: OS ERROR
      hint: check the network, the proxy and the base URL, then try again
    ");
}

#[test]
fn a_wrong_key_is_exit_code_3_and_never_shown() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let mut command = account.command(&["import", "assets.csv", "-vv"]);
    command.env("BLUETALLY_API_KEY", "not-the-key-4711");
    let ran = CommandOutput::run(command).exits(3);
    assert_output!(ran, @r#"
    exit code 3
    --- stderr
    2026-11-24T09:30:15Z DEBUG answered method="GET" path="/api/v1/statuses" status=401 milliseconds=2
    error: the service does not accept the API key (401): the API key is missing or wrong: send it as `Authorization: Bearer KEY`
      hint: create a key under Settings > API Keys and set it as BLUETALLY_API_KEY
    "#);
    assert!(!ran.text().contains("not-the-key-4711"), "{}", ran.text());
}

#[test]
fn an_unknown_entity_and_a_misspelled_header_get_suggestions() {
    let account = CliTest::new().sheet("a.csv", "asset_id,purchse_cost\nA-1,5\n");
    assert_output!(account.run(&["import", "a.csv", "--entity", "asets"]), @"
    exit code 2
    --- stderr
    error: unknown name `asets`
      hint: did you mean `assets`? `tallyport schema` lists all names
    ");
    assert_output!(account.run(&["import", "a.csv", "--entity", "assets"]), @"
    exit code 2
    --- stderr
    error: a.csv: column `purchse_cost` (B1) looks like the field `purchase_cost`
      hint: pass --map 'purchse_cost=purchase_cost' if it is, or --ignore 'purchse_cost' if not
    ");
}

#[test]
fn a_file_without_rows_is_an_error() {
    assert_output!(CliTest::new().sheet("assets.csv", "asset_id,product\n").run(&["import", "assets.csv"]), @"
    exit code 2
    --- stderr
    error: assets.csv holds a header but no rows
      hint: fill in the rows below the header
    ");
}

#[test]
fn only_failed_requires_a_result_file() {
    assert_output!(CliTest::new()
        .with_lookups()
        .sheet("assets.csv", ASSETS)
        .run(&["import", "assets.csv", "--only-failed"]), @"
    exit code 2
    --- stderr
    error: assets has no column `_status`, so it is not a result of an earlier run
      hint: give the result workbook, or leave out --only-failed
    ");
}

#[test]
fn a_result_path_is_checked_before_sending() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv", "--result", "nowhere/r.xlsx"]), @"
    exit code 2
    --- stderr
    error: folder not found: `nowhere`; the result cannot be written there
      hint: make the folder, or name another place with --result
    ");
    assert_output!(account.run(&["import", "assets.csv", "--result", "r.pdf"]), @"
    exit code 2
    --- stderr
    error: cannot write `r.pdf`: a result is an .xlsx or .csv file
      hint: name it `r.xlsx`
    ");
    assert!(account.records("assets").is_empty());
}

#[test]
fn a_command_without_data_refuses_json_in_json() {
    let account = CliTest::new();
    for arguments in [&["completions", "bash"][..], &["man"]] {
        let (code, document) = account.json(arguments);
        assert_eq!((code, &document["error"]["hint"]), (2, &serde_json::json!("leave out --json")), "{document}");
    }
}

#[test]
fn every_command_shows_its_help() {
    let account = CliTest::new();
    for command in ["check", "import", "template", "schema", "sandbox", "doctor", "completions", "man"] {
        let ran = CommandOutput::run(tallyport(account.folder(), &[command, "--help"])).exits(0);
        assert!(ran.stdout.contains("Usage: tallyport"), "{command}");
    }
}
