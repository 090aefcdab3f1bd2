//! Who holds an asset, said by the asset's own row: `assigned_to`.

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::plan_book::fill;
use crate::values::codes;

const MAPPING: &str = "entity = \"assets\"\n\
                       [fields.assigned_to]\nfirst_of = [\"UPN\", \"Place\"]\n\
                       [fields.\"assigned_to.name\"]\ncolumn = \"User\"\n\
                       [fields.checkout_date]\ncolumn = \"Since\"\n";

const HEADER: &str = "Asset tag,Product,Status,UPN,User,Place,Since\n";

fn sheet(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

fn account() -> CliTest {
    account_with("")
}

fn account_with(faults: &str) -> CliTest {
    CliTest::with(SandboxOptions { seed: Seed::Empty, faults: faults.parse().unwrap(), ..SandboxOptions::default() })
        .with_lookups()
        .holds("employees", json!({"name": "Ada B.", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .holds("locations", location("Store"))
        .sheet("mapping.toml", MAPPING)
}

fn location(name: &str) -> Value {
    json!({"name": name, "address_line_1": "Main Street 1", "city": "Berlin", "country": "DE"})
}

const IMPORT: [&str; 6] = ["import", "assets.csv", "--mapping", "mapping.toml", "--concurrency", "1"];

#[test]
fn a_warning_on_the_way_is_among_the_remarks_of_the_document() {
    let account = account_with("GET activity refuse=403")
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}))
        .sheet("checkout_asset.csv", "asset_id,employee,checkout_date\nA-1,ada@example.com,2026-03-02\n");
    let ran = account.run(&["import", "checkout_asset.csv", "--yes", "--json"]).exits(0);
    let warning = ran.stderr.lines().find_map(|line| line.strip_prefix("warning: ")).unwrap();
    assert!(warning.starts_with("the activity log cannot be read"), "{warning}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let remarks = document["remarks"].as_array().unwrap();
    assert_eq!(remarks.iter().filter(|remark| remark["message"] == warning).count(), 1, "{document:#}");
}

/// The employee or location that holds the asset with that tag.
fn holder(account: &CliTest, tag: &str) -> Option<(String, i64)> {
    let asset = account.record("assets", "asset_id", tag);
    let entry = asset["deployed_to"].as_array()?.first()?.clone();
    ["employee_id", "location_id"].iter().find_map(|name| Some(((*name).to_owned(), entry[*name].as_i64()?)))
}

fn employee(id: i64) -> Option<(String, i64)> {
    Some((String::from("employee_id"), id))
}

/// The requests of a run that write, with how often each was sent.
pub fn writes(summary: &Value) -> Vec<String> {
    let kinds = summary["requests"]["by_kind"].as_object().unwrap();
    kinds.iter().filter(|(kind, _)| !kind.starts_with("GET")).map(|(kind, count)| format!("{kind} {count}")).collect()
}

/// The notes of a workbook's first sheets, in their order.
fn notes(path: &std::path::Path) -> Vec<String> {
    use std::io::Read as _;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut notes = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("xl/comments")) {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        let comments = text.split("<comment ").skip(1);
        notes.extend(comments.map(|comment| {
            let texts = comment.split("<t").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</t>"));
            texts.map(|(text, _)| text).collect::<String>()
        }));
    }
    notes
}

#[test]
fn an_asset_goes_to_its_holder_and_stays_there() {
    let first = sheet(&[
        "A-1,MacBook Pro 14,Ready,ada@example.com,Ada Byron,,2026-01-05",
        "A-2,MacBook Pro 14,Ready,,,Store,",
        "A-3,MacBook Pro 14,Ready,,,,",
        "A-4,MacBook Pro 14,Ready,bob stone,,,",
    ]);
    let account = account().sheet("assets.csv", &first);
    let (code, plan) = account.json(&[&IMPORT[..], &["--dry-run"]].concat());
    assert_eq!((code, &plan["counts"]["created"]), (0, &json!(4)), "{plan}");
    assert!(account.records("assets").is_empty());
    let (code, summary) = account.json(&IMPORT);
    assert_eq!(
        (code, writes(&summary)),
        (0, vec!["POST assets 4".into(), "POST checkout/asset 3".into()]),
        "{summary}"
    );
    assert_eq!(holder(&account, "A-1"), employee(1));
    assert_eq!(holder(&account, "A-2"), Some((String::from("location_id"), 1)));
    assert_eq!((holder(&account, "A-3"), holder(&account, "A-4")), (None, employee(2)));
    let held = account.record("assets", "asset_id", "A-1");
    assert!(held["deployed_to"][0]["checkout_date"].as_str().unwrap().starts_with("2026-01-05"), "{held}");

    let (code, again) = account.json(&IMPORT);
    assert_eq!((code, &again["counts"]["unchanged"], writes(&again)), (0, &json!(4), Vec::new()), "{again}");

    let second = sheet(&[
        "A-1,MacBook Pro 14,Ready,bob@example.com,,,",
        "A-2,MacBook Pro 14,Ready,,,Store,",
        "A-3,MacBook Pro 14,Ready,ada@example.com,,,",
        "A-4,MacBook Pro 14,Ready,,,,",
    ]);
    let account = account.sheet("assets.csv", &second);
    let (_, plan) = account.json(&[&IMPORT[..], &["--dry-run", "--result", "plan.xlsx"]].concat());
    assert_eq!((&plan["counts"]["updated"], &plan["counts"]["unchanged"]), (&json!(2), &json!(2)), "{plan}");
    let rows = sheet_rows(&account.path("plan.xlsx"), "assets");
    assert_eq!(rows[1][2], "check-in from Ada B., check-out to Bob Stone\nassigned_to: `Ada B.` → `Bob Stone`");
    let (code, changed) = account.json(&[&IMPORT[..], &["--result", "changed.xlsx"]].concat());
    let expected = vec![String::from("POST checkin/asset 1"), String::from("POST checkout/asset 2")];
    assert_eq!((code, writes(&changed)), (0, expected), "{changed}");
    // A blank is no opinion.
    assert_eq!((holder(&account, "A-1"), holder(&account, "A-4")), (employee(2), employee(2)));
    let rows = sheet_rows(&account.path("changed.xlsx"), "assets");
    assert_eq!((rows[1][0].as_str(), rows[1][2].as_str()), ("updated", "check-in from Ada B., check-out to Bob Stone"));
    assert_eq!((rows[4][0].as_str(), rows[4][2].as_str()), ("unchanged", ""));
    // What a run changed is told, and its result marks the cells that show the new values.
    let change = &changed["changes"][0];
    assert_eq!((&change["field"], &change["count"]), (&json!("assigned_to"), &json!(2)), "{changed}");
    assert_eq!(notes(&account.path("changed.xlsx")), ["was `Ada B.`", "was empty"]);

    account.run(&["undo", changed["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    assert_eq!((holder(&account, "A-1"), holder(&account, "A-3")), (employee(1), None));
    account.run(&["undo", summary["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    assert!(account.records("assets").is_empty());
}

#[test]
fn a_new_holder_is_made_from_the_row() {
    let rows = sheet(&[
        "A-1,MacBook Pro 14,Ready,cy@example.com,Cy Young,,",
        "A-2,MacBook Pro 14,Ready,CY@example.com,Cy Young,,",
        "A-3,MacBook Pro 14,Ready,Dee Unknown,,,",
    ]);
    let account = account().sheet("assets.csv", &rows);
    let (code, refused) = account.json(&[&IMPORT[..], &["--create-missing"]].concat());
    assert_eq!((code, &refused["counts"]["failed"], writes(&refused)), (1, &json!(3), Vec::new()), "{refused}");
    assert_eq!(codes(&refused, "problems"), ["name.not_found"]);
    let example = &refused["problems"][0]["examples"][0];
    assert_eq!((&example["cell"], &example["found"]), (&json!("D2"), &json!("cy@example.com")));

    let (code, summary) = account.json(&[&IMPORT[..], &["--create-missing=all", "--result", "r.xlsx"]].concat());
    assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("name.incomplete")]), "{summary}");
    assert_eq!(writes(&summary), ["POST assets 2", "POST checkout/asset 2", "POST employees 1"]);
    assert_eq!(account.record("employees", "email", "cy@example.com")["name"], json!("Cy Young"));
    assert_eq!((holder(&account, "A-1"), holder(&account, "A-2")), (employee(3), employee(3)));
    // Nothing is sent from a row with a problem, not even the asset.
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn a_row_whose_asset_was_made_and_whose_check_out_failed_says_both() {
    let options = SandboxOptions { faults: "POST checkout/asset refuse".parse().unwrap(), ..SandboxOptions::default() };
    let account = CliTest::with(options)
        .sheet("mapping.toml", MAPPING)
        .sheet("assets.csv", &sheet(&["A-1,MacBook Pro 14,Ready to Deploy,Main Store,,,"]));
    let store = location("Main Store");
    let account = account.holds("locations", store);
    let (code, summary) = account.json(&[&IMPORT[..], &["--result", "r.xlsx"]].concat());
    assert_eq!(
        (code, &summary["counts"]["failed"], &summary["counts"]["created"]),
        (1, &json!(1), &json!(0)),
        "{summary}"
    );
    let asset = account.record("assets", "asset_id", "A-1");
    let rows = sheet_rows(&account.path("r.xlsx"), "assets");
    assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("failed", asset["id"].to_string().as_str()));
    assert!(rows[1][2].starts_with("asset created"), "{}", rows[1][2]);
    assert!(rows[1][2].contains("refused"), "{}", rows[1][2]);
}

#[test]
fn what_is_left_of_a_row_is_sent_alone_and_what_others_have_changed_stays() {
    let faults = "POST checkout/asset count=4 refuse".parse().unwrap();
    let mapping = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"UPN\"\n[also.employees]\n\
                   name = { column = \"User\" }\nemail = { column = \"UPN\" }\ntitle = { column = \"Title\" }\n";
    let rows: String = (1..=4)
        .map(|number| {
            format!("A-{number},MacBook Pro 14,Ready,hello,PO-{number},p{number}@example.com,P {number},Clerk\n")
        })
        .collect();
    let account = CliTest::with(SandboxOptions { seed: Seed::Empty, faults, ..SandboxOptions::default() })
        .with_lookups()
        .sheet("mapping.toml", mapping)
        .sheet("assets.csv", &format!("Asset tag,Product,Status,Notes,Order number,UPN,User,Title\n{rows}"));
    let import = |file: &str, to: &str, edits: &[(&str, &str)]| {
        let text = std::fs::read_to_string(account.path(file)).unwrap();
        assert!(edits.iter().all(|(from, _)| text.contains(from)), "{text}");
        let edited = edits.iter().fold(text, |text, (from, edited)| text.replace(from, edited));
        std::fs::write(account.path(file), edited).unwrap();
        // One request after the other, so that the employees get their ids in the order of the rows.
        let flags = ["--mapping", "mapping.toml", "--concurrency", "1", "--result", to, "--yes"];
        let (_, summary) = account.json(&[&["import", file], &flags[..]].concat());
        (writes(&summary), summary)
    };
    let told = |tag: &str| {
        let asset = account.record("assets", "asset_id", tag);
        (asset["notes"].as_str().unwrap().to_owned(), asset["order_number"].clone(), holder(&account, tag))
    };
    let (_, summary) = import("assets.csv", "r.csv", &[]);
    assert_eq!(summary["counts"]["failed"], 4, "{summary:#}");
    for id in 1..=4 {
        for (path, body) in [("assets", json!({"notes": "theirs"})), ("employees", json!({"title": "Boss"}))] {
            assert_eq!(account.request("PUT", &format!("{path}/{id}"), Some(&body)).0, 200);
        }
    }
    let edits = [("PO-2", "PO-7"), ("hello,PO-3", "mine,PO-3"), ("PO-4,p4@example.com", "PO-9,p4")];
    let (sent, summary) = import("r.csv", "r2.csv", &edits);
    assert_eq!(sent, ["POST checkout/asset 2", "PUT assets 1"], "{summary:#}");
    assert_eq!(codes(&summary, "problems"), ["record.conflict", "email.invalid"]);
    let theirs = |order: &str, holder| (String::from("theirs"), json!(order), holder);
    assert_eq!(["A-1", "A-2"].map(told), [theirs("PO-1", employee(1)), theirs("PO-7", employee(2))]);
    assert_eq!(["A-3", "A-4"].map(told), [theirs("PO-3", None), theirs("PO-4", None)]);
    // Without the edit there is only the check-out left, and what was edited beside a problem is still an edit.
    let (sent, summary) =
        import("r2.csv", "r3.csv", &[("mine,PO-3", "hello,PO-3"), ("PO-9,p4", "PO-9,p4@example.com")]);
    assert_eq!(sent, ["POST checkout/asset 2", "PUT assets 1"], "{summary:#}");
    assert_eq!(["A-3", "A-4"].map(told), [theirs("PO-3", employee(3)), theirs("PO-9", employee(4))]);
    assert!(account.records("employees").iter().all(|person| person["title"] == "Boss"));
    assert!(import("r3.csv", "r4.csv", &[]).0.is_empty());
}

/// An account with that fault in which Ada Byron has A-1.
fn held_by_ada(fault: &str) -> CliTest {
    let options = SandboxOptions { seed: Seed::Empty, faults: fault.parse().unwrap(), ..SandboxOptions::default() };
    let account = CliTest::with(options)
        .with_lookups()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob@example.com"}))
        .sheet("mapping.toml", MAPPING)
        .sheet("assets.csv", &sheet(&["A-1,MacBook Pro 14,Ready,ada@example.com,,,2026-01-05"]));
    account.run(&IMPORT).exits(0);
    assert_eq!(holder(&account, "A-1"), employee(1));
    account
}

#[test]
fn an_asset_stays_with_its_holder_where_the_next_one_cannot_be_made() {
    let account = held_by_ada("POST employees nth=3 refuse")
        .sheet("assets.csv", &sheet(&["A-1,MacBook Pro 14,Ready,eve@example.com,Eve Stone,,2026-02-01"]));
    let (code, summary) = account.json(&[&IMPORT[..], &["--create-missing=all", "--result", "r.xlsx"]].concat());
    assert_eq!((code, writes(&summary)), (1, vec![String::from("POST employees 1")]), "{summary}");
    assert_eq!(holder(&account, "A-1"), employee(1));
    let rows = sheet_rows(&account.path("r.xlsx"), "assets");
    assert!(rows[1][0] == "failed" && !rows[1][2].contains("check-in"), "{:?}", rows[1]);
}

#[test]
fn an_asset_that_was_taken_back_and_not_checked_out_again_says_so() {
    let account = held_by_ada("POST checkout/asset nth=2 refuse")
        .sheet("assets.csv", &sheet(&["A-1,MacBook Pro 14,Ready,bob@example.com,,,2026-02-01"]));
    let (code, summary) = account.json(&[&IMPORT[..], &["--result", "r.xlsx"]].concat());
    let sent = vec![String::from("POST checkin/asset 1"), String::from("POST checkout/asset 1")];
    assert_eq!((code, writes(&summary), holder(&account, "A-1")), (1, sent, None), "{summary}");
    let rows = sheet_rows(&account.path("r.xlsx"), "assets");
    let said = "check-in from Ada Byron, check-out to Bob Stone: only the check-in was done, so nobody has it now\n";
    assert!(rows[1][0] == "failed" && rows[1][2].starts_with(said), "{:?}", rows[1]);
}

/// An account in which Ada has, with the result of the import that has seen to it.
fn two_of_ada() -> CliTest {
    two_of_ada_after(account(), 0)
}

/// The same in `account`, where the import ends with that exit code.
fn two_of_ada_after(account: CliTest, code: i32) -> CliTest {
    let rows = ["A-1,MacBook Pro 14,Ready,ada@example.com,,,", "A-2,MacBook Pro 14,Ready,ada@example.com,,,"];
    let account = account
        .holds("employees", json!({"name": "Cy Young", "email": "cy@example.com"}))
        .sheet("assets.csv", &sheet(&rows))
        .sheet("moved.csv", &sheet(&["A-1,MacBook Pro 14,Ready,bob@example.com,,,"]));
    account.run(&IMPORT).exits(code);
    account
}

/// Bob gets A-1.
fn move_to_bob(account: &CliTest) {
    account.run(&["import", "moved.csv", "--mapping", "mapping.toml"]).exits(0);
    assert_eq!(holder(account, "A-1"), employee(2));
}

/// The only problem of an import that is a conflict.
fn conflict(summary: &Value) -> &str {
    assert_eq!(codes(summary, "problems"), ["record.conflict"], "{summary}");
    assert_eq!(summary["problems"][0]["count"], 1, "{summary}");
    summary["problems"][0]["examples"][0]["message"].as_str().unwrap()
}

#[test]
fn an_edited_result_takes_no_asset_from_whoever_got_it_since() {
    let account = two_of_ada();
    move_to_bob(&account);
    let result = account.path("edited.xlsx");
    std::fs::copy(account.path("assets.result.xlsx"), &result).unwrap();
    fill(&result, "assets", &[("G2", "cy@example.com"), ("G3", "cy@example.com")]);
    let import = ["import", "edited.xlsx", "--mapping", "mapping.toml"];
    let (code, summary) = account.json(&import);
    assert_eq!((code, holder(&account, "A-1"), holder(&account, "A-2")), (1, employee(2), employee(3)), "{summary}");
    let message = conflict(&summary);
    assert!(message.contains("`Bob Stone` has it now; the record was changed on "), "{message}");
    assert!(message.ends_with(", after the earlier run"), "{message}");
    account.run(&[&import[..], &["--conflicts", "theirs"]].concat()).exits(0);
    assert_eq!(holder(&account, "A-1"), employee(2));
    account.run(&[&import[..], &["--conflicts", "mine"]].concat()).exits(0);
    assert_eq!(holder(&account, "A-1"), employee(3));
}

#[test]
fn a_check_out_that_failed_takes_no_asset_from_whoever_got_it_meanwhile() {
    let account = two_of_ada_after(account_with("POST checkout/asset nth=1 refuse"), 1);
    move_to_bob(&account);
    let retry = ["--mapping", "mapping.toml", "--only-failed", "--result"];
    for (result, to) in [("assets.result.xlsx", "second.xlsx"), ("second.xlsx", "third.xlsx")] {
        let (code, summary) = account.json(&[&["import", result], &retry[..], &[to]].concat());
        assert_eq!((code, holder(&account, "A-1")), (1, employee(2)), "{summary}");
        let message = conflict(&summary);
        assert!(message.contains("`Bob Stone` has it now; the record was changed on "), "{message}");
        assert!(message.ends_with(", after the earlier run"), "{message}");
    }
    let mine = ["import", "third.xlsx", "--mapping", "mapping.toml", "--only-failed", "--conflicts", "mine"];
    account.run(&mine).exits(0);
    assert_eq!(holder(&account, "A-1"), employee(1));
}

#[test]
fn the_result_of_a_result_knows_when_its_records_were_changed() {
    let account = two_of_ada();
    let rows = ["A-1,MacBook Pro 14,Ready,,,,", "A-2,MacBook Pro 14,Ready,,,,", "A-3,No such product,Ready,,,,"];
    let account = account.sheet("blank.csv", &sheet(&rows));
    for (file, result) in [("blank.csv", "first.csv"), ("first.csv", "second.csv")] {
        account.run(&["import", file, "--mapping", "mapping.toml", "--result", result]).exits(1);
    }
    move_to_bob(&account);
    let text = std::fs::read_to_string(account.path("second.csv")).unwrap();
    let edited = text.replace("Ready,,", "Ready,cy@example.com,").replace("No such product", "MacBook Pro 14");
    let account = account.sheet("second.csv", &edited);
    let (code, summary) = account.json(&["import", "second.csv", "--mapping", "mapping.toml"]);
    assert_eq!((code, holder(&account, "A-1"), holder(&account, "A-2")), (1, employee(2), employee(3)), "{summary}");
    assert!(conflict(&summary).contains("`Bob Stone` has it now; the record was changed on "), "{summary}");
}

const EXPORT: [&str; 6] =
    ["export", "assets", "-o", "export.csv", "--columns", "id,asset_id,notes,deployed_to_name,updated_at"];
const OF_EXPORT: [&str; 4] = ["--entity", "assets", "--map", "deployed_to_name=assigned_to"];

#[test]
fn a_stale_export_takes_no_asset_back() {
    let account = two_of_ada();
    account.run(&EXPORT).exits(0);
    move_to_bob(&account);
    let export = std::fs::read_to_string(account.path("export.csv")).unwrap();
    let (before, after) = export.rsplit_once("Ada B.").unwrap();
    let account = account.sheet("export.csv", &format!("{before}Cy Young{after}"));
    let import = [&["import", "export.csv"], &OF_EXPORT[..]].concat();
    let (code, summary) = account.json(&import);
    assert_eq!((code, holder(&account, "A-1"), holder(&account, "A-2")), (1, employee(2), employee(3)), "{summary}");
    let message = conflict(&summary);
    assert!(message.contains("`Bob Stone` has it now; the record was changed on "), "{message}");
    assert!(message.ends_with(", after the export"), "{message}");
    let (code, skipped) = account.json(&[&import[..], &["--conflicts", "skip"]].concat());
    let counts = ["skipped", "unchanged"].map(|name| skipped["counts"][name].as_u64().unwrap());
    assert_eq!((code, counts, holder(&account, "A-1")), (0, [1, 1], employee(2)), "{skipped}");
}

#[test]
fn a_conflict_in_another_field_hides_no_conflict_of_the_holder() {
    let account = two_of_ada();
    account.run(&EXPORT).exits(0);
    move_to_bob(&account);
    let export = std::fs::read_to_string(account.path("export.csv")).unwrap();
    let account = account.sheet("export.csv", &export.replace("A-1,,", "A-1,new,").replace("A-2,,", "A-2,new,"));
    let import = [&["import", "export.csv"], &OF_EXPORT[..]].concat();
    let (code, summary) = account.json(&import);
    assert_eq!((code, holder(&account, "A-1"), &summary["counts"]["failed"]), (1, employee(2), &json!(1)), "{summary}");
    let problems = summary["problems"].to_string();
    assert!(problems.contains("the service has ") && problems.contains("`Bob Stone` has it now"), "{summary:#}");
    let (code, kept) = account.json(&[&import[..], &["--conflicts", "theirs"]].concat());
    assert_eq!((code, holder(&account, "A-1")), (0, employee(2)), "{kept}");
    let (code, taken) = account.json(&[&import[..], &["--conflicts", "mine"]].concat());
    assert_eq!((code, holder(&account, "A-1")), (0, employee(1)), "{taken}");
}

#[test]
fn an_export_whose_asset_was_only_taken_back_hands_it_out_with_the_result() {
    let account = held_by_ada("POST checkout/asset nth=2 refuse");
    account.run(&EXPORT).exits(0);
    let export = std::fs::read_to_string(account.path("export.csv")).unwrap();
    let account = account.sheet("export.csv", &export.replace("Ada Byron", "Bob Stone"));
    account.run(&[&["import", "export.csv"], &OF_EXPORT[..]].concat()).exits(1);
    assert_eq!(holder(&account, "A-1"), None);
    account.run(&[&["import", "export.result.xlsx", "--only-failed"], &OF_EXPORT[..]].concat()).exits(0);
    assert_eq!(holder(&account, "A-1"), employee(2));
}

#[test]
fn assigned_to_works_as_a_flag_and_is_saved() {
    let account = account().sheet("assets.csv", &sheet(&["A-1,MacBook Pro 14,Ready,ada@example.com,,,2026-02-03"]));
    let flags = [
        "import", "assets.csv", "--map", "UPN|Place=assigned_to", "--map", "Since=checkout_date", "--ignore", "User",
        "--save-mapping", "saved.toml",
    ];
    let (code, summary) = account.json(&flags);
    assert_eq!((code, holder(&account, "A-1")), (0, employee(1)), "{summary}");
    let saved = std::fs::read_to_string(account.path("saved.toml")).unwrap();
    assert!(saved.contains("[assets.fields.assigned_to]\nfirst_of = [\"UPN\", \"Place\"]"), "{saved}");
    assert!(saved.contains("[assets.fields.checkout_date]\ncolumn = \"Since\"\n"), "{saved}");
    let (code, again) = account.json(&["import", "assets.csv", "--mapping", "saved.toml"]);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(1)), "{again}");
}

#[test]
fn a_name_of_two_people_is_a_question_before_the_second_is_made() {
    let rows = sheet(&[
        "A-2,MacBook Pro 14,Ready,zed@example.com,Ada Zed,,",
        "A-1,MacBook Pro 14,Ready,,Ada Zed,Ada Zed,",
        "A-3,MacBook Pro 14,Ready,zed2@example.com,Ada Zed,,",
    ]);
    let account = account().sheet("assets.csv", &rows);
    for created in [2, 0] {
        let (code, summary) = account.json(&[&IMPORT[..], &["--create-missing=all"]].concat());
        assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("name.ambiguous")]), "{summary}");
        assert_eq!((&summary["counts"]["created"], &summary["counts"]["failed"]), (&json!(created), &json!(1)));
    }
    assert_eq!((holder(&account, "A-2"), holder(&account, "A-3")), (employee(3), employee(4)));
    assert_eq!(account.records("assets").len(), 2);
}

#[test]
fn one_record_is_made_however_many_rows_describe_it() {
    let mapping = "entity = \"assets\"\nignore = [\"City\", \"Title\"]\n\
                   [fields.location_id]\ncolumn = \"Building\"\n\
                   [fields.assigned_to]\ncolumn = \"Mail\"\n\
                   [also.locations]\nname = { column = \"Building\" }\ncity = { column = \"City\" }\n\
                   address_line_1 = { default = \"unknown\" }\ncountry = { default = \"DE\" }\n\
                   [also.employees]\nemail = { column = \"Mail\" }\nname = { column = \"Name\" }\ntitle = { column = \"Title\" }\n";
    let rows = "Asset tag,Product,Status,Building,City,Mail,Name,Title\n\
                A-1,MacBook Pro 14,Ready,HQ,,eve@example.com,Eve Adams,\n\
                A-2,MacBook Pro 14,Ready,HQ,Berlin,eve@example.com,Eve Adams,Engineer\n\
                A-3,MacBook Pro 14,Ready,hq,Berlin,,,\n\
                A-4,MacBook Pro 14,Ready,,,,,\n";
    let account = account().sheet("mapping.toml", mapping).sheet("assets.csv", rows);
    let (code, summary) = account.json(&[&IMPORT[..], &["--result", "r.xlsx"]].concat());
    let expected = ["POST assets 4", "POST checkout/asset 2", "POST employees 1", "POST locations 1"];
    assert_eq!((code, writes(&summary)), (0, expected.map(String::from).to_vec()), "{summary}");
    // What only the second row says is not lost.
    assert_eq!(account.record("locations", "name", "HQ")["city"], json!("Berlin"));
    assert_eq!(account.record("employees", "email", "eve@example.com")["title"], json!("Engineer"));
    let rows = sheet_rows(&account.path("r.xlsx"), "assets");
    assert_eq!(rows[1][2], "location #2 created; employee #3 created; check-out to Eve Adams");
    let (code, again) = account.json(&IMPORT);
    assert_eq!((code, writes(&again)), (0, Vec::new()), "{again}");
    account.run(&["undo", summary["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    assert_eq!((account.records("assets").len(), account.records("employees").len()), (0, 2));
}

#[test]
fn rows_that_contradict_each_other_are_told_with_both_rows() {
    let mapping = "entity = \"assets\"\n[fields.location_id]\ncolumn = \"Building\"\n\
                   [also.locations]\nname = { column = \"Building\" }\ncity = { column = \"City\" }\n\
                   address_line_1 = { default = \"unknown\" }\ncountry = { default = \"DE\" }\n";
    let rows = "Asset tag,Product,Status,Building,City\n\
                A-1,MacBook Pro 14,Ready,HQ,Berlin\nA-2,MacBook Pro 14,Ready,HQ,Hamburg\nA-3,MacBook Pro 14,Nowhere,Annex,Oslo\n";
    let account = account().sheet("mapping.toml", mapping).sheet("assets.csv", rows);
    let (code, checked) = account.json(&["check", "assets.csv", "--mapping", "mapping.toml"]);
    assert_eq!((code, codes(&checked, "problems")), (1, vec![String::from("record.contradicted")]), "{checked}");
    let example = &checked["problems"][0]["examples"][0];
    assert_eq!((&example["cell"], &example["found"]), (&json!("E3"), &json!("Hamburg")), "{example}");
    assert!(example["message"].as_str().unwrap().contains("than in row 2"), "{example}");
    let (code, summary) = account.json(&IMPORT);
    // A row with a problem makes none of its records: there is no Annex.
    let expected = vec![String::from("POST assets 1"), String::from("POST locations 1")];
    assert_eq!((code, writes(&summary)), (1, expected), "{summary}");
    assert_eq!((&summary["counts"]["created"], &summary["counts"]["failed"]), (&json!(1), &json!(2)));
}

#[test]
fn a_maker_that_a_row_describes_and_names_is_made_once() {
    let mapping = "entity = \"assets\"\n[fields.\"product_id.manufacturer_id\"]\ncolumn = \"Maker\"\n\
                   [fields.\"product_id.category_id\"]\ncolumn = \"Category\"\n\
                   [also.manufacturers]\nname = { column = \"Maker\" }\nurl = { column = \"Site\" }\n";
    let rows = "Asset tag,Product,Category,Maker,Site,Status\nA-1,ThinkPad X9,Laptops,Lenovo,https://lenovo.example.com,Ready\n";
    let account = account().sheet("mapping.toml", mapping).sheet("assets.csv", rows);
    let (code, summary) = account.json(&[&IMPORT[..], &["--create-missing"]].concat());
    assert_eq!(code, 0, "{summary}");
    let makers = account.records("manufacturers");
    assert_eq!((makers.len(), &makers[0]["url"]), (1, &json!("https://lenovo.example.com")));
    assert_eq!(account.record("products", "name", "ThinkPad X9")["manufacturer_id"], makers[0]["id"]);
}

#[test]
fn a_word_for_nothing_names_no_holder() {
    let account = account().sheet(
        "people.csv",
        "Asset tag,Product,Status,Who\nA-1,MacBook Pro 14,Ready,-\nA-2,MacBook Pro 14,Ready,N/A\nA-3,MacBook Pro 14,Ready,ada@example.com\n",
    );
    let (code, summary) = account.json(&["import", "people.csv", "--map", "Who=assigned_to", "--yes"]);
    assert_eq!(
        (code, writes(&summary)),
        (0, vec!["POST assets 3".into(), "POST checkout/asset 1".into()]),
        "{summary}"
    );
    assert_eq!([holder(&account, "A-1"), holder(&account, "A-3")], [None, employee(1)]);
    assert!(codes(&summary, "remarks").contains(&String::from("value.none")), "{summary}");
}

#[test]
fn an_asset_is_not_imported_for_a_person_who_has_left() {
    let rows = sheet(&["A-1,MacBook Pro 14,Ready,zed@example.com,,,", "A-2,MacBook Pro 14,Ready,ada@example.com,,,"]);
    let account = account()
        .holds("employees", json!({"name": "Zed Gone", "email": "zed@example.com", "archived": true}))
        .sheet("assets.csv", &rows);
    for arguments in [&["--dry-run"][..], &["--yes"]] {
        let (code, summary) = account.json(&[&IMPORT[..], arguments].concat());
        let counts = [&summary["counts"]["created"], &summary["counts"]["failed"]];
        assert_eq!((code, counts), (1, [&json!(1), &json!(1)]), "{summary:#}");
        assert_eq!(codes(&summary, "problems"), ["checkout.refused"]);
        let example = &summary["problems"][0]["examples"][0];
        assert_eq!(example["cell"], "D2", "{summary:#}");
        let message = "the employee `Zed Gone` is archived; nothing can be checked out to them";
        assert!(example["message"].as_str().unwrap().ends_with(message), "{summary:#}");
    }
    assert_eq!(account.records("assets").len(), 1);
}

#[test]
fn holders_who_are_left_out_are_told_by_the_row_the_plan_and_the_comparison() {
    let list = |holders: &[&str]| {
        let rows =
            holders.iter().zip(1..).map(|(holder, tag)| format!("A-{tag},MacBook Pro 14,Ready,{holder},Store\n"));
        format!("Asset Tag,Model,Status,Checked Out To,Default Location\n{}", rows.collect::<String>())
    };
    let account = account()
        .sheet("first.csv", &list(&["Ada B.", "Bob Stone", "", "Ada B."]))
        .sheet("next.csv", &list(&["New A", "New B", "New C", "New D"]));
    account.run(&["import", "first.csv", "--create-missing=all", "--yes"]).exits(0);
    account.run(&["import", "next.csv", "--create-missing=all", "--plan", "plan.xlsx"]).exits(0);
    let plan: Vec<String> =
        sheet_rows(&account.path("plan.xlsx"), "Plan").into_iter().map(|row| row[0].clone()).collect();
    let note = plan.iter().position(|text| text.contains("4 holders left out: `New A`, `New B`, `New C`, … not found"));
    assert_eq!(plan[note.unwrap() + 1], "D2 `New A`, D3 `New B`, D4 `New C`, D5 `New D`");
    account.run(&["import", "next.csv", "--create-missing=all", "--yes"]).exits(0);
    let rows = sheet_rows(&account.path("next.result.xlsx"), "next");
    let told: Vec<(&str, &str)> = rows[1..].iter().map(|row| (row[0].as_str(), row[2].as_str())).collect();
    let said = |name| format!("not checked out to `New {name}`: not found in employees or locations");
    let said = ["A", "B", "C", "D"].map(said);
    assert_eq!(told, [0, 1, 2, 3].map(|row| ("unchanged", said[row].as_str())));
    let (code, compared) = account.json(&["verify", "next.csv"]);
    let expected: Vec<&str> =
        compared["differences"].as_array().unwrap().iter().map(|found| found["expected"].as_str().unwrap()).collect();
    assert_eq!((code, expected), (1, vec!["New A", "New B", "New C", "New D"]));
    // Whoever left them out once is not told again of what was done.
    let (code, again) = account.json(&["import", "next.result.xlsx", "--create-missing=all", "--yes"]);
    assert_eq!((code, writes(&again)), (0, Vec::new()));
}

#[test]
fn a_dry_run_knows_what_the_type_of_a_license_takes() {
    // The sample data has a license that is given by keys.
    let account = CliTest::with(SandboxOptions { seed: Seed::SampleLookups, ..SandboxOptions::default() });
    let category = account.record("categories", "name", "Design Software")["id"].clone();
    let account =
        account.holds("licenses", json!({"name": "CAD", "category_id": category, "number_of_seats": 5})).sheet(
            "seats.csv",
            "license,employee,quantity,product_key,checkout_date\nOffice Home & Business 2024,Ada Byron,1,,2026-03-02\n\
             CAD,Ada Byron,1,K-1,2026-03-02\nCAD,Ada Byron,,,2026-03-02\n\
             Office Home & Business 2024,Ada Byron,,OHB24-AAAAA-11111,2026-03-02\n",
        );
    let import = ["import", "seats.csv", "--entity", "checkout_license", "--yes"];
    assert_output!(account.run(&[&import[..], &["--dry-run"]].concat()), @"
    exit code 1
    --- stdout
    Dry run of seats.csv: 3 of 4 rows would fail, in 0.5 s
      4 rows: 1 to create, 3 failed (checkout_license)

    4 problems in 3 rows
           2 × it cannot be checked in or out in `quantity` (checkout.refused)
               C2 `1`, C4
               C2: `quantity` is only for Dynamic licenses; `Office Home & Business 2024` is of the type Product Key
               hint for C2: empty the cell, or name another license
           2 × it cannot be checked in or out in `product_key` (checkout.refused)
               D2, D3 `K-1`
               D2: `product_key` is required for Product Key licenses; `Office Home & Business 2024` is of the type Product Key
               hint for D2: fill it in, or name another license

      read      seats.csv as UTF-8, comma
      header    row 1: license → license_id, employee → employee_id, quantity, product_key,
                checkout_date
      plan      1 request, about 1.0 s at 10,000 an hour
      result    seats.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import seats.result.xlsx --entity checkout_license --dry-run
    ");
    let (code, summary) = account.json(&import);
    let counts = ["created", "failed"].map(|status| summary["counts"][status].as_i64().unwrap());
    assert_eq!((code, counts), (1, [1, 3]), "{summary}");
}
