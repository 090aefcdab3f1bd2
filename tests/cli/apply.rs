//! `apply`: a large plan to the last line, plans of everything that there is, and what goes wrong by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};
use tallyport::schema::COLLECTIONS;

use crate::harness::{CliTest, CommandOutput, assert_output, request, sheet_rows, some_of};
use crate::import::workbook;
use crate::kills::proxy::{KillPoint, KillTiming, Proxy};
use crate::plan_book::{approve_all, fill};
use crate::reference_server::{self, Record, Shapes};
use crate::shapes::{CHECKINS, CHECKOUTS, EVERY_COLLECTION, ShapeTest};

const ASSETS: usize = 400;
const CHANGED_ASSETS: usize = 300;
const PEOPLE: usize = 60;
const HANDED_OUT: usize = 60;
const PLACES: usize = 80;

/// An account for five hundred changes, and their plan.
fn five_hundred() -> ShapeTest {
    let test = ShapeTest::new(Shapes::ListOfOne);
    test.server.holds("categories", json!({"name": "Laptops", "type": "asset"}));
    test.server.holds("products", json!({"name": "MacBook", "category_id": 1}));
    test.server.holds("statuses", json!({"name": "Ready", "type": "deployable"}));
    for number in 1..=PEOPLE {
        let email = format!("p{number}@example.com");
        test.server.holds("employees", json!({"name": format!("Person {number}"), "email": email, "title": "old"}));
    }
    for number in 1..=ASSETS {
        let asset = json!({"asset_id": format!("A-{number}"), "product_id": 1, "status_id": 1, "notes": "old"});
        test.server.holds("assets", asset);
    }
    let rows = |header: &str, count: usize, row: &dyn Fn(usize) -> String| {
        (1..=count).fold(header.to_owned(), |mut text, number| {
            write!(text, "\n{}", row(number)).unwrap();
            text
        })
    };
    let sheets = [
        ("locations", rows("name", PLACES, &|number| format!("Place {number}"))),
        ("employees", rows("email|title", PEOPLE, &|number| format!("p{number}@example.com|new"))),
        ("assets", rows("asset_id|notes", CHANGED_ASSETS, &|number| format!("A-{number}|new"))),
        (
            "checkout_asset",
            rows("asset_id|employee|checkout_date", HANDED_OUT, &|number| {
                format!("A-{}|p{number}@example.com|2026-02-03", CHANGED_ASSETS + number)
            }),
        ),
    ];
    test.workbook("changes.xlsx", &sheets.each_ref().map(|(name, text)| (*name, text.as_str())));
    let (code, plan) = test.json(&["import", "changes.xlsx", "--plan", "plan.xlsx"]);
    let counts = (&plan["counts"]["created"], &plan["counts"]["updated"]);
    assert_eq!((code, counts), (0, (&json!(PLACES + HANDED_OUT), &json!(CHANGED_ASSETS + PEOPLE))), "{plan:#}");
    test
}

/// Changes the account behind the plan's back: seven records that are in the plan, and one field that is not.
fn seven_are_changed(test: &ShapeTest) {
    for (method, path, body) in [
        ("PUT", "assets/5", json!({"notes": "theirs"})),
        ("PUT", "assets/6", json!({"notes": ""})),
        // To what the plan says, but nobody knows why.
        ("PUT", "assets/7", json!({"notes": "new"})),
        ("DELETE", "assets/8", json!({})),
        ("PUT", "employees/9", json!({"title": "theirs"})),
        ("POST", "locations", json!({"name": "Place 4"})),
        ("POST", "checkout/asset", json!({"asset_id": "A-301", "employee_id": 2, "checkout_date": "2026-02-02"})),
        ("PUT", "assets/10", json!({"order_number": "another field"})),
    ] {
        let (status, reply) = request(test.server.address(), reference_server::KEY, method, path, Some(&body));
        assert!(status < 300, "{method} {path}: {reply}");
    }
}

#[test]
fn of_five_hundred_changes_those_are_sent_that_are_approved_and_still_hold() {
    let test = five_hundred();
    let path = test.path("plan.xlsx");
    let original = fs::read(&path).unwrap();
    seven_are_changed(&test);
    let sent = test.server.received().len();
    fill(&path, "assets", &[("F200", "mine")]);
    let refused = test.run(&["apply", "plan.xlsx"]).exits(2);
    assert!(refused.stderr.contains("sheet `assets` is not as it was written"), "{}", refused.stderr);
    assert_eq!(test.server.received().len(), sent, "an edited plan is refused before a request");

    fs::write(&path, original).unwrap();
    let no = |rows: std::ops::Range<usize>| rows.map(|row| (format!("A{row}"), "no")).collect::<Vec<_>>();
    for (sheet, cells) in [("assets", no(51..63)), ("locations", no(71..79))] {
        fill(&path, sheet, &cells.iter().map(|(cell, text)| (cell.as_str(), *text)).collect::<Vec<_>>());
    }
    let (code, applied) = test.json(&["apply", "plan.xlsx"]);
    let counts =
        ["created", "updated", "failed", "skipped", "not_sent", "unknown"].map(|name| &applied["counts"][name]);
    let created = PLACES + HANDED_OUT - 8 - 2;
    let updated = CHANGED_ASSETS + PEOPLE - 12 - 5;
    assert_eq!(created + updated, 473);
    assert_eq!(
        (code, counts.map(|count| count.as_u64().unwrap() as usize)),
        (1, [created, updated, 7, 20, 0, 0]),
        "{applied:#}"
    );

    let received = test.server.received().split_off(sent);
    let mut requests: BTreeMap<(String, String), usize> = BTreeMap::new();
    for seen in &received {
        let collection =
            seen.path.trim_start_matches('/').trim_end_matches(|char: char| char.is_ascii_digit() || char == '/');
        *requests.entry((seen.method.clone(), collection.to_owned())).or_default() += 1;
    }
    let count = |method: &str, path: &str| requests.get(&(method.to_owned(), path.to_owned())).copied().unwrap_or(0);
    let expected = [
        // The page with all of them, and the next one: only an empty page ends a list.
        ("GET", "assets", 2),
        ("GET", "employees", 2),
        ("GET", "locations", 2),
        ("POST", "checkout/asset", HANDED_OUT - 1),
        ("POST", "locations", PLACES - 8 - 1),
        ("PUT", "assets", CHANGED_ASSETS - 12 - 4),
        ("PUT", "employees", PEOPLE - 1),
    ];
    for (method, path, wanted) in expected {
        assert_eq!(count(method, path), wanted, "{method} {path}: {requests:?}");
    }
    assert_eq!(requests.len(), expected.len(), "{requests:?}");
    let changed: BTreeSet<&str> =
        received.iter().filter(|seen| seen.method == "PUT").map(|seen| seen.path.as_str()).collect();
    assert_eq!(changed.len(), count("PUT", "assets") + count("PUT", "employees"), "each record is changed once");

    let result = test.path(applied["result"].as_str().unwrap());
    // A line for each field; those of a record end alike.
    let records: BTreeSet<(String, String)> = ["assets", "employees", "locations", "checkout_asset"]
        .iter()
        .flat_map(|sheet| sheet_rows(&result, sheet).into_iter().skip(1))
        .map(|row| (row[0].clone(), format!("{} {}", row[4], row[5])))
        .collect();
    let ended = |status: &str| records.iter().filter(|(ended, _)| ended == status).count();
    assert_eq!(["created", "updated", "failed", "skipped"].map(ended), [created, updated, 7, 20]);
    let (code, verified) = test.json(&["verify", applied["run_id"].as_str().unwrap()]);
    assert_eq!((code, &verified["differences"]), (0, &json!([])), "{verified:#}");
}

/// Changes of every kind to what [`EVERY_COLLECTION`] makes.
const CHANGES: [(&str, &str); 6] = [
    ("locations", "name|city|country|custom:Floor\nZürich Süd|Zug||4\nR&D + Lab||<clear>|"),
    ("manufacturers", "name|url\nLenovo|<clear>"),
    ("products", "name|model_number|default_purchase_cost|custom:Shelf\nX1|G12|1400|7"),
    ("employees", "email|title|department\nada@example.com|<clear>|Sales\nbob@example.com|CIO|"),
    (
        "assets",
        "asset_id|asset_name|location|purchase_cost|custom:MAC|assigned_to\n0001|Ada's|<clear>|1300|bb|bob@example.com\n\
         0002|||||ada@example.com",
    ),
    ("maintenances", "type|name|start_date|asset_id|cost|notes\nhardware support|Battery|2024-06-01|0001|81|done"),
];

const DELETES: [(&str, &str); 3] = [
    ("components", "_action|name\ndelete|SSD 1T"),
    ("suppliers", "_action|name\ndelete|Insight"),
    ("audits", "_action|audit_date|asset_id\ndelete|2024-06-02|0002"),
];

/// What a server holds, without the times.
fn state(test: &ShapeTest) -> (BTreeMap<&'static str, Vec<Record>>, Vec<String>) {
    let records = COLLECTIONS.iter().map(|entity| {
        let mut records = test.server.records(entity.name);
        for record in &mut records {
            record.retain(|name, _| !["created_at", "updated_at"].contains(&name.as_str()));
        }
        (entity.name, records)
    });
    let mut held: Vec<String> = test.server.assignments().iter().map(|held| format!("{held:?}")).collect();
    held.sort();
    (records.collect(), held)
}

#[test]
fn plans_of_every_collection_and_action_end_as_imports_do() {
    let everything: Vec<(&str, &str)> = EVERY_COLLECTION.iter().chain(&CHECKOUTS).copied().collect();
    let phases: [(&str, &[(&str, &str)]); 4] =
        [("all", &everything), ("back", &CHECKINS), ("changes", &CHANGES), ("deletes", &DELETES)];
    for shapes in some_of([Shapes::Data, Shapes::Plural, Shapes::MessageOnly], 1) {
        let [imported, applied] = [ShapeTest::new(shapes), ShapeTest::new(shapes)];
        for (name, sheets) in phases {
            let (file, plan) = (format!("{name}.xlsx"), format!("{name}-plan.xlsx"));
            let options = ["--map", "assigned_to=assigned_to", "--yes", "--concurrency", "1"];
            let options = if name == "changes" { &options[..] } else { &options[2..] };
            for test in [&imported, &applied] {
                test.workbook(&file, sheets);
            }
            let (code, run) = imported.json(&[&["import", &file], options].concat());
            assert_eq!(code, 0, "{shapes:?} {name} {run:#}");
            let sent = applied.server.received().len();
            applied.run(&[&["import", &file, "--plan", &plan], options].concat()).exits(0);
            let received = applied.server.received();
            assert!(received[sent..].iter().all(|seen| seen.method == "GET"), "{shapes:?} {name}");
            approve_all(&applied.path(&plan));
            let (code, run) = applied.json(&["apply", &plan, "--yes", "--concurrency", "1"]);
            let result = || {
                let path = applied.path(run["result"].as_str().unwrap());
                let sheets = sheets.iter().map(|(sheet, _)| sheet_rows(&path, sheet));
                sheets.flatten().map(|row| row.join(" | ") + "\n").collect::<String>()
            };
            assert_eq!(code, 0, "{shapes:?} {name} {run:#}\n{}", result());
            assert_eq!(run["counts"]["skipped"], 0, "{shapes:?} {name} {run:#}\n{}", result());
            let [(records, held), (wanted, wanted_held)] = [&applied, &imported].map(state);
            for (collection, records) in records {
                assert_eq!(records, wanted[collection], "{shapes:?} {name} {collection}");
            }
            assert_eq!(held, wanted_held, "{shapes:?} {name}");
        }
    }
}

const PLAN_PLACES: [&str; 6] = ["import", "places.csv", "--entity", "locations", "--plan", "plan.xlsx"];

/// An account with two places, and a sheet that changes them and has a new one.
fn places(options: SandboxOptions) -> CliTest {
    CliTest::with(options)
        .holds("locations", json!({"name": "Berlin", "city": "Berlin"}))
        .holds("locations", json!({"name": "Bonn", "city": "Bonn"}))
        .sheet("places.csv", "name,city\nBerlin,Potsdam\nBonn,Köln\nUlm,Ulm\n")
}

/// The same with its plan.
fn planned(options: SandboxOptions) -> CliTest {
    let account = places(options);
    account.run(&PLAN_PLACES).exits(0);
    account
}

fn empty() -> SandboxOptions {
    SandboxOptions { seed: Seed::Empty, ..SandboxOptions::default() }
}

fn cities(account: &CliTest) -> Vec<String> {
    account.records("locations").iter().map(|place| place["city"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_for_another_account_or_without_a_key_or_a_service_is_refused_in_plain_words() {
    let account = planned(empty());
    let other = CliTest::new();
    let run = |(name, value): (&str, &str), arguments: &[&str]| {
        let mut command = account.command(&[&["apply", "plan.xlsx"], arguments].concat());
        CommandOutput::run(command.env(name, value))
    };
    let same = ("LANG", "C");
    let here = format!("http://{}/api/v1", account.address());
    let there = format!("http://{}/api/v1", other.address());
    let cases: [(CommandOutput, i32, &[&str]); 5] = [
        (
            run(("BLUETALLY_BASE_URL", &there), &[]),
            2,
            &[
                &format!("the plan belongs to {here}, and flags, environment or profile say {there}"),
                "for another account, make a plan there",
            ],
        ),
        (run(same, &["--sandbox"]), 2, &[&format!("the plan belongs to {here}"), "a sandbox"]),
        (run(same, &["--tenant", "7"]), 2, &[&format!("the plan belongs to {here}"), "tenant 7"]),
        (run(("BLUETALLY_API_KEY", ""), &[]), 2, &["API key"]),
        (run(("BLUETALLY_API_KEY", "wrong"), &["--yes"]), 3, &["the service does not accept the API key (401)"]),
    ];
    for (ran, code, parts) in cases {
        assert_eq!(ran.code, code, "{}", ran.text());
        parts.iter().for_each(|part| assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr));
    }
    assert_eq!(cities(&account), ["Berlin", "Bonn"]);
    // A refused plan can still be applied.
    account.run(&["apply", "plan.xlsx"]).exits(0);
    assert_eq!(cities(&account), ["Potsdam", "Köln", "Ulm"]);
}

#[test]
fn a_sandbox_flag_that_means_another_account_is_refused_with_what_to_do() {
    let account = planned(empty());
    account.run(&["apply", "plan.xlsx"]).exits(0);
    let undone = account.run(&["undo", "--last", "--yes", "--sandbox"]).exits(2);
    assert!(undone.stderr.ends_with("say a sandbox in memory\n  hint: leave out `--sandbox`\n"), "{}", undone.stderr);
    let tenant = account.run(&["undo", "--last", "--yes", "--tenant", "7"]).exits(2);
    assert!(tenant.stderr.contains("\n  hint: leave out the tenant: "), "{}", tenant.stderr);
    account.run(&["undo", "--last", "--yes"]).exits(0);

    let rehearsal = ["import", "places.csv", "--entity", "locations", "--plan", "kept.xlsx", "--sandbox=kept.db"];
    account.run(&rehearsal).exits(0);
    for (flag, message, hint) in [
        ("--sandbox", "and `--sandbox` means a new one", "leave out `--sandbox`, or pass `--sandbox="),
        ("--sandbox=other.db", "other.db", "pass `--sandbox="),
    ] {
        let refused = account.run(&["apply", "kept.xlsx", flag]).exits(2).stderr;
        assert!(refused.contains(message) && refused.contains(&format!("hint: {hint}")), "{refused}");
        assert!(refused.trim_end().ends_with("kept.db`"), "{refused}");
    }
    account.run(&["apply", "kept.xlsx"]).exits(0);
}

#[test]
fn a_plan_among_the_inputs_is_told_from_a_spreadsheet() {
    let account = planned(empty());
    for command in [
        &["import", "plan.xlsx"][..],
        &["check", "plan.xlsx", "--entity", "locations", "--sheet", "locations"],
        &["verify", "plan.xlsx"],
        &["delete", "locations", "plan.xlsx", "--yes"],
    ] {
        let refused = account.run(command).exits(2);
        let expected =
            "error: `plan.xlsx` is a plan\n  hint: `tallyport apply plan.xlsx` sends what is approved in it\n";
        assert_eq!(refused.stderr, expected);
    }
    // A sheet of that name does not make a plan.
    let sheets: [(&str, &[&[&str]]); 2] = [("locations", &[&["name"], &["Kiel"]]), ("_plan", &[&["kind"], &["x"]])];
    workbook(&account.path("own.xlsx"), &sheets);
    account.run(&["import", "own.xlsx", "--sheet", "locations"]).exits(0);
}

#[test]
fn the_result_of_an_apply_or_an_undo_is_told_from_a_spreadsheet() {
    let account = CliTest::new().sheet("locations.csv", "name\nBerlin\n");
    account.run(&["import", "locations.csv", "--plan", "plan.xlsx"]).exits(0);
    account.run(&["apply", "plan.xlsx", "--result", "applied.xlsx", "--yes"]).exits(0);
    account.run(&["undo", "--last", "--result", "undone.xlsx", "--yes"]).exits(0);
    for (file, command, hint) in [
        ("applied.xlsx", "apply", "give the spreadsheet that the plan was made from"),
        ("undone.xlsx", "undo", "give the spreadsheet or the result of the run that was undone"),
    ] {
        let said = account.run(&["import", file, "--entity", "locations"]).exits(2).stderr;
        let what = format!("`{file}` is the result of `tallyport {command}`: it lists what the run did");
        assert_eq!(said, format!("error: {what}\n  hint: {hint}\n"));
    }
}

#[test]
fn a_dead_service_stops_an_apply_and_the_plan_can_be_applied_later() {
    let account = planned(empty());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::to(closed.local_addr().unwrap());
    drop(closed);
    let planned_at = proxy.base_url();
    let mut plan = account.command(&["import", "places.csv", "--entity", "locations", "--plan", "proxied.xlsx"]);
    proxy.moves_to(account.address());
    CommandOutput::run(plan.env("BLUETALLY_BASE_URL", &planned_at)).exits(0);
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    proxy.moves_to(nowhere);
    let apply = || {
        let mut command = account.command(&["apply", "proxied.xlsx"]);
        command.env("BLUETALLY_BASE_URL", &planned_at);
        command
    };
    let dead = CommandOutput::run(apply());
    assert_eq!(dead.code, 3, "{}", dead.stderr);
    proxy.moves_to(account.address());
    let later = CommandOutput::run(apply());
    assert_eq!(later.code, 0, "{}", later.text());
    assert_eq!(cities(&account), ["Potsdam", "Köln", "Ulm"]);
}

#[test]
fn a_plan_is_applied_once_and_the_second_time_says_when() {
    let account = planned(empty());
    account.run(&["apply", "plan.xlsx", "--quiet"]).exits(0);
    let again = account.run(&["apply", "plan.xlsx"]).exits(2);
    assert!(again.stderr.contains("the plan was applied already: run "), "{}", again.stderr);
    assert!(again.stderr.contains(", begun on 20"), "{}", again.stderr);
    assert!(again.stderr.contains("what is left of it needs a new plan"), "{}", again.stderr);
    // Under another name, and saved again with another approval, it is the same plan.
    fs::copy(account.path("plan.xlsx"), account.path("copy.xlsx")).unwrap();
    fill(&account.path("copy.xlsx"), "locations", &[("A2", "no")]);
    assert!(account.run(&["apply", "copy.xlsx"]).exits(2).stderr.contains("applied already"));
    // Also once its journal is gone.
    account.run(&["runs", "prune", "--older-than", "0s"]).exits(0);
    let pruned = account.run(&["apply", "plan.xlsx"]).exits(2);
    assert!(pruned.stderr.contains("applied already") && pruned.stderr.contains("deleted since"), "{}", pruned.stderr);
}

#[test]
fn two_applies_at_once_send_a_plan_once() {
    let account = planned(empty());
    let proxy = Proxy::to(account.address());
    let command = |arguments: &[&str]| {
        let mut command = account.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let plan = ["import", "places.csv", "--entity", "locations", "--plan", "two.xlsx"];
    CommandOutput::run(command(&plan)).exits(0);
    let (notify, notified) = mpsc::channel();
    proxy.set(Some(KillPoint { at: 2, timing: KillTiming::Forwarded, notify }));
    let first = command(&["apply", "two.xlsx"]).spawn().unwrap();
    let release = notified.recv().unwrap();
    let second = CommandOutput::run(command(&["apply", "two.xlsx"])).exits(2);
    assert!(second.stderr.contains("the plan is being applied by another tallyport: run "), "{}", second.stderr);
    assert!(second.stderr.contains("hint: wait until it ends"), "{}", second.stderr);
    release.send(()).unwrap();
    let first = CommandOutput::of(first.wait_with_output().unwrap(), account.folder());
    assert_eq!(first.code, 0, "{}", first.text());
    assert_eq!(cities(&account), ["Potsdam", "Köln", "Ulm"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_before_and_while_something_is_sent() {
    use std::io::{BufRead, BufReader};
    use std::process::Command;

    // What the same takes without a limit: two records are made by hand, and three are written at the end.
    let (account, made) = (places(empty()), 2);
    let (_, plan) = account.json(&PLAN_PLACES);
    let (_, applied) = account.json(&["apply", "plan.xlsx"]);
    let requests = |summary: &Value| summary["requests"]["total"].as_u64().unwrap() as u32;
    let (planning, applying) = (requests(&plan), requests(&applied));
    for (quota, done) in [(made + planning, false), (made + planning + applying - 2, true)] {
        let account = planned(SandboxOptions { quota: Some(quota), ..empty() });
        let mut command = account.command(&["apply", "plan.xlsx", "--concurrency", "1"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let waiting = said.lines().map_while(Result::ok).find(|line| line.contains("waiting until"));
        assert!(waiting.is_some(), "quota {quota}");
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let output = CommandOutput::of(child.wait_with_output().unwrap(), account.folder());
        assert_eq!(output.code, 4, "{}", output.text());
        assert_eq!(output.stdout.contains("next      tallyport resume"), done, "{}", output.text());
    }
}

#[test]
fn limits_and_a_taken_result_stop_an_apply_before_it_sends_anything() {
    let account = planned(empty()).sheet("mine.xlsx", "mine");
    assert_output!(account.run(&["apply", "plan.xlsx", "--max-creates", "0"]), @"
    exit code 2
    --- stderr
    error: the plan would create 1 record, more than --max-creates allows; nothing was sent
      hint: approve fewer changes, or raise --max-creates
    ");
    assert_output!(account.run(&["apply", "plan.xlsx", "--result", "mine.xlsx"]), @"
    exit code 2
    --- stderr
    error: `mine.xlsx` exists already, and tallyport did not write it
      hint: name another file, or pass --force to replace this one
    ");
    let itself = account.run(&["apply", "plan.xlsx", "--result", "plan.xlsx", "--force"]).exits(2);
    assert!(itself.stderr.contains("the result would overwrite the plan `plan.xlsx`"), "{}", itself.stderr);
    assert_eq!(cities(&account), ["Berlin", "Bonn"]);
    account.run(&["apply", "plan.xlsx", "--max-updates", "2", "--result", "done.xlsx"]).exits(0);
    assert_eq!(cities(&account), ["Potsdam", "Köln", "Ulm"]);
    assert_eq!(sheet_rows(&account.path("done.xlsx"), "locations").len(), 5);
}

#[test]
fn a_plan_that_does_nothing_is_applied_without_a_request() {
    let account = CliTest::new().holds("locations", json!({"name": "Berlin"})).sheet("places.csv", "name\nBerlin\n");
    account.run(&PLAN_PLACES).exits(0);
    let (code, applied) = account.json(&["apply", "plan.xlsx"]);
    assert_eq!((code, &applied["requests"]["total"], &applied["rows"]), (0, &json!(0), &json!(0)), "{applied:#}");
}

#[test]
fn an_apply_that_was_killed_before_it_sent_anything_can_be_begun_again() {
    let account = places(empty());
    let proxy = Proxy::to(account.address());
    let command = |arguments: &[&str]| {
        let mut command = account.command(arguments);
        command.env("BLUETALLY_BASE_URL", proxy.base_url()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    CommandOutput::run(command(&PLAN_PLACES)).exits(0);
    // Killed when the journal was made, and nothing was in it.
    let stored = sheet_rows(&account.path("plan.xlsx"), "_plan");
    let head = stored.iter().find(|row| row[0] == "head").unwrap();
    let head: Value = serde_json::from_str(&head[1..].concat()).unwrap();
    let runs = account.path("state/runs");
    fs::create_dir_all(&runs).unwrap();
    fs::write(runs.join(format!("{}.sqlite", head["id"].as_str().unwrap())), "").unwrap();
    // Killed again while the account is read.
    let (notify, notified) = mpsc::channel();
    proxy.set(Some(KillPoint { at: 1, timing: KillTiming::Arrived, notify }));
    let mut killed = command(&["apply", "plan.xlsx"]).spawn().unwrap();
    let release = notified.recv().unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    release.send(()).unwrap();
    CommandOutput::run(command(&["apply", "plan.xlsx"])).exits(0);
    assert_eq!(cities(&account), ["Potsdam", "Köln", "Ulm"]);
}
