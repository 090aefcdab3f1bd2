//! `export`: correct, complete files with few requests.

use std::fs;

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, CommandOutput, assert_output, sheet_rows};

/// An account with one of everything that an export shows.
fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
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
fn references_have_names_and_ids_and_text_stays_text() {
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
fn a_workbook_has_a_sheet_per_collection_with_typed_cells() {
    use calamine::{Data, Reader, open_workbook_auto};
    let account = account();
    assert_output!(account.run(&["export", "assets", "locations", "-o", "inventory.xlsx"]), @"
    exit code 0
    --- stdout
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (16 requests)
      assets             3 rows  read in full
      locations          2 rows  read in full
    wrote `inventory.xlsx`
    ");
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
fn filters_are_applied_by_the_service_or_locally() {
    let account = account();
    let filters =
        ["location=Zürich", "currency=EUR", "custom:Rack=B4", "location_name=", "location=Berlni", "locatoin=Berlin"];
    let commands = filters.map(|filter| ["export", "assets", "-o", "-", "--columns", "asset_id", "--where", filter]);
    insta::assert_snapshot!(account.transcript(&commands.each_ref().map(|command| command.as_slice())), @"
    $ tallyport export assets -o - --columns asset_id --where location=Zürich
    exit code 0
    --- stdout
    asset_id
    A-2
    --- stderr
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (15 requests)
      assets           1 row  filtered by the service: location=Zürich
    $ tallyport export assets -o - --columns asset_id --where currency=EUR
    exit code 0
    --- stdout
    asset_id
    0042
    --- stderr
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (11 requests)
      assets           1 row  read in full; filtered here: currency=EUR
    $ tallyport export assets -o - --columns asset_id --where custom:Rack=B4
    exit code 0
    --- stdout
    asset_id
    0042
    --- stderr
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (12 requests)
      assets           1 row  read in full; filtered here: custom:Rack=B4
    $ tallyport export assets -o - --columns asset_id --where location_name=
    exit code 0
    --- stdout
    asset_id
    A-3
    --- stderr
    Export of http://127.0.0.1:49152/api/v1, in 0.5 s (12 requests)
      assets           1 row  read in full; filtered here: location_name=
    $ tallyport export assets -o - --columns asset_id --where location=Berlni
    exit code 2
    --- stderr
    error: no record named `Berlni` for assets.location
      hint: did you mean `Berlin`?
    $ tallyport export assets -o - --columns asset_id --where locatoin=Berlin
    exit code 2
    --- stderr
    error: assets has no field `locatoin`
      hint: did you mean `location_id`?
    ");
}

#[test]
fn rows_are_sorted() {
    let account = account();
    let sorted = |order: &str| {
        let ran = account.run(&["export", "assets", "-o", "-", "--columns", "asset_id,purchase_cost", "--sort", order]);
        csv_of(&ran.exits(0).stdout)[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sorted("purchase_cost"), ["A-3", "0042", "A-2"]);
    assert_eq!(sorted("purchase_cost:desc"), ["0042", "A-3", "A-2"], "empty cells stand at the end");
    assert_output!(account.run(&["export", "assets", "-o", "-", "--sort", "weight"]), @"
    exit code 2
    --- stderr
    error: `assets` has no column `weight`
      hint: choose from id, asset_id, asset_name, asset_serial, warranty_expiration_date, end_of_life_date, order_number, purchase_date, purchase_cost, currency, product_id, product_name, status_id, status_name, supplier_id, supplier_name, location_id, location_name, department_id, department_name, logo, notes, category_id, category_name, manufacturer_id, manufacturer_name, checkout_date, deployed_to_name, deployed_to, custom:Rack, created_at, updated_at
    ");
}

#[test]
fn the_activity_log_is_exported_with_filters() {
    let account = account();
    let ran = account.run(&["export", "activity", "-o", "-", "--type", "Asset", "--event", "create"]).exits(0);
    assert_eq!(csv_of(&ran.stdout).len(), 4);
    let ran = account.run(&["export", "activity", "-o", "-", "--item", "A-2"]).exits(0);
    assert_eq!(
        columns_of(&ran.stdout, &["type", "event", "item_id"])[1..],
        [["Asset", "Create", "2"].map(str::to_owned)]
    );
    assert_output!(account.run(&["export", "assets", "-o", "-", "--event", "Create"]), @"
    exit code 2
    --- stderr
    error: the filters for the activity log need `activity` to be exported
      hint: name `activity` too, or use --where for other collections
    ");
}

#[test]
fn a_second_export_needs_few_requests_and_reports_changes() {
    let account = account();
    let export = || account.json(&["export", "--all", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"]).1;
    let counts_of = |report: &Value| {
        ["added", "removed", "changed", "entered", "left", "rows"].map(|name| report["changes"][name].as_u64().unwrap())
    };
    let first = export();
    assert_eq!(counts_of(&first), [0; 6]);
    assert_eq!((&first["changes"]["first_export"], &first["changes"]["since"]), (&json!(true), &json!(null)));
    account.request("PUT", "assets/2", Some(&json!({"location_id": 1, "notes": "moved"})));
    account.request("DELETE", "assets/3", None);
    let account_after = account.holds("locations", json!({"name": "Bonn"}));
    let second =
        account_after.json(&["export", "--all", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"]).1;
    assert_eq!(counts_of(&second), [1, 1, 1, 0, 0, 4]);
    assert_eq!((&second["changes"]["first_export"], &second["changes"]["since"]), (&json!(false), &first["as_of"]));
    assert!(second["requests"]["total"].as_u64().unwrap() < first["requests"]["total"].as_u64().unwrap());
    let told: Vec<Vec<String>> = sheet_rows(&account_after.path("inventory.xlsx"), "Changes");
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
    assert_eq!(counts_of(&third), [0; 6]);
    // A quiet run takes the place of what was told earlier today.
    let told = |report: &Value| report["warnings"].to_string();
    assert!(told(&third).contains("those that `inventory.xlsx` told before are no longer in it"), "{third}");
    assert_eq!(first["warnings"], json!([]));
    let apart = ["export", "--all", "-o", "other-{time}.xlsx", "--name", "nightly", "--incremental"];
    assert_eq!(account_after.json(&apart).1["warnings"], json!([]));
}

/// A file for other people must not disclose in its changes what its rows leave out.
#[test]
fn changes_are_those_of_the_exported_rows_and_columns() {
    let asset =
        |tag: &str, location: i64| json!({"asset_id": tag, "product_id": 1, "status_id": 1, "location_id": location});
    let account = account().holds("assets", asset("A-4", 1)).holds("assets", asset("A-5", 1));
    let export = [
        "export", "assets", "-o", "inventory.csv", "--name", "berlin", "--incremental", "--where", "location=Berlin",
        "--columns", "asset_id,purchase_cost",
    ];
    account.run(&export).exits(0);
    for (id, body) in [
        (1, json!({"notes": "private", "purchase_cost": 1300})),
        (2, json!({"location_id": 1, "notes": "private"})),
        (3, json!({"notes": "private"})),
        (4, json!({"location_id": 2, "purchase_cost": 7})),
        (5, json!({"notes": "private"})),
    ] {
        account.request("PUT", &format!("assets/{id}"), Some(&body));
    }
    let account = account.holds("assets", asset("A-6", 2));
    let report = account.json(&export).1;
    for (name, count) in [("added", 0), ("removed", 0), ("changed", 1), ("entered", 1), ("left", 1), ("rows", 3)] {
        assert_eq!(report["changes"][name], count, "{name}: {}", report["changes"]);
    }
    let text = fs::read_to_string(account.path("inventory.changes.csv")).unwrap();
    let told: Vec<String> = csv_of(&text)[1..].iter().map(|row| row[..7].join("|")).collect();
    assert_eq!(
        told,
        ["assets|1|0042|changed|purchase_cost|1299|1300", "assets|2|A-2|entered|||", "assets|4|A-4|left|||"]
    );
}

#[test]
fn the_changes_beside_an_export_are_left_out_of_its_import() {
    let account = account();
    for (format, more) in [("csv", &[][..]), ("jsonl", &["--format", "jsonl"])] {
        let folder = format!("{format}/");
        let export =
            [&["export", "assets", "locations", "-o", &folder, "--incremental", "--name", format][..], more].concat();
        account.run(&export).exits(0);
        account.request("PUT", "assets/2", Some(&json!({"notes": format})));
        account.run(&export).exits(0);
        let [assets, changes, locations] =
            ["assets", "Changes", "locations"].map(|name| format!("{format}/{name}.{format}"));
        let (code, report) = account.json(&["import", &assets, &changes, &locations, "--dry-run"]);
        assert_eq!((code, &report["counts"]["unchanged"]), (0, &json!(5)), "{report:#}");
        let reason = "it holds the changes between two exports, and no records";
        let name = format!("Changes.{format}");
        let skipped = &report["skipped_sheets"][0];
        assert!(skipped["sheet"].as_str().unwrap().ends_with(&name) && skipped["reason"] == reason, "{skipped}");
        let refused = account.run(&["import", &changes, "--dry-run"]).exits(2);
        assert!(refused.stderr.contains("can be read as a collection"), "{}", refused.stderr);
    }
}

#[test]
fn amounts_that_changed_are_numbers() {
    use calamine::{Data, Reader};
    let account = account();
    let export = ["export", "assets", "-o", "inventory.xlsx", "--name", "nightly", "--incremental"];
    account.run(&export).exits(0);
    account.request("PUT", "assets/2", Some(&json!({"purchase_cost": 1299})));
    account.run(&export).exits(0);
    let mut book = calamine::open_workbook_auto(account.path("inventory.xlsx")).unwrap();
    let changes = book.worksheet_range("Changes").unwrap();
    let row = changes.rows().find(|row| row[4] == Data::String(String::from("purchase_cost"))).unwrap();
    assert_eq!(row[6], Data::Float(1299.0), "{row:?}");
}

#[test]
fn invalid_options_are_rejected_before_any_request() {
    let account = account();
    insta::assert_snapshot!(account.transcript(&[
        &["export", "-o", "a.csv"],
        &["export", "assets"],
        &["export", "asets", "-o", "a.csv"],
        &["export", "assets", "-o", "a.txt.gz"],
        &["export", "assets", "employees", "-o", "a.csv"],
        &["export", "assets", "-o", "no/such/a.csv"],
        &["export", "assets", "-o", "a-{day}.csv"],
        &["export", "assets", "-o", "{tenant}.csv"],
        &["export", "assets", "-o", "a.csv", "--keep", "3"],
        &["export", "assets", "-o", "a.csv", "--columns", "asset_tag"],
        &["export", "--name", "nightly"],
        &["export", "checkout_asset", "-o", "a.csv"],
        &["export", "assets", "-o", "a.csv", "--delimiter", "x"],
        &["export", "assets", "-o", "a.csv", "--since", "1/2/24"],
    ]), @"
    $ tallyport export -o a.csv
    exit code 2
    --- stderr
    error: no collections to export
      hint: name collections such as `assets`, or pass --all
    $ tallyport export assets
    exit code 2
    --- stderr
    error: no output given
      hint: pass -o with a file, a folder, or - for stdout
    $ tallyport export asets -o a.csv
    exit code 2
    --- stderr
    error: unknown collection `asets`
      hint: did you mean `assets`? `tallyport schema` lists all names
    $ tallyport export assets -o a.txt.gz
    exit code 2
    --- stderr
    error: cannot tell the file type of `a.txt.gz`
      hint: use a name that ends in .xlsx, .csv, .tsv, .txt, .jsonl or .parquet, or in / for a folder
    $ tallyport export assets employees -o a.csv
    exit code 2
    --- stderr
    error: a file of this type holds one collection
      hint: end the path with / for one file per collection, or with .xlsx for one workbook
    $ tallyport export assets -o no/such/a.csv
    exit code 2
    --- stderr
    error: cannot write `no/such/a.csv`: the folder `no/such` does not exist
      hint: create the folder `no/such` first
    $ tallyport export assets -o a-{day}.csv
    exit code 2
    --- stderr
    error: unknown placeholder `{day}`
      hint: use {date}, {time}, {tenant} or {name}
    $ tallyport export assets -o {tenant}.csv
    exit code 2
    --- stderr
    error: {tenant} needs a tenant, and none is selected
      hint: pass --tenant or --all-tenants, or leave {tenant} out
    $ tallyport export assets -o a.csv --keep 3
    exit code 2
    --- stderr
    error: older files can be kept only if the file name contains {date} or {time}
      hint: add {date} to the name, such as nightly-{date}.xlsx
    $ tallyport export assets -o a.csv --columns asset_tag
    exit code 2
    --- stderr
    error: `assets` has no column `asset_tag`
      hint: choose from id, asset_id, asset_name, asset_serial, warranty_expiration_date, end_of_life_date, order_number, purchase_date, purchase_cost, currency, product_id, product_name, status_id, status_name, supplier_id, supplier_name, location_id, location_name, department_id, department_name, logo, notes, category_id, category_name, manufacturer_id, manufacturer_name, checkout_date, deployed_to_name, deployed_to, custom:Rack, created_at, updated_at
    $ tallyport export --name nightly
    exit code 2
    --- stderr
    error: config.toml has no export named `nightly`
      hint: add [exports.nightly] to it, or name collections to export
    $ tallyport export checkout_asset -o a.csv
    exit code 2
    --- stderr
    error: `checkout_asset` cannot be exported
      hint: export a collection, or `activity` for the activity log
    $ tallyport export assets -o a.csv --delimiter x
    exit code 2
    --- stderr
    error: invalid delimiter `x`
      hint: use `,`, `;`, `|` or `tab`
    $ tallyport export assets -o a.csv --since 1/2/24
    exit code 2
    --- stderr
    error: invalid date `1/2/24`
      hint: use YYYY-MM-DD, such as 2025-12-31
    ");
}

#[test]
fn flags_of_csv_files_are_refused_for_others() {
    let account = account();
    for flag in [&["--bom"][..], &["--delimiter", ";"], &["--raw"]] {
        for output in [&["a.xlsx"][..], &["a/", "--format", "jsonl"]] {
            let refused = account.run(&[&["export", "assets", "-o"], output, flag].concat()).exits(2);
            let expected = format!(
                "error: {} works only with CSV files\n  hint: leave it out, or name a .csv file with -o\n",
                flag[0]
            );
            assert_eq!(refused.stderr, expected);
        }
        account.run(&[&["export", "assets", "-o", "out/"], flag].concat()).exits(0);
        account.run(&[&["export", "assets", "-o", "a.txt"], flag].concat()).exits(0);
    }
    // What config.toml says is for the output there, and that can be another one for once.
    fs::create_dir_all(account.path("config/tallyport")).unwrap();
    let config = "[exports.list]\ncollections = [\"assets\"]\noutput = \"list.csv\"\nbom = true\n";
    fs::write(account.path("config/tallyport/config.toml"), config).unwrap();
    account.run(&["export", "--name", "list"]).exits(0);
    account.run(&["export", "--name", "list", "-o", "list.xlsx"]).exits(0);
    fs::write(account.path("config/tallyport/config.toml"), config.replace("list.csv", "list.xlsx")).unwrap();
    let refused = account.run(&["export", "--name", "list"]).exits(2);
    assert!(
        refused.stderr.contains("`bom` of [exports.list] in config.toml works only with CSV files"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_failed_export_leaves_the_previous_file() {
    let account = account();
    fs::write(account.path("assets.csv"), "yesterday").unwrap();
    let mut command = account.command(&["export", "assets", "-o", "assets.csv", "--force"]);
    let output = command.env("BLUETALLY_API_KEY", "wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_to_string(account.path("assets.csv")).unwrap(), "yesterday");
    let names: Vec<_> = fs::read_dir(account.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".part")), "{names:?}");
}

#[test]
fn a_named_export_uses_config_toml() {
    let account = account();
    fs::create_dir_all(account.path("config/tallyport")).unwrap();
    let config = "[exports.finance]\ncollections = [\"assets\"]\noutput = \"{name}-{date}.csv\"\ncolumns = [\"asset_id\"]\n\
                  where = [\"location=Berlin\"]\n";
    fs::write(account.path("config/tallyport/config.toml"), config).unwrap();
    for day in ["2020-01-01", "2020-01-02", "2020-01-03"] {
        account.run(&["export", "--name", "finance", "-o", &format!("finance-{day}.csv")]).exits(0);
    }
    fs::write(account.path("config/tallyport/config.toml"), format!("{config}keep = 2\n")).unwrap();
    let (code, document) = account.json(&["export", "--name", "finance"]);
    assert_eq!((code, &document["deleted_files"]), (0, &json!(2)));
    let path = document["files"][0]["path"].as_str().unwrap();
    assert_eq!(fs::read_to_string(account.path(path)).unwrap(), "asset_id\r\n0042\r\n");
    assert!(account.path("finance-2020-01-03.csv").exists() && !account.path("finance-2020-01-02.csv").exists());
    // Flags override config.toml.
    account.run(&["export", "--name", "finance", "--columns", "id", "-o", "typed.csv", "--keep", "1"]).exits(2);
    fs::write(
        account.path("config/tallyport/config.toml"),
        "[exports.finance]\ncollections = [\"assets\"]\noutptu = \"a.csv\"\n",
    )
    .unwrap();
    assert_output!(account.run(&["export", "--name", "finance"]), @"
    exit code 2
    --- stderr
    error: `~/config/tallyport/config.toml`, line 3: unknown field `outptu`, expected one of `collections`, `all`, `output`, `format`, `partitioned`, `profile`, `tenant`, `ids`, `columns`, `where`, `sort`, `since`, `from`, `to`, `type`, `event`, `user`, `employee`, `item`, `bom`, `delimiter`, `raw`, `full`, `verify`, `incremental`, `force`, `keep`, `all_tenants`, `as_of`, `rates`, `previous`
      hint: correct the line; `tallyport doctor` checks the file
    ");
}

#[test]
fn what_is_wrong_in_config_toml_is_told_as_it_stands_there() {
    let account = account();
    fs::create_dir_all(account.path("config/tallyport")).unwrap();
    for (config, message, hint) in [
        (
            "[exports.n]\ncollections = [\"register\"]\noutput = \"r.xlsx\"\nas_of = 2026-01-01\n",
            "`~/config/tallyport/config.toml`, line 4: expected a text, found a date",
            "put the date in quotes, such as \"2026-12-31\"",
        ),
        (
            "default_profile = \"zz\"\n[exports.n]\ncollections = [\"assets\"]\noutput = \"a.csv\"\n",
            "there is no profile `zz` in `~/config/tallyport/config.toml`",
            "add it as `[profiles.zz]`, or leave out `default_profile`",
        ),
        (
            "[exports.n]\nprofile = \"zz\"\ncollections = [\"assets\"]\noutput = \"a.csv\"\n",
            "there is no profile `zz` in `~/config/tallyport/config.toml`",
            "add it as `[profiles.zz]`, or leave out `profile` of [exports.n] in config.toml",
        ),
        (
            "[exports.n]\ncollections = [\"assets\"]\noutput = \"a.csv\"\nformat = \"xlsx\"\n",
            "the name `a.csv` says csv, and `format` of [exports.n] in config.toml says xlsx",
            "end the name in .xlsx, or leave out `format` of [exports.n] in config.toml",
        ),
        (
            "[exports.n]\ncollections = [\"register\"]\noutput = \"old.xlsx\"\nprevious = \"old.xlsx\"\n",
            "the register would overwrite the earlier register `old.xlsx`",
            "name another file with `output` of [exports.n] in config.toml",
        ),
    ] {
        fs::write(account.path("config/tallyport/config.toml"), config).unwrap();
        let refused = account.run(&["export", "--name", "n"]).exits(2);
        assert_eq!(refused.redacted(), format!("exit code 2\n--- stderr\nerror: {message}\n  hint: {hint}\n"));
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_told_with_what_can_be_done() {
    let account = account();
    fs::create_dir_all(account.path("ff/assets.csv")).unwrap();
    let refused = account.run(&["export", "assets", "locations", "-o", "ff/"]).exits(2);
    let expected =
        "error: cannot write `ff/assets.csv`: it is a folder\n  hint: name another file, or move that folder away\n";
    assert_eq!(refused.stderr, expected);
}

#[test]
fn a_failing_tenant_does_not_stop_the_others() {
    let tenants = vec![(7, "Acme".to_owned()), (9, "Globex".to_owned())];
    let account = CliTest::with(SandboxOptions { tenants, ..SandboxOptions::default() });
    let both = account.run(&["export", "locations", "-o", "-", "--all-tenants"]).exits(0);
    let rows = columns_of(&both.stdout, &["tenant_id", "tenant_name"]);
    assert!(rows.contains(&vec!["7".into(), "Acme".into()]) && rows.contains(&vec!["9".into(), "Globex".into()]));
    account.run(&["export", "locations", "-o", "out-{tenant}.csv", "--all-tenants"]).exits(0);
    assert!(account.path("out-7.csv").exists() && account.path("out-9.csv").exists());
    // The output folder of one tenant does not exist.
    fs::create_dir_all(account.path("places/9")).unwrap();
    let (code, document) = account.json(&["export", "locations", "-o", "places/{tenant}/list.csv", "--all-tenants"]);
    assert_eq!((code, document["files"].as_array().unwrap().len()), (1, 1));
    assert!(account.path("places/9/list.csv").exists());
    let failed = &document["failed_tenants"][0];
    assert_eq!(failed["tenant"], "7 (Acme)");
    assert!(failed["reason"].as_str().unwrap().contains("the folder `places/7` does not exist"), "{failed}");
}

#[test]
fn messages_can_be_json_lines() {
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
fn an_exported_workbook_imports_unchanged() {
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

#[test]
fn files_that_tallyport_did_not_write_need_force() {
    let account = account().sheet("mine.csv", "my notes\n").sheet("rows.csv", "asset_id\nA-2\n");
    let export = ["export", "assets", "-o", "mine.csv", "--columns", "asset_id"];
    assert_output!(account.run(&export), @"
    exit code 2
    --- stderr
    error: `mine.csv` exists already, and tallyport did not write it
      hint: name another file, or pass --force to replace this one
    ");
    assert_eq!(fs::read_to_string(account.path("mine.csv")).unwrap(), "my notes\n");
    account.run(&[export.as_slice(), &["--force"]].concat()).exits(0);
    account.run(&export).exits(0);
    fs::write(account.path("mine.csv"), "asset_id\nedited\n").unwrap();
    let refused = account.run(&export).exits(2);
    assert!(refused.stderr.contains("`mine.csv` was edited since tallyport wrote it"), "{}", refused.stderr);
    // The same for results, offline and online.
    for command in [["check", "rows.csv", "--entity", "assets"], ["import", "rows.csv", "--entity", "assets"]] {
        let result = ["--mode", "update", "--result", "mine.csv"];
        let arguments = [command.as_slice(), &result].concat();
        assert!(account.run(&arguments).exits(2).stderr.contains("--force"));
        account.run(&[arguments.as_slice(), &["--force"]].concat()).exits(0);
        account.run(&arguments).exits(0);
        fs::write(account.path("mine.csv"), "edited").unwrap();
    }
}

#[test]
fn filters_that_cannot_match_are_refused() {
    let account = account();
    let export = ["export", "assets", "-o", "a.csv", "--where"];
    let refused = |filters: &[&str]| {
        let refused = account.run(&[&export[..], filters].concat()).exits(2);
        assert!(!account.path("a.csv").exists());
        refused.stderr
    };
    for (filters, expected) in [
        (
            &["custom:Shelf=1"][..],
            "error: no record of assets has a custom field `Shelf`\n  hint: choose from custom:Rack\n",
        ),
        (
            &["deployed_to_name=Ada Byron"],
            "error: assets cannot be filtered by a value of `deployed_to`, which holds several\n  hint: export without it: \
             the column `deployed_to_name` has the names; `deployed_to=` finds records without any\n",
        ),
        (
            &["status=Deployable", "--where", "status_id=7"],
            "error: two filters for `status_id` of assets\n  hint: a record has to match every filter: export each value to a \
             file of its own\n",
        ),
    ] {
        assert_eq!(refused(filters), expected);
    }
    let text = account.run(&["export", "assets", "-o", "-", "--columns", "asset_id", "--where", "custom:RACK=B4"]);
    assert_eq!(text.exits(0).stdout, "asset_id\r\n0042\r\n");
}

#[test]
fn the_name_of_a_file_says_what_is_in_it() {
    let account = account();
    account.run(&["export", "assets", "-o", "a.tsv", "--columns", "asset_id,notes"]).exits(0);
    assert!(fs::read_to_string(account.path("a.tsv")).unwrap().starts_with("asset_id\tnotes\r\n0042\t\r\n"));
    for export in [&["export", "assets"][..], &["export", "register"]] {
        let refused = account.run(&[export, &["-o", "a.csv", "--format", "xlsx"]].concat()).exits(2);
        let expected = "error: the name `a.csv` says csv, and --format says xlsx\n  hint: end the name in .xlsx, or leave out --format\n";
        assert_eq!(refused.stderr, expected);
    }
    assert!(!account.path("a.csv").exists());
}

#[test]
fn keep_deletes_only_what_the_export_wrote() {
    let account = account();
    let export = ["export", "assets", "--name", "inventory", "-o"];
    for day in ["2020-01-01", "2020-01-02", "2020-01-03"] {
        account.run(&[&export[..], &[&format!("out/{day}/inv/")]].concat()).exits(0);
    }
    let write = |path: &str| {
        fs::create_dir_all(account.path(path).parent().unwrap()).unwrap();
        fs::write(account.path(path), "x").unwrap();
    };
    let others = ["out/2020-01-02/inv/budget.csv", "out/2020-01-02/contract.xlsx", "out/2999-01-01/inv/assets.csv"];
    // Edited, somebody else's under a name of this export, and of another export.
    let old = ["out/2020-01-03/inv/assets.csv", "out/2020-01-04/inv/assets.csv", "out/2020-01-05/inv/assets.csv"];
    others.iter().chain(&old[..2]).for_each(|path| write(path));
    account.run(&["export", "assets", "-o", "out/2020-01-05/inv/"]).exits(0);
    let report = account.json(&[&export[..], &["out/{date}/inv/", "--keep", "1"]].concat()).1;
    assert_eq!(report["deleted_files"], 2);
    assert!(!account.path("out/2020-01-01").exists() && !account.path("out/2020-01-02/inv/assets.csv").exists());
    assert!(others.iter().chain(&old).all(|path| account.path(path).exists()));
    assert!(account.path(report["files"][0]["path"].as_str().unwrap()).exists());
    let warning = format!(
        "--keep leaves 3 older files that this export has not written, by the list in the state folder, or that were edited \
         since: `{}`, `{}`, `{}`",
        old[0], old[1], old[2]
    );
    assert_eq!(report["warnings"], json!([warning]));
}

#[test]
fn data_and_summary_do_not_share_standard_output() {
    assert_output!(account().run(&["export", "assets", "-o", "-", "--json"]), @r#"
    exit code 2
    --- stdout
    {"error":{"message":"the data and the summary (--json) cannot both go to stdout","hint":"write to a file, or leave out --json: the summary then goes to stderr","exit_code":2}}
    --- stderr
    error: the data and the summary (--json) cannot both go to stdout
      hint: write to a file, or leave out --json: the summary then goes to stderr
    "#);
}

#[test]
fn amounts_and_ids_are_numbers_to_filters_and_sorting() {
    let mut account = account();
    for number in 4..=12 {
        account = account.holds("assets", json!({"asset_id": format!("A-{number}"), "product_id": 1, "status_id": 1}));
    }
    let ids = |arguments: &[&str]| {
        let ran = account.run(&[&["export", "assets", "-o", "-", "--columns", "id"], arguments].concat()).exits(0);
        csv_of(&ran.stdout)[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["--where", "purchase_cost=1299.00"]), ["1"]);
    assert_eq!(ids(&["--where", "purchase_cost=5.0"]), ["3"]);
    assert_eq!(ids(&["--sort", "id:desc"])[..4], ["12", "11", "10", "9"]);
    assert_output!(account.run(&["export", "activity", "-o", "-", "--from", "2026-02-01", "--to", "2026-01-01"]), @"
    exit code 2
    --- stderr
    error: the period ends before it begins: from 2026-02-01 to 2026-01-01
      hint: swap --from and --to
    ");
}

#[test]
fn rows_are_sorted_by_any_column_of_the_collection_and_by_no_other() {
    let account = account();
    let tags = |sort: &str| {
        let ran = account.run(&["export", "assets", "-o", "-", "--columns", "asset_id", "--sort", sort]).exits(0);
        csv_of(&ran.stdout)[1..].concat()
    };
    assert_eq!(tags("purchase_cost"), ["A-3", "0042", "A-2"]);
    assert_eq!(tags("location_name:desc"), ["A-2", "0042", "A-3"]);
    assert_eq!(tags("custom:Rack"), ["0042", "A-2", "A-3"]);
    // One of several collections has it.
    account.run(&["export", "assets", "locations", "-o", "a.xlsx", "--sort", "city"]).exits(0);
    insta::assert_snapshot!(account.transcript(&[
        &["export", "assets", "locations", "-o", "b.xlsx", "--sort", "purchase_cots"],
        &["export", "assets", "-o", "b.csv", "--sort", "locations.name"],
    ]), @"
    $ tallyport export assets locations -o b.xlsx --sort purchase_cots
    exit code 2
    --- stderr
    error: none of the collections has a column `purchase_cots` to sort by
      hint: sort by a column that an export without --columns has
    $ tallyport export assets -o b.csv --sort locations.name
    exit code 2
    --- stderr
    error: the sort order by `name` is for locations, which is not exported
      hint: export that collection too, or leave out --sort
    ");
    assert!(!account.path("b.xlsx").exists());
}

#[test]
fn zone_names_are_read_and_unknown_ones_are_told() {
    let account = account();
    let day_in = |zone: &str| {
        let mut command = account.command(&["export", "statuses", "-o", "{date}-{time}/", "--json"]);
        let ran = CommandOutput::run(command.env("TZ", zone)).exits(0);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        (report["files"][0]["path"].as_str().unwrap()[..10].to_owned(), ran.stderr)
    };
    // A day apart at any time.
    let (east, west) = (day_in("Pacific/Kiritimati"), day_in("Pacific/Pago_Pago"));
    assert!(east.0 > west.0, "{east:?} {west:?}");
    assert!(!east.1.contains("time zone"));
    assert!(day_in("Asia/Tokio").1.contains("warning: TZ names an unknown time zone, `Asia/Tokio`"));
}

#[test]
fn log_lines_of_an_export_are_all_json() {
    let ran = account().run(&["export", "statuses", "-o", "a.csv", "--log-format", "json", "-vv"]).exits(0);
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().contains("status=200")), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_into() {
    let account = account();
    assert!(std::process::Command::new("mkfifo").arg(account.path("pipe")).status().unwrap().success());
    let path = account.path("pipe");
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    account.run(&["export", "statuses", "-o", "pipe", "--format", "csv", "--columns", "name"]).exits(0);
    assert_eq!(reader.join().unwrap(), "name\r\nReady\r\n");
}

#[test]
fn verify_says_whether_the_local_copy_equals_the_service() {
    let account = CliTest::new().with_lookups();
    account.run(&["export", "statuses", "categories", "-o", "first/"]).exits(0);
    let (code, summary) = account.json(&["export", "statuses", "categories", "-o", "second/", "--verify"]);
    assert_eq!((code, &summary["verified"]), (0, &json!({"compared": 2, "different": 0})), "{summary}");
    let (_, summary) = account.json(&["export", "statuses", "-o", "third.csv"]);
    assert!(summary["verified"].is_null());
}

#[test]
fn audits_name_an_asset_by_the_tag_that_it_has_now() {
    let audit = json!({
        "audit_date": "2026-03-02", "scheduled": false, "completed": true, "asset_id": "A-2", "user_id": 1,
    });
    let account = account().holds("audits", audit);
    let export = ["export", "--all", "-o", "nightly/"];
    // The second one lets collections take turns.
    (0..2).for_each(|_| drop(account.run(&export).exits(0)));
    account.request("PUT", "assets/2", Some(&json!({"asset_id": "NEW-2"})));
    account.run(&export).exits(0);
    let audits = fs::read_to_string(account.path("nightly/audits.csv")).unwrap();
    assert_eq!(columns_of(&audits, &["asset_id"]), [["asset_id"], ["NEW-2"]]);
}

#[test]
fn a_change_is_told_with_the_entry_of_the_log_that_may_be_its_reason() {
    let account = account();
    let export = |more: &[&str]| {
        account.run(&[&["export", "assets", "-o", "n.csv", "--incremental"], more].concat()).exits(0);
        let text = fs::read_to_string(account.path("n.changes.csv")).unwrap();
        columns_of(&text, &["change", "field", "event"])[1..].iter().map(|row| row.join("|")).collect::<Vec<_>>()
    };
    let in_berlin = ["--name", "berlin", "--where", "location=Berlin", "--force"];
    export(&["--name", "all"]);
    export(&in_berlin);
    account.request("PUT", "assets/2", Some(&json!({"purchase_cost": 1, "location_id": 1})));
    let checkout = json!({"asset_id": "A-2", "employee_id": 1, "checkout_date": "2026-11-03"});
    assert_eq!(account.request("POST", "checkout/asset", Some(&checkout)).0, 200);
    assert_eq!(export(&in_berlin), ["entered||Checkout"], "which may set the location as well");
    let expected = [
        "changed|purchase_cost|Update", "changed|location_name|Checkout", "changed|checkout_date|Checkout",
        "changed|deployed_to_name|Checkout", "changed|deployed_to|Checkout",
    ];
    assert_eq!(export(&["--name", "all", "--force"]), expected);
    account.request("DELETE", "assets/3", None);
    assert_eq!(export(&["--name", "all"]), ["removed||Delete"]);
}

#[test]
fn records_enter_leave_and_change_with_what_they_copy_from_others() {
    let account = account()
        .holds("categories", json!({"name": "Phones", "type": "asset"}))
        .holds("products", json!({"name": "Pixel", "category_id": 2}))
        .holds("assets", json!({"asset_id": "P-1", "product_id": 2, "status_id": 1}));
    let export = |more: &[&str]| {
        account.run(&[&["export", "assets", "-o", "n.csv", "--incremental", "--force"], more].concat()).exits(0);
        let text = fs::read_to_string(account.path("n.changes.csv")).unwrap();
        let headers = ["id", "change", "field", "before", "after", "event"];
        columns_of(&text, &headers)[1..].iter().map(|row| row.join("|")).collect::<Vec<_>>()
    };
    let (all, laptops) = (["--name", "all"], ["--name", "laptops", "--where", "category=Laptops"]);
    export(&all);
    export(&laptops);
    for (product, category) in [(1, 2), (2, 1)] {
        account.request("PUT", &format!("products/{product}"), Some(&json!({"category_id": category})));
    }
    account.request("PUT", "assets/2", Some(&json!({"notes": "private"})));
    account.request("DELETE", "assets/3", None);
    assert_eq!(export(&laptops), ["1|left||||", "2|left||||", "3|removed||||Delete", "4|entered||||"]);
    let category = |id: i64, [before, after]: [&str; 2]| format!("{id}|changed|category_name|{before}|{after}|");
    let expected = [
        category(1, ["Laptops", "Phones"]),
        String::from("2|changed|notes|a,\"b\"\nc|private|Update"),
        category(2, ["Laptops", "Phones"]),
        String::from("3|removed||||Delete"),
        category(4, ["Phones", "Laptops"]),
    ];
    assert_eq!(export(&all), expected);
    assert!(export(&laptops).is_empty() && export(&all).is_empty());
}

/// The list of assets that the service sorts by their last change does not show that a product has changed.
#[test]
fn records_that_are_not_read_again_leave_with_what_they_copy_from_others() {
    let options = SandboxOptions { seed: Seed::Empty, page_limit: 50, ..SandboxOptions::default() };
    let asset = |tag: String, product: i64| json!({"asset_id": tag, "product_id": product, "status_id": 1});
    let account = CliTest::with(options)
        .with_lookups()
        .holds("categories", json!({"name": "Phones", "type": "asset"}))
        .holds("products", json!({"name": "Pixel", "category_id": 2}))
        .holds("assets", asset(String::from("L-1"), 1));
    let account = (0..55).fold(account, |account, number| account.holds("assets", asset(format!("P-{number}"), 2)));
    let export =
        ["export", "assets", "-o", "laptops.csv", "--incremental", "--name", "laptops", "--where", "category=Laptops"];
    account.run(&export).exits(0);
    account.request("PUT", "products/1", Some(&json!({"category_id": 2})));
    let report = account.json(&export).1;
    assert_eq!((&report["changes"]["left"], &report["changes"]["rows"]), (&json!(1), &json!(1)), "{report}");
    let text = fs::read_to_string(account.path("laptops.changes.csv")).unwrap();
    assert_eq!(columns_of(&text, &["record", "change"])[1..], [["L-1", "left"]]);
}

#[test]
fn a_custom_field_that_no_record_has_any_more_is_gone() {
    let account = account();
    let rack = |more: &[&str]| {
        account.run(&[&["export", "assets", "-o", "assets.csv"], more].concat()).exits(0);
        fs::read_to_string(account.path("assets.csv")).unwrap().contains("custom:Rack")
    };
    assert!(rack(&[]));
    account.request("DELETE", "assets/1", None);
    assert!(!rack(&["--full"]));
}

/// A nightly job must not fail because the last record with the field that it is about is gone.
#[test]
fn an_export_about_a_custom_field_outlives_the_last_record_with_it() {
    let account = account();
    let with_rack = [
        "export", "assets", "-o", "rack.csv", "--name", "rack", "--incremental", "--where", "custom:Rack=B4",
        "--columns", "asset_id,custom:Rack", "--sort", "custom:Rack",
    ];
    let all = ["export", "assets", "-o", "all.csv", "--name", "all", "--incremental"];
    account.run(&with_rack).exits(0);
    account.run(&all).exits(0);
    account.request("PUT", "assets/1", Some(&json!({"custom_fields": "[]"})));
    let changes = |file: &str| {
        let text = fs::read_to_string(account.path(file)).unwrap();
        columns_of(&text, &["change", "field", "before"])[1..].iter().map(|row| row.join("|")).collect::<Vec<_>>()
    };
    let first = account.run(&with_rack).exits(0);
    assert!(first.stderr.contains("no record of assets has a custom field `Rack` any more"), "{}", first.stderr);
    assert!(first.stderr.contains("no record of assets has `custom:Rack` any more: the column"), "{}", first.stderr);
    assert_eq!(changes("rack.changes.csv"), ["left||"]);
    account.run(&all).exits(0);
    assert_eq!(changes("all.changes.csv"), ["changed|custom:Rack|B4"]);
    account.run(&with_rack).exits(0);
    assert_eq!(fs::read_to_string(account.path("rack.csv")).unwrap(), "asset_id,custom:Rack\r\n");
    let unknown = account.run(&["export", "assets", "-o", "-", "--where", "custom:Rakc=B4"]).exits(2);
    assert!(unknown.stderr.contains("no record of assets has a custom field `Rakc`"), "{}", unknown.stderr);
}
