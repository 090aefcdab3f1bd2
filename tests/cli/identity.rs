//! What makes two cells the same record: invisible characters, blanks in keys, describing columns.

use serde_json::json;

use crate::harness::CliTest;

/// Characters that nobody sees, as other programs leave them in cells.
const INVISIBLE: [char; 9] =
    ['\u{ad}', '\u{200b}', '\u{200e}', '\u{2060}', '\u{fe0f}', '\u{61c}', '\u{180e}', '\u{feff}', '\u{3164}'];

#[test]
fn invisible_characters_neither_split_nor_spoil_a_key() {
    let account =
        CliTest::new().with_lookups().sheet("clean.csv", "asset_id,product,status\nHF-LT-1,MacBook Pro 14,Ready\n");
    account.run(&["import", "clean.csv", "--entity", "assets"]).exits(0);
    for (number, char) in INVISIBLE.into_iter().enumerate() {
        let name = format!("odd{number}.csv");
        let text =
            format!("asset_id,product,status,notes\nHF{char}-LT-1{char},MacBook{char} Pro 14,Re{char}ady,n{number}\n");
        std::fs::write(account.path(&name), text).unwrap();
        account.run(&["import", &name, "--entity", "assets"]).exits(0);
        let assets = account.records("assets");
        assert_eq!(assets.len(), 1, "{char:?}: {assets:?}");
        assert_eq!((&assets[0]["asset_id"], &assets[0]["notes"]), (&json!("HF-LT-1"), &json!(format!("n{number}"))));
    }
}

#[test]
fn invisible_characters_do_not_create_a_second_location_supplier_or_person() {
    let rows: String = INVISIBLE
        .into_iter()
        .enumerate()
        .map(|(number, char)| format!("T-{number},MacBook Pro 14,Ready,Ber{char}lin,Ac{char}me\n"))
        .collect();
    let account = CliTest::new()
        .with_lookups()
        .sheet(
            "assets.csv",
            &format!("asset_id,product,status,location,supplier\nT,MacBook Pro 14,Ready,Berlin,Acme\n{rows}"),
        )
        .sheet("people.csv", "name,email\nAda Byron,ada@example.com\n")
        .sheet("again.csv", "name,email\nAda Byron,a\u{200b}da@exam\u{ad}ple.com\n");
    account.run(&["import", "assets.csv", "--create-missing"]).exits(0);
    for (collection, name) in [("locations", "Berlin"), ("suppliers", "Acme")] {
        let named: Vec<_> = account.records(collection).into_iter().filter(|record| record["name"] == name).collect();
        assert_eq!(named.len(), 1, "{named:?}");
    }
    account.run(&["import", "people.csv", "--entity", "employees"]).exits(0);
    let (code, again) = account.json(&["import", "again.csv", "--entity", "employees"]);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(1)), "{again}");
}

#[test]
fn a_tag_that_lost_its_leading_zeros_makes_no_second_asset() {
    let asset = json!({"asset_id": "004212", "product_id": 1, "status_id": 1});
    let account = CliTest::new()
        .with_lookups()
        .holds("assets", asset)
        .sheet("lost.csv", "asset_id,product,status\n4212,MacBook Pro 14,Ready\n77,MacBook Pro 14,Ready\n")
        .sheet("meant.csv", "asset_id,product,status,_action\n4212,MacBook Pro 14,Ready,create\n");
    let (code, lost) = account.json(&["import", "lost.csv", "--entity", "assets"]);
    assert_eq!(
        (code, &lost["counts"]["created"], &lost["problems"][0]["code"]),
        (1, &json!(1), &json!("cell.damaged"))
    );
    let hint = lost["problems"][0]["examples"][0]["hint"].as_str().unwrap();
    assert!(hint.starts_with("format the column as text and write `004212`"), "{hint}");
    account.run(&["import", "meant.csv", "--entity", "assets"]).exits(0);
    assert_eq!(account.records("assets").len(), 3);
}

#[test]
fn a_dry_run_tells_of_an_e_mail_address_that_another_employee_has() {
    let rows = "Name,Email\nAda Byron,bob@example.com\nEve Lund,new@example.com\nMia Berg,New@example.com\n\
                Bob Hale,bob@example.com\n";
    let account = CliTest::new()
        .holds("employees", json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob Hale", "email": "bob@example.com"}))
        .sheet("employees.csv", rows);
    let told = |arguments: &[&str]| {
        let (code, summary) = account.json(&[&["import", "employees.csv", "--match-on", "name"], arguments].concat());
        let problems = summary["problems"].as_array().unwrap().iter().map(|problem| {
            let example = &problem["examples"][0];
            format!("{} {}: {}", problem["code"].as_str().unwrap(), example["cell"], example["message"])
        });
        let mut problems: Vec<String> = problems.collect();
        problems.sort_unstable();
        (code, summary["counts"]["created"].clone(), summary["counts"]["unchanged"].clone(), problems)
    };
    let problems = [
        r#"duplicate.key "B4": "duplicate of row 3, which gives another record this value""#,
        r#"record.exists "B2": "another record has this value: employee `Bob Hale` (#2)""#,
    ];
    let expected = (1, json!(1), json!(1), problems.map(String::from).to_vec());
    assert_eq!(told(&["--dry-run"]), expected);
    assert_eq!(told(&[]), expected, "as the dry run said");
    assert_eq!(account.records("employees").len(), 3);
}
