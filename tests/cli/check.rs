//! `check`: offline validation.

use crate::harness::{CliTest, CommandOutput, assert_output, sheet_rows, tallyport};

fn check(folder: &std::path::Path, arguments: &[&str]) -> CommandOutput {
    CommandOutput::run(tallyport(folder, &[&["check"], arguments].concat()))
}

#[test]
fn all_problems_of_a_row_are_reported_at_once() {
    let account = CliTest::new().sheet(
        "assets.csv",
        "asset_id,product,status,purchase_cost,purchase_date,currency\n,Mac,Ready,12.50,31.02.2024,DEM\n",
    );
    assert_output!(check(account.folder(), &["assets.csv"]), @r#"
    exit code 1
    --- stdout
    Check of assets.csv: 1 of 1 row failed, in 0.5 s
      1 row: 1 failed (assets)

    4 problems in 1 row
           1 × a fractional amount in `purchase_cost` (money.fraction)
               D2 `12.50`
               fractional amount; the service documents whole amounts only
               hint: pass --fractional-cost round or --fractional-cost send, or correct the amount
           1 × not a date in `purchase_date` (date.invalid)
               E2 `31.02.2024`
               invalid date; February 2024 has 29 days
               hint: correct the date, or leave the cell empty
           1 × a currency that is no longer in use in `currency` (currency.historic)
               F2 `DEM`
               currency no longer in use; expected a current code such as `EUR` or `USD`
               hint: write `EUR`, which replaced it, and convert the amount
           1 × a required value is missing in `asset_id` (required.missing)
               A2
               missing value for `asset_id`; expected a value such as `LAP-0042`
               hint: fill in `asset_id`

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, purchase_cost, purchase_date,
                currency
      next      tallyport check assets.csv --result problems.xlsx
    "#);
}

#[test]
fn a_column_disambiguates_its_dates() {
    let account = CliTest::new()
        .sheet(
            "assets.csv",
            "asset_id,product,status,purchase_date\nA-1,Mac,Ready,01/02/2024\nA-2,Mac,Ready,23/02/2024\n",
        )
        .sheet(
            "unsure.csv",
            "asset_id,product,status,purchase_date\nA-1,Mac,Ready,01/02/2024\nA-2,Mac,Ready,03/02/2024\n",
        );
    assert_output!(check(account.folder(), &["assets.csv"]), @r#"
    exit code 0
    --- stdout
    Check of assets.csv: all 2 rows passed, in 0.5 s
      2 rows: 2 good (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id,
                purchase_date (day-month-year)
      next      tallyport import assets.csv --dry-run
    "#);
    assert_output!(check(account.folder(), &["unsure.csv", "--entity", "assets"]), @r#"
    exit code 1
    --- stdout
    Check of unsure.csv: 2 of 2 rows failed, in 0.5 s
      2 rows: 2 failed (assets)

    2 problems in 2 rows
           2 × a date that can be read in two ways in `purchase_date` (date.ambiguous)
               D2 `01/02/2024`, D3 `03/02/2024`
               D2: ambiguous date; could be `2024-02-01` or `2024-01-02`
               hint: say how dates are written with `--date-format`, such as `DD/MM/YYYY` or `MM/DD/YYYY`, or write them as `YYYY-MM-DD`

      read      unsure.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, purchase_date
      next      tallyport check unsure.csv --entity assets --result problems.xlsx
    "#);
    check(account.folder(), &["unsure.csv", "--entity", "assets", "--date-format", "DD/MM/YYYY"]).exits(0);
}

#[test]
fn duplicates_name_the_first_row() {
    let account =
        CliTest::new().sheet("assets.csv", "asset_id,product,status\nA-1,Mac,Ready\nA-2,Mac,Ready\na-1,Mac,Ready\n");
    assert_output!(check(account.folder(), &["assets.csv"]), @r#"
    exit code 1
    --- stdout
    Check of assets.csv: 1 of 3 rows failed, in 0.5 s
      3 rows: 2 good, 1 failed (assets)

    1 problem in 1 row
           1 × the same record is there twice in `asset_id` (duplicate.key)
               A4 `a-1`
               duplicate of row 2
               hint: merge the two rows, or correct the one that is wrong

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      next      tallyport check assets.csv --result problems.xlsx
    "#);
}

#[test]
fn failed_rows_are_written_with_their_problems() {
    let account = CliTest::new()
        .sheet("assets.csv", "asset_id,product,status,purchase_date\nA-1,Mac,Ready,2024-01-01\nA-2,Mac,Ready,soon\n");
    check(account.folder(), &["assets.csv", "--result", "bad.xlsx"]).exits(1);
    let rows = sheet_rows(&account.path("bad.xlsx"), "assets");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][3], "A-2");
    check(account.folder(), &["assets.csv", "--result", "bad.csv"]).exits(1);
    let text = std::fs::read_to_string(account.path("bad.csv")).unwrap();
    insta::assert_snapshot!(text, @r#"
    _status,_id,_message,asset_id,product,status,purchase_date
    failed,,"row 3 of the original file
    `purchase_date`: invalid date; expected a date such as `2026-01-31`, found `soon` (date.invalid); hint: write the date as `YYYY-MM-DD`, or leave the cell empty",A-2,Mac,Ready,soon
    "#);
}

#[test]
fn a_result_leads_to_an_import_of_all_rows() {
    const ROWS: &str = "Our places,\nname,email\nDepot,d@example.com\nMill,no address\nDepot,e@example.com\n";
    let account = CliTest::seeded().sheet("places.csv", ROWS);
    let checked = account.run(&["check", "places.csv", "--entity", "locations", "--result", "bad.xlsx"]).exits(1);
    let end = "  result    bad.xlsx (only the failed rows, 2 of 3)\n  \
                 next      correct the failed rows in the original file (`_message` has their row numbers), then run\n            \
                 tallyport check places.csv --entity locations\n";
    assert!(checked.stdout.ends_with(end), "{}", checked.stdout);
    let rows = sheet_rows(&account.path("bad.xlsx"), "places");
    assert!(rows[1][2].starts_with("row 4 of the original file\n"), "{rows:?}");
    assert!(rows[2][2].starts_with("row 5 of the original file\n"), "{rows:?}");
    assert!(rows[2][2].contains("duplicate of row 3 of the original file"), "{rows:?}");
    let summary = sheet_rows(&account.path("bad.xlsx"), "Summary").concat().join("\n");
    assert!(summary.contains("1.  This file holds only the failed rows, 2 of 3."), "{summary}");
    assert!(summary.contains("tallyport check places.csv --entity locations"), "{summary}");

    std::fs::write(account.path("places.csv"), ROWS.replace("no address", "").replace("Depot,e", "Quay,e")).unwrap();
    let (_, checked) = account.json(&["check", "places.csv", "--entity", "locations"]);
    assert_eq!(checked["next"][0], "tallyport import places.csv --entity locations --dry-run");
    let (_, imported) = account.json(&["import", "places.csv", "--entity", "locations"]);
    assert_eq!(imported["counts"]["created"], 3, "{imported}");
}

#[test]
fn check_needs_no_key_and_no_network() {
    let account = CliTest::new().sheet("assets.csv", "asset_id,product,status\nA-1,Mac,Ready\n");
    let ran = check(account.folder(), &["assets.csv", "--json"]).exits(0);
    insta::assert_snapshot!(ran.redacted_json(), @r#"
    {
      "run_id": "20261124-093015-abcd",
      "entity": "assets",
      "dry_run": false,
      "counts": {
        "created": 0,
        "updated": 0,
        "unchanged": 1,
        "failed": 0,
        "skipped": 0,
        "unknown": 0,
        "not_sent": 0
      },
      "requests": {
        "total": 0,
        "by_kind": {}
      },
      "seconds": 0.5,
      "result": null,
      "command": "check",
      "rows": 1,
      "files": [
        "assets.csv"
      ],
      "problems": [],
      "ignored_columns": [],
      "skipped_sheets": [],
      "mapping": [
        {
          "sheet": "assets",
          "preset": null,
          "header_row": 1,
          "columns": [
            {
              "header": "asset_id",
              "cell": "A1",
              "field": "asset_id",
              "why": "field name"
            },
            {
              "header": "product",
              "cell": "B1",
              "field": "product_id",
              "why": "known header"
            },
            {
              "header": "status",
              "cell": "C1",
              "field": "status_id",
              "why": "known header"
            }
          ]
        }
      ],
      "remarks": [],
      "look_alikes": [],
      "stopped": null,
      "next": [
        "tallyport import assets.csv --dry-run"
      ]
    }
    "#);
}

#[test]
fn a_variable_breaks_only_what_needs_it_and_a_flag_is_always_checked() {
    let account = CliTest::new().sheet("locations.csv", "name\nHarbour\n");
    let run = |tenant: &str, arguments: &[&str]| {
        let mut command = account.command(arguments);
        CommandOutput::run(command.env("BLUETALLY_TENANT_ID", tenant))
    };
    for tenant in ["", "foo"] {
        run(tenant, &["check", "locations.csv"]).exits(0);
        run(tenant, &["schema", "assets"]).exits(0);
        run(tenant, &["import", "locations.csv", "--sandbox", "--dry-run"]).exits(0);
    }
    run("", &["import", "locations.csv"]).exits(0);
    assert_output!(run("foo", &["import", "locations.csv"]), @"
    exit code 2
    --- stderr
    error: invalid tenant `foo` (from BLUETALLY_TENANT_ID)
      hint: use the number of the tenant, such as `7`
    ");
    assert_output!(check(account.folder(), &["locations.csv", "--quota", "foo"]), @"
    exit code 2
    --- stderr
    error: invalid quota `foo` (from --quota)
      hint: use a number of requests per hour such as `10000/h`, or `none`
    ");
}

#[test]
fn stdin_can_be_read_twice() {
    use std::io::Write;
    use std::process::Stdio;
    let account = CliTest::new();
    let mut child = tallyport(account.folder(), &["check", "-", "--entity", "assets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"asset_id;product;status;purchase_date\nA-1;Mac;Ready;13.02.2024\n")
        .unwrap();
    assert_output!(CommandOutput::of(child.wait_with_output().unwrap(), account.folder()), @"
    exit code 0
    --- stdout
    Check of stdin: the one row passed, in 0.5 s
      1 row: 1 good (assets)
      read      stdin as UTF-8, semicolon
      header    row 1: asset_id, product → product_id, status → status_id,
                purchase_date (day-month-year)
    ");
}

#[test]
fn what_only_a_new_record_needs_is_said_to_be_that() {
    let account = CliTest::new().sheet("update.csv", "Asset Tag,Notes,_action\nA-1,x,\nA-2,x,create\nA-3,x,update\n");
    let (code, summary) = account.json(&["check", "update.csv", "--entity", "assets"]);
    assert_eq!((code, &summary["counts"]["failed"]), (1, &serde_json::json!(2)));
    let told = summary["problems"].as_array().unwrap().iter().flat_map(|problem| {
        let examples = problem["examples"].as_array().unwrap().iter();
        examples
            .map(|example| [&example["row"], &example["message"], &example["hint"]].map(ToString::to_string).join(" "))
    });
    let told: Vec<String> = told.filter(|told| told.contains("`product_id`")).collect();
    let possible = r#"2 "no column is mapped to `product_id` (required); only records that the account does not have yet need it" "add a column `product_id`; `tallyport import --dry-run` knows which records the account has""#;
    let certain = r#"3 "no column is mapped to `product_id` (required)" "add a column `product_id`""#;
    assert_eq!(told, [possible, certain]);
}
