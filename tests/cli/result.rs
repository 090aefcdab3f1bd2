//! The result file contains the rows of the user as typed.

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::plan_book::fill;

#[test]
fn text_stays_text() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "asset_id,asset_serial,product,status,notes\n\
         00042,012345678901234567890,MacBook Pro 14,Ready,=1+1\n\
         00043,1E5,MacBook Pro 14,Ready,+49 30\n",
    );
    account.run(&["import", "assets.csv"]).exits(0);
    let rows = sheet_rows(&account.path("assets.result.xlsx"), "assets");
    assert_eq!(rows[1][3..5], ["00042", "012345678901234567890"]);
    assert_eq!(rows[1][7], "=1+1");
    assert_eq!(rows[2][4], "1E5");
    assert_eq!(account.record("assets", "asset_id", "00042")["notes"], "=1+1");
}

#[test]
fn a_text_that_a_cell_cannot_hold_is_told_of_in_the_summary() {
    let row = format!("A-1,MacBook Pro 14,Nowhere,{}\n", "long ".repeat(8_000));
    let account = CliTest::new().with_lookups().sheet("assets.csv", &format!("asset_id,product,status,notes\n{row}"));
    for arguments in [&["import", "assets.csv", "--dry-run"][..], &["import", "assets.csv"]] {
        let (_, summary) = account.json(arguments);
        let remarks = summary["remarks"].as_array().unwrap();
        let limited = remarks.iter().find(|remark| remark["code"] == "result.limited");
        let message = limited.unwrap_or_else(|| panic!("{summary}"))["message"].as_str().unwrap().to_owned();
        assert_eq!(
            message,
            "in the result, 1 text longer than a cell can hold: only the beginning is kept, and marked red; a .csv \
             result keeps it all"
        );
    }
    let (_, whole) = account.json(&["import", "assets.csv", "--result", "whole.csv"]);
    assert!(!whole.to_string().contains("result.limited"), "{whole}");
}

#[test]
fn a_csv_result_is_a_csv_file() {
    let account =
        CliTest::new().with_lookups().sheet("assets.csv", "asset_id,product,status\n007,MacBook Pro 14,Ready\n");
    account.run(&["import", "assets.csv", "--result", "r.csv", "--concurrency", "1"]).exits(0);
    let text = std::fs::read_to_string(account.path("r.csv")).unwrap();
    assert_eq!(
        text.replace("\r\n", "\n"),
        "_status,_id,_message,asset_id,product,status\ncreated,1,,007,MacBook Pro 14,Ready\n"
    );
}

#[test]
fn no_cell_of_a_csv_result_is_a_formula_and_every_cell_comes_back() {
    const NOTES: [&str; 9] =
        ["=cmd|'/C calc'!A0", "+1+2", "-2+3", "@SUM(A1)", "'=1", "-5", "+1204.50", "plain", "=\"\"00042\"\""];
    let sheet = |date: &str| {
        let row = |(row, note): (usize, &&str)| format!("A-{row},MacBook Pro 14,Ready,{date},\"{note}\"\n");
        let rows: String = NOTES.iter().enumerate().map(row).collect();
        format!("asset_id,product,status,purchase_date,notes,=HYPERLINK(1)\n{rows}")
    };
    let account = CliTest::new().with_lookups().sheet("assets.csv", &sheet("")).sheet("bad.csv", &sheet("=1+1"));
    let run =
        |arguments: &[&str]| account.run(&[arguments, &["--entity", "assets", "--ignore", "=HYPERLINK(1)"]].concat());
    run(&["check", "bad.csv", "--result", "checked.csv"]).exits(1);
    run(&["import", "assets.csv", "--result", "r.csv", "--concurrency", "1"]).exits(0);
    run(&["import", "bad.csv", "--result", "failed.csv"]).exits(1);
    let text = |name: &str| std::fs::read_to_string(account.path(name)).unwrap();
    for name in ["checked.csv", "r.csv", "failed.csv"] {
        let (text, is_bare) = (text(name), |cell: &&str| cell.starts_with(['=', '+', '-', '@']));
        let cells = text.split(['\n', ',']).map(|cell| cell.trim_end_matches('\r'));
        assert_eq!(cells.filter(is_bare).collect::<Vec<_>>(), ["-5", "+1204.50"], "{name}: {text}");
        assert!(text.contains("'=cmd|"), "{name}: {text}");
    }
    let notes = || account.records("assets").iter().map(|asset| asset["notes"].clone()).collect::<Vec<_>>();
    let before = notes();
    assert_eq!(before[..4], NOTES[..4]);
    run(&["import", "r.csv", "--result", "r2.csv"]).exits(0);
    let own = |name| text(name).lines().map(|line| line.splitn(4, ',').last().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(own("r.csv"), own("r2.csv"));
    assert_eq!(notes(), before);
}

#[test]
fn a_previous_result_is_never_overwritten() {
    let account =
        CliTest::new().with_lookups().sheet("assets.csv", "asset_id,product,status\n007,MacBook Pro 14,Ready\n");
    account.run(&["import", "assets.csv"]).exits(0);
    account.run(&["import", "assets.csv"]).exits(0);
    assert!(account.path("assets.result.xlsx").exists() && account.path("assets.result-2.xlsx").exists());
}

#[test]
fn passwords_are_not_copied() {
    let account =
        CliTest::new().sheet("employees.csv", "name,email,Initial password\nAda,ada@example.com,hunter2-4711\n");
    assert_output!(account.run(&["import", "employees.csv", "--result", "r.csv"]), @"
    exit code 0
    --- stdout
    Import of employees.csv: the one row succeeded, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 created (employees)
      read      employees.csv as UTF-8, comma
      header    row 1: name, email
      ignored   `Initial password`: it looks like passwords: neither read nor copied
      requests  3: 2 to look up, 1 to create or move
      result    r.csv
    ");
    let text = std::fs::read_to_string(account.path("r.csv")).unwrap();
    assert!(!text.contains("hunter2-4711"), "{text}");
}

#[test]
fn the_result_of_a_rehearsal_gives_way() {
    let account =
        CliTest::new().with_lookups().sheet("assets.csv", "asset_id,product,status\n007,MacBook Pro 14,Ready\n");
    for _ in 0..2 {
        account.run(&["import", "assets.csv", "--dry-run"]).exits(0);
    }
    account.run(&["import", "assets.csv"]).exits(0);
    assert!(!account.path("assets.result-2.xlsx").exists());
    // That of a run stays.
    account.run(&["import", "assets.csv", "--dry-run"]).exits(0);
    assert!(account.path("assets.result-2.xlsx").exists());
    // One that somebody has edited stays, too.
    std::fs::write(account.path("assets.result-2.xlsx"), "edited").unwrap();
    account.run(&["import", "assets.csv", "--dry-run"]).exits(0);
    assert_eq!(std::fs::read(account.path("assets.result-2.xlsx")).unwrap(), b"edited");
    assert!(account.path("assets.result-3.xlsx").exists());
}

#[test]
fn a_duplicate_names_the_row_of_the_result_it_stands_in() {
    let account = CliTest::new()
        .sheet("locations.csv", "Our places,\nas of today,\nname,city\nDepot,Ulm\n,\nMill,Bonn\nMill,Kiel\n");
    let (code, summary) = account.json(&["import", "locations.csv"]);
    assert_eq!(code, 1);
    assert_eq!(summary["problems"][0]["examples"][0]["message"], "duplicate of row 6", "as the source counts");
    let rows = crate::harness::sheet_rows(&account.path("locations.result.xlsx"), "locations");
    assert!(rows[3][2].contains("duplicate of row 3"), "{rows:?}");
    assert_eq!(rows[2][3], "Mill");
    let summary = crate::harness::sheet_rows(&account.path("locations.result.xlsx"), "Summary").concat().join("\n");
    assert!(summary.contains("duplicate of row 3") && !summary.contains("duplicate of row 6"), "{summary}");
}

/// An account with a result workbook: two assets were created, the product of the third is misspelt, and somebody else
/// has given the first one another name.
fn account_of_a_result() -> CliTest {
    let rows = "asset_id,asset_name,product,status,notes\nB-1,One,MacBook Pro 14,Ready,hello\n\
                B-2,Two,MacBook Pro 14,Ready,hello\nB-3,Three,MacBok Pro 14,Ready,hello\n";
    let others = "asset_id,asset_name\nB-1,Theirs\n";
    let account = CliTest::new().with_lookups().sheet("assets.csv", rows).sheet("others.csv", others);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(1);
    account.run(&["import", "others.csv", "--entity", "assets"]).exits(0);
    account
}

/// Imports a copy of the result in which cells were edited. Returns the exit code and the numbers of created, updated,
/// skipped and failed rows.
fn import_edited(account: &CliTest, name: &str, cells: &[(&str, &str)], flags: &[&str]) -> (i32, [u64; 4], Value) {
    std::fs::copy(account.path("assets.result.xlsx"), account.path(name)).unwrap();
    fill(&account.path(name), "assets", cells);
    let (code, summary) = account.json(&[&["import", name], flags].concat());
    let counts = ["created", "updated", "skipped", "failed"].map(|name| summary["counts"][name].as_u64().unwrap());
    (code, counts, summary)
}

fn name_and_notes(account: &CliTest, tag: &str) -> [Value; 2] {
    let asset = account.record("assets", "asset_id", tag);
    ["asset_name", "notes"].map(|field| asset[field].clone())
}

#[test]
fn a_corrected_result_leaves_alone_what_others_have_changed_since() {
    let account = account_of_a_result();
    for flags in [&[][..], &["--only-failed"]] {
        let (code, summary) = account.json(&[&["import", "assets.result.xlsx"], flags].concat());
        assert_eq!((code, &summary["counts"]["skipped"]), (1, &json!(2)), "{summary}");
        assert_eq!(summary["counts"]["updated"], 0, "{summary}");
    }
    let (code, counts, summary) =
        import_edited(&account, "fixed.xlsx", &[("F4", "MacBook Pro 14")], &["--only-failed"]);
    assert_eq!((code, counts), (0, [1, 0, 2, 0]), "{summary}");
    assert_eq!(name_and_notes(&account, "B-1"), ["Theirs", "hello"]);
}

#[test]
fn of_a_done_row_only_the_edit_is_sent() {
    let account = account_of_a_result();
    let fixed = ("F4", "MacBook Pro 14");
    let (code, counts, summary) = import_edited(&account, "notes.xlsx", &[fixed, ("H2", "mine")], &[]);
    assert_eq!((code, counts), (0, [1, 1, 1, 0]), "{summary}");
    assert_eq!(name_and_notes(&account, "B-1"), ["Theirs", "mine"]);
    let (code, counts, summary) = import_edited(&account, "name.xlsx", &[fixed, ("E2", "Mine"), ("E3", "2")], &[]);
    assert_eq!((code, counts), (1, [0, 1, 0, 1]), "{summary}");
    assert_eq!(summary["problems"][0]["code"], "record.conflict");
    let message = summary["problems"][0]["examples"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("the service has `Theirs`; the record was changed on "), "{message}");
    assert_eq!(
        [name_and_notes(&account, "B-1")[0].clone(), name_and_notes(&account, "B-2")[0].clone()],
        ["Theirs", "2"]
    );
}

#[test]
fn the_result_of_a_dry_run_leaves_alone_what_others_have_changed_since() {
    let account = account_of_a_result();
    let cells = [("F4", "MacBook Pro 14"), ("H2", "mine")];
    let (code, counts, planned) = import_edited(&account, "fixed.xlsx", &cells, &["--dry-run"]);
    assert_eq!((code, counts), (0, [1, 1, 1, 0]), "{planned}");
    let dry_run = planned["result"].as_str().unwrap();
    let rows = sheet_rows(&account.path(dry_run), "assets");
    let statuses: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(statuses, ["would update", "created", "would create"]);
    let (code, summary) = account.json(&["import", dry_run, "--only-failed"]);
    let counts = ["created", "updated", "skipped"].map(|name| summary["counts"][name].clone());
    assert_eq!((code, counts), (0, [1, 1, 1].map(Value::from)), "{summary}");
    assert_eq!(name_and_notes(&account, "B-1"), ["Theirs", "mine"]);
}

#[test]
fn on_another_machine_a_done_row_that_differs_is_a_conflict() {
    let account = account_of_a_result();
    std::fs::remove_dir_all(account.path("state")).unwrap();
    let (code, counts, summary) =
        import_edited(&account, "fixed.xlsx", &[("F4", "MacBook Pro 14")], &["--only-failed"]);
    assert_eq!((code, counts), (1, [1, 0, 1, 1]), "{summary}");
    assert_eq!(name_and_notes(&account, "B-1"), ["Theirs", "hello"]);
    let (code, counts, summary) = import_edited(&account, "mine.xlsx", &[("H2", "mine")], &["--conflicts", "theirs"]);
    assert_eq!((code, counts), (1, [0, 0, 1, 1]), "{summary}");
    assert_eq!(name_and_notes(&account, "B-1"), ["Theirs", "hello"]);
}

#[test]
fn the_result_of_a_run_that_was_undone_says_that_its_records_are_gone() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\nParis\n");
    account.run(&["import", "locations.csv"]).exits(0);
    account.run(&["undo", "--last", "--yes"]).exits(0);
    let (code, summary) = account.json(&["import", "locations.result.xlsx"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(2)), "{summary}");
    let remarks = summary["remarks"].as_array().unwrap();
    assert!(
        remarks.iter().any(|remark| remark["message"].as_str().unwrap().contains("the account lacks their records"))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_told_in_the_summary() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    std::os::unix::fs::symlink("/dev/full", account.path("full.xlsx")).unwrap();
    let (code, summary) = account.json(&["import", "locations.csv", "--result", "full.xlsx"]);
    assert_eq!((code, &summary["counts"]["created"], &summary["result"]), (5, &json!(1), &json!(null)), "{summary}");
    let message = "the result could not be written: cannot write `full.xlsx`: the disk is full";
    assert_eq!(summary["remarks"], json!([{"code": "result.failed", "message": message}]));
    let next = summary["next"][0].as_str().unwrap();
    let run = summary["run_id"].as_str().unwrap();
    assert!(next.starts_with(&format!("tallyport resume {run}")), "{next}");
}
