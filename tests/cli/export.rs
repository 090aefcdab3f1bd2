//! What the account holds, into files: right, whole, and in few requests.

use std::fs;

use serde_json::{Value, json};
use tallyport::sandbox::SandboxOptions;

use crate::rehearsal::{Rehearsal, rows_of};

/// An account with a bit of everything that an export has to show.
fn account() -> Rehearsal {
    Rehearsal::new()
        .furnished()
        .holds("locations", json!({"name": "Berlin", "currency": "EUR"}))
        .holds("locations", json!({"name": "Zürich"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com", "location_id": 1}))
        .holds(
            "assets",
            json!({
                "asset_id": "0042", "asset_name": "=SUM(A1)", "product_id": 1, "status_id": 1, "location_id": 1,
                "purchase_cost": 1299, "currency": "EUR", "purchase_date": "2024-05-01",
                "custom_fields": r#"[{"name":"Rack","value":"B4"}]"#,
            }),
        )
        .holds(
            "assets",
            json!({"asset_id": "A-2", "product_id": 1, "status_id": 1, "location_id": 2, "notes": "a,\"b\"\nc"}),
        )
        .holds("assets", json!({"asset_id": "A-3", "product_id": 1, "status_id": 1, "purchase_cost": 5}))
}

fn csv_of(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The cells of some columns, header first.
fn columns_of(text: &str, headers: &[&str]) -> Vec<Vec<String>> {
    let rows = csv_of(text);
    let places: Vec<usize> =
        headers.iter().map(|header| rows[0].iter().position(|known| known == header).unwrap()).collect();
    rows.iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

#[test]
fn names_stand_beside_ids_and_texts_stay_texts() {
    let account = account();
    let ran = account.run(&["export", "assets", "-o", "-"]).exits(0);
    let headers = [
        "id", "asset_id", "asset_name", "location_id", "location_name", "category_name", "purchase_cost", "custom:Rack",
    ];
    assert_eq!(
        columns_of(&ran.stdout, &headers),
        [
            headers.as_slice(),
            &["1", "0042", "'=SUM(A1)", "1", "Berlin", "Laptops", "1299", "B4"],
            &["2", "A-2", "", "2", "Zürich", "Laptops", "", ""],
            &["3", "A-3", "", "", "", "Laptops", "5", ""],
        ]
    );
    let raw = account.run(&["export", "assets", "-o", "-", "--raw", "--columns", "asset_name,asset_id"]).exits(0);
    assert_eq!(raw.stdout, "asset_name,asset_id\r\n=SUM(A1),0042\r\n,A-2\r\n,A-3\r\n");
    let names = account.run(&["export", "assets", "-o", "-", "--ids", "names"]).exits(0);
    assert!(!names.stdout.contains("location_id") && names.stdout.contains("location_name"));
    let ids = account.run(&["export", "assets", "-o", "-", "--ids", "only"]).exits(0);
    assert!(ids.stdout.contains("location_id") && !ids.stdout.contains("location_name"));
}

#[test]
fn a_workbook_has_a_sheet_for_each_collection_and_real_types() {
    use calamine::{Data, Reader, open_workbook_auto};
    let account = account();
    account.run(&["export", "assets", "locations", "-o", "inventory.xlsx"]).exits(0).says("wrote `inventory.xlsx`");
    let mut book = open_workbook_auto(account.path("inventory.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), ["assets", "locations"]);
    let range = book.worksheet_range("assets").unwrap();
    let rows: Vec<&[Data]> = range.rows().collect();
    let cell = |row: usize, header: &str| {
        let column = rows[0].iter().position(|cell| *cell == Data::String(header.to_owned())).unwrap();
        rows[row][column].clone()
    };
    assert_eq!(cell(1, "asset_id"), Data::String("0042".into()));
    assert_eq!(cell(1, "asset_name"), Data::String("=SUM(A1)".into()));
    assert_eq!(cell(1, "id"), Data::String("1".into()));
    assert_eq!(cell(1, "purchase_cost"), Data::Float(1299.0));
    assert!(
        matches!(cell(1, "purchase_date"), Data::DateTime(_)) && matches!(cell(1, "updated_at"), Data::DateTime(_))
    );
    assert_eq!(cell(2, "notes"), Data::String("a,\"b\"\nc".into()));
}

#[test]
fn conditions_are_asked_of_the_service_or_applied_here() {
    let account = account();
    let run = |condition: &str| {
        let ran = account.run(&["export", "assets", "-o", "-", "--columns", "asset_id", "--where", condition]).exits(0);
        (csv_of(&ran.stdout)[1..].concat(), ran.stderr)
    };
    let (tags, said) = run("location=Zürich");
    assert_eq!(
        (tags.as_slice(), said.contains("filtered by the service: location=Zürich")),
        (&["A-2".to_owned()][..], true)
    );
    let (tags, said) = run("currency=EUR");
    assert_eq!((tags.as_slice(), said.contains("filtered here: currency=EUR")), (&["0042".to_owned()][..], true));
    assert_eq!(run("custom:Rack=B4").0, ["0042"]);
    assert_eq!(run("location_name=").0, ["A-3"]);
    let lost = account.run(&["export", "assets", "-o", "-", "--where", "location=Berlni"]).exits(2);
    lost.says("no record named `Berlni` for assets.location").says("did you mean `Berlin`?");
    account.run(&["export", "assets", "-o", "-", "--where", "locatoin=Berlin"]).exits(2).says("no field `locatoin`");
}

#[test]
fn rows_are_put_in_order() {
    let account = account();
    let sorted = |order: &str| {
        let ran = account.run(&["export", "assets", "-o", "-", "--columns", "asset_id,purchase_cost", "--sort", order]);
        csv_of(&ran.exits(0).stdout)[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sorted("purchase_cost"), ["A-3", "0042", "A-2"]);
    assert_eq!(sorted("purchase_cost:desc"), ["0042", "A-3", "A-2"], "empty cells stand at the end");
    account.run(&["export", "assets", "-o", "-", "--sort", "weight"]).exits(2).says("`assets` has no column `weight`");
}

#[test]
fn the_log_is_exported_by_what_is_asked_of_it() {
    let account = account();
    let ran = account.run(&["export", "activity", "-o", "-", "--type", "Asset", "--event", "create"]).exits(0);
    assert_eq!(csv_of(&ran.stdout).len(), 4);
    let ran = account.run(&["export", "activity", "-o", "-", "--item", "A-2"]).exits(0);
    assert_eq!(
        columns_of(&ran.stdout, &["type", "event", "item_id"])[1..],
        [["Asset", "Create", "2"].map(str::to_owned)]
    );
    account.run(&["export", "assets", "-o", "-", "--event", "Create"]).exits(2).says("name `activity` too");
}

#[test]
fn a_second_export_asks_for_little_and_tells_what_changed() {
    let account = account();
    let export = || account.json(&["export", "--all", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"]).1;
    let first = export();
    assert_eq!(first["changes"], json!({"added": 0, "removed": 0, "changed": 0, "rows": 0}));
    account.request("PUT", "assets/2", Some(&json!({"location_id": 1, "notes": "moved"})));
    account.request("DELETE", "assets/3", None);
    let account_after = account.holds("locations", json!({"name": "Bonn"}));
    let second =
        account_after.json(&["export", "--all", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"]).1;
    assert_eq!(second["changes"], json!({"added": 1, "removed": 1, "changed": 1, "rows": 4}));
    assert!(second["requests"]["total"].as_u64().unwrap() < first["requests"]["total"].as_u64().unwrap());
    let told: Vec<Vec<String>> = rows_of(&account_after.path("inventory.xlsx"), "Changes");
    let told: Vec<String> = told[1..].iter().map(|row| row[..7].join("|")).collect();
    assert_eq!(
        told,
        [
            "locations|3|Bonn|added|||",
            "assets|2|A-2|changed|location_name|Zürich|Berlin",
            "assets|2|A-2|changed|notes|a,\"b\"\nc|moved",
            "assets|3|A-3|removed|||",
        ]
    );
    let third =
        account_after.json(&["export", "--all", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"]).1;
    assert_eq!(third["changes"], json!({"added": 0, "removed": 0, "changed": 0, "rows": 0}));
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_asked() {
    let account = account();
    for (arguments, said) in [
        (&["export", "-o", "a.csv"][..], "no collections to export"),
        (&["export", "assets"], "no output given"),
        (&["export", "asets", "-o", "a.csv"], "did you mean `assets`?"),
        (&["export", "assets", "-o", "a.txt.gz"], "cannot tell the file type of `a.txt.gz`"),
        (&["export", "assets", "employees", "-o", "a.csv"], "a file of this type holds one collection"),
        (&["export", "assets", "-o", "no/such/a.csv"], "the folder `no/such` does not exist"),
        (&["export", "assets", "-o", "a-{day}.csv"], "unknown placeholder `{day}`"),
        (&["export", "assets", "-o", "{tenant}.csv"], "{tenant} needs a tenant, and none is selected"),
        (
            &["export", "assets", "-o", "a.csv", "--keep", "3"],
            "older files can be kept only if the file name contains {date} or {time}",
        ),
        (&["export", "assets", "-o", "a.csv", "--columns", "asset_tag"], "`assets` has no column `asset_tag`"),
        (&["export", "--name", "nightly"], "config.toml has no export named `nightly`"),
        (&["export", "checkout_asset", "-o", "a.csv"], "`checkout_asset` cannot be exported"),
        (&["export", "assets", "-o", "a.csv", "--delimiter", "x"], "invalid delimiter `x`"),
        (&["export", "assets", "-o", "a.csv", "--since", "1/2/24"], "invalid date `1/2/24`"),
    ] {
        account.run(arguments).exits(2).says(said);
    }
}

#[test]
fn an_export_that_fails_leaves_the_file_of_yesterday() {
    let account = account();
    fs::write(account.path("assets.csv"), "yesterday").unwrap();
    let mut command = account.command(&["export", "assets", "-o", "assets.csv"]);
    let output = command.env("BLUETALLY_API_KEY", "wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_to_string(account.path("assets.csv")).unwrap(), "yesterday");
    let names: Vec<_> = fs::read_dir(account.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".part")), "{names:?}");
}

#[test]
fn an_export_by_name_does_what_config_toml_says() {
    let account = account();
    fs::create_dir_all(account.path("config/tallyport")).unwrap();
    fs::write(
        account.path("config/tallyport/config.toml"),
        "[exports.finance]\ncollections = [\"assets\"]\noutput = \"{name}-{date}.csv\"\ncolumns = [\"asset_id\"]\n\
         where = [\"location=Berlin\"]\nkeep = 2\n",
    )
    .unwrap();
    for day in ["2020-01-01", "2020-01-02", "2020-01-03"] {
        fs::write(account.path(&format!("finance-{day}.csv")), "old").unwrap();
    }
    let (code, document) = account.json(&["export", "--name", "finance"]);
    assert_eq!((code, &document["deleted_files"]), (0, &json!(2)));
    let path = document["files"][0]["path"].as_str().unwrap();
    assert_eq!(fs::read_to_string(account.path(path)).unwrap(), "asset_id\r\n0042\r\n");
    assert!(account.path("finance-2020-01-03.csv").exists() && !account.path("finance-2020-01-02.csv").exists());
    // What is typed counts more.
    account.run(&["export", "--name", "finance", "--columns", "id", "-o", "typed.csv", "--keep", "1"]).exits(2);
    fs::write(
        account.path("config/tallyport/config.toml"),
        "[exports.finance]\ncollections = [\"assets\"]\noutptu = \"a.csv\"\n",
    )
    .unwrap();
    account.run(&["export", "--name", "finance"]).exits(2).says("unknown field `outptu`").says("line 3");
}

#[test]
fn every_tenant_has_its_rows_and_one_that_fails_does_not_stop_the_rest() {
    let tenants = vec![(7, "Acme".to_owned()), (9, "Globex".to_owned())];
    let account = Rehearsal::with(SandboxOptions { tenants, ..SandboxOptions::default() });
    let both = account.run(&["export", "locations", "-o", "-", "--all-tenants"]).exits(0);
    let rows = columns_of(&both.stdout, &["tenant_id", "tenant_name"]);
    assert!(rows.contains(&vec!["7".into(), "Acme".into()]) && rows.contains(&vec!["9".into(), "Globex".into()]));
    account.run(&["export", "locations", "-o", "out-{tenant}.csv", "--all-tenants"]).exits(0);
    assert!(account.path("out-7.csv").exists() && account.path("out-9.csv").exists());
    // One tenant has no folder to write to.
    fs::create_dir_all(account.path("places/9")).unwrap();
    let (code, document) = account.json(&["export", "locations", "-o", "places/{tenant}/list.csv", "--all-tenants"]);
    assert_eq!((code, document["files"].as_array().unwrap().len()), (1, 1));
    assert!(account.path("places/9/list.csv").exists());
    let failed = &document["failed_tenants"][0];
    assert_eq!(failed["tenant"], "7 (Acme)");
    assert!(failed["reason"].as_str().unwrap().contains("the folder `places/7` does not exist"), "{failed}");
}

#[test]
fn what_is_said_can_be_lines_of_json() {
    let account = account();
    let ran = account.run(&["export", "assets", "-o", "a.csv", "--log-format", "json"]).exits(0);
    assert_eq!(ran.stdout, "");
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["level"] == "info" && line["message"] == "wrote `a.csv`"), "{lines:?}");
    let ran = account.run(&["export", "asets", "-o", "a.csv", "--log-format", "json"]).exits(2);
    let line: Value = serde_json::from_str(ran.stderr.trim()).unwrap();
    assert_eq!((&line["level"], line["hint"].is_string()), (&json!("error"), true));
}

#[test]
fn an_exported_workbook_comes_back_as_it_is() {
    let account = account();
    for (output, files) in
        [("all.xlsx", vec!["all.xlsx"]), ("out/", vec!["out/assets.csv", "out/locations.csv", "out/employees.csv"])]
    {
        account.run(&["export", "--all", "-o", output]).exits(0);
        let (code, document) = account.json(&[&["import"][..], &files].concat());
        assert_eq!(code, 0, "{document}");
        let counts = &document["counts"];
        assert_eq!((&counts["created"], &counts["updated"], &counts["failed"]), (&json!(0), &json!(0), &json!(0)));
        assert!(counts["unchanged"].as_u64().unwrap() > 0);
    }
}
