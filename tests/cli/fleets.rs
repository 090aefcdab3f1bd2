//! Whole exports of other tools: all rows go into an empty account with one command, a second import writes nothing,
//! changed holders cost one check-in and one check-out each, and `undo` takes everything back.
//!
//! `TALLYPORT_FLEET=500 cargo test --profile optimized --test cli fleets::` imports as many rows.

use serde_json::{Value, json};

use crate::harness::{CliTest, tries_all};
use crate::holders::writes;
use crate::kills::setting;
use crate::presets::{Export, csv};

/// The rows whose holder changes.
const CHANGED: usize = 30;

/// How many rows an export has.
fn rows() -> usize {
    usize::try_from(setting("TALLYPORT_FLEET", if tries_all() { 60 } else { 32 })).unwrap()
}

/// How many people hold them: some hold two.
fn people() -> usize {
    rows() * 16 / 25
}

/// An export with many rows: the first row of an example, with other values in some columns.
struct Fleet {
    export: Export,
    rows: usize,
    people: usize,
    /// The columns that tell a row apart, with what each says before the number of the row.
    own: &'static [(&'static str, &'static str)],
    /// The columns that name the person, each with how.
    person: &'static [(&'static str, PersonWritten)],
}

#[derive(Clone, Copy)]
enum PersonWritten {
    Email,
    Name,
}

impl PersonWritten {
    fn of(self, person: usize) -> String {
        match self {
            PersonWritten::Email => format!("user{person}@example.com"),
            PersonWritten::Name => format!("Ada Number{person}"),
        }
    }
}

impl Fleet {
    fn sheet(&self, person_of: impl Fn(usize) -> usize) -> String {
        let column = |header: &str| self.export.headers().iter().position(|known| known == header).unwrap();
        let rows: Vec<Vec<String>> = (0..self.rows)
            .map(|index| {
                let mut row = self.export.rows[1].clone();
                self.own.iter().for_each(|(header, text)| row[column(header)] = format!("{text}{index}"));
                self.person.iter().for_each(|(header, way)| row[column(header)] = way.of(person_of(index)));
                row
            })
            .collect();
        let lines = std::iter::once(self.export.headers()).chain(rows.iter().map(Vec::as_slice));
        csv(lines.map(|row| row.iter().map(String::as_str).collect()))
    }
}

/// Imports `export.csv`, with the people of `people.csv` where the account has such a file.
fn import(account: &CliTest) -> Value {
    let people: &[&str] = if account.path("people.csv").exists() { &["people.csv"] } else { &[] };
    let (code, summary) =
        account.json(&[&["import", "export.csv"], people, &["--create-missing=all", "--yes"]].concat());
    assert_eq!((code, &summary["counts"]["failed"]), (0, &json!(0)), "{summary:#}");
    summary
}

fn undo(account: &CliTest, run: &Value) {
    account.run(&["undo", run["run_id"].as_str().unwrap(), "--yes"]).exits(0);
}

fn checked_out(account: &CliTest) -> usize {
    let holds = |asset: &&Value| asset["deployed_to"].as_array().is_some_and(|holders| !holders.is_empty());
    account.records("assets").iter().filter(holds).count()
}

#[track_caller]
fn goes_in_changes_and_comes_back(fleet: &Fleet, account: CliTest) {
    let account = account.sheet("export.csv", &fleet.sheet(|index| index % fleet.people));
    let first = import(&account);
    assert_eq!((checked_out(&account), account.records("employees").len()), (fleet.rows, fleet.people), "{first:#}");
    assert!(writes(&first).contains(&format!("POST checkout/asset {}", fleet.rows)), "{first:#}");
    let second = import(&account);
    assert_eq!((&second["counts"]["updated"], writes(&second)), (&json!(0), Vec::new()), "{second:#}");

    let others = |index: usize| if index < CHANGED { (index + 7) % fleet.people } else { index % fleet.people };
    let account = account.sheet("export.csv", &fleet.sheet(others));
    let third = import(&account);
    let expected = vec![format!("POST checkin/asset {CHANGED}"), format!("POST checkout/asset {CHANGED}")];
    assert_eq!((&third["counts"]["updated"], writes(&third)), (&json!(CHANGED), expected), "{third:#}");

    undo(&account, &third);
    assert_eq!(checked_out(&account), fleet.rows);
    let account = account.sheet("export.csv", &fleet.sheet(|index| index % fleet.people));
    assert_eq!(writes(&import(&account)), Vec::<String>::new());
    undo(&account, &first);
    for collection in ["assets", "employees", "products", "categories", "manufacturers"] {
        assert_eq!(account.records(collection), Vec::<Value>::new(), "{collection}");
    }
}

#[test]
fn devices_of_intune() {
    let fleet = Fleet {
        export: Export::named("intune-devices"),
        rows: rows(),
        people: people(),
        own: &[("Device name", "NB-"), ("Serial number", "5CG441")],
        person: &[
            ("Primary user UPN", PersonWritten::Email),
            ("Primary user email address", PersonWritten::Email),
            ("Primary user display name", PersonWritten::Name),
        ],
    };
    goes_in_changes_and_comes_back(&fleet, CliTest::new());
}

#[test]
fn computers_of_jamf() {
    let fleet = Fleet {
        export: Export::named("jamf-computers"),
        rows: rows(),
        people: people(),
        own: &[("Computer Name", "MB-"), ("Asset Tag", "LAP-"), ("Serial Number", "C02XK1")],
        person: &[("Email Address", PersonWritten::Email), ("Full Name", PersonWritten::Name)],
    };
    goes_in_changes_and_comes_back(&fleet, CliTest::new());
}

#[test]
fn chromebooks_of_google() {
    let fleet = Fleet {
        export: Export::named("google-chromeos"),
        rows: rows(),
        people: people(),
        own: &[("annotatedAssetId", "LAP-"), ("serialNumber", "5CD92")],
        person: &[("annotatedUser", PersonWritten::Email), ("recentUsers.0.email", PersonWritten::Email)],
    };
    goes_in_changes_and_comes_back(&fleet, CliTest::new());
}

/// Its list of assets names people without their addresses, so the list of people goes in with it.
#[track_caller]
fn snipe_it_assets_go_in_and_come_back(fleet: &Fleet) {
    let people = Fleet {
        export: Export::named("snipe-it-users"),
        rows: people(),
        people: people(),
        own: &[("ID", "10"), ("Last Name", "Number"), ("Employee Number", "E"), ("Username", "user")],
        person: &[("Email", PersonWritten::Email)],
    };
    let account = CliTest::new().sheet("people.csv", &people.sheet(|index| index));
    goes_in_changes_and_comes_back(fleet, account);
}

#[test]
fn assets_of_snipe_it() {
    snipe_it_assets_go_in_and_come_back(&Fleet {
        export: Export::named("snipe-it-assets"),
        rows: rows(),
        people: people(),
        own: &[("Asset Name", "NB-"), ("Asset Tag", "LAP-"), ("Serial", "5CG441")],
        person: &[("Checked Out To", PersonWritten::Name)],
    });
}

#[test]
fn assets_of_snipe_it_in_german() {
    snipe_it_assets_go_in_and_come_back(&Fleet {
        export: Export::named("snipe-it-assets-german"),
        rows: rows(),
        people: people(),
        own: &[("Asset Name", "NB-"), ("Asset Tag", "LAP-"), ("Seriennummer", "5CG441")],
        person: &[("Herausgegeben an", PersonWritten::Name)],
    });
}

#[track_caller]
fn people_go_in_and_come_back(fleet: &Fleet) {
    let account = CliTest::new().sheet("export.csv", &fleet.sheet(|index| index));
    let first = import(&account);
    assert_eq!(
        (&first["counts"]["created"], account.records("employees").len()),
        (&json!(fleet.rows), fleet.rows),
        "{first:#}"
    );
    let second = import(&account);
    assert_eq!((&second["counts"]["unchanged"], writes(&second)), (&json!(fleet.rows), Vec::new()), "{second:#}");
    undo(&account, &first);
    assert_eq!(account.records("employees"), Vec::<Value>::new());
}

#[test]
fn people_of_entra() {
    people_go_in_and_come_back(&Fleet {
        export: Export::named("entra-users"),
        rows: rows(),
        people: rows(),
        own: &[("id", "6f1c0014-5c2f-4b52-9a46-2a0bd1c0"), ("objectId", "6f1c0005-5c2f-4b52-9a46-2a0bd1c0")],
        person: &[
            ("displayName", PersonWritten::Name),
            ("mail", PersonWritten::Email),
            ("userPrincipalName", PersonWritten::Email),
        ],
    });
}

#[test]
fn people_of_google() {
    people_go_in_and_come_back(&Fleet {
        export: Export::named("google-users"),
        rows: rows(),
        people: rows(),
        own: &[("Last Name [Required]", "Number"), ("Employee ID", "E")],
        person: &[("Email Address [Required]", PersonWritten::Email)],
    });
}
