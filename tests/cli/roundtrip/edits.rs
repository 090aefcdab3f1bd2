//! Edited exports: which edits are applied, which are conflicts, and what is left alone.

use serde_json::{Value, json};
use tallyport::schema::COLLECTIONS;

use super::exported::{Export, FORMS, Form, Sheet};
use super::{export, filled, import, odd::OddService, why};
use crate::harness::{CliTest, assert_output, sheet_rows, tallyport};

/// Two locations and suppliers, and assets that refer to the first of each.
fn two_places(assets: usize) -> CliTest {
    let mut account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Hamburg"}))
        .holds("suppliers", json!({"name": "CDW"}))
        .holds("suppliers", json!({"name": "Bechtle"}));
    for number in 0..assets {
        account = account.holds(
            "assets",
            json!({
                "asset_id": format!("A-{number}"), "product_id": 1, "status_id": 1, "location_id": 1, "supplier_id": 1,
                "notes": "as bought", "asset_name": "Ada's",
            }),
        );
    }
    account
}

fn assets(account: &CliTest) -> Export {
    export(account).only("assets")
}

/// Saves the edited sheet as a separate file.
fn written(account: &CliTest, edit: impl FnOnce(&mut Sheet)) -> Vec<String> {
    let mut export = assets(account);
    edit(export.sheet("assets"));
    export.write(account.folder(), Form::Csv)
}

/// The status, id and message of each row of a result.
fn outcomes(account: &CliTest, summary: &Value) -> Vec<(String, String)> {
    let path = account.path(summary["result"].as_str().unwrap());
    sheet_rows(&path, "assets").into_iter().skip(1).map(|row| (row[0].clone(), row[2].clone())).collect()
}

fn of_assets(account: &CliTest, field: &str) -> Vec<Value> {
    account.records("assets").iter().map(|asset| asset[field].clone()).collect()
}

#[test]
fn an_edited_name_or_id_overrides_the_other() {
    let account = two_places(7);
    let files = written(&account, |sheet| {
        sheet.edit(0, "location_name", "Hamburg");
        sheet.edit(1, "location_id", "2");
        sheet.edit(2, "location_id", "2");
        sheet.edit(2, "location_name", "Hamburg");
        sheet.edit(3, "supplier_name", "<clear>");
        sheet.edit(4, "supplier_name", "");
        sheet.edit(5, "supplier_id", "<clear>");
        sheet.edit(6, "location_name", "Hamburk");
    });
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!(code, 1);
    assert_eq!(of_assets(&account, "location_id"), [2, 2, 2, 1, 1, 1, 1].map(Value::from));
    let (cdw, none) = (json!(1), Value::Null);
    assert_eq!(of_assets(&account, "supplier_id"), [&cdw, &cdw, &cdw, &none, &cdw, &none, &cdw].map(Clone::clone));
    let outcomes = outcomes(&account, &summary);
    let statuses: Vec<&str> = outcomes.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["updated", "updated", "updated", "updated", "unchanged", "updated", "failed"]);
    let message = &outcomes[6].1;
    assert!(message.contains("name.not_found") && message.contains("Berlin (#1)"), "{message}");
}

#[test]
fn a_name_and_an_id_that_were_both_edited_must_agree() {
    let account = two_places(1).holds("locations", json!({"name": "Ulm"}));
    let files = written(&account, |sheet| {
        sheet.edit(0, "location_name", "Hamburg");
        sheet.edit(0, "location_id", "3");
    });
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("name.conflict")));
    assert_eq!(of_assets(&account, "location_id"), [1]);
}

#[test]
fn a_natural_key_can_be_edited_in_an_export_of_the_same_account() {
    let account = two_places(2);
    let files = written(&account, |sheet| {
        sheet.edit(0, "asset_id", "LAP-0");
        // Timestamps that do not match the account: the sheet comes from another system.
        sheet.edit(1, "asset_id", "LAP-1");
        sheet.edit(1, "created_at", "2020-01-01T00:00:00.000Z");
        sheet.edit(1, "updated_at", "2020-01-01T00:00:00.000Z");
    });
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("name.conflict")));
    assert_eq!(of_assets(&account, "asset_id"), ["LAP-0", "A-1"].map(Value::from));
}

#[test]
fn row_actions_are_obeyed_and_new_rows_are_created() {
    let account = two_places(4);
    let files = written(&account, |sheet| {
        sheet.add_column("_action", &["delete", "skip", "create", "update"]);
        sheet.edit(1, "notes", "not this one");
        sheet.edit(3, "notes", "new");
        let mut copy = sheet.rows[0].clone();
        for header in ["id", "_action", "created_at", "updated_at"] {
            copy[sheet.column(header)] = super::exported::Shown::Nothing;
        }
        sheet.rows.push(copy);
        sheet.edit(4, "asset_id", "A-9");
    });
    let (code, summary) = import(&account, &files, &["--yes"]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("record.exists")), "{}", why(&account, &summary));
    assert_eq!(of_assets(&account, "asset_id"), ["A-1", "A-2", "A-3", "A-9"].map(Value::from));
    assert_eq!(of_assets(&account, "notes"), ["as bought", "as bought", "new", "as bought"].map(Value::from));
}

#[test]
fn a_copied_row_does_not_update_the_original() {
    let account = two_places(1);
    let files = written(&account, |sheet| {
        sheet.rows.push(sheet.rows[0].clone());
        sheet.edit(1, "asset_id", "A-2");
    });
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("duplicate.key")));
    assert_eq!(of_assets(&account, "asset_id"), ["A-0"]);
}

/// An export of three assets. The first two were changed on the service afterwards; the sheet edits the first and the
/// third.
fn conflicting(form: Form) -> (CliTest, Vec<String>) {
    let account = two_places(3);
    let mut export = assets(&account);
    for id in [1, 2] {
        let (status, _) = account.request("PUT", &format!("assets/{id}"), Some(&json!({"asset_name": "Grace's"})));
        assert_eq!(status, 200);
    }
    let sheet = export.sheet("assets");
    sheet.edit(0, "notes", "mine");
    sheet.edit(1, "asset_name", "Grace's");
    sheet.edit(2, "notes", "mine");
    let files = export.write(account.folder(), form);
    (account, files)
}

#[test]
fn a_conflict_is_not_overwritten_and_shows_both_values() {
    for form in FORMS {
        let (account, files) = conflicting(form);
        let (code, summary) = import(&account, &files, &[]);
        assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{form:?} {}", why(&account, &summary));
        assert_eq!((&summary["counts"]["unchanged"], &summary["counts"]["updated"]), (&json!(1), &json!(1)));
        assert_eq!(of_assets(&account, "notes"), ["as bought", "as bought", "mine"].map(Value::from));
        assert_eq!(of_assets(&account, "asset_name")[0], "Grace's");
        let problems = summary["problems"].as_array().unwrap();
        let both: Vec<[&str; 3]> = problems
            .iter()
            .map(|problem| {
                let first = &problem["examples"][0];
                let text = |name: &str| first[name].as_str().unwrap();
                assert_eq!(problem["code"], "record.conflict");
                assert!(text("hint").contains("--conflicts theirs, mine or skip"));
                [problem["column"].as_str().unwrap(), text("found"), text("message").split(';').next().unwrap()]
            })
            .collect();
        assert_eq!(
            both,
            [["asset_name", "Ada's", "the service has `Grace's`"], ["notes", "mine", "the service has `as bought`"]]
        );
    }
}

#[test]
fn conflicts_are_resolved_as_the_flag_says() {
    for (stays, status, notes) in [
        ("theirs", "unchanged", ["as bought", "as bought", "mine"]),
        ("skip", "skipped", ["as bought", "as bought", "mine"]),
        ("mine", "updated", ["mine", "as bought", "mine"]),
    ] {
        let (account, files) = conflicting(Form::Csv);
        let (code, summary) = import(&account, &files, &["--conflicts", stays]);
        assert_eq!(code, 0, "{stays}");
        assert_eq!(of_assets(&account, "notes"), notes.map(Value::from), "{stays}");
        let outcomes = outcomes(&account, &summary);
        assert_eq!(outcomes[0].0, status, "{stays}");
        let says_both = outcomes[0].1.contains("`asset_name` is `Grace's` on the service, `Ada's` in the sheet");
        assert_eq!(says_both, stays != "mine", "{}", outcomes[0].1);
        let options = sheet_rows(&account.path(summary["result"].as_str().unwrap()), "Summary").concat().join("\n");
        assert!(options.contains(&format!("--conflicts {stays}")), "{options}");
    }
}

#[test]
fn conflicts_can_be_resolved_from_the_result_file() {
    let (account, files) = conflicting(Form::Xlsx);
    let (_, summary) = import(&account, &files, &[]);
    let result = [summary["result"].as_str().unwrap().to_owned()];
    let (code, again) = import(&account, &result, &["--only-failed"]);
    assert_eq!((code, &again["problems"][0]["code"]), (1, &json!("record.conflict")));
    let (code, mine) = import(&account, &result, &["--only-failed", "--conflicts", "mine"]);
    assert_eq!((code, &mine["counts"]["updated"]), (0, &json!(1)), "{}", why(&account, &mine));
    assert_eq!(of_assets(&account, "notes"), ["mine", "as bought", "mine"].map(Value::from));
}

#[test]
fn a_record_changed_since_the_export_is_not_deleted() {
    let (account, _) = conflicting(Form::Csv);
    let mut old = assets(&account);
    let moment = "2020-01-01T00:00:00.000Z";
    old.sheet("assets").add_column("_action", &["delete", "delete", ""]);
    old.sheet("assets").edit(0, "updated_at", moment);
    let files = old.write(account.folder(), Form::Csv);
    let (code, summary) = import(&account, &files, &["--yes"]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("record.conflict")));
    assert_eq!(of_assets(&account, "asset_id"), ["A-0", "A-2"].map(Value::from));
    // `delete` backs records up as they are now, so there is no conflict to report.
    let deleted = account.run(&["delete", "assets", &files[0], "--yes"]);
    assert_output!(deleted, @"
    exit code 1
    --- stdout
    Deletion of assets.csv: 1 of 3 rows failed, in 0.5 s (run 20261124-093015-abcd)
      3 rows: 2 deleted, 1 failed (assets)

    1 problem in 1 row
           1 × there is no such record in `id` (record.missing)
               A3 `2`
               no record with id `#2` in assets
               hint: correct the id, or --ignore the column if it holds another system's ids

      read      assets.csv as UTF-8, comma
      header    row 1: id → _id, asset_id, created_at, updated_at, _action
      requests  12: 10 to look up, 2 to delete
      note      backup of the assets: assets.backup.xlsx; what was deleted comes back with `tallyport undo 20261124-093015-abcd` or an import of that file, and its ids will differ
      result    assets.result-2.xlsx
    ");
}

#[test]
fn timestamps_of_another_system_are_not_conflicts() {
    let account = two_places(2);
    let files = written(&account, |sheet| {
        for row in 0..2 {
            sheet.edit(row, "created_at", "2019-01-01T00:00:00.000Z");
            sheet.edit(row, "updated_at", "2019-01-01T00:00:00.000Z");
        }
        sheet.edit(0, "notes", "new");
        // One of the two columns is enough.
        sheet.drop(&["id"]);
        sheet.edit(1, "notes", "new");
    });
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(2)), "{}", why(&account, &summary));
    for updated_at in ["last week", "2019-01-01T00:00:00.000Z"] {
        let files = written(&account, |sheet| {
            for row in 0..2 {
                sheet.edit(row, "created_at", "2019-01-01T00:00:00.000Z");
                sheet.edit(row, "updated_at", updated_at);
                sheet.edit(row, "notes", updated_at);
            }
        });
        let (code, summary) = import(&account, &files, &[]);
        assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(2)), "{}", why(&account, &summary));
    }
}

#[test]
fn an_export_with_columns_removed_can_be_imported() {
    let account = two_places(3);
    let mut export = assets(&account);
    account.request("PUT", "assets/2", Some(&json!({"notes": "theirs"})));
    let sheet = export.sheet("assets");
    let kept = ["id", "notes", "updated_at"];
    let others: Vec<String> = sheet.headers.iter().filter(|header| !kept.contains(&header.as_str())).cloned().collect();
    sheet.drop(&others.iter().map(String::as_str).collect::<Vec<_>>());
    (0..3).for_each(|row| sheet.edit(row, "notes", "mine"));
    let files = export.write(account.folder(), Form::Csv);
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("record.conflict")));
    assert_eq!(of_assets(&account, "notes"), ["mine", "theirs", "mine"].map(Value::from));
}

#[test]
fn importing_a_result_does_not_conflict_with_its_own_run() {
    for form in [Form::Xlsx, Form::Csv] {
        let account = two_places(2);
        let mut export = assets(&account);
        export.sheet("assets").edit(0, "notes", "first");
        let files = export.write(account.folder(), form);
        let (code, first) = import(&account, &files, &["--result", "first.csv"]);
        assert_eq!((code, &first["counts"]["updated"]), (0, &json!(1)));
        // The sheet is older than the change that the run made.
        export.sheet("assets").edit(0, "asset_name", "second");
        let files = export.write(account.folder(), form);
        let (code, second) = import(&account, &files, &[]);
        assert_eq!((code, &second["problems"][0]["code"]), (1, &json!("record.conflict")));
        let text = std::fs::read_to_string(account.path("first.csv")).unwrap().replacen("Ada's", "second", 1);
        let account = account.sheet("assets second.csv", &text);
        let (code, third) = import(&account, &[String::from("assets second.csv")], &[]);
        assert_eq!((code, &third["counts"]["updated"]), (0, &json!(1)), "{form:?} {}", why(&account, &third));
        assert_eq!(of_assets(&account, "asset_name"), ["second", "Ada's"].map(Value::from));
    }
}

#[test]
fn renamed_records_are_found_by_new_and_old_names() {
    let account = two_places(2);
    let mut sheets = export(&account);
    sheets.sheet("locations").edit(0, "name", "Berlin Mitte");
    sheets.sheet("assets").edit(0, "location_name", "Berlin Mitte");
    let files = sheets.write(account.folder(), Form::Xlsx);
    let (code, summary) = import(&account, &files, &["--create-missing"]);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(1)), "{}", why(&account, &summary));
    assert_eq!(account.records("locations").len(), 2);
    // The second import: one asset has the new name, the other still the old one.
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(0)), "{}", why(&account, &summary));
    let outcomes = outcomes(&account, &summary);
    assert_eq!(
        outcomes[1].1, "`location_name` ignored: `Berlin` seems to be the former name of `Berlin Mitte`",
        "{outcomes:?}"
    );
    // With --create-missing the intent is ambiguous, so nothing is created.
    let (code, _) = import(&account, &files, &["--create-missing"]);
    assert_eq!((code, account.records("locations").len()), (1, 2));
}

#[test]
fn a_new_name_with_an_old_id_is_created_with_create_missing() {
    let account = two_places(1);
    let files = written(&account, |sheet| sheet.edit(0, "location_name", "Ulm"));
    let (code, summary) = import(&account, &files, &["--create-missing"]);
    assert_eq!(code, 0, "{}", why(&account, &summary));
    assert_eq!(account.record("locations", "name", "Ulm")["id"], of_assets(&account, "location_id")[0]);
}

#[test]
fn custom_fields_are_updated_individually() {
    let account = filled::filled(CliTest::new(), 5);
    for form in FORMS {
        let before = account.records("assets");
        let mut export = export(&account).only("assets");
        let typed = format!("={form:?}");
        export.sheet("assets").edit(0, "custom:Rack", &typed);
        export.sheet("assets").edit(1, "custom:rack (old)", "<clear>");
        let files = export.write(account.folder(), form);
        let (code, summary) = import(&account, &files, &[]);
        assert_eq!(code, 0, "{form:?} {}", why(&account, &summary));
        let after = account.records("assets");
        let values = |record: &Value| record["custom_fields"].as_array().unwrap().clone();
        assert_eq!(values(&after[0])[0]["value"], typed, "{form:?}");
        assert_eq!(values(&after[0])[1..], values(&before[0])[1..]);
        assert_eq!(values(&after[1])[1]["value"], "");
    }
}

#[test]
fn an_export_can_list_records_to_delete() {
    for form in FORMS {
        let account = two_places(3).holds("locations", json!({"name": "Berlin"}));
        let mut export = export(&account).only("locations");
        // Two records share a name; the id distinguishes them. The first is in use.
        export.sheet("locations").rows.drain(..2);
        let files = export.write(account.folder(), form);
        let stem = files[0].rsplit_once('.').unwrap().0;
        let output = account.run(&["delete", "locations", &files[0], "--yes"]).redacted();
        let output = output.replace(&files[0], "FILE").replace(&format!("{stem}."), "STEM.");
        // Only a CSV file says how it was read.
        let output =
            output.replace("  read      FILE as UTF-8, comma\n", "").replace("header    row 1: ", "header    ");
        insta::allow_duplicates! { insta::assert_snapshot!(output, @"
        exit code 0
        --- stdout
        Deletion of FILE: the one row succeeded, in 0.5 s (run 20261124-093015-abcd)
          1 row: 1 deleted (locations)
          header    id → _id, name, created_at, updated_at
          requests  3: 2 to look up, 1 to delete
          note      backup of the locations: STEM.backup.xlsx; what was deleted comes back with `tallyport undo 20261124-093015-abcd` or an import of that file, and its ids will differ
          result    STEM.result.xlsx
        "); }
        let left: Vec<Value> = account.records("locations").iter().map(|record| record["id"].clone()).collect();
        assert_eq!(left, [1, 2].map(Value::from), "{form:?}");
    }
}

#[test]
fn records_with_the_same_name_are_distinguished_by_id() {
    let account = two_places(0).holds("locations", json!({"name": "Berlin"}));
    let mut export = export(&account).only("locations");
    export.sheet("locations").edit(2, "city", "Berlin");
    let files = export.write(account.folder(), Form::Csv);
    account.run(&["check", &files[0]]).exits(0);
    let (code, summary) = import(&account, &files, &[]);
    assert_eq!((code, &summary["counts"]["updated"]), (0, &json!(1)), "{}", why(&account, &summary));
    let cities: Vec<Value> = account.records("locations").iter().map(|record| record["city"].clone()).collect();
    assert_eq!(cities, [Value::Null, Value::Null, json!("Berlin")]);
    // The same record twice.
    let sheet = export.sheet("locations");
    sheet.rows.push(sheet.rows[0].clone());
    let files = export.write(account.folder(), Form::Csv);
    assert_output!(account.run(&["check", &files[0]]), @"
    exit code 1
    --- stdout
    Check of locations.csv: 1 of 4 rows failed, in 0.5 s
      4 rows: 3 good, 1 failed (locations)

    1 problem in 1 row
           1 × the same record is there twice in `id` (duplicate.key)
               A5 `1`
               duplicate of row 2
               hint: merge the two rows, correct the one that is wrong, or pass --allow-duplicates if both are meant

      read      locations.csv as UTF-8, comma
      header    row 1: id → _id, name, address_line_1, address_line_2, city, zip, state, country, email,
                phone, currency, logo, created_at, updated_at
      next      tallyport check locations.csv --result problems.xlsx
    ");
}

/// Records that violate every rule that applies to sheets.
fn odd_account() -> OddService {
    let service = OddService::start();
    let custom = json!([{"name": " Rack ", "value": " B4 "}, {"name": "Count", "value": 7}, {"name": "Rack", "value": "\u{fffd}"}]);
    for name in ["n/a", "n/a", "A\u{fffd}B", " Two  words", "two words"] {
        service.holds(
            "locations",
            json!({
                "name": name, "email": "nobody", "currency": "DEM", "logo": "no link", "country": "-", "zip": 1234,
                "city": "one\r\ntwo\rthree", "Name": "x", "nam": "y", "address": {"street": 1}, "e-mail": "no",
                "password": "hunter2", "custom_fields": custom, "foo_bar": [1, 2], "notes": null, "address_line_2": true,
                "City": "z", "updatedAt": "never",
            }),
        );
    }
    for kind in ["asset", "robot"] {
        service
            .holds("categories", json!({"name": "Laptops", "type": kind, "checkout_email": 1, "minimum_quantity": -3}));
    }
    for depreciation_id in [Value::Null, json!(99)] {
        service.holds(
            "products",
            json!({
                "name": "MacBook", "model_number": null, "category_id": 2, "category": {"id": 2, "name": "Laptops"},
                "default_purchase_cost": "12.50", "end_of_life_date": "0001-01-01T00:00:00.000Z",
                "end_of_life_type": "Whenever", "depreciation_id": depreciation_id, "manufacturer_id": "7",
                "archived": "maybe", "custom_fields": "[{\"name\": \"a\", \"value\": \"=1\"}]", "product_name": "??",
            }),
        );
    }
    service.holds("statuses", json!({"name": "Ready", "type": "deployable", "show_in_nav": null}));
    for (tag, cost) in [("1.5E+15", json!(-3)), ("#5", json!(0.125)), ("007", json!(1.234)), ("#N/A", json!("1,234"))] {
        service.holds(
            "assets",
            json!({
                "asset_id": tag, "asset_name": "<clear>", "product_id": 1, "product_name": "MacBook", "status_id": 1,
                "status": "Ready", "category_id": 2, "category_name": "<clear>", "purchase_cost": cost,
                "purchase_date": "2024-02-30", "location_id": 3, "supplier_id": 404, "deployed_to": [{"employee_id": 7}],
                "assigned_to": {"name": "Ada"}, "serial": "x", "currency": "eur",
            }),
        );
    }
    for (email, manager) in [("ada@example.com", 2), ("ADA@example.com", 1), ("ada@example.com", 9)] {
        service.holds("employees", json!({"name": "Ada", "email": email, "manager_id": manager, "archived": 0}));
    }
    // Fields missing from replies are blank in the sheet, even required ones.
    service.holds("consumables", json!({"name": "Toner", "category_id": 1, "available": 3}));
    service
        .holds("maintenances", json!({"type": "hardware_support", "name": "Fan", "start_date": "soon", "asset_id": 2}));
    service
        .holds("audits", json!({"audit_date": null, "scheduled": 0, "completed": 1, "asset_id": "gone", "user_id": 0}));
    service
}

#[test]
fn irregular_records_of_the_account_are_accepted() {
    let service = odd_account();
    let before = Export::of(&|collection| service.records(collection));
    let rows: usize = before.sheets.iter().map(|sheet| sheet.rows.len()).sum();
    for form in FORMS {
        for more in [&[][..], &["--blank", "clear"], &["--fractional-cost", "round"], &["--create-missing"]] {
            let folder = tempfile::tempdir().unwrap();
            let files = before.write(folder.path(), form);
            let words: Vec<&str> = ["import", "--json"].into_iter().chain(files.iter().map(String::as_str)).collect();
            let mut command = tallyport(folder.path(), &[&words[..], more].concat());
            command.env("BLUETALLY_BASE_URL", service.base_url()).env("BLUETALLY_API_KEY", "odd");
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
            assert_eq!(summary["counts"]["unchanged"], rows, "{form:?} {more:?} {said}");
            assert_eq!((output.status.code(), service.writes()), (Some(0), 0), "{form:?} {more:?} {said}");
        }
    }
}

#[test]
fn an_export_of_irregular_records_imports_unchanged() {
    let service = odd_account();
    let rows: usize = COLLECTIONS.iter().map(|entity| service.records(entity.name).len()).sum();
    for (output, kind) in [("all.xlsx", "xlsx"), ("csv/", "csv"), ("jsonl/", "jsonl")] {
        let folder = tempfile::tempdir().unwrap();
        let run = |words: &[&str]| {
            let mut command = tallyport(folder.path(), words);
            command.env("BLUETALLY_BASE_URL", service.base_url()).env("BLUETALLY_API_KEY", "odd");
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
            (output.status.code(), summary, said)
        };
        let (code, exported, said) = run(&["export", "--all", "-o", output, "--format", kind, "--json"]);
        assert_eq!(code, Some(0), "{said}");
        // An empty JSON Lines file has no header and therefore no sheet.
        let is_sheet = |file: &&Value| kind != "jsonl" || file["tables"][0]["rows"] != 0;
        let files = exported["files"].as_array().unwrap().iter().filter(is_sheet);
        let files: Vec<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
        let (code, summary, said) = run(&[&["import", "--json"][..], &files].concat());
        assert_eq!(summary["counts"]["unchanged"], rows, "{kind} {} {said}", summary["problems"]);
        assert_eq!((code, service.writes()), (Some(0), 0), "{kind} {said}");
    }
}
