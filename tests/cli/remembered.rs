//! Remembered mappings: flags that made a header row work are not needed again.

use std::fs;
use std::process::Stdio;

use serde_json::json;

use crate::harness::{CliTest, assert_output, sheet_rows};

const DEVICES: &str = "Tag No,State,Model,Password\nA-1,managed,MacBook Pro 14,hunter2\n";

const FLAGS: [&str; 7] =
    ["--entity", "assets", "--map", "Tag No=asset_id", "--map", "State=status", "--value=status:managed=Ready"];

fn account() -> CliTest {
    let account = CliTest::new().with_lookups().sheet("devices.csv", DEVICES);
    let next = DEVICES.replace("A-1", "A-2");
    account.sheet("next.csv", &next)
}

fn remember(account: &CliTest) {
    account.run(&[&["check", "devices.csv", "--remember"], &FLAGS[..]].concat()).exits(0);
}

#[test]
fn the_next_file_with_the_same_header_row_needs_no_flags() {
    let account = account();
    account.run(&["check", "next.csv", "--entity", "assets"]).exits(2);
    let first = account.run(&[&["check", "devices.csv", "--remember"], &FLAGS[..]].concat());
    assert_output!(first, @"
    exit code 0
    --- stdout
    Check of devices.csv: the one row passed, in 0.5 s
      1 row: 1 good (assets)
      read      devices.csv as UTF-8, comma
      header    row 1: Tag No → asset_id, State → status_id, Model → product_id
      ignored   `Password`: it looks like passwords: neither read nor copied
      next      tallyport import devices.csv --entity assets --map 'Tag No=asset_id' --map State=status --value status:managed=Ready --dry-run
    --- stderr
    devices: the mapping is remembered as devices-03c5, for every file with this header row
    ");
    assert_output!(account.run(&["check", "next.csv"]), @"
    exit code 0
    --- stdout
    Check of next.csv: the one row passed, in 0.5 s
      1 row: 1 good (assets)
      read      next.csv as UTF-8, comma
      header    row 1: Tag No → asset_id, State → status_id, Model → product_id
      ignored   `Password`: it looks like passwords: neither read nor copied
      note      next: mapping remembered on 2026-11-24 from devices.csv; `tallyport mappings forget devices-03c5` forgets it
      next      tallyport import next.csv --dry-run
    ");
    let (code, summary) = account.json(&["import", "next.csv", "--result", "done.xlsx"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    assert_eq!(summary["mapping"][0]["columns"][0]["why"], "remembered mapping");
    assert_eq!(account.record("assets", "asset_id", "A-2")["status_id"], json!(1));
    assert!(!format!("{:?}", sheet_rows(&account.path("done.xlsx"), "next")).contains("hunter2"));
    let (code, again) = account.json(&["import", "done.xlsx"]);
    assert_eq!((code, &again["counts"]["skipped"]), (0, &json!(1)), "its result has the same headers: {again}");
}

#[test]
fn another_header_row_is_not_read_by_it() {
    let account = account()
        .sheet("reordered.csv", "State,Tag No,Model,Password\nmanaged,A-1,MacBook Pro 14,x\n")
        .sheet("more.csv", "Tag No,State,Model,Password,Notes\nA-1,managed,MacBook Pro 14,x,y\n")
        .sheet("folded.csv", "TAG NO,state,Model ,Password\nA-1,managed,MacBook Pro 14,x\n");
    remember(&account);
    for other in ["reordered.csv", "more.csv"] {
        let ran = account.run(&["check", other, "--entity", "assets"]).exits(2);
        assert!(!ran.text().contains("remembered"), "{}", ran.text());
    }
    account.run(&["check", "folded.csv"]).exits(0);
}

#[test]
fn flags_go_before_it_and_files_and_presets_in_its_place() {
    let account = account().sheet("m.toml", "[assets]\n\"Tag No\" = \"asset_id\"\n");
    remember(&account);
    let (_, summary) = account.json(&["check", "next.csv", "--map", "Model=notes"]);
    let columns = summary["mapping"][0]["columns"].as_array().unwrap();
    let column = |header: &str| columns.iter().find(|column| column["header"] == header).unwrap();
    assert_eq!((&column("Model")["field"], &column("Model")["why"]), (&json!("notes"), &json!("command line")));
    assert_eq!(column("Tag No")["why"], "remembered mapping");
    for instead in [&["--mapping", "m.toml"][..], &["--preset", "none"]] {
        let ran = account.run(&[&["check", "next.csv", "--entity", "assets"], instead].concat());
        assert!(!ran.text().contains("remembered"), "{}", ran.text());
    }
    let ran = account.run(&["check", "next.csv", "--entity", "locations"]).exits(2);
    assert!(!ran.text().contains("remembered"), "another collection: {}", ran.text());
}

#[test]
fn it_goes_before_a_recognized_preset_and_contains_it() {
    let people = "Block credential,City,Department,Display name,First name,Last name,User principal name\n\
                  False,Berlin,IT,Ada Byron,Ada,Byron,ada@example.com\n";
    let account = CliTest::new().sheet("people.csv", people);
    let ran = account.run(&["check", "people.csv", "--ignore", "Department", "--remember"]).exits(0);
    assert!(ran.text().contains("recognized"), "{}", ran.text());
    let (code, summary) = account.json(&["check", "people.csv"]);
    assert_eq!((code, &summary["mapping"][0]["preset"]), (0, &json!("m365-users")), "{summary}");
    let codes: Vec<&str> =
        summary["remarks"].as_array().unwrap().iter().map(|remark| remark["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"mapping.remembered") && !codes.contains(&"preset.recognized"), "{codes:?}");
    let columns = summary["mapping"][0]["columns"].as_array().unwrap();
    let ignored = columns.iter().find(|column| column["header"] == "Department").unwrap();
    assert_eq!(ignored["why"], "ignored by the remembered mapping", "{summary}");
}

#[test]
fn mappings_are_listed_and_forgotten() {
    let account = account();
    assert_output!(account.run(&["mappings"]), @"
    exit code 0
    --- stdout
    No mapping is remembered. `tallyport check FILE --remember` keeps the one in use.
    ");
    remember(&account);
    assert_output!(account.run(&["mappings"]), @"
    exit code 0
    --- stdout
    devices-03c5  assets  2026-11-24  devices.csv, 4 columns
    ");
    let (_, listed) = account.json(&["mappings"]);
    let mapping = &listed["mappings"][0];
    let name = mapping["name"].as_str().unwrap();
    assert_eq!(
        (&mapping["entity"], &mapping["file"], &mapping["columns"]),
        (&json!("assets"), &json!("devices.csv"), &json!(4))
    );
    assert_output!(account.run(&["mappings", "forget", "device-5f0c"]), @"
    exit code 2
    --- stderr
    error: no mapping is remembered as `device-5f0c`
      hint: did you mean `devices-03c5`? `tallyport mappings` lists them
    ");
    let (code, forgotten) = account.json(&["mappings", "forget", name]);
    assert_eq!((code, &forgotten["forgotten"]), (0, &json!(name)));
    account.run(&["check", "next.csv", "--entity", "assets"]).exits(2);
    assert_eq!(account.json(&["mappings"]).1, json!({"mappings": []}));
}

#[test]
fn a_damaged_file_stops_the_check_and_says_what_to_do() {
    let account = account();
    remember(&account);
    let path = fs::read_dir(account.path("state/mappings")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    fs::write(&path, &text[..40]).unwrap();
    assert_output!(account.run(&["check", "next.csv"]), @"
    exit code 2
    --- stderr
    error: the remembered mapping `~/state/mappings/DIGEST-assets.toml` is damaged: key with no value, expected `=`
      hint: run `tallyport mappings forget DIGEST-assets`, and pass --remember with the flags again
    ");
    assert_output!(account.run(&["mappings"]), @"
    exit code 0
    --- stdout
    DIGEST-assets  the remembered mapping `~/state/mappings/DIGEST-assets.toml` is damaged: key with no value, expected `=`
    ");
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    account.run(&["mappings", "forget", &name]).exits(0);
    account.run(&["check", "next.csv", "--entity", "assets"]).exits(2);
}

#[test]
fn two_that_remember_at_once_both_do() {
    let account = account().sheet("other.csv", &DEVICES.replace("Tag No", "Tag Number"));
    let other =
        ["--entity", "assets", "--map", "Tag Number=asset_id", "--default", "status=Ready", "--ignore", "State"];
    let commands = [
        [&["check", "devices.csv", "--remember"], &FLAGS[..]].concat(),
        [&["check", "next.csv", "--remember"], &FLAGS[..]].concat(),
        [&["check", "other.csv", "--remember"], &other[..]].concat(),
    ];
    let spawned: Vec<_> =
        commands.iter().map(|command| account.command(command).stdout(Stdio::null()).spawn().unwrap()).collect();
    for mut child in spawned {
        assert!(child.wait().unwrap().success());
    }
    let (_, listed) = account.json(&["mappings"]);
    assert_eq!(listed["mappings"].as_array().unwrap().len(), 2, "one for each header row: {listed}");
    account.run(&["check", "other.csv"]).exits(0);
}

#[test]
fn lists_of_two_collections_with_the_same_headers_each_have_their_mapping() {
    let list = |name: &str| format!("Item,Kind,Count\n{name},Odds and ends,7\n");
    let account = CliTest::new().sheet("consumables.csv", &list("Toner")).sheet("accessories.csv", &list("Dock"));
    let account = account.sheet("march.csv", &list("Mouse"));
    let maps = ["--map", "Item=name", "--map", "Kind=category", "--map", "Count=quantity"];
    account.run(&[&["check", "consumables.csv", "--remember"], &maps[..]].concat()).exits(0);
    let ran = account.run(&["check", "accessories.csv"]).exits(1);
    assert!(ran.text().contains("(accessories)") && !ran.text().contains("remembered"), "{}", ran.text());
    let (code, said) = account.json(&[&["check", "accessories.csv", "--remember"], &maps[..]].concat());
    assert_eq!((code, &said["entity"]), (0, &json!("accessories")), "{said}");
    for entity in ["accessories", "consumables"] {
        let import = ["import", &format!("{entity}.csv"), "--create-missing", "--dry-run"];
        let (code, summary) = account.json(&import);
        assert_eq!((code, &summary["entity"]), (0, &json!(entity)), "{summary}");
        assert_eq!(summary["mapping"][0]["columns"][0]["why"], "remembered mapping");
        account.run(&["check", "march.csv", "--entity", entity]).exits(0);
    }
    assert_output!(account.run(&["check", "march.csv"]), @"
    exit code 2
    --- stderr
    error: march.csv: cannot tell from its name what it contains: for these headers, mappings are remembered for `accessories`, `consumables`
      hint: say what it holds, such as --entity accessories
    ");
}

#[test]
fn nothing_is_remembered_of_headers_that_need_no_flags() {
    let account = CliTest::new().sheet("locations.csv", "name,city\nBerlin,Berlin\n");
    let ran = account.run(&["check", "locations.csv", "--remember"]).exits(0);
    assert!(ran.stderr.contains("nothing to remember"), "{}", ran.text());
    assert!(!account.path("state/mappings").exists());
}

#[test]
fn a_column_stays_ignored_that_only_a_rule_reads() {
    let rules = "entity = \"assets\"\nignore = [\"Site\"]\n[fields.asset_name]\njoin = \"{Site} {Host}\"\n\
                 [fields.status_id]\ndefault = \"Ready\"\n";
    let account = CliTest::new().with_lookups().sheet("m.toml", rules);
    let account = account.sheet("list.csv", "Asset Tag,Model,Host,Site\nLAP-1,MacBook Pro 14,NB-17,Berlin\n");
    let used = |summary: &serde_json::Value| {
        let columns = summary["mapping"][0]["columns"].as_array().unwrap().iter();
        let mut used: Vec<String> = columns.map(|column| column["field"].to_string()).collect();
        used.sort();
        used
    };
    let check = ["check", "list.csv", "--mapping", "m.toml", "--remember", "--save-mapping", "saved.toml"];
    let (code, first) = account.json(&check);
    assert_eq!((code, used(&first).contains(&String::from("\"location_id\""))), (0, false), "{first}");
    for again in [&["check", "list.csv"][..], &["check", "list.csv", "--mapping", "saved.toml"]] {
        let (code, again) = account.json(again);
        assert_eq!((code, used(&again)), (0, used(&first)), "{again}");
    }
    let (code, summary) = account.json(&["import", "list.csv"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    let asset = account.record("assets", "asset_id", "LAP-1");
    assert_eq!((&asset["asset_name"], &asset["location_id"]), (&json!("Berlin NB-17"), &json!(null)));
}

#[test]
fn a_remembered_preset_is_as_lenient_as_the_preset() {
    let sheet = include_str!("../fixtures/exports/snipe-it-assets.csv");
    let account = CliTest::new().sheet("sn.csv", sheet);
    let import = ["import", "sn.csv", "--create-missing=all", "--dry-run"];
    let (code, preset) = account.json(&import);
    assert_eq!(code, 0, "{preset}");
    account.run(&["check", "sn.csv", "--remember"]).exits(0);
    let (code, remembered) = account.json(&import);
    assert_eq!((code, &remembered["counts"]), (0, &preset["counts"]), "{remembered}");
}
