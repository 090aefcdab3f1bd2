//! `import`: from spreadsheets to records.

use serde_json::json;

use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, assert_output, sheet_rows};

const ASSETS: &str = "asset_id,asset_name,product,status,purchase_cost,purchase_date,notes\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready,1299,2024-05-01,first\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready,1399,2024-05-02,\n";

#[test]
fn rows_become_records_and_a_second_upsert_writes_nothing() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv"]), @r#"
    exit code 0
    --- stdout
    Import of assets.csv: all 2 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, asset_name, product → product_id, status → status_id, purchase_cost,
                purchase_date, notes
      requests  8: 6 to look up, 2 to create or move
      result    assets.result.xlsx
    "#);
    let asset = account.record("assets", "asset_id", "LAP-1");
    assert_eq!(asset["asset_name"], "Ada's laptop");
    assert_eq!(asset["purchase_cost"], 1299);
    assert_eq!(asset["product_id"], 1);
    let (code, second) = account.json(&["import", "assets.csv"]);
    assert_eq!((code, &second["counts"]["unchanged"]), (0, &json!(2)), "{second}");
    let kinds: Vec<&String> = second["requests"]["by_kind"].as_object().unwrap().keys().collect();
    assert!(kinds.iter().all(|kind| kind.starts_with("GET ")), "{kinds:?}");
}

#[test]
fn an_update_sends_only_what_differs() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    let changed = account.sheet("changed.csv", "asset_id,asset_name,notes\nLAP-1,Ada's laptop,changed\nLAP-2,,\n");
    let (code, summary) = changed.json(&["import", "changed.csv", "--entity", "assets"]);
    assert_eq!(
        (code, &summary["counts"]["updated"], &summary["counts"]["unchanged"]),
        (0, &json!(1), &json!(1)),
        "{summary}"
    );
    let asset = changed.record("assets", "asset_id", "LAP-1");
    assert_eq!((&asset["notes"], &asset["purchase_cost"]), (&json!("changed"), &json!(1299)));
    assert_eq!(changed.record("assets", "asset_id", "LAP-2")["asset_name"], "Bob's laptop", "blank is not clear");
}

#[test]
fn half_a_name_that_is_cleared_or_blank_changes_no_name() {
    let header = "First Name,Last Name,Email,Title\n";
    let account = CliTest::new()
        .sheet("people.csv", &format!("{header}Ada,Byron,ada@example.com,Boss\n"))
        .sheet("cleared.csv", &format!("{header}Ada,<clear>,ada@example.com,<clear>\n"))
        .sheet("blank.csv", &format!("{header}Ada,,ada@example.com,<clear>\nBob,,bob@example.com,\n"));
    let import =
        |file: &str| account.json(&["import", file, "--entity", "employees", "--result", "result.xlsx", "--force"]);
    assert_eq!(import("people.csv").0, 0);
    let (code, cleared) = import("cleared.csv");
    assert_eq!((code, &cleared["problems"][0]["code"]), (1, &json!("clear.not_allowed")), "{cleared}");
    let example = &cleared["problems"][0]["examples"][0];
    assert_eq!((&example["cell"], &example["found"]), (&json!("B2"), &json!("<clear>")), "{example}");
    let (code, blank) = import("blank.csv");
    let people: Vec<_> =
        account.records("employees").iter().map(|it| [it["name"].clone(), it["title"].clone()]).collect();
    assert_eq!((code, people), (0, vec![[json!("Ada Byron"), json!(null)], [json!("Bob"), json!(null)]]), "{blank}");
    let rows = sheet_rows(&account.path("result.xlsx"), "blank");
    assert_eq!(rows[1][2], "`name` stays `Ada Byron`: `Last Name` is blank");
}

#[test]
fn clear_empties_a_field() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    let account = account.sheet("clear.csv", "asset_id,notes\nLAP-1,<clear>\n");
    account.run(&["import", "clear.csv", "--entity", "assets"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "LAP-1")["notes"], json!(null));
}

#[test]
fn create_and_update_modes_reject_other_rows() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv", "--mode", "update"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 2 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 failed (assets)

    2 problems in 2 rows
           2 × there is no such record in `asset_id` (record.missing)
               A2 `LAP-1`, A3 `LAP-2`
               record not found in assets
               hint: correct the cell, or use --mode upsert to create it

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, asset_name, product → product_id, status → status_id, purchase_cost,
                purchase_date, notes
      requests  6: 6 to look up
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --mode update --only-failed
    "#);
    assert_output!(account.run(&["import", "assets.csv", "--mode", "create"]), @r#"
    exit code 0
    --- stdout
    Import of assets.csv: all 2 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, asset_name, product → product_id, status → status_id, purchase_cost,
                purchase_date, notes
      requests  8: 6 to look up, 2 to create or move
      result    assets.result-2.xlsx
    "#);
    assert_output!(account.run(&["import", "assets.csv", "--mode", "create"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 2 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 failed (assets)

    2 problems in 2 rows
           2 × the record already exists in `asset_id` (record.exists)
               A2 `LAP-1`, A3 `LAP-2`
               A2: record already exists: LAP-1
               hint: leave the row out, or use --mode upsert to update it

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, asset_name, product → product_id, status → status_id, purchase_cost,
                purchase_date, notes
      requests  6: 6 to look up
      result    assets.result-3.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result-3.xlsx --mode create --only-failed
    "#);
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn a_dry_run_sends_nothing_and_counts_the_same() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let (_, plan) = account.json(&["import", "assets.csv", "--dry-run"]);
    assert_output!(account.run(&["import", "assets.csv", "--dry-run"]), @r#"
    exit code 0
    --- stdout
    Dry run of assets.csv: all 2 rows would succeed, in 0.5 s
      2 rows: 2 to create (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, asset_name, product → product_id, status → status_id, purchase_cost,
                purchase_date, notes
      plan      2 requests, about 1.0 s at 10,000 an hour
      result    assets.result.xlsx
      next      tallyport import assets.csv
    "#);
    assert!(account.records("assets").is_empty());
    let (_, done) = account.json(&["import", "assets.csv"]);
    assert_eq!(plan["counts"], done["counts"]);
}

#[test]
fn missing_records_are_created_once() {
    let account = CliTest::new().holds("statuses", json!({"name": "Ready", "type": "deployable"})).sheet(
        "assets.csv",
        "Asset Tag,Model,Category,Manufacturer,Status,Location\n\
         A-1,ThinkPad X1,Laptops,Lenovo,Ready,Berlin\n\
         A-2,ThinkPad X1,Laptops,Lenovo,Ready,BERLIN\n\
         A-3,ThinkPad T14,Laptops,Lenovo,Ready,Bonn\n",
    );
    assert_output!(account.run(&["import", "assets.csv"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 3 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 3 failed (assets)

    6 problems in 3 rows
           3 × no record of that name in `Model` (name.not_found)
               B2 `ThinkPad X1`, B3 `ThinkPad X1`, B4 `ThinkPad T14`
               B2: `ThinkPad X1` not found in products
               hint: correct the name, or create it with --create-missing=products
           3 × no record of that name in `Location` (name.not_found)
               F2 `Berlin`, F3 `BERLIN`, F4 `Bonn`
               F2: `Berlin` not found in locations
               hint: correct the name, or create it with --create-missing=locations

      read      assets.csv as UTF-8, comma
      header    row 1: Asset Tag → asset_id, Model → product_id, Category → product_id.category_id,
                Manufacturer → product_id.manufacturer_id, Status → status_id, Location → location_id
      requests  12: 12 to look up
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --only-failed
    "#);
    assert_output!(account.run(&["import", "assets.csv", "--create-missing"]), @r#"
    exit code 0
    --- stdout
    Import of assets.csv: all 3 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 3 created (assets)
      read      assets.csv as UTF-8, comma
      header    row 1: Asset Tag → asset_id, Model → product_id, Category → product_id.category_id,
                Manufacturer → product_id.manufacturer_id, Status → status_id, Location → location_id
      requests  21: 12 to look up, 9 to create or move
      note      also created missing records: 1 category, 2 locations, 1 manufacturer, 2 products
      result    assets.result-2.xlsx
    "#);
    let count = |collection| account.records(collection).len();
    assert_eq!(
        (count("products"), count("categories"), count("manufacturers"), count("locations"), count("assets")),
        (2, 1, 1, 2, 3)
    );
    assert_eq!(account.records("categories")[0]["type"], "asset");
    assert_eq!(account.records("products")[0]["manufacturer_id"], 1);
}

#[test]
fn employees_are_never_created_implicitly() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", ASSETS)
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nLAP-1,Nobody Known,2024-06-01\n");
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    assert_output!(account.run(&["import", "checkout_asset.csv", "--create-missing"]), @r#"
    exit code 1
    --- stdout
    Import of checkout_asset.csv: 1 of 1 row failed, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 failed (checkout_asset)

    1 problem in 1 row
           1 × no record of that name in `employee` (name.not_found)
               B2 `Nobody Known`
               `Nobody Known` not found in employees
               hint: correct the name, or create it with --create-missing=employees

      read      checkout_asset.csv as UTF-8, comma
      header    row 1: asset_id, employee → employee_id, checkout_date
      requests  9: 9 to look up
      result    checkout_asset.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import checkout_asset.result.xlsx --create-missing --only-failed
    "#);
    assert!(account.records("employees").is_empty());
}

#[test]
fn sheets_are_imported_in_dependency_order() {
    let account = CliTest::new();
    let path = account.path("book.xlsx");
    workbook(
        &path,
        &[
            (
                "checkout_asset",
                &[&["asset_id", "employee", "checkout_date"], &["T-1", "ada@example.com", "2024-06-01"]],
            ),
            ("assets", &[&["asset_id", "product", "status"], &["T-1", "Phone 9", "Ready"]]),
            ("products", &[&["name", "category"], &["Phone 9", "Phones"]]),
            ("employees", &[&["name", "email"], &["Ada Byron", "ada@example.com"]]),
            ("statuses", &[&["name", "type"], &["Ready", "Deployable"]]),
            ("categories", &[&["name", "type"], &["Phones", "asset"]]),
        ],
    );
    let (code, plan) = account.json(&["import", "book.xlsx", "--dry-run"]);
    assert_eq!((code, &plan["counts"]["created"]), (0, &json!(6)), "{plan}");
    assert_output!(account.run(&["import", "book.xlsx"]), @"
    exit code 0
    --- stdout
    Import of book.xlsx: all 6 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      sheet           holds           rows  created
      statuses        statuses           1        1
      categories      categories         1        1
      employees       employees          1        1
      products        products           1        1
      assets          assets             1        1
      checkout_asset  checkout_asset     1        1
      total                              6        6
      header    row 1 of checkout_asset: asset_id, employee → employee_id, checkout_date
      header    row 1 of assets: asset_id, product → product_id, status → status_id
      header    row 1 of products: name, category → category_id
      header    row 1 of employees: name, email
      header    row 1 of statuses: name, type
      header    row 1 of categories: name, type
      requests  17: 11 to look up, 6 to create or move
      result    book.result.xlsx
    ");
    assert_eq!(account.record("assets", "asset_id", "T-1")["deployed_to"][0]["employee_id"], 1);
}

#[test]
fn an_ambiguous_name_shows_both_records() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "BERLIN"}))
        .sheet(
            "assets.csv",
            "asset_id,product,status,location\nA-1,MacBook Pro 14,Ready,berlin\nA-2,MacBook Pro 14,Ready,Berlin\n",
        );
    assert_output!(account.run(&["import", "assets.csv"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 created, 1 failed (assets)

    1 problem in 1 row
           1 × more than one record of that name in `location` (name.ambiguous)
               D2 `berlin`
               several locations match: Berlin (#1); BERLIN (#2)
               hint: write the id of the one you mean, such as `#12`

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id, location → location_id
      requests  9: 8 to look up, 1 to create or move
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --only-failed
    "#);
    assert_eq!(account.record("assets", "asset_id", "A-2")["location_id"], 1, "an exact match wins");
}

#[test]
fn requests_are_a_page_per_collection_the_end_of_each_and_one_write_per_row() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let (_, summary) = account.json(&["import", "assets.csv"]);
    assert_eq!(
        summary["requests"]["by_kind"],
        json!({"GET assets": 2, "GET products": 2, "GET statuses": 2, "POST assets": 2})
    );
}

#[test]
fn the_tenant_is_on_every_request() {
    let options = tallyport::sandbox::SandboxOptions {
        tenants: vec![(7, String::from("Acme")), (8, String::from("Other"))],
        seed: tallyport::sandbox::Seed::Empty,
        ..Default::default()
    };
    let account = CliTest::with(options).with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn limits_stop_a_run_before_it_starts() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_output!(account.run(&["import", "assets.csv", "--max-creates", "1"]), @"
    exit code 2
    --- stderr
    error: the plan would create 2 records, more than --max-creates allows; nothing was sent
      hint: look at the plan with --dry-run, or raise --max-creates
    ");
    assert!(account.records("assets").is_empty());
}

#[test]
fn checkouts_that_send_email_require_confirmation() {
    let account = CliTest::new()
        .holds("categories", json!({"name": "Laptops", "type": "asset", "checkout_email": true}))
        .holds("products", json!({"name": "MacBook Pro 14", "category_id": 1}))
        .holds("statuses", json!({"name": "Ready", "type": "deployable"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .sheet("assets.csv", ASSETS)
        .sheet(
            "checkout_asset.csv",
            "asset_id,employee,checkout_date\nLAP-1,Ada Byron,2024-06-01\nLAP-2,Ada Byron,2024-06-01\n",
        );
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    assert_output!(account.run(&["import", "checkout_asset.csv"]), @"
    exit code 2
    --- stderr
    error: this run will send 2 e-mails to 1 person; nothing was sent
      hint: pass --yes to confirm
    ");
    assert_output!(account.run(&["import", "checkout_asset.csv", "--yes"]), @r#"
    exit code 0
    --- stdout
    Import of checkout_asset.csv: all 2 rows succeeded, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 created (checkout_asset)
      read      checkout_asset.csv as UTF-8, comma
      header    row 1: asset_id, employee → employee_id, checkout_date
      requests  11: 9 to look up, 2 to create or move
      result    checkout_asset.result.xlsx
    "#);
}

#[test]
fn only_failed_sends_only_unfinished_rows() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "asset_id,product,status\nA-1,MacBook Pro 14,Ready\nA-2,MacBok Pro 14,Ready\nA-3,MacBook Pro 14,Reddy\n",
    );
    assert_output!(account.run(&["import", "assets.csv"]), @r#"
    exit code 1
    --- stdout
    Import of assets.csv: 2 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 1 created, 2 failed (assets)

    2 problems in 2 rows
           1 × no record of that name in `product` (name.not_found)
               B3 `MacBok Pro 14`
               `MacBok Pro 14` not found in products
               hint: did you mean `MacBook Pro 14`? Or create it with --create-missing=products
           1 × no record of that name in `status` (name.not_found)
               C4 `Reddy`
               `Reddy` not found in statuses
               hint: did you mean `Ready`? Or create it with --create-missing=statuses

      read      assets.csv as UTF-8, comma
      header    row 1: asset_id, product → product_id, status → status_id
      requests  7: 6 to look up, 1 to create or move
      result    assets.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import assets.result.xlsx --only-failed
    "#);
    let rows = sheet_rows(&account.path("assets.result.xlsx"), "assets");
    assert_eq!(rows[0][..4], ["_status", "_id", "_message", "asset_id"]);
    assert_eq!(rows[1][..2], ["created", "1"]);
    assert_eq!(rows[2][0], "failed");
    // The user fixes one of the two cells in the result file.
    let fixed: Vec<Vec<&str>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| if cell == "MacBok Pro 14" { "MacBook Pro 14" } else { cell }).collect())
        .collect();
    let borrowed: Vec<&[&str]> = fixed.iter().map(Vec::as_slice).collect();
    workbook(&account.path("fixed.xlsx"), &[("assets", &borrowed)]);
    let (code, summary) = account.json(&["import", "fixed.xlsx", "--only-failed"]);
    assert_eq!(code, 1);
    assert_eq!(
        (&summary["counts"]["created"], &summary["counts"]["failed"], &summary["counts"]["skipped"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let again = sheet_rows(&account.path("fixed.result.xlsx"), "assets");
    let statuses: Vec<&str> = again.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(statuses, ["_status", "created", "created", "failed"]);
    assert_eq!(again[0].len(), rows[0].len(), "results never grow columns");
}

#[test]
fn ids_of_another_system_overwrite_nothing() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    let account = account.sheet("foreign.csv", "id,asset_id,asset_name\n2,LAP-1,Other name\n");
    assert_output!(account.run(&["import", "foreign.csv", "--entity", "assets"]), @r#"
    exit code 1
    --- stdout
    Import of foreign.csv: 1 of 1 row failed, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 failed (assets)

    1 problem in 1 row
           1 × the name and the id are two different records in `id` (name.conflict)
               A2 `2`
               id and row disagree; the id is LAP-2, the row describes LAP-1
               hint: correct the id, or --ignore the column if it holds another system's ids

      read      foreign.csv as UTF-8, comma
      header    row 1: id → _id, asset_id, asset_name
      requests  2: 2 to look up
      result    foreign.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import foreign.result.xlsx --entity assets --only-failed
    "#);
    assert_eq!(account.record("assets", "asset_id", "LAP-1")["asset_name"], "Ada's laptop");
}

#[test]
fn row_actions_override_the_mode() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    account.run(&["import", "assets.csv", "--concurrency", "1"]).exits(0);
    let account = account.sheet(
        "actions.csv",
        "_action,asset_id,asset_name,product,status\nskip,LAP-1,No,,\ndelete,LAP-2,,,\ncreate,LAP-3,New,MacBook Pro 14,Ready\n",
    );
    let (code, summary) = account.json(&["import", "actions.csv", "--entity", "assets", "--yes"]);
    assert_eq!(code, 0, "{summary}");
    let tags: Vec<String> =
        account.records("assets").iter().map(|asset| asset["asset_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(tags, ["LAP-1", "LAP-3"]);
}

#[test]
fn where_a_cell_overrides_the_mode_the_hint_is_about_the_cell() {
    let account = CliTest::new().sheet("places.csv", "name,_action\nDepot,create\n");
    account.run(&["import", "places.csv", "--entity", "locations"]).exits(0);
    let account = account.sheet("places.csv", "name,_action\nDepot,create\nAnnex,update\n");
    let (_, summary) = account.json(&["import", "places.csv", "--entity", "locations", "--mode", "upsert"]);
    let hints = summary["problems"].as_array().unwrap().iter().map(|problem| &problem["examples"][0]["hint"]);
    assert_eq!(
        hints.collect::<Vec<_>>(),
        [
            "leave the row out, or write `upsert` in `_action` to update it",
            "correct the cell, or write `upsert` in `_action` to create it",
        ]
    );
}

#[test]
fn what_the_service_refuses_is_shown_with_the_cell() {
    let account = CliTest::new().with_lookups().sheet("kinds.csv", "_id,name,type\n1,Laptops,accessory\n");
    let (code, summary) = account.json(&["import", "kinds.csv", "--entity", "categories"]);
    let group = &summary["problems"][0];
    assert_eq!((code, &group["code"], &group["column"]), (1, &json!("service.refused"), &json!("type")), "{summary}");
    let example = &group["examples"][0];
    assert_eq!((&example["cell"], &example["found"]), (&json!("C2"), &json!("accessory")), "{summary}");
}

#[test]
fn what_the_service_refuses_with_a_success_status_is_told_in_its_words() {
    let faults = "PUT locations/2 refuse=200 message=\"the depot is closed\"".parse().unwrap();
    let account = CliTest::with(SandboxOptions { seed: Seed::Empty, faults, ..SandboxOptions::default() })
        .sheet("places.csv", "name,city\nDepot,Bonn\nAnnex,Bonn\nStore,Bonn\n");
    account.run(&["import", "places.csv", "--entity", "locations"]).exits(0);
    let account = account.sheet("places.csv", "name,city\nDepot,Ulm\nAnnex,Ulm\nStore,Ulm\n");
    let refused = account.records("locations").iter().find(|place| place["id"] == 2).unwrap()["name"].clone();
    let (code, summary) = account.json(&["import", "places.csv", "--entity", "locations"]);
    let [group] = &summary["problems"].as_array().unwrap()[..] else { panic!("{summary}") };
    assert_eq!((code, &summary["counts"]["updated"], &group["code"]), (1, &json!(2), &json!("service.refused")));
    assert_eq!(group["examples"][0]["message"], "the depot is closed");
    assert_eq!(summary["requests"]["by_kind"]["PUT locations"], 3, "sent once: {summary}");
    let rows = sheet_rows(&account.path(summary["result"].as_str().unwrap()), "places");
    let failed: Vec<_> = rows.iter().filter(|row| row[0] == "failed").map(|row| json!(row[3])).collect();
    assert_eq!(failed, [refused]);
}

#[test]
fn one_row_of_an_earlier_run_is_told_in_the_singular() {
    let account = CliTest::new().sheet("places.csv", "name,currency\nDepot,\nAnnex,EURO\n");
    account.run(&["import", "places.csv", "--entity", "locations"]).exits(1);
    let again = account.run(&["import", "places.result.xlsx", "--entity", "locations", "--only-failed"]).exits(1);
    assert!(again.text().contains("1 row done by an earlier run, kept as it is"), "{}", again.text());
}

/// A workbook of text cells.
pub fn workbook(path: &std::path::Path, sheets: &[(&str, &[&[&str]])]) {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *text).unwrap();
            }
        }
    }
    book.save(path).unwrap();
}

#[test]
fn what_the_sheets_of_an_import_free_is_deleted_last_and_undone() {
    let asset = |tag: &str| json!({"asset_id": tag, "product_id": 1, "status_id": 1, "location_id": 1});
    let account = CliTest::new().with_lookups().holds("locations", json!({"name": "L1"}));
    let account = account.holds("locations", json!({"name": "L2"})).holds("assets", asset("D-1"));
    let account = account.holds("assets", asset("D-2"));
    let gone: &[&[&str]] = &[&["Name", "_action"], &["L1", "delete"]];
    let assets: &[&[&str]] = &[&["Asset Tag", "Location", "_action"], &["D-2", "", "delete"], &["D-1", "L2", ""]];
    workbook(&account.path("move.xlsx"), &[("Locations", gone), ("Assets", assets)]);
    let named = |collection: &str, field: &str| -> Vec<String> {
        account.records(collection).iter().map(|record| record[field].as_str().unwrap().to_owned()).collect()
    };
    let (code, summary) = account.json(&["import", "move.xlsx", "--yes"]);
    assert_eq!((code, named("locations", "name")), (0, vec![String::from("L2")]), "{summary}");
    assert_eq!(named("assets", "asset_id"), ["D-1"]);
    let rows = sheet_rows(&account.path("move.result.xlsx"), "Assets");
    assert_eq!([&rows[1][0], &rows[2][0]], ["deleted", "updated"], "{rows:?}");
    account.run(&["undo", summary["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    let again = account.record("locations", "name", "L1")["id"].clone();
    for tag in ["D-1", "D-2"] {
        assert_eq!(account.record("assets", "asset_id", tag)["location_id"], again, "{tag}");
    }
    let assets: &[&[&str]] =
        &[&["Asset Tag", "Product", "Status", "Location"], &["N-1", "MacBook Pro 14", "Ready", "l1"]];
    workbook(&account.path("new.xlsx"), &[("Locations", gone), ("Assets", assets)]);
    let (code, summary) = account.json(&["import", "new.xlsx", "--create-missing", "--dry-run"]);
    let told = &summary["problems"][0]["examples"][0];
    let message = "row 2 of sheet `Locations` of `new.xlsx` deletes the location `L1`";
    assert_eq!((code, &told["cell"], &told["message"]), (1, &json!("D2"), &json!(message)), "{summary}");
}

#[test]
fn duplicates_are_created_with_allow_duplicates() {
    let account = CliTest::new().sheet("locations.csv", "name,city\nDepot,Ulm\nDepot,Ulm\nDepot,Ulm\n");
    assert_output!(account.run(&["import", "locations.csv"]), @"
    exit code 1
    --- stdout
    Import of locations.csv: 2 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 1 created, 2 failed (locations)

    2 problems in 2 rows
           2 × the same record is there twice in `name` (duplicate.key)
               A3 `Depot`, A4 `Depot`
               duplicate of row 2
               hint: merge the two rows, correct the one that is wrong, or pass --allow-duplicates if both are meant

      read      locations.csv as UTF-8, comma
      header    row 1: name, city
      requests  3: 2 to look up, 1 to create or move
      result    locations.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import locations.result.xlsx --only-failed
    ");
    let account = CliTest::new().sheet("locations.csv", "name,city\nDepot,Ulm\nDepot,Ulm\nDepot,Ulm\n");
    account.run(&["import", "locations.csv", "--allow-duplicates"]).exits(0);
    assert_eq!(account.records("locations").len(), 3);
}

#[test]
fn a_record_that_another_file_creates_is_added_to_once_it_is_there() {
    let account = CliTest::new().sheet("old.csv", "name\nUlm\nDepot\n").sheet("new.csv", "name,city\nDepot,Ulm\n");
    let (code, summary) = account.json(&["import", "old.csv", "new.csv", "--entity", "locations"]);
    let told = &summary["problems"][0]["examples"][0];
    let message = "duplicate; row 3 of `old.csv` creates the same record";
    assert_eq!((code, &told["message"]), (1, &json!(message)), "{summary}");
    assert!(told["hint"].as_str().unwrap().contains("import the result with --only-failed"), "{told}");
    let result = summary["result"].as_str().unwrap().to_owned();
    let (code, again) = account.json(&["import", &result, "--entity", "locations", "--only-failed"]);
    assert_eq!((code, &again["counts"]["updated"]), (0, &json!(1)), "{again}");
    assert_eq!(account.record("locations", "name", "Depot")["city"], "Ulm");
}

/// Rewrites a sheet of a result workbook, as a user who edits cells would.
pub fn edit_result(account: &CliTest, from: &str, to: &str, sheet: &str, edit: impl Fn(&mut Vec<Vec<String>>)) {
    let mut rows = sheet_rows(&account.path(from), sheet);
    edit(&mut rows);
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let borrowed: Vec<&[&str]> = cells.iter().map(Vec::as_slice).collect();
    workbook(&account.path(to), &[(sheet, &borrowed)]);
}

#[test]
fn an_edited_row_that_is_done_updates_its_record() {
    let account = CliTest::new()
        .sheet("locations.csv", "name,city,country\nDepot,Ulm,DE\nMill,Bonn,DE\nStore,Kiel,DE\nLab,Jena,DE\n");
    account.run(&["import", "locations.csv", "--concurrency", "1"]).exits(0);
    let import = ["import", "locations.result.xlsx", "--only-failed"];
    let (_, as_written) = account.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(as_written["counts"]["skipped"], 4, "nothing was edited: {as_written}");
    account.request("DELETE", "locations/4", None);
    // The key, another field, and a country that is none... of the row whose record is gone.
    edit_result(&account, "locations.result.xlsx", "edited.xlsx", "locations", |rows| {
        rows[1][3] = String::from("Depot North");
        rows[2][4] = String::from("Köln");
        rows[4][4] = String::from("Gera");
    });
    let (code, summary) = account.json(&["import", "edited.xlsx", "--only-failed"]);
    let counts = ["created", "updated", "skipped", "failed"].map(|name| summary["counts"][name].as_u64().unwrap());
    assert_eq!((code, counts), (0, [0, 2, 2, 0]), "{summary}");
    let places = account.records("locations");
    let places: Vec<_> = places.iter().map(|place| [&place["name"], &place["city"]]).collect();
    assert_eq!(places, [["Depot North", "Ulm"], ["Mill", "Köln"], ["Store", "Kiel"]]);
    let statuses: Vec<String> =
        sheet_rows(&account.path("edited.result.xlsx"), "locations").iter().map(|row| row[0].clone()).collect();
    assert_eq!(statuses, ["_status", "updated", "updated", "created", "created"]);
}

#[test]
fn an_edit_that_is_wrong_is_told_and_an_action_is_never_repeated() {
    let account = CliTest::new()
        .with_lookups()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .sheet("assets.csv", "asset_id,product,status,purchase_date\nA-1,MacBook Pro 14,Ready,2024-05-01\n")
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nA-1,ada@example.com,2024-06-03\n");
    account.run(&["import", "assets.csv"]).exits(0);
    account.run(&["import", "checkout_asset.csv"]).exits(0);
    edit_result(&account, "assets.result.xlsx", "wrong.xlsx", "assets", |rows| rows[1][6] = String::from("soon"));
    let (code, summary) = account.json(&["import", "wrong.xlsx", "--only-failed"]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("date.invalid")), "{summary}");
    edit_result(&account, "checkout_asset.result.xlsx", "again.xlsx", "checkout_asset", |rows| {
        rows[1][5] = String::from("2024-06-04");
    });
    let (code, summary) = account.json(&["import", "again.xlsx", "--only-failed"]);
    assert_eq!((code, &summary["counts"]["created"], &summary["counts"]["skipped"]), (0, &json!(0), &json!(1)));
}

#[test]
fn sheets_of_something_else_do_not_stop_the_others() {
    let account = CliTest::new().with_lookups();
    let assets: &[&[&str]] = &[&["Asset Tag", "Model", "Status"], &["A-1", "MacBook Pro 14", "Ready"]];
    workbook(
        &account.path("inventory.xlsx"),
        &[
            ("Laptops", assets),
            ("Read me", &[&["This is our inventory."], &["Ask Ada."]]),
            ("Choices", &[&["Model", "Status", "Location"], &["MacBook Pro 14", "Ready", "Berlin"]]),
            ("Staff", &[&["Full Name", "Email", "Job Title", "Department"], &["Ada", "ada@example.com", "CTO", "IT"]]),
            ("Employees", &[&["Full Name", "Email"], &["Ada", "ada@example.com"]]),
        ],
    );
    let (code, summary) = account.json(&["import", "inventory.xlsx", "--entity", "assets"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    let skipped: Vec<_> =
        summary["skipped_sheets"].as_array().unwrap().iter().map(|skipped| skipped["reason"].clone()).collect();
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    account.run(&["check", "inventory.xlsx", "--entity", "assets", "--strict"]).exits(2);
    // A sheet whose key column has another name is no other sheet.
    workbook(
        &account.path("tags.xlsx"),
        &[
            ("Laptops", assets),
            ("Desktops", &[&["Tag Nummer", "Model", "Status"], &["A-2", "MacBook Pro 14", "Ready"]]),
        ],
    );
    account.run(&["check", "tags.xlsx", "--entity", "assets"]).exits(2);
    // Nor is one that is alone.
    workbook(&account.path("choices.xlsx"), &[("Choices", &[&["Model", "Status"], &["MacBook Pro 14", "Ready"]])]);
    account.run(&["check", "choices.xlsx", "--entity", "assets"]).exits(2);
}

#[test]
fn sheets_that_bear_the_names_of_collections_are_what_they_say() {
    let account = CliTest::new();
    workbook(
        &account.path("book.xlsx"),
        &[
            ("Suppliers", &[&["Name", "City"], &["Insight", "Paris"]]),
            ("Locations", &[&["Name", "City"], &["Depot", "Ulm"]]),
        ],
    );
    let (code, summary) = account.json(&["import", "book.xlsx", "--entity", "suppliers"]);
    assert_eq!((code, account.records("suppliers").len(), account.records("locations").len()), (0, 1, 0), "{summary}");
}

#[test]
fn changes_that_make_an_asset_something_else_are_all_named() {
    let account = CliTest::new()
        .with_lookups()
        .holds("products", json!({"name": "MacBook Pro 16", "category_id": 1}))
        .holds("statuses", json!({"name": "Spare", "type": "deployable"}))
        .sheet("a.csv", "Asset Tag,Notes,Model,Status\nA-1,x,MacBook Pro 14,Ready\n");
    account.run(&["import", "a.csv"]).exits(0);
    let account = account.sheet("a.csv", "Asset Tag,Notes,Model,Status\nA-1,y,MacBook Pro 16,Spare\n");
    let told = account.run(&["import", "a.csv"]).exits(0).text();
    for named in ["product_id in 1 row", "status_id in 1 row", "and 1 more field"] {
        assert!(told.contains(named), "{told}");
    }
}

#[test]
fn two_files_do_not_give_a_record_different_values() {
    let rows = |name: &str| format!("asset_id,asset_name,product,status\nA-1,{name},MacBook Pro 14,Ready\n");
    let asset = json!({"asset_id": "A-1", "asset_name": "one", "product_id": 1, "status_id": 1});
    let account = CliTest::new().with_lookups().holds("assets", asset);
    let account = account.sheet("f1.csv", &rows("one")).sheet("f2.csv", &rows("two"));
    let import = ["import", "f1.csv", "f2.csv", "--entity", "assets"];
    for _ in 0..2 {
        let (code, summary) = account.json(&import);
        assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{summary}");
        let (problem, example) = (&summary["problems"][0], &summary["problems"][0]["examples"][0]);
        assert_eq!((&problem["code"], &example["found"]), (&json!("duplicate.key"), &json!("two")), "{summary}");
        let told = "another value than in row 2 of `f1.csv`, which is about the same record #1: `one`";
        assert_eq!(example["message"], json!(told));
        assert_eq!(account.record("assets", "asset_id", "A-1")["asset_name"], json!("one"));
    }
    // Each file may say something of its own.
    let account = account.sheet("f2.csv", "asset_id,asset_name,notes\nA-1,one,mine\n");
    let (code, summary) = account.json(&import);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(1)), "{summary}");
    let (code, again) = account.json(&import);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(2)), "{again}");
}

#[test]
fn rows_that_contradict_each_other_are_told_whether_the_record_is_there_or_not() {
    let rows = "asset_id,product,category,status,Model Notes\nA-1,X1,Laptops,Ready,36\nA-2,X1,Laptops,Ready,48\n";
    let account = CliTest::new().with_lookups().sheet("assets.csv", rows);
    let import = ["import", "assets.csv", "--create-missing", "--map", "Model Notes=product_id.notes"];
    let (code, first) = account.json(&import);
    assert_eq!((code, &first["problems"][0]["code"]), (1, &json!("record.contradicted")), "{first}");
    let (code, second) = account.json(&import);
    let remarks = second["remarks"].as_array().unwrap().iter().map(|remark| remark["code"].as_str().unwrap());
    assert_eq!((code, &second["counts"]["created"]), (0, &json!(1)), "{second}");
    assert!(remarks.into_iter().any(|code| code == "value.contradicted"), "{second}");
    assert_eq!(account.record("products", "name", "X1")["notes"], json!("36"));
}
