//! Damaged and mislabeled files: a clear error, exit code 2, and no request.

use crate::harness::CliTest;

/// Imports bytes as a file of this name and returns the output; exit code 2, no panic, no request.
#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> String {
    let account = CliTest::new().bytes(name, bytes);
    let ran = account.run(&["import", name, "--entity", "assets"]).exits(2);
    let said = ran.text();
    assert!(said.contains(name), "{said}");
    assert!(said.contains("hint:"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(account.records("assets").is_empty());
    said
}

#[test]
fn an_empty_file() {
    refused("a.csv", b"");
    refused("a.xlsx", b"");
}

#[test]
fn html_named_xls() {
    let said = refused("export.xls", b"<html><body><table><tr><td>Asset Tag</td></tr></table></body></html>");
    assert!(said.to_lowercase().contains("html") || said.contains("web page"), "{said}");
}

#[test]
fn a_truncated_zip() {
    refused("a.xlsx", b"PK\x03\x04\x14\x00\x00\x00\x08\x00abcdefghijklmnopqrstuvwxyz");
}

#[test]
fn a_damaged_old_workbook() {
    let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    bytes.extend([0xFF; 4096]);
    refused("a.xls", &bytes);
}

#[test]
fn an_unclosed_quote() {
    refused("a.csv", b"asset_id,product,status\nA-1,\"Mac,Ready\nA-2,Mac,Ready\n");
}

#[test]
fn a_lock_file() {
    refused("~$assets.xlsx", &[0u8; 165]);
}

#[test]
fn a_folder() {
    let account = CliTest::new();
    std::fs::create_dir(account.path("assets.csv")).unwrap();
    account.run(&["import", "assets.csv"]).exits(2).says("folder");
}

#[test]
fn two_headers_of_one_name() {
    let said = refused("a.csv", b"asset_id,asset_id,product\nA-1,A-2,Mac\n");
    assert!(said.contains("asset_id"), "{said}");
}

#[test]
fn extra_cells_are_a_problem_of_their_row() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "asset_id,product,status,purchase_cost\nA-1,MacBook Pro 14,Ready,1,299\nA-2,MacBook Pro 14,Ready,1300\n",
    );
    account.run(&["import", "assets.csv"]).exits(1).says("column.extra");
    assert_eq!(account.records("assets").len(), 1);
}
