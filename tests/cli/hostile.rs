//! Damaged and mislabeled files: a clear error, exit code 2, and no request.

use crate::harness::{CliTest, CommandOutput, assert_output};

/// Imports bytes as a file of this name and returns the output; exit code 2, no panic, no request.
fn refused(name: &str, bytes: &[u8]) -> CommandOutput {
    let account = CliTest::new().bytes(name, bytes);
    let output = account.run(&["import", name, "--entity", "assets"]).exits(2);
    assert!(account.records("assets").is_empty());
    output
}

#[test]
fn an_empty_file() {
    assert_output!(refused("a.csv", b""), @"
    exit code 2
    --- stderr
    error: `a.csv`: the file is empty
      hint: export or save it again
    ");
    assert_output!(refused("a.xlsx", b""), @"
    exit code 2
    --- stderr
    error: `a.xlsx`: the file is empty
      hint: export or save it again
    ");
}

#[test]
fn html_named_xls() {
    assert_output!(refused("export.xls", b"<html><body><table><tr><td>Asset Tag</td></tr></table></body></html>"), @"
    exit code 2
    --- stderr
    error: `export.xls`: a web page (HTML), not a spreadsheet
      hint: open it in a spreadsheet program and save it as .xlsx
    ");
}

#[test]
fn a_truncated_zip() {
    assert_output!(refused("a.xlsx", b"PK\x03\x04\x14\x00\x00\x00\x08\x00abcdefghijklmnopqrstuvwxyz"), @"
    exit code 2
    --- stderr
    error: `a.xlsx`: the file is truncated
      hint: download or copy it again, then try again
    ");
}

#[test]
fn a_damaged_old_workbook() {
    let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    bytes.extend([0xFF; 4096]);
    assert_output!(refused("a.xls", &bytes), @"
    exit code 2
    --- stderr
    error: `a.xls`: the file is damaged (its container is broken or cut off)
      hint: open it in a spreadsheet program, save it as .xlsx and try that file
    ");
}

#[test]
fn an_unclosed_quote() {
    assert_output!(refused("a.csv", b"asset_id,product,status\nA-1,\"Mac,Ready\nA-2,Mac,Ready\n"), @r#"
    exit code 2
    --- stderr
    error: `a.csv`, row 2: a quote that opens here is never closed
      hint: close the quote, or double it (`""`) if it is part of the text
    "#);
}

#[test]
fn a_lock_file() {
    assert_output!(refused("~$assets.xlsx", &[0u8; 165]), @"
    exit code 2
    --- stderr
    error: `~$assets.xlsx`: a lock file that Excel keeps beside an open workbook, not a workbook
      hint: name the workbook itself, without `~$`
    ");
}

#[test]
fn a_folder() {
    let account = CliTest::new();
    std::fs::create_dir(account.path("assets.csv")).unwrap();
    assert_output!(account.run(&["import", "assets.csv"]), @"
    exit code 2
    --- stderr
    error: `assets.csv`: a folder, not a file
      hint: name the files in it, such as `folder/*.xlsx`
    ");
}

#[test]
fn two_headers_of_one_name() {
    assert_output!(refused("a.csv", b"asset_id,asset_id,product\nA-1,A-2,Mac\n"), @"
    exit code 2
    --- stderr
    error: a.csv: columns `asset_id` and `asset_id` (B1) both map to `asset_id`
      hint: rename one of the two columns, or delete it
    ");
}

#[test]
fn extra_cells_are_a_problem_of_their_row() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "asset_id,product,status,purchase_cost\nA-1,MacBook Pro 14,Ready,1,299\nA-2,MacBook Pro 14,Ready,1300\n",
    );
    assert_output!(account.run(&["import", "assets.csv"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 created, 1 failed (assets)

    1 problem in 1 row
           1 × a value beyond the last header (column.extra)
               E2 `299`
               value beyond the last header; expected at most 4 values
               hint: put quotes around the value that holds the delimiter, or add the header that is missing

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, purchase_cost
      requests  7: 6 to look up, 1 to create or move
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --only-failed
    "#);
    assert_eq!(account.records("assets").len(), 1);
}

#[test]
fn a_header_row_that_every_row_goes_beyond_is_one_message() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", "asset_id;product;status\nA-1;MacBook Pro 14;Ready;n\nA-2;MacBook Pro 14;Ready;n\n");
    for command in ["check", "import", "verify"] {
        let told = account.run(&[command, "assets.csv"]).exits(2).text();
        assert!(told.contains("assets: every row holds more values than the header row, which has 3 values"), "{told}");
        assert!(told.contains("hint: add the header that is missing in row 1; where a value holds"), "{told}");
    }
    assert_eq!(account.records("assets"), [] as [serde_json::Value; 0]);
    // With a delimiter for it the column has no name, as in a workbook.
    let account = account.sheet(
        "assets.csv",
        "asset_id;product;status;\r\nA-1;MacBook Pro 14;Ready;n\r\nA-2;MacBook Pro 14;Ready;n\r\n",
    );
    let told = account.run(&["import", "assets.csv"]).exits(0).text();
    assert!(told.contains("ignored   `column D`: no header, 2 filled"), "{told}");
    assert_eq!(account.records("assets").len(), 2);
}
