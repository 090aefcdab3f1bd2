//! What people and scripts are told: next commands that work, unfinished runs, lines of JSON.

use serde_json::Value;

use crate::harness::{CliTest, sheet_rows};

const ONE_BAD: &str = "name,email\nBremen,b@example.com\nUlm,no address\n";

fn next(document: &Value) -> Vec<&str> {
    document["next"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_finished_run_with_failed_rows_names_its_result_first() {
    let account = CliTest::seeded().sheet("locations.csv", ONE_BAD);
    let (code, imported) = account.json(&["import", "locations.csv"]);
    let id = imported["run_id"].as_str().unwrap();
    let (_, run) = account.json(&["runs", id]);
    let commands = next(&run);
    assert_eq!(code, 1);
    assert!(commands[0].ends_with("locations.result.xlsx --only-failed"), "{commands:?}");
    assert_eq!(commands[1..], [format!("tallyport undo {id}")]);
    let text = account.run(&["runs", id]).stdout;
    assert!(text.contains("correct the red cells in the result, then run\n"), "{text}");
    std::fs::remove_file(account.path("locations.result.xlsx")).unwrap();
    let (_, run) = account.json(&["runs", id]);
    assert_eq!(next(&run), [format!("tallyport undo {id}")], "the result is gone");
}

#[test]
fn a_dry_run_names_the_file_to_correct_and_its_command_works() {
    let account = CliTest::seeded().sheet("locations.csv", ONE_BAD);
    let (_, planned) = account.json(&["import", "locations.csv", "--dry-run"]);
    assert_eq!(next(&planned), ["tallyport import locations.result.xlsx --dry-run"]);
    let summary = sheet_rows(&account.path("locations.result.xlsx"), "Summary");
    let has = |text: &str| summary.iter().flatten().any(|cell| cell == text);
    assert!(has("tallyport import locations.result.xlsx --dry-run"), "{summary:?}");
    let (code, again) = account.json(&["import", "locations.result.xlsx", "--dry-run"]);
    assert_eq!((code, &again["counts"]["created"]), (1, &Value::from(1)));
    std::fs::write(account.path("problems.xlsx"), "").unwrap();
    let (_, checked) = account.json(&["check", "locations.csv"]);
    assert_eq!(next(&checked), ["tallyport check locations.csv --result problems-2.xlsx"]);
}

#[test]
fn a_file_that_begins_with_a_dash_and_only_failed_are_kept() {
    let account = CliTest::seeded().sheet("-l.csv", "name,_status\nBremen,failed\nUlm,created\n");
    let (_, planned) = account.json(&["import", "./-l.csv", "--entity", "locations", "--only-failed", "--dry-run"]);
    assert_eq!(next(&planned), ["tallyport import ./-l.csv --entity locations --only-failed"]);
}

#[test]
fn rows_that_a_stopped_run_did_not_send_are_not_sent_everywhere() {
    let mut text = String::from("name,email\n");
    (1..=6).for_each(|number| text.push_str(&format!("Place {number},{}\n", if number == 1 { "x" } else { "" })));
    let account = CliTest::seeded().sheet("locations.csv", &text);
    let (code, stopped) = account.json(&["import", "locations.csv", "--max-errors", "1"]);
    assert_eq!((code, &stopped["counts"]["failed"], &stopped["counts"]["not_sent"]), (4, &1.into(), &5.into()));
    let rows = sheet_rows(&account.path("locations.result.xlsx"), "locations");
    assert_eq!(rows.iter().filter(|row| row[0] == "not_sent").count(), 5);
    let id = stopped["run_id"].as_str().unwrap();
    let (_, run) = account.json(&["runs", id]);
    assert_eq!((&run["counts"]["not_sent"], &run["open"]), (&5.into(), &5.into()));
    let again = account.run(&["import", "locations.csv", "--dry-run"]);
    let hint = format!("run {id} of locations.csv is unfinished; `tallyport resume {id}` continues it");
    assert!(again.stderr.contains(&hint), "{}", again.stderr);
    account.run(&["import", "locations.result.xlsx", "--only-failed"]).exits(1);
    let created = |record: &&Value| record["name"].as_str().is_some_and(|name| name.starts_with("Place"));
    assert_eq!(account.records("locations").iter().filter(created).count(), 5);
}

#[test]
fn lines_of_json_have_fields_and_no_escapes() {
    let account = CliTest::seeded().sheet("locations.csv", ONE_BAD);
    let mut command = account.command(&["import", "locations.csv", "--log-format", "json"]);
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let output = crate::harness::CommandOutput::run(command).exits(1);
    assert!(!output.text().contains('\u{1b}'), "{}", output.text());
    let lines: Vec<Value> = output.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let event = |name: &str| lines.iter().find(|line| line["event"] == name).unwrap();
    let sheet = event("sheet");
    assert_eq!(
        (&sheet["collection"], &sheet["file"], &sheet["rows"]),
        (&"locations".into(), &"locations.csv".into(), &2.into())
    );
    assert_eq!(sheet["message"], "import of locations.csv: 2 rows");
    let end = event("end");
    assert_eq!((&end["rows"], &end["counts"]["created"]), (&2.into(), &1.into()));
    assert!(end["requests"].as_u64() > Some(0) && end["seconds"].is_number(), "{end}");
    assert!(lines.iter().all(|line| !line["message"].as_str().unwrap().contains("  ")), "{lines:?}");
}

#[test]
fn usage_errors_are_lines_of_json_too() {
    let account = CliTest::new().sheet("locations.csv", "name\nUlm\n");
    for wrong in [
        &["import", "locations.csv", "--log-format", "json", "--mod", "create"][..],
        &["import", "locations.csv", "--max-errors", "x", "--log-format=json"],
        &["--log-format", "json", "verify"],
        &["import", "locations.csv", "--log-format", "json", "--json", "--mode", "replace"],
    ] {
        let refused = account.run(wrong).exits(2);
        let line: Value =
            serde_json::from_str(&refused.stderr).unwrap_or_else(|error| panic!("{error}: {}", refused.stderr));
        assert_eq!((&line["level"], line["time"].is_string()), (&"error".into(), true), "{line}");
        assert!(!line["message"].as_str().unwrap().starts_with("error"), "{line}");
    }
    let hint = account.run(&["import", "locations.csv", "--log-format", "json", "--mod", "create"]).stderr;
    assert!(hint.contains(r#""hint":"a similar argument exists: '--mode'""#), "{hint}");
    let one = account.run(&["import", "locations.csv", "--log-format", "json"]).exits(0);
    assert!(one.stderr.contains(r#""message":"import of locations.csv: 1 row""#), "{}", one.stderr);
}
