//! `undo` reverts what a run did and keeps what others did.

use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Map, Value, json};

use crate::apply_later::{swap_tag, two_assets};
use crate::harness::{CliTest, CommandOutput, assert_output, sheet_rows, some_of, tallyport};
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};
use crate::reference_server::{self, ReferenceServer, Shapes};
use crate::values::codes;

/// Every record of the account without its timestamps, which an undo cannot restore.
fn account(harness: &CliTest) -> Vec<(&'static str, Vec<Value>)> {
    let records = |collection: &'static str| {
        let mut records = harness.records(collection);
        for record in &mut records {
            record.as_object_mut().unwrap().remove("updated_at");
        }
        records.sort_by_key(|record| record["id"].as_i64());
        (collection, records)
    };
    tallyport::schema::COLLECTIONS.iter().map(|entity| records(entity.name)).collect()
}

#[track_caller]
fn same(before: &[(&'static str, Vec<Value>)], after: &[(&'static str, Vec<Value>)]) {
    for ((collection, before), (_, after)) in before.iter().zip(after) {
        assert_eq!(before, after, "{collection}");
    }
}

/// The run id of a summary.
fn run_of(summary: &Value) -> String {
    summary["run_id"].as_str().unwrap().to_owned()
}

/// Imports a sheet and returns the run id.
#[track_caller]
fn import(account: &CliTest, arguments: &[&str]) -> String {
    let (code, summary) = account.json(&[&["import"], arguments, &["--yes"]].concat());
    assert_eq!(code, 0, "{summary}");
    run_of(&summary)
}

fn undo(account: &CliTest, run: &str) -> CommandOutput {
    account.run(&["undo", run, "--yes"])
}

/// The rows of the result of an undo: status, message, action, record.
fn rows(account: &CliTest, run: &str, sheet: &str) -> Vec<[String; 4]> {
    let rows = sheet_rows(&account.path(&format!("{run}.undo.result.xlsx")), sheet);
    rows.into_iter().skip(1).map(|row| [row[0].clone(), row[2].clone(), row[3].clone(), row[4].clone()]).collect()
}

fn onboarding() -> CliTest {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/onboarding.xlsx");
    CliTest::seeded().bytes("onboarding.xlsx", &std::fs::read(book).unwrap())
}

const ASSETS: &str = "asset_id,asset_name,product,status,purchase_cost,notes\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready,1299,first\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready,1399,\n\
    LAP-3,Cy's laptop,MacBook Pro 14,Ready,1499,\n";

#[test]
fn undoing_the_onboarding_import_restores_the_account() {
    let harness = onboarding();
    let before = account(&harness);
    let run = import(&harness, &["onboarding.xlsx"]);
    assert_eq!(harness.records("assets").len(), 120);
    let (code, summary) = harness.json(&["undo", &run, "--yes"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(0)), "{summary}");
    same(&before, &account(&harness));
    let again = harness.json(&["undo", &run, "--yes"]);
    assert_eq!((again.0, &again.1["planned"]["requests"]), (0, &json!(0)), "{}", again.1);
    same(&before, &account(&harness));
}

#[test]
fn records_changed_by_others_and_their_references_are_kept() {
    let harness = onboarding();
    let known = harness.records("suppliers")[0].clone();
    let run = import(&harness, &["onboarding.xlsx", "--concurrency", "1"]);
    let is_out = |asset: &&Value| asset["deployed_to"][0]["employee_id"].is_i64();
    let out = harness.records("assets").iter().find(is_out).unwrap()["id"].clone();
    let accessory = harness.records("accessories")[0]["id"].clone();
    let product = harness.records("products").last().unwrap()["id"].clone();
    for (path, body) in [
        (format!("assets/{out}"), json!({"notes": "mine now"})),
        (format!("accessories/{accessory}"), json!({"minimum_quantity": 7})),
        (format!("suppliers/{}", known["id"]), json!({"notes": "theirs"})),
    ] {
        assert_eq!(harness.request("PUT", &path, Some(&body)).0, 200, "{path}");
    }
    let status = harness.records("statuses")[0]["id"].clone();
    let theirs = json!({"asset_id": "THEIRS-1", "product_id": product, "status_id": status});
    harness.request("POST", "assets", Some(&theirs));
    let touched = |harness: &CliTest| {
        let theirs = harness.record("assets", "asset_id", "THEIRS-1")["id"].clone();
        let one = |path: String| harness.request("GET", &path, None).1;
        [
            one(format!("assets/{out}")),
            one(format!("assets/{theirs}")),
            one(format!("accessories/{accessory}")),
            one(format!("products/{product}")),
        ]
    };
    let before = touched(&harness);
    // Which records are still referenced depends on the order of the ids.
    undo(&harness, &run).exits(1);
    assert_eq!(before, touched(&harness));
    assert_eq!(harness.request("GET", &format!("suppliers/{}", known["id"]), None).1["notes"], "theirs");
    let employee = &before[0]["deployed_to"][0]["employee_id"];
    assert_eq!(harness.request("GET", &format!("employees/{employee}"), None).0, 200, "who has it stays");
    assert_eq!(harness.records("assets").len(), 2, "the others are gone");
    let rows = rows(&harness, &run, "assets");
    let left: Vec<_> = rows.iter().filter(|row| row[0] == "skipped").collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0][1], "not undone: changed by someone else since: `notes`");
    assert_eq!((&*left[0][2], &*left[0][3]), ("leave", before[0]["asset_id"].as_str().unwrap()));
}

#[test]
fn updates_are_restored_field_by_field() {
    let harness = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    import(&harness, &["assets.csv", "--concurrency", "1"]);
    let before = account(&harness);
    let harness = harness.sheet(
        "changed.csv",
        "asset_id,asset_name,purchase_cost,notes,custom:Rack\n\
         LAP-1,Renamed,99,<clear>,A1\nLAP-2,,77,added,B2\nLAP-3,,,,C3\n",
    );
    let run = import(&harness, &["changed.csv", "--entity", "assets"]);
    assert_eq!(harness.record("assets", "asset_id", "LAP-1")["asset_name"], "Renamed");
    harness.request("PUT", "assets/2", Some(&json!({"purchase_cost": 78})));
    undo(&harness, &run).exits(1);
    let mut expected = before;
    let (_, assets) = expected.iter_mut().find(|(collection, _)| *collection == "assets").unwrap();
    assets[1]["purchase_cost"] = json!(78);
    // A custom field that the run added is emptied: a service may keep one that is left out.
    assets.iter_mut().for_each(|asset| asset["custom_fields"] = json!([{"name": "Rack", "value": ""}]));
    same(&expected, &account(&harness));
    let rows = rows(&harness, &run, "assets (restored)");
    let second: Vec<_> = rows.iter().filter(|row| row[3] == "Bob's laptop" || row[3] == "LAP-2").collect();
    assert_eq!(second.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["updated", "skipped"]);
    assert!(second[1][1].contains("`purchase_cost`") && !second[1][1].contains("notes"), "{rows:?}");
}

#[test]
fn deleted_records_are_recreated_and_references_use_the_new_ids() {
    let harness = CliTest::new()
        .with_lookups()
        .holds("products", json!({"name": "ThinkPad", "category_id": 1, "notes": "good", "model_number": "T14"}))
        .sheet("assets.csv", "asset_id,product,status,purchase_cost,notes\nT-1,ThinkPad,Ready,900,old\n");
    import(&harness, &["assets.csv"]);
    let harness = harness
        .sheet("delete.csv", "asset_id,_action\nT-1,delete\n")
        .sheet("products.csv", "name,model_number,_action\nThinkPad,T14,delete\n");
    let first = import(&harness, &["delete.csv", "--entity", "assets"]);
    let second = import(&harness, &["products.csv"]);
    assert_eq!((harness.records("assets").len(), harness.records("products").len()), (0, 1));
    assert_output!(undo(&harness, &second), @r#"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd: the one step was undone, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 created (products)
      requests  3: 2 to look up, 1 to create or move
      result    20261124-093015-abcd.undo.result.xlsx
    --- stderr
    Undo of run 20261124-093015-abcd (import of products.csv)
            1  create again   1 product
                              with new ids: history and what named the old ones stay behind
      plan      1 request, about 1.0 s at 10,000 an hour
    "#);
    let product = harness.record("products", "name", "ThinkPad");
    assert_eq!(
        (&product["notes"], &product["model_number"], &product["category_id"]),
        (&json!("good"), &json!("T14"), &json!(1))
    );
    // The asset's product has another id now, which the undo of the product's deletion knows.
    let asset = undo(&harness, &first);
    assert_eq!(asset.code, 0, "{}", asset.text());
    assert_output!(undo(&harness, &second), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (import of products.csv)
            1  nothing to do  already created again
      nothing is left to undo
    ");
    assert_eq!(harness.records("products").len(), 2, "once, not twice");
}

#[test]
fn a_deleted_record_comes_back_beside_another_of_its_name() {
    let account = CliTest::new()
        .holds("locations", json!({"name": "Depot", "city": "Kiel"}))
        .holds("locations", json!({"name": "Depot", "city": "Bonn"}))
        .sheet("gone.csv", "_id\n2\n");
    let (_, deleted) = account.json(&["delete", "locations", "gone.csv", "--yes"]);
    // The backup never goes over the one that stayed.
    let (code, imported) = account.json(&["import", "gone.backup.xlsx"]);
    assert_eq!((code, codes(&imported, "problems")), (1, vec![String::from("record.exists")]), "{imported}");
    assert_eq!(account.record("locations", "name", "Depot")["city"], json!("Kiel"));
    undo(&account, deleted["run_id"].as_str().unwrap()).exits(0);
    let cities: Vec<Value> = account.records("locations").iter().map(|place| place["city"].clone()).collect();
    assert_eq!(cities, [json!("Kiel"), json!("Bonn")]);
    // With what was deleted there again, the backup has nothing to add; what it would change has to be asked for.
    account.request("PUT", "locations/1", Some(&json!({"name": "Lager"})));
    account.run(&["import", "gone.backup.xlsx"]).exits(0);
    account.request("PUT", "locations/3", Some(&json!({"city": "Ulm"})));
    account.run(&["import", "gone.backup.xlsx"]).exits(1);
    account.run(&["import", "gone.backup.xlsx", "--mode", "update"]).exits(0);
    assert_eq!(account.record("locations", "name", "Depot")["city"], json!("Bonn"));
}

#[test]
fn a_deleted_record_whose_key_somebody_took_is_not_said_to_be_back() {
    let account = CliTest::new()
        .with_lookups()
        .holds("assets", json!({"asset_id": "T-2", "product_id": 1, "status_id": 1, "notes": "fragile"}))
        .sheet("gone.csv", "asset_id\nT-2\n");
    let (_, deleted) = account.json(&["delete", "assets", "gone.csv", "--yes"]);
    account.request("POST", "assets", Some(&json!({"asset_id": "T-2", "product_id": 1, "status_id": 1})));
    let run = deleted["run_id"].as_str().unwrap();
    let (code, plan) = account.json(&["undo", run, "--dry-run"]);
    assert_eq!((code, &plan["rows"], &plan["counts"]["skipped"]), (1, &json!(1), &json!(1)), "{plan}");
    let undone = undo(&account, run).exits(1);
    assert!(undone.text().contains("someone else made another record of that key since"), "{}", undone.text());
}

#[test]
fn what_somebody_else_has_checked_out_since_is_not_deleted() {
    let account = equipped().sheet("stock.csv", "name,category,quantity\nCyan,Toner,10\nPink,Toner,10\n");
    let account =
        account.sheet("assets.csv", "asset_id,product,status\nT-8,MacBook Pro 14,Ready\nT-9,MacBook Pro 14,Ready\n");
    let stock = import(&account, &["stock.csv", "--entity", "consumables"]);
    let assets = import(&account, &["assets.csv"]);
    // Which of the two was created first is not said.
    let cyan = account.record("consumables", "name", "Cyan")["id"].clone();
    for (path, body) in [
        (
            "checkout/consumable",
            json!({"consumable_id": cyan, "employee_id": 1, "quantity": 4, "checkout_date": "2026-11-05"}),
        ),
        ("checkout/asset", json!({"asset_id": "T-8", "employee_id": 1, "checkout_date": "2026-11-05"})),
    ] {
        let (status, answer) = account.request("POST", path, Some(&body));
        assert!(status < 300, "{answer}");
    }
    for run in [&stock, &assets] {
        let undone = undo(&account, run).exits(1);
        assert!(undone.text().contains("checked in or out by someone else since"), "{}", undone.text());
    }
    let names = |collection: &str, field: &str| -> Vec<Value> {
        account.records(collection).iter().map(|record| record[field].clone()).collect()
    };
    assert_eq!(names("consumables", "name"), [json!("Black"), json!("Cyan")]);
    assert_eq!(names("assets", "asset_id"), [json!("T-1"), json!("T-2"), json!("T-8")]);
}

/// An account with two people and two of everything that can be checked out.
fn equipped() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("statuses", json!({"name": "Broken", "type": "undeployable"}))
        .holds("locations", json!({"name": "Berlin"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Noyce", "email": "bob@example.com"}))
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("categories", json!({"name": "Memory", "type": "component"}))
        .holds("categories", json!({"name": "Software", "type": "license"}))
        .holds("categories", json!({"name": "Toner", "type": "consumable"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 10}))
        .holds("components", json!({"name": "DDR5", "category_id": 3, "quantity": 10}))
        .holds("licenses", json!({"name": "Office", "category_id": 4, "number_of_seats": 10}))
        .holds("consumables", json!({"name": "Black", "category_id": 5, "quantity": 10}))
        .holds("assets", json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .holds("assets", json!({"asset_id": "T-2", "product_id": 1, "status_id": 1, "location_id": 1}))
}

#[test]
fn checkouts_are_checked_in_unless_the_item_was_moved_since() {
    let harness = equipped()
        .sheet(
            "checkout_asset.csv",
            "asset_id,employee,checkout_date,asset_location\n\
             T-1,ada@example.com,2024-06-01,Berlin\nT-2,bob@example.com,2024-06-01,\n",
        )
        .sheet(
            "checkout_accessory.csv",
            "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,2,2024-06-01\nMouse,bob@example.com,3,2024-06-01\n",
        )
        .sheet("checkout_component.csv", "component,asset_id,quantity,checkout_date\nDDR5,T-1,2,2024-06-01\n")
        .sheet("checkout_license.csv", "license,employee,quantity,checkout_date\nOffice,ada@example.com,1,2024-06-01\n");
    let before = account(&harness);
    let files = ["checkout_asset.csv", "checkout_accessory.csv", "checkout_component.csv", "checkout_license.csv"];
    let run = import(&harness, &files);
    undo(&harness, &run).exits(0);
    same(&before, &account(&harness));
    assert_output!(undo(&harness, &run), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (import of checkout_asset.csv, checkout_accessory.csv, checkout_component.csv, checkout_license.csv)
            6  nothing to do  already checked in
      nothing is left to undo
    ");

    let run = import(&harness, &files);
    let moved_on = json!({"accessory_id": 1, "employee_id": 2, "checkin_date": "2024-07-01"});
    harness.request("POST", "checkin/accessory", Some(&moved_on));
    harness.request(
        "POST",
        "checkin/asset",
        Some(&json!({"asset_id": 2, "status_id": 1, "checkin_date": "2024-07-01"})),
    );
    let moved_on = json!({"asset_id": "T-2", "employee_id": 1, "checkout_date": "2024-07-02"});
    harness.request("POST", "checkout/asset", Some(&moved_on));
    assert_output!(undo(&harness, &run), @"
    exit code 1
    --- stdout
    Undo of run 20261124-093015-abcd: 1 of 7 rows could not be undone, in 0.5 s (run 20261124-093015-abcd)
      sheet              holds              rows  created  updated  unchanged  skipped
      checkin_license    checkin_license       1        1        -          -        -
      checkin_component  checkin_component     1        1        -          -        -
      checkin_accessory  checkin_accessory     2        1        -          1        -
      checkin_asset      checkin_asset         2        1        -          -        1
      assets (moved)     assets                1        -        1          -        -
      total                                    7        4        1          1        1
      requests  17: 12 to look up, 4 to create or move, 1 to update
      result    20261124-093015-abcd.undo.result.xlsx
    --- stderr
    Undo of run 20261124-093015-abcd (import of checkout_asset.csv, checkout_accessory.csv, checkout_component.csv, checkout_license.csv)
            4  check in       1 asset, 1 license, 1 accessory, 1 component
            1  restore        1 asset
            1  nothing to do  already checked in

    1 cannot be undone
           1 × checked in or out by someone else since
               asset T-2

      plan      5 requests, about 1.0 s at 10,000 an hour
    ");
    assert_eq!(harness.record("assets", "asset_id", "T-1")["deployed_to"], json!([]));
    assert_eq!(harness.record("assets", "asset_id", "T-2")["deployed_to"][0]["employee_id"], 1);
    assert_eq!(harness.records("accessories")[0]["available"], 10);
}

#[test]
fn consumable_checkouts_cannot_be_undone_and_are_reported() {
    let harness = equipped().sheet(
        "checkout_consumable.csv",
        "consumable,employee,quantity,checkout_date\nBlack,ada@example.com,2,2024-06-01\n",
    );
    let run = import(&harness, &["checkout_consumable.csv"]);
    // Which records are still referenced depends on the order of the ids.
    undo(&harness, &run).exits(1);
    assert_eq!(harness.records("consumables")[0]["available"], 8);
}

#[test]
fn checkins_are_checked_out_again_to_the_same_holder_and_date() {
    let harness = equipped();
    for (action, body) in [
        ("asset", json!({"asset_id": "T-2", "employee_id": 2, "checkout_date": "2024-06-01"})),
        ("accessory", json!({"accessory_id": 1, "employee_id": 1, "quantity": 3, "checkout_date": "2024-06-01"})),
    ] {
        assert_eq!(harness.request("POST", &format!("checkout/{action}"), Some(&body)).0, 200);
    }
    let harness = harness
        .sheet("checkin_asset.csv", "asset_id,checkin_date,status,asset_location\nT-2,2024-07-01,Broken,Berlin\n")
        .sheet("checkin_accessory.csv", "accessory,employee,checkin_date\nMouse,ada@example.com,2024-07-01\n")
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2024-07-02\n");
    harness.request("PUT", "categories/1", Some(&json!({"checkout_email": true})));
    let before = account(&harness);
    let run = import(&harness, &["checkin_asset.csv", "checkin_accessory.csv", "checkout_asset.csv"]);
    let (_, plan) = harness.json(&["undo", &run, "--dry-run"]);
    assert_eq!((&plan["planned"]["emails"], &plan["planned"]["people"]), (&json!(1), &json!(1)), "{plan}");
    assert_eq!(harness.records("accessories")[0]["available"], 10);
    undo(&harness, &run).exits(0);
    same(&before, &account(&harness));
    assert_output!(undo(&harness, &run), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (import of checkin_asset.csv, checkin_accessory.csv, checkout_asset.csv)
            1  nothing to do  already checked in
            1  nothing to do  already checked out again
            1  nothing to do  already checked out to the same holder again
      nothing is left to undo
    ");
}

#[test]
fn a_reassigned_asset_returns_to_its_first_holder() {
    let harness = equipped();
    let out = json!({"asset_id": "T-1", "employee_id": 2, "checkout_date": "2024-06-01"});
    harness.request("POST", "checkout/asset", Some(&out));
    let harness = harness
        .sheet("checkin_asset.csv", "asset_id,checkin_date,status\nT-1,2024-07-01,Ready\n")
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2024-07-02\n");
    let before = account(&harness);
    let run = import(&harness, &["checkin_asset.csv", "checkout_asset.csv"]);
    assert_eq!(harness.record("assets", "asset_id", "T-1")["deployed_to"][0]["employee_id"], 1);
    undo(&harness, &run).exits(0);
    same(&before, &account(&harness));
}

#[test]
fn the_asset_that_the_run_moved_goes_back_whatever_its_tag_is_by_now() {
    for held_by_bob in [false, true] {
        let harness = two_assets(held_by_bob);
        let run = import(&harness, &["assets.csv", "--map", "holder=assigned_to"]);
        swap_tag(&harness);
        undo(&harness, &run).exits(0);
        let holders = |tag: &str| harness.record("assets", "asset_id", tag)["deployed_to"].clone();
        let holder = holders("0009")[0]["employee_id"].clone();
        assert_eq!(holder, if held_by_bob { json!(2) } else { Value::Null });
        assert_eq!(holders("0001").as_array().map_or(0, Vec::len), 0);
    }
}

#[test]
fn a_killed_undo_is_resumed() {
    let harness = onboarding();
    let proxy = Proxy::to(harness.address());
    let through = |arguments: &[&str]| {
        let mut command = harness.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command
    };
    let before = account(&harness);
    let imported = CommandOutput::run(through(&["import", "onboarding.xlsx", "--json", "--yes"]));
    let run = run_of(&serde_json::from_str(&imported.stdout).unwrap());
    let (notify, notified) = mpsc::channel();
    proxy.set(Some(KillPoint { at: 160, timing: KillTiming::Forwarded, notify }));
    let mut child = through(&["undo", &run, "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let done = notified.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    done.send(()).unwrap();
    proxy.set(None);
    proxy.settled();
    let refused = CommandOutput::run(through(&["undo", &run, "--yes"]));
    assert_output!(refused, @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd is being undone by run 20261124-093015-abcd, which is not finished
      hint: continue that one: tallyport resume 20261124-093015-abcd
    ");
    CommandOutput::run(through(&["resume", "--last"])).exits(0);
    same(&before, &account(&harness));
    assert_output!(CommandOutput::run(through(&["undo", &run, "--yes"])), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (import of onboarding.xlsx)
           10  nothing to do  already as it was before
          408  nothing to do  already deleted
      nothing is left to undo
    ");
}

#[test]
fn undo_requires_confirmation() {
    let harness = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let run = import(&harness, &["assets.csv"]);
    let before = account(&harness);
    let unasked = CommandOutput::run(harness.command(&["undo", &run]).stdin(Stdio::null()));
    assert_output!(unasked, @"
    exit code 2
    --- stderr
    Undo of run 20261124-093015-abcd (import of assets.csv)
            3  delete         3 assets
      plan      3 requests, about 1.0 s at 10,000 an hour
    error: this makes 3 changes; nothing was sent
      hint: pass --yes to confirm
    ");
    assert_output!(harness.run(&["undo", "--last", "--dry-run"]), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (import of assets.csv)
            3  delete         3 assets
      plan      3 requests, about 1.0 s at 10,000 an hour
      nothing was sent; without --dry-run it is done: tallyport undo 20261124-093015-abcd
    ");
    let (code, document) = harness.json(&["undo", "--last", "--dry-run"]);
    assert_eq!((code, &document["undoes"], &document["dry_run"]), (0, &json!(run), &json!(true)));
    assert_eq!((&document["rows"], &document["counts"]["deleted"]), (&json!(3), &json!(3)), "{document}");
    assert_eq!(document["planned"]["delete"], json!({"assets": 3}));
    same(&before, &account(&harness));
    assert!(!harness.path(&format!("{run}.undo.result.xlsx")).exists());
}

#[test]
fn undoing_an_undo_or_an_unknown_run_is_an_error() {
    let harness = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let run = import(&harness, &["assets.csv"]);
    let (_, summary) = harness.json(&["undo", &run, "--yes"]);
    assert_output!(undo(&harness, &run_of(&summary)), @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd is itself the undo of run 20261124-093015-abcd
      hint: bring the sheets in again with `tallyport import`
    ");
    insta::assert_snapshot!(harness.transcript(&[&["undo", "20200101-000000-none"], &["undo"]]), @r#"
    $ tallyport undo 20200101-000000-none
    exit code 2
    --- stderr
    error: there is no run `20261124-093015-abcd`
      hint: `tallyport runs` lists all runs
    $ tallyport undo
    exit code 2
    --- stderr
    error: `tallyport undo` needs a run
      hint: pass `--last` for the newest one, or a run id: `tallyport runs` lists them
    "#);
    let (code, last) = harness.json(&["undo", "--last", "--dry-run"]);
    assert_eq!((code, &last["undoes"]), (0, &json!(run)));
}

#[test]
fn a_stopped_run_can_be_undone_but_then_not_resumed() {
    // Nobody has a mouse that could be checked in; the first refusal stops the run.
    let mut checkins = String::from("accessory,employee,checkin_date\n");
    (1..=28).for_each(|day| checkins.push_str(&format!("Mouse,ada@example.com,2024-06-{day:02}\n")));
    let harness = equipped()
        .sheet("assets.csv", "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n")
        .sheet("checkin_accessory.csv", &checkins);
    let before = account(&harness);
    let sheets = ["import", "assets.csv", "checkin_accessory.csv", "--max-errors", "1", "--concurrency", "1"];
    let (code, stopped) = harness.json(&sheets);
    assert_eq!((code, &stopped["counts"]["created"]), (4, &json!(1)), "{stopped}");
    let undone = undo(&harness, &run_of(&stopped)).redacted();
    // How many were prepared when the run stopped differs from time to time.
    let (above, note) = undone.split_once("  note      ").unwrap();
    let (_number, note) = note.split_once(' ').unwrap();
    insta::assert_snapshot!(format!("{above}  note      N {note}"), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd: the one step was undone, in 0.5 s (run 20261124-093015-abcd)
      1 row: 1 deleted (assets)
      requests  4: 3 to look up, 1 to delete
      note      N steps of run 20261124-093015-abcd were never sent: do not resume it
      result    20261124-093015-abcd.undo.result.xlsx
    --- stderr
    Undo of run 20261124-093015-abcd (import of assets.csv, checkin_accessory.csv)
            1  delete         1 asset
      plan      1 request, about 1.0 s at 10,000 an hour
    ");
    same(&before, &account(&harness));
    assert_output!(harness.run(&["resume", "--last"]), @"
    exit code 2
    --- stderr
    error: there is nothing to resume: every run is finished
      hint: `tallyport runs` lists all runs
    ");
    assert_output!(harness.run(&["resume", &run_of(&stopped)]), @"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd was undone by run 20261124-093015-abcd
      hint: begin again: tallyport import assets.csv checkin_accessory.csv --max-errors 1 --concurrency 1
    ");
    same(&before, &account(&harness));
}

#[test]
fn a_run_with_unknown_outcomes_must_be_resumed_before_undo() {
    let harness = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    let proxy = Proxy::to(harness.address());
    let through = |arguments: &[&str]| {
        let mut command = harness.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command
    };
    let (notify, notified) = mpsc::channel();
    // Five requests are lookups; the seventh is the second create, whose response is lost.
    proxy.set(Some(KillPoint { at: 7, timing: KillTiming::Forwarded, notify }));
    let mut child = through(&["import", "assets.csv", "--concurrency", "1"]).stdout(Stdio::null()).spawn().unwrap();
    let done = notified.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    done.send(()).unwrap();
    proxy.set(None);
    proxy.settled();
    let refused = CommandOutput::run(through(&["undo", "--last", "--yes"]));
    // How many intents were on disk depends on when the process was killed.
    let refused = refused.redacted().replace(" 2 requests", " N requests").replace(" 3 requests", " N requests");
    insta::assert_snapshot!(refused.replace(" 1 request ", " N requests "), @r#"
    exit code 2
    --- stderr
    error: run 20261124-093015-abcd has N requests with unknown outcome
      hint: finish it first: tallyport resume 20261124-093015-abcd
    "#);
    CommandOutput::run(through(&["resume", "--last"])).exits(0);
    assert_eq!(harness.records("assets").len(), 3);
    CommandOutput::run(through(&["undo", "--last", "--yes"])).exits(0);
    assert!(harness.records("assets").is_empty());
}

/// Every record of the server without its timestamps, and all assignments.
fn held_by(server: &ReferenceServer) -> Vec<Vec<Map<String, Value>>> {
    let names = ["employees", "products", "statuses", "categories", "assets", "accessories"];
    let without_time = |name: &&str| {
        let mut records = server.records(name);
        records.iter_mut().for_each(|record| drop(record.remove("updated_at")));
        records
    };
    names.iter().map(without_time).collect()
}

#[test]
fn undo_works_with_every_reply_shape() {
    for shapes in some_of(Shapes::ALL, 1) {
        let server = ReferenceServer::start(shapes);
        server.holds("categories", json!({"name": "Laptops", "type": "asset"}));
        server.holds("categories", json!({"name": "Mice", "type": "accessory"}));
        server.holds("products", json!({"name": "X1", "category_id": 1}));
        server.holds("statuses", json!({"name": "Ready", "type": "deployable"}));
        server.holds("employees", json!({"name": "Ada", "email": "ada@example.com"}));
        server.holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 10}));
        let rack = json!([{"name": "Rack", "value": "A"}]).to_string();
        server.holds("assets", json!({"asset_id": "OLD", "product_id": 1, "status_id": 1, "purchase_cost": 12}));
        server.holds("assets", json!({"asset_id": "RACK", "product_id": 1, "status_id": 1, "custom_fields": rack}));
        let before = held_by(&server);
        let folder = tempfile::TempDir::new().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("employees.csv", "name,email\nBob,Bob@example.com\n");
        write(
            "assets.csv",
            "asset_id,product,status,purchase_cost,notes,custom:Rack\nNEW,X1,Ready,9,n,\nOLD,,,13,,\nRACK,,,,,B\n",
        );
        write(
            "checkout_asset.csv",
            "asset_id,employee,checkout_date\nNEW,ada@example.com,2024-06-01\nOLD,bob@example.com,2024-06-01\n",
        );
        write(
            "checkout_accessory.csv",
            "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,2,2024-06-01\nMouse,bob@example.com,3,2024-06-01\n",
        );
        let run = |arguments: &[&str]| {
            let mut command = tallyport(folder.path(), arguments);
            command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", server.address()));
            CommandOutput::run(command.env("BLUETALLY_API_KEY", reference_server::KEY).stdin(Stdio::null()))
        };
        run(&["import", "employees.csv", "assets.csv", "checkout_asset.csv", "checkout_accessory.csv"]).exits(0);
        assert_eq!((server.records("assets").len(), server.assignments().len()), (3, 4), "{shapes:?}");
        let undone = run(&["undo", "--last", "--yes"]);
        assert_eq!(undone.code, 0, "{shapes:?}: {}", undone.text());
        assert_eq!(before, held_by(&server), "{shapes:?}");
        assert!(server.assignments().is_empty(), "{shapes:?}");
        let again = run(&["undo", "--last", "--yes"]);
        insta::allow_duplicates! { assert_output!(again, @"
        exit code 0
        --- stdout
        Undo of run 20261124-093015-abcd (import of employees.csv, assets.csv, checkout_asset.csv, checkout_accessory.csv)
                2  nothing to do  already as it was before
                3  nothing to do  already checked in
                3  nothing to do  already deleted
          nothing is left to undo
        "); }
    }
}

#[test]
fn undoing_a_delete_reports_the_new_ids() {
    let harness = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    import(&harness, &["assets.csv"]);
    let before = harness.records("assets");
    let harness = harness.sheet("retired.csv", "asset_id\nLAP-1\nLAP-3\n");
    let (_, deleted) = harness.json(&["delete", "assets", "retired.csv", "--yes"]);
    let run = run_of(&deleted);
    assert_eq!(harness.records("assets").len(), 1);
    assert_output!(undo(&harness, &run), @r#"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd: all 2 steps undone, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 2 created (assets)
      requests  4: 2 to look up, 2 to create or move
      result    20261124-093015-abcd.undo.result.xlsx
    --- stderr
    Undo of run 20261124-093015-abcd (delete of retired.csv)
            2  create again   2 assets
                              with new ids: history and what named the old ones stay behind
      plan      2 requests, about 1.0 s at 10,000 an hour
    "#);
    for tag in ["LAP-1", "LAP-3"] {
        let (mut now, was) = (harness.record("assets", "asset_id", tag), &before);
        let mut was = was.iter().find(|asset| asset["asset_id"] == tag).unwrap().clone();
        assert_ne!(now["id"], was["id"]);
        for time in ["id", "created_at", "updated_at"] {
            now.as_object_mut().unwrap().remove(time);
            was.as_object_mut().unwrap().remove(time);
        }
        assert_eq!(now, was);
    }
    let rows = rows(&harness, &run, "assets (created)");
    assert_eq!((&*rows[0][0], &*rows[0][2], &*rows[0][3]), ("created", "create again", "LAP-1"));
    let old = &before.iter().find(|asset| asset["asset_id"] == "LAP-1").unwrap()["id"];
    assert_eq!(rows[0][1], format!("previously #{old}; history and references stay with the old id"));
    assert_output!(undo(&harness, &run), @"
    exit code 0
    --- stdout
    Undo of run 20261124-093015-abcd (delete of retired.csv)
            2  nothing to do  already created again
      nothing is left to undo
    ");
    assert_eq!(harness.records("assets").len(), 3);
}
