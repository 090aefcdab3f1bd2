//! `delete`: deletes the records listed in a sheet; the backup restores them.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};
use tallyport::schema::{COLLECTIONS, Entity, Field, Kind, TextForm, Wire, collection};

use crate::harness::{CliTest, assert_output, sheet_rows, some_of};
use crate::import::workbook;

/// An account with three assets, A-1 to A-3.
fn three_assets() -> CliTest {
    let asset = |tag: &str| json!({"asset_id": tag, "product_id": 1, "status_id": 1, "notes": tag});
    CliTest::new()
        .with_lookups()
        .holds("assets", asset("A-1"))
        .holds("assets", asset("A-2"))
        .holds("assets", asset("A-3"))
}

fn tags(account: &CliTest) -> Vec<String> {
    account.records("assets").iter().map(|asset| asset["asset_id"].as_str().unwrap().to_owned()).collect()
}

fn files(account: &CliTest) -> Vec<String> {
    let entries = std::fs::read_dir(account.folder()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "state");
    names.sort();
    names
}

#[test]
fn records_are_deleted_by_key_and_every_row_has_an_outcome() {
    // An invalid date and an unknown product do not matter: only the key is used.
    let account = three_assets().sheet(
        "retired.csv",
        "Asset Tag,Purchase Date,Product,Remark\nA-1,31/31/24,No such thing,x\nA-9,,,\n a-3 ,,,\n",
    );
    let (code, summary) = account.json(&["delete", "assets", "retired.csv", "--yes"]);
    assert_eq!((code, &summary["counts"]["deleted"], &summary["counts"]["failed"]), (1, &json!(2), &json!(1)));
    assert_eq!(tags(&account), ["A-2"]);
    assert_eq!(
        summary["requests"]["by_kind"],
        json!({
            "GET assets": 2, "GET products": 2, "GET statuses": 2, "DELETE assets": 2
        })
    );
    let rows = sheet_rows(&account.path("retired.result.xlsx"), "retired");
    let statuses: Vec<[&str; 2]> = rows.iter().skip(1).map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    assert_eq!(statuses, [["deleted", "1"], ["failed", ""], ["deleted", "3"]]);
    assert!(rows[2][2].contains("record.missing") && !rows[2][2].contains("upsert"), "{}", rows[2][2]);
    let backup = sheet_rows(&account.path("retired.backup.xlsx"), "assets");
    assert_eq!(backup[0][..3], ["_deleted_id", "asset_id", "asset_name"]);
    assert_eq!((backup.len(), &*backup[1][1], &*backup[2][1]), (3, "A-1", "A-3"));
    let product = backup[0].iter().position(|header| header == "product_name").unwrap();
    assert_eq!(backup[1][product], "MacBook Pro 14");
    let (_, runs) = account.json(&["runs"]);
    assert_eq!((&runs["runs"][0]["command"], &runs["runs"][0]["counts"]["deleted"]), (&json!("delete"), &json!(2)));
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    run                   what                   state     began
    20261124-093015-abcd  delete of retired.csv  finished  just now
                          2026-11-24 09:30, 48 kB; 2 deleted, 1 failed
    ");
}

#[test]
fn records_are_deleted_by_id_or_by_other_fields() {
    let account = three_assets().sheet("ids.csv", "_id\n2\n7\n").sheet("notes.csv", "Notes\nA-3\n");
    assert_output!(account.run(&["delete", "assets", "ids.csv", "--yes"]), @r#"
    exit code 1
    --- stdout
    Deletion of ids.csv: 1 of 2 rows failed, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 deleted, 1 failed (assets)

    1 problem in 1 row
           1 × there is no such record in `_id` (record.missing)
               A3 `7`
               no record with id `#7` in assets
               hint: correct the id, or --ignore the column if it holds another system's ids

      read      ids.csv as UTF-8, comma
      header    row 1: _id
      requests  7: 6 to look up, 1 to delete
      note      backup of the assets: ids.backup.xlsx; what was deleted comes back with `tallyport undo 20261124-093015-abcd` or an import of that file, and its ids will differ
      result    ids.result.xlsx
    "#);
    account.run(&["delete", "assets", "notes.csv", "--match-on", "notes", "--yes"]).exits(0);
    assert_eq!(tags(&account), ["A-1"]);
}

#[test]
fn rows_that_match_no_or_several_records_fail() {
    let account = CliTest::new()
        .holds("locations", json!({"name": "Berlin", "city": "one"}))
        .holds("locations", json!({"name": "Berlin", "city": "two"}))
        .holds("locations", json!({"name": "Bonn"}))
        .sheet("gone.csv", "name,notes\nBerlin,\n,no key\nBonn,\nBonn,again\nKiel,\n");
    let (code, summary) = account.json(&["delete", "locations", "gone.csv", "--yes"]);
    assert_eq!((code, &summary["counts"]["deleted"], &summary["counts"]["failed"]), (1, &json!(1), &json!(4)));
    let mut codes: Vec<&str> =
        summary["problems"].as_array().unwrap().iter().map(|group| group["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["duplicate.key", "key.missing", "record.ambiguous", "record.missing"]);
    assert_eq!(account.records("locations").len(), 2);
}

#[test]
fn a_record_in_use_is_kept_with_the_reason_of_the_service() {
    let account = three_assets()
        .holds("products", json!({"name": "Spare", "category_id": 1}))
        .sheet("products.csv", "name\nMacBook Pro 14\nSpare\n");
    let (code, summary) = account.json(&["delete", "products", "products.csv", "--yes"]);
    assert_eq!((code, &summary["counts"]["deleted"], &summary["counts"]["failed"]), (1, &json!(1), &json!(1)));
    let group = &summary["problems"][0];
    assert_eq!(group["code"], "service.refused");
    assert!(group["examples"][0]["message"].as_str().unwrap().starts_with("cannot be deleted: "));
    assert_eq!(account.records("products").len(), 1);
}

#[test]
fn irreversible_deletes_require_a_flag() {
    let account = CliTest::new()
        .holds("categories", json!({"name": "Unused", "type": "asset"}))
        .sheet("categories.csv", "name,type\nUnused,asset\n");
    let refused = ["categories", "components", "consumables"].map(|name| ["delete", name, "no such file", "--yes"]);
    insta::assert_snapshot!(account.transcript(&refused.each_ref().map(|command| command.as_slice())), @"
    $ tallyport delete categories no such file --yes
    exit code 2
    --- stderr
    error: the service cannot bring deleted categories back; nothing was sent
      hint: pass --irreversible to confirm; a backup is written in any case
    $ tallyport delete components no such file --yes
    exit code 2
    --- stderr
    error: the service cannot bring deleted components back; nothing was sent
      hint: pass --irreversible to confirm; a backup is written in any case
    $ tallyport delete consumables no such file --yes
    exit code 2
    --- stderr
    error: the service cannot bring deleted consumables back; nothing was sent
      hint: pass --irreversible to confirm; a backup is written in any case
    ");
    assert_eq!(account.records("categories").len(), 1);
    account.run(&["delete", "categories", "categories.csv", "--irreversible", "--yes"]).exits(0);
    assert!(account.records("categories").is_empty() && account.path("categories.backup.xlsx").exists());
    assert_output!(account.run(&["delete", "checkout_asset", "categories.csv", "--yes"]), @"
    exit code 2
    --- stderr
    error: `checkout_asset` holds no records to delete
      hint: name a collection such as `assets`; `tallyport schema` lists them
    ");
}

#[test]
fn without_confirmation_nothing_is_sent_or_written() {
    let account = three_assets().sheet("retired.csv", "asset_id\nA-1\nA-2\n");
    assert_output!(account.run(&["delete", "assets", "retired.csv"]), @"
    exit code 2
    --- stderr
    error: this would delete 2 assets from http://127.0.0.1:49152/api/v1; nothing was sent
      hint: pass --yes to confirm
    ");
    assert_output!(account.run(&["delete", "assets", "retired.csv", "--yes", "--max-deletes", "1"]), @"
    exit code 2
    --- stderr
    error: the plan would delete 2 records, more than --max-deletes allows; nothing was sent
      hint: look at the plan with --dry-run, or raise --max-deletes
    ");
    assert_eq!((tags(&account).len(), files(&account)), (3, vec![String::from("retired.csv")]));
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    No runs yet. `tallyport import` makes one, unless it is a dry run or goes to a sandbox in memory.
    ");
}

#[test]
fn the_command_after_a_dry_run_writes_the_backup_where_it_was_to_be() {
    let account = three_assets().sheet("old.csv", "asset_id\nA-1\n");
    let (code, plan) = account.json(&["delete", "assets", "old.csv", "--dry-run", "--backup", "my backup.xlsx"]);
    assert_eq!((code, &plan["next"]), (0, &json!(["tallyport delete assets old.csv --backup 'my backup.xlsx'"])));
    assert!(!account.path("my backup.xlsx").exists());
}

#[test]
fn a_dry_run_lists_what_would_be_deleted() {
    let account = three_assets().sheet("retired.csv", "asset_id\nA-1\nA-9\n");
    assert_output!(account.run(&["delete", "assets", "retired.csv", "--dry-run", "--sheet", "x"]), @"
    exit code 2
    --- stderr
    error: retired.csv has no sheet `x`
      hint: leave --sheet out: the file is a single table
    ");
    assert_output!(account.run(&["delete", "assets", "retired.csv", "--dry-run", "--result", "plan.xlsx"]), @r#"
    exit code 1
    --- stdout
    Dry run of retired.csv: 1 of 2 rows would fail, in 0.5 s
      2 rows: 1 to delete, 1 failed (assets)

    1 problem in 1 row
           1 × there is no such record in `asset_id` (record.missing)
               A3 `A-9`
               record not found in assets
               hint: correct the cell, or leave the row out

      read      retired.csv as UTF-8, comma
      header    row 1: asset_id
      plan      1 request, about 1.0 s at 10,000 an hour
      result    plan.xlsx
    "#);
    std::fs::remove_file(account.path("plan.xlsx")).unwrap();
    let (code, plan) = account.json(&["delete", "assets", "retired.csv", "--dry-run"]);
    assert_eq!(
        [&plan["command"], &plan["dry_run"], &plan["counts"]["deleted"], &plan["counts"]["failed"]],
        [&json!("delete"), &json!(true), &json!(1), &json!(1)]
    );
    // Not the command that was just typed.
    assert_eq!((code, &plan["next"]), (1, &json!([])));
    assert_eq!((tags(&account).len(), files(&account)), (3, vec!["retired.csv".into(), "retired.result.xlsx".into()]));
}

#[test]
fn what_comes_back_is_said_only_where_something_was_deleted_and_can() {
    let options = SandboxOptions {
        seed: Seed::Empty,
        faults: "DELETE assets/* refuse".parse().unwrap(),
        ..SandboxOptions::default()
    };
    let account = CliTest::with(options)
        .with_lookups()
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}))
        .sheet("retired.csv", "asset_id\nA-1\n")
        .sheet("places.csv", "name\nDepot\n");
    let notes = |summary: &Value| -> Vec<String> {
        let remarks = summary["remarks"].as_array().unwrap().iter();
        let backups = remarks.filter(|remark| remark["code"] == "backup.written");
        backups.map(|remark| remark["message"].as_str().unwrap().to_owned()).collect()
    };
    let refused = ["delete", "assets", "retired.csv", "--yes", "--backup", "b-{date}.xlsx"];
    let (code, summary) = account.json(&refused);
    assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{summary}");
    let [note] = notes(&summary).try_into().unwrap();
    let name = note.strip_prefix("backup of the assets: ").unwrap();
    assert!(name.starts_with("b-20") && name.len() == "b-2026-11-24.xlsx".len(), "{note}");
    assert!(account.path(name).exists());

    account.run(&["import", "places.csv", "--entity", "locations", "--sandbox=kept.db"]).exits(0);
    let (code, summary) = account.json(&["delete", "locations", "places.csv", "--yes", "--sandbox=kept.db"]);
    assert_eq!((code, &summary["counts"]["deleted"]), (0, &json!(1)), "{summary}");
    assert!(notes(&summary)[0].contains("; what was deleted comes back with `tallyport undo "), "{summary}");
}

#[test]
fn without_a_backup_nothing_is_deleted() {
    let account = three_assets().sheet("retired.csv", "asset_id\nA-1\n").sheet("old.xlsx", "all that is left");
    let refused = ["old.xlsx", "no/such/folder.xlsx", "retired.csv", "./same.xlsx"]
        .map(|backup| ["delete", "assets", "retired.csv", "--yes", "--result", "same.xlsx", "--backup", backup]);
    insta::assert_snapshot!(account.transcript(&refused.each_ref().map(|command| command.as_slice())), @"
    $ tallyport delete assets retired.csv --yes --result same.xlsx --backup old.xlsx
    exit code 2
    --- stderr
    error: the backup would overwrite `old.xlsx`; nothing was deleted
      hint: pass another path to --backup, or move the existing file
    $ tallyport delete assets retired.csv --yes --result same.xlsx --backup no/such/folder.xlsx
    exit code 2
    --- stderr
    error: cannot write `no/such/folder.xlsx`: the folder `no/such` does not exist; nothing was deleted
      hint: create the folder `no/such` first
    $ tallyport delete assets retired.csv --yes --result same.xlsx --backup retired.csv
    exit code 2
    --- stderr
    error: --backup must name an .xlsx file, got `retired.csv`
      hint: name a .xlsx file with --backup
    $ tallyport delete assets retired.csv --yes --result same.xlsx --backup ./same.xlsx
    exit code 2
    --- stderr
    error: the backup and the result would both be `./same.xlsx`; nothing was deleted
      hint: name another file with --backup
    ");
    assert_eq!(tags(&account).len(), 3);
    account.run(&["delete", "assets", "retired.csv", "--yes"]).exits(0);
    let account = account.sheet("retired.csv", "asset_id\nA-2\n");
    account.run(&["delete", "assets", "retired.csv", "--yes"]).exits(0);
    let kept = |name: &str| sheet_rows(&account.path(name), "assets")[1][1].clone();
    assert_eq!((kept("retired.backup.xlsx"), kept("retired.backup-2.xlsx")), ("A-1".into(), "A-2".into()));
}

#[test]
fn ids_of_another_system_delete_nothing() {
    let account = three_assets()
        .sheet("ids.csv", "id,notes\n1,x\n")
        .sheet("keys.csv", "id,asset_id\n1,A-2\n2,A-2\n3,\n")
        .sheet("no_key.csv", "Notes\nx\n");
    assert_output!(account.run(&["delete", "assets", "ids.csv", "--yes"]), @"
    exit code 2
    --- stderr
    error: no column of ids says which records are meant
      hint: add --map 'id=_id' if that column holds this account's own ids
    ");
    assert_output!(account.run(&["delete", "assets", "no_key.csv", "--yes"]), @"
    exit code 2
    --- stderr
    error: no column of no_key says which records are meant
      hint: add a column `asset_id` or `_id`, or map one with --map 'Header=asset_id'
    ");
    assert_output!(account.run(&["delete", "assets", "keys.csv", "--yes"]), @r#"
    exit code 1
    --- stdout
    Deletion of keys.csv: 3 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 3 failed (assets)

    3 problems in 3 rows
           1 × the name and the id are two different records in `id` (name.conflict)
               A2 `1`
               id and row disagree; the id is A-1, the row describes A-2
               hint: correct the id, or --ignore the column if it holds another system's ids
           1 × the same record is there twice in `asset_id` (duplicate.key)
               B3 `A-2`
               duplicate of row 2
               hint: merge the two rows, or correct the one that is wrong
           1 × nothing to find the record by in `asset_id` (key.missing)
               B4
               missing key; expected a value for `asset_id`, or the record's id in a column `_id`
               hint: identify the record, or leave the row out

      read      keys.csv as UTF-8, comma
      header    row 1: id → _id, asset_id
      requests  2: 2 to look up
      result    keys.result.xlsx
    "#);
    account.run(&["delete", "assets", "ids.csv", "--map", "id=_id", "--yes"]).exits(0);
    assert!(!tags(&account).contains(&String::from("A-1")) && tags(&account).contains(&String::from("A-3")));
}

#[test]
fn only_sheets_of_the_collection_are_read() {
    let account = three_assets();
    let path = account.path("book.xlsx");
    let assets: &[&[&str]] = &[&["asset_id", "_action"], &["A-1", ""], &["A-2", "skip"], &["A-3", "update"]];
    let products: &[&[&str]] = &[&["name", "category"], &["MacBook Pro 14", "Laptops"]];
    workbook(&path, &[("products", products), ("assets", assets)]);
    let (code, summary) = account.json(&["delete", "assets", "book.xlsx", "--yes"]);
    assert_eq!(
        (code, &summary["counts"]["deleted"], &summary["counts"]["skipped"]),
        (0, &json!(2), &json!(1)),
        "{summary}"
    );
    assert!(summary["remarks"].to_string().contains("1 row has an `_action` other than `skip`"), "{summary}");
    assert_eq!(tags(&account), ["A-2"]);
    assert_output!(account.run(&["delete", "licenses", "book.xlsx", "--yes"]), @"
    exit code 2
    --- stderr
    error: no sheet of book.xlsx says by its name or headers that it holds licenses
      hint: name the sheet with --sheet
    ");
}

#[test]
fn an_import_warns_about_irreversible_deletes() {
    let account = CliTest::new()
        .holds("categories", json!({"name": "Unused", "type": "asset"}))
        .sheet("categories.csv", "_action,name,type\ndelete,Unused,asset\n");
    assert_output!(account.run(&["import", "categories.csv"]), @"
    exit code 2
    --- stderr
    error: this run will delete 1 record, of which 1 cannot be brought back on the service; nothing was sent
      hint: pass --yes to confirm
    ");
}

#[test]
fn ambiguous_names_are_backed_up_as_ids() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Berlin"}))
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 2}))
        .sheet("retired.csv", "asset_id\nA-1\n");
    account.run(&["delete", "assets", "retired.csv", "--yes"]).exits(0);
    account.run(&["import", "retired.backup.xlsx", "--entity", "assets"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "A-1")["location_id"], 2);
}

#[test]
fn a_backup_restores_every_field_of_every_collection() {
    for entity in some_of(COLLECTIONS.iter().copied(), 5) {
        let account = CliTest::new();
        let id = full_record(&account, entity, None);
        let before = account.records(entity.name);
        let last = before.last().unwrap().clone();
        assert_eq!(last["id"], id);
        let account = account.sheet("gone.csv", &format!("_id\n{id}\n"));
        account.run(&["delete", entity.name, "gone.csv", "--irreversible", "--yes"]).exits(0);
        assert_eq!(account.records(entity.name).len(), before.len() - 1, "{}", entity.name);
        account.run(&["import", "gone.backup.xlsx", "--strict"]).exits(0);
        let after = account.records(entity.name);
        assert_ne!(after.last().unwrap()["id"], id, "{}: a new record", entity.name);
        assert_eq!(without_ids(after.last().unwrap()), without_ids(&last), "{}", entity.name);
    }
}

/// Creates a record with every field filled, and the records it refers to; returns its id.
fn full_record(account: &CliTest, entity: &'static Entity, narrowed: Option<(&str, &str)>) -> i64 {
    let mut body = Map::new();
    for field in entity.created_fields() {
        body.insert(field.name.to_owned(), value(account, field));
    }
    if let Some((field, text)) = narrowed {
        body.insert(field.to_owned(), json!(text));
    }
    let (status, reply) = account.request("POST", entity.path, Some(&Value::Object(body.clone())));
    assert!(status < 300, "{} {body:?}: {reply}", entity.name);
    account.records(entity.name).last().unwrap()["id"].as_i64().unwrap()
}

fn value(account: &CliTest, field: &Field) -> Value {
    match field.kind {
        Kind::Text(TextForm::Plain) => json!(format!("00{} =1+1; \"two\"\nlines, 3/4", field.name.len())),
        Kind::Text(TextForm::Email) => json!("ada.byron@example.com"),
        Kind::Text(TextForm::Url) => json!("https://example.com/a?b=c"),
        Kind::Integer { least } => json!(least.max(3)),
        Kind::Money => json!(1299),
        Kind::Date => json!("2026-01-31"),
        Kind::Boolean => json!(true),
        Kind::Currency => json!("EUR"),
        Kind::Option(choices) => json!(choices.create[0]),
        Kind::User => json!(1),
        Kind::CustomFields => json!(r#"[{"name": "Rack: A", "value": "007"}, {"name": "MAC", "value": "aa:bb"}]"#),
        Kind::Structure => Value::Null,
        Kind::Reference(reference) => {
            let id = full_record(account, collection(reference.to).unwrap(), reference.narrowed);
            match reference.wire {
                Wire::Id => json!(id),
                Wire::Tag => account.records("assets").last().unwrap()["asset_id"].clone(),
            }
        }
    }
}

fn without_ids(record: &Value) -> Value {
    let mut record = record.clone();
    for name in ["id", "created_at", "updated_at"] {
        record.as_object_mut().unwrap().remove(name);
    }
    record
}

#[test]
fn an_interrupted_delete_is_resumed() {
    let account = three_assets().sheet("retired.csv", "asset_id\nA-1\nA-2\n");
    account.run(&["delete", "assets", "retired.csv", "--yes"]).exits(0);
    let run: PathBuf = std::fs::read_dir(account.path("state").join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .unwrap();
    // As after a crash before the second outcome was on disk.
    let journal = rusqlite::Connection::open(run).unwrap();
    journal.execute_batch("DELETE FROM outcome WHERE step = 1; UPDATE run SET phase = 'sending'").unwrap();
    drop(journal);
    assert_output!(account.run(&["runs"]), @"
    exit code 0
    --- stdout
    run                   what                   state    began
    20261124-093015-abcd  delete of retired.csv  cut off  just now
                          2026-11-24 09:30, 48 kB; 1 deleted, 1 unknown; its
                          process was killed, or the machine went down
    ");
    let (code, summary) = account.json(&["resume", "--last"]);
    assert_eq!((code, &summary["counts"]["deleted"]), (0, &json!(2)), "{summary}");
    assert_eq!(tags(&account), ["A-3"]);
}
