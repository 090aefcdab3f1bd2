//! Every sample is imported into a fresh sandbox, and a second import sends no write.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{CliTest, sheet_rows};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Imports a sample twice and returns both summaries.
fn import_twice(account: &CliTest, name: &str, arguments: &[&str]) -> (Value, Value) {
    fs::copy(sample(name), account.path(name)).unwrap();
    let run = || {
        let (code, summary) = account.json(&[&["import", name, "--yes"], arguments].concat());
        assert_eq!(code, 0, "{summary:#}");
        summary
    };
    (run(), run())
}

fn writes(summary: &Value) -> u64 {
    let kinds: BTreeMap<String, u64> = serde_json::from_value(summary["requests"]["by_kind"].clone()).unwrap();
    kinds.iter().filter(|(kind, _)| !kind.starts_with("GET ")).map(|(_, count)| count).sum()
}

#[test]
fn the_onboarding_workbook_is_imported_completely() {
    let account = CliTest::seeded();
    fs::copy(sample("onboarding.xlsx"), account.path("onboarding.xlsx")).unwrap();
    let (code, summary) = account.json(&["import", "onboarding.xlsx", "--yes"]);
    assert_eq!(code, 0, "{summary:#}");
    let sheets = summary["sheets"].as_array().unwrap();
    assert!(sheets.len() >= 12);
    let rows: u64 = sheets.iter().map(|sheet| sheet["rows"].as_u64().unwrap()).sum();
    let counts: u64 = summary["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(rows, counts, "the counts add up to the rows read");
    assert!(rows >= 350, "{rows}");
}

#[test]
fn a_flat_inventory_creates_missing_records_and_is_idempotent() {
    let account = CliTest::seeded();
    let (first, second) = import_twice(&account, "assets.csv", &["--create-missing"]);
    assert_eq!(first["counts"]["created"], json!(1000));
    assert_eq!(second["counts"]["unchanged"], json!(1000), "{second:#}");
    assert_eq!(writes(&second), 0);
    assert_eq!(account.records("assets").len(), 1000);
}

#[test]
fn the_template_of_the_service_is_imported() {
    let account = CliTest::seeded();
    let (first, second) = import_twice(&account, "bluetally-template.xlsx", &[]);
    assert_eq!(first["counts"]["failed"], json!(0));
    assert_eq!(writes(&second), 0);
}

/// A column of the sample says which problem each row must have.
#[test]
fn every_problem_of_the_sample_is_found() {
    let account = CliTest::seeded();
    fs::copy(sample("every-problem.xlsx"), account.path("every-problem.xlsx")).unwrap();
    account.run(&["import", "every-problem.xlsx"]).exits(1);
    let result = account.path("every-problem.result.xlsx");
    let mut judged = 0;
    for sheet in sheet_names(&result) {
        let rows = sheet_rows(&result, &sheet);
        let Some(expect) = rows[0].iter().position(|header| header.to_lowercase().contains("expect")) else { continue };
        for row in &rows[1..] {
            let expected = row[expect].as_str();
            if expected.is_empty() {
                continue;
            }
            judged += 1;
            match expected {
                "ok" => assert_ne!(row[0], "failed", "{sheet}: {row:?}"),
                code => assert!(row[0] == "failed" && row[2].contains(code), "{sheet}: {code} expected: {row:?}"),
            }
        }
    }
    assert!(judged >= 25, "{judged}");
}

fn sheet_names(path: &std::path::Path) -> Vec<String> {
    use calamine::{Reader, open_workbook_auto};
    open_workbook_auto(path).unwrap().sheet_names().into_iter().filter(|name| name != "Summary").collect()
}
