//! Inputs that are called alike: each problem says which of them it is in.

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::import::workbook;

const HEADER: &[&str] = &["asset_id", "product", "status", "purchase_cost"];
const ADAS: &[&[&str]] =
    &[HEADER, &["A-1", "MacBook Pro 14", "Ready", "abc"], &["A-2", "MacBook Pro 14", "Ready", "5"]];
const BOBS: &[&[&str]] =
    &[HEADER, &["B-1", "MacBook Pro 14", "Ready", "5"], &["B-2", "MacBook Pro 14", "Ready", "xyz"]];

fn csv(rows: &[&[&str]]) -> String {
    rows.iter().map(|row| format!("{}\n", row.join(","))).collect()
}

/// The cells that the Summary of a result links to.
fn links(result: &Path) -> Vec<String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(result).unwrap()).unwrap();
    let mut summary = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut summary).unwrap();
    let targets = summary.split("location=\"").skip(1);
    targets.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn files_of_one_name_are_told_apart_by_their_folders() {
    let account = CliTest::new().with_lookups();
    for (folder, rows) in [("a", ADAS), ("b", BOBS)] {
        std::fs::create_dir(account.path(folder)).unwrap();
        std::fs::write(account.path(folder).join("assets.csv"), csv(rows)).unwrap();
    }
    let files = ["a/assets.csv", "b/assets.csv"];
    assert_output!(account.run(&["check", files[0], files[1]]), @"
    exit code 1
    --- stdout
    Check of assets.csv and 1 other file: 2 of 4 rows failed, in 0.5 s
      sheet         holds   rows  good  failed
      a/assets.csv  assets     2     1       1
      b/assets.csv  assets     2     1       1
      total                    4     2       2

    2 problems in 2 rows
           1 × not an amount of money in `purchase_cost` of a/assets.csv (money.invalid)
               D2 `abc`
               invalid amount; expected a number such as `1299.00`
               hint: write the number alone, or leave the cell empty
           1 × not an amount of money in `purchase_cost` of b/assets.csv (money.invalid)
               D3 `xyz`
               invalid amount; expected a number such as `1299.00`
               hint: write the number alone, or leave the cell empty

      read      a/assets.csv as UTF-8, comma
      read      b/assets.csv as UTF-8, comma
      header    row 1 of a/assets.csv: asset_id, product → product_id, status → status_id, purchase_cost
      header    row 1 of b/assets.csv: asset_id, product → product_id, status → status_id, purchase_cost
      next      tallyport check a/assets.csv b/assets.csv --result problems.xlsx
    ");
    let (code, summary) = account.json(&["import", files[0], files[1], "--dry-run", "--result", "r.xlsx"]);
    let group = |group: usize| &summary["problems"][group];
    let places = [0, 1].map(|number| (&group(number)["sheet"], &group(number)["examples"][0]["cell"]));
    assert_eq!(code, 1);
    assert_eq!(places, [(&json!(files[0]), &json!("D2")), (&json!(files[1]), &json!("D3"))], "{summary:#}");
    assert_eq!([0, 1].map(|sheet| &summary["mapping"][sheet]["sheet"]), [&json!(files[0]), &json!(files[1])]);
    // Each link leads to the cell of its own file's rows.
    assert_eq!(links(&account.path("r.xlsx")), ["'assets'!G2", "'assets (2)'!G3"]);
    for (sheet, row, text) in [("assets", 1, "abc"), ("assets (2)", 2, "xyz")] {
        assert_eq!(sheet_rows(&account.path("r.xlsx"), sheet)[row][6], text);
    }
    let said: Vec<String> =
        sheet_rows(&account.path("r.xlsx"), "Summary").into_iter().map(|row| row.concat()).collect();
    assert!(files.iter().all(|file| said.iter().any(|line| line.starts_with(file))), "{said:#?}");
}

#[test]
fn sheets_of_one_name_are_told_with_their_files() {
    let account = CliTest::new().with_lookups();
    workbook(&account.path("jan.xlsx"), &[("Assets", ADAS)]);
    workbook(&account.path("feb.xlsx"), &[("Assets", BOBS)]);
    assert_output!(account.run(&["check", "jan.xlsx", "feb.xlsx"]), @"
    exit code 1
    --- stdout
    Check of jan.xlsx and 1 other file: 2 of 4 rows failed, in 0.5 s
      sheet              holds   rows  good  failed
      jan.xlsx › Assets  assets     2     1       1
      feb.xlsx › Assets  assets     2     1       1
      total                         4     2       2

    2 problems in 2 rows
           1 × not an amount of money in `purchase_cost` of jan.xlsx › Assets (money.invalid)
               D2 `abc`
               invalid amount; expected a number such as `1299.00`
               hint: write the number alone, or leave the cell empty
           1 × not an amount of money in `purchase_cost` of feb.xlsx › Assets (money.invalid)
               D3 `xyz`
               invalid amount; expected a number such as `1299.00`
               hint: write the number alone, or leave the cell empty

      header    row 1 of jan.xlsx › Assets: asset_id, product → product_id, status → status_id,
                purchase_cost
      header    row 1 of feb.xlsx › Assets: asset_id, product → product_id, status → status_id,
                purchase_cost
      next      tallyport check jan.xlsx feb.xlsx --result problems.xlsx
    ");
    // The plan says of each value where it comes from.
    account.run(&["import", "jan.xlsx", "feb.xlsx", "--plan", "plan.xlsx"]);
    let plan: Vec<String> =
        sheet_rows(&account.path("plan.xlsx"), "assets").into_iter().map(|row| row.join("|")).collect();
    assert!(plan.iter().any(|line| line.contains("jan.xlsx › Assets A3")), "{plan:#?}");
    account.run(&["import", "jan.xlsx", "feb.xlsx", "--result", "r.xlsx"]).exits(1);
    assert_eq!(links(&account.path("r.xlsx")), ["'Assets'!G2", "'Assets (2)'!G3"]);
}

#[test]
fn sheets_of_one_workbook_have_a_group_each() {
    let account = CliTest::new().with_lookups();
    workbook(&account.path("inventory.xlsx"), &[("Berlin", ADAS), ("Ulm", BOBS)]);
    let (_, summary) =
        account.json(&["import", "inventory.xlsx", "--entity", "assets", "--dry-run", "--result", "r.xlsx"]);
    let sheets = [0, 1].map(|group| &summary["problems"][group]["sheet"]);
    assert_eq!(sheets, [&json!("Berlin"), &json!("Ulm")], "{summary:#}");
    assert_eq!(links(&account.path("r.xlsx")), ["'Berlin'!G2", "'Ulm'!G3"]);
}
