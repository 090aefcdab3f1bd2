//! `verify`: what a run sent or a file says, against what the account holds, and nothing is changed by it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, sheet_rows};

/// Two people and three assets, of which one is checked out.
fn account() -> CliTest {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .sheet("assets.csv", ROWS);
    account.run(&["import", "assets.csv", "--map", HOLDER, "--yes"]).exits(0);
    account
}

const HOLDER: &str = "holder=assigned_to";

const ROWS: &str = "asset_id,product,status,location,cost,currency,notes,custom:Rack,holder\n\
                    A-1,MacBook Pro 14,Ready,Berlin,1000,EUR,one,B4,ada@example.com\n\
                    A-2,MacBook Pro 14,Ready,,500,EUR,two,,\n\
                    A-3,MacBook Pro 14,Ready,Berlin,250,USD,,C1,\n";

/// The name of the only run.
fn run_of(account: &CliTest) -> String {
    let (_, document) = account.json(&["runs"]);
    document["runs"][0]["run_id"].as_str().or(document["runs"][0]["id"].as_str()).unwrap().to_owned()
}

fn change(account: &CliTest, method: &str, path: &str, body: &Value) {
    let (status, answer) = account.request(method, path, Some(body));
    assert!(status < 300, "{method} {path}: {answer}");
}

/// Verifies the file as it was imported.
fn verify_file(account: &CliTest, more: &[&str]) -> (i32, Value) {
    account.json(&[&["verify", "assets.csv", "--map", HOLDER], more].concat())
}

/// Each difference as `kind collection record field expected found`.
fn told(document: &Value) -> BTreeSet<String> {
    let differences = document["differences"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let told = differences.iter().map(|difference| {
        ["kind", "collection", "record", "field", "expected", "found"].map(|name| text(&difference[name])).join(" ")
    });
    told.collect()
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

/// The requests that change something.
fn writes(document: &Value) -> u64 {
    let kinds: BTreeMap<String, u64> = serde_json::from_value(document["requests"]["by_kind"].clone()).unwrap();
    kinds.iter().filter(|(kind, _)| !kind.starts_with("GET ")).map(|(_, count)| count).sum()
}

fn asked_log(document: &Value) -> bool {
    document["requests"]["by_kind"].as_object().unwrap().keys().any(|kind| kind.contains("activity"))
}

#[test]
fn nothing_differs_after_an_import() {
    let account = account();
    let (code, file) = verify_file(&account, &["--complete"]);
    assert_eq!((code, told(&file)), (0, set([])), "{file:#}");
    // 21 cells of assets and one holder.
    assert_eq!(file["counts"], json!({"equal": 22, "different": 0, "missing": 0, "extra": 0}));
    assert_eq!((writes(&file), asked_log(&file)), (0, false), "{}", file["requests"]);
    let (code, run) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, told(&run)), (0, set([])), "{run:#}");
    assert_eq!(run["counts"]["equal"], 22);
    assert_eq!((writes(&run), asked_log(&run)), (0, false), "{}", run["requests"]);
    assert_eq!(file["digests"]["files"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(run["digests"]["journal"].as_str().unwrap().len(), 64);
    assert_ne!(run["digests"]["read"], json!(null));
}

#[test]
fn what_was_changed_is_found_with_both_values_and_who_did_it() {
    let account = account();
    let read_before = verify_file(&account, &[]).1["digests"]["read"].clone();
    change(&account, "PUT", "assets/1", &json!({"notes": "theirs", "purchase_cost": 900}));
    change(&account, "PUT", "assets/2", &json!({"status_id": null, "location_id": 1}));
    change(&account, "PUT", "assets/3", &json!({"custom_fields": [{"name": "Rack", "value": "D9"}]}));
    let expected = set([
        "different assets A-1 notes one theirs",
        "different assets A-1 purchase_cost 1000 900",
        "different assets A-3 custom:Rack C1 D9",
    ]);
    let run = run_of(&account);
    for arguments in [vec!["verify", "assets.csv", "--map", HOLDER], vec!["verify", &run]] {
        let (code, found) = account.json(&arguments);
        assert_eq!((code, told(&found)), (1, expected.clone()), "{found:#}");
        assert_eq!(found["counts"], json!({"equal": 19, "different": 3, "missing": 0, "extra": 0}));
        for difference in found["differences"].as_array().unwrap() {
            assert_eq!(difference["changed_by"], "admin@example.com", "{difference}");
            assert!(difference["changed_at"].as_str().unwrap().starts_with("20"), "{difference}");
        }
        let euros = found["sums"].as_array().unwrap().iter().find(|sums| sums["collection"] == "assets").unwrap();
        let sum = json!({"field": "purchase_cost", "currency": "EUR", "expected": "1500", "found": "1400"});
        assert_eq!(euros["money"][0], sum);
        assert_ne!(found["digests"]["read"], read_before);
    }
}
