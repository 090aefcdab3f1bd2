//! Rows of a result that are done stand for their records: rows beside them do not overwrite what they say.

use std::fs;

use serde_json::{Value, json};

use crate::harness::CliTest;
use crate::holders::writes;

/// Imports files with these flags, with a result of that name.
fn import(account: &CliTest, arguments: &[&str], result: &str) -> (i32, Value) {
    account.json(&[&["import"], arguments, &["--result", result, "--concurrency", "1", "--yes"]].concat())
}

/// Rewrites the lines of a CSV file.
fn edit(account: &CliTest, file: &str, edit: impl FnOnce(&mut Vec<String>)) {
    let text = fs::read_to_string(account.path(file)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    edit(&mut lines);
    fs::write(account.path(file), lines.join("\n") + "\n").unwrap();
}

fn names(account: &CliTest) -> Vec<[String; 2]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    account.records("assets").iter().map(|asset| [text(&asset["asset_id"]), text(&asset["asset_name"])]).collect()
}

fn told(summary: &Value) -> &str {
    summary["problems"][0]["examples"][0]["message"].as_str().unwrap()
}

const ASSETS: &str = "asset_id,asset_name,product,status\nA-1,one,MacBook Pro 14,Ready\nA-2,two,MacBook Pro 14,Ready\n";

/// Two assets, and their result `r.csv`: its rows are lines 1 and 2.
fn two_assets() -> CliTest {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ASSETS);
    assert_eq!(import(&account, &["assets.csv"], "r.csv").0, 0);
    account
}

#[test]
fn a_copy_of_a_done_row_takes_no_record_wherever_it_stands() {
    let copy = |line: &str| line.replace("A-2,two", "A-3,three");
    let unsent = |line: &str| copy(line).replace("created", "");
    let new = |line: &str| line.replace("created,2", ",").replace("two", "other");
    for (case, made) in [&copy as &dyn Fn(&str) -> String, &unsent, &new].into_iter().enumerate() {
        // Above the row, below it, and above the row when that was edited, too.
        for (at, edited) in [(2, false), (3, false), (2, true)] {
            let account = two_assets();
            edit(&account, "r.csv", |lines| {
                let line = made(&lines[2]);
                lines.insert(at, line);
                if edited {
                    lines[3] = lines[3].replace("two", "2");
                }
            });
            let (code, summary) = import(&account, &["r.csv", "--entity", "assets", "--only-failed"], "r2.csv");
            let case = format!("case {case} at {at}, {edited}: {summary}");
            assert_eq!(
                (code, &summary["counts"]["failed"], &summary["counts"]["created"]),
                (1, &json!(1), &json!(0)),
                "{case}"
            );
            assert!(
                told(&summary).starts_with(if at == 2 { "duplicate of row 4" } else { "duplicate of row 3" }),
                "{case}"
            );
            let two = if edited { "2" } else { "two" };
            assert_eq!(names(&account), [["A-1", "one"], ["A-2", two]], "{case}");
        }
    }
}

#[test]
fn done_rows_may_be_sorted_removed_and_edited() {
    let account = two_assets();
    edit(&account, "r.csv", |lines| {
        lines.swap(1, 2);
        lines[2] = lines[2].replace("one", "1");
        lines.push(String::from(",,,A-3,three,MacBook Pro 14,Ready"));
    });
    let (code, summary) = import(&account, &["r.csv", "--entity", "assets", "--only-failed"], "r2.csv");
    assert_eq!((code, writes(&summary)), (0, vec!["POST assets 1".to_owned(), "PUT assets 1".to_owned()]), "{summary}");
    assert_eq!(names(&account), [["A-1", "1"], ["A-2", "two"], ["A-3", "three"]]);
    // A row that is gone from the result stands for nothing.
    edit(&account, "r2.csv", |lines| {
        lines.retain(|line| !line.contains("A-2"));
        lines.push(String::from(",,,A-2,again,MacBook Pro 14,Ready"));
    });
    assert_eq!(import(&account, &["r2.csv", "--entity", "assets"], "r3.csv").0, 0);
    assert_eq!(names(&account)[1], ["A-2", "again"]);
}

#[test]
fn a_row_beside_a_done_one_of_the_same_name_makes_a_record_where_duplicates_are_allowed() {
    let account = CliTest::new().sheet("places.csv", "name,city\nDepot,Ulm\n");
    let import_places = |file, to| import(&account, &[file, "--entity", "locations", "--allow-duplicates"], to);
    assert_eq!(import_places("places.csv", "r.csv").0, 0);
    edit(&account, "r.csv", |lines| lines.insert(1, String::from(",,,Depot,Bonn")));
    let (code, summary) = import_places("r.csv", "r2.csv");
    assert_eq!(
        (code, &summary["counts"]["created"], &summary["counts"]["updated"]),
        (0, &json!(1), &json!(0)),
        "{summary}"
    );
    let places = account.records("locations");
    assert_eq!([&places[0]["city"], &places[1]["city"]], ["Ulm", "Bonn"]);
}

#[test]
fn what_two_sheets_contradict_each_other_about_stays_a_problem_of_the_result() {
    let rows = |name: &str, holder: &str| {
        format!(
            "asset_id,asset_name,product,status,custom:Floor,Who\nA-1,{name},MacBook Pro 14,Ready,{name},{holder}\n"
        )
    };
    let person = |name: &str| json!({"name": name, "email": format!("{name}@example.com")});
    let start = |first: &str, second: &str| {
        let account = CliTest::new().with_lookups().holds("employees", person("ada")).holds("employees", person("bob"));
        let account = account.sheet("f1.csv", first).sheet("f2.csv", second);
        let files = ["f1.csv", "f2.csv", "--entity", "assets", "--map", "Who=assigned_to"];
        let (code, summary) = import(&account, &files, "r.xlsx");
        assert_eq!((code, &summary["counts"]["created"]), (1, &json!(1)), "{summary}");
        account
    };
    let again = |account: &CliTest| {
        let flags = ["r.xlsx", "--entity", "assets", "--map", "Who=assigned_to", "--only-failed"];
        import(account, &flags, "again.xlsx")
    };
    let message = "another value than in row 2 of sheet `f1` of `r.xlsx`, which is done and about the same record #1";
    let account = start(&rows("berlin", ""), &rows("london", ""));
    let (code, summary) = again(&account);
    assert_eq!((code, writes(&summary), told(&summary)), (1, vec![], message), "{summary}");
    let columns = [0, 1].map(|problem| &summary["problems"][problem]["column"]);
    assert_eq!(columns, ["asset_name", "custom:Floor"], "{summary}");
    let account = start(&rows("berlin", "ada@example.com"), &rows("berlin", "bob@example.com"));
    let (code, summary) = again(&account);
    assert_eq!((code, writes(&summary)), (1, vec![]), "{summary}");
    assert_eq!(told(&summary), format!("assigned_to from Who, I2: {message}"), "{summary}");
    // What agrees, or says more, is no problem, nor is what others have changed since.
    let account = start(&rows("berlin", ""), "asset_id,asset_name,notes\nA-1,Berlin,mine\n");
    account.request("PUT", "assets/1", Some(&json!({"asset_name": "theirs"})));
    let (code, summary) = again(&account);
    assert_eq!((code, writes(&summary)), (0, vec!["PUT assets 1".to_owned()]), "{summary}");
    assert_eq!(account.record("assets", "asset_id", "A-1")["notes"], "mine");
}

#[test]
fn a_done_row_keeps_its_record_from_being_deleted_by_another_sheet() {
    let account =
        CliTest::new().sheet("l1.csv", "name,city\nDepot,Ulm\n").sheet("l2.csv", "name,_action\nDepot,delete\n");
    assert_eq!(import(&account, &["l1.csv", "--entity", "locations"], "r.csv").0, 0);
    let message = "duplicate; row 2 of `r.csv` is about the same record #1";
    let (code, summary) = import(&account, &["r.csv", "l2.csv", "--entity", "locations"], "r2.xlsx");
    assert_eq!((code, told(&summary), account.records("locations").len()), (1, message, 1), "{summary}");
    assert_eq!(import(&account, &["l2.csv", "--entity", "locations"], "r3.csv").0, 0);
    assert_eq!(account.records("locations").len(), 0);
}

#[test]
fn what_rows_describe_is_not_overwritten_with_what_another_one_says() {
    let mapping = "entity = \"assets\"\n[fields.location_id]\ncolumn = \"Building\"\n\
                   [also.locations]\nname = { column = \"Building\" }\ncity = { column = \"City\" }\n\
                   address_line_1 = { default = \"unknown\" }\ncountry = { default = \"DE\" }\n";
    let rows = "Asset tag,Product,Status,Building,City\nA-1,MacBook Pro 14,Ready,HQ,Berlin\n\
                A-2,MacBook Pro 14,Ready,HQ,Hamburg\nA-3,MacBook Pro 14,Ready,HQ,\n";
    let account = CliTest::new().with_lookups().sheet("mapping.toml", mapping).sheet("assets.csv", rows);
    let run = |file: &str, to: &str| import(&account, &[file, "--mapping", "mapping.toml"], to);
    assert_eq!(run("assets.csv", "r.csv").1["counts"]["created"], 2);
    let message =
        "locations.city from City, H3: another value than in row 2, which describes the same location: `Berlin`";
    let (code, summary) = run("r.csv", "r2.csv");
    assert_eq!((code, writes(&summary), told(&summary)), (1, vec![], message), "{summary}");
    // Corrected, it is sent; and what is edited in a done row is edited on purpose.
    edit(&account, "r2.csv", |lines| lines[2] = lines[2].replace("Hamburg", "Berlin"));
    let (code, summary) = run("r2.csv", "r3.csv");
    assert_eq!((code, writes(&summary)), (0, vec!["POST assets 1".to_owned()]), "{summary}");
    edit(&account, "r3.csv", |lines| lines[2] = lines[2].replace("Berlin", "Bonn"));
    assert_eq!(run("r3.csv", "r4.csv").0, 0);
    assert_eq!(account.record("locations", "name", "HQ")["city"], "Bonn");
}
