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
