//! Regressions: each test names a bug that was fixed.

use serde_json::{Value, json};

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::CliTest;

const ASSETS: &str = "asset_id,asset_name,product,status\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready\n";

fn account() -> CliTest {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv"]).exits(0);
    account
}

#[test]
fn ids_of_another_system_never_overwrite_records() {
    let account = account().sheet(
        "foreign.csv",
        "id,asset_id,asset_name,product,status\n1,F-1,theirs,MacBook Pro 14,Ready\n2,F-2,theirs,MacBook Pro 14,Ready\n",
    );
    account.run(&["import", "foreign.csv", "--entity", "assets"]).exits(1).says("name.conflict");
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
    account
        .run(&["import", "custom.csv", "--entity", "assets"])
        .exits(2)
        .says("give one of the two columns another header");
}

#[test]
fn matching_on_an_unmapped_field_is_an_error() {
    let account = account();
    for field in ["asset_serial", "id"] {
        account
            .run(&["import", "assets.csv", "--match-on", field])
            .exits(2)
            .says(&format!("no column feeds `{field}`"));
    }
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn a_result_never_overwrites_its_input() {
    let account = account();
    account.run(&["import", "assets.csv", "--result", "./assets.csv"]).exits(2).says("would overwrite the input");
    assert_eq!(std::fs::read_to_string(account.path("assets.csv")).unwrap(), ASSETS);
}

#[test]
fn a_file_given_twice_is_an_error() {
    account().run(&["import", "assets.csv", "./assets.csv"]).exits(2).says("is named twice");
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
    account.run(&["import", "twice.csv", "--entity", "assets"]).exits(1).says("duplicate.key");
    assert_eq!(account.record("assets", "asset_id", "LAP-1")["asset_name"], "one");
}

#[test]
fn errors_are_one_json_document() {
    let account = account();
    let cases: [(&[&str], i32); 6] = [
        (&["import", "nowhere.csv"], 2),
        (&["import", "assets.csv", "--match-on", "nothing"], 2),
        (&["import", "assets.csv", "--no-such-flag"], 2),
        (&["check", "nowhere.csv"], 2),
        (&["import", "assets.csv", "--base-url", "http://127.0.0.1:1/api/v1"], 3),
        (&["import", "assets.csv", "--base-url", "http://example.com/api/v1"], 2),
    ];
    for (arguments, expected) in cases {
        let (code, document) = account.json(arguments);
        assert_eq!(code, expected, "{document}");
        assert_eq!(document["error"]["exit_code"], expected, "{document}");
        assert!(document["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{document}");
    }
}

#[test]
fn create_missing_accepts_only_collections() {
    account().run(&["import", "assets.csv", "--create-missing=checkout_asset"]).exits(2).says("is an action");
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
    for sheet in ["marked.csv", "bare.csv"] {
        account.run(&["import", sheet, "--entity", "assets", "--create-missing"]).exits(1).says("name.not_found");
    }
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
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = crate::harness::CommandOutput::of(child.wait_with_output().unwrap());
    let files: Vec<_> = std::fs::read_dir(account.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|file| file.to_string_lossy().contains("result")), "{files:?}");
    ran.exits(4).says("nothing was sent");
}
