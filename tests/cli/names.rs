//! Names that other tools write otherwise: people with the last name first, products of other makers.

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output};
use crate::import::{edit_result, workbook};

fn counts(summary: &Value) -> (&Value, &Value, &Value) {
    let counts = &summary["counts"];
    (&counts["created"], &counts["unchanged"], &counts["failed"])
}

#[test]
fn a_list_by_last_name_makes_and_finds_people_by_their_usual_name() {
    let account = CliTest::new()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .sheet(
            "people.csv",
            "Employee name,Email\n\"Byron, Ada\",ada@example.com\n\"Stone, Bob\",bob@example.com\n\
             \"von der Heide, Cy\",cy@example.com\n",
        )
        .sheet("one.csv", "Employee name,Email\n\"Kiosk, Lobby\",kiosk@example.com\nDee Hall,dee@example.com\n");
    assert_output!(account.run(&["check", "people.csv", "--entity", "employees"]), @"
    exit code 0
    --- stdout
    Check of people.csv: all 3 rows passed, in 0.5 s
      3 rows: 3 good (employees)
      read      people.csv as UTF-8, comma
      header    row 1: Employee name → name, Email → email
      note      `Employee name`: 3 names with the last name first, such as `Byron, Ada`, `Stone, Bob`, `von der Heide, Cy`, turned around (first A2)
      next      tallyport import people.csv --entity employees --dry-run
    ");
    let (code, summary) = account.json(&["import", "people.csv", "--entity", "employees"]);
    assert_eq!((code, counts(&summary)), (0, (&json!(2), &json!(1), &json!(0))), "{summary}");
    assert_eq!(account.record("employees", "email", "cy@example.com")["name"], json!("Cy von der Heide"));
    let (_, again) = account.json(&["import", "people.csv", "--entity", "employees"]);
    assert_eq!(counts(&again), (&json!(0), &json!(3), &json!(0)), "{again}");
    let (code, summary) = account.json(&["import", "one.csv", "--entity", "employees"]);
    assert_eq!((code, &summary["remarks"][0]["code"]), (0, &json!("name.order")), "{summary}");
    assert_eq!(account.record("employees", "email", "kiosk@example.com")["name"], json!("Kiosk, Lobby"));
}

#[test]
fn a_check_out_finds_its_holder_by_the_name_with_the_last_name_first() {
    let account = CliTest::new()
        .with_lookups()
        .holds("assets", json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .sheet("out.csv", "Asset tag,Employee,Checkout date\nT-1,\"Byron, Ada\",2026-01-02\n");
    account.run(&["import", "out.csv", "--entity", "checkout_asset", "--yes"]).exits(0);
    let asset = account.record("assets", "asset_id", "T-1");
    assert_eq!(asset["deployed_to"][0]["employee_id"], json!(1), "{asset}");
}

#[test]
fn a_product_of_another_maker_is_made_and_a_derived_category_excludes_none() {
    let account = CliTest::new()
        .holds("statuses", json!({"name": "Ready", "type": "deployable"}))
        .holds("categories", json!({"name": "Laptops", "type": "asset"}))
        .holds("manufacturers", json!({"name": "Dell"}))
        .holds("products", json!({"name": "Pro 14", "category_id": 1, "manufacturer_id": 1}))
        .sheet(
            "devices.csv",
            "Asset tag,Model,Manufacturer,OS,Status\nT-1,Pro 14,DELL,iOS,Ready\nT-2,Pro 14,HP,iOS,Ready\n\
             T-3,pro 14,hp,iOS,Ready\n",
        )
        .sheet(
            "m.toml",
            "entity = \"assets\"\n[fields.\"product_id.category_id\"]\ncolumn = \"OS\"\nvalues = { iOS = \"Phones\" }\n",
        );
    let import = ["import", "devices.csv", "--mapping", "m.toml"];
    let (code, summary) = account.json(&import);
    assert_eq!((code, counts(&summary)), (1, (&json!(1), &json!(0), &json!(2))), "{summary}");
    assert_eq!(account.record("assets", "asset_id", "T-1")["product_id"], json!(1));
    let message = summary["problems"][0]["examples"][0]["message"].as_str().unwrap();
    assert!(message.contains("no `Pro 14` in products has the manufacturer `HP`"), "{message}");
    let create = [&import[..], &["--create-missing"]].concat();
    let (code, summary) = account.json(&create);
    assert_eq!((code, counts(&summary)), (0, (&json!(2), &json!(1), &json!(0))), "{summary}");
    let products = account.records("products");
    let made: Vec<&Value> = products.iter().filter(|product| product["id"] != json!(1)).collect();
    assert_eq!(made.len(), 1, "{products:?}");
    assert_eq!(made[0]["category_id"], account.record("categories", "name", "Phones")["id"]);
    let (_, again) = account.json(&create);
    assert_eq!(counts(&again), (&json!(0), &json!(3), &json!(0)), "{again}");
}

#[test]
fn a_sheet_names_records_as_the_sheets_before_it_leave_them() {
    let account = CliTest::new()
        .with_lookups()
        .holds("statuses", json!({"name": "In Repair", "type": "undeployable"}))
        .holds("manufacturers", json!({"name": "Dell"}))
        .holds("manufacturers", json!({"name": "HP"}))
        .holds("products", json!({"name": "Latitude", "model_number": "L5", "category_id": 1, "manufacturer_id": 1}))
        .holds("employees", json!({"name": "Mei Tanaka", "email": "mei@example.com"}));
    let assets: &[&[&str]] = &[
        &["Asset Tag", "Product", "Category", "Manufacturer", "Status", "Assigned To"],
        &["Q-1", "Latitude", "Laptops", "HP", "In Repair", "mei.new@example.com"],
    ];
    workbook(
        &account.path("fleet.xlsx"),
        &[
            ("Statuses", &[&["Status", "Type"], &["In Repair", "deployable"]]),
            ("Products", &[&["Model", "Model Number", "Manufacturer"], &["Latitude", "L5", "HP"]]),
            ("Employees", &[&["_id", "Name", "Email"], &["1", "Mei Tanaka", "mei.new@example.com"]]),
            ("Assets", assets),
        ],
    );
    let import = ["import", "fleet.xlsx", "--create-missing", "--map", "Assigned To=assigned_to", "--yes"];
    let (code, summary) = account.json(&import);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(3)), "{summary}");
    let asset = account.record("assets", "asset_id", "Q-1");
    assert_eq!((&asset["product_id"], &asset["deployed_to"][0]["employee_id"]), (&json!(2), &json!(1)), "{asset}");
    assert_eq!(account.records("products").len(), 2);
    let (code, again) = account.json(&import);
    assert_eq!((code, counts(&again)), (0, (&json!(0), &json!(4), &json!(0))), "{again}");
}

#[test]
fn a_name_that_one_sheet_gives_up_is_a_problem_until_another_record_has_it() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Headquarters"}))
        .holds("locations", json!({"name": "Munich"}));
    workbook(
        &account.path("move.xlsx"),
        &[
            ("Locations", &[&["_id", "Location"], &["1", "Old Headquarters"], &["2", "Headquarters"]]),
            (
                "Assets",
                &[&["Asset Tag", "Product", "Status", "Location"], &["H-1", "MacBook Pro 14", "Ready", "Headquarters"]],
            ),
        ],
    );
    let (code, summary) = account.json(&["import", "move.xlsx"]);
    assert_eq!((code, counts(&summary)), (1, (&json!(0), &json!(0), &json!(2))), "{summary}");
    let told = "row 2 of the sheet of locations changes it to `Old Headquarters`";
    assert!(summary["problems"].to_string().contains(told), "{summary}");
    account.run(&["import", "move.result.xlsx", "--only-failed"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "H-1")["location_id"], json!(2));
    assert_eq!(account.record("locations", "name", "Headquarters")["id"], json!(2));
}

#[test]
fn a_retry_makes_no_record_of_a_name_that_another_row_took_or_deleted_until_the_user_says_so() {
    for (row, told) in [
        (["1", "Main Office", ""], "changes it to `Main Office`"),
        (["1", "Headquarters", "delete"], "deletes the location `Headquarters`"),
    ] {
        let account = CliTest::new().with_lookups().holds("locations", json!({"name": "Headquarters"}));
        let assets =
            [["Asset Tag", "Product", "Status", "Location"], ["R-1", "MacBook Pro 14", "Ready", "Headquarters"]];
        workbook(
            &account.path("move.xlsx"),
            &[("Locations", &[&["_id", "Location", "_action"], &row]), ("Assets", &[&assets[0], &assets[1]])],
        );
        let import = |file: &str| account.json(&["import", file, "--create-missing", "--yes"]);
        let retry = |file: &str| account.json(&["import", file, "--create-missing", "--only-failed", "--yes"]);
        let failed = |(code, summary): (i32, Value)| {
            assert_eq!((code, counts(&summary)), (1, (&json!(0), &json!(0), &json!(1))), "{summary}");
            assert_eq!(summary["problems"][0]["code"], json!("record.contradicted"), "{summary}");
            summary["problems"].to_string()
        };
        let first = failed(import("move.xlsx"));
        assert!(first.contains(told), "{first}");
        let names = || account.records("locations").iter().map(|held| held["name"].clone()).collect::<Vec<_>>();
        let held = names();
        let again = failed(retry("move.result.xlsx"));
        assert!(again.contains("another row of the earlier run changed or deleted what is named here"), "{again}");
        failed(retry("move.result-2.xlsx"));
        assert_eq!(names(), held);
        edit_result(&account, "move.result-2.xlsx", "meant.xlsx", "Assets", |rows| rows[1][0].clear());
        let (code, summary) = import("meant.xlsx");
        assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
        let made = account.record("locations", "name", "Headquarters")["id"].clone();
        assert_eq!(account.record("assets", "asset_id", "R-1")["location_id"], made);
    }
}
