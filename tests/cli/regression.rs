//! Regressions: each test names a bug that was fixed.

use serde_json::{Value, json};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, assert_output};

const ASSETS: &str = "asset_id,asset_name,product,status\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready\n";

fn account() -> CliTest {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    account
}

#[test]
fn ids_of_another_system_never_overwrite_records() {
    let account = account().sheet(
        "foreign.csv",
        "id,asset_id,asset_name,product,status\n1,F-1,theirs,MacBook Pro 14,Ready\n2,F-2,theirs,MacBook Pro 14,Ready\n",
    );
    assert_output!(account.run(&["import", "foreign.csv", "--entity", "assets"]), @"
    exit code 1
    --- stdout
    Import of foreign.csv: 2 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 failed (assets)

    2 problems in 2 rows
           2 × the name and the id are two different records in `id` (name.conflict)
               A2 `1`, A3 `2`
               A2: id and row disagree; the id is LAP-1, the row describes another record
               hint: pass --map 'HEADER=_id' if these are the account's own ids and the row is to change the key, or --ignore the column if it holds another system's ids

      read      foreign.csv as UTF-8, comma
      header    row 1: id → _id, asset_id, asset_name, product → product_id, status → status_id
      requests  6: 6 to look up
      result    foreign.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import foreign.result.xlsx --entity assets --only-failed
    ");
    assert_eq!(account.record("assets", "asset_id", "LAP-1")["asset_name"], "Ada's laptop");
    assert_eq!(account.records("assets").len(), 2);
    account.run(&["import", "foreign.csv", "--entity", "assets", "--ignore", "id"]).exits(0);
    assert_eq!(account.records("assets").len(), 4);
}

#[test]
fn a_row_with_its_own_id_can_change_its_key() {
    let account =
        account().sheet("renamed.csv", "_id,asset_id\n1,LAP-9\n").sheet("mapped.csv", "id,asset_id\n2,LAP-8\n");
    account.run(&["import", "renamed.csv", "--entity", "assets"]).exits(0);
    account.run(&["import", "mapped.csv", "--entity", "assets", "--map", "id=_id"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "LAP-9")["id"], 1);
    assert_eq!(account.record("assets", "asset_id", "LAP-8")["id"], 2);
}

#[test]
fn an_invalid_id_is_the_only_problem_of_its_row() {
    let account = account().sheet("ids.csv", "id,asset_name\nabc,x\n");
    let (code, summary) = account.json(&["import", "ids.csv", "--entity", "assets"]);
    assert_eq!(code, 1);
    let codes: Vec<&Value> = summary["problems"].as_array().unwrap().iter().map(|problem| &problem["code"]).collect();
    assert_eq!(codes, [&json!("id.invalid")], "{summary}");
}

#[test]
fn a_mapping_overrides_a_column_with_the_name_of_the_field() {
    let account = account().sheet("tags.csv", "asset_id,real_tag,product,status\nOLD,NEW,MacBook Pro 14,Ready\n");
    account.run(&["import", "tags.csv", "--entity", "assets", "--map", "real_tag=asset_id"]).exits(0);
    assert_eq!(account.records("assets")[2]["asset_id"], "NEW");
}

#[test]
fn one_custom_field_in_two_columns_is_an_error() {
    let account = account().sheet("custom.csv", "asset_id,custom:Rack,custom:Rack\nLAP-1,B4,B5\n");
    assert_output!(account.run(&["import", "custom.csv", "--entity", "assets"]), @"
    exit code 2
    --- stderr
    error: custom.csv: columns `custom:Rack` and `custom:Rack` (C1) both map to `Rack`
      hint: rename one of the two columns, or delete it
    ");
}

#[test]
fn matching_on_an_unmapped_field_is_an_error() {
    let account = account();
    let commands = ["asset_serial", "id"].map(|field| ["import", "assets.csv", "--match-on", field]);
    insta::assert_snapshot!(account.transcript(&commands.each_ref().map(|command| command.as_slice())), @"
    $ tallyport import assets.csv --match-on asset_serial
    exit code 2
    --- stderr
    error: assets.csv: no column is mapped to `asset_serial`, so --match-on cannot find records by it
      hint: add the column, map one with --map 'Header=asset_serial', or match on another field
    $ tallyport import assets.csv --match-on id
    exit code 2
    --- stderr
    error: assets.csv: no column is mapped to `id`, so --match-on cannot find records by it
      hint: add the column, map one with --map 'Header=id', or match on another field
    ");
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn a_result_never_overwrites_its_input() {
    let account = account();
    assert_output!(account.run(&["import", "assets.csv", "--result", "./assets.csv"]), @"
    exit code 2
    --- stderr
    error: the result would overwrite the input `assets.csv`
      hint: name another file with --result
    ");
    assert_eq!(std::fs::read_to_string(account.path("assets.csv")).unwrap(), ASSETS);
}

#[test]
fn no_output_replaces_a_file_that_the_run_reads_even_by_force() {
    let account = account().sheet("m.toml", "entity = \"assets\"\n").sheet("in.XLSX", ASSETS);
    let names = "collection,name,use_instead\n";
    std::fs::write(account.path("names.xlsx"), names).unwrap();
    let refused = |arguments: &[&str]| {
        let output = account.run(&[arguments, &["--force"]].concat()).exits(2);
        output.stderr.lines().next().unwrap_or_default().to_owned()
    };
    let import = |input, plan| refused(&["import", input, "--entity", "assets", "--plan", plan]);
    assert_eq!(import("in.XLSX", "./in.XLSX"), "error: the plan would overwrite the input `in.XLSX`");
    assert_eq!(import("assets.csv", "assets.csv"), "error: --plan must name an .xlsx file, got `assets.csv`");
    let read = ["import", "assets.csv", "--aliases", "names.xlsx", "--plan", "names.xlsx"];
    assert_eq!(refused(&read), "error: the plan would overwrite the alias file `names.xlsx`");
    let read = ["check", "assets.csv", "--mapping", "m.toml", "--result", "m.toml"];
    assert_eq!(refused(&read), "error: the result would overwrite the mapping file `m.toml`");
    let read = ["verify", "in.XLSX", "--entity", "assets", "--result", "./in.XLSX"];
    assert_eq!(refused(&read), "error: the result would overwrite the input `in.XLSX`");
    assert_eq!(std::fs::read_to_string(account.path("in.XLSX")).unwrap(), ASSETS);
    assert_eq!(std::fs::read_to_string(account.path("names.xlsx")).unwrap(), names);
}

#[test]
fn a_file_given_twice_is_an_error() {
    assert_output!(account().run(&["import", "assets.csv", "./assets.csv"]), @"
    exit code 2
    --- stderr
    error: `./assets.csv` is named twice
      hint: name each file once
    ");
}

#[test]
fn two_deletes_of_one_record_are_a_duplicate() {
    let account = account().sheet("gone.csv", "_action,asset_id\ndelete,LAP-1\ndelete,LAP-1\n");
    let (code, summary) = account.json(&["import", "gone.csv", "--entity", "assets", "--yes"]);
    assert_eq!(
        (code, &summary["counts"]["deleted"], &summary["counts"]["failed"]),
        (1, &json!(1), &json!(1)),
        "{summary}"
    );
    assert_eq!(summary["requests"]["by_kind"]["DELETE assets"], 1);
}

#[test]
fn rows_that_match_one_record_by_id_and_by_key_are_duplicates() {
    let account = account().sheet("twice.csv", "_id,asset_id,asset_name\n1,,one\n,LAP-1,two\n");
    assert_output!(account.run(&["import", "twice.csv", "--entity", "assets"]), @"
    exit code 1
    --- stdout
    Import of twice.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 updated, 1 failed (assets)

    1 problem in 1 row
           1 × the same record is there twice in `asset_id` (duplicate.key)
               B3 `LAP-1`
               duplicate of row 2; both are record #1
               hint: merge the two rows, or correct the one that is wrong

      changes   asset_name in 1 row: C2 `Ada's laptop` → `one`
      read      twice.csv as UTF-8, comma
      header    row 1: _id, asset_id, asset_name
      requests  3: 2 to look up, 1 to update
      result    twice.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import twice.result.xlsx --entity assets --only-failed
    ");
    assert_eq!(account.record("assets", "asset_id", "LAP-1")["asset_name"], "one");
}

#[test]
fn errors_are_one_json_document() {
    let account = account();
    insta::assert_snapshot!(account.transcript(&[
        &["import", "nowhere.csv", "--json"],
        &["import", "assets.csv", "--match-on", "nothing", "--json"],
        &["import", "assets.csv", "--no-such-flag", "--json"],
        &["check", "nowhere.csv", "--json"],
        &["import", "assets.csv", "--base-url", "http://127.0.0.1:1/api/v1", "--json"],
        &["import", "assets.csv", "--base-url", "http://example.com/api/v1", "--json"],
    ]), @r#"
    $ tallyport import nowhere.csv --json
    exit code 2
    --- stdout
    {"error":{"message":"`nowhere.csv`: file not found","hint":"check the name and the folder","exit_code":2}}
    --- stderr
    error: `nowhere.csv`: file not found
      hint: check the name and the folder
    $ tallyport import assets.csv --match-on nothing --json
    exit code 2
    --- stdout
    {"error":{"message":"`assets` has no field `nothing` to match on","hint":"`tallyport schema assets` lists the fields","exit_code":2}}
    --- stderr
    error: `assets` has no field `nothing` to match on
      hint: `tallyport schema assets` lists the fields
    $ tallyport import assets.csv --no-such-flag --json
    exit code 2
    --- stdout
    {"error":{"message":"unexpected argument '--no-such-flag' found","hint":null,"exit_code":2}}
    --- stderr
    error: unexpected argument '--no-such-flag' found

    Usage: tallyport import <FILE>...

    For more information, try '--help'.
    $ tallyport check nowhere.csv --json
    exit code 2
    --- stdout
    {"error":{"message":"`nowhere.csv`: file not found","hint":"check the name and the folder","exit_code":2}}
    --- stderr
    error: `nowhere.csv`: file not found
      hint: check the name and the folder
    $ tallyport import assets.csv --base-url http://127.0.0.1:1/api/v1 --json
    exit code 3
    --- stdout
    {"error":{"message":"could not reach `127.0.0.1:49152`: OS ERROR","hint":"check the network, the proxy and the base URL, then try again","exit_code":3}}
    --- stderr
    error: could not reach `127.0.0.1:49152`: OS ERROR
      hint: check the network, the proxy and the base URL, then try again
    $ tallyport import assets.csv --base-url http://example.com/api/v1 --json
    exit code 2
    --- stdout
    {"error":{"message":"refusing to send the API key to `http://example.com/api/v1` without encryption","hint":"use a base URL that starts with `https://`","exit_code":2}}
    --- stderr
    error: refusing to send the API key to `http://example.com/api/v1` without encryption
      hint: use a base URL that starts with `https://`
    "#);
}

#[test]
fn create_missing_accepts_only_collections() {
    assert_output!(account().run(&["import", "assets.csv", "--create-missing=checkout_asset"]), @"
    exit code 2
    --- stderr
    error: --create-missing creates records, and `checkout_asset` is an action
      hint: name collections such as `locations`
    ");
}

#[test]
fn short_pages_cause_no_duplicates() {
    let options = SandboxOptions { seed: Seed::Empty, page_limit: 100, ..SandboxOptions::default() };
    let rows: String = (0..250).map(|number| format!("Place {number}\n")).collect();
    let account = CliTest::with(options).sheet("locations.csv", &format!("name\n{rows}"));
    account.run(&["import", "locations.csv"]).exits(0);
    let (code, summary) = account.json(&["import", "locations.csv"]);
    assert_eq!((code, &summary["counts"]["unchanged"]), (0, &json!(250)), "{summary}");
}

#[test]
fn an_id_is_never_a_name_for_a_new_record() {
    let account = account()
        .sheet("marked.csv", "asset_id,location\nLAP-1,#9999\n")
        .sheet("bare.csv", "asset_id,location_id\nLAP-1,9999\n");
    let commands = ["marked.csv", "bare.csv"].map(|sheet| ["import", sheet, "--entity", "assets", "--create-missing"]);
    insta::assert_snapshot!(account.transcript(&commands.each_ref().map(|command| command.as_slice())), @"
    $ tallyport import marked.csv --entity assets --create-missing
    exit code 1
    --- stdout
    Import of marked.csv: 1 of 1 row failed, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 failed (assets)

    1 problem in 1 row
           1 × no record of that name in `location` (name.not_found)
               B2 `#9999`
               `#9999` not found in locations
               hint: correct the id, or write the name in a column headed by a name

      read      marked.csv as UTF-8, comma
      header    row 1: asset_id, location → location_id
      requests  4: 4 to look up
      result    marked.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import marked.result.xlsx --entity assets --create-missing --only-failed
    $ tallyport import bare.csv --entity assets --create-missing
    exit code 1
    --- stdout
    Import of bare.csv: 1 of 1 row failed, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 failed (assets)

    1 problem in 1 row
           1 × no record of that name in `location_id` (name.not_found)
               B2 `9999`
               `9999` not found in locations
               hint: correct the id, or write the name in a column headed by a name

      read      bare.csv as UTF-8, comma
      header    row 1: asset_id, location_id
      requests  4: 4 to look up
      result    bare.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import bare.result.xlsx --entity assets --create-missing --only-failed
    ");
    assert!(account.records("locations").is_empty());
}

#[test]
fn an_action_with_unknown_outcome_is_not_sent_again() {
    let checkout =
        |status: &str| format!("_status,asset_id,employee,checkout_date\n{status},LAP-1,ada@example.com,2024-06-01\n");
    let account = account()
        .holds("employees", json!({"name": "Ada", "email": "ada@example.com"}))
        .sheet("lost.csv", &checkout("unknown"))
        .sheet("asked.csv", &checkout(""));
    let again = |sheet| account.json(&["import", sheet, "--entity", "checkout_asset", "--only-failed", "--yes"]);
    let (code, summary) = again("lost.csv");
    assert_eq!((code, &summary["counts"]["unknown"]), (1, &json!(1)), "{summary}");
    assert!(
        summary["requests"]["by_kind"].as_object().unwrap().keys().all(|kind| kind.starts_with("GET ")),
        "{summary}"
    );
    let (code, summary) = again("asked.csv");
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
}

/// A server that accepts requests and never replies.
#[cfg(unix)]
#[test]
fn an_interrupt_before_sending_leaves_no_file() {
    use std::process::{Command, Stdio};

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/api/v1", silent.local_addr().unwrap());
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    let mut command = account.command(&["import", "assets.csv", "--json"]);
    let child =
        command.env("BLUETALLY_BASE_URL", address).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first request has been sent.
    let _asking = silent.accept().unwrap();
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let ran = crate::harness::CommandOutput::of(child.wait_with_output().unwrap(), account.folder());
    let files: Vec<_> = std::fs::read_dir(account.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|file| file.to_string_lossy().contains("result")), "{files:?}");
    assert_output!(ran, @r#"
    exit code 4
    --- stdout
    {"error":{"message":"interrupted; nothing was sent or written","hint":null,"exit_code":4}}
    --- stderr
    error: interrupted; nothing was sent or written
    "#);
}
