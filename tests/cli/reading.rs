//! How sheets are read: which column feeds which field, which rows are records, and what is told of the rest.

use std::path::Path;

use rust_xlsxwriter::{Format, Table, TableColumn, TableFunction, Workbook};
use serde_json::{Value, json};

use crate::harness::{CliTest, CommandOutput, sheet_rows};

/// The remarks of a summary with that code.
fn remarks<'v>(summary: &'v Value, code: &str) -> Vec<&'v str> {
    let all = summary["remarks"].as_array().unwrap().iter();
    all.filter(|remark| remark["code"] == code).map(|remark| remark["message"].as_str().unwrap()).collect()
}

fn column<'v>(summary: &'v Value, header: &str) -> &'v Value {
    let columns = summary["mapping"][0]["columns"].as_array().unwrap();
    columns.iter().find(|column| column["header"] == header).unwrap()
}

/// A workbook of text cells; a sheet per name.
fn workbook(path: &Path, sheets: &[(&str, &[&[&str]])]) -> Workbook {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                sheet.write_string(row as u32, column as u16, *text).unwrap();
            }
        }
    }
    book.save(path).unwrap();
    book
}

const ASSETS: &str = "Inventar;;;;\n;;;;\nAsset Tag;Modell;Status;;Kaufpreis (EUR);Kaufdatum;Farbe\n\
    A-1;MacBook Pro 14;Ready;x;\"1.299,00\";13.02.2024;rot\nA-2;MacBook Pro 14;Ready;;\"1.399,00\";05.03.2024;blau\n";

#[test]
fn the_mapping_in_use_is_shown_everywhere() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let (code, summary) = account.json(&["import", "assets.csv"]);
    assert_eq!(code, 0, "{summary}");
    assert_eq!(summary["mapping"][0]["header_row"], 3);
    let tag = json!({"header": "Asset Tag", "cell": "A3", "field": "asset_id", "why": "known header"});
    assert_eq!(column(&summary, "Asset Tag"), &tag);
    assert_eq!(column(&summary, "Kaufpreis (EUR)")["reading"], "decimal comma");
    assert_eq!(column(&summary, "Kaufdatum")["reading"], "day-month-year");
    assert_eq!(column(&summary, "Farbe")["field"], Value::Null);
    assert_eq!(column(&summary, "")["cell"], "D3", "a filled column without a header");
    let ignored = summary["ignored_columns"].as_array().unwrap();
    assert_eq!(ignored, &[json!("Farbe"), json!("column D")]);
    let text = account.run(&["check", "assets.csv"]).exits(0).stdout;
    assert!(text.contains("header    row 3: Asset Tag → asset_id, Modell → product_id"), "{text}");
    assert!(text.contains("(decimal comma)") && text.contains("(day-month-year)"), "{text}");
    let sheet = sheet_rows(&account.path("assets.result.xlsx"), "Summary").concat().join("\n");
    assert!(sheet.contains("A3  Asset Tag → asset_id  (known header)"), "{sheet}");
    assert!(sheet.contains("G3  Farbe: ignored, not understood"), "{sheet}");
    let stored = account.run(&["runs", summary["run_id"].as_str().unwrap()]).exits(0).stdout;
    assert!(!stored.is_empty());
}

#[test]
fn why_a_column_feeds_its_field_names_the_flag_the_file_or_the_preset() {
    let account = CliTest::new()
        .sheet("a.csv", "Item,Serial,Warranty,Assigned To,Employee Email,asset_id\nx,S-1,36,Ada,a@b.example,A-1\n")
        .sheet("m.toml", "[assets]\n\"Item\" = \"asset_name\"\n");
    let arguments = ["check", "a.csv", "--entity", "assets", "--mapping", "m.toml", "--preset", "snipe-it"];
    let (_, summary) = account.json(&arguments);
    assert_eq!(summary["mapping"][0]["preset"], "snipe-it");
    let why = |header: &str| column(&summary, header)["why"].as_str().unwrap().to_owned();
    assert_eq!([why("Item"), why("Serial"), why("asset_id")], ["mapping file", "preset", "field name"]);
    assert_eq!(summary["ignored_columns"], json!(["Warranty", "Assigned To", "Employee Email"]));
    let whys = ["Warranty", "Assigned To", "Employee Email"].map(why);
    let holder = "says who has it; pass --map 'Assigned To=assigned_to' to check it out to them";
    assert_eq!(whys, ["ignored by the preset", holder, "read-only: never sent"]);
    let text = account.run(&arguments).stdout;
    let told = "  ignored   `Assigned To`: says who has it\n            pass --map 'Assigned To=assigned_to' to check it out to them\n";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_dry_run_shows_what_an_update_changes() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Bonn"}))
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "notes": "old", "location_id": 1}))
        .holds("assets", json!({"asset_id": "A-2", "product_id": 1, "status_id": 1, "purchase_date": "2024-05-01"}))
        .sheet("a.csv", "asset_id,notes,location,purchase_date\nA-1,new,Bonn,\nA-2,,,2024-05-02\n");
    let (code, summary) = account.json(&["import", "a.csv", "--entity", "assets", "--dry-run"]);
    assert_eq!(code, 0, "{summary}");
    let change = |field: &str| {
        let groups = summary["changes"].as_array().unwrap();
        groups.iter().find(|group| group["field"] == field).unwrap()["examples"][0].clone()
    };
    assert_eq!(change("notes"), json!({"cell": "B2", "row": 2, "old": "old", "new": "new"}));
    assert_eq!(change("location_id"), json!({"cell": "C2", "row": 2, "old": "Berlin", "new": "Bonn"}));
    assert_eq!(change("purchase_date"), json!({"cell": "D3", "row": 3, "old": "2024-05-01", "new": "2024-05-02"}));
    let rows = sheet_rows(&account.path("a.result.xlsx"), "a");
    assert_eq!(rows[1][2], "notes: `old` → `new`\nlocation_id: `Berlin` → `Bonn`");
    let text = account.run(&["import", "a.csv", "--entity", "assets", "--dry-run"]).exits(0).stdout;
    assert!(text.contains("changes   notes in 1 row: B2 `old` → `new`"), "{text}");
    // A run tells the same of what it has done.
    let (_, done) = account.json(&["import", "a.csv", "--entity", "assets"]);
    assert_eq!((&done["changes"], &done["counts"]["updated"]), (&summary["changes"], &json!(2)));
    let (_, again) = account.json(&["import", "a.csv", "--entity", "assets"]);
    assert_eq!((&again["changes"], &again["counts"]["unchanged"]), (&Value::Null, &json!(2)));
}

#[test]
fn a_qualified_header_is_a_question() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", "New Tag,Asset Tag (old),Model,Status\nA-9,X-1,MacBook Pro 14,Ready\n");
    let asked = account.run(&["import", "assets.csv", "--map", "New Tag=asset_id"]).exits(2).stderr;
    assert!(asked.contains("`Asset Tag (old)`") && asked.contains("--ignore 'Asset Tag (old)'"), "{asked}");
    account.run(&["import", "assets.csv", "--map", "New Tag=asset_id", "--ignore", "Asset Tag (old)"]).exits(0);
    assert_eq!(account.records("assets")[0]["asset_id"], "A-9");
}

#[test]
fn a_missing_column_is_told_once() {
    let rows: String = (0..1_000).map(|row| format!("A-{row},MacBook Pro 14,Ready\n")).collect();
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", &format!("Tag No.,Model,Status\n{rows}"))
        .sheet("no-status.csv", &format!("Asset Tag,Model,Zust.\n{rows}"));
    let refused = account.run(&["import", "assets.csv"]).exits(2).stderr;
    let told = "no column is mapped to `asset_id` (required); not understood: `Tag No.`";
    assert!(refused.contains(told) && refused.contains("--map 'Tag No.=asset_id'"), "{refused}");
    account.run(&["import", "assets.csv", "--map", "Tag No.=asset_id", "--dry-run"]).exits(0);
    let (code, summary) = account.json(&["check", "no-status.csv", "--entity", "assets"]);
    assert_eq!(code, 1);
    let problems = summary["problems"].as_array().unwrap();
    assert_eq!((problems.len(), &problems[0]["count"]), (1, &json!(1_000)), "{summary}");
    let example = &problems[0]["examples"][0];
    assert_eq!(
        example["message"],
        "no column is mapped to `status_id` (required); not understood: `Zust.`; only records that the account does not have \
         yet need it"
    );
    let hint = "say which: --map 'Zust.=status_id'; `tallyport import --dry-run` knows which records the account has";
    assert_eq!(example["hint"], hint);
}

#[test]
fn rows_that_are_no_records_are_left_out_and_counted() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "Asset Tag,Model,Status,Insured\nA-1,MacBook Pro 14,Ready,TRUE\nAsset Tag,Model,Status,Insured\n,,,FALSE\n,,,FALSE\n\
         A-2,MacBook Pro 14,Ready,FALSE\n",
    );
    let (code, summary) = account.json(&["import", "assets.csv"]);
    assert_eq!(code, 0, "{summary}");
    assert_eq!((&summary["counts"]["created"], &summary["counts"]["skipped"]), (&json!(2), &json!(3)));
    assert_eq!(
        remarks(&summary, "rows.left_out"),
        [
            "assets: 1 row left out: the header again",
            "assets: 2 rows left out: nothing but unticked boxes, zeros and empty formulas"
        ]
    );
    assert_eq!(account.records("assets").len(), 2);
    // A result of it, imported again, changes nothing.
    account.run(&["import", "assets.result.xlsx"]).exits(0);
}

#[test]
fn a_declared_totals_row_is_left_out_and_any_other_is_remarked() {
    let account = CliTest::new().sheet("suppliers.csv", "name,notes\nAcme,x\nGrand Total:,1\n");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Suppliers").unwrap();
    let columns = [
        TableColumn::new().set_header("Name").set_total_label("Total"),
        TableColumn::new().set_header("Notes").set_total_function(TableFunction::Count),
    ];
    let table = Table::new().set_columns(&columns).set_total_row(true);
    sheet.write_column(1, 0, ["Acme", "Bolt Co"]).unwrap();
    sheet.add_table(0, 0, 3, 1, &table).unwrap();
    book.save(account.path("suppliers.xlsx")).unwrap();
    let (_, summary) = account.json(&["import", "suppliers.xlsx"]);
    assert_eq!((&summary["counts"]["created"], &summary["counts"]["skipped"]), (&json!(2), &json!(1)), "{summary}");
    assert_eq!(remarks(&summary, "rows.left_out"), ["Suppliers: 1 row left out: the totals row of the table"]);
    let (_, summary) = account.json(&["check", "suppliers.csv"]);
    let told = "suppliers: row 3 looks like a total (`Grand Total:`) and was read as a record: delete it if it is not a record";
    assert_eq!(remarks(&summary, "rows.total"), [told]);
    // A note below it does not hide it.
    let account = account.sheet("sites.csv", "name,city,notes\nA1,Bonn,3\nGesamt,,3\n,,\nStand: 01.01.2026,,\n");
    let (_, summary) = account.json(&["check", "sites.csv", "--entity", "locations"]);
    let told = "sites: row 3 looks like a total (`Gesamt`), and the row after like a note; all were read as records: delete \
                those that are not";
    assert_eq!(remarks(&summary, "rows.total"), [told]);
    let account =
        account.sheet("groups.csv", "name,city,notes\nA1,Bonn,3\nSubtotal,,3\nB1,Ulm,2\nSubtotal,,2\nTotal,,5\n");
    let (_, summary) = account.json(&["check", "groups.csv", "--entity", "locations"]);
    let told = [
        "row 3 looks like a total (`Subtotal`) and was read as a record: delete it if it is not a record",
        "2 rows from row 5 on look like totals (`Subtotal`) and were read as records: delete those that are not",
    ];
    assert_eq!(remarks(&summary, "rows.total"), told.map(|told| format!("groups: {told}")));
}

#[test]
fn hidden_rows_hidden_sheets_and_merged_cells_are_told() {
    let account = CliTest::new();
    let path = account.path("book.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Suppliers").unwrap();
    sheet.write_row(0, 0, ["Name", "City"]).unwrap();
    sheet.write_column(1, 0, ["Acme", "Bolt", "Cord"]).unwrap();
    sheet.merge_range(1, 1, 2, 1, "Berlin", &Format::new()).unwrap();
    sheet.write_string(3, 1, "Bonn").unwrap();
    sheet.set_row_hidden(3).unwrap();
    book.add_worksheet().set_name("Old suppliers").unwrap().set_hidden(true).write_row(0, 0, ["Name"]).unwrap();
    book.save(&path).unwrap();
    let (code, summary) = account.json(&["import", "book.xlsx", "--blank", "clear"]);
    assert_eq!(code, 1, "{summary}");
    assert_eq!(summary["problems"][0]["code"], "cell.merged");
    let example = &summary["problems"][0]["examples"][0];
    assert_eq!((&example["cell"], example["row"].as_u64()), (&json!("B3"), Some(3)));
    assert_eq!(example["message"], "part of the merged cells B2:B3; the value belongs to B2 alone");
    assert_eq!(remarks(&summary, "rows.hidden"), ["Suppliers: 1 hidden row was read like any other (row 4)"]);
    assert!(summary["skipped_sheets"].to_string().contains("Old suppliers"), "{summary}");
    assert_eq!(account.records("suppliers").len(), 2);
}

#[test]
fn a_sheet_that_is_no_table_does_not_stop_the_others() {
    let account = CliTest::new();
    let rows: &[&[&str]] = &[&["name"], &["Acme"]];
    let notes: &[&[&str]] = &[&["Please fill in all sheets", "Ada"], &["Thank you", ""]];
    workbook(&account.path("book.xlsx"), &[("Suppliers", rows), ("Chart data", notes)]);
    let (code, summary) = account.json(&["import", "book.xlsx", "--entity", "suppliers"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    let skipped = summary["skipped_sheets"].to_string();
    assert!(skipped.contains("Chart data") && skipped.contains("--sheet"), "{skipped}");
    account.run(&["import", "book.xlsx", "--entity", "suppliers", "--strict"]).exits(2);
    let alone = account.run(&["import", "book.xlsx", "--entity", "suppliers", "--sheet", "Chart data"]).exits(2).stderr;
    assert!(alone.contains("pass another --entity if it holds something else"), "{alone}");
}

#[test]
fn edits_in_columns_that_the_service_sets_are_told() {
    let account = CliTest::new()
        .with_lookups()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Hope", "email": "bob@example.com"}))
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}))
        .sheet("out.csv", "Asset Tag,Employee,Checkout Date\nA-1,Ada Byron,2024-05-01\n");
    account.run(&["import", "out.csv", "--entity", "checkout_asset", "--yes"]).exits(0);
    account.run(&["export", "assets", "-o", "assets.csv"]).exits(0);
    let text = std::fs::read_to_string(account.path("assets.csv")).unwrap();
    let (code, untouched) = account.json(&["import", "assets.csv"]);
    assert_eq!((code, remarks(&untouched, "column.read_only").len()), (0, 0), "{untouched}");
    let account = account.sheet("edited.csv", &text.replace("Ada Byron", "Bob Hope"));
    let (code, summary) = account.json(&["import", "edited.csv", "--entity", "assets"]);
    assert_eq!((code, &summary["counts"]["unchanged"]), (0, &json!(1)), "{summary}");
    let told = "`deployed_to_name` is read-only: 1 edited cell is not sent, the first in row 2";
    assert_eq!(remarks(&summary, "column.read_only"), [told], "{text}");
}

#[test]
fn secrets_of_any_language_stay_out_of_results_and_journals() {
    let word = "correct-horse-battery";
    for header in
        ["SIM PIN", "Kennwort", "Mot de passe", "Initial password [passwordProfile] Required", "custom:API Key"]
    {
        let account = CliTest::new()
            .with_lookups()
            .sheet("a.csv", &format!("asset_id,product,status,{header}\nA-1,MacBook Pro 14,Ready,{word}\n"));
        let CommandOutput { stdout, .. } = account.run(&["import", "a.csv", "--entity", "assets", "--json"]).exits(0);
        assert!(!stdout.contains(word), "{header}: {stdout}");
        let result = sheet_rows(&account.path("a.result.xlsx"), "a").concat().concat();
        assert!(!result.contains(word), "{header}: {result}");
        let map = format!("{header}=custom:Code");
        account.run(&["import", "a.csv", "--entity", "assets", "--map", &map]).exits(2);
        assert!(!account.records("assets")[0].to_string().contains(word), "{header}: not even on purpose");
    }
}

#[test]
fn a_list_or_an_object_of_json_is_no_value_of_a_field() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.jsonl",
        concat!(
            r#"{"asset_id": {"y": 1}, "product": "MacBook Pro 14", "status": "Ready", "notes": ["a", "b"], "#,
            r#""custom:Rack": [1], "extra": {"y": 2}, "custom_fields": [{"name": "Owner", "value": "IT"}]}"#,
            "\n",
            r#"{"asset_id": "{\"x\":1}", "product": "MacBook Pro 14", "status": "Ready", "#,
            r#""custom_fields": [{"name": "Owner", "value": "IT"}]}"#,
            "\n",
        ),
    );
    let (code, summary) = account.json(&["import", "assets.jsonl"]);
    assert_eq!(
        (code, &summary["counts"]["created"], &summary["counts"]["failed"]),
        (1, &json!(1), &json!(1)),
        "{summary}"
    );
    let problems: Vec<(&str, &str)> = summary["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["code"].as_str().unwrap(), problem["examples"][0]["message"].as_str().unwrap()))
        .collect();
    let (list, object) = (
        "a list; expected a single value: a text, a number or a boolean",
        "an object; expected a single value: a text, a number or a boolean",
    );
    let mut messages: Vec<&str> =
        problems.iter().filter(|(code, _)| *code == "cell.structure").map(|(_, message)| *message).collect();
    messages.sort_unstable();
    assert_eq!(messages, [list, list, object], "{summary}");
    assert_eq!(problems.len(), 3, "{summary}");
    let asset = account.record("assets", "asset_id", "{\"x\":1}");
    assert_eq!(asset["custom_fields"], json!([{"name": "Owner", "value": "IT"}]), "{asset}");
}
