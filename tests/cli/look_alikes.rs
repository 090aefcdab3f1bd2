//! Names that look alike: shown before each becomes a record, and decided once.

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::import::workbook;

const ASSETS: &str = "Asset tag,Model,Manufacturer,Category,Status\n\
                      A-1,XPS 13,Dell,Laptops,Ready\n\
                      A-2,XPS 15,Dell Inc.,Laptops,Ready\n\
                      A-3,ThinkPad T14,Lenovo,Laptops,Ready\n\
                      A-4,Precision 5690,DELL GmbH,Laptops,Ready\n\
                      A-5,Precision 3490,dell inc.,Laptops,Ready\n";

/// An account with the maker Dell, and what the assets refer to besides products and makers.
fn account() -> CliTest {
    CliTest::new()
        .holds("categories", json!({"name": "Laptops", "type": "asset"}))
        .holds("statuses", json!({"name": "Ready", "type": "deployable"}))
        .holds("manufacturers", json!({"name": "Dell"}))
        .sheet("assets.csv", ASSETS)
}

fn names(account: &CliTest, collection: &str) -> Vec<String> {
    account.records(collection).iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect()
}

fn messages(summary: &Value, code: &str) -> Vec<String> {
    let remarks = summary["remarks"].as_array().unwrap().iter();
    remarks
        .filter(|remark| remark["code"] == code)
        .map(|remark| remark["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_check_groups_the_names_of_the_file() {
    let account = CliTest::new().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["check", "assets.csv"]), @"
    exit code 0
    --- stdout
    Check of assets.csv: all 5 rows passed, in 0.5 s
      5 rows: 5 good (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: Asset tag → asset_id, Model → product_id,
                Manufacturer → product_id.manufacturer_id, Category → product_id.category_id,
                Status → status_id
      note      manufacturers: `Dell Inc.` (1 row), `dell inc.` (1 row), `Dell` (1 row) and `DELL GmbH` (1 row) look alike
      note      each of these names is a record of its own until you say which one to use instead: in the sheet `Look-alike names` of the result, or in a file for --aliases
      next      tallyport import assets.csv --dry-run
    ");
    let (code, summary) = account.json(&["check", "assets.csv"]);
    assert_eq!(code, 0);
    let group = json!([{
        "collection": "manufacturers",
        "names": [
            {"name": "Dell Inc.", "rows": 1, "record": null},
            {"name": "dell inc.", "rows": 1, "record": null},
            {"name": "Dell", "rows": 1, "record": null},
            {"name": "DELL GmbH", "rows": 1, "record": null},
        ],
        "suggestion": "Dell Inc.",
    }]);
    assert_eq!(summary["look_alikes"], group);
}

#[test]
fn what_the_result_says_is_obeyed_and_asked_once() {
    let account = account();
    let dry_run = ["import", "assets.csv", "--create-missing", "--dry-run", "--result", "dry.xlsx"];
    let (code, summary) = account.json(&dry_run);
    assert_eq!(code, 0, "{summary}");
    assert_eq!(summary["look_alikes"][0]["suggestion"], "Dell");
    assert_eq!(
        messages(&summary, "names.look_alike")[0],
        "manufacturers: `Dell` (#1, 1 row), `Dell Inc.` (1 row), `dell inc.` (1 row) and `DELL GmbH` (1 row) look alike"
    );
    let lines = sheet_rows(&account.path("dry.xlsx"), "Look-alike names");
    assert_eq!(
        lines,
        [
            ["collection", "name", "rows", "in the account", "suggestion", "use instead"],
            ["manufacturers", "Dell", "1", "#1", "Dell", ""],
            ["manufacturers", "Dell Inc.", "1", "", "Dell", ""],
            ["manufacturers", "dell inc.", "1", "", "Dell", ""],
            ["manufacturers", "DELL GmbH", "1", "", "Dell", ""],
        ]
    );
    assert_eq!(names(&account, "manufacturers"), ["Dell"], "a dry run makes nothing");

    decide(&account, ("dry.xlsx", "decided.xlsx"), |line| match line[1].as_str() {
        "Dell Inc." | "DELL GmbH" => String::from("Dell"),
        _ => String::new(),
    });
    let (code, summary) = account.json(&["import", "decided.xlsx", "--create-missing", "--result", "done.xlsx"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(5)), "{summary}");
    assert_eq!(summary["look_alikes"], json!([]));
    assert_eq!(
        messages(&summary, "name.aliased"),
        [
            "manufacturers: `DELL GmbH` read as `Dell` in 1 row (aliases)",
            "manufacturers: `Dell Inc.` read as `Dell` in 1 row (aliases)",
            "manufacturers: `dell inc.` read as `Dell` in 1 row (aliases)",
        ]
    );
    assert_eq!(names(&account, "manufacturers"), ["Dell", "Lenovo"]);
    let rows = sheet_rows(&account.path("done.xlsx"), "assets");
    assert_eq!(rows[2][2], "`Dell Inc.` read as `Dell` (aliases)");
    assert_eq!(rows[2][5], "Dell Inc.", "the cell stays as it was typed");
    let kept = sheet_rows(&account.path("done.xlsx"), "Look-alike names");
    assert_eq!(kept[2], ["manufacturers", "Dell Inc.", "1", "", "", "Dell"], "the next import still knows it");

    let (code, again) = account.json(&["import", "done.xlsx", "--create-missing"]);
    assert_eq!((code, &again["counts"]["skipped"], &again["look_alikes"]), (0, &json!(5), &json!([])), "{again}");
}

/// Copies a result as its user saves it, with what `use_instead` says for each line of its sheet of names.
fn decide(account: &CliTest, (from, to): (&str, &str), use_instead: impl Fn(&[String]) -> String) {
    let read = |sheet: &str| sheet_rows(&account.path(from), sheet);
    let (rows, mut lines) = (read("assets"), read("Look-alike names"));
    lines.iter_mut().skip(1).for_each(|line| line[5] = use_instead(line));
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let lines: Vec<Vec<&str>> = lines.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    workbook(&account.path(to), &[("assets", &rows), ("Look-alike names", &lines)]);
}

#[test]
fn only_failed_obeys_the_sheet_too_and_nothing_is_merged_unasked() {
    let account = account().sheet(
        "some.csv",
        "Asset tag,Model,Manufacturer,Category,Status\nB-1,Latitude 1,Dell,Laptops,Ready\nB-2,Latitude 2,Dell Inc.,Laptops,Gone\n",
    );
    let (code, summary) =
        account.json(&["import", "some.csv", "--create-missing=products,manufacturers", "--result", "some.xlsx"]);
    assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{summary}");
    let lines = sheet_rows(&account.path("some.xlsx"), "Look-alike names");
    assert_eq!(lines[2][1], "Dell Inc.");
    let rows = sheet_rows(&account.path("some.xlsx"), "some");
    let fixed: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(|cell| if cell == "Gone" { "Ready" } else { cell }).collect()).collect();
    let fixed: Vec<&[&str]> = fixed.iter().map(Vec::as_slice).collect();
    let decided: &[&[&str]] = &[&["Collection", "Name", "Use_Instead"], &["Maker", "Dell Inc.", "Dell"]];
    workbook(&account.path("wrong.xlsx"), &[("some", &fixed), ("Look-alike names", decided)]);
    assert_output!(account.run(&["import", "wrong.xlsx", "--only-failed"]), @"
    exit code 2
    --- stderr
    error: wrong.xlsx, sheet `Look-alike names`, row 2: `Maker` is not a collection
      hint: did you mean `manufacturers`?
    ");
    let decided: &[&[&str]] = &[&["Collection", "Name", "Use_Instead"], &["manufacturers", "DELL INC.", "Dell"]];
    workbook(&account.path("fixed.xlsx"), &[("some", &fixed), ("Look-alike names", decided)]);
    let only_failed = ["import", "fixed.xlsx", "--only-failed", "--create-missing=products,manufacturers"];
    let (code, summary) = account.json(&only_failed);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    assert_eq!(names(&account, "manufacturers"), ["Dell"]);

    let (code, unasked) = account.json(&["import", "assets.csv", "--create-missing"]);
    assert_eq!(code, 0, "{unasked}");
    assert_eq!(unasked["look_alikes"][0]["names"].as_array().unwrap().len(), 4);
    let mut made = names(&account, "manufacturers");
    made.sort();
    assert_eq!(made, ["DELL GmbH", "Dell", "Dell Inc.", "Lenovo"], "separate records, as the remark says");
}

#[test]
fn an_alias_file_is_kept_beside_the_data() {
    let account = account()
        .sheet("aliases.csv", "collection,name,use_instead,why\nmanufacturers,Dell Inc.,Dell,\nmakers,DELL GmbH,DELL GmbH,another firm\n,,,\n")
        .sheet("rules.toml", "entity = \"assets\"\n[fields.\"product_id.manufacturer_id\"]\njoin = \"{Maker} {Form}\"\n")
        .sheet("joined.csv", "Asset tag,Model,Maker,Form,Category,Status\nC-1,XPS 13,Dell,Inc.,Laptops,Ready\nC-2,XPS 9,Dell,Inc.,Laptops,Lost\n");
    let (code, summary) = account.json(&["check", "assets.csv", "--aliases", "aliases.csv"]);
    assert_eq!((code, &summary["look_alikes"]), (0, &json!([])), "settled: {summary}");
    let (code, summary) = account.json(&[
        "import", "joined.csv", "--mapping", "rules.toml", "--aliases", "aliases.csv", "--create-missing=products",
        "--result", "j.xlsx",
    ]);
    assert_eq!((code, &summary["counts"]["created"]), (1, &json!(1)), "{summary}");
    assert_eq!(sheet_rows(&account.path("j.xlsx"), "joined")[1][2], "`Dell Inc.` read as `Dell` (aliases)");
    assert_eq!(account.record("products", "name", "XPS 13")["manufacturer_id"], json!(1));
    let next = summary["next"][0].as_str().unwrap();
    assert!(next.contains("--aliases aliases.csv"), "{next}");

    let (_, unknown) = account.json(&["import", "assets.csv", "--aliases", "aliases.csv", "--dry-run"]);
    let problems = unknown["problems"].as_array().unwrap();
    assert!(
        problems.iter().all(|problem| problem["code"] != "name.not_found" || problem["column"] != "Manufacturer"),
        "{unknown}"
    );
}

#[test]
fn a_problem_with_a_name_shows_what_it_was_read_as() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "berlin"}))
        .sheet("aliases.csv", "collection,name,use instead\nlocations,B'lin,BERLIN\n")
        .sheet(
            "assets.csv",
            "asset_id,product,status,location\nA-1,MacBook Pro 14,Ready,B'lin\nA-2,MacBook Pro 14,Ready,BERLIN\n",
        );
    assert_output!(account.run(&["import", "assets.csv", "--aliases", "aliases.csv", "--dry-run"]), @"
    exit code 1
    --- stdout
    Dry run of assets.csv: 2 of 2 rows would fail, in 0.5 s
      2 rows: 2 failed (assets)

    2 problems in 2 rows
           2 × more than one record of that name in `location` (name.ambiguous)
               D2 `B'lin`, D3 `BERLIN`
               D2: `B'lin` read as `BERLIN` (aliases): several locations match: Berlin (#1); berlin (#2)
               hint: write the id of the one you mean, such as `#12`

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, location → location_id
      plan      0 requests, about 0.0 s at 10,000 an hour
      note      locations: `B'lin` read as `BERLIN` in 1 row (aliases)
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --aliases aliases.csv --dry-run
    ");
}

#[test]
fn decisions_that_cannot_be_followed_are_errors_before_anything_is_sent() {
    let account = account();
    for (name, text) in [
        ("unknown.csv", "collection,name,use_instead\nmanufacturers,Dell Inc.,Del\n"),
        ("circle.csv", "collection,name,use_instead\nmanufacturers,Dell Inc.,Dell\nmanufacturers,Dell,Dell Inc.\n"),
        ("twice.csv", "collection,name,use_instead\nmanufacturers,Dell Inc.,Dell\nmanufacturers,DELL INC.,Lenovo\n"),
        ("nameless.csv", "collection,name,use_instead\nmanufacturers,,Dell\n"),
        ("collection.csv", "collection,name,use_instead\nmanufacturer list of ours,Dell Inc.,Dell\n"),
        ("headless.csv", "name,other\nDell Inc.,Dell\n"),
    ] {
        std::fs::write(account.path(name), text).unwrap();
    }
    let import = |file| account.run(&["import", "assets.csv", "--create-missing", "--aliases", file]);
    assert_output!(import("unknown.csv"), @"
    exit code 2
    --- stderr
    error: unknown.csv, row 2: `Dell Inc.` in manufacturers is to be `Del`, which is neither in the account nor in the file
      hint: did you mean `Dell`? Or create it first, for example in a manufacturers sheet
    ");
    assert_output!(import("circle.csv"), @"
    exit code 2
    --- stderr
    error: circle.csv, row 3: the names in manufacturers go round in a circle: `Dell` → `Dell Inc.` → `Dell`
      hint: decide for one of the names, and write it in each of these lines
    ");
    assert_output!(import("twice.csv"), @"
    exit code 2
    --- stderr
    error: twice.csv, row 2 and twice.csv, row 3 say different names for `DELL INC.` in manufacturers
      hint: keep one of the two lines
    ");
    assert_output!(import("nameless.csv"), @"
    exit code 2
    --- stderr
    error: nameless.csv, row 2: no name that `Dell` is used instead of
      hint: fill in the column `name`, or empty `use instead`
    ");
    assert_output!(import("collection.csv"), @"
    exit code 2
    --- stderr
    error: collection.csv, row 2: `manufacturer list of ours` is not a collection
      hint: did you mean `manufacturers`?
    ");
    assert_output!(import("headless.csv"), @"
    exit code 2
    --- stderr
    error: headless.csv: no header row with the columns `collection`, `name`, `use instead`
      hint: write them as the first row, with a decision in each row below
    ");
    assert_eq!(names(&account, "manufacturers"), ["Dell"]);
    assert!(account.records("assets").is_empty());
}

#[test]
fn names_that_a_sheet_of_the_workbook_writes_are_suggested() {
    let account = account();
    workbook(
        &account.path("all.xlsx"),
        &[
            ("manufacturers", &[&["name"], &["Lenovo"]]),
            (
                "assets",
                &[
                    &["asset tag", "model", "manufacturer", "category", "status"],
                    &["A-1", "T14", "Lenovo AG", "Laptops", "Ready"],
                    &["A-2", "T15", "Lenovo AG", "Laptops", "Ready"],
                ],
            ),
        ],
    );
    let (code, summary) = account.json(&["check", "all.xlsx"]);
    assert_eq!((code, &summary["look_alikes"][0]["suggestion"]), (0, &json!("Lenovo")), "{summary}");
}

#[test]
fn further_records_of_a_row_are_named_like_any_other() {
    let rules = "entity = \"assets\"\n[fields.asset_id]\ncolumn = \"Tag\"\n[fields.\"product_id.manufacturer_id\"]\n\
                 column = \"Maker\"\n[also.manufacturers]\nname = { column = \"Maker\" }\n";
    let account = account()
        .sheet("rules.toml", rules)
        .sheet("aliases.csv", "collection,name,use_instead\nmanufacturers,Dell Inc.,Dell\n")
        .sheet(
            "devices.csv",
            "Tag,Model,Category,Status,Maker\nD-1,XPS 13,Laptops,Ready,Dell Inc.\nD-2,XPS 13,Laptops,Ready,Dell\n",
        );
    let import = ["import", "devices.csv", "--mapping", "rules.toml", "--create-missing"];
    let (code, summary) = account.json(&[&import[..], &["--dry-run"]].concat());
    let names_of = &summary["look_alikes"][0]["names"];
    let group = json!([{"name": "Dell", "rows": 1, "record": 1}, {"name": "Dell Inc.", "rows": 1, "record": null}]);
    assert_eq!((code, names_of), (0, &group), "{summary}");
    let (code, summary) = account.json(&[&import[..], &["--aliases", "aliases.csv"]].concat());
    assert_eq!((code, &summary["look_alikes"]), (0, &json!([])), "{summary}");
    assert_eq!(names(&account, "manufacturers"), ["Dell"]);
    assert_eq!(account.records("products").len(), 1);
}
