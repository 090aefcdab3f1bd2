//! Mapping files that name a kind of status: which status of the account stands for it.

use serde_json::{Value, json};

use crate::harness::{CliTest, CommandOutput, assert_output, tallyport};
use crate::reference_server::{KEY, ReferenceServer, Shapes};
use crate::values::codes;

const DEVICES: &str = "Serial number,Model,State\nS1,MacBook Pro 14,\nS2,MacBook Pro 14,new\nS3,MacBook Pro 14,\n";

const RULES: &str = "entity = \"assets\"\n[fields.asset_id]\ncolumn = \"Serial number\"\n\
                     [fields.status_id]\ncolumn = \"State\"\n\
                     values = { new = { kind = \"deployable\", name = \"Ready to Deploy\" } }\n\
                     default = { kind = \"deployable\", name = \"Ready to Deploy\" }\n";

const INTUNE: &str = "Device ID,Device name,OS,Primary user UPN,Enrollment date,Serial number,Manufacturer,Model\n\
                      d1,NB-1,Windows,,2026-01-14,5CG1,HP,EliteBook 840 G10\n\
                      d2,NB-2,Windows,,2026-01-14,5CG2,HP,EliteBook 840 G10\n\
                      d3,NB-3,Windows,,2026-01-14,5CG3,HP,EliteBook 840 G10\n";

/// A product, and no status.
fn account() -> CliTest {
    CliTest::new()
        .holds("categories", json!({"name": "Laptops", "type": "asset"}))
        .holds("products", json!({"name": "MacBook Pro 14", "category_id": 1}))
        .sheet("devices.csv", DEVICES)
        .sheet("m.toml", RULES)
}

/// Three deployable statuses, of which two assets have the last by name.
fn with_statuses() -> CliTest {
    let status = |name: &str| json!({"name": name, "type": "deployable"});
    let asset = |tag: &str, status: i64| json!({"asset_id": tag, "product_id": 1, "status_id": status});
    account()
        .holds("statuses", status("Ready"))
        .holds("statuses", status("In use"))
        .holds("statuses", status("Shelf"))
        .holds("assets", asset("OLD-1", 3))
        .holds("assets", asset("OLD-2", 3))
        .holds("assets", asset("OLD-3", 1))
}

fn messages(summary: &Value) -> Vec<String> {
    let remarks = summary["remarks"].as_array().unwrap().iter().filter(|remark| remark["code"] == "value.kind");
    remarks.map(|remark| remark["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dry_run_and_the_import_choose_the_status_that_most_assets_have() {
    let account = with_statuses();
    let import = ["import", "devices.csv", "--mapping", "m.toml"];
    let (code, rehearsed) = account.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, 0, "{rehearsed}");
    let (code, summary) = account.json(&import);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(3)), "{summary}");
    let expected = [
        "`State`: `Shelf` for 1 row (the deployable status that most assets have) (C3)",
        "status_id: `Shelf` for 2 rows without one (the deployable status that most assets have)",
    ];
    assert_eq!(
        (messages(&rehearsed), messages(&summary)),
        (expected.map(String::from).to_vec(), expected.map(String::from).to_vec())
    );
    for tag in ["S1", "S2", "S3"] {
        assert_eq!(account.record("assets", "asset_id", tag)["status_id"], json!(3), "{tag}");
    }
}

#[test]
fn another_import_leaves_each_asset_the_status_that_it_has_meanwhile() {
    let account = with_statuses();
    let import = ["import", "devices.csv", "--mapping", "m.toml"];
    account.run(&import).exits(0);
    let id = account.record("assets", "asset_id", "S1")["id"].clone();
    assert_eq!(account.request("PUT", &format!("assets/{id}"), Some(&json!({"status_id": 2}))).0, 200);
    let (code, again) = account.json(&import);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(3)), "{again}");
    assert_eq!(messages(&again), Vec::<String>::new());
    assert_eq!(account.record("assets", "asset_id", "S1")["status_id"], json!(2));
}

#[test]
fn another_import_of_a_tools_export_leaves_a_status_that_was_set_meanwhile() {
    let account = CliTest::new().sheet("intune.csv", INTUNE);
    let import = ["import", "intune.csv", "--create-missing=all"];
    account.run(&import).exits(0);
    let statuses = [("Lost or Stolen", "undeployable"), ("Retired", "archived")];
    let account = statuses
        .into_iter()
        .fold(account, |account, (name, kind)| account.holds("statuses", json!({"name": name, "type": kind})));
    let status = |name: &str| account.record("statuses", "name", name)["id"].clone();
    for (tag, name) in [("5CG2", "Lost or Stolen"), ("5CG3", "Retired")] {
        let id = account.record("assets", "asset_id", tag)["id"].clone();
        assert_eq!(account.request("PUT", &format!("assets/{id}"), Some(&json!({"status_id": status(name)}))).0, 200);
    }
    // As a preset says it, as a mapping file with the preset in it does, and as a remembered one does.
    account.run(&["check", "intune.csv", "--save-mapping", "saved.toml"]).exits(0);
    let saved = ["import", "intune.csv", "--create-missing=all", "--mapping", "saved.toml"];
    for again in [&import[..], &saved, &["import", "intune.csv", "--create-missing=all", "--remember"], &import] {
        let (code, summary) = account.json(again);
        assert_eq!((code, &summary["counts"]["unchanged"]), (0, &json!(3)), "{summary}");
    }
    assert_eq!(account.record("assets", "asset_id", "5CG2")["status_id"], status("Lost or Stolen"));
    // What the user says by name counts for every row.
    let (code, summary) = account.json(&[&import[..], &["--default", "status=Ready to Deploy", "--dry-run"]].concat());
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(2)), "{summary}");
}

#[test]
fn where_there_is_no_status_of_the_kind_create_missing_makes_one() {
    let account = account().holds("statuses", json!({"name": "Lost", "type": "archived"}));
    let import = ["import", "devices.csv", "--mapping", "m.toml"];
    assert_output!(account.run(&import), @"
    exit code 1
    --- stdout
    Import of devices.csv: 3 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 3 failed (assets)

    3 problems in 3 rows
           2 × no record of that name (name.not_found)
               row 2 `Ready to Deploy`, row 4 `Ready to Deploy`
               the account has no deployable status
               hint: create `Ready to Deploy` with --create-missing=statuses, or name one of the account's statuses in the mapping
           1 × no record of that name in `State` (name.not_found)
               C3 `new`
               status_id from State, C3: the account has no deployable status
               hint: create `Ready to Deploy` with --create-missing=statuses, or name one of the account's statuses in the mapping

      read      devices.csv as UTF-8, comma
      header    row 1: Serial number → asset_serial, Serial number → asset_id, Model → product_id,
                State → status_id (any deployable status where blank)
      requests  6: 6 to look up
      result    devices.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import devices.result.xlsx --mapping m.toml --only-failed
    ");
    let create = [&import[..], &["--create-missing"]].concat();
    let (code, summary) = account.json(&create);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(3)), "{summary}");
    let made = account.record("statuses", "name", "Ready to Deploy");
    assert_eq!(made["type"], json!("deployable"));
    assert_eq!(account.record("assets", "asset_id", "S2")["status_id"], made["id"]);
    let (_, again) = account.json(&create);
    assert_eq!(&again["counts"]["unchanged"], &json!(3), "{again}");
    assert_eq!(account.records("statuses").len(), 2);
}

#[test]
fn check_shows_a_kind_without_an_account_and_a_saved_mapping_keeps_it() {
    let account = with_statuses().sheet("plain.csv", "Serial number,Model\nS1,MacBook Pro 14\n");
    assert_output!(account.run(&["check", "plain.csv", "--mapping", "m.toml", "--save-mapping", "saved.toml"]), @"
    exit code 0
    --- stdout
    Check of plain.csv: the one row passed, in 0.5 s
      1 row: 1 good (assets)
      read      plain.csv as UTF-8, comma
      header    row 1: Serial number → asset_serial, Serial number → asset_id, Model → product_id,
                default of status_id → status_id (any deployable status)
      next      tallyport import plain.csv --mapping m.toml --dry-run
    --- stderr
    saved the mapping to saved.toml
    ");
    let saved = std::fs::read_to_string(account.path("saved.toml")).unwrap();
    insta::assert_snapshot!(saved, @r#"
    # Which column is mapped to which field. `tallyport import FILE --mapping THIS` uses it.
    entity = "assets"

    [assets]
    "Serial number" = "asset_serial"
    Model = "product_id"

    [assets.fields.asset_id]
    column = "Serial number"

    [assets.fields.status_id]
    default = { kind = "deployable", name = "Ready to Deploy" }

    [assets.fields.status_id.values]
    new = { kind = "deployable", name = "Ready to Deploy" }
    "#);
    let (code, summary) = account.json(&["import", "plain.csv", "--entity", "assets", "--mapping", "saved.toml"]);
    assert_eq!((code, codes(&summary, "problems")), (0, Vec::new()), "{summary}");
    assert_eq!(account.record("assets", "asset_id", "S1")["status_id"], json!(3));
}

/// Of a large account only the assets are read that rows name, where these cannot be there in other letters or behind
/// zeros; how many have a status is then asked by a filter of the guide, once for each status of the kind.
#[test]
fn in_a_large_account_the_filter_of_the_guide_counts() {
    let server = ReferenceServer::start(Shapes::ALL[0]);
    server.holds("categories", json!({"name": "Laptops", "type": "asset"}));
    server.holds("products", json!({"name": "MacBook Pro 14", "category_id": 1}));
    let [ready, used] =
        ["Ready", "Used"].map(|name| server.holds("statuses", json!({"name": name, "type": "deployable"})));
    for number in 0..6_100 {
        let status = if number < 100 { ready } else { used };
        server.holds("assets", json!({"asset_id": format!("OLD-{number}"), "product_id": 1, "status_id": status}));
    }
    let folder =
        CliTest::new().sheet("devices.csv", "Serial number,Model\n900-001,MacBook Pro 14\n").sheet("m.toml", RULES);
    let mut command = tallyport(folder.folder(), &["import", "devices.csv", "--mapping", "m.toml", "--json"]);
    command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", server.address()));
    let ran = CommandOutput::run(command.env("BLUETALLY_API_KEY", KEY)).exits(0);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        messages(&summary),
        ["status_id: `Used` for 1 row without one (the deployable status that most assets have)"]
    );
    let made = server.records("assets").into_iter().find(|asset| asset["asset_id"] == "900-001").unwrap();
    assert_eq!(made["status_id"], json!(used));
    let lists: Vec<_> =
        server.received().into_iter().filter(|seen| seen.path == "assets" && seen.method == "GET").collect();
    let documented = ["limit", "offset", "sort", "order", "asset_id", "asset_serial", "status_id"];
    let parameters = lists.iter().flat_map(|list| &list.query);
    let unknown: Vec<_> = parameters.filter(|(name, _)| !documented.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let is_filter = |(name, value): &(String, String)| (name == "status_id").then(|| value.clone());
    let counted: Vec<String> = lists.iter().flat_map(|list| list.query.iter().filter_map(is_filter)).collect();
    // The server cuts pages, so that the first of each list does not tell which is longer.
    assert_eq!(counted, [ready, used, ready, used].map(|id| id.to_string()));
}

#[test]
fn the_type_of_a_new_status_that_nobody_says_is_told_with_the_flag_that_says_it() {
    let row =
        |(number, status): (usize, &str)| format!("PC-{number};SN-{number};INV-{number};{status};Laptops;X1;Root;\n");
    let statuses = ["Scrapped", "verschrottet", "Au rebut", "En stock", "Perdido", "In repair", "Zombie", "On loan"];
    let rows: String = statuses.into_iter().enumerate().map(row).collect();
    let header = "Name;Serial number;Inventory number;Status;Type;Model;Entity;Alternate username";
    let account = CliTest::new().sheet("glpi.csv", &format!("{header}\n{rows}"));
    let assumed = |summary: &Value| {
        let remarks = summary["remarks"].as_array().unwrap().iter().filter(|remark| remark["code"] == "kind.assumed");
        remarks.map(|remark| remark["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let import = ["import", "glpi.csv", "--create-missing=all", "--yes"];
    let (code, rehearsed) = account.json(&[&import[..], &["--dry-run"]].concat());
    let told = "`Status`: new statuses of the type deployable, because neither file nor mapping says it: `Zombie`, `On loan`; \
                if it is another, pass --value 'status_id.type:Zombie=archived' (first D8)";
    assert_eq!((code, assumed(&rehearsed)), (0, vec![told.to_owned()]), "{rehearsed:#}");
    let said = ["--value", "status_id.type:Zombie=archived", "--value", "status_id.type:On loan=deployable"];
    let (code, summary) = account.json(&[&import[..], &said].concat());
    assert_eq!((code, assumed(&summary)), (0, Vec::new()), "{summary:#}");
    let types = statuses.map(|name| account.record("statuses", "name", name)["type"].as_str().unwrap().to_owned());
    let expected =
        ["archived", "archived", "archived", "deployable", "undeployable", "pending", "archived", "deployable"];
    assert_eq!(types, expected);
}

#[test]
fn both_lists_of_snipe_it_say_the_type_of_a_status_in_brackets() {
    for header in [
        "Asset Tag,Model,Category,Status,Checked Out,Purchased,Current Value,Diff",
        "Asset Tag,Model,Category,Status,Checked Out To,Default Location,EOL Rate,Notes",
    ] {
        let rows = "A1,XPS 13,Laptops,Disposed (archived),,,,\nA2,XPS 13,Laptops,In hand (deployed),,,,\n";
        let account = CliTest::new().sheet("list.csv", &format!("{header}\n{rows}"));
        let (code, summary) = account.json(&["import", "list.csv", "--create-missing=all", "--yes"]);
        let remarks = summary["remarks"].as_array().unwrap();
        let is_silent = remarks.iter().all(|remark| remark["code"] != "kind.assumed");
        assert!(code == 0 && is_silent, "{summary:#}");
        for (name, kind) in [("Disposed", "archived"), ("In hand", "deployable")] {
            assert_eq!(account.record("statuses", "name", name)["type"], kind, "{header}");
        }
    }
}
