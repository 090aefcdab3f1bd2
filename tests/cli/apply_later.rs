//! `apply` after somebody else, or an import of the same file, has done some of the plan.

use serde_json::{Value, json};

use crate::harness::{CliTest, sheet_rows};
use crate::plan_book::{fill, group};
use crate::values::codes;

/// An account with ten of each stock item, three of which Bob has, and an asset.
fn stock() -> CliTest {
    let (by_bob, key) = (json!({"employee_id": 2, "quantity": 3, "checkout_date": "2026-02-02"}), "quantity");
    let of_bob = |item: &str| {
        let mut body = by_bob.clone();
        body[item] = json!(1);
        body
    };
    CliTest::new()
        .with_lookups()
        .holds("categories", json!({"name": "Toner", "type": "consumable"}))
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("categories", json!({"name": "Parts", "type": "component"}))
        .holds("categories", json!({"name": "Software", "type": "license"}))
        .holds("consumables", json!({"name": "Toner A", "category_id": 2, key: 10}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 3, key: 10}))
        .holds("components", json!({"name": "RAM", "category_id": 4, key: 10}))
        .holds("licenses", json!({"name": "Office", "category_id": 5, "number_of_seats": 10}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Hale", "email": "bob@example.com"}))
        .holds("assets", json!({"asset_id": "0001", "product_id": 1, "status_id": 1}))
        .holds("checkout/accessory", of_bob("accessory_id"))
}

/// Sheets that move stock, each with the collection that it moves.
const MOVES: [(&str, &str, &str); 5] = [
    (
        "checkout_accessory",
        "accessories",
        "Accessory,Employee,Quantity,Checkout Date\nMouse,ada@example.com,2,2026-03-02\n",
    ),
    (
        "checkout_consumable",
        "consumables",
        "Consumable,Employee,Quantity,Checkout Date\nToner A,ada@example.com,2,2026-03-02\n",
    ),
    ("checkout_component", "components", "Component,Asset Tag,Quantity,Checkout Date\nRAM,0001,2,2026-03-02\n"),
    ("checkout_license", "licenses", "License,Employee,Quantity,Checkout Date\nOffice,ada@example.com,1,2026-03-02\n"),
    ("checkin_accessory", "accessories", "Accessory,Employee,Checkin Date\nMouse,bob@example.com,2026-03-03\n"),
];

fn counts(summary: &Value) -> (u64, u64, u64) {
    let of = |name: &str| summary["counts"][name].as_u64().unwrap();
    (of("created"), of("unchanged"), of("failed"))
}

fn apply(account: &CliTest, plan: &str) -> (i32, (u64, u64, u64)) {
    let (code, summary) = account.json(&["apply", plan]);
    (code, counts(&summary))
}

fn plan(account: &CliTest, sheet: &str, name: &str, options: &[&str]) {
    account.run(&[&["import", sheet, "--plan", name], options].concat()).exits(0);
}

#[test]
fn stock_that_was_moved_since_the_plan_is_not_moved_again() {
    for (action, collection, rows) in MOVES {
        let sheet = format!("{action}.csv");
        let account = stock().sheet(&sheet, rows);
        let held = || account.records(collection)[0].clone();
        plan(&account, &sheet, "one.xlsx", &[]);
        plan(&account, &sheet, "two.xlsx", &[]);
        account.run(&["import", &sheet, "--yes"]).exits(0);
        let moved = held();
        assert_eq!(apply(&account, "one.xlsx"), (0, (0, 1, 0)), "{action} that an import has made");
        assert_eq!(held(), moved, "{action}");
        if action == "checkin_accessory" {
            continue;
        }
        plan(&account, &sheet, "again.xlsx", &["--repeat"]);
        assert_eq!(apply(&account, "again.xlsx"), (0, (1, 0, 0)), "{action} that the plan repeats on purpose");
        let moved = held();
        assert_eq!(apply(&account, "two.xlsx"), (0, (0, 1, 0)), "{action} that another plan has made");
        assert_eq!(held(), moved, "{action}");
    }
}

#[test]
fn of_identical_check_outs_as_many_are_sent_as_are_missing() {
    let (action, _, rows) = MOVES[0];
    let (first, sheet) = (format!("{action}.csv"), format!("{action}-twice.csv"));
    let line = rows.lines().last().unwrap();
    let account = stock().sheet(&first, rows).sheet(&sheet, &format!("{rows}{line}\n"));
    account.run(&["import", &first]).exits(0);
    // One of the two was made before the plan, which has the other.
    plan(&account, &sheet, "rest.xlsx", &["--entity", action]);
    plan(&account, &sheet, "same.xlsx", &["--entity", action]);
    assert_eq!(apply(&account, "rest.xlsx"), (0, (1, 0, 0)));
    assert_eq!(apply(&account, "same.xlsx"), (0, (0, 1, 0)));
    assert_eq!(account.records("accessories")[0]["available"], json!(3));
}

#[test]
fn a_check_out_that_only_the_activity_log_knows_is_a_problem_of_the_plan() {
    for (action, item, rows) in [MOVES[0], MOVES[2]].map(|(action, collection, rows)| {
        (action, if collection == "accessories" { "accessory" } else { "component" }, rows)
    }) {
        let sheet = format!("{action}.csv");
        let account = stock().sheet(&sheet, rows);
        plan(&account, &sheet, "plan.xlsx", &[]);
        let mut body = json!({"quantity": 2, "checkout_date": "2026-03-02", format!("{item}_id"): 1});
        match item {
            "accessory" => body["employee_id"] = json!(1),
            _ => body["asset_id"] = json!("0001"),
        }
        let account = account.holds(&format!("checkout/{item}"), body);
        let (code, applied) = account.json(&["apply", "plan.xlsx"]);
        assert_eq!((code, counts(&applied)), (1, (0, 0, 1)), "{applied:#}");
        assert_eq!(codes(&applied, "problems"), ["checkout.repeated"]);
        let hint = applied["problems"][0]["examples"][0]["hint"].as_str().unwrap();
        assert!(hint.contains("make the plan again"), "{hint}");
    }
}

/// Plans a file, lets another one be imported, and applies the plan: its problems, by sheet.
fn made_meanwhile(account: CliTest, planned: &[&str], meanwhile: &[&str]) -> (i32, Vec<String>) {
    account.run(&[planned, &["--plan", "plan.xlsx"]].concat()).exits(0);
    account.run(&[meanwhile, &["--yes"]].concat()).exits(0);
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    (code, codes(&applied, "problems"))
}

#[test]
fn what_was_made_since_the_plan_is_found_as_an_import_finds_it() {
    let exists = (1, vec![String::from("record.exists")]);
    // A tag of digits is no system id.
    let maintenance = "asset_id,type,name,start_date\n0001,repair,Foot,2026-11-07\n";
    let account = stock().sheet("maintenances.csv", maintenance);
    let import = ["import", "maintenances.csv"];
    assert_eq!(made_meanwhile(account, &import, &import), exists);
    let other = "asset_id,type,name,start_date\n1,repair,Foot,2026-11-07\n";
    let account = stock()
        .holds("assets", json!({"asset_id": "1", "product_id": 1, "status_id": 1}))
        .sheet("maintenances.csv", maintenance)
        .sheet("other.csv", other);
    let meanwhile = ["import", "other.csv", "--entity", "maintenances"];
    assert_eq!(made_meanwhile(account, &import, &meanwhile), (0, Vec::new()), "of another asset");
    // By the fields of --match-on.
    let asset = |tag: &str| format!("asset_id,asset_serial,product,status\n{tag},SER-Q,MacBook Pro 14,Ready\n");
    let account = stock().sheet("assets.csv", &asset("TAG-A")).sheet("other.csv", &asset("TAG-B"));
    let planned = ["import", "assets.csv", "--match-on", "asset_serial"];
    assert_eq!(made_meanwhile(account, &planned, &["import", "other.csv", "--entity", "assets"]), exists);
    // By its name alone, where a product has no model number.
    let account = stock()
        .sheet("products.csv", "name,category\nX1,Laptops\n")
        .sheet("other.csv", "name,model_number,category\nX1,M1,Laptops\n")
        .sheet("assets.csv", "asset_id,product,category,status\nZ-1,X1,Laptops,Ready\n");
    let meanwhile = ["import", "other.csv", "--entity", "products"];
    account.run(&["import", "assets.csv", "--create-missing", "--plan", "assets.xlsx"]).exits(0);
    let held = account.path("assets.xlsx");
    assert!(sheet_rows(&held, "products").len() > 1);
    account.run(&["import", "products.csv", "--plan", "plan.xlsx"]).exits(0);
    account.run(&meanwhile).exits(0);
    assert_eq!(codes(&account.json(&["apply", "plan.xlsx"]).1, "problems"), ["record.exists"]);
    let (_, applied) = account.json(&["apply", "assets.xlsx"]);
    assert_eq!(codes(&applied, "problems"), ["record.exists", "dependency.left_out"], "{applied:#}");
    assert_eq!(account.records("products").len(), 2);
}

#[test]
fn what_the_plan_makes_beside_a_record_of_that_name_is_made() {
    let account = stock()
        .holds("manufacturers", json!({"name": "Apple"}))
        .holds("products", json!({"name": "X1", "category_id": 1, "manufacturer_id": 1}))
        .holds("locations", json!({"name": "Ulm"}))
        .sheet("assets.csv", "asset_id,product,category,manufacturer,status\nZ-1,X1,Laptops,Lenovo,Ready\n")
        .sheet("locations.csv", "name\nUlm\nUlm\n");
    plan(&account, "assets.csv", "assets.xlsx", &["--create-missing"]);
    assert_eq!(apply(&account, "assets.xlsx"), (0, (3, 0, 0)));
    for name in ["one.xlsx", "two.xlsx"] {
        plan(&account, "locations.csv", name, &["--allow-duplicates"]);
    }
    assert_eq!(apply(&account, "one.xlsx"), (0, (1, 0, 0)));
    assert_eq!(apply(&account, "two.xlsx"), (1, (0, 0, 1)), "the other plan has made it");
}

#[test]
fn a_plan_and_its_apply_say_how_many_emails_the_service_sends() {
    let rows = "asset_id,employee,checkout_date\n0001,ada@example.com,2026-03-02\n";
    let account = stock().sheet("checkout_asset.csv", rows);
    account.request("PUT", "categories/1", Some(&json!({"checkout_email": true})));
    plan(&account, "checkout_asset.csv", "plan.xlsx", &[]);
    let page = sheet_rows(&account.path("plan.xlsx"), "Plan").concat().concat();
    let said = "the service sends 1 e-mail to 1 person when the plan is applied; `apply` does not ask again";
    assert!(page.contains(said), "{page}");
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    assert_eq!((code, counts(&applied)), (0, (1, 0, 0)), "{applied:#}");
    let remarks = applied["remarks"].as_array().unwrap();
    let emails: Vec<&Value> = remarks.iter().filter(|remark| remark["code"] == "emails.sent").collect();
    assert_eq!(emails[0]["message"], json!("the service sends 1 e-mail to 1 person because of check-outs in the plan"));
}

#[test]
fn a_check_in_that_is_needed_is_told_by_the_tag() {
    let account = stock()
        .holds("checkout/asset", json!({"asset_id": "0001", "employee_id": 1, "checkout_date": "2026-01-02"}))
        .sheet("assets.csv", "asset_id,holder\n0001,bob@example.com\n");
    plan(&account, "assets.csv", "plan.xlsx", &["--map", "holder=assigned_to"]);
    let row = group(&account, "checkin_asset", "check-in");
    fill(&account.path("plan.xlsx"), "Plan", &[(&format!("A{row}"), "no")]);
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    let message = &applied["problems"][0]["examples"][0]["message"];
    assert_eq!((code, message), (1, &json!("it needs the check-in of `0001`, which was not approved")), "{applied:#}");
}

#[test]
fn a_plan_without_changes_says_so() {
    let account = stock().sheet("employees.csv", "name,email\nAda Byron,ada@example.com\n");
    plan(&account, "employees.csv", "plan.xlsx", &[]);
    let said = account.run(&["apply", "plan.xlsx"]).exits(0).stdout;
    assert!(said.starts_with("Run of plan.xlsx: nothing to do, in "), "{said}");
    assert!(said.contains("the plan holds no changes"), "{said}");
    let why = |plan: &str| {
        let texts = sheet_rows(&account.path(plan), "Plan").concat();
        texts.into_iter().find(|text| text.starts_with("nothing to ")).unwrap()
    };
    assert_eq!(why("plan.xlsx"), "nothing to do: the account is as the rows say");
    std::fs::write(account.path("wrong.csv"), "name,email\nEve,eve at example\n").unwrap();
    account.run(&["import", "wrong.csv", "--entity", "employees", "--plan", "wrong.xlsx"]).exits(1);
    assert_eq!(why("wrong.xlsx"), "nothing to send; the rows with problems are told below");
}

#[test]
fn custom_fields_that_others_have_written_since_are_kept_and_told_one_by_one() {
    let account = stock()
        .sheet("assets.csv", "asset_id,custom:Rack\n0001,R7\n")
        .sheet("other.csv", "asset_id,custom:Other\n0001,Z\n")
        .sheet("third.csv", "asset_id,custom:Rack\n0001,R9\n");
    plan(&account, "assets.csv", "one.xlsx", &[]);
    plan(&account, "assets.csv", "two.xlsx", &[]);
    let import = |file: &str| account.run(&["import", file, "--entity", "assets"]).exits(0);
    import("other.csv");
    account.run(&["apply", "one.xlsx"]).exits(0);
    let fields = account.record("assets", "asset_id", "0001")["custom_fields"].to_string();
    assert!(fields.contains("R7") && fields.contains("Other"), "{fields}");
    import("third.csv");
    let (code, applied) = account.json(&["apply", "two.xlsx"]);
    let message = &applied["problems"][0]["examples"][0]["message"];
    assert_eq!((code, message), (1, &json!("changed since the plan was made: custom:Rack was empty, is `R9`")));
}

#[test]
fn custom_fields_that_two_files_give_one_record_are_all_kept() {
    let files = ["racks.csv", "phones.csv"];
    let account = || {
        stock()
            .sheet("racks.csv", "asset_id,custom:Rack\n0001,R7\n")
            .sheet("phones.csv", "asset_id,custom:IMEI\n0001,351\n")
            .sheet("other.csv", "asset_id,custom:Other\n0001,Z\n")
    };
    let has = |account: &CliTest, all: &[&str]| {
        let fields = account.record("assets", "asset_id", "0001")["custom_fields"].to_string();
        assert!(all.iter().all(|text| fields.contains(text)), "{fields}");
    };
    let imported = account();
    imported.run(&["import", files[0], files[1], "--entity", "assets"]).exits(0);
    has(&imported, &["R7", "351"]);
    let (_, again) = imported.json(&["import", files[0], files[1], "--entity", "assets"]);
    assert_eq!(again["counts"]["unchanged"], json!(2), "{again:#}");

    let applied = account();
    applied.run(&["import", files[0], files[1], "--entity", "assets", "--plan", "plan.xlsx"]).exits(0);
    applied.run(&["import", "other.csv", "--entity", "assets"]).exits(0);
    let (code, done) = applied.json(&["apply", "plan.xlsx"]);
    assert_eq!((code, &done["counts"]["updated"]), (0, &json!(2)), "{done:#}");
    has(&applied, &["R7", "351", "Other"]);
    let run = done["run_id"].as_str().unwrap();
    applied.run(&["verify", run]).exits(0);
    applied.run(&["undo", run, "--yes"]).exits(0);
    let fields = applied.record("assets", "asset_id", "0001")["custom_fields"].to_string();
    assert!(fields.contains("Other") && !fields.contains("R7") && !fields.contains("351"), "{fields}");
}

/// Gives the tag of an asset to another one, and another tag to the asset.
pub fn swap_tag(account: &CliTest) {
    for (id, tag) in [(1, "0009"), (2, "0001")] {
        let (status, answer) = account.request("PUT", &format!("assets/{id}"), Some(&json!({"asset_id": tag})));
        assert!(status < 300, "{answer}");
    }
}

/// Two assets of which the first may be with Bob already, and a sheet that gives it to Ada.
pub fn two_assets(held_by_bob: bool) -> CliTest {
    let account = stock()
        .holds("assets", json!({"asset_id": "0002", "product_id": 1, "status_id": 1}))
        .sheet("assets.csv", "asset_id,holder\n0001,ada@example.com\n");
    match held_by_bob {
        true => account
            .holds("checkout/asset", json!({"asset_id": "0001", "employee_id": 2, "checkout_date": "2026-01-02"})),
        false => account,
    }
}

#[test]
fn the_asset_that_has_the_tag_by_now_is_not_moved_in_place_of_the_planned_one() {
    for held_by_bob in [false, true] {
        let account = two_assets(held_by_bob);
        plan(&account, "assets.csv", "plan.xlsx", &["--map", "holder=assigned_to"]);
        plan(&account, "assets.csv", "second.xlsx", &["--map", "holder=assigned_to"]);
        swap_tag(&account);
        let before = account.records("assets");
        let (code, applied) = account.json(&["apply", "plan.xlsx"]);
        assert_eq!(code, 1, "{applied:#}");
        assert_eq!(account.records("assets"), before, "{applied:#}");
        let told = applied["problems"].to_string();
        assert!(told.contains("changed since the plan was made: asset `0001` is another record"), "{told}");
        // Nobody has the tag any more.
        account.request("PUT", "assets/2", Some(&json!({"asset_id": "0002"})));
        let (_, gone) = account.json(&["apply", "second.xlsx"]);
        let told = gone["problems"].to_string();
        assert!(told.contains("there is no asset `0001` any more"), "{told}");
    }
}

#[test]
fn an_asset_that_gets_another_tag_and_holder_by_one_plan_is_moved() {
    let account = two_assets(true).sheet("tags.csv", "id,asset_id,holder\n1,0007,ada@example.com\n");
    let options = ["--entity", "assets", "--match-on", "id", "--map", "holder=assigned_to"];
    plan(&account, "tags.csv", "plan.xlsx", &options);
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    assert_eq!(code, 0, "{applied:#}");
    let asset = account.record("assets", "asset_id", "0007");
    assert_eq!(asset["deployed_to"][0]["employee_id"], json!(1), "{asset:#}");
    let (code, verified) = account.json(&["verify", applied["run_id"].as_str().unwrap()]);
    assert_eq!(code, 0, "{verified:#}");
}
