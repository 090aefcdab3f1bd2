//! A run is taken back: what it did is undone, what others did stays.

use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Map, Value, json};

use crate::kills::proxy::{Moment, Proxy, Snare};
use crate::rehearsal::{Ran, Rehearsal, bare, rows_of};
use crate::stranger::{self, Shapes, Stranger};

/// Every record of the account but for what an undo cannot bring back: when it was touched.
fn account(rehearsal: &Rehearsal) -> Vec<(&'static str, Vec<Value>)> {
    let records = |collection: &'static str| {
        let mut records = rehearsal.records(collection);
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

/// The name of the run that a summary is of.
fn run_of(summary: &Value) -> String {
    summary["run_id"].as_str().unwrap().to_owned()
}

/// Imports a sheet that the rehearsal has; its run.
#[track_caller]
fn import(account: &Rehearsal, arguments: &[&str]) -> String {
    let (code, summary) = account.json(&[&["import"], arguments, &["--yes"]].concat());
    assert_eq!(code, 0, "{summary}");
    run_of(&summary)
}

fn undo(account: &Rehearsal, run: &str) -> Ran {
    account.run(&["undo", run, "--yes"])
}

/// The rows of an undo's result: status, message, what, record.
fn rows(account: &Rehearsal, run: &str, sheet: &str) -> Vec<[String; 4]> {
    let rows = rows_of(&account.path(&format!("{run}.undo.result.xlsx")), sheet);
    rows.into_iter().skip(1).map(|row| [row[0].clone(), row[2].clone(), row[3].clone(), row[4].clone()]).collect()
}

fn onboarding() -> Rehearsal {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/onboarding.xlsx");
    Rehearsal::seeded().bytes("onboarding.xlsx", &std::fs::read(book).unwrap())
}

const ASSETS: &str = "asset_id,asset_name,product,status,purchase_cost,notes\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready,1299,first\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready,1399,\n\
    LAP-3,Cy's laptop,MacBook Pro 14,Ready,1499,\n";

#[test]
fn an_onboarding_taken_back_leaves_the_account_as_it_was() {
    let rehearsal = onboarding();
    let before = account(&rehearsal);
    let run = import(&rehearsal, &["onboarding.xlsx"]);
    assert_eq!(rehearsal.records("assets").len(), 120);
    let (code, summary) = rehearsal.json(&["undo", &run, "--yes"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(0)), "{summary}");
    same(&before, &account(&rehearsal));
    let again = rehearsal.json(&["undo", &run, "--yes"]);
    assert_eq!((again.0, &again.1["planned"]["requests"]), (0, &json!(0)), "{}", again.1);
    same(&before, &account(&rehearsal));
}

#[test]
fn what_others_touched_stays_and_so_does_what_it_needs() {
    let rehearsal = onboarding();
    let known = rehearsal.records("suppliers")[0].clone();
    let run = import(&rehearsal, &["onboarding.xlsx"]);
    let is_out = |asset: &&Value| asset["deployed_to"][0]["employee_id"].is_i64();
    let out = rehearsal.records("assets").iter().find(is_out).unwrap()["id"].clone();
    let accessory = rehearsal.records("accessories")[0]["id"].clone();
    let product = rehearsal.records("products").last().unwrap()["id"].clone();
    for (path, body) in [
        (format!("assets/{out}"), json!({"notes": "mine now"})),
        (format!("accessories/{accessory}"), json!({"minimum_quantity": 7})),
        (format!("suppliers/{}", known["id"]), json!({"notes": "theirs"})),
    ] {
        assert_eq!(rehearsal.request("PUT", &path, Some(&body)).0, 200, "{path}");
    }
    let status = rehearsal.records("statuses")[0]["id"].clone();
    let theirs = json!({"asset_id": "THEIRS-1", "product_id": product, "status_id": status});
    rehearsal.request("POST", "assets", Some(&theirs));
    let touched = |rehearsal: &Rehearsal| {
        let theirs = rehearsal.record("assets", "asset_id", "THEIRS-1")["id"].clone();
        let one = |path: String| rehearsal.request("GET", &path, None).1;
        [
            one(format!("assets/{out}")),
            one(format!("assets/{theirs}")),
            one(format!("accessories/{accessory}")),
            one(format!("products/{product}")),
        ]
    };
    let before = touched(&rehearsal);
    undo(&rehearsal, &run).exits(1).says("changed by someone else since").says("`notes`").says("still referenced");
    assert_eq!(before, touched(&rehearsal));
    assert_eq!(rehearsal.request("GET", &format!("suppliers/{}", known["id"]), None).1["notes"], "theirs");
    let employee = &before[0]["deployed_to"][0]["employee_id"];
    assert_eq!(rehearsal.request("GET", &format!("employees/{employee}"), None).0, 200, "who has it stays");
    assert_eq!(rehearsal.records("assets").len(), 2, "the others are gone");
    let rows = rows(&rehearsal, &run, "assets");
    let left: Vec<_> = rows.iter().filter(|row| row[0] == "skipped").collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0][1], "not undone: changed by someone else since: `notes`");
    assert_eq!((&*left[0][2], &*left[0][3]), ("leave", before[0]["asset_id"].as_str().unwrap()));
}

#[test]
fn updates_are_restored_field_by_field() {
    let rehearsal = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    import(&rehearsal, &["assets.csv"]);
    let before = account(&rehearsal);
    let rehearsal = rehearsal.sheet(
        "changed.csv",
        "asset_id,asset_name,purchase_cost,notes,custom:Rack\n\
         LAP-1,Renamed,99,<clear>,A1\nLAP-2,,77,added,B2\nLAP-3,,,,C3\n",
    );
    let run = import(&rehearsal, &["changed.csv", "--entity", "assets"]);
    assert_eq!(rehearsal.record("assets", "asset_id", "LAP-1")["asset_name"], "Renamed");
    rehearsal.request("PUT", "assets/2", Some(&json!({"purchase_cost": 78})));
    undo(&rehearsal, &run).exits(1);
    let mut expected = before;
    let (_, assets) = expected.iter_mut().find(|(collection, _)| *collection == "assets").unwrap();
    assets[1]["purchase_cost"] = json!(78);
    same(&expected, &account(&rehearsal));
    let rows = rows(&rehearsal, &run, "assets (restored)");
    let second: Vec<_> = rows.iter().filter(|row| row[3] == "Bob's laptop" || row[3] == "LAP-2").collect();
    assert_eq!(second.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["updated", "skipped"]);
    assert!(second[1][1].contains("`purchase_cost`") && !second[1][1].contains("notes"), "{rows:?}");
}

#[test]
fn deleted_records_are_made_again_and_referred_to_by_their_new_ids() {
    let rehearsal = Rehearsal::new()
        .furnished()
        .holds("products", json!({"name": "ThinkPad", "category_id": 1, "notes": "good", "model_number": "T14"}))
        .sheet("assets.csv", "asset_id,product,status,purchase_cost,notes\nT-1,ThinkPad,Ready,900,old\n");
    import(&rehearsal, &["assets.csv"]);
    let rehearsal = rehearsal
        .sheet("delete.csv", "asset_id,_action\nT-1,delete\n")
        .sheet("products.csv", "name,model_number,_action\nThinkPad,T14,delete\n");
    let first = import(&rehearsal, &["delete.csv", "--entity", "assets"]);
    let second = import(&rehearsal, &["products.csv"]);
    assert_eq!((rehearsal.records("assets").len(), rehearsal.records("products").len()), (0, 1));
    undo(&rehearsal, &second).exits(0).says("create again").says("new ids");
    let product = rehearsal.record("products", "name", "ThinkPad");
    assert_eq!(
        (&product["notes"], &product["model_number"], &product["category_id"]),
        (&json!("good"), &json!("T14"), &json!(1))
    );
    // The asset's product has another id now, which the asset's own journal does not know.
    let asset = undo(&rehearsal, &first);
    assert_eq!(asset.code, 1, "{}", asset.said());
    undo(&rehearsal, &second).exits(0).says("already created again").says("nothing is left to undo");
    assert_eq!(rehearsal.records("products").len(), 2, "once, not twice");
}

/// An account with two people and two of everything that can be checked out.
fn equipped() -> Rehearsal {
    Rehearsal::new()
        .furnished()
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
fn checkouts_are_checked_in_where_nobody_has_moved_the_thing_since() {
    let rehearsal = equipped()
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
    let before = account(&rehearsal);
    let files = ["checkout_asset.csv", "checkout_accessory.csv", "checkout_component.csv", "checkout_license.csv"];
    let run = import(&rehearsal, &files);
    undo(&rehearsal, &run).exits(0);
    same(&before, &account(&rehearsal));
    undo(&rehearsal, &run).exits(0).says("already checked in").says("nothing is left to undo");

    let run = import(&rehearsal, &files);
    let moved_on = json!({"accessory_id": 1, "employee_id": 2, "checkin_date": "2024-07-01"});
    rehearsal.request("POST", "checkin/accessory", Some(&moved_on));
    rehearsal.request(
        "POST",
        "checkin/asset",
        Some(&json!({"asset_id": 2, "status_id": 1, "checkin_date": "2024-07-01"})),
    );
    let moved_on = json!({"asset_id": "T-2", "employee_id": 1, "checkout_date": "2024-07-02"});
    rehearsal.request("POST", "checkout/asset", Some(&moved_on));
    undo(&rehearsal, &run).exits(1).says("checked in or out by someone else since");
    assert_eq!(rehearsal.record("assets", "asset_id", "T-1")["deployed_to"], json!([]));
    assert_eq!(rehearsal.record("assets", "asset_id", "T-2")["deployed_to"][0]["employee_id"], 1);
    assert_eq!(rehearsal.records("accessories")[0]["available"], 10);
}

#[test]
fn consumables_stay_used_up_and_that_is_said() {
    let rehearsal = equipped().sheet(
        "checkout_consumable.csv",
        "consumable,employee,quantity,checkout_date\nBlack,ada@example.com,2,2024-06-01\n",
    );
    let run = import(&rehearsal, &["checkout_consumable.csv"]);
    undo(&rehearsal, &run).exits(1).says("cannot be checked in").says("nothing else is left to undo");
    assert_eq!(rehearsal.records("consumables")[0]["available"], 8);
}

#[test]
fn checkins_are_checked_out_again_to_whom_it_was_since_when_it_was() {
    let rehearsal = equipped();
    for (action, body) in [
        ("asset", json!({"asset_id": "T-2", "employee_id": 2, "checkout_date": "2024-06-01"})),
        ("accessory", json!({"accessory_id": 1, "employee_id": 1, "quantity": 3, "checkout_date": "2024-06-01"})),
    ] {
        assert_eq!(rehearsal.request("POST", &format!("checkout/{action}"), Some(&body)).0, 200);
    }
    let rehearsal = rehearsal
        .sheet("checkin_asset.csv", "asset_id,checkin_date,status,asset_location\nT-2,2024-07-01,Broken,Berlin\n")
        .sheet("checkin_accessory.csv", "accessory,employee,checkin_date\nMouse,ada@example.com,2024-07-01\n")
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2024-07-02\n");
    rehearsal.request("PUT", "categories/1", Some(&json!({"checkout_email": true})));
    let before = account(&rehearsal);
    let run = import(&rehearsal, &["checkin_asset.csv", "checkin_accessory.csv", "checkout_asset.csv"]);
    let (_, plan) = rehearsal.json(&["undo", &run, "--dry-run"]);
    assert_eq!((&plan["planned"]["emails"], &plan["planned"]["people"]), (&json!(1), &json!(1)), "{plan}");
    assert_eq!(rehearsal.records("accessories")[0]["available"], 10);
    undo(&rehearsal, &run).exits(0);
    same(&before, &account(&rehearsal));
    undo(&rehearsal, &run).exits(0).says("nothing is left to undo");
}

#[test]
fn an_asset_that_was_handed_on_goes_back_to_the_first() {
    let rehearsal = equipped();
    let out = json!({"asset_id": "T-1", "employee_id": 2, "checkout_date": "2024-06-01"});
    rehearsal.request("POST", "checkout/asset", Some(&out));
    let rehearsal = rehearsal
        .sheet("checkin_asset.csv", "asset_id,checkin_date,status\nT-1,2024-07-01,Ready\n")
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2024-07-02\n");
    let before = account(&rehearsal);
    let run = import(&rehearsal, &["checkin_asset.csv", "checkout_asset.csv"]);
    assert_eq!(rehearsal.record("assets", "asset_id", "T-1")["deployed_to"][0]["employee_id"], 1);
    undo(&rehearsal, &run).exits(0);
    same(&before, &account(&rehearsal));
}

#[test]
fn an_undo_that_was_killed_is_resumed_to_its_end() {
    let rehearsal = onboarding();
    let proxy = Proxy::to(rehearsal.address());
    let through = |arguments: &[&str]| {
        let mut command = rehearsal.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command
    };
    let before = account(&rehearsal);
    let imported = Ran::of(through(&["import", "onboarding.xlsx", "--json", "--yes"]).output().unwrap());
    let run = run_of(&serde_json::from_str(&imported.stdout).unwrap());
    let (tell, told) = mpsc::channel();
    proxy.set(Some(Snare { at: 160, moment: Moment::Forwarded, tell }));
    let mut child = through(&["undo", &run, "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let done = told.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    done.send(()).unwrap();
    proxy.set(None);
    proxy.settled();
    let refused = Ran::of(through(&["undo", &run, "--yes"]).output().unwrap());
    refused.exits(2).says("is not finished").says("tallyport resume");
    Ran::of(through(&["resume", "--last"]).output().unwrap()).exits(0);
    same(&before, &account(&rehearsal));
    Ran::of(through(&["undo", &run, "--yes"]).output().unwrap()).exits(0).says("nothing is left to undo");
}

#[test]
fn nothing_is_sent_unasked() {
    let rehearsal = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    let run = import(&rehearsal, &["assets.csv"]);
    let before = account(&rehearsal);
    let unasked = Ran::of(rehearsal.command(&["undo", &run]).stdin(Stdio::null()).output().unwrap());
    unasked.exits(2).says("this makes 3 changes; nothing was sent").says("--yes");
    let (code, document) = rehearsal.json(&["undo", "--last", "--dry-run"]);
    assert_eq!((code, &document["undoes"], &document["dry_run"]), (0, &json!(run), &json!(true)));
    assert_eq!(document["planned"]["delete"], json!({"assets": 3}));
    same(&before, &account(&rehearsal));
    assert!(!rehearsal.path(&format!("{run}.undo.result.xlsx")).exists());
}

#[test]
fn an_undo_is_not_undone_and_a_run_nobody_knows_is_said() {
    let rehearsal = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    let run = import(&rehearsal, &["assets.csv"]);
    let (_, summary) = rehearsal.json(&["undo", &run, "--yes"]);
    undo(&rehearsal, &run_of(&summary)).exits(2).says("is itself the undo of run").says("tallyport import");
    rehearsal.run(&["undo", "20200101-000000-none"]).exits(2);
    rehearsal.run(&["undo"]).exits(2);
    let (code, last) = rehearsal.json(&["undo", "--last", "--dry-run"]);
    assert_eq!((code, &last["undoes"]), (0, &json!(run)));
}

#[test]
fn a_stopped_run_is_taken_back_and_not_gone_on_with() {
    // More than there are, every time: the first refusal stops the run.
    let mut checkouts = String::from("accessory,employee,quantity,checkout_date\n");
    (1..=28).for_each(|day| checkouts.push_str(&format!("Mouse,ada@example.com,99,2024-06-{day:02}\n")));
    let rehearsal = equipped()
        .sheet("assets.csv", "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n")
        .sheet("checkout_accessory.csv", &checkouts);
    let before = account(&rehearsal);
    let sheets = ["import", "assets.csv", "checkout_accessory.csv", "--max-errors", "1", "--concurrency", "1"];
    let (code, stopped) = rehearsal.json(&sheets);
    assert_eq!((code, &stopped["counts"]["created"]), (4, &json!(1)), "{stopped}");
    undo(&rehearsal, &run_of(&stopped)).exits(0).says("were never sent: do not resume it");
    same(&before, &account(&rehearsal));
    rehearsal.run(&["resume", "--last"]).exits(2).says("there is nothing to resume");
    rehearsal.run(&["resume", &run_of(&stopped)]).exits(2).says("was taken back by run");
    same(&before, &account(&rehearsal));
}

#[test]
fn a_run_whose_fate_is_open_is_finished_first() {
    let rehearsal = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    let proxy = Proxy::to(rehearsal.address());
    let through = |arguments: &[&str]| {
        let mut command = rehearsal.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command
    };
    let (tell, told) = mpsc::channel();
    // Three requests look up; the fifth is the second create, whose answer nobody takes.
    proxy.set(Some(Snare { at: 5, moment: Moment::Forwarded, tell }));
    let mut child = through(&["import", "assets.csv", "--concurrency", "1"]).stdout(Stdio::null()).spawn().unwrap();
    let done = told.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    done.send(()).unwrap();
    proxy.set(None);
    proxy.settled();
    let refused = Ran::of(through(&["undo", "--last", "--yes"]).output().unwrap());
    refused.exits(2).says("the fate of").says("finish it first: tallyport resume");
    Ran::of(through(&["resume", "--last"]).output().unwrap()).exits(0);
    assert_eq!(rehearsal.records("assets").len(), 3);
    Ran::of(through(&["undo", "--last", "--yes"]).output().unwrap()).exits(0);
    assert!(rehearsal.records("assets").is_empty());
}

/// Every record of a stranger but for when it was touched, and who holds what.
fn held_by(stranger: &Stranger) -> Vec<Vec<Map<String, Value>>> {
    let names = ["employees", "products", "statuses", "categories", "assets", "accessories"];
    let without_time = |name: &&str| {
        let mut records = stranger.records(name);
        records.iter_mut().for_each(|record| drop(record.remove("updated_at")));
        records
    };
    names.iter().map(without_time).collect()
}

#[test]
fn a_service_of_other_shapes_is_as_it_was_too() {
    for shapes in Shapes::ALL {
        let stranger = Stranger::start(shapes);
        stranger.holds("categories", json!({"name": "Laptops", "type": "asset"}));
        stranger.holds("categories", json!({"name": "Mice", "type": "accessory"}));
        stranger.holds("products", json!({"name": "X1", "category_id": 1}));
        stranger.holds("statuses", json!({"name": "Ready", "type": "deployable"}));
        stranger.holds("employees", json!({"name": "Ada", "email": "ada@example.com"}));
        stranger.holds("accessories", json!({"name": "Mouse", "category_id": 2, "quantity": 10}));
        let rack = json!([{"name": "Rack", "value": "A"}]).to_string();
        stranger.holds("assets", json!({"asset_id": "OLD", "product_id": 1, "status_id": 1, "purchase_cost": 12}));
        stranger.holds("assets", json!({"asset_id": "RACK", "product_id": 1, "status_id": 1, "custom_fields": rack}));
        let before = held_by(&stranger);
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
            let mut command = bare(folder.path(), arguments);
            command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", stranger.address()));
            Ran::of(command.env("BLUETALLY_API_KEY", stranger::KEY).stdin(Stdio::null()).output().unwrap())
        };
        run(&["import", "employees.csv", "assets.csv", "checkout_asset.csv", "checkout_accessory.csv"]).exits(0);
        assert_eq!((stranger.records("assets").len(), stranger.holdings().len()), (3, 4), "{shapes:?}");
        let undone = run(&["undo", "--last", "--yes"]);
        assert_eq!(undone.code, 0, "{shapes:?}: {}", undone.said());
        assert_eq!(before, held_by(&stranger), "{shapes:?}");
        assert!(stranger.holdings().is_empty(), "{shapes:?}");
        let again = run(&["undo", "--last", "--yes"]);
        assert!(again.said().contains("nothing is left to undo"), "{shapes:?}: {}", again.said());
    }
}

#[test]
fn a_delete_is_taken_back_and_the_new_ids_are_said() {
    let rehearsal = Rehearsal::new().furnished().sheet("assets.csv", ASSETS);
    import(&rehearsal, &["assets.csv"]);
    let before = rehearsal.records("assets");
    let rehearsal = rehearsal.sheet("retired.csv", "asset_id\nLAP-1\nLAP-3\n");
    let (_, deleted) = rehearsal.json(&["delete", "assets", "retired.csv", "--yes"]);
    let run = run_of(&deleted);
    assert_eq!(rehearsal.records("assets").len(), 1);
    undo(&rehearsal, &run).exits(0).says("create again").says("with new ids");
    for tag in ["LAP-1", "LAP-3"] {
        let (mut now, was) = (rehearsal.record("assets", "asset_id", tag), &before);
        let mut was = was.iter().find(|asset| asset["asset_id"] == tag).unwrap().clone();
        assert_ne!(now["id"], was["id"]);
        for time in ["id", "created_at", "updated_at"] {
            now.as_object_mut().unwrap().remove(time);
            was.as_object_mut().unwrap().remove(time);
        }
        assert_eq!(now, was);
    }
    let rows = rows(&rehearsal, &run, "assets (created)");
    assert_eq!((&*rows[0][0], &*rows[0][2], &*rows[0][3]), ("created", "create again", "LAP-1"));
    assert!(rows[0][1].contains("it was #1 before"), "{rows:?}");
    undo(&rehearsal, &run).exits(0).says("nothing is left to undo");
    assert_eq!(rehearsal.records("assets").len(), 3);
}
