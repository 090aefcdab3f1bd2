//! A plan workbook: written by `import --plan`, approved by somebody, and sent by `apply`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::values::codes;

const HEADERS: [&str; 8] = ["approve", "action", "record", "field", "old", "new", "source", "reason"];

fn account() -> CliTest {
    CliTest::new()
        .with_lookups()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .holds("assets", asset("A-1", "one"))
        .holds("assets", asset("A-2", "two"))
        .holds("assets", asset("A-3", "three"))
        .holds("checkout/asset", json!({"asset_id": "A-1", "employee_id": 1, "checkout_date": "2026-01-02"}))
        .sheet("assets.csv", ROWS)
}

fn asset(tag: &str, notes: &str) -> Value {
    json!({"asset_id": tag, "asset_name": tag, "product_id": 1, "status_id": 1, "notes": notes})
}

const ROWS: &str = "asset_id,product,status,notes,holder,_action\n\
                    A-1,MacBook Pro 14,Ready,one,bob@example.com,\n\
                    A-2,MacBook Pro 14,Ready,changed,,\n\
                    A-3,,,<clear>,,\n\
                    A-4,XPS 13,Ready,new,,\n\
                    A-5,MacBook Pro 14,Nowhere,broken,,\n";

const PLAN: [&str; 6] = ["import", "assets.csv", "--map", "holder=assigned_to", "--plan", "plan.xlsx"];

/// Puts texts into cells of a workbook as a program would that knows nothing of tallyport: the cells' own XML is replaced.
pub fn fill(path: &Path, sheet: &str, cells: &[(&str, &str)]) {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        parts.insert(part.name().unwrap().into_owned(), bytes);
    }
    let book = String::from_utf8(parts["xl/workbook.xml"].clone()).unwrap();
    let names: Vec<&str> = book.split("<sheet name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let number = names.iter().position(|name| *name == sheet).unwrap() + 1;
    let part = parts.get_mut(&format!("xl/worksheets/sheet{number}.xml")).unwrap();
    let mut text = String::from_utf8(part.clone()).unwrap();
    for (cell, value) in cells {
        let start = text.find(&format!("<c r=\"{cell}\"")).unwrap_or_else(|| panic!("{sheet} has no {cell}"));
        let open = text[start..].find('>').unwrap() + start;
        let end = if text[..=open].ends_with("/>") { open + 1 } else { text[open..].find("</c>").unwrap() + open + 4 };
        text.replace_range(start..end, &format!("<c r=\"{cell}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"));
    }
    *part = text.into_bytes();
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in parts {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// Says yes to every group of a plan, also to what takes something away.
pub fn approve_all(path: &Path) {
    let rows = sheet_rows(path, "Plan");
    let is_no = |(_, row): &(usize, &Vec<String>)| row[0] == "no";
    let cells: Vec<String> = rows.iter().enumerate().filter(is_no).map(|(at, _)| format!("A{}", at + 1)).collect();
    fill(path, "Plan", &cells.iter().map(|cell| (cell.as_str(), "yes")).collect::<Vec<_>>());
}

#[test]
fn a_result_that_is_no_workbook_is_refused_like_such_a_plan() {
    let account = account();
    account.run(&PLAN).exits(1);
    assert_output!(account.run(&["apply", "plan.xlsx", "--result", "out.csv"]), @"
    exit code 2
    --- stderr
    error: --result must name an .xlsx file, got `out.csv`
      hint: name a .xlsx file with --result
    ");
}

#[test]
fn the_result_has_the_sheet_of_the_plan_with_its_approvals() {
    let account = account();
    account.run(&PLAN).exits(1);
    let row = group(&account, "assets", "update");
    fill(&account.path("plan.xlsx"), "Plan", &[(&format!("A{row}"), "no")]);
    let page = |file: &str| -> Vec<Vec<String>> {
        let filled = |row: Vec<String>| row.into_iter().filter(|text| !text.is_empty()).collect();
        sheet_rows(&account.path(file), "Plan").into_iter().map(filled).collect()
    };
    account.run(&["apply", "plan.xlsx", "--result", "done.xlsx", "--yes"]);
    let (applied, plan) = (page("done.xlsx"), page("plan.xlsx"));
    let how_to = plan.iter().position(|row| row.first().is_some_and(|text| text == "How to approve")).unwrap();
    assert_eq!(applied[1], ["The plan as it was applied. What became of each line stands in its sheet."]);
    assert_eq!((&applied[0], &applied[2..]), (&plan[0], &plan[2..applied.len()]));
    assert_eq!(applied[row - 1][..3], ["no", "assets", "update"]);
    assert!(applied.len() <= how_to, "{applied:#?}");
}

/// The row of a group on the first sheet, from 1.
pub fn group(account: &CliTest, collection: &str, action: &str) -> usize {
    let rows = sheet_rows(&account.path("plan.xlsx"), "Plan");
    rows.iter().position(|row| row.get(1..3) == Some(&[collection.to_owned(), action.to_owned()])).unwrap() + 1
}

fn writes(summary: &Value) -> Vec<String> {
    let kinds = summary["requests"]["by_kind"].as_object().unwrap();
    kinds.iter().filter(|(kind, _)| !kind.starts_with("GET")).map(|(kind, count)| format!("{kind} {count}")).collect()
}

#[test]
fn a_plan_shows_everything_and_apply_sends_what_is_approved() {
    let account = account();
    let (code, plan) = account.json(&PLAN);
    assert_eq!((code, &plan["result"], writes(&plan)), (1, &json!("plan.xlsx"), Vec::new()), "{plan}");
    let path = account.path("plan.xlsx");
    let assets = sheet_rows(&path, "assets");
    assert_eq!(assets[0], HEADERS);
    let lines: Vec<String> = assets.iter().skip(1).map(|row| row[1..6].join(" | ")).collect();
    assert_eq!(
        lines,
        [
            "update | A-2 (#2) | notes | two | changed",
            "clear | A-3 (#3) | notes | three | ",
            "problem | row 5 | product | | XPS 13",
            "problem | row 6 | status | | Nowhere",
        ]
        .map(|line| line.replace("| |", "|  |"))
    );
    assert_eq!(assets[1][6], "assets D3");
    let moved = sheet_rows(&path, "checkout_asset");
    assert_eq!(moved[1][1..6].join(" | "), "check-out | A-1 | employee | Ada Byron | Bob Stone");
    let returned = sheet_rows(&path, "checkin_asset");
    assert_eq!(returned[1][1..3].join(" | "), "check-in | A-1 (#1)");
    // What takes something away has to be said yes to.
    let clear = group(&account, "assets", "clear");
    assert_eq!(sheet_rows(&path, "Plan")[clear - 1][0], "no");

    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    let expected = ["POST checkin/asset 1", "POST checkout/asset 1", "PUT assets 1"].map(String::from);
    assert_eq!((code, writes(&applied)), (0, expected.to_vec()), "{applied}");
    assert_eq!(account.record("assets", "asset_id", "A-2")["notes"], json!("changed"));
    assert_eq!(account.record("assets", "asset_id", "A-3")["notes"], json!("three"));
    assert_eq!(account.record("assets", "asset_id", "A-1")["deployed_to"][0]["employee_id"], json!(2));
    let result = sheet_rows(&account.path(applied["result"].as_str().unwrap()), "assets");
    let ends: Vec<&str> = result.iter().skip(1).map(|row| row[0].as_str()).collect();
    assert_eq!(ends, ["updated", "skipped", "skipped", "skipped"]);
    assert_eq!(result[2][2], "not approved");

    // A plan is applied once.
    let again = account.run(&["apply", "plan.xlsx"]).exits(2);
    assert!(again.stderr.contains("the plan was applied already: run "), "{}", again.stderr);
    account.run(&["undo", applied["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "A-1")["deployed_to"][0]["employee_id"], json!(1));
    assert_eq!(account.record("assets", "asset_id", "A-2")["notes"], json!("two"));
}

#[test]
fn the_source_of_a_value_is_the_cell_that_changes_it() {
    let asset = json!({"asset_id": "A-1", "product_id": 1, "status_id": 1, "location_id": 1});
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Ulm"}))
        .holds("assets", asset)
        .sheet(
            "assets.csv",
            "id,asset_id,product,status,location_id,location_name,custom:Rack\n\
             1,A-1,MacBook Pro 14,Ready,1,Ulm,R7\n,A-2,MacBook Pro 14,Ready,,Ulm,R8\n",
        );
    account.run(&["import", "assets.csv", "--plan", "plan.xlsx"]).exits(0);
    let rows = sheet_rows(&account.path("plan.xlsx"), "assets");
    let sources: Vec<[&str; 2]> = rows[1..].iter().map(|row| [row[3].as_str(), row[6].as_str()]).collect();
    let changed = [["location", "assets F2"], ["custom:Rack", "assets G2"]];
    // Nothing tells which of two columns a new record has its value from.
    let created =
        [["asset_id", "assets B3"], ["product", "assets C3"], ["status", "assets D3"], ["location", "assets row 3"]];
    assert_eq!(sources, [&changed[..], &created, &[["custom:Rack", "assets G3"]]].concat());
}

#[test]
fn an_asset_stays_with_its_holder_where_the_check_out_is_not_approved() {
    let rows = "asset_id,product,status,holder,person\nA-1,MacBook Pro 14,Ready,eve@example.com,Eve Stone\n";
    for (collection, action, message) in [
        ("employees", "create", "it needs employee `Eve Stone`, which was not approved"),
        ("checkout_asset", "check-out", "it only makes way for the check-out of `A-1`, which was not approved"),
    ] {
        let account = account().sheet("assets.csv", rows);
        let map = ["--map", "person=assigned_to.name", "--create-missing=all"];
        account.run(&[&PLAN[..], &map].concat()).exits(0);
        let group = group(&account, collection, action);
        fill(&account.path("plan.xlsx"), "Plan", &[(&format!("A{group}"), "no")]);
        let (ended, applied) = account.json(&["apply", "plan.xlsx"]);
        let is_left_out = codes(&applied, "problems").iter().all(|code| code == "dependency.left_out");
        assert!(ended == 1 && is_left_out, "{applied}");
        assert_eq!(applied["problems"][0]["examples"][0]["message"], json!(message));
        assert!(writes(&applied).iter().all(|write| write.starts_with("POST employees")), "{applied}");
        assert_eq!(account.record("assets", "asset_id", "A-1")["deployed_to"][0]["employee_id"], json!(1));
    }
}

#[test]
fn lines_go_before_their_group_and_need_what_they_depend_on() {
    let rows = "asset_id,product,category,status,notes\n\
                A-2,MacBook Pro 14,,Ready,changed\nA-3,MacBook Pro 14,,Ready,changed too\nA-4,XPS 13,Laptops,Ready,new\n";
    let account = account().sheet("assets.csv", rows);
    account.run(&["import", "assets.csv", "--create-missing", "--plan", "plan.xlsx"]).exits(0);
    let path = account.path("plan.xlsx");
    fill(&path, "products", &[("A2", "no")]);
    fill(&path, "assets", &[("A2", " NO "), ("A3", "yes")]);
    let update = group(&account, "assets", "update");
    fill(&path, "Plan", &[(&format!("A{update}"), "no")]);
    let limited = account.run(&["apply", "plan.xlsx", "--max-updates", "0"]);
    assert!(limited.code == 2 && limited.stderr.contains("--max-updates"), "{}", limited.stderr);
    assert_eq!(account.record("assets", "asset_id", "A-3")["notes"], json!("three"));
    let (code, applied) = account.json(&["apply", "plan.xlsx", "--result", "applied.xlsx"]);
    assert_eq!((code, writes(&applied)), (1, vec![String::from("PUT assets 1")]), "{applied}");
    assert_eq!(codes(&applied, "problems"), ["dependency.left_out"]);
    let message = applied["problems"][0]["examples"][0]["message"].as_str().unwrap();
    assert_eq!(message, "it needs product `XPS 13`, which was not approved");
    assert_eq!(account.record("assets", "asset_id", "A-2")["notes"], json!("two"));
    assert_eq!(account.record("assets", "asset_id", "A-3")["notes"], json!("changed too"));
}

#[test]
fn what_somebody_else_has_changed_is_a_conflict_with_both_values() {
    let account = account();
    account.run(&PLAN).exits(1);
    for (path, body) in [
        ("assets/2", json!({"notes": "theirs"})),
        ("checkin/asset", json!({"asset_id": 1, "checkin_date": "2026-02-01", "status_id": 1})),
    ] {
        let method = if path.starts_with("assets") { "PUT" } else { "POST" };
        let (status, answer) = account.request(method, path, Some(&body));
        assert!(status < 300, "{answer}");
    }
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    assert_eq!((code, writes(&applied)), (1, Vec::new()), "{applied}");
    let messages: Vec<&str> = applied["problems"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["examples"].as_array().unwrap())
        .map(|example| example["message"].as_str().unwrap())
        .collect();
    assert!(messages.contains(&"changed since the plan was made: notes was `two`, is `theirs`"), "{messages:#?}");
    assert!(
        messages.iter().any(|message| message.contains("it was with `employee #1`, and is with nobody")),
        "{messages:#?}"
    );
    assert!(messages.iter().any(|message| message.contains("cannot be sent")), "{messages:#?}");
    let summary = sheet_rows(&account.path(applied["result"].as_str().unwrap()), "Summary").concat().concat();
    assert!(summary.contains("A plan is applied once") && !summary.contains("Fix them in this file"), "{summary}");
}

#[test]
fn a_plan_that_was_edited_is_refused_before_anything_is_sent() {
    let account = account();
    account.run(&PLAN).exits(1);
    let path = account.path("plan.xlsx");
    let original = std::fs::read(&path).unwrap();
    for (sheet, cell, value) in
        [("assets", "F2", "mine"), ("assets", "C2", "A-1"), ("Plan", "B3", "x"), ("_plan", "B2", "{}")]
    {
        std::fs::write(&path, &original).unwrap();
        if sheet == "Plan" {
            let row = group(&account, "assets", "update");
            fill(&path, sheet, &[(&format!("D{row}"), "7")]);
        } else {
            fill(&path, sheet, &[(cell, value)]);
        }
        let refused = account.run(&["apply", "plan.xlsx"]).exits(2);
        assert!(refused.stderr.contains(&format!("sheet `{sheet}` is not as it was written")), "{}", refused.stderr);
    }
    std::fs::write(&path, &original).unwrap();
    fill(&path, "assets", &[("A2", "perhaps")]);
    assert_output!(account.run(&["apply", "plan.xlsx"]), @"
    exit code 2
    --- stderr
    error: A2 of sheet `assets`: `perhaps` is neither yes nor no
      hint: write yes or no, or leave it blank
    ");
    assert_output!(account.run(&["apply", "assets.csv"]), @"
    exit code 2
    --- stderr
    error: `assets.csv` is not a plan of tallyport
      hint: name the workbook that `tallyport import ... --plan PATH` wrote
    ");
    let missing = account.run(&["apply", "nowhere.xlsx"]).exits(2);
    assert!(missing.stderr.contains("nowhere.xlsx"), "{}", missing.stderr);
    assert_eq!(account.record("assets", "asset_id", "A-2")["notes"], json!("two"));
}

#[test]
fn an_approval_that_would_not_count_is_refused() {
    let rows = "asset_id,notes,asset_name,status\nA-1,new,Lap,\nA-2,changed,,\nA-3,,,Nowhere\n";
    let account = account().sheet("assets.csv", rows);
    account.run(&["import", "assets.csv", "--plan", "plan.xlsx"]).exits(1);
    let path = account.path("plan.xlsx");
    let lines: Vec<String> = sheet_rows(&path, "assets").iter().map(|row| row[1..4].join(" ")).collect();
    assert_eq!(lines[1..3], ["update A-1 (#1) asset_name", "update A-1 (#1) notes"]);
    assert!(lines[4].starts_with("problem"), "{lines:#?}");
    let original = std::fs::read(&path).unwrap();
    let stray = "differs from A2, the first line of the record, which counts";
    for (cells, message) in [
        (vec![("A3", "no")], format!("A3 of sheet `assets`: `no` {stray}")),
        (vec![("A2", "no"), ("A3", "Yes")], format!("A3 of sheet `assets`: `Yes` {stray}")),
        (vec![("A3", "maybe")], String::from("A3 of sheet `assets`: `maybe` is neither yes nor no")),
        (vec![("A5", "yes")], String::from("A5 of sheet `assets`: `yes` where nothing can be approved")),
    ] {
        std::fs::write(&path, &original).unwrap();
        fill(&path, "assets", &cells);
        let refused = account.run(&["apply", "plan.xlsx"]).exits(2);
        assert!(refused.stderr.contains(&message), "{}", refused.stderr);
    }
    assert_eq!(account.record("assets", "asset_id", "A-1")["notes"], json!("one"));
    // The same again, and a no to what cannot be sent, change nothing.
    std::fs::write(&path, &original).unwrap();
    fill(&path, "assets", &[("A2", "no"), ("A3", "no"), ("A5", "no")]);
    account.run(&["apply", "plan.xlsx"]);
    assert_eq!(account.record("assets", "asset_id", "A-1")["notes"], json!("one"));
    assert_eq!(account.record("assets", "asset_id", "A-2")["notes"], json!("changed"));
}

#[test]
fn a_row_with_two_problems_is_one_row_of_a_plan() {
    let account = account().sheet("assets.csv", "asset_id,notes\nA-1,z\nA-9,z\n");
    let (code, planned) = account.json(&["import", "assets.csv", "--plan", "plan.xlsx"]);
    assert_eq!((code, &planned["rows"], &planned["counts"]["failed"]), (1, &json!(2), &json!(1)), "{planned}");
    let lines = sheet_rows(&account.path("plan.xlsx"), "assets");
    assert_eq!(lines.iter().filter(|line| line[1] == "problem").count(), 2, "{lines:?}");
    assert_output!(account.run(&["apply", "plan.xlsx"]), @"
    exit code 0
    --- stdout
    Run of plan.xlsx: 1 of 2 rows succeeded, 1 skipped, in 0.5 s (run 20261124-093015-abcd)
      2 rows: 1 updated, 1 skipped (assets)
      requests  3: 2 to look up, 1 to update
      result    plan.result.xlsx
    ");
}

#[test]
fn a_custom_field_that_is_emptied_counts_like_any_other_field() {
    let mut held = asset("A-7", "seven");
    held["custom_fields"] = json!(r#"[{"name":"Rack","value":"B4"}]"#);
    let account = account().holds("assets", held).sheet("clear.csv", "asset_id,custom:Rack\nA-7,<clear>\n");
    let import = ["import", "clear.csv", "--entity", "assets"];
    let limited = account.run(&[&import[..], &["--max-clears", "0", "--yes"]].concat()).exits(2);
    assert!(limited.stderr.contains("--max-clears"), "{}", limited.stderr);

    account.run(&[&import[..], &["--plan", "plan.xlsx"]].concat()).exits(0);
    let before = account.record("assets", "asset_id", "A-7");
    let row = group(&account, "assets", "clear");
    let path = account.path("plan.xlsx");
    assert_eq!(sheet_rows(&path, "Plan")[row - 1][0], "no");
    assert_eq!(sheet_rows(&path, "assets")[1][7], "empties the field");
    fill(&path, "Plan", &[(&format!("A{row}"), "yes")]);
    account.run(&["apply", "plan.xlsx", "--max-clears", "0"]).exits(2);
    assert_eq!(account.record("assets", "asset_id", "A-7"), before);
}
