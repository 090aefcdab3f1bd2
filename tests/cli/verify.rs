//! `verify`: what a run sent or a file says, against what the account holds, and nothing is changed by it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, sheet_rows, some_of};
use crate::reference_server::Shapes;
use crate::shapes::{EVERY_COLLECTION, ShapeTest};

/// Two people and three assets, of which one is checked out.
fn account() -> CliTest {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .sheet("assets.csv", ROWS);
    account.run(&["import", "assets.csv", "--map", HOLDER, "--yes"]).exits(0);
    account
}

const HOLDER: &str = "holder=assigned_to";

const ROWS: &str = "asset_id,product,status,location,cost,currency,notes,custom:Rack,holder\n\
                    A-1,MacBook Pro 14,Ready,Berlin,1000,EUR,one,B4,ada@example.com\n\
                    A-2,MacBook Pro 14,Ready,,500,EUR,two,,\n\
                    A-3,MacBook Pro 14,Ready,Berlin,250,USD,,C1,\n";

/// The name of the only run.
fn run_of(account: &CliTest) -> String {
    let (_, document) = account.json(&["runs"]);
    document["runs"][0]["run_id"].as_str().unwrap().to_owned()
}

/// The path of an asset. Assets are created several at a time, so their ids are in no order.
fn asset(account: &CliTest, tag: &str) -> String {
    format!("assets/{}", account.record("assets", "asset_id", tag)["id"])
}

fn change(account: &CliTest, method: &str, path: &str, body: &Value) {
    let (status, answer) = account.request(method, path, Some(body));
    assert!(status < 300, "{method} {path}: {answer}");
}

/// Verifies the file as it was imported.
fn verify_file(account: &CliTest, more: &[&str]) -> (i32, Value) {
    account.json(&[&["verify", "assets.csv", "--map", HOLDER], more].concat())
}

/// Each difference as `kind collection record field expected found`.
fn told(document: &Value) -> BTreeSet<String> {
    let differences = document["differences"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let told = differences.iter().map(|difference| {
        ["kind", "collection", "record", "field", "expected", "found"].map(|name| text(&difference[name])).join(" ")
    });
    told.collect()
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

/// The requests that change something.
fn writes(document: &Value) -> u64 {
    let kinds: BTreeMap<String, u64> = serde_json::from_value(document["requests"]["by_kind"].clone()).unwrap();
    kinds.iter().filter(|(kind, _)| !kind.starts_with("GET ")).map(|(_, count)| count).sum()
}

fn asked_log(document: &Value) -> bool {
    document["requests"]["by_kind"].as_object().unwrap().keys().any(|kind| kind.contains("activity"))
}

#[test]
fn nothing_differs_after_an_import() {
    let account = account();
    let (code, file) = verify_file(&account, &["--complete"]);
    assert_eq!((code, told(&file)), (0, set([])), "{file:#}");
    // 21 cells of assets and one holder.
    assert_eq!(file["counts"], json!({"equal": 22, "different": 0, "missing": 0, "extra": 0}));
    assert_eq!((writes(&file), asked_log(&file)), (0, false), "{}", file["requests"]);
    let (code, run) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, told(&run)), (0, set([])), "{run:#}");
    assert_eq!(run["counts"]["equal"], 22);
    assert_eq!((writes(&run), asked_log(&run)), (0, false), "{}", run["requests"]);
    assert_eq!(file["digests"]["files"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(run["digests"]["journal"].as_str().unwrap().len(), 64);
    assert_ne!(run["digests"]["read"], json!(null));
}

#[test]
fn a_name_that_another_row_of_the_files_would_change_is_that_of_the_account() {
    let account = account().sheet("locations.csv", "_id,Location\n1,Bonn\n").sheet(
        "more.csv",
        "asset_id,product,status,location\nA-1,MacBook Pro 14,Ready,Berlin\nA-3,MacBook Pro 14,Ready,Bonn\n",
    );
    let (code, found) = account.json(&["verify", "locations.csv", "more.csv"]);
    assert_eq!((code, told(&found)), (1, set(["different locations Berlin name Bonn Berlin"])), "{found:#}");
    assert_eq!((&found["counts"]["equal"], &found["problems"]), (&json!(8), &json!([])), "{found:#}");
}

#[test]
fn what_was_changed_is_found_with_both_values_and_who_did_it() {
    let account = account();
    let read_before = verify_file(&account, &[]).1["digests"]["read"].clone();
    change(&account, "PUT", &asset(&account, "A-1"), &json!({"notes": "theirs", "purchase_cost": 900}));
    // The file says nothing of its place.
    change(&account, "PUT", &asset(&account, "A-2"), &json!({"location_id": 1}));
    change(&account, "PUT", &asset(&account, "A-3"), &json!({"custom_fields": r#"[{"name":"Rack","value":"D9"}]"#}));
    let expected = set([
        "different assets A-1 notes one theirs",
        "different assets A-1 purchase_cost 1000 900",
        "different assets A-3 custom:Rack C1 D9",
    ]);
    let run = run_of(&account);
    for arguments in [vec!["verify", "assets.csv", "--map", HOLDER], vec!["verify", &run]] {
        let (code, found) = account.json(&arguments);
        assert_eq!((code, told(&found)), (1, expected.clone()), "{found:#}");
        assert_eq!(found["counts"], json!({"equal": 19, "different": 3, "missing": 0, "extra": 0}));
        for difference in found["differences"].as_array().unwrap() {
            assert_eq!(difference["changed_by"], "admin@example.com", "{difference}");
            assert!(difference["changed_at"].as_str().unwrap().starts_with("20"), "{difference}");
        }
        let euros = found["sums"].as_array().unwrap().iter().find(|sums| sums["collection"] == "assets").unwrap();
        let sum = json!({"field": "purchase_cost", "currency": "EUR", "expected": "1500", "found": "1400"});
        assert_eq!(euros["money"][0], sum);
        assert_ne!(found["digests"]["read"], read_before);
    }
}

/// What the account holds need not be what an import takes: cents, a credit, a currency in small letters.
#[test]
fn amounts_that_no_import_takes_are_compared_and_summed() {
    let test = ShapeTest::new(Shapes::ALL[0]);
    let holds = |collection: &str, record: Value| test.server.holds(collection, record);
    holds("categories", json!({"name": "Laptops", "type": "asset"}));
    holds("products", json!({"name": "MacBook Pro 14", "category_id": 1}));
    holds("statuses", json!({"name": "Ready", "type": "deployable"}));
    for (tag, cost, currency) in [
        ("A-1", json!(1299.99), "EUR"),
        ("A-2", json!(500), "EUR"),
        ("A-3", json!(250.5), "eur"),
        ("A-4", json!(-0.49), "EUR"),
    ] {
        holds(
            "assets",
            json!({"asset_id": tag, "product_id": 1, "status_id": 1, "purchase_cost": cost, "currency": currency}),
        );
    }
    let sum = |expected: &str, found: &str| json!([{"field": "purchase_cost", "currency": "EUR", "expected": expected, "found": found}]);
    test.run(&["export", "assets", "-o", "x.xlsx"]).exits(0);
    let (code, found) = test.json(&["verify", "x.xlsx", "--complete"]);
    assert_eq!((code, told(&found)), (0, set([])), "{found:#}");
    assert_eq!(found["sums"][0]["money"], sum("2050", "2050"), "{found:#}");
    // Without ids, by the asset's tag.
    let rows =
        "asset_id,_action,purchase_cost,currency\nA-1,,1299.98,EUR\nA-2,,500,EUR\nA-3,,250.5,eur\nA-4,skip,1,EUR\n";
    fs::write(test.path("cents.csv"), rows).unwrap();
    let (code, found) = test.json(&["verify", "cents.csv", "--entity", "assets"]);
    assert_eq!((code, told(&found)), (1, set(["different assets A-1 purchase_cost 1299.98 1299.99"])), "{found:#}");
    assert_eq!(found["sums"][0]["money"], sum("2050.48", "2050.49"), "{found:#}");
    let remark = json!({"code": "note", "message": "1 row of cents is skipped, as an import would: not compared"});
    assert_eq!(found["remarks"], json!([remark]));
    // An import that rounds sends whole amounts, and so they are compared.
    let (_, found) = test.json(&["verify", "cents.csv", "--entity", "assets", "--fractional-cost", "round"]);
    assert_eq!(found["sums"][0]["money"], sum("2051", "2050.49"), "{found:#}");
}

#[test]
fn a_record_that_is_gone_is_missing_and_one_that_only_the_account_has_is_extra() {
    let account = account();
    let (status, answer) = account.request("DELETE", &asset(&account, "A-2"), None);
    assert!(status < 300, "{answer}");
    change(
        &account,
        "POST",
        "assets",
        &json!({"asset_id": "X-9", "product_id": 1, "status_id": 1, "purchase_cost": 7}),
    );
    let missing = "missing assets A-2 - A-2 -";
    let (code, found) = verify_file(&account, &[]);
    assert_eq!((code, told(&found)), (1, set([missing])), "{found:#}");
    assert_eq!(found["counts"], json!({"equal": 16, "different": 0, "missing": 1, "extra": 0}));
    assert_eq!(found["sums"][0]["records"], json!({"expected": 3, "found": 2}));
    let (code, found) = verify_file(&account, &["--complete"]);
    assert_eq!((code, told(&found)), (1, set([missing, "extra assets X-9 - - X-9"])), "{found:#}");
    let extra = found["differences"].as_array().unwrap().iter().find(|found| found["kind"] == "extra").unwrap();
    assert_eq!(extra["changed_by"], "admin@example.com");
    assert_eq!(found["sums"][0]["without"], json!({"status": 0, "holder": 2, "place": 1}));
    let (code, found) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, told(&found)), (1, set([missing])), "{found:#}");
    assert_eq!(found["differences"][0]["changed_by"], "admin@example.com", "the log says who deleted it");
}

/// JSON lines have no header: a collection without records is exported as a file without a line.
#[test]
fn an_empty_file_says_that_the_account_has_no_such_records() {
    let account = account();
    account.run(&["export", "assets", "-o", "assets.jsonl"]).exits(0);
    let account = account.sheet("locations.jsonl", "").sheet("other.jsonl", "");
    let files = ["verify", "assets.jsonl", "locations.jsonl", "other.jsonl"];
    let (code, found) = account.json(&[&files[..], &["--complete"]].concat());
    assert_eq!((code, told(&found)), (1, set(["extra locations Berlin - - Berlin"])), "{found:#}");
    let sums = found["sums"].as_array().unwrap().iter().find(|sums| sums["collection"] == "locations").unwrap();
    assert_eq!(sums["records"], json!({"expected": 0, "found": 1}));
    assert_eq!(account.json(&files).0, 0, "nothing is said of other records");
}

#[test]
fn an_item_that_somebody_else_has_now_is_a_difference_that_names_both() {
    let account = account();
    let back = json!({"asset_id": account.record("assets", "asset_id", "A-1")["id"], "checkin_date": "2026-02-01", "status_id": 1});
    change(&account, "POST", "checkin/asset", &back);
    let run = run_of(&account);
    for arguments in [vec!["verify", "assets.csv", "--map", HOLDER], vec!["verify", &run]] {
        let (code, found) = account.json(&arguments);
        let moved = set(["different assets A-1 assigned_to Ada Byron -"]);
        assert_eq!((code, told(&found)), (1, moved), "{found:#}");
    }
    let out = json!({"asset_id": "A-1", "employee_id": 2, "checkout_date": "2026-02-02"});
    change(&account, "POST", "checkout/asset", &out);
    for arguments in [vec!["verify", "assets.csv", "--map", HOLDER], vec!["verify", &run]] {
        let (code, found) = account.json(&arguments);
        let moved = set(["different assets A-1 assigned_to Ada Byron Bob Stone"]);
        assert_eq!((code, told(&found)), (1, moved), "{found:#}");
        assert_eq!(found["differences"][0]["changed_by"], "admin@example.com");
    }
}

/// A check-in or check-out is a later change of the record, which is no reason to leave it out.
#[test]
fn an_export_says_who_held_what() {
    let account = account();
    account.run(&["export", "assets", "-o", "all.csv"]).exits(0);
    let few = ["--ids", "only", "--columns", "id,asset_id,deployed_to,updated_at"];
    account.run(&[&["export", "assets", "-o", "few.csv"], &few[..]].concat()).exits(0);
    let (code, untouched) = account.json(&["verify", "all.csv"]);
    assert_eq!((code, &untouched["remarks"]), (0, &json!([])), "{untouched:#}");
    let back = json!({"asset_id": account.record("assets", "asset_id", "A-1")["id"], "checkin_date": "2026-02-01", "status_id": 1});
    change(&account, "POST", "checkin/asset", &back);
    let out = json!({"asset_id": "A-2", "employee_id": 2, "checkout_date": "2026-02-02"});
    change(&account, "POST", "checkout/asset", &out);
    let holders = ["different assets A-1 assigned_to Ada Byron -", "different assets A-2 assigned_to - Bob Stone"];
    for (file, changes) in [("all.csv", 4), ("few.csv", 2)] {
        let (code, found) = account.json(&["verify", file, "--entity", "assets"]);
        assert_eq!((code, &found["counts"]["different"]), (1, &json!(changes)), "{found:#}");
        let told = told(&found);
        assert!(holders.iter().all(|line| told.contains(*line)), "{file} {told:?}");
        let since = told.iter().filter(|line| line.contains(" checkout_date ")).count();
        assert_eq!(since, changes - holders.len(), "{told:?}");
        for difference in found["differences"].as_array().unwrap() {
            assert_eq!(difference["changed_by"], "admin@example.com", "{difference}");
        }
    }
}

#[test]
fn what_was_edited_in_an_export_is_told_and_nobodys_change() {
    let account = account();
    let ada = account.record("employees", "name", "Ada Byron")["id"].clone();
    // After all changes of assets, and before the export, which does not show it.
    change(&account, "PUT", &format!("employees/{ada}"), &json!({"title": "Chief"}));
    account.run(&["export", "assets", "-o", "export.csv"]).exits(0);
    let text = fs::read_to_string(account.path("export.csv")).unwrap();
    let possible = "1 difference of edited may come from records renamed or changed since the export";
    for (name, remark, told_by_import) in [
        ("Bob Stone", None, "1 edited cell is not sent, the first in row"),
        ("Zed Newhire", Some(possible), "1 cell that differs is not sent, the first in row"),
    ] {
        fs::write(account.path("edited.csv"), text.replace("Ada Byron", name).replace(",one,", ",mine,")).unwrap();
        let (code, found) = account.json(&["verify", "edited.csv", "--entity", "assets"]);
        let expected = [
            format!("different assets A-1 assigned_to {name} Ada Byron"),
            String::from("different assets A-1 notes mine one"),
        ];
        assert_eq!((code, told(&found)), (1, expected.into()), "{found:#}");
        let differences = found["differences"].as_array().unwrap();
        assert!(differences.iter().all(|difference| difference["changed_by"].is_null()), "{found:#}");
        assert_eq!(found["remarks"][0]["message"].as_str(), remark, "{found:#}");
        let (_, plan) = account.json(&["import", "edited.csv", "--entity", "assets", "--dry-run"]);
        let remarks = plan["remarks"].to_string();
        assert!(remarks.contains(&format!("`deployed_to_name` is read-only: {told_by_import}")), "{remarks}");
    }
}

#[test]
fn what_the_service_computes_is_not_compared_and_said_so() {
    let account = account();
    account.run(&["export", "employees", "-o", "employees.csv"]).exits(0);
    let back = json!({"asset_id": account.record("assets", "asset_id", "A-1")["id"], "checkin_date": "2026-02-01", "status_id": 1});
    change(&account, "POST", "checkin/asset", &back);
    let (code, found) = account.json(&["verify", "employees.csv"]);
    assert_eq!((code, told(&found)), (0, set([])), "{found:#}");
    let messages: Vec<&str> =
        found["remarks"].as_array().unwrap().iter().map(|remark| remark["message"].as_str().unwrap()).collect();
    let differ = |name: &str| {
        format!(
            "`{name}` of employees is read-only and not compared: 1 cell differs from the account, the first in row 2"
        )
    };
    assert_eq!(
        messages,
        [
            "columns of employees that are not compared: assets, number_of_assets, number_of_accessories, \
             number_of_consumables, number_of_licenses",
            &differ("assets"),
            &differ("number_of_assets"),
        ]
    );
}

#[test]
fn names_are_compared_by_the_record_that_they_mean() {
    let account = account();
    change(&account, "POST", "statuses", &json!({"name": "Stored", "type": "pending"}));
    change(&account, "PUT", &asset(&account, "A-1"), &json!({"status_id": 2}));
    let run = run_of(&account);
    for arguments in [vec!["verify", "assets.csv", "--map", HOLDER], vec!["verify", &run]] {
        let (code, found) = account.json(&arguments);
        assert_eq!((code, told(&found)), (1, set(["different assets A-1 status_id Ready Stored"])), "{found:#}");
    }
    // A name that the account does not have any more is no problem of the row: it is the difference.
    change(&account, "PUT", &asset(&account, "A-1"), &json!({"status_id": 1}));
    change(&account, "PUT", "statuses/1", &json!({"name": "Deployable"}));
    let (code, found) = verify_file(&account, &[]);
    let renamed: BTreeSet<String> =
        ["A-1", "A-2", "A-3"].iter().map(|tag| format!("different assets {tag} status_id Ready Deployable")).collect();
    assert_eq!((code, told(&found)), (1, renamed), "{found:#}");
    let (code, found) = account.json(&["verify", &run]);
    assert_eq!((code, told(&found)), (0, set([])), "the run sent an id, and the id is there: {found:#}");
}

#[test]
fn what_the_service_stores_in_another_way_is_no_difference() {
    let account = CliTest::new()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com", "title": "CTO"}))
        .sheet("employees.csv", "name,email,title\n Ada Byron ,ADA@Example.com,CTO  \n");
    let (code, found) = account.json(&["verify", "employees.csv"]);
    assert_eq!((code, told(&found)), (0, set([])), "{found:#}");
    assert_eq!(found["counts"]["equal"], 3);
    let account = account.sheet("employees.csv", "name,email,title\nada byron,ada@example.com,cto\n");
    let (_, found) = account.json(&["verify", "employees.csv"]);
    let differing =
        set(["different employees Ada Byron name ada byron Ada Byron", "different employees Ada Byron title cto CTO"]);
    assert_eq!(told(&found), differing, "the case of a text is its own");
}

#[test]
fn deletes_are_verified_as_gone() {
    let account = account().sheet("deletes.csv", "asset_id,_action\nA-2,delete\nA-3,delete\n");
    account.run(&["import", "deletes.csv", "--entity", "assets", "--yes"]).exits(0);
    let deletes = ["verify", "deletes.csv", "--entity", "assets"];
    let (code, found) = account.json(&deletes);
    assert_eq!((code, &found["counts"]["equal"]), (0, &json!(2)), "{found:#}");
    let (code, found) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, &found["counts"]["equal"]), (0, &json!(2)), "{found:#}");
    change(&account, "POST", "assets", &json!({"asset_id": "A-2", "product_id": 1, "status_id": 1}));
    let (code, found) = account.json(&deletes);
    assert_eq!((code, told(&found)), (1, set(["extra assets A-2 - - A-2"])), "{found:#}");
}

#[test]
fn rows_that_cannot_be_compared_are_said_and_are_no_success() {
    let account = account().sheet(
        "assets.csv",
        "asset_id,product,status,notes,purchase_date\nA-1,MacBook Pro 14,Ready,one,not a day\nA-2,,,two,\n",
    );
    assert_output!(account.run(&["verify", "assets.csv"]), @"
    exit code 1
    --- stdout
    Verify of assets.csv: 1 problem kept rows from being compared, in 0.5 s
      equal       2 values
      different   0 values
      missing     0 records
      extra       0 records
      sums        assets: 1 record; 1 without holder; 1 without place

    1 problem: these rows were not compared
      assets date.invalid x1: E2, invalid date; expected a date such as `2026-01-31`
      requests    6
    ");
}

#[test]
fn rows_that_failed_are_told_and_steps_that_were_not_sent_are_no_success() {
    let account = account().sheet("places.csv", "name,country\nUlm,DE\n,DE\n");
    account.run(&["import", "places.csv", "--entity", "locations"]).exits(1);
    let said = account.run(&["verify", &run_of(&account)]).exits(0).stdout;
    assert!(said.contains("no difference") && said.contains("1 row failed: not compared"), "{said}");
    let (code, found) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, &found["not_compared"]), (0, &json!(0)), "{found:#}");
    // Nobody has a mouse that could be checked in: the first refusal stops the run.
    let mut checkins = String::from("accessory,employee,checkin_date\n");
    (1..=28).for_each(|day| checkins.push_str(&format!("Mouse,ada@example.com,2024-06-{day:02}\n")));
    let account = account
        .sheet("categories.csv", "name,type\nMice,accessory\n")
        .sheet("accessories.csv", "name,category,quantity\nMouse,Mice,1\n")
        .sheet("checkin_accessory.csv", &checkins);
    account.run(&["import", "categories.csv", "accessories.csv"]).exits(0);
    account.run(&["import", "checkin_accessory.csv", "--max-errors", "1", "--concurrency", "1"]).exits(4);
    let (code, found) = account.json(&["verify", &run_of(&account)]);
    assert_eq!((code, &found["counts"]["different"]), (1, &json!(0)), "{found:#}");
    assert!(found["not_compared"].as_u64().is_some_and(|steps| steps > 0), "{found:#}");
    let said = account.run(&["verify", &run_of(&account)]).exits(1).stdout;
    assert!(said.contains("no difference, but parts of the run were not compared"), "{said}");
}

#[test]
fn a_run_and_a_file_are_verified_one_by_one() {
    let account = account();
    let run = run_of(&account);
    for words in [[&run, "assets.csv"], ["assets.csv", &run], [&run, &run]] {
        let said = account.run(&[&["verify"], &words[..]].concat()).exits(2).stderr;
        let expected = format!(
            "error: `{run}` is a run, and verify takes either files or one run\n  hint: verify the run by itself\n"
        );
        assert_eq!(said, expected);
    }
    let said = account.run(&["verify", "assets.csv", "nothing"]).exits(2).stderr;
    assert!(said.contains("`nothing`: file not found"), "{said}");
}

#[test]
fn a_file_that_was_never_imported_is_missing_as_a_whole() {
    let account = CliTest::new().with_lookups().sheet("assets.csv", ROWS);
    let (code, found) = verify_file(&account, &[]);
    assert_eq!(
        (code, &found["counts"]),
        (1, &json!({"equal": 0, "different": 0, "missing": 3, "extra": 0})),
        "{found:#}"
    );
    assert_eq!(writes(&found), 0);
}

#[test]
fn words_that_name_nothing_are_usage_errors_and_a_dead_server_is_none() {
    let account = account();
    for (arguments, message) in [
        (vec!["verify", "20200101-000000-aaaa"], "20200101-000000-aaaa"),
        (vec!["verify", "nowhere.csv"], "nowhere.csv"),
        (vec!["verify", "assets.csv", "--mode", "create"], "leave out --mode"),
        (vec!["verify", "assets.csv", "--map", HOLDER, "--result", "x.csv"], "not a .xlsx file"),
        (vec!["verify", "assets.csv", "nowhere.csv"], "nowhere.csv"),
    ] {
        let refused = account.run(&arguments).exits(2);
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
    }
    let run = run_of(&account);
    let refused = account.run(&["verify", &run, "--complete"]).exits(2);
    assert!(refused.stderr.contains("--complete needs a file"), "{}", refused.stderr);
    let refused = account.run(&["verify", &run, "--entity", "assets"]).exits(2);
    assert!(refused.stderr.contains("--entity says how a file is read"), "{}", refused.stderr);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = format!("http://{free}/api/v1");
    let unreachable = account.run(&["--base-url", &dead, "verify", "assets.csv", "--map", HOLDER]).exits(3);
    assert!(unreachable.stderr.contains("error:"), "{}", unreachable.stderr);
}

#[test]
fn the_workbook_has_every_difference_and_replaces_only_its_own_kind() {
    let account = account();
    change(&account, "PUT", &asset(&account, "A-1"), &json!({"notes": "theirs"}));
    let (code, found) = verify_file(&account, &["--result", "verified.xlsx"]);
    assert_eq!((code, &found["result"]), (1, &json!("verified.xlsx")));
    let rows = sheet_rows(&account.path("verified.xlsx"), "Differences");
    assert_eq!(
        rows[0],
        ["kind", "collection", "record", "field", "expected", "found", "changed by", "changed at", "source"]
    );
    assert_eq!(rows[1][..7], ["different", "assets", "A-1", "notes", "one", "theirs", "admin@example.com"]);
    assert_eq!((rows.len(), rows[1][8].as_str()), (2, "assets G2"));
    let page = sheet_rows(&account.path("verified.xlsx"), "Verify").concat().join(" ");
    for text in ["Verify of assets.csv", "1 value not as expected", "SHA-256", "purchase_cost"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    verify_file(&account, &["--result", "verified.xlsx"]);
    let account = account.sheet("mine.xlsx", "mine");
    let refused = account.run(&["verify", "assets.csv", "--map", HOLDER, "--result", "mine.xlsx"]).exits(2);
    assert!(refused.stderr.contains("tallyport did not write it"), "{}", refused.stderr);
}

#[test]
fn a_checkout_from_stock_that_somebody_has_taken_back_is_missing() {
    let rows = "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,2,2026-01-01\nMouse,bob@example.com,1,2026-01-01\n";
    let account = CliTest::new()
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 1, "quantity": 5}))
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .sheet("checkout_accessory.csv", rows);
    account.run(&["import", "checkout_accessory.csv", "--yes"]).exits(0);
    let (code, found) = account.json(&["verify", "checkout_accessory.csv"]);
    assert_eq!((code, &found["counts"]["equal"]), (0, &json!(2)), "{found:#}");
    let returned = json!({"accessory_id": 1, "employee_id": 1, "checkin_date": "2026-01-05"});
    change(&account, "POST", "checkin/accessory", &returned);
    let (code, found) = account.json(&["verify", "checkout_accessory.csv"]);
    assert_eq!((code, &found["counts"]["equal"], found["differences"].as_array().unwrap().len()), (1, &json!(1), 1));
    assert!(found["differences"][0]["expected"].as_str().unwrap().contains("Ada Byron"), "{found:#}");
}

/// The samples, each with the options that import it whole.
#[test]
fn nothing_differs_after_the_import_of_any_sample() {
    let samples: [(&str, &[&str]); 3] =
        [("onboarding.xlsx", &[]), ("assets.csv", &["--create-missing"]), ("bluetally-template.xlsx", &[])];
    for (name, options) in some_of(samples, 1) {
        let account = CliTest::seeded();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name), account.path(name)).unwrap();
        let (code, imported) = account.json(&[&["import", name, "--yes"], options].concat());
        assert_eq!(code, 0, "{imported:#}");
        let (code, file) = account.json(&["verify", name]);
        assert_eq!((code, told(&file)), (0, set([])), "{name}: {file:#}");
        let (code, run) = account.json(&["verify", imported["run_id"].as_str().unwrap()]);
        assert_eq!((code, told(&run)), (0, set([])), "{name}: {run:#}");
        assert!(file["counts"]["equal"].as_u64() > Some(100) && run["counts"]["equal"].as_u64() > Some(100), "{name}");
        assert_eq!((writes(&file), writes(&run)), (0, 0));
    }
}

/// A reference server with what a new sandbox holds, for the samples to refer to.
fn seeded(shapes: Shapes) -> ShapeTest {
    let (test, seed) = (ShapeTest::new(shapes), CliTest::seeded());
    for (name, _) in EVERY_COLLECTION {
        let entity = tallyport::schema::collection(name).unwrap();
        for record in seed.records(name) {
            let fields = entity.created_fields().map(|field| (field.name.to_owned(), record[field.name].clone()));
            test.server.holds(name, fields.filter(|(_, value)| !value.is_null()).collect());
        }
    }
    test
}

#[test]
fn nothing_differs_after_the_import_of_a_sample_with_every_reply_shape() {
    let samples: [(&str, &[&str]); 3] =
        [("onboarding.xlsx", &[]), ("assets.csv", &["--create-missing"]), ("bluetally-template.xlsx", &[])];
    // Each sample with two of the six shapes.
    for (shapes, (name, options)) in some_of(Shapes::ALL.into_iter().zip(samples.into_iter().cycle()), 1) {
        let test = seeded(shapes);
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name), test.path(name)).unwrap();
        let (code, imported) = test.json(&[&["import", name, "--yes"], options].concat());
        assert_eq!(code, 0, "{shapes:?} {name} {imported:#}");
        for target in [name, imported["run_id"].as_str().unwrap()] {
            let (code, found) = test.json(&["verify", target]);
            assert_eq!((code, told(&found)), (0, set([])), "{shapes:?} {target} {found:#}");
            assert!(found["counts"]["equal"].as_u64() > Some(100), "{shapes:?} {target} {found:#}");
            // Whether what a file takes from stock is out still, only the log tells.
            let may_ask_log = target.ends_with(".xlsx");
            assert!(writes(&found) == 0 && (may_ask_log || !asked_log(&found)), "{shapes:?} {target}");
        }
    }
}

/// Fields of assets that hold any text.
const TEXTS: [&str; 4] = ["asset_name", "asset_serial", "order_number", "notes"];
/// Custom fields of an asset: with the others it has forty cells.
const CUSTOM: usize = 32;

#[test]
fn fifty_seeded_differences_among_twenty_thousand_cells_are_found_and_no_other() {
    const RECORDS: u64 = 500;
    let seed = std::env::var("TALLYPORT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129);
    let mut random = fastrand::Rng::with_seed(seed);
    let custom: Vec<String> = (0..CUSTOM).map(|number| format!("custom:C{number}")).collect();
    let mut csv = format!("asset_id,product,status,{},purchase_cost,{}\n", TEXTS.join(","), custom.join(","));
    for record in 1..=RECORDS {
        let texts = TEXTS.map(|name| format!("{name} {record}")).join(",");
        let values: Vec<String> = (0..CUSTOM).map(|number| format!("v{number}-{record}")).collect();
        writeln!(csv, "T-{record},MacBook Pro 14,Ready,{texts},{record},{}", values.join(",")).unwrap();
    }
    let account = CliTest::new().with_lookups().sheet("assets.csv", &csv);
    account.run(&["import", "assets.csv", "--yes", "--quiet"]).exits(0);
    let (code, clean) = account.json(&["verify", "assets.csv"]);
    assert_eq!((code, &clean["counts"]["equal"]), (0, &json!(20_000)), "{}", clean["counts"]);
    let ids: BTreeMap<String, Value> = account
        .records("assets")
        .into_iter()
        .map(|record| (record["asset_id"].as_str().unwrap().to_owned(), record["id"].clone()))
        .collect();
    let mut expected = BTreeSet::new();
    while expected.len() < 50 {
        let (record, field) = (random.u64(1..=RECORDS), random.usize(..TEXTS.len() + 1));
        let (body, line) = seeded_change(record, field);
        if expected.insert(line) {
            change(&account, "PUT", &format!("assets/{}", ids[&format!("T-{record}")]), &body);
        }
    }
    let run = run_of(&account);
    for arguments in [["verify", "assets.csv"], ["verify", &run]] {
        let (code, found) = account.json(&arguments);
        assert_eq!((code, told(&found)), (1, expected.clone()), "seed {seed}");
        assert_eq!(found["counts"], json!({"equal": 19_950, "different": 50, "missing": 0, "extra": 0}), "seed {seed}");
        assert!(found["requests"]["total"].as_u64() < Some(40), "{}", found["requests"]);
        let by =
            found["differences"].as_array().unwrap().iter().filter(|found| found["changed_by"].is_string()).count();
        assert_eq!(by, 50, "seed {seed}");
    }
}

/// A change of a field, or of a custom field, with the line that tells of it.
fn seeded_change(record: u64, field: usize) -> (Value, String) {
    match TEXTS.get(field) {
        Some(name) => (
            json!({*name: format!("changed {record}")}),
            format!("different assets T-{record} {name} {name} {record} changed {record}"),
        ),
        None => {
            // The service takes all custom fields at once: an asset is changed in one of them only.
            let pair = |at: usize| {
                let value =
                    if at == record as usize % CUSTOM { format!("w{record}") } else { format!("v{at}-{record}") };
                json!({"name": format!("C{at}"), "value": value})
            };
            let at = record as usize % CUSTOM;
            let pairs: Vec<Value> = (0..CUSTOM).map(pair).collect();
            (
                json!({"custom_fields": json!(pairs).to_string()}),
                format!("different assets T-{record} custom:C{at} v{at}-{record} w{record}"),
            )
        }
    }
}
